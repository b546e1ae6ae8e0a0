"""``lstm-conformance clauses``: lists the clauses, or writes the specification."""

from __future__ import annotations

from argparse import Namespace

from ...reports.tables import clause_table
from ...reports.writing import check_outputs, write_text
from ...spec.clauses import CLAUSES
from ...spec.document import document

__all__ = ["clauses"]


def clauses(options: Namespace) -> int:
    """Prints a table, or writes ``options.markdown``.

    Raises:
        UsageError: the file cannot be written.
    """
    check_outputs({"--markdown": options.markdown})
    if options.markdown is not None:
        write_text(options.markdown, document())
        return 0
    rows = [
        (c.id, "untestable" if c.untestable else c.level, c.title, c.text) for c in CLAUSES.values()
    ]
    print(clause_table(rows))
    return 0
