"""Results on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograder.report.page import OUTCOMES, points
from autograder.result import Result
from autograder.text import plain

COLOURS = {"earned": "green", "partial": "yellow", "not_earned": "red", "could_not_be_graded": "magenta"}
SIGNS = {"earned": "✓", "partial": "◐", "not_earned": "✗", "could_not_be_graded": "–"}


def table(results: Sequence[Result]) -> Table:
    """One row a submission: points, a sign an exercise, and what needs somebody's eyes."""
    grid = Table(title=f"{len(results)} submissions", header_style="bold", title_justify="left")
    grid.add_column("student", overflow="fold")
    grid.add_column("assignment", no_wrap=True)
    grid.add_column("points", justify="right", no_wrap=True)
    grid.add_column("exercises", no_wrap=True)
    grid.add_column("could not be graded", overflow="fold", ratio=1)
    for result in results:
        grid.add_row(
            escape(plain(result.student, 40)),
            escape(plain(result.assignment or "unknown", 40)),
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
        return result.message
    return ", ".join(f"{exercise.id} ({exercise.cause})" for exercise in result.ungraded)
