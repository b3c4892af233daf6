"""`autograder regrade`."""

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.options import CourseOption, WorkersOption, found_course
from autograder.cli.stopping import err, need_instructors_tools, stop
from autograder.errors import Refused


def regrade(
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORD", help="Files result.json, or folders that hold them.")
    ],
    notebook: Annotated[
        Path | None, typer.Option("--notebook", metavar="FILE", help="Where the submission of a single record is now.")
    ] = None,
    workers: WorkersOption = None,
    course: CourseOption = None,
) -> None:
    """Regrade from what results record.

    The command shows whether marks and messages come out the same. It names what has changed since: the submission,
    the checks, versions.

    Exit status: 0 all the same, 1 some are not, 2 a record cannot be used, 3 no box, or not closed enough.
    """
    need_instructors_tools()
    from autograder.batch import regrade as again
    from autograder.batch.workers import workers_for
    from autograder.box import Limits

    try:
        status = again.run(records, notebook, workers or workers_for(Limits()), found_course(course), err)
    except Refused as refusal:
        stop(str(refusal), refusal.status)
    raise typer.Exit(status)
