"""The smallest case that broke a clause, and what is known about it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ...spec.case import Case

__all__ = ["Failure"]


@dataclass(frozen=True)
class Failure:
    """The smallest case that broke a clause.

    Attributes:
        verdict: ``fail`` or ``error``.
        case: its one line.
        first_case: the line of the case that failed first, before it was made smaller.
        finding: the tensor and element with the largest ratio; empty for an error.
        exception: type and message; empty for a fail.
        traceback: of the exception.
        plain: whether running the case alone shows it.
        diagnosis: what it looks like, see :class:`.diagnosis.Diagnosis`; empty if nothing is known.
    """

    verdict: str
    case: str
    first_case: str
    finding: dict[str, Any] = field(default_factory=dict)
    exception: str = ""
    traceback: str = ""
    plain: bool = True
    diagnosis: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int, str]:
        """Smaller failures are easier to read; ties are broken the same way every time."""
        case = Case.parse(self.case)
        return sum(math.prod(shape) for shape in case.shapes().values()), len(self.case), self.case
