"""Words for a recipe: a dictionary of plain data in which a notebook writes down what its answer was made with.

Each reads one of its values, `what` being how a student would write it (`recipe["timesteps"]`).
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from autograder.examination.admission import admit
from autograder.examination.expectations import show, that

FEW = 3  # of many wrong names these are told


def recipe(value: Any, what: str, keys: Collection[str]) -> dict[str, Any]:
    """Expect a dictionary that has none but these keys; any of them may be missing."""
    given = admit(value)
    that(isinstance(given, dict), f"`{what}` should be a dictionary, but is {show(given)}.")
    strange = _strange(given, keys)
    that(not strange, f"`{what}` has the key {strange}; its keys are {', '.join(sorted(keys))}.")
    return dict(given)


def whole_number(value: Any, what: str, low: int, high: int) -> int:
    """Expect a whole number from `low` to `high`, Python's own or NumPy's."""
    number = _plain(value)
    right = type(number) is int and low <= number <= high
    that(right, f"{what} should be a whole number from {low} to {high}, but is {show(value)}.")
    return int(number)


def one_of(value: Any, what: str, choices: Sequence[int] | Sequence[str]) -> Any:
    """Expect one of these numbers or texts, and of the same type: True is no 1."""
    found = _plain(value)
    *others, last = [f'"{one}"' if isinstance(one, str) else str(one) for one in choices]
    right = any(type(found) is type(one) and found == one for one in choices)
    that(right, f"{what} should be {', '.join(others)} or {last}, but is {show(value)}.")
    return found


def names(value: Any, what: str, known: Collection[str], kind: str, source: str) -> tuple[str, ...]:
    """Expect a list of texts, each one of the `known` and none twice; `kind` is what one of them is called.

    `source` is where the student can look them up.
    """
    given = admit(value)
    listed = isinstance(given, (list, tuple)) and len(given) <= len(known)
    that(listed, f"{what} should be a list of names, but is {show(given)}.")
    unknown = _strange(given, known)
    that(not unknown, f"{what} names {unknown}, which {source} does not have.")
    that(len({*given}) == len(given), f"{what} names a {kind} twice.")
    return tuple(given)


def _strange(given: Any, known: Collection[str]) -> str:
    """The first few that are no known text, as a student reads them; "" if all are."""
    found = [show(one, 40) for one in given if not (isinstance(one, str) and one in known)]
    return ", ".join(found[:FEW])


def _plain(value: Any) -> Any:
    """A whole number or a text of NumPy's as Python's own."""
    found = admit(value)
    return found.item() if isinstance(found, (np.integer, np.str_)) else found
