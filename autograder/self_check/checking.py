"""The answers with all that they need, and the visible checks as released, run on the spot."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console

from autograder.course import Assignment, Course, Exercise
from autograder.errors import NotGradable
from autograder.self_check import remembered
from autograder.self_check.outcomes import Checked, Line, Options, Outcome
from autograder.self_check.telling import not_begun, tell
from autograder.submission.damage import check_whole
from autograder.submission.find import Submission, find_submissions
from autograder.submission.notebook import check_assignment, read
from autograder.submission.restoration import Restored, restore


def check_all(
    paths: Iterable[Path], course: Course, options: Options, console: Console, problems: Console
) -> list[Checked]:
    """Check notebooks, or all that are in a folder and begun; print what became of each visible check.

    Why a notebook cannot be run is printed on the second console. Raises NotGradable for a path without any.
    """
    found: list[Checked] = []
    for path in paths:
        for one, begun_only in _notebooks(path, course):
            try:
                checked = _check(one, course, options, begun_only)
            except NotGradable as problem:
                checked = Checked(one.path, one.assignment, problem=str(problem))
            if checked is None:
                not_begun(str(one.assignment), console)
                continue
            tell(checked, problems if checked.problem else console)
            found.append(checked)
    return found


def _notebooks(path: Path, course: Course) -> Iterator[tuple[Submission, bool]]:
    """The submissions at a path, each with whether one that is not begun is passed over. Raises NotGradable."""
    submissions, complaints = find_submissions([path], course)
    if complaints:
        raise NotGradable(complaints[0])
    known = [one for one in submissions if one.assignment in course.names]
    if not known:
        raise NotGradable(f"{path} is not one of the course's notebooks ({', '.join(course.names)}).")
    return ((one, path.is_dir()) for one in known)


def _check(submission: Submission, course: Course, options: Options, begun_only: bool) -> Checked | None:
    """Run the notebook; None when it is not begun and need not be. Raises NotGradable when it cannot be run."""
    path = submission.path
    assignment = course.assignment(str(submission.assignment))
    if submission.problem:
        raise NotGradable(submission.problem)
    if path.resolve() == assignment.notebook.resolve():
        raise NotGradable(
            f"{path} is the released notebook itself; the check compares yours with it. "
            "Copy it into another folder, work there, and check the copy."
        )
    notebook = read(path)
    check_assignment(notebook, assignment, course)
    check_whole(notebook, assignment)
    restored = restore(notebook, assignment)
    if begun_only and len(restored.unanswered) == len(assignment.exercises):
        return None
    notes = tuple(restored.notes)
    key = remembered.key(restored, assignment, options)
    known = remembered.lines(path, key, assignment)
    if known is not None:
        return Checked(path, assignment.name, notes, known, remembered=True)
    errors, ended = _run(restored, assignment, options)
    lines = tuple(_line(exercise, restored, errors | ended) for exercise in assignment.exercises)
    if not ended:
        remembered.keep(path, key, lines)
    own = {cell.number: cell.name for cell in restored.cells if cell.exercise is None}
    notes += tuple(f"{own[one][0].upper()}{own[one][1:]}: {ended[one]}." for one in sorted(own.keys() & ended.keys()))
    return Checked(path, assignment.name, notes, lines)


def _run(restored: Restored, assignment: Assignment, options: Options) -> tuple[dict[int, str], dict[int, str]]:
    """The error of each cell that raised one, and how each ended that did not come to an end, by the cells' numbers.

    Raises NotGradable when no kernel starts.
    """
    begun = [exercise.id for exercise in assignment.exercises if exercise.id not in restored.unanswered]
    if not begun and not options.every_cell:
        return {}, {}
    from autograder.self_check.running import Run  # Jupyter: not for a notebook that is not run

    with Run(assignment.data) as run:
        # While its kernel starts.
        from autograder.submission.slicing import Slices

        numbers = {cell.number for cell in restored.cells}
        needed = numbers if options.every_cell else set(Slices(restored, assignment).needed(begun))
        return run.all([cell for cell in restored.cells if cell.number in needed], options.seconds)


def _line(exercise: Exercise, restored: Restored, errors: dict[int, str]) -> Line:
    cells = [cell for cell in restored.cells if cell.exercise == exercise.id]
    found = [errors[cell.number] for cell in cells if cell.number in errors]
    outcome: Outcome = "fails"
    if exercise.id in restored.unanswered:
        outcome, text = "open", "not answered yet"
    elif exercise.id in restored.problems:
        text = restored.problems[exercise.id]
    elif exercise.id in restored.missing:
        text = "its solution cell is missing: copy it back from the released notebook"
    elif found:
        text = found[0]
    else:
        outcome, text = "passes", "the visible checks pass"
    return Line(exercise.id, exercise.max_points, outcome, text)
