"""From the text of an option to its value. Each function raises ValueError with one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from ...spec.did_you_mean import meant

__all__ = [
    "capability",
    "clauses",
    "dtype",
    "duration",
    "named_clauses",
    "positive_number",
    "profile",
    "shard",
    "sizes",
    "whole_number",
    "workers",
    "working_precision",
]

# The tables of names are imported when a name is looked up: the pytest plugin imports this module
# in every run of pytest, and must not import NumPy.

# Limits of numbers. Larger ones are no seconds, gibibytes or processes that anybody has.
_LARGEST, _MOST_DIGITS, _MOST_WORKERS = 1_000_000_000, 18, 1000

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def _known(kind: str, name: str, names: Iterable[str]) -> str:
    names = list(names)
    if name not in names:
        raise ValueError(
            f"there is no {kind} {name!r}{meant(name, names)}: choose from {', '.join(names)}"
        )
    return name


def profile(text: str) -> str:
    """The name of a profile."""
    from ..searching.profiles import PROFILES

    return _known("profile", text, PROFILES)


def dtype(text: str) -> str:
    """The name of a dtype that is judged."""
    from ...spec.precision import PRECISIONS

    return _known("dtype", text, PRECISIONS)


def working_precision(text: str) -> str:
    """The name of a format of products."""
    from ...spec.precision import PRODUCTS

    return _known("format of products", text, PRODUCTS)


def capability(text: str) -> str:
    """The name of a capability."""
    from ...spec.capabilities import CAPABILITIES

    return _known("capability", text, CAPABILITIES)


def clauses(text: str) -> tuple[str, ...]:
    """Ids of the clauses that ``text`` names, all of which can be tested.

    Args:
        text: an id, a chapter such as ``EQ``, a pattern such as ``PACK-*``, or several of these
            with commas between them.
    """
    from ...spec.clauses import TESTABLE

    found: dict[str, None] = {}
    for part in text.split(","):
        name = part.strip()
        named = named_clauses(name)
        testable = [clause for clause in named if clause in TESTABLE]
        if not testable:
            if len(named) == 1:
                raise ValueError(f"clause {named[0]} cannot be tested")
            raise ValueError(f"no clause of {name} can be tested")
        found.update(dict.fromkeys(testable))
    return tuple(found)


def named_clauses(name: str) -> list[str]:
    """Ids of the clauses with this id, of this chapter, or that fit this pattern."""
    from ...spec.clauses import CHAPTERS, CLAUSES

    wanted = name.upper()
    named = [c.id for c in CLAUSES.values() if c.chapter == wanted or fnmatchcase(c.id, wanted)]
    if not named:
        close = meant(wanted, [*CLAUSES, *CHAPTERS])
        raise ValueError(
            f"there is no clause {name!r}{close}: `lstm-conformance clauses` lists them"
        )
    return named


def kind(text: str) -> str:
    """A kind of clauses."""
    from ...spec.clause import KINDS

    return _known("kind of clauses", text, KINDS)


def sizes(text: str) -> str:
    """Sizes, as ``hidden_size=1024 batch_size=64``."""
    from ...spec.sizes import parse_sizes

    return str(parse_sizes(text))


def shard(text: str) -> str:
    """A shard, as ``2/8``."""
    from .shards import Shard

    return str(Shard.parse(text))


def whole_number(text: str) -> int:
    """A number of at least 0, in decimal digits."""
    number = int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else -1
    if number < 0:
        raise ValueError(f"{text!r} is no whole number of at least 0, with {_MOST_DIGITS} digits")
    return number


def workers(text: str) -> int:
    """A number of processes."""
    number = whole_number(text)
    if number > _MOST_WORKERS:
        raise ValueError(f"{text!r} are too many processes: at most {_MOST_WORKERS} are possible")
    return number


def positive_number(text: str) -> float:
    """A finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= _LARGEST:
        raise ValueError(f"{text!r} is no number above 0, and at most {_LARGEST:,}")
    return number


def duration(text: str) -> float:
    """A time, as ``300``, ``90s``, ``5m`` or ``1.5h``, in seconds."""
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,3})?)([smh]?)", text)
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not seconds:
        raise ValueError(f"{text!r} is no time: give seconds, or 90s, 5m, 1h")
    return seconds
