"""Which tests a run consists of, in which order, and in what time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...reports.escaping import one_line
from ...reports.reading import read_results
from ...reports.results import AskedResult, Results
from ...spec.case import Case
from ...spec.clause import KINDS
from ...spec.clauses import TESTABLE
from ...spec.precision import PRECISIONS
from ...spec.sizes import parse_sizes
from ...spec.usage_error import UsageError
from ..judging.known_deviations import read_known_deviations
from ..judging.shipped_deviations import file_of_known_deviations
from ..searching.example_database import open_examples
from ..searching.profiles import PROFILES
from ..searching.settings import Settings
from .budget import Budget, most_informative_first
from .options import Options
from .same_run import differing, outcomes_of
from .shards import Shard
from .suite import judging_tests
from .test_outcome import CUT_SHORT, FINISHED, TestOutcome

__all__ = ["Plan", "asked_clauses", "make_plan", "planned_tests", "settings_of"]


def settings_of(options: Options, devices: tuple[str, ...]) -> Settings:
    """How cases are drawn and judged.

    Args:
        options: that were asked for.
        devices: those of them that can be used.

    Raises:
        UsageError: the case or a file cannot be read, or examples cannot be kept.
    """
    case = None
    if options.case is not None:
        try:
            case = Case.parse(options.case)
        except ValueError as error:
            raise UsageError(f"--case cannot be read: {error}.") from None
        if case.seq_len == 0:  # USE-25 makes such cases itself
            raise UsageError("--case needs a seq_len of at least 1.")
        case = replace(case, products=options.working_precision or case.products)
    known = options.known_deviations
    return Settings(
        PROFILES[options.profile],
        options.seed or 0,
        options.dtypes or tuple(PRECISIONS),
        devices,
        case,
        frozenset(options.required),
        () if known is None else read_known_deviations(file_of_known_deviations(known)),
        open_examples(options.examples) if options.examples else None,
        tuple(map(parse_sizes, options.sizes)),
        options.strict,
        options.working_precision,
    )


def asked_clauses(options: Options) -> tuple[str, ...]:
    """Ids of the clauses to be judged, in the order of the specification."""
    asked = options.clauses or (TESTABLE if options.case is None else _of_case(options.case))
    kinds = options.kinds or KINDS
    return tuple(id for id, clause in TESTABLE.items() if id in asked and clause.kind in kinds)


def _of_case(line: str) -> tuple[str, ...]:
    """The clauses by which a given case is judged if no others are named."""
    try:
        has_gradients = bool(Case.parse(line).cotangents)
    except ValueError:  # refused when the case is read
        has_gradients = True
    return ("COMB-1", "COMB-2") if has_gradients else ("COMB-1",)


@dataclass(frozen=True)
class Plan:
    """Which tests a run consists of.

    Attributes:
        clauses: ids of those to be judged.
        tests: name of each test that is to be run to the clauses that it judges, in order.
        finished: outcomes of tests that an earlier run finished.
        cut_short: outcomes of tests that ran out of time in an earlier run.
        earlier_seconds: that the earlier run took.
        complete: the results of the earlier run, if nothing is left to be judged.
        budget: the time for the tests; None without a limit.
    """

    clauses: tuple[str, ...]
    tests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    finished: Mapping[str, TestOutcome] = field(default_factory=dict)
    cut_short: Mapping[str, TestOutcome] = field(default_factory=dict)
    earlier_seconds: float = 0.0
    complete: Results | None = None
    budget: Budget | None = None


def make_plan(
    options: Options,
    asked: AskedResult,
    processes: int = 1,
    end: float | None = None,
    *,
    clock: Callable[[], float],
) -> Plan:
    """Decides which tests are to be run.

    Args:
        options: that were asked for.
        asked: what is judged and how, for comparison with results that are resumed.
        processes: number of processes that run tests at once.
        end: when time is over, if it began in another process.
        clock: in seconds, the same in all processes.

    Raises:
        UsageError: the results to be resumed are of another run.
    """
    clauses = asked_clauses(options)
    tests = planned_tests(options)
    if options.case is not None:
        return Plan(clauses, tests)
    earlier = _Earlier()
    if options.resume is not None:
        earlier = _earlier(options.resume, asked, clauses, tests)
    to_run = {name: judged for name, judged in tests.items() if name not in earlier.finished}
    if earlier.complete is not None:
        to_run = {}
    budget = None
    if options.max_time is not None:
        # Tests that an earlier budget cut short have had cases.
        order = sorted(most_informative_first(to_run), key=earlier.cut_short.__contains__)
        to_run = {name: tests[name] for name in order}
        budget = Budget(options.max_time, to_run, processes, clock, end)
    return Plan(
        clauses,
        to_run,
        earlier.finished,
        earlier.cut_short,
        earlier.seconds,
        earlier.complete,
        budget,
    )


def planned_tests(options: Options) -> dict[str, tuple[str, ...]]:
    """Name of each test that results have to tell about, to the clauses that it judges."""
    given_case = options.case is not None
    tests = judging_tests(asked_clauses(options), PROFILES[options.profile], given_case)
    if options.shard is None:
        return tests
    mine = Shard.parse(options.shard).tests(tests)
    return {name: judged for name, judged in tests.items() if name in mine}


@dataclass(frozen=True)
class _Earlier:
    """What an earlier run has already judged."""

    finished: Mapping[str, TestOutcome] = field(default_factory=dict)
    cut_short: Mapping[str, TestOutcome] = field(default_factory=dict)
    seconds: float = 0.0
    complete: Results | None = None


def _earlier(
    path: Path,
    asked: AskedResult,
    clauses: tuple[str, ...],
    tests: Mapping[str, tuple[str, ...]],
) -> _Earlier:
    earlier = read_results(path)
    difference = differing(earlier, asked)
    if difference:
        raise UsageError(
            f"{path} cannot be resumed: it differs from what is asked for in {difference}."
        )
    judged = {clause["id"] for clause in earlier["clauses"]}
    is_complete = "parts" not in earlier
    others = judged ^ {*clauses} if is_complete else set(earlier["parts"]) ^ set(tests)
    if others:
        raise UsageError(
            f"{path} cannot be resumed: it has other clauses than are asked for, for example "
            f"{one_line(min(others))}."
        )
    if is_complete:
        if earlier["stopped"] is not None:
            raise UsageError(f"{path} cannot be resumed: an older lstm-conformance wrote it.")
        return _Earlier(complete=earlier)
    outcomes = outcomes_of(earlier, tests, str(path))
    return _Earlier(
        {name: outcome for name, outcome in outcomes.items() if outcome.state == FINISHED},
        {name: outcome for name, outcome in outcomes.items() if outcome.state == CUT_SHORT},
        earlier["duration_seconds"],
    )
