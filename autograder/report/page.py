"""The pages that students and instructors open. All text from submissions is escaped by Jinja2.

A submission's page has three levels. `now` is for its student while answers may still change: each cause of failure
once, with the smallest call that shows it, what came back and what was expected. The expected value of one drawn
input does not give away the others, and the next submission gets other inputs. `after` is for its student after the
deadline: also each check with its name and share, and what every failed check found; it tells nobody to submit again.
`staff` adds the record, with the seed, and is for nobody else. No page shows held-out data of the trained models: no
check passes them on.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, get_args

import jinja2
from markupsafe import Markup

from autograder.report import plots
from autograder.report.wording import OUTCOMES, OUTCOMES_AFTER, TURNS, TURNS_AFTER, after, points
from autograder.result import ExerciseResult, Finding, Picture, Result, causes
from autograder.text import plain

Level = Literal["now", "after", "staff"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)

MAX_SHOWN_SOURCE: Final = 20_000


def _shown(value: object) -> object:
    """Whatever a template prints, without terminal escapes and direction marks.

    Markup is what a macro has printed already, piece by piece; nothing else makes it.
    """
    return plain(value, MAX_SHOWN_SOURCE) if isinstance(value, str) and not isinstance(value, Markup) else value


_environment = jinja2.Environment(
    loader=jinja2.PackageLoader("autograder.report"),
    autoescape=True,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
)


def headline(finding: Finding) -> str:
    """What is wrong, in a sentence; without the numbers where they are shown below it."""
    found = finding.found
    if found is None or not found.cells or not found.differs or not finding.what:
        return finding.problem
    marks = "".join(found.differs)
    return f"{finding.what} is wrong in {marks.count('x')} of {len(marks)} values."


_environment.filters["points"] = points
_environment.filters["headline"] = headline
_environment.filters["shape"] = lambda shape: f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def feedback(result: Result, level: Level = "now") -> str:
    """The page of one submission, for its student or for staff."""
    outcomes, turns = (OUTCOMES_AFTER, TURNS_AFTER) if level == "after" else (OUTCOMES, TURNS)
    result = after(result) if level == "after" else result
    exercises = [
        {
            "result": exercise,
            "outcome": outcomes[exercise.outcome],
            "turn": turns.get(exercise.cause or ""),
            **_failures(exercise),
            "error": _error_of_the_answer(result, exercise),
            "pictures": list(_drawn(exercise, f"picture-{place}")),
            "cells": [one for one in result.cells if one.exercise == exercise.id],
        }
        for place, exercise in enumerate(result.exercises, 1)
    ]
    return _environment.get_template("feedback.html").render(
        result=result, exercises=exercises, turn=turns.get(result.cause or ""), title=_title(result), level=level,
        record=_record(result.record),
    )  # fmt: skip


def _error_of_the_answer(result: Result, exercise: ExerciseResult) -> str | None:
    """What its solution cell raised; None where it raised nothing. What its check cell raised is another matter."""
    cells = (one for one in result.cells if one.exercise == exercise.id and one.kind == "solution")
    return next((one.error for one in cells if one.error), None)


def _drawn(exercise: ExerciseResult, name: str) -> Iterator[tuple[Picture, Markup]]:
    """What its checks have to show, each with its drawing; `name` is the exercise's own in the page."""
    pictures = (one for check in exercise.checks for one in check.pictures)
    for place, picture in enumerate(pictures, 1):
        yield picture, plots.svg(picture, f"{name}-{place}")


def _failures(exercise: ExerciseResult) -> dict[str, Any]:
    """The causes to show; none where the exercise's message says everything."""
    laid_out = exercise.outcome in {"partial", "not_earned"} and any(
        check.finding and check.finding.in_parts for check in exercise.checks
    )
    found = causes(exercise.checks) if laid_out else []
    return {
        "causes": found,
        "told": [cause.finding for cause in found],
        "shares": sum(check.share for check in exercise.checks),
    }


def _record(record: dict[str, Any]) -> list[tuple[str, str]]:
    """The record as a table, without the parts that are for the grader alone."""
    rows: list[tuple[str, str]] = []
    for name, value in record.items():
        if name in {"keys", "notes", "identity"}:
            continue
        parts = value.items() if isinstance(value, dict) else [("", value)]
        rows += [(f"{name} {part}".strip().replace("_", " "), str(one)) for part, one in parts]
    return rows


def index(rows: Sequence[tuple[Result, str]]) -> str:
    """The page of a class: one row per submission, each with a link to its page."""
    return _environment.get_template("index.html").render(rows=rows, outcomes=OUTCOMES)


def _title(result: Result) -> str:
    return plain(f"{result.assignment or 'unknown assignment'} · {result.student}", 120)
