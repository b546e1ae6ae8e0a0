"""The tutorial: its LSTM is judged, mended and judged again, as a reader does it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from .helpers.command_line import run
from .helpers.pages import Block, blocks, in_common_words

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"


@pytest.mark.whole
def test_the_tutorial(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the LSTM of the tutorial is a torch module")
    file = tmp_path / "my_lstm.py"
    old, out, statuses = "", "", []
    for block in blocks(PAGE):
        if block.language == "python" and block.code.startswith("# my_lstm.py\n"):
            file.write_text(block.code, "utf-8")
        elif block.language == "python" and not old:
            old = block.code
        elif block.language == "python":
            text = file.read_text("utf-8")
            assert text.count(old) == 1
            file.write_text(text.replace(old, block.code), "utf-8")
            old = ""
        elif block.language == "sh" and not block.not_run:
            (line,) = block.commands
            ended = run(*_arguments(line), "-n", "0", cwd=tmp_path)
            out = ended.out
            statuses.append(ended.status)
        elif block.language == "text":
            _assert_shown(block, out)
    assert statuses == [1, 0, 1, 0]


def _arguments(line: str) -> list[str]:
    program, *arguments = shlex.split(line)
    assert program == "lstm-conformance"
    return arguments


def _assert_shown(block: Block, out: str) -> None:
    """The output has every line of the block, perhaps with more after it."""
    seen = in_common_words(out)
    for line in block.code.splitlines():
        assert in_common_words(line) in seen, line
