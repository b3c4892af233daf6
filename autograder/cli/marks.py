"""`autograder marks` and `autograder mark`: what a term comes to, and a person's word."""

import getpass
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.cli.options import CourseOption, found_course
from autograder.cli.stopping import stop
from autograder.desk.word.words import Kind
from autograder.errors import CourseError, DeskError

ResultsArgument = Annotated[Path, typer.Argument(metavar="RESULTS", help="The folder that `grade --output` wrote.")]
WordsOption = Annotated[
    Path | None, typer.Option("--words", metavar="FILE", help="People's words. Default: marks.toml in the course.")
]


def marks(
    results: ResultsArgument,
    student: Annotated[str | None, typer.Option(metavar="NAME", help="Show this student's way, step by step.")] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="FILE", help="The rules. Default: course.toml in the course.")
    ] = None,
    words: WordsOption = None,
    collected: Annotated[
        Path | None, typer.Option(metavar="CLASS", help="What `collect` laid out: it knows when commits were made.")
    ] = None,
    course: CourseOption = None,
) -> None:
    """Show each student's marks and grade, by the rules of course.toml and the words of marks.toml.

    Nothing is graded and no code of a student runs: a changed rule or word counts at once.

    Exit status: 0 shown; 2 a file cannot be used, with the line.
    """
    from autograder.desk import tables, term

    found = found_course(course)
    try:
        standing = term.standing(found, results, rules, words, datetime.now(UTC), collected)
        console = Console(highlight=False)
        if student is None:
            console.print(tables.of_class(standing))
        else:
            for table in tables.of_student(standing, student):
                console.print(table)
    except (DeskError, CourseError) as problem:
        stop(str(problem), 2)


def mark(
    student: Annotated[str, typer.Argument(metavar="STUDENT")],
    assignment: Annotated[str, typer.Argument(metavar="ASSIGNMENT")],
    exercise: Annotated[str | None, typer.Argument(metavar="EXERCISE", help="Default: the whole assignment.")] = None,
    points: Annotated[float | None, typer.Option(help="In place of what the grader found; needs --reason.")] = None,
    extra: Annotated[float | None, typer.Option(help="On top, also above the maximum; may be below 0.")] = None,
    comment: Annotated[str, typer.Option(help="For the student.")] = "",
    flag: Annotated[bool, typer.Option("--flag", help="Somebody should look at it again.")] = False,
    excuse: Annotated[bool, typer.Option("--excuse", help="The assignment does not count for this student.")] = False,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], help="The student's own deadline, in the course's zone."
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; kept with the word.")] = "",
    by: Annotated[str, typer.Option(help="Who says it. Default: this user.")] = "",
    words: WordsOption = None,
    course: CourseOption = None,
) -> None:
    """Write a person's word into marks.toml: it survives every grading.

    Exit status: 0 written; 2 it cannot be, and nothing was written.
    """
    from autograder.desk import term

    found = found_course(course)
    said: dict[Kind, object] = {
        "points": points,
        "extra": extra,
        "comment": comment,
        "flag": flag,
        "excuse": excuse,
        "extension": until,
    }
    try:
        path = term.say(found, words, (student, assignment, exercise), said, reason, by or getpass.getuser(),
                        datetime.now(UTC))  # fmt: skip
    except (DeskError, CourseError) as problem:
        stop(str(problem), 2)
    Console().print(f"Written to {json.dumps(str(path), ensure_ascii=False)}.", markup=False, highlight=False)
