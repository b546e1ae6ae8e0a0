"""The sizes that a failure is said to depend on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lstm_conformance.runner.failures.size_window import size_window
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.spec.sizes import Sizes, sizes_of, with_sizes

from .helpers.command_line import check

PLAIN = Case(LSTMConfig(4, 5), 3, 2)
PACKED = Case(LSTMConfig(4, 5), 3, 2, "packed_unsorted", (2, 3))

WINDOWS: dict[str, tuple[Sizes, Callable[[Sizes], bool], str]] = {
    "from one on": (
        Sizes(hidden_size=400), lambda s: s.hidden_size > 128,
        "hidden_size from 129 on (right at 128)",
    ),
    "a range": (
        Sizes(hidden_size=31), lambda s: 17 <= s.hidden_size <= 139,
        "hidden_size from 17 to 139 (right at 16 and at 140)",
    ),
    "one size": (
        Sizes(seq_len=33), lambda s: s.seq_len == 33, "seq_len=33 (right at 32 and at 34)",
    ),
    "multiples": (
        Sizes(input_size=240), lambda s: s.input_size % 12 == 0, "input_size is a multiple of 12",
    ),
    "no multiples": (
        Sizes(input_size=241), lambda s: s.input_size > 200 and s.input_size % 4 > 0,
        "input_size is no multiple of 4 (tried from 236 to 246)",
    ),
    "no multiples of a product": (
        Sizes(hidden_size=514, proj_size=513),
        lambda s: s.hidden_size * s.proj_size > 256 and s.hidden_size * s.proj_size % 4 > 0,
        "proj_size is no multiple of 2 (tried from 508 to 513)",
    ),
    "a pattern": (
        Sizes(seq_len=100), lambda s: s.seq_len > 64 and s.seq_len % 3 > 0,
        "seq_len is one of 95, 97, 98, 100, 101, 103, 104 (right at 96, 99, 102, 105; no others "
        "were tried)",
    ),
    "two sizes": (
        Sizes(hidden_size=256, batch_size=64, seq_len=9),
        lambda s: s.hidden_size % 64 == 0 and s.batch_size % 8 == 0,
        "batch_size is a multiple of 8, and hidden_size is a multiple of 64",
    ),
    "layers": (
        Sizes(num_layers=7), lambda s: s.num_layers > 4, "num_layers from 5 on (right at 4)",
    ),
    "projection": (
        Sizes(hidden_size=400, proj_size=300), lambda s: s.proj_size > 16,
        "proj_size from 17 on (right at 16)",
    ),
    "together": (
        Sizes(seq_len=129, hidden_size=129), lambda s: s.seq_len > 64 and s.hidden_size > 32,
        "seq_len from 65 on (right at 64), and hidden_size from 33 on (right at 32)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", [PLAIN, PACKED], ids=["batched", "packed"])
@pytest.mark.parametrize("name", WINDOWS)
def test_window(name: str, case: Case) -> None:
    sizes, wrong, expected = WINDOWS[name]
    tried: list[Sizes] = []

    def fails(case: Case) -> bool:
        tried.append(sizes_of(case))
        return wrong(tried[-1])

    found = size_window(fails, with_sizes(case, sizes))
    assert found == f"wrong only for some sizes: {expected}."
    assert len(set(tried)) == len(tried), "each takes seconds"


def test_no_window_if_small_sizes_are_wrong_too() -> None:
    assert size_window(lambda case: True, with_sizes(PLAIN, Sizes(hidden_size=99))) is None


def test_no_window_if_the_failure_does_not_come_back() -> None:
    assert size_window(lambda case: False, with_sizes(PLAIN, Sizes(hidden_size=99))) is None


@pytest.mark.whole
def test_the_window_is_the_diagnosis(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(
        "from lstm_conformance.adapters.reference import ReferenceLSTM\n"
        "class Wrong(ReferenceLSTM):\n"
        "    def run(self, case):\n"
        "        observation = super().run(case)\n"
        "        if case.batch_size > 40:\n"
        "            observation.tensors['output'].values[..., -1] = 0.5\n"
        "        return observation\n"
    )
    _, results = check("wrong.py:Wrong", "--clause", "SIZE-1", "--profile", "smoke", cwd=tmp_path)
    (clause,) = results["clauses"]
    failure = clause["failure"]
    assert failure["case"] == "v1 input_size=4 hidden_size=5 seq_len=3 batch_size=64", (
        "options that do not matter are left out"
    )
    assert failure["diagnosis"]["text"] == (
        "wrong only for some sizes: batch_size from 41 on (right at 40). First wrong in a single "
        "step: output, while h_n and c_n are right. Wrong only in the last unit. Seen in "
        "v1 input_size=6 hidden_size=9 seq_len=6 batch_size=67"
    )
