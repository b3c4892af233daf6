"""`autograder new`."""

from typing import Annotated

import typer

from autograder.cli.options import CourseOption, found_course
from autograder.cli.stopping import err, stop
from autograder.errors import CourseError


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Two digits and words, such as 11_trial.")],
    title: Annotated[str | None, typer.Option(help="The lesson's title. Default: made from NAME.")] = None,
    course: CourseOption = None,
) -> None:
    """Write a new lesson that grades at once.

    It has one exercise, with its hidden checks, its answers for the tests, and its row in README.md. Change them
    step by step into your own.

    Exit status: 0 it is written; 1 it cannot be, and nothing is written.
    """
    from autograder.authoring.new_lesson import NEXT, create

    try:
        written = create(found_course(course), name, title)
    except CourseError as problem:
        stop(str(problem), 1)
    err.print("Written:", *(f"  {path}" for path in written), sep="\n", markup=False, soft_wrap=True)
    err.print(NEXT.format(name=name), markup=False, soft_wrap=True)
