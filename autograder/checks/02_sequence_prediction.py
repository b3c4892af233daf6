"""Hidden checks of 02, sequence prediction (slides 10 to 13)."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from autograder.examination.expectations import (
    Array,
    Wrong,
    alike,
    array,
    close,
    exercise,
    generator,
    parts,
    raises,
    show,
    that,
    unchanged,
)
from autograder.examination.misconceptions import Mistake
from autograder.examination.student import Student, StudentError
from autograder.examination.varieties import sequences

WINDOWS = "A window slides along"
STEPS = "One step or many"
FEATURES = "One sensor or several"
ORDER = "Does the model use the order?"
BASELINES = "Hard to beat"

LATE = "Off by one: the target begins one place too late; it comes right after the window."

sizes = st.integers(1, 5)
# Three pairs or more, so that a smallest counterexample still shows what is wrong.
numbers_of_pairs = st.integers(3, 6)


def windows(values: Array, timesteps: int, multisteps: int) -> tuple[Array, Array]:
    """Windows along the first axis and the rows after each, by places: place t of window i is i + t."""
    starts = np.arange(len(values) - timesteps - multisteps + 1)[:, None]
    return values[starts + np.arange(timesteps)], values[starts + timesteps + np.arange(multisteps)]


def readings(rng: np.random.Generator, size: int) -> Array:
    """Numbers of which no two are alike, so that no mistake in a place goes unseen."""
    return np.round(rng.permutation(size) * 3 + rng.uniform(0, 2, size), 2)


def pairs_are(value: Any, name: str, values: Array, timesteps: int, multisteps: int | None = None) -> None:
    """Expect the pairs of a 1-D sequence; without `multisteps`, y is 1-D."""
    X, y = windows(values, timesteps, multisteps or 1)
    if multisteps is None:
        y = y[:, 0]
    found_X, found_y = parts(value, 2, name)
    ahead = "" if multisteps is None else f", multisteps={multisteps}"
    case = f"for {len(values)} values, timesteps={timesteps}{ahead}"
    found, targets = array(found_X, "X"), array(found_y, "y")
    if alike(found, y) and alike(targets, X):
        raise Wrong(f"X {case} is what y should be.", Mistake("X and y have changed places: return X first, then y."))
    mistakes = _wrong_windows(X, values, timesteps)
    if alike(targets, y):
        mistakes["The axes are swapped: a row of X is one window."] = X.T
    elif found.ndim == 2 and 0 < found.shape[1] < len(values) and found.shape[1] != timesteps:
        whole = windows(values, found.shape[1], 0)[0][: len(found)]
        mistakes["The length of the windows is not `timesteps`."] = whole
    if alike(found, X[:-1]) and alike(targets, y[1:]):
        mistakes = {LATE: X[:-1]}
    close(found, X, f"X {case}", _step_of(found, X), mistakes=mistakes)
    close(targets, y, f"y {case}", _step_of_y(targets, y), mistakes=lambda: _wrong_targets(X, y, values, timesteps))


def _step_of(found: Array, X: Array) -> str:
    if found.ndim == 3:
        return "One sequence makes windows of shape (n, timesteps), without a third axis."
    if found.shape[1:] == X.shape[1:] and found.shape != X.shape:
        return "Count the windows: each begins one place after the one before, and each has its target right after it."
    if found.size == 0:
        return "There is no pair at all: n is at least 1 here."
    return "X[i] begins at place i of the sequence, and holds `timesteps` values in their order."


def _wrong_windows(X: Array, values: Array, timesteps: int) -> dict[str, Array]:
    everything, none = windows(values, timesteps, 0)[0], np.empty((0, timesteps))
    return {
        "The last windows have no full target after them: leave them out.": everything,
        "Off by one: a pair is missing at the end. The last target is the last value of the sequence.": X[:-1],
        "Off by one: the first window begins at place 0.": everything[1 : len(X) + 1],
        "The first window is missing: it begins at place 0.": X[1:],
        "The windows are side by side: each should begin one place after the one before, so that they overlap.": (
            X[::timesteps] if timesteps > 1 else none
        ),
        "The windows are the wrong way round: the earliest value comes first.": X[:, ::-1],
    }


def _step_of_y(found: Array, y: Array) -> str:
    if found.shape == y.shape:
        return "y[i] begins right after window i, at place i + timesteps."
    if y.ndim == 1:
        return "y is 1-D, one number for each window."
    if found.size == y.size and found.ndim < 2:
        return "y is 2-D, also for a single step or a single pair: (n, multisteps)."
    return "There is one row of y for each window, and `multisteps` values in each."


def _wrong_targets(X: Array, y: Array, values: Array, timesteps: int) -> dict[str, Array]:
    ahead = 1 if y.ndim == 1 else y.shape[1]
    places = np.arange(len(X))[:, None] + np.arange(ahead) + timesteps
    late = values[np.minimum(places + 1, len(values) - 1)]
    found = {
        "Look-ahead: the target is the last value of the window itself, so the answer is in the question.": (
            values[places - 1]
        ),
        LATE: late,
    }
    if y.ndim == 1:
        return {sentence: wrong[:, 0] for sentence, wrong in found.items()}
    return found | {
        "The steps are the wrong way round: the nearest comes first.": y[:, ::-1],
        "Only the first step is there: return all `multisteps` values after the window.": y[:, :1],
        "Only the last step is there: return all `multisteps` values after the window.": y[:, -1:],
        "The first step is repeated: the others are the values that follow it, one after the other.": (
            np.repeat(y[:, :1], ahead, axis=1)
        ),
    }


def by_places(call: Callable[[], Any]) -> Any:
    """The answer for a pandas Series or DataFrame, with a remark on labels if it raised."""
    try:
        return call()
    except StudentError as error:
        if error.raised.type not in {"KeyError", "IndexError"}:
            raise
        message = f"It should work with any index, whatever its labels; it raised {error.raised}."
        raise Wrong(message, "Places count, not labels: take np.asarray, to_numpy() or iloc.") from None


# next-value


@exercise("next-value", share=3, read=WINDOWS)
@given(timesteps=sizes, n=numbers_of_pairs)
def test_every_window_and_its_next_value(student: Student, timesteps: int, n: int) -> None:
    """Every window of the sequence is there, in order, with the value right after it."""
    sequence = [10 * (place + 1) for place in range(timesteps + n)]
    pairs_are(student.single_step_pairs(sequence, timesteps), "single_step_pairs", np.array(sequence), timesteps)


@exercise("next-value", share=2, read=WINDOWS)
def test_values_in_any_order(student: Student, rng: np.random.Generator) -> None:
    """The values stay as they are, in their own order, in arrays, too."""
    for size, timesteps in ((5, 2), (9, 4), (12, 1), (7, 6), (40, 24)):
        values = readings(rng, size)
        pairs_are(student.single_step_pairs(values, timesteps), "single_step_pairs", values, timesteps)
        unchanged(student)


@exercise("next-value", share=1, read=WINDOWS)
def test_kinds_of_sequence(student: Student, rng: np.random.Generator) -> None:
    """For a pandas Series the places count, whatever its index."""
    values = readings(rng, 8)
    hours = pd.date_range("2024-03-01", periods=8, freq="h")
    for series in (pd.Series(values, hours), pd.Series(values, np.arange(8)[::-1]), pd.Series(values, range(3, 11))):
        found = by_places(lambda s=series: student.single_step_pairs(s, 3))
        pairs_are(found, "single_step_pairs", values, 3)
        unchanged(student)


@exercise("next-value", share=2, read=WINDOWS)
def test_too_short_a_sequence(student: Student, rng: np.random.Generator) -> None:
    """A sequence without a single pair raises ValueError, and one with a single pair does not."""
    hint = "Count the pairs first: with len(sequence) - timesteps below 1, raise ValueError."
    for size, timesteps in ((2, 5), (1, 3), (3, 3), (1, 1)):
        what = f"a sequence of {size} value{'s' if size > 1 else ''} with windows of {timesteps}"
        sequence = readings(rng, size)
        raises("ValueError", lambda s=sequence, t=timesteps: student.single_step_pairs(s, t), what, hint)
        raises("ValueError", lambda s=sequence, t=timesteps: student.single_step_pairs(s.tolist(), t), what, hint)
        unchanged(student, "The sequence stays as it is, also where you raise an error.")
    values = readings(rng, 4)
    pairs_are(student.single_step_pairs(values, 3), "single_step_pairs", values, 3)


@exercise("next-value", share=1, read=WINDOWS)
def test_any_numbers(student: Student, rng: np.random.Generator) -> None:
    """Every number counts: zeros, numbers below 0, equal ones, whole ones among fractions; a list stays as it is."""
    for what, values, numbers in sequences(rng, 9):
        X, y = windows(numbers, 3, 1)
        found = parts(by_places(lambda v=values: student.single_step_pairs(v, 3)), 2, "single_step_pairs")
        close(found[0], X, f"X for {what}", "Take every value as it is, by its place.")
        close(found[1], y[:, 0], f"y for {what}", "Take every value as it is, by its place.")
        unchanged(student)
    values = readings(rng, 1200)
    pairs_are(student.single_step_pairs(values, 2), "single_step_pairs", values, 2)


# multi-step


@exercise("multi-step", share=3, read=STEPS)
@given(timesteps=sizes, multisteps=sizes, n=numbers_of_pairs)
def test_every_window_and_its_next_values(student: Student, timesteps: int, multisteps: int, n: int) -> None:
    """Every window is there, in order, with the `multisteps` values right after it."""
    sequence = [10 * (place + 1) for place in range(timesteps + multisteps + n - 1)]
    found = student.multi_step_pairs(sequence, timesteps, multisteps)
    pairs_are(found, "multi_step_pairs", np.array(sequence), timesteps, multisteps)


@exercise("multi-step", share=2, read=STEPS)
def test_multi_step_values_in_any_order(student: Student, rng: np.random.Generator) -> None:
    """The values stay as they are, in their own order, in arrays, too."""
    for size, timesteps, multisteps in ((7, 3, 2), (12, 7, 3), (10, 2, 5), (9, 3, 3), (60, 24, 12)):
        values = readings(rng, size)
        found = student.multi_step_pairs(values, timesteps, multisteps)
        pairs_are(found, "multi_step_pairs", values, timesteps, multisteps)
        unchanged(student)


@exercise("multi-step", share=1, read=STEPS)
def test_multi_step_of_one_step(student: Student, rng: np.random.Generator) -> None:
    """For a single step y is still 2-D, and for a single pair there is one row."""
    for size, timesteps, multisteps in ((6, 2, 1), (5, 3, 2), (2, 1, 1)):
        values = readings(rng, size)
        found = student.multi_step_pairs(values, timesteps, multisteps)
        pairs_are(found, "multi_step_pairs", values, timesteps, multisteps)


@exercise("multi-step", share=1, read=STEPS)
def test_multi_step_kinds_of_sequence(student: Student, rng: np.random.Generator) -> None:
    """For a pandas Series the places count, whatever its index."""
    values = readings(rng, 9)
    hours = pd.date_range("2024-03-01", periods=9, freq="h")
    for series in (pd.Series(values, hours), pd.Series(values, np.arange(9)[::-1]), pd.Series(values, range(3, 12))):
        found = by_places(lambda s=series: student.multi_step_pairs(s, 3, 2))
        pairs_are(found, "multi_step_pairs", values, 3, 2)
        unchanged(student)


@exercise("multi-step", share=1, read=STEPS)
def test_multi_step_any_numbers(student: Student, rng: np.random.Generator) -> None:
    """Every number counts: zeros, numbers below 0, equal ones, whole ones among fractions; a list stays as it is."""
    for what, values, numbers in sequences(rng, 9):
        X, y = windows(numbers, 3, 2)
        found = parts(by_places(lambda v=values: student.multi_step_pairs(v, 3, 2)), 2, "multi_step_pairs")
        close(found[0], X, f"X for {what}", "Take every value as it is, by its place.")
        close(found[1], y, f"y for {what}", "Take every value as it is, by its place.")
        unchanged(student)
    values = readings(rng, 60)
    pairs_are(student.multi_step_pairs(values, 5, 40), "multi_step_pairs", values, 5, 40)


# multivariate


def table(rng: np.random.Generator, rows: int, columns: list[str]) -> pd.DataFrame:
    """A frame in which no two numbers are alike."""
    return pd.DataFrame(readings(rng, rows * len(columns)).reshape(rows, len(columns)), columns=columns)


def multivariate_are(
    student: Student, frame: pd.DataFrame, target: str, timesteps: int, multisteps: int | None = None
) -> None:
    """Call multivariate_pairs and expect its pairs; without `multisteps`, it is left out of the call."""
    more = () if multisteps is None else (multisteps,)
    answer = by_places(lambda: student.multivariate_pairs(frame, target, timesteps, *more))
    found_X, found_y = parts(answer, 2, "multivariate_pairs")
    values, place = frame.to_numpy(dtype=float), list(frame.columns).index(target)
    X, after = windows(values, timesteps, multisteps or 1)
    y = after[:, :, place]
    case = (
        f"for {len(frame)} rows of {', '.join(map(str, frame.columns))}, target {target}, timesteps={timesteps}, "
        f"multisteps={multisteps or 1}"
    )
    block = array(found_X, "X")
    close(block, X, f"X {case}", _step_of_block(block, X), mistakes=lambda: _wrong_blocks(X, values, place))
    targets = array(found_y, "y")
    # The contract leaves the shape for a single step open.
    if y.shape[1] == 1 and targets.shape == (len(y),):
        targets = targets[:, None]
    step = "y[i] is the target column in the rows right after window i: a row for each window, a column for each step."
    close(targets, y, f"y {case}", step, mistakes=lambda: _wrong_column(X, values, after, place))


def _step_of_block(found: Array, X: Array) -> str:
    if found.ndim == 2:
        return "Each window is a table of timesteps and features: do not flatten it."
    if found.ndim == 3 and found.shape[1:] == X.shape[1:] and len(found) != len(X):
        return "n = rows - timesteps - multisteps + 1: the last target is in the last row."
    return "X[i] is rows i to i + timesteps - 1 of all columns, in the frame's order."


def _wrong_blocks(X: Array, values: Array, place: int) -> dict[str, Array]:
    others = [column for column in range(X.shape[2]) if column != place]
    moved = "The target has been moved: keep the frame's own order of columns."
    return {
        "The axes are swapped: X is (n, timesteps, features). Use transpose or swapaxes, not reshape.": (
            np.swapaxes(X, 1, 2)
        ),
        "The shape is right, but the sensors are mixed up: swap the axes, do not reshape.": (
            np.swapaxes(X, 1, 2).reshape(X.shape)
        ),
        "The target's own past belongs to the window, too.": X[:, :, others],
        "Off by one: the last window is missing. The last target is in the last row.": X[:-1],
        "The last windows have no full target after them: leave them out.": windows(values, X.shape[1], 0)[0],
        "The windows are side by side: each should begin one row after the one before, so that they overlap.": (
            X[:: X.shape[1]] if X.shape[1] > 1 else X[:0]
        ),
        "The windows are the wrong way round: the earliest row comes first.": X[:, ::-1],
        moved + " It is the last one.": X[:, :, [*others, place]],
        moved + " It is the first one.": X[:, :, [place, *others]],
        "The columns are sorted by name, or turned: keep the frame's order.": X[:, :, ::-1],
    }


def _wrong_column(X: Array, values: Array, after: Array, place: int) -> dict[str, Array]:
    n, timesteps, features = X.shape
    ahead = after.shape[1]
    places = np.arange(n)[:, None] + np.arange(ahead) + timesteps
    y = after[:, :, place]
    columns = [
        (f"These are values of the {where} column: look the target up by its name.", after[:, :, column])
        for where, column in (("first", 0), ("last", features - 1), *((f"{k + 1}.", k) for k in range(1, features - 1)))
        if column != place
    ]
    return dict(columns) | {
        "All columns are predicted: return only the target column.": after,
        "Look-ahead: the target begins in the last row of the window, so the answer is in the question.": (
            values[places - 1, place]
        ),
        "Look-ahead: the target begins in the first row of the window, so the answer is in the question.": (
            values[places - timesteps, place]
        ),
        "Off by one: the target begins one row too late; it comes right after the window.": (
            values[np.minimum(places + 1, len(values) - 1), place]
        ),
        "The steps are the wrong way round: the nearest comes first.": y[:, ::-1],
        "Only the last step is there: all `multisteps` rows after the window are asked for.": y[:, -1:],
    }


@exercise("multivariate", share=3, read=FEATURES)
@given(timesteps=st.integers(1, 4), multisteps=st.integers(1, 3), n=numbers_of_pairs, place=st.integers(0, 2))
def test_multivariate_windows(student: Student, timesteps: int, multisteps: int, n: int, place: int) -> None:
    """X holds all columns in the frame's order, y the target right after each window."""
    rows = np.arange(1, timesteps + multisteps + n)
    frame = pd.DataFrame({"wind": rows, "no2": 10 * rows, "flow": 100 * rows})
    multivariate_are(student, frame, str(frame.columns[place]), timesteps, multisteps)


@exercise("multivariate", share=2, read=FEATURES)
def test_multivariate_any_frame(student: Student, rng: np.random.Generator) -> None:
    """It works with two features or many, as many as timesteps or not, with names in any order."""
    cases = (
        (["no2", "flow"], "flow", 6, 3, 2),
        (["no2", "flow"], "flow", 9, 4, 2),
        (["wind", "flow", "no2", "day"], "no2", 12, 4, 3),
        (["z", "y", "x"], "y", 8, 3, 1),
        (["q", "c", "p", "a", "b"], "q", 15, 2, 6),
    )
    for columns, target, rows, timesteps, multisteps in cases:
        multivariate_are(student, table(rng, rows, columns), target, timesteps, multisteps)
        unchanged(student)


@exercise("multivariate", share=1, read=FEATURES)
def test_multivariate_of_one_step(student: Student, rng: np.random.Generator) -> None:
    """Without `multisteps` one step is predicted."""
    multivariate_are(student, table(rng, 7, ["wind", "no2", "flow"]), "no2", 3)
    multivariate_are(student, table(rng, 4, ["wind", "no2"]), "wind", 3)


@exercise("multivariate", share=1, read=FEATURES)
def test_multivariate_one_feature_or_any_index(student: Student, rng: np.random.Generator) -> None:
    """One column still makes three dimensions, and the frame's index does not matter."""
    multivariate_are(student, table(rng, 8, ["flow"]), "flow", 3, 2)
    rows = np.arange(9)
    for index in (pd.date_range("2024-03-01", periods=9, freq="h"), rows[::-1], rows + 5, rows[::-1] / 4):
        multivariate_are(student, table(rng, 9, ["wind", "no2", "flow"]).set_index(pd.Index(index)), "no2", 2, 2)
        unchanged(student)


@exercise("multivariate", share=1, read=FEATURES)
def test_multivariate_any_numbers(student: Student, rng: np.random.Generator) -> None:
    """Every row counts, also of zeros, below 0, or the same as another; the frame and its names stay as they are."""
    low, high = np.round(rng.uniform(1, 9, (2, 8)), 3)
    low[3], low[5], high[5] = 0.0, low[4], high[4]
    frame = pd.DataFrame({"NO2_roof": rng.integers(1, 9, 8), "target": low, "NO2": -high})
    frame.iloc[2] = 0
    frame.iloc[5] = frame.iloc[4]
    for target in ("NO2", "target", "NO2_roof"):
        place = list(frame.columns).index(target)
        for multisteps in (1, 2):
            X, after = windows(frame.to_numpy(float), 2, multisteps)
            answer = by_places(lambda t=target, m=multisteps: student.multivariate_pairs(frame, t, 2, m))
            found = parts(answer, 2, "multivariate_pairs")
            case = f"for target {target} in {', '.join(frame.columns)}, multisteps={multisteps}"
            close(found[0], X, f"X {case}", "Take every row and every column as it is.", rtol=0, atol=1e-6)
            targets = array(found[1], f"y {case}")
            targets = targets[:, None] if multisteps == 1 and targets.ndim == 1 else targets
            close(targets, after[:, :, place], f"y {case}", "Look the target up by its whole name.", rtol=0, atol=1e-6)
            unchanged(student)


# order-matters


def permutation(found: Array, X: Array, what: str) -> list[int]:
    """The one permutation p with found[:, t] = X[:, p[t]]; X must have no two columns alike."""
    places = [[p for p in range(X.shape[1]) if alike(found[:, t], X[:, p])] for t in range(X.shape[1])]
    if all(len(one) == 1 for one in places) and len({one[0] for one in places}) == X.shape[1]:
        return [one[0] for one in places]
    raise Wrong(f"{what} is not X with its timesteps in another order.", _why_not_permuted(found, X))


def _why_not_permuted(found: Array, X: Array) -> str:
    if all(len(set(column)) == 1 for column in map(tuple, (found == X).reshape(len(X), -1).T.tolist())) and alike(
        np.sort(found, axis=0), np.sort(X, axis=0)
    ):
        return Mistake("The samples have changed places. The timesteps are the second axis, axis=1.")
    if X.ndim == 3 and alike(np.sort(found, axis=2), np.sort(X, axis=2)):
        return Mistake("The features have changed places. The timesteps are the second axis, axis=1.")
    if alike(np.sort(found.reshape(len(X), -1), axis=1), np.sort(X.reshape(len(X), -1), axis=1)):
        if X.ndim == 3 and not alike(np.sort(found, axis=1), np.sort(X, axis=1)):
            return Mistake("The features of one timestep must stay together: a row of a window moves as a whole.")
        return Mistake(
            "Each sample (or feature) was shuffled in its own way: draw one permutation, and use it for all."
        )
    if alike(np.sort(found, axis=0), np.sort(X, axis=0)):
        return Mistake("The samples have changed places. The timesteps are the second axis, axis=1.")
    return "Take X[:, p] with one permutation p of the timesteps."


@exercise("order-matters", share=3, read=ORDER)
def test_shuffles_all_samples_alike(student: Student, rng: np.random.Generator) -> None:
    """The timesteps of all samples change places in the same way."""
    orders = []
    for n, timesteps in ((5, 12), (2, 12), (30, 24), (7, 3), (1, 12)):
        X = readings(rng, n * timesteps).reshape(n, timesteps)
        found = array(student.shuffle_timesteps(X, generator(rng)), "the shuffled array", X.shape)
        orders.append(permutation(found, X, "the result"))
        unchanged(student)
    # Nothing moves in three draws of 12 or more with a chance below 1 in 10^25.
    that(any(order != sorted(order) for order in orders if len(order) >= 12), "the order has not changed.",
         "rng.shuffle works in place and returns None; rng.permutation returns a new array.")  # fmt: skip


@exercise("order-matters", share=2, read=ORDER)
def test_shuffles_tables(student: Student, rng: np.random.Generator) -> None:
    """In windows of several features each timestep's row moves as a whole."""
    moved = False
    for shape in ((4, 10, 3), (3, 8, 8), (6, 9, 1)):
        X = readings(rng, int(np.prod(shape))).reshape(shape)
        found = array(student.shuffle_timesteps(X, generator(rng)), "the shuffled array", shape)
        order = permutation(found, X, "the result")
        moved = moved or order != sorted(order)
        unchanged(student)
    # By chance with less than 1 in 10^16.
    that(moved, "the order has not changed in any of three tables.", "The timesteps are the second axis, axis=1.")


def many_shuffles(shuffle: Any, X: Any, seed: Any, times: Any) -> Any:
    rng = np.random.default_rng(seed)
    return np.stack([np.asarray(shuffle(X.copy(), rng)) for _ in range(times)])


@exercise("order-matters", share=2, read=ORDER)
def test_every_permutation_may_come(student: Student, rng: np.random.Generator) -> None:
    """Each call draws the order again, from `rng` alone, and every permutation is possible."""
    X, draw = readings(rng, 36).reshape(3, 12), generator(rng)
    first, again = (array(student.shuffle_timesteps(X, draw), "the shuffled array", X.shape) for _ in range(2))
    hint = "Draw from the `rng` that is passed, not from np.random or random."
    that(alike(first, again, equal_nan=False), "two generators in the same state gave different orders.", hint)
    # Two orders of 12 are alike with a chance of 1 in 479,001,600, three with that squared.
    others = [array(student.shuffle_timesteps(X, generator(rng)), "the shuffled array", X.shape) for _ in range(2)]
    that(
        not all(alike(first, other, equal_nan=False) for other in others),
        "three different generators gave the same order.",
        hint,
    )

    X, seed = readings(rng, 10).reshape(2, 5), int(rng.integers(2**31))
    found = array(student.apply(many_shuffles, student["shuffle_timesteps"], X, seed, 150), "150 shuffles")
    that(found.shape == (150, 2, 5), "a second call with the same generator gives another shape.")
    orders = [tuple(permutation(one, X, "a later shuffle")) for one in found]
    count = len(set(orders))
    that(count > 1, "150 calls with one generator gave the same order each time.",
         "Do not make a new generator, and do not seed the one that is passed.")  # fmt: skip
    # 150 draws of 120 permutations give 86 different ones, give or take 5; 24 could not be missed by 12 deviations.
    that(count > 25, f"of 120 permutations of five timesteps only {count} came in 150 calls.",
         "Rotating or reversing the timesteps is not shuffling: use rng.permutation.")  # fmt: skip
    # A place is missed by a timestep in 150 draws with a chance of 25 * 0.8^150, below 1 in 10^13.
    unmoved = [t for t in range(5) if all(order[t] == t for order in orders)]
    that(not unmoved, f"{len(unmoved)} of the timesteps never change their place.", "All timesteps take part.")
    three = readings(rng, 6).reshape(2, 3)
    found = array(student.apply(many_shuffles, student["shuffle_timesteps"], three, seed, 150), "150 shuffles")
    that(found.shape == (150, 2, 3), "a second call with the same generator gives another shape.")
    # One of 6 orders is missed in 150 draws with a chance of 6 * (5 / 6)^150, below 1 in 10^11.
    count = len({tuple(permutation(one, three, "a later shuffle")) for one in found})
    that(count == 6, f"of the 6 orders of three timesteps only {count} came in 150 calls.",
         "Each order is as likely as the others, also one that leaves timesteps where they were: do not draw again "
         "until it pleases.")  # fmt: skip

    X = readings(rng, 80).reshape(2, 40)
    found = array(student.apply(many_shuffles, student["shuffle_timesteps"], X, seed, 60), "60 shuffles", (60, 2, 40))
    stayed = np.all(found == X.astype(found.dtype), axis=1).mean(axis=0)
    # A timestep stays at its place in one of 40 shuffles: in 30 of 60 with a chance below 1 in 10^30.
    that(stayed.max() < 0.5, f"of 40 timesteps, {int((stayed >= 0.5).sum())} stay at their place in most shuffles.",
         "All timesteps take part, however many there are.")  # fmt: skip


@exercise("order-matters", share=1, read=ORDER)
def test_every_permutation_is_as_likely(student: Student, rng: np.random.Generator) -> None:
    """The six orders of three timesteps come equally often, and the state of `rng` moves on."""
    X, seed, times = np.array([[1.0, 2.0, 3.0]]), int(rng.integers(2**31)), 6000
    found = array(student.apply(many_shuffles, student["shuffle_timesteps"], X, seed, times), f"{times} shuffles",
                  (times, 1, 3))  # fmt: skip
    counts = np.array([np.all(found[:, 0] == order, axis=1).sum() for order in itertools.permutations([1.0, 2.0, 3.0])])
    expected = times / 6
    # Chi-square with five degrees of freedom: above 60 with a chance of 1 in 10^11.
    that(bool(np.sum((counts - expected) ** 2) / expected < 60),
         f"in {times} shuffles of three timesteps, the six orders came {show(counts.tolist())} times.",
         "rng.permutation gives each order with the same chance: draw once, and keep what comes.")  # fmt: skip
    for shape in ((2, 1), (3, 4)):
        moved = array(student.apply(moves_on, student["shuffle_timesteps"], np.ones(shape), seed), "the states", (2,))
        if shape[1] > 1:
            that(bool(moved[0]), "the state of `rng` is the same after a call.", "Draw from the `rng` that is passed.")
        that(not moved[1], "the result shares its memory with X.", "Return a new array, also where nothing moves.")


def moves_on(shuffle: Any, X: Any, seed: Any) -> Any:
    """Whether a call changes the generator, and whether one of 20 results is a view of X."""
    rng = np.random.default_rng(seed)
    before = str(rng.bit_generator.state)
    results = [np.asarray(shuffle(X, rng)) for _ in range(20)]
    return np.array([before != str(rng.bit_generator.state), any(np.shares_memory(one, X) for one in results)])


def last_value(Z: Any) -> Any:
    return np.asarray(Z)[:, -1]


def first_value(Z: Any) -> Any:
    return np.asarray(Z)[:, 0]


def mean_value(Z: Any) -> Any:
    return np.asarray(Z).mean(axis=1)


def weighted(Z: Any) -> Any:
    Z = np.asarray(Z)
    return Z @ (np.arange(1, Z.shape[1] + 1) ** 2 / 10)


def weighted_table(Z: Any) -> Any:
    Z = np.asarray(Z)
    return Z[:, :, 0] @ (np.arange(1, Z.shape[1] + 1) ** 2 / 10) + 0.5 * Z[:, -1, 1]


def all_sensitivities(predict: Any, X: Array, y: Array) -> Array:
    """What may come out, one number for each permutation."""

    def error(Z: Array) -> float:
        return float(np.sqrt(np.mean((predict(Z) - y) ** 2)))

    orders = itertools.permutations(range(X.shape[1]))
    return np.array([error(X[:, list(order)]) - error(X) for order in orders])


def one_of(found: float, possible: Array) -> bool:
    # The difference of two errors in float32 has fewer digits than each.
    return bool(np.isclose(found, possible, rtol=1e-4, atol=1e-3).any())


def _why_sensitivity(found: Array, predict: Any, X: Array, y: Array) -> str:
    """The formula that gives all of the wrong numbers."""
    orders = [list(order) for order in itertools.permutations(range(X.shape[1]))]
    ordered = predict(X) - y
    shuffled = [predict(X[:, order]) - y for order in orders]
    right = np.array([np.sqrt(np.mean(e**2)) - np.sqrt(np.mean(ordered**2)) for e in shuffled])
    if (right <= 0).all() and (found >= 0).all():
        return "This model does better on some shuffled windows: the result is then negative. Leave abs and max out."
    guesses = {
        "The sign is the other way round: it is shuffled minus ordered.": -right,
        "This is the RMSE on the shuffled windows alone: subtract the one in order.": [
            np.sqrt(np.mean(e**2)) for e in shuffled
        ],
        "This is a difference of mean squared errors: take the roots first.": [
            np.mean(e**2) - np.mean(ordered**2) for e in shuffled
        ],
        "This is a difference of mean absolute errors: take the RMSE.": [
            np.mean(np.abs(e)) - np.mean(np.abs(ordered)) for e in shuffled
        ],
        "This compares the two forecasts with each other: compare each with y.": [
            np.sqrt(np.mean((e - ordered) ** 2)) for e in shuffled
        ],
        "This is the root of a difference of squares: take each root first, then the difference.": [
            np.sign(d) * np.sqrt(abs(d)) for d in (np.mean(e**2) - np.mean(ordered**2) for e in shuffled)
        ],
        "These are sums of squares: the M in RMSE stands for mean.": right * np.sqrt(len(y)),
    }
    for sentence, possible in guesses.items():
        if all(one_of(value, np.asarray(possible)) for value in found):
            return Mistake(sentence)
    return "Shuffle X once, with one permutation for all samples, leave y as it is, and take RMSE minus RMSE."


@exercise("order-matters", share=4, read=ORDER)
def test_sensitivity_is_rmse_shuffled_minus_ordered(student: Student, rng: np.random.Generator) -> None:
    """RMSE on the shuffled windows minus RMSE on those in order, whatever its sign."""
    X = readings(rng, 28).reshape(7, 4) / 3
    # The first value is by far the worst forecast of the four: every other order is better.
    away = X + np.array([60, 0, 0, 0])
    near, far = X[:, -1] + rng.normal(0, 0.3, 7), X[:, -1] + rng.normal(0, 9, 7)
    block = readings(rng, 48).reshape(6, 4, 2) / 3
    cases = (
        ("a forecast by the last value", last_value, X, near),
        ("a forecast that is better in another order", first_value, away, near),
        ("a weighted sum", weighted, X, far),
        ("windows of two features", weighted_table, block, block[:, -1, 0]),
        ("a single window", last_value, X[:1], far[:1]),
    )
    for what, predict, Z, y in cases:
        answers = []
        for _ in range(20):
            answers.append(float(array(student.order_sensitivity(predict, Z, y, generator(rng)), "the result", ())))
            unchanged(student)
        found = np.array(answers)
        possible = all_sensitivities(predict, Z, y)
        wrong = [value for value in found if not one_of(value, possible)]
        if wrong:
            raise Wrong(
                f"for {what}, no permutation of the timesteps gives {show(wrong[0])}.",
                _why_sensitivity(found, predict, Z, y),
            )
        # A forecast by one timestep has four possible errors: 20 draws all give the same one with a chance of
        # 4^-19, below 1 in 10^11.
        hint = "Shuffle with the `rng` that is passed, and give the shuffled windows to predict."
        if (possible <= 0).all():
            hint = "This model does better on some shuffled windows: the result is then negative."
        that(len(set(np.round(found, 3).tolist())) > 1, f"for {what}, 20 generators gave {show(found[0])} each.", hint)


@exercise("order-matters", share=1, read=ORDER)
def test_sensitivity_draws_from_rng(student: Student, rng: np.random.Generator) -> None:
    """The same state of `rng` gives the same result, and the order is that of shuffle_timesteps."""
    X = readings(rng, 80).reshape(10, 8)
    y = X[:, -1]
    for _ in range(3):
        draw = generator(rng)
        found = [float(array(student.order_sensitivity(weighted, X, y, draw), "the result", ())) for _ in range(2)]
        hint = "Draw the one permutation from the `rng` that is passed, by shuffle_timesteps."
        close(found[1], found[0], "the result for a second generator in the same state", hint)
        # Of 8 timesteps all stay with a chance of 1 in 40,320.
        that(abs(found[0]) > 1e-6, "the result is 0 for a model that uses the order.", "Give predict other windows.")


@exercise("order-matters", share=1, read=ORDER)
def test_sensitivity_without_order_is_zero(student: Student, rng: np.random.Generator) -> None:
    """A model that does not use the order has a sensitivity of 0; a model that uses it does not."""
    X = readings(rng, 60).reshape(10, 6)
    for _ in range(3):
        found = array(student.order_sensitivity(mean_value, X, X[:, -1], generator(rng)), "the result", ())
        close(found, 0.0, "the sensitivity of a forecast by the mean of the window", atol=1e-4,
              hint="Shuffle the timesteps only; samples and targets stay where they are.")  # fmt: skip
    # The last of 6 timesteps stays the last in all of 15 draws with a chance below 1 in 10^11.
    others = [
        array(student.order_sensitivity(last_value, X, X[:, -1], generator(rng)), "the result", ()) for _ in range(15)
    ]
    that(bool(np.any(np.abs(others) > 1e-3)), "the sensitivity of a forecast by the last value is 0 as well.",
         "Give the shuffled windows to predict.")  # fmt: skip


# baselines


@exercise("baselines", share=3, read=BASELINES)
def test_persistence(student: Student, rng: np.random.Generator) -> None:
    """Persistence repeats the last value of each window, in a row for each window."""
    for n, timesteps, multisteps in ((2, 3, 2), (4, 3, 2), (3, 5, 3), (1, 4, 6), (5, 1, 2), (3, 3, 3), (4, 2, 1)):
        X = readings(rng, n * timesteps).reshape(n, timesteps)
        found = array(student.persistence_forecast(X, multisteps), "the forecast")
        case = f"for windows of shape {X.shape} and {multisteps} step{'s' if multisteps > 1 else ''}"
        if found.shape != (n, multisteps):
            hint = (
                "The result is 2-D, also for a single step."
                if found.ndim == 1
                else ("A row for each window, a column for each step.")
            )
            raise Wrong(f"the forecast should have the shape {(n, multisteps)} {case}, but has {found.shape}.", hint)
        hint = "The last value of a window is in its last column, X[:, -1]."
        mistakes = {
            "This is the first value of each window, the oldest; the latest one is the last.": (
                np.repeat(X[:, :1], multisteps, axis=1)
            ),
            "This is the mean of each window; persistence takes its last value.": (
                np.repeat(X.mean(axis=1, keepdims=True), multisteps, axis=1)
            ),
            "The last values are spread over the rows: each row should belong to one window.": (
                np.resize(X[:, -1], (n, multisteps))
            ),
            "All rows are alike: each window has its own last value.": np.tile(X[-1, -1], (n, multisteps)),
        }
        close(found, np.repeat(X[:, -1:], multisteps, axis=1), f"the forecast {case}", hint, mistakes=mistakes)
        unchanged(student)


@exercise("baselines", share=1, read=BASELINES)
def test_baselines_of_any_numbers(student: Student, rng: np.random.Generator) -> None:
    """Every number counts: zeros, numbers below 0, equal ones, whole ones among fractions; nothing is changed."""
    X = np.round(rng.uniform(-9, 9, (5, 4)), 2)
    X[0, -1], X[1, -1], X[2] = 0.0, -3.5, 0.0
    close(array(student.persistence_forecast(X, 3), "the forecast"), np.repeat(X[:, -1:], 3, axis=1),
          "the forecast for windows that end with 0 or below 0", "The last value counts, whatever it is.")  # fmt: skip
    unchanged(student)
    for what, values, numbers in sequences(rng, 9):
        for period, horizon in ((4, 6), (9, 200)):
            found = by_places(lambda v=values, p=period, h=horizon: student.seasonal_naive_forecast(v, p, h))
            close(array(found, "the forecast"), np.resize(numbers[-period:], horizon), f"the forecast for {what}",
                  "Take every value as it is, by its place.")  # fmt: skip
            unchanged(student)


@exercise("baselines", share=3, read=BASELINES)
@given(period=st.integers(3, 5), extra=st.integers(0, 5), horizon=st.integers(2, 12))
def test_seasonal_naive(student: Student, period: int, extra: int, horizon: int) -> None:
    """The seasonal naive forecast repeats the last period, for `horizon` steps."""
    series = [10 * (place + 1) for place in range(period + extra)]
    _seasonal(student.seasonal_naive_forecast(series, period, horizon), np.array(series), period, horizon)


def _seasonal(value: Any, series: Array, period: int, horizon: int) -> None:
    season = series[len(series) - period :]
    expected = np.array([season[step % period] for step in range(horizon)])
    found = array(value, "the forecast")
    case = f"of {len(series)} values with a period of {period}, for {horizon} step{'s' if horizon > 1 else ''}"
    if found.shape != (horizon,):
        hint = (
            "Cut the repeated period off after `horizon` values."
            if found.ndim == 1 and len(found) > horizon
            else "Repeat the period until there are `horizon` values."
        )
        raise Wrong(f"the forecast {case}, should have the shape {(horizon,)}, but has {found.shape}.", hint)
    guesses = {
        "This repeats the first period of the series; repeat the last one.": np.resize(series[:period], horizon),
        "The last period is the wrong way round.": np.resize(season[::-1], horizon),
        "This repeats the last value only, which is persistence.": np.full(horizon, series[-1]),
        "The repeated period is cut off at its beginning; the forecast begins one period before the end.": np.resize(
            season, period * (-(-horizon // period))
        )[-horizon:],
        "These are the last `horizon` values; the forecast begins one period before the end.": series[-horizon:],
        "Each value is repeated in place; repeat the period as a whole.": np.repeat(season, -(-horizon // period))[
            :horizon
        ],
        "This begins one place too early: the last period is series[-period:].": np.resize(
            series[-period - 1 :][:period], horizon
        ),
    }
    hint = "Step h is the value at place h % period of the last period."
    close(found, expected, f"the forecast {case},", hint, mistakes=guesses)


@exercise("baselines", share=2, read=BASELINES)
def test_seasonal_naive_kinds_of_series(student: Student, rng: np.random.Generator) -> None:
    """For arrays and pandas Series the places count, whatever the index."""
    values = readings(rng, 11)
    hours = pd.date_range("2024-03-01", periods=11, freq="h")
    kinds = (values, pd.Series(values, hours), pd.Series(values, np.arange(11)[::-1]), pd.Series(values, range(3, 14)))
    for series in kinds:
        for period, horizon in ((4, 3), (3, 8), (11, 11), (5, 10), (1, 3), (2, 5), (6, 1), (1, 1)):
            found = by_places(lambda s=series, p=period, h=horizon: student.seasonal_naive_forecast(s, p, h))
            _seasonal(found, values, period, horizon)
            unchanged(student)
