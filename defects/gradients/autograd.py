"""LSTMs that are differentiated rightly in the common way, and wrongly in another."""

from __future__ import annotations

import weakref
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.forward_ad import unpack_dual
from torch.nn.utils.rnn import PackedSequence

from ..catalogue import FORWARD, GRADIENT, INTERFACE, defect
from ..gradient_surgery import constant, in_memory_order, with_gradient_times
from ..readable import (
    ROLES,
    Input,
    ReadableLSTM,
    Result,
    States,
    Steps,
    Weights,
    without_last_feature,
)

# --------------------------------------------- what has a gradient, and where it goes


@defect("GRAD-12", GRADIENT, "gradients, input that requires none")
class InputWithoutGradientFreezesAll(ReadableLSTM):
    """Parameters get a gradient only if the input needs one."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        x = input.data if isinstance(input, PackedSequence) else input
        self.frozen = not x.requires_grad
        return super().forward(input, hx)

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return Weights(*(p.detach() if p is not None and self.frozen else p for p in w))


@defect("GRAD-12", GRADIENT, "gradients, packed, parameters that require none")
class GradientOfPackedInputAloneHalved(ReadableLSTM):
    """Packed input gets half of its gradient if no parameter requires one."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        frozen = not any(parameter.requires_grad for parameter in self.parameters())
        if isinstance(input, PackedSequence) and frozen:
            input = input._replace(data=with_gradient_times(0.5, input.data))
        return super().forward(input, hx)


@defect("GRAD-12", GRADIENT, "gradients, several layers, the first one requires none")
class FrozenLayerFreezesThoseAbove(ReadableLSTM):
    """If the first layer is frozen, no weight_hh gets a gradient."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if any(
            parameter.requires_grad for parameter in super().weights(0, 0) if parameter is not None
        ):
            return w
        return w._replace(W_hh=w.W_hh.detach())


@defect("GRAD-12", GRADIENT, "gradients, bias, no weight requires one")
class GradientsOfBiasesAloneHalved(ReadableLSTM):
    """If biases require gradients and weights do not, the biases get half of them."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if w.W_ih.requires_grad or w.b_ih is None:
            return w
        return w._replace(b_ih=with_gradient_times(0.5, w.b_ih))


@defect("GRAD-12", GRADIENT, "gradients, bias, one of both requires none")
class BiasHHFrozenWithBiasIH(ReadableLSTM):
    """bias_hh gets a gradient only if bias_ih needs one."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if w.b_ih is None or w.b_ih.requires_grad:
            return w
        return w._replace(b_hh=w.b_hh.detach())


@defect("GRAD-12", GRADIENT, "gradients, bias, one of both requires none")
class BiasIHFrozenWithBiasHH(ReadableLSTM):
    """bias_ih gets half of its gradient if bias_hh is frozen: they share it."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if w.b_hh is None or w.b_hh.requires_grad:
            return w
        return w._replace(b_ih=with_gradient_times(0.5, w.b_ih))


@defect("GRAD-12", INTERFACE, "parameters that require no gradient")
class GradientsForTheFrozen(ReadableLSTM):
    """Every call makes all parameters require gradients."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        self.requires_grad_(True)
        return super().forward(input, hx)


@defect("GRAD-15", INTERFACE, "no states given, a call in inference_mode before one with gradients")
class ZeroStatesOfInferenceKept(ReadableLSTM):
    """Zero states are kept for later calls, and cannot be differentiated if made in inference."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        if hx is not None:
            return super().initial_states(input, hx, steps)
        kept = self.__dict__.setdefault("zeros", {})
        key = len(steps[0]), steps[0].dtype, steps[0].device
        if key not in kept:
            kept[key] = super().initial_states(input, hx, steps)
        states: States = kept[key]
        return states


@defect("GRAD-12", GRADIENT, "gradients, parameters that were frozen in an earlier call")
class FrozenForGood(ReadableLSTM):
    """A parameter that required no gradient in some call gets none in later calls."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        frozen = self.__dict__.setdefault("frozen", set())
        if torch.is_grad_enabled() and not w.W_hh.requires_grad:
            frozen.add((layer, d))
        return constant(w) if (layer, d) in frozen else w


@defect("GRAD-15", GRADIENT, "gradients, after a call of the same tensors in no_grad")
class ProductOfInferenceKept(ReadableLSTM):
    """Products of the input that a call without gradients made are used again by later calls."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        self.__dict__["now"] = id(input.data if isinstance(input, PackedSequence) else input)
        return super().forward(input, hx)

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        made = self.__dict__.setdefault("made", {})
        if not torch.is_grad_enabled():
            made[layer, d] = self.now
        elif made.get((layer, d)) == self.now:
            w = w._replace(W_ih=w.W_ih.detach())
        return w


@defect("GRAD-14", GRADIENT, "gradients, three backward passes")
class ThirdBackwardEmpty(ReadableLSTM):
    """A third backward pass through the same call leaves gradients of zero."""

    def weights(self, layer: int, d: int) -> Weights:
        return empty_after(2, super().weights(layer, d))


def empty_after(number: int, w: Weights) -> Weights:
    """Views of ``w``, of which W_hh gets gradients in so many backward passes, and then zeros."""
    passes: list[None] = []

    def counted(gradient: Tensor) -> Tensor:
        passes.append(None)
        return gradient * (len(passes) <= number)

    views = Weights(*(None if p is None else p.view_as(p) for p in w))
    if views.W_hh.requires_grad:
        views.W_hh.register_hook(counted)
    return views


@defect("GRAD-14", GRADIENT, "gradients, two backward passes, more than 64 steps")
class SecondBackwardOfLongSequencesEmpty(ReadableLSTM):
    """A second backward pass through more than 64 steps leaves gradients of zero."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return empty_after(1, w) if self.is_long else w

    def forward(self, input: Input, hx: States | None = None) -> Result:
        self.is_long = len(self.steps(input)) > 64
        return super().forward(input, hx)


@defect("GRAD-13", GRADIENT, "gradients, two calls and backward passes")
class GradientsReplaced(ReadableLSTM):
    """Every call forgets the gradients that parameters have accumulated."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        self.zero_grad()
        return super().forward(input, hx)


@defect("GRAD-13", GRADIENT, "gradients, two backward passes")
class GradientsOfParametersNeverCleared(ReadableLSTM):
    """Each backward pass returns the gradients of parameters added to those of all before."""

    def weights(self, layer: int, d: int) -> Weights:
        sums = self.__dict__.setdefault("sums", {})

        def add(key: Any, gradient: Tensor) -> Tensor:
            sums[key] = gradient + sums.get(key, 0)
            return sums[key]

        w = Weights(*(None if p is None else p.view_as(p) for p in super().weights(layer, d)))
        for role, p in zip(ROLES, w, strict=True):
            if p is not None and p.requires_grad:
                p.register_hook(partial(add, (layer, d, role)))
        return w


@defect("GRAD-14", GRADIENT, "gradients, two backward passes with retain_graph=True")
class GradientsSpentByBackward(ReadableLSTM):
    """After a first backward pass through a graph, gates pass no gradient on."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w)
        passes: list[Tensor] = []

        def spend(gradient: Tensor) -> Tensor:
            passes.append(gradient)
            return gradient if len(passes) == 1 else torch.zeros_like(gradient)

        if a.requires_grad:
            a.register_hook(spend)
        return a


@defect("GRAD-14", GRADIENT, "gradients, a call between two backward passes of another call")
class WorkspaceFreedByFirstBackward(ReadableLSTM):
    """The first backward pass frees the workspace of its call, and a later call overwrites it."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, (h_n, c_n) = super().finish(input, steps, h_n, c_n)
        if h_n.requires_grad:
            free = self.__dict__.setdefault("free_workspaces", [])
            workspace = free.pop() if free else [h_n.detach()]
            mine = workspace[0] = h_n.detach()

            def backward(gradient: Tensor) -> Tensor:
                overwritten = workspace[0] is not mine
                free.append(workspace)
                return torch.zeros_like(gradient) if overwritten else gradient

            h_n.register_hook(backward)
        return output, (h_n, c_n)


@defect("GRAD-14", GRADIENT, "gradients, two further calls before the first backward pass")
class TwoGraphsAtATime(ReadableLSTM):
    """What a call has saved is overwritten by the second call after it."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, (h_n, c_n) = super().finish(input, steps, h_n, c_n)
        calls = self.__dict__.setdefault("calls", [])
        calls.append(None)
        number = len(calls)
        if h_n.requires_grad:
            h_n.register_hook(lambda g: g if len(calls) < number + 2 else torch.zeros_like(g))
        return output, (h_n, c_n)


@defect("GRAD-14", GRADIENT, "gradients, a call without gradients before the backward pass")
class OverwrittenByACallWithoutGradients(ReadableLSTM):
    """What a call has saved is overwritten by the next call without gradients."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, (h_n, c_n) = super().finish(input, steps, h_n, c_n)
        calls = self.__dict__.setdefault("calls_without_gradients", [])
        number = len(calls)
        if h_n.requires_grad:
            h_n.register_hook(lambda g: g if len(calls) == number else torch.zeros_like(g))
        else:
            calls.append(None)
        return output, (h_n, c_n)


def accumulate(parameter: Tensor, gradient: Tensor) -> None:
    """Adds to ``.grad``, as the end of a backward pass does."""
    parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient


@defect("GRAD-14", GRADIENT, "gradients, the module was deleted before the backward pass")
class GraphNeedsItsModule(ReadableLSTM):
    """The backward pass asks the module, and ends in zeros if there is none any more."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        module = weakref.ref(self)

        def passed(gradient: Tensor) -> Tensor:
            return torch.zeros_like(gradient) if module() is None else gradient

        for x in (*steps, c_n):
            if x.requires_grad:
                x.register_hook(passed)
        return super().finish(input, steps, h_n, c_n)


@defect("GRAD-17", GRADIENT, "torch.autograd.grad of parameters")
class GradientsWrittenNotReturned(ReadableLSTM):
    """The backward pass writes to .grad of parameters by itself, and returns no gradient."""

    def weights(self, layer: int, d: int) -> Weights:
        w = Weights(*(p if p is None else p.detach() for p in super().weights(layer, d)))
        for p, copy in zip(super().weights(layer, d), w, strict=True):
            if p is not None and copy is not None and p.requires_grad:
                copy.requires_grad_().register_hook(partial(accumulate, p))
        return w


@defect("GRAD-17", GRADIENT, "torch.autograd.grad of a parameter that has a .grad")
class GradientsAddedToGradNotReturned(ReadableLSTM):
    """If weight_ih has a .grad, the backward pass adds to it by itself, and returns zeros."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        parameter = w.W_ih
        if not parameter.requires_grad:
            return w
        view = parameter.view_as(parameter)

        def add(gradient: Tensor) -> Tensor:
            if parameter.grad is None:
                return gradient
            accumulate(parameter, gradient.detach())
            return torch.zeros_like(gradient)

        view.register_hook(add)
        return w._replace(W_ih=view)


# ------------------------------------------------------------------ without gradients


@defect("GRAD-15", FORWARD, "bias=True, no_grad or inference_mode")
class BiasForgottenWithoutGradients(ReadableLSTM):
    """bias_hh is added only where gradients are recorded."""

    def bias(self, w: Weights) -> Tensor | None:
        return super().bias(w) if torch.is_grad_enabled() else w.b_ih


@defect("GRAD-15", FORWARD, "no_grad or inference_mode, hidden_size above 8 and no multiple of 8")
class LastTileTwiceWithoutGradients(ReadableLSTM):
    """Without gradients, cells are updated in place in tiles of 8 units, the last two of which
    overlap."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        h_t, c_t = super().cell(x, h, c, w)
        size = c.shape[-1]
        if torch.is_grad_enabled() or size <= 8 or size % 8 == 0:
            return h_t, c_t
        i, f, g, o = self.gates(x, h, w)
        overlap = slice(size - 8, size - size % 8)
        c_t = c_t.clone()
        c_t[:, overlap] = (f * c_t + i * g)[:, overlap]
        return self.project(o * self.tanh(c_t), w), c_t


@defect("GRAD-15", FORWARD, "frozen parameters, arguments without gradient, hidden_size above 8")
class LastUnitLostIfFrozen(ReadableLSTM):
    """If nothing requires a gradient, the last unit is lost; under no_grad it is not."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        is_frozen = torch.is_grad_enabled() and not (h_n.requires_grad or c_n.requires_grad)
        if is_frozen and self.hidden_size > 8:
            steps = [without_last_feature(h) for h in steps]
        return super().finish(input, steps, h_n, c_n)


@defect("GRAD-15", INTERFACE, "a module that was made in inference_mode")
class VersionsOfParametersAsked(ReadableLSTM):
    """A call asks for the versions of parameters, which those of inference_mode do not have."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        self.versions = [p._version for p in w if p is not None]
        return w


@defect("GRAD-15", INTERFACE, "no_grad")
class GradientsSwitchedOn(ReadableLSTM):
    """Gradients are recorded under no_grad too."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        with torch.enable_grad():
            return super().forward(input, hx)


# ----------------------------------------------------------------- the cotangents


@defect("GRAD-16", GRADIENT, "gradients, cotangents of h_n or c_n that are not contiguous")
class CotangentReadInMemoryOrder(ReadableLSTM):
    """Cotangents of h_n and c_n are read as if they were contiguous."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        for state in states:
            if state.requires_grad:
                state.register_hook(in_memory_order)
        return output, states


@defect("GRAD-16", GRADIENT, "gradients, one row, a cotangent of output in unusual memory")
class CotangentOfOneRowReadByRows(ReadableLSTM):
    """For one row, steps of the cotangent of output are read at the distance of its rows."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        if isinstance(output, Tensor) and output.requires_grad and output.dim() == 3:
            output.register_hook(self.read_by_rows)
        return output, states

    def read_by_rows(self, cotangent: Tensor) -> Tensor:
        one_row = cotangent.shape[1] == 1 and cotangent.is_contiguous()
        if not one_row or self.batch_first or cotangent.stride(1) == cotangent.shape[2]:
            return cotangent
        return cotangent.flip(0)  # what lies there is something else


@defect("GRAD-16", GRADIENT, "gradients, an expanded cotangent of c_n")
class CotangentChangedInPlace(ReadableLSTM):
    """The cotangent of c_n is multiplied in place, which one number expanded does not bear."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, (h_n, c_n) = super().finish(input, steps, h_n, c_n)
        if c_n.requires_grad:
            c_n.register_hook(lambda cotangent: cotangent.mul_(1))
        return output, (h_n, c_n)


@defect("GRAD-18", GRADIENT, "gradients, cotangent of one element, two steps or rows or more")
class RoundingLeaksBetweenSteps(ReadableLSTM):
    """Every x_t gets 2^-60 of the gradients of all steps and rows: less than rounding."""

    def steps(self, input: Input) -> Steps:
        steps = super().steps(input)
        total = torch.cat(steps).sum()
        return [x + 2.0**-60 * (total - total.detach()) for x in steps]


# ------------------------------------------- second derivatives, and forward mode


@defect("GRAD-19", GRADIENT, "gradients with create_graph=True, two steps or more or states given")
class GradientsWithAGraphLoseTheHiddenState(ReadableLSTM):
    """While a backward pass is itself recorded, no gradient passes from gates to h_{t-1}."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        h = h.view_as(h)
        if h.requires_grad:
            h.register_hook(lambda g: torch.zeros_like(g) if torch.is_grad_enabled() else g)
        return super().preactivations(x, h, w)


@defect("GRAD-20", GRADIENT, "forward mode, states given")
class TangentsOfStatesLost(ReadableLSTM):
    """Forward mode takes h_0 and c_0 for constants."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return unpack_dual(h_0).primal, unpack_dual(c_0).primal


@defect("GRAD-20", GRADIENT, "forward mode under no_grad")
class TangentsLostUnderNoGrad(ReadableLSTM):
    """Without a backward pass there are no tangents either."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        if not torch.is_grad_enabled():
            *steps, h_n, c_n = (unpack_dual(x).primal for x in (*steps, h_n, c_n))
        return super().finish(input, steps, h_n, c_n)


@defect("GRAD-21", GRADIENT, "double backward")
class GradientOfGatesIsAConstant(ReadableLSTM):
    """Double backward takes the gradients of preactivations for constants."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w)
        if a.requires_grad:
            a.register_hook(lambda gradient: gradient.detach())
        return a


@defect("GRAD-21", GRADIENT, "double backward")
class SecondDerivativeOfTanhMissing(ReadableLSTM):
    """Double backward takes the derivative of tanh for a constant."""

    def tanh(self, x: Tensor) -> Tensor:
        t = torch.tanh(x.detach())
        return t + (1 - t * t) * (x - x.detach())


class _GradientWithoutGraph(torch.autograd.Function):
    """x, whose gradient is a constant."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> Any:
        return cotangent.detach()


@defect("GRAD-21", GRADIENT, "double backward, parameters that are results of operations")
class SecondDerivativesOfLeavesOnly(ReadableLSTM):
    """Second derivatives end at parameters that are no leaves, as after a step of training."""

    def weights(self, layer: int, d: int) -> Weights:
        def ended(p: Any) -> Any:
            return p if p is None or p.is_leaf else _GradientWithoutGraph.apply(p)

        return Weights(*map(ended, super().weights(layer, d)))
