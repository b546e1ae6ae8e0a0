"""The rule that decides the verdict on a clause, and which verdicts permit conformance."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from lstm_conformance.runner.session.clause_verdict import clause_verdict, lets_pass
from lstm_conformance.spec.verdicts import (
    ERROR,
    FAIL,
    INCONCLUSIVE,
    NOT_TESTED,
    PASS,
    UNSUPPORTED,
    WAIVED,
    Verdict,
)

CRASHED = {"broken_off": True}
KNOWN_CRASH = {"broken_off": True, "known_to_fail": True}


@pytest.mark.parametrize(
    ("counts", "failures", "circumstances", "verdict"),
    [
        # No case.
        ({}, (), {}, NOT_TESTED),
        ({}, (), {"unseen": True}, NOT_TESTED),
        ({}, (), {"gone": True}, NOT_TESTED),
        ({}, (), CRASHED, ERROR),
        ({}, (), KNOWN_CRASH, WAIVED),
        ({NOT_TESTED: 3}, (), {}, NOT_TESTED),
        # One kind of case.
        ({PASS: 3}, (), {}, PASS),
        ({PASS: 3}, (), {"unseen": True}, PASS),
        ({PASS: 3}, (), {"known_to_fail": True}, PASS),
        ({INCONCLUSIVE: 3}, (), {}, INCONCLUSIVE),
        ({UNSUPPORTED: 3}, (), {}, UNSUPPORTED),
        ({WAIVED: 3}, (), {}, WAIVED),
        # A known deviation that no case shows has to be removed.
        ({PASS: 3}, (), {"gone": True}, ERROR),
        ({INCONCLUSIVE: 3}, (), {"gone": True}, INCONCLUSIVE),
        ({UNSUPPORTED: 3}, (), {"gone": True}, UNSUPPORTED),
        # A test that was not finished may have had a supported case.
        ({UNSUPPORTED: 3}, (), {"unseen": True}, NOT_TESTED),
        # Several kinds of case.
        ({PASS: 1, INCONCLUSIVE: 99, UNSUPPORTED: 99, NOT_TESTED: 99}, (), {}, PASS),
        ({PASS: 99, WAIVED: 1}, (), {}, WAIVED),
        ({INCONCLUSIVE: 1, UNSUPPORTED: 99}, (), {}, INCONCLUSIVE),
        ({UNSUPPORTED: 1, NOT_TESTED: 99}, (), {}, UNSUPPORTED),
        # Memory was not enough for a case: nobody knows whether it would have passed.
        ({PASS: 9, NOT_TESTED: 1}, (), {"out_of_memory": True}, NOT_TESTED),
        ({UNSUPPORTED: 9, NOT_TESTED: 1}, (), {"out_of_memory": True}, NOT_TESTED),
        ({FAIL: 1, NOT_TESTED: 1}, (FAIL,), {"out_of_memory": True}, FAIL),
        # A crash, which no case shows.
        ({PASS: 99}, (), CRASHED, ERROR),
        ({WAIVED: 99}, (), CRASHED, ERROR),
        ({PASS: 99}, (), KNOWN_CRASH, WAIVED),
        # A failure decides, whatever else there is.
        ({PASS: 999, FAIL: 1}, (FAIL,), {}, FAIL),
        ({PASS: 999, ERROR: 1}, (ERROR,), {}, ERROR),
        ({ERROR: 1, FAIL: 1}, (ERROR, FAIL), {}, FAIL),
        ({WAIVED: 9, FAIL: 1}, (FAIL,), {"gone": True, "unseen": True}, FAIL),
        ({FAIL: 1}, (FAIL,), KNOWN_CRASH, FAIL),
    ],
)
def test_verdict_of_a_clause(
    counts: dict[Verdict, int],
    failures: tuple[Verdict, ...],
    circumstances: dict[str, Any],
    verdict: Verdict,
) -> None:
    assert clause_verdict(counts, failures, **circumstances) == verdict


def test_a_pass_needs_a_case_that_passed_and_nothing_against_it() -> None:
    kinds: tuple[Verdict, ...] = (PASS, INCONCLUSIVE, UNSUPPORTED, WAIVED, NOT_TESTED)
    for present in product((0, 1), repeat=len(kinds)):
        counts = {kind: number for kind, number in zip(kinds, present, strict=True) if number}
        for failures, off, known, unseen, gone in product(
            ((), (FAIL,), (ERROR,)), *((False, True),) * 4
        ):
            verdict = clause_verdict(
                counts, failures, broken_off=off, known_to_fail=known, unseen=unseen, gone=gone
            )
            clean = PASS in counts and WAIVED not in counts and not (failures or off or gone)
            assert (verdict == PASS) == clean


@pytest.mark.parametrize(
    ("verdict", "of_must", "of_should"),
    [
        (PASS, True, True),
        (WAIVED, True, True),
        (UNSUPPORTED, True, True),
        (FAIL, False, True),
        (ERROR, False, True),
        (INCONCLUSIVE, False, True),
    ],
)
def test_which_verdicts_permit_conformance(
    verdict: Verdict, of_must: bool, of_should: bool
) -> None:
    assert lets_pass(verdict, must_hold=True, left_out_for_a_reason=False) is of_must
    assert lets_pass(verdict, must_hold=False, left_out_for_a_reason=False) is of_should


@pytest.mark.parametrize("must_hold", [True, False])
def test_a_clause_without_a_case_needs_a_reason(must_hold: bool) -> None:
    assert lets_pass(NOT_TESTED, must_hold, left_out_for_a_reason=True)
    assert not lets_pass(NOT_TESTED, must_hold, left_out_for_a_reason=False)
