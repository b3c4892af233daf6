"""A notebook's kernel in this process: for answers of the course's own, which need no box.

Everything else is as in a grading: the same agent answers, through the same wire, the same checks ask.
Run it in a process of its own, since the checks' pytest would not go well within the tests'.
"""

import contextlib
import io
import os
from typing import Any

from submissions import COURSE, solved, source

from autograder.box.sandbox import ONE_THREAD, REPRODUCIBLE
from autograder.boxed import wire
from autograder.boxed.serving import Server
from autograder.examination import examine
from autograder.execution import Answer, read_answer
from autograder.grading import mark
from autograder.restoration import Restored
from autograder.result import ExerciseResult


class Kernel:
    """Answers the examiner from `namespace`."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._server = Server(namespace)

    def ask(self, request: dict[str, Any]) -> Answer:
        return read_answer(wire.unpack(self._server.answer(wire.pack({"id": 0, **request}))), 0)


def prepare() -> None:
    """What the box sets, before anything is imported."""
    os.environ.update({**ONE_THREAD, **REPRODUCIBLE, "MPLBACKEND": "agg"})


def marked(assignment: str, exercise: str, code: str, seed: int) -> tuple[ExerciseResult, str]:
    """The mark of `code` as the answer to `exercise`, those before it answered as in the reference.

    Also the error of the exercise's visible check, "" when it passes.
    """
    course = COURSE.assignment(assignment)
    reference = solved(assignment)
    os.chdir(course.notebook.parent)  # where its data lie
    namespace: dict[str, Any] = {"__name__": "__main__"}
    visible = ""
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in course.cells:
            if cell.kind == "locked":
                _run(cell.source, namespace)
            elif cell.kind == "solution" and cell.exercise != exercise:
                _run(source(reference, str(cell.grade_id)), namespace)
            elif cell.kind == "solution":
                break
        # As in a notebook, what raises is told and the rest goes on.
        with contextlib.suppress(Exception):
            _run(code, namespace)
        try:
            _run(course.by_grade_id[f"check-{exercise}"].source, namespace)
        except Exception as error:
            visible = f"{type(error).__name__}: {error}"
        evidence = examine(course, Kernel(namespace), seed, [exercise])
    others = {one.id for one in course.exercises} - {exercise}
    marks = mark(course, Restored(unanswered=others), [], evidence)
    return next(one for one in marks if one.id == exercise), visible


def _run(cell: str, namespace: dict[str, Any]) -> None:
    exec(compile(cell, "<ipython-input>", "exec"), namespace)
