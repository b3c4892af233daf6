"""How far predictions are from what was true, and what usual mistakes make of that."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def rms(errors: Array) -> float:
    """The root of the mean of all squares, whatever the shape; in the errors' own unit."""
    return float(np.sqrt(np.mean(errors**2)))


def rmse_mistakes(y_true: Array, y_pred: Array) -> list[tuple[str, Any]]:
    """What usual mistakes return in place of the RMSE of two arrays of one shape, each with its sentence."""
    errors = y_true.astype(float) - y_pred
    mistakes: list[tuple[str, Any]] = [
        ("This is the mean squared error: the root is missing.", np.mean(errors**2)),
        ("This is the mean absolute error: square before the mean, and take the root after it.", np.abs(errors).mean()),
        ("The squares are added up: take their mean before the root.", np.sqrt(np.sum(errors**2))),
        ("This is the mean error: errors of both signs cancel out, so square them.", np.mean(errors)),
        ("The mean comes before the square: errors of both signs cancel out. Square first.", abs(np.mean(errors))),
        ("This is divided by the deviation of y_true: an RMSE has the unit of y.", rms(errors) / np.std(y_true)),
    ]
    if errors.ndim > 1:
        roots = "The root comes last, after the mean over all values: this is a mean of roots."
        mistakes += [(roots, np.mean(np.sqrt(np.mean(errors**2, axis=axis)))) for axis in (0, -1)]
    return mistakes
