"""The LSTM and its gradients, written from the equations of ``torch.nn.LSTM`` (PyTorch 2.3).

    i_t = sigmoid(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)        input gate
    f_t = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf)        forget gate
    g_t =    tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)        candidate
    o_t = sigmoid(W_io x_t + b_io + W_ho h_{t-1} + b_ho)        output gate
    c_t = f_t * c_{t-1} + i_t * g_t                             cell state
    h_t = o_t * tanh(c_t)                                       hidden state
    h_t = W_hr (o_t * tanh(c_t))                                hidden state, with a projection

Read the file from top to bottom. It builds one step, then one layer in one direction, then a
stack of layers, then a batch of rows of unequal length. Each part is a pair of functions:
``forward(...) -> results, cache`` and ``backward(cotangents, cache) -> gradients``. The file is
long because it has the whole LSTM, forward and backward.

Comments give the shape that each line computes. The letters are:

    T  steps of the sequence
    N  rows of the batch
    I  features that a layer reads
    H  hidden units (hidden_size)
    R  features of h_t: proj_size with a projection, otherwise H
    D  directions: 2 if bidirectional, otherwise 1
    L  layers

A name that starts with ``d`` is a gradient: dW_ih is the gradient of W_ih.

The code counts every axis from the end. Arrays may have more axes in front, so one call can
compute many LSTMs side by side. Arrays may also hold other numbers than floats, through NumPy's
``__array_ufunc__``: complex numbers give exact derivatives, random samples of rounding errors
give the noise of a precision, and numbers of 50 digits test this file. For these to work, no
line may conjugate, compare or convert a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce, singledispatch
from typing import Any, NamedTuple

import numpy as np

from ..spec.config import LSTMConfig

__all__ = ["Weights", "cell", "cell_backward", "lstm", "lstm_backward", "sigmoid"]

# An array of floats, complex numbers or objects, or of a subclass of ndarray.
Array = Any


class Weights(NamedTuple):
    """The parameters of one layer in one direction, or their gradients.

    W_ih, W_hh, b_ih and b_hh hold four blocks of H rows: the gates i, f, g, o.
    """

    W_ih: Array  # (4H, I)
    W_hh: Array  # (4H, R)
    b_ih: Array | None  # (4H,), None without biases
    b_hh: Array | None  # (4H,), None without biases
    W_hr: Array | None  # (R, H), None without a projection


@singledispatch
def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), elementwise. A subclass of ndarray may register its own version."""
    with np.errstate(over="ignore"):  # exp(1000) overflows to inf, which gives the right limit, 0
        return 1 / (1 + np.exp(-x))


def transpose(W: Array) -> Array:
    """Swaps the last two axes: (..., A, B) to (..., B, A)."""
    return np.swapaxes(W, -1, -2)


# ------------------------------------------------------------------ one step


class CellCache(NamedTuple):
    """The values of one step that its backward pass needs."""

    x: Array  # (N, I)
    h_prev: Array  # (N, R)
    c_prev: Array  # (N, H)
    i: Array  # (N, H)
    f: Array  # (N, H)
    g: Array  # (N, H)
    o: Array  # (N, H)
    tanh_c: Array  # (N, H)
    m: Array  # (N, H) o * tanh_c


@singledispatch
def cell(x: Array, h_prev: Array, c_prev: Array, w: Weights) -> tuple[Array, Array, CellCache]:
    """One step of one layer in one direction.

    Args:
        x: x_t, the input of this step (N, I).
        h_prev: h_{t-1}, the hidden state before this step (N, R).
        c_prev: c_{t-1}, the cell state before this step (N, H).
        w: the parameters.

    Returns:
        h_t (N, R), c_t (N, H), and the cache for :func:`cell_backward`.
    """
    a = x @ transpose(w.W_ih) + h_prev @ transpose(w.W_hh)  # (N, 4H)
    if w.b_ih is not None and w.b_hh is not None:
        a = a + (w.b_ih + w.b_hh)[..., None, :]  # (N, 4H)
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=-1)  # (N, H) each

    i = sigmoid(a_i)  # (N, H) input gate: how much of the candidate to add
    f = sigmoid(a_f)  # (N, H) forget gate: how much of the old cell state to keep
    g = np.tanh(a_g)  # (N, H) candidate for the cell state
    o = sigmoid(a_o)  # (N, H) output gate: how much of the cell state to output

    c = f * c_prev + i * g  # (N, H)
    tanh_c = np.tanh(c)  # (N, H)
    m = o * tanh_c  # (N, H) the hidden state before the projection
    h = m if w.W_hr is None else m @ transpose(w.W_hr)  # (N, R)
    return h, c, CellCache(x, h_prev, c_prev, i, f, g, o, tanh_c, m)


@singledispatch
def cell_backward(dh: Array, dc: Array, cache: CellCache, w: Weights) -> tuple[Array, Array, Array]:
    """The backward pass of :func:`cell`, up to the gradient of ``a``.

    ``a`` is the sum in front of the gates. The gradients of the input and of the parameters follow
    from its gradient, for all steps at once: see :func:`direction_backward`.

    Args:
        dh: the gradient of h_t (N, R).
        dc: the gradient of c_t (N, H), without the part that comes through h_t.
        cache: as :func:`cell` returned it.
        w: the parameters.

    Returns:
        The gradients of a (N, 4H), h_{t-1} (N, R) and c_{t-1} (N, H).
    """
    _, _, c_prev, i, f, g, o, tanh_c, _ = cache

    dm = dh if w.W_hr is None else dh @ w.W_hr  # (N, H)
    do = dm * tanh_c  # (N, H)
    dc = dc + dm * o * (1 - tanh_c * tanh_c)  # (N, H) h_t depends on c_t too

    di = dc * g  # (N, H)
    df = dc * c_prev  # (N, H)
    dg = dc * i  # (N, H)
    dc_prev = dc * f  # (N, H)

    da_i = di * i * (1 - i)  # (N, H) sigmoid' = sigmoid (1 - sigmoid)
    da_f = df * f * (1 - f)  # (N, H)
    da_g = dg * (1 - g * g)  # (N, H) tanh' = 1 - tanh^2
    da_o = do * o * (1 - o)  # (N, H)
    da = np.concatenate([da_i, da_f, da_g, da_o], axis=-1)  # (N, 4H)
    return da, da @ w.W_hh, dc_prev


# ------------------------------------------------- one layer in one direction
#
# From here on a sequence is a list of its T steps. Rows may be of unequal length. They are sorted
# by decreasing length, so that the rows which have step t are the first n of it. With rows of
# equal length n is N in every step.


class DirectionCache(NamedTuple):
    """The values of one direction that its backward pass needs."""

    cells: list[CellCache]  # T of them, in the order of the input
    reverse: bool


def direction(
    xs: Sequence[Array], h_0: Array, c_0: Array, w: Weights, reverse: bool
) -> tuple[list[Array], Array, Array, DirectionCache]:
    """One layer in one direction.

    The reverse direction reads the steps from the last to the first. Its final state is
    therefore the one after step 0. Its output is still in the order of the input. It starts each
    row at the last step of that row.

    Args:
        xs: the input of the layer, T arrays (n, I).
        h_0: the initial hidden states (N, R).
        c_0: the initial cell states (N, H).
        w: the parameters.
        reverse: True for the reverse direction.

    Returns:
        h_t of every step, T arrays (n, R), the final h (N, R), the final c (N, H), and the cache
        for :func:`direction_backward`.
    """
    h, c = h_0, c_0  # (N, R), (N, H)
    outputs: list[Array] = [None] * len(xs)
    cells: list[Any] = [None] * len(xs)
    for t in _time_order(len(xs), reverse):
        n = xs[t].shape[-2]
        outputs[t], c_t, cells[t] = cell(xs[t], h[..., :n, :], c[..., :n, :], w)
        h = _replace_rows(h, outputs[t])  # (N, R) the other rows have ended, or not begun yet
        c = _replace_rows(c, c_t)  # (N, H)
    return outputs, h, c, DirectionCache(cells, reverse)


def direction_backward(
    doutputs: Sequence[Array], dh: Array, dc: Array, cache: DirectionCache, w: Weights
) -> tuple[list[Array], Array, Array, Weights]:
    """The backward pass of :func:`direction`: backpropagation through time.

    Args:
        doutputs: the gradient of h_t of every step, as an output: T arrays (n, R).
        dh: the gradient of the final h (N, R).
        dc: the gradient of the final c (N, H).
        cache: as :func:`direction` returned it.
        w: the parameters.

    Returns:
        The gradients of xs, T arrays (n, I), of h_0 (N, R), c_0 (N, H) and the parameters.
    """
    T = len(cache.cells)
    dhs: list[Array] = [None] * T
    das: list[Array] = [None] * T
    for t in _time_order(T, not cache.reverse):
        n = doutputs[t].shape[-2]
        dhs[t] = dh[..., :n, :] + doutputs[t]  # (n, R) h_t is an output, and the next step reads it
        das[t], dh_prev, dc_prev = cell_backward(dhs[t], dc[..., :n, :], cache.cells[t], w)
        dh = _replace_rows(dh, dh_prev)  # (N, R)
        dc = _replace_rows(dc, dc_prev)  # (N, H)

    # All steps of all rows use the same parameters. A gradient of them is one sum over all of
    # these, M in number.
    da = _join(das)  # (M, 4H)
    das.clear()  # the steps were copied
    dW_ih = transpose(da) @ _join([cell.x for cell in cache.cells])  # (4H, I)
    dW_hh = transpose(da) @ _join([cell.h_prev for cell in cache.cells])  # (4H, R)
    db = None if w.b_ih is None else da.sum(axis=-2)  # (4H,) the same for both biases
    dW_hr = None
    if w.W_hr is not None:
        dW_hr = transpose(_join(dhs)) @ _join([cell.m for cell in cache.cells])  # (R, H)
    dxs = _split_rows(da @ w.W_ih, [x.shape[-2] for x in doutputs])  # T arrays (n, I)
    return dxs, dh, dc, Weights(dW_ih, dW_hh, db, db, dW_hr)


def _time_order(T: int, reverse: bool) -> range:
    return range(T - 1, -1, -1) if reverse else range(T)


def _replace_rows(x: Array, first: Array) -> Array:
    """x (N, F) with its first rows replaced by ``first`` (n, F)."""
    n = first.shape[-2]
    return first if n == x.shape[-2] else np.concatenate([first, x[..., n:, :]], axis=-2)


def _join(xs: Sequence[Array]) -> Array:
    """The rows of all steps: T arrays (n, F) to (M, F)."""
    return np.concatenate(xs, axis=-2)


def _split_rows(x: Array, rows: Sequence[int]) -> list[Array]:
    """The inverse of ``_join``."""
    return np.split(x, np.cumsum(rows)[:-1], axis=-2)


# ------------------------------------------------------------ the whole stack


class StackCache(NamedTuple):
    """The values of a stack that its backward pass needs."""

    weights: list[list[Weights]]  # weights[layer][direction]
    directions: list[list[DirectionCache]]  # directions[layer][direction]
    masks: Sequence[Sequence[Array]] | None  # L - 1 lists of T arrays (n, D*R)


def stack(
    xs: Sequence[Array],
    h_0: Array,
    c_0: Array,
    weights: list[list[Weights]],
    masks: Sequence[Sequence[Array]] | None,
) -> tuple[Sequence[Array], Array, Array, StackCache]:
    """All layers, one above the other.

    Args:
        xs: the input of the first layer, T arrays (n, I).
        h_0: the initial hidden states (L*D, N, R).
        c_0: the initial cell states (L*D, N, H).
        weights: the parameters, ``weights[layer][direction]``.
        masks: the dropout masks, T arrays (n, D*R) each. ``masks[k]`` multiplies the output of
            layer k before layer k + 1 reads it. None for no dropout.

    Returns:
        output, T arrays (n, D*R), h_n (L*D, N, R), c_n (L*D, N, H), and the cache for
        :func:`stack_backward`.
    """
    h_n, c_n, caches = [], [], []
    for layer, layer_weights in enumerate(weights):
        if layer > 0 and masks is not None:
            xs = [x * mask for x, mask in zip(xs, masks[layer - 1], strict=True)]  # (n, D*R) each
        outputs, layer_caches = [], []
        for d, w in enumerate(layer_weights):
            k = layer * len(layer_weights) + d  # place of this layer and direction in the states
            output, h, c, cache = direction(xs, h_0[..., k, :, :], c_0[..., k, :, :], w, d == 1)
            outputs.append(output)
            h_n.append(h)
            c_n.append(c)
            layer_caches.append(cache)
        xs = [np.concatenate(step, axis=-1) for step in zip(*outputs, strict=True)]  # (n, D*R) each
        caches.append(layer_caches)
    return (
        xs,
        np.stack(h_n, axis=-3),
        np.stack(c_n, axis=-3),
        StackCache(weights, caches, masks),
    )


def stack_backward(
    doutputs: Sequence[Array], dh_n: Array, dc_n: Array, cache: StackCache
) -> tuple[Sequence[Array], Array, Array, list[list[Weights]]]:
    """The backward pass of :func:`stack`.

    Args:
        doutputs: the gradient of output, T arrays (n, D*R).
        dh_n: the gradient of h_n (L*D, N, R).
        dc_n: the gradient of c_n (L*D, N, H).
        cache: as :func:`stack` returned it.

    Returns:
        The gradients of xs, T arrays (n, I), h_0 (L*D, N, R), c_0 (L*D, N, H) and the parameters,
        ``dweights[layer][direction]``.
    """
    L, D = len(cache.weights), len(cache.weights[0])
    dh_0: list[Array] = [None] * (L * D)
    dc_0: list[Array] = [None] * (L * D)
    dweights: list[list[Weights]] = []
    dxs = doutputs  # T arrays (n, D*R)
    for layer in reversed(range(L)):
        of_directions = zip(*(np.split(dx, D, axis=-1) for dx in dxs), strict=True)
        parts, layer_dweights = [], []
        for d, doutputs_d in enumerate(of_directions):  # T arrays (n, R)
            k = layer * D + d
            dxs_d, dh_0[k], dc_0[k], dw = direction_backward(
                doutputs_d,
                dh_n[..., k, :, :],
                dc_n[..., k, :, :],
                cache.directions[layer][d],
                cache.weights[layer][d],
            )
            parts.append(dxs_d)
            layer_dweights.append(dw)
        dxs = [reduce(np.add, step) for step in zip(*parts, strict=True)]  # both read the same x
        if layer > 0 and cache.masks is not None:
            dxs = [dx * mask for dx, mask in zip(dxs, cache.masks[layer - 1], strict=True)]
        dweights.insert(0, layer_dweights)
    return dxs, np.stack(dh_0, axis=-3), np.stack(dc_0, axis=-3), dweights


# ------------------------------------------------- rows of unequal length


class LSTMCache(NamedTuple):
    """The values of a batch that its backward pass needs."""

    config: LSTMConfig
    order: Array  # (N,) the rows by decreasing length
    rows: list[int]  # T numbers n of rows
    stack: StackCache


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
    """The LSTM of ``config``, for a batch of rows.

    A row of length n gets the results that its first n steps give alone. Its output is zero
    after them. This defines packed sequences.

    Args:
        config: ``batch_first`` and ``dropout`` are not used. The steps are always the first
            axis here, and ``masks`` says what dropout drops.
        parameters: every parameter by torch's name, in the shapes of
            ``config.parameter_shapes()``.
        x: the input (T, N, input_size).
        h_0: the initial hidden states (L*D, N, R).
        c_0: the initial cell states (L*D, N, H).
        lengths: the number of steps of each row, from 1 to T. None if every row has T steps.
        masks: the dropout masks, one array (T, N, D*R) for each layer but the last. A mask
            multiplies the output of its layer before the next layer reads it. Its elements are
            0 where dropout with probability p drops, and 1 / (1 - p) elsewhere. None for no
            dropout.

    Returns:
        output (T, N, D*R), h_n (L*D, N, R), c_n (L*D, N, H), and the cache for
        :func:`lstm_backward`.

    Raises:
        ValueError: a parameter is missing, a parameter is unknown, or a shape, a length or the
            number of masks does not fit ``config``.
    """
    # Most of this function is its docstring. The rest is one computation: sort the rows by length,
    # compute the stack, and put the rows back in order.
    _check_arguments(config, parameters, x, h_0, c_0, lengths, masks)
    T, N = x.shape[-3:-1]
    steps = np.full(N, T) if lengths is None else np.asarray(lengths)  # (N,)
    order = np.argsort(-steps, kind="stable")  # (N,)
    rows = [int((steps > t).sum()) for t in range(T)]  # n of each step
    weights = [
        [_weights(config, parameters, layer, d) for d in range(config.num_directions)]
        for layer in range(config.num_layers)
    ]
    outputs, h_n, c_n, stack_cache = stack(
        _steps(x, order, rows),
        _reorder(h_0, order),
        _reorder(c_0, order),
        weights,
        None if masks is None else [_steps(mask, order, rows) for mask in masks],
    )
    back = np.argsort(order)  # (N,)
    output = _reorder(_padded(outputs, N), back)  # (T, N, D*R)
    cache = LSTMCache(config, order, rows, stack_cache)
    return output, _reorder(h_n, back), _reorder(c_n, back), cache


def lstm_backward(
    doutput: Array, dh_n: Array, dc_n: Array, cache: LSTMCache
) -> tuple[Array, Array, Array, dict[str, Array]]:
    """The vector-Jacobian product (VJP) of :func:`lstm`.

    Args:
        doutput: the cotangent of output (T, N, D*R). Its elements in the padding are ignored.
        dh_n: the cotangent of h_n (L*D, N, R).
        dc_n: the cotangent of c_n (L*D, N, H).
        cache: as :func:`lstm` returned it.

    Returns:
        The gradients of x (T, N, input_size), h_0 (L*D, N, R), c_0 (L*D, N, H), and a dict of
        the gradients of the parameters by name. The gradient of the padding of x is zero.
    """
    config, order, rows, stack_cache = cache
    doutputs = _steps(doutput, order, rows)  # T arrays (n, D*R)
    dxs, dh_0, dc_0, dweights = stack_backward(
        doutputs, _reorder(dh_n, order), _reorder(dc_n, order), stack_cache
    )
    back = np.argsort(order)  # (N,)
    dx = _reorder(_padded(dxs, len(order)), back)  # (T, N, I)
    return dx, _reorder(dh_0, back), _reorder(dc_0, back), _by_name(config, dweights)


def _reorder(x: Array, order: Array) -> Array:
    """x (..., N, F) with its rows in ``order``; not a copy if they are in order."""
    return x if np.array_equal(order, np.arange(len(order))) else x[..., order, :]


def _steps(x: Array, order: Array, rows: Sequence[int]) -> list[Array]:
    """x (T, N, F) as T arrays (n, F), with the rows in ``order``."""
    x = _reorder(x, order)
    return [x[..., t, :n, :] for t, n in enumerate(rows)]


def _padded(xs: Sequence[Array], N: int) -> Array:
    """T arrays (n, F) as one array (T, N, F), with zeros of their own type in the padding."""
    zero = np.zeros_like(xs[0][..., :1, :])  # (1, F)
    return np.stack(
        [np.concatenate([x] + [zero] * (N - x.shape[-2]), axis=-2) for x in xs], axis=-3
    )


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
    for layer, layer_weights in enumerate(weights):
        for d, w in enumerate(layer_weights):
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
    states, R = config.num_layers * config.num_directions, config.output_size
    expected: dict[str, tuple[Array, tuple[int, ...]]] = {
        "input": (x, (T, N, config.input_size)),
        "h_0": (h_0, (states, N, R)),
        "c_0": (c_0, (states, N, config.hidden_size)),
    }
    shapes = config.parameter_shapes()
    if set(parameters) != set(shapes):
        raise ValueError(f"parameters must be {', '.join(shapes)}, not {', '.join(parameters)}")
    expected.update((name, (parameters[name], shape)) for name, shape in shapes.items())
    if masks is not None:
        if len(masks) != config.num_layers - 1:
            raise ValueError(f"{config.num_layers} layers take {config.num_layers - 1} masks")
        mask_shape = (T, N, config.num_directions * R)
        expected.update((f"mask {n}", (mask, mask_shape)) for n, mask in enumerate(masks))
    for name, (array, shape) in expected.items():
        if array.shape[array.ndim - len(shape) :] != shape:
            raise ValueError(f"{name} must end in shape {shape}, not {array.shape}")
    if T < 1:
        raise ValueError("the input must have at least one step")
    if lengths is not None and (
        len(lengths) != N or not all(1 <= length <= T for length in lengths)
    ):
        raise ValueError(f"lengths must be {N} numbers between 1 and {T}, not {lengths}")
