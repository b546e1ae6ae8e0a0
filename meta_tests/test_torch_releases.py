"""The published page of torch.nn.LSTM across releases follows from the results.

Its figures are computed here from the files alone, without the functions that make the page.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from typing import Any

import pytest

from lstm_conformance.runner.judging.known_deviations import of_version, read_known_deviations
from lstm_conformance.spec.clauses import TESTABLE
from tools import frameworks, torch_releases
from tools.environment import constraints

DEVIATING = ("fail", "error", "waived")
KINDS = ("numbers", "interface", "side effects", "argument checks")
PAGE = frameworks.PUBLISHED / "torch_releases.md"
VERSIONS = torch_releases.published()
JUDGED = pytest.mark.skipif(not VERSIONS, reason="no release is published yet")
PYTORCH = [finding for finding in frameworks.findings() if finding.framework == "PyTorch"]


@cache
def raw(version: str) -> Any:
    """The results of a release, as the file has them."""
    return json.loads((torch_releases.RESULTS / f"{version}.json").read_text("utf-8"))


def verdicts(version: str) -> dict[str, str]:
    return {clause["id"]: clause["verdict"] for clause in raw(version)["clauses"]}


def section(heading: str) -> str:
    """The text below the first heading that begins so."""
    text = PAGE.read_text("utf-8").partition(f"\n## {heading}")[2]
    assert text, heading
    return text.partition("\n## ")[0]


def table(text: str) -> dict[str, list[str]]:
    """The first cell of each row of the first table to the other cells."""
    found = {}
    for line in text.splitlines():
        if line.startswith("| "):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found[cells[0]] = cells[1:]
    return found


def test_at_least_four_releases_are_published_or_none() -> None:
    assert PAGE.exists() is bool(VERSIONS)
    if VERSIONS:
        files = {file.stem for file in torch_releases.RESULTS.iterdir()}
        assert files == set(torch_releases.RELEASES) == set(VERSIONS)
        assert len(VERSIONS) >= 4
        assert VERSIONS[0].startswith("2.3."), "its documentation is the specification"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_release_was_judged_by_everything(version: str) -> None:
    results = raw(version)
    implementation = results["implementation"]
    assert implementation["version"].partition("+")[0] == version
    assert implementation["target"] == "torch.nn:LSTM"
    assert results["environment"]["packages"]["torch"].partition("+")[0] == version
    assert (results["profile"], results["seed"], results["stopped"]) == ("default", 0, None)
    assert [clause["id"] for clause in results["clauses"]] == list(TESTABLE)
    assert "parts" not in results


@pytest.mark.parametrize("version", VERSIONS)
def test_the_known_deviations_hold(version: str) -> None:
    """The gate passed, and with the entries that the file has today."""
    results = raw(version)
    assert results["gate_passed"] is True
    assert {deviation["outcome"] for deviation in results["deviations"]} == {"waived"}
    known = of_version(read_known_deviations(torch_releases.KNOWN), "torch", version)
    listed = {clause for deviation in known for clause in deviation.clauses}
    assert listed == {name for name, verdict in verdicts(version).items() if verdict == "waived"}


@JUDGED
def test_every_verdict_is_that_of_the_results() -> None:
    rows = table(section("Verdicts"))
    assert list(rows)[1:] == VERSIONS
    for version in VERSIONS:
        judged, deviating, cases = Counter[str](), Counter[str](), Counter[str]()
        for clause in raw(version)["clauses"]:
            judged[clause["kind"]] += clause["verdict"] not in ("unsupported", "not tested")
            deviating[clause["kind"]] += clause["verdict"] in DEVIATING
            cases.update(clause["counts"])
        passed = cases["pass"]
        all_cases = cases.total() - cases["unsupported"] - cases["not tested"]
        assert rows[version] == [
            f"deviates in {deviating.total()} of {judged.total()}",
            *(f"{deviating[kind]} of {judged[kind]}" for kind in KINDS),
            f"{passed} of {all_cases}",
            "passed",
        ]


@JUDGED
def test_every_row_of_a_clause_is_that_of_the_results() -> None:
    text = section("Clauses")
    rows = table(text)
    broken = {
        clause: [verdicts(version)[clause] in DEVIATING for version in VERSIONS]
        for clause in TESTABLE
    }
    judged = {
        clause: {verdicts(version)[clause] for version in VERSIONS} - {"unsupported", "not tested"}
        for clause in TESTABLE
    }
    assert list(rows)[1:] == [clause for clause in TESTABLE if any(broken[clause])]
    counts = {
        version: {clause["id"]: Counter(clause["counts"]) for clause in raw(version)["clauses"]}
        for version in VERSIONS
    }
    for clause, cells in list(rows.items())[1:]:
        for version, is_broken, cell in zip(VERSIONS, broken[clause], cells[1:-1], strict=True):
            found = counts[version][clause]
            share = f"{found['pass']} of {found.total() - found['unsupported']}"
            assert cell == (f"broken, {share}" if is_broken else "holds")
        everywhere = all(broken[clause])
        assert (cells[-1] == "every version") is everywhere
        for place in range(1, len(VERSIONS)):
            before, now = broken[clause][place - 1 : place + 1]
            assert (f"not yet in {VERSIONS[place - 1]}" in cells[-1]) is (now and not before)
            assert (f"gone in {VERSIONS[place]}" in cells[-1]) is (before and not now)
    rest = [clause for clause in TESTABLE if not any(broken[clause]) and judged[clause]]
    worst = max(
        clause["worst_ratio"] or 0.0
        for version in VERSIONS
        for clause in raw(version)["clauses"]
        if clause["id"] in rest and clause["verdict"] == "pass"
    )
    assert f"\n{len(rest)} other clauses hold in every version" in text
    assert f"; the worst ratio is {worst:.3g}." in text
    nowhere = sum(not verdict for verdict in judged.values())
    assert (f" {nowhere} could not be judged in any version." in text) is bool(nowhere)


@JUDGED
def test_every_ratio_is_that_of_the_results() -> None:
    text = section("Largest error over rounding noise (30 fails)")
    rows = table(text)
    assert list(rows)[1:] == VERSIONS
    for version in VERSIONS:
        worst: dict[str, float] = {}
        for tensor in raw(version)["tensors"]:
            dtype = tensor["dtype"]
            worst[dtype] = max(worst.get(dtype, 0.0), tensor["worst_ratio"])
        expected = [f"{worst[dtype]:.3g}" for dtype in rows["version"]]
        assert rows[version] == expected
        words = zip(rows["version"], expected, strict=True)
        alternative = f"{version}: {', '.join(' '.join(pair) for pair in words)}."
        assert alternative in text
        picture = (frameworks.PUBLISHED / "torch_releases.svg").read_text("utf-8")
        assert alternative in picture


@JUDGED
def test_how_each_release_was_judged_is_that_of_the_results() -> None:
    rows = table(section("How each version was judged"))
    for version in VERSIONS:
        environment = raw(version)["environment"]
        cells = rows[raw(version)["implementation"]["version"]]
        assert cells[:3] == ["default", "0", environment["python"]]
        packages = [f"{name} {number}" for name, number in environment["packages"].items()]
        assert cells[3] == ", ".join(packages)


@JUDGED
def test_findings_stand_beside_the_releases() -> None:
    rows = table(section("Findings"))
    shown = list(rows)[1:]
    assert shown == [
        f"[{finding.id.replace('_', chr(92) + '_')}](findings.md#{finding.id})"
        for finding in PYTORCH
        if len({*finding.seen, *finding.absent} & set(VERSIONS)) > 1
    ]
    assert len(shown) >= 4
    by_id = {finding.id: finding for finding in PYTORCH}
    for name in shown:
        finding = by_id[name.partition("#")[2].removesuffix(")")]
        words = dict.fromkeys(finding.seen, "**seen**") | dict.fromkeys(finding.absent, "not there")
        assert rows[name][1:] == [words.get(version, "") for version in VERSIONS]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_finding_is_where_its_clause_is_broken(version: str) -> None:
    """For findings that known deviations of torch.nn.LSTM name."""
    found = {finding.id: finding for finding in PYTORCH}
    for deviation in read_known_deviations(torch_releases.KNOWN):
        is_broken = {verdicts(version)[clause] == "waived" for clause in deviation.clauses}
        for finding in map(found.__getitem__, deviation.findings):
            assert is_broken == {version in finding.seen}
            assert is_broken == {version not in finding.absent}


def test_the_environments_of_tox_are_the_releases() -> None:
    tox = (frameworks.ROOT / "tox.ini").read_text("utf-8")
    named = re.findall(r"^\[testenv:release-torch\{(.*)\}\]$", tox, re.MULTILINE)
    assert named == [",".join(torch_releases.RELEASES)]


@pytest.mark.parametrize("version", torch_releases.RELEASES)
def test_an_environment_has_its_torch(version: str) -> None:
    changed = {"torch": version, **torch_releases.RELEASES[version]}
    text = constraints(changed)
    for name, number in changed.items():
        assert re.search(rf"^{name}=={re.escape(number)}$|^{name}=={number};", text, re.MULTILINE)
    assert ("numpy==1." in text) is version.startswith("2.3.")


def test_wrong_arguments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["judge"], ["judge", "2.2.0"], ["install", "release-torch9"]):
        assert torch_releases.main(arguments) == 2
        assert "VERSION" in capsys.readouterr().err
