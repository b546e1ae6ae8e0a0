"""How processes of the suite are started: what they import, and that they end with their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

__all__ = [
    "ends_with_parent",
    "environment_of_programs",
    "judging_environment",
    "python_command",
]

_PR_SET_PDEATHSIG = 1

# Has the names of flags that judging adds to the environment. Programs of users do not get them.
_ADDED = "LSTM_CONFORMANCE_ADDED"

# pytest adds these while it runs.
_OF_PYTEST = ("PYTEST_CURRENT_TEST", "PYTEST_VERSION", "PYTEST_XDIST_")

# Settings of the user that would reach the judgement.
_SETTINGS_OF_PYTEST = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DEBUG")

# Python puts the working folder first. A file in it called numpy.py or random.py would be imported
# in place of the module of that name, so the folder is searched last.
_SEARCH_LAST = """\
import sys
sys.path[:] = [folder for folder in sys.path if folder]
import lstm_conformance, os
os.getcwd() in sys.path or sys.path.append(os.getcwd())
"""


def python_command(module: str, call: str, python: str = sys.executable) -> list[str]:
    """A command that imports ``module`` and evaluates ``call`` in it; its value is the status.

    Args:
        module: its whole name.
        call: an expression, to be evaluated in the module.
        python: path of the interpreter.
    """
    return [python, "-c", f"{_SEARCH_LAST}import {module}\nsys.exit({module}.{call})"]


def judging_environment() -> dict[str, str]:
    """The environment of this process, without settings that would reach the judgement."""
    kept = {k: v for k, v in os.environ.items() if k not in _SETTINGS_OF_PYTEST}
    # The products of the reference are small. More threads of NumPy's BLAS would only wait, and
    # take time from the other processes.
    kept.setdefault("OPENBLAS_NUM_THREADS", "1")
    # glibc gives the memory of a large array back when the array is deleted, and Linux clears it
    # before it is used again. That takes a tenth of a run. These are the largest arrays that are
    # not treated so, and the most memory that is kept, in bytes.
    kept.setdefault("MALLOC_MMAP_THRESHOLD_", str(2**25))
    kept.setdefault("MALLOC_TRIM_THRESHOLD_", str(2**29))
    # Python 3.11 and later then leave the working folder out of what worker processes search.
    flags = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONSAFEPATH": "1"}
    kept.setdefault(_ADDED, " ".join(name for name in flags if name not in kept))
    return kept | flags


def environment_of_programs() -> dict[str, str]:
    """The environment of this process, without what would change how a program imports modules."""
    added = {_ADDED, *os.environ.get(_ADDED, "").split()}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in added and not name.startswith(_OF_PYTEST)
    }


def ends_with_parent(number: int = signal.SIGKILL) -> Callable[[], None]:
    """What a child process calls first, so that it gets a signal when this process ends.

    Only Linux can do that.
    """
    parent = os.getpid()
    prctl = None
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None, use_errno=True).prctl  # loaded here: a forked child may hang

    def prepare() -> None:
        # Jobs in the background of a shell ignore it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
            if os.getppid() != parent:  # it has ended in the meantime
                os.kill(os.getpid(), number)

    return prepare
