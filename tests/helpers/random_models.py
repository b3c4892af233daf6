"""Random models of the kinds that the grader rebuilds, against Keras: how far are predictions apart?

PYTHONPATH=tests python -m helpers.random_models 1000 > benchmarks/rebuilt_models.md
"""

import sys
import warnings
from typing import Any, NamedTuple

import keras
import numpy as np

from autograder.examination.activations import ACTIVATIONS
from autograder.examination.inference import Model, rebuild

L = keras.layers
BLANK = -9.0
GROWN = 1e4  # larger numbers between two layers are of no model that has learned anything here
# Without bounds, or with steps: in an LSTM they let the smallest difference grow without end, also within Keras.
WILD = {"exponential", "squareplus", "sparsemax", "glu", "hard_shrink", "log_softmax", "log_sigmoid"}
TAME = [name for name in ACTIVATIONS if name not in WILD]
LAYERS: dict[str, Any] = {
    "ReLU": lambda: L.ReLU(4.0, 0.1, 0.2),
    "LeakyReLU": L.LeakyReLU,
    "ELU": lambda: L.ELU(0.7),
    "Softmax": L.Softmax,
    "PReLU": lambda: L.PReLU(alpha_initializer="random_normal"),
}


class Difference(NamedTuple):
    """Of one model: the kinds of what it is made of, and how far its largest output is from Keras's.

    It is relative to outputs larger than 1.
    """

    kinds: tuple[str, ...]
    size: float


def differences(count: int, seed: int = 0) -> tuple[list[Difference], int]:
    """One for each of `count` random models, which follow from the seed, and how many models were left out."""
    rng = np.random.default_rng(seed)
    found: list[Difference] = []
    left_out = 0
    while len(found) < count:
        one = _difference(rng)
        if one is None:
            left_out += 1
        else:
            found.append(one)
        if (len(found) + left_out) % 50 == 0:
            keras.utils.clear_session()
    return found, left_out


def _difference(rng: np.random.Generator) -> Difference | None:
    """None if numbers grow in this model: then Keras's rounding, or the limit of its 32 bits, decides."""
    kinds: list[str] = []
    steps, features = int(rng.integers(2, 8)), int(rng.integers(1, 5))
    functional, masked, depth = (int(rng.integers(0, top)) for top in (2, 3, 3))
    stack: list[Any] = []
    if masked == 0:
        stack.append(L.Masking(BLANK))
        kinds.append("Masking")
    if rng.integers(0, 6) == 0:
        stack.append(_dense(rng, kinds))
    for place in range(depth + 1):
        names = [str(rng.choice(TAME)) for _ in range(2)] if rng.integers(0, 2) else ["tanh", "sigmoid"]
        stack.append(L.LSTM(int(rng.integers(1, 7)), *names, use_bias=bool(rng.integers(0, 2)),
                            return_sequences=place < depth))  # fmt: skip
        kinds += ["LSTM", *(f"LSTM with {name}" for name in dict.fromkeys(names))]
        if rng.integers(0, 3) == 0:
            stack.append(L.Dropout(0.5))
            kinds.append("Dropout")
    for _ in range(int(rng.integers(0, 3))):
        stack.append(_dense(rng, kinds))
        if rng.integers(0, 3) == 0:
            name = str(rng.choice(list(LAYERS)))
            stack.append(LAYERS[name]())
            kinds.append(name)
    if rng.integers(0, 8) == 0:
        stack.append(L.Dense(2 * int(rng.integers(1, 4)), "glu"))
        kinds.append("Dense with glu")
    kinds.append("functional" if functional else "Sequential")
    model = _made(stack, (steps, features), bool(functional))
    model.set_weights([rng.normal(0, 0.5, weight.shape) for weight in model.get_weights()])
    x = rng.normal(size=(20, steps, features)).astype(str(rng.choice(["float32", "float64"])))
    if rng.integers(0, 4) == 0:
        x = np.round(3 * x).astype("int64")
        kinds.append("whole numbers as inputs")
    x[:10, : steps // 2] = BLANK
    expected = np.asarray(model.predict_on_batch(x), dtype=float)
    rebuilt = rebuild(model.to_json(), {layer.name: layer.get_weights() for layer in model.layers})
    if _largest(rebuilt, x) > GROWN:
        return None
    found = rebuilt.predict(x)
    assert found.shape == expected.shape
    apart = np.abs(found - expected) / np.maximum(np.abs(expected), 1)
    return Difference(tuple(dict.fromkeys(kinds)), float(apart.max()))


def _largest(model: Model, x: Any) -> float:
    """The largest number between two layers; infinity where one is NaN."""
    values, mask, largest = x.astype("float32").astype(float), None, 0.0
    with np.errstate(all="ignore"):
        for layer in model.layers:
            values, mask = layer(values, mask)
            largest = max(largest, float(np.nan_to_num(np.abs(values), nan=np.inf).max()))
    return largest


def _dense(rng: np.random.Generator, kinds: list[str]) -> Any:
    name = str(rng.choice([name for name in ACTIVATIONS if name != "glu"]))
    kinds += ["Dense", f"Dense with {name}"]
    return L.Dense(int(rng.integers(1, 7)), name, use_bias=bool(rng.integers(0, 2)))


def _made(stack: list[Any], shape: tuple[int, int], functional: bool) -> Any:
    inputs = keras.Input(shape)
    if not functional:
        return keras.Sequential([inputs, *stack])
    outputs = inputs
    for layer in stack:
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)


def table(found: list[Difference], left_out: int) -> str:
    """The largest difference of the models with each kind, as a document."""
    kinds = sorted({kind for one in found for kind in one.kinds}, key=lambda kind: (" with " in kind, kind))
    rows = []
    for kind in kinds:
        sizes = [one.size for one in found if kind in one.kinds]
        rows.append(f"| {kind} | {len(sizes)} | {max(sizes):.1e} |")
    whole = np.array([one.size for one in found])
    return "\n".join([
        "# Rebuilt models against Keras",
        "",
        "The grader rebuilds a model from its architecture and weights, and predicts in NumPy.",
        f"Here {len(found):,} random models of the kinds that it allows predict in both,",
        f"with Keras {keras.__version__}.",
        "The figures are the largest difference of an output, relative where the output is larger than 1.",
        "Keras computes in 32 bits and the grader in 64, so a difference of some 1e-6 is Keras's rounding.",
        f"{left_out} more models, in which a number between two layers is above {GROWN:,.0f}, are left out:",
        "there Keras's rounding decides, and so it does where these are the activations of an LSTM, which are",
        f"not drawn for it: {', '.join(sorted(WILD))}.",
        "A model has several kinds, so one difference shows in several rows.",
        "",
        f"Of all models the median is {np.median(whole):.1e}, and 99 of 100 are below {np.quantile(whole, 0.99):.1e}.",
        "",
        "| with | models | largest difference |",
        "|---|---|---|",
        *rows,
        "",
        "`make rebuilt` writes this document.",
    ])  # fmt: skip


if __name__ == "__main__":
    warnings.filterwarnings("ignore", "You are using a softmax over axis")
    print(table(*differences(int(sys.argv[1]))))
