"""`autograder grade`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from autograder.cli.options import CourseOption, EveryCellOption, JsonOption, WorkersOption, found_course, told_to
from autograder.cli.stopping import err, need_instructors_tools, stop
from autograder.errors import CourseError, Refused
from autograder.seed import TRAINING_SEED


def grade(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH", help="Notebooks, folders of submissions, or classes STUDENT/ASSIGNMENT/NOTEBOOK.ipynb."
        ),
    ],
    json: JsonOption = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="DIR", help="Write results and feedback pages here, as they finish."),
    ] = None,
    feedback: Annotated[
        Literal["now", "after", "staff"],
        typer.Option(help="Who reads feedback.html: a student now, a student after the deadline, or staff."),
    ] = "now",
    workers: WorkersOption = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed for the hidden inputs. Default: this machine's secret seed.")
    ] = None,
    training_seed: Annotated[int, typer.Option(min=0, help="The notebooks' SEED.")] = TRAINING_SEED,
    cell_seconds: Annotated[float, typer.Option(min=1, help="How long one cell may run.")] = 60,
    call_seconds: Annotated[float, typer.Option(min=1, help="How long one call of a function may take.")] = 20,
    total_seconds: Annotated[float, typer.Option(min=1, help="How long one submission may take.")] = 600,
    allow_weak_box: Annotated[
        bool,
        typer.Option(
            "--allow-weak-box",
            help="Grade although protections are missing. Each result then says that it is practice.",
        ),
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Regrade also what has not changed since an earlier run.")
    ] = False,
    earlier: Annotated[
        Path | None,
        typer.Option(metavar="RESULTS", help="Reuse the results in this folder too, besides those in --output."),
    ] = None,
    retry: Annotated[
        Literal["time", "memory"] | None,
        typer.Option(
            help="Grade again, one at a time, what could not be graded because of time, or of memory.",
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Regrade everything, and show whether earlier results come out the same.")
    ] = False,
    every_cell: EveryCellOption = False,
    cold: Annotated[
        bool, typer.Option("--cold", help="Start each box on its own, instead of forking a process that is warm.")
    ] = False,
    github: Annotated[
        bool, typer.Option("--github", help="In a GitHub job: write the job summary and annotations.")
    ] = False,
    course: CourseOption = None,
) -> None:
    """Grade submissions.

    After an interruption, the same command goes on where it stopped.

    Exit status: 0 every submission got a result, whatever the marks; 1 the grader itself failed on some;
    2 wrong usage or nothing to grade; 3 no box, or not closed enough; 4 some paths held no submission,
    or a notebook is not where it belongs; 5 with --verify, a result does not come out the same; 130 interrupted.
    """
    need_instructors_tools()
    from autograder.batch.grade import Request, run
    from autograder.box import Limits
    from autograder.report import summary
    from autograder.report.github import Job, in_repository

    if verify and output is None and earlier is None:
        stop("--verify compares with what --output or --earlier has from an earlier run: say where that is.", 2)
    if retry and output is None and earlier is None:
        stop("--retry grades again what --output or --earlier has from an earlier run: say where that is.", 2)
    if retry and (verify or no_cache or workers):
        stop("--retry grades some results again, one at a time: leave --verify, --no-cache and --workers out.", 2)
    limits = Limits(cell_seconds=cell_seconds, call_seconds=call_seconds, total_seconds=total_seconds)
    request = Request(
        paths, limits, workers, seed, training_seed, output, json, allow_weak_box,
        cache=not no_cache, verify=verify, every_cell=every_cell, earlier=earlier, cold=cold, feedback=feedback,
        retry=frozenset({retry} if retry else ()),
    )  # fmt: skip
    job = Job() if github else None
    try:
        with told_to(job):
            status, found = run(request, found_course(course), err)
        if job:
            files = [in_repository(path) for path, _ in found]
            summary.tell(job, [result for _, result in found], files)
    except Refused as refusal:
        stop(str(refusal), refusal.status)
    except CourseError as problem:
        stop(str(problem), 2)
    except KeyboardInterrupt:
        stop("Interrupted. What was finished is kept." if output else "Interrupted.", 130)
    raise typer.Exit(status)
