"""Honest but unusual notebooks get the same marks and messages from a forked box and a cold one, which are all points,
and the self-check agrees.

Several of `unusual.toml` share a notebook, each beside another exercise; `make long` gives each a notebook of its own.
"""

import ast
import io
import tomllib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import pytest
from helpers.grader import EVERYTHING
from helpers.submissions import COURSE, Notebook, answered, insert, lean, own_cell, solved, source, write
from rich.console import Console

from autograder.batch.pipeline import Graded, grade
from autograder.box.session import CellRun
from autograder.self_check import Options, check_all
from autograder.settings import Settings
from autograder.submission.find import Submission

LESSONS: Final = ("03_numeric_data", "04_categorical_data", "02_sequence_prediction")
UNUSUAL: Final = tomllib.loads((Path(__file__).parent / "unusual.toml").read_text(encoding="utf-8"))
TO_AN_EXERCISE: Final = 2
# An answer as it was, that refuses to work where what its cell has made does not hold.
WHERE_IT_HOLDS: Final = """
def _where_it_holds(_plain):
    def _answer(*_args, **_options):
        if not ({holds}):
            raise RuntimeError({name!r} + " does not hold here")
        return _plain(*_args, **_options)
    return _answer
{function} = _where_it_holds({function})
"""


@dataclass(frozen=True)
class Together:
    """Entries that share a notebook."""

    lesson: str
    names: tuple[str, ...]


def functions(lesson: str) -> dict[str, str]:
    """The function of each exercise that asks for one."""
    found = {}
    for exercise in COURSE.assignment(lesson).exercises:
        body = ast.parse(source(solved(lesson), exercise.id)).body
        names = [node.name for node in body if isinstance(node, ast.FunctionDef)]
        if names:
            found[exercise.id] = names[-1]
    return found


def notebooks() -> Iterator[Together]:
    waiting = [name for name, entry in UNUSUAL.items() if not entry.get("alone")]
    lessons = list(LESSONS)
    while waiting:
        lessons.append(lesson := lessons.pop(0))
        size = 1 if EVERYTHING else TO_AN_EXERCISE * len(functions(lesson))
        yield Together(lesson, tuple(waiting[:size]))
        del waiting[:size]
    for name, entry in UNUSUAL.items():
        if entry.get("alone"):
            yield Together(LESSONS[0], (name,))


def made(together: Together) -> Notebook:
    book = lean(solved(together.lesson))
    exercises = functions(together.lesson)
    first = next(iter(exercises))
    for name, (exercise, function) in zip(together.names, cycle(exercises.items()), strict=False):
        entry = UNUSUAL[name]
        wrapped = WHERE_IT_HOLDS.format(holds=entry["holds"], name=name, function=function)
        book = answered(book, **{exercise.replace("-", "_"): source(book, exercise) + wrapped})
        cells = [own_cell(text) for text in entry["cells"]]
        book = insert(book, "parameters" if entry.get("start") else first, *cells)
    return book


def printed(run: CellRun) -> list[str]:
    """What an own cell wrote, as a stream may come in parts; nothing of one that says how long it took."""
    if run.cell.kind != "free" or "time" in run.cell.source or "unittest" in run.cell.source:
        return []
    return ["".join(part.get("text", "") for part in run.outputs if part.get("name") == name)
            for name in ("stdout", "stderr")]  # fmt: skip


def in_a_box(book: Notebook, lesson: str, settings: Settings, worker: ProcessPoolExecutor, folder: Path) -> Graded:
    path = write(book, folder / "ada" / lesson / f"{lesson}.ipynb")
    graded: Graded = worker.submit(grade, Submission(path, "ada", lesson), settings).result()
    return graded


def on_its_own(book: Notebook, lesson: str, folder: Path) -> dict[str, str]:
    path = write(book, folder / f"{lesson}.ipynb")
    console = Console(file=io.StringIO())
    [checked] = check_all([path], COURSE, Options(30), console, console)
    return {line.exercise: line.text for line in checked.lines}


def facts(graded: Graded) -> dict[str, Any]:
    return {
        "exercises": graded.result.exercises,
        "notes": graded.result.notes,
        "cells": [(run.cell.source, run.status, run.error, printed(run)) for run in graded.transcript],
    }


@pytest.mark.parametrize("together", list(notebooks()), ids=lambda one: f"{one.lesson[:2]}: {', '.join(one.names)}")
def test_every_way_gives_the_same_marks(
    together: Together,
    settings: Settings,
    worker: ProcessPoolExecutor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    book, lesson = made(together), together.lesson
    warm = in_a_box(book, lesson, settings, worker, tmp_path)
    cold = in_a_box(book, lesson, replace(settings, warm=None), worker, tmp_path)
    assert (warm.result.record["start"], cold.result.record["start"]) == ("warm", "cold")
    assert facts(warm) == facts(cold)
    assert warm.result.score == warm.result.max_score, [
        *(one.message for one in warm.result.exercises if one.outcome != "earned"), *warm.result.notes,
    ]  # fmt: skip
    assert set(on_its_own(book, lesson, tmp_path / "own").values()) == {"the visible checks pass"}


def test_what_does_not_hold_is_seen(settings: Settings, worker: ProcessPoolExecutor, tmp_path: Path) -> None:
    [lesson, *_] = LESSONS
    book = made(Together(lesson, ("a walrus",)))
    broken = answered(book, normalize=source(book, "normalize").replace("found_many == 3", "found_many == 4"))
    assert broken != book
    found = in_a_box(broken, lesson, settings, worker, tmp_path).result
    assert [one.outcome for one in found.exercises][:2] == ["not_earned", "earned"]
    assert "a walrus does not hold here" in found.exercises[0].message
    texts = on_its_own(broken, lesson, tmp_path / "own")
    assert texts["normalize"].startswith("Your solution cell raised RuntimeError: a walrus does not hold here (line ")
    assert texts["standardize"] == "the visible checks pass"


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert len(UNUSUAL) >= 60
    assert sum(len(one.names) for one in notebooks()) == len(UNUSUAL)
