"""Pictures drawn from numbers, as SVG within the page.

Matplotlib draws; its colours are placeholders, for which the page's style sheet has those of the day and of the night.
Of its SVG nothing comes into the page but the elements and attributes listed here, and no link out of the picture.
"""

import dataclasses
import io
import itertools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree

from markupsafe import Markup

from autograder.result import Picture
from autograder.text import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BYTES: Final = 200_000
MOST_LETTERS: Final = 40  # of a name
WIDTH: Final = 4.4  # inches, of 72 units: so wide is a phone
HEIGHTS: Final = {"learning curve": 2.7, "forecast": 2.7, "confusion matrix": 3.3}
RIGHT, BOTTOM, TOP = 0.08, 0.46, {"learning curve": 0.52, "forecast": 0.52, "confusion matrix": 0.3}

# A placeholder for each colour of the style sheet.
INK, QUIET, LINE, HEAT = "#010101", "#020202", "#030303", "#040404"
LINES: Final = ("#050505", "#060606", "#070707", "#080808")
COLOURS: Final = {
    INK: "ink", QUIET: "quiet", LINE: "line", HEAT: "heat",
    **dict(zip(LINES, ("one", "two", "three", "ink"), strict=True)),
}  # fmt: skip
# Lines differ in more than colour; the first is what is true in a forecast, and training in a learning curve.
STYLES: Final = {
    "learning curve": ((LINES[0], "-", "o"), (LINES[1], "--", "s"), (LINES[2], ":", ""), (INK, "-.", "")),
    "forecast": ((INK, "-", ""), (LINES[1], "-", ""), (LINES[2], "--", ""), (LINES[0], ":", "")),
}
STRONGEST: Final = 0.4  # how much of its colour the fullest field of a matrix has: numbers stay readable on it

_SVG: Final = "{http://www.w3.org/2000/svg}"
_ELEMENTS: Final = frozenset({"svg", "g", "path", "text", "use", "defs", "clipPath", "rect"})
_ATTRIBUTES: Final = frozenset(
    {"id", "d", "x", "y", "width", "height", "transform", "style", "viewBox", "clip-path", "href"}
)


def svg(picture: Picture, name: str) -> Markup:
    """The picture as an element `svg`; `name` begins the ids in it, so it must be the picture's own in the page.

    Raises ValueError if it has become larger than MOST_BYTES.
    """
    title, across, up, *names = (
        plain(text, MOST_LETTERS) for text in (picture.title, picture.across, picture.up, *picture.names)
    )
    return _drawn(dataclasses.replace(picture, title=title, across=across, up=up, names=tuple(names)), name)


def _drawn(picture: Picture, name: str) -> Markup:
    import matplotlib  # takes half a second, and few pages have a picture
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "", "font.size": 11, "text.parse_math": False}):
        height, top = HEIGHTS[picture.kind], TOP[picture.kind]
        left = 0.82 if picture.kind == "confusion matrix" and max(map(len, picture.names)) > 3 else 0.5
        figure = Figure(figsize=(WIDTH, height))
        axes = figure.add_axes((left / WIDTH, BOTTOM / height, 1 - (left + RIGHT) / WIDTH, 1 - (BOTTOM + top) / height))
        _frame(axes)
        if picture.kind == "confusion matrix":
            _matrix(axes, picture)
        else:
            _lines(axes, picture)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = _for_the_page(file.getvalue(), name, alternative(picture))
    if len(text) > MOST_BYTES:
        raise ValueError(f"a picture of {len(text):,} characters is too large for a page")
    return Markup(text)


def alternative(picture: Picture) -> str:
    """What the picture is, for those who do not see it; what it says stands beside it."""
    if picture.kind == "confusion matrix":
        return f"{picture.title}: a matrix of counts, {len(picture.names)} rows by as many columns. Its numbers follow."
    first, *others = picture.names
    lines = f"the lines {', '.join(others)} and {first}" if others else f"the line {first}"
    return f"{picture.title}: a diagram with {lines}; {picture.across} to the right, {picture.up} upwards."


def _frame(axes: "Axes") -> None:
    axes.tick_params(colors=QUIET, length=3, labelsize=10)
    for side, spine in axes.spines.items():
        spine.set(color=LINE, visible=side in {"left", "bottom"})


def _lines(axes: "Axes", picture: Picture) -> None:
    from matplotlib.ticker import MaxNLocator

    few = len(picture.values[0]) <= 30
    days = picture.kind == "forecast"
    for name, values, (colour, style, marker) in zip(picture.names, picture.values, STYLES[picture.kind]):  # noqa: B905
        across = [place / 24 if days else (place + 1) * picture.step for place in range(len(values))]
        numbers = [float("nan") if value is None else value for value in values]
        axes.plot(across, numbers, style, color=colour, label=name, lw=1.7, marker=marker if few else "", ms=4)
    axes.set_xlabel(picture.across, color=QUIET)
    axes.set_title(picture.up, loc="left", color=QUIET, fontsize=10)
    axes.grid(color=LINE, linewidth=0.6)
    axes.locator_params(nbins=7)
    if days:
        axes.set(xticks=range(len(picture.values[0]) // 24 + 1), xlim=(0, len(picture.values[0]) / 24))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    known = [value for line in picture.values for value in line if value is not None]
    if known and min(known) >= 0:
        axes.set_ylim(0, (max(known) or 1) * 1.08)
    axes.legend(
        frameon=False, labelcolor=INK, fontsize=10, ncols=len(picture.names), handlelength=2.2, columnspacing=1.2,
        loc="upper left", bbox_to_anchor=(0.0, 0.99), bbox_transform=axes.figure.transFigure, borderaxespad=0,
    )  # fmt: skip


def _matrix(axes: "Axes", picture: Picture) -> None:
    from matplotlib.patches import Rectangle

    size = len(picture.names)
    for row, column in itertools.product(range(size), repeat=2):
        count = picture.values[row][column] or 0
        if not count:
            continue
        share = count / max(1, sum(value or 0 for value in picture.values[row]))
        field = Rectangle(
            (column, row), 1, 1, facecolor=HEAT, alpha=0.05 + (STRONGEST - 0.05) * share, edgecolor="none"
        )
        axes.add_patch(field)
        axes.text(column + 0.5, row + 0.5, f"{count:g}", color=INK, ha="center", va="center",
                  fontsize=10 if size > 6 else 13, weight="bold" if row == column else "normal")  # fmt: skip
    axes.set(xlim=(0, size), ylim=(size, 0))
    middles = [place + 0.5 for place in range(size)]
    axes.set_xticks(middles, picture.names)
    axes.set_yticks(middles, picture.names)
    axes.tick_params(length=0)
    axes.set_xlabel(picture.across, color=QUIET)
    axes.set_title(picture.up, loc="left", color=QUIET, fontsize=10)


def _for_the_page(text: str, name: str, alternative: str) -> str:
    root = ElementTree.fromstring(text)
    used = {*re.findall(r"#([\w-]+)", " ".join(value for one in root.iter() for value in one.attrib.values()))}
    _strip(root)
    for one in root.iter():
        one.tag = one.tag.removeprefix(_SVG)
        one.attrib = dict(_attributes(one.attrib, name, used))
        one.tail = None
    root.attrib |= {"role": "img", "aria-label": alternative}
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    written = ElementTree.tostring(root, encoding="unicode")
    return re.sub("|".join(COLOURS), lambda found: f"var(--{COLOURS[found[0]]})", written)


def _strip(parent: ElementTree.Element) -> None:
    for one in list(parent):
        if str(one.tag).removeprefix(_SVG) in _ELEMENTS:
            _strip(one)
        else:
            parent.remove(one)


def _attributes(found: dict[str, Any], name: str, used: set[str]) -> Iterator[tuple[str, str]]:
    for key, value in found.items():
        plain = key.rpartition("}")[2]
        if plain not in _ATTRIBUTES or (plain == "id" and value not in used):
            continue
        if plain == "id":
            value = f"{name}-{value}"
        elif plain == "href":
            value = f"#{name}-{value.removeprefix('#')}"
        elif plain == "style":
            value = re.sub(r"font-family: [^;]*", "font-family: system-ui, sans-serif", value)
        yield plain, re.sub(r"url\(#", f"url(#{name}-", value)
