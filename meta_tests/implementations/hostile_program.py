"""Programs that answer by the protocol, except in one kind of case: ``hostile_program.py KIND``."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from lstm_conformance.runner.processes.answer_loop import answer_requests
from lstm_conformance.runner.processes.protocol_server import Server


def provoked(message: dict[str, Any]) -> bool:
    """As :func:`.hostile_functions.provoked`."""
    case = message.get("case", {})
    return bool(case) and (
        (case["num_layers"], case["bidirectional"], case["layout"]) == (3, True, "packed_sorted")
    )


def harm(kind: str, message: dict[str, Any], answer: dict[str, Any], stdout: int) -> None:
    """What a program of this kind does in addition to its answer, or instead of it."""
    outputs = Path(message["outputs"])
    if kind == "printing":
        os.write(stdout, b"Loading model...\n")
    elif kind == "malformed":
        os.write(stdout, b'{"id": \n')
    elif kind == "endless-line":
        os.write(stdout, b"x" * 2**20)
        time.sleep(3600)
    elif kind == "other-id":
        answer["id"] = -1
    elif kind == "truncated":
        outputs.write_bytes(outputs.read_bytes()[:-7])
    elif kind == "no-file":
        outputs.unlink()
    elif kind == "huge-header":
        outputs.write_bytes(b"\xff" * 16)
    elif kind == "pipe":
        outputs.unlink()
        os.mkfifo(outputs)
    elif kind == "device":
        outputs.unlink()
        outputs.symlink_to("/dev/zero")
    elif kind == "file-with-a-hole":
        os.truncate(outputs, 2**30)
    elif kind == "endless-message":
        with suppress(BrokenPipeError):
            for _ in range(200):
                os.write(stdout, b"x" * 10**6)
    elif kind == "deep-message":
        os.write(stdout, b"[" * 10**6 + b"\n")
    elif kind == "long-reason":
        answer["unsupported"] = "\x1b[2J" + "x" * 10**6
    elif kind == "dying":
        os.abort()
    elif kind == "deaf":
        time.sleep(3600)
    elif kind == "raising":
        raise ValueError("<script>" + "x" * 10**6)


def main(kind: str) -> None:
    """Serves the reference."""
    stdout = os.dup(1)
    server = Server("reference")

    def answer(message: dict[str, Any]) -> dict[str, Any]:
        content = server.answer(message)
        if provoked(message):
            harm(kind, message, content, stdout)
        return content

    answer_requests(answer)


if __name__ == "__main__":
    main(sys.argv[1])
