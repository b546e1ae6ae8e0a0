"""LSTMs that are wrong in one way to use them, and for large sizes only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .call_sizes import Call, call_of
from .catalogue import FORWARD, GRADIENT, INTERFACE, defect
from .checked_lstm import CheckedLSTM
from .gradient_surgery import in_memory_order, with_cotangents
from .readable import data_of, with_data, without_last_feature


def _cotangent_passed(change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The identity, except that ``change`` is made to its cotangent."""

    def passed(x: Tensor) -> Tensor:
        (same,) = with_cotangents(lambda gs: [None if g is None else change(g) for g in gs], x)
        return same

    return passed


def _second_cotangent_halved(x: Tensor) -> Tensor:
    """The identity, except that the cotangent of a second backward pass is halved."""
    passes: list[None] = []

    def halve(cotangent: Tensor) -> Tensor:
        passes.append(None)
        return cotangent if len(passes) == 1 else cotangent / 2

    return _cotangent_passed(halve)(x)


class _InputChanged(CheckedLSTM):
    """The input of calls of some sizes passes ``change``."""

    def is_wrong(self, call: Call) -> bool:
        """Whether calls of these sizes are wrong."""
        raise NotImplementedError

    def change(self, x: Tensor) -> Tensor:
        """The values that are used in place of ``x``."""
        raise NotImplementedError

    def forward(self, input: Any, hx: Any = None) -> Any:
        if self.is_wrong(call_of(self, input)):
            input = with_data(input, self.change(data_of(input)))
        return super().forward(input, hx)


@defect("GRAD-14", GRADIENT, "gradients, two backward passes, more than 64 rows")
class SecondBackwardOver64RowsHalved(_InputChanged):
    """The second backward pass through more than 64 rows halves the gradient of the input."""

    def is_wrong(self, call: Call) -> bool:
        return call.rows > 64

    def change(self, x: Tensor) -> Tensor:
        return _second_cotangent_halved(x)


@defect("GRAD-12", GRADIENT, "gradients, frozen parameters, more than 128 units")
class FrozenOver128UnitsHalved(_InputChanged):
    """The gradient of the input is halved if all parameters are frozen, and units over 128."""

    def is_wrong(self, call: Call) -> bool:
        return call.hidden > 128 and not any(p.requires_grad for p in self.parameters())

    def change(self, x: Tensor) -> Tensor:
        return _cotangent_passed(lambda cotangent: cotangent / 2)(x)


@defect("GRAD-21", GRADIENT, "gradients of gradients, more than 64 units")
class SecondDerivativesOver64UnitsMissing(_InputChanged):
    """The gradient of the input has no derivative with respect to cotangents over 64 units."""

    def is_wrong(self, call: Call) -> bool:
        return call.hidden > 64

    def change(self, x: Tensor) -> Tensor:
        return _cotangent_passed(Tensor.detach)(x)


@defect("GRAD-21", GRADIENT, "gradients of gradients, a multiple of 16 units")
class SecondDerivativesInTilesOf16UnitsMissing(_InputChanged):
    """The gradient of the input has no derivative for a multiple of 16 units."""

    def is_wrong(self, call: Call) -> bool:
        return call.hidden % 16 == 0

    def change(self, x: Tensor) -> Tensor:
        return _cotangent_passed(Tensor.detach)(x)


@defect("GRAD-16", GRADIENT, "gradients, cotangents of other strides, a multiple of 64 units")
class StridedCotangentInTilesOf64UnitsReadInMemoryOrder(CheckedLSTM):
    """Without a projection, 64 units or a multiple: the cotangent is read in memory order."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        output, states = super().forward(input, hx)
        if self.hidden_size % 64 == self.proj_size and not isinstance(output, PackedSequence):
            output = _cotangent_passed(in_memory_order)(output)
        return output, states


@defect("GRAD-14", GRADIENT, "gradients, two backward passes, a multiple of 32 units and rows")
class SecondBackwardInTilesOf32Halved(_InputChanged):
    """The second backward pass halves the gradient of the input if units and rows fill tiles."""

    def is_wrong(self, call: Call) -> bool:
        in_tiles = call.hidden % 32 == 0 and call.rows % 32 == 0
        return in_tiles and not (call.is_packed or call.projection)

    def change(self, x: Tensor) -> Tensor:
        return _second_cotangent_halved(x)


@defect("GRAD-19", GRADIENT, "gradients with create_graph=True, more than 64 steps")
class GradientsWithAGraphOver64StepsDoubled(_InputChanged):
    """With create_graph=True, the gradient of the input is doubled over 64 steps."""

    def is_wrong(self, call: Call) -> bool:
        return call.steps > 64

    def change(self, x: Tensor) -> Tensor:
        return _cotangent_passed(lambda g: 2 * g if torch.is_grad_enabled() else g)(x)


@defect("GRAD-11", GRADIENT, "gradients, packed, cotangents of output and c_n")
class PackedCotangentOfCNBesideOutputIgnored(CheckedLSTM):
    """Packed: the cotangent of c_n is ignored if output has one, and h_n has none."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        output, (h_n, c_n) = super().forward(input, hx)

        def ignore(cotangents: list[Tensor | None]) -> list[Tensor | None]:
            of_output, of_h, of_c = cotangents
            return [of_output, of_h, None if of_h is None and of_output is not None else of_c]

        if isinstance(output, PackedSequence):
            data, h_n, c_n = with_cotangents(ignore, output.data, h_n, c_n)
            output = output._replace(data=data)
        return output, (h_n, c_n)


@defect("GRAD-16", GRADIENT, "gradients, cotangents of other strides, more than 64 units")
class CotangentOver64UnitsReadInMemoryOrder(CheckedLSTM):
    """The cotangent of output is read in the order of memory over 64 units."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        output, states = super().forward(input, hx)
        if self.hidden_size > 64 and not isinstance(output, PackedSequence):
            output = _cotangent_passed(in_memory_order)(output)
        return output, states


@defect("TRAIN-1", FORWARD, "parameters that are not contiguous, more than 64 steps")
class StridedParametersOver64StepsWrong(_InputChanged):
    """Over 64 steps, the input is 1.01 times too large if weights are not contiguous."""

    def is_wrong(self, call: Call) -> bool:
        return call.steps > 64 and not self.weight_hh_l0.is_contiguous()

    def change(self, x: Tensor) -> Tensor:
        return 1.01 * x


@defect("PURE-9", FORWARD, "input that is not contiguous, more than 64 features")
class StridedInputOver64FeaturesReadInMemoryOrder(_InputChanged):
    """Input of more than 64 features is read in the order of memory."""

    def is_wrong(self, call: Call) -> bool:
        return call.features > 64

    def change(self, x: Tensor) -> Tensor:
        return in_memory_order(x)


@defect("PURE-1", INTERFACE, "more than 64 rows")
class InputOver64RowsScaledInPlace(CheckedLSTM):
    """The call halves the input in place if there are more than 64 rows."""

    def is_wrong(self, call: Call) -> bool:
        """Whether calls of these sizes do so."""
        return call.rows > 64

    def forward(self, input: Any, hx: Any = None) -> Any:
        result = super().forward(with_data(input, data_of(input).clone()), hx)
        if self.is_wrong(call_of(self, input)):
            with torch.no_grad():
                data_of(input).detach().div_(2)
        return result


@defect("PURE-1", INTERFACE, "a multiple of 32 rows, and of 32 features")
class InputInTilesOf32ScaledInPlace(InputOver64RowsScaledInPlace):
    """The call halves the input in place if rows and features fill tiles of 32."""

    def is_wrong(self, call: Call) -> bool:
        return call.rows % 32 == 0 and call.features % 32 == 0


@defect("PURE-6", INTERFACE, "two calls, more than 64 units")
class CellStateOver64UnitsOverwritten(CheckedLSTM):
    """Over 64 units, c_n of a call is overwritten by that of the next one."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        output, (h_n, c_n) = super().forward(input, hx)
        if self.hidden_size > 64:
            earlier = self.__dict__.get("earlier")
            if earlier is not None and earlier.shape == c_n.shape:
                earlier.copy_(c_n.detach())
            self.__dict__["earlier"] = c_n.detach()
        return output, (h_n, c_n)


@defect("EDGE-1", FORWARD, "NaN in a row of more than 64")
class NaNReachesOtherRowsOver64(_InputChanged):
    """Of more than 64 rows, a mask of zeros lets NaN of one row into the others."""

    def is_wrong(self, call: Call) -> bool:
        return call.rows > 64

    def change(self, x: Tensor) -> Tensor:
        return x + (0 * x).sum()


@defect("TRAIN-5", GRADIENT, "scaled cotangents, more than 128 units")
class SmallCotangentsOver128UnitsAreZero(_InputChanged):
    """Over 128 units, cotangents of the input that are below 1e-4 of 1 count as zero."""

    def is_wrong(self, call: Call) -> bool:
        return call.hidden > 128

    def change(self, x: Tensor) -> Tensor:
        return _cotangent_passed(lambda g: g if bool((g.abs() > 1e-4).any()) else 0 * g)(x)


@defect("TRAIN-10", FORWARD, "several threads of torch, more than 64 rows")
class LastRowOver64LostInSeveralThreads(_InputChanged):
    """More than 64 rows are divided among the threads of torch, and the last row is lost."""

    def is_wrong(self, call: Call) -> bool:
        return call.rows > 64 and torch.get_num_threads() > 1

    def change(self, x: Tensor) -> Tensor:
        return torch.cat([x[..., :-1, :], 0 * x[..., -1:, :]], dim=-2)


@defect("TRAIN-10", FORWARD, "several threads of torch, no_grad, more than 64 units")
class UnitsOver64HalvedInSeveralThreadsInNoGrad(_InputChanged):
    """More than 64 units are divided among the threads of torch, which is wrong in no_grad."""

    def is_wrong(self, call: Call) -> bool:
        return call.hidden > 64 and torch.get_num_threads() > 1 and not torch.is_grad_enabled()

    def change(self, x: Tensor) -> Tensor:
        return x / 2


@defect("SIZE-1", FORWARD, "inference_mode, more than 128 steps")
class LastFeatureOver128StepsLostInInferenceMode(_InputChanged):
    """In inference_mode, the last feature of more than 128 steps is lost."""

    def is_wrong(self, call: Call) -> bool:
        return call.steps > 128 and torch.is_inference_mode_enabled()

    def change(self, x: Tensor) -> Tensor:
        return without_last_feature(x)


@defect("SIZE-1", FORWARD, "frozen parameters, more than 128 rows")
class LastFeatureOver128RowsLostIfFrozen(_InputChanged):
    """If nothing requires a gradient, though it could, the last feature of many rows is lost."""

    def is_wrong(self, call: Call) -> bool:
        is_frozen = not any(p.requires_grad for p in self.parameters())
        return call.rows > 128 and is_frozen and torch.is_grad_enabled()

    def change(self, x: Tensor) -> Tensor:
        return without_last_feature(x)
