"""Whatever a submission sends, the parsers that read it answer with a value or a sentence, in bounded memory and time.

    FUZZ_INPUTS=20000 .venv/bin/pytest tests/test_fuzz.py -q

tries as many inputs for each parser; by default a few hundred. Inputs are valid ones with something replaced, left out
or doubled, bytes of valid files changed, and trees and bytes that were never valid.
"""

import copy
import json
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from submissions import COURSE, lean, released, solved
from test_pages import result

from autograder.architecture import NotRebuilt
from autograder.boxed import wire
from autograder.execution import _cell_error, read_answer
from autograder.inference import rebuild
from autograder.report import page
from autograder.restoration import restore
from autograder.result import ShownCell, printed
from autograder.submission import NotGradable, read

INPUTS = int(os.environ.get("FUZZ_INPUTS", "300"))
MEMORY = 100 * 2**20  # of what a parser may take for these inputs, each below a megabyte
ASSIGNMENT = COURSE.assignment("03_numeric_data")

fuzz = settings(max_examples=INPUTS, deadline=10_000, database=None, suppress_health_check=list(HealthCheck))

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["array", "dict", "list", "code", "markdown", "LSTM", "Dense", "keras.layers", "<f8", "|O"])
    | st.sampled_from([-1, 2**63, 1e308])
)  # fmt: skip
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def changed(draw: st.DrawFn, valid: Any) -> Any:
    """The valid tree with up to three of its places replaced, left out, doubled or put elsewhere."""
    tree = copy.deepcopy(valid)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(tree))
        if not places:
            return tree
        container, key = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.integers(0, 3)):
            case 0:
                container[key] = draw(trees)
            case 1:
                del container[key]
            case 2:
                container[key] = [container[key], container[key]]
            case _:
                other, place = places[draw(st.integers(0, len(places) - 1))]
                container[key] = copy.deepcopy(other[place])
    return tree


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(tree, (dict, list)):
        for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
            yield tree, key
            yield from _places(tree[key])


@st.composite
def damaged(draw: st.DrawFn, valid: bytes) -> bytes:
    """The valid bytes with some changed, left out or put in, or cut off."""
    data = bytearray(valid)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        length = draw(st.integers(0, 40))
        data[place : place + length] = draw(st.binary(max_size=40))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@contextmanager
def bounded() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


# the notebook


# Its graded cells, each with the first lines of its code.
NOTEBOOK = {**solved(ASSIGNMENT.name), "cells": lean(solved(ASSIGNMENT.name))["cells"][1:]}
NOTEBOOK["cells"] = [
    {**cell, "source": "".join(cell["source"])[:60]} for cell in NOTEBOOK["cells"] if "nbgrader" in cell["metadata"]
]
NOTEBOOK_BYTES = json.dumps(NOTEBOOK).encode()


def read_and_restored(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    with bounded():
        try:
            notebook = read(path)
        except NotGradable:
            return
        for cell in restore(notebook, ASSIGNMENT).cells:
            cell.source.encode("utf-8")
            assert cell.name


@fuzz
@given(book=changed(NOTEBOOK) | trees)
def test_a_notebook_is_read_or_refused(book: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    read_and_restored(json.dumps(book).encode(), tmp_path_factory.getbasetemp() / "tree.ipynb")


@fuzz
@given(data=damaged(NOTEBOOK_BYTES) | st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    read_and_restored(data, tmp_path_factory.getbasetemp() / "bytes.ipynb")


# frames from the box


FRAMES = [
    wire.pack(value)
    for value in (
        {"id": 3, "value": [1.5, None, "text", (2, 3)], "warnings": [["Warning", "careful"]], "arguments": [[], {}]},
        np.arange(12.0).reshape(3, 4),
        np.array(["a", "bc"]),
        pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=pd.date_range("2024-01-01", periods=2, freq="h", tz="UTC")),
        pd.Series([1.0, np.nan], name="flow"),
        {"event": "ended", "cell": 3, "seconds": 0.5, "outputs": [{"output_type": "stream", "text": "x"}]},
    )
]  # fmt: skip


def unpacked(frame: bytes) -> None:
    with bounded():
        try:
            value = wire.unpack(frame)
            read_answer(value, 3)
        except wire.WireError:
            return


@fuzz
@given(frame=st.sampled_from(FRAMES).flatmap(damaged) | st.binary(max_size=200))
def test_a_frame_is_unpacked_or_refused(frame: bytes) -> None:
    # What `receive` hands on has at least its lengths, and as many bytes as they say.
    unpacked(frame if len(frame) >= 8 else frame.ljust(8, b"\0"))


@fuzz
@given(frame=st.sampled_from(FRAMES), data=st.data())
def test_a_tree_is_decoded_or_refused(frame: bytes, data: st.DataObject) -> None:
    """As above, with the tree changed in place of its bytes, so that more of them get past JSON."""
    head_length, body_length = wire._LENGTHS.unpack_from(frame)
    head = json.dumps(data.draw(changed(json.loads(frame[8 : 8 + head_length])))).encode()
    unpacked(wire._LENGTHS.pack(len(head), body_length) + head + frame[8 + head_length :])


REPLY = {
    "id": 3, "value": 1, "raised": {"type": "A", "kinds": ["B"], "message": "c", "line": 1, "text": "d"},
    "warnings": [["A", "b"]], "arguments": [[1], {}],
}  # fmt: skip


@fuzz
@given(reply=changed(REPLY))
def test_a_reply_is_an_answer_or_refused(reply: Any) -> None:
    try:
        answer = read_answer(reply, 3)
    except wire.WireError:
        return
    if answer.raised is not None:
        assert len(str(answer.raised)) < 2000


OUTPUT = {
    "output_type": "error", "ename": "E", "evalue": "v", "traceback": ["-> 3 x"],
    "data": {"text/html": "<b>", "image/png": "iVBORw0KGgo=", "text/plain": ["a", "b"]},
    "name": "stdout", "text": "\x1b[31m<script>alert(1)</script>",
}  # fmt: skip


@fuzz
@given(outputs=st.lists(changed(OUTPUT) | trees, max_size=3))
def test_any_output_is_shown_as_text(outputs: list[Any]) -> None:
    dictionaries = [output for output in outputs if isinstance(output, dict)]
    for output in dictionaries:
        assert len(_cell_error(output)) < 2000
    cell = ShownCell("normalize", "solution", "x = 1", printed(dictionaries, None))
    shown = page.feedback(result(cells=(cell,)))
    assert "<script" not in shown
    assert "\x1b" not in shown


# models


UNITS, FEATURES = 3, 2
ARCHITECTURE = {
    "class_name": "Sequential",
    "config": {"layers": [
        {"module": "keras.layers", "class_name": "InputLayer", "config": {
            "batch_shape": [None, 4, FEATURES], "name": "in"}},
        {"module": "keras.layers", "class_name": "Masking", "config": {"name": "m", "mask_value": 0.0}},
        {"module": "keras.layers", "class_name": "LSTM", "config": {
            "name": "l", "units": UNITS, "activation": "tanh", "recurrent_activation": "sigmoid",
            "use_bias": True, "return_sequences": False, "stateful": False}},
        {"module": "keras.layers", "class_name": "Dense", "config": {"name": "d", "units": 1, "activation": "linear"}},
    ]},
}  # fmt: skip
WEIGHTS: dict[str, Any] = {
    "m": [],
    "l": [np.ones((FEATURES, 4 * UNITS)), np.ones((UNITS, 4 * UNITS)), np.ones(4 * UNITS)],
    "d": [np.ones((UNITS, 1)), np.ones(1)],
}


def predicted(architecture: Any, weights: Any) -> None:
    with bounded():
        try:
            model = rebuild(architecture, weights)
            model.predict(np.zeros((3, 4, FEATURES)))
        except NotRebuilt:
            return


def test_the_unchanged_model_is_rebuilt() -> None:
    assert rebuild(json.dumps(ARCHITECTURE), WEIGHTS).predict(np.zeros((3, 4, FEATURES))).shape == (3, 1)


@fuzz
@given(
    architecture=changed(ARCHITECTURE).map(json.dumps) | damaged(json.dumps(ARCHITECTURE).encode()).map(repr) | trees
)
def test_an_architecture_is_rebuilt_or_refused(architecture: Any) -> None:
    predicted(architecture, WEIGHTS)


DTYPES = [np.dtype(name) for name in ("f4", "f8", "i8", "?", "c16", "U3", "M8[ns]")]
arrays: st.SearchStrategy[Any] = hnp.arrays(
    st.sampled_from(DTYPES),
    hnp.array_shapes(min_dims=0, max_dims=3, max_side=13),
)


@fuzz
@given(weights=st.dictionaries(st.sampled_from(["m", "l", "d", "x"]), st.lists(arrays, max_size=4) | trees) | trees)
def test_weights_fit_or_are_refused(weights: Any) -> None:
    predicted(json.dumps(ARCHITECTURE), weights)


@fuzz
@given(values=st.lists(hnp.arrays(np.float64, st.sampled_from([a.shape for w in WEIGHTS.values() for a in w]),
                                  elements=st.floats()), min_size=5, max_size=5))  # fmt: skip
def test_weights_of_any_value_predict(values: list[np.ndarray[Any, Any]]) -> None:
    """Infinite, huge and undefined ones too, where their shapes fit."""
    wanted = [*WEIGHTS["l"], *WEIGHTS["d"]]
    shaped = [np.resize(array, one.shape) for array, one in zip(values, wanted, strict=True)]
    model = rebuild(json.dumps(ARCHITECTURE), {"m": [], "l": shaped[:3], "d": shaped[3:]})
    assert model.predict(np.ones((2, 4, FEATURES))).shape == (2, 1)


def test_a_released_notebook_is_not_refused(tmp_path: Path) -> None:
    """The parsers do not pass these tests by refusing everything."""
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(released(ASSIGNMENT.name)))
    assert len(restore(read(path), ASSIGNMENT).cells) > 5
