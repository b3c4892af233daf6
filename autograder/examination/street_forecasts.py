"""Twelve hours ahead on a street: what a forecaster is fed with by its recipe, what is true, and what costs nothing.

The counts are hourly, of two sensors of Auckland; which they are is told by the check that has the file. The columns
of a recipe are made here from the counts alone, by formulas of the course's own.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from autograder.examination.measures import rms
from autograder.examination.windows import answers_at, whole_origins, windows_at

Array = np.ndarray[Any, Any]

STEPS: Final = 12
FIRST_ORIGIN: Final = np.datetime64("2025-02-01", "h")  # everything before it is the longest recipe's past
EVERY: Final = 5  # hours between forecasts: all hours of the day come, in a fifth of the time
CHANCE: Final = 0.99  # of the RMSE of the best constant answer: what no model reaches that has learned nothing
DIFFERENCES: Final = {0: "count", 24: "day change", 168: "week change"}
SERIES: Final = ("count", "quay", "day change", "week change")
WORDS: Final = {"day": 0, "day ahead": STEPS, "day last week": STEPS - 168}  # hours from the row's
CATALOGUE: Final = frozenset(
    {*SERIES, *(f"{name} yesterday" for name in SERIES), *(f"{name} last week" for name in SERIES), "hour", *WORDS}
)
# Of Auckland, by year, as month and day.
HOLIDAYS: Final = np.array(
    [
        f"{year}-{day}"
        for year, days in (
            (2023, ("01-01", "01-02", "01-03", "01-30", "02-06", "04-07", "04-10", "04-25", "06-05", "07-14", "10-23")),
            (2024, ("01-01", "01-02", "01-29", "02-06", "03-29", "04-01", "04-25", "06-03", "06-28", "10-28")),
            (2025, ("01-01", "01-02", "01-27", "02-06", "04-18", "04-21", "04-25", "06-02", "06-20", "10-27")),
        )
        for day in (*days, "12-25", "12-26")
    ],
    dtype="datetime64[D]",
)
KINDS: Final = ("Saturday", "Sunday or holiday", "working day")  # sorted, and all in the training part


class Recipe(NamedTuple):
    """What a forecaster is fed with: rows of a window, hours back to what the target is a change from (or 0), columns.

    `scaling` is "standardize" or "normalize", None where the recipe does not say.
    """

    timesteps: int
    difference: int
    features: tuple[str, ...]
    scaling: str | None


class Hours(NamedTuple):
    """Consecutive hours (rows,) with the counts of both sensors, in people per hour, NaN where there is none."""

    time: Array
    people: Array
    quay: Array

    def since(self, hours: int) -> Array:
        """The change of the count from some hours before."""
        return self.people - before(self.people, hours)


class Held(NamedTuple):
    """The held-out forecasts that a recipe asks for, and what it needs to scale them.

    X (n, timesteps, features) is scaled; `truth` (n, STEPS) is in people per hour, `base` what a change is to be added
    to, 0 without one; `shift` and `scale` are those of each column of numbers. `naive` are the RMSE of forecasts that
    need no network, in people per hour; below `nothing`, something has been learned.
    """

    X: Array
    truth: Array
    base: Array
    shift: Array
    scale: Array
    naive: dict[str, float]
    nothing: float

    @property
    def best(self) -> float:
        """The lowest RMSE of what costs nothing."""
        return min(self.naive[name] for name in ("persistence", "yesterday", "last week"))

    def error(self, outputs: Array) -> float:
        """The RMSE of a model's outputs (n, STEPS) for X, in people per hour."""
        with np.errstate(over="ignore"):  # of forecasts without bounds
            return rms(outputs * self.scale[0] + self.shift[0] + self.base - self.truth)


class Week(NamedTuple):
    """Seven days of the students' own file, forecast twelve hours at a time: nothing in it is held out.

    X (14, timesteps, features) is scaled; `truth`, `base` and `last_week` (14, STEPS) are in people per hour, as in
    Held. `first` is the first hour that is forecast.
    """

    X: Array
    truth: Array
    base: Array
    last_week: Array
    first: Any


def hourly(counts: pd.DataFrame) -> Hours:
    """The counts of both sensors from the first to the last hour; hours that are missing get a row of NaN."""
    every = pd.date_range(counts.index[0], counts.index[-1], freq="h")
    full = counts.reindex(every).to_numpy(dtype=float)
    return Hours(every.to_numpy().astype("datetime64[h]"), full[:, 0], full[:, 1])


def before(values: Array, hours: int) -> Array:
    """What was there some hours before, NaN in the first ones."""
    return np.concatenate([np.full(hours, np.nan), values[:-hours]])


def kinds(time: Array) -> Array:
    """One-hot kinds of day (hours, 3), in the order of KINDS."""
    day = time.astype("datetime64[D]")
    weekday = (day.astype(int) + 3) % 7  # the first of January 1970 was a Thursday
    free = (weekday == 6) | np.isin(day, HOLIDAYS)
    return np.stack([(weekday == 5) & ~free, free, (weekday < 5) & ~free], axis=1).astype(float)


def table(hours: Hours, difference: int, features: tuple[str, ...]) -> tuple[Array, int]:
    """The recipe's columns (hours, columns), the target first, and how many of them are numbers."""
    series = {"count": hours.people, "quay": hours.quay, "day change": hours.since(24), "week change": hours.since(168)}
    target = DIFFERENCES[difference]
    numbers, words = [series[target]], []
    for name in features:
        if name == target:
            continue
        if name == "hour":
            angle = 2 * np.pi * (hours.time.astype(int) % 24) / 24
            numbers += [np.sin(angle), np.cos(angle)]
        elif name in WORDS:
            words.append(kinds(hours.time + np.timedelta64(WORDS[name], "h")))
        elif name.endswith(" yesterday"):
            numbers.append(before(series[name.removesuffix(" yesterday")], 24 - STEPS))
        elif name.endswith(" last week"):
            numbers.append(before(series[name.removesuffix(" last week")], 168 - STEPS))
        else:
            numbers.append(series[name])
    return np.column_stack([*numbers, *words]), len(numbers)


def held_out(past: Hours, later: Hours, recipe: Recipe, scaling: str) -> Held:
    """The forecasts from FIRST_ORIGIN on: scaled as the first seven tenths of the `past`, the students' years, say."""
    timesteps = recipe.timesteps
    rows, k = table(past, recipe.difference, recipe.features)
    # The students' file lacks an hour that the clock skipped; their frame has a row for it all the same.
    origins = whole_origins(rows, timesteps, STEPS, 0, len(rows) * 7 // 10)
    shift, scale = _scaling(windows_at(rows[:, :k], origins, timesteps), scaling)

    rows, _ = table(later, recipe.difference, recipe.features)
    first = int((FIRST_ORIGIN - later.time[0]).astype(int)) - timesteps + 1
    origins = whole_origins(rows, timesteps, STEPS, first, len(rows))[::EVERY]
    counts = later.people
    truth = answers_at(counts, origins, STEPS)
    guesses = {
        "persistence": counts[origins][:, np.newaxis],
        "yesterday": answers_at(before(counts, 24), origins, STEPS),
        "last week": answers_at(before(counts, 168), origins, STEPS),
    }
    known = np.all([np.isfinite(guess).all(axis=1) for guess in guesses.values()], axis=0)
    origins, truth = origins[known], truth[known]
    naive = {name: rms(truth - guess[known]) for name, guess in guesses.items()}
    base = np.zeros(truth.shape)
    if recipe.difference:
        base = answers_at(before(counts, recipe.difference), origins, STEPS)
    X = windows_at(rows, origins, timesteps)
    X[..., :k] = (X[..., :k] - shift) / scale
    # The constant that would have been best: a street that gets busier rewards any answer above the mean.
    nothing = CHANCE * rms(truth - base - (truth - base).mean(axis=0))
    naive["a linear model"] = _linear(past, later, origins, truth)
    return Held(X, truth, base, shift, scale, naive, nothing)


def own_week(past: Hours, recipe: Recipe, held: Held) -> Week | None:
    """The first whole week of the students' test part, from a Monday on; None where the recipe can use no week."""
    rows, k = table(past, recipe.difference, recipe.features)
    usable = {*whole_origins(rows, recipe.timesteps, STEPS, 0, len(rows)).tolist()}
    days = past.time.astype("datetime64[D]").astype(int)
    monday = ((days + 3) % 7 == 0) & (past.time.astype(int) % 24 == 0)
    for start in np.flatnonzero(monday[: len(rows) - 168]):
        origins = start - 1 + np.arange(0, 168, STEPS)
        if start < len(rows) * 85 // 100 or not usable.issuperset(origins.tolist()):
            continue
        last_week = answers_at(before(past.people, 168), origins, STEPS)
        base = np.zeros(last_week.shape)
        if recipe.difference:
            base = answers_at(before(past.people, recipe.difference), origins, STEPS)
        X = windows_at(rows, origins, recipe.timesteps)
        X[..., :k] = (X[..., :k] - held.shift) / held.scale
        return Week(X, answers_at(past.people, origins, STEPS), base, last_week, past.time[start])
    return None


def _scaling(seen: Array, scaling: str) -> tuple[Array, Array]:
    """What is subtracted from each column of training windows, and what it is divided by."""
    if scaling == "normalize":
        shift, scale = seen.min(axis=(0, 1)), np.ptp(seen, axis=(0, 1))
    else:
        shift, scale = seen.mean(axis=(0, 1)), seen.std(axis=(0, 1))
    return shift, np.where(scale == 0, 1, scale)


def _linear(past: Hours, later: Hours, origins: Array, truth: Array) -> float:
    """Least squares on the last 24 counts, the hour, and the weekday, fitted on the training part."""

    def inputs(hours: Hours, places: Array) -> Array:
        lags = windows_at(hours.people[:, np.newaxis], places, 24)[..., 0]
        clock = hours.time[places].astype(int)
        weekday = (clock // 24 + 3) % 7
        return np.hstack([lags, np.eye(24)[clock % 24], np.eye(7)[weekday]])

    places = whole_origins(past.people[:, np.newaxis], 24, STEPS, 0, len(past.people) * 7 // 10)
    weights, *_ = np.linalg.lstsq(inputs(past, places), answers_at(past.people, places, STEPS), rcond=None)
    found = inputs(later, origins) @ weights
    known = np.isfinite(found).all(axis=1)
    return rms(truth[known] - found[known])
