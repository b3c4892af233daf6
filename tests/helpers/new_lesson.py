"""A course with nothing in it but a new lesson, to break."""

import shutil
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.authoring.new_lesson import create
from autograder.course import Course
from helpers.submissions import COURSE

NAME = "11_trial"


def empty_course(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course in `folder` that has slides and a README, and no lesson; its hidden checks are in `folder` as well."""
    (folder / "source").mkdir()
    (folder / "release").mkdir()
    (folder / "checks").mkdir()
    shutil.copy(COURSE.root / "source" / "slides.toml", folder / "source")
    shutil.copy(COURSE.root / "README.md", folder)
    monkeypatch.setattr(courses, "CHECKS", folder / "checks")
    return Course(folder)


def new_lesson(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """The same with a new lesson, not released."""
    course = empty_course(folder, monkeypatch)
    create(course, NAME)
    return course


def files(folder: Path) -> dict[str, bytes]:
    """All files below the folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
