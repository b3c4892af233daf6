"""`autograder tidy`."""

from typing import Annotated

import typer

from autograder.cli.options import CourseOption, NamesArgument, found_course
from autograder.cli.stopping import err, stop
from autograder.errors import CourseError


def tidy(
    names: NamesArgument = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; say which sources are not in it.")] = False,
    course: CourseOption = None,
) -> None:
    """Write sources in their one form.

    So a difference in git shows what an author changed: no outputs, no counts, no metadata of an editor.

    Exit status: 0 all are in it now; 1 with --check, some are not, or a source is no notebook.
    """
    from autograder.authoring.source_form import tidy as tidied

    try:
        found = tidied(found_course(course), names or [], check)
    except CourseError as problem:
        stop(str(problem), 1)
    for name in found:
        err.print(f"source/{name}/{name}.ipynb" + (" is not in its one form." if check else " is written again."))
    if check and found:
        stop(f"Run: autograder tidy {' '.join(found)}", 1)
