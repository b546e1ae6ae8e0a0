"""How options go to the process that runs pytest, and results come back.

Both go through a pair of sockets. No file and no argument names the results, and they begin with an
identity that only the options tell. So nothing that an implementation writes to the paths and the
open files of its process is taken for results.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...reports.results import Results

__all__ = ["Channel", "ForgedResults", "ResultsEnd"]

# In bytes, of the line that comes before the results.
_LONGEST_HEADER = 100

# In bytes. Results of all clauses have less than a megabyte.
_LARGEST = 100_000_000

_LONGEST_PIECE = 1 << 16


class ForgedResults(Exception):
    """Something other than this run has written to the channel."""


class Channel:
    """The end of the process that wants results.

    Attributes:
        other_end: number of the open file that the other process inherits.
    """

    def __init__(self, options: str) -> None:
        self._identity = secrets.token_hex(16)
        self._own, self._other = socket.socketpair()
        self.other_end = self._other.fileno()
        self._content: bytes | None = None
        self._is_forged = False
        line = json.dumps({"identity": self._identity, "options": options}) + "\n"
        self._thread = threading.Thread(target=self._run, args=(line.encode(),), daemon=True)

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *of_error: object) -> None:
        for end in (self._own, self._other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def start(self) -> None:
        """Begins to listen, after the other process has been started."""
        self._other.close()
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be read."""
        return not self._thread.is_alive()

    def content(self) -> bytes | None:
        """What came as results, after the other process has ended; None if nothing came.

        Raises:
            ForgedResults: it is not from this run.
        """
        self._thread.join(5.0)
        if self._is_forged:
            raise ForgedResults
        return self._content

    def _run(self, line: bytes) -> None:
        with suppress(OSError):
            self._own.sendall(line)
            self._content = self._received()

    def _received(self) -> bytes | None:
        """Reads to the end of the results, and not to that of the channel.

        A process that the other one has started may hold the channel open.
        """
        content = bytearray()
        length: int | None = None
        while length is None or len(content) < length:
            piece = self._own.recv(_LONGEST_PIECE)
            if not piece:
                self._is_forged = bool(content) and length is None
                return None
            content += piece
            if length is None:
                header, end, rest = bytes(content).partition(b"\n")
                if end or len(content) > _LONGEST_HEADER:
                    length = self._length(header)
                    if length is None:
                        self._is_forged = True
                        return None
                    content = bytearray(rest)
        self._is_forged = len(content) > length
        return bytes(content)

    def _length(self, header: bytes) -> int | None:
        """The length that the header of this run announces."""
        identity, _, number = header.partition(b" ")
        if not hmac.compare_digest(identity, self._identity.encode()) or not number.isdigit():
            return None
        length = int(number)
        return length if length <= _LARGEST else None


class ResultsEnd:
    """The end of the process that makes results.

    Args:
        number: of the open file.

    Attributes:
        options: as JSON.
    """

    def __init__(self, number: int) -> None:
        self._socket = socket.socket(fileno=number)
        self._socket.set_inheritable(False)
        with self._socket.makefile("rb") as file:
            given: dict[str, Any] = json.loads(file.readline())
        self._identity, self.options = given["identity"], given["options"]

    def send(self, results: Results) -> None:
        """Sends the results, once."""
        content = json.dumps(results, allow_nan=False, ensure_ascii=False).encode()
        with self._socket:
            self._socket.sendall(f"{self._identity} {len(content)}\n".encode() + content)
