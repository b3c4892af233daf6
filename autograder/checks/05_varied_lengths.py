"""Hidden checks of 05, sequences of varied lengths (slides 20 to 22)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.examination.expectations import Array, Wrong, array, close, exercise, show, that, unchanged
from autograder.examination.inference import Model, rebuild
from autograder.examination.layers import Dense, Masking
from autograder.examination.misconceptions import Clues, Mistake, clues
from autograder.examination.models import keras_model
from autograder.examination.student import Student, StudentError

Sequences = list[list[float]]

PADDING = "Padding: add blanks"
TRUNCATION = "Truncation: cut readings off"
BOTH = "Both at once"
KERAS = "The function of the slides"
MASK = "A mask says what is data"
MASKING = "Keras's `Masking` layer"

SIDES = ("pre", "post")
ROOM = "Keep the fractions: np.full(..., dtype=float), or pad_sequences(..., dtype='float64')."


def draw(rng: np.random.Generator, *lengths: int) -> Sequences:
    """Whole-number readings, one sequence for each length; none comes twice, none is 0 or another blank's value."""
    pool = rng.permutation(np.arange(1.0, 91)).tolist()
    return [[pool.pop() for _ in range(length)] for length in lengths]


def around(rng: np.random.Generator, shortest: int) -> Iterator[tuple[int, Sequences]]:
    """Lengths to cut or fill to, small ones first, and sequences of each length from `shortest` to beyond them.

    Every way to count wrongly shows at some of them, so none is left to luck.
    """
    yield 2, draw(rng, 1, 6)  # this one tells most mistakes from each other
    for length in range(1, 6):
        for lengths in ((max(length - 1, shortest), length + 2), (length, length + 1), range(shortest, 2 * length)):
            yield length, draw(rng, *lengths)


def halves(rng: np.random.Generator, *lengths: int) -> Sequences:
    """Readings of which none is a whole number."""
    return [(rng.integers(-20, 20, length) + 0.5).tolist() for length in lengths]


def truncated(sequences: Sequences, length: int, side: str) -> Sequences:
    return [one[max(len(one) - length, 0) :] if side == "pre" else one[:length] for one in sequences]


def padded(sequences: Sequences, length: int, side: str, value: float) -> Array:
    blanks = [[value] * (length - len(one)) for one in sequences]
    rows = [blank + one if side == "pre" else one + blank for one, blank in zip(sequences, blanks, strict=True)]
    return np.array(rows, dtype=float).reshape(len(sequences), length)


def other(side: str) -> str:
    return SIDES[side == "pre"]


def same(found: Array, wanted: Array) -> bool:
    return found.shape == wanted.shape and bool(np.allclose(found.astype(float), wanted, atol=1e-4))


def turned(student: Student, ask: Callable[[str], Any], right: Callable[[str], Any]) -> bool:
    """Whether each side gives the result of the other: otherwise the function may ignore one of them."""
    before = len(student.calls)
    try:
        return all(_as(ask(side), right(other(side))) and not _as(right(side), right(other(side))) for side in SIDES)
    except StudentError:
        return False
    finally:
        del student.calls[before:]


def _as(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return (
            isinstance(found, (list, tuple))
            and len(found) == len(wanted)
            and all(map(_as, found, map(np.array, wanted)))
        )
    try:
        return same(np.asarray(found, dtype=float), np.asarray(wanted, dtype=float))
    except (TypeError, ValueError, OverflowError):
        return False


def is_padded(student: Student, value: Any, sequences: Sequences, length: int, side: str, fill: float) -> None:
    """Expect the sequences, each fitting into `length`, padded on `side`."""
    wanted = padded(sequences, length, side, fill)
    found = array(value, "the padded array")
    hint = 'side="pre" puts the blanks before the readings, "post" behind them.'
    if found.shape != wanted.shape:
        hint = "It has one row per sequence and `length` columns; without `length`, as many as the longest one needs."
    where = {"pre": "before", "post": "behind"}
    wrong_side = f'The blanks are on the wrong side here: side="{side}" puts them {where[side]} the readings.'
    if same(found, padded(sequences, length, other(side), fill)):
        probe = [[5.0], [6.0, 7.0]]
        if turned(student, lambda s: student.pad(probe, length=3, side=s), lambda s: padded(probe, 3, s, 0)):
            wrong_side = "Pre and post are swapped: they say where the blanks are, before or behind the readings."
    mistakes = {
        wrong_side: padded(sequences, length, other(side), fill),
        "Rows and columns are swapped: each sequence is a row.": wanted.T,
        "The fractions are cut off. " + ROOM: np.trunc(wanted),
        "The blanks are 0 here: use `value`.": padded(sequences, length, side, 0),
        "`value` has lost its fraction. " + ROOM: padded(sequences, length, side, np.trunc(fill)),
    }
    close(found, wanted, "the padded array", hint, mistakes=mistakes)


# pad


@exercise("pad", share=2, read=PADDING)
def test_pads_to_the_longest(student: Student, rng: np.random.Generator) -> None:
    """Blanks of 0 come before the readings, up to the length of the longest sequence."""
    for lengths in ((2, 3), (3, 1, 4), (2, 5), (2, 2)):
        sequences = draw(rng, *lengths)
        is_padded(student, student.pad(sequences), sequences, max(lengths), "pre", 0)


@exercise("pad", share=2, read=PADDING)
def test_pads_on_either_side(student: Student, rng: np.random.Generator) -> None:
    """The function uses `side`, `length` and `value`."""
    for length, side, value in ((4, "post", 0), (5, "post", -1), (5, "pre", -99)):
        sequences = draw(rng, 3, 1, 4)
        is_padded(
            student, student.pad(sequences, length=length, side=side, value=value), sequences, length, side, value
        )
    sequences = draw(rng, 1, 3)
    is_padded(student, student.pad(sequences, 4, "post", -1), sequences, 4, "post", -1)


@exercise("pad", share=2, read=KERAS)
def test_pad_keeps_fractions(student: Student, rng: np.random.Generator) -> None:
    """Fractions stay fractions, among whole numbers too, and in `value`."""
    sequences = halves(rng, 2, 3)
    is_padded(student, student.pad(sequences, side="post"), sequences, 3, "post", 0)
    mixed: Sequences = [rng.integers(1, 9, 3).tolist(), [0.25, 7]]  # the first one is all whole
    is_padded(student, student.pad(mixed), mixed, 3, "pre", 0)
    whole: Sequences = [rng.integers(1, 9, 1).tolist(), rng.integers(1, 9, 2).tolist()]
    is_padded(student, student.pad(whole, value=-1.5), whole, 2, "pre", -1.5)


@exercise("pad", share=1, read=PADDING)
def test_pad_of_an_empty_sequence(student: Student, rng: np.random.Generator) -> None:
    """An empty sequence becomes a row of blanks."""
    sequences = draw(rng, 2, 0)
    for side in SIDES:
        try:
            found = student.pad(sequences, length=3, side=side, value=-1)
        except StudentError as error:
            raise _minus_zero(error) from None
        is_padded(student, found, sequences, 3, side, -1)
        first = draw(rng, 0, 2)
        is_padded(student, student.pad(first, side=side), first, 2, side, 0)


def _minus_zero(error: StudentError) -> Exception:
    """What an empty sequence does to row[-len(sequence):]."""
    if error.raised.type == "NotImplementedError":
        return error
    hint = "row[-len(sequence):] is the whole row if the length is 0: count from the front, or skip empty sequences."
    return Wrong(f"an empty sequence should become a row of blanks, but it raised {error.raised}.", hint)


@exercise("pad", share=2, read=PADDING)
def test_pad_refuses_what_is_too_long(student: Student, rng: np.random.Generator) -> None:
    """A sequence longer than `length` raises ValueError, at any place; a sequence of exactly `length` does not."""
    for lengths in ((2, 4), (5, 3, 1)):
        sequences = draw(rng, *lengths)
        for side in SIDES:
            fitting = student.pad(sequences, length=max(lengths), side=side)
            array(fitting, "the array of sequences that do fit", (len(lengths), max(lengths)))
            try:
                found = student.pad(sequences, length=max(lengths) - 1, side=side)
            except StudentError as error:
                if error.raised.type == "NotImplementedError":
                    raise
                if "ValueError" in {error.raised.type, *error.raised.kinds}:
                    continue
                raise Wrong(f"{max(lengths)} readings do not fit into length={max(lengths) - 1}: it should raise "
                            f"ValueError, but raised {error.raised}.",
                            "Compare the longest sequence with `length` first.") from None  # fmt: skip
            short = found if isinstance(found, np.ndarray) else show(found)
            told = f"returned an array of shape {short.shape}" if isinstance(short, np.ndarray) else f"returned {short}"
            raise Wrong(f"{max(lengths)} readings do not fit into length={max(lengths) - 1}: it should raise "
                        f"ValueError, but {told}.", "Compare the longest sequence with `length` first.")  # fmt: skip


@exercise("pad", share=1, read=PADDING)
def test_pad_of_any_readings(student: Student, rng: np.random.Generator) -> None:
    """Readings of 0, below 0, or equal to the blank are data; whole numbers and fractions stand beside each other."""
    for value in (-99, 7.5, -0.25):
        sequences = [[0, 4, 0], [0], [-3, value, 0.5, -0.0001], [], [2, 0.75]]
        for side in SIDES:
            found = array(student.pad(sequences, side=side, value=value), "the padded array")
            close(found, padded(sequences, 4, side, value), f"the array with value={value}, side={side!r}",
                  "Every reading stays as it is, also 0.", rtol=0, atol=1e-9)  # fmt: skip
            unchanged(student)


@exercise("pad", share=1, read=PADDING)
def test_pad_changes_nothing(student: Student, rng: np.random.Generator) -> None:
    """The function does not change the sequences that are passed in."""
    for side in SIDES:
        array(student.pad(draw(rng, 3, 1, 2), length=5, side=side), "the padded array", (3, 5))
        unchanged(student, "Write into a new array; append and insert change the list that was passed in.")


# truncate


def is_truncated(student: Student, value: Any, sequences: Sequences, length: int, side: str) -> None:
    wanted = truncated(sequences, length, side)
    if isinstance(value, np.ndarray):
        value = list(value)
    that(isinstance(value, (list, tuple)), f"`truncate` should return a list, but returned {show(value)}.")
    that(len(value) == len(wanted), f"{len(wanted)} sequences go in, so as many should come out, not {len(value)}.")
    found = [array(one, f"sequence {place} of the result") for place, one in enumerate(value)]
    hint = 'side="pre" cuts off at the beginning and keeps the end, "post" does the opposite.'
    kept = "beginning" if side == "pre" else "end"
    wrong_side = f'This keeps the {kept}: side="{side}" says where to cut, not what to keep.'
    if _all_same(found, truncated(sequences, length, other(side))):
        probe = [[5.0, 6.0, 7.0]]
        if turned(student, lambda s: student.truncate(probe, 2, s), lambda s: truncated(probe, 2, s)):
            wrong_side = "Pre and post are swapped: they say where to cut, not what to keep."
    mistakes = (
        (wrong_side, truncated(sequences, length, other(side))),
        ("`length` is how many readings remain, not how many are cut off.",
         [one[length:] if side == "pre" else one[:-length] for one in sequences]),
        ("Off by one: one reading too many remains.", truncated(sequences, length + 1, side)),
        ("Only one reading is cut off: `length` is how many remain.",
         [one if len(one) <= length else one[1:] if side == "pre" else one[:-1] for one in sequences]),
        ("Off by one: one reading too few remains.", truncated(sequences, length - 1, side)),
        ("The shortest sequence decides here: `length` alone should.",
         truncated(sequences, min(length, *map(len, sequences)), side)),
    )  # fmt: skip
    fitting = Clues(frozenset(told for told, wrong in mistakes if _all_same(found, wrong)))
    for place, (one, right) in enumerate(zip(found, wanted, strict=True)):
        that(one.ndim == 1 or one.size == 0, f"sequence {place} of the result should be a list of numbers.")
        if one.shape != (len(right),) and one.size + len(right):
            more = "" if len(sequences[place]) > length else " It is short enough to stay as it is."
            raise Wrong(f"of a sequence of {len(sequences[place])} readings, truncated to {length}, {len(right)} "
                        f"should remain, not {one.size}.{more}", hint, evidence=(one, right), clues=fitting,
                        what=f"sequence {place} of the result")  # fmt: skip
        told = dict.fromkeys(fitting.named, one.ravel())
        close(one.ravel(), right, f"sequence {place} of the result", hint, mistakes=told)


def _all_same(found: list[Array], wanted: Sequences) -> bool:
    return all(same(one, np.array(right)) for one, right in zip(found, wanted, strict=True))


@exercise("truncate", share=3, read=TRUNCATION)
def test_truncates(student: Student, rng: np.random.Generator) -> None:
    """Pre cuts off the beginning, post the end; a sequence that is short enough stays complete."""
    for length, sequences in around(rng, 0):
        for side in SIDES:
            is_truncated(student, student.truncate(sequences, length, side), sequences, length, side)


@exercise("truncate", share=1, read=TRUNCATION)
def test_truncates_pre_by_default(student: Student, rng: np.random.Generator) -> None:
    """Without `side`, the beginning is cut off; fractions stay."""
    sequences = halves(rng, 4, 2, 1)
    is_truncated(student, student.truncate(sequences, 2), sequences, 2, "pre")


@exercise("truncate", share=1, read=TRUNCATION)
def test_truncate_changes_nothing(student: Student, rng: np.random.Generator) -> None:
    """The function does not change the sequences that are passed in."""
    for side in SIDES:
        array(student.truncate(draw(rng, 4, 2, 3), 2, side=side), "the list of sequences of length 2", (3, 2))
        unchanged(student, "Slices make new lists; del, pop and assignment change the list that was passed in.")


# pad-and-truncate


def is_matrix(
    student: Student,
    value: Any,
    sequences: Sequences,
    length: int,
    padding: str = "pre",
    truncating: str = "pre",
    fill: float = 0,
) -> None:
    wanted = padded(truncated(sequences, length, truncating), length, padding, fill)
    found = array(value, "the matrix")
    hint = "First cut sequences longer than `length`, then fill up the shorter ones."
    if found.shape != wanted.shape:
        hint = "One row per sequence, `length` columns, whatever the longest one is."
    cut, filled = other(truncating), other(padding)
    side = {"pre": "the beginning", "post": "the end"}
    mistakes = [
        (told, padded(truncated(sequences, length, t), length, p, fill))
        for p, t, told in (
            (padding, cut, f"It is cut on the wrong side: {truncating}-truncation drops {side[truncating]}."),
            (filled, truncating, f"The blanks are on the wrong side: {padding}-padding puts them at {side[padding]}."),
            (truncating, padding, "`padding` and `truncating` are mixed up."),
            (filled, cut, "Pre and post are swapped, both for cutting and for padding."),
        )
        # Where the two sides are not the same, mixing them up is swapping both: who swaps is told where they are.
        if ((t, p) == (cut, filled) and told.startswith("Pre") == (padding == truncating)) or (t, p) != (cut, filled)
    ]
    mistakes += [
        ("Rows and columns are swapped: each sequence is a row.", wanted.T),
        ("The fractions are cut off: pad_sequences makes whole numbers unless you say dtype. " + ROOM,
         np.trunc(wanted)),
        ("The blanks are 0 here: use `value`.", padded(truncated(sequences, length, truncating), length, padding, 0)),
    ]  # fmt: skip
    close(found, wanted, "the matrix", hint, mistakes=mistakes)


@exercise("pad-and-truncate", share=3, read=BOTH)
def test_matrix(student: Student, rng: np.random.Generator) -> None:
    """Long sequences are cut and short ones filled up, each on its side, as pad_sequences does it."""
    for length, sequences in around(rng, 1):
        for padding in SIDES:
            for truncating in SIDES:
                value = int(rng.choice([0, -99]))
                found = student.to_matrix(sequences, length, padding=padding, truncating=truncating, value=value)
                is_matrix(student, found, sequences, length, padding, truncating, value)


@exercise("pad-and-truncate", share=1, read=PADDING)
def test_matrix_of_an_empty_sequence(student: Student, rng: np.random.Generator) -> None:
    """An empty sequence becomes a row of blanks."""
    sequences = draw(rng, 3, 0)
    for side in SIDES:
        try:
            found = student.to_matrix(sequences, 2, padding=side, truncating=side, value=-1)
        except StudentError as error:
            raise _minus_zero(error) from None
        is_matrix(student, found, sequences, 2, side, side, -1)


@exercise("pad-and-truncate", share=1, read=BOTH)
def test_matrix_by_default(student: Student, rng: np.random.Generator) -> None:
    """By default both sides are pre and blanks are 0; the arguments' order is padding, truncating, value."""
    sequences = draw(rng, 5, 2, 3)
    is_matrix(student, student.to_matrix(sequences, 3), sequences, 3)
    is_matrix(student, student.to_matrix(sequences, 3, "post", "pre", -1), sequences, 3, "post", "pre", -1)
    is_matrix(student, student.to_matrix(sequences, 7), sequences, 7)  # longer than all of them


@exercise("pad-and-truncate", share=1, read=KERAS)
def test_matrix_keeps_fractions(student: Student, rng: np.random.Generator) -> None:
    """Fractions stay fractions, in the readings and in `value`."""
    sequences = halves(rng, 4, 1, 2)
    is_matrix(student, student.to_matrix(sequences, 3), sequences, 3)
    whole: Sequences = [rng.integers(1, 9, 1).tolist(), rng.integers(1, 9, 4).tolist()]
    is_matrix(student, student.to_matrix(whole, 3, value=-1.5), whole, 3, fill=-1.5)


@exercise("pad-and-truncate", share=1, read=BOTH)
def test_matrix_changes_nothing(student: Student, rng: np.random.Generator) -> None:
    """The function does not change the sequences that are passed in."""
    for padding, truncating in (SIDES, SIDES[::-1]):
        matrix = student.to_matrix(draw(rng, 4, 1, 3), 3, padding=padding, truncating=truncating)
        array(matrix, "the matrix", (3, 3))
        unchanged(student)


# mask


def is_mask(student: Student, value: Any, lengths: Array, length: int, side: str) -> None:
    wanted = np.zeros((len(lengths), length), dtype=bool)
    for row, n in zip(wanted, lengths.tolist(), strict=True):
        start = length - n if side == "pre" else 0
        row[start : start + n] = True
    found = array(value, "the mask", wanted.shape, "One row per sequence, `length` columns.")
    # That it holds truth values, not ones and zeros, is a check of its own.
    that(bool(np.isin(found, (0, 1)).all()), f"the mask should hold truth values, but is {show(found)}.")
    found = found.astype(bool)
    where = "in front" if side == "pre" else "behind"
    wrong_side = f'The data are on the wrong side here: with side="{side}" the blanks are {where}.'
    if np.array_equal(found, wanted[:, ::-1]):
        right = {"pre": [[False, True, True]], "post": [[True, True, False]]}
        if turned(student, lambda s: student.padding_mask(np.array([2]), 3, side=s), lambda s: np.array(right[s])):
            wrong_side = "Pre and post are swapped: `side` is the side of the blanks, as in `pad`."
    mistakes = {
        "This mask is inverted: True means data, False means a blank.": ~wanted,
        wrong_side: wanted[:, ::-1],
    }
    fitting = clues(found, wanted, mistakes, 0, 0)
    hint = "A row has as many True as the sequence has readings: at the end for pre, at the beginning for post."
    if (lengths == 0).any() and found[lengths == 0].all():
        hint = "A sequence of length 0 has no data: mind that row[-0:] is the whole row."
    rows = np.flatnonzero((found != wanted).any(axis=1))
    if rows.size:
        place = int(rows[0])
        raise Wrong(f'with {lengths[place]} readings in {length} columns and side="{side}", the row should be '
                    f"{show(wanted[place])}, but is {show(found[place])}.", hint, what="the mask",
                    evidence=(found, wanted), clues=fitting)  # fmt: skip


@exercise("mask", share=3, read=MASK)
def test_mask(student: Student, rng: np.random.Generator) -> None:
    """True where there is data: at the end for pre, at the beginning for post."""
    for length in (3, 5, 8):
        lengths = rng.integers(1, length, length - 1, endpoint=True)
        lengths[:2] = 1, length - 1
        for side in SIDES:
            is_mask(student, student.padding_mask(lengths, length, side=side), lengths, length, side)
            unchanged(student)


@exercise("mask", share=1, read=MASK)
def test_mask_holds_truth_values(student: Student, rng: np.random.Generator) -> None:
    """The mask is an array of truth values (bool), not of numbers."""
    for side in SIDES:
        found = array(student.padding_mask(rng.integers(1, 4, 3), 4, side=side), "the mask", (3, 4))
        that(found.dtype == bool, f"the mask should hold truth values (bool), but holds {found.dtype}: {show(found)}.",
             "Compare, or convert with .astype(bool): NumPy would read numbers as indices in x[mask].")  # fmt: skip


@exercise("mask", share=1, read=MASK)
def test_mask_at_its_ends(student: Student, rng: np.random.Generator) -> None:
    """A sequence of length 0 has no True in its row, a complete sequence has no False."""
    lengths = np.array([2, 0, 4])
    for side in SIDES:
        is_mask(student, student.padding_mask(lengths, 4, side), lengths, 4, side)


@exercise("mask", share=1, read=MASK)
def test_mask_pre_by_default(student: Student, rng: np.random.Generator) -> None:
    """Without `side`, the blanks come first; the function does not change the lengths."""
    lengths = rng.integers(1, 6, 3)
    is_mask(student, student.padding_mask(lengths, 6), lengths, 6, "pre")
    unchanged(student)


# masked-model: taken out of the box, and given other weights here, so that nothing depends on a lucky start


def built(student: Student, timesteps: int, features: int, units: int, mask_value: float) -> dict[str, Any]:
    model = student.build_masked_model(timesteps, features, units, mask_value)
    return student.export_model(keras_model(model, "build_masked_model"))


def with_weights(exported: dict[str, Any], rng: np.random.Generator) -> Model:
    """The exported architecture with random weights, for sequences of any length."""
    weights = exported.get("weights")
    rebuild(exported.get("architecture"), weights)  # refuses too many weights before as many are drawn
    if isinstance(weights, dict):
        weights = {
            name: [rng.normal(0, 0.6, one.shape) if isinstance(one, np.ndarray) else one for one in arrays]
            if isinstance(arrays, list) else arrays
            for name, arrays in weights.items()
        }  # fmt: skip
    model = rebuild(exported.get("architecture"), weights)
    return replace(model, input_shape=(None, model.input_shape[1]))


def one_row_a_sample(predictions: Array, samples: int) -> Array:
    that(predictions.ndim == 2 and len(predictions) == samples,
         f"for {samples} samples the model should give {samples} rows, but its output has the shape "
         f"{predictions.shape}.",
         "Return only the last LSTM output: leave return_sequences off in the last LSTM.")  # fmt: skip
    return predictions


def by(one: Array, other: Array) -> str:
    """How far predictions are apart; an LSTM whose activation has no bounds may give NaN or infinity."""
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return "to NaN or infinity"
    return f"by up to {np.abs(one - other).max():.2g}"


def why(model: Model, mask_value: float) -> str:
    """What is wrong with the layers of a model that padding changes."""
    masks = [layer.mask_value for layer in model.layers if isinstance(layer, Masking)]
    if not masks:
        return Mistake("It has no Masking layer: without one, the LSTM reads the padding, too.")
    if mask_value not in masks:
        return Mistake(f"Its Masking layer looks for {masks[0]:g} instead of the mask_value that was passed.")
    return "Masking must come before the layers that read: numbers computed from padding are no longer `mask_value`."


# Readings of the data, in steps that no mask value is on.
MASK_VALUES = ((-99.0, 1), (0.0, 2), (-1.0, 3))


@exercise("masked-model", share=6, read=MASKING)
def test_padding_in_front_does_not_matter(student: Student, rng: np.random.Generator) -> None:
    """The prediction is the same for any amount of padding in front, with any weights."""
    for mask_value, features in MASK_VALUES:
        exported = built(student, 7, features, 4, mask_value)
        for _ in range(3):
            model = with_weights(exported, rng)
            x = rng.normal(size=(10, 7, features)) + 0.05
            alone = one_row_a_sample(model.predict(x), 10)
            for blanks in (1, 4, 30):
                front = np.full((10, blanks, features), mask_value)
                behind = one_row_a_sample(model.predict(np.concatenate([front, x], axis=1)), 10)
                if not np.allclose(alone, behind, atol=1e-6, equal_nan=True):
                    many = "one timestep" if blanks == 1 else f"{blanks} timesteps"
                    raise Wrong(f"{many} of {mask_value:g} in front changed the predictions, {by(alone, behind)}, "
                                "once the model has other weights than fresh ones.",
                                why(model, mask_value))  # fmt: skip


@exercise("masked-model", share=1, read=MASKING)
def test_everything_else_is_data(student: Student, rng: np.random.Generator) -> None:
    """The model reads all timesteps that are not only `mask_value`, also zeros, in their order."""
    exported = built(student, 6, 2, 5, -99.0)
    # 20 sets of random weights: if the model reads a timestep, all of them miss it only if it is deaf.
    models = [with_weights(exported, rng) for _ in range(20)]
    x = rng.normal(size=(12, 6, 2)) + 0.05

    def heard(first: Array, second: Array) -> bool:
        pairs = [(one_row_a_sample(m.predict(first), 12), one_row_a_sample(m.predict(second), 12)) for m in models]
        return any(not np.allclose(one, two, atol=1e-7, equal_nan=True) for one, two in pairs)

    that(heard(x, x + 1), "the predictions are the same for different data.",
         "A softmax of a single output is always 1: leave the activation of the dense layer out.")  # fmt: skip
    for step in (0, 3, 5):
        changed = x.copy()
        changed[:, step] += 1
        that(heard(x, changed), f"the predictions do not depend on timestep {step}, although it is data.")
    that(heard(x, x[:, ::-1]), "the order of the timesteps makes no difference to the predictions.", "Use an LSTM.")
    for name, special in (("0", [0.0, 0.0]), ("-99 in one of its two features", [-99.0, 0.5])):
        without, behind = x.copy(), x.copy()
        without[:, 2] = -99.0
        behind[:, 2] = special
        that(heard(without, behind), f"a timestep of {name} is skipped like padding, but it is data.",
             "Only a timestep whose features all equal `mask_value` is padding.")  # fmt: skip


@exercise("masked-model", share=1, read=MASKING)
def test_shapes_and_units(student: Student) -> None:
    """The input is (timesteps, features), an LSTM has `units` units, and a dense layer gives one number per sample."""
    for timesteps, features, units in ((5, 1, 3), (9, 4, 6)):
        exported = built(student, timesteps, features, units, -9.0)
        model = rebuild(exported.get("architecture"), exported.get("weights"))
        that(model.input_shape[0] in {None, timesteps} and model.input_shape[1] == features,
             f"the input should be ({timesteps}, {features}), but is {model.input_shape}.")  # fmt: skip
        that("LSTM" in model.names, f"the model's layers are {', '.join(model.names)}: there is no LSTM.")
        sizes = [layer.recurrent_kernel.shape[0] for layer in model.layers if hasattr(layer, "recurrent_kernel")]
        that(units in sizes, f"the LSTM should have {units} units, but has {sizes[0]}.", "Use `units`.")
        outputs = one_row_a_sample(model.predict(np.ones((3, timesteps, features))), 3).shape[1]
        that(outputs == 1, f"the model should give one number per sample, but gives {outputs}.", "End with Dense(1).")
        weights = [name for name in model.names if name in {"LSTM", "Dense"}]
        that(weights == ["LSTM", "Dense"], f"the layers with weights are {', '.join(weights)}, not LSTM and Dense.",
             "One LSTM, then Dense(1), and no other layer with weights.")  # fmt: skip
        last = [layer for layer in model.layers if isinstance(layer, Dense)][-1:]
        numbers = np.array([[-2.0], [0.5], [3.0]])
        that(bool(last) and np.allclose(last[0].activation(numbers), numbers),
             "the model should end in a dense layer without an activation.",
             "The prediction can be any number: leave the activation of the last Dense out.")  # fmt: skip
