"""Answers that are the reference's, changed in one place, or any value at all: run it in a process apart."""

import contextlib
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.box.bounds import Unanswered
from autograder.box.replies import Answer, read_answer, read_event
from autograder.boxed import protocol
from autograder.examination import expectations
from autograder.examination.admission import admit
from autograder.examination.display import code, pair
from autograder.examination.examine import examine
from autograder.examination.own_answers import LocalKernel, in_its_folder, reference_kernel
from helpers.box_frames import drawn, near
from helpers.submissions import COURSE

EXPECTED = [np.arange(3.0), np.zeros((2, 3)), np.ones((2, 3, 4)), np.array(1.0), np.zeros((0, 3)), np.array(["a"])]
WORDS: list[Callable[[Any, Any], object]] = [
    lambda value, expected: expectations.array(value, "it"),
    lambda value, expected: expectations.close(value, EXPECTED[1], "it", mistakes={"a": EXPECTED[1] + 1}),
    lambda value, expected: expectations.close(value, EXPECTED[2], "it", secret=True),
    lambda value, expected: expectations.equal(value, expected.tolist(), "it", mistakes={"a": value}),
    lambda value, expected: expectations.equal(value, "standardize", "it"),
    lambda value, expected: expectations.same_thing(value, value),
    lambda value, expected: expectations.parts(value, 2, "it"),
    lambda value, expected: expectations.show(value),
    lambda value, expected: expectations._same(value, value),
    lambda value, expected: pair(value, expected),
    lambda value, expected: pair(value, value),
    lambda value, expected: code(value),
]


def looked_at(frame: bytes, choose: Callable[[int], int]) -> bool:
    """Whether the frame is a value. Then each word of the checks may say that it is wrong, and may do no more."""
    try:
        value = admit(protocol.unpack(frame))
    except protocol.ProtocolError:
        return False
    with contextlib.suppress(protocol.ProtocolError):
        read_event(value)
    with contextlib.suppress(protocol.ProtocolError):
        read_answer({"id": value, "value": 1}, 3)
    with contextlib.suppress(protocol.ProtocolError):
        read_answer({"id": 3, "value": value, "raised": value, "warnings": value}, 3)
    for word in WORDS:
        with contextlib.suppress(expectations.Wrong):
            word(value, EXPECTED[choose(len(EXPECTED))])
    return True


class Claiming:
    """A kernel whose answers are claims. `asked` counts them, `slowest` is what one took to decode, in seconds."""

    def __init__(self, reference: LocalKernel, choose: Callable[[int], int]) -> None:
        self.reference, self.choose = reference, choose
        self.asked, self.slowest = 0, 0.0

    def ask(self, request: dict[str, Any]) -> Answer:
        self.asked += 1
        frame = self.reference.reply(request)
        kind = self.choose(3)
        if kind == 1:
            frame = near(frame, self.choose)
        started = time.process_time()
        try:
            answer = read_answer(protocol.unpack(frame), 0)
            return Answer(value=protocol.unpack(drawn(self.choose))) if kind == 2 else answer
        except protocol.ProtocolError:
            raise Unanswered("notebook", "It could not be read.") from None
        finally:
            self.slowest = max(self.slowest, time.process_time() - started)


def examined(assignment: str, seeds: Mapping[str, int], values: int) -> tuple[list[str], int, float]:
    """What was blamed on the grader, or raised, for so many values; how many there were; what the slowest took."""
    blamed: list[str] = []
    asked, slowest = 0, 0.0
    course = COURSE.assignment(assignment)
    reference = reference_kernel(course, *seeds)  # of all exercises at once: a model is trained once
    for exercise, seed in seeds.items():
        chance = random.Random(seed)
        until = asked + -(-values // len(seeds))
        while asked < until:
            kernel = Claiming(reference, chance.randrange)
            with in_its_folder(course):
                found = examine(course, kernel, {exercise: chance.randrange(2**32)}, [exercise])
            blamed += [f"{exercise}, {one.check.name}: {one.message}" for one in found if one.cause == "grader"]
            asked, slowest = asked + kernel.asked, max(slowest, kernel.slowest)
    return blamed, asked, slowest
