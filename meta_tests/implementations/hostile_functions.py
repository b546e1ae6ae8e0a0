"""LSTMs without torch that are right, but harm their process in one kind of case."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from typing import Any

import numpy as np

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.contract import Observation, ObservedTensor


def provoked(case: Case) -> bool:
    """Whether ``case`` provokes the harm."""
    config = case.config
    return config.num_layers == 3 and config.bidirectional and case.layout == "packed_sorted"


class Harmful(ReferenceLSTM):
    """Does ``harm`` in the cases that provoke it."""

    def harm(self) -> Any:
        raise NotImplementedError

    def run(self, case: Case) -> Observation:
        if provoked(case):
            self.harm()
        return super().run(case)


class Segfaulting(Harmful):
    """Reads memory that it does not own."""

    def harm(self) -> None:
        ctypes.string_at(0)


class Aborting(Harmful):
    """Aborts, as C libraries do."""

    def harm(self) -> None:
        os.abort()


class Exiting(Harmful):
    """Ends the process with exit status 0."""

    def harm(self) -> None:
        os._exit(0)


class Killed(Harmful):
    """Is killed, as by a system that has no memory left."""

    def harm(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Hanging(Harmful):
    """Never returns, and ignores signals that it can ignore."""

    def harm(self) -> None:
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, signal.SIG_IGN)
        time.sleep(3600)


class Greedy(Harmful):
    """Takes all memory there is."""

    def harm(self) -> None:
        hoard = []
        while True:
            hoard.append(np.zeros(2**24))


class Recursing(Harmful):
    """Overflows the stack of C, where Python's own limit does not help."""

    def harm(self) -> None:
        sys.setrecursionlimit(10**9)
        nested: Any = []
        for _ in range(2 * 10**5):
            nested = [nested]
        repr(nested)


class ClosingEverything(Harmful):
    """Closes every file that is open."""

    def harm(self) -> None:
        os.closerange(0, 256)


class TalkingNonsense(Harmful):
    """Writes to every file that is open."""

    def harm(self) -> None:
        for number in range(1, 64):
            with suppress(OSError):
                os.write(number, b'{"id": 1, "records": "none"}\n\xff\xfe')


class Disturbing(Harmful):
    """Changes the state of the whole process, which would affect the next case."""

    def harm(self) -> None:
        np.seterr(all="raise")
        os.chdir("/")
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class KeepingViews(ReferenceLSTM):
    """Returns the same arrays again and again, and writes into them later."""

    kept: list[Any] = []  # noqa: RUF012

    def run(self, case: Case) -> Observation:
        for array in self.kept:
            array[...] = np.nan
        observation = super().run(case)
        self.kept[:] = [tensor.values for tensor in observation.tensors.values()]
        tensors = {
            name: ObservedTensor(tensor.values[...], tensor.dtype, tensor.device)
            for name, tensor in observation.tensors.items()
        }
        return Observation(tensors, observation.seconds)
