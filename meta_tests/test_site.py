"""The documentation site is built, and a link that leads nowhere stops it.

This needs MkDocs: `tox -e docs`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import lstm_conformance
from lstm_conformance.spec.clauses import CLAUSES

from .helpers.site import build, built

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "reports" / "results.schema.json"

# Of the page of an implementation, in bytes.
LARGEST_PAGE = 300_000

pytestmark = pytest.mark.docs


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site."""
    return built(tmp_path_factory.mktemp("site"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout whose pages may be changed."""
    for path in ROOT.iterdir():
        if path.name != "docs":
            (tmp_path / path.name).symlink_to(path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    return tmp_path


def pages(site: Path) -> dict[str, str]:
    return {p.relative_to(site).as_posix(): p.read_text("utf-8") for p in site.rglob("index.html")}


def test_every_page_is_there(site: Path) -> None:
    expected = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}
    expected |= {f"reports/published/{p.stem}" for p in (ROOT / "reports/published").glob("*.md")}
    expected |= {"spec/lstm", "command-line", "errata", "CONTRIBUTING", "SECURITY", "CHANGELOG"}
    assert {name.removesuffix("/index.html") for name in pages(site)} == {*expected, "index.html"}


def test_every_page_is_one_click_from_every_other(site: Path) -> None:
    """All pages have the navigation, with links to all pages."""
    every = pages(site)
    for name, text in every.items():
        links = re.findall(r'<a href="([^"]*)" class="md-nav__link', text)
        linked = {os.path.normpath(Path(name).parent / link / "index.html") for link in links}
        assert {*every} - {name} <= linked


def test_everything_is_at_most_three_clicks_from_the_home_page(site: Path) -> None:
    """Also what has no place in the navigation, such as the matrix."""
    reached = clicks(site)
    every = {path.relative_to(site).as_posix() for path in site.rglob("*.html")} - {"404.html"}
    assert every == {*reached}
    assert max(reached.values()) <= 3


def test_what_no_link_leads_to_is_seen(tmp_path: Path) -> None:
    links = {
        "index": "a.html",
        "a": "b.html#x",
        "b": "c/",
        "c/index": "../a.html",
        "alone": "a.html",
    }
    (tmp_path / "c").mkdir()
    for name, link in links.items():
        (tmp_path / f"{name}.html").write_text(f'<a class="x" href="{link}">', "utf-8")
    assert clicks(tmp_path) == {"index.html": 0, "a.html": 1, "b.html": 2, "c/index.html": 3}


def clicks(site: Path) -> dict[str, int]:
    """Each page that links lead to from the home page, and how many clicks it takes."""
    reached, new = {"index.html": 0}, ["index.html"]
    for name in new:
        for link in re.findall(r'<a [^>]*href="([^"#?:]+)', (site / name).read_text("utf-8")):
            path = os.path.normpath(Path(name).parent / link)
            if (site / path).is_dir():
                path = os.path.normpath(Path(path) / "index.html")
            if path.endswith(".html") and (site / path).exists() and path not in reached:
                reached[path] = reached[name] + 1
                new.append(path)
    return reached


def test_nothing_is_loaded_from_other_servers(site: Path) -> None:
    for text in pages(site).values():
        assert not re.search(r'<(script|img|iframe)[^>]* src="(https?:)?//', text)
        assert not re.search(
            r'<link[^>]* rel="(stylesheet|preconnect)"[^>]* href="(https?:)?//', text
        )


def test_no_bar_in_a_table_is_escaped(site: Path) -> None:
    """In code, GitHub leaves out the backslash, and the site shows it."""
    assert not [name for name, text in pages(site).items() if "\\|" in text]


def test_links_outside_of_the_site_lead_to_the_repository(site: Path) -> None:
    text = pages(site)["test-your-own/index.html"]
    assert 'href="https://github.com/OWNER/lstm-conformance/blob/main/spec/contract.py"' in text
    assert 'href="https://github.com/OWNER/lstm-conformance/tree/main/examples/c"' in text
    assert 'href="../SECURITY/#how-results-travel"' in text


def test_the_help_of_every_command_is_there(site: Path) -> None:
    text = pages(site)["command-line/index.html"]
    for name in ("check", "merge", "report", "waive", "clauses", "vectors", "defects"):
        assert f'<h2 id="{name}">' in text
        assert f"usage: lstm-conformance {name}" in text


def test_every_erratum_is_there(site: Path) -> None:
    text = pages(site)["errata/index.html"]
    errata = [clause for clause in CLAUSES.values() if clause.erratum is not None]
    assert text.count("<strong>Problem.</strong>") == len(errata)


def test_every_published_result_has_its_time(site: Path) -> None:
    text = pages(site)["how-long/index.html"]
    for path in (ROOT / "reports" / "published" / "frameworks").glob("*.json"):
        assert f">{path.stem}</td>" in text


def published() -> dict[str, Any]:
    """The results of each adapter, as its file has them."""
    files = (ROOT / "reports" / "published" / "frameworks").glob("*.json")
    return {path.stem: json.loads(path.read_text("utf-8")) for path in files}


def test_every_implementation_has_a_small_page(site: Path) -> None:
    table = pages(site)["reports/published/frameworks/index.html"]
    for name in published():
        path = site / "reports" / "published" / "implementations" / f"{name}.html"
        assert path.stat().st_size < LARGEST_PAGE
        assert f'<a href="../implementations/{name}.html">{name}</a>' in table


def test_every_clause_says_who_breaks_it(site: Path) -> None:
    text = pages(site)["spec/lstm/index.html"]
    everything = published()
    for clause_id, clause in CLAUSES.items():
        part = re.search(rf">{clause_id} .*?(?=<h[23])", text, re.DOTALL)
        assert part is not None
        links = re.findall(rf'/implementations/([^"]*)\.html#why-{clause_id}"', part[0])
        verdicts = {
            name: found["verdict"]
            for name, results in everything.items()
            for found in results["clauses"]
            if found["id"] == clause_id and found["verdict"] not in ("unsupported", "not tested")
        }
        breaking = [name for name, word in verdicts.items() if word in ("fail", "error", "waived")]
        assert sorted(links) == sorted(breaking)
        number = f"Broken by {len(breaking) or 'none'} of {len(verdicts)} that were judged"
        assert (number in part[0]) == (clause.untestable == "" and bool(verdicts))


def test_every_link_to_a_failure_leads_to_one(site: Path) -> None:
    folder = site / "reports" / "published"
    sources = [folder / "matrix.html", site / "spec" / "lstm" / "index.html"]
    found = {
        link
        for source in sources
        for link in re.findall(r'implementations/([^"#]+)#(why-[^"]+)"', source.read_text("utf-8"))
    }
    texts = {name: (folder / "implementations" / name).read_text("utf-8") for name, _ in found}
    assert len(found) > 400
    assert [link for link in found if f'id="{link[1]}"' not in texts[link[0]]] == []


def test_every_public_name_is_explained(site: Path) -> None:
    text = pages(site)["python-reference/index.html"]
    for name in lstm_conformance.__all__:
        assert f'id="lstm_conformance.{name}"' in text
    assert 'id="lstm_conformance.CheckResults.raise_for_failures"' in text
    assert "nothing can be judged; the message says what to do" in text


def test_docstrings_have_links_in_place_of_roles(site: Path) -> None:
    text = pages(site)["python-reference/index.html"]
    assert not re.findall(r":\w+:<code>|(?<!:)::<", text)
    assert "whether <code>check</code> was called" in text
    assert "output (T, N, D*R), h_n (L*D, N, R)" in text
    assert re.search(r'as for <a [^>]*href="#lstm_conformance.check"><code>check</code></a>', text)


def test_every_field_of_results_is_explained(site: Path) -> None:
    text = pages(site)["results/index.html"]
    for name in json.loads(SCHEMA.read_text("utf-8"))["properties"]:
        assert f"<strong><code>{name}</code></strong>" in text
    for name in ("clauses-failure-finding", "parts-records-failures", "coverage-sizes-pairs"):
        assert f'<h3 id="results-{name}">' in text
        assert f'<a href="#results-{name}">object</a>' in text


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("[x](../spec/nowhere.py)", "has a link to ../spec/nowhere.py, which does not exist"),
        ("[x](nowhere.md)", "has a link to nowhere.md, which does not exist"),
        ("[x](gate.md#nowhere)", "does not contain an anchor '#nowhere'"),
        ("[x](../SECURITY.md#nowhere)", "does not contain an anchor '#nowhere'"),
        ("::: lstm_conformance.nowhere", "lstm_conformance.nowhere could not be found"),
    ],
)
def test_what_leads_nowhere_is_an_error(copy: Path, link: str, message: str) -> None:
    page = copy / "docs" / "index.md"
    page.write_text(f"{page.read_text('utf-8')}\n{link}\n", "utf-8")
    done = build(copy, copy / "build-of-test")
    assert done.returncode != 0
    assert message in done.stdout


def test_a_page_without_a_place_in_the_navigation_is_an_error(copy: Path) -> None:
    (copy / "docs" / "forgotten.md").write_text("# Forgotten\n", "utf-8")
    done = build(copy, copy / "build-of-test")
    assert done.returncode != 0
    assert "forgotten.md" in done.stdout
