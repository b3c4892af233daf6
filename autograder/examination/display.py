"""Values as people can look at them: a call as Python that can be run again, arrays as tables or pictures."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from autograder.boxed.values import Generator, Handle, Source
from autograder.examination.admission import admit
from autograder.examination.expectations import show
from autograder.result import Shown
from autograder.text import plain

Array = np.ndarray[Any, Any]

MAX_ROWS: Final = 8  # of a table
MAX_COLUMNS: Final = 8
PICTURE_ROWS: Final = 16
PICTURE_COLUMNS: Final = 32
MAX_LIST: Final = 10_000
MAX_CODE: Final = 900  # characters of a call
MAX_ARGUMENT: Final = 400
LINE: Final = 76
NEXT_ROW: Final = ",\n          "


@np.errstate(all="ignore")
def pair(found: Any, expected: Any, rtol: float = 1e-5, atol: float = 1e-5) -> tuple[Shown, Shown]:
    """What came back and what was expected, drawn alike, the differences marked."""
    admit(found)
    one, other = _array(found), _array(expected)
    if one is None or other is None:
        return shown(found), shown(expected)
    if one.shape != other.shape:
        return _drawn(one, None, _text([one]), None), _drawn(other, None, _text([other]), None)
    differs = _differences(one, other, rtol, atol)
    text, scale = _text([one, other], differs), _scale([one, other])
    return _drawn(one, differs, text, scale), _drawn(other, differs, text, scale)


@np.errstate(all="ignore")
def shown(value: Any) -> Shown:
    """A single value."""
    admit(value)
    array = _array(value)
    return Shown(show(value)) if array is None else _drawn(array, None, _text([array]), None)


def call(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """A call as Python: one that can be run again where its arguments are small."""
    arguments = [code(value) for value in args] + [f"{key}={code(value)}" for key, value in kwargs.items()]
    line = f"{name}({', '.join(arguments)})"
    if len(line) <= LINE and "\n" not in line:
        return line
    lines = "".join(f"    {argument.replace(chr(10), chr(10) + '    ')},\n" for argument in arguments)
    return plain(f"{name}(\n{lines})", MAX_CODE)


def code(value: Any) -> str:
    """A value as Python, or in <...> what it is where that is too long, or cannot be written."""
    try:
        text = plain(_code(value), 4 * MAX_ARGUMENT)
    except Exception:  # what an answer returned may be an argument again, and pandas fails at some values in many ways
        text = ""
    return text if 0 < len(text) <= MAX_ARGUMENT else f"<{_described(value)}>"


def _code(value: Any) -> str:
    if isinstance(value, np.ndarray):
        text = _array_code(value)
    elif isinstance(value, (pd.Series, pd.DataFrame)):
        text = _pandas_code(value)
    elif isinstance(value, Generator):
        text = f"np.random.default_rng({value.seed})"
    elif isinstance(value, Source):
        text = value.name
    elif isinstance(value, Handle):
        text = f"<a {value.type_name}>"
    elif isinstance(value, (pd.Timedelta, pd.Timestamp)):
        text = f"pd.{type(value).__name__}({str(value)!r})"
    elif isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        items = ", ".join(code(item) for item in value[:200])
        text = f"[{items}]" if isinstance(value, list) else f"({items}{',' if len(value) == 1 else ''})"
    elif isinstance(value, dict):
        text = "{" + ", ".join(f"{code(key)}: {code(item)}" for key, item in list(value.items())[:50]) + "}"
    elif isinstance(value, np.generic):
        text = repr(value.item())
    else:
        text = repr(value)
    return text


def _described(value: Any) -> str:
    if isinstance(value, (np.ndarray, pd.DataFrame)):
        name = "an array" if isinstance(value, np.ndarray) else "a DataFrame"
        return f"{name} of shape {value.shape}"
    if isinstance(value, (list, tuple, dict, pd.Series)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def _array_code(value: Array) -> str:
    if value.size > 200:
        return f"<{_described(value)}>"
    if value.size == 0:
        return f"np.empty({value.shape})"

    def nested(items: Any, depth: int) -> str:
        if not isinstance(items, list):
            return _number(items) if isinstance(items, float) else code(items)
        inner = [nested(item, depth + 1) for item in items]
        line = f"[{', '.join(inner)}]"
        return (
            line if len(line) <= LINE - 20 or depth + 1 == value.ndim else f"[{(NEXT_ROW + ' ' * depth).join(inner)}]"
        )

    kind = f", dtype={value.dtype.name!r}" if value.dtype in (np.float32, object) else ""
    return f"np.array({nested(value.tolist(), 0)}{kind})"


def _number(value: Any) -> str:
    number = float(value)
    if not np.isfinite(number):
        return "np.nan" if np.isnan(number) else ("np.inf" if number > 0 else "-np.inf")
    text = f"{number:.6g}"
    return text if any(mark in text for mark in ".e") else f"{text}.0"


def _pandas_code(value: Any) -> str:
    if max(value.size, len(value)) > 60:
        return f"<{_described(value)}>"

    def column(data: Any) -> str:
        return "[" + ", ".join(_number(v) if isinstance(v, float) else code(v) for v in data.tolist()) + "]"

    index = value.index
    where = ""
    if isinstance(index, pd.DatetimeIndex):
        steps = set(np.diff(index.to_numpy()).tolist())
        step = to_offset(index[1] - index[0]).freqstr if len(steps) == 1 and index[0] < index[1] else None
        where = ", index=" + (
            f"pd.date_range({str(index[0])!r}, periods={len(index)}, freq={step!r})"
            if step
            else f"pd.to_datetime({[str(time) for time in index]!r})"
        )
    elif index.tolist() != list(range(len(index))):
        where = f", index={column(index)}"
    if isinstance(value, pd.Series):
        return f"pd.Series({column(value)}{where})"
    columns = ", ".join(f"{name!r}: {column(value[name])}" for name in value.columns)
    return f"pd.DataFrame({{{columns}}}{where})"


def _array(value: Any) -> Array | None:
    """A list or array of numbers, truth values or words that can be drawn; None for all else."""
    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
        value = value.to_numpy()
    if not isinstance(value, (np.ndarray, list, tuple)) or (
        isinstance(value, (list, tuple)) and not 0 < len(value) <= MAX_LIST
    ):
        return None
    try:
        found = np.asarray(value, dtype=None if isinstance(value, np.ndarray) else object)
        if found.dtype == object:
            found = _plainest(found)
    except (TypeError, ValueError, OverflowError):
        return None
    return (
        found
        if found.dtype.kind in "biufUO" and 1 <= found.ndim <= 4 and (found.dtype != object or _words(found))
        else None
    )


def _plainest(found: Array) -> Array:
    """Numbers as numbers; words, None and other objects stay objects."""
    items = found.ravel().tolist()
    real = (int, float, np.integer, np.floating)
    for kinds, kind in (((bool, np.bool_), "bool"), ((int, np.integer), "int64"), (real, "float64")):
        if all(isinstance(item, kinds) and (kind == "bool" or not isinstance(item, bool)) for item in items):
            return found.astype(kind)
    return found


def _words(found: Array) -> bool:
    return all(item is None or isinstance(item, (str, bool, int, float)) for item in found.ravel().tolist())


def _differences(one: Array, other: Array, rtol: float, atol: float) -> Array:
    if one.dtype.kind in "biuf" and other.dtype.kind in "biuf":
        return np.asarray(
            ~np.isclose(one.astype(float), other.astype(float), rtol=rtol, atol=atol, equal_nan=True), dtype=bool
        )
    return np.array([a != b for a, b in zip(one.ravel().tolist(), other.ravel().tolist(), strict=True)],
                    dtype=bool).reshape(one.shape)  # fmt: skip


def _text(arrays: list[Array], differs: Array | None = None) -> Callable[[Any], str]:
    """How to write a number: with as few digits as show what is different."""
    if differs is not None and differs.any() and all(one.dtype.kind == "f" for one in arrays):
        places = [one[differs][:64].tolist() for one in arrays]
        for digits in (4, 6, 8, 12):
            written = [[f"{value:.{digits}g}" for value in place] for place in places]
            if all(a != b for a, b in zip(*written, strict=True)):
                break
    else:
        digits = 4

    def write(value: Any) -> str:
        if isinstance(value, float):
            return "NaN" if np.isnan(value) else f"{value:.{digits}g}"
        return plain(value, 24) if isinstance(value, str) else str(value)

    return write


def _scale(arrays: list[Array]) -> tuple[float, float] | None:
    numbers = [one[np.isfinite(one)] for one in arrays if one.dtype.kind in "iuf"]
    every = np.concatenate(numbers).astype(float) if numbers else np.empty(0)
    return (float(every.min()), float(every.max())) if every.size else None


def _drawn(
    array: Array, differs: Array | None, write: Callable[[Any], str], scale: tuple[float, float] | None
) -> Shown:
    """An array as rows of its last axis: whole as a table, or else as a picture."""
    text = show(array)
    if array.size == 0:
        return Shown(text, array.shape)
    shape = array.shape
    if array.ndim > 2 and shape[-1] == 1:  # of one feature, the timesteps lie side by side
        array, differs = array[..., 0], None if differs is None else differs[..., 0]
    table = array.reshape(-1, array.shape[-1])
    marked = None if differs is None else differs.reshape(table.shape)
    if len(table) <= MAX_ROWS and table.shape[1] <= MAX_COLUMNS:
        places = [", ".join(map(str, place)) for place in np.ndindex(array.shape[:-1])] if array.ndim > 1 else [""]
        return Shown(
            text,
            shape,
            tuple(places),
            tuple(map(str, range(table.shape[1]))),
            tuple(tuple(write(value) for value in row) for row in table.tolist()),
            differs=_marks(marked),
        )
    if array.dtype.kind in "UO":
        return Shown(text, shape)
    low, high = scale or _scale([array]) or (0.0, 1.0)
    down, across = _cuts(len(table), PICTURE_ROWS), _cuts(table.shape[1], PICTURE_COLUMNS)
    blocks = [[table[a:b, c:d].astype(float) for c, d in across] for a, b in down]
    shades = tuple("".join(_shade(block, low, high) for block in row) for row in blocks)
    if marked is not None:
        marked = np.array([[bool(marked[a:b, c:d].any()) for c, d in across] for a, b in down])
    return Shown(text, shape, shades=shades, differs=_marks(marked), scale=(f"{low:.4g}", f"{high:.4g}"))


def _marks(marked: Array | None) -> tuple[str, ...]:
    return () if marked is None else tuple("".join("x" if one else "." for one in row) for row in marked.tolist())


def _cuts(length: int, most: int) -> list[tuple[int, int]]:
    return list(itertools.pairwise(np.linspace(0, length, min(length, most) + 1).astype(int).tolist()))


def _shade(block: Array, low: float, high: float) -> str:
    numbers = block[np.isfinite(block)]
    if not numbers.size:
        return " "
    share = (numbers.mean() - low) / np.float64(high - low)
    return str(min(max(int(share * 10), 0), 9)) if np.isfinite(share) else "5"  # all alike, or too far apart
