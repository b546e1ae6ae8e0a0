"""Joins the results of all shards, as if one run had judged everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ...reports.results import AskedResult, EnvironmentResult, Results
from ...spec.clauses import TESTABLE
from ...spec.clean_text import counted
from ...spec.usage_error import UsageError
from ..searching.profiles import PROFILES
from ..session.outcomes import Outcomes
from ..session.results_builder import build_results
from ..session.same_run import asked_of, differing, outcomes_of
from ..session.suite import judging_tests

__all__ = ["merged"]


def merged(shards: Mapping[str, Results]) -> Results:
    """The results that a run without shards would have given, apart from times.

    Args:
        shards: name of each file to the results in it.

    Raises:
        UsageError: they are not all shards of one run.
    """
    first_name, first = next(iter(shards.items()))
    by_index: dict[int, str] = {}
    count = 0
    for name, results in shards.items():
        index, count = _place(name, results)
        _check_same_run(first_name, first, name, results)
        if index in by_index:
            raise UsageError(f"{by_index[index]} and {name} are both shard {index} of {count}.")
        by_index[index] = name
    if len(by_index) < count:
        missing = next(i for i in range(1, count + 1) if i not in by_index)
        number = count - len(by_index)
        others = f" and {number - 1} others are" if number > 1 else " is"
        raise UsageError(f"shard {missing} of {count}{others} missing.")
    return _joined({by_index[i]: shards[by_index[i]] for i in sorted(by_index)})


def _place(name: str, results: Results) -> tuple[int, int]:
    """Index and count of a shard that was completed."""
    shard = results["shard"]
    if shard is None or "parts" not in results:
        raise UsageError(f"{name} is no shard: `check --shard I/N --json FILE` writes them.")
    if results["stopped"] not in (None, "max-time"):
        raise UsageError(
            f"{name} is not complete ({results['stopped']}): --resume goes on with it."
        )
    index, count = shard["index"], shard["count"]
    if index > count:
        raise UsageError(f"{name} is damaged: there is no shard {index} of {count}.")
    return index, count


def _check_same_run(first_name: str, first: Results, name: str, results: Results) -> None:
    one, other = (cast("dict[str, int]", r["shard"])["count"] for r in (first, results))
    if one != other:
        raise UsageError(f"{first_name} is one of {counted(one, 'shard')}, {name} one of {other}.")
    difference = differing(first, results, ignoring=("shard",))
    if difference:
        raise UsageError(f"{first_name} and {name} are of two runs: they differ in {difference}.")


def _joined(shards: Mapping[str, Results]) -> Results:
    """The sum of all shards of one run, given in their order."""
    every = [*shards.values()]
    judged = {clause["id"] for results in every for clause in results["clauses"]}
    asked: AskedResult = {**asked_of(every[0]), "shard": None}
    tests = judging_tests(judged, PROFILES[asked["profile"]])
    outcomes = Outcomes()
    for name, results in shards.items():
        of_shard = outcomes_of(results, tests, name)
        twice = sorted(set(of_shard) & set(outcomes.by_test))
        if twice:
            raise UsageError(f"{name} is damaged: the test {twice[0]} is in another shard.")
        outcomes.by_test.update(of_shard)
    missing_tests = sorted(set(tests) - set(outcomes.by_test))
    if missing_tests:
        raise UsageError(f"the test {missing_tests[0]} is in none of the shards.")
    joined = build_results(
        asked,
        [clause for clause in TESTABLE if clause in judged],
        outcomes,
        "max-time" if any(results["stopped"] == "max-time" for results in every) else None,
        # Shards run at the same time.
        max(results["duration_seconds"] for results in every),
    )
    undeclared = {name for results in every for name in results["implementation"]["undeclared"]}
    joined["implementation"] = {**asked["implementation"], "undeclared": sorted(undeclared)}
    joined["environment"] = _environment([results["environment"] for results in every])
    return joined


def _environment(of_shards: list[EnvironmentResult]) -> EnvironmentResult:
    """One environment for all shards, which may have run on several machines of a kind.

    What is not the same for all is left out, but for platforms and packages: all are listed.
    """
    packages = {k: v for environment in of_shards for k, v in environment["packages"].items()}
    platforms = dict.fromkeys(environment["platform"] for environment in of_shards)
    same = {k: v for k, v in of_shards[0].items() if all(e.get(k) == v for e in of_shards)}
    joined = {**same, "platform": "; ".join(platforms), "packages": packages}
    return cast(EnvironmentResult, joined)
