"""A process that answers lines of JSON, and may crash, hang or send malformed answers."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import IO

from .answer_loop import Message
from .starting import ends_with_parent

__all__ = ["ChildProcess", "ImplementationRaised", "Limits", "ProcessFailed"]

# In bytes. An answer is short: tensors travel in files.
_LONGEST_LINE = 1 << 22

# Lines that nobody asked for are not collected without end.
_MOST_LINES = 4


class ProcessFailed(Exception):
    """The process gave no answer: it ended, hung or sent a malformed one.

    It is started again for the next request.
    """


class ImplementationRaised(Exception):
    """The implementation raised an exception in its process.

    Args:
        message: type and text of the exception.
        traceback: where it was raised.
    """

    def __init__(self, message: str, traceback: str) -> None:
        super().__init__(message)
        self.traceback = traceback


class Limits:
    """The limits of a process.

    Args:
        seconds: for one answer.
        gibibytes: of memory that it allocates, and of each file that it writes (Linux:
            ``RLIMIT_DATA`` and ``RLIMIT_FSIZE``; elsewhere no limit).
        start_seconds: for the first answer, including the start and the imports of the process;
            by default as many as for one answer, and at least 30.
    """

    def __init__(
        self, seconds: float = 120.0, gibibytes: float = 8.0, start_seconds: float | None = None
    ) -> None:
        self.seconds = seconds
        self.gibibytes = gibibytes
        self.start_seconds = max(seconds, 30.0) if start_seconds is None else start_seconds


class ChildProcess:
    """Starts a command with the first request, and again after it has failed.

    Args:
        command: program and arguments.
        limits: of time and memory.
        greeting: the first request after each start.
        environment: of the process; that of this one if None.
        ids: of the requests. The process sees each of them only with its request, so that it
            cannot answer earlier if they cannot be guessed. By default they count from 1.
    """

    def __init__(
        self,
        command: Sequence[str],
        limits: Limits,
        greeting: Message,
        environment: Mapping[str, str] | None = None,
        ids: Iterator[int | str] | None = None,
    ) -> None:
        self._command = list(command)
        self._limits = limits
        self._greeting = greeting
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.Queue[bytes] = queue.Queue(_MOST_LINES)
        self._said: _Tail | None = None
        self._ids = count(1) if ids is None else ids
        atexit.register(self.stop)

    def start(self) -> Message:
        """Starts the process anew, and returns its answer to the greeting.

        Raises:
            ProcessFailed: it gave no answer.
        """
        self.stop()
        self._lines = queue.Queue(_MOST_LINES)
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
                start_new_session=True,  # so that it can be ended with all processes that it starts
                preexec_fn=ends_with_parent(),
            )
        except OSError as error:
            raise ProcessFailed(f"{self._command[0]}: {error.strerror}") from error
        _limit_size(self._process.pid, self._limits.gibibytes)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._said = _Tail(self._process.stderr)
        threading.Thread(
            target=_read, args=(self._process.stdout, self._lines), daemon=True
        ).start()
        return self._ask(self._greeting, self._limits.start_seconds)

    def ask(self, message: Message, seconds: float | None = None) -> Message:
        """The answer to ``message``.

        Args:
            message: to which an ``id`` is added.
            seconds: that the answer may take; by default those of the limits.

        Raises:
            ProcessFailed: it gave no answer.
        """
        if self._process is None:
            self.start()
        return self._ask(message, self._limits.seconds if seconds is None else seconds)

    def _ask(self, message: Message, seconds: float) -> Message:
        assert self._process is not None
        assert self._process.stdin is not None
        number = next(self._ids)
        line = json.dumps({"id": number, **message}) + "\n"
        try:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
            answer = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise self.failed(f"gave no answer within {seconds:g} s") from None
        except OSError:  # it ended before it could read, perhaps after it said something
            answer = self._last_line()
        if not answer:
            raise self.failed(self._how_ended())
        try:
            content = json.loads(answer)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict) or content.get("id") != number:
            said = answer[:100].decode("utf-8", "replace").strip()
            raise self.failed(f"gave the malformed answer {said!r}")
        return content

    def _last_line(self) -> bytes:
        try:
            return self._lines.get(timeout=1.0)
        except queue.Empty:
            return b""

    def stop(self) -> None:
        """Ends the process, if there is one."""
        if self._process is None:
            return
        # The whole group: processes that the implementation started must end, too.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        # The threads close what they read. A daemon of the process may still hold the other end.
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process = None

    def _how_ended(self) -> str:
        assert self._process is not None
        try:
            status = self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            return "closed its standard output"
        if status < 0:
            return f"was ended by {signal.Signals(-status).name}"
        return f"ended with exit status {status}"

    def failed(self, reason: str) -> ProcessFailed:
        """Ends the process, and says why, with its last words."""
        self.stop()
        last = "" if self._said is None else self._said.text()
        return ProcessFailed(f"the process {reason}" + (f"; it said: {last}" if last else ""))


class _Tail:
    """The last words on standard error, however much there is of it."""

    _MOST = 500

    def __init__(self, stream: IO[bytes]) -> None:
        self._bytes = b""
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            while chunk := os.read(stream.fileno(), 1 << 16):
                self._bytes = (self._bytes + chunk)[-self._MOST :]

    def text(self) -> str:
        """On one line; what comes within a second after the process has ended is in it."""
        self._thread.join(1.0)
        return " ".join(self._bytes.decode("utf-8", "replace").split())


def _read(stream: IO[bytes], lines: queue.Queue[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError), stream:
        while line := stream.readline(_LONGEST_LINE):
            lines.put(line)
            if len(line) == _LONGEST_LINE:  # the rest is not an answer either
                break
    lines.put(b"")


def _limit_size(pid: int, gibibytes: float) -> None:
    """Limits the memory of a process, and the size of its files."""
    if sys.platform == "linux":
        import resource

        size = int(gibibytes * 2**30)
        for limit in (resource.RLIMIT_DATA, resource.RLIMIT_FSIZE):
            with contextlib.suppress(OSError, ValueError):  # it has ended, or its limit is lower
                resource.prlimit(pid, limit, (size, size))
