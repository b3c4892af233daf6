"""Values as bytes, with nothing in them that can run.

Both sides of the box's wall speak this: a frame is a length, a JSON tree and raw array buffers.
Decoding makes exact builtin, NumPy and pandas types only; it never unpickles, imports or evaluates,
and it checks every size before it allocates.

A tree's node is a JSON scalar, or a list whose first element names its kind, e.g.
`["tuple", [1, 2.5]]` or `["array", "<f8", [2, 3], 0]` (the last number counts the buffers).
"""

import json
import math
import re
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

MAX_TREE_BYTES = 8 * 2**20
MAX_FRAME_BYTES = 64 * 2**20
MAX_DEPTH = 40
MAX_TEXT = 2**20

_LENGTHS = struct.Struct("!II")
# Plain numbers, text and times; no objects, no structures.
_DTYPE = re.compile(r"[<>|=]?(?:[biufcSU]\d{1,6}|[mM]8\[[a-z]{1,2}\])")
_ZONE = re.compile(r"[A-Za-z0-9_+\-/:]{1,40}")
_FREQUENCY = re.compile(r"[A-Za-z0-9\-]{1,20}")

Node = Any


class WireError(ValueError):
    """Bytes from the other side that are not a value this format has."""


class NotData(TypeError):
    """A value that cannot cross because it is not data (a fitted scaler, a model)."""


class Handle:
    """Stands for something that stays in the box, so that a later call can be given it.

    `type_name` is what the box says that it is: for messages, not for decisions.
    """

    def __init__(self, number: int, type_name: str) -> None:
        self.number = number
        self.type_name = type_name

    def __repr__(self) -> str:
        return f"<{self.type_name}>"


class Record(tuple[Any, ...]):
    """A named tuple from the box: a tuple whose fields also answer by name."""

    fields: tuple[str, ...]

    @classmethod
    def of(cls, fields: Iterable[str], values: Iterable[Any]) -> "Record":
        record = cls(values)
        record.fields = tuple(fields)
        return record

    def __getattr__(self, name: str) -> Any:
        if name != "fields" and name in self.fields:
            return self[self.fields.index(name)]
        raise AttributeError(name)


class Source:
    """A callable argument: its source, to be defined in the box, and the name that it defines."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name

    def __repr__(self) -> str:
        return self.name


class Generator:
    """A `numpy.random.Generator` argument, made in the box from its seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __repr__(self) -> str:
        return f"np.random.default_rng({self.seed})"


def pack(value: Any, opaque: Callable[[Any], Handle] | None = None) -> bytes:
    """The frame for `value`; `opaque` turns what is not data into a handle.

    Raises NotData for anything else that cannot cross, WireError when the value is too large.
    """
    encoder = _Encoder(opaque)
    tree = encoder.node(value, 0)
    head = json.dumps([tree, [len(buffer) for buffer in encoder.buffers]]).encode("ascii")
    body = b"".join(encoder.buffers)
    if len(head) > MAX_TREE_BYTES or len(head) + len(body) > MAX_FRAME_BYTES:
        raise WireError(f"the value is too large to send ({(len(head) + len(body)) / 2**20:.0f} MiB)")
    return _LENGTHS.pack(len(head), len(body)) + head + body


def unpack(frame: bytes, revive: Callable[[Any], Any] | None = None) -> Any:
    """The value in a frame made by `pack`.

    `revive` turns a Handle, Source or Generator into what it stands for (in the box only).
    Raises WireError on anything malformed.
    """
    head_length, body_length = _LENGTHS.unpack_from(frame)
    head = frame[_LENGTHS.size : _LENGTHS.size + head_length]
    body = memoryview(frame)[_LENGTHS.size + head_length :]
    try:
        tree, lengths = json.loads(head)
        if len(body) != body_length or not all(type(n) is int and n >= 0 for n in lengths):
            raise WireError("the lengths of the buffers are wrong")
        if sum(lengths) != body_length:
            raise WireError("the lengths of the buffers are wrong")
        buffers, start = [], 0
        for length in lengths:
            buffers.append(body[start : start + length])
            start += length
        return _Decoder(buffers, revive).value(tree, 0)
    except WireError:
        raise
    # Whatever pandas, NumPy or json raise on hostile bytes, it is a malformed frame to the caller.
    except Exception as error:
        raise WireError(f"not a frame: {type(error).__name__}: {error}") from error


def send(connection: socket.socket, frame: bytes) -> None:
    connection.sendall(frame)


def receive(connection: socket.socket, seconds: float | None = None) -> bytes:
    """The next frame, its size checked before it is read, all of it within `seconds`.

    Raises WireError, EOFError or TimeoutError.
    """
    until = None if seconds is None else time.monotonic() + seconds
    lengths = _receive_exactly(connection, _LENGTHS.size, until)
    head_length, body_length = _LENGTHS.unpack(lengths)
    if head_length > MAX_TREE_BYTES or head_length + body_length > MAX_FRAME_BYTES:
        raise WireError("a frame that is too large was announced")
    return lengths + _receive_exactly(connection, head_length + body_length, until)


def _receive_exactly(connection: socket.socket, size: int, until: float | None) -> bytes:
    received = bytearray()
    while len(received) < size:
        if until is not None:
            # Anew for every piece: a drip of single bytes must not stretch the time.
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
        chunk = connection.recv(min(size - len(received), 2**20))
        if not chunk:
            raise EOFError("the other side closed the channel")
        received += chunk
    return bytes(received)


class _Encoder:
    def __init__(self, opaque: Callable[[Any], Handle] | None) -> None:
        self.opaque = opaque
        self.buffers: list[bytes] = []
        self.size = 0

    def node(self, value: Any, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise WireError(f"the value is nested more than {MAX_DEPTH} deep")
        deeper = depth + 1
        if value is None or value is True or value is False:
            return value
        if isinstance(value, np.generic):
            return ["scalar", self.array(np.asarray(value))] if value.dtype.kind in "biufcSUmM" else self.other(value)
        if isinstance(value, str):
            text = str.__str__(value)
            if len(text) > MAX_TEXT:
                raise WireError(f"a text of {len(text)} characters is too long to send")
            return text
        if isinstance(value, bytes):
            return ["bytes", self.buffer(bytes(value))]
        if isinstance(value, int):
            number = int(value)
            if number.bit_length() > 4096:
                raise WireError("an integer is too long to send")
            return number
        if isinstance(value, float):
            return float(value)
        if isinstance(value, complex):
            return ["complex", value.real, value.imag]
        if isinstance(value, np.ndarray):
            return self.array(np.asarray(value), deeper)
        if isinstance(value, list):
            return ["list", [self.node(item, deeper) for item in value]]
        if isinstance(value, tuple):
            items = [self.node(item, deeper) for item in value]
            fields = getattr(value, "fields" if isinstance(value, Record) else "_fields", None)
            return ["tuple", items] if fields is None else ["record", [str(name) for name in fields], items]
        if isinstance(value, dict):
            return ["dict", [[self.node(key, deeper), self.node(item, deeper)] for key, item in value.items()]]
        if isinstance(value, (set, frozenset)):
            return ["set", [self.node(item, deeper) for item in value]]
        if isinstance(value, (range, type({}.keys()), type({}.values()))):
            return ["list", [self.node(item, deeper) for item in value]]
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
        if type(value).__module__.split(".")[0] in {"tensorflow", "keras", "jax", "jaxlib", "torch"}:
            try:
                array = np.asarray(value)
            except Exception:
                return self.other(value)
            if array.dtype.kind in "biufcSU":
                return self.array(array)
        return self.other(value)

    def other(self, value: Any) -> Node:
        if self.opaque is None:
            raise NotData(f"a {type(value).__name__} is not data")
        return self.node(self.opaque(value), 0)

    def buffer(self, data: bytes) -> int:
        self.buffers.append(data)
        return len(self.buffers) - 1

    def array(self, array: np.ndarray[Any, Any], depth: int = 0) -> Node:
        if array.dtype.kind in "biufcSUmM":
            # Before anything is copied: a copy of what cannot be sent may be more than the memory there is.
            self.size += array.nbytes
            if self.size > MAX_FRAME_BYTES:
                raise WireError(f"an array of {array.nbytes / 2**20:.0f} MiB is too large to send")
            data = np.ascontiguousarray(array)
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
            return ["frame", self.node(value.columns, depth), columns, self.node(value.index, depth)]
        if isinstance(value, pd.Series):
            return ["series", self.node(value.name, depth), self.column(value, depth), self.node(value.index, depth)]
        if isinstance(value, pd.RangeIndex):
            return ["range", value.start, value.stop, value.step, self.node(value.name, depth)]
        if isinstance(value, pd.MultiIndex):
            return ["multi", self.node([tuple(item) for item in value], depth), self.node(list(value.names), depth)]
        if isinstance(value, pd.Index):
            frequency = getattr(value, "freqstr", None)
            if frequency is not None and not _FREQUENCY.fullmatch(frequency):
                frequency = None  # a DateOffset, say, whose text is no name; the times are all there
            return ["index", self.column(value, depth), self.node(value.name, depth), frequency]
        if isinstance(value, pd.api.extensions.ExtensionArray):
            return self.column(pd.Series(value), depth)
        return None

    def column(self, values: Any, depth: int) -> Node:
        """A pandas column or index as `["column", kind, ...]`."""
        import pandas as pd

        dtype = values.dtype
        if isinstance(dtype, pd.DatetimeTZDtype):
            utc = values.dt if isinstance(values, pd.Series) else values
            naive = np.asarray(
                utc.tz_convert("UTC").dt.tz_localize(None)
                if isinstance(values, pd.Series)
                else utc.tz_convert("UTC").tz_localize(None)
            )
            return ["column", "zoned", self.array(naive), str(dtype.tz)]
        if isinstance(dtype, pd.CategoricalDtype):
            categorical = pd.Categorical(values)
            codes = self.array(np.asarray(categorical.codes))
            return ["column", "categories", codes, self.node(categorical.categories, depth), bool(categorical.ordered)]
        if isinstance(dtype, np.dtype) and dtype.kind in "biufcmM":
            return ["column", "plain", self.array(np.asarray(values))]
        name = str(dtype)
        return ["column", "objects", self.node(list(values), depth), name]


class _Decoder:
    def __init__(self, buffers: list[memoryview], revive: Callable[[Any], Any] | None) -> None:
        self.buffers = buffers
        self.revive = revive

    def value(self, node: Node, depth: int) -> Any:
        if not isinstance(node, list):
            if isinstance(node, dict):
                raise WireError("a node is not a list")
            return node
        if depth > MAX_DEPTH:
            raise WireError("nested too deep")
        kind, *parts = node
        make = self.kinds.get(kind) if isinstance(kind, str) else None
        if make is None:
            raise WireError("a node of an unknown kind")
        return make(self, depth + 1, *parts)

    def items(self, nodes: Any, depth: int) -> list[Any]:
        if not isinstance(nodes, list):
            raise WireError("items are not a list")
        return [self.value(node, depth) for node in nodes]

    def text(self, value: Any, pattern: re.Pattern[str] | None = None) -> str:
        if not isinstance(value, str) or (pattern and not pattern.fullmatch(value)):
            raise WireError("a name is not valid")
        return value

    def bytes_(self, depth: int, number: int) -> bytes:
        return bytes(self.buffers[number])

    def complex_(self, depth: int, real: float, imaginary: float) -> complex:
        return complex(real, imaginary)

    def list_(self, depth: int, nodes: Node) -> list[Any]:
        return self.items(nodes, depth)

    def tuple_(self, depth: int, nodes: Node) -> tuple[Any, ...]:
        return tuple(self.items(nodes, depth))

    def record(self, depth: int, names: Node, nodes: Node) -> Record:
        values = self.items(nodes, depth)
        if len(names) != len(values):
            raise WireError("a named tuple's fields and values differ in number")
        return Record.of([self.text(name) for name in names], values)

    def dict_(self, depth: int, pairs: Node) -> dict[Any, Any]:
        return {self.value(key, depth): self.value(item, depth) for key, item in pairs}

    def set_(self, depth: int, nodes: Node) -> set[Any]:
        return set(self.items(nodes, depth))

    def shape(self, shape: Any) -> tuple[int, ...]:
        if not isinstance(shape, list) or len(shape) > 16 or not all(type(n) is int and n >= 0 for n in shape):
            raise WireError("a shape is not valid")
        return tuple(shape)

    def array(self, depth: int, dtype_text: str, shape: Node, number: int) -> np.ndarray[Any, Any]:
        dtype = np.dtype(self.text(dtype_text, _DTYPE))
        sizes, buffer = self.shape(shape), self.buffers[number]
        if not dtype.itemsize or math.prod(sizes) * dtype.itemsize != len(buffer):
            raise WireError("an array's buffer does not fit its shape")
        found = np.frombuffer(buffer, dtype) if len(buffer) else np.zeros(0, dtype)
        return found.reshape(sizes).astype(dtype.newbyteorder("="), copy=True)

    def scalar(self, depth: int, node: Node) -> Any:
        array = self.value(node, depth)
        if not isinstance(array, np.ndarray) or array.shape != ():
            raise WireError("a scalar has a shape")
        return array[()]

    def objects(self, depth: int, shape: Node, nodes: Node) -> np.ndarray[Any, Any]:
        items = self.items(nodes, depth)
        if math.prod(self.shape(shape)) != len(items):
            raise WireError("an array's items do not fit its shape")
        array = np.empty(len(items), dtype=object)
        for place, item in enumerate(items):
            array[place] = item
        return array.reshape(self.shape(shape))

    def handle(self, depth: int, number: int, type_name: str) -> Any:
        if type(number) is not int:
            raise WireError("a handle has no number")
        return self.revived(Handle(number, self.text(type_name)[:80]))

    def source(self, depth: int, text: str, name: str) -> Any:
        return self.revived(Source(self.text(text), self.text(name)))

    def generator(self, depth: int, seed: int) -> Any:
        return self.revived(Generator(seed))

    def revived(self, value: Any) -> Any:
        return value if self.revive is None else self.revive(value)

    # pandas, imported only when such a value comes

    def missing(self, depth: int, name: str) -> Any:
        import pandas as pd

        return pd.NaT if name == "NaT" else pd.NA

    def timestamp(self, depth: int, node: Node, zone: str | None) -> Any:
        import pandas as pd

        moment = pd.Timestamp(self.scalar(depth, node))
        return moment if zone is None else moment.tz_localize("UTC").tz_convert(self.text(zone, _ZONE))

    def timedelta(self, depth: int, node: Node) -> Any:
        import pandas as pd

        return pd.Timedelta(self.scalar(depth, node))

    def column(self, depth: int, kind: str, node: Node, *parts: Any) -> Any:
        import pandas as pd

        values = self.value(node, depth)
        if kind == "plain":
            return values
        if kind == "zoned":
            return pd.DatetimeIndex(values).tz_localize("UTC").tz_convert(self.text(parts[0], _ZONE))
        if kind == "categories":
            return pd.Categorical.from_codes(values, self.value(parts[0], depth), ordered=parts[1] is True)
        if kind == "objects":
            name = self.text(parts[0])
            if name in {"str", "string", "boolean", "Int64", "Int32", "Float64"}:
                return pd.array(values, dtype=name)
            array = np.empty(len(values), dtype=object)
            array[:] = values
            return array
        raise WireError("a column of an unknown kind")

    def frame(self, depth: int, columns: Node, data: Node, index: Node) -> Any:
        import pandas as pd

        rows = self.value(index, depth)
        values = {place: self.value(column, depth) for place, column in enumerate(data)}
        frame = pd.DataFrame(values, index=rows) if values else pd.DataFrame(index=rows)
        frame.columns = self.value(columns, depth)
        return frame

    def series(self, depth: int, name: Node, data: Node, index: Node) -> Any:
        import pandas as pd

        return pd.Series(self.value(data, depth), index=self.value(index, depth), name=self.value(name, depth))

    def range_(self, depth: int, start: int, stop: int, step: int, name: Node) -> Any:
        import pandas as pd

        if not all(type(n) is int for n in (start, stop, step)) or len(range(start, stop, step)) > MAX_FRAME_BYTES:
            raise WireError("a range index is not valid")
        return pd.RangeIndex(start, stop, step, name=self.value(name, depth))

    def multi(self, depth: int, tuples: Node, names: Node) -> Any:
        import pandas as pd

        return pd.MultiIndex.from_tuples(self.value(tuples, depth), names=self.value(names, depth))

    def index(self, depth: int, data: Node, name: Node, frequency: str | None) -> Any:
        import pandas as pd

        index = pd.Index(self.value(data, depth), name=self.value(name, depth))
        if frequency is not None and isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
            index = type(index)(index, freq=self.text(frequency, _FREQUENCY))  # refused if it does not fit
        return index

    kinds: ClassVar[dict[str, Callable[..., Any]]] = {
        "bytes": bytes_,
        "complex": complex_,
        "list": list_,
        "tuple": tuple_,
        "record": record,
        "dict": dict_,
        "set": set_,
        "array": array,
        "scalar": scalar,
        "objects": objects,
        "handle": handle,
        "source": source,
        "generator": generator,
        "missing": missing,
        "timestamp": timestamp,
        "timedelta": timedelta,
        "column": column,
        "frame": frame,
        "series": series,
        "range": range_,
        "multi": multi,
        "index": index,
    }
