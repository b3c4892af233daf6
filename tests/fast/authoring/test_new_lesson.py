"""`autograder new` writes a whole lesson, or nothing; a release is whole as well."""

import io
import os
import re
from pathlib import Path

import pytest
from helpers.new_lesson import NAME, empty_course, files, new_lesson
from rich.console import Console
from typer.testing import CliRunner

from autograder.authoring import release, slide_map
from autograder.authoring.new_lesson import create
from autograder.cli import app
from autograder.course import Course
from autograder.errors import CourseError, ReleaseError


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    return empty_course(tmp_path, monkeypatch)


def test_it_says_what_it_wrote_and_what_is_next(course: Course) -> None:
    run = CliRunner().invoke(app, ["new", NAME, "--title", "A trial", "--course", str(course.root)])
    assert run.exit_code == 0, run.output
    told = re.findall(r"^  (\S+\.\w+)$", run.output, re.MULTILINE)
    answers = f"tests/answers/{NAME}.toml"
    assert told == [f"source/{NAME}/{NAME}.ipynb", f"checks/{NAME}.py", answers, "README.md"]
    assert all((course.root / path).is_file() for path in told)
    assert f"autograder release {NAME}" in run.output
    assert "# 11 · A trial" in (course.root / told[0]).read_text(encoding="utf-8")


def test_its_row_is_in_order(course: Course) -> None:
    for name in ("12_b", "11_a"):
        create(course, name, "One | two")
    rows = re.findall(r"^\| \[`(\d\d)_\w+`\]", (course.root / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == sorted(rows)
    assert rows[-2:] == ["11", "12"]
    row = rf"| [`11_a`](solutions/11_a/11_a.ipynb): One \| two | none | 2 |{chr(10)}"
    assert row in (course.root / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["trial", "1_trial", "11", "11_", "11-trial", "11_Trial", "11_a b", "../11_a", "11__a", ""]
)
def test_a_name_that_is_no_lessons_is_refused(name: str, course: Course) -> None:
    before = files(course.root)
    with pytest.raises(CourseError, match=r"cannot be a lesson's name\. Write two digits and words in small letters"):
        create(course, name)
    assert files(course.root) == before


@pytest.mark.parametrize("title", ["", "  ", "two\nlines"])
def test_a_title_is_one_line(title: str, course: Course) -> None:
    before = files(course.root)
    with pytest.raises(CourseError, match="A title is one line of text"):
        create(course, NAME, title)
    assert files(course.root) == before


def test_nothing_is_written_over(course: Course) -> None:
    create(course, NAME)
    before = files(course.root)
    with pytest.raises(CourseError, match="There is a lesson 11_trial already"):
        create(course, NAME)
    with pytest.raises(CourseError, match=r"has the number 11\. Take a free one, such as 00_more\."):
        create(course, "11_more")
    (course.root / "tests/answers/12_more.toml").write_text("mine")
    with pytest.raises(CourseError, match=r"12_more\.toml is there already"):
        create(course, "12_more")
    assert files(course.root) == before | {"tests/answers/12_more.toml": b"mine"}


@pytest.mark.parametrize("readme", [None, "# A course\n"])
def test_without_the_table_of_lessons_nothing_is_written(readme: str | None, course: Course) -> None:
    (course.root / "README.md").unlink()
    if readme:
        (course.root / "README.md").write_text(readme)
    before = files(course.root)
    with pytest.raises(CourseError, match=r"README\.md"):
        create(course, NAME)
    assert files(course.root) == before


def test_a_full_disk_leaves_nothing_half_written(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, target: object) -> Path:
        raise OSError(28, os.strerror(28), str(target))

    before = files(course.root)
    monkeypatch.setattr(Path, "replace", full)  # of README, which is the last
    with pytest.raises(CourseError, match=r"The lesson cannot be written \(No space left on device: .*README\.md\)"):
        create(course, NAME)
    assert files(course.root) == before
    assert not (course.root / "source" / NAME).exists()


def test_a_release_that_breaks_a_rule_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is wrong is told at once."""
    course = new_lesson(tmp_path, monkeypatch)
    (course.root / "checks" / f"{NAME}.py").unlink()
    (course.root / "tests/answers" / f"{NAME}.toml").unlink()
    before = files(course.root)
    run = CliRunner().invoke(app, ["release", NAME, "--course", str(course.root)])
    assert run.exit_code == 1
    told = " ".join(run.output.split())
    assert "Nothing is released, since rules are broken. 11_trial: there is no autograder/checks/11_trial.py." in told
    assert "11_trial: there is no tests/answers/11_trial.toml." in told
    assert files(course.root) == before


def test_a_reference_that_fails_releases_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = new_lesson(tmp_path, monkeypatch)
    before = files(course.root)

    def failing(*given: object) -> None:
        raise ReleaseError("The cell 'spread' of the reference raised: it.")

    monkeypatch.setattr(release, "executed", failing)
    with pytest.raises(ReleaseError, match="The cell 'spread' of the reference raised"):
        release.make(course, [NAME], True, Console(file=io.StringIO()))
    assert files(course.root) == before


def test_a_lesson_outside_of_the_lecture_is_on_the_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = new_lesson(tmp_path, monkeypatch)
    (lesson,) = slide_map.lessons(course.root / "source")
    assert (lesson.outside, lesson.slides, lesson.title) == (True, frozenset(), "Trial")
    page = slide_map.as_markdown(course.root / "source")
    assert "\n| none | Trial | [11] How far values spread | `spread` |\n" in page
    assert "\n[11]: ../solutions/11_trial/11_trial.ipynb\n" in page
