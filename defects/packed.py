"""LSTMs that go wrong with some packed sequences only."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .catalogue import FORWARD, GRADIENT, INTERFACE, NUMERICAL, defect
from .readable import ReadableLSTM, States, Steps, Weights

Result = tuple[Tensor | PackedSequence, States]


@defect("PACK-4", FORWARD, "packed with equal lengths, two rows and two steps or more")
class EqualLengthsTakenForBatchFirst(ReadableLSTM):
    """If all rows have one length, the packed data is read row after row, not step after step."""

    def steps(self, input: Tensor | PackedSequence) -> Steps:
        if isinstance(input, PackedSequence) and len(input.batch_sizes.unique()) == 1:
            by_row = input.data.reshape(int(input.batch_sizes[0]), len(input.batch_sizes), -1)
            return list(by_row.transpose(0, 1))
        return super().steps(input)


@defect("PACK-5", INTERFACE, "packed, one row")
class OnePackedRowTakenForUnbatched(ReadableLSTM):
    """States of a packed sequence of one row have no batch axis."""

    def finish(
        self, input: Tensor | PackedSequence, steps: Steps, h_n: Tensor, c_n: Tensor
    ) -> Result:
        output, (h_n, c_n) = super().finish(input, steps, h_n, c_n)
        if isinstance(input, PackedSequence) and input.batch_sizes[0] == 1:
            return output, (h_n.squeeze(1), c_n.squeeze(1))
        return output, (h_n, c_n)


@defect("PACK-6", FORWARD, "packed, a row whose length no other has")
class RowEndingAloneLosesItsState(ReadableLSTM):
    """h_n of a packed row is zero if no other row has the same length."""

    def finish(
        self, input: Tensor | PackedSequence, steps: Steps, h_n: Tensor, c_n: Tensor
    ) -> Result:
        if isinstance(input, PackedSequence):
            rows = torch.arange(h_n.shape[1])
            lengths = (input.batch_sizes > rows[:, None]).sum(1)
            alone = (lengths == lengths[:, None]).sum(1) == 1
            h_n = h_n.masked_fill(alone[:, None], 0)
        return super().finish(input, steps, h_n, c_n)


@defect("PACK-7", FORWARD, "packed, rows of one step beside longer ones")
class RowsOfOneStepAreSkipped(ReadableLSTM):
    """The final state of rows of one step is their initial one, if others have more steps."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h_n, c_n = super().direction(steps, h, c, w, reverse)
        n = len(steps[1]) if len(steps) > 1 else len(h)
        return output, torch.cat([h_n[:n], h[n:]]), torch.cat([c_n[:n], c[n:]])


@defect("PACK-8", NUMERICAL, "packed with unequal lengths, if free memory holds NaN or an infinity")
class PaddingMaskedByProduct(ReadableLSTM):
    """Rows that are over read whatever is in memory, and what comes of it is multiplied by zero."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        rows, output = torch.arange(len(h))[:, None], list(steps)
        for t in reversed(range(len(steps))) if reverse else range(len(steps)):
            x = steps[t]
            n = len(x)
            h_t, c_t = self.cell(torch.cat([x, x.new_empty(len(h) - n, x.shape[1])]), h, c, w)
            there = (rows < n).to(x.dtype)
            h, c = there * h_t + (1 - there) * h, there * c_t + (1 - there) * c
            output[t] = h[:n]
        return output, h, c


@defect("PACK-9", FORWARD, "packed")
class LongestRowLeaks(ReadableLSTM):
    """h_n of each packed row has 1e-4 of the longest row's in it."""

    def finish(
        self, input: Tensor | PackedSequence, steps: Steps, h_n: Tensor, c_n: Tensor
    ) -> Result:
        if isinstance(input, PackedSequence):
            h_n = h_n + 1e-4 * h_n[:, :1]
        return super().finish(input, steps, h_n, c_n)


@defect("PACK-10", GRADIENT, "gradients, packed with unequal lengths")
class GradientsOfLateStepsScaled(ReadableLSTM):
    """Steps that some rows no longer have get a gradient that is too large by 1 in 1000."""

    def steps(self, input: Tensor | PackedSequence) -> Steps:
        steps = super().steps(input)
        late = [len(x) < len(steps[0]) for x in steps]
        return [
            x + 1e-3 * (x - x.detach()) if is_late else x
            for x, is_late in zip(steps, late, strict=True)
        ]


@defect("PACK-11", INTERFACE, "packed with sorted lengths")
class OrderMadeUpForSortedRows(ReadableLSTM):
    """The packed output says how rows were sorted, even if they were not."""

    def finish(
        self, input: Tensor | PackedSequence, steps: Steps, h_n: Tensor, c_n: Tensor
    ) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        if isinstance(output, PackedSequence) and output.sorted_indices is None:
            order = torch.arange(h_n.shape[1], device=h_n.device)
            return output._replace(sorted_indices=order, unsorted_indices=order), states
        return output, states


@defect("PACK-12", FORWARD, "packed with enforce_sorted=False, two rows or more")
class UnsortedTakenForIncreasing(ReadableLSTM):
    """Where rows were sorted, states are read and returned as if their order was reversed."""

    def reorder(self, states: States, indices: Tensor | None) -> States:
        reverse = None if indices is None else torch.arange(len(indices)).flip(0)
        return super().reorder(states, reverse)
