"""LSTMs with one defect each in the input that a call takes, or in how it is called."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from ..catalogue import INTERFACE, defect, variant
from ..readable import Input, ReadableLSTM, States
from .arguments import both, with_data

# -------------------------------------------------------------------- arguments, result


@defect("USE-4", INTERFACE, "type of the final states")
class StatesInAList(ReadableLSTM):
    """The final states are a list of two."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        output, states = super().forward(input, hx)
        return output, list(states)


@defect("USE-4", INTERFACE, "packed")
class PackedOutputPadded(ReadableLSTM):
    """The output of a packed sequence is padded."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        output, states = super().forward(input, hx)
        if isinstance(output, PackedSequence):
            output, _ = pad_packed_sequence(output, self.batch_first)
        return output, states


@defect("USE-5", INTERFACE, "None given for the states")
class NoneIsNoState(ReadableLSTM):
    """States can be left out, but None is taken for a state."""

    def forward(self, input: Input, *states: Any) -> Any:
        if states == (None,):
            raise TypeError("None is no pair of states")
        return super().forward(input, *states)


@defect("USE-6", INTERFACE, "states given by name")
class StatesByOtherName(ReadableLSTM):
    """The states are called otherwise."""

    def forward(self, input: Input, states: States | None = None) -> Any:
        return super().forward(input, states)


@defect("USE-21", INTERFACE, "call without input")
class NoInputIsZeros(ReadableLSTM):
    """Without an input one of zeros is read."""

    def forward(self, input: Input | None = None, hx: States | None = None) -> Any:
        if input is None:
            input = next(self.parameters()).new_zeros(1, 1, self.input_size)
        return super().forward(input, hx)


# ---------------------------------------------------------- inputs that are not allowed


def input_changed(
    change: Callable[[ReadableLSTM, Tensor], Tensor], packed: bool = False
) -> type[ReadableLSTM]:
    """The input, packed or not, is changed before it is looked at."""

    class Variant(ReadableLSTM):
        def forward(self, input: Input, hx: States | None = None) -> Any:
            if isinstance(input, PackedSequence if packed else Tensor):
                input = with_data(input, partial(change, self))
            return super().forward(input, hx)

    return Variant


def feature_for_all(lstm: ReadableLSTM, x: Tensor) -> Tensor:
    """A single feature as often as input_size says."""
    return x.expand(*x.shape[:-1], lstm.input_size) if x.shape[-1] == 1 else x


def missing_features_zero(lstm: ReadableLSTM, x: Tensor) -> Tensor:
    """Zeros behind the features, up to input_size."""
    missing = lstm.input_size - x.shape[-1] if x.dim() > 1 else 0
    return pad(x, (0, missing)) if missing > 0 else x


for name, breaks, shows, text, packed, change in (
    (
        "VectorIsOneStep",
        "USE-22",
        "input of one axis",
        "An input of one axis is an unbatched one of one step.",
        False,
        lambda lstm, x: x.unsqueeze(0) if x.dim() == 1 else x,
    ),
    (
        "FourthAxisDropped",
        "USE-22",
        "input of four axes",
        "An axis of 1 in front of the three of an input is dropped.",
        False,
        lambda lstm, x: x[0] if x.dim() == 4 and len(x) == 1 else x,
    ),
    (
        "FeatureForAll",
        "USE-23",
        "input of one feature, input_size >= 2",
        "A single feature stands for all.",
        False,
        feature_for_all,
    ),
    (
        "FurtherFeaturesIgnored",
        "USE-23",
        "input of more features than input_size",
        "Features beyond input_size are ignored.",
        False,
        lambda lstm, x: x[..., : lstm.input_size],
    ),
    (
        "MissingFeaturesAreZeros",
        "USE-23",
        "input of fewer features than input_size",
        "Features that are missing from the input are read as zeros.",
        False,
        missing_features_zero,
    ),
    (
        "PackedFeatureForAll",
        "USE-24",
        "packed, input of one feature, input_size >= 2",
        "A single feature of a packed sequence stands for all.",
        True,
        feature_for_all,
    ),
    (
        "FurtherPackedFeaturesIgnored",
        "USE-24",
        "packed, more features than input_size",
        "Features of a packed sequence beyond input_size are ignored.",
        True,
        lambda lstm, x: x[..., : lstm.input_size],
    ),
    (
        "NoStepsAreOne",
        "USE-25",
        "input without steps",
        "Without steps one of zeros is read.",
        False,
        lambda lstm, x: x if x.numel() else x.new_zeros([size or 1 for size in x.shape]),
    ),
):
    variant(__name__, input_changed(change, packed), name, text, breaks, INTERFACE, shows)


@defect("USE-26", INTERFACE, "input of another dtype")
class InputConverted(ReadableLSTM):
    """An input of another dtype is converted."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        dtype = next(self.parameters()).dtype
        return super().forward(with_data(input, lambda x: x.to(dtype)), hx)


@defect("USE-27", INTERFACE, "input on another device")
class FollowsTheInput(ReadableLSTM):
    """Everything is computed on the device of the input."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        device = input.data.device
        if device == next(self.parameters()).device:
            return super().forward(input, hx)
        return copy.deepcopy(self).to(device)(input, both(hx, lambda state: state.to(device)))
