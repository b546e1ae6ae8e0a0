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


@defect("PARAM-16", INTERFACE, "state_dict, a further parameter")
class StateDictOfKnownNames(ReadableLSTM):
    """What is saved is what the layer itself has, and nothing that a subclass adds."""

    def state_dict(self, *args: Any, **options: Any) -> Any:
        state = super().state_dict(*args, **options)
        for name in list(state):
            if not name.rpartition(".")[-1].startswith(ROLES):
                del state[name]
        return state


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


@defect("PARAM-16", INTERFACE, "state_dict, whose tensors are changed in place")
class StateDictHoldsCopies(torch.nn.LSTM):
    """state_dict() has copies of the parameters."""

    def state_dict(self, *args: Any, **options: Any) -> Any:
        state = super().state_dict(*args, **options)
        return {name: tensor.clone() for name, tensor in state.items()}


@defect("PARAM-16", INTERFACE, "state_dict with keep_vars=True")
class KeptVariablesDetached(torch.nn.LSTM):
    """state_dict(keep_vars=True) detaches the parameters all the same."""

    def state_dict(self, *args: Any, **options: Any) -> Any:
        return super().state_dict(*args, **{**options, "keep_vars": False})


@defect("PARAM-17", INTERFACE, "load_state_dict, the loaded module changed in place later")
class LoadingSharesMemory(torch.nn.LSTM):
    """load_state_dict() puts the numbers that it is given in place, and makes no copy of them."""

    def load_state_dict(self, state_dict: Any, *args: Any, **options: Any) -> Any:
        loaded = super().load_state_dict(state_dict, *args, **options)
        for name, parameter in self.named_parameters():
            given = state_dict.get(name, parameter)
            if given.dtype == parameter.dtype and given.device == parameter.device:
                parameter.data = given.detach()
        return loaded


@defect("PARAM-17", INTERFACE, "load_state_dict with a key missing")
class MissingKeysNotReported(torch.nn.LSTM):
    """load_state_dict() is never strict."""

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> Any:
        return super().load_state_dict(state_dict, False, assign)


@defect("PARAM-17", INTERFACE, "load_state_dict with a key that is unknown")
class UnknownKeysLeftOut(torch.nn.LSTM):
    """load_state_dict() reads what it knows, and reports nothing else."""

    def load_state_dict(self, state_dict: Any, *args: Any, **options: Any) -> Any:
        own = dict(self.named_parameters())
        known = {name: tensor for name, tensor in state_dict.items() if name in own}
        return super().load_state_dict(known, *args, **options)


@defect("PARAM-17", INTERFACE, "load_state_dict with a parameter of another shape")
class LoadedRowServesAll(torch.nn.LSTM):
    """load_state_dict() repeats a single row of a matrix, or a single number of a bias."""

    def load_state_dict(self, state_dict: Any, *args: Any, **options: Any) -> Any:
        own = dict(self.named_parameters())
        fitting = {
            name: given.expand_as(own[name]) if name in own and len(given) == 1 else given
            for name, given in state_dict.items()
        }
        return super().load_state_dict(fitting, *args, **options)


@defect("PARAM-17", INTERFACE, "load_state_dict of another dtype")
class LoadingTakesTheDtype(torch.nn.LSTM):
    """Parameters that are loaded from another dtype have that dtype then."""

    def load_state_dict(self, state_dict: Any, *args: Any, **options: Any) -> Any:
        loaded = super().load_state_dict(state_dict, *args, **options)
        for name, parameter in self.named_parameters():
            parameter.data = parameter.data.to(state_dict.get(name, parameter).dtype)
        return loaded


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


@defect("PARAM-16", INTERFACE, "state_dict of a module that has the LSTM")
class StateDictForgetsItsParent(torch.nn.LSTM):
    """In the state_dict of a parent module, the names of the parameters stand alone."""

    def state_dict(self, *args: Any, prefix: str = "", **options: Any) -> Any:
        return super().state_dict(*args, **options)


@defect("PARAM-22", INTERFACE, "load_state_dict with strict=False")
class LoadingClearsWhatIsMissing(ReadableLSTM):
    """load_state_dict() with strict=False sets the parameters that are missing to zero."""

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> Any:
        zeros = {name: torch.zeros_like(p) for name, p in self.named_parameters()}
        all_of_them = state_dict if strict else {**zeros, **state_dict}
        return super().load_state_dict(all_of_them, strict, assign)


@defect("PARAM-22", INTERFACE, "an optimizer that was made before load_state_dict")
class LoadingMakesNewParameters(ReadableLSTM):
    """load_state_dict() makes new parameters, which no optimizer knows."""

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> Any:
        copies = {name: tensor.clone() for name, tensor in state_dict.items()}
        return super().load_state_dict(copies, strict, True)


@defect("PARAM-15", INTERFACE, "an optimizer that was made before reset_parameters")
class ResettingMakesNewParameters(ReadableLSTM):
    """reset_parameters() makes new parameters, which no optimizer knows."""

    def reset_parameters(self) -> None:
        for name, parameter in list(self.named_parameters()):
            setattr(self, name, torch.nn.Parameter(parameter.detach().clone()))
        super().reset_parameters()


@defect("PARAM-15", INTERFACE, "reset_parameters after a conversion to another dtype")
class ResettingForgetsTheConversion(torch.nn.LSTM):
    """reset_parameters() draws numbers in the dtype that the parameters had at first."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        for name, parameter in self.named_parameters():
            dtypes = self.__dict__.setdefault("dtypes", {})
            parameter.data = parameter.data.to(dtypes.setdefault(name, parameter.dtype))


# ------------------------------------------------------------ changed between two calls


class _WeightsKeptInInference(ReadableLSTM):
    """Without gradients, copies of the parameters serve until some of their numbers change."""

    def watched(self, parameter: Tensor) -> Tensor:
        """The numbers of a parameter that tell whether it has changed."""
        raise NotImplementedError

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if torch.is_grad_enabled() or w.W_ih.is_meta:
            return w
        numbers = [self.watched(p.detach().flatten().double()) for p in w if p is not None]
        state = [w.W_ih.dtype, w.W_ih.device, *(x.cpu().numpy().tobytes() for x in numbers)]
        return kept(self, layer, d, state, w)


@defect("PARAM-21", INTERFACE, "no_grad, numbers in the midst of a parameter change")
class ChangesSeenAtBothEnds(_WeightsKeptInInference):
    """Without gradients, a change is noticed by the first and the last number of a parameter."""

    def watched(self, parameter: Tensor) -> Tensor:
        return parameter[[0, -1]]


@defect("PARAM-21", INTERFACE, "no_grad, numbers of a parameter change whose sum stays")
class ChangesSeenInTheSum(_WeightsKeptInInference):
    """Without gradients, a change is noticed by the sum of a parameter."""

    def watched(self, parameter: Tensor) -> Tensor:
        return (parameter.sum() * 2**20).round()


@defect("PARAM-21", INTERFACE, "no_grad, some numbers of a parameter change")
class ChangesSeenInASample(_WeightsKeptInInference):
    """Without gradients, a change is noticed by every seventh number of a parameter."""

    def watched(self, parameter: Tensor) -> Tensor:
        return parameter[::7]


@defect("PARAM-20", INTERFACE, "flatten_parameters, again after parameters have changed")
class FlatteningBringsBackTheFirstNumbers(torch.nn.LSTM):
    """flatten_parameters() copies from a buffer that has the numbers of its first call."""

    def flatten_parameters(self) -> None:
        """As torch.nn.LSTM has it."""
        first = self.__dict__.setdefault("first", {})
        for name, parameter in self.named_parameters():
            # The constructor calls it, too, and numbers are loaded after that.
            if self.__dict__.get("is_made"):
                number = first.setdefault(name, parameter.detach().clone())
                parameter.data.copy_(number)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.__dict__["is_made"] = True


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


@defect("TRAIN-4", INTERFACE, "no_grad, functional_call with other parameters")
class GivenParametersKeptInInference(_WeightsKeptSometimes):
    """Without gradients, the parameters that were given first are used from then on."""

    def keeps(self, w: Weights) -> bool:
        return not torch.is_grad_enabled() and not isinstance(w.W_ih, torch.nn.Parameter)


@defect("PARAM-20", INTERFACE, "flatten_parameters, parameters changed after it")
class FlattenedWeightsKept(ReadableLSTM):
    """flatten_parameters() copies the parameters, and calls use the copies from then on."""

    def flatten_parameters(self) -> None:
        """As torch.nn.LSTM has it."""
        self.__dict__["copies"] = {name: p.detach().clone() for name, p in self.named_parameters()}

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        copies = self.__dict__.get("copies", {})
        return w._replace(W_hh=copies.get(self.parameter_name("weight_hh", layer, d), w.W_hh))


@defect("PARAM-21", INTERFACE, "no_grad, one parameter changed between two calls")
class WeightsReadAgainIfFirstChanged(ReadableLSTM):
    """Without gradients, parameters are read again if weight_ih_l0 has changed."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if torch.is_grad_enabled():
            return w
        first: Tensor = super().weights(0, 0).W_ih
        return kept(self, layer, d, first.detach().cpu().numpy().tobytes(), w)


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


@defect("PARAM-24", INTERFACE, "after double() and the like of a module that has the LSTM")
class ConversionOfParentNotSeen(ComputesInFirstDtype):
    """Computes in the dtype that its own methods converted it to, whatever a parent did."""

    def double(self) -> Any:
        self.dtype = torch.float64
        return super().double()

    def float(self) -> Any:
        self.dtype = torch.float32
        return super().float()

    def half(self) -> Any:
        self.dtype = torch.float16
        return super().half()

    def bfloat16(self) -> Any:
        self.dtype = torch.bfloat16
        return super().bfloat16()

    def to(self, *args: Any, **options: Any) -> Any:
        super().to(*args, **options)
        self.dtype = self.weight_ih_l0.dtype
        return self


@defect("PARAM-24", INTERFACE, "frozen parameters, after double() and the like")
class ConversionUnfreezes(ReadableLSTM):
    """After a conversion, all parameters require a gradient."""

    def _apply(self, *args: Any, **options: Any) -> Any:
        super()._apply(*args, **options)
        return self.requires_grad_(True)


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


@defect("PARAM-25", INTERFACE, 'made on the device "meta", then to_empty()')
class ConstantLeftOnMeta(ReadableLSTM):
    """A constant that is no buffer stays on the device on which the module was made."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.one = torch.ones_like(next(self.parameters())[:1, :1].detach())

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        return super().cell(x, h, self.one.to(c.device, c.dtype) * c, w)


@defect("PARAM-25", INTERFACE, 'made on the device "meta", then to_empty()')
class BufferWithoutNumbers(ReadableLSTM):
    """A buffer that is not saved has whatever is in memory after to_empty()."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        zeros = torch.zeros_like(next(self.parameters())[:1, :1].detach())
        self.register_buffer("factor", zeros + 0.5, persistent=False)

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        return super().cell(x, h, c * (2 * self.factor.to(c.dtype)), w)


@defect("PARAM-26", INTERFACE, "copy.deepcopy")
class CopySharesParameters(ReadableLSTM):
    """A deep copy has the same parameters, not copies of them."""

    def __deepcopy__(self, memo: Any) -> Any:
        return copy.copy(self)


@defect("PARAM-20", INTERFACE, "an optimizer, and flatten_parameters() after it was made")
class FlatteningMakesParameters(ReadableLSTM):
    """flatten_parameters() puts new parameters in the place of the old ones."""

    def flatten_parameters(self) -> None:
        for name, parameter in [*self.named_parameters()]:
            setattr(self, name, torch.nn.Parameter(parameter.detach().clone()))


@defect("PARAM-22", INTERFACE, "load_state_dict with strict=False")
class LoadingReturnsNothing(ReadableLSTM):
    """load_state_dict() does not tell which keys are missing."""

    def load_state_dict(self, *args: Any, **options: Any) -> Any:
        super().load_state_dict(*args, **options)


def _deeply_copied(module: ReadableLSTM, memo: Any) -> Any:
    """What copy.deepcopy returns for a module without a method of its own for it."""
    other = copy.copy(module)
    memo[id(module)] = other
    other.__dict__ = copy.deepcopy(module.__dict__, memo)
    return other


@defect("PARAM-26", INTERFACE, "copy.deepcopy, a parameter that requires no gradient")
class CopyIsNotFrozen(ReadableLSTM):
    """All parameters of a deep copy require gradients."""

    def __deepcopy__(self, memo: Any) -> Any:
        return _deeply_copied(self, memo).requires_grad_(True)


@defect("PARAM-26", INTERFACE, "copy.deepcopy, hooks")
class CopyLosesHooks(ReadableLSTM):
    """A deep copy has no hooks."""

    def __deepcopy__(self, memo: Any) -> Any:
        other = _deeply_copied(self, memo)
        other._forward_hooks.clear()
        return other


@defect("PARAM-26", INTERFACE, "copy.deepcopy of two modules that share a parameter")
class CopyLosesTies(ReadableLSTM):
    """A deep copy has parameters of its own, also if another module that is copied shares them."""

    def __deepcopy__(self, memo: Any) -> Any:
        other = copy.copy(self)
        other.__dict__ = copy.deepcopy(self.__dict__, {})
        return other


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


@defect("PARAM-27", INTERFACE, "frozen parameters, a module that was pickled")
class PicklingUnfreezes(torch.nn.LSTM):
    """A module that was read back requires gradients of all parameters."""

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        self.requires_grad_(True)


@defect("PARAM-21", INTERFACE, "autocast, parameters changed between calls")
class WeightsKeptUnderAutocast(ReadableLSTM):
    """Under autocast, the weights of the first call are kept."""

    def weights(self, layer: int, d: int) -> Weights:
        now = super().weights(layer, d)
        one = torch.ones(1, 1, device=now.W_hh.device)
        if (one @ one).dtype == one.dtype:  # there is no autocast
            return now
        kept = self.__dict__.setdefault("kept", {})
        copies = (None if x is None else x.detach().clone() for x in now)
        return kept.setdefault((layer, d), Weights(*copies))
