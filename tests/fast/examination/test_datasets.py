"""A data set is right whatever its scaling, and a usual mistake in its windows is told by name."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autograder.examination import datasets
from autograder.examination.datasets import (
    Dataset,
    dataset,
    holds,
    later_parts,
    pairs_are,
    split,
    splits,
    target_is,
)
from autograder.examination.expectations import Array, Wrong
from autograder.examination.misconceptions import Mistake
from autograder.examination.windows import Pairs

RNG = np.random.default_rng(3)
ROWS, TIMESTEPS, MULTISTEPS = 60, 3, 2
FRAME = pd.DataFrame(
    {"flow": RNG.permutation(ROWS) + RNG.uniform(0.1, 0.9, ROWS), "rain": RNG.permutation(ROWS) * 5.5},
    index=pd.date_range("2026-03-02", periods=ROWS, freq="h"),
)
RIGHT = split(FRAME, TIMESTEPS, MULTISTEPS)
WAYS = splits(FRAME, TIMESTEPS, MULTISTEPS)


def made(change: Callable[[Array, Array], tuple[Array, Array]] = lambda X, y: (X, y)) -> Dataset:
    """The right data set, scaled, with each part changed."""
    changed = [change(X / 7 - 2, y * 3 + 1) for X, y in RIGHT]
    return Dataset([X for X, _ in changed], [y for _, y in changed], None)


def test_the_rows_are_split_before_they_are_framed() -> None:
    assert [len(part.X) for part in RIGHT] == [42 - 4, 9 - 4, 9 - 4]
    assert [len(part.X) for part in split(FRAME, 3, 2, by_pairs=True)] == [39, 8, 9]


def test_words_follow_the_numbers_as_the_categories_of_training() -> None:
    words = ["sun", "rain"] * 25 + ["hail"] * 10
    frame = FRAME.assign(sky=words)[["sky", "flow", "rain"]]
    training, _, test = split(frame, 3, 2)
    assert training.X.shape[2] == 4
    assert training.X[0, 0, 2:].tolist() == [0, 1]  # rain, sun
    assert test.X[-1, -1, 2:].tolist() == [0, 0], "a word that training has never seen"
    np.testing.assert_array_equal(training.y, RIGHT[0].y)


def test_gaps_are_looked_for_in_the_index() -> None:
    frame = FRAME.drop(FRAME.index[20])
    assert len(split(frame, 3, 2)[0].X) == 41 - 4 - 4
    assert len(split(frame, 3, 2, no_clock=True)[0].X) == 41 - 4


@pytest.mark.parametrize("nested", [True, False])
def test_the_parts_come_in_pairs_or_one_after_the_other(nested: bool) -> None:
    X, y = np.zeros((2, 3, 1)), np.zeros((2, 2))
    value: Any = ((X, y), (X, y), (X, y), "scaler") if nested else (X, y, X, y, X, y, "scaler")
    found = dataset(value, "prepare")
    assert [one.shape for one in (*found.X, *found.y)] == [X.shape] * 3 + [y.shape] * 3
    assert found.scaler == "scaler"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "`prepare` should return a Dataset, but returned nothing"),
        ((1, 2), "`prepare` should return 7 things"),
        ([np.zeros((2, 3, 1)), "x"] * 3 + [0], "y of the training part should be an array of numbers"),
        ([np.zeros((2, 3, 1)), np.zeros(2)] * 3 + [0],
         r"y of the training part should have the shape \(n, multisteps\), but has \(2,\)"),
    ],
)  # fmt: skip
def test_what_is_no_data_set_is_told(value: Any, says: str) -> None:
    with pytest.raises(Wrong, match=says):
        dataset(value, "prepare")


def test_the_right_pairs_are_right_whatever_their_scaling() -> None:
    assert pairs_are(made(), WAYS, "", (0, 1, 2)) is WAYS[0]
    assert all(holds(made(), RIGHT[part], part) for part in range(3))


def test_one_way_is_kept_through_all_parts() -> None:
    """The training part of one split and the test part of another are no right answer."""
    found, other = made(), split(FRAME, TIMESTEPS, MULTISTEPS, by_pairs=True)
    found.X[2], found.y[2] = other[2].X, other[2].y
    with pytest.raises(Wrong, match="X of the test part should have the shape"):
        pairs_are(found, WAYS, "", (0, 1, 2))


def early(X: Array, y: Array) -> tuple[Array, Array]:
    return X, np.hstack([(X[:, -1:, 0] + 2) * 21 + 1, y[:, :-1]])


def by_timestep(X: Array, y: Array) -> tuple[Array, Array]:
    return (X - X.mean(axis=0)) / X.std(axis=0), y


MISTAKES: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {
    datasets.EARLY: early,
    datasets.CUT_OFF: lambda X, y: (np.trunc(X), y),
    datasets.BY_TIMESTEP: by_timestep,
    datasets.SHUFFLED: lambda X, y: (X[::-1], y[::-1]),
    datasets.ONE_LESS: lambda X, y: (X[:-1], y[:-1]),
    datasets.APART: lambda X, y: (X[::3], y[::3]),
}


def told(found: Dataset, hint: str = "Look again.", **options: Any) -> Wrong:
    with pytest.raises(Wrong) as wrong:
        pairs_are(found, WAYS, hint, **options)
    return wrong.value


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_by_its_name(mistake: str) -> None:
    wrong = told(made(MISTAKES[mistake]))
    assert wrong.clues is not None
    assert wrong.clues.named == {mistake}


def test_mistakes_that_a_check_names_go_before_and_the_first_is_told() -> None:
    late = made(lambda X, y: (X[::-1], y[::-1]))
    same = [[Pairs(part.X[::-1], part.y[::-1]) for part in RIGHT]]
    wrong = told(late, mistakes={"no": WAYS, "It runs backwards.": same, "And so it does.": same})
    assert wrong.clues is not None
    assert wrong.clues.named == {"It runs backwards."}
    wrong = told(late, Mistake("Seen before."), mistakes={"It runs backwards.": same})
    assert wrong.clues is not None
    assert wrong.clues.named == {"Seen before."}


def test_what_is_no_known_mistake_gets_the_hint() -> None:
    for change, says in (
        (lambda X, y: (X**2, y), "does not hold the right rows"),
        (lambda X, y: (X, y[:, :1]), "y of the training part should have the shape"),
        (lambda X, y: (X * np.nan, y), "X of the training part holds NaN"),
    ):
        wrong = told(made(change))
        assert says in wrong.message
        assert wrong.hint == "Look again."


def test_later_parts_come_with_what_they_were() -> None:
    validation, test = later_parts(made(), RIGHT, "y")
    assert (validation.name, test.name) == ("validation", "test")
    np.testing.assert_array_equal(test.raw, RIGHT[2].y)
    with pytest.raises(Wrong, match="X of the validation part should have the shape"):
        later_parts(made(lambda X, y: (X[1:], y)), RIGHT, "X")


def test_the_answers_tell_which_column_they_are_of() -> None:
    assert target_is(made(), FRAME, "flow", TIMESTEPS, MULTISTEPS)
    assert not target_is(made(), FRAME, "rain", TIMESTEPS, MULTISTEPS)
    assert not target_is(made(lambda X, y: (X, y[:, :1])), FRAME, "flow", TIMESTEPS, MULTISTEPS)
