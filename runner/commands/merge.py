"""``lstm-conformance merge``: the results of all shards, as if one run had judged everything."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from ...reports.escaping import one_line
from ...reports.reading import ResultsError, read_results
from ...reports.writing import not_writable
from ...spec.clauses import TESTABLE
from ..gate.baseline import Question, read_baseline
from ..searching.profiles import PROFILES
from ..session.results_builder import Tally
from ..session.same_run import asked_of, differing, parts_of
from ..session.suite import judging_tests
from .check import USAGE, conclude

__all__ = ["CannotMerge", "merge", "merged"]

Results = dict[str, Any]


class CannotMerge(Exception):
    """The results are not all shards of one run; the message is one sentence for the user."""


def merge(options: Namespace) -> int:
    """Joins ``options.results``, prints and writes what came of it, and returns the status.

    The status is that of ``check``. Nothing is written if they cannot be joined.
    """
    try:
        _check_files(options)
        results = merged({str(path): read_results(path) for path in options.results})
        baseline = None
        if options.baseline is not None:
            baseline = read_baseline(options.baseline, Question.of_results(results))
    except (ResultsError, CannotMerge) as problem:
        print(f"lstm-conformance: {one_line(str(problem))}", file=sys.stderr)
        return USAGE
    return conclude(results, options, baseline)


def _check_files(options: Namespace) -> None:
    for path in (options.json, options.markdown):
        problem = None if path is None else not_writable(path)
        if problem:
            raise CannotMerge(problem)
    if options.baseline is not None and options.baseline == options.json:
        raise CannotMerge("--json would replace the baseline: name another file.")
    if len({*options.results}) < len(options.results):
        raise CannotMerge("one of the files is named twice.")


def merged(shards: Mapping[str, Results]) -> Results:
    """The results that a run without shards would have given, but for times.

    Args:
        shards: name of each file to the results in it.

    Raises:
        CannotMerge: they are not all shards of one run.
    """
    first_name, first = next(iter(shards.items()))
    by_index: dict[int, str] = {}
    for name, results in shards.items():
        if results["shard"] is None or "parts" not in results:
            raise CannotMerge(f"{name} is no shard: `check --shard I/N --json FILE` writes them.")
        if results["stopped"] not in (None, "max-time"):
            raise CannotMerge(
                f"{name} is not complete ({results['stopped']}): --resume goes on with it."
            )
        index, count = results["shard"]["index"], results["shard"]["count"]
        if count != first["shard"]["count"]:
            raise CannotMerge(
                f"{first_name} is one of {first['shard']['count']} shards, {name} one of {count}."
            )
        difference = differing(first, results, ignoring=("shard",))
        if difference:
            raise CannotMerge(
                f"{first_name} and {name} are of two runs: they differ in {difference}."
            )
        if index in by_index:
            raise CannotMerge(f"{by_index[index]} and {name} are both shard {index} of {count}.")
        if index > count:
            raise CannotMerge(f"{name} is damaged: there is no shard {index} of {count}.")
        by_index[index] = name
    count = first["shard"]["count"]
    if len(by_index) < count:
        missing = next(i for i in range(1, count + 1) if i not in by_index)
        number = count - len(by_index)
        others = f" and {number - 1} others are" if number > 1 else " is"
        raise CannotMerge(f"shard {missing} of {count}{others} missing.")
    return _joined({by_index[i]: shards[by_index[i]] for i in sorted(by_index)})


def _joined(shards: Mapping[str, Results]) -> Results:
    """Of shards of one run, in their order."""
    every = [*shards.values()]
    judged = {clause["id"] for results in every for clause in results["clauses"]}
    asked = {**asked_of(every[0]), "shard": None}
    tally = Tally(asked, (clause for clause in TESTABLE if clause in judged))
    tests = judging_tests(judged, PROFILES[asked["profile"]])
    for name, results in shards.items():
        try:
            parts = parts_of(results, tests)
        except ValueError as error:
            raise CannotMerge(f"{name} is damaged: the test {error} cannot be so.") from None
        twice = sorted(set(parts) & set(tally.parts))
        if twice:
            raise CannotMerge(f"{name} is damaged: the test {twice[0]} is in another shard.")
        tally.parts.update(parts)
    missing_tests = sorted(set(tests) - set(tally.parts))
    if missing_tests:
        raise CannotMerge(f"the test {missing_tests[0]} is in none of the shards.")
    stopped = {results["stopped"] for results in every}
    joined = tally.results(
        "max-time" if "max-time" in stopped else None,
        # They are made at once.
        max(results["duration_seconds"] for results in every),
    )
    joined["implementation"] = {
        **asked["implementation"],
        "undeclared": sorted({u for r in every for u in r["implementation"]["undeclared"]}),
    }
    joined["environment"] = _environment([results["environment"] for results in every])
    return joined


def _environment(of_shards: list[dict[str, Any]]) -> dict[str, Any]:
    """One for all, which may have run on several machines of a kind."""
    packages = {k: v for environment in of_shards for k, v in environment["packages"].items()}
    platforms = dict.fromkeys(environment["platform"] for environment in of_shards)
    return {**of_shards[0], "platform": "; ".join(platforms), "packages": packages}
