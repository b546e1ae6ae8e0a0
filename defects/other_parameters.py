"""LSTMs in which a layer and direction reads parameters of another one."""

from __future__ import annotations

from collections.abc import Callable

from .readable import ReadableLSTM, Weights

__all__ = ["parameters_from"]

# From the LSTM, a layer and a direction to another layer and direction.
Place = Callable[[ReadableLSTM, int, int], tuple[int, int]]


def parameters_from(place: Place, roles: tuple[str, ...] = Weights._fields) -> type[ReadableLSTM]:
    """Some parameters of a layer and direction are those of ``place``.

    Args:
        place: from the LSTM, the layer and the direction to those whose parameters are read.
        roles: the parameters, as fields of ``Weights``; by default all.
    """

    class Variant(ReadableLSTM):
        def weights(self, layer: int, d: int) -> Weights:
            other = super().weights(*place(self, layer, d))
            return super().weights(layer, d)._replace(**{r: getattr(other, r) for r in roles})

    return Variant
