"""The process in which isolated cases are run: see :mod:`.isolated_judge`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...spec.case import Case
from ...spec.clean_text import clean_text
from ...spec.contract import Unsupported
from ...spec.interrupts import is_interrupt
from ...spec.only_config import only_config
from ...spec.usage_error import UsageError
from ..failures.diagnosis import Diagnostician
from ..judging.known_deviations import of_version
from ..processes.answer_loop import Message, answer_requests
from ..searching.checker import Checker
from ..searching.settings import Settings
from .construction import Judged, construct_here
from .environment import environment
from .options import Options
from .plainest_case import what_plainest_cases_raise
from .plan import settings_of
from .process_state import changed, process_state
from .suite import Run, runs_of
from .tensor_file import read_tensors, write_tensors
from .undeclared import works

__all__ = ["main"]


def main() -> None:
    """Runs one case after the other, until standard input ends."""
    answer_requests(_Answers().answer)


class _Answers:
    def __init__(self) -> None:
        self._judged: Judged | None = None
        self._settings: Settings | None = None
        self._diagnostician: Diagnostician | None = None
        self._runs: dict[str, Run] = {}

    def answer(self, message: Message) -> Message:
        if "options" in message:
            return self._hello(Options.from_json(message["options"]))
        assert self._judged is not None
        if "capability" in message:
            return {"works": works(self._judged.implementation, message["capability"])}
        before = process_state()
        try:
            content = self._answer(self._judged, message)
        except BaseException as error:
            changes = [] if is_interrupt(error) else changed(before)
            if not changes:
                raise
        else:
            changes = changed(before)
        return {"changed": changes} if changes else content

    def _answer(self, judged: Judged, message: Message) -> Message:
        if "plainest" in message:
            assert self._settings is not None
            return {"raised": what_plainest_cases_raise(judged.implementation, self._settings)}
        return (self._run_case if "method" in message else self._judge)(judged, message)

    def _hello(self, options: Options) -> Message:
        settings = settings_of(options, ())  # files are read before the target is imported
        try:
            self._judged = construct_here(options)
            implementation = self._judged.implementation
            known = of_version(settings.deviations, implementation.name, implementation.version)
        except UsageError as error:
            return {"usage": clean_text(error)}
        if only_config(implementation) is not None:
            return {"usage": f"{options.target_text} is an instance: judge it without --isolate."}
        self._settings = replace(settings, devices=self._judged.devices, deviations=known)
        self._diagnostician = Diagnostician(implementation)
        return {
            "name": clean_text(implementation.name),
            "version": clean_text(implementation.version),
            "capabilities": sorted(implementation.capabilities),
            "devices": self._judged.devices,
            "missing_devices": self._judged.missing_devices,
            "packages": environment()["packages"],
            "has_limits": getattr(implementation, "unsupported", None) is not None,
        }

    def _run_case(self, judged: Judged, message: Message) -> Message:
        """The results of one case, in a file."""
        case, names = Case.parse(message["case"]), [*message["values"], *message["direction"]]
        arrays = read_tensors(Path(message["inputs"]), len(names)) if names else []
        given = dict(zip(names, arrays, strict=True))
        if message["values"]:
            case = case.with_values({name: given.pop(name) for name in message["values"]})
        name = message["method"]
        method = getattr(judged.implementation, name, None)
        if method is None:
            raise Unsupported(f"no {name.replace('_', ' ')}")
        if name == "unsupported":
            return {"reason": method(case)}
        observation = method(case) if name == "run" else method(case, given)
        tensors = observation.tensors
        write_tensors(Path(message["outputs"]), [tensor.values for tensor in tensors.values()])
        return {
            "tensors": [[name, str(t.dtype), str(t.device)] for name, t in tensors.items()],
            "seconds": _seconds(observation.seconds),
        }

    def _judge(self, judged: Judged, message: Message) -> Message:
        assert self._settings is not None
        assert self._diagnostician is not None
        clauses = message["clauses"]
        settings = replace(self._settings, case=Case.parse(message["case"]))
        run = self._run(message["test"], clauses[0], settings)
        checker = Checker(judged.implementation, settings, run.name, run.clauses)
        run.test(checker)
        if message["diagnose"]:
            checker.diagnose(self._diagnostician, clauses)
        return {"records": [checker.records[clause].to_json() for clause in clauses]}

    def _run(self, name: str, clause: str, settings: Settings) -> Run:
        if name not in self._runs:
            self._runs.update({run.name: run for run in runs_of(clause, settings.profile)})
        return self._runs[name]


def _seconds(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0.0
