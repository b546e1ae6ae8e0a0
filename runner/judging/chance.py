"""Statistical tests of random draws: scipy's, and how often they may be wrong."""

from __future__ import annotations

import importlib
from typing import Any

from ...spec.contract import Unsupported

__all__ = ["FALSE_ALARMS", "scipy_stats"]

# The probability that one statistical test fails a correct implementation.
FALSE_ALARMS = 1e-9


def scipy_stats() -> Any:
    """The module ``scipy.stats``. Only tests of random draws import it.

    Raises:
        Unsupported: scipy is not installed.
    """
    try:
        return importlib.import_module("scipy.stats")
    except ImportError:
        reason = "scipy is not installed: pip install 'lstm-conformance[torch]'"
        raise Unsupported(reason) from None
