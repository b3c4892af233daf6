"""Hidden checks of 01, inside the memory cell (slides 3 to 9)."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.examination.expectations import (
    Array,
    Curve,
    alike,
    array,
    close,
    equal,
    exercise,
    parts,
    show,
    that,
    unchanged,
)
from autograder.examination.misconceptions import Mistake
from autograder.examination.student import Student

TAP = "3 · A tap from 0 to 1"
SUMS = "4 · Four weighted sums at once"
STEP = "5 · One step of the cell"
SEQUENCE = "6 · A whole sequence"
COUNT = "7 · How many numbers is that?"
GRADIENT = "8 · What becomes of the gradient?"
TYPES = "9 · What goes in, what comes out"

BLOCKS = ("input", "forget", "cell", "output")  # Keras's order
SATURATED = 40.0  # beyond it many a mistake has the same result
EXPONENTIAL = "Take the exponential of negative numbers only: exp(-|x|) works for both sides."


def logistic(x: Array) -> Array:
    """The sigmoid from tanh, which neither overflows nor warns."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x, dtype=float)))


def weights(rng: np.random.Generator, features: int, units: int) -> tuple[Array, Array, Array]:
    """Kernel, recurrent kernel and bias, none of them negligible."""
    shapes = (features, 4 * units), (units, 4 * units), (4 * units,)
    scales = (1 / np.sqrt(shape[0] if len(shape) > 1 else 1) for shape in shapes)
    kernel, recurrent, bias = (np.round(rng.normal(0, *one), 2) for one in zip(scales, shapes, strict=True))
    return kernel, recurrent, bias


def activated(z: Array, order: tuple[str, ...] = BLOCKS) -> dict[str, Array]:
    """Gates and candidate of the four blocks of `z`."""
    blocks = dict(zip(order, np.split(z, 4, axis=-1), strict=True))
    return {name: np.tanh(block) if name == "cell" else logistic(block) for name, block in blocks.items()}


def gates_of(x_t: Array, h: Array, kernel: Array, recurrent: Array, bias: Array) -> dict[str, Array]:
    return activated(x_t @ kernel + h @ recurrent + bias)


def step(x_t: Array, h: Array, c: Array, *layer: Array) -> tuple[Array, Array]:
    """c' = f c + i g, h' = o tanh(c') (slide 5)."""
    gates = gates_of(x_t, h, *layer)
    c = gates["forget"] * c + gates["input"] * gates["cell"]
    return gates["output"] * np.tanh(c), c


def steps_in_other_orders(x_t: Array, h: Array, c: Array, kernel: Array, recurrent: Array,
                          bias: Array) -> dict[str, tuple[Array, Array]]:  # fmt: skip
    """What a step makes of blocks in another order than Keras's, h' and c', by the sentence about it."""
    found = {}
    for order in permutations(BLOCKS):
        if order[2:] != BLOCKS[2:]:  # input and forget gate alone exchanged is a mistake of its own
            gates = activated(x_t @ kernel + h @ recurrent + bias, order)
            new = gates["forget"] * c + gates["input"] * gates["cell"]
            told = f"You take the blocks in the order {', '.join(order)}; Keras has input, forget, cell, output."
            found[told] = gates["output"] * np.tanh(new), new
    return found


def handed_on(h: Array, c: Array) -> tuple[Array, Array]:
    return h, c


def forward(
    x: Array, *layer: Array, hand_on: Callable[[Array, Array], tuple[Array, Array]] = handed_on, start: float = 0.0
) -> tuple[Array, Array]:
    """Hidden and cell states after every timestep, each (samples, timesteps, units).

    Mistakes start with other states, or hand other ones on.
    """
    h = c = np.full((len(x), len(layer[1])), start)
    states = []
    for t in range(x.shape[1]):
        states.append(step(x[:, t], h, c, *layer))
        h, c = hand_on(*states[-1])
    hidden, cell = (np.stack(one, axis=1) for one in zip(*states, strict=True))
    return hidden, cell


# sigmoid


def judge_sigmoid(value: Any, x: Any, what: str, hint: str) -> None:
    """A student's sigmoid of `x` against the right one, to 2e-6: float32 and a clip far outside will do."""
    x = np.asarray(x, dtype=float)
    found, right = array(value, what, x.shape, hint), logistic(x)
    that(bool(np.isfinite(found).all()), f"{what} is {_number(found)}.", EXPONENTIAL)
    mistakes = {
        "This is the sigmoid of -x: mind the sign in the exponent.": logistic(-x),
        "This is tanh(x), which runs from -1 to 1.": np.tanh(x),
        "This is (1 + tanh(x)) / 2; with tanh(x / 2) it would be the sigmoid.": logistic(2 * x),
        "This is the slope of the sigmoid.": right * logistic(-x),
        "This is the hard sigmoid, made of straight lines.": np.clip(0.2 * x + 0.5, 0, 1),
        "This is the hard sigmoid, x / 6 + 0.5 cut to 0..1.": np.clip(x / 6 + 0.5, 0, 1),
        "This is a step; the transition between closed and open should be soft.": np.heaviside(x, 0.5),
        "This is rounded: return all digits.": np.round(right, 2),
        "This is cut off to whole numbers: keep the fractions with dtype=float.": np.trunc(right),
    }
    told = mistakes if np.abs(x).max() <= SATURATED else {}
    close(found, right, what, hint, rtol=0, atol=2e-6, mistakes=told)


def _number(value: Array) -> str:
    """A single number without an array's dot."""
    return f"{float(value):.6g}" if value.ndim == 0 else show(value)


@exercise("sigmoid", share=2, read=TAP)
@given(x=st.integers(-120, 120).map(lambda n: n / 4))
def test_sigmoid_of_a_number(student: Student, x: float) -> None:
    """A number becomes its sigmoid, a number from 0 to 1."""
    value = student.sigmoid(x)
    array(value, f"sigmoid({x:g})", (), "A number in, a number out.")
    judge_sigmoid(value, x, f"sigmoid({x:g})", "σ(x) = 1 / (1 + e⁻ˣ).")


@exercise("sigmoid", share=1, read=TAP)
def test_sigmoid_of_lists_and_arrays(student: Student, rng: np.random.Generator) -> None:
    """Lists and arrays of any shape, of floats or whole numbers, keep their shape."""
    line, cube = np.round(rng.normal(0, 3, 5), 2), np.round(rng.normal(0, 3, (2, 3, 4)), 2)
    whole, nested = rng.integers(-5, 6, 7), rng.integers(-5, 6, (2, 3))
    line[0], cube[0, 0, 0], whole[0], nested[0, 0] = 8, -8, 1, 2  # a clip or a cut shows in every draw
    for data, what, hint in (
        (line.tolist(), "a list", "np.asarray(x) takes numbers, lists and arrays."),
        (line, "a 1-D array", ""),
        (cube, "an array of shape (2, 3, 4)", "Work on all elements, for any shape."),
        (cube[:, :1, 0].astype("float32"), "a float32 array of shape (2, 1)", "Keep every axis, also one of length 1."),
        (whole, "an array of whole numbers", ""),
        (nested.tolist(), "a nested list of whole numbers", ""),
    ):
        judge_sigmoid(student.sigmoid(data), data, f"the result for {what}", hint)


@exercise("sigmoid", share=2, read=TAP)
def test_sigmoid_is_stable(student: Student, rng: np.random.Generator) -> None:
    """It gives the right numbers up to ±10,000, and no warning."""
    for size in (100.0, 1000.0, 10_000.0):
        spread = np.round(rng.uniform(-size, size, 20))
        for x in (size, -size, np.array([-size, size, 0.0]), spread):
            given_x = f"{x:g}" if isinstance(x, float) else f"x from {x.min():g} to {x.max():g}"
            judge_sigmoid(student.sigmoid(x), x, f"the result for {given_x}", EXPONENTIAL)
            said = [text for text in _warnings(student) if "RuntimeWarning" in text]
            warned = said[0].split("'")[-2] if said and said[0].count("'") > 1 else "a RuntimeWarning"
            that(not said, f"NumPy warned for {given_x}: {warned}.",
                 EXPONENTIAL + " np.where alone does not help: it computes both of its sides for all x.")  # fmt: skip


def _warnings(student: Student) -> tuple[str, ...]:
    answer = student.calls[-1].answer
    return answer.warnings if answer is not None else ()


@exercise("sigmoid", share=1, read=TAP)
def test_sigmoid_changes_nothing(student: Student, rng: np.random.Generator) -> None:
    """The function does not change its argument."""
    x = np.round(rng.normal(0, 3, (4, 3)), 2)
    x[0, 0] = 8
    for values in (x, x * 1000):
        judge_sigmoid(student.sigmoid(values), values, "the result", "")
        unchanged(student)


@exercise("sigmoid", share=1, read=TAP)
def test_sigmoid_of_any_array(student: Student, rng: np.random.Generator) -> None:
    """It works for float32 as for float64, for whole numbers and fractions together, and for four axes."""
    single = np.array([-500, -100, -89, 0, 89, 100, 500], "float32")
    judge_sigmoid(student.sigmoid(single), single, "the result for float32 numbers from -500 to 500", EXPONENTIAL)
    said = [text for text in _warnings(student) if "RuntimeWarning" in text]
    that(not said, "NumPy warned for float32 numbers from -500 to 500.",
         EXPONENTIAL + " In float32, exp goes over its bounds from 89 on.")  # fmt: skip
    for values in ([1000, 0.5, -0.25], [-1000, 0.5], [1000.0, 1]):
        judge_sigmoid(student.sigmoid(values), values, f"the result for {show(values)}", "Keep the fractions.")
    block = np.round(rng.normal(0, 3, (2, 3, 2, 2)), 2)
    judge_sigmoid(student.sigmoid(block), block, "the result for four axes", "Work on the whole array at once.")


# gates


def gates_found(value: Any, samples: int, units: int) -> dict[str, Array]:
    """A student's dict, its four arrays checked."""
    that(isinstance(value, dict), f"gate_activations should return a dict, but returned {show(value)}.")
    missing = [name for name in BLOCKS if name not in value]
    that(not missing, f"these keys are missing: {', '.join(missing)}.", "The keys are input, forget, cell and output.")
    hint = "A row for each sample, a column for each unit: cut the four blocks along the columns."
    return {name: array(value[name], f'"{name}"', (samples, units), hint) for name in BLOCKS}


def judge_gates(found: dict[str, Array], z: Array, mistakes: dict[str, Array], hint: str) -> None:
    """The four arrays against those of the sums `z`; `mistakes` has other sums by the sentence about them."""
    right = activated(z)
    wholes = {sentence: activated(sums) for sentence, sums in mistakes.items()}
    for order in permutations(BLOCKS):
        if order != BLOCKS:
            told = f"These are the blocks in the order {', '.join(order)}; Keras has input, forget, cell, output."
            wholes[told] = activated(z, order)
    # All four arrays must tell of the same mistake; only then may a single one.
    seen = [told for told, whole in wholes.items() if all(alike(found[name], whole[name]) for name in BLOCKS)]
    units = z.shape[-1] // 4
    blocks = dict(zip(BLOCKS, np.split(z, 4, axis=-1), strict=True))
    for place, name in enumerate(BLOCKS):
        usual = logistic if name == "cell" else np.tanh
        other = "has a tanh" if name == "cell" else "is a gate: it has a sigmoid"
        squashed = np.tanh if name == "cell" else logistic
        hard = "This is the hard sigmoid of old Keras versions; today's LSTM uses the sigmoid."
        own = {
            f'"{name}" {other}.': usual(blocks[name]),
            f'"{name}" is still the weighted sum: it {other.removeprefix("is a gate: it ")}.': blocks[name],
            hard: np.clip(0.2 * blocks[name] + 0.5, 0, 1),
        }
        if units > 1:
            column = "The blocks are side by side, `units` columns each; you took every fourth column."
            own[column] = squashed(z[:, place::4])
        if seen:
            own = {told: wholes[told][name] for told in seen}
        close(found[name], right[name], f'"{name}"', hint, mistakes=own)


@exercise("gates", share=1, read=SUMS)
def test_gates_are_a_dict_of_four(student: Student, rng: np.random.Generator) -> None:
    """A dict with the keys input, forget, cell and output, each of shape (samples, units)."""
    for samples, features, units in ((1, 1, 2), (4, 3, 2), (1, 1, 5), (3, 2, 3)):
        layer = weights(rng, features, units)
        x_t, h = rng.normal(size=(samples, features)), rng.uniform(-1, 1, (samples, units))
        gates_found(student.gate_activations(x_t, h, *layer), samples, units)


@exercise("gates", share=3, read=SUMS)
def test_gates_of_the_input(student: Student, rng: np.random.Generator) -> None:
    """Each block is in Keras's order, with its activation; tested with the input's part alone."""
    for samples, features, units in ((1, 1, 2), (3, 4, 2), (2, 3, 3), (5, 2, 4)):
        kernel, recurrent, bias = weights(rng, features, units)
        x_t, h = np.round(rng.normal(size=(samples, features)), 2), np.zeros((samples, units))
        found = student.gate_activations(x_t, h, kernel, recurrent, np.zeros_like(bias))
        hint = "The sums are x_t @ kernel here; h_prev and bias are zeros."
        judge_gates(gates_found(found, samples, units), x_t @ kernel, {}, hint)


@exercise("gates", share=2, read=SUMS)
def test_gates_see_the_last_hidden_state(student: Student, rng: np.random.Generator) -> None:
    """The last hidden state comes in through the recurrent kernel."""
    for samples, features, units in ((1, 2, 2), (3, 3, 3), (2, 4, 2)):
        kernel, recurrent, bias = weights(rng, features, units)
        x_t, h = (np.round(rng.uniform(-2, 2, (samples, size)), 2) for size in (features, units))
        z = x_t @ kernel + h @ recurrent
        mistakes = {"The last hidden state is missing: add h_prev @ recurrent_kernel.": x_t @ kernel}
        if features == units:
            mistakes["The two kernels are exchanged: `kernel` is for x_t."] = x_t @ recurrent + h @ kernel
        found = student.gate_activations(x_t, h, kernel, recurrent, np.zeros_like(bias))
        hint = "The sums are x_t @ kernel + h_prev @ recurrent_kernel."
        judge_gates(gates_found(found, samples, units), z, mistakes, hint)


@exercise("gates", share=1, read=SUMS)
def test_gates_add_the_bias(student: Student, rng: np.random.Generator) -> None:
    """The bias is added to every sample's sums; the function changes no argument."""
    for samples, features, units in ((1, 1, 2), (5, 3, 4)):
        kernel, recurrent, bias = weights(rng, features, units)
        x_t, h = (np.round(rng.uniform(-2, 2, (samples, size)), 2) for size in (features, units))
        z = x_t @ kernel + h @ recurrent
        found = student.gate_activations(x_t, h, kernel, recurrent, bias)
        mistakes = {
            "The bias is missing.": z,
            "The bias is subtracted.": z - bias,
            "The bias is added twice.": z + 2 * bias,
        }
        judge_gates(gates_found(found, samples, units), z + bias, mistakes, "Add the bias to the sums.")
        unchanged(student)
    single = [part.astype("float32") for part in (x_t, h, kernel, recurrent, bias)]
    judge_gates(gates_found(student.gate_activations(*single), 5, 4), z + bias, {}, "float32 arguments must work, too.")
    unchanged(student)


@exercise("gates", share=1, read=SUMS)
def test_gates_of_large_sums(student: Student, rng: np.random.Generator) -> None:
    """Sums of any size give numbers, to all their digits, and the weights stay as they are."""
    units = 3
    for size in (9.0, 30.0, 800.0):
        kernel, recurrent, bias = weights(rng, 2, units)
        kernel[:, ::2] = np.where(kernel[:, ::2] < 0, -size, size)
        x_t, h = rng.choice([-1.0, 0.0, 1.0], (4, 2)), np.zeros((4, units))
        x_t[0] = 1
        gates = gates_found(student.gate_activations(x_t, h, kernel, recurrent, bias), 4, units)
        for name, right in activated(x_t @ kernel + bias).items():
            close(gates[name], right, f'"{name}" with weights up to {size:g}', rtol=0, atol=2e-6,
                  hint="Take the sums as they are, and a sigmoid that goes over no bound.")  # fmt: skip
        unchanged(student)


# lstm-step


def states(value: Any, shape: tuple[int, int]) -> tuple[Array, Array]:
    h, c = parts(value, 2, "lstm_step")
    hint = "Both states have a row for each sample and a column for each unit."
    return array(h, "h_t", shape, hint), array(c, "c_t", shape, hint)


def a_step(rng: np.random.Generator, samples: int, features: int, units: int) -> tuple[Array, ...]:
    """Arguments of lstm_step, the cell states beyond ±1 among others."""
    x_t, h = rng.normal(size=(samples, features)), rng.uniform(-1, 1, (samples, units))
    states = (np.round(one, 2) for one in (x_t, h, rng.normal(0, 2, (samples, units))))
    return (*states, *weights(rng, features, units))


@exercise("lstm-step", share=3, read=STEP)
def test_step_updates_the_cell(student: Student, rng: np.random.Generator) -> None:
    """c_t = forget · c_prev + input · candidate."""
    for sizes in ((1, 1, 2), (3, 4, 2), (2, 3, 3)):
        x_t, h, c, *layer = a_step(rng, *sizes)
        h_t, c_t = states(student.lstm_step(x_t, h, c, *layer), c.shape)
        right_h, right_c = step(x_t, h, c, *layer)
        gates = gates_of(x_t, h, *layer)
        i, f, g = gates["input"], gates["forget"], gates["cell"]
        mistakes = {
            "This is h_t: return the hidden state first, the cell state second.": right_h,
            "Input and forget gate are exchanged.": i * c + f * g,
            "The forget gate keeps: 1 means that everything stays. Here it is used as 1 - forget.": (1 - f) * c + i * g,
            "The old cell state is not multiplied by the forget gate (that is the LSTM of 1997).": c + i * g,
            "The candidate is not multiplied by the input gate.": f * c + g,
            "The old cell state is missing.": i * g,
            "The new part, input times candidate, is missing.": f * c,
            "The hidden state is where the old cell state belongs.": f * h + i * g,
            "Here 1 - forget replaces the input gate, as in a GRU.": f * c + (1 - f) * g,
            "The cell state itself does not go through tanh; only the output does.": np.tanh(f * c + i * g),
        }
        mistakes |= {told: new for told, (_, new) in steps_in_other_orders(x_t, h, c, *layer).items()}
        if alike(c_t, right_h) and not alike(h_t, right_c):
            mistakes = {"This is h_t again: the second thing returned should be the cell state.": right_h}
        close(c_t, right_c, "c_t", "c_t = forget * c_prev + input * cell, element by element.", mistakes=mistakes)


@exercise("lstm-step", share=3, read=STEP)
def test_step_shows_the_hidden_state(student: Student, rng: np.random.Generator) -> None:
    """h_t = output · tanh(c_t)."""
    for sizes in ((1, 1, 2), (4, 2, 3), (2, 3, 3)):
        x_t, h, c, *layer = a_step(rng, *sizes)
        h_t, _ = states(student.lstm_step(x_t, h, c, *layer), c.shape)
        right_h, right_c = step(x_t, h, c, *layer)
        o = gates_of(x_t, h, *layer)["output"]
        mistakes = {
            "This is c_t: return the hidden state first, the cell state second.": right_c,
            "The tanh is missing: the output is tanh(c_t), times the output gate.": o * right_c,
            "Take the tanh of the *new* cell state, not of the old one.": o * np.tanh(c),
            "The output gate is missing: h_t = output * tanh(c_t).": np.tanh(right_c),
            "The tanh belongs around c_t only, and the output gate outside.": np.tanh(o * right_c),
            "The cell state goes through tanh, not through a sigmoid.": o * logistic(right_c),
        }
        mistakes |= {told: shown for told, (shown, _) in steps_in_other_orders(x_t, h, c, *layer).items()}
        close(h_t, right_h, "h_t", "h_t = output * tanh(c_t).", mistakes=mistakes)


@exercise("lstm-step", share=1, read=STEP)
def test_step_keeps_and_forgets(student: Student, rng: np.random.Generator) -> None:
    """With open forget and closed input gates the cell keeps its state; the other way round it takes the candidate."""
    units, c = 3, rng.normal(0, 3, (2, 3))
    wide, shut, half = (np.full(units, value) for value in (40.0, -40.0, np.arctanh(0.5)))
    rest = np.zeros((2, 2)), np.zeros((2, units)), c, np.zeros((2, 4 * units)), np.zeros((units, 4 * units))
    _, kept = states(student.lstm_step(*rest, np.concatenate([shut, wide, half, wide])), (2, units))
    close(kept, c, "c_t with a forget gate of 1 and an input gate of 0", "1 keeps the old state, 0 drops it.")
    _, taken = states(student.lstm_step(*rest, np.concatenate([wide, shut, half, wide])), (2, units))
    close(taken, np.full((2, units), 0.5), "c_t with a forget gate of 0 and an input gate of 1",
          "Then only the candidate is left.")  # fmt: skip


@exercise("lstm-step", share=1, read=STEP)
def test_step_changes_nothing(student: Student, rng: np.random.Generator) -> None:
    """The function changes no argument, and works with float32 as well."""
    arguments = a_step(rng, 3, 2, 4)
    student.lstm_step(*arguments)
    unchanged(student, "Make new states: `c_prev *= forget` changes the array that was passed.")
    single = [part.astype("float32") for part in arguments]
    h_t, c_t = states(student.lstm_step(*single), (3, 4))
    unchanged(student, "Make new states: `c_prev *= forget` changes the array that was passed.")
    for found, right, name in zip((h_t, c_t), step(*arguments), ("h_t", "c_t"), strict=True):
        close(
            found,
            right,
            f"{name} for float32 arguments",
            "c_t = forget * c_prev + input * cell, h_t = output * tanh(c_t).",
        )


@exercise("lstm-step", share=1, read=STEP)
def test_step_from_any_state(student: Student, rng: np.random.Generator) -> None:
    """The old cell state may be 0 or far out; it stays as it is."""
    for cell in (0.0, 25.0):
        x_t, h, c, *layer = a_step(rng, 4, 3, 2)
        c = np.where(rng.random(c.shape) < 0.5, -cell, cell)
        c[0] = 0.0
        found = states(student.lstm_step(x_t, h, c, *layer), (4, 2))
        for one, right, name in zip(found, step(x_t, h, c, *layer), ("h_t", "c_t"), strict=True):
            close(one, right, f"{name} for old cell states of 0 and ±{cell:g}", "One rule for every old state.")
        unchanged(student, "Make new states: `c_prev *= forget` changes the array that was passed.")


# lstm-forward


def judge_forward(value: Any, x: Array, layer: tuple[Array, ...], sequences: bool) -> None:
    """A student's output for `x` against the reference."""
    hidden, _ = forward(x, *layer)
    right = hidden if sequences else hidden[:, -1]
    what = f"the output with return_sequences={sequences}"
    if isinstance(value, (tuple, list)) and value and all(isinstance(part, np.ndarray) for part in value):
        shapes = ", ".join(str(part.shape) for part in value)
        that(np.shape(value[0]) != right.shape, f"lstm_forward should return one array, but returned {len(value)}, "
             f"of the shapes {shapes}.", "Return the hidden states only.")  # fmt: skip
    found = array(value, what)
    hint = "Only h after the last timestep."
    if sequences:
        hint = "h after each timestep, the samples first: stack along the axis 1."
        if alike(found, hidden.swapaxes(0, 1)):
            hint = Mistake("The timesteps come first here; the samples should: stack along the axis 1.")
        elif found.shape == hidden[:, -1].shape:
            hint = "This is h of one timestep only: keep it of each."
    that(found.shape == right.shape, f"{what} should have the shape {right.shape}, but has {found.shape}.", hint)
    usual = "Do lstm_step once for each timestep, start from zeros, and pass both states on."
    if np.allclose(found, right, rtol=0, atol=5e-3):
        usual = "This is nearly right: use float32 or float64, do not round, and do not change the input."
    close(found, right, what, usual, mistakes=lambda: _misreadings(x, layer, sequences))


def _misreadings(x: Array, layer: tuple[Array, ...], sequences: bool) -> dict[str, Array]:
    """What usual mistakes return, by the sentence about them."""
    hidden, cell = forward(x, *layer)
    zero = np.zeros_like(hidden[:, 0])
    exchanged = forward(x, *layer, hand_on=lambda h, c: (c, h))
    found = {
        "These are the cell states: the output is the hidden state.": cell,
        "Each timestep begins with zeros: pass both states on from step to step.": forward(
            x, *layer, hand_on=lambda h, c: (zero, zero)
        )[0],
        "The hidden state is not passed on.": forward(x, *layer, hand_on=lambda h, c: (zero, c))[0],
        "The cell state is not passed on.": forward(x, *layer, hand_on=lambda h, c: (h, zero))[0],
        "From step to step h and c are exchanged: lstm_step takes and returns h first.": exchanged[0],
        "From step to step h and c are exchanged: lstm_step takes h first, and returns it first.": exchanged[1],
        "The states begin as ones; they should be zeros.": forward(x, *layer, start=1.0)[0],
        "The timesteps are read backwards.": forward(x[:, ::-1], *layer)[0],
    }
    together, _ = forward(x.reshape(1, -1, x.shape[2]), *layer)  # one state for all, as if they were one sequence
    found["The samples share their states: each should start with zeros."] = together.reshape(hidden.shape)
    if sequences:
        return found | {"The timesteps are in reverse order.": hidden[:, ::-1]}
    found = {sentence: states[:, -1:] for sentence, states in found.items()}
    if x.shape[1] > 1:
        found["The last timestep is left out."] = hidden[:, -2:-1]
        found["The first timestep is left out."] = forward(x[:, 1:], *layer)[0][:, -1:]
        found["This is h after the first timestep, not after the last."] = hidden[:, :1]
        found["This is the mean over the timesteps; only the last one counts."] = hidden.mean(axis=1, keepdims=True)
    return {sentence: states[:, 0] for sentence, states in found.items()}


@exercise("lstm-forward", share=3, read=SEQUENCE)
def test_forward_gives_the_last_hidden_state(student: Student, rng: np.random.Generator) -> None:
    """The hidden state after the last timestep, (samples, units)."""
    for samples, timesteps, features, units in ((1, 4, 2, 2), (3, 5, 2, 4), (2, 1, 3, 2), (4, 7, 3, 3)):
        x, layer = np.round(rng.normal(size=(samples, timesteps, features)), 2), weights(rng, features, units)
        judge_forward(student.lstm_forward(x, *layer), x, layer, sequences=False)


@exercise("lstm-forward", share=2, read=SEQUENCE)
def test_forward_gives_all_hidden_states(student: Student, rng: np.random.Generator) -> None:
    """With return_sequences it returns the hidden states after all timesteps, (samples, timesteps, units)."""
    for samples, timesteps, features, units in ((1, 4, 2, 2), (3, 5, 2, 4), (2, 1, 3, 2), (1, 6, 1, 3)):
        x, layer = np.round(rng.normal(size=(samples, timesteps, features)), 2), weights(rng, features, units)
        judge_forward(student.lstm_forward(x, *layer, return_sequences=True), x, layer, sequences=True)


@exercise("lstm-forward", share=1, read=SEQUENCE)
def test_forward_starts_anew(student: Student, rng: np.random.Generator) -> None:
    """Every call starts with zeros, samples do not affect each other, and the function changes no argument."""
    x, layer = rng.normal(size=(3, 4, 2)), weights(rng, 2, 3)
    first = student.lstm_forward(x, *layer)
    unchanged(student)
    if isinstance(first, tuple):
        judge_forward(first, x, layer, sequences=False)
    first = array(first, "the output", (3, 3), "Only h after the last timestep.")
    judge_forward(first, x, layer, sequences=False)
    close(student.lstm_forward(x, *layer), first, "the output of the same call once more",
          "Make the states from zeros within the function, in every call.")  # fmt: skip
    alone = student.lstm_forward(x[1:2], *layer)
    close(
        alone,
        first[1:2],
        "the output for the second sample alone",
        "A sample's result should not depend on others, and a single sample keeps its axis.",
    )


@exercise("lstm-forward", share=2, read=SEQUENCE)
def test_forward_equals_keras(student: Student, rng: np.random.Generator) -> None:
    """With float32 weights as Keras starts them, 40 timesteps agree to 1e-5."""
    features, units = 10, 16
    limit = np.sqrt(6 / (features + 4 * units))
    kernel = rng.uniform(-limit, limit, (features, 4 * units))
    recurrent = np.linalg.qr(rng.normal(size=(4 * units, units)))[0].T
    bias = np.repeat([0.0, 1.0, 0.0, 0.0], units)
    layer = tuple(part.astype("float32") for part in (kernel, recurrent, bias))
    x = rng.normal(size=(2, 40, features)).astype("float32")
    exact = tuple(part.astype(float) for part in layer)
    for sequences in (False, True):
        found = student.lstm_forward(x, *layer, return_sequences=sequences)
        judge_forward(found, x.astype(float), exact, sequences)


@exercise("lstm-forward", share=1, read=SEQUENCE)
def test_forward_of_any_input(student: Student, rng: np.random.Generator) -> None:
    """Zeros, constant inputs, many samples, large weights: each is an input as any other, and nothing is changed."""
    cases = {
        "with timesteps of zeros": (3, 6, 2, 3, 1.0),
        "with an input that stays the same": (2, 9, 1, 2, 1.0),
        "for 40 samples of 3 timesteps": (40, 3, 2, 2, 1.0),
        "for 5 samples of 2 timesteps": (5, 2, 3, 3, 1.0),
        "with weights up to ±12": (3, 5, 2, 2, 12.0),
        "with weights up to ±900": (2, 4, 2, 2, 900.0),
    }
    for case, (samples, timesteps, features, units, size) in cases.items():
        layer = tuple(part * size for part in weights(rng, features, units))
        for _ in range(2):  # another input of the same shape
            x = np.round(rng.normal(size=(samples, timesteps, features)), 2)
            if "zeros" in case:
                x[:, 2], x[1, 4] = 0, 0
            if "same" in case:
                x[:] = x[:, :1]
            for sequences in (True, False):
                found = student.lstm_forward(x, *layer, return_sequences=sequences)
                hidden, _ = forward(x, *layer)
                right = hidden if sequences else hidden[:, -1]
                close(array(found, f"the output {case}"), right, f"the output {case}", rtol=0, atol=2e-5,
                      hint="Do the same step for each timestep, whatever its numbers are.")  # fmt: skip
                unchanged(student)
    count = (np.ones((1, 12, 1)), np.zeros((1, 4)), np.zeros((1, 4)), np.full(4, 40.0))
    close(array(student.lstm_forward(*count), "the output"), [[np.tanh(12.0)]], "the output of a cell at 12",
          "The cell state has no bound.", rtol=0, atol=1e-9)  # fmt: skip


# parameter-count


@exercise("parameter-count", read=COUNT)
@given(features=st.integers(1, 40), units=st.integers(1, 70))
@example(features=10, units=16)
@example(features=300, units=1024)
@example(features=1, units=5001)
def test_counts_the_parameters(student: Student, features: int, units: int) -> None:
    """4 · units · (features + units + 1), for any features and units."""
    found = student.count_parameters(features, units)
    expected = 4 * units * (features + units + 1)
    hint = "Four sums, each with a weight for every feature, one for every unit's last output, and a bias."
    mistakes = {
        "The biases are missing: one for each of the four sums of each unit.": 4 * units * (features + units),
        "There are three gates and the candidate: four sums, not three.": 3 * units * (features + units + 1),
        "This is one of the four sums; there are four.": units * (features + units + 1),
        "Features and units are exchanged: each *unit* has four sums.": 4 * features * (features + units + 1),
        "This has two biases for each sum, as PyTorch; Keras has one.": 4 * units * (features + units + 2),
        "The weights of the last hidden state are missing.": 4 * units * (features + 1),
        "This has one bias for each unit; each of its four sums has one.": 4 * units * (features + units) + units,
        "This has four biases in all; each unit has four.": 4 * units * (features + units) + 4,
        "Every unit sees the last output of *all* units, not only its own.": 4 * units * (features + 2),
    }
    if isinstance(found, (float, np.floating)):
        that(
            found != expected, f"the count is the float {float(found)!r}; a count is a whole number.", "Return an int."
        )
    equal(found, expected, f"the count for {features} features and {units} units", hint, mistakes=mistakes)


# gradient-flow


def judge_gradient(found: Any, gates: Array) -> None:
    right = np.array([np.exp(np.sum(np.log(unit))) if unit.all() else 0.0 for unit in gates.T])
    hint = "One number for each unit: take the product over the timesteps, the first axis."
    got = array(found, "the gradient")
    if got.shape == gates.shape:
        hint = "These are the products up to every timestep; return only the whole product, the last row."
    elif got.shape == (len(gates),) and gates.shape[0] != gates.shape[1]:
        hint = "This has one number for each timestep: multiply along the timesteps (axis 0), not along the units."
    elif got.shape == ():
        hint = "This is one number for all units: multiply along the timesteps only (axis=0)."
    that(got.shape == right.shape, f"the gradient should have the shape {right.shape}, but has {got.shape}.", hint)
    mistakes = {
        "This multiplies along the units: the timesteps are the first axis.": np.prod(gates, axis=-1),
        "This is the sum of the forget gates: each gate multiplies a small change.": gates.sum(axis=0),
        "This is the mean of the forget gates: the gradient is their product.": gates.mean(axis=0),
        "This is the last forget gate alone: the small change has passed all of them.": gates[-1],
        "This is the first forget gate alone: the small change has to pass all of them.": gates[0],
        "The first timestep's gate is missing: it is between c_0 and c_1.": np.prod(gates[1:], axis=0),
        "The last timestep's gate is missing: c_T has passed it, too.": np.prod(gates[:-1], axis=0),
        "This is the product of 1 - forget: a forget gate of 1 keeps.": np.prod(1 - gates, axis=0),
        "The slope of the sigmoid does not belong here: the gates are held fixed.": np.prod(
            gates * (1 - gates), axis=0
        ),
        "This is the smallest forget gate: the gradient is the product of all.": gates.min(axis=0),
        "This is the mean gate to the power of the timesteps: multiply the gates themselves.": gates.mean(axis=0)
        ** len(gates),
    }
    close(got, right, "the gradient", hint, rtol=1e-4, atol=1e-9, mistakes=mistakes)


@exercise("gradient-flow", share=3, read=GRADIENT)
@given(
    gates=hnp.arrays(
        np.float64, st.tuples(st.integers(1, 5), st.integers(1, 4)), elements=st.integers(0, 8).map(lambda n: n / 8)
    )
)
@example(gates=np.array([[0.5, 1.0], [0.25, 0.75], [0.75, 1.0]]))
def test_gradient_is_the_product_of_forget_gates(student: Student, gates: Array) -> None:
    """The product of the forget gates over the timesteps, for each unit by itself."""
    judge_gradient(student.cell_gradient(gates), gates)


@exercise("gradient-flow", share=1, read=GRADIENT)
def test_gradient_over_many_steps(student: Student, rng: np.random.Generator) -> None:
    """Open gates keep it whole over hundreds of steps, one closed gate stops it; the argument does not change."""
    gates = rng.uniform(0.99, 1, (300, 5))
    gates[:, 1] = 1.0
    gates[rng.integers(300), 3] = 0.0
    judge_gradient(student.cell_gradient(gates), gates)
    unchanged(student)
    judge_gradient(student.cell_gradient(gates.astype("float32")), gates.astype("float32").astype(float))


@exercise("gradient-flow", share=1, read=GRADIENT)
def test_gradient_of_any_gates(student: Student, rng: np.random.Generator) -> None:
    """Nearly closed gates count as they are; a single unit, and as many units as timesteps, work as well."""
    for shape in ((2, 3), (6, 1), (4, 4), (1, 1)):
        gates = rng.uniform(0.2, 1, shape)
        gates[0] = rng.choice([0.04, 0.0005, 0.00002], shape[1])
        right = np.prod(gates, axis=0)
        found = array(student.cell_gradient(gates), "the gradient", right.shape)
        close(found, right, f"the gradient of gates of shape {shape}", rtol=1e-3, atol=1e-12,
              hint="Multiply the gates as they are: none is too small to count.")  # fmt: skip
        unchanged(student)


# applications

GOES_IN_COMES_OUT = {
    "captioning": ("one-to-many", "one photograph goes in, at once; word after word comes out"),
    "translation": ("many-to-many", "word after word goes in, word after word comes out"),
    "handwriting": ("many-to-many", "character after character goes in, stroke after stroke comes out"),
    "echo": ("many-to-one", "five digits go in, one after the other; a single one comes out"),
    "traffic": ("many-to-one", "24 hours go in, one after the other; a single number comes out"),
}
# The same word for all reaches two.
CURVE = Curve("right answers of the five", ((2, 0), (5, 1)))


@exercise("applications", read=TYPES, curves=[CURVE])
def test_names_the_types(student: Student, award: Callable[[float, str], None]) -> None:
    """Each application has its type."""
    found = student["sequence_type"]
    that(isinstance(found, dict), f"`sequence_type` should be a dict, but is {show(found)}.")
    said = {key: _type(found.get(key)) for key in GOES_IN_COMES_OUT}
    missing = [key for key in GOES_IN_COMES_OUT if key not in found]
    that(len(missing) < len(said), "`sequence_type` has none of the five keys.", f"The keys are {', '.join(said)}.")
    wrong = [f"{key}: {sentence}." for key, (right, sentence) in GOES_IN_COMES_OUT.items() if said[key] != right]
    right = len(said) - len(wrong)
    if wrong:
        award(CURVE.credit(right),
              f"{right} of {len(said)} are right. Think again about these. {' '.join(wrong)} "
              "Count the timesteps of what goes in and of what comes out.")  # fmt: skip


def _type(value: Any) -> str:
    """The meaning of an answer: capitals, spaces and underscores do not matter."""
    return value.strip().lower().replace("_", "-").replace(" ", "-") if isinstance(value, str) else ""
