"""The result of one submission, as it is kept, printed and shown."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Literal

Outcome = Literal["earned", "partial", "not_earned", "could_not_be_graded"]


@dataclass(frozen=True)
class CheckResult:
    """One check's credit in [0, 1], or None when it could not tell."""

    title: str
    share: float
    credit: float | None
    message: str
    cause: str | None = None


@dataclass(frozen=True)
class ExerciseResult:
    """One exercise's marks. `points` is None when it could not be graded, and `cause` says by what."""

    id: str
    outcome: Outcome
    points: float | None
    max_points: float
    message: str
    cause: str | None = None
    checks: tuple[CheckResult, ...] = ()


@dataclass(frozen=True)
class Result:
    """What a grading found. `message` and `cause` are set when nothing could be graded at all."""

    student: str
    assignment: str | None
    score: float | None
    max_score: float | None
    exercises: tuple[ExerciseResult, ...]
    record: dict[str, Any]
    message: str = ""
    cause: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def ungraded(self) -> list[ExerciseResult]:
        return [exercise for exercise in self.exercises if exercise.points is None]

    @property
    def grader_failed(self) -> bool:
        """Whether the grader itself failed on any of it: not the student's turn, and worth grading again."""
        return bool({self.cause, *(exercise.cause for exercise in self.exercises)} & {"grader", "box"})

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Result":
        exercises = tuple(
            ExerciseResult(**{**one, "checks": tuple(CheckResult(**check) for check in one["checks"])})
            for one in data["exercises"]
        )
        return cls(**{**data, "exercises": exercises, "notes": tuple(data["notes"])})

    def to_json(self) -> str:
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=True)


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
