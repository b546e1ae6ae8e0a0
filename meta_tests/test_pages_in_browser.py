"""Pages in a browser: what can be clicked, typed and seen.

They need Playwright and Chromium. `tox -e browser` runs them, and fails without these.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lstm_conformance.reports.difference import difference
from lstm_conformance.reports.html import (
    difference_html,
    implementation_html,
    releases_html,
    report_html,
)
from lstm_conformance.reports.matrix_page import linked_matrix_html, matrix_html
from lstm_conformance.reports.releases import releases_of

from .helpers.browser import DESKTOP, PHONE, chromium, violations
from .helpers.made_up_results import PROGRAM, conforming, failure, hostile, right, versions, wrong

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

pytestmark = pytest.mark.browser

KINDS = (
    "old", "new", "hostile", "difference", "matrix", "hostile matrix", "linked matrix",
    "implementation", "releases", "hostile releases",
)  # fmt: skip

COMMAND = failure("EQ-1")["command"]

# The matrix of 12 implementations has to be painted and usable within this time, in milliseconds.
QUICK = 1000.0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of each kind."""
    place = tmp_path_factory.mktemp("pages")
    mended = right()
    mended["implementation"]["target"] = "mine.py:LSTM"
    twelve = []
    for number in range(12):
        twelve.append(wrong() if number % 3 == 0 else right())
        twelve[-1]["implementation"]["target"] = f"package.module:Implementation{number}"
    four = [conforming(), conforming(), right(), wrong()]
    for name, results in zip(("a-1", "a-2", "b-1", "b-2"), four, strict=True):
        results["implementation"]["target"] = name
    for kind, text in {
        "old": report_html(right()),
        "new": report_html(wrong()),
        "hostile": report_html(hostile()),
        "difference": difference_html(difference(mended, wrong())),
        "matrix": matrix_html([right(), wrong(), mended]),
        "hostile matrix": matrix_html([right(), hostile(), hostile()]),
        "linked matrix": linked_matrix_html([right(), wrong(), mended], "."),
        "implementation": implementation_html(wrong(), {"Matrix": "linked matrix.html"}),
        "releases": releases_html(releases_of(versions(wrong()))),
        "hostile releases": releases_html(releases_of(versions(hostile()))),
        "twelve": matrix_html(twelve),
        "four": matrix_html(four),
    }.items():
        (place / f"{kind}.html").write_text(text, "utf-8")
    return place


class Visits:
    """Opens pages, and collects complaints about what a page must not do."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.browser, self.folder = browser, folder
        self.complaints: list[str] = []
        self.contexts: list[BrowserContext] = []

    def open(self, kind: str, size: tuple[int, int] = DESKTOP, **settings: Any) -> Page:
        """The page of this kind."""
        viewport = {"width": size[0], "height": size[1]}
        context = self.browser.new_context(viewport=viewport, **settings)  # type: ignore[arg-type]
        self.contexts.append(context)
        page = context.new_page()
        address = (self.folder / f"{kind}.html").as_uri()
        complain = self.complaints.append
        page.on("console", lambda message: complain(message.text))
        page.on("pageerror", lambda error: complain(str(error)))
        page.on("dialog", lambda dialog: (complain(dialog.message), dialog.dismiss()))
        page.on("request", lambda r: r.url.partition("#")[0] == address or complain(r.url))
        page.goto(address)
        return page


@pytest.fixture
def visits(browser: Browser, folder: Path) -> Iterator[Visits]:
    opened = Visits(browser, folder)
    yield opened
    for context in opened.contexts:
        context.close()
    assert opened.complaints == []


def rows(page: Page) -> list[str]:
    """The first cells of the visible rows in the table of clauses."""
    shown = "(rows) => rows.filter((r) => r.checkVisibility()).map((r) => r.cells[0].innerText)"
    found: list[str] = page.locator("section:has(form.filter) tbody tr").evaluate_all(shown)
    return found


def choice(page: Page, name: str) -> Locator:
    """A field of the form for filtering."""
    return page.locator(f"form.filter [name='{name}']")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_page_is_wider_than_its_window(
    kind: str, size: tuple[int, int], scheme: str, visits: Visits
) -> None:
    page = visits.open(kind, size, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing(kind: str, scheme: str, visits: Visits) -> None:
    page = visits.open(kind, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert violations(page) == []


def test_axe_finds_what_hinders(visits: Visits) -> None:
    page = visits.open("new")
    page.evaluate("document.querySelector('h1').outerHTML = '<h1></h1><img>'")
    assert {"empty-heading", "image-alt"} <= {name for name, _ in violations(page)}


@pytest.mark.parametrize("kind", ["hostile", "hostile matrix"])
def test_hostile_text_is_shown_and_runs_nothing(kind: str, visits: Visits) -> None:
    page = visits.open(kind)
    assert "<script>alert(1)</script>" in page.inner_text("body")
    assert page.evaluate("document.scripts.length") == 1
    assert page.evaluate("document.images.length") == 0


def test_clauses_of_a_report_are_filtered(visits: Visits) -> None:
    page = visits.open("new")
    assert rows(page) == [], "chapters are closed"
    choice(page, "text").fill("two bias")
    assert [row.split()[0] for row in rows(page)] == ["EQ-5"]
    assert page.locator("output").inner_text() == "1 of 208 clauses"
    choice(page, "text").fill("")
    choice(page, "verdict").select_option("error")
    assert [row.split()[0] for row in rows(page)] == ["EQ-3", "USE-5"]
    choice(page, "verdict").select_option("all")
    assert rows(page) == []


def test_a_matrix_is_filtered(visits: Visits) -> None:
    page = visits.open("matrix")
    everything = rows(page)
    assert len(everything) == 208
    choice(page, "differing").check()
    assert [row.split()[0] for row in rows(page)] == ["EQ-1", "EQ-2", "EQ-3", "USE-5", "EQ-4"]
    choice(page, "chapter").select_option("EQ")
    choice(page, "verdict").select_option("not tested")
    assert rows(page) == []
    choice(page, "differing").uncheck()
    assert [row.split()[0] for row in rows(page)] == ["EQ-6"]
    choice(page, "verdict").select_option("all")
    choice(page, "text").fill("GATE ORDER")
    assert [row.split()[0] for row in rows(page)] == ["EQ-1"]
    choice(page, "text").press("Enter")
    assert len(rows(page)) == 1, "the form is sent nowhere"


def test_a_matrix_is_filtered_by_kind_and_implementation(visits: Visits) -> None:
    page = visits.open("matrix")
    choice(page, "kind").select_option("side effects")
    about = [clause["id"] for clause in right()["clauses"] if clause["kind"] == "side effects"]
    assert sorted(row.split()[0] for row in rows(page)) == sorted(about)
    choice(page, "kind").select_option("all")
    choice(page, "implementation").fill("MINE")
    headings = page.locator("table.matrix thead th").evaluate_all(
        "(cells) => cells.filter((c) => c.checkVisibility()).map((c) => c.innerText)"
    )
    assert len(headings) == 4, "clauses, a framework and two implementations"
    assert "torch" not in " ".join(headings)
    choice(page, "implementation").fill("")
    assert page.locator("table.matrix thead th").last.is_visible()


def test_the_worst_clauses_come_first_and_the_first_heading_gives_their_order(
    visits: Visits,
) -> None:
    page = visits.open("matrix")
    worst_first = rows(page)
    heading = page.locator("table.matrix thead th").first
    assert heading.get_attribute("aria-sort") == "descending"
    of_all_three = {f"USE-{number}" for number in (24, 27, 29, 34, 35, 36, 37, 38)}
    assert {row.split()[0] for row in worst_first[:8]} == of_all_three
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") is None
    assert [row.split()[0] for row in rows(page)] == [c["id"] for c in right()["clauses"]]
    heading.get_by_role("button").click()
    assert rows(page) == worst_first


def test_a_matrix_is_sorted_by_any_column(visits: Visits) -> None:
    page = visits.open("matrix")
    original = rows(page)
    heading = page.locator("table.matrix thead tr:nth-child(2) th").first
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    found = [row.split()[0] for row in rows(page)]
    assert set(found[:2]) == {"EQ-1", "EQ-2"}
    assert sorted(found) == sorted(row.split()[0] for row in original)
    cells = page.locator("table.matrix tbody tr td:nth-child(2).pass").all_inner_texts()
    ratios = [float(text.split()[-1]) if text.split()[-1][0].isdigit() else 0.0 for text in cells]
    assert ratios == sorted(ratios, reverse=True)
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") is None
    assert [row.split()[0] for row in rows(page)] == [c["id"] for c in right()["clauses"]]


def columns(page: Page) -> list[str]:
    """The framework or the implementation of each visible heading, but for the first."""
    shown = "(cells) => cells.filter((c) => c.checkVisibility()).map((c) => c.innerText)"
    found: list[str] = page.locator("table.matrix thead th").evaluate_all(shown)
    return found[1:]


def test_columns_of_a_matrix_are_ordered_by_name(visits: Visits) -> None:
    page = visits.open("four")
    by_severity = ["b", "a", "b-2", "b-1", "a-1", "a-2"]
    assert columns(page) == by_severity
    of_first_clause = page.locator("tr:has(a[href='#EQ-1'])").first
    assert of_first_clause.locator("td").all_inner_texts()[:2] == ["✗ 0 of 1", "✓ 2.27"]
    choice(page, "order").select_option("name")
    assert columns(page) == ["a", "b", "a-1", "a-2", "b-1", "b-2"]
    assert of_first_clause.locator("td").all_inner_texts()[2:] == ["✓ 2.27", "✗ 0 of 1"]
    heading = page.locator("table.matrix thead th").last
    heading.get_by_role("button").click()
    assert {row.split()[0] for row in rows(page)[:2]} == {"EQ-1", "EQ-2"}
    choice(page, "implementation").fill("b-2")
    assert columns(page) == ["b", "b-2"]
    choice(page, "implementation").fill("")
    choice(page, "order").select_option("worst")
    assert columns(page) == by_severity


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_headings_stay_while_a_matrix_is_scrolled(size: tuple[int, int], visits: Visits) -> None:
    page = visits.open("twelve", size)
    area = page.locator(".tall")
    area.evaluate("(area) => area.scrollTo(300, 900)")
    frame = area.bounding_box()
    assert frame is not None
    places = [
        page.locator(selector).first.bounding_box()
        for selector in ("thead th[scope=colgroup] span", "thead th[rowspan]", "thead tr + tr th")
    ]
    framework, corner, column = (place for place in places if place is not None)
    assert frame["y"] <= framework["y"] < column["y"] < frame["y"] + 60
    assert frame["x"] <= corner["x"] < frame["x"] + 5
    assert framework["x"] >= corner["x"] + corner["width"]


def test_a_cell_of_a_linked_matrix_leads_to_another_page(visits: Visits) -> None:
    page = visits.open("linked matrix")
    cell = page.locator("td.fail a[href='./mine.py%3ALSTM.html#why-EQ-1']")
    assert cell.get_attribute("aria-label") == "fail 0 of 1"
    assert page.locator("td.pass a").count() == 0


def test_a_cell_leads_to_its_detail(visits: Visits) -> None:
    page = visits.open("matrix")
    page.locator("a[href='#EQ-1-2']").click()
    target = page.locator("[id='EQ-1-2']")
    target.wait_for(state="visible")
    assert page.evaluate("document.querySelector(':target').id") == "EQ-1-2"
    box = target.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < DESKTOP[1]
    assert "gates are read as o, f, g, i" in target.inner_text()


def test_a_link_opens_what_it_leads_to(visits: Visits) -> None:
    page = visits.open("new")
    assert not page.locator("#why-EQ-2").is_visible()
    choice(page, "text").fill("EQ-2")
    page.locator("a[href='#why-EQ-2']").first.click()
    page.locator("#why-EQ-2").wait_for(state="visible")


@pytest.mark.parametrize(
    ("name", "text", "clipboard"), [("program", PROGRAM, True), ("command", COMMAND, False)]
)
def test_programs_and_commands_are_copied(
    name: str, text: str, clipboard: bool, visits: Visits
) -> None:
    """Also where a browser has no interface to the clipboard."""
    permissions = ["clipboard-read", "clipboard-write"] if clipboard else []
    page = visits.open("new", permissions=permissions)
    if not clipboard:
        page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.get_by_role("button", name=f"Copy the {name}").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.locator("#status").inner_text() == "Copied"
    page.evaluate("document.body.prepend(document.createElement('textarea'))")
    page.locator("textarea").focus()
    page.keyboard.press("Control+V")
    assert page.locator("textarea").input_value() == text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_kind_of_cell_has_a_colour_of_its_own(scheme: str, visits: Visits) -> None:
    page = visits.open("new", color_scheme=scheme)
    style = "(found) => found.map((one) => getComputedStyle(one).{})"
    cells = page.locator("svg.map path:not(.lines)").evaluate_all(style.format("fill"))
    keys = page.locator(".keys .swatch").evaluate_all(style.format("backgroundColor"))
    assert len(cells) == len(set(cells)) == 7
    assert set(keys) == set(cells)


def test_the_keyboard_reaches_everything(visits: Visits) -> None:
    page = visits.open("new")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        if reached[-1] == "SELECT":
            break
    assert {"A", "PRE", "BUTTON", "SUMMARY", "INPUT", "SELECT"} <= set(reached)
    summary = page.locator("#consequences details.one > summary").first
    summary.focus()
    page.keyboard.press("Enter")
    page.locator("#why-EQ-2").wait_for(state="visible")


def test_printing_shows_closed_details(visits: Visits) -> None:
    page = visits.open("new")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#why-EQ-2").is_visible()
    assert not page.locator("nav").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not page.locator("#why-EQ-2").is_visible()


def test_the_matrix_of_12_implementations_is_quick(
    visits: Visits, record_property: pytest.RecordProperty
) -> None:
    times = []
    for _ in range(5):
        page = visits.open("twelve")
        page.wait_for_function(
            "() => performance.getEntriesByName('first-contentful-paint').length"
        )
        times.append(
            page.evaluate(
                "Math.max(performance.getEntriesByName('first-contentful-paint')[0].startTime,"
                " performance.getEntriesByType('navigation')[0].loadEventEnd)"
            )
        )
    record_property("milliseconds", times)
    print("milliseconds until painted and loaded:", *map(round, times))
    assert min(times) < QUICK, times
