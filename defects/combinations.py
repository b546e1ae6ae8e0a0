"""LSTMs with one defect each that shows only where several arguments or sizes meet.

Nothing is raised.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .catalogue import FORWARD, GRADIENT, INTERFACE, defect
from .gradient_surgery import with_gradient_of, with_gradient_times
from .readable import Input, ReadableLSTM, Result, States, Steps, Weights

# --------------------------------------------------------------------- arguments


@defect("COMB-1", FORWARD, "proj_size > 0, bidirectional, packed with unsorted lengths")
class FinalHiddenOfProjectedReverseStaysSorted(ReadableLSTM):
    """With a projection, rows of h_n stay sorted in the reverse direction."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        projected = self.output_size < self.hidden_size
        if isinstance(input, PackedSequence) and projected and self.num_directions == 2:
            states = torch.stack([states[0][0::2], h_n[1::2]], dim=1).flatten(0, 1), states[1]
        return output, states


@defect("COMB-1", FORWARD, "proj_size > 0, unbatched, states given")
class C0OfProjectedUnbatchedIgnored(ReadableLSTM):
    """With a projection, the cell states of unbatched input always start from zeros."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        unbatched = isinstance(input, Tensor) and input.dim() == 2
        ignored = unbatched and self.output_size < self.hidden_size
        return h_0, torch.zeros_like(c_0) if ignored else c_0


@defect("COMB-1", FORWARD, "num_layers >= 3, bias=True, evaluation with dropout > 0")
class ThirdLayerWithoutBiasUnderIdleDropout(ReadableLSTM):
    """In evaluation with dropout > 0, the third layer has no biases."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        wrong = layer == 2 and self.dropout > 0 and not self.training
        return w._replace(b_ih=None, b_hh=None) if wrong else w


@defect("COMB-1", FORWARD, "num_layers >= 2, bidirectional")
class ParametersReadDirectionMajor(ReadableLSTM):
    """Layers and directions take the parameters of one another, where shapes are the same: they
    are read as all of the forward direction, then all of the reverse one."""

    def weights(self, layer: int, d: int) -> Weights:
        own = super().weights(layer, d)
        d, layer = divmod(layer * self.num_directions + d, self.num_layers)
        pairs = zip(own, super().weights(layer, d), strict=True)
        return Weights(*(q if q is None or q.shape == p.shape else p for p, q in pairs))


@defect("COMB-1", FORWARD, "batch_first=True, num_layers >= 2 or bidirectional, two rows or more")
class InitialStatesBatchFirst(ReadableLSTM):
    """With batch_first, the numbers of h_0 and c_0 are taken to lie row of the batch after row."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        if not self.batch_first:
            return h_0, c_0
        return tuple(x.reshape(x.transpose(0, 1).shape).transpose(0, 1) for x in (h_0, c_0))


@defect("COMB-1", INTERFACE, "two modules of the same sizes, one with bias=False")
class BiasOfFirstModule(ReadableLSTM):
    """Whether biases are added is decided by the first module of the same sizes."""

    known: ClassVar[dict[Any, bool]] = {}

    def bias(self, w: Weights) -> Tensor | None:
        sizes = self.input_size, self.hidden_size, self.num_layers, self.num_directions
        return super().bias(w) if self.known.setdefault(sizes, w.b_ih is not None) else None


@defect("COMB-2", GRADIENT, "gradients, proj_size > 0, states given, evaluation with dropout > 0")
class GradientOfC0MissingUnderIdleDropout(ReadableLSTM):
    """In evaluation with dropout > 0 and a projection, c_0 has gradient zero."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        idle = self.dropout > 0 and not self.training
        wrong = idle and self.output_size < self.hidden_size
        return h_0, with_gradient_times(0, c_0) if wrong else c_0


@defect("COMB-2", GRADIENT, "gradients, num_layers >= 3, bidirectional, bias=False")
class GradientOfWeightHHMissingInThirdReverseWithoutBias(ReadableLSTM):
    """Without bias, weight_hh_l2_reverse has gradient zero."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        wrong = layer == 2 and d == 1 and w.b_ih is None
        return w._replace(W_hh=with_gradient_times(0, w.W_hh)) if wrong else w


# ------------------------------------------------------------ as many rows as steps


@defect("COMB-3", FORWARD, "num_layers >= 2, batch_first=True, as many rows as steps")
class UpperLayersTakeRowsForSteps(ReadableLSTM):
    """With batch_first, a layer above the first takes the rows below for steps, if as many."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        if layer == 0 or not self.batch_first or {len(x) for x in steps} != {len(steps)}:
            return steps
        return list(torch.stack(steps).transpose(0, 1))


@defect("COMB-3", GRADIENT, "gradients, batch_first=True, as many rows as steps")
class GradientOfInputNotTransposed(ReadableLSTM):
    """With batch_first the gradient of the input has the steps first, if there are as many rows."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if isinstance(input, Tensor) and input.dim() == 3 and self.batch_first:
            turned = input.transpose(0, 1)
            input = with_gradient_of(turned, input) if turned.shape == input.shape else input
        return super().forward(input, hx)


# --------------------------------------------------- as many rows as something else


@defect("COMB-3", FORWARD, "num_layers >= 2, states given, as many rows as layers and directions")
class StatesTakenForRowsFirst(ReadableLSTM):
    """h_0 and c_0 have the rows first, if there are as many as layers and directions."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        if hx is None or self.num_layers == 1 or len(h_0) != h_0.shape[1]:
            return h_0, c_0
        return h_0.transpose(0, 1), c_0.transpose(0, 1)


@defect("COMB-3", FORWARD, "a projection, as many rows as projected features")
class ProjectedStatesTransposed(ReadableLSTM):
    """h_n has the features of a row where its rows belong, if there are as many."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, (h_n, c_n) = super().finish(input, steps, h_n, c_n)
        if h_n.shape[-1] != c_n.shape[-1] and h_n.shape[-1] == h_n.shape[-2]:
            h_n = h_n.transpose(-1, -2)
        return output, (h_n, c_n)


# ----------------------------------------------------------------- beyond some size


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

    def steps(self, input: Input) -> Steps:
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

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h, c = super().initial_states(input, hx, steps)
        if isinstance(input, Tensor):
            return h, c
        keep = (torch.arange(h.shape[1], device=h.device) < 8)[:, None]
        return h * keep, c * keep
