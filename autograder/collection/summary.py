"""What a collection found, on the terminal and in the summary of a job."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from autograder.collection.collect import Collected, told
from autograder.report.github import markdown, summary
from autograder.text import plain

COLOURS = {"collected": "green", "unchanged": "dim", "nothing": "yellow", "missing": "red", "broken": "red"}


def table(found: Sequence[Collected]) -> Table:
    """One row a student, for a terminal."""
    grid = Table(header_style="dim", box=SIMPLE_HEAD, expand=True)
    grid.add_column("student", no_wrap=True, max_width=24)
    grid.add_column("collection", no_wrap=True)
    grid.add_column("commit", no_wrap=True)
    grid.add_column("notebooks", justify="right", no_wrap=True)
    grid.add_column("to know", ratio=1)
    for one in found:
        colour = COLOURS[one.outcome]
        grid.add_row(
            escape(one.student),
            f"[{colour}]{one.outcome}[/]",
            (one.commit or "–")[:10],
            str(len(one.notebooks)),
            escape(plain(told(one), 500)),
        )
    return grid


def count(found: Sequence[Collected]) -> str:
    """How many of each outcome, in words."""
    counted = {name: sum(one.outcome == name for one in found) for name in COLOURS}
    return ", ".join(f"{number} {name}" for name, number in counted.items() if number) + "."


def job_summary(found: Sequence[Collected]) -> str:
    """All that need somebody's eyes, and of the others their number."""
    rows = [
        f"| {markdown(one.student)} | {one.outcome} | {(one.commit or '–')[:10]} | {markdown(told(one), 500)} |"
        for one in found
        if one.failed or told(one)
    ]
    head = f"## Collection\n\n{count(found)}\n"
    if rows:
        head += "\n| student | collection | commit | to know |\n|---|---|---|---|"
    return summary(head, rows)
