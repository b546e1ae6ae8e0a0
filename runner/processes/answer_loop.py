"""The other side of :mod:`.worker`: answers lines of JSON on standard input and output."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from ...spec.contract import Unsupported
from ...spec.interrupts import is_interrupt

__all__ = ["Message", "answer_requests"]

# One request or answer, as JSON: see docs/protocol.md.
Message = dict[str, Any]


def answer_requests(answer: Callable[[Message], Message]) -> None:
    """Answers until there is nothing more to read.

    Whatever else is printed goes to standard error; nothing else reads standard input.

    Args:
        answer: from a message to its answer. What it raises is an answer too.
    """
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    for line in requests:
        message = json.loads(line)
        try:
            content = answer(message)
        except Unsupported as lacking:
            content = {"unsupported": str(lacking)}
        except BaseException as error:
            if is_interrupt(error):
                raise
            lines = traceback.format_exception(error, limit=-6)
            content = {
                "error": f"{type(error).__name__}: {error}"[:500],
                "traceback": "".join(lines)[-4000:],
            }
        answers.write(json.dumps({"id": message["id"], **content}) + "\n")
        answers.flush()
