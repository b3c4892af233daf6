"""The course's own answers, as data in tests/answers/: right ones in other styles, and mistakes."""

import tomllib
from dataclasses import dataclass, field
from typing import Any, Literal

from autograder.course import Course
from autograder.errors import CourseError


@dataclass(frozen=True)
class Sample:
    """One answer to an exercise. The name of a wrong one says the misconception, of a right one the style.

    What a trained model earns, or a guess, depends on the samples drawn: then it is right or wrong `by_chance`.
    `told` are phrases of the misconceptions that the feedback must recognise in a wrong answer.
    """

    exercise: str
    name: str
    verdict: Literal["correct", "wrong"]
    code: str
    by_chance: bool = False
    told: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Equivalent:
    """A change to the reference after which it is as right as before, and why no check can or may tell it."""

    exercise: str
    before: str
    after: str
    reason: str


@dataclass(frozen=True)
class Corpus:
    """All answers to an assignment.

    `not_mutated` has the exercises whose reference gets no mutants, and why; `builds_on_others` those whose points
    hang on the answers to others by what their text asks for, and why.
    """

    assignment: str
    samples: tuple[Sample, ...] = ()
    equivalents: tuple[Equivalent, ...] = ()
    not_mutated: dict[str, str] = field(default_factory=dict)
    builds_on_others: dict[str, str] = field(default_factory=dict)


def _by_chance(one: dict[str, Any]) -> bool:
    return one["exercise"] == "trained-model" or bool(one.get("by_chance", False))


def _told(one: dict[str, Any]) -> frozenset[str]:
    told = one.get("told", [])
    return frozenset([told] if isinstance(told, str) else told)


def corpus(course: Course, assignment: str) -> Corpus:
    """Read tests/answers/ASSIGNMENT.toml. Raises CourseError."""
    path = course.root / "tests" / "answers" / f"{assignment}.toml"
    try:
        book = tomllib.loads(path.read_text(encoding="utf-8"))
        return Corpus(
            assignment,
            tuple(
                Sample(one["exercise"], one["name"], one["verdict"], one["code"], _by_chance(one), _told(one))
                for one in book["answer"]
            ),
            tuple(Equivalent(**one) for one in book.get("equivalent", [])),
            book.get("not_mutated", {}),
            book.get("builds_on_others", {}),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{path}: the answers cannot be read ({type(error).__name__}: {error}).") from error
