"""The first failure is told while the run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstm_conformance.runner.failures.failure import Failure
from lstm_conformance.runner.session.early_notice import EarlyNotice
from lstm_conformance.spec.clauses import TESTABLE

from .helpers.command_line import run
from .helpers.made_up_records import CASE, FINDING

RECOMMENDED = next(id for id, clause in TESTABLE.items() if clause.level == "SHOULD")
FAILURE = Failure("fail", CASE, CASE, FINDING)
HEADING = "The first failure, before it is shrunk:"


def test_the_first_failure_is_written_once(tmp_path: Path) -> None:
    """Not that of a recommended clause, not a later one, and not that of another process."""
    file = tmp_path / "notice"
    notice, other = EarlyNotice(file, "a:B"), EarlyNotice(file, "a:B")
    notice.note(RECOMMENDED, FAILURE)
    assert not file.exists()
    notice.note("EQ-1", FAILURE)
    notice.note("EQ-2", FAILURE)
    other.note("EQ-3", FAILURE)
    text = file.read_text("utf-8")
    assert text.startswith("EQ-1 ")
    assert CASE in text
    assert "EQ-2" not in text
    assert "EQ-3" not in text
    assert "import torch" not in text, "the program comes with the results"


@pytest.mark.parametrize("workers", ["0", "2"])
def test_check_tells_of_the_first_failure(workers: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(
        "from lstm_conformance.adapters.reference import ReferenceLSTM\n"
        "class Wrong(ReferenceLSTM):\n"
        "    def run(self, case):\n"
        "        observation = super().run(case)\n"
        "        if case.config.hidden_size > 1:\n"
        "            observation.tensors['h_n'].values[...] += 1e-3\n"
        "        return observation\n"
    )
    options = ("--clause", "EQ-5", "--clause", "EQ-6", "--profile", "smoke", "-n", workers)
    wrong = run("check", "wrong.py:Wrong", *options, cwd=tmp_path)
    assert wrong.status == 1, wrong.err
    assert wrong.err.count(HEADING) == 1
    told = wrong.err.partition(HEADING)[2]
    assert told.strip().startswith("EQ-")
    assert "times rounding noise, 30 allowed" in told
    assert "found as" not in told, "it is the case that was drawn"
    right = run("check", "reference", *options, cwd=tmp_path)
    assert right.status == 0
    assert HEADING not in right.err
