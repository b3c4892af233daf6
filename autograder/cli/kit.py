"""`autograder kit`."""

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.options import CourseOption, found_course
from autograder.cli.stopping import err, stop
from autograder.errors import CourseError, KitError


def kit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or the folder of an older kit.")],
    course: CourseOption = None,
) -> None:
    """Write the repository of the students.

    It is what they start from: notebooks, their part of the grader, a self-check, a README.
    """
    from autograder.authoring.kit import write

    try:
        names = write(found_course(course), folder)
    except (KitError, CourseError) as problem:
        stop(str(problem), 2)
    err.print(f"{len(names)} files in {folder}. Make it a template repository.", markup=False, soft_wrap=True)
