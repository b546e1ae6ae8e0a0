"""LSTMs with one defect each in their gates: in what order they are, and how they are made.

Shapes fit and nothing is raised.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..catalogue import FORWARD, defect, variant
from ..readable import ReadableLSTM, Weights

# ------------------------------------------------------------------ their order


def gates_in_order(order: str) -> type[ReadableLSTM]:
    """The four blocks of rows are the gates in ``order``, by the letters of the equations."""

    class Variant(ReadableLSTM):
        def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
            blocks = self.preactivations(x, h, w).chunk(4, dim=-1)
            a = dict(zip(order, blocks, strict=True))
            a_i, a_f, a_g, a_o = (a[gate] for gate in "ifgo")
            return self.sigmoid(a_i), self.sigmoid(a_f), self.tanh(a_g), self.sigmoid(a_o)

    return Variant


for name, order in (
    ("GatesInOrderIOFG", "iofg"),
    ("GatesInOrderIFOG", "ifog"),
    ("GatesInOrderIGFO", "igfo"),
    ("GatesInOrderGFIO", "gfio"),
    ("GatesInOrderOFGI", "ofgi"),
    ("GatesInOrderIOGF", "iogf"),
    ("GatesInOrderGIFO", "gifo"),
    ("GatesInOrderFIOG", "fiog"),
):
    text = f"The four blocks of rows are read as {', '.join(order)} instead of i, f, g, o."
    variant(__name__, gates_in_order(order), name, text, "EQ-1", FORWARD, "every case")


@defect("EQ-2", FORWARD, "hidden_size >= 2")
class GatesOfEachUnitTogether(ReadableLSTM):
    """The four rows of a unit are read one behind the other, instead of one from each block."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w)
        return a.unflatten(-1, (self.hidden_size, 4)).mT.flatten(-2)


# ----------------------------------------------------------- their nonlinearities


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


def tanh_for_gate(block: int) -> type[ReadableLSTM]:
    """One gate, by the number of its block of rows, is tanh of its preactivation."""

    class Variant(ReadableLSTM):
        def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
            a = self.preactivations(x, h, w).chunk(4, dim=-1)[block]
            gates = list(super().gates(x, h, w))
            gates[block] = self.tanh(a)
            i, f, g, o = gates
            return i, f, g, o

    return Variant


for name, breaks, shows, gate, block in (
    ("TanhForInputGate", "EQ-2", "every case", "i", 0),
    ("TanhForOutputGate", "EQ-3", "every case", "o", 3),
    ("TanhForForgetGate", "EQ-4", "two steps or more, or states given", "f", 1),
):
    text = f"{gate} is tanh of its preactivation instead of sigmoid."
    variant(__name__, tanh_for_gate(block), name, text, breaks, FORWARD, shows)


@defect("EQ-2", FORWARD, "every case")
class HardSigmoid(ReadableLSTM):
    """sigmoid(x) is x / 4 + 1 / 2 between 0 and 1."""

    def sigmoid(self, x: Tensor) -> Tensor:
        return (x / 4 + 0.5).clamp(0, 1)


# ------------------------------------------------------------ what they are made of


@defect("EQ-2", FORWARD, "every case")
class InputGateIsOneMinusForgetGate(ReadableLSTM):
    """The input gate is 1 - f, whatever its weights."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        _, f, g, o = super().gates(x, h, w)
        return 1 - f, f, g, o


@defect("EQ-4", FORWARD, "two steps or more, or states given")
class ForgetBiasOne(ReadableLSTM):
    """The forget gate's preactivation is 1 too large, as other libraries define it."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a_i, a_f, a_g, a_o = super().preactivations(x, h, w).chunk(4, dim=-1)
        return torch.cat([a_i, a_f + 1, a_g, a_o], dim=-1)


@defect("EQ-4", FORWARD, "two steps or more, or states given")
class CandidateReadsGatedHiddenState(ReadableLSTM):
    """The candidate's preactivation has f * (W_hg h_{t-1}) in it, as a GRU resets its own."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i, f, _, o = super().gates(x, h, w)
        _, _, a_g, _ = self.preactivations(x, h, w).chunk(4, dim=-1)
        _, _, of_x, _ = self.preactivations(x, torch.zeros_like(h), w).chunk(4, dim=-1)
        return i, f, self.tanh(of_x + f * (a_g - of_x)), o
