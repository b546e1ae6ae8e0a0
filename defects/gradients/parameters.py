"""LSTMs with one defect each in the gradients of parameters.

Results are right, and nothing is raised. What goes wrong in their sums over steps is in
``sums_over_steps.py``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..catalogue import GRADIENT, NUMERICAL, defect, variant
from ..fewer_digits import with_gradient_in
from ..gradient_surgery import constant, with_cotangents, with_gradient_of, with_gradient_times
from ..other_input_in_backward import OtherInputInBackward
from ..readable import ReadableLSTM, Steps, Weights
from ..scaled_gradients import gradients_times

LATER = "two steps or more or states given"


# --------------------------------------------------------------------- by a factor


for name, breaks, shows, text, wrong in (
    (
        "WeightIHGradientOfLayer1Scaled",
        "GRAD-4",
        "gradients, num_layers >= 2",
        "The gradient of weight_ih_l1 is too large by 3 in 100000.",
        (1 + 3e-5, ("W_ih",), lambda layer, d, w: layer == 1 and d == 0),
    ),
    (
        "GradientOfWeightIHOfReverseMissing",
        "GRAD-4",
        "gradients, bidirectional",
        "weight_ih_reverse has gradient zero.",
        (0, ("W_ih",), lambda layer, d, w: d == 1),
    ),
    (
        "GradientsOfParametersDoubled",
        "GRAD-4",
        "gradients",
        "The gradients of all parameters are too large by a factor of 2.",
        (2,),
    ),
    (
        "GradientOfWeightHHOfUpperLayersMissing",
        "GRAD-5",
        f"gradients, num_layers >= 2, {LATER}",
        "weight_hh of layers above the first has gradient zero.",
        (0, ("W_hh",), lambda layer, d, w: layer > 0),
    ),
    (
        "GradientOfWeightHHDoubled",
        "GRAD-5",
        f"gradients, {LATER}",
        "The gradient of weight_hh is too large by a factor of 2.",
        (2, ("W_hh",)),
    ),
    (
        "GradientOfBiasHHZero",
        "GRAD-6",
        "gradients, bias=True",
        "bias_hh has gradient zero.",
        (0, ("b_hh",)),
    ),
    (
        "GradientOfBiasIHDoubled",
        "GRAD-6",
        "gradients, bias=True",
        "The gradient of bias_ih is too large by a factor of 2.",
        (2, ("b_ih",)),
    ),
    (
        "GradientsOfBiasesHalved",
        "GRAD-6",
        "gradients, bias=True",
        "Each bias gets half of the gradient of their sum.",
        (0.5, ("b_ih", "b_hh")),
    ),
    (
        "GradientOfWeightHRZero",
        "GRAD-7",
        "gradients, proj_size > 0",
        "weight_hr has gradient zero.",
        (0, ("W_hr",)),
    ),
    (
        "GradientOfWeightHROfReverseMissing",
        "GRAD-7",
        "gradients, proj_size > 0, bidirectional",
        "weight_hr_reverse has gradient zero.",
        (0, ("W_hr",), lambda layer, d, w: d == 1),
    ),
):
    variant(__name__, gradients_times(*wrong), name, text, breaks, GRADIENT, shows)


# -------------------------------------------------------------- of one of the blocks


def gradient_of_block_missing(block: int, *roles: str) -> type[ReadableLSTM]:
    """One of the four blocks of rows of some parameters has gradient zero."""

    class Variant(ReadableLSTM):
        def weights(self, layer: int, d: int) -> Weights:
            w = super().weights(layer, d)
            changed = {}
            for role in roles:
                parameter = getattr(w, role)
                if parameter is not None:
                    blocks = list(parameter.chunk(4))
                    blocks[block] = with_gradient_times(0, blocks[block])
                    changed[role] = torch.cat(blocks)
            return w._replace(**changed)

    return Variant


for name, shows, block in (
    ("GradientOfInputWeightsOfInputGateMissing", "gradients", 0),
    ("GradientOfInputWeightsOfForgetGateMissing", f"gradients, {LATER}", 1),
    ("GradientOfInputWeightsOfCandidateMissing", "gradients", 2),
    ("GradientOfInputWeightsOfOutputGateMissing", "gradients, cotangent of output or h_n", 3),
):
    text = f"W_i{'ifgo'[block]} has gradient zero."
    variant(
        __name__, gradient_of_block_missing(block, "W_ih"), name, text, "GRAD-4", GRADIENT, shows
    )

for name, block in (
    ("GradientOfHiddenWeightsOfInputGateMissing", 0),
    ("GradientOfHiddenWeightsOfForgetGateMissing", 1),
    ("GradientOfHiddenWeightsOfCandidateMissing", 2),
    ("GradientOfHiddenWeightsOfOutputGateMissing", 3),
):
    text, shows = f"W_h{'ifgo'[block]} has gradient zero.", f"gradients, {LATER}"
    variant(
        __name__, gradient_of_block_missing(block, "W_hh"), name, text, "GRAD-5", GRADIENT, shows
    )

variant(
    __name__,
    gradient_of_block_missing(1, "b_ih", "b_hh"),
    "GradientOfBiasesOfForgetGateMissing",
    "b_if and b_hf have gradient zero.",
    "GRAD-6",
    GRADIENT,
    f"gradients, bias=True, {LATER}",
)


# ------------------------------------------------------------ means instead of sums


def mean_over_rows(*roles: str) -> type[ReadableLSTM]:
    """Each step's gradient of some parameters is the mean over its rows."""

    class Variant(ReadableLSTM):
        def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
            own = {role: getattr(w, role) for role in roles}
            present = {role: p for role, p in own.items() if p is not None}
            means = {r: with_gradient_times(1 / len(x), p) for r, p in present.items()}
            return super().preactivations(x, h, w._replace(**means))

    return Variant


for name, breaks, shows, which, roles in (
    (
        "GradientOfWeightIHIsMeanOverRows",
        "GRAD-4",
        "gradients, two rows or more",
        "weight_ih",
        ["W_ih"],
    ),
    (
        "GradientsOfBiasesAreMeansOverRows",
        "GRAD-6",
        "gradients, bias=True, two rows or more",
        "the biases",
        ["b_ih", "b_hh"],
    ),
):
    text = f"Each step's gradient of {which} is the mean over its rows, not their sum."
    variant(__name__, mean_over_rows(*roles), name, text, breaks, GRADIENT, shows)


# ---------------------------------------------------------------- of something else


@defect("GRAD-4", GRADIENT, "gradients, num_layers >= 2, no dropout in training")
class GradientOfWeightIHFromInput(OtherInputInBackward):
    """Without dropout the gradient of weight_ih in upper layers is made with the input of the
    first, or zeros if that is of another width."""

    def taken_for(self, steps: Steps, read: Steps, layer: int) -> Steps:
        if layer == 0:
            self.input = read
        if layer == 0 or (self.training and self.dropout > 0):
            return read
        if self.input[0].shape != read[0].shape:
            return [torch.zeros_like(x) for x in read]
        return self.input


@defect(
    "GRAD-5",
    GRADIENT,
    "gradients, proj_size=0, hidden_size >= 2, two steps or more or states given",
)
class GradientOfWeightHHTransposed(ReadableLSTM):
    """The gradient of each block of weight_hh is transposed, where the block is square."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        if w.W_hr is not None:
            return w
        transposed = torch.cat([block.T for block in w.W_hh.chunk(4)])
        return w._replace(W_hh=with_gradient_of(transposed, w.W_hh))


@defect("GRAD-6", GRADIENT, "gradients, bias=True")
class GradientsOfBiasesMissing(ReadableLSTM):
    """Biases get no gradient."""

    def bias(self, w: Weights) -> Tensor | None:
        return super().bias(constant(w))


@defect("GRAD-6", GRADIENT, "gradients, bias=True")
class GradientsOfBiasesOfForgetGate(ReadableLSTM):
    """The biases of the input and the output gate get the gradient of those of the forget gate."""

    def bias(self, w: Weights) -> Tensor | None:
        def change(cotangents: list[Tensor | None]) -> list[Tensor | None]:
            _, f, g, _ = cotangents[0].chunk(4)
            return [torch.cat([f, f, g, f])]

        b = super().bias(w)
        return None if b is None else with_cotangents(change, b)[0]


@defect("GRAD-6", GRADIENT, "gradients, bias=True, bidirectional")
class GradientsOfReverseBiasesGoToForward(ReadableLSTM):
    """bias_ih gets what belongs to bias_ih_reverse, in addition to its own."""

    def weights(self, layer: int, d: int) -> Weights:
        w, forward = super().weights(layer, d), super().weights(layer, 0)
        if d == 0 or w.b_ih is None or forward.b_ih is None:
            return w
        return w._replace(b_ih=with_gradient_of(forward.b_ih, w.b_ih))


@defect("GRAD-7", GRADIENT, "gradients, proj_size > 0, num_layers >= 2")
class GradientOfWeightHRGoesToLayer0(ReadableLSTM):
    """weight_hr_l0 gets what belongs to that of the layers above, in addition to its own."""

    def weights(self, layer: int, d: int) -> Weights:
        w, lowest = super().weights(layer, d), super().weights(0, d)
        if w.W_hr is None or lowest.W_hr is None:
            return w
        return w._replace(W_hr=with_gradient_of(lowest.W_hr, w.W_hr))


@defect("GRAD-7", GRADIENT, "gradients, proj_size > 0")
class GradientOfWeightHRTakesTanhOfCell(ReadableLSTM):
    """dh_t meets tanh(c_t) instead of o * tanh(c_t) in the gradient of weight_hr."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        if w.W_hr is None:
            return super().cell(x, h, c, w)
        h_t, c_t = super().cell(x, h, c, w._replace(W_hr=w.W_hr.detach()))
        return with_gradient_of(h_t + self.project(self.tanh(c_t.detach()), w), h_t), c_t


# -------------------------------------------------------------------- digits lost


@defect("GRAD-4", NUMERICAL, "gradients, float64")
class GradientOfWeightIHInFloat32(ReadableLSTM):
    """The gradient of weight_ih is rounded to float32."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_ih=with_gradient_in(torch.float32, w.W_ih))


@defect("GRAD-5", NUMERICAL, "gradients, float32, float64, two steps or more or states given")
class GradientOfWeightHHInBfloat16(ReadableLSTM):
    """What each step adds to the gradient of weight_hh is rounded to bfloat16."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        narrow = w._replace(W_hh=with_gradient_in(torch.bfloat16, w.W_hh))
        return super().preactivations(x, h, narrow)


@defect("GRAD-6", NUMERICAL, "gradients, bias=True, float32, float64")
class GradientsOfBiasesInFloat16(ReadableLSTM):
    """The gradients of the biases are rounded to float16."""

    def bias(self, w: Weights) -> Tensor | None:
        b = super().bias(w)
        return None if b is None else with_gradient_in(torch.float16, b)
