"""What lessons 08 to 10 ask a student's compiled model for is true, in whatever way Keras has compiled it."""

import importlib.util
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest

from autograder.course import CHECKS

L = keras.layers


def lesson(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"checks_{name}", CHECKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ECHO, STATE, FORECASTER = (lesson(name) for name in ("09_echo", "08_shapes_batches_state", "10_deep_forecaster"))


@pytest.fixture(params=["mixed_bfloat16", "mixed_float16", "float32"])
def policy(request: pytest.FixtureRequest) -> Iterator[str]:
    """A dtype policy that the notebook has set for all layers that come."""
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


def network(outputs: int = 1, name: str = "d") -> Any:
    return keras.Sequential([keras.Input((4, 3)), L.LSTM(3), L.Dense(outputs, name=name)])


@pytest.mark.parametrize("several", [lambda loss: loss, lambda loss: [loss], lambda loss: {"d": loss}])
@pytest.mark.parametrize("loss", ["categorical_crossentropy", keras.losses.CategoricalCrossentropy()], ids=type)
def test_the_loss_and_the_optimizer_are_found(policy: str, several: Any, loss: Any) -> None:
    model = network(3)
    model.compile("adam", several(loss), jit_compile=True)
    assert ("LossScale" in type(model.optimizer).__name__) == (policy == "mixed_float16")
    found = ECHO.how_compiled(model)
    assert found["loss"].replace("_", "") == "categoricalcrossentropy"
    assert (found["optimizer"], round(found["rate"], 6)) == ("Adam", 0.001)


@pytest.mark.parametrize("accumulated", [None, 4])
@pytest.mark.parametrize("jit", [False, True])
def test_an_update_is_seen(policy: str, accumulated: int | None, jit: bool) -> None:
    model = network()
    model.compile(keras.optimizers.Adam(gradient_accumulation_steps=accumulated), ["mse"], jit_compile=jit)
    assert STATE.can_train(model, 4)
    model.compile(keras.optimizers.SGD(0.0, gradient_accumulation_steps=accumulated), "mse", jit_compile=jit)
    assert not STATE.can_train(model, 4)


@pytest.mark.usefixtures("policy")
def test_the_models_of_the_checks_have_32_bits() -> None:
    rng = np.random.default_rng(0)
    weights, X, _ = STATE.problem(rng)
    model = STATE.in_the_box(weights, STATE.ROWS, STATE.STEPS, 0.0, False)
    expected = np.concatenate(STATE.outside(weights).predict_batches(STATE.in_batches(X)))
    np.testing.assert_allclose(STATE.as_it_is(model, X, STATE.ROWS), expected, rtol=1e-4, atol=1e-4)
    assert type(model.optimizer).__name__ == "SGD"


def rmse(y_true: Any, y_pred: Any) -> Any:
    y_pred = keras.ops.cast(y_pred, "float32")
    return keras.ops.sqrt(keras.ops.mean(keras.ops.square(keras.ops.cast(y_true, "float32") - y_pred)))


@pytest.mark.usefixtures("policy")
def test_a_loss_is_tried_with_32_bits() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 3)).astype("float32"), rng.normal(size=(30, 2)).astype("float32")
    found = FORECASTER.fit_with(rmse, X, y)
    np.testing.assert_allclose(found["loss"][0], np.sqrt(np.mean(y**2)), rtol=1e-5)


@pytest.mark.parametrize("loss", [rmse, [rmse]], ids=["alone", "in a list"])
@pytest.mark.parametrize("own", [rmse, None], ids=["own", "none"])
def test_what_evaluate_gives(policy: str, loss: Any, own: Any) -> None:
    model = network(3)
    model.compile("adam", loss, metrics=["mae", rmse], jit_compile=True)
    X, y = np.random.default_rng(0).normal(size=(20, 4, 3)), np.random.default_rng(1).normal(1, 2, (20, 3))
    found = FORECASTER.evaluated(model, X.astype("float32"), y.astype("float32"), own)
    errors = model.predict(X.astype("float32"), verbose=0).astype(float) - y
    near = 0.03 if policy != "float32" else 1e-3
    np.testing.assert_allclose(found["values"]["loss"], np.sqrt(np.mean(errors**2)), rtol=near)
    np.testing.assert_allclose(found["values"]["mae"], np.abs(errors).mean(), rtol=near)
    np.testing.assert_allclose(found["values"]["rmse"], np.sqrt(np.mean(errors**2)), rtol=near)
    assert found["optimizer"] == "Adam"
