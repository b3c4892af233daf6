"""The result of one submission, as it is kept, printed and shown."""

import dataclasses
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

from autograder.text import plain

AT_A_GLANCE: Final = 24  # numbers
MAX_PRINTED: Final = 4000  # characters

Outcome = Literal["earned", "partial", "not_earned", "could_not_be_graded"]


@dataclass(frozen=True)
class Shown:
    """A value as it can be looked at: a short text, and of an array its cells or, of a large one, a picture.

    `cells`, or else `shades`, is a row a string or tuple: a shade is a digit, 0 for the lowest number to 9 for the
    highest. `differs` marks with an x, place by place, where this is not what the other one is. `shape` is the
    array's, None for what is no array; `scale` is the lowest and the highest number as texts, None without shades.
    """

    text: str
    shape: tuple[int, ...] | None = None
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    cells: tuple[tuple[str, ...], ...] = ()
    shades: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    scale: tuple[str, str] | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Shown":
        """The one that `dataclasses.asdict` took apart, also when it was kept as JSON.

        Raises KeyError, TypeError or AttributeError for anything else.
        """
        found: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**{**found, "cells": tuple(map(tuple, data["cells"]))})


@dataclass(frozen=True)
class Finding:
    """What a failed check tells, part by part. `kind` is equal for what one and the same cause brought about.

    `found` and `expected` are None where there are no values to be shown side by side.
    """

    problem: str
    call: str = ""
    what: str = ""
    found: Shown | None = None
    expected: Shown | None = None
    mistake: str = ""
    step: str = ""
    read: str = ""
    kind: str = ""

    @property
    def in_parts(self) -> bool:
        """Whether there is more to lay out than a sentence."""
        return bool(self.call or self.read or self.found)

    @property
    def sentences(self) -> str:
        """All of it in a row."""
        problem = self.problem if self.problem.endswith((".", "?", "!")) else f"{self.problem}."
        called = f"Called: {' '.join(self.call.split())}." if len(self.call) <= 240 and self.call else ""
        read = f"See “{self.read}” in the lesson." if self.read else ""
        return " ".join(filter(None, (problem, called, self.mistake, self.step, read)))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Finding":
        """As Shown.from_dict."""
        shown = {name: data[name] and Shown.from_dict(data[name]) for name in ("found", "expected")}
        return cls(**{**data, **shown})


PictureKind = Literal["learning curve", "forecast", "confusion matrix"]
MOST_LINES: Final = 4
MOST_POINTS: Final = 200  # of a line
MOST_CLASSES: Final = 12
MOST: Final = 1e9  # of a number


@dataclass(frozen=True)
class Picture:
    """Numbers that a check has to show, for the page to draw: nothing in it is a submission's own text.

    A learning curve has a line of losses for each name, one for every `step` epochs; a forecast a line for each name,
    one an hour; None is left out. A confusion matrix (classes, classes) has counts, a row for each true class. `says`
    is what to see in it. Raises TypeError for more than can be drawn, and for what is no finite number.
    """

    kind: PictureKind
    title: str
    says: str
    names: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    across: str
    up: str
    step: int = 1

    def __post_init__(self) -> None:
        lengths, square = {len(row) for row in self.values}, self.kind == "confusion matrix"
        most = MOST_CLASSES if square else MOST_LINES
        fits = 1 <= len(self.names) == len(self.values) <= most and len(lengths) == 1
        fits = fits and lengths <= ({len(self.names)} if square else {*range(1, MOST_POINTS + 1)})
        numbers: list[Any] = [value for row in self.values for value in row if value is not None or square]
        fits = fits and all(type(one) in (int, float) and -MOST <= one <= MOST for one in numbers)
        fits = fits and type(self.step) is int and self.step >= 1
        texts = (self.title, self.says, self.across, self.up, *self.names)
        if not fits or self.kind not in get_args(PictureKind) or not all(isinstance(text, str) for text in texts):
            raise TypeError("this is no picture that can be drawn")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Picture":
        """As Shown.from_dict."""
        return cls(**{**data, "names": tuple(data["names"]), "values": tuple(map(tuple, data["values"]))})


@dataclass(frozen=True)
class CheckResult:
    """One check's credit in [0, 1], or None when it could not tell; `cause` then says why not.

    `share` is its part of the exercise's points, relative to those of the other checks. `finding` is what it found
    wrong, None where that is nothing. `pictures` show what it found, right or wrong.
    """

    title: str
    share: float
    credit: float | None
    message: str
    cause: str | None = None
    finding: Finding | None = None
    pictures: tuple[Picture, ...] = ()

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "CheckResult":
        """As Shown.from_dict."""
        finding, pictures = data.get("finding"), tuple(map(Picture.from_dict, data.get("pictures", ())))
        return cls(**{**data, "finding": finding and Finding.from_dict(finding), "pictures": pictures})


@dataclass(frozen=True)
class ExerciseResult:
    """One exercise's marks.

    `points` is None when it could not be graded. `cause` then says by what, and is None otherwise.
    """

    id: str
    outcome: Outcome
    points: float | None
    max_points: float
    message: str
    cause: str | None = None
    checks: tuple[CheckResult, ...] = ()


@dataclass(frozen=True)
class ShownCell:
    """A cell of an exercise, with what it printed as text, and its exception; None where it raised none."""

    exercise: str
    kind: str
    source: str
    output: str
    error: str | None = None


def printed(outputs: Iterable[dict[str, Any]], error: str | None) -> str:
    """What a cell printed, as text, as much of it as somebody would read; `outputs` as in a notebook.

    `error` comes last; None where the cell raised none.
    """
    texts: list[str] = []
    for output in outputs:
        data = output.get("data")
        if output.get("output_type") == "stream":
            texts.append(_joined(output.get("text")))
        elif isinstance(data, dict):
            texts.append(_joined(data.get("text/plain")) + "\n")
    if error:
        texts.append(error)
    return plain("".join(texts).strip(), MAX_PRINTED)


def _joined(text: Any) -> str:
    if isinstance(text, list):
        return "".join(part for part in text if isinstance(part, str))
    return text if isinstance(text, str) else ""


@dataclass(frozen=True)
class CommonCause:
    """What made one check fail, or several: told once, on the smallest call that shows it."""

    finding: Finding
    checks: tuple[CheckResult, ...]

    @property
    def sentences(self) -> str:
        """What is wrong, and what else is by the same cause, in a row."""
        others = ", ".join(f"“{title}”" for title in self.others)
        return self.finding.sentences + (f" It seems to break this, too: {others}." if others else "")

    @property
    def title(self) -> str:
        """What is broken, on the call that is told."""
        return next(check.title for check in self.checks if check.finding is self.finding)

    @property
    def others(self) -> list[str]:
        """What else is."""
        return list(dict.fromkeys(check.title for check in self.checks if check.title != self.title))


def causes(checks: Iterable[CheckResult]) -> list[CommonCause]:
    """Why the checks failed that did, each cause once; those that keep others from being seen come first."""
    groups: dict[str, list[CheckResult]] = {}
    for check in checks:
        if check.credit is None or check.credit < 1:
            finding = check.finding or Finding(check.message)
            found = check if check.finding else replace(check, finding=finding)
            groups.setdefault(finding.kind or check.message, []).append(found)
    # Where the next step is the same, a mistake that was recognised explains what was not.
    for kind in [kind for kind in groups if kind.startswith("step: ")]:
        named = [
            other for other, group in groups.items()
            if other.startswith("mistake: ") and any(f"step: {c.finding.step}" == kind for c in group if c.finding)
        ]  # fmt: skip
        if len(named) == 1:
            groups[named[0]] += groups.pop(kind)
    told = []
    for group in groups.values():
        findings = [check.finding for check in group if check.finding is not None]
        told.append(CommonCause(min(findings, key=_size), tuple(group)))
    return sorted(told, key=lambda cause: bool(cause.finding.found and cause.finding.found.differs))


def _size(finding: Finding) -> tuple[bool, bool, int]:
    """How much there is to look at before the cause is seen; what can be taken in at a glance is all the same."""
    shape = finding.expected.shape if finding.expected else None
    numbers = math.prod(shape) if shape is not None else 1 if finding.expected else 1_000_000
    return not finding.mistake, not finding.call, max(numbers, AT_A_GLANCE)


@dataclass(frozen=True)
class Result:
    """What a grading found.

    `score` is the sum of the points there are, and None when no exercise could be graded; `open_points` is what the
    others would have given at most, so that a score is read beside it. `assignment`, and with it
    `max_score`, is None when it cannot be told which one this is. `message` and `cause` are set when nothing could be
    graded at all; else they are "" and None. `record` says with what it was graded, `cells` what the cells printed.
    """

    student: str
    assignment: str | None
    score: float | None
    max_score: float | None
    exercises: tuple[ExerciseResult, ...]
    record: dict[str, Any]
    message: str = ""
    cause: str | None = None
    notes: tuple[str, ...] = ()
    cells: tuple[ShownCell, ...] = ()

    @property
    def ungraded(self) -> list[ExerciseResult]:
        """The exercises that could not be graded: their points are None."""
        return [exercise for exercise in self.exercises if exercise.points is None]

    @property
    def open_points(self) -> float | None:
        """The points of the exercises that could not be graded: 0 where all could; None without an assignment."""
        return None if self.max_score is None else round(sum(one.max_points for one in self.ungraded), 2)

    @property
    def causes(self) -> frozenset[str]:
        """Why the whole, or some of its exercises, could not be graded; empty where all could."""
        found = {self.cause, *(exercise.cause for exercise in self.exercises)}
        return frozenset(cause for cause in found if cause)

    @property
    def grader_failed(self) -> bool:
        """Whether a cause is the grader itself or its box, of the whole or of an exercise.

        Then it is not the student's fault, and worth grading again: such a result is never taken over.
        """
        return bool(self.causes & {"grader", "box"})

    def as_dict(self) -> dict[str, Any]:
        """All of it in dictionaries, tuples, texts, numbers and None, as JSON can hold it; also the open points."""
        found: dict[str, Any] = {}
        for name, value in _taken_apart(self).items():
            found[name] = value
            if name == "score":
                found["open_points"] = self.open_points
        return found

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Result":
        """The result that `as_dict` took apart, also when it was kept as JSON. The open points follow from the rest.

        Raises KeyError, TypeError or AttributeError when `data` is not such a result.
        """
        exercises = tuple(
            ExerciseResult(**{**one, "checks": tuple(CheckResult.from_dict(check) for check in one["checks"])})
            for one in data["exercises"]
        )
        cells = tuple(ShownCell(**one) for one in data["cells"])
        fields = {name: value for name, value in data.items() if name != "open_points"}
        found = cls(**{**fields, "exercises": exercises, "notes": tuple(data["notes"]), "cells": cells})
        causes = [found.cause, *(exercise.cause for exercise in exercises)]
        if not isinstance(found.record, dict) or not all(one is None or isinstance(one, str) for one in causes):
            raise TypeError("this is no record of a grading")
        return found

    def to_json(self) -> str:
        """`as_dict` as JSON, in ASCII, without a newline at the end: what a file result.json holds."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=True)


def _taken_apart(value: Any) -> Any:
    """As `dataclasses.asdict`, which would also copy each text and number, and so take most of the time."""
    if isinstance(value, dict):
        return {name: _taken_apart(part) for name, part in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(map(_taken_apart, value))
    if dataclasses.is_dataclass(value):
        return {one.name: _taken_apart(getattr(value, one.name)) for one in dataclasses.fields(value)}
    return value


def differences(before: Result, after: Result) -> list[str]:
    """In what two gradings of one submission differ, marks and messages alike; when and how fast does not count."""
    told = []
    for name in ("score", "max_score", "message", "cause", "notes"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            told.append(f"its {name.replace('_', ' ')} was {one!r} and is {other!r}")
    exercises = {exercise.id: exercise for exercise in before.exercises}
    again = {exercise.id: exercise for exercise in after.exercises}
    for name in dict.fromkeys([*exercises, *again]):
        if name not in exercises or name not in again:
            told.append(f"`{name}` is in one of them only")
            continue
        changed = [
            field.name
            for field in dataclasses.fields(ExerciseResult)
            if getattr(exercises[name], field.name) != getattr(again[name], field.name)
        ]
        if changed:
            first = changed[0]
            told.append(
                f"`{name}` differs in its {', '.join(changed).replace('_', ' ')}: "
                f"{getattr(exercises[name], first)!r} before, {getattr(again[name], first)!r} now"
            )
    return told
