"""What an answer returns is the answer's fault: whatever can be decoded, the grader never blames itself for it.

    ANY_VALUES=200000 .venv/bin/pytest tests/slow/examination/test_any_answer.py -q

tries as many values for all exercises together; by default 250.
"""

import multiprocessing
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
from helpers import any_answer
from helpers.submissions import COURSE

from autograder.authoring import local_run

VALUES = int(os.environ.get("ANY_VALUES", "250"))
EXERCISES = sum(len(one.exercises) for one in COURSE.assignments())


@pytest.fixture(scope="module")
def apart() -> Iterator[ProcessPoolExecutor]:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=local_run.prepare) as pool:
        yield pool


@pytest.mark.long
@pytest.mark.parametrize("name", COURSE.names)
def test_the_grader_never_blames_itself_for_a_value(name: str, apart: ProcessPoolExecutor) -> None:
    seeds = {one.id: zlib.crc32(f"{name}/{one.id}".encode()) for one in COURSE.assignment(name).exercises}
    blamed, asked, slowest = apart.submit(any_answer.examined, name, seeds, VALUES * len(seeds) // EXERCISES).result()
    assert blamed == []
    assert asked >= VALUES * len(seeds) // EXERCISES
    assert slowest < 1
