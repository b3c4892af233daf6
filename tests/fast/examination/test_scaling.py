"""Whether values were scaled, and by what, is seen from the values alone."""

from collections.abc import Callable

import numpy as np
import pytest

from autograder.examination import scaling
from autograder.examination.expectations import Array, Wrong
from autograder.examination.scaling import Part, fitted_on, kind_of_scaling, line, scaled, scaled_by_training

RNG = np.random.default_rng(7)
TRAIN, LATER = RNG.uniform(5, 60, 80), RNG.uniform(50, 90, 30)
OTHER = RNG.uniform(0, 1, 80)


def standard(values: Array, seen: Array) -> Array:
    return np.asarray((values - seen.mean()) / seen.std())


def normal(values: Array, seen: Array) -> Array:
    return np.asarray((values - seen.min()) / np.ptp(seen))


def test_a_line_is_found_and_nothing_else_is_one() -> None:
    assert line(3 * TRAIN - 2, TRAIN) == pytest.approx((3, -2))
    assert line(TRAIN**2, TRAIN) is None
    assert line(-TRAIN, TRAIN) is None, "no scaler turns values round"
    assert line(np.full(80, np.nan), TRAIN) is None
    assert line(TRAIN, np.ones(80)) is None


def test_each_feature_has_a_line_of_its_own() -> None:
    raw = np.stack([TRAIN, OTHER], axis=1).reshape(20, 4, 2)
    assert scaled(raw * [2, 5] + [1, 0], raw)
    assert scaled(raw, raw)
    assert not scaled(raw[::-1], raw)
    assert not scaled(raw[:-1], raw)
    raw[..., 0] = 4
    assert scaled(raw, raw), "a column that does not vary has no line"
    assert not scaled(raw + 1, raw)


def test_what_a_scaler_was_fitted_on() -> None:
    assert fitted_on(line(standard(TRAIN, TRAIN), TRAIN), TRAIN)
    assert fitted_on(line(normal(TRAIN, LATER), TRAIN), LATER)
    assert not fitted_on(line(normal(TRAIN, LATER), TRAIN), TRAIN)
    assert not fitted_on(None, TRAIN)


def test_both_ways_of_scaling_are_known() -> None:
    kinds = [kind_of_scaling(values) for values in (standard(TRAIN, TRAIN), normal(TRAIN, TRAIN), TRAIN)]
    assert kinds == ["standardize", "normalize", None]


@pytest.mark.parametrize("scale", [standard, normal])
def test_a_scaling_by_training_alone_is_right(scale: Callable[[Array, Array], Array]) -> None:
    later = [Part("test", scale(LATER, TRAIN), LATER)]
    scaled_by_training(scale(TRAIN, TRAIN), TRAIN, "it", later, [], np.append(TRAIN, OTHER))


BOTH = np.append(TRAIN, LATER)
MISTAKES: dict[str, tuple[Array, Array]] = {
    scaling.LOOK_AHEAD: (standard(TRAIN, BOTH), standard(LATER, BOTH)),
    scaling.ONE_FOR_ALL: (normal(TRAIN, np.append(TRAIN, OTHER) * 2), LATER),
    scaling.NOT_SCALED: (TRAIN, LATER),
    scaling.BY_ITSELF: (standard(TRAIN, TRAIN), standard(LATER, LATER)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_by_its_name(mistake: str) -> None:
    found, later = MISTAKES[mistake]
    together = np.append(TRAIN, OTHER) * 2
    with pytest.raises(Wrong) as told:
        scaled_by_training(found, TRAIN, "it", [Part("test", later, LATER)], [BOTH], together)
    assert told.value.clues is not None
    assert told.value.clues.named == {mistake}


def test_what_is_no_line_and_what_is_another_line_is_told() -> None:
    for found, later, says in (
        (TRAIN**2, LATER, "it is not a linear scaling"),
        (3 * TRAIN, LATER, "it should have mean 0 and deviation 1 in the training part"),
        (standard(TRAIN, TRAIN), 0.5 * LATER, "it, test part"),
    ):
        with pytest.raises(Wrong, match=says) as told:
            scaled_by_training(found, TRAIN, "it", [Part("test", later, LATER)], [], TRAIN)
        assert told.value.hint


def test_rows_that_no_window_holds_may_have_been_seen_too() -> None:
    found = standard(TRAIN, np.append(TRAIN, 9 * LATER))
    with pytest.raises(Wrong) as told:
        scaled_by_training(found, TRAIN, "it", [], [TRAIN * 7, np.append(TRAIN, 9 * LATER)], TRAIN * 7)
    assert told.value.clues is not None
    assert told.value.clues.named == {scaling.LOOK_AHEAD}


def test_a_part_has_features() -> None:
    part = Part("test", np.zeros((3, 4, 2)), np.ones((3, 4, 2)))
    assert [values.shape for values in part.feature(1)[1:]] == [(3, 4), (3, 4)]
