"""The specification says what the documentation says, and a case's text says all of it."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, fields, replace
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from lstm_conformance.spec.case import LAYOUTS, OUTPUTS, Case, uniform_numbers
from lstm_conformance.spec.combinations import (
    FACTORS,
    Combination,
    all_combinations,
    covering_array,
)
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.precision import PRECISIONS
from lstm_conformance.spec.strategies import Domain, case_strategy

from .helpers.small_cases import FLOAT64, case_of

# --------------------------------------------------------------------- config


NOT_ALLOWED: dict[str, tuple[Any, ...]] = {
    "input_size": (0, -1, 1.0, True, "2", None),
    "hidden_size": (0, -1, 1.0, True, "2", None),
    "num_layers": (0, -1, 1.0, True, "2", None),
    "bias": (0, 1, None, "True"),
    "batch_first": (0, 1, None, "True"),
    "dropout": (-0.1, 1.1, 2, float("nan"), True, "0.5", None),
    "bidirectional": (0, 1, None, "True"),
    "proj_size": (-1, 4, 5, 1.0, True, None),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in NOT_ALLOWED.items() for value in values],
    ids=str,
)
def test_config_that_the_documentation_does_not_allow(name: str, value: Any) -> None:
    """Sizes from 1, 0 <= dropout <= 1, 0 <= proj_size < hidden_size."""
    with pytest.raises(ValueError, match=f"^{name} must be "):
        LSTMConfig(**{"input_size": 3, "hidden_size": 4, name: value})


@pytest.mark.parametrize(
    "right",
    [
        {"input_size": 1, "hidden_size": 1},
        {"proj_size": 3},
        {"proj_size": 0},
        {"dropout": 0},
        {"dropout": 1},
        {"dropout": 1.0, "num_layers": 1},
    ],
    ids=str,
)
def test_config_at_the_limits(right: dict[str, Any]) -> None:
    assert LSTMConfig(**{"input_size": 3, "hidden_size": 4, **right})


def test_defaults_are_the_documented_ones() -> None:
    assert astuple(LSTMConfig(3, 4)) == (3, 4, 1, True, False, 0.0, False, 0)


PARAMETERS = {
    LSTMConfig(10, 20, 2): [
        ("weight_ih_l0", (80, 10)),
        ("weight_hh_l0", (80, 20)),
        ("bias_ih_l0", (80,)),
        ("bias_hh_l0", (80,)),
        ("weight_ih_l1", (80, 20)),
        ("weight_hh_l1", (80, 20)),
        ("bias_ih_l1", (80,)),
        ("bias_hh_l1", (80,)),
    ],
    LSTMConfig(3, 5, 2, bias=False, bidirectional=True): [
        ("weight_ih_l0", (20, 3)),
        ("weight_hh_l0", (20, 5)),
        ("weight_ih_l0_reverse", (20, 3)),
        ("weight_hh_l0_reverse", (20, 5)),
        ("weight_ih_l1", (20, 10)),
        ("weight_hh_l1", (20, 5)),
        ("weight_ih_l1_reverse", (20, 10)),
        ("weight_hh_l1_reverse", (20, 5)),
    ],
    LSTMConfig(3, 5, 2, bidirectional=True, proj_size=2): [
        ("weight_ih_l0", (20, 3)),
        ("weight_hh_l0", (20, 2)),
        ("bias_ih_l0", (20,)),
        ("bias_hh_l0", (20,)),
        ("weight_hr_l0", (2, 5)),
        ("weight_ih_l0_reverse", (20, 3)),
        ("weight_hh_l0_reverse", (20, 2)),
        ("bias_ih_l0_reverse", (20,)),
        ("bias_hh_l0_reverse", (20,)),
        ("weight_hr_l0_reverse", (2, 5)),
        ("weight_ih_l1", (20, 4)),
        ("weight_hh_l1", (20, 2)),
        ("bias_ih_l1", (20,)),
        ("bias_hh_l1", (20,)),
        ("weight_hr_l1", (2, 5)),
        ("weight_ih_l1_reverse", (20, 4)),
        ("weight_hh_l1_reverse", (20, 2)),
        ("bias_ih_l1_reverse", (20,)),
        ("bias_hh_l1_reverse", (20,)),
        ("weight_hr_l1_reverse", (2, 5)),
    ],
    LSTMConfig(4, 3, bias=False, proj_size=1): [
        ("weight_ih_l0", (12, 4)),
        ("weight_hh_l0", (12, 1)),
        ("weight_hr_l0", (1, 3)),
    ],
}


@pytest.mark.parametrize("config", PARAMETERS, ids=str)
def test_names_and_shapes_of_parameters(config: LSTMConfig) -> None:
    """Literally, and in the order of ``named_parameters``."""
    assert list(config.parameter_shapes().items()) == PARAMETERS[config]


# ----------------------------------------------------------------------- case

PROJECTED = LSTMConfig(3, 5, 2, bidirectional=True, proj_size=2)


@pytest.mark.parametrize(
    ("case", "shapes"),
    [
        (
            Case(PROJECTED, 7, 6),
            {
                "input": (7, 6, 3),
                "h_0": (4, 6, 2),
                "c_0": (4, 6, 5),
                "output": (7, 6, 4),
                "h_n": (4, 6, 2),
                "c_n": (4, 6, 5),
            },
        ),
        (
            Case(replace(PROJECTED, batch_first=True), 7, 2, "packed_unsorted", (1, 7)),
            {
                "input": (2, 7, 3),
                "h_0": (4, 2, 2),
                "c_0": (4, 2, 5),
                "output": (2, 7, 4),
                "h_n": (4, 2, 2),
                "c_n": (4, 2, 5),
            },
        ),
        (
            Case(replace(PROJECTED, batch_first=True), 7, layout="unbatched"),
            {
                "input": (7, 3),
                "h_0": (4, 2),
                "c_0": (4, 5),
                "output": (7, 4),
                "h_n": (4, 2),
                "c_n": (4, 5),
            },
        ),
        (
            Case(LSTMConfig(3, 5, num_layers=3), 7, 6),
            {
                "input": (7, 6, 3),
                "h_0": (3, 6, 5),
                "c_0": (3, 6, 5),
                "output": (7, 6, 5),
                "h_n": (3, 6, 5),
                "c_n": (3, 6, 5),
            },
        ),
    ],
    ids=str,
)
def test_shapes_of_a_case(case: Case, shapes: dict[str, tuple[int, ...]]) -> None:
    assert case.shapes() == {**shapes, **case.config.parameter_shapes()}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layout": "padded"}, "layout must be one of"),
        ({"dtype": "complex64"}, "dtype must be one of"),
        ({"seq_len": -1}, "at least 0"),
        ({"batch_size": -1}, "at least 0"),
        ({"seed": -1}, "at least 0"),
        ({"layout": "unbatched", "batch_size": 2}, "unbatched case has batch_size 1"),
        ({"cotangents": ("input",)}, "cotangents are some of"),
        ({"weight_scale": -1.0}, "weight_scale must be finite"),
        ({"input_scale": float("inf")}, "input_scale must be finite"),
        ({"state_scale": float("nan")}, "state_scale must be finite"),
        ({"lengths": (1,)}, "has no lengths"),
        ({"layout": "packed_sorted"}, "one length of at least 1 for each row"),
        ({"layout": "packed_sorted", "lengths": (1, 1)}, "one length of at least 1 for each row"),
        (
            {"layout": "packed_sorted", "seq_len": 2, "batch_size": 2, "lengths": (2, 0)},
            "one length of at least 1",
        ),
        ({"layout": "packed_sorted", "seq_len": 2, "lengths": (1,)}, "its largest length"),
        (
            {"layout": "packed_sorted", "seq_len": 2, "batch_size": 2, "lengths": (1, 2)},
            "do not fit layout packed_sorted",
        ),
        (
            {"layout": "packed_unsorted", "seq_len": 2, "batch_size": 2, "lengths": (2, 1)},
            "do not fit layout packed_unsorted",
        ),
    ],
    ids=str,
)
def test_case_that_contradicts_itself(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Case(LSTMConfig(1, 1), **wrong)


def test_dropout_that_acts() -> None:
    """In training, between layers, and nowhere else."""
    layers = LSTMConfig(1, 1, num_layers=2, dropout=0.5)
    assert Case(layers, training=True).active_dropout == 0.5
    assert Case(layers, training=False).active_dropout == 0
    assert Case(replace(layers, num_layers=1), training=True).active_dropout == 0


def test_names_of_arguments_and_results() -> None:
    """States have a gradient only if they are given; nothing has one without a cotangent."""
    case = Case(LSTMConfig(1, 2, bias=False))
    assert case.argument_names() == ("input", "weight_ih_l0", "weight_hh_l0")
    assert case.result_names() == ("output", "h_n", "c_n")
    case = replace(case, states=True, cotangents=("c_n",))
    assert case.argument_names() == ("input", "h_0", "c_0", "weight_ih_l0", "weight_hh_l0")
    assert case.result_names() == (
        "output",
        "h_n",
        "c_n",
        "input.grad",
        "h_0.grad",
        "c_0.grad",
        "weight_ih_l0.grad",
        "weight_hh_l0.grad",
    )
    assert set(case.arguments()) == set(case.argument_names())
    assert set(case.cotangent_values()) == {"c_n"}


# ----------------------------------------------------------------------- text


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(case_strategy(Domain(dtype=tuple(PRECISIONS), cotangents=((), ("h_n",), OUTPUTS))))
def test_text_round_trip(case: Case) -> None:
    text = str(case)
    assert "\n" not in text
    assert Case.parse(text) == case
    assert Case.parse(f"  {text} \n") == case


def test_text_has_every_field() -> None:
    """Different cases have different texts."""
    case = Case(LSTMConfig(2, 3, num_layers=2), 2, 2)
    config_changes = {
        "input_size": 3,
        "hidden_size": 4,
        "num_layers": 3,
        "bias": False,
        "batch_first": True,
        "dropout": 0.1,
        "bidirectional": True,
        "proj_size": 1,
    }
    changes = {
        "seq_len": 3,
        "batch_size": 3,
        "dtype": "float16",
        "device": "cuda",
        "training": True,
        "states": True,
        "weight_scale": 0.1,
        "input_scale": 0.1,
        "state_scale": 0.1,
        "cotangents": ("output",),
        "products": "tf32",
        "seed": 1,
    }
    assert set(config_changes) == {item.name for item in fields(LSTMConfig)}
    together = {"config", "layout", "lengths"}
    assert set(changes) | together == {item.name for item in fields(Case)}
    packed = replace(case, layout="packed_sorted", lengths=(2, 2))
    different = [case, packed, replace(packed, lengths=(2, 1))]
    different += [replace(case, **{name: value}) for name, value in changes.items()]
    different += [
        replace(case, config=replace(case.config, **{name: value}))
        for name, value in config_changes.items()
    ]
    texts = [str(each) for each in different]
    assert len(set(texts)) == len(different)
    assert [Case.parse(text) for text in texts] == different


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a case starts with v1, not ''"),
        ("input_size=1 hidden_size=1", "a case starts with v1, not 'input_size=1'"),
        ("v0 input_size=1 hidden_size=1", "a case starts with v1, not 'v0'"),
        ("v1", "a case needs input_size and hidden_size"),
        ("v1 input_size=1", "a case needs hidden_size"),
        ("v1 input_size=1 hidden_size=1 bias", "a case has no field 'bias'"),
        ("v1 input_size=1 hidden_size=1 size=2", "a case has no field 'size=2'"),
        ("v1 input_size=1 hidden_size=1 config=2", "a case has no field 'config=2'"),
        ("v1 input_size=1 hidden_size=1 input_size=1", "a case gives input_size once"),
        ("v1 input_size=one hidden_size=1", "input_size of a case cannot be 'one'"),
        ("v1 input_size=1.0 hidden_size=1", "input_size of a case cannot be '1.0'"),
        ("v1 input_size= hidden_size=1", "input_size of a case cannot be ''"),
        ("v1 input_size=1 hidden_size=1 bias=yes", "bias of a case cannot be 'yes'"),
        ("v1 input_size=1 hidden_size=1 dropout=half", "dropout of a case cannot be 'half'"),
        ("v1 input_size=1 hidden_size=1 lengths=1,,2", "lengths of a case cannot be '1,,2'"),
        ("v1 input_size=0 hidden_size=1", "input_size must be at least 1, not 0"),
        (
            "v1 input_size=1 hidden_size=1 cotangents=input",
            "cotangents are some of ('output', 'h_n', 'c_n'), not ('input',)",
        ),
        ("v1 input_size=1 hidden_size=1 lengths=1", "layout batched has no lengths"),
    ],
)
def test_malformed_texts(text: str, message: str) -> None:
    """One sentence that names what is wrong."""
    with pytest.raises(ValueError) as failure:
        Case.parse(text)
    assert str(failure.value) == message


# --------------------------------------------------------------------- values

PINNED = {
    "v1 input_size=1 hidden_size=1": (
        "71f6ef00984f1fa12c7907216c003e1f21a17fe0c1e6552e62eedfaad706547b"
    ),
    (
        "v1 input_size=3 hidden_size=4 num_layers=2 bidirectional=True proj_size=2 seq_len=5 "
        "batch_size=3 layout=packed_unsorted lengths=2,5,1 dtype=float32 states=True "
        "weight_scale=3.0 cotangents=output,c_n seed=4294967295"
    ): "232daf00993c5b6f22ab73a21728a490ee637d771b7cf5dc8ac8f5c2779b579c",
    (
        "v1 input_size=2 hidden_size=3 bias=False batch_first=True seq_len=4 layout=unbatched "
        "dtype=bfloat16 states=True input_scale=3.0 state_scale=4.0 cotangents=h_n seed=7"
    ): "1e98f80bc6ab8096c7a8e3f3986e78c2938f8cff92a4e23c0123389008896526",
}


@pytest.mark.parametrize("text", PINNED)
def test_text_gives_the_same_bytes_everywhere(text: str) -> None:
    """A text in an old report is the same case today. If this fails, ``v1`` must change."""
    case = Case.parse(text)
    assert str(case) == text
    digest = hashlib.sha256()
    for name, array in {**case.arguments(), **case.cotangent_values()}.items():
        digest.update(name.encode())
        digest.update(array.astype("<f8").tobytes())
    assert digest.hexdigest() == PINNED[text]


def to_bfloat16(value: float) -> float:
    """Nearest number of 8 significant bits, ties to even, for values that are normal in it."""
    if value == 0:
        return value
    mantissa, exponent = np.frexp(value)
    return float(np.ldexp(np.rint(np.ldexp(mantissa, 8)), exponent - 8))


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("combination", FLOAT64[::24], ids=str)
def test_values_are_of_the_dtype(combination: Combination, dtype: str) -> None:
    """Nothing is rounded on the way to the implementation."""
    case = case_of(combination, dtype=dtype)
    shapes = case.shapes()
    for name, array in {**case.arguments(), **case.cotangent_values()}.items():
        assert array.dtype == np.float64
        assert array.shape == shapes[name]
        if dtype == "bfloat16":
            again = np.array([to_bfloat16(value) for value in array.flat]).reshape(array.shape)
        else:
            again = array.astype(dtype).astype(np.float64)
        np.testing.assert_array_equal(array, again)
        bound = case.scale(name) if name in case.argument_names() else 1.0
        assert np.abs(array).max() <= bound * (1 + case.precision.unit_roundoff)
        assert array.any()


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_rounding_is_to_nearest_even(dtype: str) -> None:
    """By half of the distance to the neighbour, and by the documented unit roundoff."""
    precision = PRECISIONS[dtype]
    u = precision.unit_roundoff
    given_and_due = {
        1.0: 1.0,
        -1.5: -1.5,
        0.0: 0.0,
        1 + 2 * u: 1 + 2 * u,
        -1 - 6 * u: -1 - 6 * u,
    }
    if dtype != "float64":
        given_and_due |= {
            1 + u: 1.0,
            1 + 3 * u: 1 + 4 * u,
            1 + u * 1.001: 1 + 2 * u,
            -1 - u * 0.999: -1.0,
            2 - u: 2.0,
        }
    values = np.array(list(given_and_due))
    np.testing.assert_array_equal(precision.round(values), list(given_and_due.values()))
    random = uniform_numbers(0, dtype, (20, 50))
    assert precision.round(random).shape == random.shape
    assert (np.abs(precision.round(random) - random) <= u * np.abs(random)).all()
    smallest = np.array([precision.smallest_subnormal])
    np.testing.assert_array_equal(precision.round(smallest), smallest)
    np.testing.assert_array_equal(precision.round(smallest / 4), [0.0])


def test_bfloat16_is_rounded_to_8_bits() -> None:
    random = uniform_numbers(0, "bfloat16", (1000,))
    expected = [to_bfloat16(value) for value in random.astype(np.float32).astype(float)]
    np.testing.assert_array_equal(PRECISIONS["bfloat16"].round(random), expected)


def test_drawn_numbers() -> None:
    """Uniform in [-1, 1); no two tensors, nor two seeds, share a number."""
    numbers = {
        (seed, name): uniform_numbers(seed, name, (100, 100)) for seed in (0, 1) for name in "ab"
    }
    for drawn in numbers.values():
        assert drawn.min() >= -1
        assert drawn.max() < 1
        # Standard deviations of the mean and of the mean square of 10000: 0.006 and 0.003.
        assert abs(drawn.mean()) < 0.03
        assert abs((drawn**2).mean() - 1 / 3) < 0.015
    together = np.concatenate([drawn.reshape(-1) for drawn in numbers.values()])
    assert len(np.unique(together)) == len(together)


# --------------------------------------------------------------- combinations


def test_all_combinations() -> None:
    everything = all_combinations()
    assert len(everything) == 2304
    assert len(set(everything)) == 2304
    assert list(FACTORS) == [item.name for item in fields(Combination)]
    assert [len(values) for values in FACTORS.values()] == [3, 2, 2, 2, 2, 3, 4, 2, 2]
    assert {combination.layout for combination in everything} == set(LAYOUTS)


def uncovered(rows: list[Combination], strength: int) -> list[str]:
    """The choices for ``strength`` factors that no row makes together."""
    missing = []
    for names in combinations(FACTORS, strength):
        seen = {tuple(getattr(row, name) for name in names) for row in rows}
        due = set(product(*(FACTORS[name] for name in names)))
        missing += [f"{names}: {choice}" for choice in due - seen]
    return missing


def test_covering_array_covers_every_triple() -> None:
    rows = covering_array()
    assert not uncovered(rows, 3)
    assert len(set(rows)) == len(rows) < 60
    assert set(rows) <= set(all_combinations())
    assert rows == covering_array()


def test_uncovered_triple_is_reported() -> None:
    """The last row was added for a triple that no other has."""
    assert uncovered(covering_array()[:-1], 3)


def test_covering_array_of_pairs() -> None:
    rows = covering_array(2)
    assert not uncovered(rows, 2)
    assert len(rows) < len(covering_array())


@pytest.mark.parametrize("combination", all_combinations()[::5], ids=str)
def test_case_is_of_its_combination(combination: Combination) -> None:
    assert Combination.of(case_of(combination)) == combination


def test_given_values_take_the_place_of_drawn_ones() -> None:
    case = Case(LSTMConfig(2, 3), seq_len=4, states=True, cotangents=("output", "h_n"))
    zeros = np.zeros((4, 1, 2))
    varied = case.with_values({"input": zeros, "cotangent of h_n": np.ones((1, 1, 3))})
    assert not varied.arguments()["input"].any()
    assert (varied.cotangent_values()["h_n"] == 1).all()
    for name in ("h_0", "c_0", "weight_ih_l0"):
        assert (varied.arguments()[name] == case.arguments()[name]).all()
    assert (varied.cotangent_values()["output"] == case.cotangent_values()["output"]).all()
    assert str(varied) == str(case)
    shorter = case.with_values({"input": zeros[:2]}, seq_len=2)
    assert shorter.shapes()["output"] == (2, 1, 3)


def test_given_values_are_rounded_to_the_format() -> None:
    case = Case(LSTMConfig(1, 1), dtype="bfloat16").with_values({"input": np.full((1, 1, 1), 0.1)})
    assert case.arguments()["input"] == Case(LSTMConfig(1, 1), dtype="bfloat16").precision.round(
        np.array(0.1)
    )


@pytest.mark.parametrize("name", ["input", "cotangent of output"])
def test_given_values_have_the_shapes_of_the_case(name: str) -> None:
    with pytest.raises(ValueError, match="has shape"):
        Case(LSTMConfig(1, 1)).with_values({name: np.zeros(3)})
    with pytest.raises(ValueError, match="has shape"):
        Case(LSTMConfig(1, 1)).with_values({"nothing": np.zeros(3)})


def test_cases_with_other_given_values_are_different() -> None:
    case = Case(LSTMConfig(1, 2))
    zeros = np.zeros((1, 1, 1))
    one, same = case.with_values({"input": zeros}), case.with_values({"input": zeros.copy()})
    assert one == same
    assert hash(one) == hash(same)
    others = [
        case, case.with_values({}), case.with_values({"input": zeros + 1}),
        case.with_values({"input": -zeros}), case.with_values({"input": zeros}, seed=1),
    ]  # fmt: skip
    assert all(one != other and other != one for other in others)


@settings(max_examples=50, deadline=None, database=None, derandomize=True)
@given(case_strategy(Domain(layout=("packed_unsorted",), seq_len=(2, 3), batch_size=(2, 2))))
def test_lengths_stay_in_the_domain(case: Case) -> None:
    assert case.lengths == (2, 3)
