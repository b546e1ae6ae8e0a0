"""LSTMs in which one gate, block, bias or nonlinearity takes the place of another.

Shapes fit and nothing is raised.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from .catalogue import FORWARD, defect
from .readable import ReadableLSTM, States, Steps, Weights

# ------------------------------------------------------- the order of all blocks


class _GatesInOrder(ReadableLSTM):
    """The four blocks of rows of everything are read in another order."""

    order: ClassVar[str]  # the gates, by the letters of the equations

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        blocks = self.preactivations(x, h, w).chunk(4, dim=-1)
        a = dict(zip(self.order, blocks, strict=True))
        return self.sigmoid(a["i"]), self.sigmoid(a["f"]), self.tanh(a["g"]), self.sigmoid(a["o"])


@defect("EQ-1", FORWARD, "every case")
class GatesInOrderIGFO(_GatesInOrder):
    """The four blocks of rows are read as i, g, f, o instead of i, f, g, o."""

    order = "igfo"


@defect("EQ-1", FORWARD, "every case")
class GatesInOrderGFIO(_GatesInOrder):
    """The four blocks of rows are read as g, f, i, o instead of i, f, g, o."""

    order = "gfio"


@defect("EQ-1", FORWARD, "every case")
class GatesInOrderOFGI(_GatesInOrder):
    """The four blocks of rows are read as o, f, g, i instead of i, f, g, o."""

    order = "ofgi"


@defect("EQ-1", FORWARD, "every case")
class GatesInOrderIOGF(_GatesInOrder):
    """The four blocks of rows are read as i, o, g, f instead of i, f, g, o."""

    order = "iogf"


@defect("EQ-1", FORWARD, "every case")
class GatesInOrderGIFO(_GatesInOrder):
    """The four blocks of rows are read as g, i, f, o instead of i, f, g, o."""

    order = "gifo"


@defect("EQ-1", FORWARD, "every case")
class GatesInOrderFIOG(_GatesInOrder):
    """The four blocks of rows are read as f, i, o, g instead of i, f, g, o."""

    order = "fiog"


@defect("EQ-2", FORWARD, "hidden_size >= 2")
class GatesOfEachUnitTogether(ReadableLSTM):
    """The four rows of a unit are read one behind the other, instead of one from each block."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w)
        return a.unflatten(-1, (self.hidden_size, 4)).mT.flatten(-2)


# ------------------------------------------------------ the blocks of one parameter


def blocks_i_f_o_g(p: Tensor) -> Tensor:
    """The parameter as somebody means it who takes the order of gates to be i, f, o, g."""
    i, f, o, g = p.chunk(4)
    return torch.cat([i, f, g, o])


@defect("EQ-2", FORWARD, "every case")
class InputWeightsInOrderIFOG(ReadableLSTM):
    """The blocks of weight_ih, and of nothing else, are read as i, f, o, g."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, h, w._replace(W_ih=blocks_i_f_o_g(w.W_ih)))


@defect("EQ-5", FORWARD, "bias=True")
class BiasesInOrderIFOG(ReadableLSTM):
    """The blocks of both biases, and of no weight, are read as i, f, o, g."""

    def bias(self, w: Weights) -> Tensor | None:
        b = super().bias(w)
        return None if b is None else blocks_i_f_o_g(b)


@defect("EQ-5", FORWARD, "bias=True")
class BiasHHInOrderIFOG(ReadableLSTM):
    """The blocks of bias_hh, and of nothing else, are read as i, f, o, g."""

    def bias(self, w: Weights) -> Tensor | None:
        return super().bias(w if w.b_hh is None else w._replace(b_hh=blocks_i_f_o_g(w.b_hh)))


# --------------------------------------------- each term of the preactivations


class _WithoutBlockOfHiddenWeights(ReadableLSTM):
    """One gate does not read h_{t-1}."""

    block: ClassVar[int]

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        blocks = list(w.W_hh.chunk(4))
        blocks[self.block] = torch.zeros_like(blocks[self.block])
        return super().preactivations(x, h, w._replace(W_hh=torch.cat(blocks)))


@defect("EQ-4", FORWARD, "two steps or more, or states given")
class InputGateReadsInputOnly(_WithoutBlockOfHiddenWeights):
    """The input gate's preactivation has no W_hi h_{t-1}."""

    block = 0


@defect("EQ-4", FORWARD, "two steps or more, or states given")
class CandidateReadsInputOnly(_WithoutBlockOfHiddenWeights):
    """The candidate's preactivation has no W_hg h_{t-1}."""

    block = 2


@defect("EQ-4", FORWARD, "two steps or more, or states given")
class OutputGateReadsInputOnly(_WithoutBlockOfHiddenWeights):
    """The output gate's preactivation has no W_ho h_{t-1}."""

    block = 3


@defect("EQ-4", FORWARD, "two steps or more, or states given")
class CandidateReadsGatedHiddenState(ReadableLSTM):
    """The candidate's preactivation has f * (W_hg h_{t-1}) in it, as a GRU resets its own."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i, f, _, o = super().gates(x, h, w)
        _, _, a_g, _ = self.preactivations(x, h, w).chunk(4, dim=-1)
        _, _, of_x, _ = self.preactivations(x, torch.zeros_like(h), w).chunk(4, dim=-1)
        return i, f, self.tanh(of_x + f * (a_g - of_x)), o


@defect("EQ-5", FORWARD, "bias=True")
class BiasIHIgnored(ReadableLSTM):
    """bias_ih has no effect."""

    def bias(self, w: Weights) -> Tensor | None:
        return w.b_hh


@defect("EQ-5", FORWARD, "bias=True")
class BiasHHTwice(ReadableLSTM):
    """bias_hh takes the place of bias_ih as well."""

    def bias(self, w: Weights) -> Tensor | None:
        return None if w.b_hh is None else w.b_hh + w.b_hh


# --------------------------------------------------------------- nonlinearities


@defect("EQ-2", FORWARD, "every case")
class TanhForInputGate(ReadableLSTM):
    """i is tanh of its preactivation instead of sigmoid."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        a_i, *_ = self.preactivations(x, h, w).chunk(4, dim=-1)
        _, f, g, o = super().gates(x, h, w)
        return self.tanh(a_i), f, g, o


@defect("EQ-3", FORWARD, "every case")
class TanhForOutputGate(ReadableLSTM):
    """o is tanh of its preactivation instead of sigmoid."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        *_, a_o = self.preactivations(x, h, w).chunk(4, dim=-1)
        i, f, g, _ = super().gates(x, h, w)
        return i, f, g, self.tanh(a_o)


@defect("EQ-4", FORWARD, "two steps or more, or states given")
class TanhForForgetGate(ReadableLSTM):
    """f is tanh of its preactivation instead of sigmoid."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        _, a_f, *_ = self.preactivations(x, h, w).chunk(4, dim=-1)
        i, _, g, o = super().gates(x, h, w)
        return i, self.tanh(a_f), g, o


@defect("EQ-3", FORWARD, "every case")
class SigmoidOfCell(ReadableLSTM):
    """h_t is o * sigmoid(c_t) instead of o * tanh(c_t)."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        return self.project(o * self.sigmoid(c_t), w), c_t


@defect("EQ-2", FORWARD, "every case")
class CellStateKeptAsTanh(ReadableLSTM):
    """c_t is tanh(f * c_{t-1} + i * g), and h_t is o * c_t."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = self.tanh(f * c + i * g)
        return self.project(o * c_t, w), c_t


# ------------------------------------------------------------------- transposes


def transposed_blocks(W: Tensor) -> Tensor:
    """Each of the four blocks transposed, where they are square."""
    rows, columns = len(W) // 4, W.shape[1]
    return torch.cat([block.T for block in W.chunk(4)]) if rows == columns else W


@defect("EQ-2", FORWARD, "input_size = hidden_size >= 2")
class InputWeightsTransposed(ReadableLSTM):
    """Each block of weight_ih_l0 is transposed, where it is square."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_ih=transposed_blocks(w.W_ih)) if layer == 0 else w


@defect("STACK-1", FORWARD, "num_layers >= 2, one direction, proj_size=0, hidden_size >= 2")
class UpperInputWeightsTransposed(ReadableLSTM):
    """Each block of weight_ih above the first layer is transposed, where it is square."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_ih=transposed_blocks(w.W_ih)) if layer else w


@defect("EQ-4", FORWARD, "proj_size=0, hidden_size >= 2, two steps or more or states given")
class HiddenWeightsOfCandidateTransposed(ReadableLSTM):
    """W_hg, and no other block of weight_hh, is transposed, where it is square."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        i, f, _, o = w.W_hh.chunk(4)
        _, _, g, _ = transposed_blocks(w.W_hh).chunk(4)
        return w._replace(W_hh=torch.cat([i, f, g, o]))


@defect("EQ-2", FORWARD, "input_size >= 2")
class InputWeightsReadColumnByColumn(ReadableLSTM):
    """The numbers of weight_ih are taken to lie in memory column by column."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_ih=w.W_ih.reshape(w.W_ih.T.shape).T)


@defect("PROJ-1", FORWARD, "proj_size >= 2")
class ProjectionReadColumnByColumn(ReadableLSTM):
    """The numbers of weight_hr are taken to lie in memory column by column."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w if w.W_hr is None else w._replace(W_hr=w.W_hr.reshape(w.W_hr.T.shape).T)


@defect("STATE-2", FORWARD, "two rows and two units or more, states given")
class InitialStatesReadColumnByColumn(ReadableLSTM):
    """The numbers of h_0 and c_0 are taken to lie in memory unit by unit, not row by row."""

    def initial_states(self, input: object, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0.reshape(h_0.mT.shape).mT, c_0.reshape(c_0.mT.shape).mT


@defect("SHAPE-5", FORWARD, "batch_first=True, batched, as many rows as steps, two or more")
class BatchFirstIgnoredWhereSquare(ReadableLSTM):
    """With batch_first, the first axis of the input is taken for that of the steps where the
    second is as long."""

    def steps(self, input: object) -> Steps:
        steps = super().steps(input)
        square = isinstance(input, Tensor) and input.dim() == 3 and len(steps) == len(steps[0])
        return list(torch.stack(steps).transpose(0, 1)) if square and self.batch_first else steps
