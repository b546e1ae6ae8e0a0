"""LSTMs with one defect each in the arguments that a constructor takes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from inspect import signature
from typing import Any

import torch

from ..catalogue import INTERFACE, defect, variant
from ..readable import ReadableLSTM

# ------------------------------------------------------------ names, order and defaults


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


@defect("USE-9", INTERFACE, "constructor without hidden_size")
class HiddenSizeByDefault(ReadableLSTM):
    """hidden_size is input_size unless given."""

    def __init__(
        self, input_size: int, hidden_size: int | None = None, *others: Any, **options: Any
    ) -> None:
        super().__init__(input_size, hidden_size or input_size, *others, **options)


# ---------------------------------------------------------- arguments that do not exist


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


# ---------------------------------------------------------- values that are not allowed


def made_whole(argument: str) -> type[ReadableLSTM]:
    """One argument is made a whole number."""

    class Variant(ReadableLSTM):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            given = signature(ReadableLSTM).bind(*arguments, **options)
            if argument in given.arguments:
                given.arguments[argument] = int(given.arguments[argument])
            super().__init__(*given.args, **given.kwargs)

    return Variant


for name, breaks, argument in (
    ("InputSizeCut", "USE-10", "input_size"),
    ("HiddenSizeCut", "USE-12", "hidden_size"),
    ("NumLayersCut", "USE-13", "num_layers"),
    ("ProjSizeCut", "USE-14", "proj_size"),
):
    variant(
        __name__,
        made_whole(argument),
        name,
        f"{argument} is made a whole number.",
        breaks,
        INTERFACE,
        f"constructor with a fraction for {argument}",
    )


CHECKED = "input_size", "hidden_size", "num_layers", "dropout", "proj_size"


def checked_as(argument: str, other: Callable[[dict[str, Any]], Any]) -> type[ReadableLSTM]:
    """One argument is taken for another when arguments are checked.

    Args:
        other: from all arguments to what is checked in its place.
    """

    class Variant(ReadableLSTM):
        def check_arguments(self, *arguments: Any) -> None:
            given = dict(zip(CHECKED, arguments, strict=True))
            super().check_arguments(*{**given, argument: other(given)}.values())

    return Variant


for name, breaks, shows, text, argument, other in (
    (
        "InputSizeZero",
        "USE-11",
        "constructor with input_size=0",
        "input_size may be 0.",
        "input_size",
        lambda given: given["input_size"] or 1,
    ),
    (
        "DividesByHiddenSizeZero",
        "USE-12",
        "constructor with hidden_size=0",
        "hidden_size may be 0, and a division by it fails.",
        "hidden_size",
        lambda given: 1 if given["hidden_size"] == 0 else given["hidden_size"],
    ),
    (
        "NoLayers",
        "USE-13",
        "constructor with num_layers=0",
        "num_layers may be 0.",
        "num_layers",
        lambda given: given["num_layers"] or 1,
    ),
    (
        "ProjSizeUpToHiddenSize",
        "USE-15",
        "constructor with proj_size=hidden_size",
        "proj_size may be as large as hidden_size.",
        "proj_size",
        lambda given: given["proj_size"] - (given["proj_size"] == given["hidden_size"]),
    ),
    (
        "ProjSizeUnlimited",
        "USE-15",
        "constructor with proj_size >= hidden_size",
        "proj_size may be larger than hidden_size.",
        "proj_size",
        lambda given: min(given["proj_size"], given["hidden_size"] - 1),
    ),
    (
        "DropoutUnlimited",
        "USE-16",
        "constructor with dropout < 0 or dropout > 1",
        "dropout may be any number.",
        "dropout",
        lambda given: min(max(given["dropout"], 0), 1),
    ),
    (
        "DropoutNaN",
        "USE-16",
        "constructor with a dropout of NaN",
        "A dropout of NaN is neither less than 0 nor more than 1.",
        "dropout",
        lambda given: given["dropout"] if given["dropout"] == given["dropout"] else 0.0,
    ),
    (
        "DropoutTrue",
        "USE-17",
        "constructor with dropout=True",
        "True for dropout is 1.",
        "dropout",
        lambda given: 1 if given["dropout"] is True else given["dropout"],
    ),
):
    variant(__name__, checked_as(argument, other), name, text, breaks, INTERFACE, shows)


@defect("USE-16", INTERFACE, "constructor with text for dropout")
class DropoutFromText(ReadableLSTM):
    """dropout may be a number written as text."""

    def __init__(self, *arguments: Any, dropout: Any = 0.0, **options: Any) -> None:
        dropout = float(dropout) if dropout == "0.5" else dropout
        super().__init__(*arguments, dropout=dropout, **options)


@defect("USE-14", INTERFACE, "constructor with proj_size=-1")
class NegativeProjSizeIsNone(ReadableLSTM):
    """A negative proj_size stands for no projection."""

    def __init__(self, *arguments: Any, proj_size: int = 0, **options: Any) -> None:
        proj_size = 0 if proj_size == -1 else proj_size
        super().__init__(*arguments, proj_size=proj_size, **options)


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


# ----------------------------------------------------------------------------- warnings


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
