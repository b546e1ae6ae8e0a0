"""LSTMs with one defect each in what steps add to a gradient, or pass on to the step before.

Results are right, and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..catalogue import GRADIENT, defect, variant
from ..gradient_surgery import constant, with_gradient_of, with_gradient_times
from ..readable import ReadableLSTM, Steps, Weights, in_order_read

# ------------------------------------------------------- what steps add to a parameter


Adds = Callable[[int, int, int], bool]


def gradient_of_some_steps(adds: Adds, *roles: str) -> type[ReadableLSTM]:
    """Only some steps add to the gradients of some parameters.

    Args:
        adds: whether step t does, that is read as number k, both from 0, of so many.
        roles: the parameters, as fields of ``Weights``.
    """

    class Variant(ReadableLSTM):
        def direction(
            self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
        ) -> tuple[Steps, Tensor, Tensor]:
            own = {role: getattr(w, role) for role in roles}
            present = {role: p for role, p in own.items() if p is not None}
            without = w._replace(**{r: with_gradient_times(0, p) for r, p in present.items()})
            output = list(steps)
            for k, t in enumerate(in_order_read(steps, reverse)):
                of_step = w if adds(t, k, len(steps)) else without
                [output[t]], h, c = super().direction([steps[t]], h, c, of_step, reverse)
            return output, h, c

    return Variant


for name, breaks, shows, text, adds, roles in (
    (
        "GradientOfWeightIHOfFirstStepOnly",
        "GRAD-4",
        "gradients, two steps or more",
        "The backward pass keeps what the step read first adds to the gradient of weight_ih, in "
        "place of the sum.",
        lambda t, k, steps: k == 0,
        ["W_ih"],
    ),
    (
        "GradientOfWeightHHOfLastStepOnly",
        "GRAD-5",
        "gradients, two steps or more",
        "The gradient of weight_hh is what the step read last adds to it.",
        lambda t, k, steps: k == steps - 1,
        ["W_hh"],
    ),
    (
        "GradientOfWeightHHWithoutFirstStep",
        "GRAD-5",
        "gradients, states given",
        "h_0 is taken for zero in the gradient of weight_hh.",
        lambda t, k, steps: k > 0,
        ["W_hh"],
    ),
    (
        "GradientOfWeightHHWithoutLastStep",
        "GRAD-5",
        "gradients, two steps or more, or states given",
        "The gradient of weight_hh is the sum over all steps but the last.",
        lambda t, k, steps: t < steps - 1,
        ["W_hh"],
    ),
    (
        "GradientsOfBiasesOfLastStepOnly",
        "GRAD-6",
        "gradients, bias=True, two steps or more",
        "The gradients of the biases are what the step read last adds to them.",
        lambda t, k, steps: k == steps - 1,
        ["b_ih", "b_hh"],
    ),
    (
        "GradientOfWeightHROfLastStepOnly",
        "GRAD-7",
        "gradients, proj_size > 0, two steps or more",
        "The gradient of weight_hr is what the step read last adds to it.",
        lambda t, k, steps: k == steps - 1,
        ["W_hr"],
    ),
):
    variant(__name__, gradient_of_some_steps(adds, *roles), name, text, breaks, GRADIENT, shows)


@defect("GRAD-4", GRADIENT, "gradients, bidirectional")
class GradientOfReverseWithoutFirstStep(ReadableLSTM):
    """What the reverse direction reads first adds nothing to the gradients of its parameters."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if not reverse:
            return super().direction(steps, h, c, w, reverse)
        first, h, c = super().direction(steps[-1:], h, c, constant(w), reverse)
        others, h, c = super().direction(steps[:-1], h, c, w, reverse)
        return others + first, h, c


@defect("GRAD-4", GRADIENT, "gradients, two steps or more")
class GradientOfWeightIHIsMeanOverSteps(ReadableLSTM):
    """The gradient of weight_ih is the mean over steps, not their sum."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        mean = w._replace(W_ih=with_gradient_times(1 / len(steps), w.W_ih))
        return super().direction(steps, h, c, mean, reverse)


@defect("GRAD-4", GRADIENT, "gradients, two steps or more")
class GradientOfWeightIHTakesInputOfStepBefore(ReadableLSTM):
    """da_t meets the x that was read before x_t in the gradient of weight_ih."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        self.before = steps[-1 if reverse else 0]
        return super().direction(steps, h, c, w, reverse)

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w._replace(W_ih=w.W_ih.detach()))
        before, self.before = self.before[: len(x)], x
        taken = before if len(before) == len(x) else x
        return with_gradient_of(a + self.product(taken.detach(), w.W_ih), a)


@defect("GRAD-5", GRADIENT, "gradients")
class GradientOfWeightHHTakesNewHiddenState(ReadableLSTM):
    """da_t meets h_t instead of h_{t-1} in the gradient of weight_hh."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            self.taken, _ = super().cell(x, h, c, w)
        return super().cell(x, h, c, w)

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if not torch.is_grad_enabled():
            return super().preactivations(x, h, w)
        a = super().preactivations(x, h, w._replace(W_hh=w.W_hh.detach()))
        return with_gradient_of(a + self.product(self.taken, w.W_hh), a)


@defect("GRAD-7", GRADIENT, "gradients, proj_size > 0, two steps or more or a cotangent of h_n")
class GradientOfWeightHRFromOutputOnly(ReadableLSTM):
    """What the next step makes of h_t adds nothing to the gradient of weight_hr."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if w.W_hr is None:
            return super().direction(steps, h, c, w, reverse)
        constant = w._replace(W_hr=w.W_hr.detach())
        output = list(steps)
        for t in in_order_read(steps, reverse):
            [output[t]], _, _ = super().direction([steps[t]], h, c, w, reverse)
            _, h, c = super().direction([steps[t]], h, c, constant, reverse)
        return output, h, c


# --------------------------------------------------- what passes to the step before


@defect("GRAD-5", GRADIENT, "gradients, three steps or more")
class GradientTruncatedInTime(ReadableLSTM):
    """No gradient passes through h from each second step to the next."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        pairs = [steps[t : t + 2] for t in range(0, len(steps), 2)]
        output: Steps = []
        for pair in reversed(pairs) if reverse else pairs:
            of_pair, h, c = super().direction(
                pair, with_gradient_times(0, h) if output else h, c, w, reverse
            )
            output = of_pair + output if reverse else output + of_pair
        return output, h, c


def gradient_not_carried(states: str) -> type[ReadableLSTM]:
    """No gradient passes through some states, by their letters, from a step to the one before."""

    class Variant(ReadableLSTM):
        def direction(
            self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
        ) -> tuple[Steps, Tensor, Tensor]:
            output: dict[int, Tensor] = {}
            for t in in_order_read(steps, reverse):
                h = with_gradient_times(0, h) if output and "h" in states else h
                c = with_gradient_times(0, c) if output and "c" in states else c
                [output[t]], h, c = super().direction([steps[t]], h, c, w, reverse)
            return [output[t] for t in range(len(steps))], h, c

    return Variant


for name, through, states in (
    ("GradientOfOneStepOnly", "", "hc"),
    ("GradientNotCarriedInCellState", " through the cell state", "c"),
):
    text = f"No gradient passes{through} from a step to the one before."
    shows = "gradients, two steps or more"
    variant(__name__, gradient_not_carried(states), name, text, "GRAD-5", GRADIENT, shows)


@defect("GRAD-5", GRADIENT, "gradients, two steps or more, lengths equal")
class BackwardInForwardOrder(ReadableLSTM):
    """The backward pass goes through the steps from the first to the last."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if len(steps[0]) != len(steps[-1]):
            return super().direction(steps, h, c, w, reverse)
        order = in_order_read(steps, reverse)
        states = [(h.detach(), c.detach())]
        for t in order:
            h_t, c_t = self.cell(steps[t].detach(), *states[-1], constant(w))
            states.append((h_t, c_t))
        output = list(steps)
        # The values are those of each step, the derivatives those of its mirror image.
        for t, mirrored, before, after in zip(
            order, order[::-1], states[-2::-1], states[1:], strict=True
        ):
            h, c = with_gradient_of(h, before[0]), with_gradient_of(c, before[1])
            h, c = self.cell(steps[mirrored], h, c, w)
            h, c = with_gradient_of(h, after[0]), with_gradient_of(c, after[1])
            output[t] = h
        return output, h, c
