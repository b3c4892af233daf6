"""The one form in which the repository keeps a notebook, so that a difference shows what its author changed.

No outputs and no counts, no metadata of an editor, one way to write the JSON, an id for each cell that stays (the
`grade_id` where the cell has one), and check cells whose names are their own.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from nbformat.corpus.words import generate_corpus_id

from autograder.authoring.check_cells import apart
from autograder.course import CHECK_PREFIX, Course
from autograder.errors import CourseError

METADATA: Final = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA: Final = ("nbgrader", "tags")


def as_text(book: dict[str, Any]) -> str:
    """The notebook as its file holds it."""
    return json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def source_path(root: Path, name: str) -> Path:
    """Where the course at `root` keeps the source of the lesson."""
    return root / "source" / name / f"{name}.ipynb"


def lesson_names(root: Path) -> list[str]:
    """The lessons in `source/`, in order, released or not."""
    paths = (root / "source").glob("*/*.ipynb")
    return sorted(path.stem for path in paths if path.stem == path.parent.name)


def chosen(root: Path, names: list[str]) -> list[str]:
    """The named lessons, or all of them if none is named. Raises CourseError when there is no such source."""
    known = lesson_names(root)
    for name in names:
        if name not in known:
            raise CourseError(f"There is no source/{name}/{name}.ipynb. There are: {', '.join(known) or 'none'}.")
    return names or known


def read(path: Path) -> dict[str, Any]:
    """The notebook in the file. Raises CourseError when it is none."""
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
        for cell in book["cells"]:
            if not isinstance(cell["metadata"], dict) or not isinstance("".join(cell["source"]), str):
                raise TypeError(f"the cell {cell.get('id')!r}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CourseError(
            f"{path} is no notebook ({type(error).__name__}: {error}). Mend it, or take its last version from git."
        ) from error
    return dict(book)


def tidied(book: dict[str, Any]) -> dict[str, Any]:
    """The notebook in the one form. What a reader sees of it stays, but for the outputs."""
    ids: set[str] = set()
    cells = []
    for cell in book["cells"]:
        meta = {key: value for key, value in cell["metadata"].items() if key in CELL_METADATA and value}
        wanted = meta.get("nbgrader", {}).get("grade_id") or cell.get("id", "")
        identifier = re.sub(r"[^a-z0-9]+", "-", str(wanted).lower()).strip("-")
        while not identifier or identifier in ids:
            identifier = generate_corpus_id()
        ids.add(identifier)
        kept = {key: value for key, value in cell.items() if key in {"cell_type", "attachments"} and value}
        source = "".join(cell["source"])
        graded = meta.get("nbgrader", {})
        if cell["cell_type"] == "code" and graded.get("grade") and not graded.get("solution"):
            source = apart(source, str(wanted).removeprefix(CHECK_PREFIX))
        kept |= {"id": identifier, "metadata": meta, "source": source.splitlines(keepends=True)}
        if cell["cell_type"] == "code":
            kept |= {"execution_count": None, "outputs": []}
        cells.append(kept)
    return {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def tidy(course: Course, names: list[str], check: bool) -> list[str]:
    """Write the named sources (all, if none is named) in their one form; returns those that were not in it.

    With `check`, nothing is written. Raises CourseError for a name without a source, or a source that is no notebook.
    """
    found = []
    for name in chosen(course.root, names):
        path = source_path(course.root, name)
        if not is_tidy(path):
            found.append(name)
            if not check:
                path.write_text(as_text(tidied(read(path))), encoding="utf-8")
    return found


def is_tidy(path: Path) -> bool:
    """Whether the source is in its one form. Raises CourseError when it is no notebook."""
    book = read(path)
    return path.read_text(encoding="utf-8") == as_text(tidied(book))
