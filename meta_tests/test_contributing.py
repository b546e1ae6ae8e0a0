"""What CONTRIBUTING.md says of the code is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def section(heading: str) -> str:
    return TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_the_way_of_one_case() -> None:
    steps = re.split(r"^\d+\. ", section("How one case is judged"), flags=re.MULTILINE)[1:]
    assert len(steps) == 15
    for step in steps:
        files = re.findall(r"`([\w/]+\.py)`", step)
        code = "\n".join((ROOT / file).read_text("utf-8") for file in files)
        assert files
        names = re.findall(r"`([A-Za-z_]+)`", step)
        assert names, step
        for name in names:
            assert re.search(rf"\b{name}\b", code), f"{name} is not in {files}"


def test_files_and_environments_that_are_named_exist() -> None:
    for path in re.findall(r"`([a-z_.]+(?:/[\w.]+)+/?)`", TEXT):
        assert (ROOT / path).exists(), path
    ini = (ROOT / "tox.ini").read_text("utf-8")
    for names in re.findall(r"`tox -e ([\w,-]+)`", TEXT):
        for name in names.split(","):
            # What stands in capitals is chosen by the reader.
            fixed = name.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            assert f"[testenv:{fixed}" in ini, name
