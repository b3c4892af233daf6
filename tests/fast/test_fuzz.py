"""Whatever a submission sends, the parsers that read it answer with a value or a sentence, in bounded memory and time.

    FUZZ_INPUTS=20000 .venv/bin/pytest tests/fast/test_fuzz.py -q

tries as many inputs for each parser; by default a few hundred. Inputs are valid ones with something replaced, left out
or doubled, bytes of valid files changed, and trees and bytes that were never valid.
"""

import copy
import json
import os
import random
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers.any_answer import looked_at
from helpers.box_frames import drawn
from helpers.results import result
from helpers.submissions import COURSE, lean, released, solved
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.box.replies import read_answer
from autograder.boxed import protocol
from autograder.errors import NotGradable
from autograder.examination.architecture import NotRebuilt
from autograder.examination.inference import rebuild
from autograder.report import page
from autograder.result import ShownCell, printed
from autograder.submission.cell_errors import read_error, sentence, told
from autograder.submission.notebook import read
from autograder.submission.restoration import RestoredCell, restore

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
def changed(draw: st.DrawFn, valid: Any, others: st.SearchStrategy[Any] = trees) -> Any:
    """The valid tree with up to three of its places replaced by `others`, left out, doubled or put elsewhere."""
    tree = copy.deepcopy(valid)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(tree))
        if not places:
            return tree
        container, key = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.integers(0, 3)):
            case 0:
                container[key] = copy.deepcopy(draw(others))
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
    protocol.pack(value)
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
            value = protocol.unpack(frame)
            read_answer(value, 3)
        except protocol.ProtocolError:
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
    head_length, body_length = protocol._LENGTHS.unpack_from(frame)
    head = json.dumps(data.draw(changed(json.loads(frame[8 : 8 + head_length])))).encode()
    unpacked(protocol._LENGTHS.pack(len(head), body_length) + head + frame[8 + head_length :])


def test_whatever_can_be_decoded_can_be_looked_at() -> None:
    """Each word of the checks takes it for what it is, right or wrong, in no time."""
    chance = random.Random(20)
    values = 0
    for _ in range(10 * INPUTS):
        frame = drawn(chance.randrange)
        started = time.process_time()
        values += looked_at(frame, chance.randrange)
        assert time.process_time() - started < 1, frame
    assert values > 5 * INPUTS


REPLY = {
    "id": 3, "value": 1, "raised": {"type": "A", "kinds": ["B"], "message": "c", "line": 1, "text": "d"},
    "warnings": [["A", "b"]], "arguments": [[1], {}],
}  # fmt: skip


@fuzz
@given(reply=changed(REPLY))
def test_a_reply_is_an_answer_or_refused(reply: Any) -> None:
    try:
        answer = read_answer(reply, 3)
    except protocol.ProtocolError:
        return
    if answer.raised is not None:
        assert len(str(answer.raised)) < 2000


CELL = RestoredCell(3, "solution", "x = 1", "normalize")
OUTPUT = {
    "output_type": "error", "ename": "E", "evalue": "v", "traceback": ["Cell In[3], line 1"],
    "data": {"text/html": "<b>", "image/png": "iVBORw0KGgo=", "text/plain": ["a", "b"]},
    "name": "stdout", "text": "\x1b[31m<script>alert(1)</script>",
}  # fmt: skip


@fuzz
@given(outputs=st.lists(changed(OUTPUT) | trees, max_size=3))
def test_any_output_is_shown_as_text(outputs: list[Any]) -> None:
    dictionaries = [output for output in outputs if isinstance(output, dict)]
    for output in dictionaries:
        error = read_error(output)
        assert len(told(error, CELL, {3: CELL})) < 2000
        assert len(sentence(error, CELL, {3: CELL})) < 2000
    cell = ShownCell("normalize", "solution", "x = 1", printed(dictionaries, None))
    shown = page.feedback(result(cells=(cell,)))
    assert "<script" not in shown
    assert "\x1b" not in shown


# models


UNITS, FEATURES, TIMESTEPS = 3, 2, 4
TENSOR: dict[str, Any] = {
    "class_name": "__keras_tensor__",
    "config": {"shape": [None, TIMESTEPS, FEATURES], "dtype": "float32"},
}


def claimed(kind: str, name: str, *inputs: Any, **config: Any) -> dict[str, Any]:
    """A layer as Keras writes it, and with `inputs` as it does in a functional model."""
    layer = {"module": "keras.layers", "class_name": kind, "registered_name": None, "config": {"name": name, **config}}
    if not inputs:
        return layer
    args = [one if isinstance(one, float) else {
        **TENSOR, "config": {**TENSOR["config"], "keras_history": [one, 0, 0]}} for one in inputs]  # fmt: skip
    return {**layer, "name": name, "inbound_nodes": [{"args": args, "kwargs": {}}]}


def an_lstm(name: str, *inputs: Any, sequences: bool = False, stateful: bool = False) -> dict[str, Any]:
    return claimed(
        "LSTM", name, *inputs, units=UNITS, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        return_sequences=sequences, stateful=stateful, go_backwards=False, return_state=False,
    )  # fmt: skip


def an_input(samples: int | None = None, timesteps: int | None = TIMESTEPS) -> dict[str, Any]:
    return claimed("InputLayer", "in", batch_shape=[samples, timesteps, FEATURES])


MASK, DENSE = claimed("Masking", "m", mask_value=0.0), claimed("Dense", "d", units=1, activation="linear")
ARCHITECTURE = {"class_name": "Sequential", "config": {"layers": [an_input(), MASK, an_lstm("l"), DENSE]}}
ARCHITECTURES: list[dict[str, Any]] = [
    ARCHITECTURE,
    {"config": {"layers": [an_input(2, None), an_lstm("l", sequences=True, stateful=True),
                           claimed("Dropout", "o", rate=0.5), an_lstm("k", stateful=True), DENSE]}},
    {"config": {"layers": [
        {**an_input(), "inbound_nodes": []}, claimed("NotEqual", "n", "in", -1.0),
        claimed("Any", "a", "n", axis=-1, keepdims=False), an_lstm("l", "in", "a", sequences=True),
        an_lstm("k", "l", "a"), claimed("Dense", "d", "k", units=1, activation="softplus", use_bias=True)]}},
]  # fmt: skip
LAYERS = [layer for one in ARCHITECTURES for layer in one["config"]["layers"]]
WEIGHTS: dict[str, Any] = {
    "m": [],
    "l": [np.ones((FEATURES, 4 * UNITS)), np.ones((UNITS, 4 * UNITS)), np.ones(4 * UNITS)],
    "k": [np.ones((UNITS, 4 * UNITS)), np.ones((UNITS, 4 * UNITS)), np.ones(4 * UNITS)],
    "d": [np.ones((UNITS, 1)), np.ones(1)],
    "p": [np.ones((1, UNITS))],
}
ODD = [
    10**400, -(10**400), 2**63, 10**9, 1e308, 1e-320, float("inf"), float("nan"), -1, 0, 1, 2, 3, 1.0,
    True, False, None, "", "1", "l", [], {}, [1], {"a": 1},
    "keras", "tanh", "softplus", "relu", "LSTM", "Masking", "Dropout", "InputLayer",
]  # fmt: skip
parts_of_models = st.sampled_from(ODD) | st.sampled_from(LAYERS) | trees


@st.composite
def stacked(draw: st.DrawFn) -> Any:
    """Layers in any order, each as it should be but for up to two settings."""
    several = [an_lstm("l", sequences=draw(st.booleans())), an_lstm("k", sequences=draw(st.booleans())), MASK, DENSE,
               claimed("Dropout", "o", rate=0.5), claimed("Softmax", "s", axis=-1), claimed("Celu", "c", alpha=1.0),
               claimed("Activation", "g", activation="glu"), claimed("PReLU", "p", shared_axes=[1])]  # fmt: skip
    layers = [an_input(), *draw(st.lists(st.sampled_from(several), unique_by=id, min_size=1))]
    layers = copy.deepcopy(layers)
    for _ in range(draw(st.integers(0, 2))):
        config = draw(st.sampled_from(layers))["config"]
        key = draw(st.sampled_from(list(config)))
        config[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
    return {"config": {"layers": layers}}


architectures = stacked() | st.sampled_from(ARCHITECTURES).flatmap(lambda one: changed(one, parts_of_models))

DTYPES = [np.dtype(name) for name in ("f4", "f8", "i8", "?", "c16", "U3", "M8[ns]")]
arrays: st.SearchStrategy[Any] = hnp.arrays(
    st.sampled_from(DTYPES),
    hnp.array_shapes(min_dims=0, max_dims=3, max_side=13),
)
NUMBERS = [np.dtype(name) for name in ("f2", "f4", "f8", "i1", "i8", "u1", "u8", ">f2", ">f4", ">f8", ">i2", ">u8")]
SPECIAL = [0.0, 1.0, -1.0, 1e-310, 1e-160, 1e300, 65504.0, float("inf"), -float("inf"), float("nan")]


@st.composite
def fitting_weights(draw: st.DrawFn, kinds: list[np.dtype[Any]]) -> dict[str, Any]:
    """Arrays of the right shapes and of many kinds, with any bits or with special values in them."""
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def other(array: Any) -> Any:
        dtype = draw(st.sampled_from(kinds))
        if draw(st.booleans()):
            return np.frombuffer(numbers.bytes(array.size * dtype.itemsize), dtype).reshape(array.shape)
        with np.errstate(all="ignore"):
            return numbers.choice(SPECIAL, array.shape).astype(dtype)

    return {name: [other(array) for array in given] for name, given in WEIGHTS.items()}


def predicted(architecture: Any, weights: Any, stateful: bool = False) -> bool:
    """Whether the model was rebuilt, which takes less than a second of this process, predictions and all."""
    for _ in range(2):  # what holds the process up by chance does not do so twice
        began = time.process_time()
        with bounded():
            found = _predicted(architecture, weights, stateful)
        if time.process_time() - began < 1:
            return found
    raise AssertionError("It has taken more than a second, twice.")


def _predicted(architecture: Any, weights: Any, stateful: bool) -> bool:
    """Its predictions have the shape that the model says; or there is a sentence."""
    try:
        model = rebuild(architecture, weights, stateful=stateful)
        timesteps, features = model.input_shape
        x = np.ones((3, min(timesteps or TIMESTEPS, 200), min(features, 200)))
        predictions = [model.predict(x), *model.predict_batches([x, -x])]
    except NotRebuilt as refused:
        sentence = str(refused)
    else:
        for found in predictions:
            assert found.dtype == float
            assert (len(found), found.shape[-1]) == (3, model.outputs)
            assert found.shape[1:-1] in {(), x.shape[1:2]}
        return True
    assert 20 < len(sentence) < 300
    return False


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_unchanged_models_are_rebuilt(architecture: Any) -> None:
    assert predicted(json.dumps(architecture), WEIGHTS, stateful=True)


@fuzz
@given(architecture=architectures.map(json.dumps) | damaged(json.dumps(ARCHITECTURE).encode()).map(repr) | trees)
def test_an_architecture_is_rebuilt_or_refused(architecture: Any) -> None:
    predicted(architecture, WEIGHTS)


@fuzz
@given(weights=st.dictionaries(st.sampled_from(["m", "l", "d", "x"]), st.lists(arrays, max_size=4) | trees) | trees)
def test_weights_fit_or_are_refused(weights: Any) -> None:
    predicted(json.dumps(ARCHITECTURE), weights)


@fuzz
@given(
    architecture=architectures,
    weights=fitting_weights([*NUMBERS, np.dtype("longdouble")]),
    more=st.booleans(),
    stateful=st.booleans(),
    data=st.data(),
)
def test_a_model_is_rebuilt_or_refused(
    architecture: Any, weights: Any, more: bool, stateful: bool, data: st.DataObject
) -> None:
    """Both changed together."""
    changed_too = data.draw(changed(weights, arrays | trees)) if more else weights
    predicted(json.dumps(architecture), changed_too, stateful)


@fuzz
@given(architecture=st.sampled_from(ARCHITECTURES), weights=fitting_weights(NUMBERS))
def test_weights_of_any_value_predict(architecture: Any, weights: Any) -> None:
    """Infinite, huge and undefined ones too, where their shapes and kinds fit."""
    assert predicted(json.dumps(architecture), weights, stateful=True)


def test_a_released_notebook_is_not_refused(tmp_path: Path) -> None:
    """The parsers do not pass these tests by refusing everything."""
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(released(ASSIGNMENT.name)))
    assert len(restore(read(path), ASSIGNMENT).cells) > 5
