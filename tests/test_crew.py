"""Our own processes: what ends badly is told, and the work goes on."""

import os
import time
from collections.abc import Callable

import pytest

from autograder.crew import Crew, Job, Lost


def nothing() -> None:
    """No preparation."""


def process() -> int:
    return os.getpid()


def loop() -> None:
    while True:
        pass


def die() -> None:
    os._exit(7)


def too_much() -> int:
    return len(bytes(7 << 30))


def test_an_endless_loop_is_ended_and_the_next_job_done() -> None:
    started = time.monotonic()
    with Crew(1, nothing) as crew:
        list(crew.do([Job("first", process, (), 30)]))  # the process has started
        done = list(crew.do([Job("loop", loop, (), 0.5), Job("after", process, (), 30)]))
    assert [(job.tag, type(value)) for job, value in done] == [("loop", Lost), ("after", int)]
    assert done[0][1].why == "time"
    assert time.monotonic() - started < 100


@pytest.mark.parametrize(("function", "why"), [(die, "died"), (too_much, "raised")])
def test_what_ends_badly_is_told(function: Callable[[], object], why: str) -> None:
    with Crew(1, nothing) as crew:
        jobs = [Job(1, function, (), 30), Job(2, process, (), 30)]
        done = {job.tag: value for job, value in crew.do(jobs)}
    assert isinstance(done[1], Lost)
    assert done[1].why == why
    assert isinstance(done[2], int)


def test_a_process_is_replaced_after_its_jobs() -> None:
    with Crew(1, nothing, jobs_each=2) as crew:
        processes = [value for _, value in crew.do([Job(n, process, (), 30) for n in range(5)])]
    assert len({*processes}) == 3
    assert processes[0] == processes[1] != processes[2]
