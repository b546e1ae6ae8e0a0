"""The cases of given sizes: which, and with which other parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from zlib import crc32

from ...spec.capabilities import CAPABILITIES, needed
from ...spec.case import OUTPUTS, Case
from ...spec.combinations import DROPOUT_PROBABILITIES, Combination, covering_array
from ...spec.config import LSTMConfig
from ...spec.sizes import (
    CLASSES,
    DEEP_OR_NARROW,
    EVERYDAY,
    FEW_EVERYDAY,
    FEW_TOGETHER,
    IN_BULK,
    LADDERS,
    NOT_BY_FOUR,
    Sizes,
    class_of,
    layout_of,
    pair_rows,
    unequal_lengths,
    work,
)
from ...spec.strategies import Domain

__all__ = [
    "case_of_sizes",
    "cases_of_sizes",
    "has_options_of",
    "ladder",
    "sizes_together",
]


def ladder(axis: str, everything: bool) -> list[Sizes]:
    """Sizes of ``axis``, the others staying small: all of its ladder, or one of each class."""
    steps = LADDERS[axis]
    if not everything:
        # The largest of each class is a power of two; the last class has no largest one.
        of_class = [[s for s in steps if class_of(s) == k] for k in range(len(CLASSES))]
        steps = tuple(some[0] if some == of_class[-1] else some[-1] for some in of_class if some)
    return [_with(axis, size) for size in steps]


def _with(axis: str, size: int) -> Sizes:
    if axis == "proj_size":
        return Sizes(hidden_size=size + 1, proj_size=size)
    return Sizes()._replace(**{axis: size})


def sizes_together(limit: float) -> tuple[tuple[Sizes, ...], dict[str, str]]:
    """Sizes in which pairs of classes occur, and pairs that are left out; few without a limit."""
    rows, left_out = pair_rows(limit) if limit else (FEW_TOGETHER, {})
    in_bulk, everyday = (IN_BULK, EVERYDAY) if limit else (IN_BULK[:1], FEW_EVERYDAY)
    return (*rows, *DEEP_OR_NARROW, *in_bulk, *NOT_BY_FOUR, *everyday), left_out


# In seconds of work.
_LONG = 0.3

# Of eight neighbouring cases that take long, those without gradients: a batched and a packed one.
_WITHOUT_GRADIENTS = (3, 6)


# Of neighbouring cases. In a quick look, the case after the largest power of two has the first of
# them: what is cut off before the last step of a long sequence shows for h_n alone.
_COTANGENTS = (("h_n",), OUTPUTS, ("output",), ("c_n",))


def _cotangents(sizes: Sizes, place: int) -> tuple[str, ...]:
    """Outputs that have cotangents: all of them if several sizes are large.

    Otherwise gradients of long sequences, which shrink from step to step, meet the coarser noise of
    large tensors.
    """
    if _several_are_large(sizes):
        return OUTPUTS
    # In the next four places each is in another one, so that it meets each dtype.
    return _COTANGENTS[(place + place // 4) % len(_COTANGENTS)]


def _several_are_large(sizes: Sizes) -> bool:
    return sum(class_of(size) > 0 for size in sizes[:5]) > 1


@cache
def _combinations() -> tuple[Combination, ...]:
    return tuple(covering_array(strength=2))


def cases_of_sizes(
    sizes: Sizes,
    place: int,
    declared: frozenset[str],
    dtypes: tuple[str, ...],
    device: str,
    *,
    in_full: bool = False,
    only: LSTMConfig | None = None,
    domain: Domain | None = None,
) -> tuple[list[list[Case]], str]:
    """Cases of ``sizes`` that an implementation with the capabilities ``declared`` supports.

    There are batched and packed ones. Of each kind one has gradients, and the other one has none,
    and differs in dtype and states. If a case takes long, there are fewer, unless all are asked
    for: see ``_few``. Layouts and dropout go through a covering array, and other parameters are
    drawn, so that neighbouring sizes have different ones.

    Args:
        sizes: the sizes.
        place: that tells these sizes from their neighbours.
        declared: names of capabilities.
        dtypes: names of the dtypes that are judged.
        device: name of the device.
        in_full: whether all four cases are asked for.
        only: the only configuration of the implementation, which has ``sizes``; None for any.
        domain: that has cases without dropout. There is one case of each kind, which is in it but
            for its sizes. None for all cases.

    Returns:
        Groups of cases with the same stack, and the reason if there is none.
    """
    groups: list[list[Case]] = []
    missing: set[str] = set()
    is_long = work(sizes) > _LONG and not in_full
    exactly = in_full or domain is not None
    for packed in (True, False) if place % 2 else (False, True):
        for group in _groups(sizes, place, packed, declared, dtypes, device, exactly=exactly):
            if only is not None:
                training = only.dropout == 1  # otherwise results are random
                group = [replace(case, config=only, training=training) for case in group]
            if domain is not None:
                group = _in_domain(group, domain, place, plain=only is None)
                if not group:
                    continue
            lacking = frozenset().union(*map(needed, group)) - declared - {"gradients"}
            if not lacking:
                if is_long:
                    group = _few(group, sizes, place, again=bool(groups))
                if "gradients" not in declared:
                    group = [replace(case, cotangents=()) for case in group]
                together = len({case.config.bidirectional for case in group}) == 1
                groups += [group] if together else [[case] for case in group]
                break
            missing |= lacking
    reason = ", ".join(f"no {name}" for name in CAPABILITIES if name in missing)
    return groups, "" if groups else reason


def _in_domain(group: list[Case], domain: Domain, place: int, plain: bool) -> list[Case]:
    """The case of a group that ``domain`` would have in these sizes; empty if there is none.

    If it is ``plain``, it has no dropout.
    """
    case = group[0 if any(domain.cotangents) else -1]
    cotangents = domain.cotangents[place % len(domain.cotangents)]
    if plain:
        training = case.training if case.training in domain.training else domain.training[0]
        case = replace(case, config=replace(case.config, dropout=0.0), training=training)
    case = replace(
        case,
        states=case.states if case.states in domain.states else domain.states[0],
        cotangents=cotangents if case.cotangents else (),
    )
    return [case] if has_options_of(domain, case) else []


def has_options_of(domain: Domain, case: Case) -> bool:
    """Whether ``domain`` has the options of ``case``."""
    options = vars(Combination.of(case)).items()
    return all(value in getattr(domain, name) for name, value in options)


def _few(group: list[Case], sizes: Sizes, place: int, *, again: bool) -> list[Case]:
    """Those of the two cases of a group that are judged if they take long.

    It is one of them, mostly that with gradients, of batched or packed input. Of the largest sizes
    it is both: the one without gradients has both directions, in which long sequences may be read
    in other pieces, so of these there is one for batched and one for packed input.

    Args:
        group: the two cases.
        sizes: their sizes.
        place: that tells these sizes from their neighbours.
        again: whether there are cases of the other kind of input already.
    """
    if again:
        return group[1:] if _class_is_last(sizes.seq_len) else []
    return group if _is_largest(sizes) else [group[place % 8 in _WITHOUT_GRADIENTS]]


def _class_is_last(size: int) -> bool:
    return class_of(size) == len(CLASSES) - 1


def _is_largest(sizes: Sizes) -> bool:
    return _class_is_last(max(sizes))


def _groups(
    sizes: Sizes,
    place: int,
    packed: bool,
    declared: frozenset[str],
    dtypes: tuple[str, ...],
    device: str,
    *,
    exactly: bool,
) -> Iterator[list[Case]]:
    """Two cases, for one combination after the other, beginning at ``place``.

    They have the same stack, but the first one may lack a direction. Unless they have ``exactly``
    these sizes, both have few steps and one row if one of them has no batch axis.
    """
    combinations = _combinations()
    # A domain may leave out most of what is drawn.
    for k in range(_ATTEMPTS * len(combinations)):
        combination = combinations[(place + k) % len(combinations)]
        if combination.layout.startswith("packed") != packed:
            continue
        for dropout in (combination.dropout, "none"):
            combination = replace(combination, dropout=dropout)
            first, second, training = _two_of(combination, sizes, place + k, declared)
            own = sizes
            if "unbatched" in (first.layout, second.layout):
                own = sizes if exactly else _of_a_stream(sizes, place)
                if own.batch_size > 1 or "unbatched" not in declared:
                    first, second = (replace(c, layout="batched") for c in (first, second))
            names = [dtypes[(place + n) % len(dtypes)] for n in range(2)]
            group = [
                case_of_sizes(own, replace(one, dtype=name), cotangents, device)
                for one, name, cotangents in zip(
                    (first, second), names, (_cotangents(sizes, place), ()), strict=True
                )
            ]
            if dropout == "none":  # otherwise its kind says which mode it is
                group = [replace(case, training=training) for case in group]
            yield group


def _two_of(
    combination: Combination, sizes: Sizes, number: int, declared: frozenset[str]
) -> tuple[Combination, Combination, bool]:
    """Two combinations with the layout and the dropout of ``combination``, and options by chance.

    The last one is whether the mode is training mode. Only one combination has states, and at most
    one has no batch axis. In a covering array, two options may determine a third one: then there
    would be no large cases with ``batch_first`` and without states, for example.
    """
    bits = crc32(f"{_SALT} {number} {combination.layout} {sizes}".encode())
    bias, states, both, projected, deep, deeper, exchanged, training, *batch_first = (
        bool(bits >> bit & 1) for bit in range(10)
    )
    # In the largest cases one has both directions, see `_few`.
    is_large = _is_largest(sizes) and work(sizes) > _LONG
    stack = replace(
        combination,
        num_layers=1 + deep + (deep and deeper) if "layers" in declared else 1,
        bias=bias or "no-bias" not in declared,
        bidirectional=(both or is_large) and "bidirectional" in declared,
        projection=projected and "projection" in declared,
    )
    layouts = [combination.layout] * 2
    if combination.layout == "unbatched":
        layouts[0 if exchanged else 1] = "batched"
    first, second = (
        replace(
            stack,
            layout=layout,
            batch_first=batch_first[place] and "batch-first" in declared,
            states=(states != bool(place)) and "states" in declared,
        )
        for place, layout in enumerate(layouts)
    )
    return first, second, training


_ATTEMPTS = 10

# With this number, any three of ten options meet large sizes in the default profile, and nearly
# any two in a quick look, as tests show.
_SALT = 87


def _of_a_stream(sizes: Sizes, place: int) -> Sizes:
    """``sizes`` with one row, and every other time with one step, unless these are large."""
    small = Sizes()
    rows = 1 if sizes.batch_size == small.batch_size else sizes.batch_size
    steps = 1 if sizes.seq_len == small.seq_len and place % 2 else sizes.seq_len
    return sizes._replace(batch_size=rows, seq_len=steps)


def case_of_sizes(
    sizes: Sizes, combination: Combination, cotangents: tuple[str, ...], device: str
) -> Case:
    """The case of ``sizes`` with the other parameters of ``combination``.

    Packed rows have unequal lengths. A case that takes long has few layers and directions.
    """
    hidden = sizes.hidden_size
    seconds = work(sizes)
    proj = max(1, hidden // 2) if combination.projection and hidden > 1 else 0
    config = LSTMConfig(
        input_size=sizes.input_size,
        hidden_size=hidden,
        num_layers=_layers(sizes, combination),
        bias=combination.bias,
        batch_first=combination.batch_first,
        dropout=DROPOUT_PROBABILITIES[combination.dropout][0],
        bidirectional=combination.bidirectional and seconds < _two_directions(sizes, cotangents),
        proj_size=sizes.proj_size or proj,
    )
    seq_len, batch_size = sizes.seq_len, sizes.batch_size
    lengths: tuple[int, ...] = ()
    if combination.layout.startswith("packed"):
        in_order = combination.layout == "packed_sorted"
        lengths = unequal_lengths(seq_len, batch_size, in_order)
    return Case(
        config,
        seq_len=seq_len,
        batch_size=batch_size,
        layout=layout_of(lengths) if lengths else combination.layout,
        lengths=lengths,
        dtype=combination.dtype,
        device=device,
        training=combination.dropout == "one",
        states=combination.states,
        cotangents=cotangents,
    )


# In seconds of work of one layer: up to which a case has any number of layers, and up to which one
# or two. Where several sizes are large, there are many cases that take long.
_ANY_LAYERS_UP_TO, _TWO_LAYERS_UP_TO, _TWO_LAYERS_TOGETHER_UP_TO = 0.05, 0.4, 0.1


def _layers(sizes: Sizes, combination: Combination) -> int:
    """The number of layers: that of ``sizes`` if it is more than one."""
    if sizes.num_layers > 1:
        return sizes.num_layers
    seconds = work(sizes)
    if seconds < _ANY_LAYERS_UP_TO:
        return combination.num_layers
    together = _several_are_large(sizes)
    most = _TWO_LAYERS_TOGETHER_UP_TO if together else _TWO_LAYERS_UP_TO
    return min(combination.num_layers, 2) if seconds < most else 1


def _two_directions(sizes: Sizes, cotangents: tuple[str, ...]) -> float:
    """The work of one direction, in seconds, from which on a case has no other direction.

    Directions matter at larger sizes than layers do: the reverse direction may read long sequences
    in other pieces. A case without gradients takes a third of the time.
    """
    if not cotangents:
        return 2.0
    return 0.5 if _class_is_last(sizes.seq_len) else 0.2
