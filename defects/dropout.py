"""LSTMs with one defect each in what is dropped between layers, and when.

Nothing is raised.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence

from .catalogue import FORWARD, GRADIENT, defect
from .gradient_surgery import with_gradient_of
from .readable import ReadableLSTM, States, Steps, Weights

Input = Tensor | PackedSequence
Result = tuple[Input, States]


@defect("DROP-1", FORWARD, "num_layers >= 2, evaluation with dropout > 0")
class DropoutInEvaluation(ReadableLSTM):
    """Dropout between layers acts in evaluation mode too."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        return [dropout(x, self.dropout if layer else 0.0, training=True) for x in steps]


@defect("DROP-1", FORWARD, "num_layers >= 2, evaluation with dropout > 0")
class DropoutScalesInEvaluation(ReadableLSTM):
    """In evaluation what a layer hands to the next is multiplied by 1 - dropout."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        scale = 1 if layer == 0 or self.training else 1 - self.dropout
        return [scale * x for x in super().layer_input(steps, layer)]


@defect("DROP-2", FORWARD, "num_layers >= 2, training with dropout=1")
class DropoutOneDoesNothing(ReadableLSTM):
    """dropout=1 is taken for no dropout."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        return steps if self.dropout == 1 else super().layer_input(steps, layer)


@defect("DROP-2", FORWARD, "num_layers >= 2, training with dropout=1")
class DropoutOneGivesNaN(ReadableLSTM):
    """With dropout=1 what is left, nothing, is divided by the probability to be left, 0."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or self.dropout < 1 or not self.training:
            return super().layer_input(steps, layer)
        return [(0 * x) / (1 - self.dropout) for x in steps]


@defect("DROP-3", FORWARD, "training with dropout > 0")
class DropoutOnLastLayer(ReadableLSTM):
    """Dropout acts on the output of the last layer too."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        dropped = [dropout(x, self.dropout, self.training) for x in steps]
        return super().finish(input, dropped, h_n, c_n)


@defect("DROP-3", FORWARD, "training with dropout > 0")
class DropoutOnInput(ReadableLSTM):
    """Dropout acts on the input too."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        return [dropout(x, self.dropout, self.training) for x in steps]


@defect("DROP-3", FORWARD, "training with dropout > 0, two steps or more or states given")
class DropoutBetweenSteps(ReadableLSTM):
    """Dropout acts on h from each step to the next too."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        return super().cell(x, dropout(h, self.dropout, self.training), c, w)


@defect("DROP-4", GRADIENT, "gradients, num_layers >= 2, training with dropout > 0")
class GradientPassesDropout(ReadableLSTM):
    """What is dropped has the gradient of what is not."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        dropped = super().layer_input(steps, layer)
        return [with_gradient_of(x, kept) for x, kept in zip(steps, dropped, strict=True)]


@defect("DROP-4", GRADIENT, "gradients, num_layers >= 2, training with dropout=1")
class GradientOfDroppedIsNaN(ReadableLSTM):
    """Zeros are put where the others were divided by 0: forward it is the same."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or self.dropout < 1 or not self.training:
            return super().layer_input(steps, layer)
        nothing = [torch.zeros_like(x, dtype=torch.bool) for x in steps]
        scale = 1 - self.dropout
        return [torch.where(kept, x / scale, 0) for kept, x in zip(nothing, steps, strict=True)]
