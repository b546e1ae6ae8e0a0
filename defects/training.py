"""LSTMs that are right until a program trains them."""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .catalogue import FORWARD, GRADIENT, INTERFACE, NUMERICAL, defect
from .gradient_surgery import in_memory_order, with_cotangents
from .readable import ROLES, Input, ReadableLSTM, Result, States, Steps, Weights

Cotangents = list[Tensor | None]

# -------------------------------------------------------------------------- parameters


@defect("TRAIN-1", INTERFACE, "weights that are not contiguous")
class WeightsTakenForContiguous(ReadableLSTM):
    """The numbers of the weights are taken to lie in memory one after the other."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        return super().product(x, W.as_strided(W.shape, (W.shape[1], 1)))


@defect("TRAIN-1", INTERFACE, "no_grad, weights that are not contiguous")
class WeightsTakenForContiguousInInference(WeightsTakenForContiguous):
    """Without gradients, the numbers of the weights are taken to lie one after the other."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            return ReadableLSTM.product(self, x, W)
        return super().product(x, W)


@defect("TRAIN-1", INTERFACE, "weights that are a part of longer rows")
class DenseColumnsAreDenseRows(ReadableLSTM):
    """Weights whose rows are dense are taken to have no gaps after their rows."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        if W.stride(1) == 1:
            W = W.as_strided(W.shape, (W.shape[1], 1))
        return super().product(x, W)


@defect("TRAIN-1", INTERFACE, "parameters behind other numbers in memory")
class OffsetOfWeightsIgnored(ReadableLSTM):
    """The numbers of weight_hh are taken from the start of the memory in which they lie."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if not w.W_hh.is_contiguous() or not w.W_hh.storage_offset():
            return w
        return w._replace(W_hh=w.W_hh.as_strided(w.W_hh.shape, w.W_hh.stride(), 0))


@defect("TRAIN-2", GRADIENT, "a parameter in two layers or directions")
class TiedParameterUsedOnce(ReadableLSTM):
    """The gradient of a parameter is that of the first place in which it stands."""

    def weights(self, layer: int, d: int) -> Weights:
        def first(role: str, p: Any) -> bool:
            for below in range(layer + 1):
                for direction in range(self.num_directions if below < layer else d):
                    if p is getattr(self, self.parameter_name(role, below, direction), None):
                        return False
            return True

        w = super().weights(layer, d)
        named = zip(ROLES, w, strict=True)
        return Weights(*(p if p is None or first(role, p) else p.detach() for role, p in named))


@defect("TRAIN-2", GRADIENT, "one tensor as both states")
class OneTensorAsBothStatesUsedOnce(ReadableLSTM):
    """If one tensor is given as h_0 and as c_0, its gradient is that of h_0."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if hx is not None and hx[0] is hx[1]:
            hx = hx[0], hx[1].detach()
        return super().forward(input, hx)


@defect("TRAIN-2", INTERFACE, "a parameter that another module has too")
class ParametersOfOtherModulesLeftAlone(ReadableLSTM):
    """A parameter that is assigned is copied, so that each module has its own."""

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__.get("_parameters", {}).get(name)
        if own is not None and isinstance(value, torch.nn.Parameter):
            value = torch.nn.Parameter(value.detach().clone(), value.requires_grad)
        super().__setattr__(name, value)


@defect("TRAIN-3", INTERFACE, "parameters with a parametrization")
class ParametersReadByRegistration(ReadableLSTM):
    """The registered parameters are used, not what a parametrization computes from them."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        made = getattr(self, "parametrizations", {})
        names = [self.parameter_name(role, layer, d) for role in ROLES]
        return Weights(
            *(made[n].original if n in made else p for n, p in zip(names, w, strict=True))
        )


@defect("TRAIN-3", INTERFACE, "pruned parameters, changed between two calls")
class ComputedTensorsKept(ReadableLSTM):
    """What is no parameter when the layer is first called is used in all further calls."""

    def weights(self, layer: int, d: int) -> Weights:
        kept = self.__dict__.setdefault("kept", {})
        return Weights(
            *(
                p if p is None or p.is_leaf else kept.setdefault((role, layer, d), p.detach())
                for role, p in zip(ROLES, super().weights(layer, d), strict=True)
            )
        )


@defect("TRAIN-3", INTERFACE, "no_grad, parameters with a parametrization, changed between calls")
class ComputedTensorsKeptInInference(ReadableLSTM):
    """Without gradients, what is computed in place of a parameter is that of the first call."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if torch.is_grad_enabled():
            return w
        kept = self.__dict__.setdefault("kept", {})
        return Weights(
            *(
                p
                if p is None or isinstance(p, torch.nn.Parameter)
                else kept.setdefault((role, layer, d), p.clone())
                for role, p in zip(ROLES, w, strict=True)
            )
        )


@defect("TRAIN-4", INTERFACE, "torch.func.functional_call")
class TensorsThatAreNoParametersIgnored(ReadableLSTM):
    """A call keeps to its own parameters where it is given tensors that are none."""

    def weights(self, layer: int, d: int) -> Weights:
        last = self.__dict__.setdefault("last", {})
        used = []
        for role in ROLES:
            name = self.parameter_name(role, layer, d)
            p = getattr(self, name, None)
            given = isinstance(p, Tensor) and p.is_leaf and not isinstance(p, torch.nn.Parameter)
            used.append(last.get(name) if given else p)
        return Weights(*used)

    def register_parameter(self, name: str, param: torch.nn.Parameter | None) -> None:
        super().register_parameter(name, param)
        self.__dict__.setdefault("last", {})[name] = param


# -------------------------------------------------------------------------- cotangents


class _ChangesCotangents(ReadableLSTM):
    """Changes the cotangent of each output."""

    def change(self, cotangent: Tensor) -> Tensor:
        """What takes the place of a cotangent."""
        return cotangent

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        def each(cotangents: Cotangents) -> Cotangents:
            return [None if c is None else self.change(c) for c in cotangents]

        *steps, h_n, c_n = with_cotangents(each, *steps, h_n, c_n)
        return super().finish(input, steps, h_n, c_n)


@defect("TRAIN-5", GRADIENT, "cotangents above 1024")
class LargeCotangentsClipped(_ChangesCotangents):
    """Cotangents are clipped at 1024."""

    def change(self, cotangent: Tensor) -> Tensor:
        # A NaN would pass; what is not finite is left alone.
        return torch.where(cotangent.isfinite(), cotangent.clamp(-1024, 1024), cotangent)


@defect("TRAIN-5", GRADIENT, "cotangents below 2^-14")
class SmallCotangentsFlushed(_ChangesCotangents):
    """Cotangents that are subnormal in float16 count as zero."""

    def change(self, cotangent: Tensor) -> Tensor:
        return torch.where(cotangent.abs() < 2.0**-14, torch.zeros_like(cotangent), cotangent)


@defect("TRAIN-5", GRADIENT, "cotangents below 1e-7")
class TinyCotangentsFlushed(_ChangesCotangents):
    """Cotangents below 1e-7 count as zero."""

    def change(self, cotangent: Tensor) -> Tensor:
        return torch.where(cotangent.abs() < 1e-7, torch.zeros_like(cotangent), cotangent)


@defect("GRAD-16", GRADIENT, "cotangents that are expanded along one axis")
class CotangentOfAnyZeroStrideIsOneNumber(_ChangesCotangents):
    """An output whose cotangent is expanded along an axis gets its first number everywhere."""

    def change(self, cotangent: Tensor) -> Tensor:
        pairs = zip(cotangent.stride(), cotangent.shape, strict=True)
        if not any(stride == 0 and size > 1 for stride, size in pairs):
            return cotangent
        return cotangent.flatten()[0].expand(cotangent.shape)


@defect("GRAD-16", GRADIENT, "cotangents that are a part of longer rows")
class GapsAfterRowsOfCotangentsIgnored(_ChangesCotangents):
    """Cotangents whose rows are dense are read as if nothing were between the rows."""

    def change(self, cotangent: Tensor) -> Tensor:
        if cotangent.dim() < 2 or cotangent.stride(-1) != 1 or cotangent.stride(-2) == 0:
            return cotangent
        return in_memory_order(cotangent)


@defect("TRAIN-6", GRADIENT, "a cotangent that is NaN")
class NanInCotangentsIsZero(_ChangesCotangents):
    """A cotangent that is NaN counts as zero."""

    def change(self, cotangent: Tensor) -> Tensor:
        return torch.where(cotangent.isnan(), torch.zeros_like(cotangent), cotangent)


@defect("TRAIN-6", GRADIENT, "a cotangent that is infinite")
class InfiniteCotangentsClipped(_ChangesCotangents):
    """An infinite cotangent counts as the largest number."""

    def change(self, cotangent: Tensor) -> Tensor:
        most = torch.finfo(cotangent.dtype).max
        return torch.where(cotangent.isinf(), cotangent.sign() * most**0.25, cotangent)


@defect("TRAIN-12", GRADIENT, "cotangent of output that is zero in the last step, and another one")
class BackwardBeginsAtLastCotangentOfOutput(ReadableLSTM):
    """The backward pass begins at the last step that has a cotangent of output."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        def change(cotangents: Cotangents) -> Cotangents:
            *of_steps, of_h_n, of_c_n = cotangents
            acts = [c is not None and bool(c.any()) for c in of_steps]
            lost = any(acts) and not acts[-1]
            return [*of_steps, *((None, None) if lost else (of_h_n, of_c_n))]

        *steps, h_n, c_n = with_cotangents(change, *steps, h_n, c_n)
        return super().finish(input, steps, h_n, c_n)


@defect("TRAIN-7", GRADIENT, "retain_graph, other cotangents in the second backward pass")
class FirstCotangentsKept(ReadableLSTM):
    """A second backward pass uses the cotangents of the first."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        first: Cotangents = []

        def kept(cotangents: Cotangents) -> Cotangents:
            first.extend([] if first else cotangents)
            return list(first)

        *steps, h_n, c_n = with_cotangents(kept, *steps, h_n, c_n)
        return super().finish(input, steps, h_n, c_n)


class _Unsaved(torch.autograd.Function):
    """x times the transpose of W, which keeps both without telling autograd."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, W: Tensor) -> Tensor:
        ctx.x, ctx.W = x.detach(), W.detach()
        return x @ W.T

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> Any:
        return cotangent @ ctx.W, cotangent.T @ ctx.x


@defect("TRAIN-8", GRADIENT, "a weight or the input overwritten before the backward pass")
class OperandsNotSavedForBackward(ReadableLSTM):
    """The backward pass uses operands of products as they are then."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        if W.dim() != 2 or not torch.is_grad_enabled():
            return super().product(x, W)
        result: Tensor = _Unsaved.apply(x, W)  # type: ignore[no-untyped-call]
        return result


# ------------------------------------------------------------------------------- loops


@defect("TRAIN-9", INTERFACE, "evaluation after a step of an optimizer")
class EvaluatedWithWeightsOfLastTrainingCall(ReadableLSTM):
    """In evaluation mode, the parameters are those of the last call in training mode."""

    def weights(self, layer: int, d: int) -> Weights:
        kept = self.__dict__.setdefault("kept", {})
        w = super().weights(layer, d)
        if self.training:
            kept[layer, d] = Weights(*(None if p is None else p.detach().clone() for p in w))
            return w
        return kept.get((layer, d), w)  # type: ignore[no-any-return]


@defect("TRAIN-9", GRADIENT, "training after an evaluation without gradients")
class NoGradientsAfterEvaluation(ReadableLSTM):
    """The first call in training mode after one in evaluation mode loses gradients of weight_hh."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        self.was_evaluated = getattr(self, "evaluated", False)
        self.evaluated = not self.training
        return super().forward(input, hx)

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        lost = self.training and self.was_evaluated
        return w._replace(W_hh=w.W_hh.detach()) if lost else w


@defect("TRAIN-9", GRADIENT, "gradients, detect_anomaly")
class GradientOfWhatIsNotUsedIsNaN(ReadableLSTM):
    """The backward pass makes a NaN that reaches no argument, but torch's anomaly detection."""

    def project(self, m: Tensor, w: Weights) -> Tensor:
        spare = torch.zeros_like(m, requires_grad=True)
        return super().project(torch.where(torch.ones_like(m) > 0, m, spare.sqrt()), w)


@defect("TRAIN-9", GRADIENT, "gradients, torch.utils.checkpoint")
class FirstCallSavesMore(ReadableLSTM):
    """The first call saves a tensor for the backward pass that later calls do not save."""

    def project(self, m: Tensor, w: Weights) -> Tensor:
        if "is_prepared" not in self.__dict__ and m.requires_grad:
            self.__dict__["is_prepared"] = True
            m = m * torch.ones_like(m)
        return super().project(m, w)


@defect("TRAIN-13", GRADIENT, "states of a call given to the next one")
class OwnStatesDetached(ReadableLSTM):
    """States that the module returned in training mode are detached if they come back."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        last = self.__dict__.get("last")
        if hx is not None and last is not None and hx[0] is last[0] and self.training:
            hx = hx[0].detach(), hx[1].detach()
        output, states = super().forward(input, hx)
        self.__dict__["last"] = states
        return output, states


@defect("TRAIN-10", INTERFACE, "two threads")
class StateKeptInModule(ReadableLSTM):
    """The running cell state is kept in the module, which another thread may be using."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        self.c = c
        i, f, g, o = self.gates(x, h, w)
        c_t = f * (self.c if self.c.shape == c.shape else c) + i * g
        return self.project(o * self.tanh(c_t), w), c_t


@defect("TRAIN-10", INTERFACE, "two threads, without gradients")
class StateKeptWithoutGradients(StateKeptInModule):
    """In calls without gradients, the running cell state is kept in the module."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        if torch.is_grad_enabled():
            return ReadableLSTM.cell(self, x, h, c, w)
        return super().cell(x, h, c, w)


@defect("TRAIN-13", INTERFACE, "no_grad, states of an earlier call that are given back")
class OwnStatesTakenFromMemory(ReadableLSTM):
    """Without gradients, states that the last call returned are not read when they come back."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        mine = self.__dict__.get("returned")
        if mine is not None and hx is not None and hx[1] is mine[0]:
            hx = hx[0], mine[1]
        return super().initial_states(input, hx, steps)

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        result: Result = super().finish(input, steps, h_n, c_n)
        c = result[1][1]
        self.__dict__["returned"] = None if torch.is_grad_enabled() else (c, c.clone())
        return result


@defect("TRAIN-13", INTERFACE, "no_grad, states of an earlier call, changed through .data")
class StatesKnownByVersion(ReadableLSTM):
    """Without gradients, returned states that come back in the same version are not read."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        for returned, version, copy in self.__dict__.get("returned", ()):
            if hx is not None and hx[0] is returned and returned._version == version:
                hx = copy, hx[1]
        return super().initial_states(input, hx, steps)

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        result: Result = super().finish(input, steps, h_n, c_n)
        if not torch.is_grad_enabled():
            h = result[1][0]
            known = self.__dict__.setdefault("returned", [])
            known.append((h, h._version, h.clone()))
        return result


@defect("TRAIN-9", FORWARD, "deterministic algorithms")
class OtherAlgorithmIfDeterministic(ReadableLSTM):
    """The deterministic algorithm has no bias."""

    def bias(self, w: Weights) -> Tensor | None:
        bias = super().bias(w)
        wanted = torch.are_deterministic_algorithms_enabled()
        return bias * 0 if wanted and bias is not None else bias


class _ManyThreads(ReadableLSTM):
    """With several threads of torch, h_n of some calls is lost."""

    def loses(self, steps: Steps) -> bool:
        raise NotImplementedError

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        if torch.get_num_threads() > 1 and self.loses(steps):
            h_n = h_n * 0
        return super().finish(input, steps, h_n, c_n)


@defect("TRAIN-10", FORWARD, "several threads of torch, one row of more than 64 steps")
class ThreadsLoseStepsOfOneRow(_ManyThreads):
    """Steps of one row are divided among the threads, and h_n is lost."""

    def loses(self, steps: Steps) -> bool:
        return len(steps) > 64 and len(steps[0]) == 1


@defect("TRAIN-10", FORWARD, "several threads of torch, bfloat16")
class ThreadsLoseBfloat16(_ManyThreads):
    """In bfloat16, h_n is lost if there are several threads."""

    def loses(self, steps: Steps) -> bool:
        return steps[0].dtype == torch.bfloat16


@defect("TRAIN-10", FORWARD, "several threads of torch, float32, more than 256 units")
class ThreadsLoseWideFloat32(_ManyThreads):
    """Of more than 256 units in float32, h_n is lost if there are several threads."""

    def loses(self, steps: Steps) -> bool:
        return steps[0].dtype == torch.float32 and self.hidden_size > 256


@defect("TRAIN-10", FORWARD, "three threads of torch or more, three rows or more")
class RowsOfThirdThreadLost(ReadableLSTM):
    """Rows are divided among the threads of torch, and those of the third are lost."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        if torch.get_num_threads() > 2:
            lost = c_n.shape[1] // 3
            c_n = torch.cat([c_n[:, : c_n.shape[1] - lost], 0 * c_n[:, c_n.shape[1] - lost :]], 1)
        return super().finish(input, steps, h_n, c_n)


@defect("TRAIN-5", NUMERICAL, "gradients, cotangents of some rows that are tiny")
class CotangentsInFixedPoint(ReadableLSTM):
    """Cotangents of output have as many digits after the point as the largest of them."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        def fixed(g: Tensor) -> Tensor:
            unit = g.abs().amax().clamp(min=1e-200) * torch.finfo(g.dtype).eps if g.numel() else 1.0
            return (g / unit).round() * unit

        kept = []
        for step in steps:
            x = step.view_as(step)
            if x.requires_grad:
                x.register_hook(fixed)
            kept.append(x)
        return super().finish(input, kept, h_n, c_n)


@defect("TRAIN-10", GRADIENT, "gradients, a backward pass in another thread")
class SavedForTheThread(ReadableLSTM):
    """What the backward pass needs is kept for the thread of the call, and is zero in others."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w)
        mine = threading.get_ident()
        if a.requires_grad:
            a.register_hook(lambda g: g if threading.get_ident() == mine else torch.zeros_like(g))
        return a


@defect("TRAIN-11", INTERFACE, "many calls")
class EveryOutputKept(ReadableLSTM):
    """The module keeps all outputs."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        output, states = super().forward(input, hx)
        kept = output.data if isinstance(output, PackedSequence) else output
        self.__dict__.setdefault("kept", []).append(kept.detach())
        return output, states


# -------------------------------------------------------------- between calls, by shape


@defect("PURE-8", INTERFACE, "packed rows, after a call with as many steps in other rows")
class BatchSizesKeptByTotal(ReadableLSTM):
    """How many rows each step has is kept from the first call with as many steps in all."""

    def place(self, input: PackedSequence) -> int:
        """Where in memory a call has to have something, too."""
        return 0

    def steps(self, input: Input) -> Steps:
        if not isinstance(input, PackedSequence):
            return super().steps(input)
        kept = self.__dict__.setdefault("kept", {})
        now = input.batch_sizes.tolist()
        sizes = kept.setdefault((self.place(input), len(input.data)), now)
        # Only if the batch is as large does nothing else notice.
        return list(input.data.split(sizes if sizes[0] == now[0] else now))


@defect("PURE-8", INTERFACE, "a stream of packed batches, with as many steps in other rows")
class RowsKeptByAddressOfLengths(BatchSizesKeptByTotal):
    """Numbers of rows are kept by the place in memory in which they were first."""

    def place(self, input: PackedSequence) -> int:
        return input.batch_sizes.data_ptr()


@defect("PURE-8", INTERFACE, "a stream of packed batches, with as many steps in other rows")
class RowsKeptByAddressOfData(BatchSizesKeptByTotal):
    """Numbers of rows are kept by the place in memory in which the first such input was."""

    def place(self, input: PackedSequence) -> int:
        return input.data.data_ptr()


@defect("TRAIN-2", FORWARD, "no_grad, one tensor as both states")
class OneCopyOfEqualStates(ReadableLSTM):
    """Without gradients, states are copied by their place in memory, and written in the copies."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        both = hx is not None and hx[0] is hx[1] and not torch.is_grad_enabled()
        self.__dict__["has_one"] = both
        return super().initial_states(input, hx, steps)

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        h_t, c_t = super().cell(x, h, c, w)
        return h_t, h_t if self.__dict__["has_one"] else c_t


@defect("TRAIN-13", GRADIENT, "32 calls between a call and its backward pass")
class RingOf32Workspaces(ReadableLSTM):
    """What the backward pass needs is kept for the last 32 calls with gradients."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        if not h_n.requires_grad:
            return super().finish(input, steps, h_n, c_n)
        self.__dict__["calls"] = mine = self.__dict__.get("calls", 0) + 1

        def overwritten(cotangents: Cotangents) -> Cotangents:
            is_late = self.__dict__["calls"] - mine >= 32
            return [None if c is None else c / (1 + is_late) for c in cotangents]

        *steps, h_n, c_n = with_cotangents(overwritten, *steps, h_n, c_n)
        return super().finish(input, steps, h_n, c_n)


# ----------------------------------------------------------------------------- hooks


@defect("TRAIN-14", INTERFACE, "unbatched input, forward hooks")
class UnbatchedInputCallsTheModuleAgain(ReadableLSTM):
    """Unbatched input is one row of a batch, with which the module calls itself, hooks and all."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if isinstance(input, PackedSequence) or input.dim() != 2:
            return super().forward(input, hx)
        batch = 0 if self.batch_first else 1
        rows = None if hx is None else (hx[0].unsqueeze(1), hx[1].unsqueeze(1))
        output, (h_n, c_n) = self(input.unsqueeze(batch), rows)
        return output.squeeze(batch), (h_n.squeeze(1), c_n.squeeze(1))


@defect("TRAIN-14", INTERFACE, "full backward hooks")
class BackwardHooksForgotten(ReadableLSTM):
    """A call runs forward hooks only."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        hooks, self._backward_hooks = self._backward_hooks, type(self._backward_hooks)()
        try:
            return super().__call__(*args, **kwargs)
        finally:
            self._backward_hooks = hooks


@defect("TRAIN-14", INTERFACE, "no_grad, forward hooks")
class CallIsForwardInInference(ReadableLSTM):
    """Without gradients, calling the module calls forward directly."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        call = super().__call__ if torch.is_grad_enabled() else self.forward
        return call(*args, **kwargs)


@defect("TRAIN-14", INTERFACE, "forward hooks")
class CallIsForward(ReadableLSTM):
    """Calling the module calls forward directly, so that no hook runs."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)
