"""Many submissions: one task each, in worker processes, results as they finish.

A worker that dies takes no other submission with it: what it had not finished is given to a new one.
Interrupted, the workers close their boxes and end; what was finished has been yielded.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from types import FrameType, MappingProxyType
from typing import Final

from autograder.box import Limits
from autograder.result import Result
from autograder.settings import Settings
from autograder.submission import Submission

PR_SET_PDEATHSIG: Final = 1


def workers_for(limits: Limits) -> int:
    """As many as there are cores, and memory for."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, memory // limits.memory))


Running = Callable[[list[Submission]], None]


def grade_all(
    submissions: Sequence[tuple[int, Submission]],
    settings: Settings,
    workers: int,
    running: Running = lambda submissions: None,
    earlier: Mapping[int, Result] = MappingProxyType({}),
) -> Generator[tuple[int, Result], None, None]:
    """Each submission's place and its result, in the order in which they finish.

    The longest assignments begin first, so that no worker is left with one at the end. `running` is told
    which are being graded, whenever that changes. What still holds of an `earlier` result is taken over.
    """
    waiting = sorted(submissions, key=lambda one: -_length(one[1], settings))
    while waiting:
        lost: list[tuple[int, Submission]] = []
        with closing(_round(waiting, settings, workers, running, earlier)) as ended:
            for place, submission, graded in ended:
                if graded is None:
                    lost.append((place, submission))
                else:
                    yield place, graded
        if workers == 1 and lost:
            # Alone in its worker, the first of them is the one that ended it.
            place, submission = lost.pop(0)
            message = "The grader's worker process ended while it graded this submission. Grade it again."
            from autograder.pipeline import grader_failed

            yield place, grader_failed(submission, settings, message).result
        waiting, workers = lost, 1


def _length(submission: Submission, settings: Settings) -> int:
    """How long the assignment's lesson is, in characters of code; those that train networks count tenfold."""
    if submission.assignment not in settings.course.names:
        return 0
    code = "".join(cell.source for cell in settings.course.assignment(submission.assignment).cells)
    return len(code) * (10 if ".fit(" in code and "keras" in code else 1)


def _round(
    waiting: list[tuple[int, Submission]],
    settings: Settings,
    workers: int,
    running: Running,
    earlier: Mapping[int, Result],
) -> Generator[tuple[int, Submission, Result | None], None, None]:
    context = multiprocessing.get_context("spawn")
    others = multiprocessing.active_children()
    with ProcessPoolExecutor(min(workers, len(waiting)), mp_context=context, initializer=_begin) as pool:
        futures: dict[Future[Result], tuple[int, Submission]] = {
            pool.submit(_task, submission, settings, earlier.get(place)): (place, submission)
            for place, submission in waiting
        }
        pending = set(futures)
        try:
            while pending:
                # They begin in the order in which they were given.
                running([submission for one, (_, submission) in futures.items() if one in pending][:workers])
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in [one for one in futures if one in done]:
                    place, submission = futures[future]
                    try:
                        yield place, submission, future.result()
                    except BrokenProcessPool:
                        yield place, submission, None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in set(multiprocessing.active_children()) - set(others):
                worker.terminate()
            raise


_busy = False
_told_to_end = False


def _task(submission: Submission, settings: Settings, earlier: Result | None) -> Result:
    global _busy
    _busy = True
    try:
        from autograder.pipeline import grade  # with pytest and pandas: in the worker alone

        return grade(submission, settings, earlier).result
    finally:
        _busy = False
        if _told_to_end:
            os._exit(1)  # its box is closed by now, and what waits in the queue is not to begin


def _end(number: int, frame: FrameType | None) -> None:
    global _told_to_end
    _told_to_end = True
    if not _busy:
        os._exit(1)
    raise KeyboardInterrupt


def _begin() -> None:
    """A worker's own streams are nobody's: standard output may be a JSON document's. It dies with its parent.

    Whether to stop is the parent's to say: Ctrl-C reaches all processes of a terminal at once.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    if sys.platform == "linux":
        # A grader that is killed tells nobody; without this its workers, and their boxes, would wait for ever.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:
            os._exit(1)  # it had died before
