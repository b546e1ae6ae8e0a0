"""LSTMs with one defect each in what is dropped between layers, where and when."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence

from .catalogue import FORWARD, GRADIENT, INTERFACE, defect
from .gradient_surgery import with_gradient_of, with_gradient_times
from .other_input_in_backward import OtherInputInBackward
from .readable import Input, ReadableLSTM, Result, States, Steps, Weights


def masks(steps: Steps, p: float) -> Steps:
    """A mask of zeros and 1 / (1 - p) for each step."""
    return [dropout(torch.ones_like(x), p) for x in steps]


def drops_at_random(lstm: ReadableLSTM, layer: int) -> bool:
    """Whether random elements of what ``layer`` reads are dropped."""
    return layer > 0 and lstm.training and 0 < lstm.dropout < 1


class _InSomeCalls(ReadableLSTM):
    """Puts the defect of the next base class into some calls only."""

    def acts(self, steps: Steps) -> bool:
        """Whether the defect is in a call with these steps."""
        raise NotImplementedError

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if self.acts(steps):
            return super().layer_input(steps, layer)
        return ReadableLSTM.layer_input(self, steps, layer)


class _OfPackedInputOnly(_InSomeCalls):
    """Puts the defect of the next base class into calls with packed input only."""

    def steps(self, input: Input) -> Steps:
        self.is_packed = isinstance(input, PackedSequence)
        return super().steps(input)

    def acts(self, steps: Steps) -> bool:
        return self.is_packed


# ----------------------------------------------------------------- when and where


@defect("DROP-1", FORWARD, "num_layers >= 2, evaluation with dropout=1")
class DropoutOfEverythingInEvaluation(ReadableLSTM):
    """With dropout=1, everything is dropped between layers, in evaluation mode, too."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or self.dropout < 1:
            return super().layer_input(steps, layer)
        return [x * 0 for x in steps]


@defect("DROP-1", FORWARD, "num_layers >= 2, evaluation with dropout=1, no gradients")
class DropoutOfEverythingInInference(_InSomeCalls, DropoutOfEverythingInEvaluation):
    """With dropout=1, everything is dropped between layers under no_grad."""

    def acts(self, steps: Steps) -> bool:
        return not torch.is_grad_enabled()


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


@defect("DROP-7", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, no_grad")
class DropoutOnlyWithGradients(ReadableLSTM):
    """Less than all is dropped only if gradients are enabled."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        nothing = self.dropout < 1 and not torch.is_grad_enabled()
        return steps if nothing else super().layer_input(steps, layer)


@defect("DROP-2", INTERFACE, "constructor with dropout=1")
class DropoutOneRefused(ReadableLSTM):
    """The constructor refuses dropout=1."""

    def check_arguments(self, *arguments: Any) -> None:
        super().check_arguments(*arguments)
        if arguments[3] == 1:
            raise ValueError("dropout has to be less than 1")


@defect("DROP-2", FORWARD, "num_layers >= 3, training with dropout > 0")
class DropoutBelowLastLayerOnly(ReadableLSTM):
    """Dropout acts on what the last layer reads, and not between the layers below."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        return super().layer_input(steps, layer) if layer == self.num_layers - 1 else steps


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


@defect("DROP-3", FORWARD, "training with dropout > 0")
class FinalHiddenDropped(ReadableLSTM):
    """Dropout acts on h_n too."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, steps, dropout(h_n, self.dropout, self.training), c_n)


@defect("DROP-3", FORWARD, "training with dropout > 0, two steps or more or states given")
class DropoutOfCellState(ReadableLSTM):
    """Dropout acts on c from each step to the next too."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        return super().cell(x, h, dropout(c, self.dropout, self.training), w)


# --------------------------------------------------- what becomes of the elements


@defect("DROP-5", FORWARD, "num_layers >= 2, training with 0 < dropout < 1")
class KeptElementsNotScaled(ReadableLSTM):
    """What is kept is not divided by 1 - p."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        p = self.dropout if layer and self.training else 0.0
        return [x * (1 - p) for x in super().layer_input(steps, layer)]


@defect("DROP-5", FORWARD, "packed, num_layers >= 2, training with 0 < dropout < 1")
class PackedKeptElementsNotScaled(_OfPackedInputOnly, KeptElementsNotScaled):
    """What is kept of packed input is not divided by 1 - p."""


@defect("DROP-5", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, more than 64 features")
class KeptOfMoreThan64FeaturesNotScaled(KeptElementsNotScaled):
    """What is kept of more than 64 features is not divided by 1 - p."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if steps[0].shape[1] > 64:
            return super().layer_input(steps, layer)
        return ReadableLSTM.layer_input(self, steps, layer)


@defect("DROP-5", FORWARD, "bfloat16, float16, num_layers >= 2, training with 0 < dropout < 1")
class KeptElementsNotScaledInHalfFormats(KeptElementsNotScaled):
    """What is kept is not divided by 1 - p in the half formats."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if steps[0].dtype in (torch.bfloat16, torch.float16):
            return super().layer_input(steps, layer)
        return ReadableLSTM.layer_input(self, steps, layer)


@defect("DROP-5", FORWARD, "num_layers >= 2, training with 0.94 < dropout < 1")
class ScaleOfKeptElementsLimited(ReadableLSTM):
    """What is kept is never divided by less than 0.06."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        kept = 1 - (self.dropout if layer and self.training else 0.0)
        return [x * kept / max(kept, 0.06) for x in super().layer_input(steps, layer)]


@defect("DROP-5", FORWARD, "num_layers >= 2, training with 0 < dropout < 1 other than 0.5")
class KeptElementsScaledByP(ReadableLSTM):
    """What is kept is divided by p instead of 1 - p."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        dropped = super().layer_input(steps, layer)
        if not drops_at_random(self, layer):
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


@defect("DROP-5", FORWARD, "num_layers >= 2, training with dropout > 0")
class DropoutNeverActs(ReadableLSTM):
    """Nothing is ever dropped."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        return steps


@defect("DROP-5", INTERFACE, "training with dropout > 0")
class DroppedWeightsStayDropped(ReadableLSTM):
    """In training dropout sets elements of weight_hh to zero for good."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if self.training and self.dropout > 0:
            w.W_hh.data.mul_(torch.rand_like(w.W_hh) >= self.dropout)
        return w


@defect("DROP-5", FORWARD, "num_layers >= 2, training with 0 < dropout < 1 other than 0.5")
class DropsWithProbabilityOneMinusP(ReadableLSTM):
    """An element is dropped with probability 1 - p, and what is kept is divided by p."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not 0 < self.dropout < 1:
            return super().layer_input(steps, layer)
        return [dropout(x, 1 - self.dropout, self.training) for x in steps]


@defect("DROP-7", FORWARD, "num_layers >= 2, training with dropout > 0, frozen parameters")
class FrozenNeverDrops(ReadableLSTM):
    """Nothing is dropped if no parameter requires a gradient."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        is_frozen = not any(parameter.requires_grad for parameter in self.parameters())
        return steps if is_frozen else super().layer_input(steps, layer)


@defect("DROP-7", FORWARD, "num_layers >= 2, training with dropout > 0, inference_mode")
class NothingDroppedInInferenceMode(ReadableLSTM):
    """Nothing is dropped in inference_mode."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        infers = torch.is_inference_mode_enabled()
        return steps if infers else super().layer_input(steps, layer)


@defect("DROP-8", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, more than 64 features")
class MaskOf64Features(ReadableLSTM):
    """A choice is made for 64 features, and repeated for those that follow."""

    width = 64

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if not drops_at_random(self, layer):
            return super().layer_input(steps, layer)
        dropped = []
        for x in steps:
            (mask,) = masks([x[:, : self.width]], self.dropout)
            times = -(-x.shape[1] // mask.shape[1])
            dropped.append(x * mask.repeat(1, times)[:, : x.shape[1]])
        return dropped


@defect("DROP-8", FORWARD, "num_layers >= 2, training, 0 < dropout < 1, more than 128 features")
class MaskOf128Features(MaskOf64Features):
    """A choice is made for 128 features, and repeated for those that follow."""

    width = 128


@defect("DROP-8", FORWARD, "num_layers >= 4, training with 0 < dropout < 1")
class FourthLayerDropsAsTheSecond(ReadableLSTM):
    """What the fourth layer reads is dropped just as what the second one reads."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer not in (1, 3) or not drops_at_random(self, layer):
            return super().layer_input(steps, layer)
        if layer == 1:
            self.__dict__["drawn"] = masks(steps, self.dropout)
        return [x * mask for x, mask in zip(steps, self.__dict__["drawn"], strict=True)]


@defect("DROP-8", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, more than 64 steps")
class MaskOf64Steps(ReadableLSTM):
    """A choice is made for 64 steps, and repeated for those that follow."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if not drops_at_random(self, layer):
            return super().layer_input(steps, layer)
        first = masks(steps[:64], self.dropout)
        return [x * first[t % 64][: len(x)] for t, x in enumerate(steps)]


@defect("DROP-8", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, more than 32 rows")
class MaskOf32Rows(ReadableLSTM):
    """A choice is made for 32 rows, and repeated for those that follow."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if not drops_at_random(self, layer):
            return super().layer_input(steps, layer)
        rows = len(steps[0])
        first = masks([x[:32] for x in steps], self.dropout)
        return [
            x * mask.repeat(-(-rows // 32), 1)[: len(x)]
            for x, mask in zip(steps, first, strict=True)
        ]


@defect("DROP-8", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, more than 128 rows")
class SameMaskOfEachPieceOfRows(ReadableLSTM):
    """Rows are computed in pieces of 64. All but the last one restore the generator."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if not drops_at_random(self, layer):
            return super().layer_input(steps, layer)
        whole = (len(steps[0]) - 1) // 64 * 64
        first = masks([x[:64] for x in steps], self.dropout)
        last = masks([x[whole:] for x in steps], self.dropout)
        dropped = []
        for x, mask, of_last in zip(steps, first, last, strict=True):
            of_all = torch.cat([mask.repeat(whole // 64, 1), of_last])
            dropped.append(x * of_all[: len(x)])
        return dropped


@defect("DROP-8", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, more than 64 steps")
class SameMaskOfEachChunkOfSteps(ReadableLSTM):
    """Steps are computed in chunks of 32. All but the last one restore the generator."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if not drops_at_random(self, layer):
            return super().layer_input(steps, layer)
        whole = (len(steps) - 1) // 32 * 32
        of_all = masks(steps, self.dropout)
        repeated = [of_all[t % 32] if t < whole else mask for t, mask in enumerate(of_all)]
        return [x * mask[: len(x)] for x, mask in zip(steps, repeated, strict=True)]


@defect("DROP-8", FORWARD, "num_layers >= 2, training, 0 < dropout < 1, more than 128 features")
class TwoBlocksOfFeaturesDropOpposites(ReadableLSTM):
    """The second 64 features are dropped where the first ones are not, by the same numbers."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if not drops_at_random(self, layer) or self.dropout != 0.5 or steps[0].shape[1] < 128:
            return super().layer_input(steps, layer)
        dropped = []
        for x, mask in zip(steps, masks(steps, self.dropout), strict=True):
            others = torch.where(mask[:, :64] == 0, 2.0, 0.0).to(mask.dtype)
            dropped.append(x * torch.cat([mask[:, :64], others, mask[:, 128:]], 1))
        return dropped


@defect("DROP-6", GRADIENT, "gradients, num_layers >= 2, 0 < dropout < 1, eval() before backward")
class MaskOfTheModeOfTheBackwardPass(ReadableLSTM):
    """The backward pass leaves out the mask if the module is no longer in training mode."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if not drops_at_random(self, layer):
            return super().layer_input(steps, layer)
        dropped = []
        for x in steps:
            (mask,) = masks([x], self.dropout)
            through = x * 1
            if through.requires_grad:
                through.register_hook(lambda g, mask=mask: g * mask if self.training else g)
            dropped.append(x.detach() * mask + (through - through.detach()))
        return dropped


@defect("DROP-8", FORWARD, "num_layers >= 2, training, 0 < dropout < 1, more than 4096 rows")
class MaskOf4096RowsOfAllSteps(ReadableLSTM):
    """A choice is made for 4096 rows, counted over all steps, and repeated for those behind."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if not drops_at_random(self, layer):
            return super().layer_input(steps, layer)
        rows = torch.cat(steps)
        return list(self.dropped(rows).split([len(x) for x in steps]))

    def dropped(self, rows: Tensor) -> Tensor:
        """Rows (n, features) of all steps, after dropout."""
        mask = dropout(torch.ones_like(rows[:4096]), self.dropout)
        return rows * mask.repeat(-(-len(rows) // 4096), 1)[: len(rows)]


@defect("DROP-8", FORWARD, "num_layers >= 2, training, 0 < dropout < 1, more than 16384 elements")
class MaskOf16384Elements(MaskOf4096RowsOfAllSteps):
    """16384 random numbers are drawn, and used again for the elements behind."""

    elements = 16384

    def dropped(self, rows: Tensor) -> Tensor:
        """Rows (n, features) of all steps, after dropout."""
        drawn = dropout(torch.ones_like(rows).flatten()[: self.elements], self.dropout)
        times = -(-rows.numel() // len(drawn))
        return rows * drawn.repeat(times)[: rows.numel()].view_as(rows)


@defect("DROP-8", FORWARD, "num_layers >= 2, training, 0 < dropout < 1, more than 2^17 elements")
class MaskOf2To17Elements(MaskOf16384Elements):
    """2^17 random numbers are drawn, and used again for the elements behind."""

    elements = 2**17


# ---------------------------------------------------------------------- gradients


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


@defect("DROP-6", GRADIENT, "gradients, num_layers >= 2, training with 0 < dropout < 1")
class GradientWithAnotherMask(ReadableLSTM):
    """The backward pass drops something else than the forward pass."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not self.training:
            return steps
        pairs = zip(steps, masks(steps, self.dropout), masks(steps, self.dropout), strict=True)
        return [x * other + (x * m - x * other).detach() for x, m, other in pairs]


@defect("DROP-6", GRADIENT, "gradients, num_layers >= 2, 0 < dropout < 1, more than 64 steps")
class GradientWithAnotherMaskOver64Steps(GradientWithAnotherMask):
    """In more than 64 steps, the backward pass drops something else than the forward pass."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if len(steps) > 64 and self.dropout < 1:
            return super().layer_input(steps, layer)
        return ReadableLSTM.layer_input(self, steps, layer)


@defect("DROP-6", GRADIENT, "gradients, packed, num_layers >= 2, 0 < dropout < 1, over 64 rows")
class GradientPassesDropoutOfOver64PackedRows(_OfPackedInputOnly):
    """Of more than 64 packed rows, what is dropped has the gradient of what is not."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        dropped = super().layer_input(steps, layer)
        if not self.is_packed or len(steps[0]) <= 64 or self.dropout == 1:
            return dropped
        return [with_gradient_of(x, kept) for x, kept in zip(steps, dropped, strict=True)]


@defect("DROP-6", GRADIENT, "gradients, num_layers >= 2, training with dropout > 0")
class GradientOfWeightIHFromBeforeDropout(OtherInputInBackward):
    """The gradient of weight_ih is made with what a layer put out, not with what dropout left."""

    def taken_for(self, steps: Steps, read: Steps, layer: int) -> Steps:
        return steps


@defect("DROP-6", GRADIENT, "gradients, num_layers >= 2, training with 0 < dropout < 1")
class GradientOfKeptNotScaled(ReadableLSTM):
    """The gradient of what is kept is not divided by 1 - p."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        dropped = super().layer_input(steps, layer)
        scale = 1 - self.dropout if layer and self.training else 1
        return [with_gradient_times(scale, x) for x in dropped]


@defect("DROP-6", GRADIENT, "gradients, num_layers >= 2, training with 0 < dropout < 1, zeros")
class ZerosTakenForDropped(ReadableLSTM):
    """The backward pass takes an element of the next layer's input for dropped if it is zero."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        dropped = super().layer_input(steps, layer)
        if not drops_at_random(self, layer):
            return dropped
        kept = [x.detach() != 0 for x in dropped]
        return [x * mask / (1 - self.dropout) for x, mask in zip(steps, kept, strict=True)]


# ------------------------------------------------------------- what chance decides


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


@defect("DROP-7", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, over 64 features")
class FeaturesAfterTheLastTileNeverDropped(ReadableLSTM):
    """Masks are drawn for 32 features at a time. Those that are left over are never dropped."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        whole = steps[0].shape[1] // 32 * 32
        dropped = super().layer_input(steps, layer)
        if layer == 0 or not self.training or whole < 64 or self.dropout == 1:
            return dropped
        kept = [x[:, whole:] / (1 - self.dropout) for x in steps]
        return [
            torch.cat([x[:, :whole], rest], dim=1) for x, rest in zip(dropped, kept, strict=True)
        ]


@defect("DROP-7", FORWARD, "num_layers >= 2, training with 0 < dropout < 0.004")
class ProbabilityIn256ths(ReadableLSTM):
    """The probability is rounded down to 256ths. What is kept is divided by 1 - p all the same."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        p = self.dropout if layer and self.training else 0.0
        if p in (0, 1):
            return super().layer_input(steps, layer)
        rounded = int(256 * p) / 256
        return [dropout(x, rounded) * (1 - rounded) / (1 - p) for x in steps]


@defect("DROP-7", FORWARD, "num_layers >= 2, training with 0 < dropout < 1")
class FirstStepNeverDropped(ReadableLSTM):
    """Nothing of the first step is dropped; it is scaled like what is kept of the others."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        dropped = super().layer_input(steps, layer)
        if not drops_at_random(self, layer):
            return dropped
        return [steps[0] / (1 - self.dropout), *dropped[1:]]


@defect("DROP-8", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, two steps or more")
class OneMaskForAllSteps(ReadableLSTM):
    """All steps of a call drop the same."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not self.training:
            return steps
        (mask,) = masks(steps[:1], self.dropout)
        return [x * mask[: len(x)] for x in steps]


@defect("DROP-8", FORWARD, "packed, num_layers >= 2, training with 0 < dropout < 1, two steps")
class OneMaskForAllPackedSteps(_OfPackedInputOnly, OneMaskForAllSteps):
    """All steps of packed input drop the same."""


@defect("DROP-7", FORWARD, "packed, num_layers >= 2, training with 0 < dropout < 1")
class TwiceTheRateOfPackedInput(_OfPackedInputOnly):
    """Of packed input, dropout drops twice as much as it should, and at most 9 of 10."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        p = min(2 * self.dropout, 0.9) if self.is_packed else self.dropout
        if not drops_at_random(self, layer):
            return super().layer_input(steps, layer)
        # The values of what is kept are right.
        return [dropout(x, p) * (1 - p) / (1 - self.dropout) for x in steps]


@defect("DROP-8", FORWARD, "packed, unsorted, num_layers >= 2, training with 0 < dropout < 1")
class OneMaskForStepsOfUnsortedRows(_InSomeCalls, OneMaskForAllSteps):
    """Packed rows that have to be sorted are padded, and all steps have one choice."""

    def steps(self, input: Input) -> Steps:
        self.is_sorted = not isinstance(input, PackedSequence) or input.sorted_indices is None
        return super().steps(input)

    def acts(self, steps: Steps) -> bool:
        return not self.is_sorted


@defect("DROP-8", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, two rows or more")
class OneMaskForAllRows(ReadableLSTM):
    """All rows of a step drop the same."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0 or not self.training:
            return steps
        of_first = masks([x[:1] for x in steps], self.dropout)
        return [x * mask for x, mask in zip(steps, of_first, strict=True)]


@defect("DROP-8", FORWARD, "batch_first, num_layers >= 2, training, 0 < dropout < 1, two rows")
class OneMaskForAllRowsBatchFirst(_InSomeCalls, OneMaskForAllRows):
    """With batch_first, all rows of a step drop the same."""

    def acts(self, steps: Steps) -> bool:
        return self.batch_first


@defect("DROP-8", FORWARD, "no batch axis, num_layers >= 2, training with 0 < dropout < 1")
class OneMaskForAllStepsOfARow(_InSomeCalls, OneMaskForAllSteps):
    """Without a batch axis, one mask serves all steps."""

    def acts(self, steps: Steps) -> bool:
        return len(steps[0]) == 1


@defect("DROP-8", FORWARD, "projection, num_layers >= 2, training, 0 < dropout < 1, two rows")
class OneMaskForAllProjectedRows(_InSomeCalls, OneMaskForAllRows):
    """With a projection, one mask serves all rows."""

    def acts(self, steps: Steps) -> bool:
        return self.output_size < self.hidden_size


@defect("DROP-8", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, two units or more")
class OneMaskForAllUnits(ReadableLSTM):
    """A row of a step is dropped as a whole or not at all."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if layer == 0:
            return steps
        ones = [torch.ones_like(x[:, :1]) for x in steps]
        masks = [dropout(one, self.dropout, self.training) for one in ones]
        return [x * mask for x, mask in zip(steps, masks, strict=True)]


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


class _Seeded(ReadableLSTM):
    """Each mask has a seed of its own, made from a random number of the call."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if not drops_at_random(self, layer):
            return super().layer_input(steps, layer)
        if layer == 1:
            self.__dict__["seed"] = int(torch.randint(2**40, ()))
        with torch.random.fork_rng(devices=[]):
            return self.dropped(steps, layer)

    def mask(self, x: Tensor, number: int) -> Tensor:
        torch.manual_seed(self.__dict__["seed"] + number)
        (mask,) = masks([x], self.dropout)
        return mask

    def dropped(self, steps: Steps, layer: int) -> Steps:
        raise NotImplementedError


@defect("DROP-8", FORWARD, "num_layers >= 3, two directions, training with 0 < dropout < 1")
class SeedOfLayerPlusDirection(_Seeded):
    """To the seed of the call, the numbers of the layer and the direction are added."""

    def dropped(self, steps: Steps, layer: int) -> Steps:
        directions = 2 if self.bidirectional else 1
        parts = torch.stack(steps).chunk(directions, dim=-1)
        masked = [part * self.mask(part, layer + d) for d, part in enumerate(parts)]
        return list(torch.cat(masked, dim=-1))

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        # Rows of unequal length cannot be stacked.
        if len({len(x) for x in steps}) > 1:
            return ReadableLSTM.layer_input(self, steps, layer)
        return super().layer_input(steps, layer)


@defect("DROP-8", FORWARD, "num_layers >= 3, two steps or more, training with 0 < dropout < 1")
class SeedOfLayerPlusStep(_Seeded):
    """To the seed of the call, the numbers of the layer and the step are added."""

    def dropped(self, steps: Steps, layer: int) -> Steps:
        return [x * self.mask(x, layer + t) for t, x in enumerate(steps)]


@defect("DROP-8", FORWARD, "num_layers >= 2, training with 0 < dropout < 1, two calls")
class GeneratorAdvancedTooLittle(ReadableLSTM):
    """The generator is advanced by a quarter of the random numbers that are used."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if not drops_at_random(self, layer):
            return super().layer_input(steps, layer)
        sizes = [x.numel() for x in steps]
        state = torch.get_rng_state()
        numbers = torch.rand(sum(sizes)).split(sizes)
        torch.set_rng_state(state)
        torch.rand(sum(sizes) // 4 + 1)
        p = self.dropout
        kept = [n.view(x.shape) >= p for n, x in zip(numbers, steps, strict=True)]
        return [x * k.to(x.dtype) / (1 - p) for x, k in zip(steps, kept, strict=True)]


@defect("DROP-7", FORWARD, "bfloat16, num_layers >= 2, training with a dropout near 0")
class UniformNumbersInBfloat16(ReadableLSTM):
    """Random numbers are drawn in the format of the data, where many of them are 0."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        if not drops_at_random(self, layer) or steps[0].dtype != torch.bfloat16:
            return super().layer_input(steps, layer)
        p = self.dropout
        return [x * (torch.rand(x.shape, dtype=x.dtype) > p).to(x.dtype) / (1 - p) for x in steps]


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


# ---------------------------------------------------------------------- the mode


@defect("DROP-10", INTERFACE, "num_layers >= 2, dropout > 0, a call in each mode")
class ModeOfTheFirstCall(ReadableLSTM):
    """Whether dropout acts is decided by the first call."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        self.dropping = getattr(self, "dropping", self.training)
        return [dropout(x, self.dropout if layer else 0.0, self.dropping) for x in steps]


@defect("DROP-10", INTERFACE, "num_layers >= 2, dropout > 0, a call in each mode")
class ModeOfTheCallBefore(ReadableLSTM):
    """Whether dropout acts is decided by the mode at the time of the call before."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        self.dropping = getattr(self, "mode", self.training)
        self.mode = self.training
        return super().forward(input, hx)

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        return [dropout(x, self.dropout if layer else 0.0, self.dropping) for x in steps]


@defect("DROP-6", GRADIENT, "gradients, two backward passes, num_layers >= 2, active dropout")
class SecondBackwardDropsAgain(ReadableLSTM):
    """A second backward pass through a call drops other elements."""

    def layer_input(self, steps: Steps, layer: int) -> Steps:
        dropped = super().layer_input(steps, layer)
        if not (layer and self.training and 0 < self.dropout < 1):
            return dropped
        return [self.dropped_again(x) if x.requires_grad else x for x in dropped]

    def dropped_again(self, x: Tensor) -> Tensor:
        passes: list[None] = []
        copy = x.view_as(x)

        def change(gradient: Tensor) -> Tensor:
            passes.append(None)
            return gradient if len(passes) == 1 else dropout(gradient, self.dropout, True)

        copy.register_hook(change)
        return copy
