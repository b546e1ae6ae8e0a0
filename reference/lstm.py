"""The LSTM and its gradient, written from the equations of ``torch.nn.LSTM`` (PyTorch 2.3).

    i_t = sigmoid(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)        input gate
    f_t = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf)        forget gate
    g_t =    tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)        candidate
    o_t = sigmoid(W_io x_t + b_io + W_ho h_{t-1} + b_ho)        output gate
    c_t = f_t * c_{t-1} + i_t * g_t                             cell state
    h_t = o_t * tanh(c_t)                                       hidden state
    h_t = W_hr (o_t * tanh(c_t))                                the same with a projection

Read from top to bottom: a cell, a direction, a stack of layers, a batch of unequal lengths;
each as ``forward -> results, cache`` and ``backward(cotangents, cache) -> gradients``.

Shapes are written behind each line: T steps, N rows, I features of a layer's input, H hidden
units, R features of h_t (R = H, or proj_size with a projection), D directions, L layers.
Every axis is counted from the end, so arrays may have further axes in front: a thousand
LSTMs side by side are the same text. So are other number systems, which take part through
NumPy's own protocol (``__array_ufunc__``): complex numbers give exact derivatives, rounding
samples give the noise of a precision, multiprecision proves this file right. Nothing here
conjugates, compares or converts a value.

A gradient is called ``d`` and the name of what it belongs to: dW_ih is that of W_ih.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce, singledispatch
from typing import Any, NamedTuple

import numpy as np

from ..spec.config import LSTMConfig

__all__ = ["Weights", "cell", "cell_backward", "lstm", "lstm_backward", "sigmoid"]

# An array of any number system: float, complex, object, or a subclass of ndarray.
Array = Any


class Weights(NamedTuple):
    """Parameters of one layer and direction; their gradients have the same form.

    Rows of W_ih, W_hh, b_ih and b_hh are four blocks of H: gates i, f, g, o.
    """

    W_ih: Array  # (4H, I)
    W_hh: Array  # (4H, R)
    b_ih: Array | None  # (4H,), None without bias
    b_hh: Array | None  # (4H,), None without bias
    W_hr: Array | None  # (R, H), None without projection


@singledispatch
def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)); a number system may register a function of its own."""
    with np.errstate(over="ignore"):  # exp(1000) = inf gives the right limit, 0
        return 1 / (1 + np.exp(-x))


def transpose(W: Array) -> Array:
    """The matrices of a stack of matrices, each transposed."""
    return np.swapaxes(W, -1, -2)


# ------------------------------------------------------------------ one step


class CellCache(NamedTuple):
    """What the backward pass of a cell needs."""

    x: Array
    h_prev: Array
    c_prev: Array
    i: Array
    f: Array
    g: Array
    o: Array
    tanh_c: Array
    m: Array


def cell(x: Array, h: Array, c: Array, w: Weights) -> tuple[Array, Array, CellCache]:
    """One step: from x_t (N, I), h_{t-1} (N, R), c_{t-1} (N, H) to h_t (N, R), c_t (N, H)."""
    a = x @ transpose(w.W_ih) + h @ transpose(w.W_hh)  # (N, 4H)
    if w.b_ih is not None and w.b_hh is not None:
        a = a + (w.b_ih + w.b_hh)[..., None, :]  # (N, 4H)
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=-1)  # (N, H) each

    i = sigmoid(a_i)  # (N, H) how much of the candidate is let in
    f = sigmoid(a_f)  # (N, H) how much of the old cell state is kept
    g = np.tanh(a_g)  # (N, H) the candidate
    o = sigmoid(a_o)  # (N, H) how much of the new cell state is shown

    c_t = f * c + i * g  # (N, H)
    tanh_c = np.tanh(c_t)  # (N, H)
    m = o * tanh_c  # (N, H)
    h_t = m if w.W_hr is None else m @ transpose(w.W_hr)  # (N, R)
    return h_t, c_t, CellCache(x, h, c, i, f, g, o, tanh_c, m)


def cell_backward(
    dh_t: Array, dc_t: Array, cache: CellCache, w: Weights
) -> tuple[Array, Array, Array, Weights]:
    """Gradients of x_t (N, I), h_{t-1} (N, R), c_{t-1} (N, H) and the weights, from those of
    h_t (N, R) and c_t (N, H)."""
    x, h, c, i, f, g, o, tanh_c, m = cache

    dm = dh_t if w.W_hr is None else dh_t @ w.W_hr  # (N, H)
    dW_hr = None if w.W_hr is None else transpose(dh_t) @ m  # (R, H)
    do = dm * tanh_c  # (N, H)
    dc_t = dc_t + dm * o * (1 - tanh_c * tanh_c)  # (N, H) c_t reaches the loss by h_t too

    di = dc_t * g  # (N, H)
    df = dc_t * c  # (N, H)
    dg = dc_t * i  # (N, H)
    dc = dc_t * f  # (N, H)

    da_i = di * i * (1 - i)  # (N, H) sigmoid' = sigmoid (1 - sigmoid)
    da_f = df * f * (1 - f)  # (N, H)
    da_g = dg * (1 - g * g)  # (N, H) tanh' = 1 - tanh^2
    da_o = do * o * (1 - o)  # (N, H)
    da = np.concatenate([da_i, da_f, da_g, da_o], axis=-1)  # (N, 4H)

    dx = da @ w.W_ih  # (N, I)
    dh = da @ w.W_hh  # (N, R)
    dW_ih = transpose(da) @ x  # (4H, I)
    dW_hh = transpose(da) @ h  # (4H, R)
    db = None if w.b_ih is None else da.sum(axis=-2)  # (4H,) the same for both biases
    return dx, dh, dc, Weights(dW_ih, dW_hh, db, db, dW_hr)


# ------------------------------------------------- one layer in one direction


class DirectionCache(NamedTuple):
    """Cells in the order of the input, and the direction they were run in."""

    cells: list[CellCache]
    reverse: bool


def direction(
    x: Array, h_0: Array, c_0: Array, w: Weights, reverse: bool
) -> tuple[Array, Array, Array, DirectionCache]:
    """All steps of x (T, N, I), from first to last, or in reverse from last to first.

    Returns h_t of each step at its place in the input (T, N, R), and the final h (N, R) and
    c (N, H): for the reverse direction those of the first step.
    """
    steps = x.shape[-3]
    h, c = h_0, c_0  # (N, R), (N, H)
    hs: list[Array] = [None] * steps
    cells: list[Any] = [None] * steps
    for t in _order(steps, reverse):
        h, c, cells[t] = cell(x[..., t, :, :], h, c, w)
        hs[t] = h
    return np.stack(hs, axis=-3), h, c, DirectionCache(cells, reverse)


def direction_backward(
    doutput: Array, dh: Array, dc: Array, cache: DirectionCache, w: Weights
) -> tuple[Array, Array, Array, Weights]:
    """Gradients of x (T, N, I), h_0 (N, R), c_0 (N, H) and the weights, from those of the
    output (T, N, R) and the final states."""
    steps = len(cache.cells)
    dxs: list[Array] = [None] * steps
    dws = []
    for t in _order(steps, not cache.reverse):
        dh_t = dh + doutput[..., t, :, :]  # (N, R) h_t is an output and the next step's input
        dxs[t], dh, dc, dw = cell_backward(dh_t, dc, cache.cells[t], w)
        dws.append(dw)
    return np.stack(dxs, axis=-3), dh, dc, reduce(_add_weights, dws)


def _order(steps: int, reverse: bool) -> range:
    return range(steps - 1, -1, -1) if reverse else range(steps)


def _add_weights(a: Weights, b: Weights) -> Weights:
    return Weights(*(None if p is None else p + q for p, q in zip(a, b, strict=True)))


# ------------------------------------------------------------ the whole stack


class StackCache(NamedTuple):
    """What the backward pass of the stack needs: per layer and direction, layers outermost."""

    weights: list[list[Weights]]
    directions: list[list[DirectionCache]]
    masks: Sequence[Array] | None


def stack(
    x: Array,
    h_0: Array,
    c_0: Array,
    weights: list[list[Weights]],
    masks: Sequence[Array] | None,
) -> tuple[Array, Array, Array, StackCache]:
    """All layers over x (T, N, I), from h_0 (L*D, N, R) and c_0 (L*D, N, H).

    Returns output (T, N, D*R), h_n (L*D, N, R) and c_n (L*D, N, H); ``masks[l]`` (T, N, D*R),
    if given, multiplies what layer l hands to layer l + 1.
    """
    h_n, c_n, caches = [], [], []
    for layer, of_layer in enumerate(weights):
        if layer > 0 and masks is not None:
            x = x * masks[layer - 1]  # (T, N, D*R)
        outputs, of_cache = [], []
        for d, w in enumerate(of_layer):
            k = layer * len(of_layer) + d  # states are in layer-major order
            output, h, c, cache = direction(x, h_0[..., k, :, :], c_0[..., k, :, :], w, d == 1)
            outputs.append(output)
            h_n.append(h)
            c_n.append(c)
            of_cache.append(cache)
        x = np.concatenate(outputs, axis=-1)  # (T, N, D*R)
        caches.append(of_cache)
    return (
        x,
        np.stack(h_n, axis=-3),
        np.stack(c_n, axis=-3),
        StackCache(weights, caches, masks),
    )


def stack_backward(
    doutput: Array, dh_n: Array, dc_n: Array, cache: StackCache
) -> tuple[Array, Array, Array, list[list[Weights]]]:
    """Gradients of x (T, N, I), h_0 (L*D, N, R), c_0 (L*D, N, H) and the weights, from those
    of output (T, N, D*R), h_n and c_n."""
    L, D = len(cache.weights), len(cache.weights[0])
    dh_0: list[Array] = [None] * (L * D)
    dc_0: list[Array] = [None] * (L * D)
    dweights: list[list[Weights]] = []
    dx = doutput  # (T, N, D*R)
    for layer in reversed(range(L)):
        dxs, of_layer = [], []
        for d, doutput_d in enumerate(np.split(dx, D, axis=-1)):  # (T, N, R)
            k = layer * D + d
            dx_d, dh_0[k], dc_0[k], dw = direction_backward(
                doutput_d,
                dh_n[..., k, :, :],
                dc_n[..., k, :, :],
                cache.directions[layer][d],
                cache.weights[layer][d],
            )
            dxs.append(dx_d)
            of_layer.append(dw)
        dx = reduce(np.add, dxs)  # (T, N, I) both directions read the same input
        if layer > 0 and cache.masks is not None:
            dx = dx * cache.masks[layer - 1]  # (T, N, D*R)
        dweights.insert(0, of_layer)
    return dx, np.stack(dh_0, axis=-3), np.stack(dc_0, axis=-3), dweights


# ------------------------------------------------- rows of unequal length


class LSTMCache(NamedTuple):
    """The config, the shape of the input, and for each distinct length its rows and stack."""

    config: LSTMConfig
    steps: int
    rows: int
    groups: list[tuple[int, Array, StackCache]]


def lstm(
    config: LSTMConfig,
    parameters: Mapping[str, Array],
    x: Array,
    h_0: Array,
    c_0: Array,
    *,
    lengths: Sequence[int] | None = None,
    masks: Sequence[Array] | None = None,
) -> tuple[Array, Array, Array, LSTMCache]:
    """The LSTM of ``config``, on arrays of any number system.

    A row of length n is, by definition, what the LSTM makes of that row's first n steps
    alone; its output after them is zero. Nothing else is needed for packed sequences.

    Args:
        config: ``batch_first`` is not looked at: arrays here have the steps first. Neither
            is ``dropout``: what was dropped is said by ``masks``.
        parameters: by torch's names, shapes as ``config.parameter_shapes()``.
        x: input (T, N, input_size).
        h_0: initial hidden states (L*D, N, R).
        c_0: initial cell states (L*D, N, H).
        lengths: steps of each row, 1 to T; None if all have T.
        masks: for each layer but the last an array (T, N, D*R) that multiplies its output on
            the way to the next layer: 0 where dropped, else 1 / (1 - p). None drops nothing.

    Returns:
        output (T, N, D*R), h_n (L*D, N, R), c_n (L*D, N, H), and the cache for
        :func:`lstm_backward`.

    Raises:
        ValueError: a parameter is missing or not one of this config's, or a shape, a length
            or the number of masks does not fit.
    """
    T, N = x.shape[-3:-1]
    _check_arguments(config, parameters, x, h_0, c_0, lengths, masks)
    weights = [
        [_weights(config, parameters, layer, d) for d in range(config.num_directions)]
        for layer in range(config.num_layers)
    ]
    if lengths is None:
        output, h_n, c_n, cache = stack(x, h_0, c_0, weights, masks)
        return output, h_n, c_n, LSTMCache(config, T, N, [(T, np.arange(N), cache)])

    groups, outputs, h_ns, c_ns = [], [], [], []
    for length in sorted(set(lengths)):
        rows = np.flatnonzero(np.asarray(lengths) == length)  # (n,)
        output, h, c, cache = stack(
            x[..., :length, rows, :],
            h_0[..., rows, :],
            c_0[..., rows, :],
            weights,
            None if masks is None else [mask[..., :length, rows, :] for mask in masks],
        )
        outputs.append(_pad(output, T))  # (T, n, D*R)
        h_ns.append(h)
        c_ns.append(c)
        groups.append((length, rows, cache))
    place = np.argsort(np.concatenate([rows for _, rows, _ in groups]))  # (N,)
    output, h_n, c_n = (_regroup(parts, place) for parts in (outputs, h_ns, c_ns))
    return output, h_n, c_n, LSTMCache(config, T, N, groups)


def lstm_backward(
    doutput: Array, dh_n: Array, dc_n: Array, cache: LSTMCache
) -> tuple[Array, Array, Array, dict[str, Array]]:
    """The vector-Jacobian product of :func:`lstm`.

    Args:
        doutput: cotangent of output (T, N, D*R); what it says of padding is not looked at.
        dh_n: cotangent of h_n (L*D, N, R).
        dc_n: cotangent of c_n (L*D, N, H).
        cache: what :func:`lstm` returned.

    Returns:
        Gradients of x (T, N, input_size), h_0 (L*D, N, R), c_0 (L*D, N, H), and of the
        parameters by name. Padding has gradient zero.
    """
    dxs, dh_0s, dc_0s, dparameters = [], [], [], []
    for length, rows, of_rows in cache.groups:
        dx, dh_0, dc_0, dweights = stack_backward(
            doutput[..., :length, rows, :], dh_n[..., rows, :], dc_n[..., rows, :], of_rows
        )
        dxs.append(_pad(dx, cache.steps))  # (T, n, I)
        dh_0s.append(dh_0)
        dc_0s.append(dc_0)
        dparameters.append(_by_name(cache.config, dweights))
    place = np.argsort(np.concatenate([rows for _, rows, _ in cache.groups]))  # (N,)
    dx, dh_0, dc_0 = (_regroup(parts, place) for parts in (dxs, dh_0s, dc_0s))
    summed = {name: reduce(np.add, [d[name] for d in dparameters]) for name in dparameters[0]}
    return dx, dh_0, dc_0, summed


def _pad(x: Array, steps: int) -> Array:
    """x (n, N, F) with zeros behind it up to (steps, N, F), in x's own number system."""
    zero = np.zeros_like(x[..., :1, :, :])  # (1, N, F)
    return np.concatenate([x] + [zero] * (steps - x.shape[-3]), axis=-3)


def _regroup(parts: list[Array], place: Array) -> Array:
    """The rows of all groups (..., N, F), in the order of the batch."""
    return np.concatenate(parts, axis=-2)[..., place, :]


def _weights(config: LSTMConfig, parameters: Mapping[str, Array], layer: int, d: int) -> Weights:
    names = config.parameter_names(layer, d)
    given = {name.split("_l")[0]: parameters[name] for name in names}
    return Weights(
        given["weight_ih"],
        given["weight_hh"],
        given.get("bias_ih"),
        given.get("bias_hh"),
        given.get("weight_hr"),
    )


def _by_name(config: LSTMConfig, weights: list[list[Weights]]) -> dict[str, Array]:
    named: dict[str, Array] = {}
    for layer, of_layer in enumerate(weights):
        for d, w in enumerate(of_layer):
            present = [p for p in w if p is not None]
            named.update(zip(config.parameter_names(layer, d), present, strict=True))
    return named


def _check_arguments(
    config: LSTMConfig,
    parameters: Mapping[str, Array],
    x: Array,
    h_0: Array,
    c_0: Array,
    lengths: Sequence[int] | None,
    masks: Sequence[Array] | None,
) -> None:
    T, N = x.shape[-3:-1]
    rows, R = config.num_layers * config.num_directions, config.output_size
    expected: dict[str, tuple[Array, tuple[int, ...]]] = {
        "input": (x, (T, N, config.input_size)),
        "h_0": (h_0, (rows, N, R)),
        "c_0": (c_0, (rows, N, config.hidden_size)),
    }
    shapes = config.parameter_shapes()
    if set(parameters) != set(shapes):
        raise ValueError(f"parameters must be {', '.join(shapes)}, not {', '.join(parameters)}")
    expected.update((name, (parameters[name], shape)) for name, shape in shapes.items())
    if masks is not None:
        if len(masks) != config.num_layers - 1:
            raise ValueError(f"{config.num_layers} layers take {config.num_layers - 1} masks")
        of_mask = (T, N, config.num_directions * R)
        expected.update((f"mask {n}", (mask, of_mask)) for n, mask in enumerate(masks))
    for name, (array, shape) in expected.items():
        if array.shape[array.ndim - len(shape) :] != shape:
            raise ValueError(f"{name} must end in shape {shape}, not {array.shape}")
    if T < 1:
        raise ValueError("the input must have at least one step")
    if lengths is not None and (
        len(lengths) != N or not all(1 <= length <= T for length in lengths)
    ):
        raise ValueError(f"lengths must be {N} numbers between 1 and {T}, not {lengths}")
