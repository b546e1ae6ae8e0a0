"""A program in any language as an implementation, by the protocol of ``docs/protocol.md``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ...spec.capabilities import ALL
from ...spec.case import Case
from ...spec.case_fields import case_fields
from ...spec.clean_text import clean_text
from ...spec.contract import Nonconformance, Observation, ObservedTensor, Unsupported
from ...spec.precision import PRECISIONS
from ...spec.usage_error import UsageError
from .child_process import ChildProcess, Limits, ProcessFailed
from .protocol_server import PROTOCOL, stored_dtype
from .regular_file import read_regular_file
from .temporary_folder import temporary_folder

__all__ = ["PROTOCOL", "Program", "ProgramRaised"]

Array = NDArray[np.float64]

# In bytes, of the file of results. Cases are small.
_LARGEST_RESULTS = 1 << 28

# In characters, of a text that a program supplies.
_LONGEST_TEXT = 500

# A program cannot have this: a module has to be in this process.
_IMPOSSIBLE = {"module"}


class ProgramRaised(Exception):
    """The program answered that it failed; the message is its own."""


class Program:
    """An implementation in another process, which answers requests on standard input and output.

    Args:
        command: program and arguments.
        limits: of time and memory.
        environment: of the program; that of this process if None.

    Raises:
        UsageError: it does not start, or does not answer the greeting as documented.
    """

    def __init__(
        self, command: list[str], limits: Limits, environment: Mapping[str, str] | None = None
    ) -> None:
        greeting = {"method": "hello", "protocol": PROTOCOL}
        self._worker = ChildProcess(command, limits, greeting, environment)
        try:
            hello = self._worker.start()
        except ProcessFailed as error:
            raise UsageError(f"{command[0]} cannot be judged: {error}.{_hint(error)}") from error
        if "error" in hello:
            raise UsageError(f"{command[0]} cannot be judged: {_text(hello['error'])}.")
        if hello.get("protocol") != PROTOCOL:
            protocol = _text(repr(hello.get("protocol")))
            raise UsageError(f"{command[0]} answers by protocol {protocol}, not {PROTOCOL}.")
        self.name, self.version = _text(hello.get("name")), _text(hello.get("version"))
        declared = hello.get("capabilities")
        if not isinstance(declared, list):
            what = _text(repr(declared))
            raise UsageError(f"{command[0]} has to declare capabilities, not {what}.")
        unknown = [name for name in declared if not isinstance(name, str) or name not in ALL]
        if unknown:
            what = _text(repr(unknown[0]))
            raise UsageError(f"{command[0]} declares an unknown capability {what}.")
        self.capabilities = frozenset(declared) - _IMPOSSIBLE

    def run(self, case: Case) -> Observation:
        """Asks for the results of ``case``.

        Raises:
            ProcessFailed: it gives no answer.
            ProgramRaised: it answers that it failed.
            Nonconformance: its tensors cannot be read.
            Unsupported: it answers that it does not support the case.
        """
        return self._ask("run", case, {})

    def tangents(self, case: Case, direction: Mapping[str, Array]) -> Observation:
        """Forward mode: how outputs change along ``direction``."""
        return self._ask("tangents", case, direction)

    def second_derivatives(self, case: Case, direction: Mapping[str, Array]) -> Observation:
        """Double backward: how gradients, and outputs, change along ``direction``."""
        return self._ask("second_derivatives", case, direction)

    def _ask(self, method: str, case: Case, direction: Mapping[str, Array]) -> Observation:
        given = {
            **case.arguments(),
            **{f"{name}.cotangent": value for name, value in case.cotangent_values().items()},
            **{f"{name}.direction": value for name, value in direction.items()},
        }
        with temporary_folder() as folder:
            inputs, outputs = Path(folder, "inputs"), Path(folder, "outputs")
            dtype = stored_dtype(case.dtype)
            arrays = {name: np.ascontiguousarray(a.astype(dtype)) for name, a in given.items()}
            inputs.write_bytes(_last_first(save(arrays)))
            answer = self._worker.ask(
                {
                    "method": method,
                    "case": case_fields(case),
                    "inputs": str(inputs),
                    "outputs": str(outputs),
                }
            )
            if "unsupported" in answer:
                raise Unsupported(_text(answer["unsupported"]))
            if "error" in answer:
                raise ProgramRaised(_text(answer["error"]))
            try:
                tensors = load(read_regular_file(outputs, _LARGEST_RESULTS))
            except (SafetensorError, OSError, KeyError, ValueError) as error:
                raise Nonconformance(f"the results cannot be read: {error}") from error
        seconds = answer.get("seconds", 0.0)
        return Observation(
            {name: _observed(name, array, case.dtype) for name, array in tensors.items()},
            float(seconds) if isinstance(seconds, (int, float)) else 0.0,
        )


def _last_first(file: bytes) -> bytes:
    """A safetensors file whose header names the tensors in the opposite order.

    The numbers stay where they are. So a program that does not read their offsets is wrong.
    """
    end = 8 + int.from_bytes(file[:8], "little")
    entries = json.loads(file[8:end])
    header = json.dumps(dict(reversed(entries.items())), separators=(",", ":")).encode()
    return file[:8] + header.ljust(end - 8) + file[end:]


def _text(value: object) -> str:
    return clean_text(value)[:_LONGEST_TEXT]


def _hint(error: ProcessFailed) -> str:
    """What to look at first, if a program does not answer."""
    if "gave no answer" not in str(error):
        return ""
    return " Does it flush its standard output after every line?"


def _observed(name: str, array: Any, dtype: str) -> ObservedTensor:
    """The tensor of a file, which has all numbers of bfloat16 as float32."""
    if array.dtype.kind != "f":
        raise Nonconformance(f"{name} has dtype {array.dtype}")
    values = array.astype(np.float64)
    shown = str(array.dtype)
    if shown == stored_dtype(dtype):
        rounded = PRECISIONS[dtype].round(values)
        shown = dtype if np.array_equal(rounded, values, equal_nan=True) else shown
    return ObservedTensor(values, shown, "cpu")
