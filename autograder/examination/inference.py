"""A student's trained model, rebuilt from data and run in NumPy.

The box sends an architecture and weights; nothing of either is trusted. Only the layers below are
rebuilt, from checked numbers, and what is graded is what *they* predict. So a model that lies about
itself is only another model.

Whatever came from the box, there is a value or NotRebuilt: `rebuild` goes through the layers with the shape
of what passes them, so that a prediction cannot fail; and before it predicts, the model counts what that will
cost, and refuses what is too much.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np

from autograder.examination.activations import named, of_layer
from autograder.examination.architecture import NotRebuilt, chain
from autograder.examination.layers import LSTM, TINY, Activated, Dense, Layer, Load, Masking, PReLU, State

Array = np.ndarray[Any, Any]

MAX_PARAMETERS: Final = 2_000_000
MAX_UNITS: Final = 1024
MAX_SIZE: Final = 1_000_000  # of an axis of the input
SAMPLES_AT_A_TIME: Final = 1024
# bfloat16 is read as float32: what it rounds is less than what a threshold sees.
INPUT_DTYPES: Final = ("float16", "float32", "float64", "bfloat16", "bool",
                       "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")  # fmt: skip

# What predictions may cost, counted in multiplications of a matrix product.
MAX_WORK: Final = 160_000_000_000  # five seconds of one core
OF_A_TURN: Final = 2_500_000  # a timestep of an LSTM, besides what it computes
VALUES_AT_A_TIME: Final = 2**21  # between two layers, and a few times as many within one
MAX_VALUES: Final = 2**24  # of all predictions together


@dataclass(frozen=True)
class Model:
    """A rebuilt model. `input_shape` is (timesteps, features), `outputs` the size of its last axis.

    `names` are the layers' kinds and `configs` their configurations as they came, with each activation by its name in
    `keras.activations`. An activation that is a layer of its own directly behind a Dense is that of the Dense, and no
    layer: the two are the same to Keras. `batch_size` is None unless the model takes batches of one size only.
    Inputs are cast as Keras casts them: to 32 bits, and to whole numbers if `input_dtype` is a kind of these.
    `half` says that Keras computes some of it in 16 bits, by a dtype policy; here all of it has 64.
    """

    layers: tuple[Layer, ...]
    names: tuple[str, ...]
    input_shape: tuple[int | None, int]
    outputs: int
    batch_size: int | None = None
    configs: tuple[dict[str, Any], ...] = ()
    input_dtype: str = "float32"
    half: bool = False

    def predict(self, x: Array) -> Array:
        """Predictions for x (samples, timesteps, features), each of which begins in the state of zeros.

        Raises NotRebuilt when the model takes another shape, or when it is too large for so many samples.
        """
        return self._predicted([x], {})[0]

    def predict_batches(self, batches: Sequence[Array]) -> list[Array]:
        """Predictions for batches that follow one another, each (rows, timesteps, features), from reset states on.

        Row i of a stateful LSTM goes on in each batch where row i ended in the one before. Rows do not touch
        one another, so that any number of them will do, whatever `batch_size` says; but all batches have the same.
        """
        carrying = {place: layer for place, layer in enumerate(self.layers)
                    if isinstance(layer, LSTM) and layer.stateful}  # fmt: skip
        return self._predicted(batches, carrying)

    def _predicted(self, batches: Sequence[Array], carrying: Mapping[int, LSTM]) -> list[Array]:
        """The predictions, a part of the rows at a time, through all batches."""
        if not batches:
            return []
        rows = self._rows_at_a_time(batches)
        parts = []
        with np.errstate(all="ignore"):  # infinite weights are the student's, and predict nothing
            for start in range(0, max(len(batches[0]), 1), rows):
                part = [self._cast(batch[start : start + rows]) for batch in batches]
                states = {place: layer.zeros(len(part[0])) for place, layer in carrying.items()}
                parts.append([self._forward(x, states) for x in part])
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def _cast(self, batch: Array) -> Array:
        x: Array = np.asarray(batch, dtype=np.float32).astype(float)
        if self.input_dtype == "float16":
            x = x.astype(np.float16).astype(float)
        elif self.input_dtype == "bool":
            x = (x != 0).astype(float)
        return np.trunc(x) if "int" in self.input_dtype else np.asarray(x)

    def _forward(self, x: Array, states: dict[int, State]) -> Array:
        """One pass; the states of the layers that have one in `states` go on there."""
        mask: Array | None = None
        for place, layer in enumerate(self.layers):
            if place in states and isinstance(layer, LSTM):
                x, mask, states[place] = layer.run(x, mask, states[place])
            else:
                x, mask = layer(x, mask)
        return x

    def _rows_at_a_time(self, batches: Sequence[Array]) -> int:
        """How many rows fit into memory together. Raises NotRebuilt if the predictions would cost too much."""
        for batch in batches:
            self._expect(batch)
        samples, timesteps, features = batches[0].shape
        loads = [Load(timesteps, features, 0)]
        for layer in self.layers:
            loads.append(layer.load(loads[-1].steps, loads[-1].features))
        widest = max(load.features * max(load.steps, 4) for load in loads)
        rows = min(VALUES_AT_A_TIME // widest, SAMPLES_AT_A_TIME)
        last, total = loads[-1], len(batches) * samples
        turns = sum(load.turns for load in loads) * len(batches) * -(-samples // max(rows, 1))
        work = total * sum(load.work for load in loads) + turns * OF_A_TURN
        if not rows or work > MAX_WORK or total * last.steps * last.features > MAX_VALUES:
            raise NotRebuilt(f"The model is too large: predictions for {total:,} samples of {timesteps:,} timesteps "
                             "would take too long. Use fewer units or fewer layers.")  # fmt: skip
        return rows

    def _expect(self, x: Array) -> None:
        timesteps, features = self.input_shape
        if x.ndim != 3 or x.shape[1:] != (timesteps or max(x.shape[1], 1), features):
            wanted = ", ".join(f"{size:,}" for size in x.shape[1:])
            raise NotRebuilt(f"The model should take (samples, {wanted}), but its input shape is "
                             f"(samples, {timesteps or 'any'}, {features}).")  # fmt: skip


def rebuild(architecture: Any, weights: Any, *, stateful: bool = False) -> Model:
    """The model from what `Student.export_model` brought. Raises NotRebuilt.

    A stateful LSTM is refused unless the exercise is about it.
    """
    first, *layers = chain(architecture)
    if first[0] != "InputLayer":
        raise NotRebuilt("The model's input shape is not known: start it with keras.Input(shape=...).")
    if not layers:
        raise NotRebuilt("The model has no layers.")
    if not isinstance(weights, dict):
        raise NotRebuilt("The model's weights do not fit its layers.")
    if sum(array.size for arrays in weights.values() for array in _arrays(arrays)) > MAX_PARAMETERS:
        raise NotRebuilt(f"The model has more than {MAX_PARAMETERS:,} weights, which is more than the task needs.")
    batch_size, timesteps, features = _input_shape(first[2])
    flow = _Flow(features, sequence=True)
    built: list[Layer] = []
    told: list[tuple[str, dict[str, Any]]] = []
    for kind, name, config in layers:
        layer, flow = _layer(kind, config, weights.get(name, []), flow)
        if isinstance(layer, LSTM) and layer.stateful and not stateful:
            raise NotRebuilt("The model's LSTM has stateful=True; this exercise is graded without it.")
        if isinstance(layer, Activated) and told and told[-1][0] == "Dense":
            dense = built.pop()
            assert isinstance(dense, Dense)
            layer = replace(dense, activation=dense.activation.then(layer.activation))
            kind, config = told.pop()
        built += [] if layer is None else [layer]
        told.append((kind, _with_names(config, layer)))
    names, configs = zip(*told, strict=True)
    half = any(_policy(config).endswith("float16") for _, _, config in layers)
    shape = timesteps, features
    return Model(tuple(built), names, shape, flow.features, batch_size, configs, _input_dtype(first[2]), half)


class _Flow(NamedTuple):
    """What passes from layer to layer: (samples, timesteps, features), or without timesteps when no `sequence`."""

    features: int
    sequence: bool
    masked: bool = False

    @property
    def dimensions(self) -> int:
        return 3 if self.sequence else 2


def _with_names(config: dict[str, Any], layer: Layer | None) -> dict[str, Any]:
    """The configuration, with the activations by their names."""
    if isinstance(layer, Dense | Activated):
        return {**config, "activation": layer.activation.name}
    if isinstance(layer, LSTM):
        names = {"activation": layer.activation.name, "recurrent_activation": layer.recurrent_activation.name}
        return {**config, **names}
    return config


def _layer(kind: str, config: dict[str, Any], arrays: list[Array], flow: _Flow) -> tuple[Layer | None, _Flow]:
    """The layer, None where it does nothing in predictions, and what comes out of it."""
    if config.get("quantization_config") is not None or _policy(config) == "quantized":
        raise NotRebuilt(f"The model's {kind[:60]} is quantised, and the grader rebuilds only layers that are not: "
                         "leave `quantize` out.")  # fmt: skip
    if config.get("lora_rank") is not None:
        raise NotRebuilt(f"The model's {kind[:60]} has LoRA weights, which the grader does not rebuild: "
                         "leave `lora_rank` and `enable_lora` out.")  # fmt: skip
    if kind == "Dense":
        return _dense(config, arrays, flow)
    if kind == "LSTM":
        return _lstm(config, arrays, flow)
    if kind == "Masking":
        return Masking(_mask_value(config.get("mask_value"))), flow._replace(masked=True)
    if kind == "Dropout":
        rate: Any = config.get("rate")
        if type(rate) not in (int, float) or not 0 <= rate <= 1:
            raise NotRebuilt("The rate of the model's Dropout should be a number from 0 to 1.")
        return None, flow
    if kind == "PReLU":
        return _prelu(arrays, flow), flow
    if kind == "Softmax" and flow.masked:
        raise NotRebuilt("The model has a Softmax layer behind a Masking, which leaves out what is masked: "
                         'give the Dense before it activation="softmax".')  # fmt: skip
    activation = of_layer(kind, config, flow.dimensions)
    if activation is not None:
        return Activated(activation), flow._replace(features=activation.width(flow.features))
    raise NotRebuilt(
        f"The model has a layer {kind[:60]}, which the grader does not know. It knows these: "
        "Input, Masking, LSTM, Dropout, Dense, and layers that are activations."
    )


def _input_shape(config: dict[str, Any]) -> tuple[int | None, int | None, int]:
    """(batch size, timesteps, features), of which the first two may be open."""
    shape = config.get("batch_shape")
    if not isinstance(shape, list) or len(shape) != 3 or shape[2] is None:
        raise NotRebuilt("The model's input should be 3-D: (samples, timesteps, features).")
    if not all(size is None or (type(size) is int and 0 < size <= MAX_SIZE) for size in shape):
        raise NotRebuilt(f"The sizes of the model's input should be whole numbers from 1 to {MAX_SIZE:,}.")
    return shape[0], shape[1], shape[2]


def _input_dtype(config: dict[str, Any]) -> str:
    dtype = config.get("dtype", "float32")
    if dtype not in INPUT_DTYPES:
        raise NotRebuilt("The model's input should be of numbers: leave the dtype of keras.Input out.")
    return str(dtype)


def _policy(config: dict[str, Any]) -> str:
    """The name of a layer's dtype policy, "quantized" for those that Keras makes when it quantises; or ""."""
    policy = config.get("dtype")
    if not isinstance(policy, dict):
        return policy if isinstance(policy, str) else ""
    if str(policy.get("class_name")).startswith("Quantized"):
        return "quantized"
    settings = policy.get("config")
    return str(settings.get("name")) if isinstance(settings, dict) else ""


def _dense(config: dict[str, Any], arrays: list[Array], flow: _Flow) -> tuple[Dense, _Flow]:
    units = _units(config)
    bias = _flag(config, "use_bias", True)
    shapes = [(flow.features, units), (units,)]
    given = _fitting("Dense", arrays, shapes if bias else shapes[:1])
    activation = named(config.get("activation"), flow.dimensions)
    layer = Dense(given[0], given[1] if bias else np.zeros(units), activation)
    return layer, flow._replace(features=activation.width(units))


def _prelu(arrays: list[Array], flow: _Flow) -> PReLU:
    """With a slope for each feature, or one for all, that is the same at all timesteps."""
    before = (1,) if flow.sequence else ()
    shapes = [array.shape for array in arrays]
    if shapes not in ([(*before, flow.features)], [(*before, 1)]):
        raise NotRebuilt("The grader knows the model's PReLU only with the same slopes at all timesteps: "
                         "on sequences give it shared_axes=[1].")  # fmt: skip
    return PReLU(_fitting("PReLU", arrays, shapes)[0].reshape(-1))


def _lstm(config: dict[str, Any], arrays: list[Array], flow: _Flow) -> tuple[LSTM, _Flow]:
    if not flow.sequence:
        raise NotRebuilt("The model has an LSTM after a layer that gives no sequence: every LSTM except the last "
                         "needs return_sequences=True.")  # fmt: skip
    for name in ("go_backwards", "return_state", "zero_output_for_mask"):
        if _flag(config, name):
            raise NotRebuilt(f"The model's LSTM has {name}=True; this exercise is graded without it.")
    units = _units(config)
    bias = _flag(config, "use_bias", True)
    shapes = [(flow.features, 4 * units), (units, 4 * units), (4 * units,)]
    given = _fitting("LSTM", arrays, shapes if bias else shapes[:2])
    activation, recurrent = (named(config.get(name), 2) for name in ("activation", "recurrent_activation"))
    for one in (activation, recurrent):
        if one.halves:
            raise NotRebuilt(f"The model's LSTM has the activation {one.name}, with which it cannot predict.")
    layer = LSTM(
        given[0], given[1], given[2] if bias else np.zeros(4 * units), activation, recurrent,
        _flag(config, "return_sequences"), _flag(config, "stateful"),
    )  # fmt: skip
    return layer, _Flow(units, layer.return_sequences, flow.masked and layer.return_sequences)


def _units(config: dict[str, Any]) -> int:
    units = config.get("units")
    if type(units) is not int or not 0 < units <= MAX_UNITS:
        raise NotRebuilt(f"A layer's units should be a whole number from 1 to {MAX_UNITS}.")
    return units


def _flag(config: dict[str, Any], name: str, default: bool = False) -> bool:
    """A setting that is on or off; Keras takes 1 and 0 as well, and None for off."""
    value = config.get(name, default)
    if value is not None and not (type(value) in (bool, int) and value in (0, 1)):
        raise NotRebuilt(f"A layer's {name} should be True or False.")
    return bool(value)


def _mask_value(value: Any) -> float:
    if type(value) is float or (type(value) is int and abs(value) <= 2**53):
        return float(value)
    raise NotRebuilt("The mask value should be a number; a whole number may be at most 2 ** 53.")


def _arrays(arrays: Any) -> list[Array]:
    """The arrays, if they are of numbers that a float holds."""
    if not isinstance(arrays, list) or not all(
        type(a) is np.ndarray and a.dtype.kind in "fiu" and a.dtype.itemsize <= 8 for a in arrays
    ):
        raise NotRebuilt("The model's weights should be arrays of numbers.")
    return arrays


def _fitting(kind: str, arrays: list[Array], shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    if [array.shape for array in arrays] != list(shapes):
        raise NotRebuilt(f"The weights of the model's {kind} layer do not fit its units.")
    with np.errstate(all="ignore"):  # NaN is cast too
        numbers = [array.astype(float) for array in arrays]
    return [np.where(np.abs(array) < TINY, 0, array) for array in numbers]
