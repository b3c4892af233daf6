"""The call that a finding shows is the one that failed: run again, it gives the value that is shown.

And the reference, called like this, gives the one that was expected. So it is for all wrong answers of all corpora.
"""

import random
from collections.abc import Iterator

import numpy as np
import pytest
from helpers.grader import EVERYTHING, SEED
from helpers.shown_calls import Replayed, replayed
from helpers.submissions import COURSE

from autograder.authoring import local_run
from autograder.authoring.corpus import Sample, corpus
from autograder.batch.pool import Job, Pool
from autograder.box.replies import Answer
from autograder.boxed.values import Handle
from autograder.examination.judged_call import judged_call
from autograder.examination.student import Call

WRONG = {name: [one for one in corpus(COURSE, name).samples if one.verdict == "wrong"] for name in COURSE.names}
A_SAMPLE = 12  # of a lesson's wrong answers, where not all are tried


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """A process that imports what notebooks import once, for many answers."""
    with Pool(1, local_run.prepare) as pool:
        yield pool


def chosen(assignment: str) -> list[Sample]:
    samples = WRONG[assignment]
    return samples if EVERYTHING else random.Random(SEED).sample(samples, A_SAMPLE)


@pytest.mark.long
@pytest.mark.parametrize("assignment", WRONG)
def test_the_shown_call_gives_the_shown_value(assignment: str, pool: Pool) -> None:
    jobs = [
        Job(one.name, replayed, (COURSE.root, assignment, one.exercise, one.code, SEED), seconds=240)
        for one in chosen(assignment)
    ]
    ran = 0
    for job, found in pool.do(jobs):
        assert isinstance(found, Replayed), found
        assert not found.false, f"{job.tag}: {found.false}"
        ran += found.ran
    assert ran or assignment >= "08", "none of the shown calls could be run again"  # from 08 on, most ask a model


def call(name: str, value: object, *args: object) -> Call:
    return Call(name, args, {}, Answer(value))


def test_the_call_that_made_the_value_is_taken_and_not_the_latest() -> None:
    table = np.arange(6.0).reshape(2, 3)
    made, later = call("made", (table, {"mean": 2.5})), call("later", (table + 1, {"mean": 3.5}))
    for value in (table, table[:, 1], table.copy(), 2.5, table.tolist()):
        assert judged_call([value], [made, later]) is made
    assert judged_call([np.zeros(3)], [made, later]) is None
    assert judged_call([table], []) is None
    twins = [call("first", 0), call("second", 0)]
    assert judged_call([0.0], twins) is twins[1]


def test_what_a_check_makes_of_a_value_is_traced_to_its_call() -> None:
    scaler = Handle(0, "MinMaxScaler")
    made, later = call("made", (1.0, scaler)), call("later", (1.0, Handle(1, "MinMaxScaler")))
    undone = np.array([7.0])
    assert judged_call([undone], [made, later], [call("undo", undone, scaler, np.zeros(1))]) is made
