"""Many submissions: one task each, in worker processes, results as they finish.

A worker that ends, or has to be ended, affects no other submission. Its own is given to a new worker, without the
exercise that it was looking at. Interrupted, the workers close their boxes and end; what was finished has been
yielded.
"""

import ctypes
import gc
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from types import FrameType, MappingProxyType
from typing import Final

from autograder.batch.pool import Job, Lost, Pool, retire, stage
from autograder.box import Limits
from autograder.box.bounds import Cause, Unanswered
from autograder.box.sandbox import sweep
from autograder.course import Course
from autograder.result import Result
from autograder.settings import Settings
from autograder.submission.find import Submission
from autograder.versions import versions_here

PR_SET_PDEATHSIG: Final = 1
MEMORY: Final = 3 << 30  # of a worker; the reference of a lesson, which it may have to ask, needs 1
PREPARING: Final = 300.0  # processor seconds for all but the answers: to read, to restore, to slice, to show
GRACE: Final = 3.0  # processor seconds after which a worker is ended that its own timer should have stopped
REFERENCE: Final = 600.0  # for what the course's own answer takes, where it must be asked


def workers_for(limits: Limits) -> int:
    """As many as there are cores, and memory for."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, memory // limits.memory))


Running = Callable[[list[Submission]], None]


@dataclass(frozen=True)
class _Task:
    """A submission at its place, what is known of it, and how often a worker has died of it."""

    place: int
    submission: Submission
    earlier: Result | None = None
    lost: dict[str, tuple[Cause, str]] = field(default_factory=dict)
    deaths: tuple[str, ...] = ()


def grade_all(
    submissions: Sequence[tuple[int, Submission]],
    settings: Settings,
    workers: int | Pool,
    running: Running = lambda submissions: None,
    earlier: Mapping[int, Result] = MappingProxyType({}),
) -> Generator[tuple[int, Result], None, None]:
    """Each submission's place and its result, in the order in which they finish.

    The longest assignments begin first, so that no worker is left with one at the end. `running` is told
    which are being graded, whenever that changes. What still holds of an `earlier` result is taken over.
    `workers` is how many, or a pool of them (`pool_for`), which ends here.
    """
    tasks = [_Task(place, submission, earlier.get(place)) for place, submission in submissions]
    jobs = deque(_job(one, settings) for one in sorted(tasks, key=lambda one: -_length(one.submission, settings)))
    some = pool_for([one for _, one in submissions], settings, workers) if isinstance(workers, int) else workers
    with some as pool:
        for job, value in pool.do(jobs, lambda now: running([one.tag.submission for one in now])):
            task: _Task = job.tag
            again = _without(task, value, settings.limits) if isinstance(value, Lost) else None
            if again is not None:
                sweep()  # its box, where it could not close it itself
                jobs.append(_job(again, settings))
            elif isinstance(value, Lost):
                sweep()
                yield task.place, _not_ended(task, value, settings)
            else:
                yield task.place, value


def pool_for(submissions: Sequence[Submission], settings: Settings, workers: int) -> Pool:
    """A pool for `grade_all`, whose processes get ready for the assignment that it begins with, once they start."""
    first = max(submissions, key=lambda one: _length(one, settings)).assignment if submissions else None
    size = max(1, min(workers, len(submissions)))
    return Pool(size, partial(_begin, settings.course, first), sys.maxsize, MEMORY)


def _job(task: _Task, settings: Settings) -> Job:
    limits = settings.limits
    patience = 2 * limits.total_seconds + PREPARING + 10 * limits.look_seconds
    args = task.submission, settings, task.earlier, task.lost
    return Job(task, _grade, args, PREPARING, patience)


def _without(task: _Task, lost: Lost, limits: Limits) -> _Task | None:
    """The task once more, so that it can come to an end; None where that is not to be hoped for.

    Once a worker may die by chance. Twice at the same place, that is to blame.
    """
    if lost.why == "raised" or (lost.why == "time" and not lost.stage) or lost.stage in task.lost:
        return None
    if lost.why == "died":
        if task.deaths.count(lost.stage) == 0:
            return replace(task, deaths=(*task.deaths, lost.stage))
        if not lost.stage:
            return None
    cause: Cause = "time" if lost.why == "time" else "notebook"
    message = (
        f"Looking at what the answer returned took more than {limits.exercise_look_seconds:g} seconds of processor "
        "time. Return less."
        if lost.why == "time"
        else "The process that looks at answers ended twice, each time at what this answer returned. Return what the "
        "docstring says: its type, its shape, and plain values in it."
    )
    return replace(task, lost={**task.lost, lost.stage: (cause, message)})


def _not_ended(task: _Task, lost: Lost, settings: Settings) -> Result:
    from autograder.batch.pipeline import not_ended

    if lost.why == "time":
        message = f"Reading this submission took more than {PREPARING:g} seconds of processor time. Hand in less."
        return not_ended(task.submission, settings, "time", message)
    why = f": {lost.text.strip().splitlines()[-1]}" if lost.text.strip() else ""
    message = f"The grader's worker process ended while it graded this submission{why}. Grade it again."
    return not_ended(task.submission, settings, "grader", message)


def _length(submission: Submission, settings: Settings) -> int:
    """How long the assignment's lesson is, in characters of code; those that train networks count tenfold."""
    if submission.assignment not in settings.course.names:
        return 0
    code = "".join(cell.source for cell in settings.course.assignment(submission.assignment).cells)
    return len(code) * (10 if ".fit(" in code and "keras" in code else 1)


_busy = False
_told_to_end = False


def _grade(
    submission: Submission, settings: Settings, earlier: Result | None, lost: dict[str, tuple[Cause, str]]
) -> Result:
    global _busy
    _busy = True
    try:
        from autograder.batch.pipeline import Looks, grade  # with pytest and pandas: in the worker alone

        def begin(exercise: str, seconds: float | None) -> None:
            if exercise and seconds is None:
                retire()  # after the reference, with all that a lesson imports, it is larger than a worker has to be
            stage(exercise, seconds + GRACE if seconds is not None else REFERENCE if exercise else None)

        # A worker that used too much may still hold it: `retire`.
        looks = Looks({name: Unanswered(*why) for name, why in lost.items()}, begin, retire)
        return grade(submission, settings, earlier, looks).result
    finally:
        _busy = False
        if _told_to_end:
            os._exit(1)  # its box is closed by now, and what waits in the queue is not to begin


def _end(number: int, frame: FrameType | None) -> None:
    global _told_to_end
    if _told_to_end:
        return  # it closes its box already
    _told_to_end = True
    if not _busy:
        os._exit(1)
    raise KeyboardInterrupt


def _begin(course: Course, assignment: str | None) -> None:
    """A worker's own streams are nobody's: standard output may be a JSON document's. It dies with its parent.

    Whether to stop is the parent's to say: Ctrl-C reaches all processes of a terminal at once.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    os.environ.update({"MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3"})  # for a reference, if one must be asked
    if sys.platform == "linux":
        # A grader that is killed tells nobody; without this its workers, and their boxes, would wait without end.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:
            os._exit(1)  # it had died before
    _get_ready(course, assignment)


def _get_ready(course: Course, assignment: str | None) -> None:
    """Import what grading needs, and collect the assignment's checks: there may be no box yet."""
    gc.disable()  # what is imported stays
    import numpy as np

    np.ones((99, 99)) @ np.ones((99, 99))  # its library takes memory the first time, and ends the process without it
    import autograder.batch.pipeline  # noqa: F401
    from autograder.examination.hidden_checks import hidden_checks

    if assignment in course.names:
        with suppress(Exception):  # each of its submissions will say so
            hidden_checks(course.assignment(assignment))
            course.assignment(assignment).checks_sha256  # noqa: B018 (remembered)
            versions_here()
    gc.freeze()
    gc.enable()
