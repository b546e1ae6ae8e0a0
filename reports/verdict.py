"""The verdict on an implementation, and beside it the answer of the gate.

The verdict is about the implementation alone. Each broken clause is a deviation, even if it is
known and waived, or only recommended. The gate is about a run: it passes if no clause that must
hold is broken, except for known deviations. An implementation may deviate, and the gate pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..spec.capabilities import REFUSED
from ..spec.clause import KINDS
from ..spec.clauses import TESTABLE
from ..spec.clean_text import counted, listed
from ..spec.out_of_memory import lacked_memory
from ..spec.verdicts import (
    BROKEN,
    ERROR,
    FAIL,
    INCONCLUSIVE,
    NOT_TESTED,
    PASS,
    UNSUPPORTED,
    WAIVED,
    Verdict,
)
from .escaping import one_line
from .results import ClauseResult, Results, VerdictResult

__all__ = [
    "GONE",
    "broken",
    "cases_text",
    "deviates",
    "did_its_part",
    "gate_sentence",
    "in_part",
    "not_passed",
    "passed_cases",
    "unseen",
    "verdict_counts",
    "verdict_of",
    "verdict_sentence",
    "verdict_text",
]

# The reason of the error of a clause that holds although a known deviation names it.
GONE = "listed as a known deviation, but no longer broken: remove the entry"

# In characters, of the reason why nothing was judged.
_LONGEST_REASON = 200

_CLAUSES_ARE = "clause is", "clauses are"

_NOT_JUDGED = (UNSUPPORTED, NOT_TESTED)

_NUMBERS = {clause.id for clause in TESTABLE.values() if clause.kind == "numbers"}


def deviates(clause: ClauseResult) -> bool:
    """Whether the implementation breaks ``clause``, known or not, required or recommended.

    A known deviation that is gone fails the gate. The implementation does not deviate there.
    """
    return clause["verdict"] in (*BROKEN, WAIVED) and GONE not in clause["reasons"]


def broken(results: Results, must_hold: bool = True) -> list[ClauseResult]:
    """The clauses that are broken, no known deviation, and must hold, or need not hold."""
    return [c for c in results["clauses"] if c["verdict"] in BROKEN and c["must_hold"] == must_hold]


def in_part(results: Results) -> bool:
    """Whether only some cases were judged: a shard, or a run that was not completed."""
    return bool(results["stopped"] or results["shard"])


def unseen(results: Results) -> list[ClauseResult]:
    """The clauses of which no case was judged although their tests were asked for."""
    waiting = {
        clause
        for part in results.get("parts", {}).values()
        if part["state"] in ("not reached", "cut short")
        for clause in part["clauses"]
    }
    return [
        clause
        for clause in results["clauses"]
        if clause["verdict"] == "not tested" and (clause["id"] in waiting or not clause["counts"])
    ]


def did_its_part(results: Results) -> bool:
    """Whether these are results of a shard in which every clause of its tests had a case."""
    return (
        results["shard"] is not None
        and results["stopped"] in (None, "max-time")
        and not unseen(results)
        and not _number_lacking_memory(results)
    )


def verdict_of(clauses: list[ClauseResult], gate_passed: bool) -> VerdictResult:
    """The verdict that the verdicts on all clauses give.

    Args:
        clauses: all that were asked for.
        gate_passed: whether the run was completed and the gate passed. Otherwise a run without
            deviations decides nothing.
    """
    judged = [clause for clause in clauses if clause["verdict"] not in _NOT_JUDGED]
    deviating = [clause for clause in judged if deviates(clause)]
    kinds = [clause["kind"] for clause in judged]
    deviating_kinds = [clause["kind"] for clause in deviating]
    return {
        "word": "deviates" if deviating else "conforms" if gate_passed else "undecided",
        "judged": len(judged),
        "deviating": len(deviating),
        "known": sum(clause["verdict"] == WAIVED for clause in deviating),
        "recommended": sum(clause["level"] == "SHOULD" for clause in deviating),
        "kinds": {
            kind: {"judged": kinds.count(kind), "deviating": deviating_kinds.count(kind)}
            for kind in KINDS
        },
    }


def not_passed(results: Results) -> Results:
    """``results`` of a run whose gate does not pass, because it was interrupted for example."""
    verdict = verdict_of(results["clauses"], gate_passed=False)
    return {**results, "gate_passed": False, "verdict": verdict}


def verdict_text(results: Results) -> str:
    """The verdict in a few words, for a cell of a table."""
    verdict = verdict_of(results["clauses"], results["gate_passed"])
    if verdict["word"] == "deviates":
        return f"deviates in {verdict['deviating']} of {verdict['judged']}"
    return verdict["word"]


def verdict_sentence(results: Results, name: str) -> str:
    """The verdict on the implementation, in one or two sentences; ``name`` is its subject."""
    verdict = verdict_of(results["clauses"], results["gate_passed"])
    shard, stopped = _shard(results), results["stopped"]
    so_far = f", as far as was judged in {results['duration_seconds']:.0f} s" if stopped else ""
    if verdict["word"] == "conforms":
        of = f" of {listed(results['kinds'])}" if results["kinds"] else ""
        says = f"what the documentation of torch.nn.LSTM says{of}{_asked(results)}{so_far}"
        more = f"{_refused(results)}{_unsupported(results, verdict)}{_declared(results)}"
        return f"CONFORMANT: {name} does {says}.{more}"
    if verdict["word"] == "deviates":
        early = f"stopped early: {stopped}" if stopped else ""
        remarks = ", ".join(remark for remark in (shard, early) if remark)
        number = f"{verdict['deviating']} of {verdict['judged']} clauses that were judged"
        if verdict["judged"] == 1:
            number = "the only clause that was judged"
        number += f" ({remarks})" if remarks else ""
        numbers = {kind: verdict["kinds"][kind]["deviating"] for kind in KINDS}
        kinds = listed([f"{numbers[kind]} about {kind}" for kind in KINDS if numbers[kind]])
        apart = f"DEVIATES: {name} deviates in {number}, {kinds}."
        more = f"{_recommended(verdict)}{_no_wrong_number(results)}{_declared(results)}"
        return f"{apart}{more}"
    if did_its_part(results):
        what = "nothing that it judged is broken" if results["clauses"] else "it has no tests"
        return (
            f"SHARD DONE: {shard} of {name}: {what}{so_far}. "
            "`lstm-conformance merge` joins all shards and gives the verdict."
        )
    lacking = _number_lacking_memory(results)
    if _number_gone(results) and not stopped and not lacking:
        return f"NO VERDICT on {name}: a known deviation is no longer broken. Remove its entry."
    memory = f"out of memory in {counted(lacking, 'clause')}"
    why = stopped or (memory if lacking else "nothing was shown")
    return f"NOT COMPLETED: no verdict on {name} ({why})."


def _refused(results: Results) -> str:
    """How many cases the implementation refused itself, in clauses that passed by the others."""
    number = sum(
        times
        for clause in results["clauses"]
        if clause["verdict"] == PASS and clause["counts"].get(UNSUPPORTED)
        for reason, times in clause["reasons"].items()
        if reason.startswith(REFUSED)
    )
    return f" It refused {counted(number, 'case')}, which its capabilities include." * bool(number)


def _unsupported(results: Results, verdict: VerdictResult) -> str:
    """How many clauses are about what the implementation does not have."""
    number = sum(clause["verdict"] == UNSUPPORTED for clause in results["clauses"])
    if not number:
        return ""
    judged = counted(verdict["judged"], "clause was", "clauses were")
    return f" {judged} judged; {counted(number, 'other is', 'others are')} unsupported."


def _asked(results: Results) -> str:
    """Which clauses and cases were asked for, if not all of them; empty otherwise.

    Kinds of clauses are said elsewhere.
    """
    ids = {clause["id"] for clause in results["clauses"]}
    number = counted(len(ids), "clause that was", "clauses that were")
    all_asked = results["kinds"] or TESTABLE.keys() <= ids
    clauses = "" if all_asked else f", in the {number} asked for"
    return clauses if results["case"] is None else f"{clauses}, for the given case"


def _shard(results: Results) -> str:
    """Which shard these are results of; empty if they are of none."""
    shard = results["shard"]
    return "" if shard is None else f"shard {shard['index']} of {shard['count']}"


def gate_sentence(results: Results) -> str:
    """The answer of the gate, from which the exit status follows if there is no baseline."""
    verdict = verdict_of(results["clauses"], results["gate_passed"])
    if results["gate_passed"]:
        known, others = verdict["known"], verdict["deviating"] - verdict["known"]
        reasons = [counted(known, "known deviation")] * bool(known)
        recommended = counted(others, "that is", "that are")
        reasons += [f"{recommended} only recommended"] * bool(others)
        return f"Gate: passed, with {listed(reasons)}." if reasons else "Gate: passed."
    gone = _number_gone(results)
    number = len(broken(results)) - gone
    if number:
        are = counted(number, "clause that must hold is", "clauses that must hold are")
        return f"Gate: failed. {are} broken, and no known deviation."
    if gone:
        return f"Gate: failed. {counted(gone, *_CLAUSES_ARE)} {GONE}."
    inconclusive = sum(clause["verdict"] == INCONCLUSIVE for clause in results["clauses"])
    if inconclusive and not in_part(results):
        return f"Gate: failed. {counted(inconclusive, *_CLAUSES_ARE)} inconclusive."
    if did_its_part(results):
        return "Gate: open until all shards are merged."
    return f"Gate: not completed.{_why_not_completed(results)}"


def _why_not_completed(results: Results) -> str:
    """A sentence on what the verdict does not say: it says why a run was stopped."""
    if results["stopped"]:
        return ""
    clauses = results["clauses"]
    lacking, without_a_case = _number_lacking_memory(results), len(unseen(results))
    if lacking:
        return f" Memory was not enough for {counted(lacking, 'clause')}."
    if without_a_case:
        return f" Of {counted(without_a_case, 'clause')} no case was judged."
    verdicts = {clause["verdict"] for clause in clauses}
    if PASS in verdicts:
        return ""
    if verdicts - {*_NOT_JUDGED}:
        return " No clause passes: each that was judged is a known deviation, or only recommended."
    reasons = {reason for clause in clauses for reason in clause["reasons"]}
    why = f" ({one_line(reasons.pop())[:_LONGEST_REASON]})" if len(reasons) == 1 else ""
    return f" No clause passes: none could be judged{why}."


def _number_lacking_memory(results: Results) -> int:
    return sum(lacked_memory(clause["reasons"]) for clause in results["clauses"])


def _number_gone(results: Results) -> int:
    return sum(not deviates(clause) for clause in broken(results))


def passed_cases(clause: ClauseResult) -> tuple[int, int]:
    """How many cases of ``clause`` passed, and how many were judged. Unsupported ones are not."""
    counts = Counter[str](clause["counts"])
    judged = sum(number for verdict, number in counts.items() if verdict not in _NOT_JUDGED)
    return counts[PASS], judged


def verdict_counts(clauses: Iterable[ClauseResult]) -> list[tuple[Verdict, int]]:
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


def cases_text(*clauses: ClauseResult) -> str:
    """The share of their cases that passed, as "3 of 10"; empty if none was judged."""
    passed, judged = map(sum, zip(*map(passed_cases, clauses), strict=True))
    return f"{passed} of {judged}" if judged else ""


def _declared(results: Results) -> str:
    """That products were allowed to have fewer digits, if they were."""
    precision = one_line(results["working_precision"])
    if not precision:
        return ""
    name = precision.upper() if precision == "tf32" else precision
    return f" As declared, products of float32 may be computed in {name}."


def _recommended(verdict: VerdictResult) -> str:
    number = verdict["recommended"]
    if not number:
        return ""
    if number == verdict["deviating"]:
        return " What it does not do is only recommended."
    return f" {counted(number, 'of them is', 'of them are')} only recommended."


def _no_wrong_number(results: Results) -> str:
    """A sentence, if every clause about numbers was judged to its end and none is broken."""
    about = {c["id"]: c["verdict"] for c in results["clauses"] if c["kind"] == "numbers"}
    verdicts = {*about.values()}
    if in_part(results) or PASS not in verdicts or verdicts - {PASS, UNSUPPORTED}:
        return ""
    if results["case"] is not None or not about.keys() >= _NUMBERS:
        return ""  # others were not asked for
    return " No wrong number was found."
