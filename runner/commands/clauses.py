"""``lstm-conformance clauses``: lists the clauses, shows one, or writes the specification."""

from __future__ import annotations

import textwrap
from argparse import Namespace

from ...reports.tables import clause_table
from ...reports.writing import check_outputs, write_text
from ...spec.clause import Clause
from ...spec.clauses import CLAUSES
from ...spec.document import document
from ...spec.statements import STATEMENTS
from ...spec.usage_error import UsageError
from ..session.option_values import named_clauses

__all__ = ["clauses"]

# In characters.
_WIDTH = 80


def clauses(options: Namespace) -> int:
    """Prints a table, prints one clause, or writes ``options.markdown``.

    Raises:
        UsageError: the file cannot be written, or there is no such clause.
    """
    check_outputs({"--markdown": options.markdown})
    if options.markdown is not None:
        if options.names:
            raise UsageError("--markdown writes all clauses: leave out the ids.")
        write_text(options.markdown, document())
        return 0
    named = _named(options.names)
    if options.names and len(named) == 1:
        print(_described(named[0]))
        return 0
    rows = [(c.id, "untestable" if c.untestable else c.level, c.title, c.text) for c in named]
    print(clause_table(rows))
    return 0


def _named(names: list[str]) -> list[Clause]:
    if not names:
        return list(CLAUSES.values())
    try:
        ids = [found for name in names for part in name.split(",") for found in named_clauses(part)]
    except ValueError as error:
        raise UsageError(f"{error}.") from None
    return [CLAUSES[clause_id] for clause_id in dict.fromkeys(ids)]


def _described(clause: Clause) -> str:
    """Everything about one clause."""
    level = "untestable" if clause.untestable else clause.level
    lines = [f"{clause.id} {clause.title} ({level}, about {clause.kind})", ""]
    lines += textwrap.wrap(clause.text, _WIDTH)
    if clause.equation:
        lines += ["", f"  {clause.equation}"]
    if clause.untestable:
        lines += ["", *textwrap.wrap(f"Not tested: {clause.untestable}", _WIDTH)]
    lines += ["", "Sources:"]
    for source in clause.sources:
        statement = STATEMENTS[source]
        where = f"{statement.document}, {statement.section}".rstrip(", ")
        lines += textwrap.wrap(
            f"{where}: {statement.says}", _WIDTH, initial_indent="  ", subsequent_indent="    "
        )
    above = [other.id for other in CLAUSES.values() if clause.id in other.builds_on]
    for what, ids in (
        ("Builds on", clause.builds_on),
        ("What builds on it directly", above),
        ("Needs the capabilities", clause.needs),
    ):
        if ids:
            lines += ["", *textwrap.wrap(f"{what}: {', '.join(ids)}.", _WIDTH)]
    return "\n".join(lines)
