"""LSTMs with one defect each in the gradients that pass through a gate or a cell state.

Results are right, and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..catalogue import GRADIENT, NUMERICAL, defect, variant
from ..fewer_digits import with_gradient_in
from ..gradient_surgery import with_gradient_of, with_gradient_times
from ..readable import ReadableLSTM, Weights

LATER = "two steps or more or states given"
SHOWN = "cotangent of output or h_n"


# --------------------------------------------------------------------- the gates


def gradient_of_gate_missing(block: int) -> type[ReadableLSTM]:
    """No gradient passes through one gate, by the number of its block of rows."""

    class Variant(ReadableLSTM):
        def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
            gates = list(super().gates(x, h, w))
            gates[block] = with_gradient_times(0, gates[block])
            i, f, g, o = gates
            return i, f, g, o

    return Variant


for name, shows, gate, block in (
    ("GradientOfInputGateMissing", "gradients", "input gate", 0),
    ("GradientOfForgetGateMissing", f"gradients, {LATER}", "forget gate", 1),
    ("GradientOfCandidateMissing", "gradients", "candidate", 2),
    ("GradientOfOutputGateMissing", f"gradients, {SHOWN}", "output gate", 3),
):
    text = f"No gradient passes through the {gate}."
    variant(__name__, gradient_of_gate_missing(block), name, text, "GRAD-4", GRADIENT, shows)


def gradient_of_read_missing(block: int, hidden: bool) -> type[ReadableLSTM]:
    """One gate passes no gradient to x_t, or none to h_{t-1}.

    Args:
        block: the number of its block of rows.
        hidden: whether it is none to h_{t-1}.
    """

    class Variant(ReadableLSTM):
        def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
            blocks = list(super().preactivations(x, h, w).chunk(4, dim=-1))
            read = (x, with_gradient_times(0, h)) if hidden else (with_gradient_times(0, x), h)
            blocks[block] = super().preactivations(*read, w).chunk(4, dim=-1)[block]
            return torch.cat(blocks, dim=-1)

    return Variant


for name, breaks, shows, gate, block in (
    ("GradientOfInputThroughInputGateMissing", "GRAD-1", "gradients", "input gate", 0),
    ("GradientOfInputThroughForgetGateMissing", "GRAD-1", f"gradients, {LATER}", "forget gate", 1),
    ("GradientOfInputThroughCandidateMissing", "GRAD-1", "gradients", "candidate", 2),
    ("GradientOfInputThroughOutputGateMissing", "GRAD-1", f"gradients, {SHOWN}", "output gate", 3),
    ("GradientOfHiddenThroughInputGateMissing", "GRAD-2", f"gradients, {LATER}", "input gate", 0),
    ("GradientOfHiddenThroughForgetGateMissing", "GRAD-2", f"gradients, {LATER}", "forget gate", 1),
    ("GradientOfHiddenThroughCandidateMissing", "GRAD-2", f"gradients, {LATER}", "candidate", 2),
    ("GradientOfHiddenThroughOutputGateMissing", "GRAD-2", f"gradients, {LATER}", "output gate", 3),
):
    hidden = breaks == "GRAD-2"
    text = f"The {gate} passes no gradient to {'h_{t-1}' if hidden else 'x_t'}."
    variant(__name__, gradient_of_read_missing(block, hidden), name, text, breaks, GRADIENT, shows)


@defect("GRAD-2", GRADIENT, "gradients, two steps or more or states given")
class GradientOfHiddenMissing(ReadableLSTM):
    """No gate passes a gradient to h_{t-1}."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, with_gradient_times(0, h), w)


@defect("GRAD-2", GRADIENT, "gradients, two steps or more or states given")
class GradientOfHiddenDoubled(ReadableLSTM):
    """The gradient that gates pass to h_{t-1} is too large by a factor of 2."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, with_gradient_times(2, h), w)


@defect("GRAD-2", NUMERICAL, "gradients, float64, two steps or more or states given")
class GradientOfHiddenInFloat32(ReadableLSTM):
    """The gradient that gates pass to h_{t-1} is rounded to float32."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, with_gradient_in(torch.float32, h), w)


@defect("GRAD-4", GRADIENT, "gradients, two steps or more or states given")
class GradientOfForgetGateIsItsValue(ReadableLSTM):
    """The derivative of the forget gate is f instead of f * (1 - f)."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        a_f = self.preactivations(x, h, w).chunk(4, dim=-1)[1]
        i, f, g, o = super().gates(x, h, w)
        return i, with_gradient_of(f.detach() * a_f, f), g, o


# ------------------------------------------------------------- the nonlinearities


def other_derivative(
    function: str, integral: Callable[[Tensor, Tensor], Tensor]
) -> type[ReadableLSTM]:
    """sigmoid or tanh, with the derivative of another function.

    Args:
        function: its name.
        integral: what is differentiated instead, from x and a constant f(x).
    """

    class Variant(ReadableLSTM):
        def sigmoid(self, x: Tensor) -> Tensor:
            y = super().sigmoid(x)
            return with_gradient_of(integral(x, y.detach()), y) if function == "sigmoid" else y

        def tanh(self, x: Tensor) -> Tensor:
            y = super().tanh(x)
            return with_gradient_of(integral(x, y.detach()), y) if function == "tanh" else y

    return Variant


for name, function, derivative, integral in (
    ("GradientPassesSigmoid", "sigmoid", "1", lambda x, y: x),
    (
        "GradientOfSigmoidIsOneQuarter",
        "sigmoid",
        "1 / 4 everywhere, as it is at 0",
        lambda x, y: x / 4,
    ),
    (
        "GradientOfSigmoidIsSigmoid",
        "sigmoid",
        "sigmoid(x) instead of sigmoid(x) * (1 - sigmoid(x))",
        lambda x, y: y * x,
    ),
    (
        "GradientOfTanhTakesItsArgument",
        "tanh",
        "1 - x^2 instead of 1 - tanh(x)^2",
        lambda x, y: x - x**3 / 3,
    ),
    (
        "GradientOfTanhNotSquared",
        "tanh",
        "1 - tanh(x) instead of 1 - tanh(x)^2",
        lambda x, y: (1 - y) * x,
    ),
):
    text = f"The derivative of {function} is {derivative}."
    variant(
        __name__, other_derivative(function, integral), name, text, "GRAD-4", GRADIENT, "gradients"
    )


# ------------------------------------------------------------------ the cell state


# What c_t is differentiated by, and the documented derivative.
DERIVATIVES = {"c_{t-1}": "f", "f": "c_{t-1}", "i": "g", "g": "i"}


def other_factor(by: str, factor: str) -> type[ReadableLSTM]:
    """The derivative of c_t by one of what it is made of is another factor."""

    class Variant(ReadableLSTM):
        def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
            i, f, g, o = self.gates(x, h, w)
            c_t = f * c + i * g
            values = {"i": i, "f": f, "g": g, "c_{t-1}": c, "c_t": c_t}
            derivatives = {**DERIVATIVES, by: factor}.items()
            terms = [values[factor].detach() * values[by] for by, factor in derivatives]
            c_t = with_gradient_of(sum(terms), c_t)
            return self.project(o * self.tanh(c_t), w), c_t

    return Variant


for name, breaks, shows, by, factor in (
    ("GradientOfOldCellTakesInputGate", "GRAD-3", f"gradients, {LATER}", "c_{t-1}", "i"),
    ("GradientOfForgetGateTakesNewCell", "GRAD-4", "gradients", "f", "c_t"),
    ("GradientOfInputGateTakesOldCell", "GRAD-4", "gradients", "i", "c_{t-1}"),
    ("GradientOfCandidateTakesForgetGate", "GRAD-4", "gradients", "g", "f"),
):
    right = DERIVATIVES[by]
    text = f"The gradient of {by} is {factor} times that of c_t instead of {right} times."
    variant(__name__, other_factor(by, factor), name, text, breaks, GRADIENT, shows)


@defect("GRAD-3", GRADIENT, "gradients, two steps or more or states given")
class GradientOfOldCellMissing(ReadableLSTM):
    """No gradient passes from c_t to c_{t-1}."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        return super().cell(x, h, with_gradient_times(0, c), w)


@defect("GRAD-3", GRADIENT, "gradients, two steps or more or states given")
class GradientPassesForgetGate(ReadableLSTM):
    """The gradient of c_{t-1} is that of c_t, not f times that."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = with_gradient_of(f * c.detach() + c, f * c) + i * g
        return self.project(o * self.tanh(c_t), w), c_t


# ---------------------------------------------------------------- the hidden state


@defect("GRAD-4", GRADIENT, "gradients, cotangent of output or h_n")
class GradientOfOutputGateTakesOldCell(ReadableLSTM):
    """The gradient of o is tanh(c_{t-1}) times that of h_t instead of tanh(c_t) times."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        shown = self.tanh(c_t)
        m = with_gradient_of(o * self.tanh(c.detach()) + o.detach() * shown, o * shown)
        return self.project(m, w), c_t


@defect("GRAD-4", GRADIENT, "gradients")
class GradientThroughShownCellMissing(ReadableLSTM):
    """No gradient passes from h_t through tanh(c_t) to c_t."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        return self.project(o * self.tanh(with_gradient_times(0, c_t)), w), c_t


@defect("GRAD-4", GRADIENT, "gradients, cotangent of output or h_n")
class GradientOfShownCellDoubled(ReadableLSTM):
    """What h_t adds to the gradient of c_t is too large by a factor of 2."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        return self.project(o * self.tanh(with_gradient_times(2, c_t)), w), c_t


@defect("GRAD-4", GRADIENT, "gradients, cotangent of output or h_n")
class GradientOfShownCellPassesTanh(ReadableLSTM):
    """The gradient of c_t is o times that of h_t, without 1 - tanh(c_t)^2."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        return self.project(o * with_gradient_of(c_t, self.tanh(c_t)), w), c_t


@defect("GRAD-4", GRADIENT, "gradients, proj_size > 0, cotangent of output or h_n")
class GradientPassesProjection(ReadableLSTM):
    """The gradient of o * tanh(c_t) is that of h_t with zeros behind it, not W_hr^T times that."""

    def project(self, m: Tensor, w: Weights) -> Tensor:
        if w.W_hr is None:
            return m
        h_t = super().project(m.detach(), w)
        return with_gradient_of(h_t + m[:, : self.output_size], h_t)
