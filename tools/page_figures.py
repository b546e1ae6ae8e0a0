"""Measures how large published pages are, and how long Chromium takes to load them.

``python -m tools.page_figures SITE`` writes ``reports/published/pages.md``. SITE is the folder
of the documentation site, built by MkDocs. ``tox -e page-figures`` builds it before.
"""

from __future__ import annotations

import gzip
import inspect
import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tabulate import tabulate

from lstm_conformance.reports.writing import write_text
from lstm_conformance.spec.clauses import TESTABLE
from meta_tests.helpers.browser import DESKTOP, PHONE, chromium
from meta_tests.helpers.site import served
from tools.pages_of_results import FOLDER, published

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["Figures", "measured", "page"]

PUBLISHED = Path(__file__).parents[1] / "reports" / "published"

# Of the site, by their paths. The smallest and the largest page of an implementation are added.
PAGES = {
    "index.html": "home page",
    "spec/lstm/index.html": "specification",
    "reports/published/findings/index.html": "findings",
    "reports/published/frameworks/index.html": "frameworks",
    "reports/published/matrix.html": "matrix",
    "reports/published/torch.html": "report of one implementation, with plots",
}

# How often each page is loaded in each window.
TIMES = 5

# When a page was first painted, or had loaded: whichever is later.
_MILLISECONDS = """() => Math.max(
    performance.getEntriesByName('first-contentful-paint')[0].startTime,
    performance.getEntriesByType('navigation')[0].loadEventEnd)"""


class Figures(NamedTuple):
    """What was measured of a page.

    Attributes:
        name: what the page is.
        size, compressed: of its file, in bytes, as it is and by gzip.
        desktop, phone: milliseconds until it is painted and loaded, in a window of this size.
    """

    name: str
    size: int
    compressed: int
    desktop: float
    phone: float


def measured(browser: Browser, site: Path, pages: dict[str, str]) -> list[Figures]:
    """The figures of pages.

    Args:
        browser: that loads them.
        site: the folder of the site.
        pages: path of each page in it, to what it is.
    """
    found = []
    with served(site) as address:
        for path, name in pages.items():
            content = (site / path).read_bytes()
            times = [_fastest(browser, address + path, size) for size in (DESKTOP, PHONE)]
            found.append(Figures(name, len(content), len(gzip.compress(content)), *times))
    return found


def _fastest(browser: Browser, address: str, size: tuple[int, int]) -> float:
    """The shortest time of several: other work on the machine only makes it longer."""
    times = []
    for _ in range(TIMES):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        tab = context.new_page()
        tab.goto(address)
        tab.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        times.append(float(tab.evaluate(_MILLISECONDS)))
        context.close()
    return min(times)


def pages_of(site: Path) -> dict[str, str]:
    """The pages that are measured: path to what it is."""
    by_size = sorted((site / FOLDER).glob("*.html"), key=lambda path: path.stat().st_size)
    ends = {"smallest": by_size[0], "largest": by_size[-1]}
    of_implementations = {
        f"{FOLDER}/{path.name}": f"implementation, the {which}: {path.stem}"
        for which, path in ends.items()
    }
    return {**PAGES, **of_implementations}


def state_of_the_machine() -> str:
    """How many cores it has, and how busy they are."""
    return f"{os.cpu_count()} cores, and a load average of {os.getloadavg()[0]:.1f}"


def page(
    figures: list[Figures], implementations: int, clauses: int, day: date, machine: str
) -> str:
    """The page of figures, in Markdown.

    Args:
        figures: a row for each.
        implementations, clauses: their numbers.
        day: of the measurement.
        machine: its state then; see :func:`state_of_the_machine`.
    """
    rows = [
        [found.name, *(f"{size / 1000:,.0f}" for size in (found.size, found.compressed)),
         round(found.desktop), round(found.phone)]
        for found in figures
    ]  # fmt: skip
    headers = ["page", "kB", "kB, gzip", "ms, 1,400 pixels wide", "ms, 360 pixels wide"]
    parts = [
        "# Sizes of pages",
        f"Pages of the documentation site on {day.isoformat()}, with {implementations} "
        f"implementations and {clauses} clauses. A size is that of the HTML alone. A time is that "
        "until the page is painted and loaded in Chromium, from a server on the same machine: the "
        f"shortest of {TIMES}, each without a cache. The machine had {machine}. The other pages of "
        "implementations lie between the smallest and the largest. The matrix has at most 2 MB, "
        "however many implementations there are. Made by `tox -e page-figures`.",
        tabulate(rows, headers, "pipe", colalign=("left", *["right"] * 4), disable_numparse=True),
    ]
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str]) -> int:
    """Measures, writes the page, and returns the exit status."""
    if len(arguments) != 1 or not (Path(arguments[0]) / FOLDER).is_dir():
        print(inspect.cleandoc(__doc__ or ""), file=sys.stderr)
        return 2
    site = Path(arguments[0])
    with chromium() as browser:
        found = measured(browser, site, pages_of(site))
    text = page(found, len(published()), len(TESTABLE), date.today(), state_of_the_machine())
    write_text(PUBLISHED / "pages.md", text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
