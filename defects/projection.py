"""LSTMs with one defect each in the projection of h_t.

Shapes fit and nothing is raised.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import pad

from .catalogue import FORWARD, defect, variant
from .other_parameters import parameters_from
from .readable import ReadableLSTM, Steps, Weights

# ------------------------------------------------------------------- what is projected


@defect("PROJ-1", FORWARD, "proj_size > 0")
class ProjectionIgnored(ReadableLSTM):
    """h_t is the first R features of o * tanh(c_t)."""

    def project(self, m: Tensor, w: Weights) -> Tensor:
        return m[:, : self.output_size]


@defect("PROJ-1", FORWARD, "proj_size > 0")
class ProjectionBeforeOutputGate(ReadableLSTM):
    """h_t is o * (W_hr tanh(c_t)), with the first R features of o."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = f * c + i * g
        return o[:, : self.output_size] * self.project(self.tanh(c_t), w), c_t


@defect("PROJ-1", FORWARD, "proj_size > 0")
class ProjectionFollowedByTanh(ReadableLSTM):
    """h_t is the tanh of what is projected."""

    def project(self, m: Tensor, w: Weights) -> Tensor:
        return m if w.W_hr is None else self.tanh(super().project(m, w))


@defect("PROJ-1", FORWARD, "proj_size >= 2")
class ProjectionReadColumnByColumn(ReadableLSTM):
    """The numbers of weight_hr are taken to lie in memory column by column."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w if w.W_hr is None else w._replace(W_hr=w.W_hr.reshape(w.W_hr.T.shape).T)


@defect("PROJ-2", FORWARD, "proj_size > 0")
class FinalCellProjected(ReadableLSTM):
    """c_n is W_hr c_n, with zeros behind it."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, c = super().direction(steps, h, c, w, reverse)
        return output, h, pad(self.project(c, w), (0, self.hidden_size - self.output_size))


@defect("PROJ-3", FORWARD, "proj_size > 0, two steps or more")
class ProjectionOnlyOnOutput(ReadableLSTM):
    """W_hr makes what a layer puts out; the recurrence reads the first R features before it."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if w.W_hr is None:
            return super().direction(steps, h, c, w, reverse)
        wider = self.hidden_size - self.output_size
        # A recurrence over all H features that multiplies those above R by zero.
        unprojected = w._replace(W_hh=pad(w.W_hh, (0, wider)), W_hr=None)
        output, m, c = super().direction(steps, pad(h, (0, wider)), c, unprojected, reverse)
        return [self.project(m_t, w) for m_t in output], self.project(m, w), c


@defect("PROJ-3", FORWARD, "proj_size > 0, two steps or more or states given")
class CellStateProjectedBetweenSteps(ReadableLSTM):
    """Of c_{t-1} the next step sees the first R features only."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        wider = self.hidden_size - self.output_size
        return super().cell(x, h, pad(c[:, : self.output_size], (0, wider)), w)


# --------------------------------------------- weight_hr of another layer or direction


for name, shows, text, place in (
    (
        "ProjectionOfLayer0InEveryLayer",
        "proj_size > 0, num_layers >= 2",
        "weight_hr_l0 takes the place of that of the other layers.",
        lambda lstm, layer, d: (0, d),
    ),
    (
        "ProjectionOfLastLayerInEveryLayer",
        "proj_size > 0, num_layers >= 2",
        "weight_hr of the last layer takes the place of that of the other layers.",
        lambda lstm, layer, d: (lstm.num_layers - 1, d),
    ),
    (
        "ReverseUsesForwardProjection",
        "proj_size > 0, bidirectional",
        "weight_hr takes the place of weight_hr_reverse.",
        lambda lstm, layer, d: (layer, 0),
    ),
):
    variant(__name__, parameters_from(place, ("W_hr",)), name, text, "PROJ-4", FORWARD, shows)
