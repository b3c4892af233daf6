"""Windows and their answers, by the course's own formula, on tables small enough to count by hand."""

from typing import Any

import numpy as np
import pytest

from autograder.examination.windows import answers_at, pairs, whole_origins, windows_at

NAN = float("nan")


def starts(**asked: Any) -> list[float]:
    """In which rows the pairs begin, of a table whose first column counts the rows: windows of 2 and 1 ahead."""
    table = np.arange(8.0)[:, np.newaxis].repeat(2, axis=1)
    for row, column in asked.pop("nan", []):
        table[row, column] = NAN
    times = asked.pop("times", range(8))
    X, y = pairs(table, table[:, 0], 2, 1, list(times), 1, **asked)
    assert (X.shape[1:], y.shape[1:]) == ((2, 2), (1,))
    return [*np.fmin(X[:, 0, 0], X[:, 0, 1])]


def test_each_pair_begins_a_row_after_the_one_before() -> None:
    table = np.array([[1.0, 10], [2, 20], [3, 30], [4, 40]])
    X, y = pairs(table, table[:, 0], 2, 1)
    assert X.tolist() == [[[1, 10], [2, 20]], [[2, 20], [3, 30]]]
    assert y.tolist() == [[3], [4]]


def test_where_nothing_fits_there_are_no_pairs() -> None:
    X, y = pairs(np.zeros((3, 2)), np.zeros(3), 3, 1)
    assert (X.shape, y.shape) == ((0, 3, 2), (0, 1))


GAP = [0, 1, 2, 3, 14, 15, 16, 17]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"last_lost": True}, [0, 1, 2, 3, 4]),
        ({"times": GAP}, [0, 1, 4, 5]),
        ({"times": GAP, "only_window": True}, [0, 1, 2, 4, 5]),
        ({"times": GAP, "no_clock": True}, [0, 1, 2, 3, 4, 5]),
        ({"nan": [(4, 1)]}, [0, 1, 2, 5]),
        ({"nan": [(4, 1)], "wide": True}, [0, 1, 5]),
        ({"nan": [(4, 0)]}, [0, 1, 5]),
        ({"nan": [(4, 0)], "nan_in_answer": True}, [0, 1, 2, 5]),
        ({"nan": [(4, 0)], "nan_in_window": True}, [0, 1, 3, 4, 5]),
    ],
)
def test_gaps_and_nan_are_left_out(asked: dict[str, Any], found: list[int]) -> None:
    assert starts(**asked) == found


@pytest.mark.parametrize(("asked", "answer"), [({}, 2), ({"answer_inside": True}, 1), ({"answer_late": True}, 3)])
def test_where_the_answer_begins(asked: dict[str, bool], answer: int) -> None:
    table = np.arange(6.0)[:, np.newaxis]
    _, y = pairs(table, table[:, 0], 2, 1, last_lost=True, **asked)
    assert y[0].tolist() == [answer]


def test_windows_end_at_their_origins_and_answers_begin_behind() -> None:
    table = np.array([[0.0, 0], [1, 1], [2, 2], [3, NAN], [4, 4], [5, 5], [6, 6]])
    assert windows_at(table, np.array([2]), 2)[..., 0].tolist() == [[1, 2]]
    assert answers_at(table[:, 0], np.array([2, 4]), 2).tolist() == [[3, 4], [5, 6]]
    # NaN in another column spoils a window, but no answer.
    assert whole_origins(table, 2, 1, 0, 7).tolist() == [1, 2, 5]
    assert whole_origins(table, 2, 1, 1, 6).tolist() == [2]
