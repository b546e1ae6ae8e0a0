"""What the cases of a domain must have in any case: how often it is drawn is up to Hypothesis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations, product
from typing import Any, NamedTuple

from ...spec.case import Case
from ...spec.combinations import Combination
from ...spec.narrowing import domain_of_config
from ...spec.strategies import Domain, FirstSupported, sizes_that_show

__all__ = ["features", "is_in", "missing_parts", "outside", "shows"]

# Alternatives of fields, in the order of _FIELDS.
Choice = tuple[tuple[str, Any], ...]

# The fields of a domain that are alternatives. Sizes are ranges, and cannot all be visited.
_FIELDS = (
    "num_layers",
    "bias",
    "batch_first",
    "bidirectional",
    "projection",
    "dropout",
    "training",
    "layout",
    "states",
    "dtype",
    "device",
    "cotangents",
    "weight_scale",
    "input_scale",
    "state_scale",
)

# Those without which a clause has nothing to say about a case, besides its configuration.
_SITUATION = ("dropout", "training", "layout", "states")

# Those that matter for few clauses.
_VALUES, _DEFAULT = ("dtype", "weight_scale", "input_scale", "state_scale"), Domain()

# With so many cases, each alternative is visited. With so many, each pair of them.
_ALTERNATIVES_FROM, _PAIRS_FROM = 4, 50

# Where a test asks for fewer cases than its profile has, but for so many, each pair of options is
# visited all the same. Scales of values are no options.
_PAIRS_OF_OPTIONS_FROM, _SCALES = 8, ("weight_scale", "input_scale", "state_scale")

# Sometimes no case of a part is found at once.
_MORE_ATTEMPTS = 2

# An alternative is visited by this part of the cases that would be its share.
_PART_OF_SHARE = 4


class _Wanted(NamedTuple):
    """Alternatives that some cases must have.

    Attributes:
        choice: the alternatives.
        times: the number of cases.
        shown: whether only cases count in whose sizes mistakes show.
    """

    choice: Choice
    times: int
    shown: bool


def missing_parts(
    domain: Domain, cases: list[Case], examples: int, pairs: bool = False
) -> Iterator[Domain]:
    """Parts of ``domain`` with alternatives that too few cases had; as many as go together in each.

    A case in whose sizes mistakes do not show counts for none of its alternatives, but for pairs.

    Args:
        domain: from which the cases were drawn.
        cases: the cases. The list may grow while this runs: what was added is not asked for again.
        examples: number of cases that was asked for.
        pairs: whether each pair of alternatives of options is visited, too, if not so few cases
            were asked for. With many, all pairs of alternatives are visited.
    """
    yield from _missing(domain, cases, _wanted(domain, examples))
    if pairs and _PAIRS_OF_OPTIONS_FROM <= examples < _PAIRS_FROM:
        options = [name for name in _several(domain) if name not in _SCALES]
        yield from _missing(domain, cases, _pairs(domain, options))


def _missing(domain: Domain, cases: list[Case], wanted: list[_Wanted]) -> Iterator[Domain]:
    visited: dict[bool, Counter[Choice]] = {False: Counter(), True: Counter()}
    asked: Counter[Choice] = Counter()
    counted = 0
    while True:
        for case in cases[counted:]:
            choices = list(_choices_of(domain, case))
            visited[False].update(choices)
            if shows(domain, case):
                visited[True].update(choices)
        counted = len(cases)
        together: dict[str, Any] = {}
        for choice, times, shown in wanted:
            if visited[shown][choice] >= times or asked[choice] >= times + _MORE_ATTEMPTS:
                continue
            both = {**dict(choice), **together}
            if dict(choice).items() <= both.items() and _is_possible(domain, both):
                together = both
                asked[choice] += 1
        if not together:
            return
        yield sizes_that_show(_part(domain, together))


def _wanted(domain: Domain, examples: int) -> list[_Wanted]:
    """What cases of ``domain`` must have, if there are so many."""
    fields = _several(domain)
    found = []
    if examples >= _ALTERNATIVES_FROM:
        for name in fields:
            alternatives = getattr(domain, name)
            times = max(1, examples // (_PART_OF_SHARE * len(alternatives)))
            found += [_Wanted(_acting(domain, name, a), times, True) for a in alternatives]
        pairs = combinations([name for name in fields if name in domain.together], 2)
        found += [_Wanted(choice, 1, True) for pair in pairs for choice in _choices(domain, pair)]
    possible = [wanted for wanted in found if _is_possible(domain, dict(wanted.choice))]
    return possible + (_pairs(domain, fields) if examples >= _PAIRS_FROM else [])


def _pairs(domain: Domain, fields: list[str]) -> list[_Wanted]:
    """Each pair of alternatives of two of these fields."""
    pairs = combinations(fields, 2)
    wanted = [_Wanted(choice, 1, False) for pair in pairs for choice in _choices(domain, pair)]
    return [one for one in wanted if _is_possible(domain, dict(one.choice))]


def _acting(domain: Domain, name: str, alternative: Any) -> Choice:
    """An alternative, where it has an effect.

    Dropout acts between layers. Without an axis of the batch, no axis is the first of two.
    """
    layers = [number for number in domain.num_layers if number > 1]
    if name == "dropout" and alternative != "none" and 0 < len(layers) < len(domain.num_layers):
        return ("num_layers", layers[0]), (name, alternative)
    layouts = [layout for layout in domain.layout if layout != "unbatched"]
    if name == "batch_first" and 0 < len(layouts) < len(domain.layout):
        return (name, alternative), ("layout", layouts[0])
    return ((name, alternative),)


def _several(domain: Domain) -> list[str]:
    """The fields with more than one alternative."""
    values = {name: getattr(domain, name) for name in _FIELDS}
    return [n for n, v in values.items() if len(v) > 1 and not isinstance(v, FirstSupported)]


def _choices(domain: Domain, names: tuple[str, ...]) -> Iterator[Choice]:
    """Every choice of an alternative for each of these fields."""
    for values in product(*(getattr(domain, name) for name in names)):
        yield tuple(zip(names, values, strict=True))


def _choices_of(domain: Domain, case: Case) -> Iterator[Choice]:
    """The alternatives that ``case`` has, and their pairs."""
    of_case = features(case)
    alternatives = [(name, of_case[name]) for name in _several(domain)]
    yield from combinations(alternatives, 1)
    yield from combinations(alternatives, 2)


def _is_possible(domain: Domain, wanted: dict[str, Any]) -> bool:
    """Whether a case may have these alternatives."""
    part = _part(domain, wanted)
    return bool(part.dropout) and (wanted.get("state_scale", 1.0) == 1.0 or True in part.states)


def _part(domain: Domain, wanted: dict[str, Any]) -> Domain:
    """The part of ``domain`` with these alternatives, and others without which there are none.

    Only given states have a scale. With dropout, the mode follows from its kind.
    """
    part = domain.but(**{name: (value,) for name, value in wanted.items()})
    if wanted.get("state_scale", 1.0) != 1.0:
        part = part.but(states=tuple(states for states in part.states if states))
    if "training" in wanted:
        kinds = ("none", "some", "one") if wanted["training"] else ("none", "eval")
        part = part.but(dropout=tuple(kind for kind in part.dropout if kind in kinds))
    return part


def features(case: Case) -> dict[str, Any]:
    """The alternative that ``case`` has of each field of a domain."""
    found = {**vars(case), **vars(Combination.of(case))}
    return {name: found[name] for name in _FIELDS}


def shows(domain: Domain, case: Case) -> bool:
    """Whether mistakes show in the sizes of ``case``, as far as ``domain`` has such sizes."""
    least = {name: min(2, getattr(domain, name)[1]) for name in _sizes(case)}
    return _reaches(case, least) and not _has_equal_lengths(case, domain)


def is_in(part: Domain, case: Case) -> bool:
    """Whether ``case`` has alternatives of ``part``, and no size below its sizes."""
    of_case = features(case)
    if case.config.dropout:
        del of_case["training"]  # follows from the kind of dropout
    if any(value not in getattr(part, name) for name, value in of_case.items()):
        return False
    equal = part.unequal_lengths and _has_equal_lengths(case, part)
    return _reaches_sizes_of(part, case) and not equal


def outside(domain: Domain, case: Case) -> str | None:
    """Why a rule for the cases of ``domain`` says nothing about ``case``; None if it does.

    Larger sizes than those of ``domain`` do not matter, and more cotangents do not either. Dtypes,
    scales and cotangents matter where ``domain`` has other ones than domains have by default.
    """
    part, misfits = domain_of_config(domain, case.config)
    if part is None:
        return f"the clause is not about cases with {misfits[0]}"
    of_case = features(case)
    for name in _SITUATION:
        if name == "training" and case.config.dropout:
            continue  # follows from the kind of dropout
        if of_case[name] not in getattr(part, name):
            return _has_another(name, of_case[name], getattr(part, name))
    if not _reaches_sizes_of(part, case):
        return "the case has fewer steps or rows than the clause is about"
    for name, size in _sizes(case).items():
        least, most = getattr(part, name)
        if least == most != size:
            return _has_another(name, size, (least,))
    if part.unequal_lengths and _has_equal_lengths(case, part):
        return "the case has rows of equal length, and the clause is about unequal ones"
    enough = any(set(wanted) <= set(case.cotangents) for wanted in part.cotangents)
    if part.cotangents != _DEFAULT.cotangents and not enough:
        wanted = " or ".join(" and ".join(names) for names in part.cotangents)
        return f"the clause is about gradients with cotangents of {wanted}"
    for name in _VALUES:
        alternatives, of_this = getattr(part, name), of_case[name]
        if alternatives == getattr(_DEFAULT, name) or (name == "state_scale" and not case.states):
            continue
        is_one = of_this in alternatives  # a scale may also be between them
        if not is_one and (name == "dtype" or not min(alternatives) < of_this < max(alternatives)):
            return _has_another(name, of_this, alternatives)
    return None


def _has_another(name: str, value: object, alternatives: Iterable[object]) -> str:
    wanted = " or ".join(map(str, alternatives))
    return f"the case has {name} {value}, and the clause is about {wanted}"


def _sizes(case: Case) -> dict[str, int]:
    """The sizes that a domain gives ``case``."""
    config = case.config
    sizes = {
        "seq_len": case.seq_len,
        "input_size": config.input_size,
        "hidden_size": config.hidden_size,
    }
    if case.layout != "unbatched":
        sizes["batch_size"] = case.batch_size
    if config.proj_size:
        sizes["proj_size"] = config.proj_size
    return sizes


def _reaches_sizes_of(domain: Domain, case: Case) -> bool:
    """Whether no size of ``case`` is below those of ``domain``."""
    return _reaches(case, {name: getattr(domain, name)[0] for name in _sizes(case)})


def _reaches(case: Case, least: dict[str, int]) -> bool:
    return all(size >= least[name] for name, size in _sizes(case).items())


def _has_equal_lengths(case: Case, domain: Domain) -> bool:
    """Whether two packed rows or more have the same length, where ``domain`` has others."""
    shortest, longest = domain.seq_len
    return len(case.lengths) > 1 and len(set(case.lengths)) == 1 and shortest < longest
