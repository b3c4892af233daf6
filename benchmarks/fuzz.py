"""Inputs that find their own way: a fuzzer that sees which lines of the grader each of them reaches.

    pip install atheris
    python benchmarks/fuzz.py model --seconds 900
    python benchmarks/fuzz.py reply --seconds 900

`model` rebuilds a model and has it predict, as `tests/fast/test_fuzz.py` promises, whose models it starts from;
`reply` unpacks a frame from the box, reads it as an answer, and has the words of the checks look at its value. It
prints how many inputs it has tried, and each exception that should not be, one for each line that it came from. Atheris
needs Python 3.11 to 3.13 on Linux or macOS.
"""

import copy
import json
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import typer

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))


class Target(StrEnum):
    model = "model"
    reply = "reply"


def main(target: Target, seconds: int = 900, seed: int = 0) -> None:
    """Fuzz one target for so many seconds."""
    try:
        import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        raise SystemExit("This needs atheris: pip install atheris") from None
    with atheris.instrument_imports(include=["autograder"]):
        run = {Target.model: model, Target.reply: reply}[target]()
    warnings.simplefilter("error")
    found = Findings(run, seconds)
    # It ends the process itself, and reads no corpus of its own: the valid inputs are in the targets.
    atheris.Setup([sys.argv[0], f"-seed={seed}", "-max_len=4096", "-verbosity=0", "-rss_limit_mb=0",
                   "-report_slow_units=3600", f"-artifact_prefix={tempfile.gettempdir()}/"], found)  # fmt: skip
    atheris.Fuzz()


class Findings:
    """Runs the target and counts; what it raises is told, and does not end the run."""

    def __init__(self, run: Callable[[bytes], Any], seconds: int) -> None:
        self.run = run
        self.until = time.monotonic() + seconds
        self.inputs = 0
        self.slowest = 0.0
        self.places: set[str] = set()

    def __call__(self, data: bytes) -> None:
        self.inputs += 1
        began = time.monotonic()
        try:
            self.run(data)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} at {where.filename}:{where.lineno}"
            if place not in self.places:
                self.places.add(place)
                print(f"{place}: {str(error)[:300]}\n    {data!r}", flush=True)
        self.slowest = max(self.slowest, time.monotonic() - began)
        if time.monotonic() > self.until:
            print(f"{self.inputs:,} inputs, {len(self.places)} findings, the slowest {self.slowest:.2f} s", flush=True)
            os._exit(bool(self.places))


def model() -> Callable[[bytes], Any]:
    """The first two bytes choose a valid model; each five that follow change a place or an array of it, up to six."""
    from test_fuzz import ARCHITECTURES, LAYERS, NUMBERS, ODD, SPECIAL, WEIGHTS, _places, predicted

    values = [*ODD, *LAYERS]
    dtypes = [*NUMBERS, np.dtype("longdouble"), np.dtype("?"), np.dtype("c16")]

    def run(data: bytes) -> None:
        which, stateful, *rest = data.ljust(2, b"\0")
        tree = copy.deepcopy(ARCHITECTURES[which % len(ARCHITECTURES)])
        weights: dict[str, Any] = {name: list(arrays) for name, arrays in WEIGHTS.items()}
        for kind, high, low, how, value in zip(*[iter(rest[:30])] * 5, strict=False):
            change_tree(tree, 256 * high + low, how, value) if kind < 160 else change_array(weights, high, how, value)
        predicted(json.dumps(tree), weights, stateful % 2 == 1)

    def change_tree(tree: Any, place: int, how: int, value: int) -> None:
        places = list(_places(tree))
        if not 0 < len(places) < 2000:  # a tree that is doubled again and again takes longer to write than to read
            return
        container, key = places[place % len(places)]
        if how % 8 < 5:
            container[key] = copy.deepcopy(values[value % len(values)])
        elif how % 8 == 5:
            del container[key]
        elif how % 8 == 6:
            container[key] = [container[key], container[key]]
        else:
            other, place = places[value % len(places)]
            container[key] = copy.deepcopy(other[place])

    def change_array(weights: dict[str, Any], place: int, how: int, value: int) -> None:
        name = ["l", "k", "d"][place % 3]
        number = place // 3 % len(weights[name])
        dtype, shape = dtypes[how % len(dtypes)], weights[name][number].shape
        with np.errstate(all="ignore"):
            if value < 32:
                array = np.full(shape, SPECIAL[value % len(SPECIAL)]).astype(dtype)
            elif value < 224:
                bits = np.random.default_rng(value).bytes(int(np.prod(shape)) * dtype.itemsize)
                array = np.frombuffer(bits, dtype).reshape(shape)
            else:
                array = weights[name][number][..., : value % 4]
        weights[name][number] = array

    return run


def reply() -> Callable[[bytes], Any]:
    """Every other input makes a tree by its choices, the others change a frame's tree as text."""
    from helpers.any_answer import looked_at
    from helpers.box_frames import drawn
    from test_fuzz import FRAMES, REPLY

    from autograder.boxed import protocol

    frames = [*FRAMES, protocol.pack(REPLY)]

    def run(data: bytes) -> None:
        left = iter(data[1:])

        def choose(below: int) -> int:
            return next(left, 0) % below

        looked_at(drawn(choose) if data[:1] > b"\x7f" else damaged(frames, data[1:]), choose)

    def damaged(frames: list[bytes], data: bytes) -> bytes:
        """A valid frame, with pieces put in at places of its tree; the lengths are made to fit."""
        frame = frames[data[0] % len(frames)] if data else frames[0]
        head_length, _ = protocol._LENGTHS.unpack_from(frame)
        head, body = bytearray(frame[8 : 8 + head_length]), frame[8 + head_length :]
        for start in range(1, len(data) - 4, 12):
            place, cut = int.from_bytes(data[start : start + 2], "big") % (len(head) + 1), data[start + 2] % 24
            head[place : place + cut] = data[start + 3 : start + 12]
        return protocol._LENGTHS.pack(len(head), len(body)) + bytes(head) + body

    return run


if __name__ == "__main__":
    typer.run(main)
