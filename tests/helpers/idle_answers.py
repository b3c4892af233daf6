"""Answers that do nothing, marked in this process: run it in one of its own, as `local_run`."""

import ast
import contextlib
import io
import os
from typing import Any

from autograder.batch.marks import mark
from autograder.examination.examine import examine
from autograder.examination.own_answers import LocalKernel
from autograder.submission.restoration import Restored
from helpers.submissions import COURSE, solved, source

# What the body of every function of an exercise is replaced with.
BODIES = {
    "returns nothing": "return None",
    "returns what it was given": "return args[0] if args else None",
    "returns the first two that it was given": "return args[0], args[min(1, len(args) - 1)]",
    "returns zeros": "import numpy; return numpy.zeros(numpy.shape(args[0]))",
    "returns 0": "return 0",
    "returns an empty list": "return []",
    "refuses everything": "raise ValueError",
}


def earned(assignment: str, seed: int) -> dict[str, float | None]:
    """The points of each such answer to each exercise that asks for functions, by exercise and body."""
    course, reference = COURSE.assignment(assignment), solved(assignment)
    os.chdir(course.notebook.parent)  # where its data lie
    space: dict[str, Any] = {"__name__": "__main__"}
    functions: dict[str, list[str]] = {}
    for cell in course.cells:
        code = cell.source if cell.kind == "locked" else ""
        if cell.kind == "solution":
            code = source(reference, str(cell.grade_id))
            names = [node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
            if not names:
                continue  # a trained model, which costs seconds, or a table of words
            functions[str(cell.grade_id)] = names
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, "<ipython-input>", "exec"), space)
    found = {}
    for exercise, names in functions.items():
        for what, body in BODIES.items():
            changed = dict(space)
            for name in names:
                exec(f"def {name}(*args, **options):\n    {body}", changed)
            evidence = examine(course, LocalKernel(changed), {exercise: seed}, [exercise])
            others = {one.id for one in course.exercises} - {exercise}
            marks = mark(course.exercises, Restored(unanswered=others), [], evidence)
            found[f"{exercise}, {what}"] = next(one.points for one in marks if one.id == exercise)
    return found
