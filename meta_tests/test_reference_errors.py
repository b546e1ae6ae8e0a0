"""The reference refuses arguments that do not fit, and uses everything that it is given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lstm_conformance.reference.complex_step import derivative
from lstm_conformance.reference.lstm import lstm, lstm_backward
from lstm_conformance.reference.oracle import evaluate, expect
from lstm_conformance.spec.case import OUTPUTS, Case, uniform_numbers
from lstm_conformance.spec.config import LSTMConfig

CONFIG = LSTMConfig(input_size=3, hidden_size=4, num_layers=2, bidirectional=True, proj_size=2)
T, N = 3, 2

SHAPES = {
    "x": (T, N, 3),
    "h_0": (4, N, 2),
    "c_0": (4, N, 4),
    "mask": (T, N, 4),
}

Call = dict[str, Any]


def call() -> Call:
    """All arguments of ``lstm``, including the optional ones."""
    return {
        "config": CONFIG,
        "parameters": {
            name: uniform_numbers(0, name, shape).copy()
            for name, shape in CONFIG.parameter_shapes().items()
        },
        "x": uniform_numbers(0, "x", SHAPES["x"]).copy(),
        "h_0": uniform_numbers(0, "h_0", SHAPES["h_0"]).copy(),
        "c_0": uniform_numbers(0, "c_0", SHAPES["c_0"]).copy(),
        "lengths": (2, 3),
        "masks": [uniform_numbers(0, "mask", SHAPES["mask"]).copy()],
    }


def outputs(arguments: Call) -> bytes:
    """output, h_n and c_n, to be compared bit for bit."""
    return b"".join(array.tobytes() for array in lstm(**arguments)[:3])


def gradients(cotangents: list[np.ndarray], arguments: Call) -> bytes:
    """All gradients, to be compared bit for bit."""
    dx, dh_0, dc_0, dparameters = lstm_backward(*cotangents, lstm(**arguments)[3])
    return b"".join(array.tobytes() for array in (dx, dh_0, dc_0, *dparameters.values()))


# ------------------------------------------------------------------- refused


@pytest.mark.parametrize("name", CONFIG.parameter_shapes())
def test_missing_parameter(name: str) -> None:
    arguments = call()
    del arguments["parameters"][name]
    with pytest.raises(ValueError, match=f"parameters must be .*{name}"):
        lstm(**arguments)


@pytest.mark.parametrize("name", ["weight_ih_l2", "bias", "weight_hh_l0_reversed"])
def test_extra_parameter(name: str) -> None:
    arguments = call()
    arguments["parameters"][name] = np.zeros((16, 3))
    with pytest.raises(ValueError, match=f"parameters must be .*, not .*{name}"):
        lstm(**arguments)


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (replace(CONFIG, bias=False), "bias_ih_l0"),
        (replace(CONFIG, proj_size=0), "weight_hr_l0"),
        (replace(CONFIG, bidirectional=False), "weight_ih_l0_reverse"),
        (replace(CONFIG, num_layers=1), "weight_ih_l1"),
    ],
)
def test_parameter_of_another_config(config: LSTMConfig, name: str) -> None:
    """A bias that the configuration does not have must be refused, not ignored or added."""
    with pytest.raises(ValueError, match=f"parameters must be .*, not .*{name}"):
        lstm(**{**call(), "config": config})


@pytest.mark.parametrize("name", CONFIG.parameter_shapes())
def test_shape_of_parameter(name: str) -> None:
    arguments = call()
    shape = CONFIG.parameter_shapes()[name]
    for wrong in ((shape[0] + 1, *shape[1:]), (*shape[:-1], 1), shape[:-1]):
        arguments["parameters"][name] = np.zeros(wrong)
        with pytest.raises(ValueError, match=f"{name} must end in shape"):
            lstm(**arguments)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("x", (T, N, 2)),
        ("x", (T, N, 1)),
        ("h_0", (2, N, 2)),
        ("h_0", (4, 1, 2)),
        ("h_0", (4, N, 4)),
        ("h_0", (N, 2)),
        ("c_0", (4, N, 2)),
        ("c_0", (4, 1, 4)),
        ("c_0", (1, N, 4)),
    ],
)
def test_shape_of_input_and_states(name: str, shape: tuple[int, ...]) -> None:
    """Sizes of 1, too: they must not be broadcast."""
    with pytest.raises(ValueError, match=f"{ {'x': 'input'}.get(name, name) } must end in shape"):
        lstm(**{**call(), name: np.zeros(shape)})


def test_input_without_steps() -> None:
    arguments = {**call(), "x": np.zeros((0, N, 3)), "lengths": None, "masks": None}
    with pytest.raises(ValueError, match="at least one step"):
        lstm(**arguments)


@pytest.mark.parametrize("lengths", [(), (3,), (3, 3, 3), (0, 3), (-1, 3), (4, 3)])
def test_lengths(lengths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="lengths must be 2 numbers between 1 and 3"):
        lstm(**{**call(), "lengths": lengths})


@pytest.mark.parametrize("count", [0, 2])
def test_number_of_masks(count: int) -> None:
    """One behind each layer but the last."""
    with pytest.raises(ValueError, match="2 layers take 1 masks"):
        lstm(**{**call(), "masks": [np.ones(SHAPES["mask"])] * count})


@pytest.mark.parametrize("shape", [(T, N, 2), (T, 1, 4), (1, N, 4), (N, 4)])
def test_shape_of_mask(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="mask 0 must end in shape"):
        lstm(**{**call(), "masks": [np.ones(shape)]})


def test_drawn_dropout_is_outside_the_oracle() -> None:
    """A mask is random only with several layers, in training, and with 0 < dropout < 1."""
    config = LSTMConfig(input_size=1, hidden_size=1, num_layers=2, dropout=0.5)
    drawn = Case(config, training=True)
    with pytest.raises(ValueError, match=r"dropout=0\.5 in training is random: kept is required"):
        evaluate(drawn, drawn.arguments(), {})
    with pytest.raises(ValueError, match=r"dropout=0\.5 in training is random: kept is required"):
        expect(drawn)
    with pytest.raises(ValueError, match=r"dropout=0\.5 in training is random: kept is required"):
        derivative(drawn, {"input": np.ones((1, 1, 1))})
    for known in (
        replace(drawn, training=False),
        replace(drawn, config=replace(config, num_layers=1)),
        replace(drawn, config=replace(config, dropout=0.0)),
        replace(drawn, config=replace(config, dropout=1.0)),
    ):
        assert set(expect(known).values) == set(OUTPUTS)
        with pytest.raises(ValueError, match="is not random: kept must be None"):
            expect(known, kept=[np.ones((1, 1, 1))])
    assert set(expect(drawn, kept=[np.ones((1, 1, 1))]).values) == set(OUTPUTS)


# ------------------------------------------------------------- looked at


@pytest.mark.parametrize("name", CONFIG.parameter_shapes())
def test_every_parameter_counts(name: str) -> None:
    """Every element of every parameter counts."""
    before = outputs(call())
    for index in np.ndindex(CONFIG.parameter_shapes()[name]):
        arguments = call()
        arguments["parameters"][name][index] += 0.5
        assert outputs(arguments) != before, index


@pytest.mark.parametrize("name", ["x", "h_0", "c_0"])
def test_every_element_of_input_and_states_counts(name: str) -> None:
    """Every element counts, except the padding."""
    before = outputs(call())
    for index in np.ndindex(SHAPES[name]):
        arguments = call()
        arguments[name][index] += 0.5
        is_padding = name == "x" and index[:2] == (2, 0)
        assert (outputs(arguments) == before) == is_padding, index


@pytest.mark.parametrize(
    "changes",
    [
        {"lengths": None},
        {"lengths": (3, 2)},
        {"lengths": (1, 3)},
        {"masks": None},
        {"masks": [np.zeros(SHAPES["mask"])]},
    ],
    ids=str,
)
def test_lengths_and_masks_count(changes: Call) -> None:
    assert outputs({**call(), **changes}) != outputs(call())


def test_every_element_of_the_mask_counts() -> None:
    before = outputs(call())
    for index in np.ndindex(SHAPES["mask"]):
        arguments = call()
        arguments["masks"][0][index] += 0.5
        assert (outputs(arguments) == before) == (index[:2] == (2, 0)), index


@pytest.mark.parametrize("changes", [{"batch_first": True}, {"dropout": 0.5}], ids=str)
def test_documented_exceptions_do_not_count(changes: dict[str, Any]) -> None:
    """``lstm`` documents that it does not use these two."""
    assert outputs({**call(), "config": replace(CONFIG, **changes)}) == outputs(call())


def test_every_cotangent_counts() -> None:
    """Every element of it counts, except the padding."""
    arguments = call()
    shapes = [array.shape for array in lstm(**arguments)[:3]]
    before = gradients(
        [uniform_numbers(0, f"cotangent {k}", s) for k, s in enumerate(shapes)], arguments
    )
    for changed, shape in enumerate(shapes):
        for index in np.ndindex(shape):
            cotangents = [
                uniform_numbers(0, f"cotangent {k}", s).copy() for k, s in enumerate(shapes)
            ]
            cotangents[changed][index] += 0.5
            is_padding = changed == 0 and index[:2] == (2, 0)
            assert (gradients(cotangents, arguments) == before) == is_padding, (changed, index)


def test_arguments_are_left_as_they_are() -> None:
    arguments = call()
    for array in [*arguments["parameters"].values(), arguments["x"], *arguments["masks"]]:
        array.setflags(write=False)
    arguments["h_0"].setflags(write=False)
    arguments["c_0"].setflags(write=False)
    *results, cache = lstm(**arguments)
    kept = [array.copy() for array in results]
    lstm_backward(*results, cache)
    for array, copy in zip(results, kept, strict=True):
        np.testing.assert_array_equal(array, copy)
    for name in ("x", "h_0", "c_0"):
        np.testing.assert_array_equal(arguments[name], call()[name])
