"""``--max-time``: the most informative tests first, each with a share of the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from ...spec.clauses import prerequisites
from .expected_seconds import expected_seconds

__all__ = ["Budget", "most_informative_first"]

# A test that was cut short starts from the beginning in the time that others leave, so the time of
# its first run is lost. Each test may therefore use more than its share. If it were much more, no
# time would be left for the last tests.
_SHARES = 1.5


def most_informative_first(tests: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The order in which a budget runs tests.

    A clause that builds on many others shows whether these hold too, so its test comes first. The
    second test of a clause comes after the first test of every clause.

    Args:
        tests: name of each test to the clauses that it judges.
    """
    rounds: Counter[tuple[str, ...]] = Counter()
    keys = {}
    for name, clauses in tests.items():
        shown = max(len(prerequisites(clause)) for clause in clauses)
        keys[name] = (rounds[clauses], -shown)
        rounds[clauses] += 1
    return sorted(tests, key=lambda name: keys[name])


class Budget:
    """The time of a run. Each test gets a share of what is left when it begins.

    Args:
        end: when the time is over, in seconds of ``clock``.
        tests: names of all tests, in the order in which they begin.
        processes: number of processes that run tests at once.
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
        """Begins ``test``, and returns a function that says whether the time of the test is over.

        The share follows from the tests that come later in the order, in any process.
        """
        now = self._clock()
        share = self._seconds[test] / self._rest[test]
        left = self._end - now
        until = now + left * min(1.0, _SHARES * share * self._processes)
        return lambda: self._clock() >= until
