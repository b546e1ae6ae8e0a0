"""LSTMs with one defect each in the dtype or the device of what they return or compute in.

Nothing is raised.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ..adapters.reference import ReferenceLSTM
from ..spec.case import Case
from ..spec.contract import Observation
from .catalogue import FORWARD, GRADIENT, INTERFACE, NUMERICAL, defect, variant
from .changed_observations import changed
from .fewer_digits import in_format, rounded
from .readable import Input, ReadableLSTM, Result, States, Steps, Weights
from .scaled_gradients import gradients_times

# ---------------------------------------------------- dtype and device of what is returned


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


@defect("DTYPE-1", INTERFACE, "gradients, any dtype but float32")
class GradientsInFloat32(ReferenceLSTM):
    """Gradients are in float32, whatever the dtype."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: replace(t, dtype="float32"), ".grad")


@defect("DTYPE-2", INTERFACE, "every case")
class FinalHiddenOnAnotherDevice(ReferenceLSTM):
    """h_n is on another device than the input."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: replace(t, device="cuda"), "h_n")


@defect("DTYPE-2", INTERFACE, "gradients")
class GradientsOnAnotherDevice(ReferenceLSTM):
    """Gradients are on another device than the input."""

    def run(self, case: Case) -> Observation:
        return changed(super().run(case), lambda t: replace(t, device="cuda"), ".grad")


# ------------------------------------------------------------------- digits lost


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


@defect("DTYPE-3", NUMERICAL, "float64, two steps or more or states given")
class HiddenStateReadInFloat32(ReadableLSTM):
    """The gates read h_{t-1} rounded to float32."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        return super().cell(x, in_format(h, torch.float32), c, w)


@defect("DTYPE-3", NUMERICAL, "float32, float64, two steps or more or states given")
class HiddenStateReadInFloat16(ReadableLSTM):
    """The gates read h_{t-1} rounded to float16."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        return super().cell(x, in_format(h, torch.float16), c, w)


@defect("DTYPE-3", NUMERICAL, "float64")
class CellStateKeptInFloat32(ReadableLSTM):
    """c_t is rounded to float32, once h_t is made of it."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        h_t, c_t = super().cell(x, h, c, w)
        return h_t, in_format(c_t, torch.float32)


@defect("DTYPE-3", NUMERICAL, "float32, float64")
class CellStateKeptInBfloat16(ReadableLSTM):
    """c_t is rounded to bfloat16, once h_t is made of it."""

    def cell(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        h_t, c_t = super().cell(x, h, c, w)
        return h_t, in_format(c_t, torch.bfloat16)


@defect("DTYPE-3", NUMERICAL, "float64")
class WeightsReadInFloat32(ReadableLSTM):
    """All parameters are rounded to float32."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return Weights(*(None if p is None else in_format(p, torch.float32) for p in w))


@defect("DTYPE-3", NUMERICAL, "float32, float64, two steps or more or states given")
class HiddenWeightsReadInBfloat16(ReadableLSTM):
    """weight_hh, and nothing else, is rounded to bfloat16."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        return w._replace(W_hh=in_format(w.W_hh, torch.bfloat16))


@defect("DTYPE-3", NUMERICAL, "float64")
class SigmoidInFloat32(ReadableLSTM):
    """sigmoid, and nothing else, is rounded to float32."""

    def sigmoid(self, x: Tensor) -> Tensor:
        return in_format(super().sigmoid(x), torch.float32)


# ---------------------------------------------- less exact than the program has allowed


class _LessExactAtTimes(ReadableLSTM):
    """The factors of some matrix products have fewer bits."""

    def bits(self) -> int:
        """Of the factors; 0 for all."""
        raise NotImplementedError

    def product(self, x: Tensor, W: Tensor) -> Tensor:
        bits = self.bits()
        return (
            super().product(rounded(x, bits), rounded(W, bits)) if bits else super().product(x, W)
        )


@defect("DTYPE-3", NUMERICAL, "float32, TF32 allowed")
class ProductsIn8BitsIfTF32IsAllowed(_LessExactAtTimes):
    """Where products may be in TF32, their factors have 3 bits, as in an 8-bit format."""

    def bits(self) -> int:
        return 3 if _precision() == "high" else 0


@defect("DTYPE-3", NUMERICAL, "float32, products less exact in an earlier call")
class ProductsStayInexact(_LessExactAtTimes):
    """Once a call was allowed to compute products in bfloat16, all later ones do so."""

    def bits(self) -> int:
        self.inexact = getattr(self, "inexact", False) or _precision() == "medium"
        return 8 if self.inexact else 0


@defect("DTYPE-3", NUMERICAL, "float32, products less exact in an earlier call")
class WeightsRoundedInPlace(ReadableLSTM):
    """Where products may be in bfloat16, the parameters themselves are rounded to it."""

    def weights(self, layer: int, d: int) -> Weights:
        w = super().weights(layer, d)
        for parameter in w if _precision() == "medium" else ():
            if parameter is not None:
                parameter.data.copy_(rounded(parameter.data, 8))
        return w


@defect("DTYPE-3", NUMERICAL, 'float32, torch.backends.fp32_precision = "ieee"')
class AnyPrecisionOfBackendsIsTF32(_LessExactAtTimes):
    """If a precision of all backends is given, factors of products have 11 bits, whatever it is."""

    def bits(self) -> int:
        return 0 if getattr(torch.backends, "fp32_precision", "none") == "none" else 11


def _precision() -> str:
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:  # it was set in two ways that disagree
        return "mixed"


# --------------------------------------------------- wrong in a format of 16 bits only


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


for name, breaks, dtype in (
    ("GradientOfWeightHHMissingInBfloat16", "DTYPE-4", torch.bfloat16),
    ("GradientOfWeightHHMissingInFloat16", "DTYPE-5", torch.float16),
):
    dtype_name = str(dtype).removeprefix("torch.")
    variant(
        __name__,
        gradients_times(0, ("W_hh",), lambda layer, d, w, dtype=dtype: w.W_hh.dtype == dtype),
        name,
        f"weight_hh has gradient zero in {dtype_name}.",
        breaks,
        GRADIENT,
        f"gradients, {dtype_name}, two steps or more or states given",
    )


# ------------------------------------------- dtype and device given to the constructor


@defect("DTYPE-4", FORWARD, "packed, bfloat16, more than 257 steps")
class StepsNumberedInBfloat16(ReadableLSTM):
    """Packed steps are numbered in bfloat16, which has no odd numbers above 256."""

    def finish(self, input: Input, steps: Steps, h_n: Tensor, c_n: Tensor) -> Result:
        if isinstance(input, PackedSequence) and input.data.dtype == torch.bfloat16:
            last = len(steps) - 1
            numbers = torch.arange(len(steps)).to(torch.bfloat16).long().clamp(max=last).tolist()
            steps = [steps[k][: len(x)] for k, x in zip(numbers, steps, strict=True)]
        return super().finish(input, steps, h_n, c_n)


@defect("DTYPE-6", INTERFACE, "dtype given to the constructor")
class DtypeIgnored(torch.nn.LSTM):
    """Parameters have the default dtype, whatever the constructor is given."""

    def __init__(self, *args: Any, dtype: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)


@defect("DTYPE-7", INTERFACE, "device given to the constructor")
class DeviceIgnored(torch.nn.LSTM):
    """Parameters are on the default device, whatever the constructor is given."""

    def __init__(self, *args: Any, device: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)


@defect("DTYPE-8", INTERFACE, "another default dtype")
class DefaultDtypeFloat32(torch.nn.LSTM):
    """Parameters are float32 unless the constructor is given a dtype."""

    def __init__(self, *args: Any, dtype: Any = None, **options: Any) -> None:
        super().__init__(*args, dtype=dtype or torch.float32, **options)


@defect("DTYPE-8", INTERFACE, "another default device")
class DefaultDeviceCPU(torch.nn.LSTM):
    """Parameters are on the CPU unless the constructor is given a device."""

    def __init__(self, *args: Any, device: Any = None, **options: Any) -> None:
        super().__init__(*args, device=device or "cpu", **options)


@defect("DTYPE-9", INTERFACE, "meta device, no states given")
class DefaultStatesOnCPU(ReadableLSTM):
    """States that are not given are zeros on the CPU."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        if hx is not None:
            return h_0, c_0
        return torch.zeros(h_0.shape, dtype=h_0.dtype), torch.zeros(c_0.shape, dtype=c_0.dtype)


@defect("DTYPE-4", FORWARD, "bfloat16, states given, no_grad")
class C0IgnoredInBfloat16WithoutGradients(ReadableLSTM):
    """The cell state starts from zeros in bfloat16 where no gradients are recorded."""

    def initial_states(self, input: Input, hx: States | None, steps: Steps) -> States:
        h_0, c_0 = super().initial_states(input, hx, steps)
        ignored = c_0.dtype == torch.bfloat16 and not torch.is_grad_enabled()
        return h_0, torch.zeros_like(c_0) if ignored else c_0


@defect("DTYPE-5", FORWARD, "float16, input that is not contiguous")
class StridesIgnoredInFloat16(ReadableLSTM):
    """An input in float16 is read as if its elements stood one after the other."""

    def forward(self, input: Input, hx: States | None = None) -> Result:
        if not isinstance(input, PackedSequence) and input.dtype == torch.float16:
            dense = torch.empty_like(input, memory_format=torch.contiguous_format)
            input = input.as_strided(input.shape, dense.stride())
        return super().forward(input, hx)
