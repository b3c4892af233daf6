"""The pages that students and instructors open. All text from submissions is escaped by Jinja2."""

from collections.abc import Sequence
from typing import Any, Final

import jinja2

from autograder.execution import CellRun
from autograder.pipeline import Graded
from autograder.result import Result
from autograder.text import plain

MAX_SHOWN_OUTPUT: Final = 4000
MAX_SHOWN_SOURCE: Final = 20_000

OUTCOMES: Final = {
    "earned": "Earned",
    "partial": "Partly earned",
    "not_earned": "Not earned yet",
    "could_not_be_graded": "Could not be graded",
}
# Whose turn it is, by the cause.
TURNS: Final = {
    "notebook": "Your turn: change the notebook as described and submit again. No points were taken.",
    "time": "Your turn: find what does not end, or takes too long, and submit again. No points were taken.",
    "memory": "Your turn: find what needs so much memory and submit again. No points were taken.",
    "box": "The instructor's turn: the place where notebooks run was not available. You need not do anything.",
    "grader": "The instructor's turn: the grader failed, not you. You need not do anything.",
}


def _shown(value: object) -> object:
    """Whatever a template prints, without terminal escapes and direction marks."""
    return plain(value, MAX_SHOWN_SOURCE) if isinstance(value, str) else value


_environment = jinja2.Environment(
    loader=jinja2.PackageLoader("autograder.report"),
    autoescape=True,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
)


def points(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


_environment.filters["points"] = points


def feedback(graded: Graded) -> str:
    """The page of one submission, for its student."""
    result = graded.result
    exercises = [
        {
            "result": exercise,
            "outcome": OUTCOMES[exercise.outcome],
            "turn": TURNS.get(exercise.cause or ""),
            "cells": [
                {"kind": run.cell.kind, "source": run.cell.source, "output": _output(run)}
                for run in graded.transcript
                if run.cell.exercise == exercise.id
            ],
        }
        for exercise in result.exercises
    ]
    return _environment.get_template("feedback.html").render(
        result=result, exercises=exercises, turn=TURNS.get(result.cause or ""), title=_title(result)
    )


def index(rows: Sequence[tuple[Result, str]]) -> str:
    """The page of a class: one row a submission, each with a link to its page."""
    return _environment.get_template("index.html").render(rows=rows, outcomes=OUTCOMES)


def _title(result: Result) -> str:
    return plain(f"{result.assignment or 'unknown assignment'} · {result.student}", 120)


def _output(run: CellRun) -> str:
    """What the cell printed, as text."""
    texts: list[str] = []
    for output in run.outputs:
        data = output.get("data")
        if output.get("output_type") == "stream":
            texts.append(_joined(output.get("text")))
        elif isinstance(data, dict):
            texts.append(_joined(data.get("text/plain")) + "\n")
    if run.error:
        texts.append(run.error)
    return plain("".join(texts).strip(), MAX_SHOWN_OUTPUT)


def _joined(text: Any) -> str:
    if isinstance(text, list):
        return "".join(part for part in text if isinstance(part, str))
    return text if isinstance(text, str) else ""
