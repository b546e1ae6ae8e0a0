"""``parametrize``: one ordinary pytest item for each clause."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from ...reports.results import ClauseResult
from ...reports.tables import failure_text
from ...spec.usage_error import UsageError
from ...spec.verdicts import BROKEN, INCONCLUSIVE, NOT_TESTED, UNSUPPORTED, WAIVED
from ..session.clause_verdict import left_out_for_a_reason, lets_pass
from ..session.options import Options
from ..session.plan import asked_clauses
from .given_object import given_object
from .known_deviations import known_deviations_in_python
from .run_in_process import RunInProcess

__all__ = ["ClauseToCheck", "parametrize"]


class ClauseToCheck:
    """A clause by which a test judges.

    Args:
        clause_id: id of the clause.
        run: what is judged, and how. Its tests are run when the first of their clauses is checked.

    Attributes:
        id: of the clause.
        was_checked: whether :meth:`check` was called. A test that passes without it has judged
            nothing, and the plugin lets it fail.
    """

    def __init__(self, clause_id: str, run: RunInProcess) -> None:
        self.id: str = clause_id
        self.was_checked: bool = False
        self._run = run

    def __repr__(self) -> str:
        return f"<clause {self.id}>"

    def check(self) -> None:
        """Judges by the clause.

        The test is skipped if the clause is unsupported. It is an expected failure if the clause
        is broken as a known deviation says, or need not hold.

        Raises:
            AssertionError: the clause is broken, or could not be judged; or it is not broken though
                a known deviation says so.
            UsageError: nothing can be judged; the message says what to do.
        """
        __tracebackhide__ = True
        self.was_checked = True
        (found,) = self._run.judge_clauses([self.id])["clauses"]
        verdict, why = found["verdict"], _reasons(found)
        if not lets_pass(verdict, found["must_hold"], left_out_for_a_reason(found)):
            what = failure_text(found) if verdict in BROKEN else f"{verdict}: {why}"
            raise AssertionError(what)
        if verdict == WAIVED:
            pytest.xfail(why)
        if verdict in BROKEN:
            pytest.xfail(f"recommended, but not done: {failure_text(found)}")
        if verdict in (UNSUPPORTED, NOT_TESTED, INCONCLUSIVE):
            pytest.skip(f"{verdict}: {why}")


def _reasons(found: ClauseResult) -> str:
    undecided = f"no case of {found['cases']} decides" if found["cases"] else "no case was judged"
    return "; ".join(found["reasons"]) or undecided


def parametrize(
    obj: Any,
    *,
    clauses: str | Iterable[str] | None = None,
    only: str | Iterable[str] | None = None,
    profile: Literal["smoke", "default", "thorough"] = "smoke",
    strict: bool = False,
    without: str | Iterable[str] | None = None,
    require: str | Iterable[str] | None = None,
    known_deviations: str | Path | Mapping[str, str] | Iterable[Mapping[str, Any]] | None = None,
    sizes: str | Mapping[str, int] | Iterable[str | Mapping[str, int]] | None = None,
    seed: int | None = None,
    dtypes: str | Iterable[str] | None = None,
    devices: str | Iterable[str] | None = None,
    working_precision: Literal["tf32", "bfloat16", "float16"] | None = None,
    diagnosis: bool = True,
    capabilities: Collection[str] | None = None,
    differentiate: Callable[..., Any] | None = None,
) -> pytest.MarkDecorator:
    """Gives a test an argument ``clause``: one item for each clause. For example:

        @parametrize(FastLSTM, clauses=["EQ", "GRAD-*"], known_deviations={"USE-24": "reason"})
        def test_lstm(clause):
            clause.check()

    The items are ordinary ones: ``-k``, ``-x``, ``--lf``, ``-n`` and reports work as usual. Nothing
    is judged when tests are collected.

    Args:
        obj: what is judged, as for :func:`lstm_conformance.check`; so are the other arguments.
            Profile thorough needs a seed: each process of pytest-xdist would draw another one.

    Raises:
        UsageError: one of the arguments makes no sense.
    """
    given = given_object(obj, capabilities, differentiate)
    file, deviations = known_deviations_in_python(known_deviations)
    options = Options.from_keywords(
        {
            "target": given.target,
            "profile": profile,
            "clauses": clauses,
            "kinds": only,
            "strict": strict,
            "without": without,
            "required": require,
            "known_deviations": file,
            "sizes": sizes,
            "seed": seed,
            "dtypes": dtypes,
            "devices": devices,
            "working_precision": working_precision,
            "no_diagnosis": not diagnosis,
        }
    )
    if profile == "thorough" and seed is None:
        raise UsageError("profile thorough needs seed=, the same in all processes of pytest.")
    run = RunInProcess(given, options, deviations, quiet=False)
    items = [ClauseToCheck(clause, run) for clause in asked_clauses(options)]
    return pytest.mark.parametrize("clause", items, ids=[item.id for item in items])
