"""Keras's activations in NumPy, and how an architecture names them.

Keras keeps an activation as a text ("relu"), as a function's name (`tf.nn.softmax` becomes "softmax_v2"), as a layer
inside of a layer, as a layer of its own, or, in a functional model, as an operation. All of them are read here, and
what is not understood is refused. The formulas are those of `keras.activations`, computed in 64 bits.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np

from autograder.examination.architecture import NotRebuilt

Array = np.ndarray[Any, Any]

_ALPHA: Final = 1.6732632423543772848170429916717
_SCALE: Final = 1.0507009873554804934193349852946
MAX_SETTING: Final = 1e6  # of a slope, a threshold and the like
_WORDS: Final = {"approximate": "True or False", "max_value": "a number or None"}


@dataclass(frozen=True)
class Activation:
    """An activation by its name in `keras.activations`; values of any shape to values, along the last axis.

    `dear` is the work that a value costs beyond what every activation may cost (`layers.OF_A_UNIT`).
    With `halves`, half as many features come out.
    """

    name: str
    function: Callable[[Array], Array]
    dear: int = 0
    halves: bool = False

    def __call__(self, x: Array) -> Array:
        with np.errstate(all="ignore"):  # numbers without bounds are the student's
            return self.function(x)

    def width(self, features: int) -> int:
        """How many features come out of so many. Raises NotRebuilt if they cannot be halved."""
        if self.halves and features % 2:
            raise NotRebuilt(
                f"The activation {self.name} halves its values, but it is given {features}, an odd number."
            )
        return features // 2 if self.halves else features

    def then(self, other: "Activation") -> "Activation":
        """Both, one after the other; named as one of them if the other is linear."""
        name = " and ".join(one.name for one in (self, other) if one.name != "linear") or "linear"
        return Activation(
            name, lambda x: other.function(self.function(x)), self.dear + other.dear, self.halves or other.halves
        )


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


def _softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _log_softmax(x: Array) -> Array:
    below = x - x.max(axis=-1, keepdims=True)
    return np.asarray(below - np.log(np.exp(below).sum(axis=-1, keepdims=True)))


def _sparsemax(x: Array) -> Array:
    """As Keras has it: it adds up the running sums where the paper takes the last, so that rows rarely add up to 1."""
    falling = -np.sort(-x, axis=-1)
    sums = np.cumsum(falling, axis=-1)
    kept = falling - (sums - 1) / np.arange(1, x.shape[-1] + 1) > 0
    threshold = (np.where(kept, sums, 0).sum(axis=-1, keepdims=True) - 1) / kept.sum(axis=-1, keepdims=True)
    return np.asarray(np.maximum(x - threshold, 0))


def _relu(x: Array, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Array:
    above = np.where(x > threshold, x, 0) if threshold else np.maximum(x, 0)
    if max_value is not None:
        above = np.minimum(above, max_value)
    return np.asarray(above - negative_slope * np.maximum(threshold - x, 0) if negative_slope else above)


def _elu(x: Array, alpha: float = 1.0) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _celu(x: Array, alpha: float = 1.0) -> Array:
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0) / alpha)


def _gelu(x: Array, approximate: bool = False) -> Array:
    if approximate:
        return np.asarray(0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))))
    from scipy.special import erf  # half a second that no other activation needs

    return np.asarray(0.5 * x * (1 + erf(x / math.sqrt(2))))


def _softplus(x: Array) -> Array:
    return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))


def _glu(x: Array) -> Array:
    first, second = np.split(x, 2, axis=-1)
    return first * _sigmoid(second)


def _hard_sigmoid(x: Array) -> Array:
    return np.clip(x / 6 + 0.5, 0, 1)


def _shrink(x: Array, threshold: float = 0.5, *, soft: bool) -> Array:
    return np.where(np.abs(x) > threshold, x - np.copysign(threshold, x) if soft else x, 0)


def _sparse_plus(x: Array) -> Array:
    return np.where(x >= 1, x, np.where(x > -1, 0.25 * (x + 1) ** 2, 0))


def _squareplus(x: Array, b: float = 4.0) -> Array:
    return np.asarray(0.5 * (x + np.sqrt(x * x + b)))


def _threshold(x: Array, threshold: float = math.nan, default_value: float = math.nan) -> Array:
    return np.where(x > threshold, x, default_value)


ACTIVATIONS: Final[Mapping[str, Activation]] = {
    one.name: one
    for one in (
        Activation("linear", lambda x: x),
        Activation("relu", _relu),
        Activation("sigmoid", _sigmoid),
        Activation("tanh", np.tanh),
        Activation("softmax", _softmax),
        Activation("elu", _elu),
        Activation("softplus", _softplus),
        Activation("relu6", partial(_relu, max_value=6.0)),
        Activation("leaky_relu", partial(_relu, negative_slope=0.2)),
        Activation("selu", lambda x: _SCALE * _elu(x, _ALPHA)),
        Activation("celu", _celu),
        Activation("gelu", _gelu, dear=600),
        Activation("silu", lambda x: x * _sigmoid(x)),
        Activation("mish", lambda x: x * np.tanh(_softplus(x))),
        Activation("exponential", np.exp),
        Activation("softsign", lambda x: x / (1 + np.abs(x))),
        Activation("hard_sigmoid", _hard_sigmoid),
        Activation("hard_silu", lambda x: x * _hard_sigmoid(x)),
        Activation("hard_tanh", lambda x: np.clip(x, -1, 1)),
        Activation("hard_shrink", partial(_shrink, soft=False)),
        Activation("soft_shrink", partial(_shrink, soft=True)),
        Activation("tanh_shrink", lambda x: x - np.tanh(x)),
        Activation("log_sigmoid", lambda x: -_softplus(-x)),
        Activation("log_softmax", _log_softmax),
        Activation("sparse_plus", _sparse_plus),
        Activation("sparse_sigmoid", lambda x: np.clip(0.5 * (x + 1), 0, 1)),
        Activation("sparsemax", _sparsemax, dear=600),
        Activation("squareplus", _squareplus),
        Activation("glu", _glu, halves=True),
    )
}

# Other names of the same: of TensorFlow's functions, and older ones of Keras.
_ALSO: Final = {
    "softmax_v2": "softmax",
    "log_softmax_v2": "log_softmax",
    "swish": "silu",
    "hard_swish": "hard_silu",
    "exp": "exponential",
    "identity": "linear",
}

_RELU: Final = {"negative_slope": 0.0, "max_value": None, "threshold": 0.0}
_LAST: Final = {"axis": -1}
# Keras's layers, and the operations of functional models: the activation, and its settings as they are by its name.
_KINDS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "ReLU": ("relu", _RELU),
    "Relu": ("relu", {}),
    "Relu6": ("relu6", {}),
    "LeakyReLU": ("leaky_relu", {"negative_slope": 0.2}),
    "LeakyRelu": ("leaky_relu", {"negative_slope": 0.2}),
    "ELU": ("elu", {"alpha": 1.0}),
    "Elu": ("elu", {"alpha": 1.0}),
    "Celu": ("celu", {"alpha": 1.0}),
    "Selu": ("selu", {}),
    "Gelu": ("gelu", {"approximate": False}),
    "Glu": ("glu", _LAST),
    "Silu": ("silu", {}),
    "Sigmoid": ("sigmoid", {}),
    "HardSigmoid": ("hard_sigmoid", {}),
    "HardSilu": ("hard_silu", {}),
    "HardTanh": ("hard_tanh", {}),
    "HardShrink": ("hard_shrink", {"threshold": 0.5}),
    "SoftShrink": ("soft_shrink", {"threshold": 0.5}),
    "TanhShrink": ("tanh_shrink", {}),
    "Tanh": ("tanh", {}),
    "Exp": ("exponential", {}),
    "LogSigmoid": ("log_sigmoid", {}),
    "Softmax": ("softmax", _LAST),
    "LogSoftmax": ("log_softmax", _LAST),
    "Sparsemax": ("sparsemax", _LAST),
    "SparsePlus": ("sparse_plus", {}),
    "SparseSigmoid": ("sparse_sigmoid", {}),
    "Softplus": ("softplus", {}),
    "Softsign": ("softsign", {}),
    "Squareplus": ("squareplus", {"b": 4}),
    "Threshold": ("threshold", {"threshold": None, "default_value": None}),
}
_BASES: Final = {**ACTIVATIONS, "threshold": Activation("threshold", _threshold)}  # by its name alone Keras refuses it


def named(value: Any, dimensions: int, depth: int = 0) -> Activation:
    """The activation that a layer's configuration names, of values with so many dimensions. Raises NotRebuilt.

    `depth` counts the layers around it, each of which is the activation of the next.
    """
    name = value
    if isinstance(value, dict):
        kind, name = value.get("class_name"), value.get("config")
        if kind != "function":
            known = str(value.get("module")).startswith("keras") and depth < 3
            found = of_layer(kind, name, dimensions, depth + 1) if known and isinstance(name, dict) else None
            if found is not None:
                return found
            name = None
    if isinstance(name, str) and _ALSO.get(name, name) in ACTIVATIONS:
        return ACTIVATIONS[_ALSO.get(name, name)]
    told = f"an activation {name[:60]}" if isinstance(name, str) else "an activation of its own"
    raise NotRebuilt(
        f"The model has {told}, which the grader does not know. It knows those of keras.activations: "
        'give one by its name, such as activation="softmax".'
    )


def of_layer(kind: Any, config: Mapping[str, Any], dimensions: int, depth: int = 0) -> Activation | None:
    """What a layer or an operation that is only an activation does, or None if it is none. Raises NotRebuilt."""
    if kind == "Activation":
        return named(config.get("activation"), dimensions, depth)
    if not isinstance(kind, str) or kind not in _KINDS:
        return None
    name, usual = _KINDS[kind]
    given = {key: config.get(key, value) for key, value in usual.items()}
    axis = given.pop("axis", -1)
    if type(axis) is list and len(axis) == 1:
        axis = axis[0]
    if type(axis) is not int or axis not in (-1, dimensions - 1):
        raise NotRebuilt(f"The model's {kind} should work along the last axis: leave out `axis`.")
    for key, value in given.items():
        wanted = (bool,) if key == "approximate" else (int, float)
        if not (type(value) in wanted and abs(value) <= MAX_SETTING) and not (key == "max_value" and value is None):
            raise NotRebuilt(f"The {key} of the model's {kind} should be {_WORDS.get(key, 'a number')}.")
    unusual = {key: value for key, value in given.items() if value != usual[key]}
    if not unusual:
        return _BASES[name]
    told = ", ".join(f"{key}={value:g}" for key, value in unusual.items())
    return replace(_BASES[name], name=f"{name}({told})", function=partial(_BASES[name].function, **unusual))
