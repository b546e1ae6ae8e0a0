"""How the checker judges implementations that fail, raise, refuse, or fail now and then."""

from __future__ import annotations

import math
import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.reference.oracle import expect_together, same_stack
from lstm_conformance.runner.failures.diagnosis import Diagnostician, diagnosis_of_runs
from lstm_conformance.runner.failures.failure import Diagnosis, Failure
from lstm_conformance.runner.judging.comparison import Finding
from lstm_conformance.runner.judging.rules import close, close_gradients
from lstm_conformance.runner.processes.child_process import ProcessFailed
from lstm_conformance.runner.searching import checker as checker_module
from lstm_conformance.runner.searching.checker import RUNS, Checker
from lstm_conformance.runner.searching.combination_groups import side_by_side
from lstm_conformance.runner.searching.record import Record
from lstm_conformance.runner.searching.search import COST_OF_A_PROCESS
from lstm_conformance.runner.searching.settings import Settings
from lstm_conformance.spec import interrupts
from lstm_conformance.spec.capabilities import ALL
from lstm_conformance.spec.case import LAYOUTS, Case
from lstm_conformance.spec.combinations import Combination, all_combinations, covering_array
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.contract import Observation
from lstm_conformance.spec.narrowing import narrowed
from lstm_conformance.spec.strategies import PLAIN, Domain
from lstm_conformance.spec.verdicts import FAIL, INCONCLUSIVE, PASS

from .helpers.modified_reference import (
    PROFILE,
    WIDE,
    Modified,
    settings,
    with_deviations,
    with_output,
)


def judged(
    implementation: ReferenceLSTM, domain: Domain = WIDE, asked: Settings | None = None
) -> Record:
    checker = Checker(implementation, asked or settings(), "test", ["EQ-4"])
    checker.forall(domain, close("output", "h_n", "c_n"))
    return checker.records["EQ-4"]


@pytest.mark.parametrize("needed", ["packed", "bidirectional", "nothing"])
def test_a_large_case_that_fails_has_the_options_that_it_needs(needed: str) -> None:
    has = {
        "packed": lambda case: case.packed,
        "bidirectional": lambda case: case.config.bidirectional,
        "nothing": lambda case: True,
    }

    def wrong(case: Case, observation: Observation) -> Observation:
        if case.batch_size < 9 or not has[needed](case):
            return observation
        return with_output(observation, lambda values: values + 1.0)

    checker = Checker(Modified(wrong), settings(), "test", ["EQ-4"])
    checker.each_size("batch_size", {"EQ-4": close("output")})
    (failure,) = checker.records["EQ-4"].failures
    case = Case.parse(failure.case)
    options = {name: is_there(case) for name, is_there in has.items() if is_there(case)}
    assert options.keys() == {needed, "nothing"}
    assert case.config.num_layers == 1
    assert (case.states, case.cotangents, case.training) == (False, (), False)


def test_a_large_case_that_fails_stays_in_its_domain() -> None:
    domain = WIDE.but(dropout=("none",), states=(True,), bidirectional=(True,), num_layers=(2,))

    def wrong(case: Case, observation: Observation) -> Observation:
        large = case.batch_size > 40 or case.seq_len > 40
        return with_output(observation, np.negative) if large else observation

    checker = Checker(Modified(wrong), settings(), "test", ["EQ-4"])
    checker.forall(domain, close("output"), also_large=True)
    (failure,) = checker.records["EQ-4"].failures
    case = Case.parse(failure.case)
    assert case.states
    assert case.config.bidirectional
    assert case.config.num_layers == 2
    assert not case.config.batch_first


def test_correct() -> None:
    record = judged(ReferenceLSTM())
    assert record.verdicts == {"pass": 25}
    assert record.statistics.worst_ratio is not None
    assert record.statistics.worst_ratio < 10
    assert not record.failures
    assert sum(cases for cases, _ in record.statistics.tensors.values()) == 3 * 25
    assert (
        max(worst for _, worst in record.statistics.tensors.values())
        == record.statistics.worst_ratio
    )


def test_wrong_fails_and_is_shrunk() -> None:
    def wrong(case: Case, observation: Observation) -> Observation:
        broken = case.config.hidden_size >= 3 and case.seq_len >= 2
        return with_output(observation, lambda x: x + 1e-3 if broken else x)

    record = judged(Modified(wrong))
    assert record.verdicts["fail"] == 1, "cases after the first failure do not count"
    (failure,) = record.failures
    smallest = Case.parse(failure.case)
    assert smallest.config.hidden_size == 3
    assert smallest.seq_len == 2
    assert (smallest.config.input_size, smallest.batch_size, smallest.config.num_layers) == (1,) * 3
    assert smallest.seed == 0
    assert failure.finding is not None
    assert failure.finding.tensor == "output"
    assert failure.first_case != failure.case


@pytest.mark.parametrize("error", [ValueError("no\nsuch luck"), SystemExit(3)])
def test_raising_is_an_error(error: BaseException) -> None:
    def raising(case: Case, observation: Observation) -> Observation:
        raise error

    record = judged(Modified(raising))
    assert record.verdicts == {"error": 1}
    assert record.failures[0].verdict == "error"
    assert type(error).__name__ in record.failures[0].exception


def test_a_traceback_has_no_private_folders() -> None:
    def raising(case: Case, observation: Observation) -> Observation:
        return with_output(observation, lambda x: np.zeros(-1))

    (failure,) = judged(Modified(raising)).failures
    files = re.findall('File "(.*?)"', failure.traceback)
    assert any(Path(file).name == "trial.py" for file in files)
    assert not any(Path(file).is_absolute() for file in files), files


def test_a_traceback_has_no_temporary_folders() -> None:
    made = Path(tempfile.gettempdir(), "compiler", "made.py")

    def raising(case: Case, observation: Observation) -> Observation:
        exec(compile("1 / 0", made, "exec"))
        return observation

    (failure,) = judged(Modified(raising)).failures
    assert f'File "{Path("compiler", "made.py")}"' in failure.traceback


def test_a_message_with_a_traceback_of_its_own_has_no_private_folders() -> None:
    made = Path(tempfile.gettempdir(), "compiler", "made.py")

    def raising(case: Case, observation: Observation) -> Observation:
        raise RuntimeError(f'Traceback:\n  File "{made}", line 1, in forward')

    (failure,) = judged(Modified(raising)).failures
    assert f'File "{Path("compiler", "made.py")}"' in failure.exception
    assert tempfile.gettempdir() not in failure.exception


@pytest.mark.parametrize("folder", ["/project/src/vm/", r"C:\project\src" + "\\", "D:/src/"])
def test_a_traceback_has_no_folders_of_the_machine_that_built_a_library(folder: str) -> None:
    def raising(case: Case, observation: Observation) -> Observation:
        exec(compile("1 / 0", f"{folder}vm.cc", "exec"))
        return observation

    (failure,) = judged(Modified(raising)).failures
    assert 'File "vm.cc"' in failure.traceback


def interrupted(case: Case, observation: Observation) -> Observation:
    raise KeyboardInterrupt


def test_an_interrupt_of_the_user_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts._State, "interrupted_at", 0.0)
    with pytest.raises(KeyboardInterrupt):
        judged(Modified(interrupted))


def test_an_interrupt_that_the_implementation_raises_is_an_error() -> None:
    record = judged(Modified(interrupted))
    assert record.verdicts == {"error": 1}
    assert "KeyboardInterrupt" in record.failures[0].exception


def test_a_tensor_that_is_not_returned_is_an_error() -> None:
    def partial(case: Case, observation: Observation) -> Observation:
        tensors = {k: v for k, v in observation.tensors.items() if k != "c_n"}
        return replace(observation, tensors=tensors)

    record = judged(Modified(partial))
    assert record.verdicts == {"error": 1}
    assert "c_n was not returned" in record.failures[0].exception


def test_nan_fails() -> None:
    record = judged(Modified(lambda case, o: with_output(o, lambda x: x * math.nan)))
    assert record.verdicts == {"fail": 1}
    assert record.statistics.worst_ratio == math.inf


def test_failing_now_and_then_is_failing() -> None:
    class Flaky(Modified):
        def run(self, case: Case) -> Observation:
            observation = super().run(case)
            return with_output(observation, lambda x: x + (len(self.asked) % 7 == 6))

    record = judged(Flaky(lambda case, observation: observation))
    assert record.verdicts["fail"] == 1
    assert record.failures


class EveryThird(Modified):
    """Wrong in every third run, whatever the case is."""

    def __init__(self) -> None:
        super().__init__(lambda case, o: with_output(o, lambda x: x + self.is_wrong()))

    def is_wrong(self) -> bool:
        return len(self.asked) % 3 == 2


class Guessing(Diagnostician):
    """Says the same of every failure."""

    def diagnose(self, clause: str, evidence: object) -> Diagnosis:
        return Diagnosis("a guess")


def found_again(implementation: ReferenceLSTM) -> Failure:
    """The failure of an implementation after its case was judged again."""
    checker = Checker(implementation, settings(), "test", ["EQ-4"])
    checker.forall(WIDE, close("output"))
    checker.run_failures_again()
    checker.diagnose(Guessing(implementation))
    record = checker.records["EQ-4"]
    assert record.verdicts["fail"] == 1, "further runs do not count as cases"
    (failure,) = record.failures
    return Failure.from_json(failure.to_json())


def test_a_failure_that_comes_and_goes_is_named() -> None:
    failure = found_again(EveryThird())
    assert (failure.runs, failure.failed_runs) == (RUNS, 4)
    assert failure.diagnosis is not None
    assert failure.diagnosis.text == (
        "fails in 4 of 10 runs of the same case: the implementation is not deterministic."
    )


def test_a_failure_that_depends_on_the_time_is_named() -> None:
    class Late(Modified):
        """Wrong until some time after its first failure."""

        end = math.inf

        def run(self, case: Case) -> Observation:
            observation = super().run(case)
            wrong = time.monotonic() < self.end
            return with_output(observation, lambda x: x + wrong)

    implementation = Late(lambda case, observation: observation)
    checker = Checker(implementation, settings(), "test", ["EQ-4"])
    checker.forall(WIDE, close("output"))
    implementation.end = 0.0
    checker.run_failures_again()
    (failure,) = checker.records["EQ-4"].failures
    assert (failure.runs, failure.failed_runs) == (RUNS, 1), "it is a failure all the same"
    assert failure.diagnosis is not None
    assert "not deterministic" in failure.diagnosis.text


def test_a_failure_that_stays_is_not_called_random() -> None:
    failure = found_again(Modified(lambda case, o: with_output(o, lambda x: x + 1)))
    assert (failure.runs, failure.failed_runs) == (RUNS, RUNS)
    assert failure.diagnosis == Diagnosis("a guess")


def test_a_slow_case_is_judged_fewer_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker_module, "_RUNS_SECONDS", 0.0)
    failure = found_again(EveryThird())
    assert (failure.runs, failure.failed_runs) == (1, 1)


def test_random_dropout_masks_may_explain_a_failure_that_comes_and_goes() -> None:
    case = "v1 input_size=1 hidden_size=1 num_layers=2 dropout=0.5 training=True"
    found = diagnosis_of_runs(Failure("fail", case, case, runs=10, failed_runs=3))
    assert found is not None
    assert "perhaps on the dropout masks" in found.text
    assert diagnosis_of_runs(Failure("fail", case, case, runs=10, failed_runs=10)) is None


def test_unsupported_is_counted_and_is_no_pass() -> None:
    class Single(ReferenceLSTM):
        def unsupported(self, case: Case) -> str | None:
            return "one layer only" if case.config.num_layers > 1 else None

    record = judged(Single())
    assert set(record.verdicts) == {"unsupported", "pass"}
    assert record.verdicts["unsupported"] + record.verdicts["pass"] == 25
    assert record.reasons == {"refused: one layer only": record.verdicts["unsupported"]}
    record = judged(Single(), WIDE.but(num_layers=(2,)))
    assert record.verdicts == {"unsupported": 25}


def test_a_dtype_that_was_not_asked_for_is_not_tested() -> None:
    record = judged(ReferenceLSTM(), WIDE.but(dtype=("float16",)))
    assert record.verdicts == {"not tested": 1}
    assert record.reasons == {"float16 was not asked for": 1}


def test_a_rule_without_findings_passes_nothing() -> None:
    checker = Checker(ReferenceLSTM(), settings(), "test", ["EQ-4"])
    checker.forall(WIDE, lambda trial: [])
    assert checker.records["EQ-4"].verdicts == {"not tested": 25}


@pytest.mark.parametrize(
    ("verdicts", "of_the_case"),
    [
        ((PASS, PASS), PASS),
        ((PASS, INCONCLUSIVE), INCONCLUSIVE),
        ((PASS, FAIL, PASS), FAIL),
        ((INCONCLUSIVE, FAIL), FAIL),
    ],
)
def test_the_gravest_finding_decides_a_case(verdicts: tuple[str, ...], of_the_case: str) -> None:
    findings = [Finding(f"tensor {k}", verdict, 1.0) for k, verdict in enumerate(verdicts)]
    checker = Checker(ReferenceLSTM(), settings(), "test", ["EQ-4"])
    checker.forall(WIDE, lambda trial: findings, at_most=1)
    assert checker.records["EQ-4"].verdicts == {of_the_case: 1}


def test_same_seed_same_cases() -> None:
    def asked(seed: int, test: str = "test") -> list[Case]:
        implementation = Modified(lambda case, observation: observation)
        checker = Checker(implementation, settings(seed=seed), test, ["EQ-4"])
        checker.forall(WIDE, close("output"))
        return implementation.asked

    assert asked(1) == asked(1)
    assert asked(1) != asked(2)
    assert asked(1) != asked(1, "another test")


def test_each_combination_is_visited_or_left_out_with_a_reason() -> None:
    class Forward(ReferenceLSTM):
        def unsupported(self, case: Case) -> str | None:
            return "no projection" if case.config.proj_size else None

    combinations = covering_array()
    checker = Checker(Forward(), settings(("float32",)), "test", ["COMB-1"])
    checker.each_combination(combinations, Domain(), {"COMB-1": close("output")})
    visited = checker.records["COMB-1"].combinations
    assert sorted(visited) == sorted(map(str, combinations))
    for combination in combinations:
        wanted = ""
        if combination.projection:
            wanted = "refused: no projection"
        if combination.dtype == "float64":
            wanted = "float64 was not asked for"
        assert visited[str(combination)] == wanted


def test_cases_belong_to_their_combination() -> None:
    seen: list[Case] = []
    implementation = Modified(lambda case, o: seen.append(case) or o)  # type: ignore[func-returns-value]
    for combination in covering_array():
        seen.clear()
        checker = Checker(implementation, settings(), "test", ["COMB-1"])
        checker.each_combination([combination], Domain(), {"COMB-1": close("output")})
        assert seen
        assert {Combination.of(case) for case in seen} == {combination}


def test_cases_side_by_side_differ_in_values_and_share_sizes() -> None:
    implementation = Modified(lambda case, observation: observation)
    checker = Checker(implementation, settings(), "test", ["COMB-1"])
    combinations = [c for c in all_combinations() if c.num_layers == 2 and c.layout == LAYOUTS[2]]
    checker.each_combination(combinations, Domain(), {"COMB-1": close("output")})
    asked = implementation.asked
    assert sorted({str(Combination.of(case)) for case in asked}) == sorted(map(str, combinations))
    assert len({case.seed for case in asked}) > len(asked) / 3
    stacks = {same_stack(case) for case in asked}
    assert len(asked) / 16 <= len(stacks) < len(asked) / 4


def test_side_by_side_each_case_has_its_own_verdict() -> None:
    """A failure is that of its case, and a case before or behind it still passes."""
    batch = max(side_by_side(all_combinations()), key=len)[:12]
    wrong = batch[len(batch) // 2]

    def modified(case: Case, observation: Observation) -> Observation:
        is_wrong = Combination.of(case) == wrong
        return with_output(observation, lambda x: x + 1) if is_wrong else observation

    implementation = Modified(modified)
    checker = Checker(implementation, settings(), "test", ["COMB-1"])
    checker.each_combination(batch, Domain(), {"COMB-1": close("output")})
    record = checker.records["COMB-1"]
    assert (record.verdicts["fail"], record.verdicts["pass"]) == (1, len(batch) - 1)
    (failure,) = record.failures
    assert Combination.of(Case.parse(failure.case)) == wrong
    assert {Combination.of(case) for case in implementation.asked[len(batch) :]} <= {wrong}


def test_side_by_side_an_exception_in_unsupported_costs_one_case() -> None:
    batch = max(side_by_side(all_combinations()), key=len)[:12]

    class Raising(ReferenceLSTM):
        def unsupported(self, case: Case) -> str | None:
            if Combination.of(case) == batch[5]:
                raise KeyError("limits")
            return None

    checker = Checker(Raising(), settings(), "test", ["COMB-1"])
    checker.each_combination(batch, Domain(), {"COMB-1": close("output")})
    assert checker.records["COMB-1"].verdicts == {"pass": 11, "error": 1}


def test_side_by_side_the_oracle_has_its_own_arithmetic() -> None:
    case = Case.parse("v1 input_size=2 hidden_size=3")
    with np.errstate(all="raise"):
        expect_together([case, replace(case, weight_scale=1e-300, seed=1)])


def test_a_failure_side_by_side_that_does_not_come_back_counts() -> None:
    def modified(case: Case, observation: Observation) -> Observation:
        once = len(implementation.asked) == 5
        return with_output(observation, lambda x: x + 1) if once else observation

    implementation = Modified(modified)
    checker = Checker(implementation, settings(), "test", ["COMB-1"])
    checker.each_combination(all_combinations()[:48], Domain(), {"COMB-1": close("output")})
    assert checker.records["COMB-1"].verdicts["fail"] == 1
    assert checker.records["COMB-1"].failures


def test_one_given_case() -> None:
    case = Case.parse("v1 input_size=2 hidden_size=3 seq_len=4")
    implementation = Modified(lambda case, o: with_output(o, lambda x: x + 1))
    asked = replace(settings(), case=case)
    checker = Checker(implementation, asked, "t", ["COMB-1"])
    checker.each_combination([], Domain(), {"COMB-1": close("output")})
    assert judged(implementation, asked=asked).failures[0].case == str(case)
    assert implementation.asked == [case, case]
    (failure,) = checker.records["COMB-1"].failures
    assert failure.case == failure.first_case == str(case)


def test_a_given_case_without_cotangents_has_no_gradients() -> None:
    asked = replace(settings(), case=Case.parse("v1 input_size=2 hidden_size=3"))
    checker = Checker(ReferenceLSTM(), asked, "t", ["COMB-1", "COMB-2"])
    checker.each_combination([], Domain(), {"COMB-1": close("output"), "COMB-2": close_gradients})
    assert checker.records["COMB-1"].verdicts == {"pass": 1}
    assert checker.records["COMB-2"].verdicts == {"not tested": 1}
    assert checker.records["COMB-2"].reasons == {"the case has no cotangents": 1}


def test_shrinking_ends_after_the_number_of_the_profile() -> None:
    profile = replace(PROFILE, per_shrinking=5)
    implementation = Modified(lambda case, o: with_output(o, lambda x: x + 1))
    domain = WIDE.but(hidden_size=(3, 6), seq_len=(3, 8), batch_size=(2, 4))
    record = judged(implementation, domain, replace(settings(), profile=profile))
    assert record.verdicts == {"fail": 1}
    assert len(implementation.asked) <= 1 + profile.per_shrinking + 1
    assert record.failures[0].case in map(str, implementation.asked)


def test_cases_that_break_their_process_are_few() -> None:
    """Each of these cases may take as long as the time limit."""
    hung: list[Case] = []

    def hanging(case: Case, observation: Observation) -> Observation:
        if case.config.hidden_size >= 2:
            hung.append(case)
            raise ProcessFailed("the process gave no answer")
        return observation

    implementation, rule = Modified(hanging), close("output")
    profile = replace(PROFILE, per_shrinking=3 * COST_OF_A_PROCESS)
    checker = Checker(
        implementation, replace(settings(), profile=profile), "test", ["COMB-1", "COMB-2"]
    )
    checker.each_combination(covering_array()[-1:], Domain(), {"COMB-1": rule, "COMB-2": rule})
    assert all(record.verdicts["error"] == 1 for record in checker.records.values())
    assert 1 < len(hung) <= 4, "shrunk, but only a little, and not once for each rule"
    checker.diagnose(Diagnostician(implementation), ["COMB-1"])
    assert len(hung) <= 4


class Few(ReferenceLSTM):
    """One layer, one direction, in float32."""

    capabilities = frozenset({"float32", "no-bias", "unbatched", "states"})


def test_lacking_capabilities_are_recorded() -> None:
    record = judged(Few())
    assert record.verdicts == {"pass": 25}  # only supported cases are drawn
    assert record.lacking == ["bidirectional", "float64", "layers"]


def test_a_domain_without_a_supported_case_is_unsupported() -> None:
    record = judged(Few(), PLAIN.but(bias=(True,), layout=("packed_sorted",)))
    assert record.verdicts == {"unsupported": 1}
    assert record.lacking == ["float64", "packed"]
    assert record.reasons == {"no float64, no packed": 1}


def test_every_declared_capability_is_drawn() -> None:
    everything = Modified(lambda case, observation: observation)
    judged(everything, WIDE)
    assert {case.layout for case in everything.asked} == {"batched", "unbatched"}
    assert {case.config.num_layers for case in everything.asked} == {1, 2}


@pytest.mark.parametrize(("required", "verdict"), [("bidirectional", "fail"), ("states", "pass")])
def test_required_capabilities_are_drawn(required: str, verdict: str) -> None:
    asked = replace(settings(), required=frozenset({required}))
    record = judged(Few(), WIDE, asked)
    assert verdict in record.verdicts
    assert bool(record.failures) is (verdict == "fail")


def test_lacking_dropout_does_not_lead_to_one_layer_without_dropout() -> None:
    domain = PLAIN.but(dropout=("one",))
    assert narrowed(domain, Few.capabilities)[0] is not None
    assert narrowed(domain.but(num_layers=(2,)), ALL - {"full-dropout"}) == (
        None,
        ("full-dropout",),
    )
    both = domain.but(num_layers=(1, 2), bias=(False,), batch_first=(False,))
    assert narrowed(domain.but(num_layers=(1, 2)), ALL) == (both, ())


BOTH_WAYS = {"bidirectional": (True,)}


def wrong_both_ways() -> Modified:
    def change(case: Case, observation: Observation) -> Observation:
        wrong = case.config.bidirectional
        return with_output(observation, lambda x: x + 1) if wrong else observation

    return Modified(change)


def test_known_failures_are_waived() -> None:
    record = judged(wrong_both_ways(), WIDE, with_deviations(BOTH_WAYS))
    assert not record.failures
    assert set(record.verdicts) == {"pass", "waived"}
    assert sum(record.verdicts.values()) == 25
    assert record.waived, "the smallest one of each search"
    assert all(Case.parse(waived.case).config.bidirectional for waived in record.waived)
    assert record.deviations == {"0": (record.verdicts["waived"],) * 2}


def test_failures_outside_the_conditions_are_failures() -> None:
    one_layer = {**BOTH_WAYS, "num_layers": (1,)}
    record = judged(wrong_both_ways(), WIDE, with_deviations(one_layer))
    assert {Case.parse(f.case).config.num_layers for f in record.failures} == {2}
    assert {Case.parse(f.case).config.num_layers for f in record.waived} == {1}


def test_inconclusive_cases_of_a_known_deviation_are_waived() -> None:
    checker = Checker(ReferenceLSTM(), with_deviations(BOTH_WAYS), "test", ["EQ-4"])
    checker.forall(WIDE, lambda trial: [Finding("output", INCONCLUSIVE, 1.0)])
    record = checker.records["EQ-4"]
    assert set(record.verdicts) == {"inconclusive", "waived"}
    assert record.deviations == {"0": (record.verdicts["waived"], 0)}


def test_the_first_entry_that_applies_counts() -> None:
    record = judged(wrong_both_ways(), WIDE, with_deviations(BOTH_WAYS, {}))
    (both, failed), (others, none) = record.deviations["0"], record.deviations["1"]
    assert both == failed > 0
    assert none == 0 < others


def test_ratios_are_counted_by_powers_of_two() -> None:
    record = judged(ReferenceLSTM())
    for kind, (cases, worst) in record.statistics.tensors.items():
        histogram = record.statistics.histograms[kind]
        assert sum(histogram.values()) == cases
        assert worst < 2.0 ** max(map(int, histogram))


@pytest.mark.parametrize(
    ("ratio", "exponent"),
    [(0.0, -10), (1e-9, -10), (0.6, 0), (1.0, 1), (1.5, 1), (2.0, 2), (1e30, 20), (math.inf, 20)],
)
def test_exponent_of_a_ratio(ratio: float, exponent: int) -> None:
    record = Record("EQ-4")
    finding = Finding("output", FAIL, ratio)
    record.statistics.add_ratios(Case(LSTMConfig(1, 1)), [finding])
    assert record.statistics.histograms == {"float64 output": {str(exponent): 1}}


def test_records_add_up() -> None:
    one, other = judged(ReferenceLSTM()), judged(wrong_both_ways())
    both = Record.from_json(one.to_json())
    both.add(other)
    assert sum(both.verdicts.values()) == sum((*one.verdicts.values(), *other.verdicts.values()))
    for kind, (cases, _) in both.statistics.tensors.items():
        assert cases == sum(r.statistics.tensors.get(kind, (0, 0))[0] for r in (one, other))
        assert cases == sum(both.statistics.histograms[kind].values())
    assert Record.from_json(both.to_json()) == both
