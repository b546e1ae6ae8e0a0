"""LSTMs with one defect each in the gradients of rows of unequal length.

Results are right, and nothing is raised.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from ...adapters.reference import ReferenceLSTM
from ...spec.case import Case
from ...spec.contract import Observation
from ..catalogue import GRADIENT, defect
from ..changed_observations import changed, filled_behind_rows
from ..gradient_surgery import with_gradient_of, with_gradient_times
from ..readable import Input, ReadableLSTM, States, Steps, Weights


@defect("GRAD-11", GRADIENT, "gradients, packed with unequal lengths, cotangent of h_n or c_n")
class GradientOfEndedRowsMissing(ReadableLSTM):
    """Of rows that are over before the longest, final states pass no gradient on."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h, c = super().direction(steps, h, c, w, reverse)
        n = len(steps[-1])
        h, c = (torch.cat([x[:n], with_gradient_times(0, x[n:])]) for x in (h, c))
        return output, h, c


@defect("GRAD-11", GRADIENT, "gradients, packed with unequal lengths")
class GradientOfInputOfShorterRowsMissing(ReadableLSTM):
    """The input of rows that are not the longest has gradient zero."""

    def steps(self, input: Input) -> Steps:
        steps = super().steps(input)
        n = len(steps[-1])
        return [torch.cat([x[:n], with_gradient_times(0, x[n:])]) for x in steps]


@defect("GRAD-11", GRADIENT, "gradients, packed with unsorted lengths")
class GradientOfStatesStaysSorted(ReadableLSTM):
    """The rows of the gradients of h_0 and c_0 stay in the order they were sorted into."""

    def reorder(self, states: States, indices: Tensor | None) -> States:
        h, c = (
            with_gradient_of(state, moved)
            for state, moved in zip(states, super().reorder(states, indices), strict=True)
        )
        return h, c


@defect("GRAD-11", GRADIENT, "gradients, packed with unequal lengths, cotangent of h_n or c_n")
class GradientOfStepsBehindRows(ReadableLSTM):
    """The backward pass of the forward direction begins where the longest row ends."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h_n, c_n = super().direction(steps, h, c, w, reverse)
        if reverse:
            return output, h_n, c_n
        padded = [pad(x, (0, 0, 0, len(h) - len(x))) for x in steps]
        _, h_on, c_on = super().direction(padded, h, c, w, reverse)
        return output, with_gradient_of(h_on, h_n), with_gradient_of(c_on, c_n)


@defect("GRAD-11", GRADIENT, "gradients, packed with unequal lengths")
class GradientOfWhatLiesBehindRows(ReferenceLSTM):
    """What lies behind the end of a packed row has a gradient."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: filled_behind_rows(case, t), "input.grad")
