"""From a tree and its buffers to a value of a closed set of exact types, whatever the other side has written there.

    None, bool, int, float, complex, str, bytes         list, tuple, dict, set: of these exact types
    NumPy scalars and arrays of the types below         arrays of objects, each again of this set
    pandas' Timestamp, Timedelta, NaT and NA            DataFrame, Series and the kinds of Index below
    Handle

So nothing comes out that answers to a name or a protocol of the other side's choosing. An array has memory of its own.
It never unpickles, imports or evaluates, and checks every size before it allocates. What a value costs to make is
bounded: each kind of node has a price, in tenths of a microsecond as measured, and each buffer is copied once.

A tree's node is a JSON scalar, or a list whose first element names its kind, e.g. `["tuple", [1, 2.5]]` or
`["array", "<f8", [2, 3], 0]` (the last number counts the buffers).
"""

import math
import re
from collections.abc import Callable
from typing import Any, ClassVar, Final

import numpy as np

from .values import MAX_COST, MAX_DEPTH, MAX_FRAME_BYTES, MAX_NUMBER_KEYS, Generator, Handle, ProtocolError, Source

Node = Any
Array = np.ndarray[Any, Any]

_DTYPE: Final = re.compile(
    r"\|b1|[|<>][iu]1|[<>](?:[iu][248]|f[248]|c8|c16)|\|S\d{1,6}|[<>]U\d{1,6}|[<>][mM]8\[(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\]"
)
_ZONE: Final = re.compile(r"UTC[+-]\d\d:\d\d|[A-Z][A-Za-z0-9_+\-]{0,30}(?:/[A-Z][A-Za-z0-9_+\-]{0,30}){0,2}")
_FREQUENCY: Final = re.compile(r"[A-Za-z0-9\-]{1,20}")
MAX_CODE_POINT: Final = 0x10FFFF
# The types that pandas knows itself for columns of objects; any other name means plain objects.
EXTENSIONS: Final = {"str", "string", "boolean", "Int64", "Int32", "Float64"}
SCALARS: Final = frozenset({type(None), bool, int, float, str})
PRICES: Final = {
    "bytes": 10, "complex": 15, "list": 15, "tuple": 15, "dict": 20, "set": 20, "array": 50, "scalar": 30,
    "objects": 50, "handle": 25, "missing": 15, "timestamp": 100, "timedelta": 60, "frame": 1500, "series": 1000,
    "range": 300, "multi": 4000, "index": 700, "source": 0, "generator": 0,
}  # fmt: skip
ITEM: Final = 1  # of a list, and of a row of a column
KEY: Final = 5
LABEL: Final = 8
ZONE: Final = 20_000  # a file of the system's to read
FEATURE: Final = 400  # a column of a DataFrame


class Decoder:
    """Makes values of one frame's tree. Raises ProtocolError, or whatever pandas and NumPy raise on what is not one."""

    def __init__(self, buffers: list[memoryview]) -> None:
        self.buffers: list[memoryview | None] = list(buffers)
        self.left = MAX_COST
        self.number_keys = 0
        self.zones: set[str] = set()

    def value(self, node: Node, depth: int = 0) -> Any:
        if not isinstance(node, list):
            return _scalar(node)
        if depth > MAX_DEPTH:
            raise ProtocolError("nested too deep")
        kind, *parts = node
        make = self.kinds.get(kind) if isinstance(kind, str) else None
        if make is None:
            raise ProtocolError("a node of an unknown kind")
        self.pay(PRICES[kind])
        return make(self, depth + 1, *parts)

    def pay(self, cost: int) -> None:
        self.left -= cost
        if self.left < 0:
            raise ProtocolError("it has too many parts to be looked at")

    def items(self, nodes: Any, depth: int) -> list[Any]:
        if type(nodes) is not list:
            raise ProtocolError("items are not a list")
        self.pay(ITEM * len(nodes))
        if SCALARS.issuperset(map(type, nodes)):
            return list(nodes)
        return [self.value(node, depth) for node in nodes]

    def key(self, node: Node) -> Any:
        """What may be hashed: text, as many as there are; of numbers only so many as cannot cost much."""
        self.pay(KEY)
        found = _scalar(node)
        if type(found) in {int, float}:
            self.number_keys += 1
            if self.number_keys > MAX_NUMBER_KEYS:
                raise ProtocolError(f"there are more than {MAX_NUMBER_KEYS} keys that are numbers")
        return found

    def buffer(self, number: Any) -> memoryview:
        """Each is there for one value: named again and again, it would be copied as often."""
        found = self.buffers[number] if type(number) is int and 0 <= number < len(self.buffers) else None
        if found is None:
            raise ProtocolError("there is no such buffer")
        self.buffers[number] = None
        return found

    # builtins

    def bytes_(self, depth: int, number: int) -> bytes:
        return bytes(self.buffer(number))

    def complex_(self, depth: int, real: float, imaginary: float) -> complex:
        if type(real) not in {int, float} or type(imaginary) not in {int, float}:
            raise ProtocolError("a complex number has parts that are none")
        return complex(real, imaginary)

    def list_(self, depth: int, nodes: Node) -> list[Any]:
        return self.items(nodes, depth)

    def tuple_(self, depth: int, nodes: Node) -> tuple[Any, ...]:
        return tuple(self.items(nodes, depth))

    def dict_(self, depth: int, pairs: Node) -> dict[Any, Any]:
        if type(pairs) is not list:
            raise ProtocolError("a mapping's pairs are not a list")
        return {self.key(key): self.value(item, depth) for key, item in pairs}

    def set_(self, depth: int, nodes: Node) -> set[Any]:
        if type(nodes) is not list:
            raise ProtocolError("items are not a list")
        return {self.key(node) for node in nodes}

    def handle(self, depth: int, number: int, type_name: str) -> Any:
        if type(number) is not int:
            raise ProtocolError("a handle has no number")
        return Handle(number, _text(type_name)[:80])

    # NumPy

    def shape(self, shape: Any) -> tuple[int, ...]:
        if not isinstance(shape, list) or len(shape) > 16 or not all(type(n) is int and n >= 0 for n in shape):
            raise ProtocolError("a shape is not valid")
        if max(shape, default=0) > MAX_FRAME_BYTES:
            raise ProtocolError("an axis is too long")  # of an array with nothing in it: a loop over it would not end
        return tuple(shape)

    def array(self, depth: int, dtype_text: str, shape: Node, number: int) -> Array:
        dtype = np.dtype(_text(dtype_text, _DTYPE))
        sizes, buffer = self.shape(shape), self.buffer(number)
        if not dtype.itemsize or math.prod(sizes) * dtype.itemsize != len(buffer):
            raise ProtocolError("an array's buffer does not fit its shape")
        if not len(buffer):
            return np.zeros(sizes, dtype.newbyteorder("="))
        found: Array = np.empty(sizes, dtype.newbyteorder("="))
        if dtype.kind == "b":  # of any other byte than 0 and 1 NumPy says both that it is true and that it is 7
            np.not_equal(np.frombuffer(buffer, np.uint8).reshape(sizes), 0, out=found)
            return found
        if dtype.kind == "U":
            points = np.frombuffer(buffer, dtype.str[0] + "u4")
            if points.max() > MAX_CODE_POINT or np.any((points >= 0xD800) & (points < 0xE000)):
                raise ProtocolError("a text has a character that there is not")
        np.copyto(found, np.frombuffer(buffer, dtype).reshape(sizes))
        return found

    def scalar(self, depth: int, node: Node) -> Any:
        array = self.an_array(node, depth)
        if array.shape != () or array.dtype == object:
            raise ProtocolError("a scalar has a shape")
        return array[()]

    def an_array(self, node: Node, depth: int) -> Array:
        found = self.value(node, depth)
        if type(found) is not np.ndarray:
            raise ProtocolError("an array is something else")
        return found

    def objects(self, depth: int, shape: Node, nodes: Node) -> Array:
        items, sizes = self.items(nodes, depth), self.shape(shape)
        if math.prod(sizes) != len(items):
            raise ProtocolError("an array's items do not fit its shape")
        return _of_objects(items, sizes)

    # pandas, imported only when such a value comes

    def missing(self, depth: int, name: str) -> Any:
        import pandas as pd

        return pd.NaT if name == "NaT" else pd.NA

    def timestamp(self, depth: int, node: Node, zone: str | None) -> Any:
        import pandas as pd

        moment = self.time(node, depth, np.datetime64)
        if zone is None:
            return pd.Timestamp(moment)
        return pd.Timestamp(_written(moment)).tz_localize("UTC").tz_convert(self.zone(zone))

    def timedelta(self, depth: int, node: Node) -> Any:
        import pandas as pd

        return pd.Timedelta(self.time(node, depth, np.timedelta64))

    def time(self, node: Node, depth: int, kind: type) -> Any:
        found = self.scalar(depth, node)
        if type(found) is not kind:
            raise ProtocolError("a time is none")
        return found

    def zone(self, zone: Any) -> str:
        name = _text(zone, _ZONE)
        if name not in self.zones:
            self.pay(ZONE)
            self.zones.add(name)
        return name

    def frame(self, depth: int, columns: Node, data: Node, index: Node) -> Any:
        import pandas as pd

        rows, names = self.index(index, depth), self.index(columns, depth)
        if type(data) is not list or len(data) != len(names):
            raise ProtocolError("a table's columns and their names differ in number")
        self.pay(FEATURE * len(data))
        values = {place: self.column(column, depth, len(rows)) for place, column in enumerate(data)}
        frame = pd.DataFrame(values, index=rows, copy=True) if values else pd.DataFrame(index=rows)
        frame.columns = names
        return frame

    def series(self, depth: int, name: Node, data: Node, index: Node) -> Any:
        import pandas as pd

        rows = self.index(index, depth)
        return pd.Series(self.column(data, depth, len(rows)), index=rows, name=self.name(name, depth), copy=True)

    def index(self, node: Node, depth: int) -> Any:
        """Of a table or a column: one of the three kinds."""
        if type(node) is not list or not node or node[0] not in ("index", "range", "multi"):
            raise ProtocolError("an index is something else")
        return self.value(node, depth)

    def range_(self, depth: int, start: int, stop: int, step: int, name: Node) -> Any:
        import pandas as pd

        bounded = all(type(n) is int and abs(n) < 2**62 for n in (start, stop, step))
        if not bounded or not step or len(range(start, stop, step)) > MAX_FRAME_BYTES // 8:
            raise ProtocolError("a range index is not valid")
        return pd.RangeIndex(start, stop, step, name=self.name(name, depth))

    def multi(self, depth: int, rows: Node, names: Node) -> Any:
        import pandas as pd

        if type(rows) is not list or type(names) is not list or not 0 < len(names) < 10:
            raise ProtocolError("an index of several levels is not valid")
        levels = [self.labels(level, depth) for level in zip(*rows, strict=True)] if rows else [[] for _ in names]
        if len(levels) != len(names):
            raise ProtocolError("an index's levels and their names differ in number")
        return pd.MultiIndex.from_arrays(levels, names=[self.label(name, depth) for name in names])

    def any_index(self, depth: int, data: Node, name: Node, frequency: Any) -> Any:
        import pandas as pd

        if type(data) is list and data[:2] == ["column", "objects"] and len(data) == 4:
            values: Any = self.extended(self.labels(data[2], depth), data[3])
        else:
            values = self.column(data, depth, None)
        # That times are regular the box only claims: to see it, each would have to be made again.
        return pd.Index(values, name=self.name(name, depth), copy=True)

    def name(self, node: Node, depth: int) -> Any:
        """Of a column: a label, or one of each level."""
        if isinstance(node, list) and len(node) == 2 and node[0] == "tuple":
            return tuple(self.labels(node[1], depth))
        return self.label(node, depth)

    def label(self, node: Node, depth: int) -> Any:
        self.pay(LABEL)
        if isinstance(node, list) and node and node[0] in ("timestamp", "timedelta", "missing"):
            return self.value(node, depth)
        return self.key(node)

    def labels(self, nodes: Any, depth: int) -> list[Any]:
        if not isinstance(nodes, (list, tuple)):
            raise ProtocolError("labels are not a list")
        return [self.label(node, depth) for node in nodes]

    def column(self, node: Node, depth: int, length: int | None) -> Any:
        """The values of a column: an array, or what pandas has in place of one."""
        import pandas as pd

        if type(node) is not list or len(node) < 3 or node[0] != "column":
            raise ProtocolError("a column is something else")
        kind, data, *parts = node[1:]
        if kind == "objects":
            values = self.extended(self.items(data, depth), *parts)
        else:
            values = self.an_array(data, depth)
            if values.ndim != 1 or values.dtype.kind not in "biufcmM":
                raise ProtocolError("a column is no column")
            if kind == "zoned":
                values = pd.DatetimeIndex(_written(values)).tz_localize("UTC").tz_convert(self.zone(parts[0]))
            elif kind == "categories":
                categories = self.index(parts[0], depth)
                if len(categories) > MAX_NUMBER_KEYS and not isinstance(categories.dtype, pd.StringDtype):
                    raise ProtocolError(f"there are more than {MAX_NUMBER_KEYS} categories that are no text")
                values = pd.Categorical.from_codes(values, categories, ordered=parts[1] is True)
            elif kind != "plain":
                raise ProtocolError("a column of an unknown kind")
        self.pay(ITEM * len(values))
        if length is not None and len(values) != length:
            raise ProtocolError("a column and its index differ in length")
        return values

    def extended(self, items: list[Any], name: Any) -> Any:
        import pandas as pd

        if _text(name) in EXTENSIONS:
            self.pay(4 * ITEM * len(items))
            return pd.array(items, dtype=name)
        return _of_objects(items, (len(items),))

    kinds: ClassVar[dict[str, Callable[..., Any]]] = {
        "bytes": bytes_,
        "complex": complex_,
        "list": list_,
        "tuple": tuple_,
        "dict": dict_,
        "set": set_,
        "array": array,
        "scalar": scalar,
        "objects": objects,
        "handle": handle,
        "missing": missing,
        "timestamp": timestamp,
        "timedelta": timedelta,
        "frame": frame,
        "series": series,
        "range": range_,
        "multi": multi,
        "index": any_index,
    }


class RequestDecoder(Decoder):
    """In the box, of what the grader asks: there `revive` turns a Handle, Source or Generator into what it means."""

    def __init__(self, buffers: list[memoryview], revive: Callable[[Any], Any]) -> None:
        super().__init__(buffers)
        self.revive = revive

    def handle(self, depth: int, number: int, type_name: str) -> Any:
        return self.revive(super().handle(depth, number, type_name))

    def source(self, depth: int, text: str, name: str) -> Any:
        return self.revive(Source(_text(text), _text(name)))

    def generator(self, depth: int, seed: int) -> Any:
        return self.revive(Generator(seed))

    def any_index(self, depth: int, data: Node, name: Node, frequency: Any) -> Any:
        import pandas as pd

        index = super().any_index(depth, data, name, frequency)
        # A DateOffset, say, has a text that is no name; the times are all there.
        named = isinstance(frequency, str) and _FREQUENCY.fullmatch(frequency)
        if named and isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
            return type(index)(index, freq=frequency)
        return index

    kinds: ClassVar[dict[str, Callable[..., Any]]] = {
        **Decoder.kinds,
        "handle": handle,
        "index": any_index,
        "source": source,
        "generator": generator,
    }


def _scalar(node: Node) -> Any:
    if type(node) not in SCALARS:
        raise ProtocolError("a node is neither a list nor a scalar")
    return node


def _text(value: Any, pattern: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or (pattern and not pattern.fullmatch(value)):
        raise ProtocolError("a name is not valid")
    return value


def _written(times: Any) -> Any:
    """Times of which the zones' rules know, and that can be written down with their zone."""
    years = np.asarray(times).astype("M8[Y]")
    if np.any(years < np.datetime64("0002")) or np.any(years > np.datetime64("9998")):
        raise ProtocolError("a time is too far away")
    return times


def _of_objects(items: list[Any], shape: tuple[int, ...]) -> Array:
    """One item a place, whatever it is: NumPy would make axes of lists in it."""
    array = np.empty(len(items), dtype=object)
    for place, item in enumerate(items):
        array[place] = item
    return array.reshape(shape).copy()
