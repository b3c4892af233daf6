"""The hidden checks against a corpus of answers: right ones that differ from the reference, and mistakes.

`answers/ASSIGNMENT.toml` lists them. A correct answer that loses points is a false alarm; a wrong one that
earns all of them is a mistake that goes unseen. Both fail here, by name.
"""

from collections import Counter
from collections.abc import Iterator

import pytest
from conftest import SEED
from submissions import COURSE

from autograder import trial
from autograder.corpus import Sample, corpus
from autograder.crew import Crew, Job
from autograder.trial import Trial

CORPORA = {name: corpus(COURSE, name) for name in COURSE.names}
CASES = [
    pytest.param(name, sample, id=f"{name}-{sample.exercise}-{sample.verdict}-{sample.name}")
    for name, found in CORPORA.items()
    for sample in found.samples
]


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    """A process that imports what notebooks import once, for many answers."""
    with Crew(1, trial.prepare) as crew:
        yield crew


@pytest.mark.parametrize(("assignment", "sample"), CASES)
def test_an_answer_gets_what_it_deserves(assignment: str, sample: Sample, crew: Crew) -> None:
    # What a trained model, or a guess, earns depends on the samples drawn; nothing else may.
    seeds = (SEED,) if sample.by_chance else (SEED, SEED + 1)
    job = Job(None, trial.attempt, (COURSE.root, assignment, sample.exercise, sample.code, seeds), seconds=120)
    _, tried = next(crew.do([job]))
    assert isinstance(tried, Trial), tried
    found = tried.results[0]
    assert {one.points for one in tried.results} == {found.points}, "the mark depends on the seed of the hidden inputs"
    assert found.outcome != "could_not_be_graded", found.message
    assert (found.outcome == "earned") == (sample.verdict == "correct"), found.message
    assert len(found.message) > 10
    if sample.verdict == "correct":
        assert not tried.visible, "the visible check refuses what the hidden ones accept"


@pytest.mark.parametrize("assignment", COURSE.names)
def test_every_exercise_has_right_and_wrong_answers(assignment: str) -> None:
    samples = CORPORA[assignment].samples
    count = Counter((sample.exercise, sample.verdict) for sample in samples)
    exercises = [exercise.id for exercise in COURSE.assignment(assignment).exercises]
    assert all(count[exercise, "correct"] >= 3 and count[exercise, "wrong"] >= 6 for exercise in exercises)
    assert {exercise for exercise, _ in count} <= set(exercises)
    assert max(Counter((sample.exercise, sample.name) for sample in samples).values()) == 1, "a name is its own"
