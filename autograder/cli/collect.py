"""`autograder collect`."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.cli.options import CourseOption, found_course, told_to
from autograder.cli.stopping import err, stop
from autograder.errors import RosterError


def collect(
    roster: Annotated[
        Path,
        typer.Argument(
            metavar="ROSTER", help="A CSV file with the columns student and repository; others are optional."
        ),
    ],
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to put the submissions; `grade` takes this folder.")
    ],
    deadline: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Take the last commit before this time, such as 2026-12-01T23:59+01:00."),
    ] = None,
    tag: Annotated[str | None, typer.Option(help="Take the commit with this tag.")] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="ASSIGNMENT", help="Only this assignment; may be given more than once. Default: all."),
    ] = None,
    server: Annotated[
        str, typer.Option(help="The server of repositories OWNER/NAME. It gets the token.", envvar="GITHUB_SERVER_URL")
    ] = "https://github.com",
    seconds: Annotated[float, typer.Option(min=1, help="How long one fetch may take.")] = 120,
    megabytes: Annotated[int, typer.Option(min=1, help="How large one fetch may be.")] = 200,
    local: Annotated[
        bool, typer.Option("--local", help="Also take repositories that are folders on this machine.")
    ] = False,
    github: Annotated[bool, typer.Option("--github", help="In a GitHub job: write the job summary.")] = False,
    course: CourseOption = None,
) -> None:
    """Fetch the repositories of the students.

    It writes their notebooks to DIR/STUDENT/ASSIGNMENT/NOTEBOOK.ipynb. For private repositories, set AUTOGRADER_TOKEN
    to a token. A second run into the same folder fetches only what is new. DIR/collected.json says which commit
    counted, and when it was seen.

    Exit status: 0 every repository was fetched, 2 wrong usage, 4 some are missing or broken, or hold a notebook
    in another place (the others were fetched).
    """
    from autograder.collection import collect as collection
    from autograder.collection import roster as rosters
    from autograder.collection import summary as collected
    from autograder.collection.git import Git
    from autograder.report.github import Job

    known = found_course(course)
    released = {one.name: one.notebook.read_bytes() for one in known.assignments()}
    unknown = [name for name in only or [] if name not in released]
    if unknown:
        stop(f"There is no assignment `{unknown[0]}`. The course has: {', '.join(released)}.", 2)
    try:
        when = collection.When(_moment(deadline) if deadline else None, tag)
        students = rosters.read(roster, released, local)
    except (ValueError, RosterError) as problem:
        stop(str(problem), 2)
    if (deadline and tag) or (tag and not rosters.is_ref(tag)):
        stop("Give a deadline or a tag, not both, and a tag that git can know.", 2)
    git = Git(server, os.environ.get("AUTOGRADER_TOKEN") or None, local, seconds, megabytes)
    wanted = {name: data for name, data in released.items() if name in (only or released)}
    job = Job() if github else None
    with told_to(job):
        found = list(collection.collect_all(students, folder, when, git, wanted))
        Console(highlight=False).print(collected.table(found))
        err.print(collected.count(found))
    if job:
        job.summarize(collected.job_summary(found))
    raise typer.Exit(4 if any(one.failed or one.misplaced for one in found) else 0)


def _moment(text: str) -> datetime:
    """Raises ValueError with a sentence."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"`{text}` is no time with its zone: write 2026-12-01T23:59+01:00, or with Z for UTC.")
    return moment
