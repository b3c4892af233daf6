"""The evidence for the thresholds is of the lessons and checks as they are, and says that the thresholds are fair."""

import re

import measurements
import numpy as np
import pytest
import thresholds
from helpers.submissions import COURSE
from scipy import stats

from autograder.authoring.partial_credit import checks_of

FOUND = measurements.read()
each_lesson = pytest.mark.parametrize("lesson", thresholds.LESSONS, ids=lambda lesson: lesson.name)


def test_every_measurement_is_of_the_code_that_there_is() -> None:
    codes = {(one.lesson, one.name): measurements.digest(COURSE, one) for one in measurements.models(COURSE)}
    outdated = {(one.lesson, one.model) for one in FOUND if codes.get((one.lesson, one.model)) != one.code}
    assert outdated == set(), "run: make thresholds"


def test_the_page_is_what_the_measurements_and_the_curves_give() -> None:
    kept = thresholds.PAGE.read_text(encoding="utf-8")
    assert kept == thresholds.as_markdown(COURSE, FOUND), "run: benchmarks/thresholds.py --from-measurements"


def test_the_plot_was_drawn_from_the_same() -> None:
    assert thresholds.state(COURSE, FOUND).encode() in thresholds.PLOT.read_bytes(), (
        "run: benchmarks/thresholds.py --from-measurements"
    )


@each_lesson
def test_the_reference_earned_everything_in_all_runs(lesson: thresholds.Lesson) -> None:
    """In thirty with one thread and thirty with two; where some are still to be measured, the page says so."""
    checks, groups = checks_of(lesson.name), thresholds.references(COURSE, lesson, FOUND)
    left = thresholds.missing(COURSE, lesson.name, FOUND)
    said = re.search(rf"Unfinished.* (\d+) of lesson {lesson.name[:2]}\b", thresholds.PAGE.read_text(encoding="utf-8"))
    assert (int(said[1]) if said else 0) == left
    for model, _, runs in groups:
        assert left or len({one.seed for one in runs}) >= thresholds.ENOUGH
        assert set(lesson.credits(checks, model, runs)) == {1.0}
        if len(runs) >= thresholds.ENOUGH:
            assert lesson.estimate(checks, model, runs).rate_bound < thresholds.WANTED
    assert left or [threads for _, threads, _ in groups] == [1, 2]


@each_lesson
def test_nothing_learned_earns_nothing_and_a_weak_model_a_part(lesson: thresholds.Lesson) -> None:
    checks, parts = checks_of(lesson.name), 0
    for model, _, runs in thresholds.groups(COURSE, lesson, FOUND):
        credits = lesson.credits(checks, model, runs)
        if model.kind == "nothing":
            assert max(credits) == 0, model.name
        if model.kind == "weak":
            assert np.median(credits) > 0, model.name  # a single run of it may have learned nothing
            parts += float(np.median(credits)) < 1
    assert parts >= 2 or thresholds.missing(COURSE, lesson.name, FOUND)


def test_the_page_names_the_curves_of_the_checks() -> None:
    text = thresholds.PAGE.read_text(encoding="utf-8")
    for name in ("08_shapes_batches_state", "09_echo"):
        (begin, _), (end, _) = checks_of(name).CURVE.points
        assert f"credit 0 at {begin}, credit 1 at {end}\n" in text
    assert "credit 0 at 1% below the best constant answer, credit 0.5 at the best naive forecast, " in text


def test_no_failure_in_thirty_runs_bounds_the_rate_by_a_tenth_only() -> None:
    found = thresholds.estimate(np.linspace(0, 1, 30).tolist(), 5.0, missed=0)
    assert found.bound == pytest.approx(0.095, abs=0.001)
    assert thresholds.estimate(np.linspace(0, 1, 2995).tolist(), 5.0, missed=0).bound == pytest.approx(0.001, rel=0.01)
    assert thresholds.estimate([0.0, 1.0], 0.5, missed=2).bound == 1


def test_the_estimate_is_that_of_a_normal_distribution() -> None:
    """Of a large sample the quantile of 1 in 1,000; of a small one it is more careful."""
    for runs, low, high in ((2000, 0.0009, 0.0011), (20, 0.002, 0.01)):
        values = stats.norm.ppf((np.arange(runs) + 0.5) / runs, 10, 2)
        found = thresholds.estimate(values.tolist(), 10 + 2 * 3.09, missed=0)
        assert low < found.rate < high
        assert found.rate < found.rate_bound < 2.5 * high


def test_what_makes_a_measurement_outdated() -> None:
    """Other code does, another comment or docstring does not."""
    code = 'def f(x):\n    """Double."""\n    return 2 * x  # twice\n'
    assert measurements.bare(code) == measurements.bare(re.sub(r"Double|  # twice", "", code))
    assert measurements.bare(code) != measurements.bare(code.replace("2", "3"))
