"""The sizes that cases have: ladders, pairs of classes, and what results say about them."""

from __future__ import annotations

from itertools import combinations, product
from pathlib import Path

import pytest

import lstm_conformance
from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.reference.oracle import same_stack
from lstm_conformance.runner.searching.features import outside
from lstm_conformance.runner.searching.profiles import PROFILES
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.searching.sized_cases import cases_of_sizes, ladder, sizes_together
from lstm_conformance.runner.session.suite import records_of
from lstm_conformance.spec.capabilities import ALL, needed
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.sizes import (
    AXES,
    CLASSES,
    EVERYDAY,
    IN_BULK,
    LADDERS,
    PAIRED,
    WIDE_AND_LONG,
    Sizes,
    class_of,
    of_classes,
    pairs,
    parse_sizes,
    sizes_of,
    work,
)
from lstm_conformance.spec.strategies import Domain
from lstm_conformance.tests import test_sizes

from .helpers.command_line import check
from .helpers.judgements import valid

BOTH = ("float32", "float64")
LIMIT = PROFILES["default"].work_limit


def cases(sizes: Sizes, place: int = 0, declared: frozenset[str] = ALL) -> list[list[Case]]:
    """Groups of cases of ``sizes``."""
    return cases_of_sizes(sizes, place, declared, BOTH, "cpu")[0]


# ----------------------------------------------------------------------------- which sizes


@pytest.mark.parametrize("axis", PAIRED)
def test_a_ladder_has_small_sizes_powers_of_two_and_multiples(axis: str) -> None:
    steps = LADDERS[axis]
    assert set(range(1, 10)) <= set(steps)
    assert {p + d for p in (16, 32, 64, 128, 256, 512, 1024) for d in (-1, 0, 1)} <= set(steps)
    assert {k for k in steps if k % 100 == 0} >= {100, 500, 1000}
    assert {class_of(size) for size in steps} == set(range(len(CLASSES)))
    assert [one.hidden_size > one.proj_size for one in ladder(axis, everything=True)]


def test_the_suite_judges_every_axis() -> None:
    assert sorted(test_sizes.AXES) == sorted(AXES)


@pytest.mark.parametrize("axis", AXES)
def test_smoke_visits_each_class(axis: str) -> None:
    classes = [class_of(getattr(one, axis)) for one in ladder(axis, everything=False)]
    assert classes == sorted({class_of(size) for size in LADDERS[axis]})


def cases_together(profile: str) -> list[Case]:
    """All cases of a profile in which several sizes are large, each in its place."""
    rows, _ = sizes_together(PROFILES[profile].work_limit)
    return [
        case
        for part in range(test_sizes.PARTS)
        for place, sizes in enumerate(rows[part :: test_sizes.PARTS])
        for group in cases(sizes, place)
        for case in group
    ]


@pytest.mark.parametrize(("profile", "numbers"), [("smoke", 2**20), ("default", 2**22)])
def test_arrays_of_many_numbers_have_biases_and_gradients_and_none(
    profile: str, numbers: int
) -> None:
    """Of inputs and gates, in batched cases of one direction or two."""
    found = [
        case
        for case in cases_together(profile)
        if case.config.bias and not case.packed
        if case.seq_len * case.batch_size * min(case.config.input_size, 4 * case.config.hidden_size)
        > numbers
    ]
    assert {bool(case.cotangents) for case in found} == {False, True}


def test_sizes_of_everyday_have_the_layouts_that_they_are_for() -> None:
    every = cases_together("default")
    found = [(case, sizes_of(case)) for case in every]
    batched = [(c, s) for c, s in found if c.layout == "batched"]
    with_gradients = [s for c, s in batched if c.cotangents]
    assert any(s.hidden_size * s.input_size > 2**18 for s in with_gradients)
    assert any(s.batch_size * s.hidden_size > 100_000 for s in with_gradients)
    assert any(s.num_layers >= 4 and min(s[:2]) >= 16 for s in with_gradients)
    assert any(s.num_layers >= 3 and min(s[:2]) >= 20 for s in with_gradients)
    assert any(all(20 <= size <= 30 for size in s[:4]) for s in with_gradients)
    for of_kind in (with_gradients, [s for c, s in found if c.packed and c.cotangents]):
        assert any(s[0] >= 100 and s[1] >= 32 and s.hidden_size >= 100 for s in of_kind)
    without = [s for c, s in batched if not c.cotangents]
    assert any(min(s.seq_len, s.batch_size, s.hidden_size) >= 64 for s in without)
    one_row = [s for c, s in found if c.layout == "unbatched"]
    assert any(min(s.seq_len, s.hidden_size) >= 64 for s in one_row)


@pytest.mark.parametrize("limit", [LIMIT, PROFILES["thorough"].work_limit])
def test_every_pair_of_classes_is_visited_or_left_out_with_a_reason(limit: float) -> None:
    rows, left_out = sizes_together(limit)
    visited = {
        f"{one} {CLASSES[of_classes(row)[one]]} and {other} {CLASSES[of_classes(row)[other]]}"
        for row in rows
        for one, other in pairs()
        if one in of_classes(row) and other in of_classes(row)
    }
    every = {
        f"{one} {CLASSES[k]} and {other} {CLASSES[m]}"
        for one, other in pairs()
        for k, m in product(range(len(CLASSES)), repeat=2)
    }
    assert visited | set(left_out) == every
    assert max(work(row) for row in rows if row not in (*IN_BULK, *EVERYDAY)) <= limit
    impossible = {name for name, reason in left_out.items() if "smaller" in reason}
    assert len(impossible) == len(CLASSES) * (len(CLASSES) - 1) / 2
    assert not impossible & visited
    assert all(f"{limit:g} s" in left_out[name] for name in set(left_out) - impossible)
    assert all(row.proj_size < row.hidden_size for row in rows)


def test_pairs_of_multiples_are_visited() -> None:
    """A kernel may be wrong only where two sizes are multiples of its tiles, or both are not."""
    rows, _ = sizes_together(LIMIT)
    tiles = {"seq_len": 8, "batch_size": 8, "input_size": 16, "hidden_size": 64, "proj_size": 16}
    for one, other in pairs():
        found = {
            (getattr(row, one) % tiles[one] == 0, getattr(row, other) % tiles[other] == 0)
            for row in rows
            if getattr(row, one) > tiles[one] and getattr(row, other) > tiles[other]
        }
        assert len(found) == 4, (one, other)
    assert any(row.seq_len * row.batch_size > 65_536 for row in rows)


# ----------------------------------------------------------------------------- which cases


@pytest.mark.parametrize("axis", AXES)
def test_each_size_has_gradients_or_none_in_both_dtypes_and_layouts(axis: str) -> None:
    """And both values of every other parameter, among neighbouring sizes."""
    every = [
        case
        for place, one in enumerate(ladder(axis, everything=True))
        for group in cases(one, place)
        for case in group
    ]
    small = [case for case in every if work(sizes_of(case)) < 0.1]
    seen = {
        (case.dtype, case.packed, bool(case.cotangents)) for case in small
    }  # fmt: skip
    assert len(seen) == 8
    for field in ("bias", "batch_first", "bidirectional"):
        assert {getattr(case.config, field) for case in small} == {False, True}
    assert {case.states for case in small} == {False, True}
    if axis != "proj_size":
        assert {case.config.proj_size > 0 for case in small} == {False, True}
    assert {getattr(sizes_of(case), axis) for case in every} >= set(LADDERS[axis])


def properties(case: Case) -> dict[str, bool]:
    """What kernels may be written for."""
    config = case.config
    return {
        "several layers": config.num_layers > 1,
        "two directions": config.bidirectional,
        "projection": config.proj_size > 0,
        "bias": config.bias,
        "batch_first": config.batch_first,
        "packed": case.packed,
        "states": case.states,
        "float32": case.dtype == "float32",
        "gradients": bool(case.cotangents),
        "training": case.training,
    }


def large_cases(axis: str, profile_name: str) -> list[dict[str, bool]]:
    """Properties of the cases of a profile in which ``axis`` is large."""
    profile = PROFILES[profile_name]
    of_ladders = [
        case
        for name in AXES
        for place, sizes in enumerate(ladder(name, profile.every_size))
        for group in cases(sizes, place)
        for case in group
    ]
    every = of_ladders + cases_together(profile_name)
    return [properties(case) for case in every if getattr(sizes_of(case), axis) > 128]


def never_together(large: list[dict[str, bool]], number: int) -> list[dict[str, bool]]:
    """Values of so many properties that no case has together."""
    missing = []
    for names in combinations(large[0], number):
        seen = {tuple(case[name] for name in names) for case in large}
        every = product((False, True), repeat=number)
        missing += [dict(zip(names, values, strict=True)) for values in every if values not in seen]
    return missing


@pytest.mark.parametrize("axis", ["seq_len", "batch_size", "input_size", "hidden_size"])
def test_any_three_properties_meet_large_sizes(axis: str) -> None:
    """In profile default: a mistake often needs a large size and some of these properties."""
    assert never_together(large_cases(axis, "default"), 3) == []


@pytest.mark.parametrize("axis", ["seq_len", "batch_size", "input_size", "hidden_size"])
def test_most_pairs_of_properties_meet_large_sizes_in_a_quick_look(axis: str) -> None:
    large = large_cases(axis, "smoke")
    assert len(never_together(large, 2)) <= 12  # of 180
    assert len(never_together(large, 1)) == 0


@pytest.mark.parametrize("profile", ["smoke", "default"])
@pytest.mark.parametrize("axis", ["input_size", "hidden_size", "proj_size", "seq_len"])
def test_large_sizes_meet_one_row(axis: str, profile: str) -> None:
    """As in a program that predicts step by step; with a batch axis and without."""
    every = ladder(axis, PROFILES[profile].every_size)
    large = [
        case
        for place, sizes in enumerate(every)
        for group in cases(sizes, place)
        for case in group
        if getattr(sizes, axis) > 32
    ]
    rows_of_one = {(c.layout, bool(c.cotangents)) for c in large if c.batch_size == 1}
    assert {("batched", False), ("unbatched", False)} <= rows_of_one
    assert {layout for layout, gradients in rows_of_one if gradients} >= {"unbatched"}
    if axis != "seq_len":
        assert any(case.seq_len == case.batch_size == 1 for case in large)
    assert any(case.batch_size > 1 and not case.packed for case in large)


def test_cases_of_a_group_have_the_same_stack() -> None:
    for place, axis in enumerate(AXES):
        for one in ladder(axis, everything=False):
            for group in cases(one, place):
                assert len({same_stack(case) for case in group}) == 1
                gradients = [bool(case.cotangents) for case in group]
                assert gradients in ([True, False], [True], [False])
                assert len(gradients) == 2 or work(one) > 0.2


@pytest.mark.parametrize("everything", [False, True])
def test_long_sequences_have_both_directions(everything: bool) -> None:
    """Batched and packed, without gradients at each size, and with gradients somewhere."""
    seen: set[tuple[bool, bool]] = set()
    for place, one in enumerate(ladder("seq_len", everything)):
        if one.seq_len > 512:
            found = [case for group in cases(one, place) for case in group]
            two = {(c.packed, bool(c.cotangents)) for c in found if c.config.bidirectional}
            assert {(False, False), (True, False)} <= two, one
            seen |= two
    assert any(gradients for _, gradients in seen)
    assert not everything or {(False, True), (True, True)} <= seen


@pytest.mark.parametrize(
    "domain",
    [
        Domain(dropout=("none",)),
        Domain(dropout=("none",), cotangents=((),), states=(True,)),
        Domain(dropout=("none",), bidirectional=(False,), layout=("batched", "unbatched")),
        Domain(dropout=("none",), layout=("packed_sorted", "packed_unsorted"), projection=(False,)),
        Domain(dropout=("none",), batch_first=(True,), bias=(True,), cotangents=(("h_n", "c_n"),)),
    ],
    ids=["any", "inference", "one direction", "packed", "biases"],
)
def test_large_cases_are_in_the_domain(domain: Domain) -> None:
    packed = {layout.startswith("packed") for layout in domain.layout}
    for sizes, place in product(WIDE_AND_LONG, range(30)):
        groups, _ = cases_of_sizes(sizes, place, ALL, BOTH, "cpu", domain=domain)
        found = [case for group in groups for case in group]
        assert sorted(case.packed for case in found) == sorted(packed), "one of each kind"
        for case in found:
            assert outside(domain, case) is None, case
            assert case.cotangents in domain.cotangents


def test_sizes_that_were_asked_for_have_all_cases() -> None:
    groups, _ = cases_of_sizes(
        Sizes(hidden_size=1024, batch_size=64, seq_len=128), 0, ALL, BOTH, "cpu", in_full=True
    )
    found = [case for group in groups for case in group]
    assert {(case.packed, bool(case.cotangents)) for case in found} == {
        (packed, gradients) for packed in (False, True) for gradients in (False, True)
    }


class RefusesWide(ReferenceLSTM):
    """Refuses more than 16 units."""

    def unsupported(self, case: Case) -> str | None:
        return "more than 16 units" if case.config.hidden_size > 16 else None


@pytest.mark.whole
def test_a_size_that_was_refused_is_not_visited() -> None:
    records = records_of(RefusesWide(), "SIZE-1")
    found = {sizes: reason for record in records for sizes, reason in record.sizes.items()}
    wide = {sizes for sizes in found if parse_sizes(sizes).hidden_size > 16}
    assert wide
    assert {found[sizes] for sizes in wide} == {"refused: more than 16 units"}
    assert "" in found.values()


def test_a_size_that_was_visited_once_is_visited() -> None:
    record = Record("SIZE-1")
    for reason in ("no packed", "", "no packed"):
        record.note_sizes("hidden_size=3", reason)
    assert record.sizes == {"hidden_size=3": ""}


@pytest.mark.parametrize("missing", sorted(ALL - {"float32", "float64", "module"}))
def test_a_missing_capability_leaves_no_size_out(missing: str) -> None:
    """But for those that cannot be without it."""
    declared = ALL - {missing}
    axes = {"projection": {"proj_size"}, "layers": {"num_layers"}}.get(missing, set())
    for axis in set(AXES) - axes:
        for place, one in enumerate(ladder(axis, everything=True)):
            groups = cases(one, place, declared)
            assert groups, (missing, one)
            assert all(needed(case) <= declared for group in groups for case in group)


def test_the_reason_why_a_size_has_no_case() -> None:
    sizes = Sizes(hidden_size=9, proj_size=8)
    groups, reason = cases_of_sizes(sizes, 0, ALL - {"projection"}, BOTH, "cpu")
    assert not groups
    assert "projection" in reason


# ----------------------------------------------------------------------- --sizes and results


def test_text_of_sizes() -> None:
    assert parse_sizes("hidden_size=7 seq_len=9") == Sizes(seq_len=9, hidden_size=7)
    for sizes in (Sizes(), Sizes(hidden_size=9, proj_size=8)):
        assert parse_sizes(str(sizes)) == sizes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no sizes"),
        ("width=3", "there is no size 'width': choose from seq_len, batch_size"),
        ("hiden_size=3", "no size 'hiden_size', did you mean hidden_size: choose"),
        ("hidden_size=3 hidden_size=4", "hidden_size is given twice"),
        ("hidden_size=-3", "no whole number"),
        ("hidden_size=12345678", "no whole number"),
        ("hidden_size=0", "there is no LSTM"),
        ("hidden_size=4 proj_size=4", "there is no LSTM"),
    ],
)
def test_bad_sizes(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_sizes(text)


@pytest.mark.whole
def test_results_say_which_sizes_were_visited(tmp_path: Path) -> None:
    own = "hidden_size=21 batch_size=11 seq_len=13"
    options = ("--clause", "SIZE-1,SIZE-3", "--dtype", "float32", "--profile", "smoke")
    options += ("--sizes", own)
    ended, results = check("reference", *options, cwd=tmp_path)
    assert ended.status == 0, ended.out + ended.err
    valid(results)
    assert results["sizes"] == [str(parse_sizes(own))]
    found = results["coverage"]["sizes"]
    for axis, sizes in found["visited"].items():
        assert {class_of(size) for size in sizes} == {class_of(size) for size in LADDERS[axis]}
    tables = {tuple(pair["axes"]): pair["cases"] for pair in found["pairs"]}
    assert tables["seq_len", "batch_size"][1][1] >= 1, "13 steps, 11 rows"
    assert tables["seq_len", "batch_size"][7][7] == 0
    assert tables["batch_size", "hidden_size"][1][3] >= 1, "16 rows, 64 units"
    left_out = {text: group["reason"] for group in found["left_out"] for text in group["sizes"]}
    assert left_out["hidden_size=31"] == "profile smoke visits fewer sizes"
    assert "hidden_size=21" not in left_out
    assert left_out["seq_len over 512 and batch_size over 512"].startswith("profile smoke")
    assert "Sizes: seq_len to " in ended.out


@pytest.mark.whole
def test_a_wrong_size_is_named(tmp_path: Path) -> None:
    """The failure has the smallest case of those that fail, with its size."""
    (tmp_path / "wrong.py").write_text(
        "from lstm_conformance.adapters.reference import ReferenceLSTM\n"
        "class Wrong(ReferenceLSTM):\n"
        "    def run(self, case):\n"
        "        observation = super().run(case)\n"
        "        if 17 <= case.config.hidden_size <= 139:\n"
        "            observation.tensors['output'].values[..., -1] = 0.5\n"
        "        return observation\n"
    )
    ended, results = check(
        "wrong.py:Wrong",
        *("--clause", "SIZE-1", "--profile", "smoke", "--no-diagnosis"),
        cwd=tmp_path,
    )
    assert ended.status == 1
    (clause,) = results["clauses"]
    assert "hidden_size=17" in clause["failure"]["case"]


@pytest.mark.whole
def test_own_sizes_are_judged_in_half_formats() -> None:
    torch = pytest.importorskip("torch")
    from lstm_conformance.defects.sizes import lost_unit

    wrong = lost_unit(lambda call: call.hidden == 21 and call.dtype == torch.bfloat16)
    sizes = "hidden_size=21 batch_size=11"
    given, without = (
        lstm_conformance.check(
            wrong, clauses="DTYPE-4", profile="smoke", sizes=own, diagnosis=False
        )
        for own in (sizes, ())
    )
    assert given.clause("DTYPE-4").verdict == "fail"
    assert without.clause("DTYPE-4").verdict == "pass"
