"""One step of the LSTM on samples, with the rounding errors of several operations drawn as one.

:class:`.rounding.Samples` defines the rounding noise: every operation draws an error of its own.
That would be most of the cost of a verdict, and a step has about forty operations. The two
functions here replace :func:`.lstm.cell` and :func:`.lstm.cell_backward` for samples. They compute
the same equations. Between two values that other operations read, all errors are independent and
their effects add up, so that one error with the sum of their variances has the same effect.

Sizes of errors are computed from the first copy: the copies are close together. Complex samples,
which are for derivatives, and those of formats with a small range keep one error for each
operation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .lstm import CellCache, Weights, cell, cell_backward, sigmoid, transpose
from .rounding import Samples, product, sigmoid_size, tanh_size

Array = Any


@cell.register
def _(x: Samples, h_prev: Samples, c_prev: Samples, w: Weights) -> Any:
    """:func:`.lstm.cell` for samples: shapes as there, after the axes of copies and cases."""
    if _needs_every_operation(x):
        return cell.dispatch(object)(x, h_prev, c_prev, w)
    rounded, H = type(x).rounded, c_prev.shape[-1]
    a, variance = product(x, transpose(w.W_ih), transpose(w.W_ih.squares))  # (N, 4H)
    of_h, of_variance = product(h_prev, transpose(w.W_hh), transpose(w.W_hh.squares))
    a += of_h
    variance += of_variance
    variance += _first(a) ** 2
    if w.b_ih is not None and w.b_hh is not None:
        b = (w.b_ih.plain + w.b_hh.plain)[..., None, :]  # (1, 4H)
        a += b
        variance += _first(b) ** 2 + _first(a) ** 2
    a = rounded(a, np.sqrt(variance)).plain

    gates = sigmoid(a)  # (N, 4H) i, f, g, o
    third = ..., slice(2 * H, 3 * H)
    gates[third] = np.tanh(a[third])
    size = sigmoid_size(_first(gates))  # (N, 4H)
    size[third] = tanh_size(_first(gates)[third])
    gates = rounded(gates, size).plain
    i, f, g, o = (gates[..., k * H : (k + 1) * H] for k in range(4))  # (N, H) each

    kept, added = f * c_prev.plain, i * g  # (N, H) each
    c = kept + added  # (N, H)
    variance = _first(kept) ** 2 + _first(added) ** 2 + _first(c) ** 2
    c = rounded(c, np.sqrt(variance)).plain
    tanh_c = np.tanh(c)  # (N, H)
    tanh_c = rounded(tanh_c, tanh_size(_first(tanh_c))).plain
    m = o * tanh_c  # (N, H)
    m = rounded(m, np.abs(_first(m)))
    h = m if w.W_hr is None else m @ transpose(w.W_hr)  # (N, R)
    c, i, f, g, o, tanh_c = (value.view(type(x)) for value in (c, i, f, g, o, tanh_c))
    return h, c, CellCache(x, h_prev, c_prev, i, f, g, o, tanh_c, m)


@cell_backward.register
def _(dh: Samples, dc_next: Samples, cache: CellCache, w: Weights) -> Any:
    """:func:`.lstm.cell_backward` for samples: shapes as there, after copies and cases."""
    if _needs_every_operation(dh):
        return cell_backward.dispatch(object)(dh, dc_next, cache, w)
    rounded = type(dh).rounded
    c_prev, i, f, g, o, tanh_c = (value.plain for value in cache[2:8])  # (N, H) each
    H = c_prev.shape[-1]

    dm = (dh if w.W_hr is None else dh @ w.W_hr).plain  # (N, H)
    square = tanh_c * tanh_c  # (N, H)
    dm_o = dm * o  # (N, H)
    through_h = dm_o * (1 - square)  # (N, H)
    dc = dc_next.plain + through_h  # (N, H)
    variance = 3 * _first(through_h) ** 2 + (_first(dm_o) * _first(square)) ** 2 + _first(dc) ** 2
    dc = rounded(dc, np.sqrt(variance)).plain

    da = np.empty((*dc.shape[:-1], 4 * H))  # (N, 4H)
    da_i, da_f, da_g, da_o = (da[..., k * H : (k + 1) * H] for k in range(4))  # (N, H) each
    np.multiply(dc * g, i * (1 - i), out=da_i)
    np.multiply(dc * c_prev, f * (1 - f), out=da_f)
    dg = dc * i  # (N, H)
    square = g * g  # (N, H)
    np.multiply(dg, 1 - square, out=da_g)
    np.multiply(dm * tanh_c, o * (1 - o), out=da_o)
    size = 2 * np.abs(_first(da))  # (N, 4H) four roundings, each of the size of the result
    size_of_g = size[..., 2 * H : 3 * H]
    size_of_g[...] = np.hypot(np.sqrt(3) / 2 * size_of_g, _first(dg) * _first(square))
    da = rounded(da, size)
    dc_prev = dc * f  # (N, H)
    return da, da @ w.W_hh, rounded(dc_prev, np.abs(_first(dc_prev)))


def _needs_every_operation(x: Samples) -> bool:
    """Whether samples are complex, or may overflow, which can happen in every operation."""
    return x.dtype.kind == "c" or x.overflows


def _first(x: Array) -> Array:
    """The first copy, with its axis."""
    return x[:1]
