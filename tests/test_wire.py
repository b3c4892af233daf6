"""The channel carries data, and only data."""

import json
import pickle
import socket
import struct
import threading
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.boxed import wire

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


def frame(tree: Any, *buffers: bytes) -> bytes:
    head = json.dumps([tree, [len(buffer) for buffer in buffers]]).encode()
    body = b"".join(buffers)
    return struct.pack("!II", len(head), len(body)) + head + body


def there_and_back(value: Any) -> Any:
    return wire.unpack(wire.pack(value))


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
    found = there_and_back(value)
    assert found.equals(value)
    assert found.index.equals(value.index)
    assert getattr(found.index, "freq", None) == getattr(value.index, "freq", None)


@pytest.mark.parametrize(
    "value", [pd.Timestamp("2024-05-01 12:00", tz="Pacific/Auckland"), pd.Timedelta("90min"), np.float32(2.5)]
)
def test_single_values_come_back_as_they_were(value: Any) -> None:
    assert there_and_back(value) == value


def test_times_cross_whatever_step_they_were_made_with() -> None:
    """A DateOffset has no name that the other side could read; its times need none."""
    times = pd.date_range("2024-01-01", periods=3, freq=pd.DateOffset(minutes=20))
    assert there_and_back(times).equals(times)
    assert there_and_back(times).freq is None


def test_a_named_tuple_answers_by_name() -> None:
    found = there_and_back(wire.Record.of(["train", "test"], [1, 2]))
    assert (found.train, found.test, tuple(found)) == (1, 2, (1, 2))


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
    with pytest.raises(wire.NotData):
        wire.pack(object())
    with pytest.raises(wire.NotData):
        wire.pack(np.array([object()]))


def test_what_is_not_data_becomes_a_handle_where_there_are_handles() -> None:
    found = wire.unpack(wire.pack({"scaler": object()}, lambda value: wire.Handle(3, type(value).__name__)))
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
        frame(["index", ["column", "plain", ["array", "<M8[ns]", [1], 0]], None, "x" * 500], b"12345678"),
        frame(["column", "zoned", ["array", "<M8[ns]", [1], 0], "../../etc/passwd\0"], b"12345678"),
        frame(["no such kind"]),
        frame([["list", []], 1]),
        frame({"a": 1}),
        frame(["dict", [[["list", []], 1]]]),
        struct.pack("!II", 200_000, 0) + b"[" * 200_000,
        struct.pack("!II", 5000, 0) + b"1" * 5000,
    ],
)  # fmt: skip
def test_a_malformed_frame_is_refused(bad: bytes) -> None:
    with pytest.raises((wire.WireError, struct.error)):
        wire.unpack(bad)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_raise_anything_else(noise: bytes) -> None:
    for bad in (struct.pack("!II", len(noise), 0) + noise, frame(["list", [["array", "<i4", [1], 0]]], noise)):
        try:
            wire.unpack(bad)
        except wire.WireError:
            continue


def test_a_large_announcement_is_refused_before_anything_is_read() -> None:
    here, there = socket.socketpair()
    with here, there:
        there.sendall(struct.pack("!II", 100, 2**31))
        with pytest.raises(wire.WireError, match="too large"):
            wire.receive(here, 1)


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
        wire.receive(here, 0.4)
    stop.set()
    thread.join()
    here.close()
    there.close()
    assert time.monotonic() - started < 2
