"""Mutation testing of the judge: each mutation overlooks something, and tests have to see that.

This is the one module that imports other test modules: it calls their tests with the mutated judge.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

from lstm_conformance.runner.gate import baseline, deviation_draft
from lstm_conformance.runner.judging import canary, rules
from lstm_conformance.runner.judging import comparison as judge
from lstm_conformance.runner.judging.comparison import Finding
from lstm_conformance.runner.judging.known_deviations import Deviation
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.searching import case_judge, checker
from lstm_conformance.runner.searching.case_judge import CaseJudge, CaseOutcome
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.runner.session import budget, results_builder, same_run
from lstm_conformance.runner.session.budget import Budget
from lstm_conformance.runner.session.collector import Collector
from lstm_conformance.runner.session.outcomes import Outcomes
from lstm_conformance.runner.session.shards import Shard
from lstm_conformance.runner.session.test_outcome import TestOutcome
from lstm_conformance.spec.strategies import Domain
from lstm_conformance.spec.verdicts import FAIL, INCONCLUSIVE, PASS

from . import (
    test_baseline,
    test_budget,
    test_checker,
    test_judge,
    test_known_deviations,
    test_merge,
    test_resume,
    test_session,
    test_shards,
    test_waive,
)
from .helpers.selection import elsewhere

Function = Callable[..., Any]


class Mutation(NamedTuple):
    """One mutation of the judge.

    Attributes:
        owner, name: what is changed, a member of a module or class.
        change: function from the member to what replaces it.
        seen_by: tests; each has to fail.
    """

    owner: Any
    name: str
    change: Callable[[Any], Any]
    seen_by: tuple[Function, ...]


def becomes(value: object) -> Callable[[Any], Any]:
    """Gives a constant another value."""
    return lambda original: value


# ------------------------------------------------------------- comparing something else


def parameters_for_gradients(original: Function) -> Function:
    def compare(trial: Trial, name: str, *others: Any) -> Finding:
        if not name.endswith(".grad"):
            return original(trial, name, *others)
        value = trial.case.arguments()[name.removesuffix(".grad")]
        return judge.compare(name, value, value, 0 * value, trial.case.precision)

    return compare


def first_tensor(original: Function) -> Function:
    return lambda *arguments: original(*arguments)[:1]


def first_finding(original: Function) -> Function:
    return lambda *arguments, **options: original(*arguments, **options)[:1]


def first_element(original: Function) -> Function:
    def ratios(observed: Any, expected: Any, allowed: Any) -> Any:
        every = original(observed, expected, allowed)
        return np.where(np.arange(every.size).reshape(every.shape) == 0, every, 0.0)

    return ratios


def broadcast(original: Function) -> Function:
    def compare(name: str, observed: Any, expected: Any, noise: Any, precision: Any) -> Finding:
        return original(name, *np.broadcast_arrays(observed, expected, noise), precision)

    return compare


def broadcast_by_rules(original: Function) -> Function:
    def compare(trial: Trial, name: str, part: Any, expectation: Any) -> Finding:
        observed = trial.observation.tensors[name].values
        tensors = (observed, expectation.values[name], expectation.noise[name])
        return judge.compare(name, *np.broadcast_arrays(*tensors), trial.case.precision)

    return compare


# ---------------------------------------------------------------------- allowing too much


def nan_is_right(original: Function) -> Function:
    def ratios(observed: Any, expected: Any, allowed: Any) -> Any:
        either = np.isnan(observed) | np.isnan(expected)
        return np.where(either, 0.0, original(observed, expected, allowed))

    return ratios


def observed_nan_is_right(original: Function) -> Function:
    return lambda observed, expected, allowed: np.where(
        np.isnan(observed), 0.0, original(observed, expected, allowed)
    )


def expected_nan_is_right(original: Function) -> Function:
    return lambda observed, expected, allowed: np.where(
        np.isnan(expected), 0.0, original(observed, expected, allowed)
    )


def times_the_size(original: Function) -> Function:
    return lambda expected, *others: expected.size * original(expected, *others)


def times_the_root_of_the_size(original: Function) -> Function:
    return lambda expected, *others: expected.size**0.5 * original(expected, *others)


def largest_for_all(original: Function) -> Function:
    def allowed(*arguments: Any) -> Any:
        each = original(*arguments)
        return np.full_like(each, each.max(initial=0.0))

    return allowed


def mean_for_all(original: Function) -> Function:
    def allowed(*arguments: Any) -> Any:
        each = original(*arguments)
        return np.full_like(each, each.mean())

    return allowed


# --------------------------------------------------------------- counting something else


def exceptions_swallowed(original: Function) -> Function:
    def swallowing(rule: Function) -> Function:
        def swallow(trial: Trial) -> list[Finding]:
            try:
                return rule(trial)
            except (Exception, SystemExit):
                return [Finding("output", PASS)]

        return swallow

    def judge(self: CaseJudge, case: Any, rules: dict[str, Function]) -> CaseOutcome:
        quiet = {clause: swallowing(rule) for clause, rule in rules.items()}
        return original(self, case, quiet)

    return judge


def breaking_off_ignored(original: Function) -> Function:
    def add(self: Collector, test: str, clauses: Any, records: Any, why: str, *others: Any) -> None:
        original(self, test, clauses, records, "", *others)

    return add


def nothing_found_passes(original: Function) -> Function:
    return lambda findings: original(findings) if findings else PASS


def inconclusive_tensor_passes(original: Function) -> Function:
    def compare(*arguments: Any) -> Finding:
        finding = original(*arguments)
        return replace(finding, verdict=PASS) if finding.verdict == INCONCLUSIVE else finding

    return compare


def inconclusive_passes(original: Function) -> Function:
    return lambda findings: PASS if original(findings) == INCONCLUSIVE else original(findings)


def most_findings_decide(original: Function) -> Function:
    def verdict(findings: list[Finding]) -> str:
        verdicts = [finding.verdict for finding in findings]
        return max((PASS, INCONCLUSIVE, FAIL), key=verdicts.count)

    return verdict


def is_no_obstacle(verdict: str) -> Callable[[Function], Function]:
    """Clauses with ``verdict`` are no obstacle to conformance."""

    def change(original: Function) -> Function:
        return lambda of_clause, *others: of_clause == verdict or original(of_clause, *others)

    return change


def counted_as_pass(verdict: str) -> Callable[[Function], Function]:
    """Cases with ``verdict`` have passed."""

    def change(original: Function) -> Function:
        def of_clause(counts: dict[str, int], *others: Any, **known: Any) -> str:
            passed = counts.get(PASS, 0) + counts.get(verdict, 0)
            return str(original({**counts, PASS: passed}, *others, **known))

        return of_clause

    return change


def without_a_case_passes(original: Function) -> Function:
    return lambda counts, *others, **known: original(counts, *others, **known) if counts else PASS


def most_cases_decide(original: Function) -> Function:
    return lambda counts, *others, **known: max(
        counts, key=counts.__getitem__, default="not tested"
    )


def conditions_ignored(original: Function) -> Function:
    return lambda deviation, clause, case: clause in deviation.clauses


def never_gone(original: Function) -> Function:
    def deviations(self: Any) -> list[dict[str, Any]]:
        return [{**found, "outcome": "waived"} for found in original(self)]

    return deviations


def nothing_is_lacking(original: Function) -> Function:
    return lambda domain, declared: (original(domain, declared)[0], ())


def first_alternatives(original: Function) -> Function:
    def narrowed(domain: Domain, declared: frozenset[str]) -> Any:
        part, missing = original(domain, declared)
        return part and part.but(layout=part.layout[:1], num_layers=part.num_layers[:1]), missing

    return narrowed


# ---------------------------------------------------- joining what does not belong together


def one_test_left_out(original: Function) -> Function:
    return lambda shard, names: original(shard, sorted(names)[1:])


def shards_take_turns(original: Function) -> Function:
    return lambda shard, names: {*sorted(names)[shard.index - 1 :: shard.count]}


def shards_pass_the_gate(original: Function) -> Function:
    def passes(self: Any, clauses: list[dict[str, Any]]) -> bool:
        return bool(clauses) and all(clause["verdict"] == PASS for clause in clauses)

    return passes


def runs_never_differ(original: Function) -> Function:
    return lambda *arguments, **options: None


def nothing_is_damaged(original: Function) -> Function:
    return lambda plain, clauses: True


def always_finished(original: Function) -> Function:
    def add(self: TestOutcome, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        self.state = "finished"

    return add


def nothing_is_unseen(original: Any) -> property:
    return property(lambda outcomes: set())


def never_out_of_time(original: Function) -> Function:
    return lambda budget, test: lambda: False


def out_of_time_before_a_case(original: Function) -> Function:
    def has_to_end(self: Checker) -> bool:
        self._cut_short = self._cut_short or self._out_of_time()
        return self._cut_short

    return has_to_end


def in_plain_order(original: Function) -> Function:
    return lambda tests: list(tests)


def without_records(original: Function) -> Function:
    return lambda *arguments: {n: replace(o, records=[]) for n, o in original(*arguments).items()}


def nothing_unjudged(original: Function) -> Function:
    return lambda found: original(replace(found, unjudged=[]))


def nothing_grown(original: Function) -> Function:
    return lambda found: original(replace(found, grown=[]))


def nothing_broken(original: Function) -> Function:
    return lambda found: original(replace(found, broken=[]))


def nothing_was_broken_before(original: Function) -> Function:
    """Clauses that were broken before count as newly broken."""
    return lambda before, after: original({**before, "clauses": []}, after)


def all_causes_alike(original: Function) -> Function:
    return lambda clause: ("alike",)


def gone_ones_are_kept(original: Function) -> Function:
    def draft(results: dict[str, Any], name: str) -> Any:
        kept = [{**found, "outcome": "waived"} for found in results["deviations"]]
        return original({**results, "deviations": kept}, name)

    return draft


MUTATIONS = {
    "parameters are compared instead of gradients": Mutation(
        rules,
        "_compare",
        parameters_for_gradients,
        (
            test_judge.test_gradients_are_compared_not_parameters,
            test_judge.test_each_tensor_is_compared,
        ),
    ),
    "only the first tensor is compared": Mutation(
        rules, "selected", first_tensor, (test_judge.test_each_tensor_is_compared,)
    ),
    "only the first tensor of a probe is compared": Mutation(
        Trial, "close_all", first_finding, (test_judge.test_each_tensor_of_a_trial_is_compared,)
    ),
    "only the first element is compared": Mutation(
        judge,
        "error_ratios",
        first_element,
        (
            test_judge.test_one_wrong_element_is_found_in_a_tensor_of_any_size,
            test_judge.test_each_tensor_is_compared,
        ),
    ),
    "shapes are broadcast": Mutation(
        judge, "compare", broadcast, (test_judge.test_shapes_are_never_broadcast,)
    ),
    "shapes are broadcast by rules": Mutation(
        rules, "_compare", broadcast_by_rules, (test_judge.test_values_of_another_shape_fail,)
    ),
    "NaN is right everywhere": Mutation(
        judge,
        "error_ratios",
        nan_is_right,
        (test_judge.test_one_element, test_checker.test_nan_fails),
    ),
    "NaN is right where a number is expected": Mutation(
        judge, "error_ratios", observed_nan_is_right, (test_judge.test_one_element,)
    ),
    "a number is right where NaN is expected": Mutation(
        judge, "error_ratios", expected_nan_is_right, (test_judge.test_one_element,)
    ),
    "the tolerance grows with the tensor": Mutation(
        judge,
        "allowed_error",
        times_the_size,
        (test_judge.test_one_wrong_element_is_found_in_a_tensor_of_any_size,),
    ),
    "the tolerance grows with the root of the tensor": Mutation(
        judge,
        "allowed_error",
        times_the_root_of_the_size,
        (test_judge.test_one_wrong_element_is_found_in_a_tensor_of_any_size,),
    ),
    "the largest noise is that of all elements": Mutation(
        judge,
        "allowed_error",
        largest_for_all,
        (test_judge.test_each_element_is_held_to_its_own_noise,),
    ),
    "the mean noise is that of all elements": Mutation(
        judge,
        "allowed_error",
        mean_for_all,
        (test_judge.test_each_element_is_held_to_its_own_noise,),
    ),
    "the threshold is infinite": Mutation(
        judge,
        "THRESHOLD",
        becomes(np.inf),
        (test_judge.test_the_threshold_is_fixed, test_judge.test_one_element),
    ),
    "the threshold is a little higher": Mutation(
        judge,
        "THRESHOLD",
        becomes(32.0),
        (test_judge.test_the_threshold_is_fixed, test_judge.test_one_element),
    ),
    "an inconclusive tensor passes": Mutation(
        judge,
        "compare",
        inconclusive_tensor_passes,
        (test_judge.test_noise_near_the_size_of_the_values_is_inconclusive_not_passed,),
    ),
    "an inconclusive case passes": Mutation(
        case_judge,
        "_verdict",
        inconclusive_passes,
        (test_checker.test_the_gravest_finding_decides_a_case,),
    ),
    "an inconclusive clause passes": Mutation(
        results_builder,
        "clause_verdict",
        counted_as_pass("inconclusive"),
        (test_session.test_verdict_of_a_clause,),
    ),
    "an inconclusive clause is no obstacle": Mutation(
        results_builder,
        "lets_pass",
        is_no_obstacle("inconclusive"),
        (test_session.test_verdict_of_a_clause,),
    ),
    "most tensors decide": Mutation(
        case_judge,
        "_verdict",
        most_findings_decide,
        (test_checker.test_the_gravest_finding_decides_a_case,),
    ),
    "most cases decide": Mutation(
        results_builder,
        "clause_verdict",
        most_cases_decide,
        (test_session.test_one_failure_among_many_passes_decides,),
    ),
    "an unsupported case passes": Mutation(
        case_judge,
        "UNSUPPORTED",
        becomes(PASS),
        (test_checker.test_unsupported_is_counted_and_is_no_pass,),
    ),
    "an unsupported clause passes": Mutation(
        results_builder,
        "clause_verdict",
        counted_as_pass("unsupported"),
        (
            test_session.test_verdict_of_a_clause,
            test_session.test_the_gate_does_not_pass_if_nothing_is_supported,
        ),
    ),
    "exceptions are swallowed": Mutation(
        CaseJudge, "judge", exceptions_swallowed, (test_checker.test_raising_is_an_error,)
    ),
    "a test that breaks off is ignored": Mutation(
        Collector,
        "add",
        breaking_off_ignored,
        (test_session.test_a_test_that_broke_off_is_an_error,),
    ),
    "a rule that finds nothing passes": Mutation(
        case_judge,
        "_verdict",
        nothing_found_passes,
        (test_checker.test_a_rule_without_findings_passes_nothing,),
    ),
    "a clause without a case passes": Mutation(
        results_builder,
        "clause_verdict",
        without_a_case_passes,
        (test_session.test_a_clause_without_a_test_is_no_pass,),
    ),
    "a clause of which no case was judged passes": Mutation(
        results_builder,
        "clause_verdict",
        counted_as_pass("not tested"),
        (test_session.test_a_clause_without_a_judged_case_is_no_pass,),
    ),
    "known deviations apply to every case": Mutation(
        Deviation,
        "applies",
        conditions_ignored,
        (
            test_known_deviations.test_conditions_on_the_case,
            test_checker.test_failures_outside_the_conditions_are_failures,
        ),
    ),
    "a known deviation that is none is kept": Mutation(
        results_builder._Builder,
        "_deviations",
        never_gone,
        (test_session.test_a_known_deviation_that_is_gone_is_an_error,),
    ),
    "lacking capabilities are not recorded": Mutation(
        checker,
        "narrowed",
        nothing_is_lacking,
        (test_checker.test_lacking_capabilities_are_recorded,),
    ),
    "only the first alternatives are drawn": Mutation(
        checker,
        "narrowed",
        first_alternatives,
        (test_checker.test_every_declared_capability_is_drawn,),
    ),
    "a shard leaves out a test": Mutation(
        Shard, "tests", one_test_left_out, (test_shards.test_every_test_is_in_one_shard,)
    ),
    "shards take turns": Mutation(
        Shard, "tests", shards_take_turns, (test_shards.test_shards_take_about_the_same_time,)
    ),
    "a shard passes the gate": Mutation(
        results_builder._Builder,
        "_passes_the_gate",
        shards_pass_the_gate,
        (test_shards.test_the_gate_never_passes_for_a_shard,),
    ),
    "shards of any runs are merged": Mutation(
        same_run,
        "differing",
        runs_never_differ,
        (
            test_merge.test_shards_of_two_runs_are_refused,
            test_merge.test_shards_of_runs_with_other_options_are_refused,
            test_resume.test_results_of_another_run_are_refused,
        ),
    ),
    "damaged parts are taken": Mutation(
        same_run, "_is_possible", nothing_is_damaged, (test_merge.test_damaged_shards_are_refused,)
    ),
    "parts are joined without what they hold": Mutation(
        same_run,
        "outcomes_of",
        without_records,
        (
            test_merge.test_merged_shards_equal_one_run,
            test_resume.test_a_resumed_run_equals_an_uninterrupted_one,
        ),
    ),
    "a test that was cut short or broke off has finished": Mutation(
        TestOutcome,
        "add",
        always_finished,
        (
            test_resume.test_a_test_that_broke_off_is_run_again,
            test_resume.test_a_test_that_was_cut_short_is_run_again_as_a_whole,
        ),
    ),
    "what was not reached was seen": Mutation(
        Outcomes,
        "unseen_clauses",
        nothing_is_unseen,
        (
            test_budget.test_a_clause_with_a_test_that_was_not_reached_is_not_unsupported,
            test_session.test_a_known_deviation_whose_clause_was_not_reached_is_undecided,
        ),
    ),
    "no test is out of time": Mutation(
        Budget,
        "begin",
        never_out_of_time,
        (test_budget.test_a_test_may_take_one_and_a_half_times_its_share,),
    ),
    "a test may end without a case": Mutation(
        Checker,
        "_has_to_end",
        out_of_time_before_a_case,
        (test_budget.test_a_case_without_a_clear_verdict_does_not_end_a_test,),
    ),
    "tests come in any order": Mutation(
        budget,
        "most_informative_first",
        in_plain_order,
        (test_budget.test_the_most_informative_tests_come_first,),
    ),
    "a baseline misses no clause": Mutation(
        baseline, "_worse", nothing_unjudged, (test_baseline.test_what_got_worse,)
    ),
    "a baseline allows what is broken to grow": Mutation(
        baseline,
        "_worse",
        nothing_grown,
        (test_baseline.test_the_error_of_a_broken_clause_must_not_grow_tenfold,),
    ),
    "a baseline allows what broke": Mutation(
        baseline, "_worse", nothing_broken, (test_baseline.test_what_got_worse,)
    ),
    "a baseline excuses nothing": Mutation(
        baseline, "difference", nothing_was_broken_before, (test_baseline.test_what_got_worse,)
    ),
    "a draft takes all causes for one": Mutation(
        deviation_draft,
        "_cause_key",
        all_causes_alike,
        (
            test_waive.test_clauses_of_one_diagnosis_are_one_entry,
            test_waive.test_clauses_of_one_exception_are_one_entry,
        ),
    ),
    "a draft keeps known deviations that are gone": Mutation(
        deviation_draft,
        "draft",
        gone_ones_are_kept,
        (test_waive.test_known_deviations_are_kept_unless_they_are_gone,),
    ),
    "a failing case is judged once": Mutation(
        checker,
        "RUNS",
        becomes(1),
        (
            test_checker.test_a_failure_that_comes_and_goes_is_named,
            test_checker.test_a_failure_that_depends_on_the_time_is_named,
        ),
    ),
    "a clause without a case is no obstacle": Mutation(
        results_builder,
        "lets_pass",
        is_no_obstacle("not tested"),
        (
            test_session.test_a_clause_without_a_test_is_no_pass,
            test_session.test_a_clause_without_a_judged_case_is_no_pass,
        ),
    ),
}


# These start processes, or judge by many clauses.
LONG = (
    "known deviations apply to every case",
    "shards of any runs are merged",
    "parts are joined without what they hold",
    "a baseline allows what broke",
    "parameters are compared instead of gradients",
)


@pytest.mark.parametrize(
    "mutation",
    [elsewhere(one) if name in LONG else one for name, one in MUTATIONS.items()],
    ids=list(MUTATIONS),
)
def test_mutation_is_seen(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any(map(fails_without_mutation, mutation.seen_by))
    original = getattr(mutation.owner, mutation.name)
    mutated = mutation.change(original)
    for holder in (mutation.owner, *modules()):
        # Modules that import it by name have it as well.
        if vars(holder).get(mutation.name) is original:
            monkeypatch.setattr(holder, mutation.name, mutated)
    monkeypatch.setattr(canary._State, "record", canary.Record())  # or it would be restored
    for test in mutation.seen_by:
        assert fails(test), test.__name__


def modules() -> list[Any]:
    """The modules of the package and of these tests."""
    packages = ("lstm_conformance.", f"{__package__}.")
    return [module for name, module in [*sys.modules.items()] if name.startswith(packages)]


def fails(test: Function) -> bool:
    """Whether a test fails with any of its parameters."""
    for arguments in parameters(test):
        try:
            test(*arguments)
        except (AssertionError, pytest.fail.Exception):
            return True
    return False


@cache
def fails_without_mutation(test: Function) -> bool:
    """Whether a test fails anyway; then its failure with a mutation proves nothing."""
    return fails(test)


def parameters(test: Function) -> Iterator[tuple[Any, ...]]:
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        yield ()
        return
    names, values = marks[0].args
    for value in values:
        yield (value,) if isinstance(names, str) else tuple(value)
