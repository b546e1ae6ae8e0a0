"""What ``check`` returns."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...reports.reading import read_results
from ...reports.results import ClauseResult, FailureResult, Results
from ...reports.tables import failure_text, html_table, note, plain_table, short_report
from ...reports.writing import check_outputs, write_results, write_text
from ...spec.clause import Kind, Level
from ...spec.usage_error import UsageError
from ...spec.verdicts import BROKEN, Verdict
from ..failures.standalone_program import standalone_program
from ..gate.baseline import Comparison, Question, require_baseline
from ..session.options import Options
from .failing_arrays import FailingArrays, failing_arrays
from .given_object import GivenObject
from .run_in_process import RunInProcess

__all__ = ["CheckFailure", "CheckResults", "CheckedClause"]

Array = NDArray[np.float64]


class CheckFailure:
    """The smallest case that breaks a clause.

    Attributes:
        clause: id of the clause.
        case: the line of the case, for :func:`lstm_conformance.check_case`; empty if a test broke
            off without one.
        text: what the command line says on the failure.
        tensor: name of the tensor that is wrong, as ``output`` or ``weight_ih_l0.grad``; empty for
            an exception.
        index: of its worst element; None without one.
    """

    def __init__(self, clause: ClauseResult, given: GivenObject, results: Results) -> None:
        self._result = clause["failure"]
        self._given = given
        self._results = results
        self.clause: str = clause["id"]
        self.case: str = "" if self._result is None else self._result["case"]
        self.text: str = failure_text(clause)
        finding = {} if self._result is None else self._result["finding"]
        self.tensor: str = finding.get("tensor", "")
        index = finding.get("index")
        self.index: tuple[int, ...] | None = None if index is None else tuple(index)

    def __repr__(self) -> str:
        return f"<CheckFailure {self.clause}: {self.case}>"

    @property
    def observed(self) -> Array | None:
        """The whole tensor that the implementation returned, as float64; None for an exception.

        The case is judged once more, when one of the three arrays is first asked for.
        """
        return None if self._arrays is None else self._arrays.observed

    @property
    def expected(self) -> Array | None:
        """What the reference returns instead, as float64; None for an exception."""
        return None if self._arrays is None else self._arrays.expected

    @property
    def noise(self) -> Array | None:
        """The standard deviation of the rounding errors of ``expected``; None for an exception."""
        return None if self._arrays is None else self._arrays.noise

    def program(self) -> str:
        """A program that shows the failure with torch and numpy alone; empty if there is none."""
        if self._result is None:
            return ""
        return standalone_program(self._result, self._results["implementation"]["target"])

    @cached_property
    def _arrays(self) -> FailingArrays | None:
        failure: FailureResult | None = self._result
        if failure is None or not failure["finding"]:
            return None
        asked = self._results
        options = Options.from_keywords(
            {
                "target": self._given.target,
                "case": failure["case"],
                "clauses": self.clause,
                "profile": asked["profile"],
                "seed": asked["seed"],
                "dtypes": asked["dtypes"],
                "devices": asked["devices"],
                "required": asked["required"],
                "without": asked["without"],
            }
        )
        return failing_arrays(RunInProcess(self._given, options), self.clause, failure)


class CheckedClause:
    """The verdict on one clause.

    Attributes:
        id: of the clause.
        title: its title.
        level: ``MUST`` or ``SHOULD``.
        kind: what it is about: ``numbers``, ``interface``, ...
        verdict: ``pass``, ``fail``, ``error``, ``unsupported``, ``waived``, ``inconclusive`` or
            ``not tested``.
        must_hold: whether an implementation that breaks it does not conform.
        is_cause: whether it is broken, and no clause that it builds on is.
        cases: number of cases that were judged.
        worst_ratio: largest error over rounding noise; None if nothing was compared.
        note: remarks: reasons, capabilities that are missing.
        failure: the smallest case that breaks it; None if none does.
    """

    def __init__(self, clause: ClauseResult, given: GivenObject, results: Results) -> None:
        self.id: str = clause["id"]
        self.title: str = clause["title"]
        self.level: Level = clause["level"]
        self.kind: Kind = clause["kind"]
        self.verdict: Verdict = clause["verdict"]
        self.must_hold: bool = clause["must_hold"]
        self.is_cause: bool = clause["root_cause"]
        self.cases: int = clause["cases"]
        self.worst_ratio: float | None = clause["worst_ratio"]
        self.note: str = note(clause)
        shows = clause["failure"] is not None or clause["verdict"] in BROKEN
        self.failure: CheckFailure | None = CheckFailure(clause, given, results) if shows else None

    def __repr__(self) -> str:
        return f"<CheckedClause {self.id}: {self.verdict}>"


class CheckResults:
    """The results of a judgement. They are iterable over clauses, and show as a table.

    Attributes:
        results: everything, as plain JSON; see ``reports/results.schema.json``.
    """

    def __init__(self, results: Results, given: GivenObject) -> None:
        self.results: Results = results
        self._clauses = {c["id"]: CheckedClause(c, given, results) for c in results["clauses"]}

    @property
    def conformant(self) -> bool:
        """Whether the run was completed and no clause is broken, known or recommended ones too."""
        return self.results["verdict"]["word"] == "conforms"

    @property
    def gate_passed(self) -> bool:
        """Whether the run was completed, and all that must hold holds, but for known deviations."""
        return self.results["gate_passed"]

    @property
    def failures(self) -> tuple[CheckFailure, ...]:
        """A failure of each broken clause that has to hold; the causes come first."""
        broken = [c for c in self if c.verdict in BROKEN and c.must_hold]
        in_order = sorted(broken, key=lambda clause: not clause.is_cause)
        return tuple(clause.failure for clause in in_order if clause.failure is not None)

    def clause(self, clause_id: str) -> CheckedClause:
        """The verdict on a clause.

        Raises:
            KeyError: it was not asked for, or there is none with this id.
        """
        if clause_id not in self._clauses:
            raise KeyError(f"{clause_id} is not among the clauses that were judged")
        return self._clauses[clause_id]

    def __iter__(self) -> Iterator[CheckedClause]:
        return iter(self._clauses.values())

    def __len__(self) -> int:
        return len(self._clauses)

    def raise_for_failures(self) -> None:
        """Does nothing if the gate passes.

        Raises:
            AssertionError: otherwise, with the text of the command line.
        """
        if not self.gate_passed:
            raise AssertionError(self.text())

    def text(self) -> str:
        """What the command line prints."""
        return short_report(self.results).rstrip()

    def to_json(self, path: str | Path) -> None:
        """Writes the results as ``lstm-conformance check --json`` does.

        Raises:
            UsageError: the file cannot be written.
        """
        check_outputs({"to_json": Path(path)})
        write_results(Path(path), self.results)

    def to_html(self, path: str | Path) -> None:
        """Writes the page of ``lstm-conformance report --html``.

        Raises:
            UsageError: the file cannot be written, or the extra ``html`` is not installed.
        """
        check_outputs({"to_html": Path(path)})
        try:
            from ...reports.html import report_html
        except ModuleNotFoundError as error:
            raise UsageError(
                f"A page needs {error.name}, which is not installed: "
                "pip install 'lstm-conformance[html]'."
            ) from error
        write_text(Path(path), report_html(self.results))

    def worse_than(self, baseline: CheckResults | str | Path) -> tuple[str, ...]:
        """Ids of the clauses that got worse since earlier results, as ``--baseline`` says.

        Args:
            baseline: earlier results, or a file of them.

        Raises:
            UsageError: they are of another target, or judged other things.
        """
        if isinstance(baseline, CheckResults):
            before, name = baseline.results, "the baseline"
        else:
            before, name = read_results(Path(baseline)), str(baseline)
        require_baseline(before, name, Question.of_results(self.results))
        worse = Comparison(Path(name), before, self.results).worse
        return tuple(change.clause["id"] for change in worse)

    def __repr__(self) -> str:
        return plain_table(self.results)

    def _repr_html_(self) -> str:
        return html_table(self.results)
