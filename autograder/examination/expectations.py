"""The words in which a check says what it expects; each failure is a sentence for the student.

A check is a pytest test marked with its exercise and the share of the points that it decides:

    @exercise("normalize", share=2, read="Fit on the past")
    def test_fits_on_the_training_data_alone(student, rng):
        '''The scaler is fitted on the training data alone.'''
        train_scaled, test_scaled, _ = parts(student.normalize(train, test), 3, "normalize")
        close(test_scaled, expected, "test_scaled", "Fit on `train`, then transform both.")

Its docstring's first line is its name in the feedback; `read` is the lesson's section to go back to.
The hint is the next step. What a usual mistake would return goes into `mistakes`, under the sentence that tells of it:

    close(test_scaled, expected, "test_scaled", "Fit on `train`, then transform both.",
          mistakes={"The scaler was fitted on the test set.": scaled_by(test, test)})

A student is told of it if that is just what came back, and if no other mistake returns it too.
What expects something raises Wrong when it is not so, which ends the check.
Every value from the box goes through these functions before anything else is done with it; they take data alone
(`admission`), and raise NotAdmitted for all else.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest

from autograder.boxed.values import Generator, Handle, Source
from autograder.examination.admission import BUILTINS, NUMPY_SCALARS, SCALARS, NotAdmitted, admit
from autograder.examination.misconceptions import Clues, Mistake, Mistakes, clues, passed
from autograder.examination.student import Student, StudentError, Undefined
from autograder.text import plain

Array = np.ndarray[Any, Any]

MOST_SHOWN: Final = 256  # numbers of which NumPy writes a corner: of short axes it leaves out nothing
NOTHING = "nothing (None; is a `return` missing?)"


class Wrong(AssertionError):
    """The answer is not as the exercise asks; the message is for the student.

    `hint` is the next step to take, or the Mistake that was recognised. `evidence` is what came back and what was
    expected, with the tolerances, where they can be shown; `clues` are the mistakes that it fits. Failures of one
    `kind` have one cause. `values` are what was judged, as they came back: the call that made them is shown.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        what: str = "",
        evidence: "tuple[Any, Any] | tuple[Any, Any, float, float] | None" = None,
        clues: Clues | None = None,
        kind: str = "",
        values: Sequence[Any] = (),
    ) -> None:
        self.message = plain(message)
        super().__init__(self.message)
        self.hint = "" if isinstance(hint, Mistake) else hint
        self.what = what
        self.kind = kind
        self.evidence = evidence
        self.values = tuple(values)
        named = frozenset({str(hint)}) if isinstance(hint, Mistake) else frozenset()
        self.clues = Clues(named) if named else clues


@dataclass(frozen=True)
class Curve:
    """How the credit grows along a metric: in straight lines from point to point, each a place and the credit there.

    A place is a value of the metric, or the name of one that is known only while grading.
    """

    metric: str
    points: tuple[tuple[float | str, float], ...]

    def credit(self, value: float, *places: float) -> float:
        """The credit for `value`, from 0 to 1; `places` are those of all points, if they have names."""
        if not np.isfinite(value):
            return 0.0
        known = places or [float(place) for place, _ in self.points]
        at, credits = zip(*sorted(zip(known, (credit for _, credit in self.points), strict=True)), strict=True)
        return float(np.interp(value, at, credits))

    def __str__(self) -> str:
        begin, *_, end = (place if isinstance(place, str) else f"{place:.2f}" for place, _ in self.points)
        return f"The points grow from {begin} to {end}."


def exercise(id: str, share: float = 1, read: str = "", curves: Sequence[Curve] = ()) -> pytest.MarkDecorator:
    """Mark a test as a check of `id` that decides `share` of its points (relative to its other checks).

    A check that gives credit along a metric names its `curves`.
    """
    return pytest.mark.exercise(id=id, share=share, read=read, curves=tuple(curves))


def that(condition: bool, message: str, hint: str = "") -> None:
    """Expect `condition`. The hint is the next step, or a Mistake that the check has recognised."""
    if type(condition) not in (bool, np.bool_):
        raise NotAdmitted(f"a {type(condition).__name__} is no condition")
    if not condition:
        raise Wrong(message, hint)


@np.errstate(all="ignore")
def array(value: Any, what: str, shape: Sequence[int] | None = None, hint: str = "") -> Array:
    """Expect numbers in an array (or something that is one but for its type), of `shape`; None: of any."""
    admit(value)
    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
        value = value.to_numpy()
    try:
        found = np.array(None) if _has_text(value) else np.asarray(value)
        if found.dtype == object:
            found = np.array([_real(item) for item in found.ravel().tolist()]).reshape(found.shape)
    except (TypeError, ValueError, OverflowError):
        found = np.array(None)
    if found.dtype.kind not in "biuf" or value is None:
        kind = f"{what.split(' for ')[0]} is no array of numbers"
        raise Wrong(f"{what} should be an array of numbers, but is {show(value)}.", hint, kind=kind, values=(value,))
    if shape is not None and found.shape != tuple(shape):
        raise Wrong(f"{what} should have the shape {tuple(shape)}, but has {found.shape}.", hint, values=(value,))
    return found


@np.errstate(all="ignore")
def close(
    value: Any,
    expected: Any,
    what: str,
    hint: str = "",
    *,
    rtol: float = 1e-5,
    atol: float = 1e-5,
    secret: bool = False,
    mistakes: "Mistakes | Callable[[], Mistakes] | None" = None,
    shape_hint: str | None = None,
) -> None:
    """Expect numbers of `expected`'s shape, equal to it within float32's precision.

    The `hint` serves for wrong numbers, `shape_hint` for a wrong shape; None: the same.
    With `secret`, the message shows neither. `mistakes` that take time are given as a function; None: none is known.
    """
    wanted = np.asarray(expected)
    found = array(value, what)
    fits = found.shape == wanted.shape
    wrong = (
        ~np.isclose(found.astype(float), wanted.astype(float), rtol=rtol, atol=atol, equal_nan=True)
        if fits
        else np.array(True)
    )
    if not wrong.any():
        passed(what, mistakes, lambda value: alike(found, value))
        return
    hint = hint if fits or shape_hint is None else shape_hint
    if secret and fits:
        raise Wrong(f"{what} is not right in {int(wrong.sum())} of {wrong.size} values.", hint, values=(value,))
    if secret:
        raise Wrong(f"{what} should have the shape {wanted.shape}, but has {found.shape}.", hint, values=(value,))
    if not fits:
        message = f"{what} should have the shape {wanted.shape}, but has {found.shape}."
    elif wanted.size <= 8:
        message = f"{what} should be {show(wanted)}, but is {show(found)}."
    else:
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        message = (
            f"{what} is wrong in {int(wrong.sum())} of {wrong.size} values; the first is at {list(place)}: "
            f"it should be {show(wanted[place])}, but is {show(found[place])}."
        )
    known = mistakes() if callable(mistakes) else mistakes or {}
    fitting = clues(found, wanted, known, rtol, atol)
    raise Wrong(message, hint, what=what, evidence=(found, wanted, rtol, atol), clues=fitting, values=(value, found))


def equal(value: Any, expected: Any, what: str, hint: str = "", *, mistakes: Mapping[str, Any] | None = None) -> None:
    """Expect exactly `expected`: a text, a whole number, a truth value or a list of them.

    `mistakes` are what usual ones would return, each with the sentence that tells of it; None: none is known.
    """
    came = admit(value)
    if isinstance(value, (np.ndarray, pd.Series, pd.Index)) and isinstance(expected, list):
        few = value.size <= max(100, 2 * len(expected)) and value.dtype.kind not in "mM"
        value = value.tolist() if few else value
    value = [_plain(item) for item in value] if isinstance(value, list) else _plain(value)
    if isinstance(value, tuple) and isinstance(expected, list):
        value = list(value)
    if same_thing(value, expected):
        passed(what, mistakes, lambda wrong: same_thing(value, wrong))
    else:
        named = frozenset(text for text, wrong in (mistakes or {}).items() if same_thing(value, wrong))
        raise Wrong(f"{what} should be {show(expected)}, but is {show(value)}.", hint, what=what,
                    evidence=(value, expected), clues=Clues(named), values=(came, value))  # fmt: skip


def _has_text(value: Any) -> bool:
    """Whether there is a text in a list, of which NumPy would make as long texts of all that is in it."""
    left = [value] if isinstance(value, (list, tuple)) else []
    while left:
        items = left.pop()
        kinds = {*map(type, items)}
        if kinds & {str, bytes, np.str_, np.bytes_}:
            return True
        if np.ndarray in kinds and any(type(one) is np.ndarray and one.dtype.kind in "SU" for one in items):
            return True
        if kinds & {list, tuple}:
            left += [one for one in items if isinstance(one, (list, tuple))]
    return False


def _real(value: Any) -> float:
    """As `float`, which would cut off what is imaginary. Raises TypeError, ValueError or OverflowError."""
    if isinstance(value, (complex, np.complexfloating)):
        raise TypeError("a complex number is not a real number")
    return float(value)


def _plain(value: Any) -> Any:
    """A number or a text of NumPy's as Python's own; a time is left as it is, for Python knows fewer of them."""
    return value.item() if isinstance(value, np.generic) and value.dtype.kind in "biufcSU" else value


def same_thing(value: Any, other: Any) -> bool:
    """Whether two values are of one type and equal; arrays and tables, and what is missing, equal nothing here."""
    return type(admit(value)) is type(other) and _equal(value, other)


def _equal(value: Any, other: Any) -> bool:
    kinds = type(value), type(other)
    if all(kind in BUILTINS or kind in NUMPY_SCALARS for kind in kinds):
        return bool(value == other)
    if kinds[0] is not kinds[1]:
        return False
    if kinds[0] in (list, tuple):
        return len(value) == len(other) and all(map(_equal, value, other))
    if kinds[0] is dict:
        return value.keys() == other.keys() and all(_equal(value[key], other[key]) for key in value)
    return bool(kinds[0] is set and value == other)


def variable(student: Student, name: str, default: Any) -> Any:
    """What the notebook calls `name`, or the default where it does not define it."""
    try:
        return admit(student[name])
    except Undefined:
        return default


def alike(value: Array, other: Any, *, equal_nan: bool = True) -> bool:
    """Whether two arrays have one shape and hold the same numbers, within float32's precision: not an expectation."""
    found, expected = admit(value), np.asarray(admit(other))
    return found.shape == expected.shape and bool(
        np.allclose(found, expected, rtol=1e-5, atol=1e-5, equal_nan=equal_nan)
    )


def parts(value: Any, number: int, what: str) -> tuple[Any, ...]:
    """Expect a tuple (or list) of `number` things."""
    admit(value)
    if not isinstance(value, (tuple, list)) or len(value) != number:
        many = f"{len(value)} things" if isinstance(value, (tuple, list)) else show(value)
        raise Wrong(
            f"`{what}` should return {number} things, but returned {many}.",
            "See the last line of its docstring.",
            values=(value,),
        )
    return tuple(value)


def unchanged(student: Student, hint: str = "Work on a copy.") -> None:
    """Expect that the last call left its arguments as they were."""
    call = student.calls[-1]
    after, named_after = student.arguments_after() or (list(call.args), call.kwargs)
    arguments = [(f"number {place}", *pair) for place, pair in enumerate(zip(call.args, after, strict=False), 1)]
    arguments += [(f"`{name}`", before, named_after.get(name)) for name, before in call.kwargs.items()]
    for which, before, now in arguments:
        if not _same(before, now):
            raise Wrong(f"`{call.name}` changed its argument {which}, which should not change.", hint)


def raises(kind: str, call: Callable[[], Any], what: str, hint: str = "") -> str:
    """Expect an exception of the type named `kind`, or of one derived from it; returns its text."""
    try:
        value = call()
    except StudentError as error:
        if kind in {error.raised.type, *error.raised.kinds}:
            return error.raised.message
        if error.raised.type == "NotImplementedError":
            raise
        raise Wrong(f"{what} should raise {kind}, but raised {error.raised}.", hint) from None
    raise Wrong(f"{what} should raise {kind}, but returned {show(value)}.", hint)


def generator(rng: np.random.Generator) -> Generator:
    """A fresh random generator to pass to the student's function."""
    return Generator(int(rng.integers(2**32)))


@np.errstate(all="ignore")
def show(value: Any, limit: int = 300) -> str:
    """A value as a student can read it: small ones whole, large ones by shape and corner."""
    try:
        return _show(admit(value), limit)
    except (ArithmeticError, NotImplementedError, ValueError):  # of a time so far away that it cannot be written
        return f"a {type(value).__name__}"


def _show(value: Any, limit: int) -> str:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.ndarray) and value.dtype == object:
        text = _show(value.ravel()[:24].tolist(), limit)
        return text if value.ndim == 1 and value.size <= 24 else plain(f"{text} of shape {value.shape}", limit)
    if isinstance(value, np.ndarray) and math.prod(min(length, 4) for length in value.shape) > MOST_SHOWN:
        return plain(f"{_show(value.ravel()[:8], limit)[:-1]}, ...] of shape {value.shape}", limit)
    if isinstance(value, np.ndarray):
        text = np.array2string(value, precision=4, threshold=24, edgeitems=2, separator=", ", suppress_small=True)
        text = " ".join(text.split())
        return plain(text if value.size <= 24 else f"{text} of shape {value.shape}", limit)
    if isinstance(value, (pd.DataFrame, pd.Series)):
        return plain(f"a {type(value).__name__} of shape {value.shape}", limit)
    if isinstance(value, dict):
        items = [f"{_show(key, 40)}: {_show(item, 80)}" for key, item in itertools.islice(value.items(), 8)]
        return plain("{" + ", ".join(items) + ("" if len(value) < 9 else ", …") + "}", limit)
    if isinstance(value, tuple) or (isinstance(value, list) and not SCALARS.issuperset(map(type, value))):
        inner = ", ".join(_show(item, 80) for item in value[:6]) + ("" if len(value) < 7 else ", …")
        return plain(f"({inner})" if isinstance(value, tuple) else f"[{inner}]", limit)
    if isinstance(value, (float, np.floating)):
        return f"{value:.6g}"
    if isinstance(value, np.generic):
        return plain(value.item(), limit)
    if isinstance(value, Handle):
        return plain(f"a {value.type_name}", 80)
    if value is None:
        return NOTHING
    return plain(repr(value[:limit] if isinstance(value, (list, str, bytes)) else value), limit)


def _same(before: Any, now: Any) -> bool:
    """Whether an argument is as it was. What stands for something in the box is not looked at."""
    if isinstance(before, (Handle, Source, Generator)):
        return True
    if isinstance(before, (pd.DataFrame, pd.Series, pd.Index)):
        return type(before) is type(now) and bool(before.equals(now))  # type: ignore[arg-type]  # they are of one type
    if isinstance(before, np.ndarray):
        if not isinstance(now, np.ndarray) or before.shape != now.shape:
            return False
        if before.dtype == object or now.dtype == object:
            return all(map(_same, before.ravel().tolist(), now.ravel().tolist()))
        return np.array_equal(before, now, equal_nan=before.dtype.kind in "fcmM")
    if isinstance(before, (list, tuple)):
        return isinstance(now, (list, tuple)) and len(before) == len(now) and all(map(_same, before, now))
    if isinstance(before, dict):
        kept = isinstance(now, dict) and before.keys() == now.keys()
        return kept and all(_same(before[key], now[key]) for key in before)
    numbers = (int, float, np.integer, np.floating, np.bool_)
    if type(before) is not type(now) and not (isinstance(before, numbers) and isinstance(now, numbers)):
        return False
    missing = before is now or (before != before and now != now)
    return bool(missing or before == now)
