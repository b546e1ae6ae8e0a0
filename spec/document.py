"""The specification as a Markdown page, generated from the clauses."""

from __future__ import annotations

from tabulate import tabulate

from .capabilities import CAPABILITIES
from .clause import Chapter, Clause, Kind
from .clauses import CHAPTERS
from .statements import INTRODUCTION, PYTORCH, STATEMENTS, TORCH

__all__ = ["document", "errata_page"]

_KINDS: dict[Kind, str] = {
    "numbers": "results, their shapes and dtypes, gradients, initial values",
    "interface": "names, shapes and forms that programs rely on, and how the layer is called",
    "side effects": "nothing but the results changes",
    "argument checks": "a wrong call is refused",
}

_HEAD = """\
# The LSTM, clause by clause

The documented behaviour of `torch.nn.LSTM` (PyTorch 2.3), in {clauses} clauses. {tested} of them
are tested. {untestable} cannot be tested, and say why. This page is generated from the clauses in
`spec/chapters/`: `lstm-conformance clauses --markdown spec/lstm.md`.

## The equations

Each layer and direction computes these equations at each step t. The reverse direction reads the
steps from the last to the first.

```text
i_t = sigmoid(W_ii x_t + b_ii + W_hi h_(t-1) + b_hi)     input gate
f_t = sigmoid(W_if x_t + b_if + W_hf h_(t-1) + b_hf)     forget gate
g_t =    tanh(W_ig x_t + b_ig + W_hg h_(t-1) + b_hg)     candidate
o_t = sigmoid(W_io x_t + b_io + W_ho h_(t-1) + b_ho)     output gate
c_t = f_t * c_(t-1) + i_t * g_t                          cell state
h_t = o_t * tanh(c_t)                                    hidden state
h_t = W_hr (o_t * tanh(c_t))                             hidden state, with a projection
```

| letter | meaning |
|---|---|
| N | batch size |
| L | length of the sequence |
| D | number of directions, 2 if bidirectional, otherwise 1 |
| H_in | input_size |
| H_cell | hidden_size |
| H_out | proj_size with a projection, otherwise hidden_size |

## How to read a clause

A **MUST** is stated by a document, follows from the equations for all numbers, or is what PyTorch
documents for every module. If an implementation breaks it, the gate fails. A **SHOULD** is what
users may expect, although no document states it. An implementation that breaks it deviates too, but
the gate passes, unless `--strict` is given. Each clause is of one kind, and `--only KIND` judges
one kind alone:

{kinds}

*Builds on* lists other clauses:
if one of them is broken, this clause is broken too. *Needs* lists capabilities: the clause is
unsupported for an implementation without them. The capabilities are:

{capabilities}
"""


def document() -> str:
    """The specification, as Markdown."""
    clauses = [clause for chapter in CHAPTERS.values() for clause in chapter.clauses]
    untestable = sum(bool(clause.untestable) for clause in clauses)
    parts = [
        _HEAD.format(
            clauses=len(clauses),
            tested=len(clauses) - untestable,
            untestable=untestable,
            kinds="\n".join(f"- {kind}: {what}" for kind, what in _KINDS.items()),
            capabilities="\n".join(f"- {name}: {what}" for name, what in CAPABILITIES.items()),
        ),
        "## Chapters\n\n" + _chapter_table(),
        *(_chapter(chapter) for chapter in CHAPTERS.values()),
        _errata(clauses),
        _statements(),
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def errata_page() -> str:
    """The errata as a page of their own, as Markdown: what documents say, and what is tested."""
    chapters = [
        (chapter, [clause for clause in chapter.clauses if clause.erratum is not None])
        for chapter in CHAPTERS.values()
    ]
    number = sum(len(clauses) for _, clauses in chapters)
    parts = [
        "# Errata",
        f"In {number} places the documents that decide are wrong, disagree, or say nothing. For "
        "each, this page says what the documents say, in our own words, what the problem is, and "
        "what is tested. Known public issues about it are linked. If you know another one, or "
        "another problem, open an issue.",
    ]
    for chapter, clauses in chapters:
        if clauses:
            parts.append(f"## {chapter.id}: {chapter.title}")
            parts += [_erratum(clause) for clause in clauses]
    return "\n\n".join(parts) + "\n"


def _erratum(clause: Clause) -> str:
    assert clause.erratum is not None
    said = [STATEMENTS[source] for source in clause.sources]
    places = [f"- {s.document}{s.section and ', ' + s.section}: {_text(s.says)}" for s in said]
    return "\n\n".join(
        [
            f"### {clause.id} {clause.title}",
            "\n".join(places),
            f"**Problem.** {_text(clause.erratum.problem)}",
            f"**What is tested.** {_reading(clause)}",
            f"**{clause.level}.** {_text(clause.text)}",
        ]
    )


def _chapter_table() -> str:
    """A Markdown table of the chapters, with numbers of clauses and errata."""
    rows: list[list[str | int]] = []
    for chapter in CHAPTERS.values():
        untestable = sum(bool(clause.untestable) for clause in chapter.clauses)
        errata = sum(clause.erratum is not None for clause in chapter.clauses)
        number = len(chapter.clauses)
        rows.append([chapter.id, chapter.title, number, number - untestable, untestable, errata])
    totals = [sum(int(row[column]) for row in rows) for column in range(2, 6)]
    headers = ["chapter", "about", "clauses", "tested", "untestable", "errata"]
    return tabulate([*rows, ["", "all", *totals]], headers, "pipe")


def _chapter(chapter: Chapter) -> str:
    parts = [f"## {chapter.id}: {chapter.title}", chapter.about]
    parts += [_clause(clause) for clause in chapter.clauses]
    return "\n\n".join(parts)


def _clause(clause: Clause) -> str:
    level = "untestable" if clause.untestable else clause.level
    parts = [f"### {clause.id} {clause.title}", f"**{level}** {_text(clause.text)}"]
    if clause.equation:
        parts.append(f"```text\n{clause.equation}\n```")
    if clause.untestable:
        parts.append(f"Not tested: {_text(clause.untestable)}")
    if clause.erratum is not None:
        parts.append(f"Erratum: {_text(clause.erratum.problem)} Tested: {_reading(clause)}")
    notes = [f"Kind: {clause.kind}.", f"From {_text(clause.source)}."]
    if clause.builds_on:
        notes.append(f"Builds on {', '.join(clause.builds_on)}.")
    if clause.needs:
        notes.append(f"Needs: {', '.join(clause.needs)}.")
    return "\n\n".join([*parts, " ".join(notes)])


def _reading(clause: Clause) -> str:
    assert clause.erratum is not None
    issues = "".join(f" ({_issue(issue)})" for issue in clause.erratum.issues)
    return _text(clause.erratum.reading) + issues


def _issue(issue: str) -> str:
    project, _, number = issue.partition("#")
    return f"[{issue}](https://github.com/{_REPOSITORIES[project]}/issues/{number})"


_REPOSITORIES = {"pytorch": "pytorch/pytorch"}


def _errata(clauses: list[Clause]) -> str:
    rows = [
        (clause.id, _text(clause.erratum.problem), _reading(clause))
        for clause in clauses
        if clause.erratum is not None
    ]
    table = tabulate(rows, ["clause", "the documents", "what is tested"], "pipe")
    return f"## Errata\n\n{table}"


def _statements() -> str:
    cited: dict[str, list[str]] = {}
    for chapter in CHAPTERS.values():
        for clause in chapter.clauses:
            for source in clause.sources:
                cited.setdefault(source, []).append(clause.id)
    rows = [
        (s.document, s.section, _text(s.says), ", ".join(cited.get(s.id, [])))
        for s in STATEMENTS.values()
    ]
    table = tabulate(rows, ["document", "section", "says, in our words", "clauses"], "pipe")
    head = (
        f"## Where clauses come from\n\nThese are all sentences of two documents. `{TORCH}` is "
        "the documentation of that class. It decides where the two disagree. The "
        f"{INTRODUCTION} is a page in Chinese that describes the layer and is based on it. "
        f"{PYTORCH} is what its documentation says of every module and function, as far as "
        "clauses rest on it."
    )
    return f"{head}\n\n{table}"


def _text(text: str) -> str:
    """Escapes names and formulas, so that Markdown does not read them as markup."""
    for mark in ("*", "_", "|", "<", ">"):
        text = text.replace(mark, f"\\{mark}")
    return text
