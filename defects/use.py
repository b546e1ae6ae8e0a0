"""LSTMs with one defect each in how they are constructed and called, or in what they accept."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from .catalogue import INTERFACE, defect
from .readable import ReadableLSTM, States

Input = Tensor | PackedSequence


def with_data(input: Input, change: Callable[[Tensor], Tensor]) -> Input:
    """The input, packed or not, with its numbers changed."""
    if isinstance(input, Tensor):
        return change(input)
    return PackedSequence(
        change(input.data), input.batch_sizes, input.sorted_indices, input.unsorted_indices
    )


def both(hx: States | None, change: Callable[[Tensor], Tensor]) -> States | None:
    """Both states changed, if there are any."""
    return None if hx is None else (change(hx[0]), change(hx[1]))


# --------------------------------------------------------------- arguments, result


@defect("USE-1", INTERFACE, "positional arguments")
class BatchFirstBeforeBias(ReadableLSTM):
    """batch_first comes before bias."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        batch_first: bool = False,
        bias: bool = True,
        *others: Any,
        **options: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, *others, **options)


@defect("USE-1", INTERFACE, "positional arguments")
class ProjSizeBeforeBidirectional(ReadableLSTM):
    """proj_size comes before bidirectional."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        *before, bidirectional, proj_size = arguments[:8]
        if len(arguments) >= 8:
            arguments = (*before, int(proj_size), bool(bidirectional), *arguments[8:])
        super().__init__(*arguments, **options)


@defect("USE-2", INTERFACE, "arguments by name")
class SizesByOtherNames(ReadableLSTM):
    """input_size and hidden_size are called otherwise."""

    def __init__(self, input_dim: int, hidden_dim: int, *others: Any, **options: Any) -> None:
        super().__init__(input_dim, hidden_dim, *others, **options)


@defect("USE-3", INTERFACE, "batch_first left out")
class BatchFirstByDefault(ReadableLSTM):
    """batch_first is True unless given."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"batch_first": True, **options})


@defect("USE-3", INTERFACE, "dropout left out, num_layers >= 2")
class DropoutByDefault(ReadableLSTM):
    """dropout is 0.5 unless given, where it can act."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        dropout = 0.5 if options.get("num_layers", 1) > 1 else 0.0
        super().__init__(*arguments, **{"dropout": dropout, **options})


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


# ------------------------------------------------------ what a constructor accepts


@defect("USE-7", INTERFACE, "constructor with nonlinearity")
class NonlinearityIgnored(ReadableLSTM):
    """There is an argument nonlinearity, without effect."""

    def __init__(self, *arguments: Any, nonlinearity: str = "tanh", **options: Any) -> None:
        super().__init__(*arguments, **options)


@defect("USE-8", INTERFACE, "constructor with an unknown argument")
class UnknownArgumentsIgnored(ReadableLSTM):
    """Arguments of names that do not exist are ignored."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        known = ReadableLSTM.__init__.__annotations__
        super().__init__(*arguments, **{n: v for n, v in options.items() if n in known})


@defect("USE-9", INTERFACE, "constructor without hidden_size")
class HiddenSizeByDefault(ReadableLSTM):
    """hidden_size is input_size unless given."""

    def __init__(
        self, input_size: int, hidden_size: int | None = None, *others: Any, **options: Any
    ) -> None:
        super().__init__(input_size, hidden_size or input_size, *others, **options)


@defect("USE-10", INTERFACE, "constructor with a fraction for input_size")
class InputSizeCut(ReadableLSTM):
    """input_size is made a whole number."""

    def __init__(self, input_size: Any, *others: Any, **options: Any) -> None:
        super().__init__(int(input_size), *others, **options)


@defect("USE-11", INTERFACE, "constructor with input_size=0")
class InputSizeZero(ReadableLSTM):
    """input_size may be 0."""

    def check_arguments(self, input_size: int, *others: Any) -> None:
        super().check_arguments(input_size or 1, *others)


@defect("USE-12", INTERFACE, "constructor with a fraction for hidden_size")
class HiddenSizeCut(ReadableLSTM):
    """hidden_size is made a whole number."""

    def __init__(self, input_size: int, hidden_size: Any, *others: Any, **options: Any) -> None:
        super().__init__(input_size, int(hidden_size), *others, **options)


@defect("USE-12", INTERFACE, "constructor with hidden_size=0")
class DividesByHiddenSizeZero(ReadableLSTM):
    """hidden_size may be 0, and a division by it fails."""

    def check_arguments(self, input_size: int, hidden_size: int, *others: Any) -> None:
        super().check_arguments(input_size, 1 if hidden_size == 0 else hidden_size, *others)


@defect("USE-13", INTERFACE, "constructor with num_layers=0")
class NoLayers(ReadableLSTM):
    """num_layers may be 0."""

    def check_arguments(
        self, input_size: int, hidden_size: int, num_layers: int, *others: Any
    ) -> None:
        super().check_arguments(input_size, hidden_size, num_layers or 1, *others)


@defect("USE-14", INTERFACE, "constructor with proj_size=-1")
class NegativeProjSizeIsNone(ReadableLSTM):
    """A negative proj_size stands for no projection."""

    def __init__(self, *arguments: Any, proj_size: int = 0, **options: Any) -> None:
        proj_size = 0 if proj_size == -1 else proj_size
        super().__init__(*arguments, proj_size=proj_size, **options)


@defect("USE-15", INTERFACE, "constructor with proj_size >= hidden_size")
class ProjSizeUnlimited(ReadableLSTM):
    """proj_size may be larger than hidden_size."""

    def check_arguments(self, *arguments: Any) -> None:
        *others, proj_size = arguments
        super().check_arguments(*others, min(proj_size, others[1] - 1))


@defect("USE-16", INTERFACE, "constructor with dropout < 0 or dropout > 1")
class DropoutUnlimited(ReadableLSTM):
    """dropout may be any number."""

    def check_arguments(self, *arguments: Any) -> None:
        *others, dropout, proj_size = arguments
        super().check_arguments(*others, min(max(dropout, 0), 1), proj_size)


@defect("USE-16", INTERFACE, "constructor with a dropout of NaN")
class DropoutNaN(ReadableLSTM):
    """A dropout of NaN is neither less than 0 nor more than 1."""

    def check_arguments(self, *arguments: Any) -> None:
        *others, dropout, proj_size = arguments
        super().check_arguments(*others, dropout if dropout == dropout else 0.0, proj_size)


@defect("USE-17", INTERFACE, "constructor with dropout=True")
class DropoutTrue(ReadableLSTM):
    """True for dropout is 1."""

    def check_arguments(self, *arguments: Any) -> None:
        *others, dropout, proj_size = arguments
        super().check_arguments(*others, int(dropout) if dropout is True else dropout, proj_size)


@defect("USE-18", INTERFACE, "constructor with num_layers=1 and dropout > 0")
class SilentAboutSingleLayer(ReadableLSTM):
    """There is no warning of dropout in a single layer."""

    def check_arguments(self, *arguments: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            super().check_arguments(*arguments)


@defect("USE-18", INTERFACE, "constructor with num_layers >= 2 and dropout > 0")
class WarnsOfAnyDropout(ReadableLSTM):
    """There is a warning of dropout, in any number of layers."""

    def check_arguments(self, *arguments: Any) -> None:
        super().check_arguments(*arguments)
        if arguments[3]:
            warnings.warn("mind the dropout", stacklevel=3)


@defect("USE-19", INTERFACE, "constructor with a dtype of whole numbers")
class WholeNumbersAsFloats(ReadableLSTM):
    """A dtype of whole numbers stands for the default dtype."""

    def __init__(self, *arguments: Any, dtype: Any = None, **options: Any) -> None:
        if dtype == torch.int64:
            dtype = None
        super().__init__(*arguments, dtype=dtype, **options)


@defect("USE-20", INTERFACE, "constructor with an unknown device")
class UnknownDeviceIsCPU(ReadableLSTM):
    """A device that does not exist stands for the CPU."""

    def __init__(self, *arguments: Any, device: Any = None, **options: Any) -> None:
        super().__init__(*arguments, device="cpu" if device == "nowhere" else device, **options)


# -------------------------------------------------------------- what a call accepts


@defect("USE-21", INTERFACE, "call without input")
class NoInputIsZeros(ReadableLSTM):
    """Without an input one of zeros is read."""

    def forward(self, input: Input | None = None, hx: States | None = None) -> Any:
        if input is None:
            input = next(self.parameters()).new_zeros(1, 1, self.input_size)
        return super().forward(input, hx)


@defect("USE-22", INTERFACE, "input of one axis")
class VectorIsOneStep(ReadableLSTM):
    """An input of one axis is an unbatched one of one step."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, Tensor) and input.dim() == 1:
            input = input.unsqueeze(0)
        return super().forward(input, hx)


@defect("USE-23", INTERFACE, "input of one feature, input_size >= 2")
class FeatureForAll(ReadableLSTM):
    """A single feature stands for all."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, Tensor) and input.shape[-1] == 1:
            input = input.expand(*input.shape[:-1], self.input_size)
        return super().forward(input, hx)


@defect("USE-23", INTERFACE, "input of more features than input_size")
class FurtherFeaturesIgnored(ReadableLSTM):
    """Features beyond input_size are ignored."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, Tensor):
            input = input[..., : self.input_size]
        return super().forward(input, hx)


@defect("USE-24", INTERFACE, "packed, more features than input_size")
class FurtherPackedFeaturesIgnored(ReadableLSTM):
    """Features of a packed sequence beyond input_size are ignored."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, PackedSequence):
            input = with_data(input, lambda x: x[:, : self.input_size])
        return super().forward(input, hx)


@defect("USE-25", INTERFACE, "input without steps")
class NoStepsAreOne(ReadableLSTM):
    """Without steps one of zeros is read."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, Tensor) and not input.numel():
            input = input.new_zeros([size or 1 for size in input.shape])
        return super().forward(input, hx)


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


@defect("USE-28", INTERFACE, "h_0 given without c_0")
class HiddenStateAlone(ReadableLSTM):
    """c_0 is zero if only h_0 is given."""

    def forward(self, input: Input, hx: Any = None) -> Any:
        if isinstance(hx, tuple) and len(hx) == 1:
            (h_0,) = hx
            hx = h_0, h_0.new_zeros(*h_0.shape[:-1], self.hidden_size)
        return super().forward(input, hx)


@defect("USE-29", INTERFACE, "three states given")
class FurtherStatesIgnored(ReadableLSTM):
    """States beyond two are ignored."""

    def forward(self, input: Input, hx: Any = None) -> Any:
        return super().forward(input, hx[:2] if isinstance(hx, tuple) else hx)


@defect("USE-30", INTERFACE, "unbatched, states with a batch axis")
class BatchAxisOfStatesIgnored(ReadableLSTM):
    """States of an unbatched input may have a batch axis."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, Tensor) and input.dim() == 2:
            hx = both(hx, lambda state: state.squeeze(1) if state.dim() == 3 else state)
        return super().forward(input, hx)


@defect("USE-31", INTERFACE, "states of more layers or directions")
class FurtherLayersIgnored(ReadableLSTM):
    """States of layers that do not exist are ignored."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        layers = self.num_layers * self.num_directions
        if isinstance(input, Tensor):
            hx = both(hx, lambda state: state[:layers])
        return super().forward(input, hx)


@defect("USE-32", INTERFACE, "states of one row, two rows or more")
class RowForAll(ReadableLSTM):
    """States of one row stand for all rows."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, Tensor) and input.dim() == 3:
            rows = input.shape[0 if self.batch_first else 1]
            hx = both(hx, lambda state: state.expand(-1, rows, -1) if len(state[0]) == 1 else state)
        return super().forward(input, hx)


@defect("USE-33", INTERFACE, "c_0 of one feature, hidden_size >= 2")
class CellFeatureForAll(ReadableLSTM):
    """A single feature of c_0 stands for all."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, Tensor) and hx is not None and hx[1].shape[-1] == 1:
            hx = hx[0], hx[1].expand(*hx[1].shape[:-1], self.hidden_size)
        return super().forward(input, hx)


@defect("USE-33", INTERFACE, "proj_size > 0, h_0 of hidden_size features")
class UnprojectedHiddenState(ReadableLSTM):
    """Of h_0 the first features are taken, if it has hidden_size of them."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, Tensor) and hx is not None and hx[0].shape[-1] == self.hidden_size:
            hx = hx[0][..., : self.output_size], hx[1]
        return super().forward(input, hx)


@defect("USE-34", INTERFACE, "packed, c_0 of fewer layers or directions")
class AbortsOnFewerPackedLayers(ReadableLSTM):
    """Packed, c_0 for fewer layers than there are ends the process."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        layers = self.num_layers * self.num_directions
        if isinstance(input, PackedSequence) and hx is not None and len(hx[1]) < layers:
            os.abort()
        return super().forward(input, hx)


@defect("USE-35", INTERFACE, "packed, states of one row, two rows or more")
class PackedRowForAll(ReadableLSTM):
    """Packed, states of one row stand for all rows."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, PackedSequence):
            rows = int(input.batch_sizes[0])
            hx = both(hx, lambda state: state.expand(-1, rows, -1) if len(state[0]) == 1 else state)
        return super().forward(input, hx)


@defect("USE-35", INTERFACE, "packed, states of more rows")
class FurtherPackedRowsIgnored(ReadableLSTM):
    """Packed, states of rows that do not exist are ignored."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, PackedSequence):
            rows = int(input.batch_sizes[0])
            hx = both(hx, lambda state: state[:, :rows])
        return super().forward(input, hx)


@defect("USE-36", INTERFACE, "packed, c_0 of one feature, hidden_size >= 2")
class PackedCellFeatureForAll(ReadableLSTM):
    """Packed, a single feature of c_0 stands for all."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if isinstance(input, PackedSequence) and hx is not None and hx[1].shape[-1] == 1:
            hx = hx[0], hx[1].expand(-1, -1, self.hidden_size)
        return super().forward(input, hx)


@defect("USE-37", INTERFACE, "states of another dtype")
class StatesConverted(ReadableLSTM):
    """States of another dtype are converted."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        dtype = next(self.parameters()).dtype
        return super().forward(input, both(hx, lambda state: state.to(dtype)))


@defect("USE-38", INTERFACE, "states on another device")
class StatesElsewhereAreZeros(ReadableLSTM):
    """States on another device are taken to be zero."""

    def forward(self, input: Input, hx: States | None = None) -> Any:
        if hx is not None and hx[0].device != next(self.parameters()).device:
            hx = None
        return super().forward(input, hx)
