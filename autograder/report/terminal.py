"""Results on the terminal."""

import re
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograder.report.page import OUTCOMES, points
from autograder.result import Result
from autograder.text import plain

COLOURS = {"earned": "green", "partial": "yellow", "not_earned": "red", "could_not_be_graded": "magenta"}
SIGNS = {"earned": "✓", "partial": "◐", "not_earned": "✗", "could_not_be_graded": "–"}


def tables(results: Sequence[Result]) -> Iterator[Table]:
    """A table an assignment."""
    for assignment in dict.fromkeys(result.assignment for result in results):
        yield _table(assignment, [result for result in results if result.assignment == assignment])


def _table(assignment: str | None, results: Sequence[Result]) -> Table:
    """One row a submission: points, a sign an exercise, and what needs somebody's eyes."""
    many = "1 submission" if len(results) == 1 else f"{len(results)} submissions"
    title = f"{escape(plain(assignment or 'unknown assignment', 40))} · {many}"
    grid = Table(
        title=title, title_style="bold", title_justify="left", header_style="dim", box=SIMPLE_HEAD, expand=True
    )
    grid.add_column("student", no_wrap=True, max_width=24)
    grid.add_column("points", justify="right", no_wrap=True)
    grid.add_column("exercises", no_wrap=True)
    grid.add_column("could not be graded", ratio=1)
    for result in results:
        grid.add_row(
            escape(plain(result.student, 40)),
            f"{points(result.score)} / {points(result.max_score)}",
            " ".join(f"[{COLOURS[e.outcome]}]{SIGNS[e.outcome]}[/]" for e in result.exercises),
            escape(plain(_trouble(result), 300)),
        )
    return grid


def legend() -> str:
    return "   ".join(f"[{COLOURS[name]}]{SIGNS[name]}[/] {text.lower()}" for name, text in OUTCOMES.items())


def details(console: Console, result: Result) -> None:
    """One submission, exercise by exercise."""
    console.print(f"[bold]{escape(plain(result.student, 60))}[/] · {escape(plain(result.assignment or 'unknown', 60))}")
    if result.message:
        console.print(escape(plain(result.message)))
        return
    for note in result.notes:
        console.print(f"[dim]{escape(plain(note, 400))}[/]")
    for exercise in result.exercises:
        colour = COLOURS[exercise.outcome]
        console.print(
            f"[{colour}]{SIGNS[exercise.outcome]} {OUTCOMES[exercise.outcome]}[/]  [bold]{exercise.id}[/]  "
            f"{points(exercise.points)} / {points(exercise.max_points)}"
        )
        for line in plain(exercise.message).splitlines():
            console.print(f"    {escape(line)}")
    console.print(f"[bold]{points(result.score)} of {points(result.max_score)} points[/]")


def _trouble(result: Result) -> str:
    if result.message:
        return re.split(r"(?<=\.)\s", result.message)[0]  # the whole of it is on the page
    return ", ".join(f"{exercise.id} ({exercise.cause})" for exercise in result.ungraded)
