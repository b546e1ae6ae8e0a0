"""Under which conditions an implementation is right that is wrong otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...spec.case import OUTPUTS, Case
from ...spec.contract import Implementation
from .wrong_elements import wrong_elements_if_run

__all__ = ["Conditions", "conditions", "is_right", "variations"]


# In training mode too.
_WITHOUT_DROPOUT = "with dropout=0"


@dataclass(frozen=True)
class Conditions:
    """Changes of a case that make a wrong result right.

    Attributes:
        of_mode: changes that leave the equations of a step as they are, in words.
        of_equations: other changes, in words.
    """

    of_mode: tuple[str, ...] = ()
    of_equations: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One sentence; empty without conditions."""
        every = (*self.of_mode, *self.of_equations)
        if not every:
            return ""
        cause = ": the mistake is in dropout" if _WITHOUT_DROPOUT in every else ""
        return f"Right {', or '.join(every)}{cause}."


def conditions(
    is_right_for: Callable[[Case], bool], cases: Sequence[Case], wrong: Iterable[str] = OUTPUTS
) -> Conditions:
    """The changes that make each of ``cases`` right.

    Args:
        is_right_for: whether the implementation is right in a case.
        cases: in which it is wrong.
        wrong: names of the results that are wrong. A case without them is not right, but has
            nothing to say.
    """
    names, found = set(wrong), []
    for of_mode in (True, False):
        of_cases = [
            {w: c for w, c in variations(case, of_mode).items() if names & {*c.result_names()}}
            for case in cases
        ]
        found.append(
            tuple(
                words
                for words in of_cases[0]
                if all(words in changed and is_right_for(changed[words]) for changed in of_cases)
            )
        )
    return Conditions(*found)


def is_right(implementation: Implementation, case: Case) -> bool:
    """Whether all results of ``case`` are right; not if it cannot be run."""
    return wrong_elements_if_run(implementation, case) == {}


def variations(case: Case, of_mode: bool) -> dict[str, Case]:
    """Cases that differ from ``case`` in one thing, by what that is in words.

    Args:
        case: with drawn values. If some are replaced, there are fewer variations.
        of_mode: True for changes that leave the equations of a step as they are: of training,
            dropout, layout and dtype.
    """
    made = {}
    for words, change in (_of_mode if of_mode else _of_equations)(case).items():
        try:
            made[words] = change()
        except ValueError:  # there is no such case
            continue
    return made


def _of_mode(case: Case) -> dict[str, Callable[[], Case]]:
    config = case.config
    found: dict[str, Callable[[], Case]] = {}
    if config.dropout and case.training:
        found[_WITHOUT_DROPOUT] = lambda: _configured(case, dropout=0.0)
    if case.training:
        found["in evaluation mode"] = lambda: replace(case, training=False)
    elif config.num_layers == 1 or config.dropout in (0.0, 1.0):
        found["in training mode"] = lambda: replace(case, training=True)
    if config.batch_first:
        found["with batch_first=False"] = lambda: _configured(case, batch_first=False)
    if case.packed:
        found["if the input is not packed"] = lambda: replace(case, layout="batched", lengths=())
    if case.layout == "unbatched":
        found["if the input is batched"] = lambda: replace(case, layout="batched")
    if case.cotangents:
        found["if no gradients are asked for"] = lambda: replace(case, cotangents=())
    other = {"float64": "float32", "float32": "float64"}.get(case.dtype, "float32")
    found[f"in {other}"] = lambda: replace(case, dtype=other)
    return found


def _of_equations(case: Case) -> dict[str, Callable[[], Case]]:
    config = case.config
    found: dict[str, Callable[[], Case]] = {}
    if config.bidirectional:
        found["with bidirectional=False"] = lambda: _configured(case, bidirectional=False)
    if config.proj_size:
        found["without a projection"] = lambda: _configured(case, proj_size=0)
    if config.num_layers > 1:
        found["with one layer"] = lambda: _configured(case, num_layers=1, dropout=0.0)
    states = "without initial states" if case.states else "with initial states"
    found[states] = lambda: replace(case, states=not case.states)
    bias = "with bias=False" if config.bias else "with bias=True"
    found[bias] = lambda: _configured(case, bias=not config.bias)
    return found


def _configured(case: Case, **changes: Any) -> Case:
    return replace(case, config=replace(case.config, **changes))
