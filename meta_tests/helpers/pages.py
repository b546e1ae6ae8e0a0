"""Pages of documentation: their blocks of code, in the order in which a reader meets them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "Block",
    "blocks",
    "commands_of_the_readme",
    "in_common_words",
    "write_implementations",
]

ROOT = Path(__file__).parents[2]

_BLOCK = re.compile(
    r"(?:^<!-- not run by a test: (?P<reason>.*?) -->\n\n)?"
    r"^```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A block of code.

    Attributes:
        language: as written after the backticks.
        code: its lines.
        not_run: why no test runs it; empty if one does.
        section: the nearest heading of level 2 above it.
        introduction: the paragraph before it, in one line.
    """

    language: str
    code: str
    not_run: str
    section: str
    introduction: str

    @property
    def commands(self) -> list[str]:
        """The commands of a shell, each on one line."""
        return self.code.replace("\\\n", " ").splitlines()


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of ``page``."""
    text = page.read_text("utf-8")
    for match in _BLOCK.finditer(text):
        before = text[: match.start()]
        section = before.rpartition("\n## ")[2].partition("\n")[0]
        introduction = " ".join(before.rstrip().rpartition("\n\n")[2].split())
        yield Block(match["language"], match["code"], match["reason"] or "", section, introduction)


def in_common_words(text: str) -> str:
    """``text`` without what differs between machines: digits after the point, and blanks."""
    return re.sub(r"\s+", " ", re.sub(r"\d+\.\d+(e[+-]?\d+)?|\d+e[+-]?\d+", "#", text)).strip()


def commands_of_the_readme() -> list[str]:
    """The one-line commands of its first screen: what checks an LSTM, and what runs the tests."""
    readme = (ROOT / "README.md").read_text("utf-8")
    return re.findall(r"^python3 -m venv .*$", readme, re.MULTILINE)


def write_implementations(folder: Path) -> None:
    """Writes the files with an LSTM that commands on pages judge."""
    example = (ROOT / "examples" / "python" / "numpy_function.py").read_text("utf-8")
    (folder / "my_package").mkdir()
    for name in ("my_lstm.py", "my_package/rnn.py"):
        (folder / name).write_text(f"{example}\nFastLSTM = LSTM\n", "utf-8")
