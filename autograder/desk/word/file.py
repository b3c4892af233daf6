"""`marks.toml`: the words that people wrote, checked against the course, and a writer that never changes another's.

[[mark]]
student = "ada"
assignment = "03_numeric_data"
exercise = "normalize"         # without it: the whole assignment
points = 2.5                   # or extra, comment, flagged; of an assignment also excused, until
reason = "Right by another formula."
by = "M. Lecturer"
at = 2026-12-01T10:00:00+01:00
"""

import json
import os
from collections.abc import Collection, Iterable
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from autograder.course import Course, Exercise
from autograder.desk.clock import NoSuchTime, moment
from autograder.desk.document import Document, Table, nearest
from autograder.desk.word.words import KEYS, OF_AN_ASSIGNMENT, Kind, Word
from autograder.errors import CourseError, DeskError
from autograder.text import plain

MARKS: Final = "marks.toml"
_TABLE: Final = "mark"
_ALWAYS: Final = ("student", "assignment", "exercise", "reason", "by", "at")
MOST_EXTRA: Final = 1000


def read(path: Path, course: Course, zone: ZoneInfo, students: Collection[str] | None = None) -> list[Word]:
    """The words in the file, in its order; none where there is no file.

    `zone` is that of times without an offset, `students` who may be named; None: anybody. Raises DeskError with the
    line: for what is unknown, for points above the maximum, for two words about one thing.
    """
    return parse(Document.read(path), course, zone, students)


def parse(document: Document, course: Course, zone: ZoneInfo, students: Collection[str] | None = None) -> list[Word]:
    """As `read`, of a document; `students` None: anybody. Raises DeskError."""
    document.only({_TABLE})
    words: list[Word] = []
    first: dict[object, Word] = {}
    for table in document.tables(_TABLE, {*_ALWAYS, *KEYS}):
        for word in _words(table, document.name, course, zone, students):
            other = first.setdefault(word.about, word)
            if other is not word:
                key = _key(word.kind)
                raise table.fault(key, f"there are two words for this: `{key}` of {_whose(word)} stands already in "
                                       f"{other.source}. Remove one of them.")  # fmt: skip
            words.append(word)
    return words


def add(path: Path, words: Iterable[Word], course: Course, zone: ZoneInfo,
        students: Collection[str] | None = None) -> None:  # fmt: skip
    """Write the words behind those that the file has; `students` None: about anybody.

    Raises DeskError, and then nothing is written.
    """
    document = Document.read(path)
    parse(document, course, zone, students)
    text = path.read_text(encoding="utf-8-sig") if path.exists() else ""
    text = text and text.rstrip("\n") + "\n\n"
    text += "\n".join(_written(group) for group in _grouped(words))
    parse(Document(text, path.name), course, zone, students)
    replace(path, text)


def replace(path: Path, text: str) -> None:
    """Write the file whole or not at all. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _words(table: Table, name: str, course: Course, zone: ZoneInfo, students: Collection[str] | None) -> Iterable[Word]:
    student, assignment = table.needed("student"), table.needed("assignment")
    if students is not None and student not in students:
        raise table.fault("student", f"there is no student `{plain(student, 60)}`.{nearest(student, students)}")
    exercises = {one.id: one for one in _exercises(table, assignment, course)}
    exercise = table.text("exercise")
    if exercise is not None and exercise not in exercises:
        raise table.fault("exercise", f"`{assignment}` has no exercise `{plain(exercise, 60)}`."
                                      f"{nearest(exercise, exercises)}")  # fmt: skip
    kinds = [key for key in KEYS if key in table]
    if not kinds:
        raise table.fault("student", f"this says nothing about the mark: give one of {', '.join(KEYS)}.")
    most = exercises[exercise].max_points if exercise else sum(one.max_points for one in exercises.values())
    at = _moment(table, "at", zone)
    common = (table.text("reason") or "", table.text("by") or "", at.isoformat() if at else "")
    for key in kinds:
        kind = KEYS[key]
        if kind in OF_AN_ASSIGNMENT and exercise is not None:
            raise table.fault(key, f"`{key}` is for a whole assignment: remove `exercise`.")
        if kind == "points" and not common[0]:
            raise table.fault(key, "a changed mark needs a reason: add `reason`.")
        points, text = _value(table, key, kind, Fraction(str(most)), zone)
        if points is None and not text and kind in {"flag", "excuse"}:
            continue  # flagged = false
        yield Word(student, assignment, exercise, kind, points, text, *common, f"{name}, line {table.line}")


def _exercises(table: Table, assignment: str, course: Course) -> tuple[Exercise, ...]:
    if assignment not in course.names:
        raise table.fault("assignment", f"there is no assignment `{plain(assignment, 60)}`."
                                        f"{nearest(assignment, course.names)}")  # fmt: skip
    try:
        return course.assignment(assignment).exercises
    except CourseError as problem:
        raise DeskError(str(problem)) from problem


def _value(table: Table, key: str, kind: Kind, most: Fraction, zone: ZoneInfo) -> tuple[float | None, str]:
    if kind == "points":
        found = table.number(key, 0)
        if found is not None and found > most:
            raise table.fault(key, f"`points` is {float(found):g}, above the maximum of {float(most):g}. "
                                   "What goes beyond it is `extra`.")  # fmt: skip
        return (None if found is None else float(found)), ""
    if kind == "extra":
        found = table.number(key, -MOST_EXTRA, MOST_EXTRA)
        return (None if found is None else float(found)), ""
    if kind == "comment":
        return None, table.text(key) or ""
    if kind == "extension":
        until = _moment(table, key, zone)
        return None, until.isoformat() if until else ""
    return None, "yes" if table.truth(key) else ""


def _moment(table: Table, key: str, zone: ZoneInfo) -> datetime | None:
    written = table.moment(key)
    try:
        return None if written is None else moment(written, zone)
    except NoSuchTime as problem:
        raise table.fault(key, f"{problem}") from problem


def _whose(word: Word) -> str:
    return f"{word.student} in {word.assignment}" + (f", {word.exercise}" if word.exercise else "")


def _key(kind: Kind) -> str:
    return next(key for key, one in KEYS.items() if one == kind)


def _grouped(words: Iterable[Word]) -> list[list[Word]]:
    """Those that stand in one table: of one student, exercise, person and moment."""
    groups: dict[object, list[Word]] = {}
    for word in words:
        same = (word.student, word.assignment, word.exercise, word.reason, word.by, word.at)
        groups.setdefault(same, []).append(word)
    return list(groups.values())


def _written(words: list[Word]) -> str:
    """One table. A TOML text in quotation marks takes JSON's escapes; what JSON leaves as it is, TOML takes, too."""
    first = words[0]
    fields = {"student": first.student, "assignment": first.assignment}
    fields |= {"exercise": first.exercise} if first.exercise else {}
    lines = [f"{key} = {_text(value)}" for key, value in fields.items()]
    for word in words:
        if word.kind in {"points", "extra"}:
            value = f"{word.points!r}"
        elif word.kind == "comment":
            value = _text(word.text)
        else:
            value = word.text if word.kind == "extension" else "true"
        lines.append(f"{_key(word.kind)} = {value}")
    lines += [f"{key} = {_text(value)}" for key, value in (("reason", first.reason), ("by", first.by)) if value]
    lines += [f"at = {first.at}"] if first.at else []
    return f"[[{_TABLE}]]\n" + "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
