"""LSTMs with one defect each that a library was reported to have.

Nothing is raised. ``public_bugs.toml`` tells which reports each of them stands for.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.functional import pad
from torch.nn.utils.rnn import PackedSequence

from .catalogue import FORWARD, GRADIENT, INTERFACE, defect
from .gradient_surgery import with_cotangents, with_gradient_of, with_gradient_times
from .purity import taken_for_contiguous
from .readable import ROLES, ReadableLSTM, States, Steps, Weights

Input = Tensor | PackedSequence
Result = tuple[Input, States]


def in_order_read(steps: Steps, reverse: bool) -> range:
    """The indices of the steps, in the order in which a direction reads them."""
    return range(len(steps))[:: -1 if reverse else 1]


def constant(w: Weights) -> Weights:
    """The same parameters without gradients."""
    return Weights(*(None if p is None else p.detach() for p in w))


# ----------------------------------------------------------------- the equations


@defect("EQ-2", FORWARD, "every case")
class InputGateAdded(ReadableLSTM):
    """c_t is f * c_{t-1} + (i + g) instead of f * c_{t-1} + i * g."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + (i + g)
        return self.project(o * self.tanh(c_t), w), c_t


@defect("EQ-4", FORWARD, "as many features of x_t as of h_t")
class InputAndHiddenWeightsExchanged(ReadableLSTM):
    """weight_ih multiplies h_{t-1} and weight_hh x_t, where their shapes are the same."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(*((h, x) if h.shape == x.shape else (x, h)), w)


@defect("EQ-5", FORWARD, "bias=True")
class BiasesTwice(ReadableLSTM):
    """Both biases are added twice."""

    def bias(self, w: Weights) -> Tensor | None:
        b = super().bias(w)
        return None if b is None else b + b


@defect("EQ-5", FORWARD, "bias=True")
class BiasesOfOutputGateInInputAndForgetGate(ReadableLSTM):
    """The input and the forget gate have the biases of the output gate."""

    def bias(self, w: Weights) -> Tensor | None:
        b = super().bias(w)
        if b is None:
            return None
        _, _, g, o = b.chunk(4)
        return torch.cat([o, o, g, o])


@defect("EQ-5", FORWARD, "bias=True, two steps or more or states given")
class ForgetBiasAfterSigmoid(ReadableLSTM):
    """The biases of the forget gate are added to its sigmoid instead of within."""

    def bias(self, w: Weights) -> Tensor | None:
        b = super().bias(w)
        if b is None:
            return None
        i, f, g, o = b.chunk(4)
        return torch.cat([i, torch.zeros_like(f), g, o])

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i, f, g, o = super().gates(x, h, w)
        b = super().bias(w)
        return i, f if b is None else f + b.chunk(4)[1], g, o


# -------------------------------------------------------- layers, directions, states


@defect("STACK-1", FORWARD, "num_layers >= 2")
class UpperLayersReadZeros(ReadableLSTM):
    """What layers above the first read is zeros, so that the input has no effect on them."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        return [torch.zeros_like(x) for x in steps] if layer else steps


@defect("COMB-1", FORWARD, "num_layers >= 2, bidirectional")
class ParametersReadDirectionMajor(ReadableLSTM):
    """Layers and directions take the parameters of one another, where shapes are the same: they
    are read as all of the forward direction, then all of the reverse one."""

    def weights(self, layer: int, d: int) -> Weights:
        own = super().weights(layer, d)
        d, layer = divmod(layer * self.num_directions + d, self.num_layers)
        pairs = zip(own, super().weights(layer, d), strict=True)
        return Weights(*(q if q is None or q.shape == p.shape else p for p, q in pairs))


@defect("DIR-1", FORWARD, "bidirectional, two rows or more")
class DirectionsJoinedAlongRows(ReadableLSTM):
    """Directions are put one behind the other along the rows, and the axes reshaped: the same
    for one row."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        mixed = [torch.cat(x.chunk(self.num_directions, dim=-1)).reshape(x.shape) for x in steps]
        return super().finish(input, mixed, h_n, c_n)


@defect("DIR-2", FORWARD, "bidirectional, more steps than features")
class ReverseReadsAsManyStepsAsFeatures(ReadableLSTM):
    """The reverse direction reads as many steps as there are features; the others put out 0."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        read = steps[: steps[0].shape[1]] if reverse else steps
        output, h, c = super().direction(read, h, c, w, reverse)
        unread = [x.new_zeros(len(x), self.output_size) for x in steps[len(read) :]]
        return output + unread, h, c


@defect("DIR-2", FORWARD, "bidirectional")
class ReverseParametersZero(ReadableLSTM):
    """The reverse direction takes zeros for its parameters."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return Weights(*(None if p is None else 0 * p for p in w)) if d else w


@defect("STATE-2", FORWARD, "states given, c_0 zero")
class H0IgnoredIfC0IsZero(ReadableLSTM):
    """The hidden state starts from zeros if the cell state does."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0 * (c_0 != 0).any(), c_0


@defect("STATE-3", FORWARD, "num_layers >= 2, states given")
class StatesOfLayer0InEveryLayer(ReadableLSTM):
    """All layers start from the states that are given for the first."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        h_0, c_0 = (s[: self.num_directions].repeat(self.num_layers, 1, 1) for s in (h_0, c_0))
        return h_0, c_0


@defect("STATE-3", FORWARD, "bidirectional, states given")
class InitialStatesOfReverseIgnored(ReadableLSTM):
    """The reverse direction starts from zeros."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        row = torch.arange(len(h_0), device=h_0.device)[:, None, None]
        forward = row % self.num_directions == 0
        return h_0 * forward, c_0 * forward


# ------------------------------------------------------------- axes, and packed rows


@defect("SHAPE-1", INTERFACE, "batched")
class OutputStepsSideBySide(ReadableLSTM):
    """output has the steps of a row one beside the other in a single axis."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        if isinstance(output, Tensor) and output.dim() == 3:
            output = torch.stack(steps, dim=1).flatten(1)
        return output, states


@defect("SHAPE-2", INTERFACE, "every case")
class FinalStatesHaveAStepAxis(ReadableLSTM):
    """h_n and c_n have an axis of 1 before their features, for the step that they are of."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, (h_n, c_n) = super().finish(input, steps, h_n, c_n)
        return output, (h_n.unsqueeze(-2), c_n.unsqueeze(-2))


@defect("PACK-2", FORWARD, "packed with unsorted lengths")
class FinalStatesUnsortedInPlace(ReadableLSTM):
    """Rows of h_n and c_n are put back one by one where others still are to be read from."""

    def reorder(self, states: States, indices: Tensor | None) -> States:
        if indices is None or not self.ended:
            return super().reorder(states, indices)
        h_n, c_n = (self.put_back(state, indices.argsort().tolist()) for state in states)
        return h_n, c_n

    @staticmethod
    def put_back(state: Tensor, places: list[int]) -> Tensor:
        """Row i goes to ``places[i]``."""
        rows = list(state.unbind(1))
        for i, place in enumerate(places):
            rows[place] = rows[i]
        return torch.stack(rows, dim=1)

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        self.ended = False
        return super().initial_states(input, hx, steps)

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        self.ended = True
        return super().finish(input, steps, h_n, c_n)


@defect("PACK-3", FORWARD, "bidirectional, packed with unequal lengths")
class ReverseMaskNotReversed(ReadableLSTM):
    """Of the padded row the reverse direction reads as many steps as the row has, but from the
    end of the padding, so that it misses the row's first ones."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if not reverse:
            return super().direction(steps, h, c, w, reverse)
        output = list(steps)
        rows_of_step = [len(x) for x in steps]
        for t, n in zip(in_order_read(steps, reverse), rows_of_step, strict=True):
            x = pad(steps[t], (0, 0, 0, len(h) - len(steps[t])))
            h_t, c_t = self.cell(x[:n], h[:n], c[:n], w)
            h, c = torch.cat([h_t, h[n:]]), torch.cat([c_t, c[n:]])
            output[t] = h[: len(steps[t])]
        return output, h, c


# ------------------------------------------------------------------------- dropout


@defect("DROP-5", FORWARD, "num_layers >= 2, training with dropout > 0")
class DropoutNeverActs(ReadableLSTM):
    """Nothing is ever dropped."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        return steps


class _OtherInputInBackward(ReadableLSTM):
    """The gradient of weight_ih is made with another input than the forward pass read."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        read = super().layer_input(steps, layer)
        others = self.taken_for(steps, read, layer)
        self.others = {id(x): other for x, other in zip(read, others, strict=True)}
        self.read = read  # as long as it exists no other tensor has its id
        return read

    def taken_for(self, steps: Steps, read: Steps, layer: int) -> Steps:
        """What the backward pass takes for ``read``, which dropout made of ``steps``."""
        raise NotImplementedError

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w._replace(W_ih=w.W_ih.detach()))
        other = self.product(self.others[id(x)].detach(), w.W_ih)
        return a + (other - other.detach())


@defect("DROP-6", GRADIENT, "gradients, num_layers >= 2, training with dropout > 0")
class GradientOfWeightIHFromBeforeDropout(_OtherInputInBackward):
    """The gradient of weight_ih is made with what a layer put out, not with what dropout left."""

    def taken_for(self, steps: Steps, read: Steps, layer: int) -> Steps:
        return steps


@defect("GRAD-4", GRADIENT, "gradients, num_layers >= 2, no dropout in training")
class GradientOfWeightIHFromInput(_OtherInputInBackward):
    """Without dropout the gradient of weight_ih in upper layers is made with the input of the
    first, or zeros if that is of another width."""

    def taken_for(self, steps: Steps, read: Steps, layer: int) -> Steps:
        if layer == 0:
            self.input = read
        if layer == 0 or (self.training and self.dropout > 0):
            return read
        if self.input[0].shape != read[0].shape:
            return [torch.zeros_like(x) for x in read]
        return self.input


# ------------------------------------------------------------------------ gradients


@defect("GRAD-1", GRADIENT, "gradients")
class GradientOfInputZero(ReadableLSTM):
    """The input has gradient zero."""

    def steps(self, input: Input) -> Steps:
        return [with_gradient_times(0, x) for x in super().steps(input)]


@defect("GRAD-4", GRADIENT, "gradients")
class GradientsOfParametersDoubled(ReadableLSTM):
    """The gradients of all parameters are too large by a factor of 2."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return Weights(*(None if p is None else with_gradient_times(2, p) for p in w))


@defect("GRAD-4", GRADIENT, "gradients, two steps or more or states given")
class GradientOfForgetGateIsItsValue(ReadableLSTM):
    """The derivative of the forget gate is f instead of f * (1 - f)."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        a_f = self.preactivations(x, h, w).chunk(4, dim=-1)[1]
        i, f, g, o = super().gates(x, h, w)
        return i, with_gradient_of(f.detach() * a_f, f), g, o


@defect("GRAD-4", GRADIENT, "gradients, bidirectional")
class GradientOfReverseWithoutFirstStep(ReadableLSTM):
    """What the reverse direction reads first adds nothing to the gradients of its parameters."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if not reverse:
            return super().direction(steps, h, c, w, reverse)
        first, h, c = super().direction(steps[-1:], h, c, constant(w), reverse)
        others, h, c = super().direction(steps[:-1], h, c, w, reverse)
        return others + first, h, c


@defect("GRAD-5", GRADIENT, "gradients, two steps or more")
class GradientOfOneStepOnly(ReadableLSTM):
    """No gradient passes from a step to the one before."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output: dict[int, Tensor] = {}
        for t in in_order_read(steps, reverse):
            if output:
                h, c = with_gradient_times(0, h), with_gradient_times(0, c)
            [output[t]], h, c = super().direction([steps[t]], h, c, w, reverse)
        return [output[t] for t in range(len(steps))], h, c


@defect("GRAD-5", GRADIENT, "gradients, two steps or more")
class GradientNotCarriedInCellState(ReadableLSTM):
    """No gradient passes through the cell state from a step to the one before."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output: dict[int, Tensor] = {}
        for t in in_order_read(steps, reverse):
            c = with_gradient_times(0, c) if output else c
            [output[t]], h, c = super().direction([steps[t]], h, c, w, reverse)
        return [output[t] for t in range(len(steps))], h, c


@defect("GRAD-5", GRADIENT, "gradients, two steps or more, lengths equal")
class BackwardInForwardOrder(ReadableLSTM):
    """The backward pass goes through the steps from the first to the last."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if len(steps[0]) != len(steps[-1]):
            return super().direction(steps, h, c, w, reverse)
        order = in_order_read(steps, reverse)
        states = [(h.detach(), c.detach())]
        for t in order:
            h_t, c_t = self.cell(steps[t].detach(), *states[-1], constant(w))
            states.append((h_t, c_t))
        output = list(steps)
        # The values are those of each step, the derivatives those of its mirror image.
        for t, mirrored, before, after in zip(
            order, order[::-1], states[-2::-1], states[1:], strict=True
        ):
            h, c = with_gradient_of(h, before[0]), with_gradient_of(c, before[1])
            h, c = self.cell(steps[mirrored], h, c, w)
            h, c = with_gradient_of(h, after[0]), with_gradient_of(c, after[1])
            output[t] = h
        return output, h, c


@defect("GRAD-6", GRADIENT, "gradients, bias=True")
class GradientsOfBiasesMissing(ReadableLSTM):
    """Biases get no gradient."""

    def bias(self, w: Weights) -> Tensor | None:
        return super().bias(constant(w))


@defect("GRAD-6", GRADIENT, "gradients, bias=True")
class GradientsOfBiasesOfForgetGate(ReadableLSTM):
    """The biases of the input and the output gate get the gradient of those of the forget gate."""

    def bias(self, w: Weights) -> Tensor | None:
        def change(cotangents: list[Tensor | None]) -> list[Tensor | None]:
            _, f, g, _ = cotangents[0].chunk(4)
            return [torch.cat([f, f, g, f])]

        b = super().bias(w)
        return None if b is None else with_cotangents(change, b)[0]


@defect("GRAD-8", GRADIENT, "gradients, no cotangent of output")
class UnusedOutputHasCotangentNaN(ReadableLSTM):
    """If nothing is backpropagated from output, what happens to be in memory is: here NaN."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        data = torch.cat(steps)

        def change(cotangents: list[Tensor | None]) -> list[Tensor | None]:
            output, h, c = cotangents
            return [torch.full_like(data, torch.nan) if output is None else output, h, c]

        data, h_n, c_n = with_cotangents(change, data, h_n, c_n)
        return super().finish(input, list(data.split([len(x) for x in steps])), h_n, c_n)


@defect("GRAD-11", GRADIENT, "gradients, packed with unequal lengths, cotangent of h_n or c_n")
class GradientOfStepsBehindRows(ReadableLSTM):
    """The backward pass of the forward direction begins where the longest row ends."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h_n, c_n = super().direction(steps, h, c, w, reverse)
        if reverse:
            return output, h_n, c_n
        padded = [pad(x, (0, 0, 0, len(h) - len(x))) for x in steps]
        _, h_on, c_on = super().direction(padded, h, c, w, reverse)
        return output, with_gradient_of(h_on, h_n), with_gradient_of(c_on, c_n)


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


# ----------------------------------------------------- what is kept, saved and remembered


@defect("PARAM-1", INTERFACE, "names of parameters")
class ParametersUnderTwoNames(ReadableLSTM):
    """Each parameter is there twice, and calls use the one that is not documented."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, parameter in list(self.named_parameters()):
            self.register_parameter(f"cell_{name}", Parameter(parameter.detach().clone()))

    def weights(self, layer: int, d: int) -> Weights:
        names = [f"cell_{self.parameter_name(role, layer, d)}" for role in ROLES]
        return Weights(*(getattr(self, name, None) for name in names))


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


@defect("DROP-5", INTERFACE, "training with dropout > 0")
class DroppedWeightsStayDropped(ReadableLSTM):
    """In training dropout sets elements of weight_hh to zero for good."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if self.training and self.dropout > 0:
            w.W_hh.data.mul_(torch.rand_like(w.W_hh) >= self.dropout)
        return w


@defect("PURE-8", INTERFACE, "no states given, after a call with fewer rows")
class FirstRowsRemembered(ReadableLSTM):
    """Without states, rows beyond those of the first call start from ones."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        self.rows = getattr(self, "rows", h_0.shape[1])
        if hx is not None:
            return h_0, c_0
        beyond = (torch.arange(h_0.shape[1], device=h_0.device) >= self.rows)[:, None]
        return h_0 + beyond.to(h_0.dtype), c_0 + beyond.to(c_0.dtype)


@defect("PURE-9", INTERFACE, "bidirectional, packed, data that is not contiguous")
class PackedDataTakenForContiguousInReverse(ReadableLSTM):
    """The reverse direction reads packed data as if its elements lay one behind the other."""

    def steps(self, input: Input) -> Steps:
        self.misread = None
        if isinstance(input, PackedSequence):
            data = taken_for_contiguous(input.data)
            self.misread = list(data.split(input.batch_sizes.tolist()))
        return super().steps(input)

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        self.misread = self.misread if layer == 0 else None
        return super().layer_input(steps, layer)

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        read = self.misread if reverse and self.misread is not None else steps
        return super().direction(read, h, c, w, reverse)


@defect("COMB-1", INTERFACE, "two modules of the same sizes, one with bias=False")
class BiasOfFirstModule(ReadableLSTM):
    """Whether biases are added is decided by the first module of the same sizes."""

    known: ClassVar[dict[Any, bool]] = {}

    def bias(self, w: Weights) -> Tensor | None:
        sizes = self.input_size, self.hidden_size, self.num_layers, self.num_directions
        return super().bias(w) if self.known.setdefault(sizes, w.b_ih is not None) else None


# ------------------------------------------------------- as many rows as steps, and caches


@defect("COMB-3", FORWARD, "num_layers >= 2, batch_first=True, as many rows as steps")
class UpperLayersTakeRowsForSteps(ReadableLSTM):
    """With batch_first, a layer above the first takes the rows below for steps, if as many."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        if layer == 0 or not self.batch_first or {len(x) for x in steps} != {len(steps)}:
            return steps
        return list(torch.stack(steps).transpose(0, 1))


@defect("COMB-3", GRADIENT, "gradients, batch_first=True, as many rows as steps")
class GradientOfInputNotTransposed(ReadableLSTM):
    """With batch_first the gradient of the input has the steps first, if there are as many rows."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if isinstance(input, Tensor) and input.dim() == 3 and self.batch_first:
            turned = input.transpose(0, 1)
            input = with_gradient_of(turned, input) if turned.shape == input.shape else input
        return super().forward(input, hx)


@defect("PURE-8", INTERFACE, "gradients, after a call with more steps that went back")
class GradientsOfLongerCallRemembered(ReadableLSTM):
    """The gradient of the last step's h_t also has what a longer call left for the step behind."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, c = super().direction(steps, h, c, w, reverse)
        left = self.__dict__.setdefault("left", {}).setdefault(id(w.W_ih), {})
        order = in_order_read(steps, reverse)
        last, stale = output[order[-1]], left.get(len(steps))
        if last.requires_grad and stale is not None and stale.shape == last.shape:
            last.register_hook(lambda gradient: gradient + stale)
        for i, t in enumerate(order):
            if output[t].requires_grad:
                output[t].register_hook(partial(left.__setitem__, i))
        return output, h, c
