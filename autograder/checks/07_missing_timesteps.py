"""Hidden checks of 07, missing timesteps (slides 28 and 29)."""

import itertools
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
from autograder.examination.misconceptions import Clues, Mistake
from autograder.examination.student import Student

CLOCK = "A complete clock"
LINES = "A straight line across"
WEEKS = "The same hour of other weeks: Algorithm 1"
MASKS = "A value that says *nothing here*"
MODEL = "A model fills, step by step"

TOLERANCE = 0.05  # of the range of a series: what the text grants a model

WEEK = pd.Timedelta(7, "D")
NAN = float("nan")


def clock(rows: int, step: str, start: str = "2026-03-02", *, told: bool = True) -> pd.DatetimeIndex:
    """A complete clock; one that is not `told` its step has no `freq`, as after reading a file."""
    times = pd.date_range(start, periods=rows, freq=step)
    return times if told else pd.DatetimeIndex(np.asarray(times))


def readings(rng: np.random.Generator, rows: int) -> Array:
    """Numbers of which no two are alike, nor in line with each other."""
    return np.asarray(np.round(rng.permutation(rows) * 3 + rng.uniform(0, 2, rows), 2))


def gaps(missing: Array) -> list[tuple[int, int]]:
    """The first row and the number of rows of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], missing.astype(int), [0]])))
    return [(int(first), int(end - first)) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def numbers(values: Any) -> str:
    """A column as a student reads it."""
    return show(np.asarray(values, dtype=float))


def times_of(value: Any) -> pd.DatetimeIndex:
    index = value.index
    that(isinstance(index, pd.DatetimeIndex), f"The index of the result should hold times, but is {show(list(index))}.",
         "Keep a DatetimeIndex.")  # fmt: skip
    return pd.DatetimeIndex(index)


def series_of(value: Any, name: str, index: pd.Index) -> Array:
    """Expect a Series on `index`; returns its numbers."""
    that(isinstance(value, pd.Series), f"`{name}` should return a Series, but returned {show(value)}.")
    that(len(value) == len(index), f"The result should have {len(index)} rows, as the series, but has {len(value)}.",
         "Keep every row, also those that are still missing.")  # fmt: skip
    that(value.index.tolist() == index.tolist(), "The index of the result is not that of the series.",
         "Fill a copy of the series: same rows, same index.")  # fmt: skip
    return array(value, "the result", (len(index),)).astype(float)


def observed_stay(found: Array, series: Array) -> None:
    """Expect the observed values as they were."""
    there = ~np.isnan(series)
    close(found[there], series[there], "the observed values", "Fill only missing values.")


# regularize


def regular(frame: pd.DataFrame, step: pd.Timedelta) -> pd.DataFrame:
    """Time after time: the mean of the numbers that its rows hold."""
    first, last = min(frame.index), max(frame.index)
    times = [first + k * step for k in range(int((last - first) / step) + 1)]
    values, stamps = frame.to_numpy(float), list(frame.index)
    rows = []
    for time in times:
        mine = values[[stamp == time for stamp in stamps]]
        rows.append([column[~np.isnan(column)].mean() if (~np.isnan(column)).any() else NAN for column in mine.T])
    return pd.DataFrame(rows, index=pd.DatetimeIndex(times), columns=frame.columns)


def regular_is(value: Any, frame: pd.DataFrame, freq: str) -> None:
    """Expect the frame on its complete clock."""
    expected = regular(frame, pd.Timedelta(freq if freq[0].isdigit() else f"1{freq}"))
    that(isinstance(value, pd.DataFrame), f"`regularize` should return a DataFrame, but returned {show(value)}.",
         'This may be a resampler, as from resample("20min"): it has computed nothing yet.')  # fmt: skip
    found, times = times_of(value), list(expected.index)
    rows = [f"{time:%d %b %H:%M} {', '.join(f'{number:g}' for number in row)}"
            for time, row in zip(frame.index, frame.to_numpy(float), strict=True)]  # fmt: skip
    case = f"freq={freq!r}; the rows were {'; '.join(rows[:6])}{'; …' if len(rows) > 6 else ''}"
    names, wanted_names = [str(name)[:40] for name in value.columns], list(expected.columns)
    that(names == wanted_names, f"The columns should be {', '.join(wanted_names)}, but are {', '.join(names[:12])}.")
    many = len(found) > 10 * len(times) + 100  # of so many no table is made
    that(many or not found.has_duplicates, f"The result has the same time twice ({case}).",
         "Take the mean of the rows of the same time: frame.groupby(level=0).mean().")  # fmt: skip
    that(bool(found.is_monotonic_increasing), f"The times of the result are not in ascending order ({case}).")
    hint = "One row for every step from the earliest to the latest time of the frame: see asfreq."
    if len(found) < len(times) and set(found) <= set(times):
        hint = f"Rows are missing: a time without a row gets a row of NaN, and rows of NaN stay. {hint}"
    but = f"has {len(found)}" if len(found) != len(times) else f"has others, the first at {found[0]}"
    wanted_rows = f"There should be {len(times)} rows, from {times[0]} to {times[-1]}"
    that(list(found) == times, f"{wanted_rows}, but the result {but} ({case}).", hint)
    for column in expected.columns:
        wanted = expected[column].to_numpy()
        got = array(value[column], f"column {column}", wanted.shape).astype(float)
        close(got, wanted, f"column {column} ({case})", _averaged(got, wanted, frame, column, times))


def _averaged(found: Array, wanted: Array, frame: pd.DataFrame, column: str, times: list[Any]) -> str:
    """What the wrong values show."""
    lost = np.isnan(wanted)
    if not np.isnan(found[lost]).all():
        return "A time without a reading has a value now: leave NaN there, fill nothing here."
    if np.isnan(found[~lost]).any():
        return "Leave a NaN among the rows of one time out of the mean; the result is NaN only if all are NaN."
    by_time = frame[column].groupby(frame.index)
    for wrong, sentence in (
        (by_time.first(), "Of several rows for one time the first was taken: take their mean."),
        (by_time.last(), "Of several rows for one time the last was taken: take their mean."),
        (by_time.sum(min_count=1), "Several rows for one time were added up: take their mean."),
        (by_time.median(), "This is the median of the rows for one time, not their mean."),
    ):
        if alike(found, wrong.reindex(times).to_numpy(dtype=float)):
            return Mistake(sentence)
    return "Rows of the same time become their mean, column by column; a time without a row becomes NaN."


@exercise("regularize", share=3, read=CLOCK)
@given(places=st.lists(st.integers(0, 7), min_size=2, max_size=6, unique=True), data=st.integers(0, 2**32))
def test_a_row_for_every_time(student: Student, places: list[int], data: int) -> None:
    """Every step from the earliest to the latest time has a row, in order, NaN where there was none."""
    rng = np.random.default_rng(data)
    frame = pd.DataFrame({"flow": readings(rng, len(places))}, index=clock(8, "h", "2026-03-02 20:00")[places])
    regular_is(student.regularize(frame, "h"), frame, "h")
    unchanged(student)


@exercise("regularize", share=3, read=CLOCK)
@given(places=st.lists(st.integers(0, 4), min_size=3, max_size=8), data=st.integers(0, 2**32))
def test_duplicates_are_averaged(student: Student, places: list[int], data: int) -> None:
    """Several rows of the same time become one, with their mean in every column."""
    rng = np.random.default_rng(data)
    places = [0, *places, 4]
    columns = {name: readings(rng, len(places)) for name in ("rain", "flow")}
    frame = pd.DataFrame(columns, index=clock(5, "20min", "2026-03-02 23:20")[places])
    regular_is(student.regularize(frame, "20min"), frame, "20min")


@exercise("regularize", share=2, read=CLOCK)
def test_what_is_missing_is_no_number(student: Student, rng: np.random.Generator) -> None:
    """NaN is left out of a mean; a time with only NaN keeps its row, with NaN."""
    places = [3, 1, 1, 0, 5, 5, 5, 3, 6]
    frame = pd.DataFrame({"flow": readings(rng, 9), "rain": readings(rng, 9)}, index=clock(7, "h")[places])
    frame.iloc[[0, 2, 4, 8], 0] = NAN
    frame.iloc[[4, 5, 6], 1] = NAN
    regular_is(student.regularize(frame, "h"), frame, "h")
    unchanged(student)


@exercise("regularize", share=2, read=CLOCK)
def test_any_step(student: Student, rng: np.random.Generator) -> None:
    """It works for minutes, hours or days, over midnight and months, with whole numbers; the frame does not change."""
    for freq, start in (
        ("20min", "2026-02-28 22:40"),
        ("h", "2026-12-31 20:00"),
        ("D", "2024-02-26"),
        ("6h", "2026-03-01"),
    ):
        order = rng.permutation([0, 1, 3, 3, 4, 8, 9, 9, 9, 12])
        frame = pd.DataFrame({"c": readings(rng, 10), "a": rng.permutation(10) * 2, "b": readings(rng, 10)})
        frame.index = clock(13, freq, start)[order]
        regular_is(student.regularize(frame, freq), frame, freq)
        unchanged(student)
    hourly = pd.DataFrame({"flow": readings(rng, 4)}, index=clock(6, "h")[[0, 3, 4, 5]])
    regular_is(student.regularize(hourly, "20min"), hourly, "20min")  # finer than the rows themselves


# interpolate


def on_lines(values: Array, rows: int, *, cut_off: bool = False) -> Array:
    """Each inner gap of at most `rows` rows on the line between its neighbours; with `cut_off`, as pandas' limit."""
    filled = values.copy()
    for first, length in gaps(np.isnan(values)):
        if first == 0 or first + length == len(values) or (length > rows and not cut_off):
            continue
        left, right = values[first - 1], values[first + length]
        for k in range(min(length, rows)):
            filled[first + k] = left + (right - left) * (k + 1) / (length + 1)
    return filled


def frame_like(value: Any, frame: pd.DataFrame) -> pd.DataFrame:
    that(isinstance(value, pd.DataFrame), f"`fill_short_gaps` should return a DataFrame, but returned {show(value)}.")
    that(sorted(map(str, value.columns)) == sorted(frame.columns),
         f"The columns should be {', '.join(frame.columns)}, but are {', '.join(map(str, value.columns))}.",
         "The columns that you do not fill come back unchanged.")  # fmt: skip
    that(len(value) == len(frame) and value.index.tolist() == frame.index.tolist(),
         "The rows of the result are not those of the frame.", "Keep all rows and the index.")  # fmt: skip
    return value


def lines_are(value: Any, frame: pd.DataFrame, columns: list[str], rows: int, case: str) -> None:
    """Expect lines in the short gaps of `columns`, and all else as it was."""
    found = frame_like(value, frame)
    for column in frame.columns:
        values = frame[column].to_numpy(float)
        got = array(found[column], f"column {column}", values.shape).astype(float)
        expected = on_lines(values, rows) if column in columns else values
        end = gaps(np.isnan(values))[-1:]
        if column in columns and end and sum(end[0]) == len(values) and end[0][0] > 0 and end[0][1] <= rows:
            # No line ends there: NaN or the last value, for all of the gap.
            first = end[0][0]
            if alike(got[first:], np.full(end[0][1], values[first - 1])):
                expected[first:] = values[first - 1]
        if not alike(got, expected):
            raise Wrong(
                f"Column {column}, {numbers(values)}, should become {numbers(expected)}, not {numbers(got)} ({case}).",
                _off_the_line(got, values, expected, rows, column in columns),
                what=f"column {column}",
                evidence=(got, expected),
                clues=_wrong_lines(got, values, expected, rows) if column in columns else None,
            )


def _off_the_line(found: Array, values: Array, expected: Array, rows: int, named: bool) -> str:
    """What the wrong values show."""
    there = ~np.isnan(values)
    if not named:
        return "This column is not in `columns`: leave its gaps open."
    if not alike(found[there], values[there]):
        return "Observed values stay as they are; only gaps are filled."
    start, inner = int(np.argmax(there)), np.flatnonzero(there)[-1] + 1
    if not np.isnan(found[:start]).all():
        return "There is no value before the first one to begin a line: these rows stay NaN."
    if alike(found[inner:], expected[inner:]):
        return "Equal steps from the last value before the gap to the first one after it; a longer gap stays empty."
    return (
        "After the last value there is no line: NaN, or the last value repeated if the gap is not longer than max_gap."
    )


def _wrong_lines(found: Array, values: Array, expected: Array, rows: int) -> Clues:
    """The mistakes that the rows up to the last value show."""
    inner = np.flatnonzero(~np.isnan(values))[-1] + 1
    mistakes = {
        "All gaps were filled, long ones too: a gap longer than max_gap stays as it is.": on_lines(values, len(values)),
        "A longer gap was filled in part, as by pandas' `limit`: check how long each gap is; leave long ones empty.": (
            on_lines(values, rows, cut_off=True)
        ),
        "Off by one: a gap is as long as its missing rows, and a gap of exactly max_gap is filled.": (
            on_lines(values, rows - 1)
        ),
        "Off by one: a gap is as long as its missing rows times the step; this one is longer than max_gap.": (
            on_lines(values, rows + 1)
        ),
        "The value before the gap was repeated: go in equal steps to the value after it.": (
            pd.Series(values).ffill().to_numpy()
        ),
        "Nothing was filled.": values,
    }
    return Clues(
        frozenset(
            told
            for told, wrong in mistakes.items()
            if alike(found[:inner], wrong[:inner]) and not alike(wrong[:inner], expected[:inner])
        )
    )


def holed(rng: np.random.Generator, pattern: str) -> Array:
    """Readings, NaN where the pattern has a dot."""
    return np.where([mark == "." for mark in pattern], NAN, readings(rng, len(pattern)))


@exercise("interpolate", share=3, read=LINES)
@given(first=st.integers(1, 4), second=st.integers(1, 4), data=st.integers(0, 2**32))
def test_short_gaps_lie_on_lines(student: Student, first: int, second: int, data: int) -> None:
    """A gap shorter than `max_gap` is filled by the straight line between its neighbours."""
    pattern = "xx" + "." * first + "xx" + "." * second + "x"
    frame = pd.DataFrame({"flow": holed(np.random.default_rng(data), pattern)}, index=clock(len(pattern), "h"))
    value = student.fill_short_gaps(frame, ["flow"], pd.Timedelta("6h"))
    lines_are(value, frame, ["flow"], 6, "hourly, max_gap 6 hours")


@exercise("interpolate", share=3, read=LINES)
@given(short=st.integers(1, 2), long=st.integers(5, 8), turned=st.booleans(), data=st.integers(0, 2**32))
def test_long_gaps_are_left_whole(student: Student, short: int, long: int, turned: bool, data: int) -> None:
    """No row of a gap longer than `max_gap` is filled, wherever the short gaps are."""
    one, other = (long, short) if turned else (short, long)
    pattern = "x" + "." * one + "xx" + "." * other + "xx"
    frame = pd.DataFrame({"flow": holed(np.random.default_rng(data), pattern)}, index=clock(len(pattern), "h"))
    value = student.fill_short_gaps(frame, ["flow"], pd.Timedelta("3h"))
    lines_are(value, frame, ["flow"], 3, "hourly, max_gap 3 hours")


@exercise("interpolate", share=1, read=LINES)
def test_a_gap_of_just_max_gap_is_filled(student: Student, rng: np.random.Generator) -> None:
    """A gap is as long as its missing rows: exactly `max_gap` is filled, one row more is not."""
    frame = pd.DataFrame({"flow": holed(rng, "x...x....xx..x.....x")}, index=clock(20, "h"))
    for rows in (3, 2, 4):
        value = student.fill_short_gaps(frame, ["flow"], pd.Timedelta(rows, "h"))
        lines_are(value, frame, ["flow"], rows, f"hourly, max_gap {rows} hours")


@exercise("interpolate", share=2, read=LINES)
def test_the_gap_is_measured_in_time(student: Student, rng: np.random.Generator) -> None:
    """The step may be minutes, hours or days: `max_gap` is a time, not a number of rows."""
    for step, max_gap, rows in (("20min", "2h", 6), ("6h", "12h", 2), ("D", "3D", 3), ("10min", "40min", 4)):
        pattern = "xx" + "." * (rows - 1) + "xxx" + "." * (rows + 2) + "x.x"
        frame = pd.DataFrame({"flow": holed(rng, pattern)}, index=clock(len(pattern), step, told=False))
        value = student.fill_short_gaps(frame, ["flow"], pd.Timedelta(max_gap))
        lines_are(value, frame, ["flow"], rows, f"one row per {step}, max_gap {max_gap}")


@exercise("interpolate", share=1, read=LINES)
def test_max_gap_is_no_multiple_of_the_step(student: Student, rng: np.random.Generator) -> None:
    """Of a `max_gap` between two numbers of rows the lower number counts: a gap may not be longer than it."""
    for step, max_gap, rows in (("h", "2h30min", 2), ("20min", "50min", 2), ("D", "36h", 1), ("h", "59min", 0)):
        frame = pd.DataFrame({"flow": holed(rng, "x.xx..x...xx....x")}, index=clock(17, step, told=False))
        value = student.fill_short_gaps(frame, ["flow"], pd.Timedelta(max_gap))
        lines_are(value, frame, ["flow"], rows, f"one row per {step}, max_gap {max_gap}")


@exercise("interpolate", share=2, read=LINES)
def test_only_the_named_columns(student: Student, rng: np.random.Generator) -> None:
    """Each column of `columns` is filled in its own gaps; the other columns and the original frame do not change."""
    patterns = {"celsius": "x.xx......xx..x", "flow": "x..x.xx.x.x..xx", "rain": "xx......x.xx..x"}
    frame = pd.DataFrame({name: holed(rng, pattern) for name, pattern in patterns.items()}, index=clock(15, "h"))
    for columns in (["celsius", "rain"], ["flow"], ["rain", "celsius"]):
        value = student.fill_short_gaps(frame, columns, pd.Timedelta("4h"))
        unchanged(student)
        lines_are(value, frame, columns, 4, f"hourly, max_gap 4 hours, columns {', '.join(columns)}")


@exercise("interpolate", share=2, read=LINES)
def test_the_edges(student: Student, rng: np.random.Generator) -> None:
    """Before the first value nothing is filled; after the last one there is no line, and a long gap stays NaN."""
    for pattern in ("..xx.xx", ".....x..x", "x.x..", "xx..x......", ".x..x"):
        frame = pd.DataFrame({"flow": holed(rng, pattern)}, index=clock(len(pattern), "h"))
        value = student.fill_short_gaps(frame, ["flow"], pd.Timedelta("3h"))
        lines_are(value, frame, ["flow"], 3, "hourly, max_gap 3 hours")


# weekly-means


def from_weeks(values: Array, week: int, rows: int, weeks: int, **faults: bool) -> Array:
    """Row after row of each gap, as Algorithm 1 means it; each of `faults` is a usual mistake."""
    filled = values.copy()
    source = filled if faults.get("feeds_on_itself") else values
    for first, length in gaps(np.isnan(values)):
        if faults.get("whole_or_not") and length > rows:
            continue
        for place in range(first, first + (length if faults.get("no_limit") else min(length, rows))):
            back = place - weeks * week
            before = back > 0 if faults.get("first_row_lost") else back >= 0
            before &= not faults.get("always_after")
            sign = -1 if before or faults.get("never_after") else 1
            places = [place + sign * k * week for k in range(1, weeks + 1)]
            if faults.get("one_week"):
                places = places[:1]
            known = [source[p] for p in places if 0 <= p < len(values)]
            there = known if faults.get("nan_spoils") else [value for value in known if not np.isnan(value)]
            filled[place] = sum(there) / len(there) if there else NAN
    return filled


FAULTS = (
    ({"no_limit": True}, "All of a longer gap was filled: only its first `max_gap` is."),
    ({"whole_or_not": True}, "A longer gap stayed empty: here fill its first `max_gap`, as in Algorithm 1."),
    ({"nan_spoils": True}, "A week without a value spoils the mean: leave it out, as pandas' mean does."),
    ({"feeds_on_itself": True}, "A filled value was used to fill another one: use only values observed in `series`."),
    ({"never_after": True}, "In the first week of the series there are no weeks before: take the weeks after."),
    ({"always_after": True}, "The weeks after were used, although the weeks before are there."),
    ({"first_row_lost": True}, "The first row of the series counts, too: `weeks` weeks before may be exactly row 0."),
    ({"one_week": True}, "Only the nearest week was used: take the mean of all `weeks` weeks."),
)  # fmt: skip


def weeks_are(value: Any, series: pd.Series, step: str, rows: int, weeks: int, case: str) -> None:
    """Expect the series filled from other weeks."""
    values, week = series.to_numpy(float), int(WEEK / pd.Timedelta(step))
    found, expected = series_of(value, "fill_from_weeks", series.index), from_weeks(values, week, rows, weeks)
    observed_stay(found, values)
    hint = "Take the mean of the values observed 1, ..., weeks weeks before; in a longer gap only in the first max_gap."
    seen = Clues()
    if not alike(found, expected):
        wrong = [(told, from_weeks(values, week, rows, weeks, **faults)) for faults, told in FAULTS]
        wrong.append(("Nothing was filled.", values))
        seen = Clues(frozenset(told for told, other in wrong if alike(found, other)))
    lost = np.flatnonzero(np.isnan(values))
    for place in lost:
        if not alike(found[[place]], expected[[place]]):
            raise Wrong(
                f"The value of {series.index[place]} should be {show(float(expected[place]))}, but is "
                f"{show(float(found[place]))} ({case}; the series begins at {series.index[0]}).",
                hint,
                clues=seen,
            )


def series_with(rng: np.random.Generator, rows: int, step: str, lost: list[int], *, told: bool = True) -> pd.Series:
    values = readings(rng, rows)
    values[lost] = NAN
    return pd.Series(values, index=clock(rows, step, told=told))


HOURS = 168  # in a week


def one_gap_is_filled(student: Student, place: int, length: int, data: int) -> None:
    """Expect a gap of `length` hours at `place` filled from three other weeks."""
    lost = list(range(place, place + length))
    series = series_with(np.random.default_rng(data), 4 * HOURS + 9, "h", lost)
    value = student.fill_from_weeks(series, pd.Timedelta("10h"))
    weeks_are(value, series, "1h", 10, 3, "hourly, max_gap 10 hours, weeks=3")


@exercise("weekly-means", share=3, read=WEEKS)
@given(place=st.integers(3 * HOURS + 1, 4 * HOURS), length=st.integers(1, 3), data=st.integers(0, 2**32))
def test_the_mean_of_the_weeks_before(student: Student, place: int, length: int, data: int) -> None:
    """A missing value becomes the mean of those 1, 2 and 3 weeks before it."""
    one_gap_is_filled(student, place, length, data)


@exercise("weekly-means", share=2, read=WEEKS)
@given(place=st.integers(0, HOURS - 3), length=st.integers(1, 3), data=st.integers(0, 2**32))
def test_the_weeks_after_where_there_are_none_before(student: Student, place: int, length: int, data: int) -> None:
    """In the first week of the series it becomes the mean of the values 1, 2 and 3 weeks after."""
    one_gap_is_filled(student, place, length, data)


@exercise("weekly-means", share=3, read=WEEKS)
@given(length=st.integers(5, 9), second=st.integers(5, 9), data=st.integers(0, 2**32))
def test_a_longer_gap_is_begun(student: Student, length: int, second: int, data: int) -> None:
    """In each gap longer than `max_gap`, the first `max_gap` is filled."""
    # The second one stands at another hour, so that no week before it is in the first one.
    first, then = 3 * HOURS + 5, 3 * HOURS + 25
    lost = [*range(first, first + length), *range(then, then + second)]
    series = series_with(np.random.default_rng(data), 4 * HOURS, "h", lost)
    value = student.fill_from_weeks(series, pd.Timedelta("4h"))
    weeks_are(value, series, "1h", 4, 3, "hourly, max_gap 4 hours, weeks=3")


# In each of these, what the text leaves open does not come up: no row has some of its weeks before it only, and where
# none of those before it is observed, none of those after it is, either.
@exercise("weekly-means", share=3, read=WEEKS)
def test_only_observed_values_count(student: Student, rng: np.random.Generator) -> None:
    """A week without a value is left out of the mean, a filled value is not observed, and no value gives NaN."""
    for rows, lost, weeks in (
        (5 * HOURS, [3 * HOURS + 3, 4 * HOURS + 3], 3),  # one of the weeks before is missing, though it can be filled
        (5 * HOURS, [3, 3 * HOURS + 3], 3),  # and so of the weeks after row 3, and before the other row
        (5 * HOURS + 1, [3 * HOURS, 4 * HOURS, 5 * HOURS], 2),  # both weeks before the last row are missing
        (2 * HOURS, [2, HOURS + 2], 1),  # the week after row 2 is missing, and so is the week before the other row
    ):
        series = series_with(rng, rows, "h", lost)
        value = student.fill_from_weeks(series, pd.Timedelta("4h"), weeks=weeks)
        unchanged(student)
        weeks_are(value, series, "1h", 4, weeks, f"hourly, max_gap 4 hours, weeks={weeks}")


@exercise("weekly-means", share=1, read=WEEKS)
def test_the_first_row_is_a_week_too(student: Student, rng: np.random.Generator) -> None:
    """A value exactly `weeks` weeks after the first row has all weeks before it; weeks after the end do not count."""
    for weeks in (1, 2, 3):
        series = series_with(rng, 5 * HOURS, "h", [weeks * HOURS])
        value = student.fill_from_weeks(series, pd.Timedelta("10h"), weeks=weeks)
        weeks_are(value, series, "1h", 10, weeks, f"hourly, max_gap 10 hours, weeks={weeks}")
    series = series_with(rng, 17 * 24, "h", [24, 100])
    value = student.fill_from_weeks(series, pd.Timedelta("10h"))
    weeks_are(value, series, "1h", 10, 3, "17 days, hourly, max_gap 10 hours, weeks=3")


@exercise("weekly-means", share=2, read=WEEKS)
def test_any_step_and_number_of_weeks(student: Student, rng: np.random.Generator) -> None:
    """One row per 20 minutes, hour or day, and 1 to 4 weeks: the clock says where a week before is."""
    for step, max_gap, rows, weeks in (
        ("20min", "1h", 3, 1),
        ("1h", "3h", 3, 2),
        ("6h", "1D", 4, 4),
        ("1D", "4D", 4, 2),
    ):
        week = int(WEEK / pd.Timedelta(step))
        lost = [*range(1, 3), *range(weeks * week + 5, weeks * week + 5 + rows + 2)]
        series = series_with(rng, (weeks + 1) * week + rows + 9, step, lost, told=False)
        value = student.fill_from_weeks(series, pd.Timedelta(max_gap), weeks=weeks)
        unchanged(student)
        weeks_are(value, series, step, rows, weeks, f"one row per {step}, max_gap {max_gap}, weeks={weeks}")


# masking


def mask_is(value: Any, X: Array, default: float) -> None:
    """Expect `default` instead of NaN, and a mask that says where there was none."""
    _, mask = parts(value, 2, "mask_missing")
    wanted = ~np.isnan(X)
    found = array(mask, f"the mask for X of shape {X.shape}")
    if found.shape == wanted.shape[:-1] and X.ndim > 1:
        hint = "This mask has one entry per timestep, as in Keras; return one truth value for each value of X."
    else:
        hint = "The mask has the shape of X, one truth value for each value."
    that(found.shape == X.shape, f"The mask should have the shape of X, {X.shape}, but has {found.shape}.", hint)
    that(
        found.dtype == bool,
        f"The mask should hold truth values (bool), not {found.dtype}.",
        "~np.isnan(X) is such an array.",
    )
    mistakes = {
        "True and False are swapped: True is where there is data, as in lesson 05.": ~wanted,
        "A reading that equals `value` is data: look for NaN in X, not for `value`.": wanted & ~np.isclose(X, default),
    }
    if wanted.ndim > 1:
        told = "Mask each value separately; another feature of its timestep may be there."
        mistakes[told] = np.broadcast_to(wanted.all(axis=-1, keepdims=True), X.shape)
    what, hint = (
        f"the mask for X of shape {X.shape}, as 0 and 1,",
        "True where X holds a number, False where it is NaN.",
    )
    close(found.astype(int), wanted.astype(int), what, hint, mistakes=mistakes)


def filled_is(value: Any, X: Array, default: float) -> None:
    filled, _ = parts(value, 2, "mask_missing")
    expected = np.where(np.isnan(X), default, X)
    found = array(filled, "X")
    hint = f"Every NaN becomes {default:g}; all other numbers, and the shape, stay."
    if found.shape == X.shape and np.isnan(found.astype(float)).any():
        hint = f"There is still NaN in X: put {default:g} there."
    mistakes = {"The argument `value` was not used.": np.where(np.isnan(X), -1.0, X)}
    close(found, expected, "X", hint, mistakes=mistakes)


def with_holes(rng: np.random.Generator, shape: tuple[int, ...], share: float = 0.3) -> Array:
    """Readings with NaN in some places, for sure in the first and not in the last."""
    X = rng.uniform(-3, 9, shape).round(2)
    X[rng.random(shape) < share] = NAN
    X.flat[0], X.flat[-1] = NAN, 2.5
    return X


@exercise("masking", share=2, read=MASKS)
def test_the_mask_tells_what_was_there(student: Student, rng: np.random.Generator) -> None:
    """The mask has the shape of X and is True where there is data, value by value."""
    for shape in ((1, 3, 2), (4, 5, 3), (3, 6, 1), (1, 2, 2)):
        X = with_holes(rng, shape)
        mask_is(student.mask_missing(X), X, -1.0)


@exercise("masking", share=2, read=MASKS)
def test_the_default_value_stands_in(student: Student, rng: np.random.Generator) -> None:
    """Every NaN of X becomes `value`, by default -1, and everything else stays."""
    for shape, default in itertools.product(((1, 3, 2), (4, 5, 3), (2, 3, 1)), (-1.0, 0.0, -99.0, 0.25)):
        X = with_holes(rng, shape)
        filled_is(student.mask_missing(X) if default == -1 else student.mask_missing(X, value=default), X, default)
        unchanged(student)


@exercise("masking", share=1, read=MASKS)
def test_a_reading_may_equal_the_default(student: Student, rng: np.random.Generator) -> None:
    """A reading that is equal to `value` by chance is data."""
    for default in (-1.0, 0.0):
        X = with_holes(rng, (3, 4, 2))
        X[1, 2], X[2, 0, 1] = default, default
        value = student.mask_missing(X, value=default)
        mask_is(value, X, default)
        filled_is(value, X, default)


@exercise("masking", share=1, read=MASKS)
def test_any_shape(student: Student, rng: np.random.Generator) -> None:
    """X may have any number of axes, be float32, and hold no NaN or only NaN."""
    nothing, everything = np.full((2, 3, 2), NAN), rng.uniform(0, 1, (2, 3, 2))
    cases = [
        with_holes(rng, (7,)),
        with_holes(rng, (3, 4)),
        with_holes(rng, (2, 2, 3, 2)),
        nothing,
        everything,
    ]
    for X in [*cases, with_holes(rng, (3, 4, 2)).astype("float32")]:
        value = student.mask_missing(X)
        unchanged(student)
        mask_is(value, X, -1.0)
        filled_is(value, X, -1.0)


# model-based


# Drawn are level and height of a series, not its shape: how well another kind of model does then hangs on no chance.


def waves(rng: np.random.Generator, rows: int, number: int) -> Array:
    """Sines around a mean: a value follows from the 2 * number before it by a linear rule, and from no fewer."""
    t = np.arange(rows)
    shape = np.sin(2 * np.pi * t / 11.3 + 1) + (0.5 * np.sin(2 * np.pi * t / 4.6 + 2) if number == 2 else 0)
    return np.asarray(rng.uniform(40, 90) + rng.uniform(15, 30) * shape)


def growth(rng: np.random.Generator, rows: int) -> Array:
    """Each value from the one before it: closer to its end by 5 per cent."""
    return np.asarray(rng.uniform(70, 90) - rng.uniform(55, 65) * 0.95 ** np.arange(rows))


def filled_by_model(
    student: Student, truth: Array, lost: list[int], timesteps: int, stay: int = 0, hint: str = ""
) -> None:
    """Expect the truth in the `lost` rows, but for the first `stay` of them, which stay NaN."""
    values = truth.copy()
    values[lost] = NAN
    series = pd.Series(values, index=clock(len(truth), "h"), name="flow")
    value = student.fill_with_model(series, timesteps)
    unchanged(student)
    found = series_of(value, "fill_with_model", series.index)
    observed_stay(found, values)
    case = f"{len(truth)} rows, {len(lost)} missing, timesteps={timesteps}"
    for place in lost[:stay]:
        got = show(float(found[place]))
        that(bool(np.isnan(found[place])), f"Row {place} should stay NaN, but is {got} ({case}).",
             f"The {timesteps} values right before it are not all there to predict it from.")  # fmt: skip
    tolerance = TOLERANCE * float(truth.max() - truth.min())
    for place in lost[stay:]:
        got, right = float(found[place]), abs(found[place] - truth[place]) <= tolerance
        if np.isnan(got) and np.isnan(values[place - 1]):
            hint = "Within a gap the window holds values that were filled just before: write them where you read."
        wanted = f"Row {place} should be {truth[place]:.2f}, to within {tolerance:.2f}"
        that(bool(right), f"{wanted}, but is {show(got)} ({case}).", hint)


@exercise("model-based", share=3, read=MODEL)
def test_a_single_missing_value(student: Student, rng: np.random.Generator) -> None:
    """A missing value becomes the model's prediction from the `timesteps` values before it."""
    for number in (1, 2):
        filled_by_model(student, waves(rng, 90, number), [40, 71], 2 * number,
                        hint="Fit a linear regression with an intercept on all complete windows.")  # fmt: skip


@exercise("model-based", share=3, read=MODEL)
def test_a_gap_is_filled_step_by_step(student: Student, rng: np.random.Generator) -> None:
    """In a longer gap, of any length, each value follows from filled values, too."""
    for number, length in ((1, 3), (1, 9), (2, 12)):
        filled_by_model(student, waves(rng, 110, number), list(range(60, 60 + length)), 2 * number,
                        hint="Move the window on by one row for each value, also over filled values.")  # fmt: skip


@exercise("model-based", share=3, read=MODEL)
def test_fitted_on_complete_windows(student: Student, rng: np.random.Generator) -> None:
    """The model is fitted on windows of neighbouring rows without NaN; it works with many gaps."""
    for number in (1, 2):
        lost = [*range(20, 24), *range(35, 38), 50, *range(62, 67), 80, 92, 93, *range(108, 113)]
        filled_by_model(student, waves(rng, 150, number), lost, 2 * number,
                        hint="No window may hold NaN, a filled value, or rows from both sides of a gap.")  # fmt: skip


@exercise("model-based", share=2, read=MODEL)
def test_the_model_has_an_intercept(student: Student, rng: np.random.Generator) -> None:
    """From one value before: x(t) = b + w x(t-1)."""
    hint = "A regression through 0 cannot learn this rule: fit the intercept too."
    filled_by_model(student, growth(rng, 60), [9, 10, 11, 12, 30, 45, 46], 1, hint=hint)


@exercise("model-based", share=1, read=MODEL)
def test_to_the_end(student: Student, rng: np.random.Generator) -> None:
    """A gap at the end is filled like any other."""
    filled_by_model(student, waves(rng, 80, 1), [33, *range(76, 80)], 2, hint="A gap may have no value after it.")


@exercise("model-based", share=1, read=MODEL)
def test_the_beginning_stays_missing(student: Student, rng: np.random.Generator) -> None:
    """At the beginning, where values right before are missing, nothing is filled; later gaps are filled."""
    filled_by_model(student, waves(rng, 80, 1), [0, 1, 40, 41, 42], 2, stay=2, hint="Later gaps have all they need.")
    filled_by_model(student, waves(rng, 90, 2), [2, 4, 50, 51], 4, stay=2, hint="Later gaps have all they need.")
    filled_by_model(student, waves(rng, 80, 1), [2, 40], 2, hint="The third value has the two values that it needs.")
