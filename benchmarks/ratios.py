"""The ratios that the grader is held to, in one run: beside nbgrader, the plain script, and an earlier build.

    python benchmarks/ratios.py --before ../before --write

`--before` is a checkout of an earlier commit with its own `.venv`. All contenders of a row take turns, and a ratio is
that of medians; so it means something on a busy machine, too, where seconds do not.
"""

import json
import re
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from figures import FIGURES, measured, write
from grading import NBGRADER, NEEDED, Contender, prepare, run
from memory import MIB, watch
from rich.console import Console
from rich.table import Table
from scale import CLASS, turns
from scale import table as empty

from autograder.authoring.release import reference
from autograder.course import Course

LIGHT, ECHO = "03_numeric_data", "09_echo"
UNCHANGED: Final = 1000
Task = Callable[[], None]


@dataclass(frozen=True)
class Build:
    """A checkout of the grader with its `.venv`."""

    name: str
    root: Path

    def command(self, folder: Path, workers: int, *words: str) -> list[str]:
        """Grade the class in the folder."""
        python = str(self.root / ".venv/bin/python")
        return [python, "-I", "-m", "autograder", "grade", str(folder), "--json", "--seed", "1", "--course",
                str(self.root), "--workers", str(workers), *words]  # fmt: skip

    def grade(self, folder: Path, workers: int, *words: str) -> Task:
        """A task that does so."""
        return partial(run, self.command(folder, workers, *words), folder, {"PATH": "/usr/bin:/bin"})


def main(
    before: Annotated[Path | None, typer.Option(metavar="FOLDER", help="A checkout of an earlier commit.")] = None,
    rounds: int = 5,
    keep: Annotated[bool, typer.Option("--write", help="Also write the tables into benchmarks/README.md.")] = False,
) -> None:
    """Measure, and print two tables."""
    course = Course.find(Path(__file__).parent)
    builds = [Build("now", course.root), *([Build("before", before.resolve())] if before else [])]
    tables = [seconds(course, builds, rounds), others(course, builds, rounds)]
    for grid in tables:
        Console().print(grid)
    if keep:
        write(FIGURES, "ratios", measured(*tables))


def seconds(course: Course, builds: list[Build], rounds: int) -> Table:
    """Of one submission and of small classes."""
    grid = empty("", "", "seconds for one", "to nbgrader", "to the script", "to before")
    for lesson, students in ((LIGHT, 1), (LIGHT, 12), (ECHO, 3)):
        with tempfile.TemporaryDirectory() as folder:
            there = prepare(course, lesson, students, Path(folder), None)
            contenders = {label: there[label] for label in (NEEDED, NBGRADER)}
            for build in builds:
                for workers in (1, 2)[:students]:
                    task = build.grade(Path(folder, "class"), workers)
                    contenders[f"{build.name} {workers}"] = Contender(task, students)
            found = turns(rounds, {label: one.run for label, one in contenders.items()})
        each = {label: took / contenders[label].submissions for label, took in found.items()}
        for label, took in each.items():
            earlier = each.get(label.replace("now", "before"), 0) if label.startswith("now") else 0
            ratios = [f"{took / each[NBGRADER]:.2f}", f"{took / each[NEEDED]:.2f}"]
            grid.add_row(f"`{lesson}`, {students} a batch: {told(label)}", f"{took:.2f}", *ratios,
                         f"{took / earlier:.2f}" if earlier else "")  # fmt: skip
    return grid


def told(label: str) -> str:
    """A contender's name in the table."""
    found = re.fullmatch(r"(now|before) (\d)", label)
    return f"{found[1]}, {found[2]} worker{'s' if found[2] == '2' else ''}" if found else label


def others(course: Course, builds: list[Build], rounds: int) -> Table:
    """Two workers beside one, what has not changed, and memory."""
    grid = empty("", "", *(build.name for build in builds))
    with tempfile.TemporaryDirectory() as folder:
        forty, thousand, echo = (Path(folder, name) for name in ("forty", "thousand", "echo"))
        hand_in(forty, LIGHT, CLASS, json.dumps(reference(course.root / "source" / LIGHT / f"{LIGHT}.ipynb")))
        hand_in(thousand, LIGHT, UNCHANGED, course.assignment(LIGHT).notebook.read_text(encoding="utf-8"))
        hand_in(echo, ECHO, 3, json.dumps(reference(course.root / "source" / ECHO / f"{ECHO}.ipynb")))
        tasks: dict[tuple[str, str], Task] = {}
        for build in builds:
            tasks |= {(build.name, f"{workers}"): build.grade(forty, workers) for workers in (1, 2)}
            again = build.grade(thousand, 2, "--output", str(Path(folder, build.name)))
            again()
            tasks[build.name, "again"] = again
        found = turns(rounds, tasks)
        names = [build.name for build in builds]
        grid.add_row(f"times that two workers are as fast as one, a class of {CLASS}",
                     *(f"{found[name, '1'] / found[name, '2']:.2f}" for name in names))  # fmt: skip
        grid.add_row("unchanged submissions a second", *(f"{UNCHANGED / found[name, 'again']:.0f}" for name in names))
        peaks = [
            statistics.median(max(watch(build.command(echo, 1), 0.1)[0]) for _ in range(min(rounds, 3)))
            for build in builds
        ]
        grid.add_row(f"MiB of memory at most, `{ECHO}`, one worker", *(f"{peak / MIB:.0f}" for peak in peaks))
    return grid


def hand_in(folder: Path, lesson: str, students: int, text: str) -> None:
    """A class in which everybody hands in the same."""
    for student in range(students):
        path = folder / f"student{student:04}" / lesson / f"{lesson}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
