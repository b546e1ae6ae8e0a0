"""One fully determined question to an implementation, and its one-line text."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .config import LSTMConfig
from .precision import PRECISIONS, Precision

__all__ = ["LAYOUTS", "OUTPUTS", "Case", "CaseWithValues", "uniform_numbers"]

Array = NDArray[np.float64]

LAYOUTS = ("batched", "unbatched", "packed_sorted", "packed_unsorted")
OUTPUTS = ("output", "h_n", "c_n")

# The text starts with this: it changes whenever the same text would give other arrays.
_STREAM = "v1"


def uniform_numbers(seed: int, name: str, shape: tuple[int, ...]) -> Array:
    """Uniform numbers in [-1, 1), float64, the same on every machine and NumPy version.

    NumPy guarantees the raw stream of a bit generator, not what ``Generator`` makes of it,
    so the numbers are made of the raw bits. Each ``name`` has a stream of its own: no two
    tensors share values.
    """
    stream = np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))
    bits = stream.random_raw(int(np.prod(shape, dtype=int)))
    numbers = np.float64(2.0**-52) * (bits >> np.uint64(11)) - np.float64(1.0)
    return numbers.reshape(shape)


@dataclass(frozen=True)
class Case:
    """A configuration with sizes, layout, number format, flags and values.

    Attributes:
        config: the constructor's arguments.
        seq_len: L, the number of steps; for packed layouts that of the longest sequence.
        batch_size: N; 1 for the unbatched layout.
        layout: one of ``LAYOUTS``. The packed ones hold rows of unequal length, and say
            whether the rows are given by decreasing length (``enforce_sorted=True``).
        lengths: steps of each row, in the order of the batch; empty unless packed.
        dtype: name of the number format, a key of ``PRECISIONS``.
        device: torch's name of the device.
        training: training mode (the dropout acts) or evaluation mode.
        states: whether h_0 and c_0 are passed; otherwise they default to zeros.
        weight_scale: parameters are uniform in +-weight_scale / sqrt(hidden_size); torch's
            own initialisation has 1.
        input_scale: the input is uniform in +-input_scale.
        state_scale: h_0 is uniform in [-1, 1), c_0 in +-state_scale.
        cotangents: which of the outputs are given a cotangent; none means forward only.
        seed: of the values.

    Raises:
        ValueError: the fields contradict one another.
    """

    config: LSTMConfig
    seq_len: int = 1
    batch_size: int = 1
    layout: str = "batched"
    lengths: tuple[int, ...] = ()
    dtype: str = "float64"
    device: str = "cpu"
    training: bool = False
    states: bool = False
    weight_scale: float = 1.0
    input_scale: float = 1.0
    state_scale: float = 1.0
    cotangents: tuple[str, ...] = ()
    seed: int = field(default=0)

    def __post_init__(self) -> None:
        self._check_types()
        if self.layout not in LAYOUTS:
            raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, not {self.layout!r}")
        if self.dtype not in PRECISIONS:
            raise ValueError(f"dtype must be one of {', '.join(PRECISIONS)}, not {self.dtype!r}")
        if self.seq_len < 1 or self.batch_size < 1 or self.seed < 0:
            raise ValueError("seq_len and batch_size must be at least 1, seed at least 0")
        if self.layout == "unbatched" and self.batch_size != 1:
            raise ValueError("an unbatched case has batch_size 1")
        if self.cotangents != tuple(name for name in OUTPUTS if name in self.cotangents):
            raise ValueError(f"cotangents are some of {OUTPUTS}, not {self.cotangents!r}")
        if not self.device or not self.device.isprintable() or " " in self.device:
            raise ValueError(f"device must be a name, not {self.device!r}")
        for name in ("weight_scale", "input_scale", "state_scale"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be finite and not negative")
        self._check_lengths()

    def _check_types(self) -> None:
        # Anything else would have a text that gives another case, or none.
        kinds = {"int": int, "bool": bool, "str": str, "float": float, "LSTMConfig": LSTMConfig}
        for item in fields(Case):
            value, kind = getattr(self, item.name), str(item.type)
            if kind.startswith("tuple"):
                inner = int if "int" in kind else str
                fits = type(value) is tuple and all(type(part) is inner for part in value)
            else:
                fits = type(value) is kinds[kind]
            if not fits:
                raise ValueError(f"{item.name} of a case must be {kind}, not {value!r}")

    def _check_lengths(self) -> None:
        if not self.packed:
            if self.lengths:
                raise ValueError(f"layout {self.layout} has no lengths")
            return
        if len(self.lengths) != self.batch_size or min(self.lengths, default=0) < 1:
            raise ValueError("a packed case has one length of at least 1 for each row")
        if max(self.lengths) != self.seq_len:
            raise ValueError("seq_len of a packed case is its largest length")
        is_sorted = list(self.lengths) == sorted(self.lengths, reverse=True)
        if is_sorted != (self.layout == "packed_sorted"):
            raise ValueError(f"lengths {self.lengths} do not fit layout {self.layout}")

    @property
    def packed(self) -> bool:
        """Whether the input is a packed sequence."""
        return self.layout.startswith("packed")

    @property
    def precision(self) -> Precision:
        """The number format that ``dtype`` names."""
        return PRECISIONS[self.dtype]

    @property
    def active_dropout(self) -> float:
        """The drop probability that acts between layers: none in evaluation, or with one layer."""
        return self.config.dropout if self.training and self.config.num_layers > 1 else 0.0

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Documented shape of every tensor, in this layout (documentation, "Inputs", "Outputs").

        Packed input and output are given padded, as ``pad_packed_sequence`` returns them.
        """
        config = self.config
        rows = config.num_layers * config.num_directions
        batch = () if self.layout == "unbatched" else (self.batch_size,)
        lead: tuple[int, ...] = (self.seq_len, *batch)
        if config.batch_first:
            lead = lead[::-1]
        return {
            "input": (*lead, config.input_size),
            "h_0": (rows, *batch, config.output_size),
            "c_0": (rows, *batch, config.hidden_size),
            "output": (*lead, config.num_directions * config.output_size),
            "h_n": (rows, *batch, config.output_size),
            "c_n": (rows, *batch, config.hidden_size),
            **config.parameter_shapes(),
        }

    def argument_names(self) -> tuple[str, ...]:
        """The tensors that are given, hence have a gradient: input, states, parameters."""
        states = ("h_0", "c_0") if self.states else ()
        return ("input", *states, *self.config.parameter_shapes())

    def result_names(self) -> tuple[str, ...]:
        """Names of all tensors of an observation: outputs, and gradients as ``input.grad``."""
        gradients = self.argument_names() if self.cotangents else ()
        return (*OUTPUTS, *(f"{name}.grad" for name in gradients))

    def scale(self, name: str) -> float:
        """Bound of the values of the tensor ``name``."""
        return {
            "input": self.input_scale,
            "h_0": 1.0,
            "c_0": self.state_scale,
        }.get(name, self.weight_scale / float(np.sqrt(self.config.hidden_size)))

    def arguments(self) -> dict[str, Array]:
        """Values of every argument, as float64 that ``dtype`` represents exactly."""
        shapes = self.shapes()
        return {
            name: self.precision.round(
                self.scale(name) * uniform_numbers(self.seed, name, shapes[name])
            )
            for name in self.argument_names()
        }

    def cotangent_values(self) -> dict[str, Array]:
        """Values of the cotangent of each output in ``cotangents``, in that output's shape."""
        shapes = self.shapes()
        return {
            name: self.precision.round(
                uniform_numbers(self.seed, f"cotangent of {name}", shapes[name])
            )
            for name in OUTPUTS
            if name in self.cotangents
        }

    def with_values(self, values: Mapping[str, Array], **changes: Any) -> CaseWithValues:
        """This case with some values given instead of drawn, and some fields changed.

        Args:
            values: by the names of arguments, and ``cotangent of output`` and so on.
            changes: fields of the case.
        """
        own = {item.name: getattr(self, item.name) for item in fields(Case)}
        return CaseWithValues(**{**own, **changes}, values=values)

    def __str__(self) -> str:
        """The one-line text: every field that is not at its default."""
        words = [_STREAM]
        for owner, kind in ((self.config, LSTMConfig), (self, Case)):
            for item in fields(kind):
                value = getattr(owner, item.name)
                if item.name == "config" or (item.default is not MISSING and value == item.default):
                    continue
                words.append(f"{item.name}={_to_text(value)}")
        return " ".join(words)

    @classmethod
    def parse(cls, text: str) -> Case:
        """The case that ``text`` describes: the inverse of ``str``.

        Raises:
            ValueError: the text is not that of a case.
        """
        stream, *words = text.split() or [""]
        if stream != _STREAM:
            raise ValueError(f"a case starts with {_STREAM}, not {stream!r}")
        of_config = {item.name: item for item in fields(LSTMConfig)}
        of_case = {item.name: item for item in fields(cls) if item.name != "config"}
        values: dict[str, Any] = {}
        for word in words:
            name, separator, value = word.partition("=")
            if not separator or name not in of_config | of_case:
                raise ValueError(f"a case has no field {word!r}")
            if name in values:
                raise ValueError(f"a case gives {name} once")
            kind = (of_config | of_case)[name].type
            values[name] = _from_text(name, str(kind), value)
        missing = [name for name in ("input_size", "hidden_size") if name not in values]
        if missing:
            raise ValueError(f"a case needs {' and '.join(missing)}")
        config = LSTMConfig(**{name: values.pop(name) for name in of_config if name in values})
        return cls(config, **values)


@dataclass(frozen=True, eq=False)
class CaseWithValues(Case):
    """A case that varies another one: see :meth:`Case.with_values`.

    Its text is that of its fields, and does not tell the given values.

    Attributes:
        values: those that are given, of any float dtype, in the case's shapes.
    """

    values: Mapping[str, Array] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        shapes = self.shapes()
        for name, value in self.values.items():
            shape = shapes.get(name.removeprefix("cotangent of "))
            if np.shape(value) != shape:
                raise ValueError(f"{name} has shape {shape} in this case, not {np.shape(value)}")

    def arguments(self) -> dict[str, Array]:
        """Values of every argument, those that are given rounded to ``dtype``."""
        return {
            name: self.precision.round(np.asarray(self.values.get(name, drawn)))
            for name, drawn in super().arguments().items()
        }

    def cotangent_values(self) -> dict[str, Array]:
        """Values of the cotangents, those that are given rounded to ``dtype``."""
        return {
            name: self.precision.round(np.asarray(self.values.get(f"cotangent of {name}", drawn)))
            for name, drawn in super().cotangent_values().items()
        }


def _to_text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _from_text(name: str, kind: str, value: str) -> Any:
    try:
        if kind == "bool":
            return {"True": True, "False": False}[value]
        if kind == "int":
            return int(value)
        if kind == "float":
            return float(value)
        items = tuple(value.split(",")) if value else ()
        if kind == "tuple[int, ...]":
            return tuple(int(item) for item in items)
        return items if kind.startswith("tuple") else re.sub(r"\s", "", value)
    except (KeyError, ValueError):
        raise ValueError(f"{name} of a case cannot be {value!r}") from None
