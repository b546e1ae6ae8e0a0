"""Implementations that run in other processes."""

from __future__ import annotations

import os

from ...spec.usage_error import UsageError

# Before a module of this folder looks for a signal that Windows does not have.
if not hasattr(os, "fork"):
    raise UsageError(
        "judging an implementation needs signals and processes of Linux or macOS. On Windows, use "
        "WSL."
    )
