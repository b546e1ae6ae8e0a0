"""Published numbers follow from results, and nothing that breaks a clause is called conformant.

The numbers are computed here from the files alone, without the functions that make the pages.
"""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.adapters import REGISTRY
from lstm_conformance.reports.badge import badge_svg
from lstm_conformance.reports.html import report_html
from lstm_conformance.reports.junit import junit_xml
from lstm_conformance.reports.reading import read_results
from lstm_conformance.reports.tables import markdown_report, text_report
from lstm_conformance.spec.clauses import CLAUSES
from tools import frameworks

DEVIATING = ("fail", "error", "waived")
KINDS = ("numbers", "interface", "side effects", "argument checks")
TABLES = ("reports/published/frameworks.md",)
MARKDOWN = [
    frameworks.README,
    *sorted((frameworks.ROOT / "docs").glob("*.md")),
    *sorted(frameworks.PUBLISHED.glob("*.md")),
]


@cache
def raw(name: str) -> Any:
    """The results of an adapter, as the file has them."""
    return json.loads((frameworks.RESULTS / f"{name}.json").read_text("utf-8"))


NAMES = [name for name in REGISTRY if (frameworks.RESULTS / f"{name}.json").exists()]


def breaks_a_clause(name: str) -> bool:
    return any(clause["verdict"] in DEVIATING for clause in raw(name)["clauses"])


BREAKING = [name for name in NAMES if breaks_a_clause(name)]


def table(text: str, first: str) -> dict[str, dict[str, str]]:
    """The first table with a column of this name in front: row to column to cell."""
    lines = iter(text.splitlines())
    headers: list[str] = []
    while not headers or headers[0] != first:
        headers = [cell.strip() for cell in next(lines).strip("|").split("|")]
    next(lines)
    rows = {}
    for line in lines:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows[cells[0].replace("\\", "")] = dict(zip(headers, cells, strict=True))
    return rows


def expected_row(name: str) -> dict[str, str]:
    """Every cell of the row of an adapter."""
    results = raw(name)
    judged, deviating = Counter[str](), Counter[str]()
    for clause in results["clauses"]:
        kind = clause.get("kind", CLAUSES[clause["id"]].kind)
        judged[kind] += clause["verdict"] not in ("unsupported", "not tested")
        deviating[kind] += clause["verdict"] in DEVIATING
    passed = [c["worst_ratio"] for c in results["clauses"] if c["verdict"] == "pass"]
    worst = max(ratio for ratio in passed if ratio is not None)
    number = deviating.total()
    in_part = results["stopped"] or results["shard"]
    return {
        "adapter": name,
        "version": results["implementation"]["version"],
        "profile": results["profile"] + (", in part" if in_part else ""),
        "verdict": f"deviates in {number} of {judged.total()}" if number else "conforms",
        **{k: f"{deviating[k]} of {judged[k]}" if judged[k] else "-" for k in KINDS},
        "unsupported": str(sum(c["verdict"] == "unsupported" for c in results["clauses"])),
        "worst ratio": f"{worst:.3g}" if worst >= 0.01 else "0.00",
        "seconds": f"{results['time_in_tests_seconds']:.0f}",
    }


@pytest.mark.parametrize("page", TABLES)
def test_every_number_of_a_table_is_that_of_the_results(page: str) -> None:
    rows = table((frameworks.ROOT / page).read_text("utf-8"), "adapter")
    assert rows == {name: expected_row(name) for name in NAMES}


def failing_today(name: str) -> set[str]:
    """The clauses that an adapter breaks, that are a MUST today, and no known deviation today."""
    file = frameworks.DEVIATIONS / f"{name}.toml"
    listed = set(re.findall(r"[A-Z]+-[0-9]+", file.read_text("utf-8"))) if file.exists() else set()
    broken = {clause["id"] for clause in raw(name)["clauses"] if clause["verdict"] in DEVIATING}
    return {clause for clause in broken - listed if CLAUSES[clause].level == "MUST"}


def test_the_page_of_frameworks_counts_what_the_results_have() -> None:
    text = (frameworks.PUBLISHED / "frameworks.md").read_text("utf-8")
    assert f"{len(NAMES) - len(BREAKING)} conform, {len(BREAKING)} deviate." in text
    passing = sum(not failing_today(name) for name in NAMES)
    assert f"it passes for {passing} of {len(NAMES)} adapters." in text
    rows = table(text.partition("## How they were judged")[2], "adapter")
    for name in NAMES:
        counts = sum((Counter(clause["counts"]) for clause in raw(name)["clauses"]), Counter())
        judged = counts.total() - counts["unsupported"] - counts["not tested"]
        assert rows[name]["cases that pass"] == f"{counts['pass']} of {judged}"
        assert rows[name]["profile"] == raw(name)["profile"]


def praised(text: str, names: list[str]) -> list[str]:
    """What calls one of these implementations conformant: sentences, and rows of tables.

    A row is about the implementation in its first cell.
    """
    praise = re.compile(r"(?<!NOT )\b(?:conformant|conforms?|conforming)\b", re.IGNORECASE)
    named = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w-])")
    found = []
    for line in text.replace("\\", "").splitlines():
        row = line.lstrip().startswith("|")
        for part in [line] if row else re.split(r"(?<=\.) ", line):
            subject = (part.split("|")[1].split() or [""])[0] if row else part
            if praise.search(part) and named.search(subject):
                found.append(part)
    return found


def lines_of(page: str) -> str:
    """The text of a page: each row of a table as in Markdown, each paragraph on its own line."""
    body = re.sub(r"<(style|script)>.*?</\1>|<wbr>", "", page, flags=re.DOTALL)
    body = re.sub(r"\s+", " ", body)
    body = re.sub(r"<tr\b[^>]*>(.*?)</tr>", lambda row: f"\n{_row(row[1])}\n", body)
    body = re.sub(r"</(?:p|h[1-6]|li|title)>", "\n", body)
    return html.unescape(re.sub(r"<[^>]*>", " ", body))


def _row(cells: str) -> str:
    texts = [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in cells.split("</t")]
    texts = [re.sub("^[hd]> ", "", text) for text in texts]
    return f"| {' | '.join(texts)} |"


@pytest.mark.parametrize("file", MARKDOWN, ids=lambda file: file.name)
def test_no_text_calls_conformant_what_breaks_a_clause(file: Path) -> None:
    names = [*BREAKING, "torch.nn:LSTM"]
    assert not praised(file.read_text("utf-8"), names)


def test_neither_the_matrix_nor_its_picture_do() -> None:
    page = (frameworks.PUBLISHED / "matrix.html").read_text("utf-8")
    assert not praised(lines_of(page), BREAKING)
    conforming = len(NAMES) - len(BREAKING)
    assert f"{conforming} conform, {len(BREAKING)} deviate." in page
    picture = (frameworks.PUBLISHED / "matrix.svg").read_text("utf-8")
    assert f"{conforming} of {len(NAMES)} implementations conform. The others deviate." in picture


@pytest.mark.parametrize("name", BREAKING)
def test_no_report_of_what_breaks_a_clause_calls_it_conformant(name: str) -> None:
    results = read_results(frameworks.RESULTS / f"{name}.json")
    number = sum(clause["verdict"] in DEVIATING for clause in raw(name)["clauses"])
    assert results["verdict"]["word"] == "deviates"
    assert results["verdict"]["deviating"] == number
    title = re.search("<title.*?</title>", badge_svg(results))
    assert title is not None
    assert f"deviates in {number} of" in title[0]
    for report in (text_report(results), markdown_report(results)):
        assert "CONFORMANT" not in report
        assert "DEVIATES: " in report
        assert "Gate: passed, with " in report
    assert f'name="verdict" value="deviates in {number} of ' in junit_xml([results])


@pytest.mark.parametrize("name", ["paddle", "equinox"])
def test_nor_does_its_page(name: str) -> None:
    page = report_html(read_results(frameworks.RESULTS / f"{name}.json"))
    assert 'class="banner bad"' in page
    assert 'class="banner good"' not in page
    assert "CONFORMANT" not in page
    assert "DEVIATES: " in page


@pytest.mark.parametrize(
    "text",
    [
        "CONFORMANT: torch.nn:LSTM 2.13.0+cpu does what the documentation says, but for known ...",
        "| paddle | 3.3.1 | smoke | conforms |",
        "the adapter mlx-float64 is conformant",
    ],
)
def test_praise_is_found(text: str) -> None:
    assert praised(text, [*BREAKING, "torch.nn:LSTM"]) == [text]


def test_praise_is_found_in_a_page() -> None:
    page = "<tr><th>paddle</th><td><span>✓</span>\nconforms</td></tr><tr><th>jax</th></tr>"
    assert praised(lines_of(page), ["paddle"])
    assert not praised(lines_of(page), ["jax"])
