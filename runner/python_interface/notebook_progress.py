"""Shows in a notebook how far a run has come: one output of the cell, which is updated."""

from __future__ import annotations

import sys
from io import StringIO
from typing import Any

from ..session.progress import Progress

__all__ = ["NotebookProgress", "is_notebook"]


def is_notebook() -> bool:
    """Whether this process is the kernel of a notebook, which shows what it is told to display."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


class NotebookProgress(Progress):
    """The failures and the bar, as text. At the end the failures alone.

    Lines that overwrite each other would be kept one by one in the file of the notebook.
    """

    def __init__(self) -> None:
        from IPython.display import display

        self._failures = StringIO()
        super().__init__(self._failures)
        self._output: Any = display({"text/plain": ""}, raw=True, display_id=True)

    def close(self) -> None:
        """See :class:`.ProgressShown`."""
        self._show("")

    def _draw(self) -> None:
        self._show(self._line())

    def _erase(self) -> None:
        """Does nothing: failures and bar are shown anew each time."""

    def _show(self, line: str) -> None:
        text = f"{self._failures.getvalue()}{line}"
        self._output.update({"text/plain": text}, raw=True)
