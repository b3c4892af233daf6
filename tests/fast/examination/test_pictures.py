"""Pictures say what is in their numbers, and only numbers of a box's reach them."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograder.boxed.values import Handle
from autograder.examination.own_answers import LocalKernel
from autograder.examination.pictures import OWN, confusion, forecast, learning_curve
from autograder.examination.street_forecasts import Week
from autograder.examination.student import Student
from autograder.result import MOST_POINTS, Picture

FALLING = [2.0, 1.0, 0.5, 0.4]


def curves(history: Any) -> list[Picture]:
    """Of a model that says this of its training."""
    return learning_curve(Student(LocalKernel({"model": SimpleNamespace(history=history)})), "model")


def curve(**losses: Any) -> Picture:
    (found,) = curves(SimpleNamespace(history=losses))
    return found


def test_a_curve_has_the_losses_and_says_how_they_went() -> None:
    found = curve(loss=FALLING, val_loss=[2.0, 1.0, 0.6, 0.9], accuracy=[0, 0, 0, 1])
    assert found.names == ("training", "validation")
    assert found.values == ((2.0, 1.0, 0.5, 0.4), (2.0, 1.0, 0.6, 0.9))
    assert "from 2 to 0.4." in found.says
    assert "lowest in epoch 3 (0.6) and ended at 0.9." in found.says
    assert found.says.endswith(OWN)


@pytest.mark.parametrize(
    ("loss", "val_loss", "told"),
    [
        (FALLING, [2.0, 1.0, 0.6, 0.9], "memorised its training data"),
        ([2.0, 1.0, 1.5, 2.0], [2.0, 1.0, 1.6, 2.9], "Both losses rose in the end"),
        (FALLING, FALLING, "still fell in the second half"),
        (FALLING, [0.5, 0.5, 0.5, 0.5], "It has settled"),
        (FALLING, [], "no validation loss"),
        (FALLING, [1.0, 2.0], "no validation loss"),
        ([2.0, float("nan"), 1.0], [], "no finite numbers"),
        (FALLING, [2.0, float("inf"), 1.0, 1.0], "no finite numbers"),
        ([1e300, 1.0], [], "no finite numbers"),
    ],
)
def test_what_a_curve_says(loss: list[float], val_loss: list[float], told: str) -> None:
    assert told in curve(loss=loss, val_loss=val_loss).says


def test_what_is_no_finite_number_leaves_a_gap() -> None:
    assert curve(loss=[1.0, float("nan"), 3.0]).values == ((1.0, None, 3.0),)


def test_a_long_training_is_thinned() -> None:
    found = curve(loss=[float(epoch) for epoch in range(1, 1001)])
    assert found.step == 5
    assert len(found.values[0]) == MOST_POINTS
    assert (found.values[0][0], found.values[0][-1]) == (5.0, 1000.0)


class Raises:
    @property
    def history(self) -> Any:
        raise SystemExit("no")


@pytest.mark.parametrize(
    "history",
    [
        None, {}, Raises(), SimpleNamespace(history=[1.0, 2.0]), SimpleNamespace(history={}),
        SimpleNamespace(history={"val_loss": FALLING}), SimpleNamespace(history={"loss": [1.0]}),
        SimpleNamespace(history={"loss": ["<script>", "b"]}), SimpleNamespace(history={"loss": "12"}),
        SimpleNamespace(history={"loss": [float("nan")] * 3}), SimpleNamespace(history={"loss": 3}),
        SimpleNamespace(history={"loss": [1.0] * 100_001}),
    ],
    ids=lambda one: repr(one)[:40],
)  # fmt: skip
def test_whatever_else_a_notebook_claims_gives_no_picture(history: Any) -> None:
    found = curves(history)
    assert found == [] or {type(value) for line in found[0].values for value in line} == {float}, "'12' is two numbers"


@pytest.mark.parametrize(
    "reply",
    [
        {"loss": ["a", "b"]}, {"loss": [True, False]}, {"loss": (1.0, 2.0)}, {"loss": np.array([1.0, 2.0])}, [1.0, 2.0],
        {"loss": [1, 2]}, {"loss": [[1.0], [2.0]]}, "loss", None, {"val_loss": [1.0, 2.0]}, {0: [1.0, 2.0]},
    ],
    ids=repr,
)  # fmt: skip
def test_a_reply_of_another_form_gives_no_picture(reply: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    student = Student(LocalKernel({"model": SimpleNamespace()}))
    monkeypatch.setattr(Student, "apply", lambda *_: reply)
    assert learning_curve(student, "model") == []


def test_there_is_no_picture_without_a_model() -> None:
    assert learning_curve(Student(LocalKernel({})), "model") == []
    assert learning_curve(Student(LocalKernel({"model": 3})), "model") == []
    assert isinstance(Student(LocalKernel({"model": SimpleNamespace()}))["model"], Handle)


def matrix(true: list[int], found: list[int]) -> Picture:
    return confusion(np.array(true), np.array(found), ["a", "b", "c"], "letter")


def test_a_matrix_counts_by_true_class() -> None:
    found = matrix([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 2, 1])
    assert found.values == ((1, 1, 0), (0, 1, 0), (0, 1, 2))
    assert "4 of 6" in found.says
    assert "The most frequent mistake is b for a: 1 of 2." in found.says


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([0, 1, 2] * 3, "None is wrong."),
        ([1] * 9, "Nearly all answers are b"),
        ([0, 1, 2, 1, 2, 0, 2, 0, 1], "as in guessing"),
        ([-1, 1, 2, 0, 1, 2, 0, 1, 2], "1 of 9 answers are no finite numbers"),
    ],
)
def test_what_a_matrix_says(found: list[int], told: str) -> None:
    assert told in matrix([0, 1, 2] * 3, found).says


def test_a_forecast_says_where_it_is_worst() -> None:
    truth = np.arange(168.0).reshape(14, 12)
    people = truth + 1
    people[3, 2] += 99  # the 39th hour: Tuesday at 14
    week = Week(np.empty(0), truth, np.zeros((14, 12)), truth + 5, np.datetime64("2024-09-16T00", "h"))
    found = forecast(week, people)
    assert found.names == ("counted", "your model", "last week")
    assert found.values[0] == tuple(range(168))
    assert found.values[2][0] == 5
    for part in ("Monday, 16 September 2024", "counts is 5.", "on Tuesday at 14:00: forecast 138, counted 38."):
        assert part in found.says
