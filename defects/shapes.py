"""LSTMs with one defect each in the axes of what they read, return or differentiate.

Nothing is raised.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..adapters.reference import ReferenceLSTM
from ..spec.case import Case
from ..spec.contract import Observation
from .catalogue import FORWARD, INTERFACE, defect
from .changed_observations import changed
from .readable import Input, ReadableLSTM, Result, States, Steps

# ------------------------------------------------------------------- axes of results


@defect("SHAPE-1", INTERFACE, "unbatched")
class UnbatchedKeepsBatchAxis(ReadableLSTM):
    """Results of an unbatched input have a batch axis of 1."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        if isinstance(input, Tensor) and input.dim() == 2:
            return torch.stack(steps), (h_n, c_n)
        return super().finish(input, steps, h_n, c_n)


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


@defect("SHAPE-1", INTERFACE, "batched")
class OutputStepsSideBySide(ReadableLSTM):
    """output has the steps of a row one beside the other in a single axis."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        if isinstance(output, Tensor) and output.dim() == 3:
            output = torch.stack(steps, dim=1).flatten(1)
        return output, states


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


@defect("SHAPE-2", INTERFACE, "every case")
class FinalStatesHaveAStepAxis(ReadableLSTM):
    """h_n and c_n have an axis of 1 before their features, for the step that they are of."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, (h_n, c_n) = super().finish(input, steps, h_n, c_n)
        return output, (h_n.unsqueeze(-2), c_n.unsqueeze(-2))


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


# ----------------------------------------------------------------- axes of gradients


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


@defect("SHAPE-4", INTERFACE, "gradients, bias=True")
class GradientsOfBiasesAreMatrices(ReferenceLSTM):
    """Gradients of biases have an axis in front."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: replace(t, values=t.values[None]), "bias")


@defect("SHAPE-4", INTERFACE, "gradients, states given")
class GradientsOfStatesTransposed(ReferenceLSTM):
    """The first two axes of the gradients of h_0 and c_0, not those of h_0 and c_0, are swapped."""

    def run(self, case: Case) -> Observation:
        names = ("h_0.grad", "c_0.grad")
        return changed(
            super().run(case), lambda t: replace(t, values=t.values.swapaxes(0, 1)), *names
        )


# ---------------------------------------------------------- batch_first, and unbatched


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


@defect("SHAPE-5", FORWARD, "batch_first=True, batched, as many rows as steps, two or more")
class BatchFirstIgnoredWhereSquare(ReadableLSTM):
    """With batch_first, the first axis of the input is taken for that of the steps where the
    second is as long."""

    def steps(self, input: object) -> Steps:
        steps = super().steps(input)
        square = isinstance(input, Tensor) and input.dim() == 3 and len(steps) == len(steps[0])
        return list(torch.stack(steps).transpose(0, 1)) if square and self.batch_first else steps


@defect("SHAPE-6", INTERFACE, "unbatched, batch_first=True")
class UnbatchedOutputTransposed(ReadableLSTM):
    """With batch_first, the axes of an unbatched output are exchanged as if they were batched."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        output, states = super().finish(input, steps, h_n, c_n)
        unbatched = isinstance(input, Tensor) and input.dim() == 2
        return output.T if unbatched and self.batch_first else output, states


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


# ------------------------------------------------------------------------ no rows


@defect("SHAPE-7", INTERFACE, "batch of no rows")
class EmptyBatchPadded(ReadableLSTM):
    """A batch of no rows is read as one row of zeros."""

    def steps(self, input: Input) -> Steps:
        steps = super().steps(input)
        return [x if len(x) else x.new_zeros(1, x.shape[1]) for x in steps]
