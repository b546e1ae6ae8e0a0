"""What MkDocs does besides, to build the documentation site (``mkdocs.yml``).

Pages in ``docs/`` link to files by their paths in the repository, so that the links work on GitHub
too. Some of these files are pages of the site. Links to all others lead to the repository.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

# MkDocs looks for modules in the folder of a hook, too.
from fields_of_results import fields_of_results
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pages_of_results import (
    FOLDER,
    implementation_page,
    published,
    with_links,
    with_who_breaks,
)
from tabulate import tabulate

from lstm_conformance.reports.matrix_page import page_name
from lstm_conformance.spec.document import errata_page

ROOT = Path(__file__).parents[1]

# Files outside of docs/ that belong to the site. They keep their paths.
_ADDED = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "spec/lstm.md",
    "reports/published/*.md",
    "reports/published/*.html",
    "reports/published/*.svg",
)

# Code, which has no links, or where a link leads: its path and its heading.
_CODE_OR_LINK = re.compile(
    r"^(`{3,}).*?^\1$|`[^`\n]*`|(?<=\]\()([^)\s#]+)(#[^)\s]*)?(?=\))", re.MULTILINE | re.DOTALL
)
_ON_THE_WEB = re.compile(r"[a-z]+:")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds files of the repository, and pages that are made from the code."""
    for path in _added_files():
        name = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(path)))
    for name, make in _MADE.items():
        files.append(File.generated(config, name, content=make()))
    for name, results in published().items():
        page = implementation_page(name, str(config.extra["repository"]))
        files.append(File.generated(config, f"{FOLDER}/{page_name(results)}", content=page))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Leads links to where their files are on the site, or in the repository; adds what is made.

    Raises:
        PluginError: a link leads to a file that does not exist.
    """
    here = _path_in_repository(page.file.src_uri)
    repository = str(config.extra["repository"])

    def moved(match: re.Match[str]) -> str:
        link, anchor = match[2], match[3] or ""
        if not link or _ON_THE_WEB.match(link):
            return match[0]
        target = os.path.normpath(here.parent / link)
        if not (ROOT / target).exists():
            raise PluginError(f"{here} has a link to {link}, which does not exist.")
        name = target.removeprefix("docs/")
        if files.get_file_from_path(name) is not None:
            return os.path.relpath(name, PurePosixPath(page.file.src_uri).parent) + anchor
        kind = "tree" if (ROOT / target).is_dir() else "blob"
        return f"{repository}/{kind}/main/{target}{anchor}"

    for place, make in _FILLED.items():
        if place in markdown:
            markdown = markdown.replace(place, make())
    markdown = _CODE_OR_LINK.sub(moved, markdown)
    complete = _COMPLETED.get(here.as_posix())
    return markdown if complete is None else complete(markdown)


def _added_files() -> Iterator[Path]:
    for pattern in _ADDED:
        found = sorted(ROOT.glob(pattern))
        if not found:
            raise PluginError(f"there is no file {pattern}.")
        yield from found


def _path_in_repository(name: str) -> PurePosixPath:
    """The path of the page ``name`` of the site; a page that is made counts as one of docs/."""
    is_added = any(PurePosixPath(name).match(pattern) for pattern in _ADDED)
    return PurePosixPath(name if is_added else f"docs/{name}")


def command_line() -> str:
    """A page with the help of every command."""
    overview = _help()
    parts = [
        "# Command line",
        "The help of each command. `python -m lstm_conformance` is the same as `lstm-conformance`.",
        f"```text\n{overview}\n```",
    ]
    for name in re.findall(r"^    (\w+) +\w", overview, re.MULTILINE):
        parts += [f"## {name}", f"```text\n{_help(name)}\n```"]
    return "\n\n".join(parts) + "\n"


def _help(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "lstm_conformance", *command, "--help"],
        env={**os.environ, "COLUMNS": "78", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.rstrip()


def times_of_frameworks() -> str:
    """A table of the published results: how many cases, and how long they took."""
    rows = []
    for name, results in published().items():
        seconds, own = results["time_in_tests_seconds"], results["time_in_implementation_seconds"]
        cases = sum(clause["cases"] for clause in results["clauses"])
        rows.append([name, results["profile"], cases, round(seconds), f"{own / seconds:.0%}"])
    headers = ["adapter", "profile", "cases", "seconds", "in the implementation"]
    return tabulate(rows, headers, "pipe")


# Name of a page to the function that makes its Markdown.
_MADE: dict[str, Callable[[], str]] = {
    "command-line.md": command_line,
    "errata.md": errata_page,
}

# Path of a page to the function that adds links to pages of results.
_COMPLETED: dict[str, Callable[[str], str]] = {
    "reports/published/frameworks.md": with_links,
    "spec/lstm.md": with_who_breaks,
}

# A comment in a page to the function that makes what takes its place.
_FILLED: dict[str, Callable[[], str]] = {
    "<!-- fields of results -->": fields_of_results,
    "<!-- times of frameworks -->": times_of_frameworks,
}
