"""LSTMs that are right for ordinary numbers, and wrong for others."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .catalogue import FORWARD, GRADIENT, NUMERICAL, defect
from .readable import Input, ReadableLSTM, Result, States, Steps, Weights, data_of, with_data


def norm_of_rows(x: Tensor) -> Tensor:
    """The Euclidean norm (n, 1) of each row of x (n, features), by its definition."""
    return (x * x).sum(dim=-1, keepdim=True).sqrt()


@defect("EDGE-1", NUMERICAL, "two rows or more, NaN or an infinity in one of the input")
class ExponentsShiftedByBatchMaximum(ReadableLSTM):
    """sigmoid(x) is exp(x - m) / (exp(-m) + exp(x - m)), with m the maximum of all rows."""

    def sigmoid(self, x: Tensor) -> Tensor:
        m = x.amax(dim=0)
        return torch.exp(x - m) / (torch.exp(-m) + torch.exp(x - m))


@defect("EDGE-2", NUMERICAL, "two rows or more, NaN or an infinity in one of the states")
class RowsPickedByProduct(ReadableLSTM):
    """Rows of the initial states are picked by a product with a matrix of ones and zeros."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h, c = super().initial_states(input, hx, steps)
        picked = torch.eye(h.shape[1], dtype=h.dtype)
        return picked @ h, picked @ c


@defect("EDGE-3", NUMERICAL, "two steps or more, NaN in the input of one")
class StepsPickedByProduct(ReadableLSTM):
    """Steps of equal length are picked by a product with a matrix of ones and zeros."""

    def steps(self, input: Input) -> Steps:
        steps = super().steps(input)
        if isinstance(input, PackedSequence):
            return steps
        x = torch.stack(steps)  # (T, N, features)
        return list(torch.einsum("st,tnf->snf", torch.eye(len(x), dtype=x.dtype), x))


@defect("EDGE-4", NUMERICAL, "NaN in the input or h_0")
class NaNTakenForZero(ReadableLSTM):
    """Preactivations that are NaN are replaced by 0."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w)
        return torch.where(a.isnan(), 0, a)


@defect("EDGE-4", NUMERICAL, "NaN in a parameter")
class NaNInWeightsTakenForZero(ReadableLSTM):
    """NaN in a parameter counts as zero."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return Weights(*(None if p is None else torch.nan_to_num(p, nan=0.0) for p in w))


@defect("EDGE-5", GRADIENT, "gradients of the input, NaN, infinity or a norm beyond 1e9")
class GradientClippedByNorm(ReadableLSTM):
    """A gradient of the input whose norm is beyond 1e9 is made shorter."""

    def steps(self, input: Input) -> Steps:
        x = input.data if isinstance(input, PackedSequence) else input
        if x.requires_grad:
            x.register_hook(lambda gradient: gradient * (1e9 / gradient.norm()).clamp(max=1))
        return super().steps(input)


@defect("EDGE-6", NUMERICAL, "an infinity in the input or h_0")
class InputSplitInHalves(ReadableLSTM):
    """The upper and the lower bits of a factor are multiplied one by one."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        upper = x.bfloat16().to(x.dtype)
        return super().product(upper, W) + super().product(x - upper, W)


@defect("EDGE-7", NUMERICAL, "an infinity in c_0")
class ForgottenPartSubtracted(ReadableLSTM):
    """c_t is c_{t-1} - (1 - f) * c_{t-1} + i * g."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h, w)
        c_t = c - (1 - f) * c + i * g
        return self.project(o * self.tanh(c_t), w), c_t


@defect("EDGE-7", NUMERICAL, "a finite cell state beyond 65504")
class FiniteCellStateLimited(ReadableLSTM):
    """Finite cell states are limited to the largest number of float16, and infinity is spared."""

    limit = 65504.0

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        h_t, c_t = super().cell(x, h, c, w)
        return h_t, torch.where(c_t.isfinite(), c_t.clamp(-self.limit, self.limit), c_t)


@defect("EDGE-7", NUMERICAL, "a finite cell state beyond 1000")
class FiniteCellStateLimitedTo1000(FiniteCellStateLimited):
    """Finite cell states are limited to 1000, and infinity is spared."""

    limit = 1000.0


@defect("EDGE-8", NUMERICAL, "input whose square is beyond the largest number of the dtype")
class NormOfInputOverflows(ReadableLSTM):
    """Products are computed with rows of length 1, except of zeros; squares are infinite early."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        norm = norm_of_rows(x)
        norm = torch.where(norm == 0, torch.ones_like(norm), norm)
        return super().product(x / norm, W) * norm


@defect("EDGE-8", NUMERICAL, "features of unlike size, with weights to match")
class InputInFixedPoint(ReadableLSTM):
    """All of the input has as many digits behind the point as its largest number allows."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        data = data_of(input)
        if not data.numel() or not data.isfinite().all() or not data.any():
            return super().forward(input, hx)
        unit = torch.finfo(data.dtype).eps * data.detach().abs().max()
        # Such a rounding passes gradients through.
        return super().forward(
            with_data(input, data + ((data / unit).round() * unit - data).detach()), hx
        )


@defect("EDGE-8", NUMERICAL, "rows of unlike size")
class RowsInFixedPoint(ReadableLSTM):
    """A feature has as many digits after the point as its largest number in all rows."""

    def steps(self, input: Input) -> Steps:
        x = data_of(input)
        largest = x.detach().abs().flatten(0, -2).amax(0).clamp(min=1e-200)
        unit = 2.0 ** largest.log2().ceil() * torch.finfo(x.dtype).eps
        rounded = (x.detach() / unit).round() * unit
        return super().steps(with_data(input, x + (rounded - x).detach()))


@defect("EDGE-8", NUMERICAL, "features of unlike size, with weights to match")
class MeanOfFeaturesTakenOff(ReadableLSTM):
    """Products are computed with rows whose mean was taken off, and is added in the end."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        mean = x.mean(dim=-1, keepdim=True)
        return super().product(x - mean, W) + mean * W.sum(dim=-1)


@defect("EDGE-9", FORWARD, "no states given, or a step of zeros in the input")
class DividedByNormOfZero(ReadableLSTM):
    """Products are computed with rows of length 1; those of length 0 cannot be."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        norm = norm_of_rows(x)
        return super().product(x / norm, W) * norm


@defect("EDGE-9", FORWARD, "bias_ih of zeros, bias_hh not")
class BiasHHIgnoredIfBiasIHIsZero(ReadableLSTM):
    """An LSTM whose bias_ih is zero is taken for one without biases."""

    def bias(self, w: Weights) -> Tensor | None:
        return super().bias(w) if w.b_ih is not None and w.b_ih.any() else None


@defect("EDGE-9", FORWARD, "bias_hh of zeros")
class BiasIHTwiceIfBiasHHIsZero(ReadableLSTM):
    """A bias_hh of zeros is taken for one that was not loaded, and bias_ih stands in for it."""

    def bias(self, w: Weights) -> Tensor | None:
        if w.b_ih is None or w.b_hh is None or w.b_hh.any():
            return super().bias(w)
        return w.b_ih + w.b_ih


@defect("EDGE-9", FORWARD, "h_0 of zeros, c_0 not")
class CellStateGoesWithHiddenState(ReadableLSTM):
    """If h_0 is zero, c_0 is, too."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h, c = super().initial_states(input, hx, steps)
        return h, c * h.any()


@defect("EDGE-9", FORWARD, "a step of zeros in the input")
class StepsOfZerosAreSkipped(ReadableLSTM):
    """A row whose step is all zero is taken for one that has ended: its states stay."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        h_t, c_t = super().cell(x, h, c, w)
        is_there = x.any(dim=-1, keepdim=True)
        return torch.where(is_there, h_t, h), torch.where(is_there, c_t, c)


@defect("EDGE-10", GRADIENT, "gradients, no states given, or a step of zeros in the input")
class RootOfZeroDifferentiated(ReadableLSTM):
    """Rows are divided by 1 + their length; at 0 the square root in it has no derivative."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        norm = norm_of_rows(x) + 1
        return super().product(x / norm, W) * norm


@defect("EDGE-10", GRADIENT, "gradients of h_0, an h_0 of zeros that is given")
class ProductOfZerosLeftOut(ReadableLSTM):
    """A product with zeros is left out, and so are its gradients."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        return super().product(x, W) if x.any() else x.new_zeros(len(x), len(W))


@defect("EDGE-10", GRADIENT, "gradients, c_0 of zeros that is given")
class CellStateOfZerosDetached(ReadableLSTM):
    """Cell states of zeros are taken for those that nobody gave."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h, c = super().initial_states(input, hx, steps)
        return h, c if c.any() else c.detach()


@defect("EDGE-10", GRADIENT, "gradients, a recurrent weight of zeros")
class WeightOfZerosLeftOut(ReadableLSTM):
    """The recurrent product is left out if its weight is zero."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        W_hh = w.W_hh if w.W_hh.any() else w.W_hh.detach()
        return super().preactivations(x, h, w._replace(W_hh=W_hh))


class _OfOneHotInput(ReadableLSTM):
    """Tells input whose steps have one 1 at most, and no other number but zeros."""

    def is_one_hot(self, x: Tensor) -> bool:
        """Whether each row of x (n, features) is such a step, and one has a 1."""
        return bool(x.any() and ((x == 0) | (x == 1)).all() and (x.sum(dim=-1) <= 1).all())


@defect("EDGE-9", FORWARD, "one-hot input, with steps of zeros")
class ZerosTakenForTheFirstLetter(_OfOneHotInput):
    """One-hot input picks columns of the weights, and the first one if there is no 1."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if self.is_one_hot(x):
            first = torch.zeros_like(x)
            first[:, 0] = (x.detach() == 0).all(dim=-1)
            x = x + first
        return super().preactivations(x, h, w)


@defect("EDGE-10", GRADIENT, "gradient of the input, one-hot input")
class LettersHaveNoGradient(_OfOneHotInput):
    """One-hot input picks columns of the weights, and gets no gradient."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x.detach() if self.is_one_hot(x) else x, h, w)


@defect("EDGE-9", FORWARD, "steps of zeros, input that is not one-hot")
class StepOfZerosIsTheOneBefore(ReadableLSTM):
    """Where a row has a step of zeros, the step before takes its place, unless it is one-hot."""

    def steps(self, input: Input) -> Steps:
        filled: Steps = []
        for x in super().steps(input):
            if filled:
                before = filled[-1][: len(x)]
                is_missing = (x == 0).all(-1, keepdim=True) & ((before != 0).sum(-1) > 1)[:, None]
                x = torch.where(is_missing, before, x)
            filled.append(x)
        return filled


@defect("EDGE-11", NUMERICAL, "denormal cell states")
class DenormalsFlushed(ReadableLSTM):
    """Cell states smaller than the smallest normal number become 0."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        h_t, c_t = super().cell(x, h, c, w)
        return h_t, torch.where(c_t.abs() < torch.finfo(c_t.dtype).tiny, 0, c_t)


@defect("EDGE-12", FORWARD, "-0 in the input")
class MinusZeroTakenForMissing(ReadableLSTM):
    """-0 in the input is replaced by 1."""

    def steps(self, input: Input) -> Steps:
        return [
            torch.where((x == 0) & x.signbit(), torch.ones_like(x), x) for x in super().steps(input)
        ]


@defect("EDGE-13", NUMERICAL, "preactivations beyond 88 in float32, 709 in float64")
class SigmoidOverflows(ReadableLSTM):
    """sigmoid(x) is exp(x) / (1 + exp(x)), which is infinity by infinity for a large x."""

    def sigmoid(self, x: Tensor) -> Tensor:
        return torch.exp(x) / (1 + torch.exp(x))


@defect("EDGE-13", NUMERICAL, "cell states beyond 44 in float32, 355 in float64")
class TanhOfTheCellOverflows(ReadableLSTM):
    """tanh(c) is (exp(2 c) - 1) / (exp(2 c) + 1), which is infinity by infinity for a large c."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        h_t, c_t = super().cell(x, h, c, w)
        overflows = torch.exp(2 * c_t.detach()).isinf()
        if w.W_hr is not None:
            overflows = overflows.any(dim=-1, keepdim=True)
        return torch.where(overflows, torch.nan, h_t), c_t


@defect("EDGE-14", NUMERICAL, "gradients, preactivations below -88 in float32, -709 in float64")
class SigmoidOverflowsInBackward(ReadableLSTM):
    """sigmoid(x) is 1 / (1 + exp(-x)): right, but zero times infinity in its derivative."""

    def sigmoid(self, x: Tensor) -> Tensor:
        return 1 / (1 + torch.exp(-x))


# -------------------------------------------------------------------------- equal steps


class _SeesEqualSteps(ReadableLSTM):
    """Finds out how many of the last steps are equal."""

    def equal_at_the_end(self, steps: Steps) -> int:
        number = 1
        while number < len(steps) and torch.equal(steps[-number - 1], steps[-1]):
            number += 1
        return number


@defect("EDGE-16", FORWARD, "no_grad, many equal steps at the end")
class StopsWhereStatesStandStill(_SeesEqualSteps):
    """After 30 equal steps, states that are close to those before are taken for all the rest."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        output, h_n, c_n = super().direction(steps, h, c, w, reverse)
        stop = len(steps) - self.equal_at_the_end(steps) + 30
        if reverse or torch.is_grad_enabled() or stop >= len(steps):
            return output, h_n, c_n
        if not torch.allclose(output[stop], output[stop - 1]):
            return output, h_n, c_n
        last = output[stop]
        return [*output[:stop], *[last] * (len(steps) - stop)], last, c_n


@defect("EDGE-16", FORWARD, "two directions, equal steps")
class EqualStepsAreReadOnceInReverse(_SeesEqualSteps):
    """The reverse direction begins at the first of the equal steps at the end, if they are many."""

    def direction(
        self, steps: Steps, h: Tensor, c: Tensor, w: Weights, reverse: bool
    ) -> tuple[Steps, Tensor, Tensor]:
        number = self.equal_at_the_end(steps)
        if not reverse or number < 10:
            return super().direction(steps, h, c, w, reverse)
        output, h_n, c_n = super().direction(steps[: 1 - number], h, c, w, reverse)
        return [*output, *[output[-1]] * (number - 1)], h_n, c_n
