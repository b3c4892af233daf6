"""The NumPy forward pass is Keras's, and nothing but allow-listed layers gets into it."""

import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from autograder.architecture import NotRebuilt
from autograder.inference import rebuild

L = keras.layers


Weights = dict[str, list[Any]]


def exported(model: Any) -> tuple[str, Weights]:
    return model.to_json(), {layer.name: layer.get_weights() for layer in model.layers}


def randomised(model: Any, rng: np.random.Generator) -> Any:
    model.set_weights([rng.normal(0, 0.6, weight.shape) for weight in model.get_weights()])
    return model


def functional() -> Any:
    inputs = keras.Input(shape=(4, 3))
    return keras.Model(inputs, L.Dense(2, activation="softmax")(L.LSTM(5)(inputs)))


def functional_and_masked() -> Any:
    inputs = keras.Input(shape=(7, 2))
    hidden = L.LSTM(4, return_sequences=True)(L.Masking(-1.0)(inputs))
    return keras.Model(inputs, L.Dense(1)(L.LSTM(3)(hidden)))


def masked_by_hand() -> Any:
    inputs = keras.Input(shape=(7, 2))
    mask = keras.ops.any(keras.ops.not_equal(inputs, -1.0), axis=-1)
    return keras.Model(inputs, L.Dense(1)(L.LSTM(3)(inputs, mask=mask)))


MODELS: dict[str, Callable[[], Any]] = {
    "vanilla": lambda: keras.Sequential([keras.Input(shape=(5, 10)), L.LSTM(16), L.Dense(10, activation="softmax")]),
    "functional": functional,
    "deep": lambda: keras.Sequential(
        [
            keras.Input(shape=(6, 2)),
            L.LSTM(4, return_sequences=True),
            L.Dropout(0.5),
            L.LSTM(8),
            L.Dense(3, "relu"),
            L.Dense(2),
        ]
    ),
    "masked": lambda: keras.Sequential(
        [keras.Input(shape=(7, 2)), L.Masking(-1.0), L.LSTM(4, return_sequences=True), L.LSTM(3), L.Dense(1)]
    ),
    "masked, functional": functional_and_masked,
    "masked, by hand": masked_by_hand,
    "any length": lambda: keras.Sequential([keras.Input(shape=(None, 3)), L.LSTM(4), L.Dense(1, "sigmoid")]),
    "no bias": lambda: keras.Sequential(
        [keras.Input(shape=(4, 3)), L.LSTM(4, use_bias=False), L.Dense(1, use_bias=False)]
    ),
    "other activations": lambda: keras.Sequential(
        [
            keras.Input(shape=(4, 3)),
            L.LSTM(4, activation="relu", recurrent_activation="tanh"),
            L.Dense(2, "elu"),
            L.Dense(2, "softplus"),
        ]
    ),
    "a value for every timestep": lambda: keras.Sequential(
        [keras.Input(shape=(4, 3)), L.LSTM(4, return_sequences=True), L.Dense(2, "tanh")]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_predicts_as_keras_does(name: str) -> None:
    rng = np.random.default_rng(0)
    model = randomised(MODELS[name](), rng)
    timesteps, features = model.input_shape[1] or 5, model.input_shape[2]
    x = rng.normal(size=(40, timesteps, features)).astype("float32")
    if name.startswith("masked"):
        x[:20, :3] = -1.0
        x[5, 4] = -1.0
    rebuilt = rebuild(*exported(model))
    np.testing.assert_allclose(rebuilt.predict(x), model.predict(x, verbose=0), atol=2e-5)
    assert rebuilt.outputs == model.output_shape[-1]


def stateful_functional() -> Any:
    inputs = keras.Input(batch_shape=(3, 4, 2))
    hidden = L.LSTM(4, return_sequences=True, stateful=True)(L.Masking(-1.0)(inputs))
    return keras.Model(inputs, L.Dense(1)(L.LSTM(3, stateful=True)(hidden)))


STATEFUL: dict[str, Callable[[], Any]] = {
    "one layer": lambda: keras.Sequential([keras.Input(batch_shape=(3, 4, 2)), L.LSTM(5, stateful=True), L.Dense(1)]),
    "of any length": lambda: keras.Sequential(
        [keras.Input(batch_shape=(3, None, 2)), L.LSTM(5, stateful=True), L.Dropout(0.5), L.Dense(2, "sigmoid")]
    ),
    "deep": lambda: keras.Sequential(
        [
            keras.Input(batch_shape=(3, 4, 2)),
            L.LSTM(4, return_sequences=True, stateful=True),
            L.LSTM(3, return_sequences=True, stateful=True),
            L.Dense(1),
        ]
    ),
    "one layer of two": lambda: keras.Sequential(
        [keras.Input(batch_shape=(3, 4, 2)), L.LSTM(4, return_sequences=True), L.LSTM(3, stateful=True), L.Dense(1)]
    ),
    "masked, functional": stateful_functional,
}  # fmt: skip


@pytest.mark.parametrize("name", STATEFUL)
def test_carries_the_state_from_batch_to_batch_as_keras_does(name: str) -> None:
    rng = np.random.default_rng(0)
    model = randomised(STATEFUL[name](), rng)
    batches = list(rng.normal(size=(4, 3, 4, 2)).astype("float32"))
    if name.startswith("masked"):
        batches[1][0, :2] = -1.0
        batches[2][1] = -1.0  # a batch in which a row has no data at all
    rebuilt = rebuild(*exported(model), stateful=True)
    assert rebuilt.batch_size == 3
    for _ in range(2):  # the rebuilt model begins anew by itself, Keras's after a reset
        expected = [np.asarray(model(batch)) for batch in batches]
        for layer in model.layers:
            if getattr(layer, "stateful", False):
                layer.reset_state()
        found = rebuilt.predict_batches(batches)
        np.testing.assert_allclose(found, expected, atol=2e-5)
    assert not np.allclose(found[1:], [rebuilt.predict(batch) for batch in batches[1:]], atol=1e-3)
    np.testing.assert_allclose(found[0], rebuilt.predict(batches[0]), atol=1e-12)


def test_the_rows_of_a_batch_do_not_touch_one_another() -> None:
    rng = np.random.default_rng(0)
    rebuilt = rebuild(*exported(randomised(STATEFUL["deep"](), rng)), stateful=True)
    batches = list(rng.normal(size=(3, 7, 4, 2)))
    whole = rebuilt.predict_batches(batches)
    for row in range(7):
        alone = rebuilt.predict_batches([batch[row : row + 1] for batch in batches])
        np.testing.assert_allclose([one[0] for one in alone], [one[row] for one in whole], atol=1e-12)


def test_a_stateless_model_carries_nothing() -> None:
    rng = np.random.default_rng(0)
    model = randomised(MODELS["deep"](), rng)
    batches = list(rng.normal(size=(3, 5, 6, 2)))
    rebuilt = rebuild(*exported(model), stateful=True)
    assert rebuilt.batch_size is None
    np.testing.assert_allclose(rebuilt.predict_batches(batches), [rebuilt.predict(batch) for batch in batches])


@pytest.mark.parametrize("name", STATEFUL)
def test_a_stateful_model_is_refused_where_none_is_asked_for(name: str) -> None:
    with pytest.raises(NotRebuilt, match="stateful"):
        rebuild(*exported(STATEFUL[name]()))


def test_batches_of_another_shape_are_refused() -> None:
    rebuilt = rebuild(*exported(STATEFUL["one layer"]()), stateful=True)
    with pytest.raises(NotRebuilt, match="should take"):
        rebuilt.predict_batches([np.zeros((3, 4, 2)), np.zeros((3, 4, 1))])


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        ([L.LSTM(4), L.Lambda(lambda x: x)], "Lambda"),
        ([L.Cropping1D((2, 2)), L.LSTM(4)], "Cropping1D"),
        ([L.Flatten(), L.Dense(2)], "Flatten"),
        ([L.Bidirectional(L.LSTM(4))], "Bidirectional"),
        ([L.GRU(4)], "GRU"),
        ([L.LSTM(4, go_backwards=True)], "go_backwards"),
        ([L.LSTM(4, activation="swish")], "activation"),
    ],
)
def test_other_layers_are_refused_by_name(layers: list[Any], sentence: str) -> None:
    with pytest.raises(NotRebuilt, match=sentence):
        rebuild(*exported(keras.Sequential([keras.Input(shape=(5, 3)), *layers])))


def test_branches_are_refused() -> None:
    inputs = keras.Input(shape=(5, 3))
    model = keras.Model(inputs, L.Dense(2)(L.concatenate([L.LSTM(2)(inputs), L.LSTM(2)(inputs)])))
    with pytest.raises(NotRebuilt):
        rebuild(*exported(model))


@pytest.mark.parametrize(
    "mask",
    [
        lambda x: keras.ops.any(keras.ops.not_equal(x, -2.0), axis=-1),  # of another value
        lambda x: keras.ops.any(keras.ops.not_equal(x, -1.0), axis=1),  # over timesteps
        lambda x: keras.ops.any(keras.ops.equal(x, -1.0), axis=-1),  # the other way round
    ],
)
def test_a_mask_that_is_not_the_masking_layers_is_refused(mask: Callable[[Any], Any]) -> None:
    inputs = keras.Input(shape=(2, 2))
    model = keras.Model(inputs, L.LSTM(2)(L.Masking(-1.0)(inputs), mask=mask(inputs)))
    with pytest.raises(NotRebuilt):
        rebuild(*exported(model))


def test_a_custom_layer_that_calls_itself_dense_is_refused() -> None:
    class Dense(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(NotRebuilt, match="own making"):
        rebuild(*exported(keras.Sequential([keras.Input(shape=(5, 3)), L.LSTM(3), Dense()])))


def vanilla() -> tuple[dict[str, Any], Weights]:
    architecture, weights = exported(MODELS["vanilla"]())
    return json.loads(architecture), weights


def changed(weights: Weights, change: Any) -> Weights:
    return {name: [change(array) for array in arrays] for name, arrays in weights.items()}


@pytest.mark.parametrize(
    "architecture", [None, 3, "", "[]", "{}", "[" * 100_000, '{"config": {"layers": 3}}', "x" * 300_000]
)
def test_an_architecture_that_is_none_is_refused(architecture: Any) -> None:
    with pytest.raises(NotRebuilt):
        rebuild(architecture, [])


@pytest.mark.parametrize(
    "units", [0, -1, 10**9, True, "16", None, 3.5, [16], {"a": 1}],
)  # fmt: skip
def test_units_that_are_none_are_refused(units: Any) -> None:
    architecture, weights = vanilla()
    architecture["config"]["layers"][1]["config"]["units"] = units
    with pytest.raises(NotRebuilt):
        rebuild(json.dumps(architecture), weights)


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: {},
        lambda weights: list(weights.values()),
        lambda weights: changed(weights, lambda w: w.T),
        lambda weights: changed(weights, lambda w: w.astype(object)),
        lambda weights: changed(weights, lambda w: w.astype("U5")),
        lambda weights: changed(weights, lambda w: w.tolist()),
        lambda weights: weights | {"more": [np.zeros((2000, 2000))]},
        lambda weights: None,
    ],
)
def test_weights_that_do_not_fit_are_refused(change: Any) -> None:
    architecture, weights = vanilla()
    with pytest.raises(NotRebuilt):
        rebuild(json.dumps(architecture), change(weights))


def test_infinite_weights_predict_nothing_and_raise_nothing() -> None:
    architecture, weights = vanilla()
    weights = changed(weights, lambda w: np.full_like(w, np.inf))
    assert not np.isfinite(rebuild(json.dumps(architecture), weights).predict(np.eye(10)[None, :5])).any()
