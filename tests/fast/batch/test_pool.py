"""Our own processes: what ends badly is told, and the work goes on."""

import os
import resource
import time
from collections import deque
from collections.abc import Callable

import pytest

from autograder.batch import pool
from autograder.batch.pool import Job, Lost, Pool


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
    with Pool(1, nothing) as pool:
        list(pool.do([Job("first", process, (), 30)]))  # the process has started
        done = list(pool.do([Job("loop", loop, (), 0.5), Job("after", process, (), 30)]))
    assert [(job.tag, type(value)) for job, value in done] == [("loop", Lost), ("after", int)]
    assert done[0][1].why == "time"
    assert time.monotonic() - started < 100


@pytest.mark.parametrize(("function", "why"), [(die, "died"), (too_much, "raised")])
def test_what_ends_badly_is_told(function: Callable[[], object], why: str) -> None:
    with Pool(1, nothing) as pool:
        jobs = [Job(1, function, (), 30), Job(2, process, (), 30)]
        done = {job.tag: value for job, value in pool.do(jobs)}
    assert isinstance(done[1], Lost)
    assert done[1].why == why
    assert isinstance(done[2], int)


def stages() -> None:
    pool.stage("short", 0.3)
    loop()


def leave() -> int:
    pool.retire()
    return os.getpid()


def test_a_stage_has_its_own_time_and_is_told() -> None:
    started = time.monotonic()
    with Pool(1, nothing) as members:
        list(members.do([Job("first", process, (), 30)]))
        ((_, lost),) = members.do([Job("stages", stages, (), 1000)])
    assert lost == Lost("time", stage="short")
    assert time.monotonic() - started < 60


def test_a_process_that_retires_is_replaced() -> None:
    with Pool(1, nothing) as members:
        (_, gone), (_, new) = members.do([Job("last", leave, (), 30), Job("next", process, (), 30)])
    assert isinstance(new, int), "the next job is not given to a process that ends"
    assert gone != new


def test_jobs_may_be_added_while_others_are_done() -> None:
    jobs = deque([Job(0, process, (), 30)])
    done = []
    with Pool(1, nothing) as members:
        for job, _ in members.do(jobs):
            done.append(job.tag)
            if job.tag < 2:
                jobs.append(Job(job.tag + 1, process, (), 30))
    assert done == [0, 1, 2]


def test_a_process_has_so_much_memory_and_what_it_starts_may_have_more() -> None:
    with Pool(1, nothing, memory=1 << 30) as members:
        ((_, lost),) = members.do([Job(1, hold, (2 << 30,), 30)])
        ((_, limits),) = members.do([Job(2, resource.getrlimit, (resource.RLIMIT_DATA,), 30)])
    assert "MemoryError" in lost.text
    assert limits[0] == 1 << 30
    assert limits[1] in {resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_DATA)[1]}


def hold(size: int) -> int:
    return len(bytes(size))


def test_a_process_is_replaced_after_its_jobs() -> None:
    with Pool(1, nothing, jobs_each=2) as pool:
        processes = [value for _, value in pool.do([Job(n, process, (), 30) for n in range(5)])]
    assert len({*processes}) == 3
    assert processes[0] == processes[1] != processes[2]
