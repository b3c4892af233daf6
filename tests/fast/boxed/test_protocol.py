"""The channel carries data, and only data."""

import pickle
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from helpers.box_frames import ALIKE, frame, frames
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.boxed import protocol
from autograder.boxed.values import MAX_NUMBER_KEYS
from autograder.examination.admission import admit

scalars = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text() | st.binary()
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)
arrays = hnp.arrays(
    st.one_of(hnp.boolean_dtypes(), hnp.integer_dtypes(), hnp.floating_dtypes(), hnp.unicode_string_dtypes()),
    hnp.array_shapes(min_dims=0, min_side=0),
)


def there_and_back(value: Any) -> Any:
    return protocol.unpack(protocol.pack(value))


def in_the_box(value: Any) -> Any:
    """As the box reads it, where a handle is nothing but itself."""
    return protocol.unpack(protocol.pack(value), lambda handle: handle)


@given(trees)
def test_builtin_values_come_back_as_they_were(value: Any) -> None:
    found = there_and_back(value)
    assert found == value
    assert type(found) is type(value)


@given(arrays)
def test_arrays_come_back_as_they_were(array: np.ndarray[Any, Any]) -> None:
    found = there_and_back(array)
    assert type(found) is np.ndarray
    assert found.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame(
            {"flow": [1.5, np.nan], "street": ["a", "b"]}, index=pd.date_range("2024-01-01", periods=2, freq="h")
        ),
        pd.DataFrame(
            {"x": [1, 2]}, index=pd.DatetimeIndex(["2024-03-31 00:00", "2024-03-31 04:00"], tz="Europe/Lisbon")
        ),
        pd.DataFrame(index=pd.RangeIndex(3)),
        pd.Series([True, False], name="open"),
        pd.Series(pd.Categorical(["low", "high"], categories=["low", "high"], ordered=True)),
        pd.Series([pd.Timestamp("2024-01-01", tz="UTC"), pd.NaT]),
        pd.Series([1, None, "x"], dtype=object),
        pd.Series(pd.array([1, None], dtype="Int64")),
        pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_pandas_values_come_back_as_they_were(value: Any) -> None:
    for found in (there_and_back(value), in_the_box(value)):
        assert found.equals(value)
        assert found.index.equals(value.index)
        assert type(found.index) is type(value.index)


def test_the_step_of_times_reaches_the_box_and_is_not_taken_from_it() -> None:
    """To believe it, each time would have to be made again; nothing that a check compares needs it."""
    times = pd.date_range("2024-01-01", periods=3, freq="h")
    assert in_the_box(times).freq == "h"
    assert there_and_back(times).freq is None
    assert there_and_back(times).equals(times)


@pytest.mark.parametrize(
    "value", [pd.Timestamp("2024-05-01 12:00", tz="Pacific/Auckland"), pd.Timedelta("90min"), np.float32(2.5)]
)
def test_single_values_come_back_as_they_were(value: Any) -> None:
    assert there_and_back(value) == value


def test_times_cross_whatever_step_they_were_made_with() -> None:
    """A DateOffset has no name that the other side could read; its times need none."""
    times = pd.date_range("2024-01-01", periods=3, freq=pd.DateOffset(minutes=20))
    assert in_the_box(times).equals(times)
    assert in_the_box(times).freq is None


class Split(NamedTuple):
    train: int
    test: int


def test_a_named_tuple_is_a_tuple() -> None:
    """Its names are the box's: NumPy and pandas would ask for some of them."""
    found = there_and_back(Split(1, 2))
    assert type(found) is tuple
    assert found == (1, 2)
    with pytest.raises(protocol.ProtocolError):
        protocol.unpack(frame(["record", ["train", "test"], [1, 2]]))


def test_types_that_not_every_machine_has_arrive_as_the_usual_ones() -> None:
    long = np.array([0.5], dtype=np.longdouble)
    assert there_and_back(long).dtype == np.float64
    assert there_and_back(long.astype(np.clongdouble)).dtype == np.complex128
    steps = np.array([2], dtype="m8[25s]")
    assert there_and_back(steps) == np.timedelta64(50, "s")
    with pytest.raises(protocol.ProtocolError, match="without a unit"):
        protocol.pack(np.timedelta64(5))


def test_keys_arrive_as_plain_numbers_and_text() -> None:
    counted = {np.int64(3): 1, np.str_("a"): 2, None: 3, True: 4, 2.5: 5}
    found = there_and_back(counted)
    assert [*map(type, found)] == [int, str, type(None), bool, float]
    assert found == counted
    for odd in ({(1, 2): 3}, {pd.Timestamp(0): 1}, {frozenset({1})}):
        with pytest.raises(protocol.ProtocolError, match="use text or numbers"):
            protocol.pack(odd)


# whatever is sent


PROTOCOLS = (
    "__array__", "__array_interface__", "__array_struct__", "__array_priority__", "__array_ufunc__",
    "__array_function__", "__dlpack__", "__buffer__", "__index__", "__float__", "__int__", "__len__", "__iter__",
    "__getattr__", "__eq__",
)  # fmt: skip


@settings(max_examples=600, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(frames())
def test_what_comes_out_is_of_a_closed_set(data: bytes) -> None:
    """Exact types alone, which answer to protocols as their own class says, and arrays with memory of their own."""
    try:
        found = protocol.unpack(data)
    except protocol.ProtocolError:
        return
    admit(found)
    for value in parts(found):
        kind = type(value)
        assert kind.__module__.split(".")[0] in {"builtins", "numpy", "pandas"} or kind is protocol.Handle
        assert not hasattr(value, "__dict__") or kind.__module__.startswith("pandas")
        if type(value) is np.ndarray:
            assert value.flags.owndata
            assert value.dtype.kind in "biufcSUmMO"
            assert value.dtype.isnative


def parts(value: Any) -> Iterator[Any]:
    """A value and all within it."""
    yield value
    if type(value) in (list, tuple, set):
        inner: Any = value
    elif type(value) is dict:
        inner = [*value.keys(), *value.values()]
    elif type(value) is np.ndarray and value.dtype == object:
        inner = value.ravel().tolist()
    elif type(value) is pd.DataFrame:
        inner = [value.index, value.columns, *(value.iloc[:, place] for place in range(value.shape[1]))]
    elif type(value) is pd.Series:
        inner = [value.index, value.name, *(value.tolist() if value.dtype == object else [])]
    elif isinstance(value, pd.Index):
        inner = [*value.names, *(value.tolist() if value.dtype == object else [])]
    else:
        inner = []
    for one in inner:
        yield from parts(one)


def test_a_handle_answers_to_its_own_names_alone() -> None:
    """To no protocol by which NumPy, or anybody, would take it for more than a number and a word."""
    handle = protocol.unpack(frame(["handle", 3, "__array_interface__"]))
    assert [name for name in PROTOCOLS if hasattr(handle, name) and name not in dir(object)] == []
    assert not hasattr(handle, "__dict__")
    assert np.asarray([handle], dtype=object)[0] is handle


def test_truth_values_and_characters_are_what_they_can_be() -> None:
    found = protocol.unpack(frame(["array", "|b1", [4], 0], b"\0\1\2\xff"))
    assert found.view(np.uint8).tolist() == [0, 1, 1, 1]
    for point in (b"\xff\xff\xff\x7f", b"\0\xd8\0\0"):
        with pytest.raises(protocol.ProtocolError, match="character"):
            protocol.unpack(frame(["array", "<U1", [1], 0], point))
    assert protocol.unpack(frame(["list", ["\ud800", "😀", None]])) == ["?", "😀", None]


def test_a_buffer_is_there_for_one_value() -> None:
    """Named again and again, it would be copied as often, into as much memory."""
    array = ["array", "<f8", [1], 0]
    assert protocol.unpack(frame(["list", [array]], bytes(8)))[0].flags.owndata
    for more in (array, ["bytes", 0], ["scalar", ["array", "<f8", [], 0]]):
        with pytest.raises(protocol.ProtocolError, match="no such buffer"):
            protocol.unpack(frame(["list", [array, more]], bytes(8)))


MANY = 100_000
ZERO = ["array", "<f8", [1], 0]
ROW = ["range", 0, 1, 1, None]


def column(number: int) -> Any:
    return ["column", "plain", ["array", "<i8", [1], number]]


def time_of(number: int) -> Any:
    return ["array", "<M8[s]", [], number]


TOO_MUCH: dict[str, tuple[Any, str]] = {
    "keys that hash alike": (["dict", [[ALIKE * n, 0] for n in range(MANY)]], "keys that are numbers"),
    "elements that hash alike": (["set", [ALIKE * n for n in range(MANY)]], "keys that are numbers"),
    "labels that hash alike": (["index", ["column", "objects", [ALIKE * n for n in range(MANY)], "object"], None, None],
                               "keys that are numbers"),
    "levels that hash alike": (["multi", [[ALIKE * n, 0.5 * n] for n in range(MANY)], [None, None]],
                               "keys that are numbers"),
    "categories": (["series", None, ["column", "categories", ["array", "|i1", [8], 0],
                   ["index", ["column", "plain", ["array", "<i8", [MANY], 1]], None, None], False],
                   ["range", 0, 8, 1, None]], "categories that are no text"),
    "many times": (["list", [["timestamp", time_of(n), None] for n in range(60_000)]], "too many parts"),
    "many zones": (["list", [["timestamp", time_of(n), f"UTC+{n // 60:02}:{n % 60:02}"] for n in range(1200)]],
                   "too many parts"),
    "many tables": (["list", [["frame", ROW, [column(n)], ROW] for n in range(20_000)]], "too many parts"),
    "many columns": (["list", [["series", "a", column(n), ROW] for n in range(20_000)]], "too many parts"),
    "many lists": (["list", [["list", []]] * 600_000], "too many parts"),
    "a long range": (["range", 0, 2**40, 1, None], "range index"),
    "a long axis": (["array", "<f8", [2**40, 0], 1], "axis is too long"),
}  # fmt: skip


@pytest.mark.parametrize("kind", TOO_MUCH)
def test_what_would_take_long_is_refused_at_once(kind: str) -> None:
    tree, says = TOO_MUCH[kind]
    buffers = [bytes(8), np.arange(MANY).tobytes()] if kind == "categories" else [bytes(8)] * 60_000
    data = frame(tree, *buffers)
    started = time.process_time()
    with pytest.raises(protocol.ProtocolError, match=says):
        protocol.unpack(data)
    assert time.process_time() - started < 2


def test_as_many_keys_as_somebody_may_need_are_taken() -> None:
    texts = {str(number): number for number in range(20_000)}
    numbers = dict.fromkeys(range(MAX_NUMBER_KEYS))
    assert there_and_back(texts) == texts
    assert there_and_back(numbers) == numbers
    with pytest.raises(protocol.ProtocolError, match="keys that are numbers"):
        protocol.pack(dict.fromkeys(range(MAX_NUMBER_KEYS + 1)))


class Liar(np.ndarray[Any, Any]):
    def __eq__(self, other: object) -> Any:
        return True


class Chameleon(list[int]):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


def test_subclasses_arrive_as_what_they_hold() -> None:
    array, items = there_and_back([np.zeros(3).view(Liar), Chameleon([1])])
    assert type(array) is np.ndarray
    assert type(items) is list
    assert items != [2]


def test_what_is_not_data_does_not_cross() -> None:
    with pytest.raises(protocol.NotData):
        protocol.pack(object())
    with pytest.raises(protocol.NotData):
        protocol.pack(np.array([object()]))


def test_what_is_not_data_becomes_a_handle_where_there_are_handles() -> None:
    found = protocol.unpack(protocol.pack({"scaler": object()}, lambda value: protocol.Handle(3, type(value).__name__)))
    assert (found["scaler"].number, found["scaler"].type_name) == (3, "object")


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        struct.pack("!II", 2, 0) + b"{}",
        struct.pack("!II", 4, 0) + b"null",
        pickle.dumps(print),
        frame(["array", "|O", [1], 0], b"12345678"),
        frame(["array", "<f8", [10**9, 10**9], 0], b""),
        frame(["array", "<f8", [-1], 0], b""),
        frame(["array", "<f8", [2], 0], b"1234567"),
        frame(["array", "<f8,<f8", [1], 0], b"1" * 16),
        frame(["array", "<U0", [10**9], 0], b""),
        frame(["array", "<f8", [1], 5], b"12345678"),
        frame(["range", 0, 10**15, 1, None]),
        frame(["column", "zoned", ["array", "<M8[ns]", [1], 0], "../../etc/passwd\0"], b"12345678"),
        frame(["no such kind"]),
        frame(["source", "print(1)", "f"]),
        frame(["generator", 1]),
        frame(["frame", ["list", []], [], ROW]),
        frame(["frame", ["range", 0, 1, 1, None], [["array", "<f8", [1], 0]], ROW], bytes(8)),
        frame(["series", None, ["column", "plain", ["list", [1]]], ROW]),
        frame(["series", ["list", []], ["column", "plain", ZERO], ROW], bytes(8)),
        frame(["series", None, ["column", "plain", ["array", "<f8", [1, 1], 0]], ROW], bytes(8)),
        frame(["series", None, ["column", "plain", ["array", "<f8", [2], 0]], ROW], bytes(16)),
        frame(["dict", [[["tuple", [1]], 1]]]),
        frame(["scalar", ["objects", [], [None]]]),
        frame(["complex", "1", 2]),
        frame([["list", []], 1]),
        frame({"a": 1}),
        frame(["dict", [[["list", []], 1]]]),
        struct.pack("!II", 200_000, 0) + b"[" * 200_000,
        struct.pack("!II", 5000, 0) + b"1" * 5000,
    ],
)  # fmt: skip
def test_a_malformed_frame_is_refused(bad: bytes) -> None:
    with pytest.raises((protocol.ProtocolError, struct.error)):
        protocol.unpack(bad)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_raise_anything_else(noise: bytes) -> None:
    for bad in (struct.pack("!II", len(noise), 0) + noise, frame(["list", [["array", "<i4", [1], 0]]], noise)):
        try:
            protocol.unpack(bad)
        except protocol.ProtocolError:
            continue


def test_a_large_announcement_is_refused_before_anything_is_read() -> None:
    here, there = socket.socketpair()
    with here, there:
        there.sendall(struct.pack("!II", 100, 2**31))
        with pytest.raises(protocol.ProtocolError, match="too large"):
            protocol.receive(here, 1)


def test_a_drip_of_bytes_does_not_stretch_the_time() -> None:
    here, there = socket.socketpair()
    stop = threading.Event()

    def drip() -> None:
        there.sendall(struct.pack("!II", 1000, 0))
        while not stop.wait(0.05):
            there.sendall(b"[")

    thread = threading.Thread(target=drip)
    thread.start()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        protocol.receive(here, 0.4)
    stop.set()
    thread.join()
    here.close()
    there.close()
    assert time.monotonic() - started < 2
