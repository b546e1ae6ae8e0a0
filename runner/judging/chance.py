"""Tests of chance: scipy's, and how often they may be wrong."""

from __future__ import annotations

import importlib
from typing import Any

from ...spec.contract import Unsupported

__all__ = ["FALSE_ALARMS", "scipy_stats"]

# How often a correct implementation may be taken for a wrong one, in one test.
FALSE_ALARMS = 1e-9


def scipy_stats() -> Any:
    """The module ``scipy.stats``, imported only where chance is judged.

    Raises:
        Unsupported: it is not installed.
    """
    try:
        return importlib.import_module("scipy.stats")
    except ImportError:
        reason = "scipy is not installed: pip install 'lstm-conformance[torch]'"
        raise Unsupported(reason) from None
