"""Test cases of other projects are converted right, and find what they should.

The cases are made up here: a test that reads the other projects' own would need their packages.
"""

from __future__ import annotations

import json
import unittest
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("json5")

import torch

from lstm_conformance.adapters.target import load, of_object
from lstm_conformance.defects.equations.gates import HardSigmoid
from lstm_conformance.defects.readable import ReadableLSTM
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.usage_error import UsageError
from tools import compare_suites
from tools.compare_suites import (
    BY_TEST,
    GRADIENTS,
    OUTPUTS_ONLY,
    WAYS,
    failed,
    killed_by,
    page,
    prepared,
)
from tools.other_suites.keras_layers import cases_of_tests
from tools.other_suites.onnx_backend import case_of_node
from tools.other_suites.other_case import (
    AllClose,
    NotConvertible,
    OtherCase,
    Part,
    Suite,
    ULPs,
)
from tools.other_suites.torch_modules import Call, passes
from tools.other_suites.web_platform import cases_of_file, web_platform_tests
from tools.other_suites.with_relu import with_relu

PUBLISHED = Path(__file__).parents[1] / "reports" / "published"
RIGHT = "lstm_conformance.defects.readable:ReadableLSTM"
CLOSE = AllClose(rtol=1e-5, atol=1e-6)

Array = NDArray[Any]


def numbers(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def sigmoid(x: Array) -> Array:
    result: Array = 1 / (1 + np.exp(-x))
    return result


def steps_of(
    x: Array, gates: dict[str, tuple[Array, Array, Array]], h: Array, c: Array
) -> tuple[Array, Array, Array]:
    """All steps of x (L, N, features), with (W, R, b) of each gate by its letter."""
    outputs = []
    for x_t in x:
        i, f, g, o = (x_t @ W.T + h @ R.T + b for W, R, b in (gates[k] for k in "ifgo"))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs), h, c


def accepted(case: OtherCase, target: str = RIGHT) -> bool:
    return case.accepts(load(target).run(case.case))


def other_case(case: Case, expected: tuple[Part, ...]) -> OtherCase:
    return OtherCase("made up", case, expected, CLOSE)


# ------------------------------------------------------------------------------- ONNX


def made_up_gates(seed: int) -> dict[str, tuple[Array, Array, Array]]:
    """Other weights for each gate: 3 features, 2 units."""
    return {
        gate: (numbers(seed + n, 2, 3), numbers(seed + n + 10, 2, 2), numbers(seed + n + 20, 2))
        for n, gate in enumerate("ifgo")
    }


def in_order(gates: dict[str, tuple[Array, Array, Array]], order: str) -> list[Array]:
    """W (4H, features), R (4H, H) and b (4H,) with the gates in this order."""
    return [np.concatenate([gates[gate][k] for gate in order]) for k in range(3)]


def node(direction: str, layout: int = 0, **more: Array) -> OtherCase:
    """A node of ONNX with 3 steps, 2 rows, 3 features and 2 units."""
    ways = {"forward": [1], "reverse": [-1], "bidirectional": [1, -1]}[direction]
    x, h_0, c_0 = numbers(0, 3, 2, 3), numbers(1, len(ways), 2, 2), numbers(2, len(ways), 2, 2)
    gates = [made_up_gates(100 * d) for d in range(len(ways))]
    results = [steps_of(x[::way], gates[d], h_0[d], c_0[d]) for d, way in enumerate(ways)]
    Y = np.stack([y[::way] for way, (y, _, _) in zip(ways, results, strict=True)], axis=1)
    Y_h, Y_c = (np.stack([result[k] for result in results]) for k in (1, 2))
    W, R, b = (
        np.stack(values) for values in zip(*(in_order(g, "iofg") for g in gates), strict=True)
    )
    B = np.concatenate([b, np.zeros_like(b)], axis=1)
    if layout:
        x, h_0, c_0, Y_h, Y_c = (np.swapaxes(value, 0, 1) for value in (x, h_0, c_0, Y_h, Y_c))
        Y = Y.transpose(2, 0, 1, 3)
    inputs = {"X": x, "W": W, "R": R, "B": B, "initial_h": h_0, "initial_c": c_0, **more}
    attributes = {"hidden_size": 2, "direction": direction.encode(), "layout": layout}
    return other_case(*case_of_node(attributes, inputs, {"Y": Y, "Y_h": Y_h, "Y_c": Y_c}))


@pytest.mark.parametrize("layout", [0, 1])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
def test_a_node_of_onnx(direction: str, layout: int) -> None:
    case = node(direction, layout)
    assert accepted(case)
    assert len(case.expected) == 3
    assert not accepted(case, "lstm_conformance.defects.equations.gates:GatesInOrderIOFG")


def test_lengths_of_onnx_become_a_packed_sequence() -> None:
    case = node("forward", sequence_lens=np.array([2, 3], np.int32))
    assert (case.case.layout, case.case.lengths) == ("packed_unsorted", (2, 3))
    assert node("forward", sequence_lens=np.array([3, 3], np.int32)).case.layout == "batched"
    with pytest.raises(NotConvertible, match="no steps"):
        node("forward", sequence_lens=np.array([0, 3], np.int32))


def test_what_onnx_has_and_torch_has_not() -> None:
    assert accepted(node("forward", P=np.zeros((1, 6), np.float32)))
    with pytest.raises(NotConvertible, match="peepholes"):
        node("forward", P=np.ones((1, 6), np.float32))
    with pytest.raises(NotConvertible, match="activations, clip"):
        case_of_node({"clip": 3.0, "activations": [b"Relu"]}, {}, {})


# ------------------------------------------------------------------------------ WebNN


def file_of(*tests: dict[str, Any]) -> str:
    """A file as WebNN has them: a table of tolerances and a list in JavaScript."""
    found = json.dumps(tests).removeprefix("[").removesuffix("]")
    return (
        "'use strict';\n"
        "const getTolerance = () => {\n"
        "  const toleranceValueDict = {float32: 64, float16: 64};\n"
        "};\n"
        f"const lstmTests = [\n{found}, // the last one\n];\n"
        "if (navigator.ml) { run(lstmTests); }\n"
    )


def tensor(values: Array) -> dict[str, Any]:
    descriptor = {"shape": list(values.shape), "dataType": "float32"}
    return {"data": values.reshape(-1).tolist(), "descriptor": descriptor}


def graph(name: str, options: dict[str, Any], expect: dict[str, Array], cell: bool = False) -> Any:
    """A test of one operator; options that are arrays become inputs."""
    arrays = {
        key: value for key, value in options.items() if not isinstance(value, (str, list, bool))
    }
    required = (
        "input",
        "weight",
        "recurrentWeight",
        *(("hiddenState", "cellState") if cell else ()),
    )
    arguments: list[dict[str, Any]] = [{key: f"the {key}"} for key in required]
    named = {k: f"the {k}" if k in arrays else v for k, v in options.items() if k not in required}
    return {
        "name": name,
        "graph": {
            "inputs": {f"the {key}": tensor(value) for key, value in arrays.items()},
            "operators": [
                {
                    "name": "lstmCell" if cell else "lstm",
                    "arguments": [*arguments, {"hiddenSize": 2}, {"options": named}],
                    "outputs": list(expect),
                }
            ],
            "expectedOutputs": {key: tensor(value) for key, value in expect.items()},
        },
    }


def webnn(name: str = "made up", layout: str = "iofg", back: bool = False, **more: Any) -> Any:
    """A test of ``lstm`` with one direction, and biases split into both."""
    x, zeros = numbers(0, 3, 2, 3), np.zeros((2, 2), np.float32)
    W, R, b = in_order(made_up_gates(0), layout)
    output, h, c = steps_of(x[::-1] if back else x, made_up_gates(0), zeros, zeros)
    output = output[::-1] if back else output
    options = {
        "input": x,
        "weight": W[None],
        "recurrentWeight": R[None],
        "bias": b[None] / 4,
        "recurrentBias": 3 * b[None] / 4,
        "returnSequence": True,
        "direction": "backward" if back else "forward",
        "layout": layout,
        **more,
    }
    return graph(name, options, {"h": h[None], "c": c[None], "all": output[:, None]})


def of_file(*tests: dict[str, Any]) -> OtherCase:
    (case,) = cases_of_file(file_of(*tests)).values()
    assert isinstance(case, OtherCase), case
    return case


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("layout", ["iofg", "ifgo"])
def test_a_test_of_webnn(layout: str, back: bool) -> None:
    case = of_file(webnn(layout=layout, back=back))
    assert accepted(case)
    assert [part.tensor for part in case.expected] == ["h_n", "c_n", "output"]
    assert case.tolerance == ULPs(64, "float32")
    assert not accepted(case, "lstm_conformance.defects.equations.gates:GatesInOrderIOFG")


def test_a_cell_of_webnn() -> None:
    x, h_0, c_0 = numbers(0, 2, 3), numbers(1, 2, 2), numbers(2, 2, 2)
    W, R, b = in_order(made_up_gates(0), "iofg")
    _, h, c = steps_of(x[None], made_up_gates(0), h_0, c_0)
    options = {"input": x, "weight": W, "recurrentWeight": R, "bias": b}
    options |= {"hiddenState": h_0, "cellState": c_0}
    case = of_file(graph("cell", options, {"h": h, "c": c}, cell=True))
    assert case.case.states
    assert accepted(case)


def test_what_webnn_has_and_torch_has_not() -> None:
    found = cases_of_file(
        file_of(
            webnn("peepholes", peepholeWeight=np.ones((1, 6), np.float32)),
            webnn("no peepholes", peepholeWeight=np.zeros((1, 6), np.float32)),
            webnn("activations", activations=["relu", "tanh", "tanh"]),
        )
    )
    reasons = {name: str(case) for name, case in found.items() if isinstance(case, NotConvertible)}
    assert reasons == {"peepholes": "peepholes", "activations": "activations relu, tanh, tanh"}


def test_a_file_that_is_not_there_or_has_another_form(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"lstm\.https\.any\.js cannot be read .* by --files"):
        web_platform_tests(tmp_path)
    with pytest.raises(UsageError, match="another form"):
        cases_of_file("const lstmTests = 1;")


def test_ulps_are_counted_across_zero() -> None:
    two = np.nextafter(np.float32(0), np.float32(1)) * np.array([1, -1], np.float32)
    assert ULPs(2, "float32").accepts(two, two[::-1])
    assert not ULPs(1, "float32").accepts(two, two[::-1])
    assert ULPs(0, "float32").accepts(np.array([0.0]), np.array([-0.0]))


# ------------------------------------------------------------------------------- ReLU


def relu_test() -> OtherCase:
    """One step from zero states: with ReLU, h is o * (i * g) for positive numbers."""
    x, one = np.ones((1, 1, 1), np.float32), np.ones((1, 1, 1), np.float32)
    weights = np.array([2, 3, 5, 7], np.float32).reshape(1, 4, 1)  # i, f, g, o
    options = {"input": x, "weight": weights, "recurrentWeight": np.zeros_like(weights)}
    options |= {"layout": "ifgo", "activations": ["relu"] * 3}
    return of_file(graph("relu", options, {"h": 70 * one, "c": 10 * one}))


def test_activations_are_replaced() -> None:
    case = relu_test()
    assert case.relu
    right = with_relu(ReadableLSTM)
    assert right is not None
    assert case.accepts(right.run(case.case))
    assert not accepted(case)

    class CandidateFromInputGate(ReadableLSTM):
        def gates(self, x: Any, h: Any, w: Any) -> Any:
            i, f, _, o = super().gates(x, h, w)
            return i, f, torch.tanh(i), o

    wrong = with_relu(CandidateFromInputGate)
    assert wrong is not None
    assert not case.accepts(wrong.run(case.case))


def test_a_defect_of_an_activation_is_none_with_relu() -> None:
    implementation = with_relu(HardSigmoid)
    assert implementation is not None
    assert relu_test().accepts(implementation.run(relu_test().case))


def test_activations_of_a_kernel_cannot_be_replaced() -> None:
    assert with_relu(torch.nn.LSTM) is None
    assert failed(prepared(relu_test()), None) == set()


# ------------------------------------------------------------------------------ Keras


def constant(value: float) -> SimpleNamespace:
    return SimpleNamespace(value=value)


INITIAL = {
    "kernel_initializer": constant(0.1),
    "recurrent_initializer": constant(0.2),
    "bias_initializer": constant(0.3),
}


def keras_gates(forget_bias: float = 1.0) -> dict[str, tuple[Array, Array, Array]]:
    W, R = np.full((2, 3), 0.1), np.full((2, 2), 0.2)
    return {gate: (W, R, np.full(2, forget_bias if gate == "f" else 0.3)) for gate in "ifgo"}


def keras_output(x: Array, forget_bias: float = 1.0, h_0: Any = None) -> Array:
    """All outputs (N, L, H) for x (N, L, features)."""
    zeros = np.zeros((len(x), 2))
    h, c = (zeros, zeros) if h_0 is None else h_0
    return steps_of(np.swapaxes(x, 0, 1), keras_gates(forget_bias), h, c)[0].swapaxes(0, 1)


def recorded(*bodies: Any) -> dict[str, OtherCase | NotConvertible]:
    """The assertions of made-up tests, each a function of a test case and the layers."""
    module = SimpleNamespace(layers=None)

    class LSTMTest(unittest.TestCase):
        assertAllClose: Any = None
        run_layer_test: Any = None

    def method(body: Any) -> Any:
        return lambda self: body(self, module.layers)

    for body in bodies:
        setattr(LSTMTest, body.__name__, method(body))
    module.LSTMTest = LSTMTest
    return cases_of_tests(module, "LSTMTest")


X = numbers(0, 2, 4, 3)


def test_plain(self: Any, layers: Any) -> None:
    self.assertAllClose(layers.LSTM(2, **INITIAL)(X), keras_output(X)[:, -1], atol=1e-5, rtol=1e-5)


def test_forget_bias(self: Any, layers: Any) -> None:
    layer = layers.LSTM(2, **INITIAL, unit_forget_bias=False, unroll=True)
    self.assertAllClose(layer(X), keras_output(X, forget_bias=0.3)[:, -1])


def test_backwards(self: Any, layers: Any) -> None:
    layer = layers.LSTM(2, **INITIAL, go_backwards=True)
    self.assertAllClose(layer(X), keras_output(X[:, ::-1])[:, -1])


def test_states(self: Any, layers: Any) -> None:
    states = [numbers(1, 2, 2), numbers(2, 2, 2)]
    output = layers.LSTM(2, **INITIAL)(X, initial_state=states)
    self.assertAllClose(output, keras_output(X, h_0=states)[:, -1])


def test_stateful(self: Any, layers: Any) -> None:
    layer = layers.LSTM(2, **INITIAL, stateful=True)
    layer(X)
    self.assertAllClose(layer(X), keras_output(np.concatenate([X, X], axis=1))[:, -1])
    layer.reset_state()
    self.assertAllClose(layer(X), keras_output(X)[:, -1])


MASK = np.array([[True, True, False, False], [True, True, True, False]])


def test_mask(self: Any, layers: Any) -> None:
    output = layers.LSTM(2, **INITIAL, return_sequences=True)(X, mask=MASK)
    right = keras_output(X)
    self.assertAllClose(output[0], [*right[0, :2], right[0, 1], right[0, 1]])
    self.assertAllClose(output[1], [*right[1, :3], right[1, 2]])


def test_backwards_mask(self: Any, layers: Any) -> None:
    output = layers.LSTM(2, **INITIAL, go_backwards=True)(X, mask=MASK[:, ::-1])
    ends = [keras_output(X[n : n + 1, :first:-1])[0, -1] for n, first in ((0, 1), (1, 0))]
    self.assertAllClose(output, ends)


KERAS = (
    test_plain,
    test_forget_bias,
    test_backwards,
    test_states,
    test_stateful,
    test_mask,
    test_backwards_mask,
)
for one in KERAS:
    one.__test__ = False  # type: ignore[attr-defined]  # they are tests of Keras, not of this suite


def test_tests_of_keras() -> None:
    found = recorded(*KERAS)
    assert len(found) == len(KERAS) + 2  # two have two assertions
    for name, case in found.items():
        assert isinstance(case, OtherCase), (name, case)
        assert accepted(case), name
        moved = tuple(part._replace(values=part.values + 1e-3) for part in case.expected)
        assert not accepted(replace(case, expected=moved)), name


def test_what_keras_has_and_torch_has_not() -> None:
    def test_dropout(self: Any, layers: Any) -> None:
        self.assertAllClose(layers.LSTM(2, **INITIAL, recurrent_dropout=0.5)(X), X)

    def test_basics(self: Any, layers: Any) -> None:
        self.run_layer_test(layers.LSTM, init_kwargs={"units": 3})

    def test_sum(self: Any, layers: Any) -> None:
        layers.LSTM(2)(X).sum()

    found = recorded(test_dropout, test_basics, test_sum)
    assert {name: str(reason) for name, reason in found.items()} == {
        "test_dropout 1": "recurrent_dropout",
        "test_basics": "checks no numbers",
        "test_sum": "needs a layer: AttributeError",
    }


# ---------------------------------------------------------------------------- PyTorch


class Unbatched(torch.nn.LSTM):
    """Wrong without a batch."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        output, states = super().forward(input, hx)
        return (output + 1e-3 if input.dim() == 2 else output), states


CALL = Call({"input_size": 2, "hidden_size": 3, "num_layers": 2}, np.ones((4, 2)), ())


def test_a_test_of_torch() -> None:
    with_states = CALL._replace(states=(numbers(1, 2, 3), numbers(2, 2, 3)))
    in_float64 = with_states._replace(states=tuple(s.astype(float) for s in with_states.states))
    assert passes(torch.nn.LSTM, in_float64)
    assert passes(torch.nn.LSTM, CALL)
    assert not passes(Unbatched, CALL)


# ------------------------------------------------------------------------ the measure


def suites() -> dict[str, list[Any]]:
    made = [node("forward"), node("bidirectional")]
    return {"made up": [prepared(case) for case in made]}


@pytest.mark.parametrize(
    ("target", "ways"),
    [
        (RIGHT, []),
        ("torch.nn:LSTM", []),
        ("lstm_conformance.defects.equations.gates:GatesInOrderIOFG", list(WAYS)),
        ("lstm_conformance.defects.gradients.cotangents:CotangentOfHNGoesToCN", [GRADIENTS]),
        ("lstm_conformance.defects.dtypes:GradientsInFloat32", []),  # it is no module
    ],
)
def test_what_kills(target: str, ways: list[str]) -> None:
    assert killed_by(target, suites(), [CALL]) == {"made up": ways, compare_suites.TORCH: []}


def test_an_error_below_the_tolerance_is_seen_by_the_judge() -> None:
    case = node("forward")
    wide = replace(case, tolerance=AllClose(rtol=1e-2, atol=1e-2))

    class Slightly(ReadableLSTM):
        def sigmoid(self, x: Any) -> Any:
            return super().sigmoid(x) * 1.0001

    implementation = load("reference")
    assert failed(prepared(wide), implementation) == set()
    slightly = of_object(Slightly, "Slightly")
    assert failed(prepared(wide), slightly) == {OUTPUTS_ONLY, GRADIENTS}
    assert failed(prepared(case), slightly) == {BY_TEST, OUTPUTS_ONLY, GRADIENTS}


def test_what_raises_fails_in_all_ways() -> None:
    class Raising(ReadableLSTM):
        def forward(self, input: Any, hx: Any = None) -> Any:
            raise RuntimeError

    assert failed(prepared(node("forward")), of_object(Raising, "Raising")) == set(WAYS)


def test_shape_and_dtype_count() -> None:
    case = node("forward")
    observation = load(RIGHT).run(case.case)
    for change in ({"values": observation.tensors["h_n"].values[0]}, {"dtype": "float64"}):
        tensors = {**observation.tensors, "h_n": replace(observation.tensors["h_n"], **change)}
        assert not case.accepts(replace(observation, tensors=tensors))


def test_the_page_is_that_of_the_results() -> None:
    results = json.loads((PUBLISHED / "suites.json").read_text("utf-8"))
    assert (PUBLISHED / "suites.md").read_text("utf-8") == page(results)
    defects = json.loads((PUBLISHED / "defects.json").read_text("utf-8"))["defects"]
    asked = [row["id"] for row in defects if row["kind"] in compare_suites.ASKED]
    measured = [row["id"] for row in results["defects"]]
    # Some defects are newer than the measurement.
    assert measured == [defect for defect in asked if defect in measured]
    names = [suite["name"] for suite in results["suites"]]
    assert len(names) == 4
    for row in results["defects"]:
        for name in names:
            # What a test sees by its outputs is also seen with gradients.
            assert OUTPUTS_ONLY not in row[name] or GRADIENTS in row[name]


def test_the_same_test_runs_once() -> None:
    one, other = node("forward"), node("reverse")
    moved = replace(one, expected=one.expected[:1])
    again = replace(node("forward"), name="again")
    assert [test.name for test in compare_suites.distinct([one, other, moved, again])] == [
        "again",
        "made up",
        "made up",
    ]


def test_a_suite_says_what_it_left_out() -> None:
    suite = Suite("made up", "nowhere", [node("forward")], {"peepholes": "a reason"})
    results = {
        "environment": {"packages": {"torch": "2.3"}},
        "suites": [compare_suites.described(suite)],
        "defects": [
            {"id": "x", "kind": "forward", compare_suites.HERE: True, "made up": [BY_TEST]}
        ],
    }
    text = page(results)
    assert "- made up, peepholes: a reason" in text
    assert "| made up        |       1 |               1 |" in text
