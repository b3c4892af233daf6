"""Whether the call that feedback shows gives the value that it shows: run it in a process apart."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autograder.authoring.local_run import _course, _run_cells
from autograder.boxed.values import Handle
from autograder.examination.examine import Evidence, examine
from autograder.examination.own_answers import LocalKernel, in_its_folder
from autograder.examination.student import Call


@dataclass(frozen=True)
class Told:
    """One finding that shows values: whether its call gives them again, and whether the reference gives the other.

    None where that cannot be asked: the call was given something that lives in the box alone.
    """

    check: str
    call: str
    found: bool | None
    expected: bool | None


def told(root: Path, assignment: str, exercise: str, code: str, seed: int) -> list[Told]:
    """What the feedback on this answer shows, tried again on new kernels."""
    course, solved = _course(root, assignment)
    with in_its_folder(course), contextlib.redirect_stdout(io.StringIO()):
        answers = solved | {exercise: code}
        kernel = LocalKernel(_run_cells(course, answers, until=exercise))
        evidence = examine(course, kernel, {exercise: seed}, [exercise])
        shown = [one for one in evidence if one.finding and one.finding.found and one.call]
        if not shown:
            return []
        again = LocalKernel(_run_cells(course, answers, until=exercise))
        reference = LocalKernel(_run_cells(course, solved, until=exercise))
        return [_tried(one, again, reference) for one in shown]


def _tried(one: Evidence, kernel: LocalKernel, reference: LocalKernel) -> Told:
    assert one.call is not None
    assert one.values is not None
    found, expected = one.values
    call = one.call
    through_the_box = one.finding is not None and "transform(" in one.finding.what  # of what the call returned
    if through_the_box or any(isinstance(value, Handle) for value in (*call.args, *call.kwargs.values())):
        return Told(one.check.name, call.name, None, None)
    return Told(one.check.name, call.name, _gives(kernel, call, found), _gives(reference, call, expected))


def _gives(kernel: LocalKernel, call: Call, wanted: Any) -> bool:
    request = {"do": "call", "function": call.name, "args": list(call.args), "kwargs": call.kwargs}
    return _within(kernel.ask(request).value, wanted)


def _within(whole: Any, wanted: Any, depth: int = 3) -> bool:
    """Whether the wanted value is the whole, or a part of it: an entry, a column, some rows."""
    if isinstance(whole, (pd.DataFrame, pd.Series, pd.Index)):
        whole = whole.to_numpy()
    if _equal(whole, wanted) or _has(whole, wanted):
        return True
    if depth and isinstance(whole, (list, tuple, dict)):
        items = list(whole.values()) if isinstance(whole, dict) else list(whole)
        return any(_within(item, wanted, depth - 1) for item in items)
    return False


def _equal(one: Any, other: Any) -> bool:
    with contextlib.suppress(Exception):
        left, right = np.asarray(one), np.asarray(other)
        if left.shape == right.shape and left.dtype.kind in "biuf" and right.dtype.kind in "biuf":
            return bool(np.allclose(left, right, rtol=1e-3, atol=1e-3, equal_nan=True))
        return left.size == right.size and left.ravel().tolist() == right.ravel().tolist()
    return False


def _has(whole: Any, wanted: Any) -> bool:
    """Whether an array holds every number of another."""
    with contextlib.suppress(Exception):
        many, few = np.asarray(whole, dtype=float).ravel(), np.asarray(wanted, dtype=float).ravel()
        close = np.isclose(few[:, None], many[None, :], rtol=1e-3, atol=1e-3, equal_nan=True)
        return bool(few.size and close.any(axis=1).all())
    return False
