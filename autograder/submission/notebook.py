"""From a notebook's file to the code that a student submitted.

Only code is taken: cell types, ids and sources. Outputs, kernels, widgets and other files beside
the notebook go no further than this module.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from autograder.course import Assignment, Course
from autograder.errors import NotGradable
from autograder.text import plain

MAX_BYTES: Final = 50 * 2**20
MAX_CELLS: Final = 2000
MAX_CELL_CHARACTERS: Final = 200_000


@dataclass(frozen=True)
class SubmittedCell:
    """One cell as submitted: what the file says of it, in text; None where it says nothing."""

    type: str
    source: str
    id: str | None
    grade_id: str | None


@dataclass(frozen=True)
class SubmittedNotebook:
    """All cells, in their order, and the file's hash in hexadecimal digits."""

    cells: tuple[SubmittedCell, ...]
    sha256: str


def read(path: Path) -> SubmittedNotebook:
    """The notebook's cells and its hash. Raises NotGradable with a sentence for its author."""
    try:
        if not path.is_file() or path.is_symlink():
            raise NotGradable("The submission is not a regular file. Hand in the notebook itself, not a link to it.")
        if path.stat().st_size > MAX_BYTES:
            raise NotGradable(
                f"The notebook is larger than {MAX_BYTES >> 20} MiB. "
                "Clear the outputs (Edit > Clear Outputs of All Cells), save and submit again."
            )
        data = path.read_bytes()
    except OSError as error:
        raise NotGradable(f"The file cannot be read ({error.strerror}).") from error
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        return SubmittedNotebook(tuple(_cells(_parse(data))), sha256)
    except NotGradable as problem:
        problem.sha256 = sha256
        raise


def _parse(data: bytes) -> dict[str, Any]:
    again = "Open it in Jupyter, save it and submit it again."
    if not data.strip():
        raise NotGradable("The file is empty. Save the notebook in Jupyter and submit it again.")
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"} or data[:4:2] == b"\0\0" or data[1:5:2] == b"\0\0":
        raise NotGradable(
            "The file is saved as UTF-16, but a notebook must be UTF-8. Save it as UTF-8 and submit it again."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotGradable(f"The file is not UTF-8 text (byte {error.start}). {again}") from error
    if text.startswith("version https://git-lfs"):
        raise NotGradable(
            "The file is a pointer of Git LFS, and not the notebook that it stands for. Turn Git LFS off for notebooks "
            "(git lfs untrack '*.ipynb'), commit the notebook itself and submit it again."
        )
    lines = text.splitlines()
    if any(line.startswith(">>>>>>> ") for line in lines):
        line = next((number for number, line in enumerate(lines, 1) if line.startswith("<<<<<<< ")), 1)
        raise NotGradable(
            f"The file contains the marks of an unfinished git merge (first on line {line}: <<<<<<<). "
            "Choose one version of each part, so that the notebook opens in Jupyter, and submit it again."
        )
    try:
        book = json.loads(text)
    except RecursionError as error:
        raise NotGradable(f"The file is nested too deep for a notebook. {again}") from error
    except ValueError as error:
        if text.lstrip()[:1] != "{":
            raise NotGradable(
                "The file is not a notebook: it does not begin like one. Submit the .ipynb file."
            ) from error
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "a number in it"
        cut = " It seems to be cut off at its end." if not text.rstrip().endswith("}") else ""
        raise NotGradable(f"The file is damaged: its JSON cannot be read ({where}).{cut} {again}") from error
    if not isinstance(book, dict):
        raise NotGradable("The file is JSON, but not a notebook. Submit the .ipynb file.")
    version = book.get("nbformat")
    if version in (1, 2, 3) or "worksheets" in book:  # a tuple: what is no number may not be hashable
        raise NotGradable(f"The notebook is in the old format {plain(version, 5)}; the course uses format 4. {again}")
    if version != 4 or not isinstance(book.get("cells"), list):
        raise NotGradable("The file is JSON, but not a notebook of format 4. Submit the .ipynb file.")
    return book


def _cells(book: dict[str, Any]) -> Iterable[SubmittedCell]:
    if len(book["cells"]) > MAX_CELLS:
        raise NotGradable(f"The notebook has more than {MAX_CELLS} cells. Remove what is not part of your answer.")
    for cell in book["cells"]:
        if not isinstance(cell, dict):
            continue
        source = cell.get("source", "")
        if isinstance(source, list):
            source = "".join(part for part in source if isinstance(part, str))
        if not isinstance(source, str):
            continue
        if len(source) > MAX_CELL_CHARACTERS:
            raise NotGradable(
                f"One cell contains more than {MAX_CELL_CHARACTERS:,} characters of code. "
                "Remove what is not your answer."
            )
        meta = cell.get("metadata")
        nbgrader = meta.get("nbgrader") if isinstance(meta, dict) else None
        grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
        # A lone surrogate cannot be written to the notebook that is run.
        yield SubmittedCell(
            str(cell.get("cell_type")),
            source.encode("utf-8", "replace").decode("utf-8"),
            cell["id"] if isinstance(cell.get("id"), str) else None,
            grade_id if isinstance(grade_id, str) else None,
        )


def check_assignment(notebook: SubmittedNotebook, assignment: Assignment, course: Course) -> None:
    """Raises NotGradable when the notebook clearly belongs to another assignment."""
    ids = {cell.grade_id for cell in notebook.cells}

    def answered(of: Assignment) -> int:
        return len(ids & {exercise.id for exercise in of.exercises})

    likeliest = max(course.assignments(), key=answered)
    if answered(likeliest) > answered(assignment):
        raise NotGradable(
            f"This is the notebook of {likeliest.name}, handed in as {assignment.name}. "
            f"Hand in `{assignment.name}.ipynb` here."
        )
