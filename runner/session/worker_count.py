"""How many processes run tests, if the user does not say it."""

from __future__ import annotations

import os

from .expected_seconds import expected_seconds
from .options import Options

__all__ = ["worker_count"]

_MOST = 8

# In seconds of the default profile. A worker imports the framework before its first test, which
# takes as long as short tests do.
_WORTH_WORKERS = 30.0


def worker_count(options: Options) -> int:
    """The number of worker processes; 0 for none, if few short tests are asked for."""
    if options.workers is not None:
        return options.workers
    if options.clauses:
        from .plan import planned_tests

        if sum(expected_seconds(planned_tests(options)).values()) < _WORTH_WORKERS:
            return 0
    return min(os.cpu_count() or 1, _MOST)
