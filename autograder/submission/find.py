"""Which notebooks are below a path, and whose submission of which assignment each is."""

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from autograder import folder_names
from autograder.course import Course
from autograder.errors import NotGradable, NothingThere
from autograder.submission.near_names import nearest
from autograder.submission.notebook import read
from autograder.text import plain


@dataclass(frozen=True)
class Submission:
    """Where a submission is, whose it is, and of which assignment it claims to be; None where that cannot be told.

    `problem` says why there is nothing to grade at `path`, None where there is. `meant` is the assignment that the name
    of its folder is nearly, None where it is one, or near none.
    """

    path: Path
    student: str
    assignment: str | None
    problem: str | None = None
    meant: str | None = None

    @property
    def label(self) -> str:
        """STUDENT/ASSIGNMENT, or the file's name where it cannot be told which assignment it is of."""
        return f"{self.student}/{self.assignment or self.path.name}"


def find_submissions(paths: Iterable[Path], course: Course) -> tuple[list[Submission], list[str]]:
    """The submissions under `paths`, and a sentence for each path that holds none.

    They are in the order of the paths, below each by name. Raises CourseError when a release is damaged, and a
    notebook's own cells would have to say which it is of.
    """
    found: list[Submission] = []
    complaints: list[str] = []
    for path in paths:
        try:
            found += _found_at(path, course)
        except NothingThere as problem:
            complaints.append(str(problem))
    return found, complaints


def strays(paths: Iterable[Path], found: Iterable[Submission]) -> list[str]:
    """A sentence for each notebook below the folders `paths` that is part of no submission, so that none is lost.

    And one for each of the submissions `found` whose folder's name is nearly an assignment's. Whoever grades, plans or
    asks from a script tells them; they stop nobody's grading.
    """
    found = list(found)
    known = {one.path.parent if one.path.suffix == ".ipynb" else one.path for one in found}
    sentences = [f"{plain(one.label, 200)} could not be graded: {one.problem}" for one in found if one.meant]
    for folder in (path.absolute() for path in paths if path.is_dir()):
        for place, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            loose = [name for name in sorted(files) if name.endswith(".ipynb") and not name.startswith(".")]
            if Path(place) not in known:
                sentences += [
                    f"{plain(str(Path(place, name)), 300)} was not graded: it is not in a folder STUDENT/ASSIGNMENT. "
                    "Move it there, and grade again."
                    for name in loose
                ]
    return sentences


def _found_at(path: Path, course: Course) -> list[Submission]:
    if not path.exists():
        raise NothingThere(f"{path}: there is no such file or folder.")
    path = path.absolute()
    if path.is_file():
        return [_one(path, course)]
    if _names_one(path, course):
        return [_folder(path, _student(path.parent), course)]
    children = _folders(path)
    named = [child for child in children if _names_one(child, course)]
    others = {child: _folders(child) for child in children if child not in named}
    # A folder of an assignment may also be loose in a class: then it is nobody's, and the class is still one.
    if named and not any(_names_one(one, course) for below in others.values() for one in below):
        return [_folder(child, _student(path), course) for child in children if _is_submission(child, course)]
    found = []
    names = {child.name for child in children}
    for child, below in others.items():
        found += [_folder(one, _student(child, names), course) for one in below if _is_submission(one, course)]
    if not found:
        notebooks = _notebooks(path)
        found = [_one(notebook, course) for notebook in notebooks]
    if not found:
        raise NothingThere(
            f"{path}: no submission found. Name a notebook, the folder of a submission, "
            "or a class as STUDENT/ASSIGNMENT/NOTEBOOK.ipynb."
        )
    return found


def _folders(folder: Path) -> list[Path]:
    """Those in it that people see; none where it may not be read."""
    there = folder.iterdir() if os.access(folder, os.R_OK | os.X_OK) else ()
    return sorted(one for one in there if one.is_dir() and not one.name.startswith("."))


def _is_submission(folder: Path, course: Course) -> bool:
    return _names_one(folder, course) or bool(_notebooks(folder))


def _names_one(folder: Path, course: Course) -> bool:
    """Whether the folder has the name of an assignment, or nearly; one that holds assignments is a student's."""
    name = _assignment(folder)
    if name in course.names:
        return True
    if nearest(name, course.names) is None:
        return False
    return not any(_assignment(one) in course.names for one in folder.glob("*") if one.is_dir())


def _notebooks(folder: Path) -> list[Path]:
    """Those that people see: not what macOS writes beside each file (`._NAME`), nor an editor's own copies."""
    return sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))


def _assignment(folder: Path) -> str:
    return folder_names.name_at(folder)


def _student(folder: Path, beside: Collection[str] | None = None) -> str:
    """Whose folder it is, as `autograder collect` writes the name or as people did. `beside` are the class's folders.

    If there is a folder `Ada`, it is Ada's; a student with the name `Ada=u1` cannot get it.
    """
    name = folder_names.name_at(folder)
    if name == folder.name or folder_names.name_of(name) != name:
        return name
    if beside is None:
        try:
            beside = {one.name for one in folder.parent.iterdir()}
        except OSError:
            beside = ()
    return folder.name if name in beside else name


def _folder(folder: Path, student: str, course: Course) -> Submission:
    assignment = _assignment(folder)
    meant = nearest(assignment, course.names)
    if meant:
        problem = (
            f"The folder `{plain(assignment, 100)}` has no assignment's name: did you mean `{meant}`? "
            f"Name it `{meant}` and submit again."
        )
        notebooks = _notebooks(folder)
        return Submission(notebooks[0] if notebooks else folder, student, assignment, problem, meant)
    notebooks = _notebooks(folder)
    named = folder / f"{assignment}.ipynb"
    if named in notebooks or len(notebooks) == 1:
        return Submission(named if named in notebooks else notebooks[0], student, assignment)
    if not notebooks:
        problem = f"There is no notebook in the folder of {assignment}. Hand in `{assignment}.ipynb`."
    else:
        names = ", ".join(plain(notebook.name, 60) for notebook in notebooks[:5])
        problem = f"There are several notebooks ({names}) and none is called `{assignment}.ipynb`: keep one."
    return Submission(folder, student, assignment, problem)


def _one(path: Path, course: Course) -> Submission:
    """A single file: the folders above say whose it is; its name, folder or content say of which assignment."""
    parent = path.parent
    if _assignment(parent) in course.names:
        return Submission(path, _student(parent.parent), _assignment(parent))
    if path.stem in course.names:
        return Submission(path, _student(parent), path.stem)
    try:
        ids = {cell.grade_id for cell in read(path).cells}
    except NotGradable:
        ids = set()
    answered = {a.name: len(ids & {exercise.id for exercise in a.exercises}) for a in course.assignments()}
    likeliest = max(answered, key=lambda name: answered[name], default="")
    return Submission(path, path.stem, likeliest if answered.get(likeliest) else None)
