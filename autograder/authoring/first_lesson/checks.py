"""Hidden checks of FIRST_LESSON."""

import numpy as np

from autograder.examination.expectations import close, exercise, raises
from autograder.examination.student import Student

SECTION = "1 · How far values spread"


@exercise("spread", share=2, read=SECTION)
def test_spread(student: Student, rng: np.random.Generator) -> None:
    """The spread is the distance of the smallest and the largest value."""
    for size in (3, 8):
        values = np.round(rng.normal(0, 9, size), 1)
        values[size // 2] = values.max() + 5.5  # in the middle, so that neither end is the largest
        mistakes = {
            "This is the spread with its sign: take the smallest from the largest.": np.min(values) - np.max(values),
            "This is the distance of the first and the last value.": abs(values[-1] - values[0]),
            "This is the largest value alone: the smallest one counts as well.": np.max(values),
        }
        hint = "Find the smallest and the largest value; the spread is their difference."
        close(student.spread(values), np.max(values) - np.min(values), "spread(values)", hint, mistakes=mistakes)


@exercise("spread", share=1, read=SECTION)
def test_no_values(student: Student, rng: np.random.Generator) -> None:
    """An empty array raises ValueError, one value has the spread 0."""
    hint = "Look at the length first: without values, `raise ValueError(...)`."
    raises("ValueError", lambda: student.spread(np.array([])), "an empty array", hint)
    one = np.round(rng.uniform(1, 9, 1), 1)
    close(student.spread(one), 0.0, "the spread of one value", "Its smallest and its largest value are the same.")
    close(student.spread(np.array([one[0], 12.5])), 12.5 - one[0], "the spread of two values", "Their distance.")
