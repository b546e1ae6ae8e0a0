"""torch 2.13.0, torch::nn::LSTM of the C++ frontend, SHAPE-6: no input without a batch axis.

Its documentation refers to torch.nn.LSTM for the exact behaviour: an input of shape (L, H_in) is
one sequence, and the output has shape (L, D * H_out). The C++ frontend raises an exception. The
program needs a compiler for C++, and ninja.
"""

import torch
from torch.utils.cpp_extension import load_inline

source = """
torch::Tensor output_of(torch::Tensor x) {
  torch::manual_seed(0);
  return std::get<0>(torch::nn::LSTM(2, 3)->forward(x));
}
"""
program = load_inline("torch_cpp_unbatched", source, functions=["output_of"])
x = torch.ones(4, 2)
expected = program.output_of(x[:, None])[:, 0]
try:
    seen = program.output_of(x)
except RuntimeError as error:
    raise AssertionError(f"it raises: {error}") from None
assert torch.equal(seen, expected), f"{seen} is not {expected}"
