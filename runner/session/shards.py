"""``--shard I/N``: divides the tests into parts that take about the same time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .expected_seconds import expected_seconds

__all__ = ["Shard"]

# The largest number of shards, far above what CI servers allow: 256 jobs on GitHub.
_MOST = 10_000


@dataclass(frozen=True)
class Shard:
    """One of several parts of the tests.

    Attributes:
        index: number of this part, from 1.
        count: number of parts.
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that ``text`` names, as ``2/8``.

        Raises:
            ValueError: it names none; the message is one sentence.
        """
        found = re.fullmatch("([0-9]{1,9})/([0-9]{1,9})", text)
        index, count = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= index <= count <= _MOST:
            raise ValueError(
                f"{text!r} is no shard: 2/8 is the second of eight, and {_MOST:,} are possible"
            )
        return cls(index, count)

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def tests(self, everything: Iterable[str]) -> set[str]:
        """The tests of this shard.

        The longest test comes first, and each goes to the shard that has the least to do. This
        depends on the names alone, so all shards, and all processes of a shard, agree on it.

        Args:
            everything: names of all tests.
        """
        seconds = expected_seconds(everything)
        loads = [0.0] * self.count
        mine = set()
        for name in sorted(seconds, key=lambda name: (-seconds[name], name)):
            least = loads.index(min(loads))
            loads[least] += seconds[name]
            if least == self.index - 1:
                mine.add(name)
        return mine
