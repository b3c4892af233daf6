"""How grading grows: with workers, with the size of the class, and with the length of the notebook, in one run.

    make benchmark       (or: python benchmarks/scale.py --rounds 3 --largest 100 --write)

Medians of several rounds that take turns; each batch begins anew, so its start is part of it.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from figures import FIGURES, measured
from figures import write as write_figures
from rich.console import Console
from rich.table import Table

from autograder.authoring.release import reference
from autograder.course import Course

NAME = "03_numeric_data"
CLASS = 40


def main(
    rounds: int = 5,
    largest: int = 1000,
    keep: Annotated[bool, typer.Option("--write", help="Also write the tables into benchmarks/README.md.")] = False,
) -> None:
    """Measure, and print three tables."""
    course, console = Course.find(Path(__file__).parent), Console()
    solved = reference(course.root / "source" / NAME / f"{NAME}.ipynb")
    blank = json.loads(course.assignment(NAME).notebook.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        tables = {
            "workers": workers(Path(folder, "workers"), solved, rounds),
            "classes": classes(Path(folder, "classes"), blank, rounds, largest),
            "lengths": lengths(Path(folder, "lengths"), solved, rounds),
        }
    for part, grid in tables.items():
        console.print(grid)
        if keep:
            write_figures(FIGURES, part, measured(grid))


def workers(folder: Path, solved: Any, rounds: int) -> Table:
    write(folder, [solved] * CLASS)
    found = turns(rounds, {number: partial(grade, folder, "--workers", str(number)) for number in (1, 2)})
    grid = table(f"a class of {CLASS}, {NAME}", "workers", "seconds", "a submission", "times as fast as one worker")
    for number, seconds in found.items():
        grid.add_row(str(number), f"{seconds:.1f}", f"{seconds / CLASS:.2f}", f"{found[1] / seconds:.2f}")
    return grid


def classes(folder: Path, blank: Any, rounds: int, largest: int) -> Table:
    """Submissions that were not begun, graded; and graded before, with nothing changed."""
    sizes = [size for size in (10, 100, 1000) if size <= largest]
    tasks: dict[Any, Callable[[], None]] = {}
    for size in sizes:
        place, kept = folder / f"class{size}", ("--output", str(folder / f"kept{size}"))
        write(place, [blank] * size)
        grade(place, *kept)
        tasks[size, "unchanged"] = partial(grade, place, *kept)
        tasks[size, "not begun"] = partial(grade, place, "--workers", "1")
    found = turns(rounds, tasks)
    grid = table("growth with the class", "submissions", "", "seconds", "a second, the first ten apart")
    for (size, kind), seconds in found.items():
        more = size - sizes[0]
        rate = f"{more / (seconds - found[sizes[0], kind]):.0f}" if more else ""
        grid.add_row(str(size), kind, f"{seconds:.2f}", rate)
    return grid


def lengths(folder: Path, solved: Any, rounds: int) -> Table:
    """With so many cells of the student's own, that nothing depends on, and all of them run."""
    sizes = (0, 100, 400)
    tasks: dict[Any, Callable[[], None]] = {}
    for size in sizes:
        own: list[dict[str, Any]] = [
            {"cell_type": "code", "execution_count": None, "id": f"own{number}", "metadata": {}, "outputs": [],
             "source": f"own{number} = {number}\nprint(own{number})"}
            for number in range(size)
        ]  # fmt: skip
        write(folder / str(size), [{**solved, "cells": [*solved["cells"], *own]}] * 4)
        for words in ((), ("--every-cell",)):
            tasks[size, words] = partial(grade, folder / str(size), "--workers", "1", *words)
    found = turns(rounds, tasks)
    grid = table("growth with the notebook, 4 submissions", "cells more", "", "a submission")
    for (size, words), seconds in found.items():
        grid.add_row(str(size), "all run" if words else "needed ones run", f"{seconds / 4:.2f}")
    return grid


def turns(rounds: int, tasks: dict[Any, Callable[[], None]]) -> dict[Any, float]:
    seconds: dict[Any, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            started = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(found) for name, found in seconds.items()}


def table(title: str, *headings: str) -> Table:
    grid = Table(title=title, title_justify="left")
    for heading in headings:
        grid.add_column(heading, justify="right" if heading else "left")
    return grid


def write(folder: Path, notebooks: Iterable[Any]) -> None:
    for number, notebook in enumerate(notebooks):
        path = folder / f"student{number:04}" / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook), encoding="utf-8")


def grade(folder: Path, *words: str) -> None:
    command = [sys.executable, "-I", "-m", "autograder", "grade", str(folder), "--json", "--seed", "1", *words]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    if run.returncode:
        raise SystemExit(run.stderr[-2000:])


if __name__ == "__main__":
    typer.run(main)
