"""Findings are data, stand alone, and are still there."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from lstm_conformance.reports.finding import KINDS, SEVERITIES, Finding, read_findings
from lstm_conformance.reports.finding_program import FindingProgram
from lstm_conformance.reports.findings_page import findings_page, issue_text, worst_findings
from lstm_conformance.runner.judging.known_deviations import read_known_deviations
from lstm_conformance.spec.clauses import CLAUSES
from lstm_conformance.spec.usage_error import UsageError
from tools import frameworks

from .helpers.lines_of_code import lines_of_code, lines_of_javascript

PROGRAMS = sorted([*frameworks.FINDINGS.glob("*.py"), *frameworks.FINDINGS.glob("*.mjs")])
FOUND = {finding.id: finding for finding in frameworks.findings()}

# Largest number of lines of code.
LONGEST = 20

# Of a program in JavaScript, without modules of Node.js itself.
IMPORTS = re.compile('^import .* from "(?!node:)(.*)";$', re.MULTILINE)

# Its assertions.
ASSERTS = re.compile(r"^assert(\.\w+)?\(", re.MULTILINE)

# Of the programs that import torch, which takes seconds. `tox -e whole` runs all: what they show
# does not change while the version of torch is the same.
EVERY_RUN = {"torch_packed_features", "torch_quantizable_unbatched"}


def is_left_out(program: Path) -> bool:
    """Whether only ``tox -e whole`` runs a program."""
    return program.stem.startswith("torch_") and program.stem not in EVERY_RUN


def is_installed(program: Path) -> bool:
    """Whether everything that a program imports is there."""
    if program.suffix == ".mjs":
        packages = IMPORTS.findall(program.read_text("utf-8"))
        installed = [(frameworks.ROOT / "node_modules" / name).is_dir() for name in packages]
        return shutil.which("node") is not None and all(installed)
    text, names = program.read_text("utf-8"), set[str]()
    if "cpp_extension" in text and not all(map(shutil.which, ("c++", "ninja"))):
        return False
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return all(importlib.util.find_spec(name) is not None for name in names)


def is_absent(finding: Finding) -> bool:
    """Whether the data say that the installed torch has no such deviation."""
    if finding.framework != "PyTorch":
        return False
    return metadata.version("torch").partition("+")[0] in finding.absent


def deviates(program: Path) -> bool:
    """Whether a program still fails because of its deviation.

    Raises:
        AssertionError: it fails for another reason.
    """
    interpreter = "node" if program.suffix == ".mjs" else sys.executable
    done = subprocess.run(
        [interpreter, str(program)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0 or re.search("^AssertionError", done.stderr, re.MULTILINE), (
        done.stderr
    )
    return done.returncode != 0


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.stem)
def test_a_finding_stands_alone(file: Path) -> None:
    text = file.read_text("utf-8")
    assert FindingProgram(file.name, text).comment
    assert "lstm_conformance" not in text
    if file.suffix == ".mjs":
        lines, asserts = lines_of_javascript(text), ASSERTS.findall(text)
    else:
        lines = lines_of_code(text)
        asserts = [node for node in ast.parse(text).body if isinstance(node, ast.Assert)]
    assert lines <= LONGEST
    assert asserts, "it fails as long as the bug is there"


def test_every_program_is_in_the_data_and_the_other_way_round() -> None:
    assert {file.stem for file in PROGRAMS} == set(FOUND)


@pytest.mark.parametrize("finding", FOUND.values(), ids=lambda finding: finding.id)
def test_a_program_says_what_the_data_say(finding: Finding) -> None:
    comment = frameworks.programs()[finding.id].comment
    named = set(re.findall(r"\b[A-Z]+-[0-9]+\b", comment)) & set(CLAUSES)
    assert named & set(finding.clauses)
    first = comment.splitlines()[0]
    assert any(version in first for version in finding.seen)
    if finding.upstream:
        known = frameworks.DEVIATIONS.glob("*.toml")
        cited = comment + "".join(file.read_text("utf-8") for file in known)
        assert finding.upstream in cited, "no issue is invented"


@pytest.mark.parametrize(
    "file", sorted(frameworks.DEVIATIONS.glob("*.toml")), ids=lambda file: file.stem
)
def test_a_known_deviation_names_its_findings(file: Path) -> None:
    for deviation in read_known_deviations(file):
        assert deviation.findings
        assert set(deviation.findings) <= set(FOUND)


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(file, marks=pytest.mark.whole if is_left_out(file) else (), id=file.stem)
        for file in PROGRAMS
    ],
)
def test_a_deviation_is_still_there(program: Path) -> None:
    if not is_installed(program):
        pytest.skip("its framework is not installed here")
    if is_absent(FOUND[program.stem]):
        assert not deviates(program), "it is there: findings.toml says that it is not"
    else:
        assert deviates(program), "it has gone: say in findings.toml in which version it was fixed"


def test_a_deviation_that_has_gone_is_noticed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("assert 1 + 1 == 3, 'two'\n")
    assert deviates(program)
    program.write_text("assert 1 + 1 == 2, 'two'\n")
    assert not deviates(program)
    program.write_text("raise ImportError('something else')\n")
    with pytest.raises(AssertionError, match="something else"):
        deviates(program)
    program.write_text("import no_such_module\n")
    assert not is_installed(program)


def test_a_deviation_in_javascript_that_has_gone_is_noticed(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("needs node")
    program = tmp_path / "program.mjs"
    for text, there in (("1 + 1 === 3", True), ("1 + 1 === 2", False)):
        program.write_text(f'import assert from "node:assert";\nassert({text}, "two");\n')
        assert is_installed(program)
        assert deviates(program) is there
    program.write_text("throw new Error('something else');\n")
    with pytest.raises(AssertionError, match="something else"):
        deviates(program)
    program.write_text('import x from "@no/such-package";\n')
    assert not is_installed(program)


def test_versions_without_a_deviation_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = FOUND["torch_packed_features"]
    for version, absent in (("2.3.1+cpu", True), ("2.6.0", True), ("2.13.0+cpu", False)):
        monkeypatch.setattr(metadata, "version", lambda _, version=version: version)
        assert is_absent(finding) is absent
        assert not is_absent(FOUND["keras_torch_float64"])


ENTRY = """
[torch_x]
framework = "PyTorch"
api = "torch.nn.LSTM"
seen = ["2.13.0"]
clauses = ["EQ-1"]
kind = "precision"
severity = "low"
sentence = "It is wrong."
"""


def read(folder: Path, text: str) -> list[Finding]:
    path = folder / "findings.toml"
    path.write_text(text, "utf-8")
    return read_findings(path)


def test_the_worst_come_first(tmp_path: Path) -> None:
    texts = [
        ENTRY.replace("torch_x", f"{kind}-{severity}".replace(" ", "_"))
        .replace('"precision"', f'"{kind}"')
        .replace('"low"', f'"{severity}"')
        for kind in reversed(KINDS)
        for severity in reversed(SEVERITIES)
    ]
    found = read(tmp_path, "".join(texts))
    assert [(finding.severity, finding.kind) for finding in found] == [
        (severity, kind) for severity in SEVERITIES for kind in KINDS
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[", "is no TOML"),
        ("x = 1", r"\[x\] is no table"),
        (ENTRY.replace("api =", "ape ="), "there is no ape: choose from framework, api"),
        (ENTRY.replace('kind = "precision"\n', ""), "needs kind"),
        (ENTRY.replace('"It is wrong."', '""'), "sentence is a text"),
        (ENTRY.replace('["2.13.0"]', '"2.13.0"'), "seen is a list of texts"),
        (ENTRY.replace('["2.13.0"]', "[]"), "seen is a list of texts"),
        (ENTRY.replace('"PyTorch"', '["PyTorch"]'), "framework is a text"),
        (ENTRY.replace('"low"', '"worst"'), "there is no severity 'worst': choose from high"),
        (ENTRY.replace('"precision"', '"typo"'), "there is no kind 'typo'"),
        (ENTRY.replace("EQ-1", "EQ-99"), "there is no clause 'EQ-99'"),
        (f'{ENTRY}absent = "2.3.1"', "absent is a list of texts"),
        (f'{ENTRY}absent = ["2.6.0", "2.13.0"]', "2.13.0 is in seen and in absent"),
        (f'{ENTRY}upstream = "javascript:1"', "upstream is an address"),
    ],
)
def test_wrong_data_are_refused_in_one_sentence(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=why) as raised:
        read(tmp_path, text)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_findings(tmp_path / "findings.toml")


def test_the_page_has_every_finding_the_most_severe_first(tmp_path: Path) -> None:
    page = findings_page(frameworks.findings(), frameworks.programs())
    assert f"\n{len(PROGRAMS)} deviations of released frameworks" in page
    places = [page.index(f"(#{finding.id})") for finding in frameworks.findings()]
    assert places == sorted(places)
    for finding in FOUND.values():
        assert page.count(f"### {finding.id}\n") == 1
        assert (f"{finding.upstream}\n" in page) if finding.upstream else True
    (one,) = read(tmp_path, f'{ENTRY}fixed = "2.14.0"\nabsent = ["2.3.1"]')
    text = '"""First line.\n\nMore ``x_y``.\n"""\n\nx = 1\n'
    short = findings_page([one], {"torch_x": FindingProgram("torch_x.py", text)})
    assert "More `x_y`." in short
    assert (
        "PyTorch 2.13.0; not in 2.3.1; right since 2.14.0; precision; severity low; EQ-1;" in short
    )


def test_the_readme_has_the_worst() -> None:
    lines = worst_findings(frameworks.findings())
    assert lines in frameworks.README.read_text("utf-8")
    assert lines.count("\n- ") == 3
    assert f"**{len(PROGRAMS)} deviations of " in lines


def test_the_text_of_an_issue_can_be_filed(tmp_path: Path) -> None:
    (finding,) = read(tmp_path, ENTRY)
    program = '"""torch 2.13.0, EQ-1: wrong.\n\nThe page promises 2.\n"""\n\nassert 1 + 1 == 3\n'
    assert issue_text(finding, FindingProgram("torch_x.py", program)) == (
        "**torch.nn.LSTM: It is wrong**\n\n"
        "The page promises 2.\n\n"
        "Seen in PyTorch 2.13.0. To reproduce:\n\n"
        "```python\nassert 1 + 1 == 3\n```\n\n"
        "The last line fails. It should not."
    )
    comment = "/**\n * torch 2.13.0, EQ-1: wrong.\n *\n * The page promises 2.\n */\n"
    script = FindingProgram("torch_x.mjs", f"{comment}\nassert(1 + 1 === 3);\n")
    assert issue_text(finding, script) == issue_text(
        finding, FindingProgram("torch_x.py", program)
    ).replace("python\nassert 1 + 1 == 3", "javascript\nassert(1 + 1 === 3);")
