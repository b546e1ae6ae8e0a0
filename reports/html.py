"""Self-contained pages: of one implementation, of its changes and versions, and of several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..spec.clause import KINDS
from ..spec.verdicts import (
    ERROR,
    FAIL,
    INCONCLUSIVE,
    NOT_TESTED,
    PASS,
    UNSUPPORTED,
    WAIVED,
    Verdict,
)
from .coverage import coverage
from .difference import Difference
from .difference import summary as summary_of_difference
from .matrix import clause_rows, differs, labels
from .page import render
from .plots import coverage_plot, histogram_plot, sizes_plot
from .releases import (
    CELLS,
    Releases,
    cell_text,
    how_judged,
    ratio_rows,
    releases_title,
    rest_sentence,
    state_of,
    verdict_rows,
)
from .releases_plot import ratios_plot
from .results import ClauseResult, Results
from .tables import cause_key, note, ratio_text, summary, tensor_rows, threshold_text
from .verdict import (
    broken,
    deviates,
    gate_sentence,
    in_part,
    passed_cases,
    verdict_of,
    verdict_sentence,
    verdict_text,
)

__all__ = ["difference_html", "matrix_html", "releases_html", "report_html"]


def report_html(results: Results) -> str:
    """The page of one implementation: the verdict, what is wrong, and everything else."""
    found = coverage(results)
    clauses = results["clauses"]
    musts = broken(results)
    inconclusive = [clause for clause in clauses if clause["verdict"] == "inconclusive"]
    causes, alike = _by_diagnosis([clause for clause in musts if clause["root_cause"]])
    dtypes, tensors = tensor_rows(results)
    return render(
        "report.html",
        results=results,
        threshold=threshold_text([results]),
        limit=results["threshold"],
        verdict=verdict_of(clauses, results["gate_passed"]),
        verdict_sentence=verdict_sentence(results, "it"),
        gate_sentence=gate_sentence(results),
        sentences=summary(results).split("\n")[2:],
        causes=causes,
        alike=alike,
        consequences=[clause for clause in musts if not clause["root_cause"]],
        recommended=broken(results, must_hold=False),
        waived=[clause for clause in clauses if clause["verdict"] == "waived"],
        inconclusive=inconclusive,
        chapters=_chapters(results),
        counts=_counts(clauses),
        note=note,
        dtypes=dtypes,
        tensors=tensors,
        histogram=histogram_plot(results),
        coverage=found,
        coverage_plot=coverage_plot(found) if found.pairs and found.left_out else None,
        sizes=results["coverage"]["sizes"],
        sizes_plot=sizes_plot(results),
        times=_times(results),
        facts=_facts(results),
    )


def difference_html(found: Difference) -> str:
    """The page of what changed between two results of one implementation."""
    return render(
        "difference.html",
        found=found,
        threshold=threshold_text([found.after]),
        limit=found.after["threshold"],
        sentences=summary_of_difference(found),
        worse=bool(found.broken or found.unjudged),
        broken=[change.clause for change in found.broken],
    )


def releases_html(found: Releases) -> str:
    """The page of one implementation in several versions: what each of them breaks."""
    dtypes, ratios = ratio_rows(found)
    return render(
        "releases.html",
        found=found,
        title=releases_title(found),
        threshold=threshold_text(found.everything),
        verdicts=verdict_rows(found),
        cells=CELLS,
        cell_text=cell_text,
        state_of=state_of,
        rest=rest_sentence(found),
        plot=ratios_plot(found),
        ratios=(
            ["version", *dtypes],
            [[version, *map(ratio_text, worst)] for version, worst in ratios.items()],
        ),
        how=how_judged(found),
    )


def matrix_html(everything: list[Results]) -> str:
    """The page of several implementations: the verdict of each on every clause."""
    rows = clause_rows(everything)
    columns = [_column(*pair) for pair in zip(labels(everything), everything, strict=True)]
    return render(
        "matrix.html",
        columns=columns,
        worst_first=sorted(columns, key=_share_that_holds),
        deviating_in={
            clause["id"]: sum(cell is not None and deviates(cell) for cell in cells)
            for clause, cells in rows
        },
        share=_share,
        only_passed=_only_passed,
        passed={
            clause["id"]: [
                column["label"]
                for column, cell in zip(columns, cells, strict=True)
                if cell is not None and _only_passed(cell)
            ]
            for clause, cells in rows
        },
        rows=rows,
        kinds=KINDS,
        threshold=threshold_text(everything),
        differing={clause["id"] for clause, cells in rows if differs(cells)},
        chapters=list(dict.fromkeys(clause["chapter"] for clause, _ in rows)),
        verdicts=_counts(cell for _, cells in rows for cell in cells if cell is not None),
    )


def _column(label: str, results: Results) -> dict[str, Any]:
    """What the matrix says of one implementation."""
    return {
        "label": label,
        "results": results,
        "verdict": verdict_of(results["clauses"], results["gate_passed"]),
        "text": verdict_text(results),
        "counts": Counter(clause["verdict"] for clause in results["clauses"]),
        "gate": gate_sentence(results).removeprefix("Gate: "),
        "in_part": in_part(results),
    }


def _share_that_holds(column: dict[str, Any]) -> float:
    """The share of clauses that hold, of those that were judged; 1 if none was."""
    judged, deviating = column["verdict"]["judged"], column["verdict"]["deviating"]
    return 1.0 - deviating / judged if judged else 1.0


def _share(clause: ClauseResult) -> str:
    """How many cases of a broken clause pass: none, few or most."""
    passed, judged = passed_cases(clause)
    return "none" if not passed else "few" if 2 * passed < judged else "most"


def _only_passed(clause: ClauseResult) -> bool:
    """Whether there is no more to say about a clause than its cell does."""
    return clause["verdict"] == PASS and not clause["reasons"]


def _by_diagnosis(causes: list[ClauseResult]) -> tuple[list[ClauseResult], list[ClauseResult]]:
    """The clauses to be shown first, and those with the same diagnosis as one of them."""
    shown: list[ClauseResult] = []
    alike: list[ClauseResult] = []
    seen: set[str] = set()
    for clause in causes:
        key = cause_key(clause)
        (alike if key in seen else shown).append(clause)
        seen |= {key} - {""}
    return shown, alike


def _counts(clauses: Iterable[ClauseResult]) -> list[tuple[Verdict, int]]:
    """Each verdict and its number of clauses, the worst first."""
    counts = Counter(clause["verdict"] for clause in clauses)
    return [(verdict, counts[verdict]) for verdict in _WORST_FIRST if counts[verdict]]


_WORST_FIRST: tuple[Verdict, ...] = (
    FAIL,
    ERROR,
    INCONCLUSIVE,
    WAIVED,
    PASS,
    UNSUPPORTED,
    NOT_TESTED,
)


class _Chapter(NamedTuple):
    """The clauses of a chapter, and how many have each verdict."""

    id: str
    title: str
    clauses: list[ClauseResult]
    counts: list[tuple[Verdict, int]]


def _chapters(results: Results) -> list[_Chapter]:
    titles = {chapter["id"]: chapter["title"] for chapter in results["chapters"]}
    chapters: dict[str, list[ClauseResult]] = {}
    for clause in results["clauses"]:
        chapters.setdefault(clause["chapter"], []).append(clause)
    return [
        _Chapter(chapter, titles.get(chapter, ""), clauses, _counts(clauses))
        for chapter, clauses in chapters.items()
    ]


def _times(results: Results) -> list[tuple[str, float, float | None]]:
    """Each chapter, its seconds in all, and those inside the implementation; None if not known."""
    inside: dict[str, float] = {}
    for clause in results["clauses"]:
        inside[clause["chapter"]] = inside.get(clause["chapter"], 0.0) + clause["seconds"]
    known = any(inside.values())
    return [
        (f"{c['id']} {c['title']}", c["seconds"], inside.get(c["id"], 0.0) if known else None)
        for c in results["chapters"]
    ]


def _facts(results: Results) -> list[tuple[str, str]]:
    """How the implementation was judged, without empty entries."""
    implementation, environment = results["implementation"], results["environment"]
    shard = results["shard"]
    facts = [
        ("target", implementation["target"]),
        ("capabilities", ", ".join(implementation["capabilities"])),
        ("taken away", ", ".join(results["without"])),
        ("required", ", ".join(results["required"])),
        ("profile, seed", f"{results['profile']}, {results['seed']}"),
        ("only the case", results["case"] or ""),
        ("shard", f"{shard['index']} of {shard['count']}" if shard else ""),
        ("dtypes", ", ".join(results["dtypes"])),
        ("devices", ", ".join(results["devices"])),
        ("python", f"{environment['python']} on {environment['platform']}"),
        ("packages", ", ".join(f"{name} {v}" for name, v in environment["packages"].items())),
    ]
    return [fact for fact in facts if fact[1]]
