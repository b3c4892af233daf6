"""What the lessons say of Keras, scikit-learn and the lecture's older code, held to the pinned versions.

Where a test here fails after an upgrade, a lesson says what is no longer so: its name tells which.
"""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.preprocessing import OneHotEncoder

Array = np.ndarray[Any, Any]


def windows(samples: int, timesteps: int = 4, features: int = 1) -> Array:
    return np.random.default_rng(0).normal(size=(samples, timesteps, features)).astype("float32")


# 01, the memory cell


def test_01_an_lstm_has_four_weighted_sums_and_starts_with_an_open_forget_gate() -> None:
    layer = keras.layers.LSTM(16)
    layer.build((None, 5, 10))
    assert layer.count_params() == 1728
    kernel, recurrent_kernel, bias = layer.get_weights()
    assert (kernel.shape, recurrent_kernel.shape) == ((10, 64), (16, 64))
    assert bias.tolist() == [0] * 16 + [1] * 16 + [0] * 32  # i, f, c, o
    assert not hasattr(layer, "peephole")


# 04, categorical data


def test_04_the_sparse_argument_of_the_slide_is_gone() -> None:
    with pytest.raises(TypeError, match="sparse"):
        OneHotEncoder(sparse=False)
    assert OneHotEncoder(sparse_output=False).fit_transform([["cold"], ["hot"]]).tolist() == [[1, 0], [0, 1]]


# 05, varied lengths


def test_05_pad_sequences_pads_and_cuts_in_front_and_takes_whole_numbers() -> None:
    pad_sequences = keras.utils.pad_sequences
    assert pad_sequences([[1, 2, 3, 4], [1, 2, 3], [1]]).tolist() == [[1, 2, 3, 4], [0, 1, 2, 3], [0, 0, 0, 1]]
    assert pad_sequences([[1, 2, 3, 4], [1]], maxlen=2).tolist() == [[3, 4], [0, 1]]
    assert pad_sequences([[1, 2, 3, 4]], maxlen=2, truncating="post").tolist() == [[1, 2]]
    assert pad_sequences([[0.5, 1.5]]).tolist() == [[0, 1]]  # fractions are lost without dtype


# 06, supervised framing


def test_06_the_validation_split_is_the_end_of_the_data() -> None:
    """Taken before the training pairs are shuffled."""
    x = np.arange(10, dtype="float32").reshape(10, 1)
    seen: list[float] = []

    class Watched(keras.Model):  # type: ignore[misc]
        def test_step(self, data: Any) -> Any:
            seen.extend(np.ravel(data[0]).tolist())
            return super().test_step(data)

    inputs = keras.Input(shape=(1,))
    model = Watched(inputs, keras.layers.Dense(1)(inputs))
    model.compile(loss="mse", run_eagerly=True)
    model.fit(x, x, validation_split=0.2, epochs=1, verbose=0)
    assert seen == [8, 9]


# 08, shapes, batches, state


def stateful(rows: int, timesteps: int = 4) -> tuple[Any, Any]:
    """A model, and its stateful layer."""
    layer = keras.layers.LSTM(3, stateful=True)
    model = keras.Sequential([keras.Input(batch_shape=(rows, timesteps, 1)), layer, keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    return model, layer


def test_08_the_old_names_of_the_slides() -> None:
    """`input_shape` still works with a warning; `batch_input_shape`, and `fit` with it, are gone."""
    with pytest.warns(UserWarning, match="input_shape"):
        keras.layers.LSTM(5, input_shape=(10, 1))
    with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
        keras.layers.LSTM(2, stateful=True, batch_input_shape=(10, 5, 1))
    model, _ = stateful(2)
    with pytest.raises(TypeError, match="batch_input_shape"):
        model.fit(windows(2), np.zeros((2, 1)), batch_input_shape=(10, 5, 1))


def test_08_units_are_no_neurons() -> None:
    lstm, dense = keras.layers.LSTM(5), keras.layers.Dense(5)
    lstm.build((None, 10, 1))
    dense.build((None, 1))
    assert (lstm.count_params(), dense.count_params()) == (140, 10)


def test_08_a_stateful_layer_wants_a_batch_size() -> None:
    for given in (keras.Input(batch_shape=(2, 4, 1)), keras.Input(shape=(4, 1), batch_size=2)):
        assert keras.Sequential([given, keras.layers.LSTM(3, stateful=True)]).input_shape == (2, 4, 1)
    with pytest.raises(ValueError, match="batch size"):
        keras.Sequential([keras.Input(shape=(4, 1)), keras.layers.LSTM(3, stateful=True)])


def test_08_only_layers_can_be_reset() -> None:
    model, layer = stateful(2)
    assert not hasattr(model, "reset_states")
    assert not hasattr(model, "reset_state")
    model.predict(windows(2), batch_size=2, verbose=0)
    assert np.abs(layer.states[0]).max() > 0
    layer.reset_state()
    assert np.abs(layer.states[0]).max() == 0


def test_08_stateless_means_that_every_sample_starts_from_zeros() -> None:
    """Not only every batch: the samples of one batch know nothing of each other either."""
    model = keras.Sequential([keras.Input(shape=(4, 1)), keras.layers.LSTM(3)])
    x = windows(6)
    alone = np.concatenate([model.predict(x[i : i + 1], verbose=0) for i in range(6)])
    for size in (2, 6):
        np.testing.assert_allclose(model.predict(x, batch_size=size, verbose=0), alone, atol=1e-6)


def test_08_stateful_means_that_a_row_goes_on_where_it_was() -> None:
    """Row i of a batch continues row i of the batch before, until the state is reset."""
    layer = keras.layers.LSTM(3, stateful=True)
    model = keras.Sequential([keras.Input(batch_shape=(2, 4, 1)), layer])
    x = windows(2, 8)
    model.predict(x[:, :4], batch_size=2, verbose=0)
    carried = model.predict(x[:, 4:], batch_size=2, verbose=0)
    layer.reset_state()
    fresh = model.predict(x[:, 4:], batch_size=2, verbose=0)
    whole = keras.Sequential([keras.Input(shape=(8, 1)), keras.layers.LSTM(3)])
    whole.set_weights(layer.get_weights())  # neither batch size nor state are among the weights
    np.testing.assert_allclose(carried, whole.predict(x, verbose=0), atol=1e-6)
    assert np.abs(carried - fresh).max() > 1e-3


def test_08_nothing_but_a_reset_resets() -> None:
    """Neither a new epoch nor evaluate: with weights that stay, all that can change a loss is the state."""
    model, layer = stateful(2)
    x, y = windows(2), np.ones((2, 1), dtype="float32")
    epochs = model.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0).history["loss"]
    assert abs(epochs[0] - epochs[1]) > 1e-6
    layer.reset_state()
    again = [model.evaluate(x, y, batch_size=2, verbose=0) for _ in range(2)]
    assert again == pytest.approx(epochs, rel=1e-5)


def test_08_a_batch_of_another_size_is_an_error() -> None:
    model, _ = stateful(2)
    with pytest.raises(ValueError, match="batch size"):
        model(windows(1))
    assert len(model.predict(windows(3), batch_size=2, verbose=0)) == 4  # but a single row left over is stretched
    larger, _ = stateful(3)
    with pytest.raises(tf.errors.InvalidArgumentError):
        larger.predict(windows(5), batch_size=3, verbose=0)


def test_08_the_gradient_does_not_cross_the_border_of_a_batch() -> None:
    model, _ = stateful(1)
    run = tf.Variable(windows(1, 8))
    with tf.GradientTape() as tape:
        model(run[:, :4])
        later = model(run[:, 4:])
    slope = np.abs(tf.convert_to_tensor(tape.gradient(later, run)).numpy()[0, :, 0])
    assert slope[:4].max() == 0
    assert slope[4:].min() > 0


# 09, the echo problem


def test_09_the_vanilla_model_has_the_slides_parameters() -> None:
    model = keras.Sequential([keras.Input(shape=(5, 10)), keras.layers.LSTM(16), keras.layers.Dense(10, "softmax")])
    assert model.count_params() == 1898


# 10, the deep forecaster


def test_10_there_is_no_other_lstm_for_graphics_cards() -> None:
    """`CuDNNLSTM` is gone: `LSTM` itself takes the fast way where it may."""
    assert not hasattr(keras.layers, "CuDNNLSTM")
    assert keras.layers.LSTM(4).activation is keras.activations.tanh


def test_10_keras_has_no_loss_called_rmse() -> None:
    assert keras.losses.get("mae") is not None
    with pytest.raises(ValueError, match="rmse"):
        keras.losses.get("rmse")
