"""Keeps a judgement from changing the process of the caller, and the caller from changing it."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    redirect_stderr,
    redirect_stdout,
    suppress,
)
from typing import Any, cast

import numpy as np
from threadpoolctl import ThreadpoolController

from ...spec.global_settings import global_settings, read_settings, write_settings
from ...spec.interrupts import interrupts_handled

__all__ = ["undisturbed_caller"]

# Signals whose handlers an implementation may replace. SIGINT is looked after separately.
_SIGNALS = ("SIGTERM", "SIGALRM", "SIGUSR1", "SIGUSR2")


@contextmanager
def undisturbed_caller(quiet: bool) -> Iterator[None]:
    """Inside, an implementation is judged as in a new process. Afterwards all is as before.

    That is: filters of warnings, handlers of signals, the states of random generators, the working
    folder, the recursion limit, ``sys.stdout`` and ``sys.stderr``, the number of threads of NumPy's
    OpenBLAS, and the global settings of NumPy and torch.

    Args:
        quiet: whether what is printed inside is dropped. Thousands of cases may print.
    """
    with ExitStack() as stack:
        stack.enter_context(_settings_kept())
        stack.enter_context(_generators_kept())
        stack.enter_context(_process_kept())
        if quiet:
            nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
            stack.enter_context(redirect_stdout(nowhere))
            stack.enter_context(redirect_stderr(nowhere))
        stack.enter_context(warnings.catch_warnings())
        # A filter of the caller may turn warnings into exceptions.
        warnings.simplefilter("ignore")
        stack.enter_context(_one_thread_of_openblas())
        stack.enter_context(interrupts_handled())
        yield


def _one_thread_of_openblas() -> AbstractContextManager[Any]:
    """As in the processes of the command line. It is loaded, so that a variable has no effect."""
    # The products of the reference are small: more threads would only wait.
    controller = ThreadpoolController().select(internal_api="openblas")
    return cast("AbstractContextManager[Any]", controller.limit(limits=1))


@contextmanager
def _settings_kept() -> Iterator[None]:
    before = read_settings()
    # Each use of an implementation sets them, and restores what was there before. That takes time
    # if they differ.
    write_settings({setting.name: setting.known for setting in global_settings()})
    try:
        yield
    finally:
        write_settings(before)


@contextmanager
def _generators_kept() -> Iterator[None]:
    plain, of_numpy = random.getstate(), np.random.get_state()
    torch: Any = sys.modules.get("torch")
    of_torch = torch.get_rng_state() if hasattr(torch, "get_rng_state") else None
    try:
        yield
    finally:
        random.setstate(plain)
        np.random.set_state(of_numpy)
        if of_torch is not None:
            torch.set_rng_state(of_torch)


@contextmanager
def _process_kept() -> Iterator[None]:
    is_main = threading.current_thread() is threading.main_thread()
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in numbers} if is_main else {}
    streams, limit, path = (sys.stdout, sys.stderr), sys.getrecursionlimit(), sys.path[:]
    folder = _working_folder()
    try:
        yield
    finally:
        for number, handler in handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        sys.stdout, sys.stderr = streams
        sys.setrecursionlimit(limit)
        # A target that is a file adds its folder at the end, where its later imports need it.
        sys.path[:] = [*path, *(entry for entry in sys.path if entry not in path)]
        if folder is not None and folder != _working_folder():
            with suppress(OSError):
                os.chdir(folder)


def _working_folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return None
