"""What a box may write into a frame, from plain values to what no encoder makes.

`drawn` has all kinds of node, with odd parts put into them; `near` changes a right answer in one place. Both make their
choices by a function, which may be hypothesis's, a random generator's, or a fuzzer's.
"""

import copy
import itertools
import json
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

ALIKE = 2**61 - 1  # multiples of it all hash to 0

TEXTS = [
    "",
    "a",
    "nan",
    "None",
    "__array_interface__",
    "__class__",
    "\ud800",
    "x" * 300,
    "standardize",
    "input",
    "loss",
]
NUMBERS = [0, 1, -1, 2, 3, 5, 7, 300, 2**31, 2**63, 2**64, -(2**63), 10**400, 1e308, -0.0, 0.1, 0.5, 2.5,
           float("nan"), float("inf"), -float("inf")]  # fmt: skip
SCALARS = [None, True, False, *NUMBERS, *NUMBERS, *TEXTS]
SHAPES = [[], [0], [1], [2], [3], [5], [0, 3], [3, 1], [2, 3], [3, 2], [2, 3, 4], [1, 1, 1], [10**9, 0], [0] * 17]
DTYPES = [
    "<f8", "<f4", "<f2", ">f8", "<i8", "<i4", "|i1", "|u1", "<u8", ">i2", "|b1", "<c8", "<c16", "<U1", "<U7", ">U2",
    "|S3", "<M8[ns]", "<M8[D]", "<m8[s]", "<M8[as]", "|O", "<f16", "<V8", "<M8", "<i8,<i8",
]  # fmt: skip
UNITS = ["<M8[ns]", "<M8[us]", "<M8[s]", "<M8[D]", "<m8[ns]", "<m8[s]"]
ZONES = ["UTC", "Europe/Lisbon", "Pacific/Auckland", "UTC+05:30", "Nowhere/At_All", "../etc"]
EXTENSIONS = ["str", "string", "boolean", "Int64", "Int32", "Float64", "object", "float16", "category"]


class Draft:
    """A tree in the making, with its buffers. `choose` gives a number below the one that it is given."""

    def __init__(self, choose: Callable[[int], int], buffers: Iterable[bytes] = ()) -> None:
        self.choose = choose
        self.buffers = list(buffers)

    def one(self, options: list[Any]) -> Any:
        return options[self.choose(len(options))]

    def scalar(self) -> Any:
        return self.one(SCALARS)

    def array(self, dtype: str | None = None, shape: list[int] | None = None) -> Any:
        dtype = dtype or self.one(DTYPES)
        shape = self.one(SHAPES) if shape is None else shape
        try:
            size = np.dtype(dtype).itemsize * int(np.prod(shape))
        except TypeError:
            size = 8
        if size > 10_000:
            size = 0
        data = self.one([b"\0", b"\1\0\0\0", b"\7", b"\xff", b"\0\0\0\0\0\0\xf0\x3f", b"\0\0\xc0\x7f", b"a\0\0\0"])
        self.buffers.append((data * (size // len(data) + 1))[:size])
        return ["array", dtype, shape, len(self.buffers) - 1]

    def column(self, length: int) -> Any:
        kind = self.one(["plain", "objects", "zoned", "categories", "objects"])
        if kind == "plain":
            return ["column", kind, self.array(self.one([*DTYPES[:13], *UNITS]), [length])]
        if kind == "zoned":
            return ["column", kind, self.array(self.one(UNITS[:4]), [length]), self.one(ZONES)]
        if kind == "categories":
            return ["column", kind, self.array("|i1", [length]), self.index(2), True]
        return ["column", kind, [self.node(2) for _ in range(length)], self.one(EXTENSIONS)]

    def label(self) -> Any:
        return self.one([self.scalar(), self.one(TEXTS), ["missing", "NA"], ["tuple", ["a", 1]], ["missing", "NaT"],
                         ["timestamp", self.array("<M8[ns]", []), None]])  # fmt: skip

    def index(self, length: int) -> Any:
        kind = self.one(["range", "index", "labels", "multi"])
        if kind == "range":
            return ["range", self.one([0, 1]), self.one([length, length + 1]), 1, self.label()]
        if kind == "index":
            return ["index", self.column(length), self.label(), self.one([None, "h", "D"])]
        if kind == "labels":
            return ["index", ["column", "objects", [self.label() for _ in range(length)], "object"], None, None]
        return ["multi", [[self.label(), self.label()] for _ in range(length)], [None, "b"]]

    def node(self, depth: int = 0) -> Any:
        if depth > 3 or self.one([0, 0, 1]):
            return self.scalar()
        deeper = depth + 1
        few, length = range(self.one([0, 1, 2, 3, 5])), self.one([0, 1, 3, 5])
        kind = self.one(["list", "tuple", "dict", "set", "array", "array", "objects", "scalar", "handle", "missing",
                         "frame", "series", "index", "timestamp", "timedelta", "bytes", "complex", "nothing",
                         "record"])  # fmt: skip
        if kind in ("list", "tuple"):
            return [kind, [self.node(deeper) for _ in few]]
        if kind == "dict":
            return [kind, [[self.scalar(), self.node(deeper)] for _ in few]]
        if kind == "set":
            return [kind, [n * ALIKE for n in few] + [self.scalar()]]
        if kind == "array":
            return self.array()
        if kind == "objects":
            return [kind, [len(few)], [self.node(deeper) for _ in few]]
        if kind == "frame":
            columns = self.one([0, 1, 2])
            return [kind, self.index(columns), [self.column(length) for _ in range(columns)], self.index(length)]
        if kind == "series":
            return [kind, self.label(), self.column(length), self.index(length)]
        if kind == "index":
            return self.index(length)
        return {
            "scalar": ["scalar", self.array(None, [])],
            "handle": ["handle", self.one([0, 1, 10**30, -1]), self.one(TEXTS)],
            "missing": ["missing", self.one(["NA", "NaT"])],
            "timestamp": ["timestamp", self.array(self.one(UNITS), []), self.one([None, *ZONES])],
            "timedelta": ["timedelta", self.array(self.one(UNITS), [])],
            "bytes": ["bytes", self.one([0, 99, None])],
            "complex": ["complex", self.one(NUMBERS), self.scalar()],
            "nothing": ["no such kind", 1],
            "record": ["record", ["__array_interface__", "train"], [{"data": 1}, 2]],
        }[kind]


def frame(tree: Any, *buffers: bytes) -> bytes:
    head = json.dumps([tree, [len(buffer) for buffer in buffers]]).encode()
    body = b"".join(buffers)
    return struct.pack("!II", len(head), len(body)) + head + body


def drawn(choose: Callable[[int], int]) -> bytes:
    """A frame of a tree of its own; most can be decoded."""
    draft = Draft(choose)
    return frame(draft.node(), *draft.buffers)


def near(valid: bytes, choose: Callable[[int], int]) -> bytes:
    """A frame with one of its tree's places replaced, by another of its places or by something new."""
    head_length, _ = struct.unpack_from("!II", valid)
    tree, lengths = json.loads(valid[8 : 8 + head_length])
    ends = list(itertools.accumulate(lengths, initial=8 + head_length))
    draft = Draft(choose, [valid[start:end] for start, end in itertools.pairwise(ends)])
    holder = [tree]
    places = list(_places(holder))
    container, key = draft.one(places)
    if choose(2):
        container[key] = draft.node(1)
    else:
        other, place = draft.one(places)
        container[key] = copy.deepcopy(other[place])
    return frame(holder[0], *draft.buffers)


def _places(tree: list[Any]) -> Iterator[tuple[list[Any], int]]:
    for key, part in enumerate(tree):
        yield tree, key
        if isinstance(part, list):
            yield from _places(part)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    return drawn(lambda below: draw(st.integers(0, below - 1)))
