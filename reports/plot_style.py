"""The style of all plots, and figures as SVG.

An SVG of this module has a text alternative and no style sheet, so that a page can forbid all style
sheets but its own. Its lines and text have the colour of the page's text, light or dark.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.style
from markupsafe import Markup
from matplotlib.figure import Figure

from .escaping import one_line

__all__ = [
    "BLUE",
    "COLOURS",
    "GREY",
    "MARKERS",
    "ORANGE",
    "RED",
    "TEXT",
    "inline_svg",
    "short_label",
    "standalone_svg",
    "style",
]

_SVG = "{http://www.w3.org/2000/svg}"
ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")

# Colours of Okabe and Ito, which the colour-blind can tell apart. Each dtype has its own colour and
# its own marker.
BLUE, ORANGE, RED, GREY = "#0072b2", "#e69f00", "#d55e00", "#8c8c8c"
COLOURS = (BLUE, RED, "#009e73", "#cc79a7", "#56b4e9")
MARKERS = ("o", "s", "^", "D", "v")

# It becomes the colour of the page's text.
TEXT = "#000000"

_SETTINGS: dict[str, object] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "legend.frameon": False,
    "text.parse_math": False,
}

# In characters.
_LONGEST_LABEL = 40


def style(**more: Any) -> AbstractContextManager[None]:
    """A context in which matplotlib has these settings, and none of the user."""
    context: AbstractContextManager[None] = mpl.style.context(["default", {**_SETTINGS, **more}])
    return context


def short_label(text: str) -> str:
    """``text`` on one line, cut off if it is long."""
    line = one_line(text)
    return line if len(line) <= _LONGEST_LABEL else f"{line[: _LONGEST_LABEL - 3]}..."


def inline_svg(figure: Figure, name: str, title: str, description: str) -> Markup:
    """``figure`` as an SVG element of a page, as wide as there is room.

    Args:
        figure: that was drawn in :func:`style`.
        name: with which all its ids begin.
        title, description: the text alternative.
    """
    svg = _drawn(figure, name, title, description)
    for attribute in ("width", "height", "version"):
        svg.attrib.pop(attribute, None)
    svg.set("class", "plot")
    return Markup(ElementTree.tostring(svg, "unicode"))


def standalone_svg(figure: Figure, name: str, title: str, description: str) -> str:
    """``figure`` as an SVG file with its own background, light or dark; see :func:`inline_svg`."""
    svg = _drawn(figure, name, title, description)
    style = ElementTree.Element(f"{_SVG}style")
    style.text = (
        "svg{color:#1f2328}.ground{fill:#ffffff}"
        "@media(prefers-color-scheme:dark){svg{color:#e6edf3}.ground{fill:#0d1117}}"
    )
    ground = ElementTree.Element(f"{_SVG}rect", {"class": "ground", "width": "100%"})
    ground.set("height", "100%")
    svg[2:2] = [style, ground]
    return ElementTree.tostring(svg, "unicode") + "\n"


def _drawn(figure: Figure, name: str, title: str, description: str) -> ElementTree.Element:
    """The figure as SVG: the same bytes in every run, without style sheets."""
    output = io.StringIO()
    with style(**{"svg.hashsalt": name}):
        figure.savefig(output, format="svg", metadata={"Date": None})
    svg = ElementTree.fromstring(output.getvalue())
    for parent in list(svg.iter()):
        for child in list(parent):
            if child.tag.endswith(("}metadata", "}style")):
                parent.remove(child)
    for element in svg.iter():
        for property_name, value in _declarations(element.attrib.pop("style", "")):
            element.set(property_name, value)
        if element.tag == f"{_SVG}text" and "fill" not in element.attrib:
            element.set("fill", "currentColor")
        for attribute in ("fill", "stroke"):
            if element.get(attribute) == TEXT:
                element.set(attribute, "currentColor")
    _prefix_ids(svg, name)
    _make_small(svg)
    svg.attrib.update(
        {
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-description",
            "font-family": "system-ui, 'DejaVu Sans', sans-serif",
            "stroke-linejoin": "round",
        }
    )
    texts = []
    for tag, part, text in (("title", "title", title), ("desc", "description", description)):
        element = ElementTree.Element(f"{_SVG}{tag}", {"id": f"{name}-{part}"})
        element.text = text
        texts.append(element)
    svg[:0] = texts
    return svg


def _prefix_ids(svg: ElementTree.Element, name: str) -> None:
    """Makes ids unique in a page: each begins with ``name``. Ids without a use are removed."""
    used = set()
    for element in svg.iter():
        for attribute, value in list(element.items()):
            link = "#" if attribute.endswith("href") else "url(#"
            if value.startswith(link):
                used.add(value.removeprefix(link).rstrip(")"))
                element.set(attribute, f"{link}{name}-{value.removeprefix(link)}")
    for element in svg.iter():
        known = element.attrib.pop("id", "")
        if known in used:
            element.set("id", f"{name}-{known}")


def _make_small(svg: ElementTree.Element) -> None:
    """Rounds numbers to hundredths of a point; removes groups, spaces and turns without effect."""
    for element in svg.iter():
        element[:] = list(_without_bare_groups(element))
        if not element.tag.endswith("}text"):
            element.text = None
        element.tail = None
        if element.get("transform", "").startswith("rotate(-0 "):
            del element.attrib["transform"]
        for attribute in ("d", "x", "y", "width", "height", "transform"):
            if attribute in element.attrib:
                value = _LONG_NUMBER.sub(_rounded, element.attrib[attribute])
                element.set(attribute, _CLOSED.sub(r"M \1 \2 z", " ".join(value.split())))


def _without_bare_groups(element: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """The children of ``element``; in place of a group without attributes, its own children."""
    for child in element:
        if child.tag == f"{_SVG}g" and not child.attrib:
            yield from _without_bare_groups(child)
        else:
            yield child


# A path that goes back to its beginning, and is closed there, too.
_CLOSED = re.compile(r"^M (\S+ \S+) (.+) L \1 z$")

_LONG_NUMBER = re.compile(r"-?[0-9]+\.[0-9]{2,}")


def _rounded(number: re.Match[str]) -> str:
    return f"{round(float(number[0]), 2):g}"


def _declarations(style: str) -> list[tuple[str, str]]:
    """The declarations of a style attribute, as presentation attributes."""
    found = []
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font":
            size = re.search(r"[\d.]+px", value)
            found += [("font-size", size[0])] if size else []
            found += [("font-weight", "bold")] if re.search(r"\b(bold|700)\b", value) else []
        elif name and name != "font-family":
            found.append((name, value))
    return found
