"""What a self-check found, on a terminal and where GitHub shows it."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from autograder.report.github import MAX_ANNOTATIONS, Annotation, Job, cell_lines, in_repository, markdown, summary
from autograder.self_check.outcomes import PRACTICE, Checked
from autograder.text import plain


def not_begun(assignment: str, console: Console) -> None:
    """Say that a notebook was passed over."""
    console.print(f"{assignment}: not begun yet", style="dim")


def tell(checked: Checked, console: Console) -> None:
    """What became of each visible check; or why the notebook cannot be run."""
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
    if checked.remembered:
        console.print(
            "Nothing has changed since this notebook was checked: these are the outcomes of then.", style="dim"
        )
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
