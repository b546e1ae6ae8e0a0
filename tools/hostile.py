"""Tries the whole hostile corpus, and writes how many wrong passes, tracebacks and so on there are.

``python -m tools.hostile FOLDER`` runs each row of ``meta_tests/helpers/hostile_corpus.py``, and
writes ``hostile.md`` to an existing folder. The exit status is 1 if any outcome is not right.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from tabulate import tabulate

from lstm_conformance.reports.writing import write_text
from meta_tests.helpers.hostile_corpus import CORPUS, Row, Tried, attempt

from .measuring_options import measuring_parser


def main() -> int:
    """Tries and writes; the exit status says whether all outcomes are right."""
    parser = measuring_parser(__doc__, "rows at once")
    parser.add_argument("--kind", help="only rows of this kind; nothing is written")
    options = parser.parse_args()
    rows = [row for row in CORPUS if options.kind in (None, row.kind)]
    with ThreadPoolExecutor(options.n) as pool:
        tried = []
        for row, one in zip(rows, pool.map(attempt, rows), strict=True):
            tried.append(one)
            if not one.right or one.wrong_pass or one.traceback or one.lost:
                print(f"{one.status}: {row.script}\n{one.text[-1500:]}\n", flush=True)
    text = page(rows, tried)
    print(text)
    if options.kind is None:
        write_text(options.folder / "hostile.md", text)
    return int(not all(one.right for one in tried) or any(bad for one in tried for bad in one[2:5]))


def page(rows: list[Row], tried: list[Tried]) -> str:
    """The counts by kind, as a page in Markdown."""
    kinds = [*dict.fromkeys(row.kind for row in rows), "all"]
    table = []
    for kind in kinds:
        of_kind = [one for row, one in zip(rows, tried, strict=True) if kind in (row.kind, "all")]
        table.append(
            [
                kind,
                len(of_kind),
                sum(one.wrong_pass for one in of_kind),
                sum(one.traceback for one in of_kind),
                sum(one.lost for one in of_kind),
                sum(one.status is None for one in of_kind),
                sum(not one.right for one in of_kind),
            ]
        )
    headers = [
        "kind", "tried", "wrong passes", "tracebacks", "results lost", "hangs", "other outcomes",
    ]  # fmt: skip
    return (
        "# Hostile input\n\n"
        "Bad arguments, damaged files, odd environments, implementations and programs that raise, "
        "hang, crash, forge and talk nonsense, and signals. Each has a right outcome; the table is "
        "`meta_tests/helpers/hostile_corpus.py`. Made by `tox -e hostile`.\n\n"
        + tabulate(table, headers, "pipe", disable_numparse=True)
        + "\n"
    )


if __name__ == "__main__":
    sys.exit(main())
