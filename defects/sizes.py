"""LSTMs that are right for sizes that are usually tried, and wrong for others."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .catalogue import FORWARD, GRADIENT, INTERFACE, NUMERICAL, defect
from .readable import ReadableLSTM, States, Steps, Weights


@defect("EQ-7", INTERFACE, "one layer and direction, or one row, or one unit")
class AxesOfOneDropped(ReadableLSTM):
    """All axes of length 1 are dropped from the final states."""

    def finish(
        self, input: Tensor | PackedSequence, steps: Steps, h_n: Tensor, c_n: Tensor
    ) -> tuple[Tensor | PackedSequence, States]:
        output, (h_n, c_n) = super().finish(input, steps, h_n, c_n)
        return output, (h_n.squeeze(), c_n.squeeze())


@defect("EQ-7", FORWARD, "hidden_size=1, two steps or more or states given")
class OneUnitHasOneRecurrentWeight(ReadableLSTM):
    """With one hidden unit the recurrent weights of the input gate serve all gates."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_hh=w.W_hh[:1].expand_as(w.W_hh)) if self.hidden_size == 1 else w


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

    def initial_states(
        self, input: Tensor | PackedSequence, hx: States | None, steps: Steps
    ) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        index = torch.arange(h_0.shape[1], device=h_0.device).clamp(max=31)
        return h_0[:, index], c_0[:, index]


@defect("COMB-3", FORWARD, "bidirectional, more than 64 steps")
class ReverseStepsBeyond64Wrong(ReadableLSTM):
    """The cell state is rounded to bfloat16 after the reverse direction has read 64 steps."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if not reverse or len(steps) <= 64:
            return super().direction(steps, h, c, w, reverse)
        first, h, c = super().direction(steps[-64:], h, c, w, reverse)
        rest, h, c = super().direction(steps[:-64], h, c.bfloat16().to(c.dtype), w, reverse)
        return rest + first, h, c


@defect("COMB-3", FORWARD, "packed, more than 64 steps")
class PackedStepsBeyond64Ignored(ReadableLSTM):
    """Of packed rows with more than 64 steps the input beyond is taken for zeros."""

    def steps(self, input: Tensor | PackedSequence) -> Steps:
        steps = super().steps(input)
        if isinstance(input, Tensor):
            return steps
        return [x if t < 64 else torch.zeros_like(x) for t, x in enumerate(steps)]


@defect("COMB-3", FORWARD, "bidirectional, more than 128 units")
class ReverseUnitsBeyond128Wrong(ReadableLSTM):
    """In reverse, units beyond the 128th start from the cell state of the 128th."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        index = torch.arange(c.shape[-1], device=c.device).clamp(max=127)
        return super().direction(steps, h, c[:, index] if reverse else c, w, reverse)


@defect("COMB-3", FORWARD, "proj_size > 64")
class ProjectedFeaturesBeyond64Wrong(ReadableLSTM):
    """Features of a projection beyond the 64th are zero."""

    def project(self, m: Tensor, w: Weights) -> Tensor:
        h = super().project(m, w)
        return h if w.W_hr is None else torch.cat([h[:, :64], 0 * h[:, 64:]], dim=-1)


@defect("COMB-3", FORWARD, "num_layers >= 2, more than 64 features between layers")
class UpperFeaturesBeyond64Ignored(ReadableLSTM):
    """Features beyond the 64th of what upper layers read are taken for zeros."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        return [torch.cat([x[:, :64], 0 * x[:, 64:]], dim=-1) for x in steps] if layer else steps


@defect("COMB-3", FORWARD, "packed, more than 8 rows, states given")
class PackedRowsBeyond8StartFromZeros(ReadableLSTM):
    """Packed rows beyond the 8th start from zeros."""

    def initial_states(
        self, input: Tensor | PackedSequence, hx: States | None, steps: Steps
    ) -> States:
        h, c = super().initial_states(input, hx, steps)
        if isinstance(input, Tensor):
            return h, c
        keep = (torch.arange(h.shape[1], device=h.device) < 8)[:, None]
        return h * keep, c * keep


@defect("STACK-1", FORWARD, "num_layers >= 4")
class FourthLayerUsesThird(ReadableLSTM):
    """The fourth layer has the hidden weights of the third."""

    def weights(self, layer: int, d: int) -> Weights:
        return super().weights(layer, d)._replace(W_hh=super().weights(min(layer, 2), d).W_hh)
