"""A person's word: what the file says, and what is refused with its line."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from helpers.submissions import COURSE
from hypothesis import given
from hypothesis import strategies as st

from autograder.desk.document import Document
from autograder.desk.word import file
from autograder.desk.word.words import Word
from autograder.errors import DeskError

ZONE = ZoneInfo("Pacific/Auckland")
NAME = "03_numeric_data"
ABOUT = f'[[mark]]\nstudent = "ada"\nassignment = "{NAME}"\n'


def words(text: str) -> list[Word]:
    return file.parse(Document(text, "marks.toml"), COURSE, ZONE, {"ada", "bob"})


def test_a_table_may_say_several_things() -> None:
    found = words(ABOUT + 'exercise = "normalize"\npoints = 2.5\ncomment = "Well seen."\nreason = "another formula"\n'
                  'by = "M."\nat = 2026-12-01T10:00:00+01:00\n')  # fmt: skip
    assert [(one.kind, one.points, one.text) for one in found] == [("points", 2.5, ""), ("comment", None, "Well seen.")]
    assert {(one.exercise, one.by, one.at) for one in found} == {("normalize", "M.", "2026-12-01T10:00:00+01:00")}


def test_a_time_without_an_offset_is_of_the_courses_zone() -> None:
    [word] = words(ABOUT + "until = 2026-12-01T23:59:00\n")
    assert (word.kind, word.text) == ("extension", "2026-12-01T23:59:00+13:00")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[[mark]\n", None, "is not TOML"),
        ("[[marks]]\n", 1, "`marks` is not known here. Is `mark` meant?"),
        (ABOUT.replace("ada", "adb") + "excused = true", 2, "there is no student `adb`. Is `ada` meant?"),
        (ABOUT.replace("numeric", "numeri") + "excused = true", 3, f"Is `{NAME}` meant?"),
        (ABOUT + 'exercise = "normalise"\nflagged = true', 4, "Is `normalize` meant?"),
        (ABOUT + "", 2, "says nothing about the mark"),
        (ABOUT + 'exercise = "normalize"\n\npoints = 3.5\nreason = "x"', 6, "above the maximum of 3"),
        (ABOUT + "points = 2", 4, "add `reason`"),
        (ABOUT + 'points = "2"\nreason = "x"', 4, "without quotation marks"),
        (ABOUT + 'points = nan\nreason = "x"', 4, "must be a number"),
        (ABOUT + "extra = -1001", 4, "must be -1000 to 1000"),
        (ABOUT + 'exercise = "invert"\nexcused = true', 5, "remove `exercise`"),
        (ABOUT + 'until = "tomorrow"', 4, "is no time"),
        (ABOUT + "until = 2026-12-01", 4, "is a date alone"),
        (ABOUT + "until = 2026-09-27T02:30:00", 4, "does not exist in Pacific/Auckland"),
        (ABOUT + "until = 2026-04-05T02:30:00", 4, "comes twice in Pacific/Auckland"),
        (ABOUT + "point = 2", 4, "Is `points` meant?"),
        (ABOUT + 'comment = "a\\u0007"', 4, "control character"),
        ('# three\n"""\n', None, "is not TOML"),
        (ABOUT + "excused = true\n" + ABOUT + "excused = true", 8, "stands already in marks.toml, line 1"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int | None, says: str) -> None:
    with pytest.raises(DeskError) as told:
        words(text)
    assert says in str(told.value)
    assert line is None or f"marks.toml, line {line}:" in str(told.value)


texts = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=40).filter(str.strip)


@given(texts, texts, texts, st.integers(0, 100))
def test_what_is_written_is_read(reason: str, comment: str, by: str, points: int) -> None:
    at = "2026-12-01T10:00:00+00:00"
    said = [
        Word("ada", NAME, "invert", "points", points / 50, "", reason, by, at),
        Word("ada", NAME, "invert", "comment", None, comment, reason, by, at),
        Word("bob", NAME, None, "extension", None, "2026-12-05T23:59:00+13:00", reason, by, at),
        Word("bob", NAME, None, "extra", -points / 8, "", reason, by, at),
    ]
    text = "\n".join(file._written(group) for group in file._grouped(said))
    read = {(*one.about, one.points, one.text, one.reason, one.by, one.at) for one in words(text)}
    assert read == {(*one.about, one.points, one.text, one.reason, one.by, one.at) for one in said}


def test_nothing_is_written_when_a_word_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "marks.toml"
    file.add(path, [Word("ada", NAME, None, "excuse", None, "yes")], COURSE, ZONE)
    before = path.read_text()
    for wrong in (Word("ada", NAME, None, "excuse", None, "yes"), Word("ada", NAME, "none", "flag", None, "yes")):
        with pytest.raises(DeskError):
            file.add(path, [wrong], COURSE, ZONE)
        assert path.read_text() == before
    path.write_text("# by hand\n" + before)
    file.add(path, [Word("bob", NAME, "invert", "points", 1.0, "", "seen")], COURSE, ZONE)
    assert path.read_text().startswith("# by hand\n" + before)
