"""One submission's way: collect, restore, execute, examine, mark. Read it top to bottom."""

import dataclasses
import hashlib
import importlib.metadata
import json
import platform
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from autograder import __version__
from autograder.box import BoxUnavailable, Limits
from autograder.box.canary import holds
from autograder.course import Assignment, Course, CourseError
from autograder.examination import examine
from autograder.execution import Cause, CellRun, Session, Warm
from autograder.grading import examinable, mark, score
from autograder.restoration import restore
from autograder.result import ExerciseResult, Result
from autograder.submission import NotGradable, Submission, check_assignment, read

RECORDED_VERSIONS: Final = (
    "numpy",
    "pandas",
    "scikit-learn",
    "tensorflow",
    "keras",
    "papermill",
    "ipykernel",
    "pytest",
)


@dataclass(frozen=True)
class Settings:
    """What is the same for every submission of a batch.

    `seed` draws the hidden inputs and must not be known to students before they submit;
    `training_seed` is the notebook's own SEED, and public.
    """

    course: Course
    limits: Limits
    seed: int
    training_seed: int
    protections: dict[str, bool]
    for_marks: bool = True
    warm: str | None = None  # where boxes are forked
    hidden: tuple[Path, ...] = ()  # what must not exist in a box


@dataclass(frozen=True)
class Graded:
    """A result with the transcript that it came from, for the feedback page."""

    result: Result
    transcript: tuple[CellRun, ...] = ()


def grade(submission: Submission, settings: Settings) -> Graded:
    """Grade one submission. Never raises: whatever goes wrong is part of the result."""
    record = _record(submission, settings) | {"identity": identity(submission, settings)}
    assignment: Assignment | None = None
    try:
        if submission.assignment is None:
            _known(submission)
        assignment = settings.course.assignment(str(submission.assignment))
        return _grade(submission, assignment, settings, record)
    except NotGradable as problem:
        record["submission_sha256"] = record["submission_sha256"] or problem.sha256
        return Graded(_ungraded(submission, assignment, record, "notebook", str(problem)))
    except CourseError as problem:
        cause: Cause = "notebook" if assignment is None else "grader"
        return Graded(_ungraded(submission, assignment, record, cause, str(problem)))
    except BoxUnavailable as problem:
        return Graded(_ungraded(submission, assignment, record, "box", str(problem)))
    except Exception as error:
        record["traceback"] = traceback.format_exc()
        message = (
            f"The grader itself failed ({type(error).__name__}: {error}). This is not the student's fault: "
            "the traceback is in the result's record; grade this submission again once it is mended."
        )
        return Graded(_ungraded(submission, assignment, record, "grader", message))


def identity(submission: Submission, settings: Settings) -> str | None:
    """A hash of everything that a result follows from; None when the submission cannot be read.

    Two gradings of one identity give the same marks and messages, so that the second can be spared.
    """
    course = settings.course
    try:
        assignment = course.assignment(str(submission.assignment)) if submission.assignment else None
        file = hashlib.sha256(submission.path.read_bytes()).hexdigest() if submission.path.is_file() else None
    except (OSError, CourseError):
        return None
    facts = [
        submission.student, submission.assignment, submission.problem, submission.path.is_symlink(), file,
        assignment and [assignment.sha256, assignment.checks_sha256], course.lock_sha256, course.names,
        settings.seed, settings.training_seed, settings.for_marks, settings.protections,
        dataclasses.asdict(settings.limits), versions_here(),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def grader_failed(submission: Submission, settings: Settings, message: str) -> Graded:
    """The result of a submission whose grading never came to an end."""
    names = settings.course.names
    assignment = settings.course.assignment(submission.assignment) if submission.assignment in names else None
    return Graded(_ungraded(submission, assignment, _record(submission, settings), "grader", message))


def _grade(submission: Submission, assignment: Assignment, settings: Settings, record: dict[str, Any]) -> Graded:
    timings: dict[str, float] = record["timings"]
    record["release_sha256"] = assignment.sha256
    record["checks_sha256"] = assignment.checks_sha256
    if submission.problem is not None:
        raise NotGradable(submission.problem)
    with _timed(timings, "collect"):
        notebook = read(submission.path)
        record["submission_sha256"] = notebook.sha256
        check_assignment(notebook, assignment, settings.course)
    with _timed(timings, "restore"):
        restored = restore(notebook, assignment)
    session = Session(restored, settings.limits, settings.training_seed, assignment.data, _warm(assignment, settings))
    try:
        with _timed(timings, "execute"):
            transcript = session.execute()
        with _timed(timings, "examine"):
            wanted = examinable(assignment, restored, transcript)
            seed = _seed_of(settings.seed, assignment, notebook.sha256)
            evidence = examine(assignment, session, seed, wanted) if wanted else []
    finally:
        session.close()
    exercises = tuple(mark(assignment, restored, transcript, evidence))
    record["boxes"], record["start"] = session.boxes, session.start
    result = Result(
        student=submission.student,
        assignment=assignment.name,
        score=score(exercises),
        max_score=assignment.max_points,
        exercises=exercises,
        record=record,
        notes=(*restored.notes, *_cell_notes(transcript)),
    )
    return Graded(result, tuple(transcript))


def _warm(assignment: Assignment, settings: Settings) -> Warm | None:
    def or_cold() -> bool:
        return not settings.for_marks or holds(settings.limits, settings.hidden)

    return Warm(settings.warm, assignment.imports, or_cold) if settings.warm else None


def _known(submission: Submission) -> None:
    """Raises NotGradable: the file's own trouble if it has any, else that nobody knows its assignment."""
    read(submission.path)
    raise NotGradable(
        "It cannot be told which assignment this is: neither its name, nor its folder, nor its cells are those of "
        "one. Name the file or its folder as the assignment."
    )


def _cell_notes(transcript: list[CellRun]) -> Iterator[str]:
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
        "protections": settings.protections,
        "versions": versions_here(),
        "timings": {},
        "graded_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def versions_here() -> dict[str, str]:
    found = {"autograder": __version__, "python": platform.python_version()}
    for name in RECORDED_VERSIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _seed_of(seed: int, assignment: Assignment, submission_sha256: str) -> int:
    """The seed of one submission's hidden inputs; the batch's own cannot be told from it.

    Each file has inputs of its own: feedback shows some of them with what was expected, and the next
    submission could answer those by heart.
    """
    text = f"{seed}/{assignment.name}/{submission_sha256}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        timings[stage] = round(time.perf_counter() - started, 3)
