"""What is done outside of the box for a submission is bounded, too: processor time, exercise by exercise.

What an answer returned is compared here, and its author may have made it so that this never ends. A timer of the
processor time that this process uses ends the check; a call into C that no signal reaches is ended, with its process,
by the process that gave it the work (`pool`).
"""

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Literal, NoReturn

Cause = Literal["notebook", "time", "memory", "box", "grader"]


class Unanswered(BaseException):
    """A question got no answer, so its exercise could not be graded.

    Not an Exception: neither a check nor hypothesis may take it for a wrong answer.
    """

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message


class Meter:
    """The processor seconds that this process spends on one submission's answers."""

    def __init__(self, exercise_seconds: float, submission_seconds: float) -> None:
        self._exercise_seconds, self._submission_seconds = exercise_seconds, submission_seconds
        self._spent: dict[str, float] = {}
        self._over = set[str]()
        self.exceeded = False  # more was wanted than there is: what was begun then may hold on to something

    @property
    def spent(self) -> float:
        """The processor seconds for all exercises so far."""
        return sum(self._spent.values())

    def left(self, exercise: str) -> float:
        """The processor seconds that there still are for the exercise."""
        if exercise in self._over:
            return 0.0
        return min(self._exercise_seconds - self._spent.get(exercise, 0.0), self._submission_seconds - self.spent)

    @contextlib.contextmanager
    def looking(self, exercise: str) -> Iterator[None]:
        """Whatever is done within counts for the exercise. Raises Unanswered when its time, or the whole, is used up.

        The timer is there in a process's main thread alone, where Python delivers signals.
        """
        before, left = self._spent.get(exercise, 0.0), self.left(exercise)
        if left <= 0:
            self._used_up(exercise)
        begun = time.process_time()
        try:
            with _timer(left, lambda: self._used_up(exercise)):
                yield
        except MemoryError:
            self.exceeded = True
            raise
        finally:
            self._spent[exercise] = before + time.process_time() - begun

    def _used_up(self, exercise: str) -> NoReturn:
        self.exceeded = True
        self._over.add(exercise)
        raise Unanswered(
            "time",
            f"Looking at what the answer returned took too long: the limit is {self._exercise_seconds:g} seconds of "
            f"processor time for an exercise, and {self._submission_seconds:g} for a notebook. Return less.",
        )


@contextlib.contextmanager
def _timer(seconds: float, end: Callable[[], NoReturn]) -> Iterator[None]:
    if seconds == math.inf or threading.current_thread() is not threading.main_thread():
        yield
        return

    armed = True

    def ring(number: int, frame: FrameType | None) -> None:
        if armed and _Held.on:
            _Held.missed = end
        elif armed:
            end()

    earlier = signal.signal(signal.SIGPROF, ring)
    # Again and again: the first may come where an exception cannot go on (a destructor, a callback from C).
    signal.setitimer(signal.ITIMER_PROF, seconds, 1.0)
    try:
        yield
    finally:
        armed, _Held.missed = False, None
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, earlier)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """What must not stop half-way: a timer that comes meanwhile is heard at its end.

    Not by a signal mask, which is one thread's: the signal may come to a thread of a library's.
    """
    before, _Held.on = _Held.on, True
    try:
        yield
    finally:
        _Held.on = before
    if not before and _Held.missed is not None:
        missed, _Held.missed = _Held.missed, None
        missed()


class _Held:
    """Whether a timer must wait, and the one that has."""

    on = False
    missed: Callable[[], NoReturn] | None = None
