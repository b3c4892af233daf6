"""A notebook's model is taken out of the box as what it claims to be, and as what its weights predict."""

import json
from typing import Any

import numpy as np
import pytest

from autograder.box.replies import Answer
from autograder.boxed.values import Handle
from autograder.examination.architecture import NotRebuilt
from autograder.examination.expectations import Wrong, alike, variable
from autograder.examination.models import keras_model, rebuilt, taken_apart
from autograder.examination.student import Student


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": name, **config}, "module": "keras.layers", "registered_name": None}


LSTM = layer("LSTM", "lstm", units=2, activation="tanh", recurrent_activation="sigmoid", stateful=True)
LAYERS = [
    layer("InputLayer", "input", batch_shape=[None, 4, 3]),
    LSTM,
    layer("Dropout", "dropout", rate=0.25),
    layer("Dense", "dense", units=1, activation="linear"),
]
WEIGHTS = {
    "lstm": [np.zeros((3, 8)), np.zeros((2, 8)), np.zeros(8)],
    "dense": [np.zeros((2, 1)), np.array([5.0])],
}


class Notebook:
    """A kernel that knows one variable and exports one model."""

    def __init__(self, stateful: bool = False) -> None:
        LSTM["config"]["stateful"] = stateful
        architecture = {"class_name": "Sequential", "config": {"layers": LAYERS}}
        self.model = {"architecture": json.dumps(architecture), "weights": WEIGHTS}

    def ask(self, request: dict[str, Any]) -> Answer:
        if request["do"] == "export_model":
            return Answer(value=self.model)
        return Answer(value=3) if request["name"] == "known" else Answer(missing=True)


def test_a_model_predicts_outside_of_the_box() -> None:
    model = rebuilt(Student(Notebook()), "model")
    assert model.predict(np.ones((2, 4, 3))).tolist() == [[5], [5]]


def test_a_stateful_model_is_refused_unless_it_is_asked_for() -> None:
    student = Student(Notebook(stateful=True))
    with pytest.raises(NotRebuilt, match="stateful"):
        rebuilt(student, "model")
    assert rebuilt(student, "model", stateful=True).names == ("LSTM", "Dropout", "Dense")


def test_the_layers_behind_the_input_come_with_what_they_were_asked_for() -> None:
    layers, model = taken_apart(Student(Notebook()), Handle(1, "Sequential"))
    assert [one.kind for one in layers] == ["LSTM", "Dropout", "Dense"]
    assert layers[1].config["rate"] == 0.25
    assert model.outputs == 1


def test_what_is_data_is_no_model() -> None:
    handle = Handle(1, "Sequential")
    assert keras_model(handle, "build") is handle
    with pytest.raises(Wrong, match="build should return a Keras model, but returned nothing"):
        keras_model(None, "build")


def test_a_variable_that_is_not_there_has_its_default() -> None:
    student = Student(Notebook())
    assert variable(student, "known", 0) == 3
    assert variable(student, "unknown", {}) == {}


@pytest.mark.parametrize(
    ("one", "other", "are"),
    [([1.0, 2.0], [1, 2], True), ([1.0, 2.0], [1, 2.1], False), ([1.0, 2.0], [[1.0, 2.0]], False),
     ([1.0, np.nan], [1.0, np.nan], True), ([1.0, np.nan], [1.0, 2.0], False), ([1000.0], [1000.005], True)],
)  # fmt: skip
def test_arrays_are_alike_within_single_precision(one: list[float], other: list[float], are: bool) -> None:
    assert alike(np.array(one), other) is are
    assert not alike(np.array([np.nan]), [np.nan], equal_nan=False)
