"""Submissions made from the released notebooks, for the tests and the example class."""

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

from autograder.authoring.release import reference
from autograder.course import Course

Notebook = dict[str, Any]

COURSE = Course.find(Path(__file__).parent)


def have_boxes_in(folder: Path) -> None:
    """Called in a worker process: its boxes have their folders there."""
    tempfile.tempdir = str(folder)


def load(path: Path) -> Notebook:
    book: Notebook = json.loads(path.read_text(encoding="utf-8"))
    return book


def released(assignment: str) -> Notebook:
    """The student version: nothing answered."""
    notebook: Notebook = json.loads(COURSE.assignment(assignment).notebook.read_text(encoding="utf-8"))
    return notebook


def solved(assignment: str) -> Notebook:
    """The reference: everything answered."""
    return reference(COURSE.root / "source" / assignment / f"{assignment}.ipynb")


def answered(notebook: Notebook, **answers: str) -> Notebook:
    """The notebook with other solution cells; an exercise is named with `_` for `-`."""
    notebook = copy.deepcopy(notebook)
    for name, source in answers.items():
        cell(notebook, name.replace("_", "-"))["source"] = source
    return notebook


def only(assignment: str, *exercises: str, **answers: str) -> Notebook:
    """The student version with the reference's answers to `exercises`, and `answers`."""
    reference_answers = {e.replace("-", "_"): source(solved(assignment), e) for e in exercises}
    return answered(released(assignment), **(reference_answers | answers))


def lean(notebook: Notebook) -> Notebook:
    """The notebook without the lesson's experiments, which cost seconds and decide nothing."""
    kept = [one for one in notebook["cells"] if one["cell_type"] != "code" or "nbgrader" in one["metadata"]]
    return {**notebook, "cells": kept}


def cell(notebook: Notebook, grade_id: str) -> dict[str, Any]:
    """The cell with this grade_id; raises LookupError."""
    for found in notebook["cells"]:
        if found["metadata"].get("nbgrader", {}).get("grade_id") == grade_id:
            assert isinstance(found, dict)
            return found
    raise LookupError(grade_id)


def source(notebook: Notebook, grade_id: str) -> str:
    return "".join(cell(notebook, grade_id)["source"])


def cell_that_begins(notebook: Notebook, text: str) -> dict[str, Any]:
    """Its first code cell that begins so."""
    return next(
        one for one in notebook["cells"] if one["cell_type"] == "code" and "".join(one["source"]).startswith(text)
    )


def own_cell(source: str) -> dict[str, Any]:
    """A code cell that a student added."""
    return {"cell_type": "code", "execution_count": None, "id": "own", "metadata": {}, "outputs": [], "source": source}


def insert(notebook: Notebook, before: str, *cells: dict[str, Any]) -> Notebook:
    """The notebook with cells before the one with the grade_id `before`."""
    notebook = copy.deepcopy(notebook)
    place = notebook["cells"].index(cell(notebook, before))
    notebook["cells"][place:place] = copy.deepcopy(list(cells))
    return notebook


def remove(notebook: Notebook, grade_id: str) -> Notebook:
    notebook = copy.deepcopy(notebook)
    notebook["cells"].remove(cell(notebook, grade_id))
    return notebook


def write(notebook: Notebook, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
