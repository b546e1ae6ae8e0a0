"""LSTMs that go wrong with packed sequences, or with some of them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import PackedSequence

from ..adapters.reference import ReferenceLSTM
from ..spec.case import Case
from ..spec.contract import Observation
from .catalogue import FORWARD, GRADIENT, INTERFACE, NUMERICAL, defect, variant
from .changed_observations import changed, filled_behind_rows
from .gradient_surgery import with_gradient_times
from .readable import Input, ReadableLSTM, Result, States, Steps, Weights, in_order_read

# --------------------------------------------------------------- where a row ends


def zeros_behind_rows(in_reverse: bool, to_the_longest: bool) -> type[ReadableLSTM]:
    """In one direction, rows have steps of zeros behind their end, but for the longest.

    Args:
        in_reverse: whether it is the reverse direction.
        to_the_longest: whether a row has as many of them as the longest row goes on, or one.
    """

    class Variant(ReadableLSTM):
        def direction(
            self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
        ) -> tuple[Steps, Tensor, Tensor]:
            if reverse != in_reverse:
                return super().direction(steps, h, c, w, reverse)
            before = steps[:1] * len(steps) if to_the_longest else steps[:1] + steps[:-1]
            pairs = zip(steps, before, strict=True)
            padded = [pad(x, (0, 0, 0, len(y) - len(x))) for x, y in pairs]
            output, h, c = super().direction(padded, h, c, w, reverse)
            return [h_t[: len(x)] for h_t, x in zip(output, steps, strict=True)], h, c

    return Variant


for name, text, in_reverse, to_the_longest in (
    (
        "PackedRowsReadToTheLongest",
        "The forward direction reads zeros behind the end of a row, until the longest one ends.",
        False,
        True,
    ),
    (
        "PackedRowsReadOneStepTooFar",
        "The forward direction reads one step of zeros behind the end of a row that is not the "
        "longest.",
        False,
        False,
    ),
    (
        "ReverseStartsAtPadding",
        "The reverse direction of packed sequences runs over zeros before a row's last step.",
        True,
        True,
    ),
    (
        "PackedReverseBeginsOneStepEarly",
        "The reverse direction reads one step of zeros before the last one of a row that is not "
        "the longest.",
        True,
        False,
    ),
):
    variant(
        __name__,
        zeros_behind_rows(in_reverse, to_the_longest),
        name,
        text,
        "PACK-3" if in_reverse else "PACK-1",
        FORWARD,
        "bidirectional, packed with unequal lengths"
        if in_reverse
        else "packed with unequal lengths",
    )


@defect("PACK-1", FORWARD, "packed with unequal lengths")
class ShorterRowsEndOneStepEarly(ReadableLSTM):
    """The final states of rows that are not the longest are those before their last step."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if reverse:
            return super().direction(steps, h, c, w, reverse)
        output: Steps = []
        for x, following in zip(steps, steps[1:] + steps[-1:], strict=True):
            h_t, c_t = self.cell(x, h[: len(x)], c[: len(x)], w)
            output.append(h_t)
            n = len(following)
            h, c = torch.cat([h_t[:n], h[n:]]), torch.cat([c_t[:n], c[n:]])
        return output, h, c


@defect("PACK-1", FORWARD, "packed with unequal lengths")
class OutputGoesOnBehindRows(ReferenceLSTM):
    """output has other numbers than zeros behind the end of a packed row."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: filled_behind_rows(case, t), "output")


@defect("PACK-7", FORWARD, "packed, 16 rows or more end in one step, and one is left")
class LastRowLostAmongMany(ReadableLSTM):
    """If 16 rows or more end in the same step, and one goes on, it ends there, too."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h_n, c_n = super().direction(steps, h, c, w, reverse)
        rows = [len(x) for x in steps]
        for t in range(1, len(rows)):
            if rows[t] == 1 and rows[t - 1] > 16:
                output = [*output[:t], *(0 * h_t for h_t in output[t:])]
        return output, h_n, c_n


# ------------------------------------------------------------- the order of the rows


@defect("PACK-2", FORWARD, "packed with unsorted lengths, states given")
class InitialStatesNotSorted(ReadableLSTM):
    """The rows of h_0 and c_0 meet the sorted rows of a packed sequence unsorted."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        if hx is not None and isinstance(input, PackedSequence):
            return hx
        return super().initial_states(input, hx, steps)


@defect("PACK-2", FORWARD, "packed with unsorted lengths")
class FinalStatesStaySorted(ReadableLSTM):
    """The rows of h_n and c_n of a packed sequence stay in the order they were sorted into."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        return output, (h_n, c_n) if isinstance(input, PackedSequence) else states


@defect("PACK-2", FORWARD, "packed with unsorted lengths, three rows or more")
class FinalStatesSortedTwice(ReadableLSTM):
    """The rows of h_n and c_n are sorted once more instead of back: the same for two rows."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        if isinstance(input, PackedSequence):
            states = self.reorder((h_n, c_n), input.sorted_indices)
        return output, states


@defect("PACK-2", FORWARD, "packed with unsorted lengths")
class FinalStatesUnsortedInPlace(ReadableLSTM):
    """Rows of h_n and c_n are put back one by one where others still are to be read from."""

    def reorder(self, states: States, indices: Tensor | None) -> States:
        if indices is None or not self.ended:
            return super().reorder(states, indices)
        h_n, c_n = (self.put_back(state, indices.argsort().tolist()) for state in states)
        return h_n, c_n

    @staticmethod
    def put_back(state: Tensor, places: list[int]) -> Tensor:
        """Row i goes to ``places[i]``."""
        rows = list(state.unbind(1))
        for i, place in enumerate(places):
            rows[place] = rows[i]
        return torch.stack(rows, dim=1)

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        self.ended = False
        return super().initial_states(input, hx, steps)

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        self.ended = True
        return super().finish(input, steps, h_n, c_n)


@defect("PACK-2", FORWARD, "packed with unsorted lengths")
class OutputStaysSorted(ReadableLSTM):
    """The packed output has lost the order in which the rows were given."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        if isinstance(output, PackedSequence):
            output = PackedSequence(output.data, output.batch_sizes)
        return output, states


@defect("PACK-11", INTERFACE, "packed with sorted lengths")
class OrderMadeUpForSortedRows(ReadableLSTM):
    """The packed output says how rows were sorted, even if they were not."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
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


# ------------------------------------------------------------- the reverse direction


@defect("PACK-3", FORWARD, "bidirectional, packed with unequal lengths")
class PackedReverseNotReversed(ReadableLSTM):
    """Where rows differ in length, the reverse direction runs forward."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        unequal = len(steps[0]) != len(steps[-1])
        return super().direction(steps, h, c, w, reverse and not unequal)


@defect("PACK-3", FORWARD, "bidirectional, packed with unequal lengths")
class PackedReverseStartsFromStatesOfLongest(ReadableLSTM):
    """In reverse, a row begins with the states that the longest row has reached by then."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if not reverse:
            return super().direction(steps, h, c, w, reverse)
        output = list(steps)
        for t in reversed(range(len(steps))):
            begun = len(steps[t + 1]) if t + 1 < len(steps) else len(steps[t])
            beginning = len(steps[t]) - begun
            h = torch.cat([h[:begun], h[:1].expand(beginning, -1), h[len(steps[t]) :]])
            c = torch.cat([c[:begun], c[:1].expand(beginning, -1), c[len(steps[t]) :]])
            of_step, h, c = super().direction([steps[t]], h, c, w, reverse)
            output[t] = of_step[0]
        return output, h, c


@defect("PACK-3", FORWARD, "bidirectional, packed with unequal lengths")
class ReverseMaskNotReversed(ReadableLSTM):
    """Of the padded row the reverse direction reads as many steps as the row has, but from the
    end of the padding, so that it misses the row's first ones."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if not reverse:
            return super().direction(steps, h, c, w, reverse)
        output = list(steps)
        rows_of_step = [len(x) for x in steps]
        for t, n in zip(in_order_read(steps, reverse), rows_of_step, strict=True):
            x = pad(steps[t], (0, 0, 0, len(h) - len(steps[t])))
            h_t, c_t = self.cell(x[:n], h[:n], c[:n], w)
            h, c = torch.cat([h_t, h[n:]]), torch.cat([c_t, c[n:]])
            output[t] = h[: len(steps[t])]
        return output, h, c


@defect("PACK-3", FORWARD, "bidirectional, packed with unequal lengths")
class PackedReverseBeginsOneStepLate(ReadableLSTM):
    """In reverse, the last step of a row that is not the longest is skipped."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if not reverse:
            return super().direction(steps, h, c, w, reverse)
        output = list(steps)
        for t in reversed(range(len(steps))):
            n = len(steps[t + 1] if t + 1 < len(steps) else steps[t])
            _, h, c = super().direction([steps[t][:n]], h, c, w, reverse)
            output[t] = h[: len(steps[t])]
        return output, h, c


# --------------------------------------------------------------------- some lengths


@defect("PACK-4", FORWARD, "packed with equal lengths, two rows and two steps or more")
class EqualLengthsTakenForBatchFirst(ReadableLSTM):
    """If all rows have one length, the packed data is read row after row, not step after step."""

    def steps(self, input: Input) -> Steps:
        if isinstance(input, PackedSequence) and len(input.batch_sizes.unique()) == 1:
            by_row = input.data.reshape(int(input.batch_sizes[0]), len(input.batch_sizes), -1)
            return list(by_row.transpose(0, 1))
        return super().steps(input)


@defect("PACK-5", INTERFACE, "packed, one row")
class OnePackedRowTakenForUnbatched(ReadableLSTM):
    """States of a packed sequence of one row have no batch axis."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, (h_n, c_n) = super().finish(input, steps, h_n, c_n)
        if isinstance(input, PackedSequence) and input.batch_sizes[0] == 1:
            return output, (h_n.squeeze(1), c_n.squeeze(1))
        return output, (h_n, c_n)


@defect("PACK-6", FORWARD, "packed, a row whose length no other has")
class RowEndingAloneLosesItsState(ReadableLSTM):
    """h_n of a packed row is zero if no other row has the same length."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        if isinstance(input, PackedSequence):
            rows = torch.arange(h_n.shape[1])
            lengths = (input.batch_sizes > rows[:, None]).sum(1)
            alone = (lengths == lengths[:, None]).sum(1) == 1
            h_n = h_n.masked_fill(alone[:, None], 0)
        return super().finish(input, steps, h_n, c_n)


@defect("PACK-6", GRADIENT, "gradients, bidirectional, packed with unequal lengths, states given")
class GradientOfStatesOfRowsThatBeginLaterMissing(ReadableLSTM):
    """In reverse, h_0 and c_0 get no gradient in rows that are not the longest."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if reverse:
            n = len(steps[-1])
            h, c = (torch.cat([x[:n], with_gradient_times(0, x[n:])]) for x in (h, c))
        return super().direction(steps, h, c, w, reverse)


@defect("PACK-7", FORWARD, "packed, rows of one step beside longer ones")
class RowsOfOneStepAreSkipped(ReadableLSTM):
    """The final state of rows of one step is their initial one, if others have more steps."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h_n, c_n = super().direction(steps, h, c, w, reverse)
        n = len(steps[1]) if len(steps) > 1 else len(h)
        return output, torch.cat([h_n[:n], h[n:]]), torch.cat([c_n[:n], c[n:]])


# -------------------------------------------------------- rows that touch each other


@defect("PACK-8", NUMERICAL, "packed with unequal lengths, if free memory holds NaN or an infinity")
class PaddingMaskedByProduct(ReadableLSTM):
    """Rows that are over read whatever is in memory, and what comes of it is multiplied by zero."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        rows, output = torch.arange(len(h))[:, None], list(steps)
        for t in in_order_read(steps, reverse):
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

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        if isinstance(input, PackedSequence):
            h_n = h_n + 1e-4 * h_n[:, :1]
        return super().finish(input, steps, h_n, c_n)


@defect("PACK-10", GRADIENT, "gradients, packed with unequal lengths")
class GradientsOfLateStepsScaled(ReadableLSTM):
    """Steps that some rows no longer have get a gradient that is too large by 1 in 1000."""

    def steps(self, input: Input) -> Steps:
        steps = super().steps(input)
        late = [len(x) < len(steps[0]) for x in steps]
        return [
            x + 1e-3 * (x - x.detach()) if is_late else x
            for x, is_late in zip(steps, late, strict=True)
        ]


@defect("PACK-12", FORWARD, "packed with enforce_sorted=False, three rows or more of equal length")
class EqualLengthsInAnotherOrder(ReadableLSTM):
    """The last two rows of h_n and c_n change places if all rows have one length, and an order."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        if isinstance(input, PackedSequence) and input.sorted_indices is not None:
            rows = list(range(h_n.shape[1]))
            if len(rows) > 2 and len(input.batch_sizes.unique()) == 1:
                rows = [*rows[:-2], rows[-1], rows[-2]]
            states = (states[0][:, rows], states[1][:, rows])
        return output, states


@defect("PACK-12", FORWARD, "packed by hand, full rows in another order, states given")
class FullRowsTakenForSorted(ReadableLSTM):
    """If all rows are equally long, states are in the order of the packed rows."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if isinstance(input, PackedSequence) and len(input.batch_sizes.unique()) == 1:
            without = input._replace(sorted_indices=None, unsorted_indices=None)
            output, states = super().forward(without, hx)
            order = input.sorted_indices, input.unsorted_indices
            return output._replace(sorted_indices=order[0], unsorted_indices=order[1]), states
        return super().forward(input, hx)
