"""Where a result is wrong is drawn: in the cells that are wrong, in words, and in few bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.reports.ratio_picture import RatioPicture, ratio_picture
from lstm_conformance.runner.failures.diagnosis import Diagnostician
from lstm_conformance.runner.failures.failure import Diagnosis, Failure
from lstm_conformance.runner.failures.ratio_map import LARGEST, RatioMap, ratio_map
from lstm_conformance.runner.judging.comparison import THRESHOLD
from lstm_conformance.runner.judging.rules import close
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Observation

from .helpers.made_up_results import HOSTILE
from .helpers.modified_reference import WIDE, Modified, settings

Array = NDArray[np.float64]

CASE = Case(LSTMConfig(2, 5), 5, 2, states=True, cotangents=OUTPUTS)


def wrong(tensor: str, *place: Any, by: float = 1e-3) -> Modified:
    """The reference, where a part of a result is wrong."""

    def change(case: Case, observation: Observation) -> Observation:
        if tensor not in observation.tensors:
            return observation
        values = observation.tensors[tensor].values.copy()
        values[place] += by
        changed = replace(observation.tensors[tensor], values=values)
        return replace(observation, tensors={**observation.tensors, tensor: changed})

    return Modified(change)


def mapped(implementation: ReferenceLSTM, tensor: str, case: Case = CASE) -> RatioMap:
    found = ratio_map(implementation, case, tensor)
    assert found is not None
    assert RatioMap.from_json(found.to_json()).to_json() == found.to_json()
    return found


def is_wrong(found: RatioMap) -> Any:
    return ~(np.array(found.values) <= THRESHOLD)


ALL = slice(None)


def test_only_late_units() -> None:
    found = mapped(wrong("output", ALL, ALL, slice(4, None)), "output")
    assert (found.axes, found.shape, found.block) == (("step", "unit"), (8, 9), (1, 1))
    assert found.place.startswith("row ")
    assert Case.parse(found.case).config.hidden_size == 9, "larger than the failing case"
    expected = np.zeros((8, 9), bool)
    expected[:, 4:] = True
    assert (is_wrong(found) == expected).all()
    assert "40 of 72 elements are wrong, all in steps 0 to 7 and units 4 to 8." in words(found)


def test_only_late_steps_of_a_state_that_fails() -> None:
    """If a state fails too, the output shows in which steps."""

    def late(case: Case, observation: Observation) -> Observation:
        tensors = dict(observation.tensors)
        for name, place in (("output", np.s_[4:, 1]), ("c_n", np.s_[:, 1])):
            values = tensors[name].values.copy()
            values[place] += 1e-3
            tensors[name] = replace(tensors[name], values=values)
        return replace(observation, tensors=tensors)

    found = mapped(Modified(late), "c_n")
    assert (found.tensor, found.place, found.axes) == ("output", "row 1", ("step", "unit"))
    expected = np.zeros((8, 9), bool)
    expected[4:] = True
    assert (is_wrong(found) == expected).all()
    assert "steps 4 to 7 and units 0 to 8" in words(found)


def test_a_state_alone() -> None:
    found = mapped(wrong("h_n", 0, 2, 3), "h_n")
    assert (found.tensor, found.axes, found.shape) == ("h_n", ("row", "unit"), (5, 9))
    assert np.argwhere(is_wrong(found)).tolist() == [[2, 3]]


def test_the_worst_direction() -> None:
    both = replace(CASE, config=replace(CASE.config, bidirectional=True))
    found = mapped(wrong("output", ALL, 3, slice(-2, None)), "output", both)
    assert found.place == "row 3, the reverse direction"
    assert set(np.argwhere(is_wrong(found))[:, 1]) == {7, 8}


def test_the_gradient_of_a_weight() -> None:
    found = mapped(wrong("weight_hh_l0.grad", slice(9, 18)), "weight_hh_l0.grad")
    assert (found.axes, found.shape) == (("row", "column"), (36, 9))
    assert found.place == "9 rows for each of the gates i, f, g, o"
    assert set(np.argwhere(is_wrong(found))[:, 0]) == {*range(9, 18)}


def test_the_gradient_of_a_bias_has_a_row_for_each_gate() -> None:
    found = mapped(wrong("bias_ih_l0.grad", slice(18, 27)), "bias_ih_l0.grad")
    assert (found.axes, found.shape) == (("gate", "unit"), (4, 9))
    assert found.place == "the gates i, f, g, o"
    assert set(np.argwhere(is_wrong(found))[:, 0]) == {2}


def test_a_large_tensor_is_drawn_in_blocks() -> None:
    case = Case(LSTMConfig(3, 130), 200, 1)
    found = mapped(wrong("output", 150, 0, 129), "output", case)
    assert (found.shape, found.block) == ((200, 130), (4, 3))
    assert np.shape(found.values) == (50, 44)
    assert np.argwhere(is_wrong(found)).tolist() == [[37, 43]]
    assert max(np.shape(found.values)) <= LARGEST
    assert "1 of 2200 blocks is wrong, all in steps 148 to 151 and unit 129." in words(found)


def test_nan_and_infinity_have_their_own_colours_and_words() -> None:
    def change(case: Case, observation: Observation) -> Observation:
        values = observation.tensors["output"].values.copy()
        values[0, 0, 0], values[0, 0, 1], values[0, 0, 2] = np.nan, np.inf, -np.inf
        tensor = replace(observation.tensors["output"], values=values)
        return replace(observation, tensors={**observation.tensors, "output": tensor})

    found = mapped(Modified(change), "output")
    assert found.to_json()["values"][0][:3] == ["nan", "inf", "inf"]
    picture = drawn(found)
    cells = {key.name: key.cells for key in picture.keys}
    assert cells == {"right": 69, "infinite": 2, "nan": 1}
    assert 'class="nan"' in picture.svg
    assert "1 element has NaN. 2 elements have an infinity." in picture.words


@pytest.mark.parametrize(
    ("implementation", "tensor", "case"),
    [
        (ReferenceLSTM(), "output", CASE),
        (wrong("output", 0), "an argument", CASE),
        (wrong("output", 0), "input.grad", CASE),
        (wrong("c_n", 0), "output", CASE),
    ],
)
def test_there_is_no_map_of_what_is_right(
    implementation: ReferenceLSTM, tensor: str, case: Case
) -> None:
    assert ratio_map(implementation, case, tensor) is None


def test_an_exception_has_no_map() -> None:
    def raising(case: Case, observation: Observation) -> Observation:
        raise SystemExit

    assert ratio_map(Modified(raising), CASE, "output") is None


def test_random_dropout_has_no_map() -> None:
    case = replace(CASE, config=replace(CASE.config, num_layers=2, dropout=0.5), training=True)
    assert ratio_map(wrong("output", 0), case, "output") is None


def test_what_is_wrong_in_the_small_case_only() -> None:
    def small(case: Case, observation: Observation) -> Observation:
        wrong_here = case.seq_len == CASE.seq_len
        return wrong("output", 0, by=1e-3 * wrong_here)._change(case, observation)

    assert mapped(Modified(small), "output").case == str(CASE)


class Guessing(Diagnostician):
    """Says the same of every failure."""

    def diagnose(self, clause: str, evidence: object) -> Diagnosis:
        return Diagnosis("a guess")


def failure_of(implementation: ReferenceLSTM, diagnostician: Diagnostician | None) -> Failure:
    checker = Checker(implementation, settings(), "test", ["EQ-4"])
    checker.forall(WIDE, close("output"))
    if diagnostician is not None:
        checker.diagnose(diagnostician)
    (failure,) = checker.records["EQ-4"].failures
    return Failure.from_json(failure.to_json())


def test_a_failure_with_a_diagnosis_has_a_map() -> None:
    def late_units(case: Case, observation: Observation) -> Observation:
        return wrong("output", ..., slice(4, None))._change(case, observation)

    implementation = Modified(late_units)
    assert failure_of(implementation, None).ratio_map is None
    found = failure_of(implementation, Guessing(implementation)).ratio_map
    assert found is not None
    assert set(np.argwhere(is_wrong(found))[:, 1]) == {*range(4, found.shape[1])}


# ------------------------------------------------------------------------------------ drawings


def drawn(found: RatioMap) -> RatioPicture:
    return ratio_picture(found.to_json(), THRESHOLD, "it")


def words(found: RatioMap) -> str:
    return drawn(found).words


def cells_of(picture: RatioPicture, kind: str) -> set[tuple[int, int]]:
    """Rows and columns of the cells in one colour, as the paths draw them."""
    (path,) = re.findall(f'<path class="{kind}" d="(.*?)"/>', picture.svg) or [""]
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path)
    assert "".join(f"M{x} {y}h{n}v1h-{n}z" for x, y, n in runs) == path
    return {(int(y), int(x) + k) for x, y, n in runs for k in range(int(n))}


def test_the_drawn_cells_are_the_wrong_ones() -> None:
    found = mapped(wrong("output", slice(3, 5), 0, slice(4, None)), "output")
    assert found.place == "row 0"
    picture = drawn(found)
    right = cells_of(picture, "right")
    drawn_wrong = set.union(*(cells_of(picture, f"shade{k}") for k in (1, 2, 3, 4)))
    assert drawn_wrong == {(y, x) for y in (3, 4) for x in range(4, 9)}
    assert right | drawn_wrong == {(y, x) for y in range(8) for x in range(9)}
    assert not right & drawn_wrong


def made_up(value: Callable[[int, int], Any], size: int) -> Any:
    values = [[value(y, x) for x in range(size)] for y in range(size)]
    return {
        "case": "v1", "tensor": "output", "place": "", "axes": ["step", "unit"],
        "shape": [size, size], "block": [1, 1], "values": values,
    }  # fmt: skip


def test_ratios_are_shaded_from_the_threshold_on() -> None:
    ratios = (0.0, 30.0, 30.1, 1e3, 1.1e3, 2e6, 2e9, 1e99)
    picture = ratio_picture(made_up(lambda y, x: ratios[y], 8), 30.0, "it")
    names = ("right", "right", "shade1", "shade1", "shade2", "shade3", "shade4", "shade4")
    for y, name in enumerate(names):
        assert (y, 3) in cells_of(picture, name)
    assert [key.words for key in picture.keys] == [
        "right: up to 30", "over 30", "over 1,000", "over 1e+06", "over 1e+09",
    ]  # fmt: skip


def test_the_largest_drawing_is_small() -> None:
    """Also one in which no two neighbours have the same colour."""
    worst = made_up(lambda y, x: (1.0, 40.0, 1e4, "nan", "inf", None)[(y + x) % 6], LARGEST)
    assert len(ratio_picture(worst, THRESHOLD, "it").svg) < 100_000


def test_hostile_names_are_text() -> None:
    found = {**made_up(lambda y, x: 40.0, 3), "tensor": HOSTILE, "axes": [HOSTILE, HOSTILE]}
    picture = ratio_picture(cast(Any, found), THRESHOLD, "it")
    assert "<script" not in picture.svg
    assert "&lt;" in picture.svg
    assert "\x1b" not in picture.svg + picture.words + picture.title


@pytest.mark.parametrize(
    "change", [{"values": [[1.0] * 65]}, {"values": [["x"]]}, {"axes": ["a"]}, {"shape": [1]}]
)
def test_nonsense_of_another_process_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        RatioMap.from_json(cast(Any, {**made_up(lambda y, x: 1.0, 2), **change}))
