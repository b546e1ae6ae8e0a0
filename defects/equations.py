"""LSTMs with one defect each in the equations of a step or in the recurrence.

Shapes fit and nothing is raised.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .catalogue import FORWARD, NUMERICAL, defect
from .readable import ReadableLSTM, Steps, Weights


def gate_blocks(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The four blocks of rows."""
    i, f, g, o = x.chunk(4)
    return i, f, g, o


# ----------------------------------------------------------------- the gates


@defect("EQ-1", FORWARD, "every case")
class GatesInOrderIOFG(ReadableLSTM):
    """The four blocks of rows are read as i, o, f, g instead of i, f, g, o."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        a_i, a_o, a_f, a_g = self.preactivations(x, h, w).chunk(4, dim=-1)
        return self.sigmoid(a_i), self.sigmoid(a_f), self.tanh(a_g), self.sigmoid(a_o)


@defect("EQ-1", FORWARD, "every case")
class GatesInOrderIFOG(ReadableLSTM):
    """The four blocks of rows are read as i, f, o, g instead of i, f, g, o."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        a_i, a_f, a_o, a_g = self.preactivations(x, h, w).chunk(4, dim=-1)
        return self.sigmoid(a_i), self.sigmoid(a_f), self.tanh(a_g), self.sigmoid(a_o)


@defect("EQ-1", FORWARD, "every case")
class InputAndForgetGateSwapped(ReadableLSTM):
    """c_t is i * c_{t-1} + f * g instead of f * c_{t-1} + i * g."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = i * c + f * g
        return self.project(o * self.tanh(c_t), w), c_t


@defect("EQ-2", FORWARD, "every case")
class SigmoidForCandidate(ReadableLSTM):
    """g is sigmoid of its preactivation instead of tanh."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i, f, g, o = self.preactivations(x, h, w).sigmoid().chunk(4, dim=-1)
        return i, f, g, o


@defect("EQ-2", FORWARD, "every case")
class CandidateWithoutTanh(ReadableLSTM):
    """g is its preactivation."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        a_i, a_f, a_g, a_o = self.preactivations(x, h, w).chunk(4, dim=-1)
        return self.sigmoid(a_i), self.sigmoid(a_f), a_g, self.sigmoid(a_o)


@defect("EQ-2", FORWARD, "every case")
class InputGateMissing(ReadableLSTM):
    """c_t is f * c_{t-1} + g instead of f * c_{t-1} + i * g."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        _, f, g, o = self.gates(x, h, w)
        c_t = f * c + g
        return self.project(o * self.tanh(c_t), w), c_t


@defect("EQ-2", FORWARD, "every case")
class InputGateIsOneMinusForgetGate(ReadableLSTM):
    """The input gate is 1 - f, whatever its weights."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        _, f, g, o = super().gates(x, h, w)
        return 1 - f, f, g, o


@defect("EQ-2", FORWARD, "every case")
class HardSigmoid(ReadableLSTM):
    """sigmoid(x) is x / 4 + 1 / 2 between 0 and 1."""

    def sigmoid(self, x: Tensor) -> Tensor:
        return (x / 4 + 0.5).clamp(0, 1)


# ------------------------------------------------------------------ the cell


@defect("EQ-2", FORWARD, "every case")
class ForgetGateOnCandidate(ReadableLSTM):
    """c_t is f * (c_{t-1} + i * g) instead of f * c_{t-1} + i * g."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * (c + i * g)
        return self.project(o * self.tanh(c_t), w), c_t


@defect("EQ-3", FORWARD, "every case")
class TanhOfCellMissing(ReadableLSTM):
    """h_t is o * c_t instead of o * tanh(c_t)."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        return self.project(o * c_t, w), c_t


@defect("EQ-3", FORWARD, "every case")
class OutputGateInsideTanh(ReadableLSTM):
    """h_t is tanh(o * c_t) instead of o * tanh(c_t)."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        return self.project(self.tanh(o * c_t), w), c_t


@defect("EQ-3", FORWARD, "every case")
class OutputGateMissing(ReadableLSTM):
    """h_t is tanh(c_t) instead of o * tanh(c_t)."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, _ = self.gates(x, h, w)
        c_t = f * c + i * g
        return self.project(self.tanh(c_t), w), c_t


@defect("EQ-3", FORWARD, "every case")
class OldCellShown(ReadableLSTM):
    """h_t is o * tanh(c_{t-1}) instead of o * tanh(c_t)."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        return self.project(o * self.tanh(c), w), f * c + i * g


# ------------------------------------------------------------ the recurrence


@defect("EQ-4", FORWARD, "two steps or more, or states given")
class ForgetBiasOne(ReadableLSTM):
    """The forget gate's preactivation is 1 too large, as other libraries define it."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a_i, a_f, a_g, a_o = super().preactivations(x, h, w).chunk(4, dim=-1)
        return torch.cat([a_i, a_f + 1, a_g, a_o], dim=-1)


@defect("EQ-4", FORWARD, "two steps or more, or states given")
class ForgetGateMissing(ReadableLSTM):
    """c_t is c_{t-1} + i * g instead of f * c_{t-1} + i * g."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, _, g, o = self.gates(x, h, w)
        c_t = c + i * g
        return self.project(o * self.tanh(c_t), w), c_t


@defect("EQ-4", FORWARD, "two steps or more, or states given")
class ForgetGateReadsInputOnly(ReadableLSTM):
    """The forget gate's preactivation has no W_hf h_{t-1}."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        i, f, g, o = gate_blocks(w.W_hh)
        return super().preactivations(x, h, w._replace(W_hh=torch.cat([i, 0 * f, g, o])))


@defect("EQ-4", FORWARD, "two steps or more, or states given")
class OldCellStateLost(ReadableLSTM):
    """c_t is i * g instead of f * c_{t-1} + i * g."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        return super().cell(x, h, torch.zeros_like(c), w)


@defect("EQ-4", FORWARD, "two steps or more, or states given")
class HiddenWeightsInOrderIOFG(ReadableLSTM):
    """The blocks of weight_hh, and of nothing else, are read as i, o, f, g."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        i, o, f, g = gate_blocks(w.W_hh)
        return super().preactivations(x, h, w._replace(W_hh=torch.cat([i, f, g, o])))


@defect("EQ-4", FORWARD, "proj_size=0, hidden_size >= 2, two steps or more or states given")
class HiddenWeightsTransposed(ReadableLSTM):
    """Each block of weight_hh is transposed, where it is square."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if w.W_hr is None:
            w = w._replace(W_hh=torch.cat([block.T for block in gate_blocks(w.W_hh)]))
        return super().preactivations(x, h, w)


@defect("EQ-4", FORWARD, "two steps or more")
class HiddenStateOfTwoStepsBefore(ReadableLSTM):
    """Each step reads h_{t-2} instead of h_{t-1}."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        before, output = h, list(steps)
        for t in reversed(range(len(steps))) if reverse else range(len(steps)):
            n = len(steps[t])
            output[t], c_t = self.cell(steps[t], before[:n], c[:n], w)
            before, h, c = h, torch.cat([output[t], h[n:]]), torch.cat([c_t, c[n:]])
        return output, h, c


# --------------------------------------------------- the biases, and saturation


@defect("EQ-5", FORWARD, "bias=True")
class BiasHHIgnored(ReadableLSTM):
    """bias_hh has no effect."""

    def bias(self, w: Weights) -> Tensor | None:
        return w.b_ih


@defect("EQ-5", FORWARD, "bias=True")
class BiasIHTwice(ReadableLSTM):
    """bias_ih takes the place of bias_hh as well."""

    def bias(self, w: Weights) -> Tensor | None:
        return None if w.b_ih is None else w.b_ih + w.b_ih


@defect("EQ-5", FORWARD, "bias=True")
class BiasHHMissingFromCandidate(ReadableLSTM):
    """bias_hh is added in the gates i, f and o only."""

    def bias(self, w: Weights) -> Tensor | None:
        if w.b_ih is None or w.b_hh is None:
            return None
        i, f, g, o = gate_blocks(w.b_hh)
        return w.b_ih + torch.cat([i, f, 0 * g, o])


@defect("EQ-6", NUMERICAL, "cell states or candidates beyond 4")
class TanhSaturatesAt4(ReadableLSTM):
    """tanh(x) is tanh(4) for x above 4, and -tanh(4) below -4."""

    def tanh(self, x: Tensor) -> Tensor:
        return torch.tanh(x.clamp(-4, 4))


@defect("EQ-6", NUMERICAL, "cell states or candidates beyond 44 in float32, 354 in float64")
class TanhOverflows(ReadableLSTM):
    """tanh by exp, which overflows: NaN for x above 44 in float32, above 354 in float64."""

    def tanh(self, x: Tensor) -> Tensor:
        return torch.expm1(2 * x) / (torch.expm1(2 * x) + 2)


@defect("EQ-6", FORWARD, "cell states beyond 3")
class CellStateClippedAt3(ReadableLSTM):
    """c_t is kept between -3 and 3."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = (f * c + i * g).clamp(-3, 3)
        return self.project(o * self.tanh(c_t), w), c_t
