"""Self-contained pages: of one implementation, of its changes, and of its versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..spec.verdicts import Verdict
from .coverage import coverage
from .difference import Difference
from .difference import summary as summary_of_difference
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
from .tables import (
    cause_key,
    machine_text,
    note,
    ratio_text,
    summary,
    tensor_rows,
    threshold_text,
)
from .verdict import broken, gate_sentence, verdict_counts, verdict_of, verdict_sentence

__all__ = ["difference_html", "implementation_html", "releases_html", "report_html"]


def report_html(results: Results) -> str:
    """The page of one implementation: the verdict, what is wrong, and everything else."""
    found = coverage(results)
    return render(
        "report.html",
        **_values(results),
        histogram=histogram_plot(results),
        coverage=found,
        coverage_plot=coverage_plot(found) if found.pairs and found.left_out else None,
        sizes_plot=sizes_plot(results),
    )


def implementation_html(
    results: Results, links: Mapping[str, str], findings: Mapping[str, str] | None = None
) -> str:
    """A smaller page of one implementation, without plots, that is a part of a site.

    Args:
        results: of the implementation.
        links: to other pages of the site: text to address.
        findings: what programs show of the implementation, the worst first: sentence to address.
    """
    return render(
        "implementation.html",
        **_values(results),
        coverage=coverage(results),
        links=links,
        findings=findings or {},
    )


def _values(results: Results) -> dict[str, Any]:
    """What both pages of one implementation say."""
    clauses = results["clauses"]
    musts = broken(results)
    causes, alike = _by_diagnosis([clause for clause in musts if clause["root_cause"]])
    dtypes, tensors = tensor_rows(results)
    return {
        "results": results,
        "threshold": threshold_text([results]),
        "limit": results["threshold"],
        "verdict": verdict_of(clauses, results["gate_passed"]),
        "verdict_sentence": verdict_sentence(results, "it"),
        "gate_sentence": gate_sentence(results),
        "sentences": summary(results).split("\n")[2:],
        "causes": causes,
        "alike": alike,
        "consequences": [clause for clause in musts if not clause["root_cause"]],
        "recommended": broken(results, must_hold=False),
        "waived": [clause for clause in clauses if clause["verdict"] == "waived"],
        "inconclusive": [clause for clause in clauses if clause["verdict"] == "inconclusive"],
        "chapters": _chapters(results),
        "counts": verdict_counts(clauses),
        "note": note,
        "dtypes": dtypes,
        "tensors": tensors,
        "sizes": results["coverage"]["sizes"],
        "times": _times(results),
        "facts": _facts(results),
    }


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
        _Chapter(chapter, titles.get(chapter, ""), clauses, verdict_counts(clauses))
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
        ("machine", machine_text(environment)),
        ("packages", ", ".join(f"{name} {v}" for name, v in environment["packages"].items())),
    ]
    return [fact for fact in facts if fact[1]]
