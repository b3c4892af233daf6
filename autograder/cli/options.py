"""What several commands have in common: options, and what these mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.stopping import stop
from autograder.course import Course
from autograder.errors import CourseError
from autograder.report.github import Job, fenced

EveryCellOption = Annotated[
    bool, typer.Option("--every-cell", help="Run also the cells that no exercise depends on: the experiments.")
]
CourseOption = Annotated[
    Path | None,
    typer.Option(
        "--course", metavar="DIR", help="The course's repository. Default: the one around this program, or around here."
    ),
]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="How many at a time. Default: what cores and memory allow.")
]
NamesArgument = Annotated[list[str] | None, typer.Argument(metavar="ASSIGNMENT", help="Default: all.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print a JSON list on standard output, and nothing else.")]


def found_course(folder: Path | None) -> Course:
    """The course that `--course` names; None is the one around the program or the working folder. Stops without one."""
    try:
        return Course.find(folder)
    except CourseError as problem:
        stop(str(problem), 2)


@contextmanager
def told_to(job: Job | None) -> Iterator[None]:
    """In a GitHub job, what is printed within is plain text to its runner; None is no job."""
    if job is None:
        yield
    else:
        with fenced():
            yield
