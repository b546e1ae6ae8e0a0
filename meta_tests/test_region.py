"""The words for the region that wrong elements are in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from lstm_conformance.runner.failures.region import Elements, in_words, region, united

Bools = NDArray[np.bool_]

AXES = ("step", "row", "direction", "unit")
SIZES = (6, 5, 2, 9), (8, 6, 2, 10)


def elements(
    mark: Callable[[Bools], None], sizes: Sequence[Sequence[int]] = SIZES
) -> list[Elements]:
    """Elements of cases of these sizes, of which those that ``mark`` sets are wrong."""
    views = []
    for size in sizes:
        wrong = np.zeros(size, bool)
        mark(wrong)
        views.append(Elements(AXES, wrong, np.ones(size, bool)))
    return views


def setting(*places: object) -> Callable[[Bools], None]:
    def mark(wrong: Bools) -> None:
        for place in places:
            wrong[place] = True

    return mark


ALL = slice(None)
WORDS: dict[str, tuple[Callable[[Bools], None], str]] = {
    "rows": (setting(np.s_[:, 3:]), "only in rows 3 and up"),
    "one row": (setting(np.s_[:, 2]), "only in row 2"),
    "two rows": (setting(np.s_[:, [1, 3]]), "only in rows 1 and 3"),
    "first rows": (setting(np.s_[:, :3]), "only in rows 0 to 2"),
    "middle": (setting(np.s_[..., 2:6]), "only in units 2 to 5"),
    "first": (setting(np.s_[0]), "only in the first step"),
    "last": (setting(np.s_[-1]), "only in the last step"),
    "not the last": (setting(np.s_[:-1]), "in all steps but the last"),
    "reverse": (setting(np.s_[:, :, 1]), "only in the reverse direction"),
    "units of a direction": (
        setting(np.s_[:, :, 1, 4:]), "only in units 4 and up of the reverse direction",
    ),
    "a corner": (setting(np.s_[2:, 3:]), "only in steps 2 and up of rows 3 and up"),
    "everywhere": (setting(ALL), "everywhere"),
    "spread to all units": (
        setting(np.s_[2:3, :, :, 4:], np.s_[3:]), "only in steps 2 and up",
    ),
    "one element": (
        setting((2, 1, 0, 3)), "only in unit 3 of step 2 of row 1 of the forward direction",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_words(name: str) -> None:
    mark, words = WORDS[name]
    assert in_words(region(elements(mark))) == words


def test_everywhere_but_for_one_element() -> None:
    def nearly(wrong: Bools) -> None:
        wrong[:] = True
        wrong[1, 1, 0, 0] = False

    assert in_words(region(elements(nearly))) == "everywhere"


def scattered(wrong: Bools) -> None:
    wrong.flat[:: 7 + wrong.shape[0]] = True


def diagonal(wrong: Bools) -> None:
    for k in range(min(wrong.shape[:2])):
        wrong[k, k] = True


NOWHERE: dict[str, Callable[[Bools], None]] = {
    "scattered": scattered,
    "rows that differ": setting(np.s_[0, 0], np.s_[1, 1], np.s_[2, 4], np.s_[4, 3], np.s_[5, 2]),
    "half of all": lambda wrong: wrong.__setitem__(np.s_[..., ::2], True),
}


@pytest.mark.parametrize("name", NOWHERE)
def test_no_words(name: str) -> None:
    assert in_words(region(elements(NOWHERE[name]))) == ""


def test_a_region_may_have_a_few_right_elements_and_not_one_wrong_outside() -> None:
    def nearly(wrong: Bools) -> None:
        wrong[:, 3:] = True
        wrong[1, 3, 0, 0] = False

    def outside(wrong: Bools) -> None:
        nearly(wrong)
        wrong[0, 0, 0, 0] = True

    def too_few(wrong: Bools) -> None:
        wrong[:, 3:, :, ::2] = True
        wrong[:3, 3:] = True

    assert in_words(region(elements(nearly))) == "only in rows 3 and up"
    assert in_words(region(elements(outside))) == ""
    # Not units: which of them are wrong depends on the step.
    assert in_words(region(elements(too_few))) == "only in rows 3 and up"


def test_a_pattern_of_one_case_is_no_region() -> None:
    one, _ = elements(setting(np.s_[:, 3:]))
    _, other = elements(setting(np.s_[:, 2:]))
    assert in_words(region([one, other])) == ""
    assert in_words(region([one, one])) == "only in rows 3 and up"


def test_the_last_one_is_known_from_two_sizes_only() -> None:
    views = elements(setting(np.s_[:, -1]))
    assert in_words(region(views)) == "only in the last row"
    assert in_words(region(views[:1])) == "only in row 4"


def test_padding_does_not_count() -> None:
    wrong = np.ones((4, 3, 1, 2), bool)
    wrong[2:, 1] = False
    counts = wrong.copy()
    assert in_words(region([Elements(AXES, wrong, counts)])) == "everywhere"
    assert in_words(region([Elements(AXES, wrong, np.ones_like(counts))])) == ""


def test_only_the_padding() -> None:
    padding = np.arange(5)[:, None] >= np.array((5, 3, 2))
    other = padding.copy()
    other[0, 0] = True
    axes, counts = ("step", "row"), ~padding
    assert in_words(region([Elements(axes, padding, counts, {}, padding)])) == "only in the padding"
    assert in_words(region([Elements(axes, other, counts, {}, padding)])) == ""


def test_marks_are_preferred() -> None:
    views = [
        Elements(e.axes, e.wrong, e.counts, {"step": {"the late steps": frozenset(range(2, 9))}})
        for e in elements(setting(np.s_[2:]))
    ]
    assert in_words(region(views)) == "only in the late steps"


def test_an_axis_that_says_nothing_more_is_left_out() -> None:
    lengths = (5, 4, 3, 1), (6, 5, 4, 3, 1)
    views = []
    for rows in lengths:
        counts = np.arange(rows[0])[:, None] < np.array(rows)  # (T, N)
        wrong = counts.copy()
        wrong[: rows[-1]] = False
        views.append(Elements(("step", "row"), wrong, counts))
    assert in_words(region(views)) == "only in steps 1 and up"


def test_gates() -> None:
    wrong = np.zeros((4, 5), bool)
    wrong[[0, 2]] = True
    views = [Elements(("gate", "unit"), wrong, np.ones_like(wrong))]
    assert in_words(region(views)) == "only in the gates i and g"


def test_united() -> None:
    rows, steps = {"row": "rows 3 and up"}, {"step": "the last step", "row": "rows 3 and up"}
    assert united(rows, steps) == rows
    assert united({}, {}) == {}
    assert united(rows, {}) is None
    assert united(rows, None) is None
