"""Hypothesis, without the constants of local modules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["no_local_constants"]

_PROVIDERS = "hypothesis.internal.conjecture.providers"
_READS, _KNOWN = "_get_local_constants", "_local_constants"


@contextmanager
def no_local_constants() -> Iterator[None]:
    """Keeps Hypothesis from reading local modules for constants.

    Recent releases of Hypothesis parse every imported module outside of ``site-packages``, and try
    its constants as examples. In a checkout of a framework these are thousands of modules, in each
    process. No case needs them: all numbers that are drawn are below 100, and Hypothesis leaves
    such constants out. It has no setting for this. If one of the two names is another one,
    runs take longer, and their cases are the same.
    """
    providers = sys.modules.get(_PROVIDERS)
    reads, known = getattr(providers, _READS, None), getattr(providers, _KNOWN, None)
    if reads is None or known is None:
        yield
        return
    setattr(providers, _READS, lambda: known)
    try:
        yield
    finally:
        setattr(providers, _READS, reads)
