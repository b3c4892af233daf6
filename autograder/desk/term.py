"""One course's files together: rules, words and results, as they stand at a moment."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from autograder.collection.collect import read_record
from autograder.course import Course
from autograder.desk.clock import NoSuchTime, moment
from autograder.desk.policy import rules as policy
from autograder.desk.standing import Graded, Standing, standings
from autograder.desk.word import file
from autograder.desk.word.words import Kind, Word
from autograder.errors import DeskError
from autograder.text import plain

LIST: Final = "results.json"


def standing(
    course: Course, results: Path, rules: Path | None, words: Path | None, now: datetime, collected: Path | None = None
) -> list[Standing]:
    """All students that the results or the words name, in order of their names.

    `rules` and `words` None: the files in the course, which need not be there. `collected` is a collection's folder: it
    knows when each student's commit was made; None: that is not known. Raises DeskError, CourseError.
    """
    read = policy.read(rules or course.root / policy.FILE, course.names)
    said = file.read(words or course.root / file.MARKS, course, read.zone)
    times = {one.student: one.committed_at for one in read_record(collected) if one.committed_at} if collected else {}
    graded = [
        replace(one, handed_in=datetime.fromisoformat(times[one.student])) if one.student in times else one
        for one in _graded(results / LIST)
    ]
    maxima = {one.name: one.max_points for one in course.assignments()}
    known = [one for one in graded if one.assignment in maxima]
    students = sorted({one.student for one in known} | {word.student for word in said} | set(read.teams))
    return standings(known, said, read, maxima, students, now)


def say(
    course: Course,
    words: Path | None,
    about: tuple[str, str, str | None],
    said: Mapping[Kind, Any],
    reason: str,
    by: str,
    now: datetime,
) -> Path:
    """Write what is `said` (by kind; None, "" and False are nothing) into the file, and return where it is.

    `words` None: marks.toml in the course; an exercise that is None: the whole assignment. Raises DeskError.
    """
    path = words or course.root / file.MARKS
    zone = policy.read(course.root / policy.FILE, course.names).zone
    student, assignment, exercise = about
    at = now.astimezone(UTC).isoformat(timespec="seconds")
    found = []
    for kind, value in said.items():
        if value is None or value == "" or value is False:
            continue
        try:
            text = moment(value, zone).isoformat() if isinstance(value, datetime) else value
        except NoSuchTime as problem:
            raise DeskError(str(problem)) from problem
        points = float(value) if kind in {"points", "extra"} else None
        found.append(
            Word(student, assignment, exercise, kind, points, "" if points is not None else _text(text), reason, by, at)
        )
    if not found:
        raise DeskError("This says nothing: give one of --points, --extra, --comment, --flag, --excuse, --until.")
    file.add(path, found, course, zone)
    return path


def _text(value: Any) -> str:
    return "yes" if value is True else str(value)


def _graded(path: Path) -> Iterator[Graded]:
    """The results in a list of them. Raises DeskError where there is none."""
    again = "Grade again into this folder: autograder grade CLASS --output RESULTS"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        for one in found:
            exercises = {each["id"]: each["points"] for each in one["exercises"]}
            maximum = {each["id"]: each["max_points"] for each in one["exercises"]}
            if one["assignment"] is not None and exercises:
                yield Graded(one["student"], one["assignment"], exercises, maximum)
    except OSError as error:
        raise DeskError(f"{path} cannot be read ({error.strerror}). {again}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DeskError(f"{path} is no list of results ({plain(type(error).__name__)}). {again}") from error
