"""``python -m lstm_conformance.serve TARGET``: serves an implementation by the protocol.

It needs only NumPy, safetensors and the packages of the implementation.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from ...adapters.target import load
from ...spec.case import Case
from ...spec.config import LSTMConfig
from ...spec.contract import Observation
from ...spec.usage_error import UsageError
from .answer_loop import Message, answer_requests

__all__ = ["PROTOCOL", "Server", "main", "stored_dtype"]

# Version of the protocol. A change that programs for the old version would get wrong changes it.
PROTOCOL = 1


def stored_dtype(dtype: str) -> str:
    """NumPy's name of the dtype in which files have numbers of ``dtype``.

    NumPy has no bfloat16, and each of its numbers is also a float32.
    """
    return "float32" if dtype == "bfloat16" else dtype


def main() -> int:
    """Answers requests until standard input ends."""
    if len(sys.argv) != 2:
        print("usage: python -m lstm_conformance.serve TARGET", file=sys.stderr)
        return 2
    answer_requests(Server(sys.argv[1]).answer)
    return 0


class Server:
    """Answers the requests of the protocol.

    Args:
        target: as on the command line.
    """

    def __init__(self, target: str) -> None:
        self._target = target

    def answer(self, message: Message) -> Message:
        """The answer to one request. Exceptions of the implementation are passed on."""
        if message["method"] == "hello":
            return self._hello()
        case, direction = _case(message)
        method = getattr(self._implementation, message["method"])
        arguments = (case,) if message["method"] == "run" else (case, direction)
        unsupported = getattr(self._implementation, "unsupported", None)
        reason = None if unsupported is None else unsupported(case)
        if reason is not None:
            return {"unsupported": reason}
        observation: Observation = method(*arguments)
        arrays = {
            name: np.ascontiguousarray(tensor.values.astype(stored_dtype(tensor.dtype)))
            for name, tensor in observation.tensors.items()
        }
        save_file(arrays, message["outputs"])
        return {"seconds": observation.seconds}

    def _hello(self) -> Message:
        try:
            implementation = self._implementation = load(self._target)
        except UsageError as error:
            return {"error": str(error)}
        return {
            "protocol": PROTOCOL,
            "name": implementation.name,
            "version": implementation.version,
            "capabilities": sorted(implementation.capabilities),
        }


def _case(message: Message) -> tuple[Case, dict[str, Any]]:
    """The case of a message, with the values of its file, and the direction if there is one."""
    given = dict(message["case"])
    of_config = {name: given.pop(name) for name in LSTMConfig.__dataclass_fields__}
    lists = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    case = Case(LSTMConfig(**of_config), **{**given, **lists})
    values: dict[str, Any] = {}
    direction: dict[str, Any] = {}
    for name, array in load_file(message["inputs"]).items():
        owner, _, kind = name.partition(".")
        if kind == "direction":
            direction[owner] = array.astype(np.float64)
        else:
            values[f"cotangent of {owner}" if kind == "cotangent" else owner] = array
    return case.with_values(values), direction
