"""LSTMs that look wrong and are not: no test can tell them from the right one, and none should.

They are not in the catalogue. Of each the first paragraph tells what is changed, the second why
nothing that can be seen changes, but for rounding.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import dropout

from .readable import Input, ReadableLSTM, Result, States, Steps, Weights

__all__ = ["EQUIVALENT"]


# ------------------------------------------------------------------------ one step


class BiasesExchanged(ReadableLSTM):
    """bias_ih takes the place of bias_hh, and bias_hh that of bias_ih.

    Only their sum enters the equations, so that their gradients are equal too.
    """

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(b_ih=w.b_hh, b_hh=w.b_ih)


class BlocksInOrderOGFI(ReadableLSTM):
    """The four blocks of rows of weights and biases are put into the order o, g, f, i.

    The gates are read in that order too, and a gate depends on no other gate of its step.
    """

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        reordered = (None if p is None else torch.cat(p.chunk(4)[::-1]) for p in w[:4])
        return Weights(*reordered, w.W_hr)

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        a_o, a_g, a_f, a_i = self.preactivations(x, h, w).chunk(4, dim=-1)
        return self.sigmoid(a_i), self.sigmoid(a_f), self.tanh(a_g), self.sigmoid(a_o)


class CandidateNegatedTwice(ReadableLSTM):
    """g is -tanh of minus its preactivation.

    tanh is odd, and a change of sign rounds nothing.
    """

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        a_i, a_f, a_g, a_o = self.preactivations(x, h, w).chunk(4, dim=-1)
        return self.sigmoid(a_i), self.sigmoid(a_f), -self.tanh(-a_g), self.sigmoid(a_o)


class CellStateKeptNegative(ReadableLSTM):
    """From step to step -c_t is kept: f * (-c_{t-1}) - i * g, of which h_t is -o * tanh(-c_t).

    Initial and final states have their sign changed on the way in and out, which with tanh being
    odd changes every sign an even number of times.
    """

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, negative = super().direction(steps, h, -c, w, reverse)
        return output, h, -negative

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c - i * g
        return self.project(-o * self.tanh(c_t), w), c_t


class PreactivationsClipped(ReadableLSTM):
    """Preactivations are clipped to +-10000.

    There sigmoid and tanh are exactly 0, 1 or -1 in every dtype, and their derivatives, like that
    of what is clipped, exactly 0.
    """

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, h, w).clamp(-10000, 10000)


# ---------------------------------------------------------------- from step to step


class FirstStepWithoutHiddenWeights(ReadableLSTM):
    """Without given states the first step takes zeros for weight_hh.

    h_0 is zero then, so that W_hh h_0 and the gradient da_1 h_0^T are zero with any weights.
    """

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        self.from_zeros = hx is None
        return super().initial_states(input, hx, steps)

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if not self.from_zeros:
            return super().direction(steps, h, c, w, reverse)
        first, others = (steps[-1:], steps[:-1]) if reverse else (steps[:1], steps[1:])
        zeros = w._replace(W_hh=torch.zeros_like(w.W_hh))
        of_first, h, c = super().direction(first, h, c, zeros, reverse)
        of_others, h, c = super().direction(others, h, c, w, reverse)
        return of_others + of_first if reverse else of_first + of_others, h, c


class StepBehindTheLast(ReadableLSTM):
    """After the last step another one is computed, of zeros.

    What comes of it is thrown away.
    """

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, c = super().direction(steps, h, c, w, reverse)
        super().direction([torch.zeros_like(steps[0])], h, c, w, reverse)
        return output, h, c


class FinalHiddenFromOutput(ReadableLSTM):
    """h_n is taken from what a direction puts out: of the last step forward, of the first in
    reverse, if all rows are as long.

    Those are the steps read last, and h_t of a step is both what it puts out and its state.
    """

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, c = super().direction(steps, h, c, w, reverse)
        equal = len(steps[0]) == len(steps[-1])
        return output, output[0 if reverse else -1] if equal else h, c


# ------------------------------------------------------- rows, directions, features


class RowsOfEqualLengthReversed(ReadableLSTM):
    """Rows that are equally long are computed in the reverse order.

    Rows do not depend on each other, and results are put back into the order that was given.
    """

    def steps(self, input: Input) -> Steps:
        steps = super().steps(input)
        ends = [len(x) for x in steps]  # one for each step, the number of rows that have it
        groups = torch.arange(ends[0]).tensor_split(sorted({*ends} - {ends[0]}))
        self.order = torch.cat([group.flip(0) for group in groups])
        return [x[self.order[: len(x)]] for x in steps]

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        return self.reorder(super().initial_states(input, hx, steps), self.order)

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        back = [x[self.order[: len(x)]] for x in steps]
        return super().finish(input, back, *self.reorder((h_n, c_n), self.order))


class ReverseBeforeForward(ReadableLSTM):
    """In each layer the reverse direction is computed before the forward one.

    They read the same input and other parameters and states, and neither reads the other.
    """

    def forward(self, input: Input, hx: States | None = None) -> Result:
        self.check_input(input)
        if hx is not None:
            self.check_states(input, hx)
        steps = self.steps(input)
        h_0, c_0 = self.initial_states(input, hx, steps)
        h_n, c_n = list(h_0), list(c_0)
        for layer in range(self.num_layers):
            steps = self.layer_input(steps, layer)
            outputs = {}
            for d in reversed(range(self.num_directions)):
                k, w = self.state_index(layer, d), self.weights(layer, d)
                outputs[d], h_n[k], c_n[k] = self.direction(steps, h_0[k], c_0[k], w, d == 1)
            in_order = [outputs[d] for d in range(self.num_directions)]
            steps = [torch.cat(h, dim=-1) for h in zip(*in_order, strict=True)]
        return self.finish(input, steps, torch.stack(h_n), torch.stack(c_n))


# -------------------------------------------------------------------------- dropout


class DropoutOfZeroOnInput(ReadableLSTM):
    """There is dropout on the input too, with probability 0.

    Nothing is dropped, what is kept is divided by 1, and no random number is drawn.
    """

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        p = self.dropout if layer else 0.0
        return [dropout(x, p, self.training) for x in steps]


class MasksDrawnLastStepFirst(ReadableLSTM):
    """What is dropped is drawn for the last step first.

    The choices are independent of each other and made with one probability, and nothing says
    which random number makes which.
    """

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        return super().layer_input(steps[::-1], layer)[::-1]


EQUIVALENT: tuple[type[ReadableLSTM], ...] = (
    BiasesExchanged,
    BlocksInOrderOGFI,
    CandidateNegatedTwice,
    CellStateKeptNegative,
    PreactivationsClipped,
    FirstStepWithoutHiddenWeights,
    StepBehindTheLast,
    FinalHiddenFromOutput,
    RowsOfEqualLengthReversed,
    ReverseBeforeForward,
    DropoutOfZeroOnInput,
    MasksDrawnLastStepFirst,
)
