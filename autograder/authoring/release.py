"""Make what is generated: student versions by nbgrader, and executed references.

`release/NAME/` is what `nbgrader generate_assignment` makes of `source/NAME/`; `solutions/NAME/` is the
reference submission, the source notebook without its markers, with the outputs of a run in the box.
`source/slide_map.md` says which slide is taught where, `source/partial_credit.md` how the points are shared.
"""

import copy
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from autograder.authoring import partial_credit, slide_map
from autograder.authoring.solution_leaks import MARKERS, leaks
from autograder.box import Limits
from autograder.box.session import Session
from autograder.course import Course
from autograder.errors import ReleaseError
from autograder.seed import TRAINING_SEED
from autograder.submission.restoration import Restored, RestoredCell


def make(course: Course, names: list[str], solutions: bool, console: Console) -> None:
    """Regenerate the named assignments (all, if none is named) in place. Raises ReleaseError."""
    known = sorted(
        path.parent.name for path in (course.root / "source").glob("*/*.ipynb") if path.stem == path.parent.name
    )
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ReleaseError(f"There is no source/{unknown[0]}/{unknown[0]}.ipynb. There are: {', '.join(known)}.")
    for name in names or known:
        console.print(f"release/{name}")
        target = course.root / "release" / name
        with tempfile.TemporaryDirectory() as folder:
            made = student_version(course.root / "source" / name, Path(folder))
            told = leaks(*(json.loads((place / f"{name}.ipynb").read_text(encoding="utf-8"))
                           for place in (course.root / "source" / name, made)))  # fmt: skip
            if told:
                lines = "\n".join(f"  {line}" for line in told)
                raise ReleaseError(f"release/{name} would tell students of its solutions, so it is not made:\n{lines}")
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(made, target)
        if solutions:
            console.print(f"solutions/{name}")
            path = course.root / "solutions" / name / f"{name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            data = Course(course.root).assignment(name).data  # of the course as it has just become
            path.write_text(
                as_text(executed(reference(course.root / "source" / name / f"{name}.ipynb"), data)), encoding="utf-8"
            )
    pages = {
        slide_map.FILE: slide_map.as_markdown(course.root / "source"),
        partial_credit.FILE: partial_credit.as_markdown(Course(course.root)),
    }
    for name, text in pages.items():
        (course.root / "source" / name).write_text(text, encoding="utf-8")


def student_version(source: Path, folder: Path) -> Path:
    """What nbgrader makes of the assignment in `source`, in a course of its own under `folder`."""
    from nbgrader.apps.api import NbGraderAPI
    from traitlets.config import Config

    shutil.copytree(source, folder / "source" / source.name, ignore=shutil.ignore_patterns(".*"))
    config = Config()
    config.CourseDirectory.root = str(folder)
    config.CourseDirectory.db_url = f"sqlite:///{folder / 'gradebook.db'}"
    path = os.environ.get("PATH", "")
    # nbgrader looks for its database tool on PATH.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{path}"
    try:
        outcome = NbGraderAPI(config=config).generate_assignment(source.name, force=True, create=True)
    finally:
        os.environ["PATH"] = path
    if not outcome["success"]:
        raise ReleaseError(f"nbgrader could not release {source.name}:\n{outcome.get('log') or outcome.get('error')}")
    return folder / "release" / source.name


def reference(source: Path) -> dict[str, Any]:
    """The source notebook as a submission: its solutions, without the markers around them."""
    book: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    for cell in book["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            lines = "".join(cell["source"]).splitlines(keepends=True)
            cell["source"] = [line for line in lines if line.strip() not in MARKERS]
    return book


def executed(book: dict[str, Any], data: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The notebook with the outputs of a run in the box, `data` in its folder.

    Raises ReleaseError when a cell fails.
    """
    book = copy.deepcopy(book)
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    cells = tuple(
        RestoredCell(number, "free", "".join(cell["source"]), None, "parameters" in cell["metadata"].get("tags", []))
        for number, cell in enumerate(code)
    )
    session = Session(Restored(cells), Limits(), TRAINING_SEED, data)
    try:
        transcript = session.execute()
    finally:
        session.close()
    for count, (cell, run) in enumerate(zip(code, transcript, strict=True), 1):
        if run.status != "ran":
            raise ReleaseError(f"The reference's cell {cell['id']!r} {run.status}: {run.error}")
        cell["execution_count"] = count
        cell["outputs"] = [_with_count(output, count) for output in run.outputs]
    return book


def as_text(book: dict[str, Any]) -> str:
    """The one form in which the repository keeps a notebook."""
    return json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _with_count(output: dict[str, Any], count: int) -> dict[str, Any]:
    return {**output, "execution_count": count} if "execution_count" in output else output
