"""Make what is generated: student versions by nbgrader, and executed references.

`release/NAME/` is what `nbgrader generate_assignment` makes of `source/NAME/`; `solutions/NAME/` is the
reference submission, the source notebook without its markers, with the outputs of a run in the box.
`source/slide_map.md` says which slide is taught where, `source/partial_credit.md` how the points are shared.
"""

import copy
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from autograder.authoring import partial_credit, slide_map
from autograder.authoring.lesson_rules import broken
from autograder.authoring.solution_leaks import MARKERS, leaks
from autograder.authoring.source_form import as_text, chosen, read, source_path
from autograder.box import Limits
from autograder.box.session import Session
from autograder.course import Course
from autograder.errors import ReleaseError
from autograder.seed import TRAINING_SEED
from autograder.submission.restoration import Restored, RestoredCell


def make(course: Course, names: list[str], solutions: bool, console: Console) -> None:
    """Make the named assignments again (all, if none is named), and the tables beside the sources.

    All of it is made in a temporary folder first. So nothing is written when a lesson breaks a rule, or one of its
    cells fails: that raises ReleaseError, or CourseError.
    """
    names = chosen(course.root, names)
    told = [sentence for name in names for sentence in broken(course.root, name)]
    if told:
        raise ReleaseError("\n".join(["Nothing is released, since rules are broken.", *told]))
    with tempfile.TemporaryDirectory() as folder:
        made = Course(Path(folder) / "course")
        _link_what_is_released(course, made, names)
        for name in names:
            console.print(f"release/{name}")
            source = source_path(course.root, name)
            version = student_version(source.parent, Path(folder) / name)
            seen = leaks(read(source), read(version / source.name))
            if seen:
                lines = "\n".join(f"  {line}" for line in seen)
                raise ReleaseError(f"release/{name} would tell students of its solutions, so it is not made:\n{lines}")
            shutil.copytree(version, made.root / "release" / name)
            if solutions:
                console.print(f"solutions/{name}")
                (made.root / "solutions" / name).mkdir(parents=True)
                data = Course(made.root).assignment(name).data  # a course remembers which lessons it has
                text = as_text(executed(reference(source), data))
                (made.root / "solutions" / name / source.name).write_text(text, encoding="utf-8")
        pages = {
            slide_map.FILE: slide_map.as_markdown(course.root / "source"),
            partial_credit.FILE: partial_credit.as_markdown(Course(made.root)),
        }
        for place in ("release", "solutions") if solutions else ("release",):
            for name in names:
                shutil.rmtree(course.root / place / name, ignore_errors=True)
                shutil.copytree(made.root / place / name, course.root / place / name)
    for page, text in pages.items():
        (course.root / "source" / page).write_text(text, encoding="utf-8")


def _link_what_is_released(course: Course, made: Course, names: list[str]) -> None:
    """In the course `made`, the released assignments of `course`, but for those named."""
    (made.root / "release").mkdir(parents=True)
    for name in set(course.names) - set(names):
        (made.root / "release" / name).symlink_to((course.root / "release" / name).resolve())


def student_version(source: Path, folder: Path) -> Path:
    """What nbgrader makes of the assignment in `source`, in a course of its own under `folder`.

    Returns the folder of the student version. Raises ReleaseError with what nbgrader logged, when it makes none.
    """
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
    book = read(source)
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
            raise ReleaseError(
                f"The cell {cell['id']!r} of the reference {run.status}: {run.error}. Mend it in the source."
            )
        cell["execution_count"] = count
        cell["outputs"] = [_with_count(output, count) for output in run.outputs]
    return book


def _with_count(output: dict[str, Any], count: int) -> dict[str, Any]:
    return {**output, "execution_count": count} if "execution_count" in output else output
