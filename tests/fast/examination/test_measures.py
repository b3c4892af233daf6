"""The RMSE, and what it is mistaken for."""

import numpy as np
import pytest

from autograder.examination.measures import rms, rmse_mistakes

TRUE = np.array([[10.0, 20.0], [30.0, 50.0]])
PREDICTED = TRUE - [[2, 0], [-4, 8]]  # errors whose squares are 4, 0, 16, 64


def test_the_root_of_the_mean_of_all_squares() -> None:
    assert rms(TRUE - PREDICTED) == pytest.approx(np.sqrt(21))
    assert rms(np.full((2, 3, 4), -5.0)) == 5


def test_no_mistake_gives_the_rmse_nor_what_another_one_gives() -> None:
    found: dict[str, list[float]] = {}
    for sentence, value in rmse_mistakes(TRUE, PREDICTED):
        found.setdefault(sentence, []).append(float(value))
    values = [round(value, 9) for values in found.values() for value in values]
    assert [*found.values()][:3] == [[21], [3.5], [pytest.approx(np.sqrt(84))]]
    assert round(rms(TRUE - PREDICTED), 9) not in values
    # Of these errors the mean is positive: squared first or not, it comes to the same.
    assert len(set(values)) == len(values) - 1


def test_a_mean_of_roots_needs_two_axes() -> None:
    flat = rmse_mistakes(TRUE.ravel(), PREDICTED.ravel())
    assert not [sentence for sentence, _ in flat if "mean of roots" in sentence]
    assert len(rmse_mistakes(TRUE, PREDICTED)) == len(flat) + 2
