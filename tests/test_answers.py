"""The hidden checks against a corpus of answers: right ones that differ from the reference, and mistakes.

`answers/ASSIGNMENT.toml` lists them. A correct answer that loses points is a false alarm; a wrong one that
earns all of them is a mistake that goes unseen. Both fail here, by name.
"""

import multiprocessing
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import in_process
import pytest
from conftest import SEED
from submissions import COURSE

ANSWERS = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8"))["answer"]
    for path in sorted((Path(__file__).parent / "answers").glob("*.toml"))
}
CASES = [
    pytest.param(assignment, answer, id=f"{assignment}-{answer['exercise']}-{answer['verdict']}-{answer['name']}")
    for assignment, answers in ANSWERS.items()
    for answer in answers
]


@pytest.fixture(scope="module")
def kernels() -> Iterator[ProcessPoolExecutor]:
    """A process that imports what notebooks import once, for all answers."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=in_process.prepare) as pool:
        yield pool


@pytest.mark.parametrize(("assignment", "answer"), CASES)
def test_an_answer_gets_what_it_deserves(assignment: str, answer: dict[str, Any], kernels: ProcessPoolExecutor) -> None:
    # What a trained model, or a guess, earns depends on the samples drawn; nothing else may.
    by_chance = answer["exercise"] == "trained-model" or answer.get("by_chance", False)
    seeds = (SEED,) if by_chance else (SEED, SEED + 1)
    jobs = [kernels.submit(in_process.marked, assignment, answer["exercise"], answer["code"], seed) for seed in seeds]
    found, visible = jobs[0].result(timeout=120)
    for job in jobs[1:]:
        assert job.result(timeout=120)[0].points == found.points, "the mark depends on the seed of the hidden inputs"
    assert found.outcome != "could_not_be_graded", found.message
    assert (found.outcome == "earned") == (answer["verdict"] == "correct"), found.message
    assert len(found.message) > 10
    if answer["verdict"] == "correct":
        assert not visible, "the visible check refuses what the hidden ones accept"


@pytest.mark.parametrize("assignment", COURSE.names)
def test_every_exercise_has_right_and_wrong_answers(assignment: str) -> None:
    count = Counter((answer["exercise"], answer["verdict"]) for answer in ANSWERS[assignment])
    exercises = [exercise.id for exercise in COURSE.assignment(assignment).exercises]
    assert all(count[exercise, "correct"] >= 3 and count[exercise, "wrong"] >= 5 for exercise in exercises)
    assert {exercise for exercise, _ in count} <= set(exercises)
