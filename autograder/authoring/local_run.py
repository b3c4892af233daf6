"""Try an answer of the course's own: in this process, without a box. Never for a submission.

Everything else is as in a grading: the same agent answers, through the same wire, the same checks ask.
Run it in a process of its own (`pool.py`): the checks' pytest would not go well within another, and
nothing here stands between the answer and the machine.
"""

import contextlib
import dis
import io
import os
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis

from autograder.authoring.release import reference
from autograder.batch.marks import mark
from autograder.boxed.reproducible import ONE_THREAD, REPRODUCIBLE
from autograder.course import Assignment, Course
from autograder.examination.examine import examine
from autograder.examination.own_answers import LocalKernel, in_its_folder, namespace_of
from autograder.examination.own_answers import run as run_cell
from autograder.result import ExerciseResult
from autograder.submission.restoration import Restored


@dataclass(frozen=True)
class Trial:
    """What an answer came to: its exercise's marks, one for each seed of the hidden inputs.

    `visible` is the error of the exercise's visible check, "" when it passes. `others` has the marks of the
    exercises that the answer can reach, all answered as in the reference.
    """

    results: tuple[ExerciseResult, ...]
    visible: str = ""
    others: tuple[ExerciseResult, ...] = ()


def prepare() -> None:
    """What the box sets, before anything is imported; and no time is spent on the smallest counterexample."""
    os.environ.update({**ONE_THREAD, **REPRODUCIBLE, "MPLBACKEND": "agg"})
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("examination", hypothesis.settings.get_profile("examination"), phases=phases)


def attempt(root: Path, assignment: str, exercise: str, code: str, seeds: tuple[int, ...]) -> Trial:
    """The marks of `code` as the answer to `exercise`, those before it answered as in the reference."""
    course, solved = _course(root, assignment)
    with in_its_folder(course):
        namespace = _run_cells(course, solved | {exercise: code}, until=exercise)
        visible = ""
        try:
            run_cell(course.by_grade_id[f"check-{exercise}"].source, namespace)
        except (Exception, SystemExit) as error:
            visible = f"{type(error).__name__}: {error}"
        results = [_marks(course, LocalKernel(namespace), seed, [exercise])[0] for seed in seeds]
        for place, seed in enumerate(seeds):
            if results[place].points != results[0].points:
                # It may remember the examination before: once more, with a memory of its own.
                fresh = LocalKernel(_run_cells(course, solved | {exercise: code}, until=exercise))
                results[place] = _marks(course, fresh, seed, [exercise])[0]
    return Trial(tuple(results), visible)


def attempt_whole(root: Path, assignment: str, exercise: str, code: str, seed: int, others: tuple[str, ...]) -> Trial:
    """The marks of `others`, answered as in the reference, in a notebook that answers `exercise` with `code`."""
    course, solved = _course(root, assignment)
    with in_its_folder(course):
        namespace = _run_cells(course, solved | {exercise: code})
        return Trial((), others=tuple(_marks(course, LocalKernel(namespace), seed, list(others))))


def needs(
    root: Path, assignment: str, exercise: str, seed: int
) -> tuple[ExerciseResult, frozenset[str], frozenset[str]]:
    """The reference's mark, the names of the notebook that its checks ask for, and all that these and it look up."""
    course, solved = _course(root, assignment)
    with in_its_folder(course):
        kernel = LocalKernel(_run_cells(course, solved, until=exercise))
        found = _marks(course, kernel, seed, [exercise])[0]
    looked_up = {name: loaded(cell) for cell in _sources(course, solved) for name in stored(cell)}
    wanted = kernel.asked | loaded(solved[exercise])
    names: set[str] = set()
    while wanted:
        name = wanted.pop()
        names.add(name)
        wanted |= looked_up.get(name, set()) - names
    return found, frozenset(kernel.asked), frozenset(names)


def stored(code: str) -> set[str]:
    """The names that a cell defines."""
    return {one.argval for one in dis.get_instructions(_compiled(code)) if one.opname in {"STORE_NAME", "STORE_GLOBAL"}}


def loaded(code: str) -> set[str]:
    """The names of the notebook that a cell looks up, now or in its functions later."""

    def within(one: types.CodeType) -> Iterator[str]:
        yield from (i.argval for i in dis.get_instructions(one) if i.opname in {"LOAD_GLOBAL", "LOAD_NAME"})
        for constant in one.co_consts:
            if isinstance(constant, types.CodeType):
                yield from within(constant)

    return set(within(_compiled(code)))


def _compiled(code: str) -> types.CodeType:
    try:
        return compile(code, "<ipython-input>", "exec")
    except SyntaxError:
        return compile("", "<ipython-input>", "exec")


@cache
def _course(root: Path, name: str) -> tuple[Assignment, dict[str, str]]:
    """The released assignment, and its reference's answers."""
    book = reference(root / "source" / name / f"{name}.ipynb")
    assignment = Course(root).assignment(name)
    by_grade_id = {cell["metadata"].get("nbgrader", {}).get("grade_id"): cell for cell in book["cells"]}
    return assignment, {one.id: "".join(by_grade_id[one.id]["source"]) for one in assignment.exercises}


def _sources(course: Assignment, answers: dict[str, str]) -> Iterator[str]:
    for cell in course.cells:
        if cell.kind == "locked":
            yield cell.source
        elif cell.kind == "solution":
            yield answers[str(cell.exercise)]


def _run_cells(course: Assignment, answers: dict[str, str], until: str | None = None) -> dict[str, Any]:
    """What the notebook defines, up to the cell of an exercise."""

    def cells() -> Iterator[str]:
        for cell in course.cells:
            if cell.kind in {"locked", "solution"}:
                yield answers[str(cell.exercise)] if cell.kind == "solution" else cell.source
            if until is not None and cell.exercise == until:
                return

    return namespace_of(cells())


def _marks(course: Assignment, kernel: LocalKernel, seed: int, exercises: list[str]) -> list[ExerciseResult]:
    with contextlib.redirect_stdout(io.StringIO()):
        evidence = examine(course, kernel, dict.fromkeys(exercises, seed), exercises)
    return mark([one for one in course.exercises if one.id in exercises], Restored(), [], evidence)
