"""Pages stand alone, say what is wrong, and show hostile text as text."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest

from lstm_conformance.reports import matrix_page
from lstm_conformance.reports.difference import difference
from lstm_conformance.reports.html import (
    difference_html,
    implementation_html,
    releases_html,
    report_html,
)
from lstm_conformance.reports.matrix_page import linked_matrix_html, matrix_html, page_name
from lstm_conformance.reports.matrix_picture import matrix_picture
from lstm_conformance.reports.releases import releases_of
from lstm_conformance.reports.tables import tensor_rows

from .helpers.made_up_results import PROGRAM, conforming, failure, hostile, right, versions, wrong

# Largest size of the matrix of 12 implementations, in bytes.
LARGEST_MATRIX = 2_000_000

# Largest size of what is drawn of one failure, in bytes.
LARGEST_MAP = 100_000

# Number of made-up implementations for which the published matrix is small.
MANY = 200

ELEMENTS = set(
    "a article b body br button code colgroup dd desc details div dl dt footer form h1 h2 h3 "  # noqa: SIM905
    "h4 head header html input label li main meta nav option output p pre script section select "
    "small span strong style summary table tbody td th thead title tr ul wbr "
    "clippath defs g path pattern rect svg text use".split()
)


class Page(HTMLParser):
    """What a browser would see of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each element with this tag."""
        return [attributes for name, attributes in self.elements if name == tag]


def _mended() -> dict[str, Any]:
    """Results of the implementation of ``wrong`` before it was changed."""
    results = right()
    results["implementation"]["target"] = "mine.py:LSTM"
    return results


# A page of each kind.
PAGES: dict[str, Callable[[], str]] = {
    "old": lambda: report_html(right()),
    "new": lambda: report_html(wrong()),
    "hostile": lambda: report_html(hostile()),
    "difference": lambda: difference_html(difference(_mended(), wrong())),
    "hostile difference": lambda: difference_html(difference(_as_hostile(_mended()), hostile())),
    "matrix": lambda: matrix_html([right(), wrong()]),
    "hostile matrix": lambda: matrix_html([right(), hostile(), hostile()]),
    "linked matrix": lambda: linked_matrix_html([right(), wrong()], "pages"),
    "hostile linked matrix": lambda: linked_matrix_html([right(), hostile(), hostile()], "pages"),
    "implementation": lambda: implementation_html(wrong(), {"Matrix": "../matrix.html"}),
    "hostile implementation": lambda: implementation_html(hostile(), {"Matrix": "../matrix.html"}),
    "releases": lambda: releases_html(releases_of(versions(wrong()))),
    "hostile releases": lambda: releases_html(releases_of(versions(hostile()))),
}


@cache
def made(kind: str) -> str:
    """The page of this kind."""
    return PAGES[kind]()


def _as_hostile(results: dict[str, Any]) -> dict[str, Any]:
    implementation = {**results["implementation"], "target": hostile()["implementation"]["target"]}
    return {**results, "implementation": implementation}


KINDS = tuple(PAGES)

# Pages of a site, and what the addresses of other pages begin with.
OTHER_PAGES = {
    "linked matrix": "pages/",
    "hostile linked matrix": "pages/",
    "implementation": "../",
    "hostile implementation": "../",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_stands_alone_and_runs_nothing_but_its_own(kind: str) -> None:
    text = made(kind)
    page = Page(text)
    assert {tag for tag, _ in page.elements} <= ELEMENTS
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert "src" not in attributes
        for name in ("href", "xlink:href"):
            address = attributes.get(name) or "#"
            assert address.startswith(("#", OTHER_PAGES.get(kind, "#"))), (tag, attributes)
    assert len(page.all("script")) == len(page.all("style")) == 1
    (policy,) = (m["content"] or "" for m in page.all("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "\x1b" not in text
    assert "\x00" not in text


@pytest.mark.parametrize(
    "kind",
    [
        "hostile",
        "hostile difference",
        "hostile matrix",
        "hostile implementation",
        "hostile releases",
    ],
)
def test_hostile_text_is_text(kind: str) -> None:
    assert Page(made(kind)).text.count("<script>alert(1)</script>") > 10


@pytest.mark.parametrize("kind", KINDS)
def test_links_lead_somewhere_and_ids_are_unique(kind: str) -> None:
    page = Page(made(kind))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    addresses = {a["href"] or "" for a in page.all("a")}
    assert {link.removeprefix("#") for link in addresses if link.startswith("#")} <= set(ids)
    assert any(not link.startswith("#") for link in addresses) == (kind in OTHER_PAGES)
    for _, attributes in page.elements:
        for name in ("fill", "stroke"):
            paint = attributes.get(name) or "none"
            assert re.fullmatch(r"none|currentColor|#[0-9a-f]{6}|url\(#.+\)", paint)
            assert not paint.startswith("url") or paint[5:-1] in ids
        named = (attributes.get("aria-labelledby") or "").split()
        assert set(named) <= set(ids)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_can_be_read_without_seeing_it(kind: str) -> None:
    page = Page(made(kind))
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == 1
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for attributes in page.all("svg"):
        assert attributes["role"] == "img"
        assert attributes["aria-labelledby"]
    for tag, attributes in page.elements:
        if attributes.get("tabindex") == "0":
            assert attributes.get("aria-label"), tag


def test_failures_are_shown() -> None:
    page = Page(made("new"))
    text = " ".join(page.text.split())
    assert "DEVIATES: it deviates in 12 of 206 clauses that were judged, " in text
    assert "Gate: failed. 3 clauses that must hold are broken, and no known deviation." in text
    first = text.index("matches GatesInOrderOFGI")
    assert first < text.index("Consequences These build on"), "causes come first"
    for expected in ("c_n[0, 0, 1]", "-0.33", "-0.34", "± 1.1e-16", "9e+13 times rounding noise"):
        assert expected in text
    assert "W = [W_i; W_f; W_g; W_o]" in text
    assert PROGRAM in page.text
    assert 'lstm-conformance check mine.py:LSTM --clause EQ-1 --case "v1 input_size=1"' in text
    assert "Raised: ValueError: no" in text
    assert "2258 profile smoke visits a covering array" in text
    titles = [e for e in page.elements if e[0] == "title"]
    assert len(titles) == 1 + 3 + 1, "three plots, and where the cause is wrong"
    assert "Where output is wrong: error over rounding noise, row 1" in text
    assert "7 of 20 elements are wrong, all in steps 0 to 3 and units 3 to 4." in text
    assert "NaN where a number is expected (1 cell)" in text
    assert "mathdefault" not in text
    assert "float64: half of 11 errors" not in text


def test_the_machine_is_shown() -> None:
    text = " ".join(Page(made("new")).text.split())
    assert "2 cores of Made-up 2, load average 0.50 at the start, 2.25 at the end" in text
    assert "load average" not in Page(made("old")).text


def test_missing_parts_of_old_results_are_mentioned() -> None:
    text = Page(made("old")).text
    assert (
        "DEVIATES: it deviates in 8 of 208 clauses that were judged, 8 about argument checks."
        in text
    )
    assert "Gate: passed, with 4 known deviations and 4 that are only recommended." in text
    assert "These results hold no histogram" in text
    assert "These results do not say in which chapters" in text


@pytest.mark.whole
def test_results_without_a_case_have_a_page() -> None:
    results = right()
    results.update(clauses=[], chapters=[], tensors=[], gate_passed=False)
    results["coverage"]["combinations"] = {"total": 2304, "visited": 0, "left_out": []}
    text = Page(report_html(results)).text
    assert "NOT COMPLETED: no verdict on it (nothing was shown)." in text
    assert "No tensor was compared." in text


def test_a_change_is_shown() -> None:
    text = " ".join(Page(made("difference")).text.split())
    assert "mine: 5 newly broken, 2 no longer judged." in text
    assert "Newly broken clause before now EQ-1 Gate order ✓ pass 2.27 ✗ fail 9e+13" in text
    assert "matches GatesInOrderOFGI" in text


def test_every_cell_of_a_matrix_leads_to_its_detail() -> None:
    page = Page(made("matrix"))
    links = {a["href"] for a in page.all("a")}
    for number, results in enumerate((right(), wrong()), start=1):
        for clause in results["clauses"]:
            only_passed = clause["verdict"] == "pass" and not clause["reasons"]
            detail = clause["id"] if only_passed else f"{clause['id']}-{number}"
            assert f"#{detail}" in links
    rows = [row for row in page.all("tr") if "data-chapter" in row]
    assert len(rows) == len(right()["clauses"])
    assert sum("data-differing" in row for row in rows) == 5


def test_a_cell_of_a_linked_matrix_leads_to_the_failure_on_a_page() -> None:
    everything = [right(), wrong()]
    links = {a["href"] for a in Page(made("linked matrix")).all("a")}
    expected = {f"#{clause['id']}" for clause in right()["clauses"]}
    for name, results in zip(("torch", "mine.py%3ALSTM"), everything, strict=True):
        page = Page(implementation_html(results, {}))
        ids = {attributes.get("id") for _, attributes in page.elements}
        expected.add(f"pages/{name}.html")
        for clause in results["clauses"]:
            if clause["verdict"] in ("fail", "error", "waived", "inconclusive"):
                assert f"why-{clause['id']}" in ids
                expected.add(f"pages/{name}.html#why-{clause['id']}")
    parts = {"#counts-heading", "#matrix-heading", "#details-heading"}
    assert links == {*expected, *parts, "#main"}
    assert page_name(hostile()).count("/") == 0


def test_a_page_of_a_site_has_the_failures_and_no_plots() -> None:
    page = Page(made("implementation"))
    assert {picture["class"] for picture in page.all("svg")} == {"map"}, (
        "of elements that are wrong"
    )
    assert "matches GatesInOrderOFGI" in page.text
    assert "EQ-8" in page.text, "a clause that passed"
    assert len(made("implementation")) < 0.75 * len(made("new"))


def named(results: dict[str, Any], target: str) -> dict[str, Any]:
    """``results`` of another implementation."""
    return {**results, "implementation": {**results["implementation"], "target": target}}


def test_columns_are_grouped_by_framework_and_the_worst_come_first() -> None:
    everything = [
        named(conforming(), "one-good"),
        named(right(), "two.module:Known"),
        named(conforming(), "two-good"),
        named(wrong(), "one-bad"),
        named(conforming(), "three"),
    ]
    for page in (matrix_html(everything), linked_matrix_html(everything, "pages")):
        text = page.partition('<table class="matrix">')[2].partition("</thead>")[0]
        text = text.replace("<wbr>", "")
        assert re.findall('<th scope="colgroup" colspan="(.)"><span>(.*?)</span>', text) == [
            ("2", "one"), ("2", "two"), ("1", "three"),
        ]  # fmt: skip
        assert re.findall('<colgroup span="(.)">', text) == ["2", "2", "1"]
        assert re.findall('<th scope="col" class="column[ a-z]*">(.*?)</th>', text) == [
            "one-bad", "one-good", "two.module:Known", "two-good", "three",
        ]  # fmt: skip
        rows = [row for row in Page(page).all("tr") if "data-chapter" in row]
        deviating = [int(row["data-deviating"] or "") for row in rows]
        assert deviating[0] == 2
        assert deviating == sorted(deviating, reverse=True)
        # EQ-1 is broken by the first column alone, and EQ-8 by none.
        of_clause = re.search('<tr [^>]*><th scope="row"><a href="#EQ-1">.*?</tr>', page)
        assert of_clause is not None
        assert re.findall('<td class="([a-z]+)"', of_clause[0]) == ["fail", *["pass"] * 4]


def test_the_published_matrix_of_many_implementations_is_small() -> None:
    everything = [named(wrong(), f"framework{n // 4}-variant{n}") for n in range(MANY)]
    page = linked_matrix_html(everything, "implementations")
    assert len(page.encode()) < LARGEST_MATRIX
    assert page.count('<th scope="col" class="column') == MANY


def test_a_matrix_that_would_be_too_large_has_the_worst_implementations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everything = [named(conforming(), f"good{number}") for number in range(10)]
    bad = named(wrong(), "bad")
    largest = len(linked_matrix_html([*everything, bad], "pages").encode()) - 1
    monkeypatch.setattr(matrix_page, "LARGEST", largest)
    page = linked_matrix_html([*everything, bad], "pages")
    assert len(page.encode()) <= largest
    shown = re.findall('<th scope="col" class="column[ a-z]*">(.*?)</th>', page)
    assert shown == ["bad", *[f"good{number}" for number in range(9)]]
    assert "Of 11 implementations, the table has the 10 that deviate most." in page
    assert '<a href="pages/good9.html">' in page, "in the table of verdicts"
    assert "that deviate most" not in made("linked matrix")


def test_a_clause_that_one_result_lacks_has_an_empty_cell() -> None:
    fewer = right()
    del fewer["clauses"][0]
    page = Page(matrix_html([wrong(), fewer]))
    assert "#EQ-1-1" in {a["href"] for a in page.all("a")}
    assert "#EQ-1-2" not in {a["href"] for a in page.all("a")}


def test_in_the_matrix_a_known_deviation_is_one() -> None:
    for everything, sentence in [
        ([right(), conforming(), wrong()], "1 conforms, 2 deviate."),
        ([conforming(), conforming(), right()], "2 conform, 1 deviates."),
        (
            [conforming(), {**conforming(), "gate_passed": False}],
            "1 conforms, 0 deviate, 1 undecided.",
        ),
    ]:
        assert f"<p>{sentence} " in matrix_html(everything)


def test_the_matrix_has_the_worst_implementation_first() -> None:
    page = matrix_html([conforming(), right(), wrong()])
    counted = page.partition('<table class="counted">')[2].partition("</table>")[0]
    assert re.findall("deviates in [0-9]+ of [0-9]+|conforms", counted) == [
        "deviates in 12 of 206", "deviates in 8 of 208", "conforms",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"waived": 10}, ("none", "0 of 10")),
        ({"pass": 3, "waived": 7}, ("few", "3 of 10")),
        ({"pass": 5, "fail": 5}, ("most", "5 of 10")),
    ],
)
def test_a_cell_of_the_matrix_has_the_share_of_cases_that_pass(
    counts: dict[str, int], words: tuple[str, str]
) -> None:
    results = conforming()
    results["clauses"][0].update(verdict="waived", counts=counts)
    share, text = words
    page = matrix_html([results, conforming()])
    assert page.count('data-share="') == 1 + page.partition("</style>")[0].count('data-share="')
    assert re.search(f'<td class="waived" data-share="{share}">.*>≈ {text}</a>', page)
    assert 'data-kind="numbers" data-deviating="1"' in page


def test_the_matrix_says_what_was_judged_in_part() -> None:
    assert "default, in part" not in matrix_html([right(), wrong()])
    assert matrix_html([right(), {**right(), "stopped": "max-time"}]).count("default, in part") == 1


@pytest.mark.parametrize("breaks_everything", [False, True])
def test_the_matrix_of_12_implementations_is_small(breaks_everything: bool) -> None:
    everything = []
    for number in range(12):
        results = wrong()
        results["implementation"]["target"] = f"package.module:Implementation{number}"
        for clause in results["clauses"] if breaks_everything else ():
            found = {**failure(clause["id"]), "exception": "ValueError: no " * 1000}
            clause.update(verdict="fail", failure=found)
        everything.append(results)
    assert len(matrix_html(everything).encode()) < LARGEST_MATRIX


@pytest.mark.whole
def test_what_is_drawn_of_causes_is_small() -> None:
    results, plain = wrong(), wrong()
    for found in (results, plain):
        for clause in found["clauses"][:10]:
            clause.update(verdict="fail", root_cause=True, failure=failure(clause["id"]))
    for number, clause in enumerate(results["clauses"][:10]):
        row = [(1.0, 40.0, 1e4, 1e7)[(x + number) % 4] for x in range(64)]
        values = [row] * 64
        clause["failure"]["ratio_map"].update(shape=[64, 64], values=values)
    more = len(report_html(results).encode()) - len(report_html(plain).encode())
    assert more < 10 * LARGEST_MAP


def test_the_same_results_give_the_same_bytes() -> None:
    assert report_html(wrong()) == made("new")
    assert matrix_picture([right(), wrong()]) == matrix_picture([right(), wrong()])


def test_the_picture_of_a_matrix_stands_alone() -> None:
    picture = matrix_picture([right(), hostile(), conforming()])
    page = Page(picture)
    assert {tag for tag, _ in page.elements} <= ELEMENTS
    assert not page.all("script")
    assert "prefers-color-scheme" in picture
    assert "1 of 3 implementations conform. The others deviate." in page.text


@pytest.mark.whole
def test_causes_that_look_alike_are_shown_once() -> None:
    results = wrong()
    for clause in results["clauses"]:
        if clause["id"] in ("EQ-2", "EQ-3"):
            clause["root_cause"] = True
    text = Page(report_html(results)).text
    alike = text.index("Broken, with the same diagnosis")
    assert text.index("EQ-3 Output gate") < alike, "it has no diagnosis"
    assert alike < text.index("EQ-2 Input gate and candidate")


def test_optional_fields_may_be_missing() -> None:
    results = wrong()
    results["clauses"][0]["failure"].update(finding={"tensor": "c_n"}, diagnosis={"text": "odd"})
    results["clauses"][1]["failure"].update(finding={"index": [0]}, diagnosis={"defects": []})
    results["clauses"][1]["root_cause"] = True
    assert "odd" in Page(report_html(results)).text
    assert "odd" in Page(matrix_html([right(), results])).text


@pytest.mark.whole
def test_dtypes_that_were_not_asked_for_are_shown() -> None:
    """Another program may write such a file, and the schema allows it."""
    results = wrong()
    results.update(dtypes=["float32"], tensors=results["tensors"][:2])
    results["tensors"][0]["dtype"] = "float64"
    results["tensors"][1]["dtype"] = "float8"
    assert "float8" in Page(report_html(results)).text
    assert tensor_rows(results)[0] == ["float64", "float8"]


@pytest.mark.parametrize(
    ("exception", "is_shown"), [("ProcessFailed: it hung", False), ("E", True)]
)
def test_a_traceback_of_the_judge_is_not_shown(exception: str, is_shown: bool) -> None:
    results = copy.deepcopy(wrong())
    for clause in results["clauses"]:
        if clause.get("failure"):
            clause["failure"] |= {"exception": exception, "traceback": "in answer_of_process"}
    assert ("in answer_of_process" in report_html(results)) == is_shown
