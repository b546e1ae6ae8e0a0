"""LSTMs that are wrong for some sizes only, as kernels are that compute in tiles.

They are ``torch.nn.LSTM`` with one unit in the last place of each row lost, or with one gradient
changed, where a condition on sizes holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .call_sizes import Call, call_of
from .catalogue import FORWARD, GRADIENT, variant
from .checked_lstm import CheckedLSTM
from .gradient_surgery import with_cotangents, with_gradient_times
from .readable import data_of, with_data, without_last_feature

Condition = Callable[[Call], bool]


def lost_unit(condition: Condition) -> type[torch.nn.LSTM]:
    """The last feature of ``output`` is lost where ``condition`` holds."""

    class Variant(CheckedLSTM):
        def forward(self, input: Any, hx: Any = None) -> Any:
            output, states = super().forward(input, hx)
            if condition(call_of(self, input, hx)):
                output = with_data(output, without_last_feature(data_of(output)))
            return output, states

    return Variant


def changed_gradient(condition: Condition, factor: float = 1.01) -> type[torch.nn.LSTM]:
    """The gradient of the input has ``factor`` times its size where ``condition`` holds."""

    class Variant(CheckedLSTM):
        def forward(self, input: Any, hx: Any = None) -> Any:
            if condition(call_of(self, input, hx)):
                input = with_data(input, with_gradient_times(factor, data_of(input)))
            return super().forward(input, hx)

    return Variant


def _is_power_of_two(n: int) -> bool:
    return n & (n - 1) == 0


# Name, clause, where it shows, condition.
_LOST: list[tuple[str, str, str, Condition]] = [
    (
        "GatesOver2To20",
        "SIZE-3",
        "more than 2^20 gates of all steps and rows",
        lambda c: c.steps * c.rows * 4 * c.hidden > 2**20,
    ),
    (
        "GatesOver2To22WithBiases",
        "SIZE-3",
        "biases, more than 2^22 gates of all steps and rows",
        lambda c: c.has_biases and not c.is_packed and c.steps * c.rows * 4 * c.hidden > 2**22,
    ),
    (
        "PackedGatesOver2To21",
        "SIZE-3",
        "packed, more than 2^21 gates of all steps and rows",
        lambda c: c.is_packed and c.packed_total * 4 * c.hidden > 2**21,
    ),
    (
        "HiddenNotByFour",
        "SIZE-3",
        "hidden_size of 16 and more, a multiple of 2 and not of 4",
        lambda c: c.hidden >= 16 and c.hidden % 4 == 2,
    ),
    (
        "RowsNotByFour",
        "SIZE-3",
        "16 rows and more, a multiple of 2 and not of 4",
        lambda c: c.rows >= 16 and c.rows % 4 == 2,
    ),
    (
        "RowsAndUnitsLeftOver",
        "SIZE-3",
        "5 rows left over of sixes, and 2 units of fours, 6 of both or more",
        lambda c: min(c.rows, c.hidden) >= 6 and c.rows % 6 == 5 and c.hidden % 4 == 2,
    ),
    (
        "ThreeLayersInManyRowsAndSteps",
        "SIZE-3",
        "3 layers or more, 20 steps and rows or more, not packed",
        lambda c: c.layers >= 3 and min(c.steps, c.rows) >= 20 and not c.is_packed,
    ),
    (
        "WeightsOver2To20",
        "SIZE-3",
        "more than 2^20 numbers in a weight for the input",
        lambda c: 4 * c.hidden * c.features > 2**20,
    ),
    (
        "StatesOver100000",
        "SIZE-3",
        "more than 100,000 numbers in a state, not packed",
        lambda c: c.rows * c.hidden > 100_000 and not c.is_packed,
    ),
    (
        "ManyStepsRowsAndUnits",
        "SIZE-3",
        "100 steps, 32 rows and 100 units or more",
        lambda c: c.steps >= 100 and c.rows >= 32 and c.hidden >= 100,
    ),
    (
        "ManyStepsRowsAndUnitsInNoGrad",
        "SIZE-3",
        "64 steps, rows and units or more, no_grad",
        lambda c: min(c.steps, c.rows, c.hidden) >= 64 and not torch.is_grad_enabled(),
    ),
    (
        "FourLayersInManyRowsAndSteps",
        "SIZE-3",
        "4 layers or more, 16 steps and rows or more, not packed",
        lambda c: c.layers >= 4 and min(c.steps, c.rows) >= 16 and not c.is_packed,
    ),
    (
        "NeitherSmallNorLarge",
        "SIZE-3",
        "steps, rows and units between 20 and 30",
        lambda c: all(20 <= size <= 30 for size in (c.steps, c.rows, c.hidden)),
    ),
    ("Hidden17To139", "SIZE-1", "hidden_size from 17 to 139", lambda c: 17 <= c.hidden <= 139),
    ("HiddenOver139", "SIZE-1", "hidden_size > 139", lambda c: c.hidden > 139),
    (
        "HiddenMultipleOf100",
        "SIZE-1",
        "hidden_size a multiple of 100",
        lambda c: c.hidden % 100 == 0,
    ),
    (
        "HiddenAfterPowerOfTwo",
        "SIZE-1",
        "hidden_size 2^k + 1 from 33 on",
        lambda c: c.hidden > 32 and _is_power_of_two(c.hidden - 1),
    ),
    ("HiddenMultipleOf64", "SIZE-1", "hidden_size a multiple of 64", lambda c: c.hidden % 64 == 0),
    (
        "HiddenAfterMultipleOf48",
        "SIZE-1",
        "hidden_size one more than a multiple of 48, from 97 on",
        lambda c: c.hidden > 96 and c.hidden % 48 == 1,
    ),
    (
        "StepsBeforeMultipleOf24",
        "SIZE-1",
        "steps one less than a multiple of 24, from 47 on",
        lambda c: c.steps > 24 and c.steps % 24 == 23,
    ),
    ("RowsOver64", "SIZE-1", "more than 64 rows", lambda c: c.rows > 64),
    ("StepsOver128", "SIZE-1", "more than 128 steps", lambda c: c.steps > 128),
    (
        "StepsOver128SeveralLayers",
        "SIZE-1",
        "several layers, more than 128 steps",
        lambda c: c.layers > 1 and c.steps > 128,
    ),
    (
        "StepsOver128SeveralLayersOneDirectionBiases",
        "SIZE-1",
        "several layers, one direction, biases, more than 128 steps",
        lambda c: c.layers > 1 and not c.is_bidirectional and c.has_biases and c.steps > 128,
    ),
    (
        "HiddenOver128BatchFirstNoStates",
        "SIZE-1",
        "batch_first, not packed, no states given, hidden_size > 128",
        lambda c: c.batch_first and not c.is_packed and not c.has_states and c.hidden > 128,
    ),
    (
        "HiddenOver256SeveralLayers",
        "SIZE-1",
        "several layers, hidden_size > 256",
        lambda c: c.layers > 1 and c.hidden > 256,
    ),
    (
        "HiddenOver64OneRow",
        "SIZE-1",
        "one row, not packed, hidden_size > 64",
        lambda c: c.rows == 1 and not c.is_packed and c.hidden > 64,
    ),
    (
        "StepsOver64OneRow",
        "SIZE-1",
        "one row, not packed, more than 64 steps",
        lambda c: c.rows == 1 and not c.is_packed and c.steps > 64,
    ),
    (
        "OneStepRowsOver64",
        "SIZE-1",
        "one step, more than 64 rows",
        lambda c: c.steps == 1 and c.rows > 64,
    ),
    ("ProjectionOver16", "SIZE-1", "proj_size > 16", lambda c: c.projection > 16),
    ("InputFrom32", "SIZE-1", "input_size >= 32", lambda c: c.features >= 32),
    ("InputMultipleOf12", "SIZE-1", "input_size a multiple of 12", lambda c: c.features % 12 == 0),
    (
        "InputBeforePowerOfTwo",
        "SIZE-1",
        "input_size 2^k - 1 from 31 on",
        lambda c: c.features > 30 and _is_power_of_two(c.features + 1),
    ),
    ("Steps9To33", "SIZE-1", "9 to 33 steps", lambda c: 9 <= c.steps <= 33),
    (
        "PackedRowsOver16",
        "SIZE-1",
        "more than 16 rows, packed",
        lambda c: c.is_packed and c.rows > 16,
    ),
    ("LayersOver4", "SIZE-1", "more than 4 layers", lambda c: c.layers > 4),
    (
        "StepsOver100BothDirections",
        "SIZE-1",
        "two directions, more than 100 steps",
        lambda c: c.is_bidirectional and c.steps > 100,
    ),
    (
        "HiddenOver200BothDirections",
        "SIZE-1",
        "two directions, hidden_size > 200",
        lambda c: c.is_bidirectional and c.hidden > 200,
    ),
    (
        "HiddenOver64InFloat32",
        "SIZE-1",
        "hidden_size > 64, float32",
        lambda c: c.hidden > 64 and c.dtype == torch.float32,
    ),
    (
        "HiddenOver64WithoutGradients",
        "SIZE-1",
        "hidden_size > 64, without gradients",
        lambda c: c.hidden > 64 and not c.has_gradients,
    ),
    (
        "StepsOver128InNoGrad",
        "SIZE-1",
        "more than 128 steps, no_grad",
        lambda c: c.steps > 128 and not torch.is_grad_enabled(),
    ),
    (
        "StepsOver512BothDirectionsInNoGrad",
        "SIZE-1",
        "two directions, more than 512 steps, not packed, no_grad",
        lambda c: (
            c.is_bidirectional and c.steps > 512 and not c.is_packed and not torch.is_grad_enabled()
        ),
    ),
    (
        "LayersOver10",
        "SIZE-1",
        "more than 10 layers",
        lambda c: c.layers > 10,
    ),
    (
        "LayersOver3StepsOver32",
        "SIZE-3",
        "more than 3 layers, more than 32 steps",
        lambda c: c.layers > 3 and c.steps > 32,
    ),
    (
        "HiddenOver64StepsOver32InNoGrad",
        "SIZE-3",
        "hidden_size > 64, more than 32 steps, no_grad",
        lambda c: c.hidden > 64 and c.steps > 32 and not torch.is_grad_enabled(),
    ),
    (
        "HiddenMultipleOf64RowsMultipleOf8",
        "SIZE-3",
        "hidden_size a multiple of 64, rows of 8",
        lambda c: c.hidden % 64 == 0 and c.rows % 8 == 0,
    ),
    (
        "HiddenOver64StepsOver64",
        "SIZE-3",
        "hidden_size > 64, more than 64 steps",
        lambda c: c.hidden > 64 and c.steps > 64,
    ),
    (
        "InputOver100RowsOver100",
        "SIZE-3",
        "input_size > 100, more than 100 rows",
        lambda c: c.features > 100 and c.rows > 100,
    ),
    (
        "ProjectionOver32StepsOver32",
        "SIZE-3",
        "proj_size > 32, more than 32 steps",
        lambda c: c.projection > 32 and c.steps > 32,
    ),
    (
        "HiddenOver16InBfloat16",
        "DTYPE-4",
        "hidden_size > 16, bfloat16",
        lambda c: c.hidden > 16 and c.dtype == torch.bfloat16,
    ),
    (
        "RowsOver16PackedInFloat16",
        "DTYPE-5",
        "more than 16 rows, packed, float16",
        lambda c: c.rows > 16 and c.is_packed and c.dtype == torch.float16,
    ),
    (
        "StepsOver128InFloat16",
        "DTYPE-5",
        "more than 128 steps, float16",
        lambda c: c.steps > 128 and c.dtype == torch.float16,
    ),
    (
        "StepsTimesRowsOver65536",
        "SIZE-3",
        "more than 65,536 steps and rows",
        lambda c: c.steps * c.rows > 65_536,
    ),
]

_CHANGED: list[tuple[str, str, str, Condition]] = [
    (
        "InputNotByFour",
        "SIZE-3",
        "gradients, input_size of 16 and more, a multiple of 2 and not of 4",
        lambda c: c.features >= 16 and c.features % 4 == 2,
    ),
    (
        "InputOver2To20",
        "SIZE-3",
        "gradients, more than 2^20 numbers in the input",
        lambda c: c.steps * c.rows * c.features > 2**20,
    ),
    (
        "GradientHidden17To139",
        "SIZE-2",
        "hidden_size from 17 to 139",
        lambda c: 17 <= c.hidden <= 139,
    ),
    (
        "GradientStepsOver512BothDirections",
        "SIZE-2",
        "two directions, more than 512 steps",
        lambda c: c.is_bidirectional and c.steps > 512,
    ),
    (
        "GradientStepsOver128SeveralLayers",
        "SIZE-2",
        "several layers, more than 128 steps",
        lambda c: c.layers > 1 and c.steps > 128,
    ),
    (
        "GradientStepsOver128SeveralLayersBothDirectionsPacked",
        "SIZE-2",
        "packed, several layers, two directions, more than 128 steps",
        lambda c: c.is_packed and c.layers > 1 and c.is_bidirectional and c.steps > 128,
    ),
    (
        "GradientHiddenOver64OneRow",
        "SIZE-2",
        "one row, not packed, hidden_size > 64",
        lambda c: c.rows == 1 and not c.is_packed and c.hidden > 64,
    ),
    (
        "GradientStepsOver400Projection",
        "EQ-8",
        "projection, more than 400 steps",
        lambda c: c.projection > 0 and c.steps > 400,
    ),
    (
        "GradientHiddenOver32RowsOver32",
        "SIZE-3",
        "hidden_size > 32, more than 32 rows",
        lambda c: c.hidden > 32 and c.rows > 32,
    ),
]


def _changed_cotangents(
    condition: Condition, change: Callable[..., Iterable[Tensor]]
) -> type[torch.nn.LSTM]:
    """``change`` is made to the cotangents of the three results where ``condition`` holds."""

    class Variant(CheckedLSTM):
        def forward(self, input: Any, hx: Any = None) -> Any:
            output, (h_n, c_n) = super().forward(input, hx)
            if condition(call_of(self, input)) and not isinstance(output, PackedSequence):
                output, h_n, c_n = change(output, h_n, c_n)
            return output, (h_n, c_n)

    return Variant


def _larger(*results: Tensor) -> Iterable[Tensor]:
    return [with_gradient_times(1.01, result) for result in results]


def _halved_without_output(*results: Tensor) -> Iterable[Tensor]:
    def halved(cotangents: list[Tensor | None]) -> list[Tensor | None]:
        return cotangents if cotangents[0] is not None else _halved(cotangents)

    return with_cotangents(halved, *results)


def _halved_for_output_alone(*results: Tensor) -> Iterable[Tensor]:
    def halved(cotangents: list[Tensor | None]) -> list[Tensor | None]:
        return _halved(cotangents) if cotangents[1] is cotangents[2] is None else cotangents

    return with_cotangents(halved, *results)


def _halved(cotangents: list[Tensor | None]) -> list[Tensor | None]:
    return [x if x is None else x / 2 for x in cotangents]


for _name, _clause, _shows, _condition in _LOST:
    variant(
        __name__, lost_unit(_condition), f"LastUnitLost{_name}",
        f"The last feature of output is zero: {_shows}.", _clause, FORWARD, _shows,
    )  # fmt: skip
for _name, _clause, _shows, _condition in _CHANGED:
    variant(
        __name__, changed_gradient(_condition), f"Changed{_name}",
        f"The gradient of the input has 1.01 times its size: {_shows}.", _clause, GRADIENT, _shows,
    )  # fmt: skip

variant(
    __name__, changed_gradient(lambda c: c.hidden > 32 and c.dtype == torch.bfloat16, 2),
    "DoubledGradientHiddenOver32InBfloat16",
    "The gradient of the input is doubled: hidden_size > 32, bfloat16.",
    "DTYPE-4", GRADIENT, "gradients, hidden_size > 32, bfloat16",
)  # fmt: skip
variant(
    __name__, _changed_cotangents(lambda c: c.steps > 64 and not c.has_gradients, _larger),
    "ChangedStepsOver64InputWithoutGradient",
    "Gradients have 1.01 times their size if the input needs none: more than 64 steps.",
    "SIZE-2", GRADIENT, "gradients, input that requires none, more than 64 steps",
)  # fmt: skip
variant(
    __name__, _changed_cotangents(lambda c: c.steps > 64, _halved_without_output),
    "HalvedStepsOver64WithoutCotangentOfOutput",
    "Gradients are halved if output has no cotangent: more than 64 steps.",
    "SIZE-2", GRADIENT, "gradients, cotangents of h_n or c_n only, more than 64 steps",
)  # fmt: skip
variant(
    __name__,
    _changed_cotangents(
        lambda c: c.steps > 64 and c.dtype == torch.float32, _halved_for_output_alone
    ),
    "HalvedStepsOver64CotangentOfOutputAloneInFloat32",
    "Gradients are halved if output alone has a cotangent: more than 64 steps, float32.",
    "SIZE-2", GRADIENT, "gradients, a cotangent of output only, more than 64 steps, float32",
)  # fmt: skip
