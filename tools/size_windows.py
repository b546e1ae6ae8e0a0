"""Measures whether LSTMs that are wrong for some sizes only are found, and what is said of them.

``python -m tools.size_windows FOLDER`` judges each LSTM of ``defects/windows.py`` by the cases of
chapter SIZE, as profiles smoke and default draw them, and diagnoses it. It writes the outcomes to
``windows.json`` and ``windows.md``. It fails if one is not found in default, or more than one of
ten in smoke, or if the diagnosis of more than one of ten does not name the boundary.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from tabulate import tabulate

from lstm_conformance.adapters.torch_module import TorchModule, torch_lstm
from lstm_conformance.defects.call_sizes import Call
from lstm_conformance.defects.windows import ABOVE, EQUAL, Window, windows
from lstm_conformance.reports.writing import write_results, write_text
from lstm_conformance.runner.failures.diagnosis import Diagnostician, Evidence
from lstm_conformance.runner.judging.rules import Rule
from lstm_conformance.runner.judging.trial import Together, Trial
from lstm_conformance.runner.searching.case_judge import CaseJudge, CaseOutcome
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.runner.searching.profiles import PROFILES
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.runner.session.suite import runs_of
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.clauses import CHAPTERS
from lstm_conformance.spec.verdicts import FAIL

from .measuring_options import measuring_parser

__all__ = ["Asked", "asked_cases", "call_of", "names_boundary"]

# Of ten windows, so many have to be found in smoke, and to be named by their boundary.
_GOAL = 0.9

# The names that texts give to what windows are about.
_NAMES = {
    "steps": "seq_len",
    "rows": "batch_size",
    "features": "input_size",
    "hidden": "hidden_size",
    "projection": "proj_size",
    "layers": "num_layers",
    "packed_total": "the sum of the lengths",
}


@dataclass(frozen=True)
class Asked:
    """A case of chapter SIZE, and the rules by which it is judged."""

    case: Case
    rules: dict[str, Rule] = field(hash=False, compare=False)


def main() -> int:
    """Measures, writes, and fails if too few are found or named."""
    options = measuring_parser(__doc__).parse_args()
    every = list(windows())
    with ProcessPoolExecutor(options.n) as pool:
        rows = []
        for row in pool.map(measure, every, chunksize=8):
            rows.append(row)
            print(f"{len(rows)} of {len(every)}: {row}", file=sys.stderr)
    shares = {key: sum(bool(row[key]) for row in rows) / len(rows) for key in _FIGURES}
    results = {"rows": rows, **shares}
    write_results(options.folder / "windows.json", results)
    write_text(options.folder / "windows.md", page(results))
    print(page(results))
    return int(shares["default"] < 1.0 or min(shares["smoke"], shares["named"]) < _GOAL)


_FIGURES = {"smoke": "found in smoke", "default": "found in default", "named": "boundary named"}


def measure(window: Window) -> dict[str, Any]:
    """Whether ``window`` is found in each profile, and the diagnosis."""
    found = {profile: _first_failure(window, profile) for profile in ("smoke", "default")}
    says, last = "", found["default"]
    if last is not None:
        diagnosis = Diagnostician(_judged(window)).diagnose(last[0], [last[1]])
        says = "" if diagnosis is None else diagnosis.text
    is_found = {profile: failure is not None for profile, failure in found.items()}
    return {"window": window.name, **is_found, "named": names_boundary(says, window), "says": says}


def _judged(window: Window) -> TorchModule:
    return TorchModule(window.name, window.lstm(), "")


def _first_failure(window: Window, profile: str) -> tuple[str, Evidence] | None:
    """The smallest case that fails and the clause that it breaks, as a report would show them."""
    implementation = _judged(window)
    for asked in asked_cases(profile):
        if not window.holds(call_of(asked.case)):
            continue
        trial = Trial(asked.case, implementation, _expected(asked.case))
        for clause, rule in asked.rules.items():
            if any(finding.verdict == FAIL for finding in rule(trial)):
                return clause, Evidence(trial, rule)
    return None


@lru_cache(256)
def _expected(case: Case) -> Together:
    return Together([case])


@lru_cache
def asked_cases(profile: str) -> Sequence[Asked]:
    """All cases of chapter SIZE, from small to large."""
    implementation = torch_lstm()
    settings = Settings(PROFILES[profile], 0, ("float32", "float64"), ("cpu",))
    collected = _Collected(implementation, settings)
    runs = {
        run.name: run
        for clause in CHAPTERS["SIZE"].clauses
        for run in runs_of(clause.id, settings.profile)
    }
    for run in runs.values():
        run.test(Checker(implementation, settings, run.name, run.clauses, collected))
    found = {asked.case: asked for asked in collected.asked}
    # As a report chooses the failure that it shows.
    return sorted(found.values(), key=lambda asked: asked.case.numbers())


class _Collected(CaseJudge):
    """Keeps the cases that it is asked to judge."""

    def __init__(self, implementation: TorchModule, settings: Settings) -> None:
        super().__init__(implementation, settings)
        self.asked: list[Asked] = []

    def judge(self, case: Case, rules: dict[str, Rule]) -> CaseOutcome:
        self.asked.append(Asked(case, rules))
        return CaseOutcome([])


def call_of(case: Case) -> Call:
    """What an LSTM sees of ``case``."""
    config = case.config
    return Call(
        steps=case.seq_len,
        rows=case.batch_size,
        features=config.input_size,
        hidden=config.hidden_size,
        projection=config.proj_size,
        layers=config.num_layers,
        is_bidirectional=config.bidirectional,
        is_packed=case.packed,
        dtype=getattr(torch, case.dtype),
        has_gradients=bool(case.cotangents),
        packed_total=sum(case.lengths) if case.packed else 0,
        has_biases=config.bias,
        batch_first=config.batch_first,
        has_states=case.states,
    )


_NAME = f"({'|'.join(_NAMES.values())})"
_FROM = re.compile(rf"{_NAME} from (\d+)")
_MULTIPLE = re.compile(rf"{_NAME} is a multiple of (\d+)")
_ONE = re.compile(rf"{_NAME}=(\d+) \(right")


def names_boundary(text: str, window: Window) -> bool:
    """Whether ``text`` gives the boundary of ``window``, within a factor of two, and no other."""
    said = {name: int(number) for name, number in _FROM.findall(text)}
    multiples = {name: int(number) for name, number in _MULTIPLE.findall(text)}
    ones = {name: int(number) for name, number in _ONE.findall(text)}
    name = _NAMES[window.axis]
    of_relation, size = said, window.size + 1
    if window.relation == EQUAL:
        of_relation, size = ones, window.size
    elif window.relation != ABOVE:
        of_relation, size = multiples, window.size
    everything = {**said, **multiples, **ones}
    number = of_relation.get(name, 0)
    return everything.keys() == {name} and size / 2 <= number <= size * 2


def page(results: dict[str, Any]) -> str:
    """The figures as a page in Markdown, with each window that is not found or not named."""
    rows = results["rows"]
    table = [
        [of, len(some), *(sum(bool(row[key]) for row in some) for key in _FIGURES)]
        for of, some in _by_axis(rows)
    ]
    rest = [
        [row["window"], *("yes" if row[key] else "no" for key in _FIGURES), row["says"]]
        for row in rows
        if not all(row[key] for key in _FIGURES)
    ]
    parts = [
        "# Windows of sizes",
        "LSTMs that are wrong in one window of sizes each: above a size, at it, or at its "
        "multiples. In each, `output` lacks its last feature, or the gradient of the input has "
        "1.01 times its size. They are judged by chapter SIZE.",
        tabulate(table, ["wrong for", "LSTMs", *_FIGURES.values()], "pipe"),
        f"Tried: {len(rows)}. Found in default: {results['default']:.1%}, in smoke: "
        f"{results['smoke']:.1%}. The boundary is named within a factor of two: "
        f"{results['named']:.1%}. Made by `tox -e windows`.",
        "## Not found or not named",
        tabulate(rest, ["window", *_FIGURES.values(), "what is said"], "pipe") if rest else "None.",
    ]
    return "\n\n".join(parts) + "\n"


def _by_axis(rows: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    axes = dict.fromkeys(" ".join(row["window"].split()[:2]) for row in rows)
    for axis in axes:
        yield axis, [row for row in rows if row["window"].startswith(f"{axis} ")]


if __name__ == "__main__":
    sys.exit(main())
