"""The plainest case, which is tried before anything is judged.

If it raises, nearly every other case raises too, and all clauses would say so after minutes.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from ...spec.case import Case
from ...spec.clean_text import clean_text
from ...spec.config import LSTMConfig
from ...spec.contract import Implementation, Nonconformance, Unsupported
from ...spec.interrupts import is_interrupt
from ...spec.only_config import only_config
from ...spec.python_state import CannotRestore
from ...spec.usage_error import UsageError
from ..judging.trial import Trial, may_run
from ..processes.child_process import ChildProcess, ProcessFailed
from ..searching.settings import Settings
from .construction import Judged

__all__ = ["require_plainest_case", "what_plainest_cases_raise"]

_SIZES = LSTMConfig(input_size=2, hidden_size=3)
_STEPS, _ROWS = 2, 2

# An implementation that raises now and then is judged. So each case is tried so many times, and no
# attempt begins after so many seconds.
_ATTEMPTS, _SECONDS = 3, 10.0

# In characters.
_LONGEST_MESSAGE = 500


def require_plainest_case(judged: Judged, settings: Settings) -> None:
    """Tries the plainest case, in the process in which cases are judged.

    Raises:
        UsageError: each attempt raises an exception, so nothing can be judged.
    """
    if judged.isolated and judged.process is not None:
        raised = _what_all_raise([partial(_ask, judged.process)])
    else:
        raised = what_plainest_cases_raise(judged.implementation, settings)
    if raised:
        config = only_config(judged.implementation) or _SIZES
        raise UsageError(
            f"{judged.target} cannot be judged, because even the plainest case "
            f"(input_size={config.input_size}, hidden_size={config.hidden_size}, {_STEPS} steps, "
            f"{_ROWS} rows) fails: {raised}. Correct this first."
        )


def what_plainest_cases_raise(implementation: Implementation, settings: Settings) -> str:
    """The first exception, if every attempt raises one; empty if any of them returns.

    The case is tried without states and with them, in each dtype. Wrong results, and parameters
    with other names, are left to the clauses.
    """
    return _what_all_raise(
        partial(_run, implementation, case)
        for case in _plainest_cases(implementation, settings)
        if may_run(implementation, case)
    )


def _plainest_cases(implementation: Implementation, settings: Settings) -> list[Case]:
    dtypes = [name for name in settings.dtypes if name in implementation.capabilities]
    plain = Case(only_config(implementation) or _SIZES, _STEPS, _ROWS)
    return [
        replace(plain, dtype=dtype, device=device, states=states)
        for device in settings.devices[:1]
        for dtype in dtypes
        for states in (False, True)
    ]


def _run(implementation: Implementation, case: Case) -> str:
    _ = Trial(case, implementation).observation
    return ""


def _ask(process: ChildProcess) -> str:
    answer = process.ask({"plainest": True})
    if "changed" in answer:  # the next case begins in a new process, and says what changed
        process.stop()
    return str(answer.get("raised", ""))


def _what_all_raise(attempts: Iterable[Callable[[], str]]) -> str:
    """The first exception as text, if every attempt raises or returns one; otherwise empty."""
    first, start = "", time.monotonic()
    for attempt in attempts:
        for _ in range(_ATTEMPTS):
            try:
                raised = attempt()
            except (Unsupported, Nonconformance):  # clauses say what is wrong with the interface
                return ""
            except CannotRestore as error:  # nothing works any more
                return str(error)
            except BaseException as error:
                if is_interrupt(error):
                    raise
                raised = _described(error)
            if not raised:
                return ""
            first = first or raised
            if time.monotonic() - start > _SECONDS:
                return first
    return first


def _described(error: BaseException) -> str:
    """Type and message of an exception on one line, with the place where it was raised."""
    message = " ".join(clean_text(error).split())[:_LONGEST_MESSAGE].rstrip(".")
    if isinstance(error, ProcessFailed):
        return message
    return f"{type(error).__name__}{': ' if message else ''}{message}{_place(error)}"


def _place(error: BaseException) -> str:
    """The deepest line in the user's own files; otherwise in any file but those of this package."""
    package = __name__.partition(".")[0]
    frames = [
        traceback.FrameSummary(frame.f_code.co_filename, line, frame.f_code.co_name)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] != package
    ]
    own = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
