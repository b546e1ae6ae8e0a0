"""The one exception for bad input from users."""

from __future__ import annotations

__all__ = ["UsageError"]


class UsageError(Exception):
    """The input cannot be used. The message is one sentence for the user: what, where, what to do.

    The command line prints it and exits with status 2; the pytest plugin hands it to pytest.
    """
