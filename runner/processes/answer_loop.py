"""Answers the requests of :mod:`.child_process`: lines of JSON on standard input and output."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from ...spec.clean_text import clean_text
from ...spec.contract import Unsupported
from ...spec.interrupts import is_interrupt

__all__ = ["Message", "answer_requests"]

# One request or answer, as JSON: see docs/protocol.md.
Message = dict[str, Any]


def answer_requests(answer: Callable[[Message], Message]) -> None:
    """Answers requests until standard input ends.

    Everything else that is printed goes to standard error, and everything else that reads standard
    input finds it empty.

    Args:
        answer: from a request to its answer. If it raises an exception, that is the answer.
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
                "error": f"{type(error).__name__}: {clean_text(error)}"[:500],
                "traceback": clean_text("".join(lines))[-4000:],
            }
        answers.write(json.dumps({"id": message["id"], **content}) + "\n")
        answers.flush()
