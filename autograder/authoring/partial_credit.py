"""How the points of each exercise are shared among its checks, and where they grow along a metric.

Nothing is kept by hand: the points are the notebooks', the properties, shares and curves those of the checks.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from autograder.authoring.draft import loaded
from autograder.course import CHECKS, Assignment, Course
from autograder.examination.expectations import Curve

FILE: Final = "partial_credit.md"

HEAD: Final = """# How the points are shared

Made by `autograder release` from the notebooks and the checks; do not edit it.
It is for those who teach, since some properties give an answer away.
Students are told in the feedback which of them their answer lacks, and in the lesson where a metric's points begin.

The points of an exercise are shared among its checks.
Each looks at one property of the answer, and gives its part of the points or nothing.
Where a property has a metric, as a trained model has, the points grow along it, in straight lines between the places
given; [the evidence for these](../benchmarks/thresholds.md).
An answer that does nothing, or a model that has learned nothing, gets no points.
An exercise whose answer never came to be examined could not be graded, which is not zero.
"""


@dataclass(frozen=True)
class Part:
    """What one check decides: a property, its part of the exercise's points, the curves along which they grow."""

    exercise: str
    title: str
    points: float
    curves: tuple[Curve, ...]


@functools.cache
def checks_of(lesson: str) -> ModuleType:
    """The module of a lesson's hidden checks. Raises CourseError when it cannot be loaded."""
    return loaded(CHECKS / f"{lesson}.py")


def parts(assignment: Assignment) -> list[Part]:
    """What the checks of the assignment decide, in their order, exercise by exercise."""
    marked = list(_marked(checks_of(assignment.name)))
    found = []
    for exercise in assignment.exercises:
        own = [(title, mark) for title, mark in marked if mark["id"] == exercise.id]
        whole = sum(mark["share"] for _, mark in own)
        found += [
            Part(exercise.id, title, exercise.max_points * mark["share"] / whole, mark["curves"]) for title, mark in own
        ]
    return found


def as_markdown(course: Course) -> str:
    """The whole table, as a page."""
    return "\n".join([HEAD, *(line for assignment in course.assignments() for line in _lesson(assignment))])


def _marked(checks: ModuleType) -> Iterator[tuple[str, dict[str, Any]]]:
    """The first line and the mark of each check of the module."""
    for name, check in vars(checks).items():
        if name.startswith("test_"):
            (mark,) = (mark for mark in check.pytestmark if mark.name == "exercise")
            yield check.__doc__.strip().splitlines()[0], mark.kwargs


def _lesson(assignment: Assignment) -> Iterator[str]:
    yield f"## {assignment.title} ({assignment.max_points:g} points)\n"
    yield "| exercise | points | property | points for it |\n|---|---:|---|---:|"
    points = {exercise.id: exercise.max_points for exercise in assignment.exercises}
    for part in parts(assignment):
        whole = points.pop(part.exercise, None)  # said once
        first = f"`{part.exercise}` | {whole:g}" if whole is not None else " |"
        told = "".join(f"<br>*{_told(curve, part.points)}*" for curve in part.curves)
        yield f"| {first} | {part.title.replace('|', chr(92) + '|')}{told} | {_number(part.points)} |"
    yield ""


def _told(curve: Curve, points: float) -> str:
    """From what value on there are how many points."""
    places = [
        f"{_number(credit * points)} at {place if isinstance(place, str) else f'{place:g}'}"
        for place, credit in curve.points
    ]
    return f"{curve.metric}: {', '.join(places)}"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
