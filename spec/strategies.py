"""The Hypothesis strategy that draws cases, and the domains that it draws from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hypothesis import strategies as st

from .case import LAYOUTS, OUTPUTS, Case
from .combinations import DROPOUT_PROBABILITIES, DROPOUTS, Combination
from .config import LSTMConfig

__all__ = ["PLAIN", "Domain", "FirstSupported", "case_strategy", "cases_strategy"]

Range = tuple[int, int]


class FirstSupported(tuple[Any, ...]):
    """Alternatives of which only the first is drawn that the implementation supports."""


@dataclass(frozen=True)
class Domain:
    """The cases that a strategy draws: alternatives for each field, and ranges of sizes.

    Hypothesis shrinks to the first alternative and to the smallest size. The ranges are small.
    So sizes are sometimes all equal, where only the values can show that axes are transposed.
    """

    num_layers: tuple[int, ...] = (1, 2, 3)
    bias: tuple[bool, ...] = (False, True)
    batch_first: tuple[bool, ...] = (False, True)
    bidirectional: tuple[bool, ...] = (False, True)
    projection: tuple[bool, ...] = (False, True)
    dropout: tuple[str, ...] = DROPOUTS
    layout: tuple[str, ...] = LAYOUTS
    states: tuple[bool, ...] = (False, True)
    dtype: tuple[str, ...] = ("float64", "float32")
    device: tuple[str, ...] = ("cpu",)
    cotangents: tuple[tuple[str, ...], ...] = (OUTPUTS,)
    weight_scale: tuple[float, ...] = (1.0, 0.5, 3.0, 10.0)
    input_scale: tuple[float, ...] = (1.0, 3.0)
    state_scale: tuple[float, ...] = (1.0, 4.0)
    input_size: Range = (1, 6)
    hidden_size: Range = (1, 6)
    proj_size: Range = (1, 5)
    seq_len: Range = (1, 8)
    batch_size: Range = (1, 4)

    def but(self, **changes: Any) -> Domain:
        """This domain with other alternatives for some fields."""
        return replace(self, **changes)

    def within(self, combination: Combination) -> Domain:
        """The part of this domain with the values of ``combination``."""
        return self.but(**{name: (value,) for name, value in vars(combination).items()})


# One layer, one direction, no options, forward only. Tests of single clauses start from it. What
# always has biases is judged with them.
PLAIN = Domain(
    num_layers=(1,),
    bias=FirstSupported((False, True)),
    batch_first=(False,),
    bidirectional=(False,),
    projection=(False,),
    dropout=("none",),
    layout=("batched",),
    states=(False,),
    cotangents=((),),
)


@st.composite
def case_strategy(draw: st.DrawFn, domain: Domain) -> Case:
    """Cases of ``domain``. Hypothesis draws the seed of the values, and shrinks it to 0.

    All numbers are drawn below 100, and put together. Among larger numbers, Hypothesis prefers
    those that it finds in the modules which are imported at the moment, so that the same seed
    would not give the same cases.
    """
    return _drawn(draw, domain)


@st.composite
def cases_strategy(draw: st.DrawFn, domains: Sequence[Domain]) -> list[Case]:
    """A case of each domain, all with the same sizes, which are drawn from the first domain.

    Args:
        domains: the same ones, or such as have one alternative each for the fields ``num_layers``,
            ``bias``, ``bidirectional``, ``projection`` and ``layout``, the same for all, and one
            for ``dropout``.
    """
    first = _drawn(draw, domains[0])
    others = enumerate(domains[1:], start=1)
    return [first, *(_drawn(draw, domain, first, place) for place, domain in others)]


def _drawn(draw: st.DrawFn, domain: Domain, like: Case | None = None, place: int = 0) -> Case:
    """A case of ``domain``, with the stack of ``like`` if there is one.

    Args:
        place: is added to the seed that is drawn, so that not all values are the same.
    """

    def choice(alternatives: tuple[Any, ...], known: Any = None) -> Any:
        if len(alternatives) == 1 or isinstance(alternatives, FirstSupported):
            return alternatives[0]
        if known is not None:
            return known
        return draw(_one_of(alternatives, tuple(map(type, alternatives))))

    def size(limits: Range, least: int = 1) -> int:
        low, high = (max(least, limit) for limit in limits)
        return low + draw(_up_to(high - low))

    stack = {} if like is None else vars(Combination.of(like))
    num_layers = choice(domain.num_layers, stack.get("num_layers"))
    bias = choice(domain.bias, stack.get("bias"))
    batch_first = choice(domain.batch_first)
    bidirectional = choice(domain.bidirectional, stack.get("bidirectional"))
    projection = choice(domain.projection, stack.get("projection"))
    dropout = choice(domain.dropout, stack.get("dropout"))
    layout = choice(domain.layout, stack.get("layout"))
    states = choice(domain.states)
    if like is None:
        seq_len, batch_size, lengths = draw(_extent(domain, layout))
        hidden_size = size(domain.hidden_size, least=2 if projection else 1)
        input_size = size(domain.input_size)
    else:
        seq_len, batch_size, lengths = like.seq_len, like.batch_size, like.lengths
        hidden_size, input_size = like.config.hidden_size, like.config.input_size
    known = like.config.dropout if like is not None and dropout == "some" else None
    probability = choice(DROPOUT_PROBABILITIES[dropout], known)
    if like is None:
        proj_size = size(_below(domain.proj_size, hidden_size)) if projection else 0
    else:
        proj_size = like.config.proj_size
    config = LSTMConfig(
        input_size=input_size,
        hidden_size=hidden_size,
        num_layers=num_layers,
        bias=bias,
        batch_first=batch_first,
        dropout=probability,
        bidirectional=bidirectional,
        proj_size=proj_size,
    )
    return Case(
        config=config,
        seq_len=seq_len,
        batch_size=batch_size,
        layout=layout,
        lengths=lengths,
        dtype=choice(domain.dtype),
        device=choice(domain.device),
        training=dropout in ("some", "one") or (dropout == "none" and choice((False, True))),
        states=states,
        weight_scale=choice(domain.weight_scale),
        input_scale=choice(domain.input_scale),
        state_scale=choice(domain.state_scale) if states else 1.0,
        cotangents=choice(domain.cotangents),
        seed=place + sum(draw(_up_to(99)) * 100**k for k in range(4)),
    )


# Hypothesis checks every new strategy, which takes longer than to draw from it.
@cache
def _one_of(alternatives: tuple[Any, ...], types: tuple[type, ...]) -> st.SearchStrategy[Any]:
    # Without the types, (False, True) would be the same key as (0, 1).
    return st.sampled_from(alternatives)


@cache
def _up_to(most: int) -> st.SearchStrategy[int]:
    return st.integers(0, most)


def _below(limits: Range, hidden_size: int) -> Range:
    """``limits``, cut to sizes below hidden_size."""
    return min(limits[0], hidden_size - 1), min(limits[1], hidden_size - 1)


@st.composite
def _extent(draw: st.DrawFn, domain: Domain, layout: str) -> tuple[int, int, tuple[int, ...]]:
    """seq_len, batch_size and lengths for ``layout``. The lengths are empty unless packed."""
    steps, rows = st.integers(*domain.seq_len), st.integers(*domain.batch_size)
    if not layout.startswith("packed"):
        return draw(steps), 1 if layout == "unbatched" else draw(rows), ()
    least = max(domain.batch_size[0], 2 if layout == "packed_unsorted" else 1)
    lengths = draw(st.lists(steps, min_size=least, max_size=max(least, domain.batch_size[1])))
    if layout == "packed_sorted":
        lengths.sort(reverse=True)
    elif lengths == sorted(lengths, reverse=True):
        lengths.reverse()
        if lengths[0] == lengths[-1]:  # all equal, so still sorted
            longest = domain.seq_len[1]
            if lengths[-1] < longest:
                lengths[-1] += 1
            else:
                lengths[0] -= 1
    return max(lengths), len(lengths), tuple(lengths)
