"""The reference's forward pass is the documented LSTM.

It is compared with a second LSTM that shares no line with it: scalars of 50 digits and plain loops,
written from the documentation of ``torch.nn.LSTM`` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lstm_conformance.reference import lstm as reference
from lstm_conformance.reference.oracle import evaluate, expect
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.combinations import Combination

from .helpers.multiprecision import MP, multiprecise, relative_error
from .helpers.selection import one_in_three
from .helpers.small_cases import COVERING, FLOAT64, case_of, masks_of

# ------------------------------------------------------- the documented equations


def scalar_step(
    given: dict[str, Any], of: str, x: list[Any], h: list[Any], c: list[Any], *, bias: bool
) -> tuple[list[Any], list[Any]]:
    """h_t before projection and c_t, with the parameters whose names end in ``of``."""
    hidden = len(c)

    def gate(block: int, unit: int) -> Any:
        # weight_ih is (W_ii|W_if|W_ig|W_io): four blocks of hidden_size rows.
        row = block * hidden + unit
        total = MP.mpf(0)
        for k, value in enumerate(x):
            total += given[f"weight_ih_{of}"][row, k] * value
        if bias:
            total += given[f"bias_ih_{of}"][row]
        for k, value in enumerate(h):
            total += given[f"weight_hh_{of}"][row, k] * value
        if bias:
            total += given[f"bias_hh_{of}"][row]
        return total

    def logistic(a: Any) -> Any:
        return MP.mpf(1) / (MP.mpf(1) + MP.exp(-a))

    h_t, c_t = [], []
    for unit in range(hidden):
        i_t = logistic(gate(0, unit))
        f_t = logistic(gate(1, unit))
        g_t = MP.tanh(gate(2, unit))
        o_t = logistic(gate(3, unit))
        c_t.append(f_t * c[unit] + i_t * g_t)
        h_t.append(o_t * MP.tanh(c_t[unit]))
    return h_t, c_t


def scalar_lstm(
    case: Case, given: dict[str, Any], masks: Sequence[Any] | None = None
) -> dict[str, Any]:
    """output, h_n and c_n of ``case``, each row of the batch by itself.

    ``masks[l][t, n]`` are the factors of dropout behind layer l, where they are not all zero.
    """
    config = case.config
    shapes = case.shapes()
    results = {name: np.full(shapes[name], MP.mpf(0), object) for name in OUTPUTS}

    def at(t: int, n: int) -> tuple[int, ...]:
        if case.layout == "unbatched":
            return (t,)
        return (n, t) if config.batch_first else (t, n)

    def state(k: int, n: int) -> tuple[int, ...]:
        return (k,) if case.layout == "unbatched" else (k, n)

    for n in range(case.batch_size):
        steps = case.lengths[n] if case.packed else case.seq_len
        xs = [list(given["input"][at(t, n)]) for t in range(steps)]
        for layer in range(config.num_layers):
            if layer > 0 and case.training and config.dropout == 1:
                xs = [[MP.mpf(0)] * len(x) for x in xs]
            elif layer > 0 and masks is not None:
                factors = [masks[layer - 1][t, n] for t in range(steps)]
                xs = [
                    [value * factor for value, factor in zip(x, of_step, strict=True)]
                    for x, of_step in zip(xs, factors, strict=True)
                ]
            per_direction = []
            for direction in range(2 if config.bidirectional else 1):
                of = f"l{layer}_reverse" if direction == 1 else f"l{layer}"
                k = layer * (2 if config.bidirectional else 1) + direction
                features = config.proj_size if config.proj_size > 0 else config.hidden_size
                h, c = [MP.mpf(0)] * features, [MP.mpf(0)] * config.hidden_size
                if case.states:
                    h, c = list(given["h_0"][state(k, n)]), list(given["c_0"][state(k, n)])
                hs: dict[int, list[Any]] = {}
                for t in range(steps) if direction == 0 else range(steps - 1, -1, -1):
                    h, c = scalar_step(given, of, xs[t], h, c, bias=config.bias)
                    if config.proj_size > 0:
                        W_hr = given[f"weight_hr_{of}"]
                        h = [
                            sum((W_hr[row, unit] * h[unit] for unit in range(len(h))), MP.mpf(0))
                            for row in range(config.proj_size)
                        ]
                    hs[t] = h
                results["h_n"][state(k, n)] = h
                results["c_n"][state(k, n)] = c
                per_direction.append(hs)
            xs = [[value for hs in per_direction for value in hs[t]] for t in range(steps)]
        for t in range(steps):
            results["output"][at(t, n)] = xs[t]
    return results


# ------------------------------------------------------------------ the comparison


def deviations(case: Case) -> list[str]:
    """The results of the reference for ``case`` that are wrong, in words; empty if none are."""
    case = replace(case, cotangents=())
    given = multiprecise(case.arguments())
    truth = scalar_lstm(case, {name: value.view(np.ndarray) for name, value in given.items()})
    expected = expect(case)
    multiprecision = evaluate(case, given, {})
    wrong = []
    for name in OUTPUTS:
        for values in (expected.values[name], multiprecision[name]):
            if values.shape != case.shapes()[name]:
                return [f"{name} has shape {values.shape}"]
        difference = np.abs(expected.values[name] - truth[name]).astype(float)
        if not (difference <= 10 * expected.noise[name]).all():
            wrong.append(f"{name} is off by more than its noise")
        # Without the noise, should that be at fault: values of the order 1, in some 100 steps.
        if not (difference <= 1e-13).all():
            wrong.append(f"{name} is off by {difference.max():.1e}")
        if not (relative_error(multiprecision[name], truth[name]) <= 1e-45).all():
            wrong.append(f"{name} is off in multiprecision")
    return wrong


@pytest.mark.parametrize("combination", one_in_three(FLOAT64), ids=str)
def test_forward_is_the_documented_lstm(combination: Combination) -> None:
    """In every combination: to the rounding of float64, and to 45 of 50 digits."""
    case = case_of(combination)
    assert not deviations(case), case


@pytest.mark.parametrize(
    "combination", [c for c in COVERING if c.num_layers > 1 and c.dropout == "none"], ids=str
)
def test_kept_elements_are_scaled(combination: Combination) -> None:
    """The documented dropout, with given masks instead of random ones."""
    case = case_of(combination, cotangents=(), training=True)
    case = replace(case, config=replace(case.config, dropout=0.75))
    masks = masks_of(case, 0.75)  # 1 / (1 - p) is 4, in float64 too
    given = multiprecise(case.arguments())
    truth = scalar_lstm(case, {k: v.view(np.ndarray) for k, v in given.items()}, masks)
    kept = [(mask != 0).astype(float) for mask in masks]
    computed = evaluate(case, given, {}, [multiprecise({"": of_layer})[""] for of_layer in kept])
    expected = expect(case, kept=kept)
    for name in OUTPUTS:
        assert (relative_error(computed[name], truth[name]) <= 1e-45).all(), case
        difference = np.abs(expected.values[name] - truth[name]).astype(float)
        assert (difference <= 10 * expected.noise[name]).all(), case


# ----------------------------------------------------------- and it can fail


def gates_in_another_order(original: Callable[..., Any]) -> Callable[..., Any]:
    """Rows of blocks i, f, g, o taken for i, f, o, g."""

    def defective(x: Any, h: Any, c: Any, w: Any) -> Any:
        def swap(rows: Any, axis: int) -> Any:
            i, f, g, o = np.split(rows, 4, axis=axis)
            return np.concatenate([i, f, o, g], axis=axis)

        w = w._replace(W_ih=swap(w.W_ih, -2), W_hh=swap(w.W_hh, -2))
        return original(x, h, c, w)

    return defective


def hidden_bias_left_out(original: Callable[..., Any]) -> Callable[..., Any]:
    """b_hh is not added."""

    def defective(x: Any, h: Any, c: Any, w: Any) -> Any:
        return original(x, h, c, w if w.b_hh is None else w._replace(b_hh=0 * w.b_hh))

    return defective


def inexact(original: Callable[..., Any]) -> Callable[..., Any]:
    """The right formula with an error of 2e-14, invisible to most tolerances."""

    def defective(x: Any, h: Any, c: Any, w: Any) -> Any:
        h_t, c_t, cache = original(x, h, c, w)
        return h_t * (1 + 2e-14), c_t, cache

    return defective


@pytest.mark.parametrize("defect", [gates_in_another_order, hidden_bias_left_out, inexact])
def test_defect_in_the_cell_is_reported(
    monkeypatch: pytest.MonkeyPatch, defect: Callable[..., Any]
) -> None:
    monkeypatch.setattr(reference, "cell", defect(reference.cell))
    case = case_of(next(c for c in COVERING if c.bias and c.num_layers == 2))
    assert deviations(case)


def test_reverse_direction_in_forward_order_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "_time_order", lambda steps, reverse: range(steps))
    combination = next(c for c in COVERING if c.bidirectional and c.layout == "packed_unsorted")
    assert deviations(case_of(combination))
