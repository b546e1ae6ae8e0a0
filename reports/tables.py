"""The report of one implementation, as text and as Markdown."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from tabulate import tabulate

from ..spec.clauses import prerequisites
from ..spec.clean_text import counted
from ..spec.contract import UNKNOWN_VERSION
from ..spec.ratios import times_noise
from ..spec.verdicts import BROKEN
from .escaping import escaped, fenced, one_line, printable, shortened
from .results import ClauseResult, DiagnosisResult, EnvironmentResult, Results
from .sections import LONGEST_NAME, LONGEST_PAGE, Section, fitted, length, shortened_lines
from .verdict import (
    broken,
    cases_text,
    deviates,
    gate_sentence,
    unseen,
    verdict_sentence,
)

__all__ = [
    "cause_key",
    "clause_table",
    "dtypes_of",
    "failure_as_markdown",
    "failure_text",
    "html_table",
    "implementation_name",
    "machine_text",
    "markdown_lines",
    "markdown_report",
    "note",
    "one_line_report",
    "plain_table",
    "ratio_text",
    "short_report",
    "summary",
    "tensor_rows",
    "text_report",
    "threshold_text",
]


_HEADERS = ["clause", "title", "verdict", "cases that pass", "worst ratio", "note"]
_ALIGNMENT = ("left",) * 3 + ("right",) * 2 + ("left",)


def text_report(results: Results) -> str:
    """For a terminal: tables, what is broken, and the verdict at the end."""
    parts = [
        _table(results, "simple"),
        _tensor_table(results, "simple"),
        *_failures_as_text(results),
        _verdict_last(results),
    ]
    return "\n\n".join(parts) + "\n"


def short_report(results: Results, hint: str = "") -> str:
    """For a terminal, in about 40 lines: what is broken and why, and the verdict at the end.

    Args:
        results: of one implementation.
        hint: says how to see more, if something is broken.
    """
    shown, more = _causes_to_show(results)
    parts = [(_few_facts_on if k else _facts_on)(clause) for k, clause in enumerate(shown)]
    number = counted(len(shown) + more, "cause")
    lines = [f"{number}, {f'{more} of them not shown' if more else 'shown above'}."] * bool(shown)
    lines += [hint] if hint and shown else []
    return "\n\n".join([*parts, "\n".join([*lines, _short_summary(results)])]) + "\n"


def one_line_report(results: Results) -> str:
    """The verdict, and the answer of the gate."""
    return f"{verdict_sentence(results, implementation_name(results))} {gate_sentence(results)}\n"


def html_table(results: Results) -> str:
    """For a notebook: the verdict, and a table of the clauses that need a look."""
    verdict = html.escape(verdict_sentence(results, implementation_name(results)))
    table = _worth_a_look(results, "html")
    # Notebooks align cells to the right unless they say otherwise.
    for tag in ("th", "td"):
        table = table.replace(f"<{tag}>", f'<{tag} style="text-align: left;">')
    return f"<p>{verdict}</p>\n{table}"


def plain_table(results: Results) -> str:
    """For a terminal: a table of the clauses that need a look, and the verdict."""
    parts = [
        _worth_a_look(results, "simple"),
        verdict_sentence(results, implementation_name(results)),
    ]
    return "\n\n".join(part for part in parts if part)


# A table of so many clauses is shown as a whole.
_FEW_CLAUSES = 12

# In characters, in tables for terminals. The whole note is in other reports.
_WIDEST_NOTE = 60

# The same in Markdown.
_WIDEST_NOTE_ON_A_PAGE = 300

# In lines, of the text on one cause.
_LONGEST_FACTS = 12

# So many causes are shown one by one.
_SHOWN_CAUSES = 3


def _worth_a_look(results: Results, style: str) -> str:
    """A table of the clauses that neither passed nor are unsupported; the others are counted."""
    clauses = results["clauses"]
    quiet = ("pass", "unsupported") if len(clauses) > _FEW_CLAUSES else ()
    rows = [
        [
            c["id"],
            one_line(c["title"]),
            c["verdict"],
            cases_text(c),
            ratio_text(c["worst_ratio"]),
            shortened(one_line(note(c)), _WIDEST_NOTE),
        ]
        for c in clauses
        if c["verdict"] not in quiet
    ]
    for verdict in quiet:
        these = [c for c in clauses if c["verdict"] == verdict]
        ratios = [c["worst_ratio"] for c in these if c["worst_ratio"] is not None]
        if these:
            worst = ratio_text(max(ratios)) if ratios else ""
            rows.append([counted(len(these), "clause"), "", verdict, cases_text(*these), worst, ""])
    return _aligned(rows, _HEADERS, style, _ALIGNMENT)


def _causes_to_show(results: Results) -> tuple[list[ClauseResult], int]:
    """The first clause of each cause, and how many causes are left out."""
    first: dict[str, ClauseResult] = {}
    for clause in results["clauses"]:
        if clause["root_cause"] and clause["must_hold"]:
            first.setdefault(cause_key(clause) or clause["id"], clause)
    causes = list(first.values())
    return causes[:_SHOWN_CAUSES], max(0, len(causes) - _SHOWN_CAUSES)


def _facts_on(clause: ClauseResult) -> str:
    """The text on a failure, without the traceback and the program after a blank line."""
    lines = failure_text(clause).partition("\n\n")[0].splitlines()
    if len(lines) > _LONGEST_FACTS:  # of a test that broke off: the exception is at the end
        lines = [*lines[:2], "...", *lines[3 - _LONGEST_FACTS :]]
    return "\n".join(lines)


def _few_facts_on(clause: ClauseResult) -> str:
    """The facts without those that only the reader who mends this cause needs."""
    first, *lines = _facts_on(clause).splitlines()
    return "\n".join([first, *(line for line in lines if line.startswith(_FEW_FACTS))])


_FEW_FACTS = tuple(
    f"  {name} "
    for name in ("case", "tensor", "raised", "because", "observed", "expected", "diagnosis")
)


def _verdict_last(results: Results) -> str:
    verdict, gate, *lines = summary(results).split("\n")
    return "\n".join([*lines, gate, verdict])


def _short_summary(results: Results) -> str:
    """The summary, the verdict at the end, with few and short lines."""
    verdict, gate, *lines = summary(results).split("\n")
    # Diagnoses are shown with the failures, and what nobody asked for is not missed.
    lines = [
        line
        for line in lines
        if not line.startswith("Diagnosis: ") and not line.endswith(" left out: not asked for.")
    ]
    left_out = [line for line in lines if _LEFT_OUT.match(line)]
    if len(left_out) > 1:
        lines = [line for line in lines if line not in left_out]
        lines.append(f"Combinations were left out for {len(left_out)} reasons.")
    return "\n".join([*(shortened(line, _LONGEST_LINE) for line in lines), gate, verdict])


_LEFT_OUT = re.compile("[0-9]+ combinations? left out: ")

# Of a line of the summary that is printed unasked, in characters.
_LONGEST_LINE = 600


def implementation_name(results: Results) -> str:
    """Name and version of the implementation, as far as they are known."""
    name, version = (results["implementation"][key] for key in ("name", "version"))
    return one_line(name if version == UNKNOWN_VERSION else f"{name} {version}")


def markdown_report(results: Results, longest: int = LONGEST_PAGE) -> str:
    """For a pull request or a job summary: the verdict first, then the causes, and the table.

    Args:
        results: of one implementation.
        longest: number of characters of the page. What does not fit is left out, and counted.
    """
    environment = results["environment"]
    packages = ", ".join(f"{name} {v}" for name, v in environment["packages"].items())
    on = [environment["platform"], machine_text(environment), packages]
    where = f"Python {environment['python']} on {'; '.join(filter(None, on))}."
    causes, others = _failure_sections(results, longest // 2)
    worth = [clause for clause in results["clauses"] if clause["verdict"] not in _QUIET]
    few: Results = {**results, "clauses": worth}
    sections = [
        Section(
            f"# Conformance of {escaped(shortened(implementation_name(results), LONGEST_NAME))}",
            0,
            "the title",
        ),
        Section(markdown_lines(summary(results).split("\n")), 0, "the summary"),
        *causes,
        Section(
            _table(results, "pipe"),
            2,
            "the table of clauses",
            instead=_table(few, "pipe"),
            lacking="the clauses that passed or are unsupported",
        ),
        Section(_tensor_table(results, "pipe"), 3, "the table of tensors"),
        *others,
        Section(escaped(shortened(one_line(where), _LONGEST_LINE)), 0, "the environment"),
    ]
    return fitted(sections, longest)


def machine_text(environment: EnvironmentResult) -> str:
    """The processor, and how busy it was; empty for older results, which do not say."""
    cores, processor = environment.get("cores"), environment.get("processor", "")
    parts = [" of ".join(filter(None, [counted(cores, "core") if cores else "", processor]))]
    if "load_average" in environment:
        load = environment["load_average"]
        parts.append(f"load average {load['start']:.2f} at the start, {load['end']:.2f} at the end")
    return ", ".join(filter(None, parts))


# Verdicts that need no look.
_QUIET = ("pass", "unsupported")

# In characters.
_LONGEST_SUMMARY, _LONGEST_FAILURE = 8000, 6000


def markdown_lines(lines: Iterable[str]) -> str:
    """Lines of text in Markdown, which are shortened if they are very long."""
    clean = [escaped(shortened(line, _LONGEST_LINE)) for line in lines]
    return "  \n".join(shortened_lines(clean, _LONGEST_SUMMARY))


def _failure_sections(results: Results, longest: int) -> tuple[list[Section], list[Section]]:
    """The failures of clauses that are causes, and those of the others, known deviations last.

    Args:
        results: of one implementation.
        longest: in characters. The first failure of each cause is more important than the tables,
            up to so many characters of them all.
    """
    failing = [clause for clause in results["clauses"] if clause["verdict"] in (*BROKEN, "waived")]
    causes: list[Section] = []
    others: list[Section] = []
    shown: set[str] = set()
    for clause in sorted(failing, key=lambda c: (c["verdict"] == "waived", not c["root_cause"])):
        text, key = failure_as_markdown(clause), cause_key(clause) or clause["id"]
        is_first = clause["root_cause"] and clause["must_hold"] and key not in shown
        longest -= length(text) if is_first else 0
        rank = 1 if is_first and longest >= 0 else 4
        shown.add(key)
        (causes if clause["root_cause"] else others).append(Section(text, rank, "failure"))
    return causes, others


def failure_as_markdown(clause: ClauseResult) -> str:
    """A heading, and the text on the failure of ``clause``, which is shortened if it is long."""
    known = clause["verdict"] == "waived"
    what = " (a cause)" if clause["root_cause"] else " (a known deviation)" if known else ""
    text = failure_text(clause)
    if len(text) > _LONGEST_FAILURE:
        text = f"{text[:_LONGEST_FAILURE]}\n..."
    return f"## {clause['id']} {escaped(one_line(clause['title']))}{what}\n\n{fenced(text)}"


def clause_table(rows: Sequence[tuple[str, str, str, str]]) -> str:
    """A table of clauses, in 80 columns: id, level, title, text."""
    headers = ["clause", "level", "title", "claim"]
    return tabulate(rows, headers, "simple", maxcolwidths=[None, None, 20, 40])


def summary(results: Results) -> str:
    """Lines of text: the verdict, the answer of the gate, reasons, and how much was judged."""
    implementation = results["implementation"]
    lines = [verdict_sentence(results, implementation_name(results)), gate_sentence(results)]
    are_broken = [c for c in broken(results) if deviates(c)]
    causes = [c for c in are_broken if c["root_cause"]]
    if causes:
        lines.append(f"Broken: {_titles(causes)}.")
        lines += [f"Diagnosis: {one_line(text)}" for text in _diagnoses(causes)]
        others = len(are_broken) - len(causes)
        if others:
            building = "further clause that builds on these is"
            several = "further clauses that build on these are"
            lines.append(f"{counted(others, building, several)} broken too.")
        missed = _possible_causes(results, causes)
        if missed:
            ids = ", ".join(clause["id"] for clause in missed)
            lines.append(f"The cause may be in clauses that were not reached: {ids}.")
    gone = [c for c in broken(results) if not deviates(c)]
    if gone:
        lines.append(f"Known deviations that are no longer broken: {_titles(gone)}.")
    recommended = broken(results, must_hold=False)
    if recommended:
        lines.append(f"Recommended, but not done: {_titles(recommended)}.")
    waived = [clause for clause in results["clauses"] if clause["verdict"] == "waived"]
    if waived:
        lines.append(f"Known deviations: {_titles(waived)}.")
    asked = {clause["id"] for clause in results["clauses"]}
    for deviation in results["deviations"]:
        if deviation["outcome"] == "unmatched" and asked.intersection(deviation["clauses"]):
            what = f"{', '.join(deviation['clauses'])}: {one_line(deviation['reason'])}"
            lines.append(f"No case was judged to which this known deviation applies: {what}")
    if implementation["undeclared"]:
        names = one_line(", ".join(implementation["undeclared"]))
        lines.append(f"Works, but is not declared: {names}.")
    for device, reason in results["missing_devices"].items():
        lines.append(one_line(f"Not tested on {device}: {reason}."))
    combinations = results["coverage"]["combinations"]
    ratios = [c["worst_ratio"] for c in results["clauses"] if c["worst_ratio"] is not None]
    worst = f", largest error {times_noise(max(ratios))}" if ratios else ""
    lines.append(
        f"{counted(sum(c['cases'] for c in results['clauses']), 'verdict')}{worst}; "
        f"{combinations['visited']} of {combinations['total']} parameter combinations visited; "
        f"profile {results['profile']}, seed {results['seed']}; {_seconds(results)}."
    )
    lines += _unfinished(results)
    for left_out in combinations["left_out"]:
        number, reason = len(left_out["combinations"]), one_line(left_out["reason"])
        lines.append(f"{counted(number, 'combination')} left out: {reason}.")
    lines += _sizes(results)
    return "\n".join(lines)


def _sizes(results: Results) -> list[str]:
    """Up to which sizes cases were judged, and how many pairs of size classes have cases."""
    found = results["coverage"]["sizes"]
    largest = [f"{axis} to {max(sizes)}" for axis, sizes in found["visited"].items() if sizes]
    if not largest:
        return []
    numbers = [number for pair in found["pairs"] for line in pair["cases"] for number in line]
    visited = sum(number > 0 for number in numbers)
    pairs = f"{visited} of {len(numbers)} pairs of size classes visited"
    return [f"Sizes: {', '.join(largest)}; {pairs}."]


def _unfinished(results: Results) -> list[str]:
    """How many tests did not finish, and how many clauses have no case because of that."""
    states = Counter(part["state"] for part in results.get("parts", {}).values())
    finished = states.pop("finished", 0)
    if not states:
        return []
    unfinished = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    clauses = unseen(results)
    no_case = f"; no case was judged of {counted(len(clauses), 'clause')}" if clauses else ""
    return [
        f"{counted(finished, 'test')} finished, {unfinished}{no_case}: --resume goes on with the "
        "file that --json writes."
    ]


def _possible_causes(results: Results, causes: list[ClauseResult]) -> list[ClauseResult]:
    """Clauses that ``causes`` build on, and that a run which was stopped did not reach."""
    if not results["stopped"]:
        return []
    below = {clause for cause in causes for clause in prerequisites(cause["id"])}
    return [clause for clause in unseen(results) if clause["id"] in below]


def _diagnoses(clauses: list[ClauseResult]) -> list[str]:
    """The diagnoses of the failures, each one once."""
    texts: dict[str, str] = {}
    for clause in clauses:
        if cause_key(clause):
            texts.setdefault(cause_key(clause), _diagnosis(clause).get("text", ""))
    return list(texts.values())


def cause_key(clause: ClauseResult) -> str:
    """A key that failures of the same cause share: ids of defects or a text; empty if unknown."""
    if _passing_runs(clause):
        return "comes and goes"
    diagnosis = _diagnosis(clause)
    return " ".join(diagnosis.get("defects", ())) or diagnosis.get("text", "")


def _diagnosis(clause: ClauseResult) -> DiagnosisResult:
    return {} if clause["failure"] is None else clause["failure"]["diagnosis"]


def _passing_runs(clause: ClauseResult) -> int:
    """In how many runs the failing case did not fail. Earlier releases ran it once."""
    failure = clause["failure"]
    return 0 if failure is None else failure.get("runs", 1) - failure.get("failed_runs", 1)


def _titles(clauses: list[ClauseResult]) -> str:
    return "; ".join(f"{clause['id']} {one_line(clause['title'])}" for clause in clauses)


def _seconds(results: Results) -> str:
    judging, inside = results["time_in_tests_seconds"], results["time_in_implementation_seconds"]
    share = f", {inside / judging:.0%} of the work inside the implementation" if judging else ""
    return f"{results['duration_seconds']:.1f} s{share}"


def _table(results: Results, style: str) -> str:
    clean = escaped if style == "pipe" else str

    def notes(text: str) -> str:
        return shortened(text, _WIDEST_NOTE_ON_A_PAGE if style == "pipe" else _WIDEST_NOTE)

    rows = [
        [
            clause["id"],
            clean(one_line(clause["title"])),
            clause["verdict"],
            cases_text(clause),
            ratio_text(clause["worst_ratio"]),
            clean(notes(one_line(note(clause)))),
        ]
        for clause in results["clauses"]
    ]
    table = _aligned(rows, _HEADERS, style, _ALIGNMENT)
    # One long note would make every row of Markdown as long.
    return re.sub(" {2,}", " ", table) if style == "pipe" else table


def _tensor_table(results: Results, style: str) -> str:
    clean = escaped if style == "pipe" else str
    dtypes, tensors = tensor_rows(results)
    rows = [[clean(one_line(tensor)), *map(ratio_text, ratios)] for tensor, ratios in tensors]
    headers = ["worst ratio of", *(clean(one_line(dtype)) for dtype in dtypes)]
    return _aligned(rows, headers, style, ("left", *["right"] * len(dtypes)))


def _aligned(
    rows: list[list[str]], headers: list[str], style: str, alignment: tuple[str, ...]
) -> str:
    # tabulate 0.9 cannot align a table without rows. Ratios are aligned as text: tabulate would
    # write 1e+06 its own way.
    return tabulate(
        rows, headers, style, colalign=alignment if rows else None, disable_numparse=True
    )


def tensor_rows(results: Results) -> tuple[list[str], list[tuple[str, list[float | None]]]]:
    """The dtypes, and for each kind of tensor the worst ratio in each dtype."""
    ratios = {(t["tensor"], t["dtype"]): t["worst_ratio"] for t in results["tensors"]}
    tensors = list(dict.fromkeys(tensor for tensor, _ in ratios))
    dtypes = dtypes_of(results, (dtype for _, dtype in ratios))
    return dtypes, [(tensor, [ratios.get((tensor, d)) for d in dtypes]) for tensor in tensors]


def dtypes_of(results: Results, found: Iterable[str]) -> list[str]:
    """The dtypes ``found``, each one once, in the order in which ``results`` name them.

    Dtypes that ``results`` do not name come last: files may be written by other programs.
    """
    in_order = dict.fromkeys(found)
    named = [dtype for dtype in results["dtypes"] if dtype in in_order]
    return list(dict.fromkeys([*named, *in_order]))


def threshold_text(everything: list[Results]) -> str:
    """The ratio above which cases fail; several, if that differs between the results."""
    return " or ".join(f"{number:g}" for number in sorted({r["threshold"] for r in everything}))


def note(clause: ClauseResult) -> str:
    """Remarks on the verdict of ``clause``."""
    notes = []
    if clause["verdict"] in BROKEN and deviates(clause):
        notes.append("cause" if clause["root_cause"] else "builds on a broken clause")
    if _passing_runs(clause):
        notes.append("comes and goes")
    if clause["verdict"] != "pass" or len(clause["counts"]) > 1:
        rest = {v: n for v, n in clause["counts"].items() if v not in ("pass", clause["verdict"])}
        notes += [f"{number} {verdict}" for verdict, number in rest.items()]
    lacking = [f"no {capability}" for capability in clause.get("lacking", ())]
    if lacking and clause["verdict"] not in ("unsupported", "not tested"):
        notes.append(", ".join(lacking))
    notes += [reason[:100] for reason in clause["reasons"]]
    return "; ".join(notes)


def ratio_text(ratio: float | None) -> str:
    """A ratio of error to noise, in few characters; empty for None."""
    return "" if ratio is None else f"{ratio:.3g}" if ratio >= 0.01 else "0.00"


def _failures_as_text(results: Results) -> list[str]:
    return [failure_text(c) for c in results["clauses"] if c["root_cause"]]


def failure_text(clause: ClauseResult) -> str:
    """The text on the failure of ``clause``."""
    failure = clause["failure"]
    if failure is None:
        text = f"{clause['id']}: " + "\n".join(clause["reasons"])
    else:
        text = failure["explanation"]
    return printable(text)
