"""``lstm-conformance defects``: whether the suite kills LSTMs that are wrong on purpose."""

from __future__ import annotations

import inspect
import sys
import time
from argparse import Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...defects.public_bugs import bugs_of
from ...reports.mutation_results import DefectResult, MutationResults
from ...reports.mutation_table import mutation_markdown, mutation_text
from ...reports.writing import check_outputs, write_results, write_text
from ...spec.usage_error import UsageError
from ..mutation.defect_processes import Kill, judge_defects
from ..mutation.first_failure import SEED
from ..session.environment import environment

if TYPE_CHECKING:
    from ...defects.catalogue import Defect

__all__ = ["defects", "exit_status"]

ENOUGH, NOT_ENOUGH, NOT_COMPLETED = 0, 1, 3

SCHEMA_VERSION = 1

# Profile to the percentage of defects that it must kill.
REQUIRED = {"smoke": 95, "default": 100}


def defects(options: Namespace) -> int:
    """Judges defects, prints and writes which were killed, and returns the exit status.

    Raises:
        UsageError: a defect is unknown, torch is missing, or a file cannot be written.
    """
    check_outputs({"--json": options.json, "--markdown": options.markdown})
    try:
        from ...defects.catalogue import catalogue
        from ...defects.equivalent import EQUIVALENT

        everything = {defect.id: defect for defect in catalogue()}
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise UsageError(
            "the defects need torch, which is not installed: pip install 'lstm-conformance[torch]'."
        ) from None
    unknown = [name for name in options.defect or () if name not in everything]
    if unknown:
        raise UsageError(f"there is no defect {unknown[0]!r}.")
    asked = [d for d in everything.values() if not options.defect or d.id in options.defect]
    start = time.perf_counter()
    try:
        kills = judge_defects(asked, options.profile, options.workers)
    except KeyboardInterrupt:
        print("lstm-conformance: interrupted.", file=sys.stderr)
        return NOT_COMPLETED
    results = _results(
        asked, kills, EQUIVALENT, options.profile, seconds=time.perf_counter() - start
    )
    if options.json is not None:
        write_results(options.json, results)
    if options.markdown is not None:
        write_text(options.markdown, mutation_markdown(results))
    print(mutation_text(results), end="")
    return exit_status(sum(bool(kill.killed_by) for kill in kills), len(kills), options.profile)


def exit_status(killed: int, total: int, profile: str) -> int:
    """The exit status of a run that killed ``killed`` of ``total`` defects."""
    return ENOUGH if 100 * killed >= REQUIRED[profile] * total else NOT_ENOUGH


def _results(
    asked: list[Defect],
    kills: list[Kill],
    equivalent: Iterable[type],
    profile: str,
    seconds: float,
) -> MutationResults:
    bugs = bugs_of()
    return {
        "schema_version": SCHEMA_VERSION,
        "environment": environment(),
        "profile": profile,
        "seed": SEED,
        "duration_seconds": round(seconds, 3),
        "defects": [
            _defect(defect, kill, list(bugs.get(defect.id, ())))
            for defect, kill in zip(asked, kills, strict=True)
        ],
        "equivalent": [
            {"id": mutant.__name__, "text": inspect.cleandoc(mutant.__doc__ or "")}
            for mutant in equivalent
        ],
    }


def _defect(defect: Defect, kill: Kill, bugs: list[str]) -> DefectResult:
    return {
        "id": defect.id,
        "kind": defect.kind,
        "text": defect.text,
        "shows": defect.shows,
        "breaks": defect.breaks,
        "verdict": "killed" if kill.killed_by else "survived",
        "expected": kill.killed_by == defect.breaks,
        "killed_by": kill.killed_by,
        "case": kill.case,
        "cases": kill.cases,
        "seconds": kill.seconds,
        "bugs": bugs,
    }
