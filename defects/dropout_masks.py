"""LSTMs that drop something between layers, but not as they should."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import dropout

from .catalogue import FORWARD, GRADIENT, INTERFACE, defect
from .readable import ReadableLSTM, Steps


def masks(steps: Steps, p: float) -> Steps:
    """A mask of zeros and 1 / (1 - p) for each step."""
    return [dropout(torch.ones_like(x), p) for x in steps]


@defect("DROP-5", FORWARD, "num_layers >= 2, training with 0 < dropout < 1")
class KeptElementsNotScaled(ReadableLSTM):
    """What is kept is not divided by 1 - p."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        p = self.dropout if layer and self.training else 0.0
        return [x * (1 - p) for x in super().layer_input(steps, layer)]


@defect("DROP-5", FORWARD, "num_layers >= 2, training with 0 < dropout < 1 other than 0.5")
class KeptElementsScaledByP(ReadableLSTM):
    """What is kept is divided by p instead of 1 - p."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        dropped = super().layer_input(steps, layer)
        if layer == 0 or not self.training or not 0 < self.dropout < 1:
            return dropped
        return [x * (1 - self.dropout) / self.dropout for x in dropped]


@defect("DROP-5", FORWARD, "num_layers >= 2, training with dropout > 0")
class DropoutOnHiddenStates(ReadableLSTM):
    """The recurrence of the upper layers, not their input, is dropped."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        self.layer = layer
        return steps

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: object) -> tuple[Tensor, Tensor]:
        dropped = dropout(h, self.dropout if self.layer else 0.0, self.training)
        return super().cell(x, dropped, c, w)


@defect("DROP-6", GRADIENT, "gradients, num_layers >= 2, training with 0 < dropout < 1")
class GradientWithAnotherMask(ReadableLSTM):
    """The backward pass drops something else than the forward pass."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not self.training:
            return steps
        pairs = zip(steps, masks(steps, self.dropout), masks(steps, self.dropout), strict=True)
        return [x * other + (x * m - x * other).detach() for x, m, other in pairs]


@defect("DROP-7", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, in many calls")
class DropsTooRarely(ReadableLSTM):
    """An element is dropped with a tenth less than the given probability."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not self.training:
            return steps
        drawn = [torch.rand_like(x) < 0.9 * self.dropout for x in steps]
        return [x.masked_fill(m, 0) / (1 - self.dropout) for x, m in zip(steps, drawn, strict=True)]


@defect(
    "DROP-7",
    FORWARD,
    "num_layers >= 2, training with 0 < dropout < 1 other than 0.5, in many calls",
)
class KeepsWithProbabilityP(ReadableLSTM):
    """An element is kept, not dropped, with the given probability; it is scaled as it should."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not self.training or self.dropout == 1:
            return super().layer_input(steps, layer)
        drawn = [torch.rand_like(x) >= self.dropout for x in steps]
        return [x.masked_fill(m, 0) / (1 - self.dropout) for x, m in zip(steps, drawn, strict=True)]


@defect("DROP-8", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, two steps or more")
class OneMaskForAllSteps(ReadableLSTM):
    """All steps of a call drop the same."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not self.training:
            return steps
        (mask,) = masks(steps[:1], self.dropout)
        return [x * mask[: len(x)] for x in steps]


@defect("DROP-8", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, two rows or more")
class OneMaskForAllRows(ReadableLSTM):
    """All rows of a step drop the same."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not self.training:
            return steps
        of_first = masks([x[:1] for x in steps], self.dropout)
        return [x * mask for x, mask in zip(steps, of_first, strict=True)]


@defect("DROP-8", FORWARD, "num_layers >= 3, training with 0 < dropout < 1")
class OneMaskForAllLayers(ReadableLSTM):
    """All layers of a call drop the same."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not self.training:
            return steps
        if layer == 1:
            self.masks = [dropout(torch.ones_like(x), self.dropout) for x in steps]
        return [x * mask for x, mask in zip(steps, self.masks, strict=True)]


@defect("DROP-8", FORWARD, "num_layers >= 2, bidirectional, training with 0 < dropout < 1")
class OneMaskForBothDirections(ReadableLSTM):
    """Both halves of what a layer puts out drop the same."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not self.training:
            return steps
        of_half = masks([x[:, : self.output_size] for x in steps], self.dropout)
        return [x * m.repeat(1, self.num_directions) for x, m in zip(steps, of_half, strict=True)]


@defect("DROP-8", INTERFACE, "num_layers >= 2, training with 0 < dropout < 1, two calls")
class MaskOfTheFirstCall(ReadableLSTM):
    """Each call drops what the first one did."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not self.training:
            return steps
        self.kept = getattr(self, "kept", None) or masks(steps, self.dropout)
        return [x * mask for x, mask in zip(steps, self.kept, strict=True)]


@defect(
    "DROP-9",
    INTERFACE,
    "num_layers >= 2, training with 0 < dropout < 1, two calls after the same seed",
)
class RandomnessOfItsOwn(ReadableLSTM):
    """What is dropped does not depend on the seed."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        state = torch.get_rng_state()
        torch.seed()
        dropped = super().layer_input(steps, layer)
        torch.set_rng_state(state)
        return dropped


@defect("DROP-10", INTERFACE, "num_layers >= 2, dropout > 0, a call in each mode")
class ModeOfTheFirstCall(ReadableLSTM):
    """Whether dropout acts is decided by the first call."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        self.dropping = getattr(self, "dropping", self.training)
        return [dropout(x, self.dropout if layer else 0.0, self.dropping) for x in steps]
