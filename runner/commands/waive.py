"""``lstm-conformance waive``: drafts a file of known deviations."""

from __future__ import annotations

import sys
from argparse import Namespace

from ...reports.reading import read_results
from ...reports.writing import check_outputs, write_text
from ...spec.clean_text import counted
from ...spec.usage_error import UsageError
from ..gate.deviation_draft import draft, remarks, toml_text

__all__ = ["waive"]


def waive(options: Namespace) -> int:
    """Prints a draft from ``options.results``, or writes it to ``options.toml``.

    Raises:
        UsageError: the results are damaged, or the file is there already or cannot be written.
    """
    check_outputs({"--toml": options.toml}, {"the results": options.results})
    if options.toml is not None and options.toml.exists():
        # Reasons and links in it were written by hand.
        raise UsageError(f"{options.toml} is there already: name a new file, and compare the two.")
    results = read_results(options.results)
    deviations = draft(results, str(options.results))
    text = toml_text(deviations, results["implementation"]["name"])
    for remark in remarks(results, deviations):
        print(f"lstm-conformance: {remark}", file=sys.stderr)
    if options.toml is None:
        print(text, end="")
        return 0
    write_text(options.toml, text)
    clauses = {clause for deviation in deviations for clause in deviation.clauses}
    known, of = counted(len(deviations), "known deviation"), counted(len(clauses), "clause")
    print(f"{options.toml}: {known} of {of}.")
    return 0
