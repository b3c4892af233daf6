"""The points follow understanding: how they are shared, where they grow along a metric, and what earns none."""

import math
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
from helpers import idle_answers
from helpers.grader import SEED
from helpers.submissions import COURSE

from autograder.authoring import local_run, partial_credit
from autograder.examination.expectations import Curve

each_assignment = pytest.mark.parametrize("name", COURSE.names)


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def kernels() -> Iterator[ProcessPoolExecutor]:
    """A process of its own for what notebooks import."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=local_run.prepare) as pool:
        yield pool


def test_the_page_is_the_one_that_notebooks_and_checks_make() -> None:
    kept = (COURSE.root / "source" / partial_credit.FILE).read_text(encoding="utf-8")
    assert kept == partial_credit.as_markdown(COURSE), "run: autograder release"


@each_assignment
def test_every_exercise_is_on_the_page_and_its_parts_make_its_points(name: str) -> None:
    parts = partial_credit.parts(COURSE.assignment(name))
    page = partial_credit.as_markdown(COURSE)
    for exercise in COURSE.assignment(name).exercises:
        own = [part for part in parts if part.exercise == exercise.id]
        assert math.fsum(part.points for part in own) == pytest.approx(exercise.max_points)
        assert all(part.points > 0 for part in own)
        assert f"| `{exercise.id}` | {exercise.max_points:g} | {own[0].title}" in page
        assert all(f"| {part.title}" in page for part in own)


def test_every_trained_model_has_a_curve() -> None:
    curved = {
        (name, part.exercise)
        for name in COURSE.names
        for part in partial_credit.parts(COURSE.assignment(name))
        if part.curves
    }
    assert curved == {
        ("01_memory_cell", "applications"),
        ("08_shapes_batches_state", "state-carries"),
        ("09_echo", "trained-model"),
        ("10_deep_forecaster", "trained-model"),
    }


@each_assignment
def test_an_answer_that_does_nothing_earns_nothing(name: str, kernels: ProcessPoolExecutor) -> None:
    """Whatever it returns, and if it only refuses: no check may be passed by the absence of an answer."""
    found = kernels.submit(idle_answers.earned, name, SEED).result(timeout=300)
    assert found
    assert {what: points for what, points in found.items() if points != 0} == {}


@pytest.mark.parametrize(
    ("value", "credit"),
    [(-1, 0), (0.2, 0), (0.6, 0.5), (0.8, 0.75), (1.0, 1), (7, 1), (math.nan, 0), (math.inf, 0), (-math.inf, 0)],
)
def test_credit_grows_in_a_straight_line(value: float, credit: float) -> None:
    assert Curve("accuracy", ((0.2, 0), (1.0, 1))).credit(value) == pytest.approx(credit)


@pytest.mark.parametrize(
    ("value", "credit"), [(900, 0), (700, 0), (450, 0.25), (200, 0.5), (190, 0.75), (180, 1), (0, 1)]
)
def test_credit_along_an_error_whose_places_are_known_only_while_grading(value: float, credit: float) -> None:
    curve = Curve("RMSE", (("nothing learned", 0), ("naive", 0.5), ("10 % below it", 1)))
    assert curve.credit(value, 700, 200, 180) == pytest.approx(credit)
    assert str(curve) == "The points grow from nothing learned to 10 % below it."
    with pytest.raises(ValueError, match="zip"):
        curve.credit(value, 700, 200)
