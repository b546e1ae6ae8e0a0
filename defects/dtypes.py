"""LSTMs with one defect each in the number format of what they return or compute in.

Nothing is raised.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .catalogue import FORWARD, GRADIENT, INTERFACE, NUMERICAL, defect
from .gradient_surgery import with_gradient_of, with_gradient_times
from .readable import ReadableLSTM, States, Steps, Weights

Input = Tensor | PackedSequence
Result = tuple[Input, States]


def rounded(x: Tensor, bits: int) -> Tensor:
    """``x`` to so many bits; its gradient is left alone."""
    mantissa, exponent = torch.frexp(x.detach())
    nearest = torch.ldexp((mantissa * 2**bits).round() / 2**bits, exponent)
    return with_gradient_of(x, nearest.to(x.dtype))


@defect("DTYPE-1", INTERFACE, "any dtype but float32")
class OutputInFloat32(ReadableLSTM):
    """output is in torch's default format, not in that of the input."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, [x.float() for x in steps], h_n, c_n)


@defect("DTYPE-1", INTERFACE, "any dtype but float64")
class FinalCellInFloat64(ReadableLSTM):
    """c_n is in a format wider than that of the input."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        return super().finish(input, steps, h_n, c_n.double())


@defect("DTYPE-3", NUMERICAL, "float64")
class Float64ComputedInFloat32(ReadableLSTM):
    """Each step is computed in float32, whatever the dtype."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        narrow = Weights(*(None if p is None else p.float() for p in w))
        h_t, c_t = super().cell(x.float(), h.float(), c.float(), narrow)
        return h_t.to(x.dtype), c_t.to(x.dtype)


@defect("DTYPE-3", NUMERICAL, "float64")
class Float64ProductsInFloat32(ReadableLSTM):
    """Matrix products, and nothing else, are computed in float32."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        return super().product(x.float(), W.float()).to(x.dtype)


@defect("DTYPE-3", NUMERICAL, "float32, float64")
class ProductsWith11Bits(ReadableLSTM):
    """The factors of matrix products have 11 bits, as in TF32."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        return super().product(rounded(x, 11), rounded(W, 11))


@defect("DTYPE-4", FORWARD, "bfloat16, bias=True")
class BiasHHIgnoredInBfloat16(ReadableLSTM):
    """bias_hh has no effect in bfloat16."""

    def bias(self, w: Weights) -> Tensor | None:
        ignored = w.b_ih is not None and w.b_ih.dtype == torch.bfloat16
        return w.b_ih if ignored else super().bias(w)


@defect("DTYPE-4", NUMERICAL, "bfloat16")
class Bfloat16ProductsWith3Bits(ReadableLSTM):
    """Matrix products in bfloat16, and their factors, have 3 bits, as in an 8-bit format."""

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        if x.dtype != torch.bfloat16:
            return super().product(x, W)
        return rounded(super().product(rounded(x, 3), rounded(W, 3)), 3)


@defect("DTYPE-4", GRADIENT, "gradients, bfloat16, two steps or more or states given")
class GradientOfWeightHHMissingInBfloat16(ReadableLSTM):
    """weight_hh has gradient zero in bfloat16."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        wrong = w.W_hh.dtype == torch.bfloat16
        return w._replace(W_hh=with_gradient_times(0, w.W_hh)) if wrong else w


@defect("DTYPE-5", NUMERICAL, "float16, preactivations above 11")
class SigmoidOverflowsInFloat16(ReadableLSTM):
    """sigmoid by exp, which overflows in float16: NaN for x above 11."""

    def sigmoid(self, x: Tensor) -> Tensor:
        return x.exp() / (1 + x.exp()) if x.dtype == torch.float16 else super().sigmoid(x)


@defect("DTYPE-5", FORWARD, "float16, states given")
class H0IgnoredInFloat16(ReadableLSTM):
    """The hidden state starts from zeros in float16."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        return h_0 * (h_0.dtype != torch.float16), c_0


@defect("DTYPE-5", GRADIENT, "gradients, float16, two steps or more or states given")
class GradientOfWeightHHMissingInFloat16(ReadableLSTM):
    """weight_hh has gradient zero in float16."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        wrong = w.W_hh.dtype == torch.float16
        return w._replace(W_hh=with_gradient_times(0, w.W_hh)) if wrong else w
