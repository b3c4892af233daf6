"""From a value to a tree and its buffers: what is not data becomes a handle, or is refused with a sentence."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .values import (
    MAX_DEPTH,
    MAX_FRAME_BYTES,
    MAX_NUMBER_KEYS,
    MAX_TEXT,
    Generator,
    Handle,
    NotData,
    ProtocolError,
    Source,
)

Node = Any
# Of numbers, text and times. Floats with more bits than these have no bytes that mean the same everywhere.
PLAIN_KINDS = "biufcSUmM"
TENSORS = {"tensorflow", "keras", "jax", "jaxlib", "torch"}


class Encoder:
    """One value's way into a frame; `opaque` turns what is not data into a handle.

    Raises NotData for anything else that cannot cross, ProtocolError when the value is too large.
    """

    def __init__(self, opaque: Callable[[Any], Handle] | None) -> None:
        self.opaque = opaque
        self.buffers: list[bytes] = []
        self.size = 0
        self.number_keys = 0

    def node(self, value: Any, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ProtocolError(f"the value is nested more than {MAX_DEPTH} deep")
        deeper = depth + 1
        if value is None or value is True or value is False:
            return value
        if isinstance(value, np.generic):
            return ["scalar", self.array(np.asarray(value))] if value.dtype.kind in PLAIN_KINDS else self.other(value)
        if isinstance(value, (str, bytes, int, float, complex)):
            return self.scalar(value)
        if isinstance(value, np.ndarray):
            return self.array(np.asarray(value), deeper)
        if isinstance(value, (list, range, type({}.keys()), type({}.values()))):
            return ["list", [self.node(item, deeper) for item in value]]
        if isinstance(value, tuple):
            # A named tuple's too: its names are the other side's, and nothing asks for them.
            return ["tuple", [self.node(item, deeper) for item in value]]
        if isinstance(value, dict):
            return ["dict", [[self.key(key), self.node(item, deeper)] for key, item in value.items()]]
        if isinstance(value, (set, frozenset)):
            return ["set", [self.key(item) for item in value]]
        if isinstance(value, Handle):
            return ["handle", value.number, value.type_name]
        if isinstance(value, Source):
            return ["source", value.text, value.name]
        if isinstance(value, Generator):
            return ["generator", value.seed]
        if "pandas" in sys.modules:
            found = self.pandas(value, deeper)
            if found is not None:
                return found
        # Tensors of TensorFlow, JAX and PyTorch are arrays to a reader.
        if type(value).__module__.split(".")[0] in TENSORS:
            try:
                array = np.asarray(value)
            except Exception:
                return self.other(value)
            if array.dtype.kind in "biufcSU":
                return self.array(array)
        return self.other(value)

    def scalar(self, value: str | bytes | float | complex) -> Node:
        """A subclass arrives as what it holds."""
        if isinstance(value, str):
            text = str.__str__(value)
            if len(text) > MAX_TEXT:
                raise ProtocolError(f"a text of {len(text)} characters is too long to send")
            return text
        if isinstance(value, bytes):
            return ["bytes", self.buffer(bytes(value))]
        if isinstance(value, int):
            number = int(value)
            if number.bit_length() > 4096:
                raise ProtocolError("an integer is too long to send")
            return number
        return float(value) if isinstance(value, float) else ["complex", value.real, value.imag]

    def key(self, value: Any) -> Node:
        """Of a mapping or a set: text, a number, a truth value or None."""
        plain = value.item() if isinstance(value, np.generic) else value
        if plain is None or isinstance(plain, bool):
            return plain
        if not isinstance(plain, (str, int, float)):
            raise ProtocolError(
                f"a key, or the name of a row or column, is a {type(value).__name__}: use text or numbers"
            )
        self.number_keys += not isinstance(plain, str)
        if self.number_keys > MAX_NUMBER_KEYS:
            raise ProtocolError(f"there are more than {MAX_NUMBER_KEYS} keys that are numbers")
        return self.scalar(plain)

    def other(self, value: Any) -> Node:
        if self.opaque is None:
            raise NotData(f"a {type(value).__name__} is not data")
        return self.node(self.opaque(value), 0)

    def buffer(self, data: bytes) -> int:
        self.buffers.append(data)
        return len(self.buffers) - 1

    def array(self, array: "np.ndarray[Any, Any]", depth: int = 0) -> Node:
        if array.dtype.kind in PLAIN_KINDS:
            # Before anything is copied: a copy of what cannot be sent may be more than the memory there is.
            self.size += array.nbytes
            if self.size > MAX_FRAME_BYTES:
                raise ProtocolError(f"an array of {array.nbytes / 2**20:.0f} MiB is too large to send")
            data = np.ascontiguousarray(_of_a_usual_type(array))
            return ["array", data.dtype.str, list(array.shape), self.buffer(data.tobytes())]
        items = [self.node(item, depth + 1) for item in array.ravel().tolist()]
        return ["objects", list(array.shape), items]

    def pandas(self, value: Any, depth: int) -> Node | None:
        import pandas as pd

        if value is pd.NaT or value is pd.NA:
            return ["missing", "NaT" if value is pd.NaT else "NA"]
        if isinstance(value, pd.Timestamp):
            zone = None if value.tz is None else str(value.tz)
            return ["timestamp", self.array(np.asarray(value.asm8)), zone]
        if isinstance(value, pd.Timedelta):
            return ["timedelta", self.array(np.asarray(value.asm8))]
        if isinstance(value, pd.DataFrame):
            columns = [self.column(value.iloc[:, place], depth) for place in range(value.shape[1])]
            return ["frame", self.index(value.columns, depth), columns, self.index(value.index, depth)]
        if isinstance(value, pd.Series):
            name, index = self.name(value.name, depth), self.index(value.index, depth)
            return ["series", name, self.column(value, depth), index]
        if isinstance(value, pd.Index):
            return self.index(value, depth)
        if isinstance(value, pd.api.extensions.ExtensionArray):
            return self.node(pd.Series(value), depth)
        return None

    def index(self, value: Any, depth: int) -> Node:
        import pandas as pd

        if isinstance(value, pd.RangeIndex):
            return ["range", value.start, value.stop, value.step, self.name(value.name, depth)]
        if isinstance(value, pd.MultiIndex):
            rows = [[self.label(part, depth) for part in item] for item in value]
            return ["multi", rows, [self.label(name, depth) for name in value.names]]
        column = self.column(value, depth)
        if column[1] == "objects":
            column[2] = [self.label(item, depth) for item in value]
        return ["index", column, self.name(value.name, depth), getattr(value, "freqstr", None)]

    def name(self, value: Any, depth: int) -> Node:
        """Of a column: a label, or one of each level."""
        if isinstance(value, tuple):
            return ["tuple", [self.label(part, depth) for part in value]]
        return self.label(value, depth)

    def label(self, value: Any, depth: int) -> Node:
        """What a row or a column is called: a key, a time, or what is missing."""
        import pandas as pd

        if isinstance(value, (pd.Timestamp, pd.Timedelta)) or value is pd.NaT or value is pd.NA:
            return self.pandas(value, depth)
        return self.key(value)

    def column(self, values: Any, depth: int) -> Node:
        """The values of a pandas column or index as `["column", kind, ...]`."""
        import pandas as pd

        dtype = values.dtype
        if isinstance(dtype, pd.DatetimeTZDtype):
            index = pd.DatetimeIndex(values)
            return ["column", "zoned", self.array(np.asarray(index.tz_convert("UTC").tz_localize(None))), str(dtype.tz)]
        if isinstance(dtype, pd.CategoricalDtype):
            categorical = pd.Categorical(values)
            codes = self.array(np.asarray(categorical.codes))
            return ["column", "categories", codes, self.index(categorical.categories, depth), bool(categorical.ordered)]
        if isinstance(dtype, np.dtype) and dtype.kind in "biufcmM":
            return ["column", "plain", self.array(np.asarray(values))]
        return ["column", "objects", [self.node(item, depth) for item in values], str(dtype)]


@np.errstate(all="ignore")  # what is beyond the usual type's range becomes infinite
def _of_a_usual_type(array: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """The same in a type that every machine has: no long doubles, no times that count in steps of 25 seconds."""
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind in "mM":
        unit, step = np.datetime_data(array.dtype)
        if unit == "generic":
            raise ProtocolError("a time without a unit has no meaning elsewhere")
        return array if step == 1 else array.astype(f"{kind}8[{unit}]")
    if kind == "f" and size > 8:
        return array.astype(np.float64)
    return array.astype(np.complex128) if kind == "c" and size > 16 else array
