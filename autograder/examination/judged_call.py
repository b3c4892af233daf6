"""Which call of the answer made the value that a check found wrong? That one is shown, and not simply the latest.

A value is traced by what it is: the very object that a call returned, or a part of it, or numbers in the same place in
memory. Where a check has made a copy of it, an equal part is taken, of the latest call that has one.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from autograder.examination.student import Call

MOST_PARTS: Final = 10_000  # of one call's value that are looked at


def judged_call(values: Sequence[Any], calls: Sequence[Call], helpers: Sequence[Call] = ()) -> Call | None:
    """The call that made one of the `values`, which a check has judged; None where none of `calls` is known to have.

    `helpers` are calls of the check's own functions: what one of them made is traced on to what it was given.
    """
    for same in (_identical, _equal):
        for value in values:
            for call in reversed(calls):
                if any(same(part, value) for part in _parts(call)):
                    return call
            for helper in reversed(helpers):
                if any(same(part, value) for part in _parts(helper)):
                    return _given_to(helper, calls)
    return None


def _given_to(helper: Call, calls: Sequence[Call]) -> Call | None:
    """The latest call that made an argument of the helper's; there are no copies on this way."""
    given = [*helper.args, *helper.kwargs.values()]
    made = (call for call in reversed(calls) for part in _parts(call) if any(_identical(part, one) for one in given))
    return next(made, None)


def _parts(call: Call) -> Iterator[Any]:
    """What a call returned, and all that is in it."""
    left = [] if call.answer is None else [call.answer.value]
    for _ in range(MOST_PARTS):
        if not left:
            return
        part = left.pop()
        yield part
        if isinstance(part, (list, tuple)):
            left += part[: MOST_PARTS - len(left)]
        elif isinstance(part, dict):
            left += part.values()


def _identical(part: Any, value: Any) -> bool:
    if isinstance(part, np.ndarray) and isinstance(value, np.ndarray):
        return part is value or bool(np.may_share_memory(part, value))
    # Of small numbers, short texts and what is missing Python has one object for all.
    return part is value and not isinstance(part, (bool, int, str, bytes, tuple, type(None)))


def _equal(part: Any, value: Any) -> bool:
    try:
        one, other = _as_array(part), _as_array(value)
        kinds = one.dtype.kind, other.dtype.kind
        alike = kinds[0] == kinds[1] or all(kind in "biuf" for kind in kinds)
        return alike and one.shape == other.shape and _equal_arrays(one, other)
    except (TypeError, ValueError, OverflowError):
        return False


def _as_array(value: Any) -> "np.ndarray[Any, Any]":
    return value.to_numpy() if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)) else np.asarray(value)


def _equal_arrays(one: "np.ndarray[Any, Any]", other: "np.ndarray[Any, Any]") -> bool:
    return bool(np.array_equal(one, other, equal_nan="f" in (one.dtype.kind, other.dtype.kind)))
