"""Finds out from results which elements dropout has dropped.

Nobody can predict which elements a random generator will drop, so nobody can predict the results
either. But there are finitely many dropout masks, and the results have to follow from the
equations with one of them. In small cases all masks can be tried. The mask that explains the
output determines every other result and every gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ...reference.oracle import Expectation, evaluate, expect
from ...spec.case import OUTPUTS, Case
from ...spec.contract import Unsupported
from ...spec.precision import PRECISIONS, Precision
from ...spec.verdicts import FAIL, INCONCLUSIVE, PASS
from .comparison import THRESHOLD, Finding, allowed_error, error_ratios
from .rules import Rule, shape_documented
from .trial import Trial

__all__ = ["best_masks", "close_for_some_mask"]

Array = NDArray[np.float64]

# Largest number of elements that a step can drop. All masks of a step are tried at once.
_MOST_ELEMENTS = 8


def best_masks(
    case: Case, outputs: Mapping[str, Array], kept: float = 1.0
) -> tuple[list[Array], list[Array]]:
    """The dropout masks that explain ``outputs`` best.

    They are found step by step. In the forward direction of the last layer, the output of a step
    depends only on what was dropped at this step and at earlier ones. After the last step, the
    final states of all layers show more.

    Args:
        case: a case in training with dropout, not packed. At most 8 elements of a step can be
            dropped, and each must have an effect: two layers, or one step.
        outputs: ``output``, ``h_n`` and ``c_n`` as observed.
        kept: the mask of an element that is kept, before it is divided by 1 - p.

    Returns:
        ``kept`` as :func:`~lstm_conformance.reference.oracle.evaluate` takes it, a (T, N, D*R)
        for each layer but the last; and for each step the values (N, F) that the second best
        mask would give.

    Raises:
        ValueError: the case is not of this kind.
    """
    config = case.config
    gaps, width = config.num_layers - 1, config.num_directions * config.output_size
    all_show = gaps == 1 or case.seq_len == 1
    if not all_show or gaps * width > _MOST_ELEMENTS or case.packed:
        raise ValueError(f"the results do not show the dropout mask of the case {case}")
    choices = kept * np.array(list(product((1, 0), repeat=gaps * width)), float)  # (C, G*W)
    of_layer = choices.reshape(-1, gaps, 1, width).swapaxes(0, 1)  # (G, C, 1, W)
    arguments = {
        name: np.broadcast_to(value, (len(choices), *value.shape))
        for name, value in case.arguments().items()
    }
    rows = np.arange(case.batch_size)
    best = np.ones((gaps, case.seq_len, case.batch_size, width))  # (G, T, N, W)
    second = []
    for t in range(case.seq_len):
        tried = np.repeat(best[:, None], len(choices), axis=1)  # (G, C, T, N, W)
        tried[:, :, t] = of_layer
        results = evaluate(replace(case, cotangents=()), arguments, {}, list(tried))
        computed = _seen(case, results, t)  # (C, N, F)
        distance = np.abs(computed - _seen(case, outputs, t)).max(axis=-1)  # (C, N)
        order = np.argsort(np.where(np.isnan(distance), np.inf, distance), axis=0, kind="stable")
        best[:, t] = tried[:, order[0], t, rows]
        second.append(computed[order[1], rows])
    return list(best), second


def _seen(case: Case, outputs: Mapping[str, Array], t: int) -> Array:
    """All values of step t that do not depend on later steps (..., N, F)."""
    output = outputs["output"][..., : case.config.output_size]
    if case.layout == "unbatched":
        output = output[..., None, :]
    elif case.config.batch_first:
        output = np.swapaxes(output, -2, -3)
    seen = [output[..., t, :, :]]
    if t == case.seq_len - 1:
        for name in ("h_n", "c_n"):
            states = outputs[name][..., None, :] if case.layout == "unbatched" else outputs[name]
            seen += [states[..., k, :, :] for k in range(states.shape[-3])]
    return np.concatenate(seen, axis=-1)


def close_for_some_mask(select: Callable[[str], bool]) -> Rule:
    """Results are those of the oracle for one dropout mask, the same for all results.

    Args:
        select: whether a result is judged, by its name.
    """

    def rule(trial: Trial) -> list[Finding]:
        case, tensors = trial.case, trial.observation.tensors
        wrong = [f for f in shape_documented(*OUTPUTS)(trial) if f.verdict == FAIL]
        if wrong:
            return wrong
        outputs = {name: tensors[name].values for name in OUTPUTS}
        try:
            kept, second = best_masks(case, outputs)
        except ValueError as error:
            raise Unsupported(str(error)) from error
        expectation = expect(case, kept=kept)
        findings = [
            trial.close(name, tensors[name], expectation)
            for name in case.result_names()
            if select(name)
        ]
        if all(finding.verdict == PASS for finding in findings):
            return findings
        if _ambiguous(case, outputs, second, expectation):
            return [replace(finding, verdict=INCONCLUSIVE) for finding in findings]
        note = _note(trial, outputs, kept, expectation)
        return [f.noted(note) if f.verdict == FAIL else f for f in findings]

    return rule


def _ambiguous(
    case: Case, outputs: Mapping[str, Array], second: list[Array], expectation: Expectation
) -> bool:
    """Whether another mask explains the values of some step, too."""
    for t, other in enumerate(second):
        allowed = allowed_error(other, _seen(case, expectation.noise, t), case.precision)
        ratios = error_ratios(_seen(case, outputs, t), other, allowed)  # (N, F)
        if (ratios.max(axis=-1) <= THRESHOLD).any():
            return True
    return False


def _note(
    trial: Trial, outputs: Mapping[str, Array], kept: list[Array], expectation: Expectation
) -> str:
    if _explains(trial, outputs, expectation):
        return "output, h_n and c_n are right for some choice of what was dropped"
    p = trial.case.active_dropout
    unscaled, _ = best_masks(trial.case, outputs, kept=1 - p)
    if _explains(trial, outputs, expect(trial.case, kept=unscaled)):
        return f"right if what is kept were not divided by 1 - {p}"
    for dtype, scale in _rounded_scales(p, trial.case.precision):
        if _explains(trial, outputs, expect(trial.case, kept=[scale * mask for mask in kept])):
            return f"right if 1 - {p}, by which what is kept is divided, were rounded to {dtype}"
    return "right for no choice of what was dropped"


def _rounded_scales(p: float, precision: Precision) -> Iterator[tuple[str, float]]:
    """The ways to compute 1 / (1 - p) in other formats, with how much too large the result is."""
    for dtype, lower in PRECISIONS.items():
        if lower.unit_roundoff > precision.unit_roundoff:
            of_p, rest, scale = lower.round(np.array([p, 1 - p, 1 / (1 - p)]))
            yield dtype, scale * (1 - p)
            for divisor in (rest, 1 - of_p):
                if divisor:  # a probability near 1 may be rounded to 1
                    yield dtype, (1 - p) / divisor


def _explains(trial: Trial, outputs: Mapping[str, Array], expectation: Expectation) -> bool:
    return all(trial.close(name, outputs[name], expectation).verdict == PASS for name in OUTPUTS)
