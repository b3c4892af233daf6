"""The slide map: which slide of the lecture is taught in which section, and practised in which exercises.

Nothing is kept by hand but the slides' titles (`source/slides.toml`): a lesson's title cell says which slides it
teaches (`**Slides.** 3 to 9 ...`), its sections cite them (`slide 5`, `slides 24 to 26`), and an exercise belongs
to the section that it stands in. A lesson may be outside of the lecture: `**Slides.** none`.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from autograder.authoring.source_form import read

FILE: Final = "slide_map.md"

_NUMBERS: Final = r"\d+(?:(?:, | and | or | to |–)\d+)*"
_CITATION: Final = re.compile(rf"[Ss]lides? ({_NUMBERS})")
_CLAIM: Final = re.compile(r"\*\*Slides\.\*\* (.*)")


@dataclass(frozen=True)
class Slide:
    """One slide of the lecture; `content` is false for a slide such as a title page, which no lesson has to teach."""

    number: int
    title: str
    content: bool


@dataclass
class Section:
    """A `## ` section of a lesson: the slides that it cites, the exercises that stand in it."""

    lesson: str
    title: str
    numbered: bool
    slides: set[int] = field(default_factory=set)
    exercises: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Lesson:
    """A source notebook as the map sees it; `slides` are those that its title cell says it teaches.

    A lesson that says `**Slides.** none` is `outside` of the lecture.
    """

    name: str
    slides: frozenset[int]
    sections: tuple[Section, ...]
    title: str = ""
    outside: bool = False


def slides(source: Path) -> list[Slide]:
    """The lecture's slides, in order."""
    listed = tomllib.loads((source / "slides.toml").read_text(encoding="utf-8"))["slide"]
    return [Slide(number, one["title"], one.get("content", True)) for number, one in enumerate(listed, 1)]


def lessons(source: Path) -> list[Lesson]:
    """All lessons of the folder `source`, in order. Raises CourseError when one is no notebook."""
    paths = sorted(path for path in source.glob("*/*.ipynb") if path.stem == path.parent.name)
    return [lesson(path.stem, read(path)["cells"]) for path in paths]


def taught(slide: Slide, course: list[Lesson]) -> list[Section]:
    """The sections that cite the slide, in the lessons that say they teach it.

    Those at a lesson's end (glossary, further reading) count only where there are no others.
    """
    citing = [
        section
        for lesson in course
        if slide.number in lesson.slides
        for section in lesson.sections
        if slide.number in section.slides
    ]
    return [section for section in citing if section.numbered] or citing


def as_markdown(source: Path) -> str:
    """The whole map, as a page."""
    course = lessons(source)
    lines = [
        "# Which slide is taught where",
        "",
        "Made by `autograder release` from the lessons and from `slides.toml`; do not edit it.",
        "A slide in italics has nothing on it to be taught.",
        "",
        "| slide | | sections of the lessons | exercises |",
        "|---|---|---|---|",
    ]
    for slide in slides(source):
        found = list(taught(slide, course))
        where = [f"[{section.lesson[:2]}] {section.title}" for section in found]
        # A picture that belongs to a lesson is cited nowhere.
        where = where or [f"[{lesson.name[:2]}]" for lesson in course if slide.number in lesson.slides]
        exercises = dict.fromkeys(f"`{exercise}`" for section in found for exercise in section.exercises)
        title = slide.title if slide.content else f"*{slide.title}*"
        lines.append(f"| {slide.number} | {title} | {'<br>'.join(where)} | {', '.join(exercises)} |")
    for extra in (one for one in course if one.outside):
        practised = [section for section in extra.sections if section.exercises]
        where = [f"[{extra.name[:2]}] {section.title}" for section in practised]
        exercises = dict.fromkeys(f"`{exercise}`" for section in practised for exercise in section.exercises)
        title = extra.title.replace("|", r"\|")
        lines.append(f"| none | {title} | {'<br>'.join(where)} | {', '.join(exercises)} |")
    links = [f"[{lesson.name[:2]}]: ../solutions/{lesson.name}/{lesson.name}.ipynb" for lesson in course]
    return "\n".join([*lines, "", *links]) + "\n"


def lesson(name: str, cells: list[dict[str, Any]]) -> Lesson:
    """The lesson that these cells of a notebook, as JSON, make."""
    title, *rest = ["".join(cell["source"]) for cell in cells] or [""]
    claim = _CLAIM.search(title)
    sections: list[Section] = []
    for cell, text in zip(cells[1:], rest, strict=True):
        heading = re.match(r"## (\d+ · )?(.+)", text) if cell["cell_type"] == "markdown" else None
        if heading:
            sections.append(Section(name, heading[2], bool(heading[1])))
        if sections:
            cited = {number for numbers in _CITATION.findall(text) for number in _numbers(numbers)}
            sections[-1].slides |= cited
            meta = cell["metadata"].get("nbgrader", {})
            if meta.get("solution"):
                sections[-1].exercises.append(meta["grade_id"])
    claimed = re.sub(r"\(.*?\)", "", claim[1]) if claim else ""
    heading = re.match(r"# (?:\d+ · )?(.*)", title)
    return Lesson(
        name,
        frozenset(_numbers(claimed)),
        tuple(sections),
        heading[1] if heading else name,
        claimed.strip(" .").lower() == "none",
    )


def _numbers(text: str) -> Iterator[int]:
    """The numbers of `3 to 5, 7 and 9`: 3, 4, 5, 7, 9."""
    for first, last in re.findall(r"(\d+)(?:(?: to |–)(\d+))?", text):
        yield from range(int(first), int(last or first) + 1)
