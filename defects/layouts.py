"""LSTMs with one defect each in the axes of what they return, or in rows of unequal length.

Nothing is raised.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import PackedSequence

from .catalogue import FORWARD, INTERFACE, defect
from .readable import ReadableLSTM, States, Steps, Weights

Input = Tensor | PackedSequence
Result = tuple[Input, States]


# ---------------------------------------------------------------------- axes


@defect("SHAPE-1", INTERFACE, "unbatched")
class UnbatchedKeepsBatchAxis(ReadableLSTM):
    """Results of an unbatched input have a batch axis of 1."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        if isinstance(input, Tensor) and input.dim() == 2:
            return torch.stack(steps), (h_n, c_n)
        return super().finish(input, steps, h_n, c_n)


@defect("SHAPE-6", INTERFACE, "unbatched, batch_first=True")
class UnbatchedOutputTransposed(ReadableLSTM):
    """With batch_first, the axes of an unbatched output are exchanged as if they were batched."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        unbatched = isinstance(input, Tensor) and input.dim() == 2
        return output.T if unbatched and self.batch_first else output, states


@defect("SHAPE-1", INTERFACE, "batch_first=True, batched")
class OutputWithoutBatchFirst(ReadableLSTM):
    """With batch_first, the input is read with the batch first, and output has the steps first."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        if isinstance(input, Tensor) and input.dim() == 3:
            return torch.stack(steps), (h_n, c_n)
        return super().finish(input, steps, h_n, c_n)


@defect("SHAPE-1", INTERFACE, "bidirectional")
class OutputForwardOnly(ReadableLSTM):
    """output has no reverse direction."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, [x[:, : self.output_size] for x in steps], h_n, c_n)


@defect("SHAPE-2", INTERFACE, "batch_first=True")
class FinalHiddenBatchFirst(ReadableLSTM):
    """batch_first applies to h_n."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, (h_n, c_n) = super().finish(input, steps, h_n, c_n)
        return output, (h_n.transpose(0, 1) if self.batch_first else h_n, c_n)


@defect("SHAPE-2", INTERFACE, "proj_size > 0")
class FinalHiddenPaddedToHiddenSize(ReadableLSTM):
    """h_n has hidden_size features with a projection too, the last ones zeros."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        wider = self.hidden_size - self.output_size
        return super().finish(input, steps, pad(h_n, (0, wider)), c_n)


@defect("SHAPE-2", INTERFACE, "num_layers >= 2")
class FinalHiddenOfLastLayerOnly(ReadableLSTM):
    """h_n has rows for the last layer only."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, steps, h_n[-self.num_directions :], c_n)


@defect("SHAPE-3", INTERFACE, "batch_first=True")
class FinalCellBatchFirst(ReadableLSTM):
    """batch_first applies to c_n."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, (h_n, c_n) = super().finish(input, steps, h_n, c_n)
        return output, (h_n, c_n.transpose(0, 1) if self.batch_first else c_n)


@defect("SHAPE-3", INTERFACE, "proj_size > 0")
class FinalCellOfProjectedSize(ReadableLSTM):
    """c_n has the first proj_size features only."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, steps, h_n, c_n[..., : self.output_size])


@defect("SHAPE-4", INTERFACE, "gradients")
class GradientsOfWeightsFlat(ReadableLSTM):
    """Gradients of weights are rows of numbers, as if all parameters were parts of one vector."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for parameter in self.parameters():
            parameter.register_post_accumulate_grad_hook(self.flatten)

    @staticmethod
    def flatten(parameter: Tensor) -> None:
        """torch refuses a gradient of another shape, but not to change its data."""
        parameter.grad.data = parameter.grad.flatten()


@defect("SHAPE-5", FORWARD, "batch_first=True, batched, two rows and two steps or more")
class BatchFirstByReshape(ReadableLSTM):
    """With batch_first, the input's first two axes are reshaped, not exchanged."""

    def steps(self, input: Input) -> Steps:
        if isinstance(input, Tensor) and self.batch_first and input.dim() == 3:
            rows, steps, features = input.shape
            return list(input.reshape(steps, rows, features))
        return super().steps(input)


@defect("SHAPE-5", FORWARD, "batch_first=True, batched, two rows and two steps or more")
class OutputBatchFirstByReshape(ReadableLSTM):
    """With batch_first, the output's first two axes are reshaped, not exchanged."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        if isinstance(output, Tensor) and self.batch_first and output.dim() == 3:
            output = torch.stack(steps).reshape(output.shape)
        return output, states


@defect("SHAPE-6", FORWARD, "unbatched, two steps or more")
class UnbatchedReadAsRowsOfOneStep(ReadableLSTM):
    """Each step of an unbatched input starts anew from h_0 and c_0, as a row of its own."""

    def steps(self, input: Input) -> Steps:
        unbatched = isinstance(input, Tensor) and input.dim() == 2
        return [input] if unbatched else super().steps(input)

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0.expand(-1, len(steps[0]), -1), c_0.expand(-1, len(steps[0]), -1)

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        if isinstance(input, Tensor) and input.dim() == 2:
            return steps[0], (h_n[:, -1], c_n[:, -1])
        return super().finish(input, steps, h_n, c_n)


@defect("SHAPE-6", FORWARD, "unbatched, states given")
class StatesOfUnbatchedIgnored(ReadableLSTM):
    """Unbatched input always starts from zeros."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        unbatched = isinstance(input, Tensor) and input.dim() == 2
        return super().initial_states(input, None if unbatched else hx, steps)


@defect("SHAPE-6", FORWARD, "unbatched, batch_first=True, two steps or more")
class BatchFirstReversesUnbatched(ReadableLSTM):
    """With batch_first, unbatched input is read from its end."""

    def steps(self, input: Input) -> Steps:
        steps = super().steps(input)
        unbatched = isinstance(input, Tensor) and input.dim() == 2
        return steps[::-1] if unbatched and self.batch_first else steps


# ---------------------------------------------------- rows of unequal length


@defect("PACK-1", FORWARD, "packed with unequal lengths")
class PackedRowsReadToTheLongest(ReadableLSTM):
    """The forward direction reads zeros behind the end of a row, until the longest one ends."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if reverse:
            return super().direction(steps, h, c, w, reverse)
        padded = [pad(x, (0, 0, 0, len(h) - len(x))) for x in steps]
        output, h, c = super().direction(padded, h, c, w, reverse)
        return [h_t[: len(x)] for h_t, x in zip(output, steps, strict=True)], h, c


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
class OutputStaysSorted(ReadableLSTM):
    """The packed output has lost the order in which the rows were given."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        if isinstance(output, PackedSequence):
            output = PackedSequence(output.data, output.batch_sizes)
        return output, states


@defect("PACK-3", FORWARD, "bidirectional, packed with unequal lengths")
class ReverseStartsAtPadding(ReadableLSTM):
    """The reverse direction of packed sequences runs over zeros before a row's last step."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        if not reverse:
            return super().direction(steps, h, c, w, reverse)
        padded = [pad(x, (0, 0, 0, len(h) - len(x))) for x in steps]
        output, h, c = super().direction(padded, h, c, w, reverse)
        return [h_t[: len(x)] for h_t, x in zip(output, steps, strict=True)], h, c


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
