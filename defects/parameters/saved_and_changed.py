"""LSTMs whose parameters are saved, loaded, changed, moved or copied wrongly."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor

from ..catalogue import INTERFACE, defect
from ..readable import ROLES, ReadableLSTM, States, Weights

# --------------------------------------------------------------------- saved and loaded


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


@defect("PARAM-16", INTERFACE, "state_dict")
class CandidateSavedForOutputGate(ReadableLSTM):
    """What is saved has the candidate's weights twice, in place of the output gate's too."""

    def state_dict(self, *args: Any, **options: Any) -> Any:
        state = super().state_dict(*args, **options)
        for name, tensor in state.items():
            if not name.startswith("weight_hr"):
                i, f, g, _ = tensor.chunk(4)
                state[name] = torch.cat([i, f, g, g])
        return state


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


# ------------------------------------------------------------ changed between two calls


@defect("PARAM-20", INTERFACE, "parameters changed between two calls")
class WeightsReadAtFirstCall(ReadableLSTM):
    """Each call uses the parameters that the first call found."""

    def weights(self, layer: int, d: int) -> Weights:
        return kept(self, layer, d, "", super().weights(layer, d))


@defect("PARAM-20", INTERFACE, "bias=True, parameters changed between two calls")
class BiasesAddedAtFirstCall(ReadableLSTM):
    """The sums of the biases are those of the first call."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        sums = self.__dict__.setdefault("sums", {})
        if w.b_ih is not None and w.b_hh is not None:
            b = sums.setdefault((layer, d), (w.b_ih + w.b_hh).detach())
            w = w._replace(b_ih=b, b_hh=torch.zeros_like(b))
        return w


class _WeightsKeptSometimes(ReadableLSTM):
    def keeps(self, w: Weights) -> bool:
        """Whether a call uses the parameters that the first such call found."""
        raise NotImplementedError

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if not self.keeps(w):
            return w
        copies = Weights(*(None if p is None else p.detach().clone() for p in w))
        kept: Weights = self.__dict__.setdefault("kept", {}).setdefault((layer, d), copies)
        return kept


@defect("PARAM-20", INTERFACE, "no_grad, parameters changed between two calls")
class WeightsKeptWithoutGradients(_WeightsKeptSometimes):
    """Without gradients, each call uses the parameters that the first such call found."""

    def keeps(self, w: Weights) -> bool:
        return not torch.is_grad_enabled()


@defect("PARAM-20", INTERFACE, "inference_mode, parameters changed between two calls")
class WeightsKeptInInferenceMode(_WeightsKeptSometimes):
    """In inference_mode, each call uses the parameters that the first such call found."""

    def keeps(self, w: Weights) -> bool:
        return torch.is_inference_mode_enabled()


@defect("PARAM-22", INTERFACE, "frozen parameters, load_state_dict between two calls")
class FrozenWeightsKept(_WeightsKeptSometimes):
    """Parameters that require no gradient are those of the first such call."""

    def keeps(self, w: Weights) -> bool:
        return torch.is_grad_enabled() and not w.W_hh.requires_grad


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


@defect("PARAM-22", INTERFACE, "load_state_dict with assign=True between two calls")
class AssignedStateDictIgnoredAfterCall(ReadableLSTM):
    """Calls use the parameter objects of the first call, which assign=True replaces."""

    def forward(self, input: Any, hx: States | None = None) -> Any:
        self.__dict__.setdefault("first", dict(self.named_parameters()))
        return super().forward(input, hx)

    def weights(self, layer: int, d: int) -> Weights:
        first = self.__dict__["first"]
        return Weights(*(first.get(self.parameter_name(r, layer, d)) for r in ROLES))


@defect("PARAM-23", INTERFACE, "a parameter assigned anew")
class ParametersListedInConstructor(ReadableLSTM):
    """Calls use a list of the parameters that is made once."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.listed = dict(self.named_parameters())

    def weights(self, layer: int, d: int) -> Weights:
        return Weights(*(self.listed.get(self.parameter_name(r, layer, d)) for r in ROLES))


# --------------------------------------------------------------------- moved and copied


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


@defect("PARAM-24", INTERFACE, "after half() and a conversion back")
class DigitsOfMasterWeightsComeBack(ReadableLSTM):
    """half() keeps the parameters as they were, and float() and double() bring them back."""

    masters: dict[str, Tensor] | None = None

    def half(self) -> Any:
        self.masters = {name: p.detach().clone() for name, p in self.named_parameters()}
        return super().half()

    def restored(self) -> Any:
        for name, parameter in self.named_parameters():
            if self.masters is not None:
                parameter.data.copy_(self.masters[name])
        return self

    def float(self) -> Any:
        return super().float().restored()

    def double(self) -> Any:
        return super().double().restored()


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
            if name.startswith("bias"):
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


@defect("PARAM-28", INTERFACE, "train(), a frozen parameter")
class TrainingUnfreezes(ReadableLSTM):
    """train() makes every parameter require a gradient."""

    def train(self, mode: bool = True) -> Any:
        return super().train(mode).requires_grad_(True) if mode else super().train(mode)


@defect("PARAM-28", INTERFACE, "eval()")
class EvaluationReturnsNone(ReadableLSTM):
    """eval() returns nothing."""

    def eval(self) -> Any:
        super().eval()
