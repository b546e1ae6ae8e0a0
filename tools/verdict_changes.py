"""Prints which verdicts differ between two results of one framework; nothing if none does.

``python -m tools.verdict_changes PUBLISHED NEW``, both written by ``check --json``. Clauses that
only one of them has are left out: they were added or removed since. So are clauses that one of them
did not judge.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tabulate import tabulate

from lstm_conformance.reports.escaping import escaped
from lstm_conformance.reports.reading import read_results
from lstm_conformance.reports.results import Results
from lstm_conformance.spec.verdicts import NOT_TESTED


def changes(before: Results, after: Results) -> str:
    """A page in Markdown; empty if no verdict differs."""
    old = {clause["id"]: clause["verdict"] for clause in before["clauses"]}
    rows = [
        [clause["id"], clause["title"], old[clause["id"]], clause["verdict"]]
        for clause in after["clauses"]
        if old.get(clause["id"], clause["verdict"]) != clause["verdict"]
        and NOT_TESTED not in (old[clause["id"]], clause["verdict"])
    ]
    if not rows:
        return ""
    names = [
        escaped(f"{r['implementation']['name']} {r['implementation']['version']}")
        for r in (before, after)
    ]
    table = tabulate(
        rows, ["clause", "about", f"published: {names[0]}", f"now: {names[1]}"], "pipe"
    )
    return f"These verdicts differ from the published ones.\n\n{table}\n"


def main(before: str, after: str) -> None:
    """Prints the page."""
    print(changes(read_results(Path(before)), read_results(Path(after))), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
