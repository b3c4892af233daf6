"""A student's self-check: the answers with all that they need, and the visible checks as released, run on the spot.

No box and no marks: this is the student's own machine and own code.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL
from typing import Final, Literal

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from rich.console import Console
from rich.markup import escape

from autograder.course import Assignment, Course, Exercise
from autograder.errors import NotGradable
from autograder.report.github import MAX_ANNOTATIONS, Annotation, Job, cell_lines, in_repository, markdown, summary
from autograder.submission.find import Submission, find_submissions
from autograder.submission.notebook import check_assignment, read
from autograder.submission.restoration import Restored, RestoredCell, restore
from autograder.submission.slicing import Slices
from autograder.text import plain

Outcome = Literal["passes", "fails", "open"]

PRACTICE: Final = "This is practice: the hidden checks test more, and decide the points."


@dataclass(frozen=True)
class Line:
    """What became of the visible checks of one exercise."""

    exercise: str
    max_points: float
    outcome: Outcome
    text: str


@dataclass(frozen=True)
class Checked:
    """What a self-check found in one notebook. `problem` says why it could not be run, None if it could.

    `assignment` is None where it cannot be told which one this is.
    """

    path: Path
    assignment: str | None = None
    notes: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    problem: str | None = None

    @property
    def passed(self) -> int:
        """How many exercises pass their visible checks."""
        return sum(line.outcome == "passes" for line in self.lines)

    @property
    def complete(self) -> bool:
        """Whether every exercise passes."""
        return self.problem is None and self.passed == len(self.lines)

    @property
    def wrong(self) -> bool:
        """Whether an answer fails; an exercise that is still open does not count as one."""
        return self.problem is not None or any(line.outcome == "fails" for line in self.lines)


@dataclass(frozen=True)
class Options:
    """How to run a notebook: how many `seconds` a cell may take, and whether the cells run that no answer needs."""

    seconds: float
    every_cell: bool = False


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
                console.print(f"{one.assignment}: not begun yet", style="dim")
                continue
            _tell(checked, problems if checked.problem else console)
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
    restored = restore(notebook, assignment)
    if begun_only and len(restored.unanswered) == len(assignment.exercises):
        return None
    slices = Slices(restored, assignment)
    begun = [exercise.id for exercise in assignment.exercises if exercise.id not in restored.unanswered]
    needed = {cell.number for cell in restored.cells} if options.every_cell else set(slices.needed(begun))
    errors = _run([cell for cell in restored.cells if cell.number in needed], assignment, options.seconds)
    lines = tuple(_line(exercise, restored, errors) for exercise in assignment.exercises)
    return Checked(path, assignment.name, tuple(restored.notes), lines)


def _run(cells: Sequence[RestoredCell], assignment: Assignment, seconds: float) -> dict[int, str]:
    """The error of each cell that ended with one, by the cell's number in the notebook."""
    errors: dict[int, str] = {}
    if not cells:
        return errors
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.source) for cell in cells])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with tempfile.TemporaryDirectory() as folder:
        for path in assignment.data:
            shutil.copy(path, folder)
        client = NotebookClient(
            book,
            timeout=int(seconds),
            allow_errors=True,
            kernel_name="python3",
            extra_arguments=["--log-level=ERROR"],  # not its warnings about how it listens
            resources={"metadata": {"path": folder}},
        )
        # What C code writes to the process's own streams is nobody's output.
        with client.setup_kernel(stdout=DEVNULL, stderr=DEVNULL):
            for place, (cell, run) in enumerate(zip(cells, book.cells, strict=True)):
                try:
                    client.execute_cell(run, place)
                except CellTimeoutError:
                    ended = f"still running after {seconds:.0f} seconds: it and all cells after it were not run"
                except DeadKernelError:
                    ended = "the kernel ended here: the cells after it were not run"
                else:
                    for output in run.outputs:
                        if output.output_type == "error":
                            text = f"{output.ename}: {output.evalue}" if output.evalue else output.ename
                            errors[cell.number] = text
                    continue
                return errors | {cell.number: ended} | {after.number: "not run" for after in cells[place + 1 :]}
    return errors


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


def _tell(checked: Checked, console: Console) -> None:
    if checked.problem:
        console.print(f"{plain(checked.path.name, 100)}: {plain(checked.problem)}", style="red", markup=False)
        return
    console.print(f"[bold]{escape(plain(checked.path.name, 100))}[/]")
    for note in checked.notes:
        console.print(plain(note), style="yellow", markup=False)
    signs = {"passes": "[green]✓[/]", "fails": "[red]✗[/]", "open": "[yellow]–[/]"}
    for line in checked.lines:
        text = escape(plain(line.text, 600))
        console.print(f"{signs[line.outcome]} [bold]{line.exercise}[/] ({line.max_points:g})  {text}")
    console.print(f"{checked.passed} of {len(checked.lines)} exercises pass their visible checks. {PRACTICE}")


def tell_github(checked: Sequence[Checked], job: Job) -> None:
    """The same where GitHub shows it: a summary of the job, and annotations at the lines of the answers."""
    annotations: list[Annotation] = []
    parts: list[str] = []
    for one in checked:
        file = in_repository(one.path)
        parts.append(f"\n### {markdown(file)}\n")
        if one.problem:
            annotations.append(Annotation("error", file, 1, "Cannot be run", one.problem))
            parts.append(f"{markdown(one.problem)}\n")
            continue
        parts += [f"> {markdown(note)}\n" for note in one.notes]
        parts.append("| exercise | points | visible checks |\n|---|---|---|")
        signs = {"passes": "✅", "fails": "❌", "open": "⬜"}
        where = cell_lines(one.path)
        for line in one.lines:
            text = markdown(line.text)
            parts.append(f"| {markdown(line.exercise)} | {line.max_points:g} | {signs[line.outcome]} {text} |")
            if line.outcome == "fails":
                annotations.append(Annotation("error", file, where.get(line.exercise, 1), line.exercise, line.text))
    left_out = job.annotate(annotations)
    if left_out:
        parts.insert(0, f"{left_out} more are not marked at their lines, because GitHub shows {MAX_ANNOTATIONS}.\n")
    if not checked:
        parts.append("No notebook is begun yet: copy `release` to `work`, and work there.\n")
    job.summarize(summary(f"## Self-check\n\n{PRACTICE}\n", parts))
