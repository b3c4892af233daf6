"""The layers of a rebuilt model, in NumPy, and what each costs.

Equations as in Keras (gate order i, f, c, o; the gates are those of slide 5). What a layer costs is counted before it
runs: `Layer.load`.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from autograder.examination.activations import Activation

Array = np.ndarray[Any, Any]

OF_A_UNIT: Final = 1000  # the work of its activations at a timestep, counted in multiplications of a matrix product
# Less than this counts as 0 in a product: numbers that are too small for their format make it a hundred times slower.
TINY: Final = 2.0**-450


def _product(x: Array, weights: Array) -> Array:
    return np.where(np.abs(x) < TINY, 0, x) @ weights


State = tuple[Array, Array]


class Load(NamedTuple):
    """What a layer makes of one sample, (steps, features), and what that costs: in `turns` one after the other."""

    steps: int
    features: int
    work: int
    turns: int = 1


class Layer(Protocol):
    """One step of the forward pass: values and mask to the next.

    Values are (samples, steps, features), or (samples, features) after the last LSTM. The mask is (samples, steps),
    True where there is data; None: everywhere.
    """

    def __call__(self, x: Array, mask: Array | None) -> tuple[Array, Array | None]: ...

    def load(self, steps: int, features: int) -> Load:
        """What a sample of so many steps becomes, and costs; one step stands for a sample without any."""


@dataclass(frozen=True)
class Masking:
    """Rows of which all features are `mask_value` are missing: they become zero, and the mask False.

    Keras looks for it in 32 bits: 0.1 is found among numbers of any precision that are nearest to it there.
    """

    mask_value: float

    def __call__(self, x: Array, mask: Array | None) -> tuple[Array, Array | None]:
        with np.errstate(over="ignore"):
            present = np.any(x.astype(np.float32) != np.float32(self.mask_value), axis=-1)
        return x * present[..., np.newaxis], present

    def load(self, steps: int, features: int) -> Load:
        """As Layer.load."""
        return Load(steps, features, steps * features * OF_A_UNIT)


@dataclass(frozen=True)
class Dense:
    """`activation(x @ kernel + bias)`; kernel (features, units), bias (units,)."""

    kernel: Array
    bias: Array
    activation: Activation

    def __call__(self, x: Array, mask: Array | None) -> tuple[Array, Array | None]:
        return self.activation(_product(x, self.kernel) + self.bias), mask

    def load(self, steps: int, features: int) -> Load:
        """As Layer.load."""
        units = len(self.bias)
        work = steps * (self.kernel.size + units * (OF_A_UNIT + self.activation.dear))
        return Load(steps, self.activation.width(units), work)


@dataclass(frozen=True)
class Activated:
    """An activation as a layer of its own."""

    activation: Activation

    def __call__(self, x: Array, mask: Array | None) -> tuple[Array, Array | None]:
        return self.activation(x), mask

    def load(self, steps: int, features: int) -> Load:
        """As Layer.load."""
        work = steps * features * (OF_A_UNIT + self.activation.dear)
        return Load(steps, self.activation.width(features), work)


@dataclass(frozen=True)
class PReLU:
    """Below zero, values are multiplied with `slopes`, (features,) or (1,), which were trained."""

    slopes: Array

    def __call__(self, x: Array, mask: Array | None) -> tuple[Array, Array | None]:
        return np.maximum(x, 0) - self.slopes * np.maximum(-x, 0), mask

    def load(self, steps: int, features: int) -> Load:
        """As Layer.load."""
        return Load(steps, features, steps * features * OF_A_UNIT)


@dataclass(frozen=True)
class LSTM:
    """kernel (features, 4 units), recurrent_kernel (units, 4 units), bias (4 units,); gates i, f, c, o.

    A masked timestep leaves the state, and the output, as they were; the output begins at zero, also where
    the state of a `stateful` layer comes from the batch before.
    """

    kernel: Array
    recurrent_kernel: Array
    bias: Array
    activation: Activation
    recurrent_activation: Activation
    return_sequences: bool
    stateful: bool = False

    def __call__(self, x: Array, mask: Array | None) -> tuple[Array, Array | None]:
        values, mask, _ = self.run(x, mask, self.zeros(len(x)))
        return values, mask

    def load(self, steps: int, features: int) -> Load:
        """As Layer.load."""
        units = self.recurrent_kernel.shape[0]
        dear = 3 * self.recurrent_activation.dear + 2 * self.activation.dear
        work = steps * (self.kernel.size + self.recurrent_kernel.size + units * (OF_A_UNIT + dear))
        return Load(steps if self.return_sequences else 1, units, work, steps)

    def zeros(self, samples: int) -> State:
        """What h and c are before the first timestep, and after a reset."""
        units = self.recurrent_kernel.shape[0]
        return np.zeros((samples, units)), np.zeros((samples, units))

    def run(self, x: Array, mask: Array | None, state: State) -> tuple[Array, Array | None, State]:
        """Output, mask and the state after the last timestep, begun in `state`; h and c are (samples, units).

        The output is (samples, steps, units) with `return_sequences`, else (samples, units) and its mask None.
        """
        h, c = state
        output = np.zeros_like(h)
        outputs = []
        for t in range(x.shape[1]):
            gates = _product(x[:, t], self.kernel) + _product(h, self.recurrent_kernel) + self.bias
            i, f, g, o = np.split(gates, 4, axis=-1)
            c_t = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
            h_t = self.recurrent_activation(o) * self.activation(c_t)
            if mask is None:
                h, c, output = h_t, c_t, h_t
            else:
                present = mask[:, t, np.newaxis]
                h, c, output = (np.where(present, new, old) for new, old in ((h_t, h), (c_t, c), (h_t, output)))
            if self.return_sequences:
                outputs.append(output)
        return (np.stack(outputs, axis=1), mask, (h, c)) if self.return_sequences else (output, None, (h, c))
