"""Every activation of Keras that a name gives predicts as in Keras, however a student writes it."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from autograder.examination import activations
from autograder.examination.activations import ACTIVATIONS, named
from autograder.examination.architecture import NotRebuilt
from autograder.examination.inference import Model, rebuild

L = keras.layers
NUMBERS = np.concatenate([np.linspace(-8, 8, 321), [-60, 60, -1e3, 1e3]]).astype("float32")


def rebuilt(model: Any) -> Model:
    return rebuild(model.to_json(), {layer.name: layer.get_weights() for layer in model.layers})


def sequential(*layers: Any, features: int = 6) -> Any:
    return keras.Sequential([keras.Input((3, features)), *layers])


def agree(model: Any, scale: float = 3.0) -> Model:
    """Expect that the rebuilt model predicts as Keras's."""
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.6, weight.shape) for weight in model.get_weights()])
    x = rng.normal(0, scale, (50, *model.input_shape[1:])).astype("float32")
    found = rebuilt(model)
    np.testing.assert_allclose(found.predict(x), np.asarray(model(x)), atol=2e-5, rtol=2e-5)
    assert found.outputs == found.predict(x).shape[-1]
    return found


def test_all_names_of_keras_are_known() -> None:
    """But threshold, which needs two numbers, so that Keras itself cannot use it by its name."""
    for name in set(keras.src.activations.ALL_OBJECTS_DICT) - {"threshold"}:
        assert named(name, 2).name == keras.activations.get(name).__name__
    with pytest.raises(NotRebuilt, match="threshold"):
        named("threshold", 2)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_formula_is_that_of_keras(name: str) -> None:
    for x in (NUMBERS[:, np.newaxis] * [1, -0.3, 0.2, 0], NUMBERS[:-1].reshape(-1, 4)):
        expected = np.asarray(keras.activations.get(name)(x.astype("float32")))
        found = ACTIVATIONS[name](x.astype("float32").astype(float))
        with np.errstate(over="ignore"):
            np.testing.assert_allclose(found.astype("float32"), expected, rtol=2e-5, atol=1e-5)
        assert found.shape[-1] == ACTIVATIONS[name].width(4)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name not in {"glu", "exponential"}])
def test_in_an_lstm(name: str) -> None:
    agree(sequential(L.LSTM(4, activation=name), L.Dense(2)), 0.5)
    agree(sequential(L.LSTM(4, recurrent_activation=name), L.Dense(2)), 0.5)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "softmax": tf.nn.softmax, "log_softmax": tf.nn.log_softmax, "silu": tf.nn.silu, "relu": tf.nn.relu,
    "relu6": tf.nn.relu6, "elu": tf.nn.elu, "selu": tf.nn.selu, "gelu": tf.nn.gelu, "leaky_relu": tf.nn.leaky_relu,
    "softplus": tf.nn.softplus, "softsign": tf.nn.softsign, "sigmoid": tf.nn.sigmoid, "tanh": tf.math.tanh,
    "exponential": tf.exp, "linear": tf.identity, "log_sigmoid": tf.math.log_sigmoid,
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_tensorflow(name: str) -> None:
    model = agree(sequential(L.LSTM(4), L.Dense(3, activation=FUNCTIONS[name])))
    assert model.configs[-1]["activation"] == name


LAYERS: dict[str, Callable[[], Any]] = {
    "relu": L.ReLU,
    "relu(negative_slope=0.1, max_value=2, threshold=0.5)": lambda: L.ReLU(2.0, 0.1, 0.5),
    "relu(max_value=6)": lambda: L.ReLU(6.0),
    "leaky_relu(negative_slope=0.3)": L.LeakyReLU,
    "leaky_relu": lambda: L.LeakyReLU(negative_slope=0.2),
    "elu": L.ELU,
    "elu(alpha=0.3)": lambda: L.ELU(0.3),
    "softmax": L.Softmax,
    "mish": lambda: L.Activation("mish"),
    "silu": lambda: L.Activation(tf.nn.swish),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str) -> None:
    """Behind a Dense they are its activation; elsewhere a layer of their own; and they may be an argument too."""
    model = agree(sequential(L.LSTM(4, return_sequences=True), LAYERS[name](), L.Dense(2)))
    assert (model.names[0], model.names[2], model.configs[1]["activation"]) == ("LSTM", "Dense", name)
    for layers in ([L.Dense(3), LAYERS[name]()], [L.Dense(3, activation=LAYERS[name]())]):
        model = agree(sequential(L.LSTM(4), *layers))
        assert (model.names, model.configs[1]["activation"]) == (("LSTM", "Dense"), name)
    assert agree(sequential(L.Dense(3, "tanh"), LAYERS[name]())).configs[0]["activation"] == f"tanh and {name}"


OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(keras.ops, name)
       for name in ("celu", "elu", "exp", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu",
                    "log_sigmoid", "log_softmax", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax",
                    "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "tanh",
                    "tanh_shrink", "glu")},
    "gelu, exact": lambda x: keras.ops.gelu(x, approximate=False),
    "gelu, approximate": keras.ops.gelu,
    "threshold": lambda x: keras.ops.threshold(x, 0.3, -2.0),
    "celu with its alpha": lambda x: keras.ops.celu(x, 0.4),
    "squareplus with its b": lambda x: keras.ops.squareplus(x, 2),
    "soft shrink with its threshold": lambda x: keras.ops.soft_shrink(x, 1.5),
    "relu with settings": lambda x: keras.activations.relu(x, 0.2, 1.5, 0.1),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_of_a_functional_model(name: str) -> None:
    inputs = keras.Input((3, 6))
    hidden = OPERATIONS[name](L.LSTM(4)(inputs))
    agree(keras.Model(inputs, L.Dense(2)(hidden)))


def test_glu_halves_what_it_is_given() -> None:
    assert agree(sequential(L.LSTM(4), L.Dense(6, "glu"))).outputs == 3
    with pytest.raises(NotRebuilt, match="odd"):
        rebuilt(sequential(L.LSTM(4), L.Dense(5, "glu")))


def test_prelu_has_its_slopes_from_the_training() -> None:
    agree(sequential(L.LSTM(4), L.PReLU(), L.Dense(2)))
    agree(sequential(L.LSTM(4, return_sequences=True), L.PReLU(shared_axes=[1]), L.Dense(2)))
    agree(sequential(L.Dense(2), L.PReLU(shared_axes=[1, 2])))
    with pytest.raises(NotRebuilt, match="shared_axes"):
        rebuilt(sequential(L.LSTM(4, return_sequences=True), L.PReLU()))


def own(x: Any) -> Any:
    return 2 * x


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        ([L.Dense(2, activation=own)], "activation own"),
        ([L.Dense(2, activation=tf.nn.crelu)], "crelu"),
        ([L.Dense(2, activation=L.PReLU())], "of its own"),
        ([L.Softmax(axis=1)], "last axis"),
        ([L.Masking(), L.Softmax()], "Masking"),
        ([L.LSTM(4, activation="glu")], "glu"),
    ],
)
def test_what_is_not_known_is_refused(layers: list[Any], sentence: str) -> None:
    with pytest.raises(NotRebuilt, match=sentence) as refused:
        rebuilt(sequential(*layers))
    assert len(str(refused.value)) < 250


@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`")
def test_a_lambda_is_refused() -> None:
    with pytest.raises(NotRebuilt, match="of its own"):
        rebuilt(sequential(L.Dense(2, activation=lambda x: x)))


ODD = [None, True, 3, 1.5, 10**400, float("nan"), float("inf"), [], ["tanh"], {}, {"a": 1}, "", "x" * 10**5,
       {"class_name": "tanh"}, {"class_name": "function"}, {"class_name": "function", "config": {"a": 1}},
       {"class_name": ["ReLU"], "module": "keras.layers", "config": {}}, {"class_name": "ReLU", "config": {}},
       {"class_name": "ELU", "module": "mine", "config": {}}]  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:40])
def test_odd_activations_are_refused_with_a_sentence(value: Any) -> None:
    with pytest.raises(NotRebuilt, match="activation") as refused:
        named(value, 2)
    assert len(str(refused.value)) < 250


def test_layers_within_layers_have_an_end() -> None:
    for depth in (1, 2, 3, 400):
        value: Any = "tanh"
        for _ in range(depth):
            value = {"class_name": "Activation", "module": "keras.layers", "config": {"activation": value}}
        if depth <= 3:
            assert named(value, 2).name == "tanh"
        else:
            with pytest.raises(NotRebuilt):
                named(value, 2)


@pytest.mark.parametrize("value", [None, True, "1", 10**400, -1e300, float("nan"), float("inf"), [1], {}], ids=repr)
@pytest.mark.parametrize(
    ("kind", "setting"),
    [(kind, setting) for kind, (_, settings) in activations._KINDS.items() for setting in settings],
)
def test_odd_settings_are_refused(kind: str, setting: str, value: Any) -> None:
    config = {"threshold": 1.0, "default_value": 1.0}
    if (setting, value) in (("max_value", None), ("approximate", True), ("axis", [1])):
        return
    with pytest.raises(NotRebuilt, match=setting):
        activations.of_layer(kind, {**config, setting: value}, 2)
