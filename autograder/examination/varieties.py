"""Numbers as a text allows them and examples seldom show: with these, an answer made for the example shows itself."""

from typing import Any

import numpy as np
import pandas as pd

from autograder.examination.expectations import Array


def sequences(rng: np.random.Generator, size: int) -> list[tuple[str, Any, Array]]:
    """Kinds of sequences of this size, 5 or more: what each is called, as it is given, and its numbers (size,)."""
    fractions = np.round(rng.uniform(1, 9, size), 2) + 0.005
    whole = rng.integers(1, 9, size)
    zeros = np.where(np.arange(size) % 3 == 1, 0.0, fractions)
    again = np.repeat(fractions, 2)[:size]
    labels = np.arange(size) // 2
    places = rng.permutation(size) + 0.5
    mixed = [int(whole[0]), *fractions[1:].tolist()]
    return [
        ("a list that begins with a whole number", mixed, np.array(mixed)),
        ("values of which some are 0", zeros.tolist(), zeros),
        ("values of which some come twice", again, again),
        ("equal values", np.full(size, fractions[0]), np.full(size, fractions[0])),
        ("values below 0", (-fractions).tolist(), -fractions),
        ("whole numbers far out", (whole * 40_000).tolist(), whole * 40_000.0),
        ("a Series with labels that come twice", pd.Series(fractions, labels), fractions),
        ("a Series with fractions as labels", pd.Series(fractions, places), fractions),
        ("an array of float32", fractions.astype("float32"), fractions),
    ]
