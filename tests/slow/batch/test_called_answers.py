"""An answer that calls another exercise's wrong answer: graded beside the reference, which stays out of its box."""

from typing import Any

import pytest
from helpers.grader import Grader
from helpers.submissions import answered, lean, released, solved, source

from autograder.batch.called_answers import functions
from autograder.box.replies import Answer, Raised
from autograder.box.served import Served
from autograder.boxed import protocol
from autograder.boxed.values import Handle
from autograder.course import Course
from autograder.result import ExerciseResult

LESSON = "01_memory_cell"


def graded(grade: Grader, **answers: str) -> dict[str, ExerciseResult]:
    result = grade(lean(answered(solved(LESSON), **answers)), LESSON).result
    return {one.id: one for one in result.exercises}


WRONG = "def sigmoid(x):\n    return 1 / (1 + np.exp(np.asarray(x, dtype=float)))"
OPEN = source(released(LESSON), "sigmoid")
STEP = """
def lstm_step(x_t, h_prev, c_prev, kernel, recurrent_kernel, bias):
    i, f, g, o = np.split(x_t @ kernel + h_prev @ recurrent_kernel + bias, 4, axis=1)
    c = sigmoid(f) * c_prev + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c
"""
TOLD = "This calls your `sigmoid`, which is wrong: mend it first."


def test_a_right_answer_beside_a_wrong_one_earns_its_points(grade: Grader) -> None:
    """Of what it calls, only what stands before it is replaced."""
    calls_a_later_one = "def gate_activations(*given):\n    return lstm_step(*given)"
    found = graded(grade, sigmoid=WRONG, lstm_step=STEP, gates=calls_a_later_one)
    assert found["sigmoid"].outcome == "not_earned"
    assert found["lstm-step"].outcome == "earned", found["lstm-step"].message
    assert found["lstm-step"].message.startswith(f"{TOLD} With a right one this answer is right")
    assert "This calls" not in found["gates"].message
    assert found["lstm-forward"].message == "All 5 checks passed." or found["lstm-forward"].outcome == "earned"


def test_what_is_wrong_by_itself_stays_wrong_and_is_told(grade: Grader) -> None:
    found = graded(grade, sigmoid=WRONG, lstm_step=STEP.replace("np.tanh(c)", "c"))
    assert found["lstm-step"].message.count(TOLD) == 1
    alone = graded(grade, lstm_step=STEP.replace("np.tanh(c)", "c"))
    assert found["lstm-step"].points == alone["lstm-step"].points
    assert alone["lstm-step"].outcome == "partial"
    assert "This calls" not in alone["lstm-step"].message


def test_what_has_no_answer_is_replaced_as_well(grade: Grader) -> None:
    found = graded(grade, sigmoid=OPEN, lstm_step=STEP)
    assert found["lstm-step"].outcome == "earned"
    assert "This calls `sigmoid`, which is not answered yet: write it first." in found["lstm-step"].message


SPY = """
import re

def in_memory(pattern):
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            places, allowed, _, device, *_ = line.split()
            first, last = (int(place, 16) for place in places.split("-"))
            if allowed.startswith("rw") and device == "00:00":
                try:
                    memory.seek(first)
                    if re.search(pattern, memory.read(last - first)):
                        return True
                except (OSError, ValueError, OverflowError):
                    pass
    return False

looked = []

def lstm_step(x_t, h_prev, c_prev, kernel, recurrent_kernel, bias):
    if sigmoid.__module__ != "__main__" and not looked:  # it is the one that stands for the reference's
        sigmoid(x_t)
        looked.append((in_memory(rb"never[ ]above 1"), in_memory(rb"A text[ ]of my own")))
    if looked and looked != [(False, True)]:
        raise ValueError(looked)
    # A text of my own.
    i, f, g, o = np.split(x_t @ kernel + h_prev @ recurrent_kernel + bias, 4, axis=1)
    c = sigmoid(f) * c_prev + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c
"""


def test_the_references_code_is_not_where_student_code_is(grade: Grader) -> None:
    """It earns the points only if it finds its own text in the memory of its process, and not the reference's."""
    assert "never above 1" in source(solved(LESSON), "sigmoid")
    found = graded(grade, sigmoid=WRONG, lstm_step=SPY)
    assert found["lstm-step"].outcome == "earned", found["lstm-step"].message


TELLS = """
def lstm_step(x_t, *given):
    raise ValueError(f"secret {sigmoid(np.array([0.0, 1.0])).tolist()}")
"""


def test_nothing_of_the_second_look_is_told(grade: Grader) -> None:
    message = graded(grade, sigmoid=WRONG, lstm_step=TELLS)["lstm-step"].message
    assert "secret [0.5, 0.26" in message  # its own, wrong one
    assert "0.73" not in message  # the reference's


class Doubles:
    """A kernel whose functions double their argument."""

    def ask(self, request: dict[str, Any]) -> Answer:
        [one] = request["args"]
        if one == "raise":
            return Answer(raised=Raised("ValueError", ("ValueError",), "a secret", 3, "a secret line"))
        return Answer(Handle(0, "Scaler")) if one == "thing" else Answer(one * 2)


def reply(**wanted: object) -> object:
    served = Served(["double"], Doubles())
    return protocol.unpack(served.reply({"args": [2], "kwargs": {}, **wanted}))


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"wants": "double"}, {"value": 4}),
        ({"wants": "double", "args": ["raise"]}, {"raised": "ValueError"}),
        ({"wants": "double", "args": ["thing"]}, {"refused": "it gave no answer that can be sent"}),
        ({"wants": "double", "args": [[Handle(0, "Scaler")]]}, {"refused": "its arguments cannot be sent"}),
        ({"wants": "double", "args": 2}, {"refused": "there is no such function"}),
        ({"wants": "__import__"}, {"refused": "there is no such function"}),
        ({"wants": ["double"]}, {"refused": "there is no such function"}),
    ],
)
def test_what_is_served_is_data_of_listed_functions(wanted: dict[str, object], said: object) -> None:
    assert reply(**wanted) == said


def test_the_functions_of_an_exercise_are_those_of_its_released_cell(course: Course) -> None:
    assert functions(course.assignment(LESSON), "gates") == ["gate_activations"]
    assert functions(course.assignment(LESSON), "applications") == []
