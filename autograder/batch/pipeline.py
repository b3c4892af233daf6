"""One submission's way: read, restore, slice, execute, examine, mark. Read it top to bottom."""

import dataclasses
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from autograder.batch.cache import identity, keys, narrower, reusable, seeds, seeds_before
from autograder.batch.called_answers import References, may_call, with_references
from autograder.batch.marks import examinable, mark, score, undecided
from autograder.box import Limits
from autograder.box.bounds import Cause, Meter, Unanswered
from autograder.box.canary import holds
from autograder.box.session import SPARE, CellRun, Session, Warm
from autograder.course import Assignment
from autograder.errors import BoxUnavailable, CourseError, NotGradable
from autograder.examination.examine import Evidence, Looking, Lost, examine
from autograder.result import ExerciseResult, Result, ShownCell, printed
from autograder.settings import Settings
from autograder.submission.damage import check_whole
from autograder.submission.find import Submission
from autograder.submission.notebook import check_assignment, read
from autograder.submission.restoration import Restored, restore
from autograder.submission.slicing import Slices
from autograder.versions import versions_here


@dataclass(frozen=True)
class Graded:
    """A result with the transcript that it came from."""

    result: Result
    transcript: tuple[CellRun, ...] = ()


@dataclass(frozen=True)
class Looks:
    """What is known of looking at this submission's answers, and who is told of it.

    `lost` has the exercises that ended the process which looked at them. `begin` is told the exercise that is looked
    at and its seconds, None for its reference, and "" afterwards; `exceeded` is called when one took more time or
    memory than there is.
    """

    lost: Lost = field(default_factory=dict)
    begin: Looking = lambda exercise, seconds: None
    exceeded: Callable[[], None] = lambda: None


def grade(
    submission: Submission, settings: Settings, earlier: Result | None = None, looks: Looks | None = None
) -> Graded:
    """Grade one submission. Never raises: whatever goes wrong is part of the result.

    What still holds of an `earlier` result of the same student's same assignment is taken over; None: there is none.
    `looks` is for a pool of workers; None: nothing is known, and nobody is told.
    """
    looks = looks or Looks()
    record = _record(submission, settings) | {"identity": identity(submission, settings)}
    assignment: Assignment | None = None
    try:
        if submission.assignment is None:
            raise _of_no_assignment(submission)
        if submission.problem and submission.assignment not in settings.course.names:
            raise NotGradable(submission.problem)
        assignment = settings.course.assignment(str(submission.assignment))
        return _grade(submission, assignment, settings, record, earlier, looks)
    except NotGradable as problem:
        record["submission_sha256"] = record["submission_sha256"] or problem.sha256
        return Graded(_ungraded(submission, assignment, record, "notebook", str(problem)))
    except CourseError as problem:
        cause: Cause = "notebook" if assignment is None else "grader"
        return Graded(_ungraded(submission, assignment, record, cause, str(problem)))
    except BoxUnavailable as problem:
        return Graded(_ungraded(submission, assignment, record, "box", str(problem)))
    except Unanswered as late:  # a timer that came a moment after its check
        return Graded(_ungraded(submission, assignment, record, late.cause, late.message))
    except Exception as error:
        record["traceback"] = traceback.format_exc()
        message = (
            f"The grader itself failed ({type(error).__name__}: {error}). This is not the student's fault. Instructor: "
            "the traceback is in the result's record; repair the cause, then grade this submission again."
        )
        return Graded(_ungraded(submission, assignment, record, "grader", message))


def not_ended(submission: Submission, settings: Settings, cause: Cause, message: str) -> Result:
    """The result of a submission whose grading never came to an end."""
    names = settings.course.names
    assignment = settings.course.assignment(submission.assignment) if submission.assignment in names else None
    return _ungraded(submission, assignment, _record(submission, settings), cause, message)


def _grade(
    submission: Submission,
    assignment: Assignment,
    settings: Settings,
    record: dict[str, Any],
    earlier: Result | None,
    looks: Looks,
) -> Graded:
    timings: dict[str, float] = record["timings"]
    record["release_sha256"] = assignment.sha256
    record["checks_sha256"] = assignment.checks_sha256
    if submission.problem is not None:
        raise NotGradable(submission.problem)
    with _timed(timings, "read"):
        notebook = read(submission.path)
        record["submission_sha256"] = notebook.sha256
        check_assignment(notebook, assignment, settings.course)
        check_whole(notebook, assignment)
    with _timed(timings, "restore"):
        restored = restore(notebook, assignment)
    with _timed(timings, "slice"):
        slices = Slices(restored, assignment)
        record["plain"] = slices.plain
        record["keys"] = keys(slices, restored, assignment, settings)
        then = narrower(earlier, settings)  # exercises that came to no limit do not depend on the limits
        held = keys(slices, restored, assignment, then) if then else record["keys"]
        known = {} if settings.again else reusable(earlier, held, whole=not slices.plain, silent=bool(then))
        before = seeds_before(earlier, held, notebook.sha256)
        asked_before = {name: seed for name, seed in before.items() if settings.again or name in known}
        record["seeds"] = seeds(slices, assignment, settings) | asked_before
        record["taken_over"] = sorted(known)
        fresh = [exercise for exercise in assignment.exercises if exercise.id not in known]
        wanted = undecided(fresh, restored)
    transcript, evidence = _run(slices, restored, assignment, wanted, known, settings, record, looks)
    marks = {one.id: one for one in mark(fresh, restored, transcript, evidence)} | known
    exercises = tuple(marks[exercise.id] for exercise in assignment.exercises)
    record["notes"] = dict(_notes_by_exercise(slices, exercises, transcript, known, earlier, settings.limits))
    result = Result(
        student=submission.student,
        assignment=assignment.name,
        score=score(exercises),
        max_score=assignment.max_points,
        exercises=exercises,
        record=record,
        notes=tuple(dict.fromkeys([*restored.notes, *(note for some in record["notes"].values() for note in some)])),
        cells=tuple(_shown(restored, transcript, known, earlier)),
    )
    return Graded(result, tuple(transcript))


def _run(
    slices: Slices, restored: Restored, assignment: Assignment, wanted: list[str], known: dict[str, ExerciseResult],
    settings: Settings, record: dict[str, Any], looks: Looks,
) -> tuple[list[CellRun], list[Evidence]]:  # fmt: skip
    """Execute what the wanted exercises depend on, and examine them; nothing for none."""
    timings = record["timings"]
    record["boxes"], record["start"], record["cells"] = 0, None, {"run": 0, "left_out": len(restored.cells)}
    if not wanted:
        return [], []
    cells = slices.everything if settings.every_cell else slices.needed(wanted)
    spare = {cell.number for cell in restored.cells if cell.kind == "free"} - slices.named(wanted)
    record["cells"] = {"run": len(cells), "left_out": len(restored.cells) - len(cells)}
    meter = Meter(settings.limits.exercise_look_seconds, settings.limits.look_seconds)
    start = partial(_session, assignment, settings)
    session, references = start(restored, cells, spare), References(assignment, start)
    try:
        with _timed(timings, "execute"):
            transcript = session.execute()
        with _timed(timings, "examine"):
            answered = examinable(wanted, transcript)
            evidence = examine(assignment, session, record["seeds"], answered, meter=meter, lost=looks.lost,
                               looking=looks.begin) if answered else []  # fmt: skip
            evidence = with_references(
                evidence, may_call(slices, restored, assignment, evidence, known), assignment, session,
                references.session,
                lambda one: examine(assignment, session, record["seeds"], [one], meter=meter, looking=looks.begin),
            )  # fmt: skip
    finally:
        with _timed(timings, "close"):
            session.close()
            references.close()
    timings["of these, start"] = round(session.start_seconds, 3)
    if meter.exceeded:
        looks.exceeded()
    timings["of these, outside of the box"] = round(meter.spent, 3)
    timings["of these, cells"] = round(sum(run.seconds for run in transcript), 3)
    record["boxes"], record["start"] = session.boxes, session.start
    return transcript, evidence


def _session(
    assignment: Assignment, settings: Settings, restored: Restored, cells: Iterable[int], spare: Iterable[int] = ()
) -> Session:
    warm = _warm(assignment, settings)
    return Session(restored, settings.limits, settings.training_seed, assignment.data, warm, cells, spare)


def _warm(assignment: Assignment, settings: Settings) -> Warm | None:
    def or_cold() -> bool:
        return not settings.for_marks or holds(settings.limits, settings.hidden)

    return Warm(settings.warm, assignment.imports, or_cold) if settings.warm else None


def _of_no_assignment(submission: Submission) -> NotGradable:
    """Why it cannot be graded. Raises NotGradable itself for the file's own trouble, if it has any."""
    read(submission.path)
    return NotGradable(
        "The grader cannot tell which assignment this is: its name, its folder and its cells do not belong to "
        "any. Give the file or its folder the name of the assignment."
    )


def _notes_by_exercise(
    slices: Slices,
    exercises: Iterable[ExerciseResult],
    transcript: Sequence[CellRun],
    known: dict[str, ExerciseResult],
    earlier: Result | None,
    limits: Limits,
) -> Iterator[tuple[str, list[str]]]:
    """Of each exercise, what went wrong in the cells that it depends on; under "" what did elsewhere."""
    seen = set[int]()
    for exercise in exercises:
        if exercise.id in known and earlier is not None:
            yield exercise.id, list(earlier.record["notes"][exercise.id])
        else:
            numbers = slices.named([exercise.id])
            seen |= numbers
            yield exercise.id, list(_cell_notes(run for run in transcript if run.cell.number in numbers))
    yield (
        "",
        [*_cell_notes(run for run in transcript if run.cell.number not in seen), *_passed_over(transcript, limits)],
    )


def _cell_notes(transcript: Iterable[CellRun]) -> Iterator[str]:
    """What went wrong in cells that are not a solution, in case a solution needed them."""
    for run in transcript:
        name = f"{run.cell.name[0].upper()}{run.cell.name[1:]}"
        if run.cell.kind in {"solution", "check"}:
            continue
        if run.status == "stopped":
            yield str(run.error)
        elif run.status == "raised":
            yield f"{name} raised {run.error}."
        elif run.status == "not reached":
            yield f"{name} was not reached."


def _passed_over(transcript: Sequence[CellRun], limits: Limits) -> Iterator[str]:
    names = [run.cell.name for run in transcript if run.status == "passed over"]
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield f"Not run, since {SPARE.format(limits.spare_seconds)}: {', '.join(names[:3])}{more}."


def _shown(
    restored: Restored, transcript: Sequence[CellRun], known: dict[str, ExerciseResult], earlier: Result | None
) -> Iterator[ShownCell]:
    """The cells of each exercise, with what they printed: now, or when it was graded."""
    runs = {run.cell.number: run for run in transcript}
    before: dict[tuple[str | None, str], list[ShownCell]] = {}
    for shown in earlier.cells if earlier else ():
        before.setdefault((shown.exercise, shown.kind), []).append(shown)
    for cell in restored.cells:
        if cell.exercise is None:
            continue
        its = before.get((cell.exercise, cell.kind), [])
        run, kept = runs.get(cell.number), its.pop(0) if its else None
        if cell.exercise in known and kept is not None:
            yield dataclasses.replace(kept, source=cell.source)
        else:
            yield ShownCell(
                cell.exercise,
                cell.kind,
                cell.source,
                printed(run.outputs, run.error) if run else "",
                run.error if run and run.status == "raised" else None,
            )


def _ungraded(
    submission: Submission, assignment: Assignment | None, record: dict[str, Any], cause: Cause, message: str
) -> Result:
    exercises = tuple(
        ExerciseResult(exercise.id, "could_not_be_graded", None, exercise.max_points, message, cause)
        for exercise in (assignment.exercises if assignment else ())
    )
    return Result(
        student=submission.student,
        assignment=submission.assignment,
        score=None,
        max_score=assignment.max_points if assignment else None,
        exercises=exercises,
        record=record,
        message=message,
        cause=cause,
    )


def _record(submission: Submission, settings: Settings) -> dict[str, Any]:
    """What is needed to grade the same submission again to the same marks."""
    return {
        "submission": {"path": str(submission.path.absolute()), "problem": submission.problem},
        "submission_sha256": None,
        "release_sha256": None,
        "checks_sha256": None,
        "lock_sha256": settings.course.lock_sha256,
        "seed": settings.seed,
        "training_seed": settings.training_seed,
        "limits": dataclasses.asdict(settings.limits),
        "for_marks": settings.for_marks,
        "every_cell": settings.every_cell,
        "protections": settings.protections,
        "versions": versions_here(),
        "timings": {},
        "graded_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        timings[stage] = round(time.perf_counter() - started, 3)
