"""The call that feedback shows is the one that failed: it gives the value shown, and the reference gives the other.

    EVERYTHING=1 .venv/bin/pytest -n 3 tests/slow/examination/test_shown_calls.py

tries every wrong answer of every corpus; by default some of each lesson.
"""

from collections.abc import Iterator

import pytest
from helpers import shown_calls
from helpers.grader import EVERYTHING, SEED
from helpers.shown_calls import Told
from helpers.submissions import COURSE

from autograder.authoring import local_run
from autograder.authoring.corpus import Sample, corpus
from autograder.batch.pool import Job, Pool

# What another call has left behind shows only in its order, or the value is asked of the model in the box.
ELSEWHERE = {
    ("01_memory_cell", "test_forward_starts_anew"),
    ("01_memory_cell", "test_forward_gives_all_hidden_states"),
    ("01_memory_cell", "test_forward_equals_keras"),
    ("09_echo", "test_model_is_compiled"),
    ("10_deep_forecaster", "test_activation_is_of_the_dense_layers"),
    ("10_deep_forecaster", "test_compiled_with_rmse"),
    ("10_deep_forecaster", "test_dropout_where_the_slide_has_it"),
}


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1, local_run.prepare) as pool:
        yield pool


def wrong_answers(name: str) -> list[Sample]:
    wrong = [one for one in corpus(COURSE, name).samples if one.verdict == "wrong"]
    return wrong if EVERYTHING else wrong[::9] if name >= "08" else wrong[::4]


@pytest.mark.parametrize("name", COURSE.names)
def test_the_call_shown_gives_the_value_shown(name: str, pool: Pool) -> None:
    jobs = [
        Job(one.name, shown_calls.told, (COURSE.root, name, one.exercise, one.code, SEED), seconds=120)
        for one in wrong_answers(name)
    ]
    tried = 0
    for job, found in pool.do(jobs):
        assert isinstance(found, list), (job.tag, found)
        for told in found:
            assert isinstance(told, Told)
            if told.found is not None and (name, told.check) not in ELSEWHERE:
                assert (told.found, told.expected) == (True, True), (job.tag, told)
                tried += 1
    assert tried >= (0 if name >= "08" else 10)
