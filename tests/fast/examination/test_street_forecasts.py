"""What a forecaster of lesson 10 is fed with and judged by, on a street whose counts are known by heart."""

import numpy as np
import pandas as pd
import pytest

from autograder.examination.measures import rms
from autograder.examination.street_forecasts import (
    CATALOGUE,
    CHANCE,
    EVERY,
    FIRST_ORIGIN,
    STEPS,
    Array,
    Hours,
    Recipe,
    before,
    held_out,
    hourly,
    kinds,
    own_week,
    table,
)

RNG = np.random.default_rng(4)


def street(start: str, days: int) -> Hours:
    """Each hour of the week has its count, and chance adds a little."""
    time = pd.date_range(start, periods=24 * days, freq="h").to_numpy().astype("datetime64[h]")
    people = 100.0 + 3 * (time.astype(int) % 168) + RNG.uniform(0, 9, len(time))
    return Hours(time, people, people / 2)


PAST, LATER = street("2024-10-01", 60), street("2025-01-01", 45)
COUNTS = Recipe(24, 0, ("quay", "hour", "day"), None)


def test_missing_hours_get_a_row() -> None:
    index = pd.DatetimeIndex(["2025-01-01 00:00", "2025-01-01 03:00"])
    found = hourly(pd.DataFrame({"people": [1.0, 2.0], "quay": [3.0, 4.0]}, index=index))
    np.testing.assert_array_equal(found.people, [1, np.nan, np.nan, 2])
    assert found.time[1] == np.datetime64("2025-01-01T01")
    np.testing.assert_array_equal(found.since(3), [np.nan, np.nan, np.nan, 1])


def test_what_was_before_is_not_known_of_the_first_hours() -> None:
    np.testing.assert_array_equal(before(np.arange(4.0), 2), [np.nan, np.nan, 0, 1])


def test_days_are_of_three_kinds() -> None:
    days = ["2025-06-07", "2025-06-08", "2025-06-09", "2025-06-20", "2025-12-26"]  # Saturday to Monday, two holidays
    assert kinds(np.array(days, dtype="datetime64[h]")).argmax(axis=1).tolist() == [0, 1, 2, 1, 1]


def columns(difference: int, *features: str) -> Array:
    return table(PAST, difference, features)[0]


def test_the_target_comes_first_and_only_once() -> None:
    np.testing.assert_array_equal(columns(0, "count", "quay"), np.stack([PAST.people, PAST.quay], axis=1))
    np.testing.assert_array_equal(columns(168, "count"), np.stack([PAST.since(168), PAST.people], axis=1))


def test_what_was_yesterday_and_last_week_is_that_of_the_hour_that_is_forecast_last() -> None:
    people = PAST.people
    assert columns(0, "count yesterday")[500, 1] == people[500 + STEPS - 24]
    assert columns(0, "count last week")[500, 1] == people[500 + STEPS - 168]
    ahead = columns(0, "day ahead")[:, 1:]
    np.testing.assert_array_equal(ahead[:-STEPS], kinds(PAST.time)[STEPS:])


def test_numbers_come_before_words_and_are_counted() -> None:
    found, numbers = table(PAST, 0, ("day", "hour", "quay"))
    assert (found.shape[1], numbers) == (7, 4)
    np.testing.assert_allclose(found[6, 1:3], [1, 0], atol=1e-9)  # six o'clock: sine and cosine
    assert set(np.unique(found[:, 4:])) == {0, 1}


def test_every_name_of_the_catalogue_makes_columns() -> None:
    for name in CATALOGUE:
        assert columns(24 if name == "count" else 0, name).shape[1] >= 2, name


@pytest.mark.parametrize("scaling", ["standardize", "normalize"])
def test_windows_are_scaled_as_the_past_says(scaling: str) -> None:
    held = held_out(PAST, LATER, COUNTS, scaling)
    assert held.X.shape[1:] == (24, 7)
    seen = PAST.people[: len(PAST.people) * 7 // 10]
    if scaling == "normalize":
        assert (held.shift[0], held.scale[0]) == pytest.approx((seen.min(), np.ptp(seen)), rel=0.01)
    else:
        assert (held.shift[0], held.scale[0]) == pytest.approx((seen.mean(), seen.std()), rel=0.05)
    first = int(np.flatnonzero(LATER.time == FIRST_ORIGIN)[0])
    np.testing.assert_allclose(held.X[0, :, 0] * held.scale[0] + held.shift[0], LATER.people[first - 23 : first + 1])
    np.testing.assert_array_equal(held.truth[1], LATER.people[first + EVERY + 1 : first + EVERY + 1 + STEPS])


def test_a_perfect_model_errs_by_nothing_and_a_constant_is_nothing_learned() -> None:
    for difference in (0, 24, 168):
        held = held_out(PAST, LATER, COUNTS._replace(difference=difference), "standardize")
        perfect = (held.truth - held.base - held.shift[0]) / held.scale[0]
        assert held.error(perfect) == pytest.approx(0, abs=1e-9)
        constant = np.tile(perfect.mean(axis=0), (len(perfect), 1))
        assert CHANCE * held.error(constant) == pytest.approx(held.nothing)


def test_what_costs_nothing_is_measured_on_the_same_hours() -> None:
    held = held_out(PAST, LATER, COUNTS, "standardize")
    assert held.best == held.naive["last week"] < held.naive["yesterday"]
    assert held.naive["last week"] == pytest.approx(rms(RNG.uniform(0, 9, 9999) - RNG.uniform(0, 9, 9999)), rel=0.1)
    # A change from last week that is forecast as 0 is the forecast of last week.
    change = held_out(PAST, LATER, COUNTS._replace(difference=168), "standardize")
    none = np.full(change.truth.shape, -change.shift[0] / change.scale[0])
    assert change.error(none) == pytest.approx(held.naive["last week"], rel=0.02)


def test_hours_without_counts_are_asked_for_nowhere() -> None:
    people = LATER.people.copy()
    people[800:850] = np.nan
    held = held_out(PAST, LATER._replace(people=people), COUNTS, "standardize")
    assert np.isfinite(held.X).all()
    assert np.isfinite(held.truth).all()
    assert len(held.X) < len(held_out(PAST, LATER, COUNTS, "standardize").X)


@pytest.mark.parametrize("difference", [0, 24, 168])
def test_the_week_that_is_shown_is_the_students_own(difference: int) -> None:
    past = street("2024-06-01", 200)
    asked = COUNTS._replace(difference=difference)
    held = held_out(past, LATER, asked, "standardize")
    week = own_week(past, asked, held)
    assert week is not None
    first = int(np.flatnonzero(past.time == week.first)[0])
    assert pd.Timestamp(week.first).day_name() == "Monday"
    assert first >= len(past.time) * 85 // 100
    np.testing.assert_array_equal(week.truth.ravel(), past.people[first : first + 168])
    np.testing.assert_array_equal(week.last_week.ravel(), past.people[first - 168 : first])
    target = past.since(difference) if difference else past.people
    np.testing.assert_allclose(week.X[1, :, 0] * held.scale[0] + held.shift[0], target[first - 12 : first + 12])
    base = past.people[first - difference : first + 168 - difference] if difference else np.zeros(168)
    np.testing.assert_allclose(week.base.ravel(), base)


def test_a_week_with_a_gap_is_not_shown() -> None:
    past = street("2024-06-01", 200)
    held = held_out(past, LATER, COUNTS, "standardize")
    week = own_week(past, COUNTS, held)
    assert week is not None
    people = past.people.copy()
    people[past.time == week.first + np.timedelta64(30, "h")] = np.nan
    later = own_week(past._replace(people=people), COUNTS, held)
    assert later is not None
    assert later.first > week.first
    assert own_week(street("2024-10-01", 60), COUNTS, held) is None
