"""Seconds per submission: this grader beside nbgrader, papermill and the plain script, in one run.

    make benchmark       (or: python benchmarks/grading.py 09_echo --rounds 3 --students 2)

Each row is the median of several rounds over the same references; the rounds of all contenders take
turns, so that a slow minute of the machine hits all. One thread each. Ratios are to the plain script.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from autograder.box.sandbox import ONE_THREAD, REPRODUCIBLE
from autograder.course import Course
from autograder.release import reference

BIN = Path(sys.executable).parent


def main(assignments: list[str], rounds: int = 5, students: int = 4) -> None:
    """Measure, print a table, and say how much memory the largest process took."""
    course = Course.find(Path(__file__).parent)
    console = Console()
    for name in assignments:
        with tempfile.TemporaryDirectory() as folder:
            contenders = prepare(course, name, students, Path(folder))
            seconds: dict[str, list[float]] = {label: [] for label in contenders}
            for _ in range(rounds):
                for label, (contend, submissions) in contenders.items():
                    started = time.perf_counter()
                    contend()
                    seconds[label].append((time.perf_counter() - started) / submissions)
        console.print(table(name, rounds, students, seconds))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    console.print(f"Largest process of all: {peak:.0f} MiB resident.")


def table(name: str, rounds: int, students: int, seconds: dict[str, list[float]]) -> Table:
    grid = Table(
        title=f"{name}: seconds per submission, median of {rounds}; {students} submissions a batch",
        title_justify="left",
    )
    for heading in ("", "median", "lowest", "highest", "to the script", "to nbgrader"):
        grid.add_column(heading, justify="left" if not heading else "right")
    median = {label: statistics.median(found) for label, found in seconds.items()}
    for label, found in seconds.items():
        ratios = [f"{median[label] / median[other]:.2f}" for other in ("plain script", "nbgrader autograde")]
        grid.add_row(label, f"{median[label]:.2f}", f"{min(found):.2f}", f"{max(found):.2f}", *ratios)
    return grid


def prepare(course: Course, name: str, students: int, folder: Path) -> dict[str, tuple[Callable[[], None], int]]:
    """What each contender runs, and how many submissions that is."""
    environment = {
        **os.environ,
        **ONE_THREAD,
        **REPRODUCIBLE,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "MPLBACKEND": "agg",
    }
    notebook = reference(course.root / "source" / name / f"{name}.ipynb")
    script, alone = folder / "script.py", folder / "alone.ipynb"
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    script.write_text("\n\n".join(code), encoding="utf-8")
    alone.write_text(json.dumps(notebook), encoding="utf-8")
    for path in course.assignment(name).data:
        shutil.copy(path, folder)
    gradebook = folder / "nbgrader"
    for kind in ("source", "release"):
        shutil.copytree(course.root / kind / name, gradebook / kind / name)
    for student in range(students):
        for root in (folder / "class", gradebook / "submitted"):
            path = root / f"student{student}" / name / f"{name}.ipynb"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(notebook), encoding="utf-8")
    generate = ["nbgrader", "generate_assignment", name, "--create", "--force"]
    run(generate, gradebook, environment)
    grade = [
        sys.executable,
        "-I",
        "-m",
        "autograder",
        "grade",
        str(folder / "class"),
        "--json",
        "--course",
        str(course.root),
    ]
    commands: dict[str, tuple[list[Any], Path, int]] = {
        "plain script": ([sys.executable, script], folder, 1),
        "papermill alone": (
            [sys.executable, "-m", "papermill", alone, folder / "out.ipynb", "--no-progress-bar"],
            folder,
            1,
        ),
        "nbgrader autograde": (["nbgrader", "autograde", name, "--force", "--create"], gradebook, students),
        "autograder --cold, 1 worker": ([*grade, "--workers", "1", "--cold"], folder, students),
        "autograder, 1 worker": ([*grade, "--workers", "1"], folder, students),
        "autograder, 2 workers": ([*grade, "--workers", "2"], folder, students),
    }
    return {
        label: (partial(run, command, place, environment), number)
        for label, (command, place, number) in commands.items()
    }


def run(command: list[Any], folder: Path, environment: dict[str, str]) -> None:
    outcome = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if outcome.returncode:
        raise SystemExit(f"{command[0]} failed:\n{outcome.stderr[-2000:]}")


if __name__ == "__main__":
    typer.run(main)
