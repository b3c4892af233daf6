"""`autograder check`, the one command that students have."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.cli.options import CourseOption, EveryCellOption, found_course, told_to
from autograder.cli.stopping import err, stop
from autograder.errors import CourseError, NotGradable


def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="NOTEBOOK", help="Your notebooks, or the folder with all of them.")
    ],
    seconds: Annotated[float, typer.Option(min=1, help="How long one cell may run.")] = 120,
    github: Annotated[
        bool, typer.Option("--github", help="In a GitHub job: write the job summary, and mark lines of the notebooks.")
    ] = False,
    every_cell: EveryCellOption = False,
    course: CourseOption = None,
) -> None:
    """Check your own notebook.

    It runs your answers here, from the top, with the visible checks as released. In a folder, it skips notebooks that
    you have not begun. This is practice: it runs no hidden checks, and gives no marks.

    Exit status: 0 all visible checks pass, 1 some do not, 2 a notebook cannot be run. With --github, neither an
    exercise that is still open nor a folder that is not begun counts as failed.
    """
    from autograder.report.github import Job
    from autograder.self_check import Options, check_all, tell_github

    console, job = Console(highlight=False), Job() if github else None
    wanted = [path for path in paths if path.exists()] if job else paths
    try:
        with told_to(job):
            found = check_all(
                wanted, found_course(course), Options(seconds, every_cell), console, console if job else err
            )
    except (NotGradable, CourseError) as problem:
        stop(str(problem), 2)
    if job:
        tell_github(found, job)
    if any(one.problem for one in found):
        raise typer.Exit(2)
    raise typer.Exit(int(any(one.wrong if github else not one.complete for one in found)))
