"""Hidden checks of 08, shapes, batches and state (slides 30 to 38)."""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.boxed.values import Handle
from autograder.examination.activations import ACTIVATIONS
from autograder.examination.architecture import NotRebuilt
from autograder.examination.expectations import (
    Array,
    Curve,
    Wrong,
    array,
    close,
    equal,
    exercise,
    raises,
    same_thing,
    show,
    that,
    unchanged,
)
from autograder.examination.inference import Model
from autograder.examination.layers import LSTM, Dense
from autograder.examination.misconceptions import Clues, Mistake
from autograder.examination.models import keras_model, rebuilt
from autograder.examination.pictures import Picture, confusion, learning_curve
from autograder.examination.student import Student, StudentError

PARTS, TIMESTEPS, FEATURES = 4, 5, 2
HELD_OUT = 2000
# Without state it is 0.50. benchmarks/thresholds.md has the evidence.
CURVE = Curve("accuracy in parts 2 to 4 of runs that it has never heard", ((0.65, 0), (0.95, 1)))

SHAPE, BATCH = "The shape of the input", "What a batch changes"
UNKNOWING, CARRIED, RESET = (
    "A network that cannot know",
    "State that carries on",
    "Reset, or the memory of somebody else",
)


# reshape


@exercise("reshape", share=2, read=SHAPE)
def test_reshapes_in_reading_order(student: Student, rng: np.random.Generator) -> None:
    """The numbers keep their order: features fastest, then timesteps, then samples."""
    hint = "Reshape to (-1, timesteps, features): the number of samples follows from the size."
    for samples, timesteps, features in ((2, 3, 2), (3, 4, 2), (1, 5, 1), (6, 2, 1), (5, 1, 3)):
        values = 10.0 * rng.permutation(samples * timesteps * features) + rng.integers(1, 9)
        expected = np.empty((samples, timesteps, features))
        for place, value in enumerate(values):
            expected[place // (timesteps * features), place // features % timesteps, place % features] = value
        tables = [values, values.reshape(samples * timesteps, features)]
        turned = values.reshape(samples, features, timesteps)
        mistakes = {
            "The axes are swapped: samples, timesteps, features is the order.": turned,
            "The axes of timesteps and features are swapped.": expected.swapaxes(1, 2),
            "The features were filled one by one; the features of one timestep belong together.": turned.swapaxes(1, 2),
        }
        for data in [*tables, values.reshape(samples, timesteps)] if features == 1 else tables:
            close(student.to_3d(data, timesteps, features), expected, "the block", shape_hint=hint, mistakes=mistakes)
            unchanged(student)


@exercise("reshape", share=1, read=SHAPE)
def test_refuses_a_size_that_does_not_fit(student: Student, rng: np.random.Generator) -> None:
    """Numbers that do not fill a whole number of samples raise ValueError; others do not."""
    hint = "Compare data.size with timesteps * features; do not cut off the remaining numbers."
    for size, timesteps, features in ((10, 3, 1), (5, 2, 1), (3, 4, 1)):
        values = rng.normal(size=size)
        raises(
            "ValueError", lambda v=values, t=timesteps, f=features: student.to_3d(v, t, f),
            f"{size} numbers in samples of {timesteps} timesteps", hint,
        )  # fmt: skip
        whole = 2 * timesteps * features
        fitting = student.to_3d(rng.normal(size=whole), timesteps, features)
        array(fitting, f"the block of {whole} numbers", (2, timesteps, features), hint)
    table = rng.normal(size=(7, 2))  # 14 numbers, in samples of 3 x 2
    raises("ValueError", lambda: student.to_3d(table, 3, 2), "7 rows in samples of 3 timesteps", hint)


# batches


def sizes(rng: np.random.Generator) -> list[tuple[int, int]]:
    """Numbers of samples and batch sizes, with and without a last, smaller batch."""
    batch_size = int(rng.integers(3, 40))
    full = int(rng.integers(2, 30)) * batch_size
    rest = int(rng.integers(1, batch_size))
    return [(full, batch_size), (full + rest, batch_size), (full + 1, batch_size), (full - 1, batch_size),
            (rest, batch_size), (0, batch_size), (17, 1)]  # fmt: skip


@exercise("batches", read=BATCH)
def test_counts_the_samples_of_full_batches(student: Student, rng: np.random.Generator) -> None:
    """The usable samples are the largest multiple of the batch size, as a whole number."""
    cases = sizes(rng)
    mistakes = {
        "This is the number of batches: each has `batch_size` samples.": [n // size for n, size in cases],
        "This rounds up: a last, smaller batch does not count.": [-(-n // size) * size for n, size in cases],
        "All samples are counted; leave out those of a smaller batch.": [n for n, _ in cases],
    }
    right = [max(whole for whole in range(n + 1) if whole % size == 0) for n, size in cases]
    counts(student, student.usable_samples, cases, right, "the usable samples of {} in batches of {}",
           "Only full batches count: floor division gives their number.", mistakes)  # fmt: skip


def counts(student: Student, ask: Callable[..., Any], cases: list[tuple[int, int]], right: list[int], what: str,
           hint: str, mistakes: dict[str, list[int]]) -> None:  # fmt: skip
    """Expect the `right` number for each case; `mistakes` are told with the numbers that they give."""
    for place, case in enumerate(cases):
        found = ask(*case)
        if not same_thing(found, right[place]):
            mistakes = agreeing(student, ask, cases, mistakes)
        equal(found, right[place], what.format(*case), hint,
              mistakes={told: numbers[place] for told, numbers in mistakes.items()})  # fmt: skip


def agreeing(student: Student, ask: Callable[..., Any], cases: list[tuple[int, int]],
             mistakes: dict[str, list[int]]) -> dict[str, list[int]]:  # fmt: skip
    """The mistakes that give the student's numbers in all cases: in a single one, several may."""
    before = len(student.calls)
    try:
        found = [ask(*case) for case in cases]
    except StudentError:
        return {}
    finally:
        del student.calls[before:]
    found = [one.item() if isinstance(one, np.generic) else one for one in found]
    return {told: numbers for told, numbers in mistakes.items() if same_thing(found, numbers)}


@exercise("batches", read=BATCH)
def test_counts_the_updates(student: Student, rng: np.random.Generator) -> None:
    """Each batch is one update, also a last, smaller one; the result is a whole number."""
    cases = sizes(rng)
    mistakes = {
        "Off by one: there is no batch after a last full one.": [n // size + 1 for n, size in cases],
        "The last, smaller batch is an update too.": [n // size for n, size in cases],
    }
    right = [len(range(0, n, size)) for n, size in cases]
    counts(student, student.updates_per_epoch, cases, right, "the updates of {} samples in batches of {}",
           "Round up if samples remain, and only then.", mistakes)  # fmt: skip


# stateless and stateful


def can_train(model: Any, batch_size: Any) -> Any:
    _, timesteps, features = model.input_shape
    X = np.ones((batch_size, timesteps, features), dtype="float32")
    model.jit_compile, model.run_eagerly = False, True  # Keras refuses both together
    optimizer = getattr(model, "optimizer", None)
    inner = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer
    batches = getattr(inner, "gradient_accumulation_steps", None) or 1  # one update takes so many
    batches = min(int(batches), 100) * (1 if inner is optimizer else 16)  # and is left out while the scale is too large
    before = [np.array(weight) for weight in model.get_weights()]
    y = np.ones((batch_size, 1), dtype="float32")
    for _ in range(batches):
        model.fit(X, y, batch_size=batch_size, verbose=0)
        if any(not np.array_equal(one, other) for one, other in zip(before, model.get_weights(), strict=True)):
            return True
    return False


def built(student: Student, model: Any, what: str) -> Model:
    """The model that a builder has returned, rebuilt."""
    return rebuilt(student, keras_model(model, what), stateful=True)


def learns(student: Student, model: Handle) -> None:
    """Expect that one update changes the weights. (A model that is not compiled raises.)"""
    if student.apply(can_train, model, 4) is True:
        return
    hint = ""
    with contextlib.suppress(NotRebuilt):
        last = rebuilt(student, model, stateful=True).layers[-1]
        if isinstance(last, Dense) and last.kernel.shape[1] == 1 and last.activation is ACTIVATIONS["softmax"]:
            hint = "A softmax of a single output is always 1: leave the activation of the dense layer out."
    raise Wrong("an update leaves all weights as they were.", hint)


def expect_plain(model: Model, timesteps: int, features: int, units: int) -> None:
    """One LSTM of `units` units and a Dense with one output, for samples of this shape."""
    layers = [name for name in model.names if name != "Dropout"]
    that(layers == ["LSTM", "Dense"], f"the model's layers should be LSTM and Dense, but are {', '.join(layers)}.")
    that(model.input_shape == (timesteps, features),
         f"a sample should be ({timesteps}, {features}), but the model takes {model.input_shape}.",
         "Give keras.Input both numbers.")  # fmt: skip
    found = next(layer for layer in model.layers if isinstance(layer, LSTM))
    size = found.recurrent_kernel.shape[0]
    that(size == units, f"the LSTM should have {units} units, but has {size}.", "`units` is the size of the LSTM.")
    expect_usual_activations(found)
    that(model.outputs == 1 and not found.return_sequences,
         "the output should be one number per sample.", "Dense(1), only after the LSTM's last output.")  # fmt: skip


def expect_usual_activations(layer: LSTM) -> None:
    """Expect the activations that Keras gives an LSTM when nothing is said."""
    names = layer.activation.name, layer.recurrent_activation.name
    that(names == ("tanh", "sigmoid"), f"the LSTM should keep Keras's own activations, tanh and sigmoid, not {names}.",
         "Leave `activation` out of the LSTM: relu lets the cell state grow.")  # fmt: skip


def largest_state(model: Any) -> Any:
    """The largest size among all numbers of the state, 0 for a model without one."""
    states = [np.asarray(state) for layer in model.layers for state in getattr(layer, "states", None) or ()]
    return max((float(np.abs(state).max()) for state in states), default=0.0)


def carries(model: Model) -> bool:
    return any(isinstance(layer, LSTM) and layer.stateful for layer in model.layers)


@exercise("stateless", share=2, read=UNKNOWING)
def test_stateless_model(student: Student) -> None:
    """One stateless LSTM layer and Dense(1), for any number of samples."""
    for timesteps, features, units in ((5, 2, None), (7, 3, 4)):
        given = () if units is None else (units,)
        model = built(student, student.build_stateless(timesteps, features, *given), "build_stateless")
        expect_plain(model, timesteps, features, units or 16)
        that(not carries(model), "the LSTM is stateful.", "Leave `stateful` at its default.")
        that(model.batch_size is None, f"the model takes only batches of {model.batch_size} samples.",
             "Give keras.Input the shape of one sample: (timesteps, features).")  # fmt: skip


@exercise("stateless", share=1, read=UNKNOWING)
def test_stateless_model_is_compiled(student: Student) -> None:
    """Compiled: one update changes its weights."""
    learns(student, keras_model(student.build_stateless(3, 2, 2), "build_stateless"))


@exercise("stateful", share=3, read=CARRIED)
def test_stateful_model_carries(student: Student, rng: np.random.Generator) -> None:
    """The LSTM is stateful, for batches of the given size: row i continues where row i ended."""
    for batch_size, timesteps, features, units in ((3, 4, 2, 5), (1, 2, 3, 4)):
        value = keras_model(student.build_stateful(batch_size, timesteps, features, units), "build_stateful")
        model = built(student, value, "build_stateful")
        that(carries(model), "the LSTM is stateless.", "Give the layer stateful=True.")
        that(model.batch_size == batch_size,
             f"the batch size should be {batch_size}, but is {model.batch_size or 'open'}.",
             "keras.Input(batch_shape=(batch_size, timesteps, features))")  # fmt: skip
        new = array(student.apply(largest_state, value), "the state of the new model", ())
        that(float(new) == 0, "the state of the new model is not zero.",
             "Return it as it was built, or reset the state after trying it out.")  # fmt: skip
        batches = list(rng.normal(size=(3, batch_size, timesteps, features)))
        one, other = model.predict_batches(batches)[-1], model.predict(batches[-1])
        that(not np.allclose(one, other), "the earlier batches have no effect on the later ones.")


@exercise("stateful", share=1, read=CARRIED)
def test_stateful_model_has_its_layers(student: Student) -> None:
    """One LSTM layer of `units` units (16 by default) and Dense(1), with the given shape of a sample."""
    for batch_size, timesteps, features, units in ((3, 5, 2, None), (4, 2, 3, 7)):
        given = () if units is None else (units,)
        model = built(student, student.build_stateful(batch_size, timesteps, features, *given), "build_stateful")
        that(
            model.batch_size in {None, batch_size},
            f"the batch size should be {batch_size}, but is {model.batch_size}.",
            "It is the first argument.",
        )
        expect_plain(model, timesteps, features, units or 16)


@exercise("stateful", share=1, read=CARRIED)
def test_stateful_model_begins_with_zeros(student: Student, rng: np.random.Generator) -> None:
    """The state of the new model is zero."""
    handle = keras_model(student.build_stateful(3, 4, 2, 5), "build_stateful")
    X = rng.normal(size=(3, 4, 2)).astype("float32")
    found = flat(student.apply(as_it_is, handle, X, 3), 3, "the first predictions of the new model")
    expected = rebuilt(student, handle, stateful=True).predict(X).reshape(-1)
    close(found, expected, "the first predictions of the new model", "Return the model as it is built, and not used.",
          rtol=1e-3, atol=1e-3)  # fmt: skip


@exercise("stateful", share=1, read=CARRIED)
def test_stateful_model_is_compiled(student: Student) -> None:
    """Compiled: one update changes its weights."""
    learns(student, keras_model(student.build_stateful(4, 3, 2, 2), "build_stateful"))


# reset-states: with models of the check's own, whose weights, and so every output, are known outside the box

ROWS, STEPS, UNITS, BATCHES = 3, 3, 4, 4
NEVER_RESET = "The state is not reset: each epoch continues from the end of the one before."


def in_the_box(weights: Any, rows: Any, steps: Any, rate: Any, functional: Any) -> Any:
    """A stateful Keras model with these weights: a list of LSTMs, the last but one is followed by Dense(1)."""
    import keras

    plain: Any = {"dtype": "float32"}  # whatever policy the notebook has set
    layers = [
        keras.layers.LSTM(len(weights[3 * n + 1]), stateful=True, return_sequences=3 * n + 5 < len(weights), **plain)
        for n in range(len(weights) // 3)
    ]
    layers.append(keras.layers.Dense(1, **plain))
    inputs = keras.Input(batch_shape=(rows, steps, len(weights[0])), **plain)
    if functional:
        outputs = inputs
        for layer in layers:
            outputs = layer(outputs)
        model = keras.Model(inputs, outputs)
    else:
        model = keras.Sequential([inputs, *layers])
    model.set_weights(weights)
    # A few batches: a graph would cost more.
    model.compile(keras.optimizers.SGD(rate), "mse", run_eagerly=True, auto_scale_loss=False)
    return model


def as_it_is(model: Any, X: Any, batch_size: Any) -> Any:
    """Predictions from whatever state the model is in."""
    return model.predict(X, batch_size=batch_size, verbose=0)


def trained_in_order(model: Any, X: Any, y: Any, epochs: Any, batch_size: Any) -> Any:
    """The check's own training, batch by batch: the weights that it leads to."""
    for _ in range(epochs):
        for start in range(0, len(X), batch_size):
            model.train_on_batch(X[start : start + batch_size], y[start : start + batch_size])
        for layer in model.layers:
            if hasattr(layer, "reset_state"):
                layer.reset_state()
    return model.get_weights()


def losses_in_order(model: Any, X: Any, y: Any, epochs: Any, batch_size: Any) -> Any:
    """The check's own training: the mean over the batches, of each epoch, of the loss before each update."""
    found = []
    for _ in range(epochs):
        losses = []
        for start in range(0, len(X), batch_size):
            part, wanted = X[start : start + batch_size], y[start : start + batch_size]
            model.reset_metrics()
            losses.append(float(model.train_on_batch(part, wanted)))
        found.append(sum(losses) / len(losses))
        for layer in model.layers:
            if hasattr(layer, "reset_state"):
                layer.reset_state()
    return found


def with_a_gru(rows: Any, steps: Any, features: Any) -> Any:
    """A compiled model of a stateful GRU and Dense(1)."""
    import keras

    inputs = keras.Input(batch_shape=(rows, steps, features), dtype="float32")
    layers = [keras.layers.GRU(4, stateful=True, dtype="float32"), keras.layers.Dense(1, dtype="float32")]
    model = keras.Sequential([inputs, *layers])
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True, auto_scale_loss=False)
    return model


def random_weights(rng: np.random.Generator, depth: int = 1) -> list[Array]:
    """Of `depth` LSTM layers and Dense(1), large enough for the state to show."""
    weights: list[Array] = []
    for features in [FEATURES, *[UNITS] * (depth - 1)]:
        bias = np.repeat([0.0, 2.0, 0.0, 1.0], UNITS)  # i, f, c, o: it forgets slowly
        weights += [rng.normal(size=(features, 4 * UNITS)), rng.normal(0, 0.3, (UNITS, 4 * UNITS)), bias]
    return [*weights, rng.normal(size=(UNITS, 1)), np.zeros(1)]


def outside(weights: list[Array]) -> Model:
    """The NumPy model with these weights."""
    depth = len(weights) // 3
    tanh, sigmoid = ACTIVATIONS["tanh"], ACTIVATIONS["sigmoid"]
    lstms = [LSTM(*weights[3 * n : 3 * n + 3], tanh, sigmoid, n + 1 < depth, stateful=True) for n in range(depth)]
    dense = Dense(weights[-2], weights[-1], ACTIVATIONS["linear"])
    return Model((*lstms, dense), (*["LSTM"] * depth, "Dense"), (STEPS, FEATURES), 1, ROWS)


def in_batches(values: Array) -> list[Array]:
    return list(values.reshape(-1, ROWS, *values.shape[1:]))


def problem(rng: np.random.Generator, depth: int = 1) -> tuple[list[Array], Array, Array]:
    """Weights, X and y with which state, order and reset each make a difference that can be seen."""
    while True:
        weights = random_weights(rng, depth)
        X, y = rng.normal(size=(BATCHES * ROWS, STEPS, FEATURES)), rng.normal(size=(BATCHES * ROWS, 1))
        first, second = loss_of_epochs(weights, X, y, 2, "never reset")
        forgetful = loss_of_epochs(weights, X, y, 1, "reset after every batch")[0]
        if abs(first / second - 1) > 0.02 and abs(first / forgetful - 1) > 0.02:
            return weights, X.astype(np.float32), y.astype(np.float32)


def loss_of_epochs(weights: list[Array], X: Array, y: Array, epochs: int, reset: str = "") -> list[float]:
    """The mean squared error of each epoch while the weights stay; the state reset after each, by default."""
    model, batches, wanted = outside(weights), in_batches(X), in_batches(y)
    if reset == "reset after every batch":
        outputs = [model.predict(batch) for batch in batches] * epochs
    elif reset == "never reset":
        outputs = model.predict_batches(batches * epochs)
    else:
        outputs = model.predict_batches(batches) * epochs
    errors = [float(np.mean((o - w) ** 2)) for o, w in zip(outputs, wanted * epochs, strict=True)]
    return [float(np.mean(errors[n : n + len(wanted)])) for n in range(0, len(errors), len(wanted))]


def flat(value: Any, size: int, what: str) -> Array:
    """One value per sample, as a column or in a row."""
    found = array(value, what)
    that(found.size == size, f"{what} should be {size} numbers, but are {show(found)}.")
    return found.reshape(-1)


@exercise("reset-states", share=2, read=CARRIED)
def test_predicts_with_the_state_carried(student: Student, rng: np.random.Generator) -> None:
    """Predictions of a batch begin where the batch before it ended, and the first with zeros."""
    weights, X, _ = problem(rng)
    model = student.apply(in_the_box, weights, ROWS, STEPS, 0.0, False)
    found = student.predict_stateful(model, X, ROWS)
    unchanged(student)
    found = array(found, "the array of predictions", (len(X), 1), "One output for each sample, in one column.")[:, 0]
    alone = np.concatenate([outside(weights).predict(batch) for batch in in_batches(X)]).reshape(-1)
    hint = "Predict all batches in one go, with batch_size; reset only when all are done."
    expected = np.concatenate(outside(weights).predict_batches(in_batches(X))).reshape(-1)
    mistakes = {"The state is not carried: every batch is predicted as if it were the first.": alone}
    close(found, expected, "the predictions", hint, rtol=1e-4, atol=1e-4, mistakes=mistakes)


@exercise("reset-states", share=1, read=RESET)
def test_predict_resets_afterwards(student: Student, rng: np.random.Generator) -> None:
    """After predict_stateful the state is zero: these samples do not affect the next prediction."""
    weights, X, _ = problem(rng)
    model = student.apply(in_the_box, weights, ROWS, STEPS, 0.0, False)
    student.apply(as_it_is, model, X, ROWS)  # leaves a state that is to be reset
    flat(student.predict_stateful(model, X, ROWS), len(X), "the predictions")
    afterwards_as_new(student, model, weights, X, "predict_stateful")


@exercise("reset-states", share=2, read=RESET)
def test_fit_returns_the_loss_of_each_epoch(student: Student, rng: np.random.Generator) -> None:
    """With a learning rate of 0, each epoch has the loss of these weights, read in order from a state of zeros."""
    weights, X, y = problem(rng)
    model = student.apply(in_the_box, weights, ROWS, STEPS, 0.0, False)
    value = student.fit_stateful(model, X, y, 3, ROWS)
    unchanged(student)
    losses = array(value, "the losses", (3,), "One number per epoch.")
    that(isinstance(value, list), f"fit_stateful should return a list of losses, but returned {show(value)}.",
         "Collect the losses of the epochs in a list.")  # fmt: skip
    mistakes = {
        NEVER_RESET: loss_of_epochs(weights, X, y, 3, "never reset"),
        "The state is reset after every batch: carry it within an epoch.": (
            loss_of_epochs(weights, X, y, 3, "reset after every batch")
        ),
    }
    close(losses, loss_of_epochs(weights, X, y, 3), "the losses",
          "Keep the order (shuffle=False), give batch_size, reset after every epoch, return what `fit` reports.",
          rtol=1e-3, mistakes=mistakes)  # fmt: skip


@exercise("reset-states", share=2, read=RESET)
def test_fit_trains_in_order(student: Student, rng: np.random.Generator) -> None:
    """The weights after two epochs are those of a training with the batches in order."""
    weights, X, y = problem(rng)
    model, twin = (student.apply(in_the_box, weights, ROWS, STEPS, 0.1, False) for _ in range(2))
    student.fit_stateful(model, X, y, 2, ROWS)
    expected = of_the_same_shapes(student.apply(trained_in_order, twin, X, y, 2, ROWS), weights)
    found = weights_of(student, model, weights)
    hint = "Train for exactly `epochs` epochs, one update per batch, without shuffling."
    names = ("the LSTM's kernel", "the LSTM's recurrent kernel", "the LSTM's bias", "the dense kernel")
    for name, value, wanted in zip(names, found, expected, strict=False):
        close(value, wanted, f"{name} after two epochs", hint, rtol=1e-3, atol=1e-3)


@exercise("reset-states", share=1, read=RESET)
def test_fit_resets_at_the_end(student: Student, rng: np.random.Generator) -> None:
    """After fit_stateful the state is zero, also after the last epoch."""
    weights, X, y = problem(rng)
    model = student.apply(in_the_box, weights, ROWS, STEPS, 0.1, False)
    student.fit_stateful(model, X, y, 1, ROWS)
    trained = weights_of(student, model, weights)
    that(not np.allclose(trained[0], weights[0], atol=1e-4), "the weights are as before: nothing was trained.",
         "Call `fit`, which trains; `evaluate` does not.")  # fmt: skip
    afterwards_as_new(student, model, trained, X, "fit_stateful")


@exercise("reset-states", share=1, read=RESET)
def test_resets_every_stateful_layer(student: Student, rng: np.random.Generator) -> None:
    """In a functional model with two stateful layers, both functions reset both layers."""
    weights, X, y = problem(rng, depth=2)
    model = student.apply(in_the_box, weights, ROWS, STEPS, 0.0, True)
    losses = array(student.fit_stateful(model, X, y, 2, ROWS), "the losses", (2,))
    hint = "Go through model.layers and reset each layer that is stateful."
    right, what = loss_of_epochs(weights, X, y, 2), "the losses of a model with two stateful layers"
    mistakes = {NEVER_RESET: loss_of_epochs(weights, X, y, 2, "never reset")}
    close(losses, right, what, hint, rtol=1e-3, mistakes=mistakes)
    student.predict_stateful(model, X, ROWS)
    afterwards_as_new(student, model, weights, X, "predict_stateful")


@exercise("reset-states", share=1, read=RESET)
def test_fit_returns_the_loss_of_training(student: Student, rng: np.random.Generator) -> None:
    """The losses are those while the weights change, as `fit` reports them, not those afterwards."""
    weights, X, y = problem(rng)
    model, twin = (student.apply(in_the_box, weights, ROWS, STEPS, 0.1, False) for _ in range(2))
    losses = array(student.fit_stateful(model, X, y, 2, ROWS), "the losses", (2,), "One number per epoch.")
    expected = array(student.apply(losses_in_order, twin, X, y, 2, ROWS), "the check's own losses", (2,))
    close(losses, expected, "the losses of a training that changes the weights",
          "Return what `fit` has in its history: `evaluate` comes too late.", rtol=2e-3, atol=1e-3)  # fmt: skip


@exercise("reset-states", share=1, read=RESET)
def test_resets_other_recurrent_layers(student: Student, rng: np.random.Generator) -> None:
    """A stateful layer need not be an LSTM: the state of a GRU is reset as well."""
    X = rng.normal(size=(2 * ROWS, STEPS, FEATURES)).astype("float32")
    model = student.apply(with_a_gru, ROWS, STEPS, FEATURES)
    first = flat(student.predict_stateful(model, X, ROWS), len(X), "the predictions")
    that(bool(np.ptp(first) > 1e-6), "the predictions of a model with a GRU are all the same.", "Return predictions.")
    for what in ("predict_stateful", "fit_stateful"):
        if what == "fit_stateful":
            student.fit_stateful(model, X, first[:, None].astype("float32"), 1, ROWS)
        again = flat(student.predict_stateful(model, X, ROWS), len(X), "the predictions")
        close(again, first, f"the predictions of a model with a GRU, after {what}",
              "Reset every layer that is stateful, whatever its kind.", rtol=1e-3, atol=1e-4)  # fmt: skip


def afterwards_as_new(student: Student, model: Any, weights: list[Array], X: Array, what: str) -> None:
    """Expect that the model, asked by the check itself, begins with zeros."""
    found = flat(student.apply(as_it_is, model, X, ROWS), len(X), "the predictions afterwards")
    expected = np.concatenate(outside(weights).predict_batches(in_batches(X))).reshape(-1)
    step = "Reset all stateful layers at the very end."
    if not np.allclose(found, expected, atol=1e-4):
        raise Wrong(f"after {what} the model does not begin with zeros.", step, what="the predictions afterwards",
                    evidence=(found, expected, 1e-4, 1e-4),
                    clues=Clues(frozenset({f"The state is not reset when {what} ends."})))  # fmt: skip


def weights_of(student: Student, model: Handle, given: list[Array]) -> list[Array]:
    """What the weights have become of a model that was made in the box, where the notebook could change it since."""
    found = rebuilt(student, model, stateful=True)
    that(found.names == ("LSTM", "Dense"), f"the model's layers were LSTM and Dense, but are {', '.join(found.names)}.",
         "Train the model that is passed, and do not change its layers.")  # fmt: skip
    weights = [getattr(layer, name) for layer in found.layers for name in ("kernel", "recurrent_kernel", "bias")
               if hasattr(layer, name)]  # fmt: skip
    return of_the_same_shapes(weights, given)


def of_the_same_shapes(weights: Any, given: list[Array]) -> list[Array]:
    many = isinstance(weights, list) and len(weights) == len(given)
    that(many, "the model no longer has the weights that it was made with.")
    return [array(one, "a weight of the model", old.shape) for one, old in zip(weights, given, strict=True)]


# state-carries: rebuilt here, and asked about runs that were never in the box


def bell_runs(rng: np.random.Generator) -> tuple[list[Array], Array]:
    """The task of the lesson, written again: a batch for each part, and whether the bell of each run rang."""
    rang = rng.random(HELD_OUT) < 0.5
    parts = [np.dstack([np.zeros((HELD_OUT, TIMESTEPS)), rng.standard_normal((HELD_OUT, TIMESTEPS))])
             for _ in range(PARTS)]  # fmt: skip
    for run in np.flatnonzero(rang):
        parts[0][run, rng.integers(TIMESTEPS), 0] = 1.0
    return parts, rang


def judged(model: Model, rng: np.random.Generator) -> tuple[float, list[float], Picture]:
    """The accuracy in the parts that must be remembered, that of each part, and those answers, on fresh runs."""
    parts, rang = bell_runs(rng)
    outputs = model.predict_batches(parts)
    that(outputs[0].shape == (HELD_OUT, 1), "`model` should give one number per row.",
         "Return only the last LSTM output: leave return_sequences off.")  # fmt: skip
    right = [float(np.mean(np.isfinite(one[:, 0]) & ((one[:, 0] > 0.5) == rang))) for one in outputs]
    heard = np.concatenate([np.where(np.isfinite(one[:, 0]), one[:, 0] > 0.5, -1) for one in outputs[1:]])
    matrix = confusion(np.tile(rang, PARTS - 1).astype(int), heard.astype(int), ["no ring", "it rang"], "run")
    return float(np.mean(right[1:])), right, matrix


@exercise("state-carries", read="Take it to 100 %", curves=[CURVE])
def test_the_state_carries_the_answer(student: Student, rng: np.random.Generator, award: Callable[..., None]) -> None:
    """The trained model remembers, in the parts after the first, whether the bell has rung."""
    model = rebuilt(student, "model", stateful=True)
    timesteps, features = model.input_shape
    that(
        timesteps in {None, TIMESTEPS} and features == FEATURES and model.outputs == 1,
        f"`model` should take (batch size, 5, 2) and give 1 value, not {model.input_shape} and {model.outputs}.",
    )
    that("LSTM" in model.names, "`model` has no LSTM layer.", "Train the model of your build_stateful.")
    accuracy, right, matrix = judged(model, rng)
    told = (f"Accuracy {accuracy:.3f} in parts 2 to 4 of {HELD_OUT:,} runs that it has never seen "
            "(without state: 0.50).")  # fmt: skip
    credit = CURVE.credit(accuracy)
    if credit < 1:
        told += f" {CURVE}"
    step = _next_step(model, right) if credit < 1 else ""
    award(credit, told, step, [*learning_curve(student, "model"), matrix])


def _next_step(model: Model, right: list[float]) -> str:
    """What the accuracies say about why it is not right."""
    if not carries(model):
        return Mistake("The model is stateless, and so cannot know: build it with build_stateful.")
    if right[0] < 0.9:
        return "It does not hear the bell even in part 1: train it for longer, or with a larger learning rate."
    if right[-1] < right[1] - 0.05:
        return "It forgets from part to part: train it for longer."
    return "It hears the bell in part 1 and loses it: keep the order, carry the state, reset after every epoch."
