"""LSTMs with one defect each in what the gates make: the cell state and the hidden state.

Shapes fit and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..catalogue import FORWARD, NUMERICAL, defect, variant
from ..readable import Input, ReadableLSTM, Result, Steps, Weights

# --------------------------------------------------------------- the new cell state


def new_cell(equation: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> type[ReadableLSTM]:
    """c_t is what ``equation`` makes of i, f, g and c_{t-1}."""

    class Variant(ReadableLSTM):
        def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
            i, f, g, o = self.gates(x, h, w)
            c_t = equation(i, f, g, c)
            return self.project(o * self.tanh(c_t), w), c_t

    return Variant


for name, breaks, shows, formula, equation in (
    (
        "InputAndForgetGateSwapped",
        "EQ-1",
        "every case",
        "i * c_{t-1} + f * g",
        lambda i, f, g, c: i * c + f * g,
    ),
    ("InputGateMissing", "EQ-2", "every case", "f * c_{t-1} + g", lambda i, f, g, c: f * c + g),
    (
        "InputGateAdded",
        "EQ-2",
        "every case",
        "f * c_{t-1} + (i + g)",
        lambda i, f, g, c: f * c + (i + g),
    ),
    (
        "ForgetGateOnCandidate",
        "EQ-2",
        "every case",
        "f * (c_{t-1} + i * g)",
        lambda i, f, g, c: f * (c + i * g),
    ),
    (
        "ForgetGateMissing",
        "EQ-4",
        "two steps or more, or states given",
        "c_{t-1} + i * g",
        lambda i, f, g, c: c + i * g,
    ),
):
    text = f"c_t is {formula} instead of f * c_{{t-1}} + i * g."
    variant(__name__, new_cell(equation), name, text, breaks, FORWARD, shows)


@defect("EQ-4", FORWARD, "two steps or more, or states given")
class OldCellStateLost(ReadableLSTM):
    """c_t is i * g instead of f * c_{t-1} + i * g."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        return super().cell(x, h, torch.zeros_like(c), w)


@defect("EQ-6", FORWARD, "cell states beyond 3")
class CellStateClippedAt3(ReadableLSTM):
    """c_t is kept between -3 and 3."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = (f * c + i * g).clamp(-3, 3)
        return self.project(o * self.tanh(c_t), w), c_t


# ---------------------------------------------------------- the new hidden state


def new_hidden(
    equation: Callable[[ReadableLSTM, Tensor, Tensor, Tensor], Tensor],
) -> type[ReadableLSTM]:
    """h_t is what ``equation`` makes of the LSTM, o, c_{t-1} and c_t."""

    class Variant(ReadableLSTM):
        def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
            i, f, g, o = self.gates(x, h, w)
            c_t = f * c + i * g
            return self.project(equation(self, o, c, c_t), w), c_t

    return Variant


for name, formula, equation in (
    ("TanhOfCellMissing", "o * c_t", lambda lstm, o, c, c_t: o * c_t),
    ("OutputGateInsideTanh", "tanh(o * c_t)", lambda lstm, o, c, c_t: lstm.tanh(o * c_t)),
    ("OutputGateMissing", "tanh(c_t)", lambda lstm, o, c, c_t: lstm.tanh(c_t)),
    ("OldCellShown", "o * tanh(c_{t-1})", lambda lstm, o, c, c_t: o * lstm.tanh(c)),
    ("SigmoidOfCell", "o * sigmoid(c_t)", lambda lstm, o, c, c_t: o * lstm.sigmoid(c_t)),
):
    text = f"h_t is {formula} instead of o * tanh(c_t)."
    variant(__name__, new_hidden(equation), name, text, "EQ-3", FORWARD, "every case")


@defect("EQ-2", FORWARD, "every case")
class CellStateKeptAsTanh(ReadableLSTM):
    """c_t is tanh(f * c_{t-1} + i * g), and h_t is o * c_t."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = self.tanh(f * c + i * g)
        return self.project(o * c_t, w), c_t


@defect("EQ-2", FORWARD, "proj_size=0")
class FinalStatesExchanged(ReadableLSTM):
    """c_n comes before h_n, where their shapes are the same."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        exchanged = (c_n, h_n) if h_n.shape == c_n.shape else (h_n, c_n)
        return super().finish(input, steps, *exchanged)


# ------------------------------------------------------------------------- the tanh


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
