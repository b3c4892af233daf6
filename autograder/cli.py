"""The commands, and nothing else: each says what it does, calls one function and ends with a status.

Exit status of `grade`: 0 every submission got a result, whatever the marks; 1 the grader itself failed
on some (cause `grader` or `box`); 2 wrong usage, or nothing to grade; 3 no box, or one that is not closed
enough; 4 some of the paths held no submission (the others were graded); 5 with --verify, a result does not
come out the same; 130 interrupted.
"""

import contextlib
import os
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console

from autograder.course import Course
from autograder.errors import CourseError, KitError, NotGradable, PlanError, Refused, ReleaseError, RosterError
from autograder.text import plain

app = typer.Typer(
    help="Grade the course's notebooks without trusting them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
err = Console(stderr=True, highlight=False)

CourseOption = Annotated[
    Path | None,
    typer.Option("--course", metavar="DIR", help="The course's repository; by default the one around here."),
]


@app.command()
def grade(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", help="Notebooks, folders of submissions, or classes STUDENT/ASSIGNMENT/NOTEBOOK.ipynb."
        ),
    ],
    json: Annotated[
        bool, typer.Option("--json", help="Print a JSON list on standard output, and nothing else there.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="DIR", help="Keep results and feedback pages here, as they finish."),
    ] = None,
    feedback: Annotated[
        Literal["now", "after", "staff"],
        typer.Option(help="Whom feedback.html is for: a student now, or after the deadline, or staff."),
    ] = "now",
    workers: Annotated[
        int | None, typer.Option(min=1, help="How many at a time; by default as cores and memory allow.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Draws the hidden inputs; by default this machine's own secret one.")
    ] = None,
    training_seed: Annotated[int, typer.Option(min=0, help="The notebooks' SEED.")] = 2026,
    cell_seconds: Annotated[float, typer.Option(min=1, help="How long one cell may run.")] = 60,
    call_seconds: Annotated[float, typer.Option(min=1, help="How long one call of a function may take.")] = 20,
    total_seconds: Annotated[float, typer.Option(min=1, help="How long one submission may take.")] = 600,
    allow_weak_box: Annotated[
        bool,
        typer.Option(
            "--allow-weak-box", help="Grade although protections are missing; every result then says practice."
        ),
    ] = False,
    cache: Annotated[
        bool,
        typer.Option(" /--no-cache", help="Also grade anew what --output already has, unchanged, from an earlier run."),
    ] = True,
    earlier: Annotated[
        Path | None,
        typer.Option(metavar="RESULTS", help="Take over from these earlier results as well as from those in --output."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Grade all anew, and show that earlier results come out the same.")
    ] = False,
    every_cell: Annotated[
        bool, typer.Option("--every-cell", help="Run also the cells that no exercise depends on.")
    ] = False,
    cold: Annotated[
        bool, typer.Option("--cold", help="Start every box anew, in place of a fork of a process that is warm.")
    ] = False,
    github: Annotated[
        bool, typer.Option("--github", help="In a GitHub job: also write its summary, and annotations.")
    ] = False,
    course: CourseOption = None,
) -> None:
    """Grade submissions. Killed or interrupted, the same command goes on where it was.

    Exit status: 0 every submission got a result, whatever the marks; 1 the grader itself failed on some;
    2 wrong usage or nothing to grade; 3 no box, or not closed enough; 4 some paths held no submission.
    """
    _need_instructors_tools()
    from autograder.batch.grade import Request, run
    from autograder.box import Limits
    from autograder.report import summary
    from autograder.report.github import Job, fenced

    if verify and output is None and earlier is None:
        _stop("--verify compares with what --output or --earlier has from an earlier run: say where that is.", 2)
    limits = Limits(cell_seconds=cell_seconds, call_seconds=call_seconds, total_seconds=total_seconds)
    request = Request(
        paths, limits, workers, seed, training_seed, output, json, allow_weak_box,
        cache=cache, verify=verify, every_cell=every_cell, earlier=earlier, cold=cold, feedback=feedback,
    )  # fmt: skip
    job = Job() if github else None
    try:
        with fenced() if job else contextlib.nullcontext():
            status, found = run(request, _course(course), err)
        if job:
            files = [_beside(path) for path, _ in found]
            summary.tell(job, [result for _, result in found], files)
    except Refused as refusal:
        _stop(str(refusal), refusal.status)
    except CourseError as problem:
        _stop(str(problem), 2)
    except KeyboardInterrupt:
        _stop("Interrupted. What was finished is kept." if output else "Interrupted.", 130)
    raise typer.Exit(status)


@app.command()
def regrade(
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORD...", help="Files result.json, or folders in which they lie.")
    ],
    notebook: Annotated[
        Path | None, typer.Option("--notebook", metavar="FILE", help="Where a single record's submission lies now.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="How many at a time; by default as cores and memory allow.")
    ] = None,
    course: CourseOption = None,
) -> None:
    """Grade again from results' own records, and show whether marks and messages come out the same.

    What has changed since (the submission, the checks, versions) is named. Exit status: 0 all the same,
    1 some are not, 2 a record cannot be used, 3 no box, or not closed enough.
    """
    _need_instructors_tools()
    from autograder.batch import regrade as again
    from autograder.batch.workers import workers_for
    from autograder.box import Limits

    try:
        status = again.run(records, notebook, workers or workers_for(Limits()), _course(course), err)
    except Refused as refusal:
        _stop(str(refusal), refusal.status)
    raise typer.Exit(status)


@app.command()
def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="NOTEBOOK...", help="Your notebooks, or the folder with all of them.")
    ],
    seconds: Annotated[float, typer.Option(min=1, help="How long one cell may run.")] = 120,
    github: Annotated[
        bool, typer.Option("--github", help="In a GitHub job: also write its summary, and mark lines of the notebooks.")
    ] = False,
    every_cell: Annotated[
        bool, typer.Option("--every-cell", help="Run the cells as well that no answer needs: the experiments.")
    ] = False,
    course: CourseOption = None,
) -> None:
    """Check your own notebook: runs your answers here, from the top, with the visible checks as released.

    Of a folder, notebooks that are not begun are passed over. Practice only: the hidden checks, and the
    marks, are the course's. Exit status: 0 all visible checks pass, 1 some do not, 2 a notebook cannot be run.
    With --github an exercise that is still open does not count as failed, nor does a folder not begun.
    """
    from autograder.report.github import Job, fenced
    from autograder.self_check import Options, check_all, tell_github

    console, options = Console(highlight=False), Options(seconds, every_cell)
    try:
        if github:
            job = Job()
            with fenced():
                there = [path for path in paths if path.exists()]
                found = check_all(there, _course(course), options, console, console)
            tell_github(found, job)
        else:
            found = check_all(paths, _course(course), options, console, err)
    except (NotGradable, CourseError) as problem:
        _stop(str(problem), 2)
    if any(one.problem for one in found):
        raise typer.Exit(2)
    raise typer.Exit(int(any(one.wrong if github else not one.complete for one in found)))


@app.command()
def kit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or that of an older kit.")],
    course: CourseOption = None,
) -> None:
    """Write the repository that students start from: notebooks, their part of the grader, a self-check, a README."""
    _need_the_course()
    from autograder.authoring.kit import write

    try:
        names = write(_course(course), folder)
    except (KitError, CourseError) as problem:
        _stop(str(problem), 2)
    err.print(f"{len(names)} files in {folder}. Make it a template repository.", markup=False, soft_wrap=True)


@app.command()
def collect(
    roster: Annotated[
        Path, typer.Argument(metavar="ROSTER", help="A CSV file: student, repository, and if wanted more.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where submissions go, to be graded from there.")],
    deadline: Annotated[
        str | None, typer.Option(metavar="TIME", help="The last commit before it counts: 2026-12-01T23:59+01:00.")
    ] = None,
    tag: Annotated[str | None, typer.Option(help="The commit with this tag counts.")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="ASSIGNMENT", help="By default all.")] = None,
    server: Annotated[
        str, typer.Option(help="Where OWNER/NAME is, and who gets the token.", envvar="GITHUB_SERVER_URL")
    ] = "https://github.com",
    seconds: Annotated[float, typer.Option(min=1, help="How long one fetch may take.")] = 120,
    megabytes: Annotated[int, typer.Option(min=1, help="How large one fetch may be.")] = 200,
    local: Annotated[bool, typer.Option("--local", help="Also take repositories that are folders here.")] = False,
    github: Annotated[bool, typer.Option("--github", help="In a GitHub job: also write its summary.")] = False,
    course: CourseOption = None,
) -> None:
    """Fetch each student's repository, and lay out their notebooks as STUDENT/ASSIGNMENT/NOTEBOOK.ipynb.

    A token, where repositories are private, comes by AUTOGRADER_TOKEN. Again into the same folder, only what
    is new is fetched. DIR/collected.json says which commit counted, and when it was seen.

    Exit status: 0 every repository was fetched, 2 wrong usage, 4 some are missing or broken (the others were fetched).
    """
    _need_the_course()
    from autograder.collection import collect as collection
    from autograder.collection import roster as rosters
    from autograder.collection import summary as collected
    from autograder.collection.git import Git
    from autograder.report.github import Job, fenced

    known = _course(course)
    released = {one.name: one.notebook.read_bytes() for one in known.assignments()}
    unknown = [name for name in only or [] if name not in released]
    if unknown:
        _stop(f"There is no assignment `{unknown[0]}`. The course has: {', '.join(released)}.", 2)
    try:
        when = collection.When(_moment(deadline) if deadline else None, tag)
        students = rosters.read(roster, released, local)
    except (ValueError, RosterError) as problem:
        _stop(str(problem), 2)
    if (deadline and tag) or (tag and not rosters.is_ref(tag)):
        _stop("Give a deadline or a tag, not both, and a tag that git can know.", 2)
    git = Git(server, os.environ.get("AUTOGRADER_TOKEN") or None, local, seconds, megabytes)
    wanted = {name: data for name, data in released.items() if name in (only or released)}
    job = Job() if github else None
    with fenced() if job else contextlib.nullcontext():
        found = list(collection.collect_all(students, folder, when, git, wanted))
        Console(highlight=False).print(collected.table(found))
        err.print(collected.count(found))
    if job:
        job.summarize(collected.job_summary(found))
    raise typer.Exit(4 if any(one.failed for one in found) else 0)


@app.command()
def plan(
    submitted: Annotated[Path, typer.Argument(metavar="CLASS", help="A class as `collect` lays it out.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, for the shards and plan.json.")],
    earlier: Annotated[
        Path | None, typer.Option(metavar="RESULTS", help="What was graded before, and is passed over if unchanged.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, max=256, help="How many machines at most.")] = 20,
    each: Annotated[int, typer.Option(min=1, help="Submissions that one machine takes before there are more.")] = 40,
    seed: Annotated[int | None, typer.Option(min=0, help="As of `grade`.")] = None,
    github: Annotated[bool, typer.Option("--github", help="In a GitHub job: write the output `shards`.")] = False,
    course: CourseOption = None,
) -> None:
    """Spread a class over machines: DIR/0, DIR/1, ... are classes for `grade`, of what is not graded already.

    Their results belong into NEW/results-0, NEW/results-1, ... for `merge`.
    """
    _need_instructors_tools()
    from autograder.batch import shards
    from autograder.report.github import Job
    from autograder.seed import course_seed

    job = Job() if github else None
    try:
        drawn = course_seed() if seed is None else seed
        planned = shards.plan(submitted, folder, _course(course), drawn, earlier, most, each)
    except (ValueError, OSError, PlanError, CourseError) as problem:
        _stop(str(problem), 2)
    numbers = sorted({one.shard for one in planned if one.shard is not None})
    unchanged = sum(one.shard is None for one in planned)
    err.print(f"{len(planned) - unchanged} submissions to grade in {len(numbers)} shards, {unchanged} unchanged.")
    if job:
        job.output(shards=numbers)


@app.command()
def merge(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="plan.json, as `plan` wrote it.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Where results-0, results-1, ... are.")],
    output: Annotated[Path, typer.Argument(metavar="DIR", help="Where results and feedback pages go.")],
    earlier: Annotated[Path | None, typer.Option(metavar="RESULTS", help="As of `plan`.")] = None,
    github: Annotated[
        bool, typer.Option("--github", help="In a GitHub job: also write its summary, annotations, output `status`.")
    ] = False,
) -> None:
    """Put the results of many machines together. Runs nothing of a student's.

    Exit status: 0 every submission has a result, 1 some have none, or the grader failed on them: grade again.
    """
    _need_instructors_tools()
    from autograder.batch import shards
    from autograder.report import summary, terminal
    from autograder.report.github import Job, fenced

    job = Job() if github else None
    try:
        merged = shards.merge(plan_file, new, output, earlier)
    except (OSError, PlanError) as problem:
        _stop(str(problem), 2)
    with fenced() if job else contextlib.nullcontext():
        for table in terminal.tables(merged.results):
            Console(highlight=False).print(table)
        for label in merged.missing:
            err.print(f"{plain(label)}: no result. Grade it again.", style="red", markup=False)
    if job:
        summary.tell(job, merged.results, [None] * len(merged.results), merged.missing)
        job.output(status=summary.status_text(merged.results, merged.missing))
    failed = merged.missing or any(result.grader_failed for result in merged.results)
    raise typer.Exit(1 if failed else 0)


def _beside(path: Path) -> str | None:
    """As GitHub names a file: by its way from where the job runs."""
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else path.name


def _moment(text: str) -> datetime:
    """Raises ValueError with a sentence."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"`{text}` is no time with its zone: write 2026-12-01T23:59+01:00, or with Z for UTC.")
    return moment


@app.command()
def release(
    names: Annotated[list[str] | None, typer.Argument(metavar="[ASSIGNMENT]...", help="By default all.")] = None,
    solutions: Annotated[bool, typer.Option(help="Also execute the references into solutions/.")] = True,
    course: CourseOption = None,
) -> None:
    """Make release/ and solutions/ from source/ anew."""
    _need_instructors_tools()
    from autograder.authoring.release import make

    try:
        make(_course(course), names or [], solutions, err)
    except (ReleaseError, CourseError) as problem:
        _stop(str(problem), 1)


@app.command()
def assess(
    names: Annotated[list[str] | None, typer.Argument(metavar="[ASSIGNMENT]...", help="By default all.")] = None,
    exercise: Annotated[list[str] | None, typer.Option(help="Only this exercise; may be given more than once.")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print a JSON list on standard output, and nothing else there.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="How many processes at a time.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Draws the hidden inputs.")] = 11,
    mutant_seconds: Annotated[
        float, typer.Option(min=0.1, help="How long a mutant may take; then it is stopped, and counts as killed.")
    ] = 20,
    answers: Annotated[bool, typer.Option(help="Examine the answers of tests/answers.")] = True,
    mutants: Annotated[bool, typer.Option(help="Examine mutants of the reference.")] = True,
    course: CourseOption = None,
) -> None:
    """Show how well the checks tell right from wrong: the course's own answers, and mutants of the reference.

    They run here without a box, since they are the course's own: submissions are for `grade`. Exit status:
    0 every right answer earns all, every wrong one and every mutant loses points, and no answer touches another
    exercise; 1 not so; 2 wrong usage.
    """
    _need_instructors_tools("cosmic_ray")
    from autograder.authoring import assess as assessment

    found = _course(course)
    options = assessment.Options(workers, seed, mutant_seconds, answers, mutants, tuple(exercise or ()))
    try:
        assessed = assessment.assess(found, names or found.names, options, err)
    except CourseError as problem:
        _stop(str(problem), 2)
    if json or markdown:
        typer.echo(assessment.as_json(assessed) if json else assessment.as_markdown(assessed))
    else:
        assessment.report(assessed, Console(highlight=False))
    raise typer.Exit(0 if assessment.in_order(assessed) else 1)


@app.command()
def doctor(course: CourseOption = None) -> None:
    """Show the environment, the box and what it protects against.

    Exit status: 0 this machine can grade for marks, 3 it cannot.
    """
    _need_instructors_tools()
    from autograder.doctor import examine_machine

    raise typer.Exit(0 if examine_machine(_course(course), Console(highlight=False)) else 3)


def _need_instructors_tools(*more: str) -> None:
    """A student's environment has what the notebooks need, and no more."""
    _need_the_course()
    missing = [name for name in ("hypothesis", "nbgrader", "pytest", "pyseccomp", *more) if find_spec(name) is None]
    if missing:
        _stop(
            f"This needs the instructor's tools, and {', '.join(missing)} cannot be found: `make grade` sets them up. "
            "To check your own notebook: autograder check NOTEBOOK",
            2,
        )


def _need_the_course() -> None:
    if find_spec("autograder.batch") is None:
        _stop("This is the students' part, which checks and does not grade: autograder check NOTEBOOK", 2)


def _course(folder: Path | None) -> Course:
    try:
        return Course.find(folder)
    except CourseError as problem:
        _stop(str(problem), 2)


def _stop(sentence: str, status: int) -> NoReturn:
    err.print(sentence, style="red", markup=False)
    raise typer.Exit(status)
