"""Whatever a visible check asks, the hidden ones ask too: an answer that it refuses does not earn everything.

The answers are the wrong ones of `answers/`, and mutants of the reference, which nobody chose.
"""

import json
import random
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from helpers.grader import EVERYTHING, SEED
from helpers.submissions import COURSE, source

from autograder.authoring import local_run
from autograder.authoring.corpus import corpus
from autograder.authoring.local_run import Trial
from autograder.authoring.mutants import mutants
from autograder.batch.pool import Job, Pool

# How many of each lesson's wrong answers, and of its mutants, the gate tries; those that train networks take longer.
FEW, FEWER = 6, 2
MANY = 60  # mutants of each lesson for `make long`; `autograder assess` tries them all
SECONDS = 120.0
MUTANT_SECONDS = 20.0  # many a mutant has no end


Answer = tuple[str, str, str]  # exercise, name, code


def drawn(found: list[Answer], assignment: str, most: int) -> list[Answer]:
    """So many of them, always the same ones."""
    return random.Random(f"{SEED} {assignment}").sample(found, min(most, len(found)))


def with_markers(assignment: str) -> dict[str, Any]:
    """The lesson as its author wrote it: mutants are made of what is between the markers of a solution."""
    path = COURSE.root / "source" / assignment / f"{assignment}.ipynb"
    book: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return book


def jobs(assignment: str) -> Iterator[Job]:
    book, most = corpus(COURSE, assignment), FEW if assignment < "08" else FEWER
    wrong = [(one.exercise, one.name, one.code) for one in book.samples if one.verdict == "wrong"]
    changed = [
        (one.exercise, f"{one.operator}: {one.after}", one.code)
        for exercise in COURSE.assignment(assignment).exercises
        if exercise.id not in book.not_mutated
        for one in mutants(exercise.id, source(with_markers(assignment), exercise.id))
        if (one.exercise, one.before, one.after) not in {(e.exercise, e.before, e.after) for e in book.equivalents}
    ]
    some = chain(
        ((SECONDS, one) for one in drawn(wrong, assignment, len(wrong) if EVERYTHING else most)),
        ((MUTANT_SECONDS, one) for one in drawn(changed, assignment, MANY if EVERYTHING else most)),
    )
    for seconds, (exercise, name, code) in some:
        yield Job(name, local_run.attempt, (COURSE.root, assignment, exercise, code, (SEED,)), seconds=seconds)


@pytest.mark.parametrize("assignment", COURSE.names)
def test_what_a_visible_check_refuses_loses_points(assignment: str) -> None:
    tried, full = 0, []
    with Pool(1, local_run.prepare, 60) as pool:
        for job, found in pool.do(list(jobs(assignment))):
            if isinstance(found, Trial) and found.visible:  # a lost one came to no end
                tried += 1
                full += [f"{job.tag}: {found.visible}"] if found.results[0].outcome == "earned" else []
    assert tried, "no answer failed a visible check"
    assert not full, "\n".join(full)
