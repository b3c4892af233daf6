"""The NumPy forward pass is Keras's, and nothing but allow-listed layers gets into it."""

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from autograder.examination import inference
from autograder.examination.activations import ACTIVATIONS
from autograder.examination.architecture import NotRebuilt
from autograder.examination.inference import Model, rebuild
from autograder.examination.layers import LSTM, Dense, Layer

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
    "masked behind the LSTM": lambda: keras.Sequential(
        [keras.Input(shape=(4, 3)), L.LSTM(4), L.Masking(-1.0), L.Dense(2)]
    ),
    "masked by NaN": lambda: keras.Sequential([keras.Input(shape=(7, 2)), L.Masking(float("nan")), L.LSTM(3)]),
    "masks alone": lambda: keras.Sequential([keras.Input(shape=(7, 2)), L.Masking(-1.0), L.Dropout(0.1)]),
    "sequences by a number": lambda: keras.Sequential(
        [keras.Input(shape=(4, 3)), L.LSTM(4, return_sequences=1), L.LSTM(2)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_predicts_as_keras_does(name: str) -> None:
    rng = np.random.default_rng(0)
    model = randomised(MODELS[name](), rng)
    timesteps, features = model.input_shape[1] or 5, model.input_shape[2]
    x = rng.normal(size=(40, timesteps, features)).astype("float32")
    if timesteps == 7:
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
        ([L.LSTM(4, zero_output_for_mask=True)], "zero_output_for_mask"),
        ([L.LSTM(4, activation="glu")], "glu"),
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


def test_a_layer_that_is_used_twice_is_refused() -> None:
    inputs = keras.Input(shape=(5, 3))
    twice = L.Dense(3)
    with pytest.raises(NotRebuilt, match="branches"):
        rebuild(*exported(keras.Model(inputs, twice(twice(inputs)))))


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

    with pytest.raises(NotRebuilt, match="custom layer"):
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


# Odd data: whatever an architecture or weights hold, there is a value or a sentence


def claimed(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "module": "keras.layers", "config": {"name": kind.lower(), **config}}


def lstm(**config: Any) -> dict[str, Any]:
    return claimed("LSTM", **{"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", **config})


def dense(**config: Any) -> dict[str, Any]:
    return claimed("Dense", **{"units": 1, "activation": "linear", **config})


INPUT = claimed("InputLayer", batch_shape=[None, 4, 2])
WEIGHTS = {
    "lstm": [np.full((2, 12), 0.5), np.full((3, 12), 0.5), np.full(12, 0.5)],
    "dense": [np.full((3, 1), 0.5), np.full(1, 0.5)],
    "again": [np.full((3, 12), 0.5), np.full((3, 12), 0.5), np.full(12, 0.5)],
    "wide": [np.full((3, 3), 0.5), np.full(3, 0.5)],
    "first": [np.full((2, 1), 0.5), np.full(1, 0.5)],
}


def made(*layers: dict[str, Any], **settings: Any) -> Model:
    """Rebuilt from JSON, with weights for `lstm` and `dense`, for an LSTM `again` behind one, and a `first` Dense."""
    architecture = json.dumps({"config": {"layers": list(layers)}})
    return rebuild(architecture, settings.pop("weights", WEIGHTS), **settings)


def tensor(name: Any) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}


def connected(layer: dict[str, Any], *nodes: Any) -> dict[str, Any]:
    return {**layer, "inbound_nodes": list(nodes)}


def node(*args: Any, **kwargs: Any) -> dict[str, Any]:
    return {"args": list(args), "kwargs": kwargs}


def nested(depth: int) -> Any:
    found: Any = tensor("inputlayer")
    for _ in range(depth):
        found = [found]
    return found


SIZES = [True, 0, -1, 10**9, 10**400, 1.5, "4", [4], {"a": 4}, float("nan")]
DEEP = 10**400
ODD_LAYERS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "an LSTM behind one that returns no sequence": ([INPUT, lstm(), lstm(name="again")], "return_sequences=True"),
    "an LSTM behind its Dense": ([INPUT, lstm(), dense(name="wide", units=3), lstm(name="again")], "sequence"),
    "two layers of one name": ([INPUT, lstm(), dense(name="lstm")], "same name"),
    "a name that is a number": ([INPUT, {**lstm(), "name": 1}], "cannot be read"),
    "no name": ([INPUT, {**lstm(), "name": None}], "cannot be read"),
    "a name that is a list": ([INPUT, lstm(name=["lstm"])], "cannot be read"),
    "a class that is a number": ([INPUT, {**lstm(), "class_name": DEEP}], "cannot be read"),
    "a class that is a list": ([INPUT, {**lstm(), "class_name": ["LSTM"]}], "cannot be read"),
    "registered as a list": ([INPUT, {**lstm(), "registered_name": []}], "custom layer"),
    "registered as a dictionary": ([INPUT, {**lstm(), "registered_name": {"a": 1}}], "custom layer"),
    "a module that is a number": ([INPUT, {**lstm(), "module": 3}], "custom layer"),
    "a long name of a class": ([INPUT, claimed("L" * 5000)], "LLL"),
    "an input in the middle": ([INPUT, lstm(), {**INPUT, "name": "other"}, dense()], "one input"),
    "two inputs": ([INPUT, {**INPUT, "name": "other"}, lstm()], "one input"),
    "no input": ([lstm(), dense()], "keras.Input"),
    "nothing but an input": ([INPUT], "no layers"),
    "units of 400 digits": ([INPUT, lstm(units=DEEP)], "whole number from 1 to 1024"),
    "units that are true": ([INPUT, dense(name="first", units=True)], "whole number"),
    "use_bias in words": ([INPUT, dense(name="first", use_bias="no")], "True or False"),
    "sequences in words": ([INPUT, lstm(return_sequences="yes")], "True or False"),
    "sequences in a list": ([INPUT, lstm(return_sequences=[])], "True or False"),
    "two sequences": ([INPUT, lstm(return_sequences=2)], "True or False"),
    "stateful by a number": ([INPUT, lstm(stateful=1)], "stateful=True"),
    "backwards by a number": ([INPUT, lstm(go_backwards=1)], "go_backwards=True"),
    "an activation that is a dictionary": ([INPUT, lstm(activation={"class_name": "tanh"})], "activation"),
    "an activation that is a list": ([INPUT, lstm(recurrent_activation=["tanh"])], "activation"),
    "an activation that is true": ([INPUT, dense(name="first", activation=True)], "activation"),
    **{f"a mask value of {str(value)[:20]!r}": ([INPUT, claimed("Masking", mask_value=value), lstm()], "mask value")
       for value in (10**400, -(10**400), True, None, "0", [0], {"a": 0})},
    **{f"a rate of {str(rate)[:20]!r}": ([INPUT, claimed("Dropout", rate=rate), lstm()], "rate")
       for rate in (10**400, True, None, -0.1, 1.5, float("nan"), "0", [0])},
    **{f"{axis} of {str(size)[:20]!r}": (
            [claimed("InputLayer", batch_shape=[*before, size, *after]), lstm()], "whole numbers from 1 to 1,000,000")
       for axis, before, after in (("samples", [], [4, 2]), ("timesteps", [None], [2]), ("features", [None, 4], []))
       for size in SIZES},
    **{f"a shape of {shape!r}": ([claimed("InputLayer", batch_shape=shape), lstm()], "3-D")
       for shape in (None, [], 3, "abc", {"a": 1}, [None, 4], [None, 4, None], [None, 4, 2, 1])},
    **{f"inbound nodes: {what}": ([INPUT, {**lstm(), "inbound_nodes": nodes}], "branches") for what, nodes in {
            "none": [], "a number": 3, "a text": "abc", "a dictionary": {"a": 1}, "null": None,
            "of an unknown layer": [node(tensor("nowhere"))], "of a number": [node(tensor(1))],
            "of a list": [node(tensor([]))], "of itself": [node(tensor("lstm"))],
            "two": [node(tensor("inputlayer")), node(tensor("inputlayer"))],
            "thousands": [node(*[tensor("inputlayer")] * 1500)], "a state": [node(tensor("inputlayer"), tensor("x"))],
       }.items()},
    "inbound nodes: deep": ([INPUT, connected(lstm(), node(nested(300)))], "too deep"),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_LAYERS)
def test_odd_layers_are_refused_with_a_sentence(name: str) -> None:
    layers, sentence = ODD_LAYERS[name]
    with pytest.raises(NotRebuilt, match=sentence) as refused:
        made(*layers)
    assert len(str(refused.value)) < 250


def test_the_odd_layers_are_refused_for_what_is_odd() -> None:
    """As these are, without it, they are rebuilt."""
    made(INPUT, lstm(return_sequences=True), lstm(name="again"))
    made(INPUT, lstm(return_sequences=True), dense(name="wide", units=3), lstm(name="again"))
    made(INPUT, connected(lstm(), node(tensor("inputlayer"))))
    made(INPUT, connected(lstm(), node(nested(10))))
    made(INPUT, lstm(stateful=1), stateful=True)
    made(INPUT, dense(name="first"))
    made(INPUT, claimed("Dropout", rate=0), claimed("Masking", mask_value=0), lstm())


def by_hand(value: Any, axis: Any = -1, keepdims: Any = False) -> list[dict[str, Any]]:
    """An LSTM with a mask that the student made."""
    return [
        {**INPUT, "inbound_nodes": []},
        connected(claimed("NotEqual"), node(tensor("inputlayer"), value)),
        connected(claimed("Any", axis=axis, keepdims=keepdims), node(tensor("notequal"))),
        connected(lstm(), node(tensor("inputlayer"), mask=tensor("any"))),
    ]


def short(value: Any) -> str:
    return repr(value)[:20]


@pytest.mark.parametrize("value", [True, 10**400, None, "0", [0], {"a": 0}], ids=short)
def test_an_odd_number_in_a_mask_is_refused(value: Any) -> None:
    made(*by_hand(-1.0))
    with pytest.raises(NotRebuilt, match="mask value"):
        made(*by_hand(value))


@pytest.mark.parametrize("axis", [True, None, 10**400, float("nan"), "2", [], [[2]], {"a": 2}, [2, 2]], ids=short)
def test_an_odd_axis_of_a_mask_is_refused(axis: Any) -> None:
    with pytest.raises(NotRebuilt, match="branches"):
        made(*by_hand(-1.0, axis))
    with pytest.raises(NotRebuilt, match="branches"):
        made(*by_hand(-1.0, keepdims=axis or "no"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e308, 2**53, 0, -0.0])
def test_any_number_is_a_mask_value(value: float) -> None:
    for layers in ([INPUT, claimed("Masking", mask_value=value), lstm(), dense()], by_hand(value)):
        model = made(*layers)
        assert model.predict(np.zeros((3, 4, 2))).shape == (3, model.outputs)


DTYPES = ["f2", "f4", "f8", "i1", "i8", "u1", "u8", ">f2", ">f4", ">f8", ">i4", ">u8"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_are_numbers_of_any_usual_kind(dtype: str) -> None:
    whole = {name: [np.round(array * 4) for array in arrays] for name, arrays in WEIGHTS.items()}
    model = made(INPUT, lstm(), dense(), weights=changed(whole, lambda w: w.astype(dtype)))
    np.testing.assert_array_equal(
        model.predict(np.ones((3, 4, 2))), made(INPUT, lstm(), dense(), weights=whole).predict(np.ones((3, 4, 2)))
    )


@pytest.mark.parametrize("dtype", ["longdouble", "?", "c16", "O", "M8[ns]", "m8[s]", "S3", "V8"])
def test_weights_of_other_kinds_are_refused(dtype: str) -> None:
    with pytest.raises(NotRebuilt, match="arrays of numbers"):
        made(INPUT, lstm(), dense(), weights={**WEIGHTS, "more": [np.zeros(2, dtype)]})


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "glu"])
def test_weights_of_any_value_predict_and_warn_of_nothing(dtype: str, activation: str) -> None:
    """Huge and tiny ones, NaN of both kinds and infinities, to which an activation without bounds leads too."""
    rng = np.random.default_rng(0)
    layers = [INPUT, lstm(activation=activation, recurrent_activation=activation), dense(activation=activation)]
    kind = np.dtype(dtype)
    odd = [rng.bytes(kind.itemsize) for _ in range(50)]
    odd += [np.array(x, kind).tobytes() for x in (np.inf, -np.inf, np.nan, np.finfo(kind).max, np.finfo(kind).tiny)]
    odd.append((np.array(np.inf, kind).view(f"u{kind.itemsize}") + 1).tobytes())  # a NaN that signals
    for bits in odd:
        weights = changed(WEIGHTS, lambda w, bits=bits: np.full(w.shape, np.frombuffer(bits, kind)[0], kind))
        assert made(*layers, weights=weights).predict(np.ones((2, 4, 2))).shape == (2, 1)


def test_tiny_numbers_are_zeros() -> None:
    """They would change nothing that can be seen, and make a product much slower on some machines."""
    model = made(INPUT, dense(name="first"), weights=changed(WEIGHTS, lambda w: np.full_like(w, 1e-310)))
    assert (model.predict(np.ones((2, 4, 2))) == 0).all()
    assert (made(INPUT, dense(name="first", use_bias=False),
                 weights={"first": WEIGHTS["first"][:1]}).predict(np.full((2, 4, 2), 1e-310)) == 0).all()  # fmt: skip


def test_arrays_without_end_are_refused() -> None:
    more = {"more": [np.broadcast_to(np.float32(0), (10**6, 10**6))]}
    with pytest.raises(NotRebuilt, match="more than 2,000,000 weights"):
        made(INPUT, lstm(), weights=WEIGHTS | more)
    made(INPUT, lstm(), weights=WEIGHTS | {"more": [np.zeros((0, 10**6))] * 10_000})


# What predictions cost


def sized(timesteps: int | None, *layers: Layer, features: int = 2) -> Model:
    return Model(layers, (), (timesteps, features), 1)


def an_lstm(features: int, units: int, *, sequences: bool = False) -> LSTM:
    one = np.zeros((features, 4 * units)), np.zeros((units, 4 * units)), np.zeros(4 * units)
    return LSTM(*one, ACTIVATIONS["tanh"], ACTIVATIONS["tanh"], sequences)


def a_dense(features: int, units: int) -> Dense:
    return Dense(np.zeros((features, units)), np.zeros(units), ACTIVATIONS["tanh"])


def nothing(*shape: int) -> Any:
    """Zeros that take no memory."""
    return np.broadcast_to(np.float64(0), shape)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (sized(None, an_lstm(2, 700)), (2000, 168, 2)),  # weights
        (sized(None, *[an_lstm(2, 2, sequences=True)] * 49), (1, 10_000, 2)),  # turns
        (sized(None, an_lstm(2, 2)), (10**9, 5, 2)),  # samples
        (sized(None, a_dense(2, 1024), a_dense(1024, 2)), (1, 10_000, 2)),  # values between layers
        (sized(None, an_lstm(2, 100, sequences=True)), (10_000, 20, 2)),  # values of the answer
    ],
)
def test_predictions_that_cost_too_much_are_refused(model: Model, shape: tuple[int, ...]) -> None:
    with pytest.raises(NotRebuilt, match="too large"):
        model.predict(nothing(*shape))
    with pytest.raises(NotRebuilt, match="too large"):
        model.predict_batches([nothing(-(-shape[0] // 10), *shape[1:])] * 10)


@pytest.mark.parametrize(
    "layers",
    [
        [an_lstm(23, 250), a_dense(250, 12)],
        [an_lstm(23, 50, sequences=True), an_lstm(50, 200), a_dense(200, 100), a_dense(100, 12)],
        [an_lstm(23, 32, sequences=True), an_lstm(32, 64, sequences=True), an_lstm(64, 128), a_dense(128, 12)],
    ],
)
def test_a_large_forecaster_of_a_week_is_not_too_large(layers: list[Layer]) -> None:
    assert sized(None, *layers, features=23)._rows_at_a_time([nothing(1600, 168, 23)]) > 100


def test_wide_layers_take_little_memory() -> None:
    model = sized(None, a_dense(2, 1024), a_dense(1024, 1), an_lstm(1, 300, sequences=True), an_lstm(300, 1))
    tracemalloc.start()
    model.predict(nothing(80, 168, 2))  # at once they would take 105 MiB for one layer alone
    assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    tracemalloc.stop()


@pytest.mark.parametrize("name", STATEFUL)
def test_a_few_rows_at_a_time_are_as_good_as_all(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rebuilt = rebuild(*exported(randomised(STATEFUL[name](), rng)), stateful=True)
    batches = list(rng.normal(size=(3, 8, 4, 2)))
    whole, alone = rebuilt.predict_batches(batches), rebuilt.predict(batches[0])
    for at_a_time in ({"SAMPLES_AT_A_TIME": 3}, {"VALUES_AT_A_TIME": 40}):
        with monkeypatch.context() as patch:
            for constant, value in at_a_time.items():
                patch.setattr(inference, constant, value)
            np.testing.assert_allclose(rebuilt.predict_batches(batches), whole, atol=1e-12)
            np.testing.assert_allclose(rebuilt.predict(batches[0]), alone, atol=1e-12)


def test_no_samples_and_no_batches_give_none() -> None:
    model = made(INPUT, lstm(), dense())
    assert model.predict(np.zeros((0, 4, 2))).shape == (0, 1)
    assert model.predict_batches([]) == []


@pytest.mark.parametrize("shape", [(3, 4), (3, 5, 2), (3, 4, 1), (3, 4, 2, 1), ()])
def test_inputs_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(NotRebuilt, match="should take"):
        made(INPUT, lstm()).predict(np.zeros(shape))
    with pytest.raises(NotRebuilt, match="should take"):
        made(claimed("InputLayer", batch_shape=[None, None, 2]), lstm()).predict(np.zeros((3, 0, 2)))


# Dtypes: the rebuilt model has 64 bits, and reads what Keras reads


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float16", "float64"])
def test_a_dtype_policy_changes_no_more_than_its_precision(policy: str) -> None:
    rng = np.random.default_rng(0)
    layers = [L.LSTM(4, dtype=policy), L.Dense(3, "softmax", dtype=policy)]
    model = randomised(keras.Sequential([keras.Input((5, 2)), *layers]), rng)
    x = rng.normal(size=(30, 5, 2)).astype("float32")
    rebuilt = rebuild(*exported(model))
    assert rebuilt.half == policy.endswith("float16")
    np.testing.assert_allclose(rebuilt.predict(x), model.predict(x, verbose=0), atol=0.03 if rebuilt.half else 1e-6)


@pytest.mark.parametrize("dtype", [None, *inference.INPUT_DTYPES])
@pytest.mark.parametrize("kind", ["f8", "f4", "i8", "i2", "u1"])
def test_inputs_are_cast_as_keras_casts_them(dtype: str | None, kind: str) -> None:
    model = randomised(keras.Sequential([keras.Input((3, 2), dtype=dtype), L.Dense(1)]), np.random.default_rng(0))
    x = np.array([[[1.7, 2.2], [0, 100.9], [3.2, 1e-3]]]).astype(kind)
    tolerance = 0.01 if dtype == "bfloat16" else 1e-5
    np.testing.assert_allclose(rebuild(*exported(model)).predict(x), model.predict(x, verbose=0), rtol=tolerance)


def test_large_whole_numbers_lose_what_32_bits_do_not_hold() -> None:
    model = keras.Sequential([keras.Input((1, 1)), L.Dense(1, kernel_initializer="ones")])
    x = np.array([[[2**24 + 1]]])
    assert rebuild(*exported(model)).predict(x) == model.predict(x, verbose=0) == 2**24


@pytest.mark.parametrize("dtype", [3, None, [], {"a": 1}, "string", "complex64", "x", float("nan")], ids=repr)
def test_inputs_that_are_no_numbers_are_refused(dtype: Any) -> None:
    with pytest.raises(NotRebuilt, match="dtype"):
        made({**INPUT, "config": {**INPUT["config"], "dtype": dtype}}, lstm(), dense())


@pytest.mark.parametrize("value", [0.1, -0.3, 0.1 + 1e-12, 2**24 + 1, 1e30])
def test_masking_compares_in_32_bits(value: float) -> None:
    model = randomised(keras.Sequential([keras.Input((4, 1)), L.Masking(value), L.LSTM(3)]), np.random.default_rng(0))
    x = np.array([[[0.5], [value], [value * (1 + 1e-9)], [value * 1.01]]])
    rebuilt = rebuild(*exported(model))
    np.testing.assert_allclose(rebuilt.predict(x), model.predict(x, verbose=0), atol=1e-5)


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method", "ignore:__array__ implementation")
def test_quantised_layers_are_refused() -> None:
    model = keras.Sequential([keras.Input((4, 3)), L.LSTM(4), L.Dense(2)])
    model.quantize("int8")
    with pytest.raises(NotRebuilt, match=r"quantised.*leave `quantize` out"):
        rebuild(*exported(model))


def test_lora_is_refused() -> None:
    model = keras.Sequential([keras.Input((4, 3)), L.LSTM(4), L.Dense(2)])
    model.layers[-1].enable_lora(2)
    for one in (model, keras.Sequential([keras.Input((4, 3)), L.LSTM(4), L.Dense(2, lora_rank=1)])):
        with pytest.raises(NotRebuilt, match=r"LoRA.*`lora_rank` and `enable_lora` out"):
            rebuild(*exported(one))
