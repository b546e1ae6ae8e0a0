"""The documentation site in a browser: it fits its window, and hinders nobody.

They need MkDocs, Playwright and Chromium. `tox -e browser` runs them, and fails without these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tools.page_figures import measured
from tools.page_figures import page as page_of_figures

from .helpers.browser import DESKTOP, PHONE, chromium, violations
from .helpers.site import built, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(size: tuple[int, int], scheme: str, browser: Browser, address: str) -> Iterator[Page]:
    """The home page."""
    viewport = {"width": size[0], "height": size[1]}
    context = browser.new_context(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    yield page
    context.close()


in_each_window = pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
in_each_scheme = pytest.mark.parametrize("scheme", ["light", "dark"])


@in_each_scheme
@in_each_window
def test_axe_finds_nothing_and_every_page_fits(
    size: tuple[int, int], page: Page, site: Path, address: str
) -> None:
    complaints = {}
    for file in sorted(site.rglob("*.html")):
        name = file.relative_to(site).as_posix()
        if name.startswith("reports/") and file.name != "index.html":
            continue  # test_pages_in_browser has pages of reports
        page.goto(address + name)
        # Rows of a table are alike, and axe-core takes a minute for a thousand of them.
        page.evaluate("document.querySelectorAll('tr:nth-child(n+30)').forEach((r) => r.remove())")
        found = violations(page)
        if page.evaluate("document.documentElement.scrollWidth") > size[0]:
            found.append(("wider than the window", ""))
        if found:
            complaints[name] = found
    assert complaints == {}


@in_each_scheme
@in_each_window
def test_a_page_is_found_by_its_words(page: Page) -> None:
    if not page.get_by_role("textbox", name="Search").is_visible():
        page.locator("header label[for=__search]").first.click()
    page.get_by_role("textbox", name="Search").fill("unsupported capability")
    page.locator(".md-search-result__link").first.wait_for()
    assert violations(page) == []
    home = page.url
    page.locator(".md-search-result__link").first.click()
    page.wait_for_url(lambda url: url != home)


@in_each_scheme
@pytest.mark.parametrize("size", [PHONE], ids=["phone"])
def test_the_menu_of_a_phone_leads_to_pages(page: Page, address: str) -> None:
    page.locator("header label[for=__drawer]").click()
    assert violations(page) == []
    page.get_by_role("link", name="Tutorial").first.click()
    page.wait_for_url(f"{address}tutorial/")


@pytest.mark.parametrize("scheme", ["light"])
@pytest.mark.parametrize("size", [DESKTOP], ids=["desktop"])
@pytest.mark.parametrize(
    ("script", "broken"),
    [
        ("document.querySelector('.md-search').removeAttribute('aria-label')", "aria-dialog-name"),
        ("document.querySelector('th').textContent = ''", "empty-table-header"),
        ("document.querySelector('article p').style.color = '#888888'", "color-contrast"),
    ],
)
def test_axe_finds_what_hinders(script: str, broken: str, page: Page) -> None:
    page.evaluate(script)
    assert [name for name, _ in violations(page)] == [broken]


def test_sizes_and_times_of_pages_are_measured(tmp_path: Path, browser: Browser) -> None:
    (tmp_path / "small.html").write_text("<title>x</title><p>words</p>", "utf-8")
    (tmp_path / "large.html").write_text(f"<title>x</title><p>{'words ' * 10_000}</p>", "utf-8")
    pages = {"small.html": "a small page", "large.html": "a large page"}
    small, large = measured(browser, tmp_path, pages)
    assert (small.name, small.size) == ("a small page", 28)
    assert large.size == 60_023
    assert large.compressed < 0.1 * large.size
    assert all(0 < time < 60_000 for time in (*small[3:], *large[3:]))
    text = page_of_figures([small, large], 49, 208, date(2026, 1, 2), "a core")
    assert "on 2026-01-02, with 49 implementations and 208 clauses" in text
    assert "The machine had a core." in text
    assert re.search(r"^\| a large page +\| +60 \| +0 \| +\d+ \| +\d+ \|$", text, re.MULTILINE)
