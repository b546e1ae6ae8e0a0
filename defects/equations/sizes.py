"""LSTMs that are right for the sizes that are usually tried, and wrong for others."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..catalogue import FORWARD, GRADIENT, INTERFACE, NUMERICAL, defect
from ..gradient_surgery import with_gradient_times
from ..readable import Input, ReadableLSTM, Result, States, Steps, Weights

# --------------------------------------------------------------------- sizes of one


@defect("EQ-7", INTERFACE, "one layer and direction, or one row, or one unit")
class AxesOfOneDropped(ReadableLSTM):
    """All axes of length 1 are dropped from the final states."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, (h_n, c_n) = super().finish(input, steps, h_n, c_n)
        return output, (h_n.squeeze(), c_n.squeeze())


@defect("EQ-7", FORWARD, "hidden_size=1, two steps or more or states given")
class OneUnitHasOneRecurrentWeight(ReadableLSTM):
    """With one hidden unit the recurrent weights of the input gate serve all gates."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_hh=w.W_hh[:1].expand_as(w.W_hh)) if self.hidden_size == 1 else w


# ----------------------------------------------------------------------- many steps


@defect("EQ-8", NUMERICAL, "more than 64 steps")
class StepsBeyond64Wrong(ReadableLSTM):
    """The cell state is rounded to bfloat16 after the 64th step."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if reverse or len(steps) <= 64:
            return super().direction(steps, h, c, w, reverse)
        first, h, c = super().direction(steps[:64], h, c, w, reverse)
        rest, h, c = super().direction(steps[64:], h, c.bfloat16().to(c.dtype), w, reverse)
        return first + rest, h, c


@defect("EQ-8", GRADIENT, "gradients, more than 100 steps")
class GradientsOfLastHundredSteps(ReadableLSTM):
    """No gradient passes further back than the last hundred steps."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if reverse or len(steps) <= 100:
            return super().direction(steps, h, c, w, reverse)
        first, h, c = super().direction(steps[:-100], h, c, w, reverse)
        rest, h, c = super().direction(steps[-100:], h.detach(), c.detach(), w, reverse)
        return first + rest, h, c


@defect("EQ-8", GRADIENT, "gradients, more than 64 steps")
class GradientOfWeightHHOfFirst64Steps(ReadableLSTM):
    """Steps beyond the 64th add nothing to the gradient of weight_hh."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if reverse or len(steps) <= 64:
            return super().direction(steps, h, c, w, reverse)
        first, h, c = super().direction(steps[:64], h, c, w, reverse)
        constant = w._replace(W_hh=with_gradient_times(0, w.W_hh))
        rest, h, c = super().direction(steps[64:], h, c, constant, reverse)
        return first + rest, h, c


# ----------------------------------------------------- many units, rows and features


@defect("EQ-9", FORWARD, "hidden_size > 128, two steps or more or states given")
class UnitsBeyond128Wrong(ReadableLSTM):
    """Units beyond the 128th have the forget gate of the 128th."""

    def gates(self, x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i, f, g, o = super().gates(x, h, w)
        index = torch.arange(f.shape[-1], device=f.device).clamp(max=127)
        return i, f[:, index], g, o


@defect("EQ-9", FORWARD, "more than 32 rows, states given")
class RowsBeyond32Wrong(ReadableLSTM):
    """Rows beyond the 32nd start from the states of the 32nd."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        index = torch.arange(h_0.shape[1], device=h_0.device).clamp(max=31)
        return h_0[:, index], c_0[:, index]


@defect("EQ-9", FORWARD, "input_size > 64")
class FeaturesBeyond64Ignored(ReadableLSTM):
    """Features of the input beyond the 64th are read as zeros."""

    def steps(self, input: Input) -> Steps:
        beyond = max(self.input_size - 64, 0)
        return [pad(x[:, :64], (0, beyond)) for x in super().steps(input)]


@defect("EQ-9", GRADIENT, "gradients, more than 32 rows")
class GradientOfRowsBeyond32Missing(ReadableLSTM):
    """No gradient passes through the gates of rows beyond the 32nd."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w)
        return torch.cat([a[:32], with_gradient_times(0, a[32:])])


@defect("EQ-9", GRADIENT, "gradients, hidden_size > 128, cotangent of output or h_n")
class GradientOfUnitsBeyond128Missing(ReadableLSTM):
    """Units beyond the 128th get no gradient from h_t."""

    def project(self, m: Tensor, w: Weights) -> Tensor:
        kept = torch.cat([m[:, :128], with_gradient_times(0, m[:, 128:])], dim=-1)
        return super().project(kept, w)
