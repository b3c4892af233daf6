"""Processes of our own, for one job after another: ended when a job takes too long, replaced after many."""

import contextlib
import multiprocessing
import os
import resource
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal

MEMORY: Final = 6 << 30
STARTING: Final = 20.0  # seconds that the first job may take longer, since a process imports all first
LOOK: Final = 0.5  # seconds between two looks at the clock
ENDING: Final = 5.0  # seconds for a process to clear up what is its own


@dataclass(frozen=True)
class Job:
    """`function(*args)`, to be done within `seconds` of processor time. `tag` is the caller's own.

    `patience` is how long it may take by the clock on the wall; None: ten times as long.
    """

    tag: Any
    function: Callable[..., Any]
    args: tuple[Any, ...]
    seconds: float
    patience: float | None = None


@dataclass(frozen=True)
class Lost:
    """A job that came to no end: out of time, its process died, or it raised (`text` says what).

    `stage` is what it was at, where it had said so.
    """

    why: Literal["time", "died", "raised"]
    text: str = ""
    stage: str = ""


@dataclass(frozen=True)
class _Stage:
    """What a job is at from now on, and the processor seconds that it has for it; None: the job's own."""

    name: str
    seconds: float | None


@dataclass(frozen=True)
class _Done:
    """A job's value; `last` when its process is to be replaced."""

    value: Any
    last: bool


class Pool:
    """At most `size` processes, each replaced after `jobs_each` jobs. `prepare` is called first in each.

    Each may have `memory` bytes of data; what it starts itself may have more. Starting another raises OSError only
    where there is none yet.
    """

    def __init__(self, size: int, prepare: Callable[[], None], jobs_each: int = 100, memory: int = MEMORY) -> None:
        self._size, self._prepare, self._jobs_each, self._memory = size, prepare, jobs_each, memory
        self._members: list[_Member] = []

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        members, self._members = self._members, []
        for member in members:
            member.ask_to_end()
        for member in members:
            member.end()

    def start(self) -> None:
        """Start all processes now, so that they prepare themselves before there are jobs. Raises OSError as `do`."""
        while self._another():
            pass

    def do(
        self, jobs: Iterable[Job], watch: Callable[[list[Job]], None] = lambda jobs: None
    ) -> Iterator[tuple[Job, Any]]:
        """Each job with its value or what was Lost, as they finish.

        Of a deque of jobs, those are done as well that are put into it meanwhile. `watch` is told again and again
        which are being done.
        """
        left = jobs if isinstance(jobs, deque) else deque(jobs)
        while left or any(member.job for member in self._members):
            while left and (member := self._free()) is not None:
                member.begin(left.popleft())
            busy = [member for member in self._members if member.job]
            watch([member.job for member in busy if member.job])
            wait([member.connection for member in busy], LOOK)
            for member in busy:
                found = member.finished()
                if found is not None:
                    yield found

    def _free(self) -> "_Member | None":
        for member in list(self._members):
            if not member.job and (member.dead or member.done >= self._jobs_each):
                member.end()
                self._members.remove(member)
        return next((member for member in self._members if not member.job), None) or self._another()

    def _another(self) -> "_Member | None":
        if len(self._members) >= self._size:
            return None
        try:
            member = _Member(self._prepare, self._memory)
        except OSError:
            if not self._members:
                raise
            return None  # the machine has no room for another now: those that there are go on
        self._members.append(member)
        return member


class _Member:
    """One process, and the job that it is at."""

    def __init__(self, prepare: Callable[[], None], memory: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.connection, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_work, args=(theirs, prepare, memory), daemon=True)
        with _no_program():
            self._process.start()
        theirs.close()
        self.job: Job | None = None
        self.done, self.dead = 0, False
        self._until, self._spent, self._stage = 0.0, 0.0, _Stage("", None)

    def begin(self, job: Job) -> None:
        self.job, self._spent, self._stage = job, self._processor_seconds(), _Stage("", None)
        # One that sleeps for ever, or a machine that is busy with others.
        patience = 10 * job.seconds if job.patience is None else job.patience
        self._until = time.monotonic() + patience + 10 * (STARTING if self.done == 0 else 0)
        with contextlib.suppress(OSError):
            self.connection.send((job.function, job.args))

    def finished(self) -> tuple[Job, Any] | None:
        """The job and what came of it; None while it may still go on."""
        assert self.job is not None
        value: Any
        if self.connection.poll():
            try:
                told = self.connection.recv()
            except (EOFError, OSError):
                value, self.dead = Lost("died", stage=self._stage.name), True
            else:
                if isinstance(told, _Stage):
                    self._stage, self._spent = told, self._processor_seconds()
                    return None
                value, self.dead = told.value, told.last
        elif not self._late():
            return None
        else:
            value, self.dead = Lost("time", stage=self._stage.name), True
        job, self.job, self.done = self.job, None, self.done + 1
        if self.dead:
            self.end()
        return job, value

    def _late(self) -> bool:
        assert self.job is not None
        seconds = self.job.seconds if self._stage.seconds is None else self._stage.seconds
        seconds += STARTING if self.done == 0 else 0
        return time.monotonic() > self._until or self._processor_seconds() - self._spent > seconds

    def _processor_seconds(self) -> float:
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask_to_end(self) -> None:
        self._process.terminate()

    def end(self) -> None:
        """It may clear up what is its own; then it is killed."""
        self.ask_to_end()
        self._process.join(ENDING)
        self._process.kill()
        self._process.join()
        self.connection.close()


@contextlib.contextmanager
def _no_program() -> Iterator[None]:
    """A process that is started here does not import the program that this one is.

    It needs nothing of it: jobs are functions of modules. And a script that grades would begin to grade there again.
    """
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


_to_the_parent: Connection | None = None
_last = False


def stage(name: str, seconds: float | None = None) -> None:
    """In a process of a pool: say what its job is at from now on.

    It has so many processor seconds for that; None: those of the whole job.
    """
    if _to_the_parent is not None:
        _to_the_parent.send(_Stage(name, seconds))


def retire() -> None:
    """In a process of a pool: this job is its last, whatever comes of it."""
    global _last
    _last = True


def _work(connection: Connection, prepare: Callable[[], None], memory: int) -> None:
    global _to_the_parent
    resource.setrlimit(resource.RLIMIT_DATA, (memory, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    prepare()
    _to_the_parent = connection
    while True:
        try:
            function, args = connection.recv()
        except EOFError:
            return
        value: Any
        try:
            value = function(*args)
        except BaseException:
            value = Lost("raised", traceback.format_exc(limit=-4))
        connection.send(_Done(value, _last))
        if _last:
            return
