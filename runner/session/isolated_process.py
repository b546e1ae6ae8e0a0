"""The process in which an isolated implementation is judged: see :mod:`.isolation`."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import Any

from ...spec.case import Case
from ..processes.answer_loop import serve
from ..searching.checker import Checker
from .process_state import changed, process_state
from .session import JudgingSession
from .suite import Run, runs
from .undeclared import works

__all__ = ["main"]


def main() -> None:
    """Judges one case after the other."""
    serve(_Judge().answer)


class _Judge:
    def __init__(self) -> None:
        self._session: JudgingSession | None = None
        self._runs: dict[str, Run] = {}

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        if self._session is None:
            options = Namespace(**message["options"])
            self._session = JudgingSession.of_options(options, message["target"])
            return {}
        if "capability" in message:
            return {"works": works(self._session.implementation, message["capability"])}
        clauses, settings = message["clauses"], self._session.settings
        settings = replace(settings, case=Case.parse(message["case"]))
        run = self._run(message["test"], clauses[0])
        checker = Checker(self._session.implementation, settings, run.name, run.clauses)
        before = process_state()
        run.test(checker)
        changes = changed(before, process_state())
        if changes:
            return {"changed": changes}
        if message.get("diagnose"):
            checker.diagnose(self._session.diagnostician, clauses[0])
        return {"records": [checker.records[clause].as_json() for clause in clauses]}

    def _run(self, name: str, clause: str) -> Run:
        assert self._session is not None
        if name not in self._runs:
            profile = self._session.settings.profile
            self._runs.update({run.name: run for run in runs(clause, profile)})
        return self._runs[name]


if __name__ == "__main__":
    main()
