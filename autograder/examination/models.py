"""Words for the Keras models that a notebook has made: what is one, and what it is outside of the box."""

from typing import Any, NamedTuple

from autograder.boxed.values import Handle
from autograder.examination.admission import admit
from autograder.examination.expectations import show, that
from autograder.examination.inference import Model, rebuild
from autograder.examination.student import Student


class Layer(NamedTuple):
    """A layer as its architecture claims it to be: Keras's name of its class, and its configuration as it came.

    Its activations are there by their names in `keras.activations`, however the student gave them.
    """

    kind: str
    config: dict[str, Any]


def keras_model(value: Any, what: str) -> Handle:
    """Expect of `what` (a function's name) that it returned something that stays in the box, as a model does."""
    model = admit(value)
    that(isinstance(model, Handle), f"{what} should return a Keras model, but returned {show(model)}.")
    assert isinstance(model, Handle)
    return model


def rebuilt(student: Student, model: "str | Handle", *, stateful: bool = False) -> Model:
    """The model of this name, or that a function has returned, as its weights predict outside of the box.

    Raises NotRebuilt where the grader cannot rebuild it; a stateful one is refused unless the exercise is about that.
    """
    exported = student.export_model(model)
    return rebuild(exported.get("architecture"), exported.get("weights"), stateful=stateful)


def taken_apart(student: Student, model: "str | Handle") -> tuple[list[Layer], Model]:
    """The layers behind the input, in the order in which data passes them, and the model rebuilt. Raises NotRebuilt."""
    exported = student.export_model(model)
    whole = rebuild(exported.get("architecture"), exported.get("weights"))
    layers = [Layer(kind, config) for kind, config in zip(whole.names, whole.configs, strict=True)]
    return layers, whole
