"""``--shard I/N``: the tests in parts that take about as long as each other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .expected_seconds import expected_seconds

__all__ = ["Shard"]

# More than any matrix has: GitHub allows 256 jobs.
_MOST = 10_000


@dataclass(frozen=True)
class Shard:
    """One of so many parts of the tests.

    Attributes:
        index: which, from 1.
        count: of parts.
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
            raise ValueError(f"{text!r} is no shard: 2/8 is the second of eight, from 1/8 to 8/8")
        return cls(index, count)

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def tests(self, everything: Iterable[str]) -> set[str]:
        """Those of this shard.

        The longest first, each is given to the shard that has least to do. It depends on nothing
        but the names, so that all shards, and all processes of each, choose alike.

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
