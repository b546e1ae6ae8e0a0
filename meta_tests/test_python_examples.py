"""The examples of the page "Test your own LSTM" give the results that it states."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from lstm_conformance.spec.capabilities import CAPABILITIES

from .helpers.command_line import check
from .helpers.selection import elsewhere

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples" / "python"
PAGE = (ROOT / "docs" / "test-your-own.md").read_text("utf-8")

NUMBERS = ("EQ-1", "EQ-4", "STACK-1", "DIR-4", "STATE-2", "SHAPE-5", "PACK-1", "GRAD-10", "COMB-1")
CLAUSES = [word for clause in NUMBERS for word in ("--clause", clause)]
LESS = ("layers", "bidirectional", "packed", "projection")

# File and attribute to the framework it needs, the options, and clauses that have to pass.
JUDGED = {
    "numpy_function.py:LSTM": ("numpy", [], {"EQ-1", "EQ-4", "COMB-1"}),
    "numpy_cell.py:LSTM": (
        "numpy",
        [],
        {"EQ-1", "STACK-1", "DIR-4", "STATE-2", "SHAPE-5", "PACK-1", "COMB-1"},
    ),
    "drop_in.py:OneLayerLSTM": (
        "torch",
        [word for name in LESS for word in ("--without", name)],
        {"EQ-1", "EQ-4", "STATE-2", "GRAD-10", "COMB-1"},
    ),
    "jax_function.py:LSTM": ("jax", [], {"EQ-1", "STATE-2", "GRAD-10", "COMB-1"}),
}


# The others take longer, or judge as one of these does.
EVERY_RUN = ("numpy_function.py:LSTM", "drop_in.py:OneLayerLSTM")


@pytest.mark.parametrize(
    "target",
    [name if name in EVERY_RUN else elsewhere(name) for name in JUDGED],
)
def test_example_is_right(target: str, tmp_path: Path) -> None:
    framework, options, passes = JUDGED[target]
    if importlib.util.find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed")
    ended, results = check(
        f"{EXAMPLES}/{target}", "--profile", "smoke", *CLAUSES, *options, cwd=tmp_path
    )
    assert ended.status == 0, ended.out + ended.err
    verdicts = {clause["id"]: clause["verdict"] for clause in results["clauses"]}
    assert {clause for clause, verdict in verdicts.items() if verdict == "pass"} >= passes
    assert set(verdicts.values()) <= {"pass", "unsupported", "not tested"}


def test_the_page_names_every_example() -> None:
    """The page "From Python" has those that judge themselves."""
    for file in EXAMPLES.glob("*.py"):
        if not file.name.startswith("judge_"):
            assert f"examples/python/{file.name}" in PAGE


def test_the_page_names_every_capability() -> None:
    for name, meaning in CAPABILITIES.items():
        assert f"| `{name}` | {meaning} |" in PAGE
