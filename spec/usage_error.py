"""The exception for wrong input from users."""

from __future__ import annotations

__all__ = ["UsageError"]


class UsageError(Exception):
    """The user's input cannot be used.

    The message is one sentence for the user: what is wrong, where, and what to do. The command
    line prints it and exits with status 2. The pytest plugin passes it to pytest.
    """
