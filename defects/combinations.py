"""LSTMs with one defect each that shows where three arguments meet, and nowhere else.

Shapes fit and nothing is raised.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .catalogue import FORWARD, GRADIENT, defect
from .gradient_surgery import with_gradient_times
from .readable import ReadableLSTM, States, Steps, Weights

Input = Tensor | PackedSequence
Result = tuple[Input, States]


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
