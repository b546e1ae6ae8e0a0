"""What all code of a process shares in Python: builtins, modules, garbage collector, output.

An implementation that replaces ``len``, empties ``sys.path`` or closes the output of the process
would spoil what comes after it: the next case, and pytest.
"""

from __future__ import annotations

import builtins
import gc
import os
import sys
from contextlib import suppress
from itertools import chain
from operator import is_
from types import ModuleType
from typing import Any, ClassVar

__all__ = ["CannotRestore", "PythonState"]

_BUILTINS = vars(builtins)
_STREAMS = ("stdout", "stderr")

# The modules of these packages are compared one by one. Of others it is seen if some are missing.
_OWN = ("lstm_conformance", "math", "numpy", "pytest", "_pytest", "hypothesis")

# File descriptors of the outputs.
_OUTPUTS = (1, 2)


class CannotRestore(Exception):
    """The implementation closed an output stream. The message names it."""


class PythonState:
    """The state when this object is made. It holds two files open until :meth:`close`, or ``with``.

    What is added to builtins, ``sys.path`` or ``sys.modules`` is no change: modules that are
    imported late do so.
    """

    def __init__(self) -> None:
        self._builtins = dict(_BUILTINS)
        self._path, self._entries = sys.path, sys.path[:]
        self._modules, self._known = sys.modules, _known_modules()
        self._collects = gc.isenabled()
        self._streams = {name: getattr(sys, name) for name in _STREAMS}
        self._open = [name for name, stream in self._streams.items() if not _is_closed(stream)]
        self._outputs = {number: _duplicate(number) for number in _OUTPUTS}

    def __enter__(self) -> PythonState:
        return self

    def __exit__(self, *of_error: object) -> None:
        self.close()

    def restore(self) -> list[str]:
        """Restores what has changed, and returns the names of it.

        A stream that was closed stays closed.
        """
        # Until builtins are restored, nothing here may use them.
        before, now = self._builtins, _BUILTINS
        changed = [f"builtins.{name}" for name in before if now.get(name) is not before[name]]
        if changed:
            now.update(before)
        restored = self._restore_modules(), self._restore_path(), self._restore_streams()
        return [*changed, *chain(*restored), *self._restore_outputs(), *self._restore_collector()]

    def closed(self) -> list[str]:
        """Names of the streams that were closed."""
        return [f"sys.{name}" for name in self._open if _is_closed(self._streams[name])]

    def close(self) -> None:
        """Closes the files that this object holds open."""
        for output in self._outputs.values():
            if output is not None:
                with suppress(OSError):
                    os.close(output[0])

    def _restore_modules(self) -> list[str]:
        modules = self._modules
        is_same = sys.modules is modules and len(modules) >= len(self._known)
        own = _Cache.own
        if is_same and all(map(is_, map(modules.get, own), own.values())):
            return []
        sys.modules = modules
        for name, module in self._known.items():
            if modules.get(name) is not module:
                modules[name] = module
        return ["sys.modules"]

    def _restore_path(self) -> list[str]:
        now = sys.path if isinstance(sys.path, list) else []
        texts = {entry for entry in now if type(entry) is str}
        if sys.path is self._path and texts.issuperset(self._entries):
            return []
        known = set(self._entries)
        added = [entry for entry in now if type(entry) is str and entry not in known]
        sys.path = self._path
        sys.path[:] = [*self._entries, *added]
        return ["sys.path"]

    def _restore_collector(self) -> list[str]:
        if gc.isenabled() == self._collects:
            return []
        (gc.enable if self._collects else gc.disable)()
        return ["the garbage collector"]

    def _restore_streams(self) -> list[str]:
        changed = self.closed()
        for name, stream in self._streams.items():
            if getattr(sys, name, None) is not stream:
                setattr(sys, name, stream)
                changed.append(f"sys.{name}")
        return changed

    def _restore_outputs(self) -> list[str]:
        changed = []
        for number, output in self._outputs.items():
            if output is not None and _identity(number) != output[1]:
                changed.append(f"file descriptor {number}")
                with suppress(OSError):  # the implementation closed the other one, too
                    os.dup2(output[0], number)
        return changed


class _Cache:
    known: ClassVar[dict[str, ModuleType]] = {}
    own: ClassVar[dict[str, ModuleType]] = {}


def _known_modules() -> dict[str, ModuleType]:
    """The modules that are imported. There are thousands, so that they are copied if more are."""
    if len(_Cache.known) != len(sys.modules):
        _Cache.known = sys.modules.copy()
        _Cache.own = {n: m for n, m in _Cache.known.items() if n.partition(".")[0] in _OWN}
    return _Cache.known


def _is_closed(stream: Any) -> bool:
    try:
        return bool(stream.closed)
    except Exception:  # it need not be a file
        return False


def _duplicate(number: int) -> tuple[int, tuple[int, int] | None] | None:
    """A second descriptor of an open file, and which file that is; None if none is open."""
    try:
        return os.dup(number), _identity(number)
    except OSError:
        return None


def _identity(number: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(number)
    except OSError:
        return None
    return found.st_dev, found.st_ino
