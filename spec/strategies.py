"""The Hypothesis strategy that draws cases, and the domains that it draws from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from .case import LAYOUTS, OUTPUTS, Case
from .combinations import DROPOUT_PROBABILITIES, DROPOUTS, Combination
from .config import LSTMConfig

__all__ = [
    "PLAIN",
    "STACK",
    "Domain",
    "FirstSupported",
    "case_strategy",
    "cases_strategy",
    "sizes_that_show",
]

Range = tuple[int, int]


class FirstSupported(tuple[Any, ...]):
    """Alternatives of which only the first is drawn that the implementation supports."""


@dataclass(frozen=True)
class Domain:
    """The cases that a strategy draws: alternatives for each field, and ranges of sizes.

    Hypothesis shrinks to the first alternative and to the smallest size. The ranges are small.
    So sizes are sometimes all equal, where only the values can show that axes are transposed.

    Attributes:
        unequal_lengths: whether two packed rows or more are of unequal length, as far as
            ``seq_len`` allows it.
        together: fields whose alternatives are visited in pairs, however few cases there are.
        dropout_probability: of every kind of dropout; None for those that each kind has.
        training: whether the mode is training mode, in cases without dropout.
    """

    num_layers: tuple[int, ...] = (1, 2, 3)
    bias: tuple[bool, ...] = (False, True)
    batch_first: tuple[bool, ...] = (False, True)
    bidirectional: tuple[bool, ...] = (False, True)
    projection: tuple[bool, ...] = (False, True)
    dropout: tuple[str, ...] = DROPOUTS
    dropout_probability: float | None = None
    training: tuple[bool, ...] = (False, True)
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
    unequal_lengths: bool = False
    together: tuple[str, ...] = ()
    products: str = ""

    def but(self, **changes: Any) -> Domain:
        """This domain with other alternatives for some fields."""
        return replace(self, **changes)

    def within(self, combination: Combination) -> Domain:
        """The part of this domain with the values of ``combination``."""
        return self.but(**{name: (value,) for name, value in vars(combination).items()})


# Fields that say what a stack is made of, for :attr:`Domain.together`.
STACK = ("num_layers", "bidirectional", "projection")

# One layer, one direction, no options, forward only. Tests of single clauses start from it. What
# always has biases is judged with them, and an instance with its own axes and dropout.
PLAIN = Domain(
    num_layers=(1,),
    bias=FirstSupported((False, True)),
    batch_first=FirstSupported((False, True)),
    bidirectional=(False,),
    projection=(False,),
    dropout=FirstSupported(("none", "eval")),
    layout=("batched",),
    states=(False,),
    cotangents=((),),
)


def sizes_that_show(domain: Domain) -> Domain:
    """The part of ``domain`` with sizes in which mistakes show.

    These are several steps, rows, features and units, and packed rows of unequal length. A size
    stays at its largest one if that is smaller.
    """

    def at_least(least: int, limits: Range) -> Range:
        return max(limits[0], min(least, limits[1])), limits[1]

    return domain.but(
        seq_len=at_least(2, domain.seq_len),
        batch_size=at_least(2, domain.batch_size),
        input_size=at_least(2, domain.input_size),
        # So that a projection to two features is possible.
        hidden_size=at_least(3 if True in domain.projection else 2, domain.hidden_size),
        proj_size=at_least(2, domain.proj_size),
        unequal_lengths=True,
    )


@st.composite
def case_strategy(draw: st.DrawFn, domain: Domain) -> Case:
    """Cases of ``domain``. Hypothesis draws the seed of the values, and shrinks it to 0.

    All numbers are drawn below 100, and put together. Among larger numbers, Hypothesis prefers
    those that it finds in the modules which are imported at the moment, so that the same seed
    would not give the same cases.
    """
    return _drawn(draw, domain, domain)


@st.composite
def cases_strategy(
    draw: st.DrawFn, domains: Sequence[Domain], parts: Sequence[Domain]
) -> list[Case]:
    """A case of each domain, all with the same sizes, which are drawn from the first domain.

    Args:
        domains: the same ones, or such as have one alternative each for the fields ``num_layers``,
            ``bias``, ``bidirectional``, ``projection`` and ``layout``, the same for all, and one
            for ``dropout``.
        parts: a part of each domain, or the domain itself. Most cases are drawn from the parts,
            and Hypothesis shrinks them to cases of the domains.
    """
    pairs = list(zip(domains, parts, strict=True))
    first = _drawn(draw, *pairs[0])
    return [first, *(_drawn(draw, *pair, first, k) for k, pair in enumerate(pairs[1:], start=1))]


# What cases with the same stack have in common, besides sizes.
_STACK = ("num_layers", "bias", "bidirectional", "projection", "dropout", "layout")

# Hypothesis checks every new strategy, which takes longer than to draw from it.
_BELOW_100 = st.integers(0, 99)


def _drawn(
    draw: st.DrawFn, domain: Domain, part: Domain, like: Case | None = None, place: int = 0
) -> Case:
    """A case of ``domain``, mostly of ``part``, with the stack of ``like`` if there is one.

    Args:
        place: is added to the seed that is drawn, so that not all values are the same.
    """
    stack = {} if like is None else vars(Combination.of(like))

    def one_of(alternatives: Sequence[Any], of_part: Sequence[Any]) -> Any:
        if len(alternatives) == 1 or isinstance(alternatives, FirstSupported):
            return alternatives[0]
        number = draw(_BELOW_100)
        if number < len(alternatives):  # Hypothesis shrinks to 0, the first alternative
            return alternatives[number]
        return of_part[number % len(of_part)]

    def choice(name: str) -> Any:
        alternatives = getattr(domain, name)
        if len(alternatives) > 1 and name in stack and name in _STACK:
            return stack[name]
        return one_of(alternatives, getattr(part, name))

    def size(name: str, least: int = 1, most: int = 1000) -> int:
        def within(limits: Range) -> range:
            low, high = (min(most, max(least, limit)) for limit in limits)
            return range(low, high + 1)

        return int(one_of(within(getattr(domain, name)), within(getattr(part, name))))

    num_layers = choice("num_layers")
    bias = choice("bias")
    batch_first = choice("batch_first")
    bidirectional = choice("bidirectional")
    projection = choice("projection")
    dropout = choice("dropout")
    layout = choice("layout")
    states = choice("states")
    lengths: tuple[int, ...] = ()
    if like is not None:
        seq_len, batch_size, lengths = like.seq_len, like.batch_size, like.lengths
        hidden_size, input_size = like.config.hidden_size, like.config.input_size
        proj_size = like.config.proj_size
    else:
        if layout.startswith("packed"):
            rows = size("batch_size", least=2 if layout == "packed_unsorted" else 1)
            drawn = [size("seq_len") for _ in range(rows)]
            unequal = layout == "packed_unsorted" or part.unequal_lengths
            lengths = _in_layout(layout, drawn, part.seq_len, unequal)
            seq_len, batch_size = max(lengths), len(lengths)
        else:
            seq_len = size("seq_len")
            batch_size = 1 if layout == "unbatched" else size("batch_size")
        hidden_size = size("hidden_size", least=2 if projection else 1)
        input_size = size("input_size")
        proj_size = size("proj_size", most=hidden_size - 1) if projection else 0
    if like is not None and dropout == "some":
        probability = like.config.dropout
    elif domain.dropout_probability is not None:
        probability = domain.dropout_probability
    else:
        probability = one_of(DROPOUT_PROBABILITIES[dropout], DROPOUT_PROBABILITIES[dropout])
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
        dtype=choice("dtype"),
        device=choice("device"),
        training=choice("training") if dropout == "none" else dropout in ("some", "one"),
        states=states,
        weight_scale=choice("weight_scale"),
        input_scale=choice("input_scale"),
        state_scale=choice("state_scale") if states else 1.0,
        cotangents=choice("cotangents"),
        products=domain.products,
        seed=place + sum(draw(_BELOW_100) * 100**k for k in range(4)),
    )


def _in_layout(layout: str, lengths: list[int], limits: Range, unequal: bool) -> tuple[int, ...]:
    """``lengths`` in the order of a packed layout.

    Args:
        layout: packed_sorted or packed_unsorted, which is never in order.
        lengths: of the rows.
        limits: smallest and largest length.
        unequal: whether one of two equal lengths or more is changed, if there are others. In
            packed_unsorted it is changed even if there are none.
    """
    if unequal and len(lengths) > 1 and len(set(lengths)) == 1:
        if lengths[-1] < limits[1]:
            lengths[-1] += 1
        elif lengths[0] > limits[0] or layout == "packed_unsorted":
            lengths[0] -= 1
    if layout == "packed_sorted":
        lengths.sort(reverse=True)
    elif lengths == sorted(lengths, reverse=True):
        lengths.reverse()
    return tuple(lengths)
