"""`autograder grade`: from paths to results, with progress, files and an exit status."""

import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from autograder.batch.cache import LIMITED, holds, reusable, usable
from autograder.batch.pool import Pool
from autograder.batch.workers import grade_all, pool_for, workers_for
from autograder.box import Limits
from autograder.box.sandbox import sweep
from autograder.box.start import Start, beginning
from autograder.course import Course
from autograder.errors import BoxUnavailable, CourseError, NothingThere, Refused
from autograder.report import terminal
from autograder.report.files import Results, as_json
from autograder.report.page import Level
from autograder.report.wording import counted
from autograder.result import Result, differences
from autograder.seed import course_seed, seed_file
from autograder.settings import Settings
from autograder.submission.find import Submission, find_submissions, strays
from autograder.text import plain


@dataclass(frozen=True)
class Request:
    """What the command line asked for.

    `workers` is how many submissions are graded at a time; None: as many as cores and memory allow. `seed` draws the
    hidden inputs; None: this machine's own. Results are kept in `output`; None: nowhere. What `earlier` has is taken
    over as well as what `output` has; None: there is no other. Results with one of the causes `retry` are graded again,
    one at a time.
    """

    paths: list[Path]
    limits: Limits
    workers: int | None
    seed: int | None
    training_seed: int
    output: Path | None
    json: bool
    allow_weak_box: bool
    cache: bool
    verify: bool
    every_cell: bool = False
    earlier: Path | None = None  # where results of an earlier grading are; by default in `output`
    cold: bool = False  # no box is forked
    feedback: Level = "now"
    retry: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Earlier:
    """What an earlier run of the same command, ended or killed, has left: results that hold as a `whole`, and those of
    submissions that have `changed` since, of which some exercises may hold."""

    whole: dict[int, Result]
    changed: dict[int, Result]


@dataclass(frozen=True)
class Grading:
    """What became of a request.

    `results` are in the order of the submissions; `before` is what there was of them from an earlier grading. `seconds`
    is how long the others took; `page` the list of all with links, None where nothing is kept.
    """

    results: list[Result]
    before: Earlier
    seconds: float
    page: Path | None


def run(request: Request, course: Course, err: Console) -> tuple[int, list[tuple[Path, Result]]]:
    """Grade, show and keep. Returns the exit status and each file's result.

    Raises Refused before any grading (NothingThere, BoxUnavailable, Unusable), and CourseError.
    """
    submissions, complaints = find_submissions(request.paths, course)
    complaints += strays(request.paths, submissions)
    for complaint in complaints:
        err.print(plain(complaint), style="red", markup=False)
    if not submissions:
        raise NothingThere("Nothing to grade.")
    done = carry_out(request, submissions, course, err)
    if request.json:
        sys.stdout.write(as_json(done.results) + "\n")
        sys.stdout.flush()
    else:
        _show(done.results, Console(highlight=False))
    _tell(request, done, err)
    status = 4 if complaints else 0
    if any(result.grader_failed for result in done.results):
        err.print("The grader itself failed on some of them: see their messages. Grade those again.", style="red")
        status = 1
    elif request.verify and not _verified(done.before, done.results, err):
        status = 5
    return status, [(one.path, result) for one, result in zip(submissions, done.results, strict=True)]


def carry_out(request: Request, submissions: list[Submission], course: Course, err: Console) -> Grading:
    """Grade the submissions and keep the results, if they are to be kept. Progress and warnings are shown on `err`.

    Raises Refused before any grading (BoxUnavailable, Unusable, InUse), and CourseError.
    """
    sweep()
    where = Where(course, request.paths, warm=not request.cold, weak=request.allow_weak_box)
    with ExitStack() as until_the_end:
        try:
            seed = course_seed() if request.seed is None else request.seed
            results = None
            if request.output:
                results = until_the_end.enter_context(Results(request.output, submissions, request.feedback))
        except ValueError as problem:
            raise Refused(str(problem)) from problem
        settings = Settings(course, request.limits, seed, request.training_seed, every_cell=request.every_cell,
                            again=request.verify)  # fmt: skip
        if request.earlier and not request.earlier.is_dir():
            err.print(f"There is no folder {request.earlier}, so no earlier results are used.", style="yellow",
                      markup=False)  # fmt: skip
        elsewhere = Results(request.earlier, submissions) if request.earlier else None
        before = Earlier({}, {})
        if request.cache:
            kept = [one for one in (results, elsewhere) if one]
            before = _earlier(submissions, settings, kept, practice=request.allow_weak_box, retry=request.retry)
        taken_over = Earlier({}, before.whole | before.changed) if request.verify else before
        left = [one for place, one in enumerate(submissions) if place not in taken_over.whole]
        pool = pool_for(left, settings, 1 if request.retry else request.workers or workers_for(request.limits))
        if left:
            box = until_the_end.enter_context(box_to_come(where, settings, left, err))
            until_the_end.enter_context(pool)
            pool.start()  # the workers import what they need while the box is attacked
            settings = box()  # before this has come back, no line of a submission has run
        if results:
            _show_again(results, taken_over.whole, elsewhere)
        found, seconds = _graded(submissions, settings, pool, results, taken_over, err)
        return Grading(found, before, seconds, results.finish(found) if results else None)


def _tell(request: Request, done: Grading, err: Console) -> None:
    """How much was graded, how fast, what was taken over, and where the reports are."""
    earlier = 0 if request.verify else len(done.before.whole)
    fresh = len(done.results) - earlier
    told = "Nothing new to grade."
    if fresh:
        told = f"{fresh} graded in {done.seconds:.1f} s ({done.seconds / fresh:.1f} s each)."
    if earlier:
        told += f" {earlier} had been graded before and have not changed (--no-cache grades them again)."
    records = {place: result.record for place, result in enumerate(done.results) if place in done.before.changed}
    parts = [len(record["taken_over"]) for record in records.values() if record.get("taken_over")]
    if parts:
        changed = "1 changed submission" if len(parts) == 1 else f"{len(parts)} changed submissions"
        one = "1 exercise has not changed and keeps its result."
        told += f" In {changed}, "
        told += one if sum(parts) == 1 else f"{sum(parts)} exercises have not changed and keep their results."
    err.print(told, style="dim")
    slow = sum(bool(result.causes & LIMITED) for result in done.results)
    if slow and not request.retry:
        err.print(
            f"{counted(slow, 'submission')} came to a limit of time or memory. If the machine was busy, the same "
            "command with --retry time (or --retry memory) grades them again, one at a time.",
            style="yellow",
            soft_wrap=True,
        )
    if done.page:
        err.print(
            f"Reports: {done.page} (and STUDENT/ASSIGNMENT/feedback.html beside it)", soft_wrap=True, markup=False
        )


def _show_again(results: Results, earlier: dict[int, Result], elsewhere: Results | None) -> None:
    """What was there, and what was taken over from `elsewhere`, where that is."""
    for place, result in earlier.items():
        if elsewhere and results.earlier(place) != result:
            results.keep(place, result)
        else:
            results.show(place, result)


def _graded(
    submissions: list[Submission],
    settings: Settings,
    pool: Pool,
    results: Results | None,
    earlier: Earlier,
    err: Console,
) -> tuple[list[Result], float]:
    """All results in order, and the seconds that those which are not `earlier` took."""
    started = time.monotonic()
    fresh = _grade(submissions, settings, pool, results, earlier, err)
    return [(earlier.whole | fresh)[place] for place in range(len(submissions))], time.monotonic() - started


def _verified(before: Earlier, found: list[Result], err: Console) -> bool:
    """Whether everything that could have been taken over came out the same again; says where not."""
    different = {place: differences(result, found[place]) for place, result in before.whole.items()}
    for place, result in before.changed.items():
        now = found[place].record
        held = reusable(result, now.get("keys", {}), whole=not now.get("plain"))
        if held:
            different[place] = differences(_only(result, held), _only(found[place], held))
    for place, sentences in different.items():
        for sentence in sentences:
            err.print(f"{_label(found[place])}: {sentence}", style="red", markup=False)
    wrong = sum(1 for sentences in different.values() if sentences)
    err.print(f"Verified: {len(different) - wrong} of {len(different)} earlier results came out the same again.",
              style="dim")  # fmt: skip
    return not wrong


def _only(result: Result, exercises: Collection[str]) -> Result:
    """The marks and messages of these exercises alone."""
    chosen = tuple(one for one in result.exercises if one.id in exercises)
    return replace(result, exercises=chosen, score=None, notes=())


@dataclass(frozen=True)
class Where:
    """The course and this machine: how boxes start, and whether a weak box will do. `paths` no box may see."""

    course: Course
    paths: Sequence[Path]
    warm: bool = True
    weak: bool = False


@contextmanager
def with_box(where: Where, settings: Settings, submissions: Sequence[Submission], err: Console) -> Iterator[Settings]:
    """The settings for a batch, once this machine's box was seen to hold.

    Raises BoxUnavailable when there is no box, or one that is too weak to grade for marks.
    """
    with box_to_come(where, settings, submissions, err) as box:
        yield box()


@contextmanager
def box_to_come(
    where: Where, settings: Settings, submissions: Sequence[Submission], err: Console
) -> Iterator[Callable[[], Settings]]:
    """As `with_box`, but while the block already does something else, the box is attacked.

    What the block gets waits for that, and gives the settings or raises BoxUnavailable.
    """
    hidden = [*where.course.private, seed_file(), *(path.absolute() for path in where.paths)]
    imports = _imports(submissions, where.course)
    with beginning(settings.limits, hidden, imports, warm=where.warm) as seen:

        def box() -> Settings:
            start = seen()
            missing = _missing(start, where.weak, err)
            return replace(
                settings, protections=start.protections, for_marks=not missing, warm=start.parent, hidden=tuple(hidden)
            )

        yield box


def _missing(start: Start, weak: bool, err: Console) -> list[str]:
    """The protections that the box lacks, told on `err`. Raises BoxUnavailable unless a `weak` box will do."""
    from autograder.box.canary import PROTECTIONS, REQUIRED  # its attack has begun long ago

    missing = sorted(name for name in REQUIRED if not start.protections[name])
    lines = "\n".join(f"  - {PROTECTIONS[name]}" for name in missing)
    if missing and not weak:
        raise BoxUnavailable(
            f"The box on this machine lacks these protections:\n{lines}\nSo the grader gives no marks here. "
            "`autograder doctor` shows more; --allow-weak-box grades as practice.",
        )
    if missing:
        err.print(f"Practice only, because the box lacks these protections:\n{lines}", style="yellow")
    return missing


def _imports(submissions: Sequence[Submission], course: Course) -> list[str]:
    """What the notebooks import, as released: in the order of need."""
    names = dict.fromkeys(submission.assignment for submission in submissions if submission.assignment in course.names)
    found: dict[str, None] = {}
    for name in names:
        with suppress(CourseError):  # each of its submissions will say so
            found |= dict.fromkeys(course.assignment(str(name)).imports)
    return list(found)


def _earlier(
    submissions: list[Submission],
    settings: Settings,
    kept: list[Results],
    *,
    practice: bool,
    retry: frozenset[str] = frozenset(),
) -> Earlier:
    """Of each submission the first of the `kept` results that holds as a whole, or else the first.

    One with a cause in `retry` does not hold; its exercises that were graded may.
    """
    found = Earlier({}, {})
    for place, submission in enumerate(submissions):
        results = [result for one in kept if (result := one.earlier(place)) and usable(result, practice=practice)]
        if results:
            same = [one for one in results if not one.causes & retry and holds(one, submission, settings)]
            (found.whole if same else found.changed)[place] = (same or results)[0]
    return found


def _grade(
    submissions: list[Submission],
    settings: Settings,
    pool: Pool,
    results: Results | None,
    earlier: Earlier,
    err: Console,
) -> dict[int, Result]:
    found: dict[int, Result] = {}
    left = [(place, submission) for place, submission in enumerate(submissions) if place not in earlier.whole]
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TextColumn("rest"), TimeRemainingColumn())  # fmt: skip
    # The rest is estimated from what the last hour's submissions took.
    with Progress(*columns, console=err, speed_estimate_period=3600) as progress:
        bar = progress.add_task("grading", total=len(left))

        def running(submissions: list[Submission]) -> None:
            progress.update(bar, description="grading " + ", ".join(_label(one) for one in submissions))

        # Closed also when Ctrl-C comes here, between two results: its workers would go on.
        with closing(grade_all(left, settings, pool, running, earlier.changed)) as graded:
            for place, result in graded:
                found[place] = result
                if results:
                    results.keep(place, result)
                progress.advance(bar)
        progress.update(bar, description="graded")
    return found


def _label(of: Submission | Result) -> str:
    return plain(f"{of.student} {of.assignment or ''}", 40)


def _show(found: list[Result], console: Console) -> None:
    if len(found) == 1:
        terminal.details(console, found[0])
    else:
        for table in terminal.tables(found):
            console.print(table)
        console.print(terminal.legend())
