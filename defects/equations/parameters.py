"""LSTMs with one defect each in how weights and biases enter the gates.

Shapes fit and nothing is raised.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..catalogue import FORWARD, NUMERICAL, defect, variant
from ..fewer_digits import in_format
from ..readable import ReadableLSTM, Weights
from ..weight_blocks import read_in_order, transposed_blocks

LATER = "two steps or more, or states given"


# ------------------------------------------------------ the blocks of one parameter


def blocks_in_order(order: str, *roles: str) -> type[ReadableLSTM]:
    """The blocks of some parameters, and of no others, are read in another order."""

    class Variant(ReadableLSTM):
        def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
            own = {role: getattr(w, role) for role in roles}
            wrong = {r: None if p is None else read_in_order(order, p) for r, p in own.items()}
            return super().preactivations(x, h, w._replace(**wrong))

    return Variant


for name, breaks, shows, roles, which, order in (
    (
        "InputWeightsInOrderIFOG",
        "EQ-2",
        "every case",
        ["W_ih"],
        "weight_ih, and of nothing else,",
        "ifog",
    ),
    (
        "HiddenWeightsInOrderIOFG",
        "EQ-4",
        LATER,
        ["W_hh"],
        "weight_hh, and of nothing else,",
        "iofg",
    ),
    (
        "BiasesInOrderIFOG",
        "EQ-5",
        "bias=True",
        ["b_ih", "b_hh"],
        "both biases, and of no weight,",
        "ifog",
    ),
    ("BiasHHInOrderIFOG", "EQ-5", "bias=True", ["b_hh"], "bias_hh, and of nothing else,", "ifog"),
):
    text = f"The blocks of {which} are read as {', '.join(order)}."
    variant(__name__, blocks_in_order(order, *roles), name, text, breaks, FORWARD, shows)


# ---------------------------------------------------------------------- transposes


@defect("EQ-2", FORWARD, "input_size = hidden_size >= 2")
class InputWeightsTransposed(ReadableLSTM):
    """Each block of weight_ih_l0 is transposed, where it is square."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_ih=transposed_blocks(w.W_ih)) if layer == 0 else w


@defect("EQ-2", FORWARD, "input_size >= 2")
class InputWeightsReadColumnByColumn(ReadableLSTM):
    """The numbers of weight_ih are taken to lie in memory column by column."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_ih=w.W_ih.reshape(w.W_ih.T.shape).T)


@defect("EQ-4", FORWARD, "proj_size=0, hidden_size >= 2, two steps or more or states given")
class HiddenWeightsTransposed(ReadableLSTM):
    """Each block of weight_hh is transposed, where it is square."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if w.W_hr is None:
            w = w._replace(W_hh=torch.cat([block.T for block in w.W_hh.chunk(4)]))
        return super().preactivations(x, h, w)


@defect("EQ-4", FORWARD, "proj_size=0, hidden_size >= 2, two steps or more or states given")
class HiddenWeightsOfCandidateTransposed(ReadableLSTM):
    """W_hg, and no other block of weight_hh, is transposed, where it is square."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        i, f, _, o = w.W_hh.chunk(4)
        _, _, g, _ = transposed_blocks(w.W_hh).chunk(4)
        return w._replace(W_hh=torch.cat([i, f, g, o]))


# ----------------------------------------------- which weights meet which numbers


def without_hidden_weights_of_gate(block: int) -> type[ReadableLSTM]:
    """One gate, by the number of its block of rows, does not read h_{t-1}."""

    class Variant(ReadableLSTM):
        def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
            blocks = list(w.W_hh.chunk(4))
            blocks[block] = torch.zeros_like(blocks[block])
            return super().preactivations(x, h, w._replace(W_hh=torch.cat(blocks)))

    return Variant


for name, gate, weights, block in (
    ("InputGateReadsInputOnly", "input gate", "W_hi", 0),
    ("ForgetGateReadsInputOnly", "forget gate", "W_hf", 1),
    ("CandidateReadsInputOnly", "candidate", "W_hg", 2),
    ("OutputGateReadsInputOnly", "output gate", "W_ho", 3),
):
    text = f"The {gate}'s preactivation has no {weights} h_{{t-1}}."
    variant(__name__, without_hidden_weights_of_gate(block), name, text, "EQ-4", FORWARD, LATER)


@defect("EQ-4", FORWARD, "as many features of x_t as of h_t")
class InputAndHiddenWeightsExchanged(ReadableLSTM):
    """weight_ih multiplies h_{t-1} and weight_hh x_t, where their shapes are the same."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(*((h, x) if h.shape == x.shape else (x, h)), w)


# ---------------------------------------------------------------------- the biases


def bias_is(*roles: str) -> type[ReadableLSTM]:
    """What is added in the gates is the sum of these biases."""

    class Variant(ReadableLSTM):
        def bias(self, w: Weights) -> Tensor | None:
            first, *others = (getattr(w, role) for role in roles)
            return first if first is None else sum(others, first)

    return Variant


for name, text, roles in (
    ("BiasHHIgnored", "bias_hh has no effect.", ["b_ih"]),
    ("BiasIHIgnored", "bias_ih has no effect.", ["b_hh"]),
    ("BiasIHTwice", "bias_ih takes the place of bias_hh as well.", ["b_ih", "b_ih"]),
    ("BiasHHTwice", "bias_hh takes the place of bias_ih as well.", ["b_hh", "b_hh"]),
):
    variant(__name__, bias_is(*roles), name, text, "EQ-5", FORWARD, "bias=True")


@defect("EQ-5", FORWARD, "bias=True")
class BiasHHMissingFromCandidate(ReadableLSTM):
    """bias_hh is added in the gates i, f and o only."""

    def bias(self, w: Weights) -> Tensor | None:
        if w.b_ih is None or w.b_hh is None:
            return None
        i, f, g, o = w.b_hh.chunk(4)
        return w.b_ih + torch.cat([i, f, 0 * g, o])


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


@defect("EQ-5", NUMERICAL, "float64, bias=True")
class BiasesAddedInFloat32(ReadableLSTM):
    """The sum of the biases is rounded to float32."""

    def bias(self, w: Weights) -> Tensor | None:
        b = super().bias(w)
        return None if b is None else in_format(b, torch.float32)
