"""How cases are drawn and judged: the same for all tests of a run."""

from __future__ import annotations

from dataclasses import dataclass

from ...spec.case import Case
from ...spec.sizes import Sizes
from ..judging.known_deviations import Deviation
from .example_database import Examples
from .profiles import Profile

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """How cases are drawn and judged.

    Attributes:
        profile: how many cases are judged.
        seed: from which all cases are drawn.
        dtypes: names of the dtypes to be judged.
        devices: names of the devices to be judged; each is present.
        case: the only case to be judged; None if tests draw their cases.
        required: capabilities whose lack is a failure.
        deviations: known deviations.
        sizes: of the cases that are judged besides.
        examples: cases that failed in earlier runs, which are tried first; None without any.
        strict: whether a broken SHOULD fails the gate, too.
        products: the format to which factors of products of float32 may be rounded; empty for none.
    """

    profile: Profile
    seed: int
    dtypes: tuple[str, ...]
    devices: tuple[str, ...]
    case: Case | None = None
    required: frozenset[str] = frozenset()
    deviations: tuple[Deviation, ...] = ()
    examples: Examples | None = None
    sizes: tuple[Sizes, ...] = ()
    strict: bool = False
    products: str = ""
