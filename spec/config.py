"""The constructor arguments of an LSTM, and the names and shapes of its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = ["LSTMConfig"]


@dataclass(frozen=True)
class LSTMConfig:
    """The constructor arguments of ``torch.nn.LSTM`` (documentation, "Args").

    ``device`` and ``dtype`` are fields of :class:`~lstm_conformance.spec.case.Case`.

    Attributes:
        input_size: features of the input, at least 1.
        hidden_size: H, hidden units, at least 1.
        num_layers: at least 1.
        bias: whether there are biases.
        batch_first: whether rows come before steps in input and output.
        dropout: the probability to drop an output between layers in training, from 0 to 1.
        bidirectional: whether each layer has a reverse direction, too.
        proj_size: features of h_t with a projection, less than ``hidden_size``; 0 for none.

    Raises:
        ValueError: the documentation does not allow a value.
    """

    input_size: int
    hidden_size: int
    num_layers: int = 1
    bias: bool = True
    batch_first: bool = False
    dropout: float = 0.0
    bidirectional: bool = False
    proj_size: int = 0

    def __post_init__(self) -> None:
        for name in ("input_size", "hidden_size", "num_layers"):
            if _whole(name, getattr(self, name)) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("bias", "batch_first", "bidirectional"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be True or False, not {getattr(self, name)!r}")
        if isinstance(self.dropout, bool) or not isinstance(self.dropout, (int, float)):
            raise ValueError(f"dropout must be a number, not {self.dropout!r}")
        if not 0 <= self.dropout <= 1:
            raise ValueError(f"dropout must be between 0 and 1, not {self.dropout}")
        if not 0 <= _whole("proj_size", self.proj_size) < self.hidden_size:
            raise ValueError(
                f"proj_size must be between 0 and hidden_size - 1 = {self.hidden_size - 1}, "
                f"not {self.proj_size}"
            )

    @property
    def num_directions(self) -> int:
        """D in the documentation: 2 if bidirectional, otherwise 1."""
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """H_out in the documentation: the features of h_t in one direction."""
        return self.proj_size or self.hidden_size

    def layer_input_size(self, layer: int) -> int:
        """Features that ``layer`` reads: of the input, or of all directions of the layer below."""
        return self.input_size if layer == 0 else self.num_directions * self.output_size

    def parameter_names(self, layer: int, direction: int) -> tuple[str, ...]:
        """Names of the parameters of one layer and direction, in torch's order."""
        suffix = f"l{layer}" + ("_reverse" if direction else "")
        roles = ["weight_ih", "weight_hh"]
        if self.bias:
            roles += ["bias_ih", "bias_hh"]
        if self.proj_size:
            roles += ["weight_hr"]
        return tuple(f"{role}_{suffix}" for role in roles)

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every parameter, in torch's order (documentation, "Attributes")."""
        return dict(_parameter_shapes(self))


@lru_cache(maxsize=256)  # many parts of a verdict ask for them
def _parameter_shapes(config: LSTMConfig) -> dict[str, tuple[int, ...]]:
    gates = 4 * config.hidden_size
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(config.num_layers):
        role_shapes = {
            "weight_ih": (gates, config.layer_input_size(layer)),
            "weight_hh": (gates, config.output_size),
            "bias_ih": (gates,),
            "bias_hh": (gates,),
            "weight_hr": (config.proj_size, config.hidden_size),
        }
        for direction in range(config.num_directions):
            for name in config.parameter_names(layer, direction):
                shapes[name] = role_shapes[name.split("_l")[0]]
    return shapes


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} must be a whole number, not {value!r}")
    return value
