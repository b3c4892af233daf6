"""A student's trained model, rebuilt from data and run in NumPy.

The box sends an architecture and weights; nothing of either is trusted. Only the layers below are
rebuilt, from checked numbers, and what is graded is what *they* predict. So a model that lies about
itself is only another model. Equations as in Keras (gate order i, f, c, o; the gates are those of slide 5).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from autograder.architecture import NotRebuilt, chain

Array = np.ndarray[Any, Any]

MAX_PARAMETERS: Final = 2_000_000
MAX_UNITS: Final = 1024
SAMPLES_AT_A_TIME: Final = 1024


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


def _softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


ACTIVATIONS: Final[dict[str, Callable[[Array], Array]]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "softmax": _softmax,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "softplus": lambda x: np.logaddexp(x, 0),
}


State = tuple[Array, Array]


class Layer(Protocol):
    """One step of the forward pass: values and mask (True where there is data) to the next."""

    def __call__(self, x: Array, mask: Array | None) -> tuple[Array, Array | None]: ...


@dataclass(frozen=True)
class Masking:
    mask_value: float

    def __call__(self, x: Array, mask: Array | None) -> tuple[Array, Array | None]:
        present = np.any(x != self.mask_value, axis=-1)
        return x * present[..., np.newaxis], present


@dataclass(frozen=True)
class Dense:
    """`activation(x @ kernel + bias)`; kernel (features, units), bias (units,)."""

    kernel: Array
    bias: Array
    activation: Callable[[Array], Array]

    def __call__(self, x: Array, mask: Array | None) -> tuple[Array, Array | None]:
        return self.activation(x @ self.kernel + self.bias), mask


@dataclass(frozen=True)
class LSTM:
    """kernel (features, 4 units), recurrent_kernel (units, 4 units), bias (4 units,); gates i, f, c, o.

    A masked timestep leaves the state, and the output, as they were; the output begins at zero, also where
    the state of a `stateful` layer comes from the batch before.
    """

    kernel: Array
    recurrent_kernel: Array
    bias: Array
    activation: Callable[[Array], Array]
    recurrent_activation: Callable[[Array], Array]
    return_sequences: bool
    stateful: bool = False

    def __call__(self, x: Array, mask: Array | None) -> tuple[Array, Array | None]:
        values, mask, _ = self.run(x, mask, self.zeros(len(x)))
        return values, mask

    def zeros(self, samples: int) -> State:
        """What h and c are before the first timestep, and after a reset."""
        units = self.recurrent_kernel.shape[0]
        return np.zeros((samples, units)), np.zeros((samples, units))

    def run(self, x: Array, mask: Array | None, state: State) -> tuple[Array, Array | None, State]:
        """Output, mask and the state after the last timestep, begun in `state`."""
        h, c = state
        output = np.zeros_like(h)
        outputs = []
        for t in range(x.shape[1]):
            i, f, g, o = np.split(x[:, t] @ self.kernel + h @ self.recurrent_kernel + self.bias, 4, axis=-1)
            c_t = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
            h_t = self.recurrent_activation(o) * self.activation(c_t)
            if mask is None:
                h, c, output = h_t, c_t, h_t
            else:
                present = mask[:, t, np.newaxis]
                h, c, output = (np.where(present, new, old) for new, old in ((h_t, h), (c_t, c), (h_t, output)))
            outputs.append(output)
        return (np.stack(outputs, axis=1), mask, (h, c)) if self.return_sequences else (output, None, (h, c))


@dataclass(frozen=True)
class Model:
    """A rebuilt model. `input_shape` is (timesteps, features), `outputs` the size of its last axis.

    `batch_size` is None unless the model takes batches of one size only.
    """

    layers: tuple[Layer, ...]
    names: tuple[str, ...]
    input_shape: tuple[int | None, int]
    outputs: int
    batch_size: int | None = None

    def predict(self, x: Array) -> Array:
        """Predictions for x (samples, timesteps, features), a part of the samples at a time.

        Every sample begins in the state of zeros. Raises NotRebuilt when the model takes another shape.
        """
        self._expect(x)
        done = []
        with np.errstate(all="ignore"):  # infinite weights are the student's, and predict nothing
            for start in range(0, len(x), SAMPLES_AT_A_TIME):
                values: Array = np.asarray(x[start : start + SAMPLES_AT_A_TIME], dtype=float)
                mask: Array | None = None
                for layer in self.layers:
                    values, mask = layer(values, mask)
                done.append(values)
        return np.concatenate(done)

    def predict_batches(self, batches: Sequence[Array]) -> list[Array]:
        """Predictions for batches that follow one another, each (rows, timesteps, features), from reset states on.

        Row i of a stateful LSTM goes on in each batch where row i ended in the one before. Rows do not touch
        one another, so that any number of them will do, whatever `batch_size` says; but all batches have the same.
        """
        states = {place: layer.zeros(len(batches[0])) for place, layer in enumerate(self.layers)
                  if isinstance(layer, LSTM) and layer.stateful}  # fmt: skip
        done = []
        with np.errstate(all="ignore"):
            for batch in batches:
                self._expect(batch)
                values, mask = np.asarray(batch, dtype=float), None
                for place, layer in enumerate(self.layers):
                    if place in states and isinstance(layer, LSTM):
                        values, mask, states[place] = layer.run(values, mask, states[place])
                    else:
                        values, mask = layer(values, mask)
                done.append(values)
        return done

    def _expect(self, x: Array) -> None:
        timesteps, features = self.input_shape
        if x.shape[1:] != (timesteps or x.shape[1], features):
            raise NotRebuilt(f"The model should take (samples, {x.shape[1]}, {x.shape[2]}), but its input shape is "
                             f"(samples, {timesteps or 'any'}, {features}).")  # fmt: skip


def rebuild(architecture: Any, weights: Any, *, stateful: bool = False) -> Model:
    """The model from what `Student.export_model` brought. Raises NotRebuilt.

    A stateful LSTM is refused unless the exercise is about it.
    """
    layers = chain(architecture)
    if not isinstance(weights, dict):
        raise NotRebuilt("The model's weights do not belong to its layers.")
    if sum(array.size for arrays in weights.values() for array in _arrays(arrays)) > MAX_PARAMETERS:
        raise NotRebuilt(f"The model has more than {MAX_PARAMETERS:,} weights, which is more than the task needs.")
    shape: tuple[int | None, int] | None = None
    batch_size: int | None = None
    size = 0
    built: list[Layer] = []
    layer: Layer
    names: list[str] = []
    for kind, name, config in layers:
        given = _arrays(weights.get(name, []))
        if kind == "InputLayer":
            batch_size, shape = _input_shape(config)
            size = shape[1]
            continue
        if shape is None:
            raise NotRebuilt("The model's input shape is not known: start it with keras.Input(shape=...).")
        names.append(kind)
        if kind == "Dense":
            layer, size = _dense(config, given, size)
            built.append(layer)
        elif kind == "LSTM":
            layer, size = _lstm(config, given, size, stateful)
            built.append(layer)
        elif kind == "Masking":
            built.append(Masking(_number(config.get("mask_value"))))
        elif kind != "Dropout":
            raise NotRebuilt(
                f"The model has a layer {kind}, which is not among those that are graded here: "
                "Input, Masking, LSTM, Dropout and Dense."
            )
    if shape is None or not names:
        raise NotRebuilt("The model has no layers.")
    return Model(tuple(built), tuple(names), shape, size, batch_size)


def _input_shape(config: dict[str, Any]) -> tuple[int | None, tuple[int | None, int]]:
    """The batch size, and (timesteps, features)."""
    shape = config.get("batch_shape")
    if not isinstance(shape, list) or len(shape) != 3 or not isinstance(shape[2], int):
        raise NotRebuilt("The model's input should be 3-D: (samples, timesteps, features).")
    batch_size, timesteps = (size if isinstance(size, int) else None for size in shape[:2])
    return batch_size, (timesteps, shape[2])


def _dense(config: dict[str, Any], arrays: list[Array], features: int) -> tuple[Dense, int]:
    units = _units(config)
    bias = config.get("use_bias") is not False
    given = _fitting("Dense", arrays, [(features, units), (units,)] if bias else [(features, units)])
    return Dense(given[0], given[1] if bias else np.zeros(units), _activation(config.get("activation"))), units


def _lstm(config: dict[str, Any], arrays: list[Array], features: int, stateful: bool) -> tuple[LSTM, int]:
    for name in ("go_backwards", "return_state") if stateful else ("stateful", "go_backwards", "return_state"):
        if config.get(name) is True:
            raise NotRebuilt(f"The model's LSTM has {name}=True; this exercise is graded without it.")
    units = _units(config)
    bias = config.get("use_bias") is not False
    shapes = [(features, 4 * units), (units, 4 * units), (4 * units,)]
    given = _fitting("LSTM", arrays, shapes if bias else shapes[:2])
    layer = LSTM(
        given[0], given[1], given[2] if bias else np.zeros(4 * units),
        _activation(config.get("activation")), _activation(config.get("recurrent_activation")),
        config.get("return_sequences") is True, config.get("stateful") is True,
    )  # fmt: skip
    return layer, units


def _units(config: dict[str, Any]) -> int:
    units = config.get("units")
    if type(units) is not int or not 0 < units <= MAX_UNITS:
        raise NotRebuilt(f"A layer's units should be a whole number from 1 to {MAX_UNITS}.")
    return units


def _activation(name: Any) -> Callable[[Array], Array]:
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise NotRebuilt(f"An activation of the model is not graded here; these are: {', '.join(ACTIVATIONS)}.")
    return ACTIVATIONS[name]


def _number(value: Any) -> float:
    if not isinstance(value, (int, float)):
        raise NotRebuilt("The mask value should be a number.")
    return float(value)


def _arrays(arrays: Any) -> list[Array]:
    if not isinstance(arrays, list) or not all(isinstance(a, np.ndarray) and a.dtype.kind in "fiu" for a in arrays):
        raise NotRebuilt("The model's weights should be arrays of numbers.")
    return arrays


def _fitting(kind: str, arrays: list[Array], shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    if [array.shape for array in arrays] != list(shapes):
        raise NotRebuilt(f"The weights of the model's {kind} layer do not fit its units.")
    return [array.astype(float) for array in arrays]
