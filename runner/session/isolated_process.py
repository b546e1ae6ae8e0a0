"""The process in which isolated cases are judged: see :mod:`.isolated_judge`."""

from __future__ import annotations

from dataclasses import replace

from ...spec.case import Case
from ..failures.diagnosis import Diagnostician
from ..processes.answer_loop import Message, answer_requests
from ..searching.checker import Checker
from ..searching.settings import Settings
from .construction import Judged, construct
from .options import Options
from .plan import settings_of
from .process_state import changed, process_state
from .suite import Run, runs_of
from .undeclared import works

__all__ = ["main"]


def main() -> None:
    """Judges one case after the other, until standard input ends."""
    answer_requests(_Answers().answer)


class _Answers:
    def __init__(self) -> None:
        self._judged: Judged | None = None
        self._settings: Settings | None = None
        self._diagnostician: Diagnostician | None = None
        self._runs: dict[str, Run] = {}

    def answer(self, message: Message) -> Message:
        if "options" in message:
            options = Options.from_json(message["options"])
            self._judged = construct(options)
            self._settings = settings_of(options, self._judged.devices)
            self._diagnostician = Diagnostician(self._judged.implementation)
            return {}
        assert self._judged is not None
        if "capability" in message:
            return {"works": works(self._judged.implementation, message["capability"])}
        return self._judge(self._judged, message)

    def _judge(self, judged: Judged, message: Message) -> Message:
        assert self._settings is not None
        assert self._diagnostician is not None
        clauses = message["clauses"]
        settings = replace(self._settings, case=Case.parse(message["case"]))
        run = self._run(message["test"], clauses[0], settings)
        checker = Checker(judged.implementation, settings, run.name, run.clauses)
        before = process_state()
        run.test(checker)
        changes = changed(before, process_state())
        if changes:
            return {"changed": changes}
        if message["diagnose"]:
            checker.diagnose(self._diagnostician, clauses)
        return {"records": [checker.records[clause].to_json() for clause in clauses]}

    def _run(self, name: str, clause: str, settings: Settings) -> Run:
        if name not in self._runs:
            self._runs.update({run.name: run for run in runs_of(clause, settings.profile)})
        return self._runs[name]
