"""The lecture's slides, and where the course teaches them."""

import json
from pathlib import Path
from typing import Any

import pytest
from helpers.submissions import COURSE

from autograder.authoring import slide_map
from autograder.authoring.slide_map import Section, Slide

SOURCE = COURSE.root / "source"
SLIDES = slide_map.slides(SOURCE)
LESSONS = slide_map.lessons(SOURCE)


def test_the_map_is_the_one_that_the_lessons_make() -> None:
    kept = (SOURCE / slide_map.FILE).read_text(encoding="utf-8")
    assert kept == slide_map.as_markdown(SOURCE), "run: autograder release"


def test_the_lecture_has_fifty_slides() -> None:
    assert [slide.number for slide in SLIDES] == list(range(1, 51))
    assert [slide.number for slide in SLIDES if not slide.content] == [1, 2, 6, 11, 30, 43, 50]


@pytest.mark.parametrize("slide", [slide for slide in SLIDES if slide.content], ids=lambda slide: str(slide.number))
def test_no_content_slide_is_left_out(slide: Slide) -> None:
    """A section cites it, in a lesson that says it teaches it."""
    assert slide_map.taught(slide, LESSONS), f"no section teaches slide {slide.number}, {slide.title}"


def test_every_exercise_stands_in_a_section_that_teaches_a_slide() -> None:
    for lesson in LESSONS:
        placed = {exercise for section in lesson.sections for exercise in section.exercises}
        assert placed == {exercise.id for exercise in COURSE.assignment(lesson.name).exercises}


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def test_a_lesson_is_read(tmp_path: Path) -> None:
    """Claims and citations as people write them; what another lesson cites in passing is not its own."""
    solution = {"cell_type": "code", "metadata": {"nbgrader": {"solution": True, "grade_id": "pad"}}, "source": ""}
    book = {
        "cells": [
            markdown("# 05\n**Slides.** 20 (padding, since 1997), 22 to 23; and from slide 48: gates.\n"),
            markdown("## 1 · Blanks\nSlides 20 and 22 say so, slide 5 too."),
            solution,
            markdown("## Glossary\nsee slides 22 to 24"),
        ]
    }
    (tmp_path / "05").mkdir()
    (tmp_path / "05" / "05.ipynb").write_text(json.dumps(book))
    (lesson,) = slide_map.lessons(tmp_path)
    assert lesson.slides == {20, 22, 23, 48}
    blanks = Section("05", "Blanks", True, {5, 20, 22}, ["pad"])
    glossary = Section("05", "Glossary", False, {22, 23, 24}, [])
    assert lesson.sections == (blanks, glossary)
    assert slide_map.taught(Slide(22, "", True), [lesson]) == [blanks]
    assert slide_map.taught(Slide(23, "", True), [lesson]) == [glossary]
    assert slide_map.taught(Slide(5, "", True), [lesson]) == []
