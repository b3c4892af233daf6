"""Hidden checks of 06, from a sequence to supervised learning (slides 23 to 27)."""

import itertools
from collections.abc import Iterator
from functools import partial
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
    parts,
    show,
    that,
    unchanged,
)
from autograder.examination.misconceptions import Mistake
from autograder.examination.scaling import undo
from autograder.examination.student import Student
from autograder.examination.windows import pairs

SHIFT = "shift: the past in the next column"
WINDOWS = "Windows that respect the clock"
SPLIT = "Split along time"
SCALE = "Scale after the split"

ON_TRAIN = "Take minimum and maximum of each feature from the training windows alone."

# Three pairs or more, so that a smallest counterexample still shows what is wrong.
sizes = st.integers(1, 4)


def readings(rng: np.random.Generator, rows: int, columns: list[str]) -> pd.DataFrame:
    """A frame in which no two numbers are alike, so that no mistake in a place goes unseen."""
    numbers = rng.permutation(rows * len(columns)) * 3 + rng.uniform(0, 2, rows * len(columns))
    return pd.DataFrame(np.round(numbers, 2).reshape(rows, -1), columns=columns)


# shift


def moved(values: Array, step: int) -> Array:
    """Row r holds row r - step, NaN where there is none."""
    rows = np.arange(len(values)) - step
    inside = (rows >= 0) & (rows < len(values))
    return np.where(inside, values[np.clip(rows, 0, len(values) - 1)], np.nan)


def frame_of(value: Any, rows: int) -> pd.DataFrame:
    that(isinstance(value, pd.DataFrame), f"`add_lags` should return a DataFrame, but returned {show(value)}.")
    hint = "Keep the rows with NaN: drop nothing here." if len(value) < rows else ""
    that(len(value) == rows, f"The result should have {rows} rows, as the frame, but has {len(value)}.", hint)
    return value


def named(names: list[Any]) -> str:
    return ", ".join(str(name)[:40] for name in names[:12]) + (", …" if len(names) > 12 else "")


def columns_are(found: pd.DataFrame, expected: list[str]) -> None:
    """Expect these columns, in this order."""
    names = list(found.columns)
    if names == expected:
        return
    hint = "The frame's own columns, then the lags from (t-1) on, then the leads from (t+1) on."
    if sorted(map(str, names)) == sorted(expected):
        hint = f"The columns are right, but their order is not. {hint}"
    raise Wrong(f"The columns should be {named(expected)}, but are {named(names)}.", hint)


def column_is(found: pd.DataFrame, name: str, values: Array, step: int) -> None:
    """Expect in column `name` the values moved down by `step` rows."""
    expected = moved(values, step)
    numbers = array(found[name], f"column {name}", expected.shape)
    hint = "A lag is shift(k), the past; a lead is shift(-k), the future. Leave NaN at the edge."
    edge = np.isnan(expected)
    if alike(numbers[~edge], expected[~edge]) and edge.any() and not np.isnan(numbers[edge]).any():
        hint = f"The edge was filled with {show(numbers[edge][0])}, which nobody measured: leave NaN there."
    fetched = "shift(1) fetches the row before, shift(-1) the row after."
    look = f"Look-ahead: this column holds the future, not the past. {fetched}"
    late = f"This column holds the past, not the future. {fetched}"
    mistakes = {
        look if step > 0 else late: moved(values, -step),
        "Values that were pushed over the edge came in again at the other end, as np.roll does: leave NaN there.": (
            np.roll(values, step)
        ),
        "Off by one: this is shifted by one row too many.": moved(values, step + (1 if step > 0 else -1)),
        "Off by one: this is shifted by one row too few.": moved(values, step - (1 if step > 0 else -1)),
    }
    if abs(step) > 1:
        mistakes["This is a shift by 1, whatever k is."] = moved(values, 1 if step > 0 else -1)
    close(numbers, expected, f"column {name}", hint, mistakes=mistakes)


@exercise("shift", share=2, read=SHIFT)
@given(rows=st.integers(1, 7), lags=st.integers(1, 4), data=st.integers(0, 2**32))
def test_lags_hold_the_past(student: Student, rows: int, lags: int, data: int) -> None:
    """`column(t-k)` holds the value of k rows before, NaN where there is none."""
    frame = readings(np.random.default_rng(data), rows, ["flow"])
    found = frame_of(student.add_lags(frame, "flow", lags), rows)
    columns_are(found, ["flow", *(f"flow(t-{k})" for k in range(1, lags + 1))])
    for k in range(1, lags + 1):
        column_is(found, f"flow(t-{k})", frame["flow"].to_numpy(), k)


@exercise("shift", share=2, read=SHIFT)
@given(rows=st.integers(1, 7), lags=st.integers(0, 3), leads=st.integers(1, 3), data=st.integers(0, 2**32))
def test_leads_hold_the_future(student: Student, rows: int, lags: int, leads: int, data: int) -> None:
    """`column(t+k)` holds the value of k rows after; `lags` or `leads` of 0 add no column."""
    frame = readings(np.random.default_rng(data), rows, ["flow"])
    found = frame_of(student.add_lags(frame, "flow", lags, leads=leads), rows)
    ahead = [f"flow(t+{k})" for k in range(1, leads + 1)]
    columns_are(found, ["flow", *(f"flow(t-{k})" for k in range(1, lags + 1)), *ahead])
    for k, name in enumerate(ahead, start=1):
        column_is(found, name, frame["flow"].to_numpy(), -k)


@exercise("shift", share=2, read=SHIFT)
def test_keeps_the_columns_in_front(student: Student, rng: np.random.Generator) -> None:
    """The frame's columns come first with their values, then lags and leads of the named column alone."""
    columns = ["rain", "K Road", "wind"]
    frame = readings(rng, 8, columns)
    for column in ("K Road", "wind"):
        found = frame_of(student.add_lags(frame, column, 2, leads=2), 8)
        columns_are(found, [*columns, *(f"{column}(t{k:+d})" for k in (-1, -2, 1, 2))])
        for own in columns:
            close(found[own], frame[own].to_numpy(), f"column {own}", "The frame's own columns keep their values.")
        for k in (-1, -2, 1, 2):
            column_is(found, f"{column}(t{k:+d})", frame[column].to_numpy(), -k)


@exercise("shift", share=2, read=SHIFT)
def test_keeps_index_and_frame(student: Student, rng: np.random.Generator) -> None:
    """Rows count, whatever the index; the index stays the same, and the frame that was passed in does not change."""
    times = pd.date_range("2026-03-02", periods=9, freq="h").delete([4, 5])
    for index in (times, pd.Index([5, 3, 9, 1, 7, 2, 8]), pd.Index(list("gfedcba"))):
        frame = readings(rng, 7, ["flow", "rain"]).set_axis(index)
        frame["flow"] = np.round(frame["flow"]).astype(int)
        found = frame_of(student.add_lags(frame, "flow", 2, leads=1), 7)
        unchanged(student)
        that(found.index.tolist() == index.tolist(), "The index of the result is not that of the frame.",
             "Same rows, same index: shift(k) without freq keeps both.")  # fmt: skip
        columns_are(found, ["flow", "rain", "flow(t-1)", "flow(t-2)", "flow(t+1)"])
        for k in (-1, -2, 1):
            column_is(found, f"flow(t{k:+d})", frame["flow"].to_numpy(float), -k)


# to-supervised


def framed(
    frame: pd.DataFrame, target: str, timesteps: int, multisteps: int, step: Any = None, **faults: bool
) -> tuple[Array, Array]:
    """The pairs by the clock: a pair is true if it lasts as long as its number of rows says.

    `step` is the usual difference of the index, None for one that is no clock; each of `faults` is a usual mistake,
    those of `pairs` and some more.
    """
    others = dict(faults)
    if others.pop("dropped", False):
        frame, step = frame.dropna(), None
    values, goal = frame.to_numpy(float), frame[target].to_numpy(float)
    if others.pop("first_column", False):
        goal = values[:, 0]
    if others.pop("without_target", False):
        values = frame.drop(columns=target).to_numpy(float)
    return pairs(values, goal, timesteps, multisteps, frame.index, step, **others)


FAULTS = (
    ({"no_clock": True}, "These pairs span gaps of the index: neighbouring rows are not always neighbours in time."),
    ({"only_window": True}, "The windows respect the gaps, but an answer is behind one: check up to its last row."),
    ({"dropped": True}, "The rows with NaN were dropped first, and then windows go over the splices."),
    ({"nan_in_answer": True}, "There is NaN in y: leave such pairs out too."),
    ({"nan_in_window": True}, "There is NaN in X: leave such windows out, whatever the column."),
    ({"last_lost": True}, "Off by one: the last pair is missing; there are rows - timesteps - multisteps + 1."),
    ({"answer_inside": True}, "Look-ahead: the answer begins inside the window: it should come right after it."),
    ({"answer_late": True, "last_lost": True}, "Off by one: the answer begins one row too late, after a free row."),
    ({"first_column": True}, "The answers come from the first column; take them from the target's."),
    ({"without_target": True}, "The target column is missing in X: its past is an input too."),
    ({"no_clock": True, "last_lost": True}, "These pairs span gaps of the index, and the last pair is missing."),
    ({"only_window": True, "last_lost": True}, "An answer is behind a gap, and the last pair is missing."),
)  # fmt: skip


def pairs_are(
    value: Any, frame: pd.DataFrame, target: str, timesteps: int, multisteps: int, step: Any = None, hint: str = ""
) -> None:
    """Expect the true pairs; what is NaN in another column beside the answer may cost a pair or not."""
    X, y = framed(frame, target, timesteps, multisteps, step)
    found_X, found_y = parts(value, 2, "to_supervised")
    case = f"for {len(frame)} rows, timesteps={timesteps}, multisteps={multisteps}"
    found_X, found_y = array(found_X, f"X {case}"), array(found_y, f"y {case}")
    for wide in (False, True):
        also_X, also_y = framed(frame, target, timesteps, multisteps, step, wide=wide)
        if alike(found_X, also_X) and alike(found_y, also_y):
            return
    seen = set()
    for faults, sentence in FAULTS:
        wrong_X, wrong_y = framed(frame, target, timesteps, multisteps, step, **faults)
        if alike(found_X, wrong_X) and alike(found_y, wrong_y):
            seen.add(sentence)
    told = _misplaced(found_X, X)
    if isinstance(told, Mistake) and not seen:
        seen.add(told)
    for found, wanted, what, step_of in (
        (found_X, X, f"X {case}", told),
        (found_y, y, f"y {case}", _shape_of_y(found_y, y)),
    ):
        advice = hint if isinstance(step_of, Mistake) else step_of or hint
        close(found, wanted, what, advice, mistakes=dict.fromkeys(sorted(seen), found))


def _misplaced(found: Array, X: Array) -> str:
    """What is wrong with the places of the right numbers."""
    if found.shape == X.shape and not alike(found, X):
        if alike(np.sort(found, axis=2), np.sort(X, axis=2)):
            return Mistake("The features of X are not in the frame's order of columns.")
        if alike(found[:, ::-1], X):
            return Mistake("The timesteps run backwards: the oldest row comes first.")
        if alike(np.sort(found.reshape(len(X), -1), axis=0), np.sort(X.reshape(len(X), -1), axis=0)):
            return Mistake("The windows are right, but their order is not: leave the pairs in the order of time.")
    if found.ndim != 3 and (found.size == X.size or found.ndim == 0):
        return "X has three axes: samples, timesteps, features."
    if found.shape == (len(X), X.shape[2], X.shape[1]) and alike(found.swapaxes(1, 2), X):
        return Mistake("The axes of X are samples, timesteps, features, in this order.")
    apart = X[:: X.shape[1]][: len(found)]
    if found.size == 0 or (X.shape[1] > 1 and alike(found, apart)):
        return "Pairs are missing: the windows overlap, each begins one row after the one before."
    return ""


def _shape_of_y(found: Array, y: Array) -> str:
    if found.shape == y.shape:
        return ""
    if found.size == y.size:
        return "y has the shape (n, multisteps), also for a single step: (n, 1)."
    return "y holds the target column, and no other, in the `multisteps` rows right after the window."


@exercise("to-supervised", share=2, read=WINDOWS)
@given(timesteps=sizes, multisteps=sizes, pairs=st.integers(3, 6), data=st.integers(0, 2**32))
def test_frames_a_complete_table(student: Student, timesteps: int, multisteps: int, pairs: int, data: int) -> None:
    """A complete table gives all pairs, also the last one, with all columns in order and the target right after."""
    rng = np.random.default_rng(data)
    columns = [str(name) for name in rng.permutation(["flow", "rain", "wind"])]
    frame = readings(rng, timesteps + multisteps + pairs - 1, columns)
    value = student.to_supervised(frame, "flow", timesteps, multisteps=multisteps)
    pairs_are(value, frame, "flow", timesteps, multisteps)


@exercise("to-supervised", share=1, read=WINDOWS)
def test_a_single_step_is_the_default(student: Student, rng: np.random.Generator) -> None:
    """Without `multisteps`, y has the shape (n, 1); with one column, X still has three axes."""
    for columns in (["rain", "flow"], ["flow"]):
        frame = readings(rng, 9, columns)
        pairs_are(student.to_supervised(frame, "flow", 3), frame, "flow", 3, 1,
                  hint="X is (n, timesteps, features) and y (n, multisteps), even for 1 feature or step.")  # fmt: skip
        unchanged(student)


def with_nan(rng: np.random.Generator) -> Iterator[pd.DataFrame]:
    """Tables with a NaN in another column, in the target, and in both."""
    for in_rain, in_flow in ((1, 0), (0, 1), (1, 1)):
        frame = readings(rng, 24, ["rain", "flow", "wind"])
        if in_rain:
            frame.loc[rng.integers(3, 9), "rain"] = np.nan
        if in_flow:
            frame.loc[rng.integers(13, 19), "flow"] = np.nan
        yield frame


@exercise("to-supervised", share=3, read=WINDOWS)
def test_leaves_out_what_is_missing(student: Student, rng: np.random.Generator) -> None:
    """Pairs with NaN in their window or answer are left out, and all others stay."""
    hint = "Use np.isnan on the window and on the answer, and leave the pair out if one of them holds NaN."
    for frame, (timesteps, multisteps) in itertools.product(with_nan(rng), ((2, 1), (3, 2))):
        value = student.to_supervised(frame, "flow", timesteps, multisteps=multisteps)
        unchanged(student)
        pairs_are(value, frame, "flow", timesteps, multisteps, hint=hint)


@exercise("to-supervised", share=2, read=WINDOWS)
def test_a_missing_value_is_not_spliced(student: Student, rng: np.random.Generator) -> None:
    """With a clock, too, no window goes over a row of NaN."""
    times = pd.date_range("2026-03-02", periods=24, freq="h")
    for frame in with_nan(rng):
        value = student.to_supervised(frame.set_axis(times), "flow", 3, multisteps=2)
        pairs_are(value, frame.set_axis(times), "flow", 3, 2, pd.Timedelta("1h"),
                  "A window must not go from the row before a missing value to the row after it.")  # fmt: skip


GAP = "Look at frame.index.to_series().diff(): a pair is true if no difference within it is longer than the usual one."


@exercise("to-supervised", share=4, read=WINDOWS)
@given(
    before=st.integers(6, 9),
    lost=st.integers(1, 5),
    timesteps=st.integers(2, 3),
    multisteps=st.integers(1, 3),
    data=st.integers(0, 2**32),
)
def test_no_pair_spans_a_gap(
    student: Student, before: int, lost: int, timesteps: int, multisteps: int, data: int
) -> None:
    """With a DatetimeIndex, no pair reaches over missing rows, neither with its window nor with its answer."""
    rng = np.random.default_rng(data)
    times = pd.date_range("2026-03-02 05:00", periods=before + lost + 7, freq="h")
    times = times.delete(range(before, before + lost))
    frame = readings(rng, len(times), ["flow", "rain"]).set_axis(times)
    value = student.to_supervised(frame, "flow", timesteps, multisteps=multisteps)
    pairs_are(value, frame, "flow", timesteps, multisteps, pd.Timedelta("1h"), GAP)


@exercise("to-supervised", share=2, read=WINDOWS)
def test_gaps_at_any_step(student: Student, rng: np.random.Generator) -> None:
    """The usual step may be minutes, hours or days, and there may be several gaps, with NaN between them."""
    for step, start in (
        ("10min", "2026-03-02 23:10"),
        ("h", "2026-12-30 20:00"),
        ("D", "2024-02-20"),
        ("3h", "2026-01-01"),
    ):
        times = pd.date_range(start, periods=40, freq=step)
        lost = [8, *range(19, 19 + int(rng.integers(1, 5))), 31]
        frame = readings(rng, 40, ["rain", "flow"]).set_axis(times.rename("time")).drop(times[lost])
        frame.iloc[14, 1] = np.nan
        for timesteps, multisteps in ((2, 1), (3, 2)):
            value = student.to_supervised(frame, "flow", timesteps, multisteps=multisteps)
            unchanged(student)
            pairs_are(value, frame, "flow", timesteps, multisteps, times[1] - times[0], GAP)


@exercise("to-supervised", share=1, read=WINDOWS)
def test_gaps_at_the_ends(student: Student, rng: np.random.Generator) -> None:
    """The usual step is the most frequent one, whatever the first and the last difference are."""
    for lost in ([1], [1, 2], [13], [1, 2, 12, 13]):
        times = pd.date_range("2026-03-02 05:00", periods=15, freq="h").delete(lost)
        frame = readings(rng, len(times), ["flow", "rain"]).set_axis(times)
        value = student.to_supervised(frame, "rain", 2)
        unchanged(student)
        pairs_are(value, frame, "rain", 2, 1, pd.Timedelta("1h"), GAP)


@exercise("to-supervised", share=1, read=WINDOWS)
def test_other_indexes_have_no_gaps(student: Student, rng: np.random.Generator) -> None:
    """Without a DatetimeIndex, neighbouring rows are neighbours, whatever the labels; whole numbers work, too."""
    labels = np.delete(np.arange(14), [4, 5, 9])
    for index in (pd.Index(labels), pd.Index([f"row {label}" for label in labels])):
        frame = readings(rng, 11, ["flow", "rain"]).set_axis(index)
        frame["rain"] = np.round(frame["rain"]).astype(int)
        pairs_are(student.to_supervised(frame, "rain", 2), frame, "rain", 2, 1,
                  hint="Only a DatetimeIndex is a clock; other labels say nothing about time.")  # fmt: skip


# chronological-split

PARTS = ("training", "validation", "test")


def samples(n: int, inner: tuple[int, ...] = (2, 3), answer: tuple[int, ...] = (1,)) -> tuple[Array, Array]:
    """X and y that tell of each sample which it is, and whether X and y still belong together."""
    X = np.arange(n, dtype=float).reshape(n, *(1 for _ in inner)) + np.linspace(0, 0.5, int(np.prod(inner))).reshape(
        inner
    )
    return X, 1000 + np.arange(n, dtype=float).reshape(n, *(1 for _ in answer)) * np.ones(answer)


def split_is(value: Any, X: Array, y: Array, first: int, second: int, case: str) -> None:
    """Expect the first `first` samples, the `second` after them, and the rest."""
    found = []
    for part, name in zip(parts(value, 3, "chronological_split"), PARTS, strict=True):
        pair = isinstance(part, (tuple, list)) and len(part) == 2
        that(pair, f"The {name} part should be a pair (X, y), but is {show(part)}.", "Return ((X, y), (X, y), (X, y)).")
        found.append((_samples(part[0], f"X of the {name} part"), _samples(part[1], f"y of the {name} part")))
    places = (slice(0, first), slice(first, first + second), slice(first + second, len(X)))
    sizes, wanted = [len(part_X) for part_X, _ in found], [len(X[place]) for place in places]
    hint = _sizes_hint(sizes, wanted, len(X))
    if second and alike(found[2][0], X[places[1]]):
        hint = Mistake("Validation and test have changed places: the latest samples belong to the test.")
    that(sizes == wanted, f"{case}: the parts should have {wanted} samples, but have {sizes}.", hint)
    for pair, name, place in zip(found, PARTS, places, strict=True):
        for numbers, letter, whole in zip(pair, "Xy", (X, y), strict=True):
            if numbers.size or whole[place].size:  # the shape of nothing is not asked for
                what = f"{letter} of the {name} part ({case})"
                told = _moved(numbers, whole[place])
                mistakes = {told: numbers} if isinstance(told, Mistake) else None
                close(numbers, whole[place], what, "" if mistakes else told, mistakes=mistakes)


def _moved(found: Array, expected: Array) -> str:
    """What the places of the samples show."""
    if found.shape != expected.shape:
        return "Only the first axis is cut; all others stay as they are."
    order = found.reshape(len(found), -1)[:, 0]
    if np.any(np.diff(order) < 0) and not np.all(np.diff(order) < 0):
        return Mistake("The samples are shuffled: leave them in the order of time, and X and y together.")
    return "The oldest samples for training, the latest for the test, none of them moved."


def _samples(value: Any, what: str) -> Array:
    found = array(value, what)
    that(found.ndim > 0, f"{what} should be an array of samples, but is {show(value)}.")
    return found


def _sizes_hint(sizes: list[int], wanted: list[int], n: int) -> str:
    if sum(sizes) < n:
        return "Samples are lost: all samples that are neither training nor validation belong to the test."
    if sum(sizes) > n:
        return "Samples are in two parts: each begins where the one before ends. (Beware of X[-0:], which is all of X.)"
    if sizes[0] == wanted[0] and sizes[1] == wanted[1] + 1:
        return "Round floor(validation * n) down separately, not up, and do not compute it from the sum of the shares."
    if sizes[0] == wanted[0] + 1:
        return "Round down, floor(train * n), not to the nearest number."
    return "floor(train * n) samples, then floor(validation * n), then all the rest."


@exercise("chronological-split", share=2, read=SPLIT)
def test_the_oldest_for_training(student: Student, rng: np.random.Generator) -> None:
    """Training, validation and test follow each other in time, unshuffled, X and y together."""
    for n in (
        20 * int(rng.integers(1, 5)) + 7,
        109,
        20 * int(rng.integers(6, 30)) + 9,
    ):  # no product is a whole number, which floats may miss
        X, y = samples(n)
        value = student.chronological_split(X, y)
        unchanged(student)
        split_is(value, X, y, n * 14 // 20, n * 3 // 20, f"{n} samples, shares as by default")


@exercise("chronological-split", share=2, read=SPLIT)
@given(n=st.integers(1, 60), train=st.sampled_from([4, 5, 8, 11]), validation=st.sampled_from([1, 2, 3, 5]))
def test_sizes_are_rounded_down(student: Student, n: int, train: int, validation: int) -> None:
    """floor(train n) and floor(validation n) samples, each rounded down separately; the rest is the test."""
    # Sixteenths, which a float holds exactly: what is rounded down is beyond doubt.
    X, y = samples(n)
    value = student.chronological_split(X, y, train=train / 16, validation=validation / 16)
    case = f"{n} samples, train={train / 16:g}, validation={validation / 16:g}"
    split_is(value, X, y, n * train // 16, n * validation // 16, case)


@exercise("chronological-split", share=1, read=SPLIT)
def test_default_shares_of_odd_sizes(student: Student, rng: np.random.Generator) -> None:
    """With the default shares, 13 samples make 9, 1 and 3."""
    for n, first, second in ((13, 9, 1), (19, 13, 2), (27, 18, 4), (33, 23, 4)):
        X, y = samples(n)
        split_is(student.chronological_split(X, y), X, y, first, second, f"{n} samples, shares as by default")


@exercise("chronological-split", share=1, read=SPLIT)
def test_a_part_may_be_empty(student: Student) -> None:
    """A share of 0 makes an empty part; a rest of 0 does, too."""
    X, y = samples(12)
    for train, validation, first, second in ((0.75, 0, 9, 0), (0.5, 0.5, 6, 6), (0, 0.25, 0, 3), (1, 0, 12, 0)):
        value = student.chronological_split(X, y, train=train, validation=validation)
        split_is(value, X, y, first, second, f"12 samples, train={train}, validation={validation}")


@exercise("chronological-split", share=1, read=SPLIT)
def test_splits_any_axes(student: Student) -> None:
    """X and y may have any further axes, or none."""
    for inner, answer in (((), ()), ((4,), ()), ((2, 1), (3,)), ((3, 2, 2), (2, 2))):
        X, y = samples(16, inner, answer)
        value = student.chronological_split(X, y, train=0.5, validation=0.25)
        split_is(value, X, y, 8, 4, f"X {X.shape}, y {y.shape}")


# leak-free-scale


def windows(rng: np.random.Generator, n: int, timesteps: int, features: int) -> Array:
    """Windows of features on different scales; no two readings of a feature are alike, nor nearly so.

    The smallest is in the first timestep of the first window, the largest in the last of the last: who looks at
    a part only, misses one of them, and not by chance.
    """
    inner = rng.permuted(np.tile(np.arange(1, n * timesteps - 1), (features, 1)), axis=1).T
    places = np.concatenate([np.zeros((1, features)), inner, np.full((1, features), n * timesteps - 1)])
    numbers = (places + rng.uniform(0, 0.5, places.shape)) * rng.uniform(2, 40, features)
    return np.asarray(np.round(numbers + rng.uniform(-100, 100, features), 2).reshape(n, timesteps, features))


def within(rng: np.random.Generator, train: Array, n: int) -> Array:
    """Test windows within the training range of each feature: whether the scaler has seen them is not the question."""
    low, high = train.min(axis=(0, 1)), train.max(axis=(0, 1))
    return np.asarray(rng.uniform(low, high, (n, *train.shape[1:])))


def scaled_by(seen: Array, data: Array, axes: tuple[int, ...] = (0, 1)) -> Array:
    """(x - min) / (max - min), both of `seen` over `axes`; what does not vary is only shifted."""
    low = seen.min(axis=axes, keepdims=True)
    span = seen.max(axis=axes, keepdims=True) - low
    return np.asarray((data - low) / np.where(span == 0, 1, span))


def _misread(train: Array, test: Array, data: Array) -> list[tuple[str, Array]]:
    """What usual mistakes make of `data`, which is `train` or `test`."""
    right, both = scaled_by(train, data), np.concatenate([train, test])
    own = "Each window was scaled by its own minimum and maximum; take those of all training windows."
    step_only = "The scaler has seen one timestep of each window only; take all of them."
    window_only = "The scaler has seen one window only; take all training windows."
    mean, deviation = train.mean(axis=(0, 1)), train.std(axis=(0, 1))
    return [
        ("The scaler has seen the test windows too: it was fitted on train and test together.", scaled_by(both, data)),
        ("The scaler was fitted on the test windows; the training windows alone should decide.", scaled_by(test, data)),
        ("Values outside 0 to 1 are right for a test set beyond the training data: do not clip.", np.clip(right, 0, 1)),
        ("Each timestep was scaled separately; a feature has one scale for all timesteps.",
         scaled_by(train, data, (0,))),
        ("All features were scaled by one minimum and maximum; each has its own.", scaled_by(train, data, (0, 1, 2))),
        ("The range is 0 to 1, not -1 to 1.", 2 * right - 1),
        (own, scaled_by(data, data, (1,))),
        (own, scaled_by(data, data, (1, 2))),
        ("These numbers came back unchanged: scale both sets, by the same numbers.", data),
        (step_only, scaled_by(train[:, -1:], data)),
        (step_only, scaled_by(train[:, :1], data)),
        (window_only, scaled_by(train[:1], data)),
        (window_only, scaled_by(train[-1:], data)),
        ("Whole numbers become fractions: keep them with dtype=float.", np.trunc(right)),
        ("This is standardization; here minimum and maximum become 0 and 1.",
         (data - mean) / np.where(deviation == 0, 1, deviation)),
    ]  # fmt: skip


def scaling_is(value: Any, train: Array, test: Array) -> None:
    found_train, found_test, _ = parts(value, 3, "scale_windows")
    for found, data, name in ((found_train, train, "X_train, scaled"), (found_test, test, "X_test, scaled")):
        expected = scaled_by(train, data)
        fits = isinstance(found, np.ndarray) and found.shape == expected.shape
        hint = ON_TRAIN if fits else "The shape (samples, timesteps, features) stays."
        close(found, expected, name, hint, rtol=1e-4, atol=1e-4, mistakes=partial(_misread, train, test, data))


@exercise("leak-free-scale", share=2, read=SCALE)
def test_each_feature_from_0_to_1(student: Student, rng: np.random.Generator) -> None:
    """Each feature goes from 0 to 1 over all timesteps of all training windows; the shapes stay."""
    for n, timesteps, features in ((3, 2, 1), (6, 4, 3), (5, 2, 1), (4, 1, 2)):
        train = windows(rng, n, timesteps, features)
        test = within(rng, train, min(n - 1, 3))
        scaling_is(student.scale_windows(train, test), train, test)


@exercise("leak-free-scale", share=4, read=SCALE)
@given(n=st.integers(2, 4), timesteps=st.integers(1, 3), features=st.integers(1, 3), data=st.integers(0, 2**32))
def test_scales_by_the_training_windows_alone(
    student: Student, n: int, timesteps: int, features: int, data: int
) -> None:
    """The test windows are scaled with the numbers of the training windows, and not clipped."""
    rng = np.random.default_rng(data)
    train = windows(rng, n, timesteps, features)
    test = within(rng, train, 2)
    span = train.max(axis=(0, 1)) - train.min(axis=(0, 1))
    test[0] += span * rng.choice([-1.5, 1.5])
    scaling_is(student.scale_windows(train, test), train, test)


@exercise("leak-free-scale", share=1, read=SCALE)
def test_a_constant_feature_stays_finite(student: Student, rng: np.random.Generator) -> None:
    """A feature that is constant in the training windows gives neither NaN nor infinity."""
    for constant in (7.0, 0.0, -0.1):
        stays_finite(student, rng, constant)


def stays_finite(student: Student, rng: np.random.Generator, constant: float) -> None:
    """Expect numbers where the second feature of the training windows is constant."""
    train = windows(rng, 5, 3, 2)
    train[:, :, 1] = constant
    test = within(rng, train, 3)
    test[:, :, 1] = np.round(rng.uniform(5, 9, (3, 3)), 1)
    test[0, 0, 1] = constant
    results = parts(student.scale_windows(train, test), 3, "scale_windows")
    for found, data, name in zip(results, (train, test), ("X_train, scaled", "X_test, scaled"), strict=False):
        numbers = array(found, name, data.shape)
        that(bool(np.isfinite(numbers).all()), f"{name} holds NaN or infinity for a constant feature.",
             "Where maximum and minimum are equal, do not divide by their difference.")  # fmt: skip
        mistakes = [(told, wrong[:, :, 0]) for told, wrong in _misread(train, test, data)]
        right, what = scaled_by(train, data)[:, :, 0], f"feature 0 of {name}"
        close(numbers[:, :, 0], right, what, ON_TRAIN, rtol=1e-4, atol=1e-4, mistakes=mistakes)


@exercise("leak-free-scale", share=1, read=SCALE)
def test_scaling_changes_no_argument(student: Student, rng: np.random.Generator) -> None:
    """It works with whole numbers, and does not change the arrays that were passed in."""
    train = windows(rng, 5, 3, 2)
    whole, whole_test = np.round(train).astype(int), np.round(within(rng, train, 2)).astype(int)
    student.scale_windows(train, within(rng, train, 2))
    unchanged(student)
    value = student.scale_windows(whole, whole_test)
    unchanged(student)
    scaling_is(value, whole.astype(float), whole_test.astype(float))


@exercise("leak-free-scale", share=2, read=SCALE)
def test_returns_the_scaler(student: Student, rng: np.random.Generator) -> None:
    """The third thing returned is the fitted scaler, with one column per feature: it can undo the scaling."""
    train = windows(rng, 6, 3, 2)
    _, _, scaler = parts(student.scale_windows(train, within(rng, train, 2)), 3, "scale_windows")
    rows = np.concatenate([rng.uniform(0, 1, (5, 2)), [[1.4, -0.3]]])
    low, high = train.min(axis=(0, 1)), train.max(axis=(0, 1))
    hint = "Fit it on X_train.reshape(-1, features), and return it as the third thing."
    back = low + rows * (high - low)
    close(student.apply(undo, scaler, rows), back, "scaler.inverse_transform(rows)", hint, rtol=1e-4, atol=1e-3)
