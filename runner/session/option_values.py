"""From the text of an option to its value. Each function raises ValueError with one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = [
    "capability",
    "clause",
    "dtype",
    "duration",
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
    if name not in names:
        raise ValueError(f"there is no {kind} {name!r}: choose from {', '.join(names)}")
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


def clause(text: str) -> str:
    """The id of a clause that can be tested."""
    from ...spec.clauses import CLAUSES, TESTABLE

    if text not in CLAUSES:
        raise ValueError(f"there is no clause {text!r}: see `lstm-conformance clauses`")
    if text not in TESTABLE:
        raise ValueError(f"clause {text} cannot be tested")
    return text


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
