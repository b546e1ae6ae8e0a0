"""The exit status of ``check`` and ``merge``, from results."""

from __future__ import annotations

from ...reports.results import Results
from ...reports.verdict import broken, did_its_part
from ...spec.verdicts import INCONCLUSIVE

__all__ = ["CONFORMANT", "NOT_COMPLETED", "NOT_CONFORMANT", "USAGE", "exit_status"]

CONFORMANT, NOT_CONFORMANT, USAGE, NOT_COMPLETED = 0, 1, 2, 3


def exit_status(results: Results) -> int:
    """The exit status of a command with these results."""
    if results["gate_passed"]:
        return CONFORMANT
    if results["stopped"] == "interrupted":
        return NOT_COMPLETED
    if results["shard"] is not None and not broken(results):
        # The verdict needs the other shards. Nothing in this one is broken.
        return CONFORMANT if did_its_part(results) else NOT_COMPLETED
    inconclusive = any(clause["verdict"] == INCONCLUSIVE for clause in results["clauses"])
    return NOT_CONFORMANT if broken(results) or inconclusive else NOT_COMPLETED
