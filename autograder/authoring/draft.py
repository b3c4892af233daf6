"""A lesson as its author has left it, right or wrong: the source, and the hidden checks beside it."""

import importlib.util
import sys
import traceback
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from autograder import course
from autograder.authoring.source_form import read, source_path
from autograder.course import CHECK_PREFIX
from autograder.errors import CourseError


@dataclass(frozen=True)
class HiddenCheck:
    """A test of a module of checks; `marks` are what `@exercise` says of it, `title` its docstring's first line."""

    name: str
    title: str
    marks: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Draft:
    """The lesson `name` of the course at `root`. What it has is read when it is first asked for."""

    root: Path
    name: str

    @property
    def path(self) -> Path:
        """The lesson's source notebook."""
        return source_path(self.root, self.name)

    @property
    def checks(self) -> Path:
        """The module with the hidden checks, which may not be there."""
        return course.CHECKS / f"{self.name}.py"

    @cached_property
    def cells(self) -> list[dict[str, Any]]:
        """The cells of the source, as JSON. Raises CourseError when it is no notebook; so does what follows from it."""
        cells: list[dict[str, Any]] = read(self.path)["cells"]
        return cells

    @cached_property
    def texts(self) -> list[str]:
        """The text cells."""
        return ["".join(cell["source"]) for cell in self.cells if cell["cell_type"] == "markdown"]

    @cached_property
    def text(self) -> str:
        """All text cells as one."""
        return "\n".join(self.texts)

    @cached_property
    def grade_ids(self) -> list[str]:
        """Of the cells that nbgrader knows, in order; the same twice where two cells have it."""
        return [str(meta["grade_id"]) for cell in self.cells if (meta := cell["metadata"].get("nbgrader"))]

    @cached_property
    def graded_cells(self) -> dict[str, dict[str, Any]]:
        """What nbgrader knows of each cell, by its grade_id, in order."""
        found = (cell["metadata"].get("nbgrader") for cell in self.cells)
        plain = {"grade": False, "solution": False, "locked": False}
        return {str(meta["grade_id"]): plain | meta for meta in found if meta}

    @cached_property
    def sources(self) -> dict[str, str]:
        """The code of these cells, by their grade_id."""
        return {
            str(meta["grade_id"]): "".join(cell["source"])
            for cell in self.cells
            if (meta := cell["metadata"].get("nbgrader"))
        }

    @cached_property
    def points(self) -> dict[str, float]:
        """The points of each exercise, in order."""
        cells = self.graded_cells
        return {one: cells[CHECK_PREFIX + one]["points"] for one, meta in cells.items() if meta["solution"]}

    @cached_property
    def hidden_checks(self) -> list[HiddenCheck]:
        """The tests of the module of checks, in order. Raises CourseError, with the cause, when it cannot be loaded."""
        module = loaded(self.checks)
        return [
            HiddenCheck(name, _title(value), tuple(_marks(value)))
            for name, value in vars(module).items()
            if name.startswith("test_") and callable(value)
        ]


def loaded(checks: Path) -> ModuleType:
    """The module of checks in the file. Raises CourseError, with the line and the cause, when it cannot be loaded."""
    spec = importlib.util.spec_from_file_location(f"checks_of_{checks.stem}", checks)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    keep, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # it may be written again within this second
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(checks)]
        line = error.lineno if isinstance(error, SyntaxError) else next(iter(lines), None)
        place = f"line {line}: " if line else ""
        cause = error.msg if isinstance(error, SyntaxError) else error
        raise CourseError(
            f"autograder/checks/{checks.name} cannot be loaded ({place}{type(error).__name__}: {cause}). Mend it."
        ) from error
    finally:
        sys.dont_write_bytecode = keep
    return module


def _title(check: object) -> str:
    lines = (check.__doc__ or "").strip().splitlines()
    return lines[0] if lines else ""


def _marks(check: object) -> list[dict[str, Any]]:
    return [mark.kwargs for mark in getattr(check, "pytestmark", []) if mark.name == "exercise"]
