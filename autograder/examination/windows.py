"""Windows and the answers right after them: what a model for forecasts is trained on, by the course's own formula.

A window is `timesteps` rows of a table (rows, features), its answer the target's values in the `multisteps` rows
after it. Tables and targets are the course's own: nothing here takes a value from a box.
"""

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]


class Pairs(NamedTuple):
    """Windows X (n, timesteps, features) and their answers y (n, multisteps), in the order of time."""

    X: Array
    y: Array


def pairs(
    table: Array,
    target: Array,
    timesteps: int,
    multisteps: int,
    times: Any = None,
    step: Any = None,
    *,
    no_clock: bool = False,
    only_window: bool = False,
    nan_in_window: bool = False,
    nan_in_answer: bool = False,
    wide: bool = False,
    answer_inside: bool = False,
    answer_late: bool = False,
    last_lost: bool = False,
) -> Pairs:
    """The pairs of `table` (rows, features) and `target` (rows,) that span no gap of the clock and hold no NaN.

    `times` (rows,) are those of the rows, `step` their usual difference; None: rows are counted, whatever their time.
    Each of the other arguments is a usual mistake or another way to read the task: `no_clock` looks for no gaps,
    `only_window` for none before or within the answer; `nan_in_window` and `nan_in_answer` leave NaN in, `wide` refuses
    it in other columns beside the answer too; the answer begins one row early (`answer_inside`) or late
    (`answer_late`); `last_lost` leaves out the last pair.
    """
    late = int(answer_late) - int(answer_inside)
    X, y = [], []
    for start in range(len(table) - timesteps - multisteps + (0 if last_lost else 1)):
        now, end = start + timesteps, start + timesteps + multisteps
        last = (now if only_window else end) - 1
        if step is not None and not no_clock and times[last] - times[start] > (last - start) * step:
            continue
        window, answer = table[start:now], target[now + late : end + late]
        gone = np.isnan(window).any() and not nan_in_window
        gone |= np.isnan(answer).any() and not nan_in_answer
        gone |= wide and bool(np.isnan(table[start:end]).any())
        if not gone:
            X.append(window)
            y.append(answer)
    return Pairs(
        np.array(X).reshape(len(X), timesteps, table.shape[1]),
        np.array(y).reshape(len(y), multisteps),
    )


def windows_at(table: Array, origins: Array, timesteps: int) -> Array:
    """The windows (n, timesteps, features) of `table` (rows, features) whose last rows are `origins` (n,)."""
    return table[origins[:, np.newaxis] + np.arange(1 - timesteps, 1)]


def answers_at(values: Array, origins: Array, multisteps: int) -> Array:
    """The `values` (rows,) of the rows right after each of `origins` (n,): (n, multisteps)."""
    return values[origins[:, np.newaxis] + np.arange(1, multisteps + 1)]


def whole_origins(table: Array, timesteps: int, multisteps: int, first: int, end: int) -> Array:
    """The last rows of those windows in the rows from `first` to before `end` that can be used, with their answers.

    A window is used where `table` (rows, features) has no NaN in it, its answer where the first column has none.
    """
    whole = ~np.isnan(table).any(axis=1)
    places = np.arange(first + timesteps - 1, end - multisteps)
    rolled = np.lib.stride_tricks.sliding_window_view
    windows = rolled(whole, timesteps)[places - timesteps + 1].all(axis=1)
    answers = rolled(~np.isnan(table[:, 0]), multisteps)[places + 1].all(axis=1)
    return places[windows & answers]
