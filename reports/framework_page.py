"""The published page of frameworks: the verdict on each, and how it was judged."""

from __future__ import annotations

from collections.abc import Mapping

from tabulate import tabulate

from ..spec.clauses import TESTABLE
from .escaping import escaped
from .matrix import counts_table
from .results import Results
from .tables import threshold_text
from .verdict import cases_text, verdict_of

__all__ = ["framework_page"]


def framework_page(
    everything: list[Results], obstacles: Mapping[str, list[str]], not_judged: Mapping[str, str]
) -> str:
    """A page: the table, and how each was judged.

    Args:
        everything: results, in the order of the table.
        obstacles: target of each implementation to the clauses for which the gate does not pass
            today.
        not_judged: adapters without results to what they need.
    """
    profiles = [
        [
            escaped(results["implementation"]["target"]),
            results["profile"],
            cases_text(*results["clauses"]),
            ", ".join(results["implementation"]["capabilities"]),
        ]
        for results in everything
    ]
    parts = [
        "# Frameworks",
        f"Released frameworks, judged clause by clause: {_how_many(everything)} An "
        "implementation *deviates* if it breaks a clause, even if the deviation is known, or the "
        "clause is only recommended. For each kind of clause, the table has the number of broken "
        "ones, of those that were judged. *Unsupported* is what a framework does not have, or what "
        "can only be asked of a torch module. The worst ratio is that of the clauses that passed: "
        f"error over rounding noise, {threshold_text(everything)} fails. Seconds are those of "
        "judging, in all processes. Made by `tox -e framework-NAME`, on a CPU. Profile `smoke` "
        "visits a covering array of the parameter combinations, and not all of them. Adapters that "
        "were judged *in part* had limited time: each supported clause has had a case, but not all "
        "of its cases, so a clause that passed may fail in a case that was not judged.",
        "The *gate* is another question: whether anything is broken that must hold and is not "
        "listed in [`known_deviations/`](../known_deviations). It decides the exit status. With "
        "the levels that clauses have now, and the deviations that are listed now, "
        f"{_gate(everything, obstacles)} [Findings](findings.md) are what is behind the "
        "deviations, and what frameworks do differently outside of what is judged.",
        *_newer_clauses(everything),
        counts_table(everything, "pipe", "adapter"),
        "## How they were judged",
        tabulate(profiles, ["adapter", "profile", "cases that pass", "capabilities"], "pipe"),
        "## Not judged",
        "These adapters follow the documentation of their frameworks. There are no results of them "
        "for lack of what they need. `lstm-conformance check NAME` judges them where it is there.",
        tabulate(not_judged.items(), ["adapter", "needs"], "pipe"),
        "MATLAB's `lstmLayer` needs MATLAB with the Deep Learning Toolbox. "
        "[A program](../../examples/octave) judges it by static vectors, its outputs only.",
    ]
    return "\n\n".join(parts) + "\n"


def _gate(everything: list[Results], obstacles: Mapping[str, list[str]]) -> str:
    """For how many the gate passes, and why it does not for the others."""
    failing = {
        target: clauses
        for target in (results["implementation"]["target"] for results in everything)
        if (clauses := obstacles[target])
    }
    passing = len(everything) - len(failing)
    text = f"it passes for {passing} of {len(everything)} adapters"
    if not failing:
        return f"{text}."
    why = [f"{escaped(target)} ({', '.join(clauses)})" for target, clauses in failing.items()]
    return f"{text}, and not for {', '.join(why)}."


def _how_many(everything: list[Results]) -> str:
    """How many conform and how many deviate, in a sentence."""
    words = [verdict_of(r["clauses"], r["gate_passed"])["word"] for r in everything]
    conform, deviate = words.count("conforms"), words.count("deviates")
    undecided = f", {words.count('undecided')} undecided" if "undecided" in words else ""
    return f"{conform} conform, {deviate} deviate{undecided}."


def _newer_clauses(everything: list[Results]) -> list[str]:
    """Which clauses some results do not have, because they were judged before."""
    judged = [{clause["id"] for clause in results["clauses"]} for results in everything]
    newer = {clause: sum(clause not in ids for ids in judged) for clause in TESTABLE}
    texts = [f"{clause} ({number})" for clause, number in newer.items() if number]
    if not texts:
        return []
    return [
        "Some adapters were judged before a clause was added, and not by it since. Clauses, and "
        f"the number of adapters: {', '.join(texts)}."
    ]
