"""Products of float32 with fewer digits, as hardware computes them, on any processor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from lstm_conformance.adapters.torch_module import TorchModule

__all__ = ["BITS", "RoundedProducts", "with_rounded_products"]

# The bits of a factor, the leading one included.
BITS = {"tf32": 11, "float16": 11, "bfloat16": 8}

aten: Any = torch.ops.aten
# Operations that multiply matrices, and which of their arguments are factors. All others of torch,
# such as linear and matmul, are made of these.
_FACTORS: Mapping[Any, Sequence[int]] = {
    aten.mm: (0, 1),
    aten.bmm: (0, 1),
    aten.mv: (0, 1),
    aten.dot: (0, 1),
    aten.addmm: (1, 2),
    aten.addmv: (1, 2),
    aten.addbmm: (1, 2),
    aten.baddbmm: (1, 2),
}


class RoundedProducts(TorchDispatchMode):
    """In this context, factors of products of float32 matrices are rounded, also by ``backward``.

    Sums keep the digits of float32, and so do products of elements.

    Args:
        bits: that a factor keeps, the leading one included.
        cut: whether the other bits are cut off. Otherwise a factor is rounded to the nearest.
    """

    def __init__(self, bits: int, cut: bool = False) -> None:
        super().__init__()
        self._bits = bits
        self._cut = cut

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        factors = _FACTORS.get(func.overloadpacket, ())
        rounded = [self._rounded(a) if k in factors else a for k, a in enumerate(args)]
        return func(*rounded, **(kwargs or {}))

    def _rounded(self, factor: torch.Tensor) -> torch.Tensor:
        if factor.dtype != torch.float32:
            return factor
        mantissa, exponent = torch.frexp(factor)
        whole = torch.trunc if self._cut else torch.round
        return torch.ldexp(whole(mantissa * 2**self._bits) / 2**self._bits, exponent)


def with_rounded_products(
    factory: Callable[..., Any], products: str, cut: bool = False
) -> TorchModule:
    """An LSTM whose products of float32 have factors in the format ``products``.

    ``torch.nn.LSTM`` is made of such products without oneDNN only, which is switched off.

    Args:
        factory: takes the constructor arguments of ``torch.nn.LSTM``, and returns a module.
        products: a name in ``BITS``. The range of float16 is not that of its bits: no number
            overflows, and none is denormal.
        cut: as in :class:`RoundedProducts`.
    """
    name = f"{factory.__name__} with {'cut' if cut else 'rounded'} factors"

    @contextmanager
    def rounded() -> Iterator[None]:
        with torch.backends.mkldnn.flags(enabled=False), RoundedProducts(BITS[products], cut):
            yield

    return TorchModule(name, factory, torch.__version__, rounded)
