"""LSTMs that are a step off: in what a step reads, in what it hands on, or in what is returned.

Shapes fit and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..catalogue import FORWARD, defect, variant
from ..last_step_apart import LastStepApart
from ..readable import Input, ReadableLSTM, Result, States, Steps, Weights, in_order_read
from ..shifted_steps import one_earlier, one_later

# ------------------------------------------------------------- what a step reads


@defect("EQ-4", FORWARD, "two steps or more")
class EachStepReadsTheOneBefore(ReadableLSTM):
    """Each step reads x_{t-1} instead of x_t, and the first one x_1."""

    def steps(self, input: Input) -> Steps:
        return one_earlier(super().steps(input))


@defect("EQ-4", FORWARD, "two steps or more")
class EachStepReadsTheOneAfter(ReadableLSTM):
    """Each step reads x_{t+1} instead of x_t, where as many rows have one."""

    def steps(self, input: Input) -> Steps:
        return one_later(super().steps(input))


def other_state(hidden: bool, choose: Callable[[States, States], States]) -> type[ReadableLSTM]:
    """Each step reads another hidden state than h_{t-1}, or keeps another cell state than c_{t-1}.

    Args:
        hidden: whether it is the hidden state.
        choose: from the initial states and those of two steps before to the ones that are read.
    """

    class Variant(ReadableLSTM):
        def direction(
            self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
        ) -> tuple[Steps, Tensor, Tensor]:
            initial, before, output = (h, c), (h, c), list(steps)
            for t in in_order_read(steps, reverse):
                n = len(steps[t])
                other_h, other_c = choose(initial, before)
                read = (other_h, c) if hidden else (h, other_c)
                output[t], c_t = self.cell(steps[t], read[0][:n], read[1][:n], w)
                before = h, c
                h, c = torch.cat([output[t], h[n:]]), torch.cat([c_t, c[n:]])
            return output, h, c

    return Variant


for name, text, hidden, choose in (
    (
        "HiddenStateOfTwoStepsBefore",
        "Each step reads h_{t-2} instead of h_{t-1}.",
        True,
        lambda initial, before: before,
    ),
    (
        "HiddenStateNotCarried",
        "Every step reads h_0 instead of h_{t-1}.",
        True,
        lambda initial, before: initial,
    ),
    (
        "CellStateOfTwoStepsBefore",
        "Each step keeps c_{t-2} times the forget gate instead of c_{t-1}.",
        False,
        lambda initial, before: before,
    ),
    (
        "CellStateNotCarried",
        "Every step keeps c_0 times the forget gate instead of c_{t-1}.",
        False,
        lambda initial, before: initial,
    ),
):
    variant(__name__, other_state(hidden, choose), name, text, "EQ-4", FORWARD, "two steps or more")


# ------------------------------------------------------------- what is returned


@defect("EQ-3", FORWARD, "every case")
class OutputOneStepLate(ReadableLSTM):
    """output holds h_{t-1} in place of h_t, and h_0 first."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output = list(steps)
        for t in in_order_read(steps, reverse):
            output[t] = h[: len(steps[t])]
            _, h, c = super().direction([steps[t]], h, c, w, reverse)
        return output, h, c


@defect("EQ-4", FORWARD, "two steps or more")
class OutputOneStepEarly(ReadableLSTM):
    """output holds h_{t+1} in place of h_t, where as many rows have one."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, one_later(steps), h_n, c_n)


@defect("EQ-3", FORWARD, "every case")
class FinalHiddenOfStepBefore(LastStepApart):
    """h_n is the hidden state before the step that is read last."""

    def final(self, h: Tensor, c: Tensor, h_n: Tensor, c_n: Tensor) -> States:
        return h, c_n


@defect("EQ-2", FORWARD, "every case")
class FinalCellOfStepBefore(LastStepApart):
    """c_n is the cell state before the step that is read last."""

    def final(self, h: Tensor, c: Tensor, h_n: Tensor, c_n: Tensor) -> States:
        return h_n, c
