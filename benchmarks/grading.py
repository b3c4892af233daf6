"""Seconds per submission: this grader beside otter-grader, nbgrader, papermill and the plain script, in one run.

    make benchmark       (or: python benchmarks/grading.py 09_echo --rounds 3 --students 2 --write)

Each row is the median of several rounds over the same references; the rounds of all contenders take turns, so that a
slow minute of the machine hits all. One thread each. A batch's start is part of it, and shared by its submissions.
otter-grader is measured where `--otter` says that its command is (it is no dependency of this project): with the
visible checks as its tests.
"""

import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from figures import FIGURES, measured, write
from rich.console import Console
from rich.table import Table

from autograder.authoring.release import reference
from autograder.boxed.reproducible import ONE_THREAD, REPRODUCIBLE
from autograder.course import Assignment, Course
from autograder.submission.notebook import read
from autograder.submission.restoration import restore
from autograder.submission.slicing import Slices

BIN = Path(sys.executable).parent


def main(
    assignments: Annotated[list[str] | None, typer.Argument(help="All of them by default.")] = None,
    rounds: int = 5,
    students: int = 4,
    otter: Path | None = None,
    quick: Annotated[bool, typer.Option(help="Only scripts, nbgrader, and warm boxes.")] = False,
    keep: Annotated[bool, typer.Option("--write", help="Also write the tables into benchmarks/README.md.")] = False,
) -> None:
    """Measure, and print a table an assignment, and one of them all."""
    course = Course.find(Path(__file__).parent)
    console = Console()
    medians: dict[str, dict[str, float]] = {}
    for name in assignments or course.names:
        with tempfile.TemporaryDirectory() as folder:
            contenders = prepare(course, name, students, Path(folder), otter)
            if quick:
                contenders = {label: contenders[label] for label in QUICK}
            seconds: dict[str, list[float]] = {label: [] for label in contenders}
            for _ in range(rounds):
                for label, one in contenders.items():
                    one.before()
                    started = time.perf_counter()
                    one.run()
                    seconds[label].append((time.perf_counter() - started) / one.submissions)
            stages = profile(Path(folder) / "stages.json")
        medians[name] = {label: statistics.median(found) for label, found in seconds.items()}
        console.print(table(name, rounds, students, seconds))
        console.print(stages)
        if keep:
            write(FIGURES, f"{name}, {students} a batch", measured(kept(medians[name])))
            write(FIGURES, f"{name}, {students} a batch, by stage", measured(stages))
    console.print(overview(medians))
    if keep and len(medians) > 1:
        write(FIGURES, "lessons", measured(overview(medians)))


@dataclass(frozen=True)
class Contender:
    """A command that grades so many submissions; `before` makes ready, and is not measured."""

    run: Callable[[], None]
    submissions: int
    before: Callable[[], None] = lambda: None


WHOLE, NEEDED, NBGRADER = "script, all cells", "script, needed cells", "nbgrader autograde"
WARM, TWO = "warm, 1 worker", "warm, 2 workers"
QUICK = (WHOLE, NEEDED, NBGRADER, WARM, TWO)


def table(name: str, rounds: int, students: int, seconds: dict[str, list[float]]) -> Table:
    grid = Table(
        title=f"{name}: seconds per submission, median of {rounds}; {students} submissions a batch",
        title_justify="left",
    )
    for heading in ("", "median", "lowest", "highest", "to all cells", "to needed", "to nbgrader"):
        grid.add_column(heading, justify="right" if heading else "left", no_wrap=not heading)
    median = {label: statistics.median(found) for label, found in seconds.items()}
    for label, found in seconds.items():
        ratios = [f"{median[label] / median[other]:.2f}" for other in (WHOLE, NEEDED, NBGRADER)]
        grid.add_row(label, f"{median[label]:.2f}", f"{min(found):.2f}", f"{max(found):.2f}", *ratios)
    return grid


def kept(median: dict[str, float]) -> Table:
    """What the document keeps of one assignment's figures."""
    grid = Table()
    for heading in ("", "seconds", "to nbgrader"):
        grid.add_column(heading, justify="right" if heading else "left")
    for label, seconds in median.items():
        grid.add_row(label, f"{seconds:.2f}", f"{seconds / median[NBGRADER]:.2f}")
    return grid


def overview(medians: dict[str, dict[str, float]]) -> Table:
    """A row an assignment."""
    grid = Table(title="seconds per submission, medians; the ratios are those of one warm worker", title_justify="left")
    for heading in ("", *QUICK, "to all cells", "to needed", "to nbgrader"):
        grid.add_column(heading, justify="right" if heading else "left", no_wrap=not heading)
    for name, median in medians.items():
        ratios = [f"{median[WARM] / median[other]:.2f}" for other in (WHOLE, NEEDED, NBGRADER)]
        grid.add_row(name, *(f"{median[label]:.2f}" for label in QUICK), *ratios)
    return grid


def profile(kept: Path) -> Table:
    """The stages of the last warm batch on one worker."""
    grid = Table("stage", title="warm, 1 worker, by stage: median of a batch", title_justify="left")
    grid.add_column("seconds", justify="right")
    timings = [one["record"]["timings"] for one in json.loads(kept.read_text(encoding="utf-8"))]
    for stage in timings[0]:
        grid.add_row(stage, f"{statistics.median(one[stage] for one in timings):.3f}")
    return grid


def prepare(course: Course, name: str, students: int, folder: Path, otter: Path | None) -> dict[str, Contender]:
    """What each contender runs, and how many submissions that is."""
    environment = {
        **os.environ,
        **ONE_THREAD,
        **REPRODUCIBLE,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "MPLBACKEND": "agg",
    }
    notebook = reference(course.root / "source" / name / f"{name}.ipynb")
    alone = folder / "alone.ipynb"
    alone.write_text(json.dumps(notebook), encoding="utf-8")
    assignment = course.assignment(name)
    for path in assignment.data:
        shutil.copy(path, folder)
    restored = restore(read(alone), assignment)
    needed = Slices(restored, assignment).needed([exercise.id for exercise in assignment.exercises])
    whole, some = folder / "whole.py", folder / "needed.py"
    whole.write_text("\n\n".join(cell.source for cell in restored.cells), encoding="utf-8")
    some.write_text("\n\n".join(restored.cells[number].source for number in needed), encoding="utf-8")
    gradebook = folder / "nbgrader"
    for kind in ("source", "release"):
        shutil.copytree(course.root / kind / name, gradebook / kind / name)
    for student in range(students):
        for root in (folder / "class", gradebook / "submitted"):
            path = root / f"student{student}" / name / f"{name}.ipynb"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(notebook), encoding="utf-8")
    run(["nbgrader", "generate_assignment", name, "--create", "--force"], gradebook, environment)

    def script(path: Path) -> Contender:
        return Contender(partial(run, [sys.executable, path], folder, environment), 1)

    def ours(*words: str, before: Callable[[], None] = lambda: None, keep: Path | None = None) -> Contender:
        command = [sys.executable, "-I", "-m", "autograder", "grade", folder / "class", "--json"]
        command += ["--course", course.root, "--seed", "1", *words]
        return Contender(partial(run, command, folder, environment, keep), students, before)

    papermill = [sys.executable, "-m", "papermill", alone, folder / "out.ipynb", "--no-progress-bar"]
    contenders = {
        WHOLE: script(whole),
        NEEDED: script(some),
        "papermill alone": Contender(partial(run, papermill, folder, environment), 1),
        NBGRADER: Contender(
            partial(run, ["nbgrader", "autograde", name, "--force", "--create"], gradebook, environment), students
        ),
    }
    if otter:
        contenders["otter run"] = with_otter(otter, assignment, folder, environment)
    kept = folder / "results"
    changes = itertools.count()

    def edit(exercise: str | None) -> None:
        """One more sentence in every submission, and with `exercise` another answer to it, which is as good."""
        for path in (folder / "class").glob("*/*/*.ipynb"):
            book = json.loads(path.read_text(encoding="utf-8"))
            book["cells"][0]["source"] = [f"# {next(changes)}"]
            for cell in book["cells"]:
                if exercise and cell["id"] == exercise:
                    cell["source"] = [*cell["source"], f"\nanother = {next(changes)}\n"]
            path.write_text(json.dumps(book), encoding="utf-8")

    last = assignment.exercises[-1].id
    return contenders | {
        "cold, 1 worker": ours("--workers", "1", "--cold"),
        "warm, 1 worker, every cell": ours("--workers", "1", "--every-cell"),
        WARM: ours("--workers", "1", keep=folder / "stages.json"),
        TWO: ours("--workers", "2"),
        "warm, 1 worker, kept": ours(
            "--workers", "1", "--output", str(kept), before=partial(shutil.rmtree, kept, ignore_errors=True)
        ),
        "one answer changed": ours("--workers", "1", "--output", str(kept), before=partial(edit, last)),
        "only text changed": ours("--workers", "1", "--output", str(kept), before=partial(edit, None)),
        "nothing changed": ours("--workers", "1", "--output", str(kept)),
    }


def with_otter(otter: Path, assignment: Assignment, folder: Path, environment: dict[str, str]) -> Contender:
    """`otter run` on one submission, with the visible checks as tests."""
    place = folder / "otter"
    (place / "tests").mkdir(parents=True)
    for cell in assignment.cells:
        if cell.kind == "check":
            name = str(cell.exercise).replace("-", "_")
            text = "from otter.test_files import test_case\n\nOK_FORMAT = False\n"
            text += f"name = {name!r}\npoints = 1\n\n\n@test_case(points=1, hidden=False)\n"
            text += f"def test_all(env):\n    exec({cell.source!r}, env)\n"
            (place / "tests" / f"{name}.py").write_text(text, encoding="utf-8")
    for path in [*assignment.data, folder / "alone.ipynb"]:
        shutil.copy(path, place)
    environment = {**environment, "PATH": f"{otter.parent}:{environment['PATH']}"}
    run([otter, "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment"], place, environment)
    command = [otter, "run", "--no-logo", "-a", "autograder.zip", "-o", ".", "alone.ipynb"]
    return Contender(partial(run, command, place, environment), 1)


def run(command: list[Any], folder: Path, environment: dict[str, str], keep: Path | None = None) -> None:
    outcome = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if outcome.returncode:
        raise SystemExit(f"{command[0]} failed:\n{outcome.stderr[-2000:]}")
    if keep:
        keep.write_text(outcome.stdout, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
