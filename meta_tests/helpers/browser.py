"""Chromium, and what axe-core finds on a page in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["DESKTOP", "PHONE", "chromium", "violations"]

PHONE, DESKTOP = (360, 740), (1400, 900)

_SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, which has to be installed."""
    # Not needed to collect tests.
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    assert program, "this needs Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=list(_SWITCHES))
        yield running
        running.close()


def violations(page: Page) -> list[tuple[str, str]]:
    """The rules of axe-core that the page breaks, and the first place of each.

    https://github.com/dequelabs/axe-core looks for what hinders people who cannot see all.
    """
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(broken["id"], broken["nodes"][0]["html"]) for broken in found]
