"""`autograder assess`."""

from typing import Annotated

import typer
from rich.console import Console

from autograder.cli.options import CourseOption, JsonOption, NamesArgument, found_course
from autograder.cli.stopping import err, need_instructors_tools, stop
from autograder.errors import CourseError


def assess(
    names: NamesArgument = None,
    exercise: Annotated[list[str] | None, typer.Option(help="Only this exercise; may be given more than once.")] = None,
    json: JsonOption = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="How many processes at a time.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Seed for the hidden inputs.")] = 11,
    mutant_seconds: Annotated[
        float,
        typer.Option(min=0.1, help="How long one mutant may run. After that it is stopped, and counts as killed."),
    ] = 20,
    answers: Annotated[bool, typer.Option(help="Examine the answers in tests/answers.")] = True,
    mutants: Annotated[bool, typer.Option(help="Examine mutants of the reference.")] = True,
    course: CourseOption = None,
) -> None:
    """Show how well checks tell right from wrong.

    It tries the course's own answers, and mutants of the reference. All of these are the course's own code, and run
    here without a box; `grade` is for submissions.

    Exit status: 0 every right answer earns all, every wrong one and every mutant loses points, and no answer touches
    another exercise; 1 not so; 2 wrong usage.
    """
    need_instructors_tools("cosmic_ray")
    from autograder.authoring import assess as assessment

    found = found_course(course)
    options = assessment.Options(workers, seed, mutant_seconds, answers, mutants, tuple(exercise or ()))
    try:
        for name in names or []:
            found.assignment(name)  # says which there are
        assessed = assessment.assess(found, names or found.names, options, err)
    except CourseError as problem:
        stop(str(problem), 2)
    if json or markdown:
        typer.echo(assessment.as_json(assessed) if json else assessment.as_markdown(assessed))
    else:
        assessment.report(assessed, Console(highlight=False))
    raise typer.Exit(0 if assessment.in_order(assessed) else 1)
