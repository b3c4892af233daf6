"""Results on the terminal."""

import re
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from autograder.report.page import headline
from autograder.report.wording import OUTCOMES, points
from autograder.result import CommonCause, Result, Shown, causes
from autograder.text import plain

COLOURS = {"earned": "green", "partial": "yellow", "not_earned": "red", "could_not_be_graded": "magenta"}
SHADES = " ░▒▓█"
SIGNS = {"earned": "✓", "partial": "◐", "not_earned": "✗", "could_not_be_graded": "–"}


def tables(results: Sequence[Result]) -> Iterator[Table]:
    """A table per assignment."""
    for assignment in dict.fromkeys(result.assignment for result in results):
        yield _table(assignment, [result for result in results if result.assignment == assignment])


def _table(assignment: str | None, results: Sequence[Result]) -> Table:
    """One row per submission: points, a sign per exercise, and what somebody should look at."""
    many = "1 submission" if len(results) == 1 else f"{len(results)} submissions"
    title = f"{escape(plain(assignment or 'unknown assignment', 40))} · {many}"
    grid = Table(
        title=title, title_style="bold", title_justify="left", header_style="dim", box=SIMPLE_HEAD, expand=True
    )
    grid.add_column("student", no_wrap=True, max_width=24)
    grid.add_column("points", justify="right", no_wrap=True)
    grid.add_column("open", justify="right", no_wrap=True)
    grid.add_column("exercises", no_wrap=True)
    grid.add_column("could not be graded", ratio=1)
    for result in results:
        grid.add_row(
            escape(plain(result.student, 40)),
            f"{points(result.score)} / {points(result.max_score)}",
            points(result.open_points),
            " ".join(f"[{COLOURS[e.outcome]}]{SIGNS[e.outcome]}[/]" for e in result.exercises),
            escape(plain(_trouble(result), 300)),
        )
    return grid


def legend() -> str:
    """What the signs of `tables` mean, as one line in rich's markup."""
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
        found = causes(exercise.checks) if exercise.outcome in {"partial", "not_earned"} else []
        if not any(cause.finding.in_parts for cause in found):
            for line in plain(exercise.message).splitlines():
                console.print(f"    {escape(line)}")
            continue
        for cause in found:
            console.print(Padding(_cause(cause), (0, 0, 1, 4)))
    still = f", {points(result.open_points)} open" if result.open_points else ""
    console.print(f"[bold]{points(result.score)} of {points(result.max_score)} points{still}[/]")


def _cause(cause: CommonCause) -> Table:
    """One cause: labels at the left, their texts at the right."""
    finding = cause.finding
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    grid.add_row("[red]✗[/]", f"[bold]{_safe(cause.title)}[/]")
    grid.add_row("", _safe(headline(finding)))
    if finding.call:
        grid.add_row("called", _safe(finding.call))
    if finding.found and finding.expected:
        grid.add_row("came back", _value(finding.found, True))
        grid.add_row("expected", _value(finding.expected, False))
    for label, text in (("likely", finding.mistake), ("next", finding.step), ("read", finding.read)):
        if text:
            grid.add_row(label, f"[bold]{_safe(text)}[/]" if label == "likely" else _safe(text))
    for number, text in enumerate(cause.others):
        grid.add_row("also causes" if number == 0 else "", _safe(text))
    return grid


def _value(shown: Shown, marked: bool) -> Table | str:
    """An array as aligned numbers, with the differences marked; a long series as shades."""
    if shown.cells:
        grid = Table.grid(padding=(0, 1))
        for _ in range(len(shown.columns) + 1):
            grid.add_column(justify="right", no_wrap=True)
        for line, row in enumerate(shown.cells):
            marks = shown.differs[line] if shown.differs else "." * len(row)
            label = f"[dim]{_safe(shown.rows[line])}[/]" if shown.rows[line] else ""
            sign = "≠" if marked else ""
            cells = (f"[bold]{sign}{_safe(c)}[/]" if m == "x" else _safe(c) for c, m in zip(row, marks, strict=True))
            grid.add_row(label, *cells)
        return grid
    if shown.shades:
        low, high = shown.scale or ("", "")
        size = f"numbers from {_safe(low)} to {_safe(high)}, of shape {shown.shape}"
        if len(shown.shades) > 1:
            return f"{size}; the page has a picture of them"
        strip = "".join(SHADES[int(shade) // 2] if shade.isdigit() else "?" for shade in shown.shades[0])
        return f"{strip}\n[dim]{size}[/]"
    return _safe(shown.text)


def _safe(text: str) -> str:
    return escape(plain(text))


def _trouble(result: Result) -> str:
    if result.message:
        return re.split(r"(?<=\.)\s", result.message)[0]  # the whole of it is on the page
    return ", ".join(f"{exercise.id} ({exercise.cause})" for exercise in result.ungraded)
