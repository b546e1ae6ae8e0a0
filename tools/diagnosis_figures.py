"""Measures how many defects the diagnosis names rightly, and how many wrongly.

``python -m tools.diagnosis_figures FOLDER`` judges each catalogued defect in outputs or gradients
by the clause that it breaks, and writes the diagnoses to ``diagnosis.json`` and ``diagnosis.md``.
As in practice, the defect is in an LSTM that computes in another way than the catalogue does, so
that results are not equal to the last bit. Some defects are judged once more without them in the
catalogue. Every name is then a wrong one. That takes several times as long, since the search tries
everything in vain.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from typing import Any

from tabulate import tabulate

from lstm_conformance.adapters.target import load
from lstm_conformance.adapters.torch_module import TorchModule
from lstm_conformance.defects.catalogue import FORWARD, GRADIENT, Defect, catalogue
from lstm_conformance.defects.readable import ReadableLSTM
from lstm_conformance.reports.results import DiagnosisResult
from lstm_conformance.reports.writing import write_results, write_text
from lstm_conformance.runner.failures.diagnosis import Diagnostician
from lstm_conformance.runner.session.suite import checkers_of
from lstm_conformance.spec.contract import Implementation
from meta_tests.implementations.correct import SigmoidByTanh, SummedFromTheEnd

from .measuring_options import measuring_parser

NAMED, AMONG, TWO, WRONGLY, LOCATED, NOTHING = (
    "named",
    "named among equals",
    "as two at once",
    "named wrongly",
    "located",
    "nothing said",
)
_GOAL = 0.9


def main() -> int:
    """Measures, writes, and fails if too few are named or located, or one is named wrongly."""
    parser = measuring_parser(__doc__)
    parser.add_argument("--every", type=int, default=1, help="measure every N-th defect only")
    parser.add_argument(
        "--unknown-every", type=int, default=8, help="every N-th of these also as an unknown one"
    )
    options = parser.parse_args()
    names = [defect.id for defect in subjects()][:: options.every]
    unknown = [place % options.unknown_every == 0 for place in range(len(names))]
    with ProcessPoolExecutor(options.n) as pool:
        rows = []
        for row in pool.map(measure, names, unknown):
            rows.append(row)
            print(f"{len(rows)} of {len(names)}: {row['id']} {row['verdict']}", file=sys.stderr)
    results = {"every": options.every, "rows": rows, **summary(rows)}
    write_results(options.folder / "diagnosis.json", results)
    write_text(options.folder / "diagnosis.md", page(results))
    print(page(results))
    wrongly = results["wrongly"] + results["wrongly_without"]
    return int(bool(wrongly) or results["explained"] < _GOAL)


def subjects() -> list[Defect]:
    """The defects in outputs and gradients."""
    return [defect for defect in catalogue() if defect.kind in (FORWARD, GRADIENT)]


def measure(name: str, unknown: bool) -> dict[str, Any]:
    """The diagnosis of one defect; if ``unknown``, also with a catalogue that lacks it."""
    (defect,) = (d for d in catalogue() if d.id == name)
    found = diagnosis(defect)
    row = {
        "id": name,
        "kind": defect.kind,
        "breaks": defect.breaks,
        "verdict": _verdict(found, name),
        "says": found.get("text", ""),
    }
    if unknown:
        without = diagnosis(defect, without=(name,))
        row |= {"without": _verdict(without, name), "says_without": without.get("text", "")}
    return row


def diagnosis(defect: Defect, without: tuple[str, ...] = ()) -> DiagnosisResult:
    """The diagnosis of the first failure of the clause that ``defect`` breaks."""
    implementation = computed_differently(defect)
    diagnostician = Diagnostician(implementation, without)
    for checker in checkers_of(implementation, defect.breaks):
        if checker.records[defect.breaks].failures:
            checker.diagnose(diagnostician, [defect.breaks])
            failures = checker.records[defect.breaks].failures
            found = min(failures, key=lambda failure: failure.size).diagnosis
            return {} if found is None else found.to_json()
    return {}


def computed_differently(defect: Defect) -> Implementation:
    """The defect in an LSTM whose sums and sigmoid are not those of the catalogue."""
    module, _, name = defect.target.partition(":")
    cls = getattr(import_module(module), name)
    if not issubclass(cls, ReadableLSTM):
        return load(defect.target)
    other = type(f"{name}ComputedDifferently", (cls, SummedFromTheEnd, SigmoidByTanh), {})
    return TorchModule(name, other, "")


def _verdict(found: DiagnosisResult, name: str) -> str:
    if not found:
        return NOTHING
    if not found["defects"]:
        return LOCATED
    if len(found["defects"]) > 1:  # which together behave the same
        return TWO
    if found["defects"] == [name]:
        return NAMED
    return AMONG if name in found["alternatives"] else WRONGLY


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The shares of defects that are named, and named or located; the numbers of wrong names."""
    explained = (NAMED, AMONG, LOCATED)
    return {
        "recall": sum(row["verdict"] == NAMED for row in rows) / len(rows),
        "explained": sum(row["verdict"] in explained for row in rows) / len(rows),
        "wrongly": sum(row["verdict"] == WRONGLY for row in rows),
        "wrongly_without": sum(row.get("without") == WRONGLY for row in rows),
    }


def page(results: dict[str, Any]) -> str:
    """The figures as a page in Markdown, with each defect that is not named."""
    rows = results["rows"]
    kinds = {kind: [row for row in rows if row["kind"] == kind] for kind in (FORWARD, GRADIENT)}
    verdicts = (NAMED, AMONG, TWO, WRONGLY, LOCATED, NOTHING)
    table = [
        [kind, which, sum(key in r for r in of_kind)]
        + [sum(r.get(key) == v for r in of_kind) for v in verdicts]
        for kind, of_kind in kinds.items()
        for which, key in (("in the catalogue", "verdict"), ("unknown", "without"))
    ]
    rest = [
        [row["id"], row["breaks"], row["verdict"], row["says"]]
        for row in rows
        if row["verdict"] != NAMED
    ]
    wrongly = [
        [r["id"], r["breaks"], r["says_without"]] for r in rows if r.get("without") == WRONGLY
    ]
    every = results["every"]
    which = "all that are catalogued" if every == 1 else f"one in {every} of those catalogued"
    parts = [
        "# Diagnosis",
        "The diagnoses of defects in outputs and gradients. Each is in an LSTM that computes in "
        "another way than the catalogue does. Some are diagnosed once more with a catalogue "
        "that lacks them.",
        tabulate(table, ["kind", "defect is", "defects", *verdicts], "pipe"),
        f"Tried: {len(rows)} defects, {which}; "
        f"{sum('without' in row for row in rows)} of them as unknown ones, too. Named rightly: "
        f"{results['recall']:.1%}; named, named among equals or located: "
        f"{results['explained']:.1%}. Made by `tox -e diagnosis`.",
        "## Not named",
        tabulate(rest, ["defect", "breaks", "verdict", "what is said"], "pipe"),
        "## Named though unknown",
        tabulate(wrongly, ["defect", "breaks", "what is said"], "pipe"),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(main())
