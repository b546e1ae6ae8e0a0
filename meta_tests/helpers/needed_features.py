"""The features that cases of each clause need, so that what the clause is about can be seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.precision import PRECISIONS

__all__ = ["FEATURES", "NEEDED", "Need", "needs_of", "too_few"]


def _units(case: Case) -> bool:
    """Whether there are several hidden units, and with a projection several projected ones."""
    return case.config.hidden_size > 1 and case.config.proj_size != 1


def _rows(case: Case) -> bool:
    return case.batch_size > 1


FEATURES: dict[str, Callable[[Case], bool]] = {
    "one-layer": lambda case: case.config.num_layers == 1,
    "layers": lambda case: case.config.num_layers > 1,
    "three-layers": lambda case: case.config.num_layers > 2,
    "one-direction": lambda case: not case.config.bidirectional,
    "directions": lambda case: case.config.bidirectional,
    "no-projection": lambda case: not case.config.proj_size,
    "projection": lambda case: case.config.proj_size > 0,
    "no-bias": lambda case: not case.config.bias,
    "bias": lambda case: case.config.bias,
    "steps-first": lambda case: not case.config.batch_first,
    "batch-first": lambda case: case.config.batch_first,
    "batched": lambda case: case.layout == "batched",
    "unbatched": lambda case: case.layout == "unbatched",
    "packed": lambda case: case.packed,
    "sorted": lambda case: case.layout == "packed_sorted",
    "unsorted": lambda case: case.layout == "packed_unsorted",
    "unequal": lambda case: len(set(case.lengths)) > 1,
    "equal": lambda case: case.packed and _rows(case) and len(set(case.lengths)) == 1,
    "no-states": lambda case: not case.states,
    "states": lambda case: case.states,
    "one-step": lambda case: case.seq_len == 1,
    "steps": lambda case: case.seq_len > 1,
    "long": lambda case: case.seq_len >= 64,
    "one-row": lambda case: case.batch_size == 1,
    "rows": _rows,
    "one-feature": lambda case: case.config.input_size == 1,
    "one-unit": lambda case: case.config.hidden_size == 1,
    "units": _units,
    "wide": lambda case: case.config.hidden_size >= 128,
    "beyond-tile": lambda case: case.config.hidden_size > 16,
    "square": lambda case: case.seq_len == case.batch_size > 1,
    # Several of every size but the steps.
    "sizes": lambda case: (
        _units(case) and case.config.input_size > 1 and (_rows(case) or case.layout == "unbatched")
    ),
    "training": lambda case: case.training,
    "evaluation": lambda case: not case.training,
    "unused-dropout": lambda case: case.config.dropout > 0 and not case.training,
    "some-dropout": lambda case: 0 < case.config.dropout < 1 and case.training,
    "little-dropout": lambda case: 0 < case.config.dropout < 0.05 and case.training,
    "nearly-full-dropout": lambda case: 0.95 < case.config.dropout < 1 and case.training,
    "full-dropout": lambda case: case.config.dropout == 1 and case.training,
    "forward": lambda case: not case.cotangents,
    "gradients": lambda case: bool(case.cotangents),
    **{f"{name}-only": lambda case, name=name: case.cotangents == (name,) for name in OUTPUTS},
    "output-and-states": lambda case: case.cotangents == OUTPUTS,
    "h_n-and-c_n": lambda case: case.cotangents == ("h_n", "c_n"),
    **{name: lambda case, name=name: case.dtype == name for name in PRECISIONS},
    "overflow": lambda case: case.weight_scale >= 300,
    "large-weights": lambda case: case.weight_scale >= 3,
    "no-cell-state": lambda case: case.state_scale == 0,
    "large-cell-state": lambda case: case.state_scale > 3,
    # tanh of most cell states overflows in float64 if it is computed by exp(2 c).
    "huge-cell-state": lambda case: case.state_scale > 2 * 355,
    # In any other order, results of three rows or more are others.
    "full-rows": lambda case: len(case.lengths) > 2 and len(set(case.lengths)) == 1,
}

# Least number of cases, of so many cases in all.
_LEAST: dict[str, Callable[[int], int]] = {
    "every": lambda number: number,
    "most": lambda number: -(-number // 2),
    "some": lambda number: min(3, max(1, number // 25)),  # 1 of 10 in smoke, 2 of 60 by default
    "once": lambda number: 1,
}


class Need(NamedTuple):
    """Features that cases of a clause need.

    Attributes:
        how_many: a key of ``_LEAST``.
        features: keys of ``FEATURES``, which one case must have together.
    """

    how_many: str
    features: tuple[str, ...]


def _needs(text: str) -> list[Need]:
    found = []
    for part in text.split(";"):
        how_many, *features = part.split()
        found.append(Need(how_many, tuple(features)))
    return found


def needs_of(clause: str) -> list[Need]:
    """What cases of ``clause`` need."""
    return _needs(NEEDED[clause])


def too_few(clause: str, needs: list[Need], cases: list[Case]) -> list[str]:
    """A sentence for each of ``needs`` that too few of ``cases`` have."""
    found = []
    for how_many, features in needs:
        number = sum(all(FEATURES[name](case) for name in features) for case in cases)
        least = _LEAST[how_many](len(cases))
        if number < least or not cases:
            found.append(
                f"{clause}: {number} of {len(cases)} cases have {', '.join(features)}; "
                f"{least} must have."
            )
    return found


def _pairs(more: str) -> str:
    """Two of layers, directions and projection together, and one of them alone."""
    pairs = (
        "layers directions",
        "layers projection",
        "directions projection",
        "one-layer directions",
        "one-layer projection",
        "one-direction projection",
    )
    return "; ".join(f"once {pair} {more}" for pair in pairs)


# Whatever a mistake may depend on: each in sizes in which it shows.
_STACKS_WITH_BIAS = (
    "some layers steps sizes; some directions steps sizes; some projection steps sizes"
)
_STACKS = f"{_STACKS_WITH_BIAS}; some bias steps sizes; some no-bias steps sizes"
_PAIRS_OF_STACKS = _pairs("steps sizes")
_CALLS = (
    "some batch-first rows steps; some steps-first rows steps; some unbatched steps;"
    "some states steps sizes; some no-states steps sizes"
)
_PACKED = "some sorted unequal; some unsorted unequal"
_PACKED_ONLY = "every packed rows unequal;" + _PACKED
_ALL = f"{_STACKS}; {_CALLS}; {_PACKED}"
_HALF = f"some gradients; some beyond-tile gradients; {_ALL}"
_OPTIONS = "some layers; some directions; some projection; some bias; some no-bias"
_PARAMETERS = (
    f"{_OPTIONS}; once layers directions; once layers projection; once directions projection;"
    "once layers bias; once directions bias; once projection bias; once projection no-bias"
)
_WITHOUT_CALLS = (
    "some layers; some directions; some bias; some no-bias; some batch-first; some steps-first"
)
_EACH_DTYPE = "; ".join(f"some {name} steps sizes" for name in PRECISIONS)
_SIZES = (
    "some packed rows; some batched rows; some states; some no-states; some bias; some no-bias;"
    "some projection; some no-projection; once layers; once directions"
)
_MODES = "some training; some evaluation"

# Clause to the features that its cases need: how many cases must have which features together.
NEEDED: dict[str, str] = {
    # ------------------------------------------------------- equations of one layer
    "EQ-1": "every steps units no-states; some steps sizes",
    "EQ-2": "every one-step no-states; some sizes; some large-weights sizes",
    "EQ-3": "every one-step no-states; some sizes; some large-weights sizes",
    "EQ-4": "every steps no-states; some steps sizes; some large-weights steps sizes",
    "EQ-5": "every bias; some steps sizes",
    "EQ-6": "every bias states large-cell-state; some overflow steps sizes",
    "EQ-7": (
        "every one-step one-row one-feature one-unit bias states output-and-states;"
        "some directions; some one-direction"
    ),
    "EQ-8": "every long rows bias states output-and-states; some long projection directions",
    "EQ-9": "every wide steps rows bias states output-and-states",
    "STACK-1": (
        "every layers; some three-layers steps sizes; some bias steps sizes;"
        "some no-bias steps sizes"
    ),
    # ------------------------------------------------------------------- directions
    "DIR-1": "every directions steps; some sizes; some bias sizes; some no-bias sizes",
    "DIR-2": "every directions steps; some sizes; some bias sizes; some no-bias sizes",
    "DIR-3": "every directions steps; some sizes; some bias sizes; some no-bias sizes",
    "DIR-4": "every directions layers steps; some sizes; some three-layers sizes",
    # ------------------------------------------------------------------ projections
    "PROJ-1": "every projection one-step; some sizes; some bias sizes",
    "PROJ-2": "every projection one-step; some sizes; some bias sizes",
    "PROJ-3": "every projection steps; some sizes; some bias sizes",
    "PROJ-4": (
        "every projection steps; some layers sizes; some directions sizes; once layers directions"
        " sizes; once layers one-direction sizes; once one-layer directions sizes"
    ),
    # ----------------------------------------------------------------------- states
    "STATE-1": (
        "every no-states; once layers directions steps sizes; once layers one-direction steps"
        " sizes; once one-layer directions steps sizes"
    ),
    "STATE-2": "every states; some steps sizes; some no-cell-state steps sizes",
    "STATE-3": (
        "every states layers; some directions steps sizes; some one-direction steps sizes;"
        "some three-layers steps sizes"
    ),
    "STATE-4": (
        "every layers; some directions steps sizes; some one-direction steps sizes;"
        "some three-layers steps sizes"
    ),
    # ----------------------------------------------------------------------- shapes
    "SHAPE-1": f"{_ALL}; once directions projection rows steps",
    "SHAPE-2": f"{_ALL}; {_pairs('rows steps')}",
    "SHAPE-3": f"{_ALL}; {_pairs('rows steps')}",
    "SHAPE-4": f"every output-and-states; {_ALL}",
    "SHAPE-5": "every batch-first; some rows steps; some square; some states rows steps",
    "SHAPE-6": "every unbatched; some batch-first steps; some states steps sizes",
    "SHAPE-7": f"every batched; {_STACKS}; some states; some no-states; some batch-first",
    "DTYPE-1": f"every gradients; {_EACH_DTYPE}; {_ALL}",
    "DTYPE-2": f"every gradients; {_ALL}",
    "DTYPE-3": "every steps rows units; some float64; some float32",
    "DTYPE-4": f"every bfloat16; {_HALF}; some long packed",
    "DTYPE-5": f"every float16; {_HALF}",
    "DTYPE-6": "; ".join(f"some {name}" for name in PRECISIONS) + f"; {_PARAMETERS}",
    "DTYPE-7": _PARAMETERS,
    "DTYPE-8": _PARAMETERS,
    "DTYPE-9": f"{_STACKS}; {_CALLS}",
    # ---------------------------------------------------------------------- dropout
    "DROP-1": "every layers unused-dropout; some steps sizes; some three-layers steps sizes",
    "DROP-2": "every layers full-dropout; some steps sizes; some three-layers steps sizes",
    "DROP-3": "every one-layer training; some some-dropout steps sizes; some full-dropout sizes",
    "DROP-4": "every layers full-dropout output-only; some three-layers steps sizes",
    "DROP-5": (
        "every layers some-dropout bias; some three-layers; some directions steps sizes;"
        "some projection steps sizes; some states sizes; some no-states sizes; some batch-first;"
        "some unbatched; once directions projection; once three-layers directions;"
        "some packed rows; some little-dropout sizes; some nearly-full-dropout sizes"
    ),
    "DROP-6": (
        "every layers some-dropout bias gradients; some three-layers; some directions steps sizes;"
        "some projection steps sizes; some states sizes; some output-only sizes;"
        "some output-and-states sizes; once directions projection; once three-layers directions"
    ),
    "DROP-7": "every layers some-dropout steps rows units; some directions; some one-direction",
    "DROP-8": (
        "every layers some-dropout units; some rows; some directions; some three-layers;"
        " once projection; once unbatched"
    ),
    "DROP-9": "every layers some-dropout steps rows units; some directions; some one-direction",
    "DROP-10": "every layers some-dropout steps rows units; some directions; some one-direction",
    # ---------------------------------------------------------------- packed rows
    "PACK-1": "every sorted rows unequal bias; some sizes",
    "PACK-2": (
        f"{_PACKED_ONLY}; some states unsorted; some no-states unsorted;"
        "some batch-first unsorted; some states sorted; some sizes"
    ),
    "PACK-3": "every sorted directions rows unequal; some layers sizes; some one-layer sizes",
    "PACK-4": (
        f"every batched output-and-states; {_STACKS}; some states; some batch-first rows steps"
    ),
    "PACK-5": f"every sorted one-row output-and-states; {_OPTIONS}; some states steps units",
    "PACK-6": (
        f"every batched rows steps output-and-states; {_STACKS}; some states sizes;"
        "some states directions"
    ),
    "PACK-7": f"every batched rows output-and-states; {_STACKS}; some states steps sizes",
    "PACK-8": f"every output-and-states; {_PACKED_ONLY}; {_STACKS}; some states sizes",
    "PACK-9": f"every output-and-states; {_PACKED_ONLY}; {_STACKS}; some states sizes",
    "PACK-10": f"every output-and-states; {_PACKED_ONLY}; {_STACKS}; some states sizes",
    "PACK-11": f"{_PACKED_ONLY}; {_STACKS}; some states sizes; some batch-first",
    "PACK-12": (
        f"every packed rows output-and-states; {_PACKED}; {_STACKS}; some states; some batch-first;"
        "most unequal; some full-rows; once full-rows states directions"
    ),
    # -------------------------------------------------------------------- gradients
    "GRAD-1": f"every output-only; {_STACKS}; {_CALLS}; {_PAIRS_OF_STACKS}",
    "GRAD-2": f"every output-only states; {_STACKS}; some unbatched; {_PAIRS_OF_STACKS}",
    "GRAD-3": f"every output-only states; {_STACKS}; some unbatched; {_PAIRS_OF_STACKS}",
    "GRAD-4": f"every output-only; {_STACKS}; {_CALLS}; {_PAIRS_OF_STACKS}",
    "GRAD-5": f"every output-only; {_STACKS}; {_CALLS}; {_PAIRS_OF_STACKS}",
    "GRAD-6": f"every output-only bias; {_CALLS}; {_PAIRS_OF_STACKS}",
    "GRAD-7": (
        f"every output-only projection; {_CALLS}; once layers directions steps sizes;"
        "some layers steps sizes; some directions steps sizes"
    ),
    "GRAD-8": f"every h_n-only; {_STACKS}; {_CALLS}; {_PAIRS_OF_STACKS}",
    "GRAD-9": f"every c_n-only; {_STACKS}; {_CALLS}; {_PAIRS_OF_STACKS}",
    "GRAD-10": (
        f"some output-and-states steps sizes; some h_n-and-c_n steps sizes; {_STACKS}; {_CALLS};"
        f"{_PAIRS_OF_STACKS}"
    ),
    "GRAD-11": (
        f"{_PACKED_ONLY}; some output-only; some output-and-states; {_STACKS}; some states sizes;"
        f"some batch-first; {_PAIRS_OF_STACKS}"
    ),
    **{f"GRAD-{number}": f"every output-and-states; {_ALL}" for number in (12, 13, 14, 15, 16, 17)},
    "GRAD-18": f"every output-only; {_ALL}",
    **{f"GRAD-{number}": f"every output-and-states; {_ALL}" for number in (19, 20, 21)},
    # ------------------------------------------------------------------- parameters
    **{f"PARAM-{number}": _PARAMETERS for number in (1, 2, 3, 4, 5, 6, 7)},
    "PARAM-8": "every bias; some layers; once directions projection; once layers directions",
    "PARAM-9": "every projection; some units; once layers directions; some bias; some no-bias",
    "PARAM-10": _PARAMETERS,
    "PARAM-11": "; ".join(f"some {name}" for name in PRECISIONS) + f"; {_PARAMETERS}; some units",
    "PARAM-12": "every bias; once layers directions projection",
    "PARAM-13": f"{_PARAMETERS}; some units; once wide",
    "PARAM-14": _PARAMETERS,
    "PARAM-15": "every bias; once layers directions projection",
    "PARAM-16": _PARAMETERS,
    "PARAM-17": _ALL,
    "PARAM-18": _ALL,
    "PARAM-19": _PARAMETERS,
    **{f"PARAM-{number}": f"{_ALL}; {_MODES}" for number in (20, 21, 22, 23)},
    "PARAM-24": f"{_ALL}; {_EACH_DTYPE}",
    "PARAM-25": _PARAMETERS,
    "PARAM-26": _ALL,
    "PARAM-27": _ALL,
    "PARAM-28": f"{_ALL}; {_MODES}",
    # ----------------------------------------------------------------------- purity
    **{
        f"PURE-{number}": f"{_ALL}; {_MODES}; some gradients steps sizes; some forward steps sizes"
        for number in (1, 2, 4, 5, 6, 7, 12, 14, 15)
    },
    "PURE-18": f"every some-dropout gradients layers; {_CALLS}; some projection",
    "PURE-3": f"every gradients; {_STACKS}; {_CALLS}",
    "PURE-8": f"some gradients; {_ALL}; some gradients batch-first rows steps",
    "PURE-9": f"every forward; {_ALL}",
    "PURE-10": f"every forward states; {_STACKS}; {_PACKED}; some unbatched; some batch-first",
    "PURE-11": f"every gradients; {_ALL}",
    "PURE-13": _WITHOUT_CALLS,
    "PURE-16": _OPTIONS,
    "PURE-17": f"every gradients; {_ALL}",
    # --------------------------------------------------------------------- training
    **{f"TRAIN-{number}": f"every gradients; {_ALL}" for number in (1, 2, 3, 4, 5, 6, 7, 9, 12)},
    "TRAIN-13": f"every steps; some gradients; {_CALLS}; some layers; some projection",
    "TRAIN-8": f"every gradients; {_STACKS}; {_CALLS}",
    "TRAIN-10": "every steps gradients; some layers; some directions; some projection; some packed",
    "TRAIN-14": f"some forward; some gradients steps sizes; {_CALLS}",
    "TRAIN-11": "every gradients",
    # --------------------------------------------------------------- values at the edge
    "EDGE-1": f"every rows forward; {_STACKS}; {_PACKED}; some batched sizes; some states sizes",
    "EDGE-2": f"every rows forward states; {_STACKS}; {_PACKED}; some batched sizes",
    "EDGE-3": (
        f"some steps one-direction batched sizes; some steps directions sizes; {_ALL};"
        "some steps one-direction unbatched"
    ),
    "EDGE-4": _ALL,
    "EDGE-5": f"every rows states gradients; {_STACKS}; {_PACKED}; some batched sizes",
    "EDGE-6": _ALL,
    "EDGE-7": f"every states; {_STACKS}; {_PACKED}; some unbatched",
    "EDGE-8": f"{_ALL}; some gradients steps sizes",
    "EDGE-9": _ALL,
    "EDGE-10": f"every gradients; {_ALL}",
    "EDGE-11": f"every states; {_STACKS}; {_PACKED}; some float32 steps sizes",
    "EDGE-12": f"{_ALL}; some gradients steps sizes; some forward steps sizes",
    "EDGE-16": "every long forward; some packed; some directions; some projection",
    "EDGE-13": (
        f"every bias states large-cell-state forward; {_PACKED}; {_STACKS_WITH_BIAS};"
        "some huge-cell-state sizes"
    ),
    "EDGE-14": (
        f"every bias states large-cell-state gradients; {_PACKED}; {_STACKS_WITH_BIAS};"
        "some huge-cell-state sizes"
    ),
    # -------------------------------------------------- calls and refused arguments
    "USE-1": (
        f"{_ALL}; some layers full-dropout sizes; once bias steps-first; once no-bias batch-first;"
        "once bias one-direction; once no-bias directions; once batch-first one-direction;"
        "once steps-first directions"
    ),
    "USE-2": f"{_ALL}; some layers full-dropout sizes",
    "USE-3": (
        "some one-layer sizes; some bias sizes; some steps-first batched rows steps;"
        "some one-direction sizes; some no-projection sizes; some layers training sizes;"
        f"once no-projection layers; once one-direction layers; {_ALL}"
    ),
    "USE-4": _ALL,
    "USE-5": f"every no-states; {_STACKS}; {_PACKED}; some unbatched; some batch-first",
    "USE-6": _ALL,
    **{f"USE-{number}": _WITHOUT_CALLS for number in range(7, 21)},
    "USE-14": f"{_WITHOUT_CALLS}; some projection; some no-projection",
    "USE-15": f"{_WITHOUT_CALLS}; some projection; some no-projection",
    "USE-21": _ALL,
    "USE-22": f"{_STACKS}; {_CALLS}; some batched sizes",
    "USE-23": f"{_STACKS}; {_CALLS}; some batched sizes",
    "USE-24": (
        f"every packed; {_STACKS}; {_PACKED}; some states; some no-states;"
        "some equal float32 no-projection; some equal float64; some unequal float32"
    ),
    "USE-25": f"{_STACKS}; {_CALLS}; some batched sizes",
    "USE-26": _ALL,
    "USE-27": f"{_ALL}; some packed no-bias; some packed bias",
    "USE-28": f"every states; {_STACKS}; {_PACKED}; some unbatched",
    "USE-29": f"every states; {_STACKS}; {_PACKED}; some unbatched",
    "USE-30": f"every states; {_STACKS}; some unbatched; some batched",
    "USE-31": f"every states; {_STACKS}; {_PAIRS_OF_STACKS}; some unbatched; some batched",
    "USE-32": f"every states batched; {_STACKS}; some rows",
    "USE-33": f"every states; {_STACKS}; {_PAIRS_OF_STACKS}; some unbatched; some batched",
    **{
        f"USE-{number}": (
            f"every packed states units; {_PACKED}; {_STACKS}; {_PAIRS_OF_STACKS};"
            "some equal float32 no-projection; some equal float32 no-bias; some equal projection;"
            "some equal no-projection; some unequal projection; some unequal no-projection;"
            "some equal layers; some unequal layers; some equal directions;"
            "some unequal directions; some equal float32; some equal float64;"
            "some unequal float32; some unequal float64; some one-row"
        )
        for number in (34, 35, 36)
    },
    "USE-37": f"every states; {_STACKS}; {_PACKED}; some float32; some float64; some unbatched",
    "USE-38": f"every states; {_ALL.replace('some no-states steps sizes', 'some steps sizes')};"
    "some packed no-bias; some packed bias",
    # ------------------------------------------------------------------- relations
    "META-1": (
        "every states steps gradients one-direction; some layers sizes; some projection sizes;"
        "some bias sizes; some no-bias sizes"
    ),
    "META-2": f"every rows gradients; {_STACKS}; some states steps sizes",
    "META-3": f"every directions steps gradients; {_STACKS}; some states sizes",
    "META-4": f"every no-states gradients; {_STACKS}; {_PACKED}; some unbatched",
    "META-5": f"every rows gradients; {_STACKS}; some states steps sizes",
    "META-6": (
        f"every layers gradients; {_STACKS}; some states steps sizes;"
        "once projection directions steps sizes; some three-layers steps sizes"
    ),
    "META-7": "every bias gradients; some layers steps sizes; some directions steps sizes",
    "META-8": "every units gradients; some directions steps sizes; some bias; some states steps",
    # ---------------------------------------------------------- everything together
    "COMB-1": f"most steps sizes; {_ALL}; {_PAIRS_OF_STACKS}; some layers full-dropout sizes",
    "COMB-2": f"every gradients; most steps sizes; {_ALL}; {_PAIRS_OF_STACKS}",
    "COMB-3": (
        "some square batch-first; once long unsorted projection; once wide projection;"
        "some states three-layers; some states directions; some states projection unsorted"
    ),
    # -------------------------------------------------------------------------- sizes
    "SIZE-1": _SIZES,
    "SIZE-2": _SIZES,
    "SIZE-3": _SIZES,
}
