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

    The time begins with the first test that can judge something: processes that start and import
    frameworks take none of it.

    Args:
        seconds: that the tests may take.
        tests: names of all tests, in the order in which they begin.
        processes: number of processes that run tests at once.
        clock: in seconds, the same in all processes.
        end: when the time is over, if it began in another process.

    Attributes:
        end: when the time is over, in seconds of ``clock``; None before the first test.
    """

    def __init__(
        self,
        seconds: float,
        tests: Iterable[str],
        processes: int,
        clock: Callable[[], float],
        end: float | None = None,
    ) -> None:
        self.end = end
        self._has_begun = self._has_judged = end is not None
        self._all_seconds = seconds
        self._processes = processes
        self._clock = clock
        self._seconds = expected_seconds(tests)
        self._rest: dict[str, float] = {}
        rest = 0.0
        for name in reversed(self._seconds):
            rest += self._seconds[name]
            self._rest[name] = rest

    def is_over(self) -> bool:
        """Whether no test may begin any more. The first that can judge something always may."""
        return self._has_begun and self.end is not None and self._clock() >= self.end

    def begin_first(self) -> None:
        """Begins the time, unless it has begun. The first test of this process begins it anew."""
        if self.end is None:
            self.end = self._clock() + self._all_seconds

    def end_test(self, judged: bool) -> None:
        """Notes that a test ended. The time begins anew as long as none could judge anything."""
        self._has_judged = self._has_judged or judged
        if not self._has_judged:
            self.end = None
            self._has_begun = False

    def begin(self, test: str) -> Callable[[], bool]:
        """Begins ``test``, and returns a function that says whether the time of the test is over.

        The share follows from the tests that come later in the order, in any process.
        """
        if not self._has_begun:
            self.end = None
            self._has_begun = True
        self.begin_first()
        assert self.end is not None
        now = self._clock()
        share = self._seconds[test] / self._rest[test]
        until = now + (self.end - now) * min(1.0, _SHARES * share * self._processes)
        return lambda: self._clock() >= until
