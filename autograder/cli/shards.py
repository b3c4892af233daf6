"""`autograder plan` and `autograder merge`: a class spread over machines, and its results put together."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.cli.options import CourseOption, found_course, told_to
from autograder.cli.stopping import err, need_instructors_tools, stop
from autograder.errors import CourseError, PlanError
from autograder.text import plain


def plan(
    submitted: Annotated[Path, typer.Argument(metavar="CLASS", help="A class, as `collect` writes it.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, for the shards and plan.json.")],
    earlier: Annotated[
        Path | None,
        typer.Option(metavar="RESULTS", help="Earlier results: what has not changed since is not graded again."),
    ] = None,
    most: Annotated[int, typer.Option(min=1, max=256, help="How many machines at most.")] = 20,
    each: Annotated[
        int, typer.Option(min=1, help="How many submissions one machine gets before another is used.")
    ] = 40,
    seed: Annotated[int | None, typer.Option(min=0, help="As in `grade`.")] = None,
    github: Annotated[bool, typer.Option("--github", help="In a GitHub job: write the output `shards`.")] = False,
    course: CourseOption = None,
) -> None:
    """Spread a class over machines.

    DIR/0, DIR/1, ... are classes for `grade`, with what is not graded yet. Put their results in NEW/results-0,
    NEW/results-1, ... for `merge`.

    Exit status: 0 planned, 2 wrong usage, 4 some notebooks are in no folder STUDENT/ASSIGNMENT, or in one with nearly
    an assignment's name (the others were planned).
    """
    need_instructors_tools()
    from autograder.batch import shards
    from autograder.report.github import Job, markdown, summary
    from autograder.seed import course_seed

    job = Job() if github else None
    lost: list[str] = []
    try:
        drawn = course_seed() if seed is None else seed
        planned = shards.plan(submitted, folder, found_course(course), drawn, earlier, most, each, lost.append)
    except (ValueError, OSError, PlanError, CourseError) as problem:
        stop(str(problem), 2)
    numbers = sorted({one.shard for one in planned if one.shard is not None})
    unchanged = sum(one.shard is None for one in planned)
    err.print(f"{len(planned) - unchanged} submissions to grade in {len(numbers)} shards, {unchanged} unchanged.")
    if job:
        job.output(shards=numbers)
        if lost:
            job.summarize(summary("## Not where they belong\n", [f"- {markdown(sentence)}" for sentence in lost]))
    with told_to(job):
        for sentence in lost:
            err.print(plain(sentence), style="red", markup=False)
    raise typer.Exit(4 if lost else 0)


def merge(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="The file plan.json that `plan` wrote.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The folder with results-0, results-1, ...")],
    output: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write results and feedback pages.")],
    earlier: Annotated[Path | None, typer.Option(metavar="RESULTS", help="As in `plan`.")] = None,
    github: Annotated[
        bool,
        typer.Option("--github", help="In a GitHub job: write the job summary, annotations and the output `status`."),
    ] = False,
) -> None:
    """Put the results of many machines together.

    This runs no student's code.

    Exit status: 0 every submission has a result, 1 some have none, or the grader failed on them: grade them again.
    """
    need_instructors_tools()
    from autograder.batch import shards
    from autograder.report import summary, terminal
    from autograder.report.github import Job

    job = Job() if github else None
    try:
        merged = shards.merge(plan_file, new, output, earlier)
    except (OSError, PlanError) as problem:
        stop(str(problem), 2)
    with told_to(job):
        for table in terminal.tables(merged.results):
            Console(highlight=False).print(table)
        for label in merged.missing:
            err.print(f"{plain(label)}: no result. Grade it again.", style="red", markup=False)
    if job:
        summary.tell(job, merged.results, [None] * len(merged.results), merged.missing)
        job.output(status=summary.status_text(merged.results, merged.missing))
    failed = merged.missing or any(result.grader_failed for result in merged.results)
    raise typer.Exit(1 if failed else 0)
