"""The door to every comparison: values of a closed set of exact types pass, and nothing else.

What `boxed.decoding` makes is of this set by construction. Here it is asked once more, of each value that a check is
handed and of each that it compares: an object that answers to names or protocols which somebody else chose
(`__array_interface__`, `__array__`, `__index__`, `__eq__` ...) would have NumPy read memory where it says.
"""

from collections.abc import Iterable
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd

from autograder.boxed.values import MAX_DEPTH, Handle

Value = TypeVar("Value")

PLAIN_KINDS: Final = "biufcSUmM"
BUILTINS: Final = frozenset({type(None), bool, int, float, complex, str, bytes})
NUMPY_SCALARS: Final = frozenset(
    {np.bool_, np.float16, np.float32, np.float64, np.complex64, np.complex128, np.str_, np.bytes_, np.datetime64,
     np.timedelta64, *(np.dtype(f"{kind}{size}").type for kind in "iu" for size in (1, 2, 4, 8))}
)  # fmt: skip
PANDAS_SCALARS: Final = frozenset({pd.Timestamp, pd.Timedelta, type(pd.NaT), type(pd.NA)})
SCALARS: Final = BUILTINS | NUMPY_SCALARS | PANDAS_SCALARS | {Handle}
INDEXES: Final = frozenset(
    {pd.Index, pd.RangeIndex, pd.DatetimeIndex, pd.TimedeltaIndex, pd.CategoricalIndex, pd.MultiIndex}
)
# Of columns; their values are numbers, text, truth values and times, or what is missing.
EXTENSIONS: Final = frozenset(
    {pd.StringDtype, pd.BooleanDtype, pd.Int64Dtype, pd.Int32Dtype, pd.Float64Dtype, pd.DatetimeTZDtype}
)


class NotAdmitted(TypeError):
    """A value that no answer can have: a fault of the grader's own."""


def admit(value: Value) -> Value:
    """The value itself, seen to be of the closed set down to its last item. Raises NotAdmitted."""
    _look([value], MAX_DEPTH)
    return value


def _look(values: Iterable[Any], depth: int) -> None:
    if depth < 0:
        raise NotAdmitted("a value is nested too deep")
    for value in values:
        kind = type(value)
        if kind in SCALARS:
            continue
        if kind in (list, tuple, set):
            if not SCALARS.issuperset(map(type, value)):
                _look(value, depth - 1)
        elif kind is dict:
            _look(value.keys(), depth - 1)
            _look(value.values(), depth - 1)
        elif kind is np.ndarray:
            _look_at_array(value, depth)
        elif kind is pd.DataFrame:
            _look([value.index, value.columns, *(value.iloc[:, place] for place in range(value.shape[1]))], depth - 1)
        elif kind is pd.Series:
            _look([value.index, value.name], depth - 1)
            _look_at_column(value, depth)
        elif kind in INDEXES:
            _look_at_index(value, depth)
        else:
            raise NotAdmitted(f"a {kind.__module__}.{kind.__qualname__} is no data")


def _look_at_array(array: "np.ndarray[Any, Any]", depth: int) -> None:
    if array.dtype.kind == "O":
        _look(array.ravel().tolist(), depth - 1)
    elif array.dtype.kind not in PLAIN_KINDS:
        raise NotAdmitted(f"an array of {array.dtype} is no data")


def _look_at_index(index: Any, depth: int) -> None:
    _look(index.names, depth - 1)
    if type(index) is pd.MultiIndex:
        _look(index.levels, depth - 1)
    elif type(index) is not pd.RangeIndex:
        _look_at_column(index, depth)


def _look_at_column(column: Any, depth: int) -> None:
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        _look_at_array(column.to_numpy(), depth)
    elif type(dtype) is pd.CategoricalDtype:
        _look([dtype.categories], depth - 1)
    elif type(dtype) not in EXTENSIONS:
        raise NotAdmitted(f"a column of {dtype} is no data")
