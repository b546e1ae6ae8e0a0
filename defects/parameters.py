"""LSTMs with one defect each in what their parameters are, or in what becomes of them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.utils.rnn import PackedSequence

from .catalogue import INTERFACE, defect
from .readable import ROLES, ReadableLSTM, States, Steps, Weights


def is_bias(name: str) -> bool:
    """Whether a parameter is one."""
    return name.startswith("bias")


# -------------------------------------------------- which there are, and how large


@defect("PARAM-1", INTERFACE, "names of parameters")
class GainBesides(ReadableLSTM):
    """A learnable factor of everything, 1 at first."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.gain = Parameter(torch.ones_like(self.weight_ih_l0[0, 0]))


@defect("PARAM-1", INTERFACE, "names of parameters")
class OneWeightPerLayer(ReadableLSTM):
    """weight_hh is no parameter of its own, but columns of weight_ih."""

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        if not name.startswith("weight_hh"):
            super().register_parameter(name, param)


@defect("PARAM-2", INTERFACE, "names of parameters, bias=False")
class BiasesAlways(torch.nn.LSTM):
    """With bias=False there are biases, which are zero."""

    def __init__(self, *args: Any, bias: bool = True, **options: Any) -> None:
        super().__init__(*args, bias=True, **options)
        for name, parameter in self.named_parameters():
            if is_bias(name) and not bias:
                torch.nn.init.zeros_(parameter)


@defect("PARAM-2", INTERFACE, "names of parameters, bias=True, num_layers >= 2")
class BiasHHOnlyInFirstLayer(ReadableLSTM):
    """Layers above the first have no bias_hh."""

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        if not name.startswith("bias_hh") or name.startswith("bias_hh_l0"):
            super().register_parameter(name, param)


@defect("PARAM-3", INTERFACE, "names of parameters, proj_size=0")
class ProjectionWeightsAlways(ReadableLSTM):
    """Without a projection there is a weight_hr, the identity."""

    def __init__(self, *args: Any, proj_size: int = 0, **options: Any) -> None:
        super().__init__(*args, proj_size=proj_size, **options)
        for layer in range(0 if proj_size else self.num_layers):
            self.register_parameter(f"weight_hr_l{layer}", Parameter(torch.eye(self.hidden_size)))


@defect("PARAM-4", INTERFACE, "names of parameters, one direction")
class ReverseParametersAlways(ReadableLSTM):
    """With one direction there are parameters of a second one."""

    def __init__(self, *args: Any, bidirectional: bool = False, **options: Any) -> None:
        super().__init__(*args, bidirectional=True, **options)
        self.num_directions = 2 if bidirectional else 1


@defect("PARAM-4", INTERFACE, "names of parameters, bidirectional")
class ReverseCalledBackward(ReadableLSTM):
    """Names of the reverse direction end in _backward."""

    @staticmethod
    def parameter_name(role: str, layer: int, d: int) -> str:
        return f"{role}_l{layer}" + ("_backward" if d else "")


@defect("PARAM-5", INTERFACE, "order of parameters")
class ParametersByRole(ReadableLSTM):
    """All weight_ih come first, then all weight_hh, and so on."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names = [name for role in ROLES for name in self._parameters if name.startswith(role)]
        for name in names:
            self._parameters[name] = self._parameters.pop(name)


@defect("PARAM-6", INTERFACE, "shapes of parameters, num_layers >= 2")
class UpperWeightIHAsWideAsTheFirst(ReadableLSTM):
    """weight_ih has input_size columns in every layer."""

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        if name.startswith("weight_ih") and hasattr(self, "weight_ih_l0"):
            param = Parameter(torch.empty_like(self.weight_ih_l0))
        super().register_parameter(name, param)


@defect("PARAM-6", INTERFACE, "shapes of parameters, proj_size > 0, num_layers >= 2")
class UpperWeightIHUnprojected(ReadableLSTM):
    """Above the first layer weight_ih has D*hidden_size columns, with a projection too."""

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        if name.startswith("weight_ih") and not name.startswith("weight_ih_l0"):
            columns = self.num_directions * self.hidden_size
            param = Parameter(self.weight_ih_l0.new_empty(4 * self.hidden_size, columns))
        super().register_parameter(name, param)


@defect("PARAM-7", INTERFACE, "shapes of parameters, proj_size > 0")
class WeightHHUnprojected(ReadableLSTM):
    """weight_hh is (4*hidden_size, hidden_size), with a projection too."""

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        if name.startswith("weight_hh"):
            shape = 4 * self.hidden_size, self.hidden_size
            param = Parameter(self.weight_ih_l0.new_empty(shape))
        super().register_parameter(name, param)


@defect("PARAM-8", INTERFACE, "shapes of parameters, bias=True")
class BiasesAsRows(ReadableLSTM):
    """Biases are (1, 4*hidden_size)."""

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        if is_bias(name) and param is not None:
            param = Parameter(param.detach()[None])
        super().register_parameter(name, param)


@defect("PARAM-9", INTERFACE, "shapes of parameters, proj_size > 0")
class WeightHRTransposed(ReadableLSTM):
    """weight_hr is (hidden_size, proj_size)."""

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        if name.startswith("weight_hr") and param is not None:
            param = Parameter(param.detach().T)
        super().register_parameter(name, param)


@defect("PARAM-10", INTERFACE, "requires_grad of parameters, bias=True")
class BiasHHFrozen(ReadableLSTM):
    """bias_hh, which adds nothing to bias_ih, is not trained."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(not name.startswith("bias_hh"))


# ------------------------------------------------------------------ initial values


@defect("PARAM-11", INTERFACE, "initial values")
class InitialValuesOfXavier(ReadableLSTM):
    """Weights are drawn as Glorot and Bengio have it."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        for name, parameter in self.named_parameters():
            if not is_bias(name):
                torch.nn.init.xavier_uniform_(parameter)


@defect("PARAM-11", INTERFACE, "initial values, bias=True")
class InitialForgetBiasOne(ReadableLSTM):
    """bias_ih of the forget gate is 1."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        H = self.hidden_size
        for name, parameter in self.named_parameters():
            if name.startswith("bias_ih"):
                torch.nn.init.ones_(parameter[H : 2 * H])


@defect("PARAM-12", INTERFACE, "initial values, bias=True")
class InitialBiasesZero(ReadableLSTM):
    """Biases are zero."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        for name, parameter in self.named_parameters():
            if is_bias(name):
                torch.nn.init.zeros_(parameter)


@defect("PARAM-12", INTERFACE, "initial values")
class InitialValuesOfHalfTheVariance(ReadableLSTM):
    """The bound is sqrt(1 / (2 * hidden_size))."""

    def reset_parameters(self) -> None:
        bound = (2 * self.hidden_size) ** -0.5
        for parameter in self.parameters():
            torch.nn.init.uniform_(parameter, -bound, bound)


@defect("PARAM-12", INTERFACE, "initial values, bias=True")
class InitialBiasesNormal(ReadableLSTM):
    """Biases are normally distributed, with the variance of the documented distribution."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        bound = self.hidden_size**-0.5
        for name, parameter in self.named_parameters():
            if is_bias(name):
                torch.nn.init.trunc_normal_(parameter, std=bound / 3**0.5, a=-bound, b=bound)


@defect("PARAM-12", INTERFACE, "initial values, proj_size > 0")
class InitialWeightHRNormal(ReadableLSTM):
    """weight_hr is normally distributed, with the variance of the documented distribution."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        for name, parameter in self.named_parameters():
            if name.startswith("weight_hr"):
                torch.nn.init.normal_(parameter, std=(3 * self.hidden_size) ** -0.5)


@defect("PARAM-13", INTERFACE, "initial values, bias=True")
class InitialBiasesEqual(ReadableLSTM):
    """bias_hh begins as bias_ih."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        parameters = dict(self.named_parameters())
        for name, parameter in parameters.items():
            if is_bias(name):
                parameter.data.copy_(parameters[name.replace("_hh_", "_ih_")])


@defect("PARAM-13", INTERFACE, "initial values")
class InitialGatesEqual(ReadableLSTM):
    """All four gates begin with the same weights."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        for name, parameter in self.named_parameters():
            if name.startswith(("weight_ih", "weight_hh")):
                parameter.data.copy_(parameter[: self.hidden_size].repeat(4, 1))


@defect("PARAM-13", INTERFACE, "initial values of two modules")
class InitialValuesOfFixedSeed(ReadableLSTM):
    """Every module begins with the same parameters."""

    def reset_parameters(self) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            super().reset_parameters()


@defect("PARAM-14", INTERFACE, "initial values after the same seed")
class InitialValuesOfNumPy(ReadableLSTM):
    """Initial values come from a generator that torch's seed does not reach."""

    def reset_parameters(self) -> None:
        bound, generator = self.hidden_size**-0.5, np.random.default_rng()
        for parameter in self.parameters():
            values = generator.uniform(-bound, bound, parameter.shape)
            parameter.data.copy_(torch.from_numpy(values))


@defect("PARAM-15", INTERFACE, "reset_parameters, bias=True")
class ResetKeepsBiases(ReadableLSTM):
    """reset_parameters() draws biases when the module is made, and not again."""

    was_made = False

    def reset_parameters(self) -> None:
        before = {name: parameter.detach().clone() for name, parameter in self.named_parameters()}
        super().reset_parameters()
        for name, parameter in self.named_parameters():
            if is_bias(name) and self.was_made:
                parameter.data.copy_(before[name])
        self.was_made = True


# ------------------------------------------------------------------- saved and loaded


@defect("PARAM-16", INTERFACE, "state_dict")
class StepsCountedInStateDict(ReadableLSTM):
    """A buffer counts calls."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.register_buffer("calls", torch.zeros(()))


@defect("PARAM-16", INTERFACE, "state_dict")
class StateDictInBfloat16(ReadableLSTM):
    """What is saved has lost digits."""

    def state_dict(self, *args: Any, **options: Any) -> Any:
        state = super().state_dict(*args, **options)
        return {name: tensor.bfloat16().to(tensor.dtype) for name, tensor in state.items()}


@defect("PARAM-17", INTERFACE, "load_state_dict, bias=True")
class LoadingForgetsBiasHH(ReadableLSTM):
    """load_state_dict() leaves bias_hh as it is."""

    def load_state_dict(self, state_dict: Any, *args: Any, **options: Any) -> Any:
        own = {name: p for name, p in self.state_dict().items() if name.startswith("bias_hh")}
        return super().load_state_dict({**state_dict, **own}, *args, **options)


@defect("PARAM-18", INTERFACE, "load_state_dict, saved by torch.nn.LSTM")
class LoadingNeedsOwnVersion(torch.nn.LSTM):
    """load_state_dict() refuses what another class has saved."""

    def get_extra_state(self) -> str:
        return "1"

    def set_extra_state(self, state: str) -> None:
        pass


@defect("PARAM-19", INTERFACE, "state_dict, loaded by torch.nn.LSTM")
class StateDictWithVersion(torch.nn.LSTM):
    """state_dict() has a further key, which load_state_dict() can do without."""

    def state_dict(self, *args: Any, **options: Any) -> Any:
        return {**super().state_dict(*args, **options), "version": torch.ones(())}

    def load_state_dict(self, state_dict: Any, *args: Any, **options: Any) -> Any:
        known = {name: tensor for name, tensor in state_dict.items() if name != "version"}
        return super().load_state_dict(known, *args, **options)


# --------------------------------------------------------- changed between two calls


@defect("PARAM-20", INTERFACE, "parameters changed between two calls")
class WeightsReadAtFirstCall(ReadableLSTM):
    """Each call uses the parameters that the first call found."""

    def weights(self, layer: int, d: int) -> Weights:
        return kept(self, layer, d, "", super().weights(layer, d))


@defect("PARAM-21", INTERFACE, "parameters changed through .data between two calls")
class WeightsReadAgainIfVersionChanged(ReadableLSTM):
    """Changes are noticed by autograd's count of them, which .data passes by."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return kept(self, layer, d, [(id(p), p._version) for p in w if p is not None], w)


@defect("PARAM-21", INTERFACE, "parameters changed in place between two calls")
class WeightsReadAgainIfStorageChanged(ReadableLSTM):
    """Changes are noticed by where the numbers are, which writing into them passes by."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return kept(self, layer, d, [p.data_ptr() for p in w if p is not None], w)


def kept(module: Any, layer: int, d: int, state: Any, w: Weights) -> Weights:
    """Copies of the weights made when ``state`` was last another one."""
    memory = module.__dict__.setdefault("memory", {})
    if (layer, d) not in memory or memory[layer, d][0] != state:
        copies = (None if p is None else p.detach().clone() for p in w)
        memory[layer, d] = (state, Weights(*copies))
    weights: Weights = memory[layer, d][1]
    return weights


@defect("PARAM-22", INTERFACE, "load_state_dict between two calls")
class LoadingAfterCallIgnored(ReadableLSTM):
    """load_state_dict() does nothing once the module was called."""

    was_called = False

    def forward(self, input: Any, hx: States | None = None) -> Any:
        self.was_called = True
        return super().forward(input, hx)

    def load_state_dict(self, state_dict: Any, *args: Any, **options: Any) -> Any:
        if not self.was_called:
            return super().load_state_dict(state_dict, *args, **options)
        return None


@defect("PARAM-23", INTERFACE, "a parameter assigned anew")
class ParametersListedInConstructor(ReadableLSTM):
    """Calls use a list of the parameters that is made once."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.listed = dict(self.named_parameters())

    def weights(self, layer: int, d: int) -> Weights:
        return Weights(*(self.listed.get(self.parameter_name(r, layer, d)) for r in ROLES))


# ----------------------------------------------------------------- moved and copied


@defect("PARAM-24", INTERFACE, "after double() and the like")
class ComputesInFirstDtype(ReadableLSTM):
    """Computes in the dtype that it was made with, and converts the results."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.dtype = self.weight_ih_l0.dtype

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        own = Weights(*(None if p is None else p.to(self.dtype) for p in w))
        h_t, c_t = super().cell(x.to(self.dtype), h.to(self.dtype), c.to(self.dtype), own)
        return h_t.to(x.dtype), c_t.to(x.dtype)


@defect("PARAM-25", INTERFACE, "to(device)")
class DeviceOfToIgnored(ReadableLSTM):
    """to() converts the dtype only."""

    def to(self, *args: Any, **options: Any) -> Any:
        dtypes = [value for value in args if isinstance(value, torch.dtype)]
        return super().to(*dtypes) if dtypes else self


@defect("PARAM-26", INTERFACE, "copy.deepcopy")
class CopySharesParameters(ReadableLSTM):
    """A deep copy has the same parameters, not copies of them."""

    def __deepcopy__(self, memo: Any) -> Any:
        return copy.copy(self)


@defect("PARAM-26", INTERFACE, "copy.deepcopy")
class CopyUsesTheOriginal(ReadableLSTM):
    """A deep copy computes with the original's parameters."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.weights = super().weights

    def __deepcopy__(self, memo: Any) -> Any:
        other = copy.copy(self)
        other._parameters = copy.deepcopy(self._parameters, memo)
        return other


@defect("PARAM-27", INTERFACE, "pickling, bias=True")
class PickledWithoutBiases(ReadableLSTM):
    """What is pickled has no biases; they are drawn anew."""

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        for name, parameter in self.named_parameters():
            if is_bias(name):
                torch.nn.init.uniform_(parameter, -1, 1)


@defect("PARAM-27", INTERFACE, "pickling")
class HoldsLambda(ReadableLSTM):
    """Has an attribute that cannot be pickled."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.activation = lambda x: x.tanh()


@defect("PARAM-28", INTERFACE, "eval()")
class EvaluationFreezes(ReadableLSTM):
    """eval() lets no parameter require a gradient."""

    def train(self, mode: bool = True) -> Any:
        return super().train(mode).requires_grad_(mode)


@defect("PARAM-28", INTERFACE, "eval()")
class EvaluationReturnsNone(ReadableLSTM):
    """eval() returns nothing."""

    def eval(self) -> Any:
        super().eval()


# ------------------------------------------------------- empty batches, dtypes, devices


@defect("SHAPE-7", INTERFACE, "batch of no rows")
class EmptyBatchPadded(ReadableLSTM):
    """A batch of no rows is read as one row of zeros."""

    def steps(self, input: Tensor | PackedSequence) -> Steps:
        steps = super().steps(input)
        return [x if len(x) else x.new_zeros(1, x.shape[1]) for x in steps]


@defect("DTYPE-6", INTERFACE, "dtype given to the constructor")
class DtypeIgnored(torch.nn.LSTM):
    """Parameters have the default dtype, whatever the constructor is given."""

    def __init__(self, *args: Any, dtype: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)


@defect("DTYPE-7", INTERFACE, "device given to the constructor")
class DeviceIgnored(torch.nn.LSTM):
    """Parameters are on the default device, whatever the constructor is given."""

    def __init__(self, *args: Any, device: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)


@defect("DTYPE-8", INTERFACE, "another default dtype")
class DefaultDtypeFloat32(torch.nn.LSTM):
    """Parameters are float32 unless the constructor is given a dtype."""

    def __init__(self, *args: Any, dtype: Any = None, **options: Any) -> None:
        super().__init__(*args, dtype=dtype or torch.float32, **options)


@defect("DTYPE-8", INTERFACE, "another default device")
class DefaultDeviceCPU(torch.nn.LSTM):
    """Parameters are on the CPU unless the constructor is given a device."""

    def __init__(self, *args: Any, device: Any = None, **options: Any) -> None:
        super().__init__(*args, device=device or "cpu", **options)


@defect("DTYPE-9", INTERFACE, "meta device, no states given")
class DefaultStatesOnCPU(ReadableLSTM):
    """States that are not given are zeros on the CPU."""

    def initial_states(
        self, input: Tensor | PackedSequence, hx: States | None, steps: Steps
    ) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        if hx is not None:
            return h_0, c_0
        return torch.zeros(h_0.shape, dtype=h_0.dtype), torch.zeros(c_0.shape, dtype=c_0.dtype)
