"""Marks in a job's summary, annotations and a commit's status: all there, bounded, at the answer's line."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from helpers.submissions import lean, only, write

from autograder.report.github import MAX_STATUS, MAX_SUMMARY, Job
from autograder.report.summary import job_summary, status_text, tell
from autograder.result import ExerciseResult, Result

ASSIGNMENT = "03_numeric_data"
EVIL = "<img src=x>|`**\n::error::[x](https://example.org) @ada"


def result(student: str = "ada", message: str = "", **record: object) -> Result:
    exercises = (
        ExerciseResult("normalize", "earned", 3, 3, "Everything that was tried came out right."),
        ExerciseResult("standardize", "partial", 1.5, 3, f"You scaled {EVIL}"),
        ExerciseResult("invert", "could_not_be_graded", None, 2, "It never ended.", "time"),
        ExerciseResult("which-scaler", "not_earned", 0, 2, "Not answered yet."),
    )
    score, cause = (None, "notebook") if message else (4.5, None)
    return Result(student, ASSIGNMENT, score, 10, exercises, {"for_marks": True, **record}, message, cause)


def test_a_summary_has_the_table_the_exercises_and_whose_turn_it_is() -> None:
    text = unescape(job_summary([result(), result("bob", "The file is empty.")]))
    assert "| ada | 03_numeric_data | 4.5 / 10 | 2 | ✅🟨❔❌ | invert (time) |" in text
    assert "| bob | 03_numeric_data | – / 10 | 2 |" in text
    assert "Everything that was tried came out right." in text
    assert "What to do: find the code that does not end" in text
    assert "1 submission graded, 1 could not be graded" in text
    assert "Practice only" not in text
    assert "Practice only" in job_summary([result(for_marks=False)])


def test_nothing_of_a_submission_means_anything_in_it() -> None:
    text = job_summary([result(EVIL, EVIL), result()])
    assert "<img" not in text
    assert "@ada" not in text
    assert "https://" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {5, 7}


def test_scores_of_a_class_are_drawn() -> None:
    """Those whose score is not yet all: with open points it would be read as a low one."""
    graded = [replace(result(f"s{n}"), exercises=result().exercises[:2], score=4.5) for n in range(6)]
    text = job_summary([*graded, result()])
    assert " 40 % " + "█" * 30 + " 6" in text
    assert "without 1 with open points" in text
    assert "█" not in job_summary([result(f"s{n}") for n in range(6)])
    assert "█" not in job_summary([result()])


def test_a_class_of_thousands_fits_and_says_what_is_left_out() -> None:
    text = job_summary([result(f"student-{n}", "x" * 300) for n in range(3000)])
    assert len(text.encode()) <= MAX_SUMMARY
    assert "more are left out here" in text


def test_a_status_is_short() -> None:
    assert status_text([result()]) == "03_numeric_data: 4.5 of 10 points, 2 open; 1 could not be graded"
    assert status_text([result()] * 2, ["bob/x"]) == "2 submissions graded, 1 gave no result"
    assert len(status_text([Result("a", "x" * 500, 1, 2, (), {})])) <= MAX_STATUS


def test_annotations_stand_at_the_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(lean(only(ASSIGNMENT)), tmp_path / f"{ASSIGNMENT}.ipynb")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    tell(Job(), [result()], [str(path)], ["bob/09_echo"])
    printed = capsys.readouterr().out
    text = path.read_text().splitlines()
    found = {}
    for level, line, exercise in re.findall(
        r"^::(\w+) file=.*,line=(\d+),title=ada%3A ([\w-]+)", printed, re.MULTILINE
    ):
        found[exercise] = level, text[int(line) - 1]
    assert set(found) == {"standardize", "invert", "which-scaler"}
    assert found["invert"][0] == "error"
    assert "def invert_scaling" in found["invert"][1]
    assert found["standardize"][0] == "warning"
    assert "def standardize" in found["standardize"][1]
    assert "::error file=bob/09_echo,line=1,title=Not graded::" in printed


def test_more_annotations_than_github_shows_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    tell(Job(), [result(f"s{n}") for n in range(15)], [None] * 15)
    printed = capsys.readouterr().out.splitlines()
    assert [sum(line.startswith(f"::{level} ") for line in printed) for level in ("error", "warning")] == [10, 10]
    assert "25 annotations are left out" in (tmp_path / "summary.md").read_text()
