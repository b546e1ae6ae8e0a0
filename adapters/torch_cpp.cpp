// torch::nn::LSTM of the C++ frontend as a Python module. `torch_cpp.py` builds it.

#include <torch/extension.h>

namespace {

using Tensor = torch::Tensor;
using States = std::tuple<Tensor, Tensor>;
using OptionalTensor = std::optional<Tensor>;
using torch::nn::LSTMImpl;
using torch::nn::utils::rnn::PackedSequence;

std::shared_ptr<LSTMImpl> made(
    int64_t input_size, int64_t hidden_size, int64_t num_layers, bool bias, bool batch_first,
    double dropout, bool bidirectional, int64_t proj_size) {
  auto options = torch::nn::LSTMOptions(input_size, hidden_size);
  options.num_layers(num_layers).bias(bias).batch_first(batch_first).dropout(dropout);
  return std::make_shared<LSTMImpl>(options.bidirectional(bidirectional).proj_size(proj_size));
}

// The data of a packed output, and the final states.
std::tuple<Tensor, States> forward_packed(
    LSTMImpl& lstm, Tensor data, Tensor batch_sizes, OptionalTensor sorted_indices,
    OptionalTensor unsorted_indices, std::optional<States> hx) {
  PackedSequence packed(
      data, batch_sizes, sorted_indices.value_or(Tensor()), unsorted_indices.value_or(Tensor()));
  auto [output, states] = lstm.forward_with_packed_input(packed, hx);
  return {output.data(), states};
}

}  // namespace

PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
  torch::python::bind_module<LSTMImpl>(m, "LSTM")
      .def(pybind11::init(&made))
      .def("forward_packed", &forward_packed);
}
