"""A case: everything that one run of an implementation depends on, and its one-line text."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .config import LSTMConfig
from .precision import PRECISIONS, PRODUCTS, Precision

__all__ = ["LAYOUTS", "OUTPUTS", "Case", "CaseWithValues", "uniform_numbers"]

Array = NDArray[np.float64]

LAYOUTS = ("batched", "unbatched", "packed_sorted", "packed_unsorted")
OUTPUTS = ("output", "h_n", "c_n")

# The text of a case starts with this. Change it whenever the same text gives other arrays.
_STREAM = "v1"


def uniform_numbers(seed: int, name: str, shape: tuple[int, ...]) -> Array:
    """Uniform numbers in [-1, 1), float64, the same on every machine and with every NumPy.

    NumPy guarantees the raw stream of a bit generator, but not the numbers of ``Generator``. So
    this function makes the numbers from the raw bits. Each pair of ``seed`` and ``name`` has its
    own stream, so that no two tensors share values. The array is read-only.
    """
    stream = np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))
    bits = stream.random_raw(math.prod(shape)) >> np.uint64(11)
    numbers = np.float64(2.0**-52) * bits - np.float64(1.0)
    numbers.flags.writeable = False
    return numbers.reshape(shape)


def _draw(
    seed: int, precision: Precision, arrays: tuple[tuple[str, tuple[int, ...], float], ...]
) -> list[Array]:
    """Uniform numbers that ``precision`` represents exactly, by name, shape and bound of arrays."""
    return [
        precision.round(bound * uniform_numbers(seed, name, shape)) for name, shape, bound in arrays
    ]


# The judge and the implementation ask several times for the arrays of a case, and drawing them
# takes longer than most of what is done with them. Of cases with large arrays only the last is
# kept: its arguments and its cotangents.
_draw_few = lru_cache(maxsize=200)(_draw)
_draw_many = lru_cache(maxsize=2)(_draw)
_FEW = 10_000


@dataclass(frozen=True)
class Case:
    """A configuration, the sizes and values of the arguments, and how they are passed.

    Attributes:
        config: the constructor arguments.
        seq_len: L, the number of steps. For packed layouts, the steps of the longest row. An empty
            sequence has 0.
        batch_size: N, the number of rows. 1 for the unbatched layout. An empty batch has 0.
        layout: one of ``LAYOUTS``. The packed layouts have rows of unequal length, sorted by
            decreasing length (``enforce_sorted=True``) or not.
        lengths: the steps of each row, in the order of the batch. Empty unless packed.
        dtype: torch's name of the dtype, a key of ``PRECISIONS``.
        device: torch's name of the device.
        training: True for training mode, False for evaluation mode.
        states: whether h_0 and c_0 are passed. If not, they are zeros by default.
        weight_scale: parameters are uniform in +-weight_scale / sqrt(hidden_size). torch's
            initialisation is the same with 1.
        input_scale: the input is uniform in +-input_scale.
        state_scale: h_0 is uniform in +-1, c_0 in +-state_scale.
        cotangents: the outputs that have a cotangent. Without any, the case is forward only.
        products: a key of ``PRODUCTS`` if the implementation may round the factors of products of
            float32 to this format. Values and other formats stay as they are.
        seed: the seed of all values.

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
    products: str = ""
    seed: int = field(default=0)

    def __post_init__(self) -> None:
        self._check_types()
        if self.layout not in LAYOUTS:
            raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, not {self.layout!r}")
        if self.dtype not in PRECISIONS:
            raise ValueError(f"dtype must be one of {', '.join(PRECISIONS)}, not {self.dtype!r}")
        if self.products and self.products not in PRODUCTS:
            choices = ", ".join(PRODUCTS)
            raise ValueError(f"products must be one of {choices}, not {self.products!r}")
        if min(self.seq_len, self.batch_size, self.seed) < 0:
            raise ValueError("seq_len, batch_size and seed must be at least 0")
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
        # With another type, ``parse`` would not read the same case back from its text.
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
    def time_axis(self) -> int:
        """The axis of the steps in input and output."""
        return 1 if self.config.batch_first and self.layout != "unbatched" else 0

    def padding(self) -> NDArray[np.bool_]:
        """Where rows have ended in input and output of a packed case.

        Returns:
            (L, N, 1), or (N, L, 1) with batch_first.
        """
        ended = np.arange(self.seq_len)[:, None] >= np.array(self.lengths)  # (L, N)
        return (ended.T if self.time_axis else ended)[..., None]

    @property
    def precision(self) -> Precision:
        """The precision that ``dtype`` names, with the error of factors that is allowed."""
        precision = PRECISIONS[self.dtype]
        if not self.products or self.dtype != "float32":
            return precision
        return replace(precision, factors=PRODUCTS[self.products])

    @property
    def active_dropout(self) -> float:
        """The drop probability between layers: 0 in evaluation mode, and with one layer."""
        return self.config.dropout if self.training and self.config.num_layers > 1 else 0.0

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The documented shape of every tensor in this layout ("Inputs", "Outputs").

        Packed input and output have the shape of ``pad_packed_sequence``, with padding.
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

    def numbers(self) -> int:
        """How many numbers all its tensors have. Of two failing cases, fewer are easier to read."""
        return sum(math.prod(shape) for shape in self.shapes().values())

    def argument_names(self) -> tuple[str, ...]:
        """Names of the tensors that are passed: input, states, parameters. Each has a gradient."""
        states = ("h_0", "c_0") if self.states else ()
        return ("input", *states, *self.config.parameter_shapes())

    def result_names(self) -> tuple[str, ...]:
        """Names of all results: the outputs, and gradients such as ``input.grad``."""
        gradients = self.argument_names() if self.cotangents else ()
        return (*OUTPUTS, *(f"{name}.grad" for name in gradients))

    def scale(self, name: str) -> float:
        """The bound of the values of the tensor ``name``."""
        scales = {"input": self.input_scale, "h_0": 1.0, "c_0": self.state_scale}
        if name in scales:
            return scales[name]
        return self.weight_scale / math.sqrt(self.config.hidden_size)

    def arguments(self) -> dict[str, Array]:
        """The values of every argument: float64 numbers that ``dtype`` represents exactly."""
        return self._drawn({name: self.scale(name) for name in self.argument_names()})

    def cotangent_values(self) -> dict[str, Array]:
        """The values of the cotangent of each output in ``cotangents``, in the output's shape."""
        bounds = {name: 1.0 for name in OUTPUTS if name in self.cotangents}
        return self._drawn(bounds, "cotangent of ")

    def _drawn(self, bounds: Mapping[str, float], prefix: str = "") -> dict[str, Array]:
        """New arrays in the shapes of some tensors, with these bounds of their values."""
        shapes = self.shapes()
        arrays = tuple((prefix + name, shapes[name], bound) for name, bound in bounds.items())
        are_few = sum(math.prod(shape) for _, shape, _ in arrays) <= _FEW
        drawn = (_draw_few if are_few else _draw_many)(self.seed, self.precision, arrays)
        return {name: array.copy() for name, array in zip(bounds, drawn, strict=True)}

    def with_values(self, values: Mapping[str, Array], **changes: Any) -> CaseWithValues:
        """This case with some values replaced, and some fields changed.

        Args:
            values: the new values, by the name of an argument or as ``cotangent of output``.
            changes: the new values of fields.
        """
        current = {item.name: getattr(self, item.name) for item in fields(Case)}
        return CaseWithValues(**{**current, **changes}, values=values)

    def __str__(self) -> str:
        """The one-line text: every field that differs from its default."""
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
        """The case of a one-line text: the inverse of ``str``.

        Raises:
            ValueError: the text is not the text of a case.
        """
        stream, *words = text.split() or [""]
        if stream != _STREAM:
            raise ValueError(f"a case starts with {_STREAM}, not {stream!r}")
        config_fields = {item.name: item for item in fields(LSTMConfig)}
        case_fields = {item.name: item for item in fields(cls) if item.name != "config"}
        values: dict[str, Any] = {}
        for word in words:
            name, separator, value = word.partition("=")
            if not separator or name not in config_fields | case_fields:
                raise ValueError(f"a case has no field {word!r}")
            if name in values:
                raise ValueError(f"a case gives {name} once")
            kind = (config_fields | case_fields)[name].type
            values[name] = _from_text(name, str(kind), value)
        missing = [name for name in ("input_size", "hidden_size") if name not in values]
        if missing:
            raise ValueError(f"a case needs {' and '.join(missing)}")
        config = LSTMConfig(**{name: values.pop(name) for name in config_fields if name in values})
        return cls(config, **values)


@dataclass(frozen=True, eq=False)
class CaseWithValues(Case):
    """A case with some values replaced, see :meth:`Case.with_values`.

    Its text has the fields only, not the replaced values. It is equal to a case of the same fields
    with the same values, bit by bit.

    Attributes:
        values: the replaced values, of any float dtype, in the shapes of the case.
    """

    values: Mapping[str, Array] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        shapes = self.shapes()
        for name, value in self.values.items():
            shape = shapes.get(name.removeprefix("cotangent of "))
            if np.shape(value) != shape:
                raise ValueError(f"{name} has shape {shape} in this case, not {np.shape(value)}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CaseWithValues):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        """What equal cases have in common: all fields, and the bits of the replaced values."""
        values = {name: np.asarray(value) for name, value in self.values.items()}
        bits = frozenset((name, v.dtype.str, v.tobytes()) for name, v in values.items())
        return (*(getattr(self, item.name) for item in fields(Case)), bits)

    def arguments(self) -> dict[str, Array]:
        """The values of every argument. Replaced values are rounded to ``dtype``."""
        return {
            name: self.precision.round(np.asarray(self.values.get(name, drawn)))
            for name, drawn in super().arguments().items()
        }

    def cotangent_values(self) -> dict[str, Array]:
        """The values of the cotangents. Replaced values are rounded to ``dtype``."""
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
