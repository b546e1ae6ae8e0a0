"""LSTMs in which the gradients of some parameters are multiplied by a factor."""

from __future__ import annotations

from collections.abc import Callable

from .gradient_surgery import with_gradient_times
from .readable import ReadableLSTM, Weights

__all__ = ["gradients_times"]


def gradients_times(
    factor: float,
    roles: tuple[str, ...] = Weights._fields,
    where: Callable[[int, int, Weights], bool] = lambda layer, d, w: True,
) -> type[ReadableLSTM]:
    """The gradients of some parameters are multiplied by ``factor``.

    Args:
        roles: the parameters, as fields of ``Weights``; by default all.
        where: whether it is so in a layer and direction with these parameters.
    """

    class Variant(ReadableLSTM):
        def weights(self, layer: int, d: int) -> Weights:
            w = super().weights(layer, d)
            own = {role: getattr(w, role) for role in roles if where(layer, d, w)}
            present = {role: p for role, p in own.items() if p is not None}
            return w._replace(**{r: with_gradient_times(factor, p) for r, p in present.items()})

    return Variant
