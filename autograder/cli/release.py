"""`autograder release`."""

from typing import Annotated

import typer

from autograder.cli.options import CourseOption, NamesArgument, found_course
from autograder.cli.stopping import err, need_instructors_tools, stop
from autograder.errors import CourseError, ReleaseError


def release(
    names: NamesArgument = None,
    solutions: Annotated[bool, typer.Option(help="Also run the references, and write them to solutions/.")] = True,
    course: CourseOption = None,
) -> None:
    """Write release/ and solutions/ from source/.

    It asks first whether the lessons keep their rules. Each broken rule is told in a sentence that says what to do.

    Exit status: 0 all of it is written; 1 a rule is broken, or a lesson cannot be made: nothing is written.
    """
    need_instructors_tools()
    from autograder.authoring.release import make

    try:
        make(found_course(course), names or [], solutions, err)
    except (ReleaseError, CourseError) as problem:
        stop(str(problem), 1)
