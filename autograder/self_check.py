"""A student's self-check: the notebook, with the visible checks as released, run on the spot.

No box and no marks: this is the student's own machine and own code.
"""

import os
import shutil
import tempfile
from pathlib import Path
from subprocess import DEVNULL

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from rich.console import Console
from rich.markup import escape

from autograder.course import Assignment, Course
from autograder.restoration import Restored, restore
from autograder.submission import NotGradable, check_assignment, collect, read
from autograder.text import plain


def check_notebook(path: Path, course: Course, seconds: float, console: Console) -> bool:
    """Run the notebook, print what became of each visible check; true when all pass.

    Raises NotGradable when it cannot be run at all.
    """
    submissions, complaints = collect([path], course)
    if complaints:
        raise NotGradable(complaints[0])
    if len(submissions) != 1 or submissions[0].assignment not in course.names:
        raise NotGradable(f"{path} is not one of the course's notebooks ({', '.join(course.names)}).")
    assignment = course.assignment(str(submissions[0].assignment))
    if submissions[0].path.resolve() == assignment.notebook.resolve():
        raise NotGradable(
            f"{path} is the released notebook itself, with which yours is compared. "
            "Copy it into a folder of your own, work there, and check the copy."
        )
    notebook = read(submissions[0].path)
    check_assignment(notebook, assignment, course)
    restored = restore(notebook, assignment)
    for note in restored.notes:
        console.print(plain(note), style="yellow", markup=False)
    errors = _run(restored, assignment, seconds)
    return _tell(assignment, restored, errors, console)


def _run(restored: Restored, assignment: Assignment, seconds: float) -> dict[int, str]:
    """The error of each cell that ended with one."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.source) for cell in restored.cells])
    errors: dict[int, str] = {}
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
            for number, cell in enumerate(book.cells):
                try:
                    client.execute_cell(cell, number)
                except CellTimeoutError:
                    errors[number] = (
                        f"still running after {seconds:.0f} seconds: it and all cells after it were not run"
                    )
                    break
                except DeadKernelError:
                    errors[number] = "the kernel ended here: the cells after it were not run"
                    break
                for output in cell.outputs:
                    if output.output_type == "error":
                        errors[number] = f"{output.ename}: {output.evalue}" if output.evalue else output.ename
    if errors and max(errors) + 1 < len(book.cells) and "not run" in errors[max(errors)]:
        errors |= dict.fromkeys(range(max(errors) + 1, len(book.cells)), "not run")
    return errors


def _tell(assignment: Assignment, restored: Restored, errors: dict[int, str], console: Console) -> bool:
    passed = 0
    for exercise in assignment.exercises:
        cells = [cell for cell in restored.cells if cell.exercise == exercise.id]
        found = [errors[cell.number] for cell in cells if cell.number in errors]
        if exercise.id in restored.unanswered:
            sign, text = "[yellow]–[/]", "not answered yet"
        elif exercise.id in restored.problems:
            sign, text = "[red]✗[/]", restored.problems[exercise.id]
        elif exercise.id in restored.missing:
            sign, text = "[red]✗[/]", "its solution cell is missing: copy it back from the released notebook"
        elif found:
            sign, text = "[red]✗[/]", found[0]
        else:
            sign, text = "[green]✓[/]", "the visible checks pass"
            passed += 1
        console.print(f"{sign} [bold]{exercise.id}[/] ({exercise.max_points:g})  {escape(plain(text, 600))}")
    console.print(
        f"{passed} of {len(assignment.exercises)} exercises pass their visible checks. "
        "This is practice: the hidden checks test more, and decide the points."
    )
    return passed == len(assignment.exercises)
