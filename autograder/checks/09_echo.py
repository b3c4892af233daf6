"""Hidden checks of 09, the echo problem (slides 39 to 46)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.boxed.values import Generator, Handle
from autograder.examination.expectations import (
    Array,
    Curve,
    array,
    close,
    equal,
    exercise,
    generator,
    parts,
    raises,
    show,
    that,
    unchanged,
)
from autograder.examination.inference import Model
from autograder.examination.layers import LSTM
from autograder.examination.misconceptions import Mistake
from autograder.examination.models import keras_model, rebuilt
from autograder.examination.pictures import confusion, learning_curve
from autograder.examination.student import Student

MAKING = "Make the data"
VECTORS = "From digits to vectors"
SAMPLES = "From sequences to samples"
MODEL = "The vanilla model"
JUDGING = "How do we judge it?"
DIALS = "Why does it get no further?"

TIMESTEPS, FEATURES, OUT_INDEX = 5, 10, 2
HELD_OUT = 4000
# Guessing reaches 0.10. benchmarks/thresholds.md has the evidence.
CURVE = Curve("accuracy on sequences that it has never seen", ((0.20, 0), (0.99, 1)))


def one_hot(digits: Array, n_features: int) -> Array:
    return np.eye(n_features)[digits]


# generate

DRAWS = 20_000


def sequence(value: Any, length: int, n_features: int) -> Array:
    """A student's sequence, as checked integers."""
    found = array(value, "the sequence", (length,))
    that(isinstance(value, np.ndarray), f"the sequence should be an array, but is {show(value)}.", "Leave tolist out.")
    that(bool(np.all(found == np.round(found))), f"the sequence should hold whole numbers, but is {show(found)}.")
    inside = bool(np.all((found >= 0) & (found < n_features)))
    that(inside, f"the values should be 0 to {n_features - 1}, but go from {found.min():g} to {found.max():g}.",
         "rng.integers does not include its upper end; random.randint does.")  # fmt: skip
    that(found.dtype.kind in "iu", f"the values should be integers, but the array holds {found.dtype}.",
         "rng.integers draws integers.")  # fmt: skip
    return found.astype(int)


@exercise("generate", share=2, read=MAKING)
def test_generates_all_values_alike(student: Student, rng: np.random.Generator) -> None:
    """Whole numbers from 0 to n_features - 1, each as likely as the others."""
    for n_features in (10, 3):
        found = sequence(student.generate_sequence(DRAWS, n_features, generator(rng)), DRAWS, n_features)
        shares = np.bincount(found, minlength=n_features) / DRAWS
        # So many draws: a share is off by 15 % of 1/n with a chance below 1 in 10^11.
        missing = ", ".join(str(value) for value in np.flatnonzero(shares < 0.85 / n_features))
        that(not missing, f"in {DRAWS:,} draws of {n_features} values, these come too seldom: {missing}.",
             "Every value from 0 to n_features - 1 must be as likely as the others.")  # fmt: skip
        often = ", ".join(str(value) for value in np.flatnonzero(shares > 1.15 / n_features))
        that(not often, f"in {DRAWS:,} draws of {n_features} values, these come too often: {often}.",
             "Every value from 0 to n_features - 1 must be as likely as the others.")  # fmt: skip
    # 40 sequences of 5 out of 10: none has a value twice with a chance below 1 in 10^20.
    short = [sequence(student.generate_sequence(TIMESTEPS, FEATURES, generator(rng)), 5, 10) for _ in range(40)]
    that(any(len(set(one.tolist())) < TIMESTEPS for one in short), "in 40 short sequences no value ever comes twice.",
         "Draw every value separately: the same one may come again (rng.choice has `replace` for that).")  # fmt: skip


def two_in_a_row(generate: Any, seed: Any) -> Any:
    rng = np.random.default_rng(seed)
    return [np.asarray(generate(40, 10, rng)), np.asarray(generate(40, 10, rng))]


def many_sequences(generate: Any, seed: Any) -> Any:
    """How many of 600 sequences are different, and whether chance that the program shares was touched."""
    import random

    before = random.getstate(), str(np.random.get_state())
    rng = np.random.default_rng(seed)
    different = len({tuple(np.asarray(generate(40, 10, rng)).tolist()) for _ in range(600)})
    return [different, before == (random.getstate(), str(np.random.get_state()))]


@exercise("generate", share=1, read=MAKING)
def test_generates_from_the_generator(student: Student, rng: np.random.Generator) -> None:
    """All randomness comes from `rng`: the same state gives the same sequence, and drawing moves it on."""
    draw, other = generator(rng), generator(rng)
    first, again = (sequence(student.generate_sequence(40, 10, draw), 40, 10) for _ in range(2))
    hint = "Draw from the `rng` that is passed, not from np.random or random."
    that(bool(np.array_equal(first, again)), "two generators in the same state gave different sequences.", hint)
    different = sequence(student.generate_sequence(40, 10, other), 40, 10)
    that(not np.array_equal(first, different), "two different generators gave the same sequence.", hint)
    one, two = student.apply(two_in_a_row, student["generate_sequence"], int(rng.integers(2**31)))
    that(not np.array_equal(one, two), "two calls with one generator gave the same sequence twice.",
         "Do not make a new generator, and do not seed the one that is passed.")  # fmt: skip
    different, untouched = parts(student.apply(many_sequences, student["generate_sequence"], int(rng.integers(2**31))),
                                 2, "generate_sequence")  # fmt: skip
    # Two of 600 sequences of 40 digits are equal with a chance below 1 in 10^34.
    equal(different, 600, "the number of different sequences in 600 calls", "Draw each value from `rng` itself.")
    equal(untouched, True, "whether random and np.random are as before the call", "Draw from `rng` only.")


@exercise("generate", share=1, read=MAKING)
def test_generates_any_size(student: Student, rng: np.random.Generator) -> None:
    """Any number of values, 1 too, and any number of features; whole numbers, drawn independently."""
    for length, n_features in ((1, 5), (1, 1), (4, 1), (3000, 26), (3000, 2)):
        value = student.generate_sequence(length, n_features, generator(rng))
        found = sequence(value, length, n_features)
        that(isinstance(value, np.ndarray) and value.dtype.kind in "iu",
             f"the result for {length} values should be an array of integers, but is {show(value)}.")  # fmt: skip
        if length > 1000:
            shares = np.bincount(found, minlength=n_features) / length
            that(bool(np.all(shares > 0.4 / n_features)), f"of {n_features} values some hardly come.",
                 "Every value from 0 to n_features - 1 is as likely as the others.")  # fmt: skip
            again = float(np.mean(found[1:] == found[:-1]))
            that(abs(again - 1 / n_features) < 0.1, f"{again:.0%} of the values are like the one "
                 f"before; by chance it is {1 / n_features:.0%}.", "Draw each by itself.")  # fmt: skip


# one-hot-sequence


@exercise("one-hot-sequence", share=2, read=VECTORS)
def test_encodes(student: Student, rng: np.random.Generator) -> None:
    """One row per timestep, with a single 1 at the value's place."""
    for length, n_features in ((3, 4), (5, 10), (7, 4), (1, 2)):
        digits = rng.integers(0, n_features, length)
        encoded = student.one_hot_encode(digits, n_features)
        close(encoded, one_hot(digits, n_features), "the encoded sequence", "Row t has its 1 in column sequence[t].")
        kind = array(encoded, "the encoded sequence").dtype
        that(kind.kind == "f", f"the entries should be floats, but are of the type {kind}.", "np.zeros makes floats.")
    unchanged(student)
    digits = rng.integers(0, 6, 5)
    close(student.one_hot_encode(digits.tolist(), 6), one_hot(digits, 6), "the encoded list")


@exercise("one-hot-sequence", share=2, read=VECTORS)
def test_decodes(student: Student, rng: np.random.Generator) -> None:
    """Decoding gives a list of the places of the largest entries, for one-hot rows and for probabilities."""
    digits = rng.integers(0, 10, 6)
    equal(student.one_hot_decode(one_hot(digits, 10)), digits.tolist(), "the decoded sequence")
    weights = rng.uniform(0, 1, (8, 5))
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    hint = "The place of the largest entry of each row is the value."
    decoded = student.one_hot_decode(probabilities)
    that(isinstance(decoded, list), f"one_hot_decode should return a list, but returned {show(decoded)}.")
    equal(decoded, probabilities.argmax(axis=1).tolist(), "the decoded probabilities", hint)
    unchanged(student)
    ties = np.array([[0.4, 0.2, 0.4], [0.25, 0.25, 0.5], [0.0, 0.0, 0.0], [0.1, 0.45, 0.45]], "float32")
    equal(student.one_hot_decode(ties), [0, 2, 0, 1], "the decoded rows with equal entries",
          "Of equally large entries the first counts.")  # fmt: skip


@exercise("one-hot-sequence", share=1, read=VECTORS)
def test_refuses_values_outside(student: Student, rng: np.random.Generator) -> None:
    """A value outside 0 to n_features - 1 raises ValueError, a value inside does not."""
    array(student.one_hot_encode(rng.permutation(4), 4), "the encoded sequence", (4, 4))
    hint = "Check the values before you encode; a negative one would count from the end."
    for outside in (4, 9, -1):
        digits = [*rng.integers(0, 4, 3).tolist(), outside]
        raises(
            "ValueError", lambda d=digits: student.one_hot_encode(d, 4), f"a value of {outside} among 4 features", hint
        )


# samples


@exercise("samples", share=2, read=SAMPLES)
def test_samples_echo_the_timestep(student: Student, rng: np.random.Generator) -> None:
    """X holds one-hot sequences; y repeats the one at `out_index`."""
    for n, length, n_features, out_index in ((3, 6, 4, 2), (9, 5, 10, 2), (4, 6, 3, 0), (5, 3, 4, 2)):
        X, y = _samples(student, n, length, n_features, out_index, generator(rng))
        that(bool(np.all((X == 0) | (X == 1)) and np.all(X.sum(axis=2) == 1)),
             "each timestep of X should hold a single 1 and zeros.", "One-hot encode each sequence.")  # fmt: skip
        if not np.array_equal(y, X[:, out_index]):
            close(y, X[:, out_index], f"y for out_index={out_index}", f"y repeats X[:, {out_index}].",
                  mistakes=_wrong_places(X, out_index))  # fmt: skip


def _wrong_places(X: Array, out_index: int) -> list[tuple[str, Array]]:
    """What y is, if another timestep is repeated."""
    length = X.shape[1]
    named = {
        out_index - 1: "The wrong out_index, off by one: timesteps are counted from 0.",
        length - 1 - out_index: "The wrong out_index: you count it from the end.",
        length - 1: "The last timestep is repeated, whatever out_index says.",
        0: "The first timestep is repeated, whatever out_index says.",
    }
    return [(named.get(t, f"The wrong out_index: this repeats timestep {t}."), X[:, t])
            for t in range(length) if t != out_index]  # fmt: skip


@exercise("samples", share=1, read=SAMPLES)
def test_samples_are_random(student: Student, rng: np.random.Generator) -> None:
    """The samples differ, use every value at every timestep, and come from `rng` alone."""
    draw = generator(rng)
    X, _ = _samples(student, 400, 4, 5, 1, draw)
    # 400 draws of 5 values: one of 20 places empty with a chance below 1 in 10^37.
    that(bool(np.all(X.sum(axis=0) > 0)), "in 400 samples some values never appear at some timesteps.",
         "Draw every sequence separately from `rng`.")  # fmt: skip
    again, _ = _samples(student, 400, 4, 5, 1, draw)
    that(bool(np.array_equal(X, again)), "two generators in the same state gave different samples.",
         "Draw from the `rng` that is passed, not from np.random or random.")  # fmt: skip
    one, two = student.apply(two_sets, student["generate_samples"], int(rng.integers(2**31)))
    that(not np.array_equal(one, two), "two calls with one generator gave the same samples twice.",
         "Do not copy the generator, and do not seed the one that is passed.")  # fmt: skip


def two_sets(generate: Any, seed: Any) -> Any:
    rng = np.random.default_rng(seed)
    return [np.asarray(generate(40, 5, 10, 2, rng)[0]) for _ in range(2)]


def _samples(
    student: Student, n: int, length: int, n_features: int, out_index: int, draw: Generator
) -> tuple[Array, Array]:
    X, y = parts(student.generate_samples(n, length, n_features, out_index, draw), 2, "generate_samples")
    hint = "X is (n_samples, length, n_features), y is (n_samples, n_features)."
    found = array(X, "X", (n, length, n_features), hint), array(y, "y", (n, n_features), hint)
    for one, name in zip(found, ("X", "y"), strict=True):
        that(
            one.dtype.kind == "f",
            f"{name} should be a float array, but holds {one.dtype}.",
            "Keras computes in floats.",
        )
    return found


# model


def how_compiled(model: Any) -> Any:
    loss = getattr(model, "loss", None)
    while isinstance(loss, (list, tuple, dict)) and len(loss) == 1:  # one for each output
        loss = next(iter(loss.values())) if isinstance(loss, dict) else loss[0]
    name = (
        loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", type(loss).__name__)
    )
    optimizer = getattr(model, "optimizer", None)
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer, as mixed_float16 makes it
    try:
        rate = float(optimizer.learning_rate)
    except (AttributeError, TypeError, ValueError):
        rate = None  # a schedule, perhaps
    return {"loss": str(name), "optimizer": type(optimizer).__name__, "rate": rate}


def built(student: Student, timesteps: int, features: int, units: int | None = None) -> tuple[Handle, Model]:
    """A model from build_model, in the box and rebuilt outside."""
    given = () if units is None else (units,)
    model = keras_model(student.build_model(timesteps, features, *given), "build_model")
    return model, rebuilt(student, model)


def parameters(model: Model) -> int:
    return sum(getattr(layer, name).size for layer in model.layers for name in ("kernel", "recurrent_kernel", "bias")
               if hasattr(layer, name))  # fmt: skip


@exercise("model", share=2, read=MODEL)
def test_model_is_a_vanilla_lstm(student: Student) -> None:
    """One LSTM layer and a Dense layer, with 1,898 parameters at 5 x 10 x 16."""
    for timesteps, features, units in ((5, 10, None), (7, 4, 3)):
        _, model = built(student, timesteps, features, units)
        layers = list(model.names)
        that(layers == ["LSTM", "Dense"], f"the model's layers should be LSTM and Dense, but are {', '.join(layers)}.",
             "A vanilla LSTM has one LSTM layer before the output, and nothing else.")  # fmt: skip
        lstm = next(layer for layer in model.layers if isinstance(layer, LSTM))
        names = lstm.activation.name, lstm.recurrent_activation.name
        that(names == ("tanh", "sigmoid"), f"the LSTM should keep the activations tanh and sigmoid, not {names}.",
             "Leave `activation` out of the LSTM: relu lets the cell state grow.")  # fmt: skip
        that(model.input_shape == (timesteps, features),
             f"the input should be ({timesteps}, {features}), but is {model.input_shape}.",
             "Give keras.Input both numbers.")  # fmt: skip
        size = 16 if units is None else units
        wanted = 4 * size * (features + size + 1) + features * (size + 1)
        that(parameters(model) == wanted, f"with {size} units the model should have {wanted:,} parameters, "
             f"but has {parameters(model):,}.", "The LSTM has the size `units`, the output `features`.")  # fmt: skip


@exercise("model", share=1, read=MODEL)
def test_model_gives_probabilities(student: Student, rng: np.random.Generator) -> None:
    """The output is a softmax: one probability per value, and one row per sample."""
    _, model = built(student, 6, 4, 5)
    x = one_hot(rng.integers(0, 4, (20, 6)), 4)
    found = model.predict(x)
    that(found.shape == (20, 4), f"for 20 samples the output should have the shape (20, 4), but has {found.shape}.",
         "return_sequences is for stacked LSTMs; here return only the last output.")  # fmt: skip
    finite = bool(np.isfinite(found).all())
    sums = finite and bool(np.allclose(found.sum(axis=1), 1, atol=1e-4) and np.all(found >= 0))
    that(sums, "each row of the output should sum to 1.", "Give the Dense layer the softmax activation.")


@exercise("model", share=1, read=MODEL)
def test_model_is_compiled(student: Student) -> None:
    """Compiled with categorical cross-entropy and Adam."""
    handle, _ = built(student, TIMESTEPS, FEATURES)
    found = student.apply(how_compiled, handle)
    loss = str(found.get("loss")).replace("_", "").lower() if isinstance(found, dict) else ""
    that(loss == "categoricalcrossentropy", f"the loss should be categorical cross-entropy, but is {show(found)}.",
         "The targets are one-hot rows: take neither the binary nor the sparse loss.")  # fmt: skip
    equal(found.get("optimizer"), "Adam", "the optimizer")
    rate = found.get("rate")
    right = not isinstance(rate, float) or bool(np.isclose(rate, 0.001))
    that(right, f"the learning rate should be 0.001, not {show(rate)}.",
         "Leave Adam's default rate of 0.001 here.")  # fmt: skip


# evaluate: with a model of the check's own, which echoes a timestep of its choice


def echoing(timestep: Any) -> Any:
    class Echo:
        def predict(self, X: Any, *args: Any, **kwargs: Any) -> Any:
            scores = np.exp(0.5 * np.asarray(X)[:, timestep])  # unsure: no probability reaches one half
            return scores / scores.sum(axis=-1, keepdims=True)

        __call__ = predict

        def evaluate(self, *args: Any, **kwargs: Any) -> Any:
            return [0.125, 0.125]  # it was compiled with other metrics

    return Echo()


@exercise("evaluate", share=2, read=JUDGING)
def test_accuracy_is_the_share_of_right_echoes(student: Student, rng: np.random.Generator) -> None:
    """The share of samples whose largest prediction is at the right place, between 0 and 1."""
    digits = rng.integers(0, 4, (60, 5))
    X, y = one_hot(digits, 4), one_hot(digits[:, 2], 4)
    for timestep in (0, 4, 2):
        expected = float(np.mean(digits[:, timestep] == digits[:, 2]))
        found = array(student.echo_accuracy(student.apply(echoing, timestep), X, y), "the accuracy", ())
        mistakes = [
            ("This is a percentage: return a share from 0 to 1.", 100 * expected),
            ("This is the number of right echoes: divide it by the number of samples.", len(X) * expected),
            ("This is the share of wrong echoes.", 1 - expected),
            ("Each entry is compared by itself: compare the places of the largest entries.",
             float(np.mean(y == 0))),  # no probability comes near one half
        ]  # fmt: skip
        close(found, expected, f"the accuracy of a model that echoes timestep {timestep}", mistakes=mistakes)
    unchanged(student)


@exercise("evaluate", share=1, read=JUDGING)
def test_accuracy_at_its_ends(student: Student, rng: np.random.Generator) -> None:
    """The result is 1 if every echo is right, 0 if none is, also for a single sample."""
    for n in (1, 7):
        digits = rng.integers(0, 3, (n, 4))
        digits[:, 0] = (digits[:, 3] + 1) % 3
        X, y = one_hot(digits, 3), one_hot(digits[:, 3], 3)
        found = student.echo_accuracy(student.apply(echoing, 3), X, y)
        close(found, 1.0, f"the accuracy when all {n} are right")
        that(isinstance(found, float), f"the accuracy should be a plain float, but its type is {type(found).__name__}.",
             "float(...) makes one.")  # fmt: skip
        close(student.echo_accuracy(student.apply(echoing, 0), X, y), 0.0, f"the accuracy when none of {n} is right")


# trained-model: rebuilt here, and asked about sequences that were never in the box


def judged(model: Model, rng: np.random.Generator) -> tuple[float, Array, Array]:
    """The accuracy on fresh sequences, its predictions, and the digits of the sequences."""
    digits = rng.integers(0, FEATURES, (HELD_OUT, TIMESTEPS))
    predictions = model.predict(one_hot(digits, FEATURES))
    that(predictions.shape == (HELD_OUT, FEATURES), "`model` should give one row of 10 values per sample.",
         "Return only the last LSTM output: leave return_sequences off.")  # fmt: skip
    finite = np.isfinite(predictions).all(axis=1)
    that(bool(np.allclose(predictions[finite].sum(axis=1), 1, atol=1e-3)),
         "the outputs of `model` do not sum to 1, so they are no probabilities.",
         "Give the last Dense layer the softmax activation.")  # fmt: skip
    right = finite & (predictions.argmax(axis=1) == digits[:, OUT_INDEX])
    return float(right.mean()), predictions, digits


@exercise("trained-model", read=DIALS, curves=[CURVE])
def test_trained_model_echoes(student: Student, rng: np.random.Generator, award: Callable[..., None]) -> None:
    """The trained model echoes timestep 2 of sequences that it has never seen."""
    model = rebuilt(student, "model")
    timesteps, features = model.input_shape
    that(timesteps in {None, TIMESTEPS} and features == FEATURES and model.outputs == FEATURES,
         f"`model` should take (5, 10) and give 10 values, not {model.input_shape} and {model.outputs}.")  # fmt: skip
    that("LSTM" in model.names, "`model` has no LSTM layer.", "Train the model of your build_model.")
    accuracy, predictions, digits = judged(model, rng)
    guessing = float(np.bincount(digits[:, OUT_INDEX], minlength=FEATURES).max() / HELD_OUT)
    told = f"Accuracy {accuracy:.3f} on {HELD_OUT:,} sequences that it has never seen (guessing: {guessing:.2f})."
    credit = CURVE.credit(accuracy)
    if credit < 1:
        told += f" {CURVE}"
    echoed = np.where(np.isfinite(predictions).all(axis=1), predictions.argmax(axis=1), -1)
    matrix = confusion(digits[:, OUT_INDEX], echoed, [str(digit) for digit in range(FEATURES)], "digit")
    step = _next_step(predictions, digits, credit) if credit < 1 else ""
    award(credit, told, step, [*learning_curve(student, "model"), matrix])


def _next_step(predictions: Array, digits: Array, credit: float) -> str:
    """What the predictions say about why they are wrong."""
    echoes = [float((predictions.argmax(axis=1) == digits[:, t]).mean()) for t in range(TIMESTEPS)]
    likeliest = int(np.argmax(echoes))
    if likeliest != OUT_INDEX and echoes[likeliest] > 0.5:
        told = (
            f"The wrong out_index: the model echoes timestep {likeliest}, and should echo {OUT_INDEX}, counted from 0."
        )
        return Mistake(told)
    if credit == 0:
        return "It has hardly learned: is the loss falling below 2.30 (= ln 10) while you train?"
    return "It is getting better: train on more sequences, or for longer."
