"""The implementation in the process of isolated cases, as it looks from this process.

It is neither imported nor run here. Its numbers come here, and are judged here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ...spec.capabilities import ALL
from ...spec.case import Case, CaseWithValues
from ...spec.clean_text import clean_text
from ...spec.contract import Nonconformance, Observation, ObservedTensor, Unsupported
from ...spec.usage_error import UsageError
from ..processes.answer_loop import Message
from ..processes.child_process import ChildProcess, ImplementationRaised, ProcessFailed
from ..processes.temporary_folder import temporary_folder
from .tensor_file import read_tensors, write_tensors

__all__ = ["ELSEWHERE", "IsolatedImplementation"]

# Why a rule that uses a module or its arrays by hand does not judge it in this process.
ELSEWHERE = "the module is in another process"

Array = NDArray[np.float64]

# In characters, of a name, and of a reason.
_LONGEST_NAME, _LONGEST_REASON = 200, 500


class IsolatedImplementation:
    """Has each case run in another process.

    Args:
        process: that runs :mod:`.isolated_process`.
        target: that is judged, for messages.

    Attributes:
        devices: names of the devices that were asked for and can be used.
        missing_devices: name of each other device that was asked for, to the reason.
        packages: name of each package that the implementation uses, to its version.
        bench_was_asked: whether a rule has asked for the module.

    Raises:
        UsageError: it cannot be judged.
    """

    def __init__(self, process: ChildProcess, target: str) -> None:
        self._process = process
        try:
            hello = process.start()
        except ProcessFailed as failed:
            raise UsageError(f"{target} cannot be judged: {failed}.") from None
        why = hello.get("usage") or hello.get("error")
        if why is not None:
            raise UsageError(clean_text(why))
        try:
            self.name = clean_text(hello["name"])[:_LONGEST_NAME]
            self.version = clean_text(hello["version"])[:_LONGEST_NAME]
            self.capabilities = frozenset(map(str, hello["capabilities"])) & ALL
            self.devices = tuple(map(str, hello["devices"]))
            self.missing_devices = _texts(hello["missing_devices"])
            self.packages = _texts(hello["packages"])
            self.bench_was_asked = False
            self._has_limits = hello["has_limits"] is True
        except (LookupError, TypeError, AttributeError) as error:
            raise UsageError(f"{target} cannot be judged: its process answers {error!r}.") from None

    def unsupported(self, case: Case) -> str | None:
        """Why the case is not supported, for limits that no capability describes."""
        if not self._has_limits:
            return None
        with temporary_folder() as folder:
            reason = self._answer("unsupported", case, {}, Path(folder)).get("reason")
        return None if reason is None else clean_text(reason)[:_LONGEST_REASON]

    def run(self, case: Case) -> Observation:
        """Asks for the results of ``case``.

        Raises:
            ProcessFailed: there is no answer.
            ImplementationRaised: the implementation raised an exception.
            Nonconformance: its results cannot be read.
            Unsupported: the implementation says so.
        """
        return self._ask("run", case, {})

    def tangents(self, case: Case, direction: Mapping[str, Array]) -> Observation:
        """Forward mode: how outputs change along ``direction``."""
        return self._ask("tangents", case, direction)

    def second_derivatives(self, case: Case, direction: Mapping[str, Array]) -> Observation:
        """Double backward: how gradients, and outputs, change along ``direction``."""
        return self._ask("second_derivatives", case, direction)

    def bench(self, case: Case) -> NoReturn:
        """The module is in the other process.

        Raises:
            Unsupported: always.
        """
        self.bench_was_asked = True
        raise Unsupported(ELSEWHERE)

    def tangents_under_no_grad(self, case: Case, direction: Mapping[str, Array]) -> NoReturn:
        """As :meth:`bench`: only a module is asked for this."""
        self.bench(case)

    second_derivatives_of_computed_parameters = tangents_under_no_grad

    def changed_arguments(self, case: Case) -> NoReturn:
        """The arrays are in the other process.

        Raises:
            Unsupported: always.
        """
        self.bench(case)

    def changed_results(self, case: Case, later: Case) -> NoReturn:
        """The arrays are in the other process.

        Raises:
            Unsupported: always.
        """
        self.bench(case)

    def _ask(self, method: str, case: Case, direction: Mapping[str, Array]) -> Observation:
        with temporary_folder() as folder:
            answer = self._answer(method, case, direction, Path(folder))
            try:
                described = [(str(n), str(d), str(where)) for n, d, where in answer["tensors"]]
                arrays = read_tensors(Path(folder, "outputs"), len(described))
                seconds = float(answer["seconds"])
            except (OSError, LookupError, TypeError, ValueError, MemoryError) as error:
                raise Nonconformance(f"the results cannot be read: {error}") from error
        tensors = {
            name: ObservedTensor(array, dtype, device)
            for (name, dtype, device), array in zip(described, arrays, strict=True)
        }
        return Observation(tensors, seconds)

    def _answer(
        self, method: str, case: Case, direction: Mapping[str, Array], folder: Path
    ) -> Message:
        values = case.values if isinstance(case, CaseWithValues) else {}
        message = {
            "method": method,
            "case": str(case),
            "values": list(values),
            "direction": list(direction),
            "inputs": str(folder / "inputs"),
            "outputs": str(folder / "outputs"),
        }
        if values or direction:
            write_tensors(folder / "inputs", [*values.values(), *direction.values()])
        return self._checked(self._process.ask(message))

    def _checked(self, answer: Message) -> Message:
        if "changed" in answer:
            raise self._process.failed(f"was changed: {clean_text(', '.join(answer['changed']))}")
        if "unsupported" in answer:
            raise Unsupported(clean_text(answer["unsupported"])[:_LONGEST_REASON])
        if "error" in answer:
            raise ImplementationRaised(
                clean_text(answer["error"]), clean_text(answer.get("traceback", ""))
            )
        return answer


def _texts(plain: Mapping[Any, Any]) -> dict[str, str]:
    return {clean_text(name): clean_text(value)[:_LONGEST_NAME] for name, value in plain.items()}
