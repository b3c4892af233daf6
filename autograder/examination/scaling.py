"""Words for what was scaled: by which straight line, and whether the training part alone decided it.

No way of scaling is asked for by its numbers: a column may go from 0 to 1, or have mean 0 and deviation 1.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from autograder.examination.admission import admit
from autograder.examination.expectations import Array, alike, close, that
from autograder.examination.misconceptions import Mistake

ON_TRAINING: Final = "Fit the scaling on the training windows alone, a column a feature."
LOOK_AHEAD: Final = Mistake("Look-ahead: the scaler has seen validation and test too. Fit it on the training part.")
ONE_FOR_ALL: Final = Mistake(
    "One scaling serves all columns together: each column has a mean and deviation of its own."
)
NOT_SCALED: Final = Mistake("These are the numbers as they came, not scaled.")
BY_ITSELF: Final = Mistake("Each part is scaled by its own numbers: those of the training part serve for all three.")

Line = tuple[float, float]  # slope and intercept


class Part(NamedTuple):
    """A part of the data after training: its name, the values as scaled, and as they were before."""

    name: str
    found: Array
    raw: Array

    def feature(self, k: int) -> "Part":
        """The feature `k` of its windows alone."""
        return Part(self.name, self.found[..., k], self.raw[..., k])


def line(found: Array, raw: Array) -> Line | None:
    """Slope and intercept with which the raw values became the found ones, of one shape; None if no line did it.

    A line that falls is none: no scaler turns values round.
    """
    x, z = raw.ravel(), admit(found).ravel().astype(float)
    if not np.isfinite(z).all() or np.ptp(x) == 0:
        return None
    slope, intercept = np.polyfit(x, z, 1)
    scale = max(float(np.std(z)), 1e-9)
    fits = np.abs(slope * x + intercept - z).max() < 1e-3 * scale + 1e-5
    return (float(slope), float(intercept)) if fits and slope > 0 else None


def scaled(found: Array, raw: Array) -> bool:
    """Whether these are the windows `raw` (n, timesteps, features), each feature as it was or scaled by a line."""
    return admit(found).shape == raw.shape and all(
        line(found[..., k], raw[..., k]) or alike(found[..., k], raw[..., k]) for k in range(found.shape[2])
    )


def fitted_on(found: Line | None, values: Array) -> bool:
    """Whether a line standardizes or normalizes these values; None, which is no line, does neither."""
    ways = ((values.mean(), values.std()), (values.min(), np.ptp(values)))
    return found is not None and any(
        scale > 0 and np.allclose(found, (1 / scale, -shift / scale), rtol=1e-3, atol=1e-5) for shift, scale in ways
    )


def kind_of_scaling(found: Array) -> Literal["standardize", "normalize"] | None:
    """What the training part's scaled values tell; None if they are neither around 0 nor from 0 to 1."""
    mean, deviation, low, high = _figures(found)
    if abs(mean) < 0.15 and abs(deviation - 1) < 0.15:
        return "standardize"
    return "normalize" if abs(low) < 0.05 and abs(high - 1) < 0.05 else None


def scaled_by_training(
    found: Array, raw: Array, what: str, later: Sequence[Part], wholes: Sequence[Array], together: Array
) -> None:
    """Expect of the training part a scaling that it alone decides, and of the `later` parts the same.

    `wholes` and `together` tell mistakes: a scaler was fitted on one of the `wholes`, which have later rows among them,
    or on all columns `together`.
    """
    fitted = line(found, raw)
    that(fitted is not None, f"{what} is not a linear scaling of the column.", "Subtract one number, divide by one.")
    assert fitted is not None
    seen = np.concatenate([raw.ravel(), *(part.raw.ravel() for part in later)])
    mean, deviation, low, high = _figures(found)
    that(kind_of_scaling(found) is not None,
         f"{what} should have mean 0 and deviation 1 in the training part (or go from 0 to 1), but "
         f"has mean {mean:.2f} and deviation {deviation:.2f}, from {low:.2f} to {high:.2f}.",
         _misfitted(fitted, [*wholes, seen], together))  # fmt: skip
    for part in later:
        hint = "Scale all parts by the numbers of the training part."
        if fitted_on(line(part.found, part.raw), part.raw):
            hint = BY_ITSELF
        close(part.found, fitted[0] * part.raw + fitted[1], f"{what}, {part.name} part", hint, rtol=1e-3, atol=2e-3)


def _figures(found: Array) -> tuple[float, float, float, float]:
    """Mean, deviation, and the two ends."""
    return float(np.mean(admit(found))), float(np.std(found)), float(np.min(found)), float(np.max(found))


def _misfitted(fitted: Line, wholes: Sequence[Array], together: Array) -> str:
    """What the line tells of the values that the scaler was fitted on."""
    if any(fitted_on(fitted, whole) for whole in wholes):
        return LOOK_AHEAD
    if fitted_on(fitted, together):
        return ONE_FOR_ALL
    return NOT_SCALED if np.allclose(fitted, (1, 0), rtol=1e-6, atol=1e-6) else ON_TRAINING


def undo(scaler: Any, scaled: Any) -> Any:
    """In the box, by `student.apply`: what the scaler makes of scaled values (rows, columns)."""
    return scaler.inverse_transform(scaled)
