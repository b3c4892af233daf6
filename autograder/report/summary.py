"""Results where GitHub shows them: the summary of a job, annotations, one line for a commit's status."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.report.github import Annotation, Job, Level, cell_lines, markdown, status, summary
from autograder.report.wording import OUTCOMES, TURNS, counted, points
from autograder.result import Result

SIGNS = {"earned": "✅", "partial": "🟨", "not_earned": "❌", "could_not_be_graded": "❔"}
BAR = 30  # characters of the longest bar


def tell(job: Job, results: Sequence[Result], files: Sequence[str | None], missing: Sequence[str] = ()) -> None:
    """Write the job's summary and annotations.

    `files` are the notebooks of the results, where GitHub may show an annotation; None: of that one it cannot.
    `missing` names those that have no result.
    """
    annotations = [note for result, file in zip(results, files, strict=True) for note in _annotations(result, file)]
    annotations += [Annotation("error", label, 1, "Not graded", _NOT_GRADED) for label in missing]
    left_out = job.annotate(annotations)
    job.summarize(job_summary(results, missing, left_out))


_NOT_GRADED = "The machine that should have graded it gave no result. What to do: run the job again."


def job_summary(results: Sequence[Result], missing: Sequence[str] = (), left_out: int = 0) -> str:
    """A table of scores, their distribution, and the exercises of each submission, as far as GitHub takes them."""
    head = f"## Marks\n\n{markdown(status_text(results, missing))}\n"
    if any(result.record.get("for_marks") is False for result in results):
        head += "\n**Practice only**: the box was not safe enough to grade for marks.\n"
    if left_out:
        are = "annotation is" if left_out == 1 else "annotations are"
        head += f"\n{left_out} {are} left out, because GitHub shows 10 of each level.\n"
    parts = [f"- {markdown(label)}: {_NOT_GRADED}" for label in missing]
    head_of_table = "\n| student | assignment | points | open | exercises | to look at |\n|---|---|---:|---:|---|---|"
    parts += [head_of_table] if results else []
    parts += [_row(result) for result in results]
    parts += (
        [f"\n{' · '.join(f'{SIGNS[name]} {text.lower()}' for name, text in OUTCOMES.items())}\n"] if results else []
    )
    parts += list(_distributions(results))
    parts += [_details(result) for result in results]
    return summary(head, parts)


def status_text(results: Sequence[Result], missing: Sequence[str] = ()) -> str:
    """At most 140 characters, for a commit's status."""
    if len(results) == 1 and not missing:
        [result] = results
        told = f"{result.assignment or 'unknown'}: {points(result.score)} of {points(result.max_score)} points"
        told += f", {points(result.open_points)} open" if result.open_points else ""
        return status(told + (f"; {len(result.ungraded)} could not be graded" if result.ungraded else ""))
    ungraded = sum(result.score is None for result in results)
    told = f"{counted(len(results) - ungraded, 'submission')} graded"
    told += f", {ungraded} could not be graded" if ungraded else ""
    return status(told + (f", {len(missing)} gave no result" if missing else ""))


def _row(result: Result) -> str:
    trouble = result.message or ", ".join(f"{one.id} ({one.cause})" for one in result.ungraded)
    signs = "".join(SIGNS[exercise.outcome] for exercise in result.exercises)
    return (
        f"| {markdown(result.student, 100)} | {markdown(result.assignment or 'unknown', 60)} "
        f"| {points(result.score)} / {points(result.max_score)} | {points(result.open_points)} "
        f"| {signs} | {markdown(trouble, 200)} |"
    )


def _distributions(results: Sequence[Result]) -> Iterator[str]:
    """How the scores of each assignment are spread: bars of characters, since a summary takes no pictures.

    A score beside which points are open is no share yet, and is left out.
    """
    for name in dict.fromkeys(result.assignment for result in results):
        everybody = [result for result in results if result.assignment == name]
        scored = [result for result in everybody if result.score is not None and not result.open_points]
        if len(scored) < 5:
            continue
        tenths = [min(9, int(10 * (one.score or 0) / (one.max_score or 1))) for one in scored]
        most = max(tenths.count(tenth) for tenth in range(10))
        bars = []
        for tenth in range(10):
            number = tenths.count(tenth)
            bars.append(f"{10 * tenth:3d} % {'█' * round(BAR * number / most):{BAR}} {number}")
        left_out = len(everybody) - len(scored)
        without = f" (without {left_out} with open points)" if left_out else ""
        yield (
            f"\n**{markdown(name)}**, submissions by share of the points{without}\n\n```\n"
            + "\n".join(bars)
            + "\n```\n"
        )


def _details(result: Result) -> str:
    title = f"{markdown(result.student, 100)} · {markdown(result.assignment or 'unknown', 60)}"
    score = f"{points(result.score)} / {points(result.max_score)}"
    score += f", {points(result.open_points)} open" if result.open_points else ""
    lines = [f"\n<details><summary>{title}: {score}</summary>\n"]
    if result.message:
        lines.append(f"{markdown(result.message)}<br>{TURNS.get(result.cause or '', '')}\n")
    lines += [f"> {markdown(note)}\n" for note in result.notes[:20]]
    if result.exercises and not result.message:
        lines.append("| exercise | | points | |\n|---|---|---:|---|")
        lines += [
            f"| {markdown(one.id)} | {SIGNS[one.outcome]} | {points(one.points)} / {points(one.max_points)} "
            f"| {markdown(one.message)}{'<br>' + TURNS[one.cause] if one.cause in TURNS else ''} |"
            for one in result.exercises
        ]
    return "\n".join([*lines, "\n</details>"])


def _annotations(result: Result, file: str | None) -> Iterator[Annotation]:
    """At the answer's line: an error where somebody must act, a warning where points are missing."""
    name = file or f"{result.student}/{result.assignment}"
    if result.message:
        yield Annotation("error", name, 1, f"{result.student}: could not be graded", result.message)
        return
    lines = cell_lines(Path(file)) if file else {}
    for one in result.exercises:
        if one.outcome != "earned":
            level: Level = "error" if one.points is None else "warning"
            title = f"{result.student}: {one.id}, {points(one.points)} of {points(one.max_points)}"
            yield Annotation(level, name, lines.get(one.id, 1), title, one.message)
