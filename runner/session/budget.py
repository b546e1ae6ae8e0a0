"""``--max-time``: the most telling tests first, each with a share of the time that is left."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from ...spec.clauses import prerequisites
from .expected_seconds import expected_seconds

__all__ = ["Budget", "most_telling_first", "seconds_of"]

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}

# Tests that were cut short begin anew in what others leave over, which takes their time twice, so
# each may have more than its share. Much more would leave nothing to the last where time is scarce.
_SHARES = 1.5


def seconds_of(text: str) -> float:
    """A time, as ``300``, ``90s``, ``5m`` or ``1.5h``, in seconds.

    Raises:
        ValueError: it is none, or not above zero; the message is one sentence.
    """
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,3})?)([smh]?)", text)
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not seconds:
        raise ValueError(f"{text!r} is no time: give seconds, or 90s, 5m, 1h")
    return seconds


def most_telling_first(tests: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Names of ``tests``, given with their clauses, in the order in which a budget runs them.

    A clause that builds on many others tells of all of them, so its test comes first; the second
    test of a clause comes when every clause has had one.
    """
    rounds: Counter[tuple[str, ...]] = Counter()
    keys = {}
    for name, clauses in tests.items():
        told = max(len(prerequisites(clause)) for clause in clauses)
        keys[name] = (rounds[clauses], -told)
        rounds[clauses] += 1
    return sorted(tests, key=lambda name: keys[name])


class Budget:
    """The time of a run, of which each test gets a share as it begins.

    Args:
        end: when it is over, by ``clock``.
        tests: names of all, in the order in which they are begun.
        processes: how many run tests at once.
        clock: in seconds.
    """

    def __init__(
        self, end: float, tests: Iterable[str], processes: int, clock: Callable[[], float]
    ) -> None:
        self._end = end
        self._processes = processes
        self._clock = clock
        self._seconds = expected_seconds(tests)
        self._rest: dict[str, float] = {}
        rest = 0.0
        for name in reversed(self._seconds):
            rest += self._seconds[name]
            self._rest[name] = rest

    def is_over(self) -> bool:
        """Whether no test may begin any more."""
        return self._clock() >= self._end

    def begin(self, test: str) -> Callable[[], bool]:
        """Begins ``test``, and returns what tells whether its time is over.

        Its place in the order says how much is to be done after it, in whatever process.
        """
        now = self._clock()
        share = self._seconds[test] / self._rest[test]
        left = self._end - now
        until = now + left * min(1.0, _SHARES * share * self._processes)
        return lambda: self._clock() >= until
