"""LSTMs with one defect each in the gradient of the input, or in what comes from output.

Results are right, and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..catalogue import GRADIENT, defect, variant
from ..gradient_surgery import with_gradient_of, with_gradient_times
from ..readable import Input, ReadableLSTM, Result, Steps, Weights

# ------------------------------------------------------- of some steps, or by a factor


Change = Callable[[Steps], Steps]


def only_at_last(steps: Steps) -> Steps:
    """The steps themselves, except that only the last one has a gradient."""
    *earlier, last = steps
    return [*(with_gradient_times(0, x) for x in earlier), last]


def not_at_last(steps: Steps) -> Steps:
    """The steps themselves, except that the last one has gradient zero."""
    *earlier, last = steps
    return [*earlier, with_gradient_times(0, last)]


def at_next(steps: Steps) -> Steps:
    """The steps themselves, except that gradients go to the next one, if it has as many rows."""
    return [
        with_gradient_of(following, x) if len(following) == len(x) else x
        for x, following in zip(steps, steps[1:] + steps[-1:], strict=True)
    ]


def doubled(steps: Steps) -> Steps:
    """The steps themselves, except that their gradients are too large by a factor of 2."""
    return [with_gradient_times(2, x) for x in steps]


def zero(steps: Steps) -> Steps:
    """The steps themselves, except that their gradients are zero."""
    return [with_gradient_times(0, x) for x in steps]


def input_with_gradient(change: Change) -> type[ReadableLSTM]:
    """The gradient of the input is what ``change`` makes of it."""

    class Variant(ReadableLSTM):
        def steps(self, input: Input) -> Steps:
            return change(super().steps(input))

    return Variant


def output_with_gradient(change: Change) -> type[ReadableLSTM]:
    """What is backpropagated from output is what ``change`` makes of it."""

    class Variant(ReadableLSTM):
        def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
            return super().finish(input, change(steps), h_n, c_n)

    return Variant


for name, shows, text, wrong, change in (
    (
        "GradientOfInputOnlyAtLastStep",
        "gradients, two steps or more",
        "The input of all steps but the last has gradient zero.",
        input_with_gradient,
        only_at_last,
    ),
    (
        "GradientOfInputAtNextStep",
        "gradients, two steps or more of as many rows",
        "Each step's gradient goes to the input of the next one, where as many rows have one.",
        input_with_gradient,
        at_next,
    ),
    (
        "GradientOfInputDoubled",
        "gradients",
        "The gradient of the input is too large by a factor of 2.",
        input_with_gradient,
        doubled,
    ),
    (
        "GradientOfInputZero",
        "gradients",
        "The input has gradient zero.",
        input_with_gradient,
        zero,
    ),
    (
        "CotangentOfOutputOnlyAtLastStep",
        "gradients, two steps or more, cotangent of output",
        "What is backpropagated from output is lost at all steps but the last.",
        output_with_gradient,
        only_at_last,
    ),
    (
        "CotangentOfOutputAtLastStepIgnored",
        "gradients, cotangent of output",
        "What is backpropagated from output is lost at the last step.",
        output_with_gradient,
        not_at_last,
    ),
    (
        "CotangentOfOutputOneStepLate",
        "gradients, two steps or more of as many rows, cotangent of output",
        "What is backpropagated from output enters at the next step, where as many rows have one.",
        output_with_gradient,
        at_next,
    ),
    (
        "CotangentOfOutputDoubled",
        "gradients, cotangent of output",
        "What is backpropagated from output is too large by a factor of 2.",
        output_with_gradient,
        doubled,
    ),
):
    variant(__name__, wrong(change), name, text, "GRAD-1", GRADIENT, shows)


# ---------------------------------------------------- between layers and directions


@defect("GRAD-1", GRADIENT, "gradients, bidirectional")
class NoGradientOfWhatReverseReads(ReadableLSTM):
    """The reverse direction passes no gradient to what it reads."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        read = [x.detach() for x in steps] if reverse else steps
        return super().direction(read, h, c, w, reverse)


@defect("GRAD-1", GRADIENT, "gradients, bidirectional")
class NoGradientOfWhatForwardReads(ReadableLSTM):
    """Of two directions, the forward one passes no gradient to what it reads."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if self.num_directions == 2 and not reverse:
            steps = [with_gradient_times(0, x) for x in steps]
        return super().direction(steps, h, c, w, reverse)


@defect("GRAD-1", GRADIENT, "gradients, num_layers >= 2, cotangent of output")
class GradientOfLowerLayersMissing(ReadableLSTM):
    """No layer passes a gradient to the layer below."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        return [with_gradient_times(0, x) for x in steps] if layer else steps


@defect("GRAD-1", GRADIENT, "gradients, num_layers >= 2, bidirectional, two steps or more")
class GradientOfLowerReverseMissing(ReadableLSTM):
    """No layer passes a gradient to the reverse direction of the layer below."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        steps = super().layer_input(steps, layer)
        if layer == 0:
            return steps
        halves = (x.split(self.output_size, dim=-1) for x in steps)
        return [
            torch.cat([forward, *(with_gradient_times(0, x) for x in reverse)], dim=-1)
            for forward, *reverse in halves
        ]


@defect("GRAD-1", GRADIENT, "gradients, bidirectional, cotangent of output")
class CotangentOfOutputOfReverseIgnored(ReadableLSTM):
    """What is backpropagated from the reverse half of output is lost."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        width = self.output_size
        kept = [torch.cat([x[:, :width], with_gradient_times(0, x[:, width:])], -1) for x in steps]
        return super().finish(input, kept, h_n, c_n)
