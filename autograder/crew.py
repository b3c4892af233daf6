"""Processes of our own, for one job after another: killed when a job takes too long, replaced after many."""

import contextlib
import multiprocessing
import os
import resource
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final, Literal

MEMORY: Final = 6 << 30
STARTING: Final = 20.0  # seconds that the first job may take longer, since a process imports all first
LOOK: Final = 0.5  # seconds between two looks at the clock


@dataclass(frozen=True)
class Job:
    """`function(*args)`, to be done within `seconds` of processor time. `tag` is the caller's own."""

    tag: Any
    function: Callable[..., Any]
    args: tuple[Any, ...]
    seconds: float


@dataclass(frozen=True)
class Lost:
    """A job that came to no end: out of time, its process died, or it raised (`text` says what)."""

    why: Literal["time", "died", "raised"]
    text: str = ""


class Crew:
    """At most `size` processes, each replaced after `jobs_each` jobs. `prepare` is called first in each."""

    def __init__(self, size: int, prepare: Callable[[], None], jobs_each: int = 100) -> None:
        self._size, self._prepare, self._jobs_each = size, prepare, jobs_each
        self._members: list[_Member] = []

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        for member in self._members:
            member.end()

    def do(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Any]]:
        """Each job with its value or what was Lost, as they finish."""
        left = deque(jobs)
        while left or any(member.job for member in self._members):
            while left and (member := self._free()) is not None:
                member.begin(left.popleft())
            busy = [member for member in self._members if member.job]
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
        free = next((member for member in self._members if not member.job), None)
        if free is None and len(self._members) < self._size:
            free = _Member(self._prepare)
            self._members.append(free)
        return free


class _Member:
    """One process, and the job that it is at."""

    def __init__(self, prepare: Callable[[], None]) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.connection, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_work, args=(theirs, prepare), daemon=True)
        self._process.start()
        theirs.close()
        self.job: Job | None = None
        self.done, self.dead, self.until, self._spent = 0, False, 0.0, 0.0

    def begin(self, job: Job) -> None:
        self.job, self._spent = job, self._processor_seconds()
        # One that sleeps for ever, or a machine that is busy with others.
        self.until = time.monotonic() + 10 * (job.seconds + (STARTING if self.done == 0 else 0))
        with contextlib.suppress(OSError):
            self.connection.send((job.function, job.args))

    def finished(self) -> tuple[Job, Any] | None:
        """The job and what came of it; None while it may still go on."""
        assert self.job is not None
        value: Any
        if self.connection.poll():
            try:
                value = self.connection.recv()
            except (EOFError, OSError):
                value, self.dead = Lost("died"), True
        elif not self._late():
            return None
        else:
            value, self.dead = Lost("time"), True
        job, self.job, self.done = self.job, None, self.done + 1
        if self.dead:
            self.end()
        return job, value

    def _late(self) -> bool:
        assert self.job is not None
        seconds = self.job.seconds + (STARTING if self.done == 0 else 0)
        return time.monotonic() > self.until or self._processor_seconds() - self._spent > seconds

    def _processor_seconds(self) -> float:
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()


def _work(connection: Connection, prepare: Callable[[], None]) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    prepare()
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
        connection.send(value)
