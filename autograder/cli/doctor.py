"""`autograder doctor`."""

import typer
from rich.console import Console

from autograder.cli.options import CourseOption, found_course
from autograder.cli.stopping import need_instructors_tools


def doctor(course: CourseOption = None) -> None:
    """Show the environment and the box.

    It tries what the box protects against.

    Exit status: 0 this machine can grade for marks, 3 it cannot.
    """
    need_instructors_tools()
    from autograder.doctor import examine_machine

    raise typer.Exit(0 if examine_machine(found_course(course), Console(highlight=False)) else 3)
