"""``python -m lstm_conformance``, and the command ``lstm-conformance``."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    """Runs one command and returns its exit status."""
    # An interrupt while modules are imported is the end as well, not a traceback.
    for number in _SIGNALS:
        signal.signal(number, lambda *_: os._exit(3))
    from lstm_conformance.runner.commands.main import main as command

    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    try:
        status = command()
    except KeyboardInterrupt:
        status = 3
    finally:
        # A later signal must not change the exit status until the interpreter has ended.
        _do_nothing_on_signals()
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
    if status == 3:
        # A signal that comes while the interpreter ends may still end it, with another status.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(3)
    return status


def _interrupt(*of_signal: object) -> NoReturn:
    _do_nothing_on_signals()
    raise KeyboardInterrupt


def _do_nothing_on_signals() -> None:
    # Python complains about a signal that is on its way when SIG_IGN is set.
    for number in _SIGNALS:
        signal.signal(number, lambda *_: None)


if __name__ == "__main__":
    # `python -m` puts the working folder first. A file in it called numpy.py must not be imported.
    with suppress(FileNotFoundError):  # the folder was removed
        if sys.path[:1] in ([os.getcwd()], [""]):
            sys.path.append(sys.path.pop(0))
    sys.exit(main())
