"""Whether the call that a finding shows gives what the finding shows: run it in a process apart."""

import contextlib
import io
import itertools
import math
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from autograder.authoring import local_run
from autograder.examination.display import shown
from autograder.examination.own_answers import in_its_folder
from autograder.result import Finding

NUMBER: Final = re.compile(r"[-+]?(?:nan|inf|\d+(?:\.\d*)?(?:e[-+]?\d+)?)")


@dataclass
class Replayed:
    """What became of the calls that were shown for one answer: how many could be run, and what was false of them."""

    ran: int = 0
    not_runnable: int = 0  # an argument is too large, or a thing in the box
    by_chance: int = 0  # called twice it gives two values
    made_of_it: int = 0  # shown is what the check has made of an encoder or a model that came back, and `what` says so
    false: list[str] = field(default_factory=list)


def replayed(root: Path, assignment: str, exercise: str, code: str, seed: int) -> Replayed:
    """Grade the answer, then run each call that its feedback shows: with the answer, and with the reference."""
    course, solved = local_run._course(root, assignment)
    found = Replayed()
    trial = local_run.attempt(root, assignment, exercise, code, (seed,))
    findings = [check.finding for one in trial.results for check in one.checks if check.finding]
    for finding in (one for one in findings if one.call and one.found and one.expected):
        if "<" in finding.call or "…" in finding.call:
            found.not_runnable += 1
            continue
        if re.match(r"(encoder|scaler)\.\w+", finding.what):
            found.made_of_it += 1
            continue
        with in_its_folder(course):
            answer = local_run._run_cells(course, solved | {exercise: code}, until=exercise)
            reference = local_run._run_cells(course, solved, until=exercise)
            first, again = (_run(finding.call, answer) for _ in range(2))
            if _plain(first) and _plain(again) and not _alike(shown(first).text, shown(again).text):
                found.by_chance += 1
                continue
            if type(first).__module__.startswith("keras."):
                found.made_of_it += 1
                continue
            found.ran += 1
            found.false += _complaints(finding, first, _run(finding.call, reference))
    return found


def _complaints(finding: Finding, answer: Any, reference: Any) -> Iterator[str]:
    assert finding.found
    assert finding.expected
    for who, value, text in (("answer", answer, finding.found.text), ("reference", reference, finding.expected.text)):
        if not any(_alike(shown(part).text, text) for part in _parts(value)):
            told = repr(value) if isinstance(value, Exception) else shown(value).text if _plain(value) else type(value)
            yield f"{finding.call} of the {who} gives {told}, and not {text} ({finding.what})"


def _run(call: str, space: dict[str, Any]) -> Any:
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return eval(call.strip(), {**space, "np": np, "pd": pd})
    except Exception as error:
        return error


def _plain(value: Any) -> bool:
    try:
        shown(value)
    except TypeError:
        return False
    return True


def _parts(value: Any) -> Iterator[Any]:
    """The value, what is in it, and of arrays their rows and columns, as numbers alone."""
    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
        value = value.to_numpy()
    if isinstance(value, (list, tuple)):
        for part in value[:1000]:
            yield from _parts(part)
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            yield np.asarray(value)
    if isinstance(value, dict):
        for part in value.values():
            yield from _parts(part)
    if isinstance(value, np.ndarray) and value.ndim:
        for axis in range(min(value.ndim, 3)):
            yield from itertools.islice(np.moveaxis(value, axis, 0), 64)
    if _plain(value):
        yield value
        if isinstance(value, np.ndarray) and value.dtype == bool:
            yield value.astype(int)


def _alike(text: str, other: str) -> bool:
    """The same numbers, as far as the arguments of a call are written; or the same words."""
    one, two = NUMBER.findall(text), NUMBER.findall(other)
    if not two:
        return text == other
    if len(one) != len(two):
        return False
    return all(
        a == b or math.isclose(float(a), float(b), rel_tol=1e-3, abs_tol=2e-4) for a, b in zip(one, two, strict=True)
    )
