"""What the documentation site adds to pages: who breaks a clause, and links to implementations."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import pages_of_results
from tools.pages_of_results import implementation_page, with_links, with_who_breaks

from .helpers.made_up_results import conforming, right, wrong

SPECIFICATION = (Path(__file__).parents[1] / "spec" / "lstm.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def _made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Published results of three implementations."""
    made_up = {"torch": right(), "mine": wrong(), "few": conforming()}
    monkeypatch.setattr(pages_of_results, "published", lambda: made_up)


def clause(text: str, clause_id: str) -> str:
    return text.partition(f"\n### {clause_id} ")[2].partition("\n##")[0]


@pytest.mark.parametrize(
    ("clause_id", "line"),
    [
        (
            "EQ-1",
            "**Broken by 1 of 3 that were judged**: "
            "[mine](../reports/published/implementations/mine.py%3ALSTM.html#why-EQ-1).",
        ),
        ("EQ-5", "Broken by none of 2 that were judged."),  # it is unsupported in one
        (
            "USE-24",
            "**Broken by 2 of 2 that were judged**: "  # the third lacks it
            "[torch](../reports/published/implementations/torch.html#why-USE-24), "
            "[mine](../reports/published/implementations/mine.py%3ALSTM.html#why-USE-24).",
        ),
    ],
)
def test_a_clause_says_who_breaks_it(clause_id: str, line: str) -> None:
    text = clause(with_who_breaks(SPECIFICATION), clause_id)
    assert text.rstrip().endswith(f"\n\n{line}")


def test_nothing_else_of_the_specification_changes() -> None:
    added = [
        line for line in with_who_breaks(SPECIFICATION).splitlines() if "that were judged" in line
    ]
    assert len(added) == len(right()["clauses"])
    kept = [line for line in with_who_breaks(SPECIFICATION).splitlines() if line not in added]
    assert [line for line in kept if line] == [line for line in SPECIFICATION.splitlines() if line]


def test_names_in_the_first_column_lead_to_pages() -> None:
    page = "| adapter | version |\n|---|---|\n| mine  | 1 |\n| mine-too | 1 |\n| a | mine |\n"
    expected = page.replace("| mine  |", "| [mine](implementations/mine.py%3ALSTM.html)  |")
    assert with_links(page) == expected


def test_the_page_of_an_implementation_leads_to_its_results() -> None:
    page = implementation_page("mine", "https://example.org/repository")
    path = "blob/main/reports/published/frameworks/mine.json"
    assert f'href="https://example.org/repository/{path}"' in page
    assert 'href="../matrix.html"' in page
