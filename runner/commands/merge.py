"""``lstm-conformance merge``: joins the results of all shards of one run."""

from __future__ import annotations

from argparse import Namespace

from ...reports.reading import read_results
from ...reports.writing import check_outputs, several
from ...spec.usage_error import UsageError
from ..gate.baseline import Question, read_baseline
from ..gate.conclusion import conclude
from ..gate.merging import merged

__all__ = ["merge"]


def merge(options: Namespace) -> int:
    """Joins ``options.results``, prints and writes the results, and returns the exit status.

    Raises:
        UsageError: they cannot be joined. Nothing is written then.
    """
    check_outputs(
        {"--json": options.json, "--markdown": options.markdown},
        {"the baseline": options.baseline, **several("shard", options.results)},
    )
    if len({path.resolve() for path in options.results}) < len(options.results):
        raise UsageError("one of the files is named twice.")
    results = merged({str(path): read_results(path) for path in options.results})
    baseline = None
    if options.baseline is not None:
        earlier = read_baseline(options.baseline, Question.of_results(results))
        baseline = (options.baseline, earlier)
    return conclude(
        results,
        json=options.json,
        markdown=options.markdown,
        baseline=baseline,
        verbose=options.verbose,
        quiet=options.quiet,
    )
