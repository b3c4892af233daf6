"""`autograder kit`: the repository that students start from, with nothing in it that is not theirs to see.

What students are given is this module's lists, and nothing else: what is on none of them stays here.
"""

import re
import shutil
from pathlib import Path
from typing import Final

from autograder.course import Course
from autograder.errors import KitError

PACKAGE: Final = Path(__file__).resolve().parents[1]
TEMPLATES: Final = Path(__file__).resolve().parent / "for_students"

# The part of the grader that the set-up and `autograder check` need.
MODULES: Final = (
    "__init__.py",
    "__main__.py",
    "boxed/__init__.py",
    "boxed/reproducible.py",
    "cli/__init__.py",
    "cli/check.py",
    "cli/options.py",
    "cli/stopping.py",
    "course.py",
    "errors.py",
    "folder_names.py",
    "lighten.py",
    "report/__init__.py",
    "report/github.py",
    "seed.py",
    "self_check/__init__.py",
    "self_check/checking.py",
    "self_check/outcomes.py",
    "self_check/remembered.py",
    "self_check/running.py",
    "self_check/telling.py",
    "submission/__init__.py",
    "submission/cell_errors.py",
    "submission/cell_names.py",
    "submission/checks_text.py",
    "submission/damage.py",
    "submission/find.py",
    "submission/matching.py",
    "submission/merges.py",
    "submission/near_names.py",
    "submission/notebook.py",
    "submission/plain_code.py",
    "submission/plain_code.toml",
    "submission/plain_lists.py",
    "submission/restoration.py",
    "submission/screens.py",
    "submission/slicing.py",
    "text.py",
    "versions.py",
)
FILES: Final = ("LICENSE", "requirements-student.lock")
# Of pyproject.toml: how to build, and the student's requirements.
TABLES: Final = ("build-system", "project", "project.scripts", "tool.flit.module")
PLACES: Final = {
    "README.md": "README.md",
    "gitignore": ".gitignore",
    "self-check.yml": ".github/workflows/self-check.yml",
}


def write(course: Course, folder: Path) -> list[str]:
    """Write the kit into `folder`, over an older one if there is one; returns the files' names in it.

    What is there besides, such as `.git`, stays. Raises KitError when the folder holds something else, or cannot be.
    """
    try:
        return _write(course, folder)
    except OSError as problem:
        raise KitError(f"The kit cannot be written into {folder} ({problem.strerror}).") from problem


def _write(course: Course, folder: Path) -> list[str]:
    there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if there - {".git"} and not (folder / PLACES["self-check.yml"]).is_file():
        raise KitError(f"{folder} holds something that is no kit. Name a new folder, or an older kit's.")
    for generated in ("release", "autograder"):  # a lesson or a module that is no more must not stay
        shutil.rmtree(folder / generated, ignore_errors=True)
    written = []
    for name, data in _contents(course).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        written.append(name)
    return sorted(written)


def _contents(course: Course) -> dict[str, bytes]:
    found = {name: (course.root / name).read_bytes() for name in FILES}
    found["pyproject.toml"] = _pyproject((course.root / "pyproject.toml").read_text(encoding="utf-8")).encode()
    found |= {place: (TEMPLATES / name).read_bytes() for name, place in PLACES.items()}
    found |= {f"autograder/{name}": (PACKAGE / name).read_bytes() for name in MODULES}
    for assignment in course.assignments():
        for path in (assignment.notebook, *assignment.data):
            found[f"release/{assignment.name}/{path.name}"] = path.read_bytes()
    return found


def _pyproject(text: str) -> str:
    tables = re.split(r"^(?=\[)", text, flags=re.MULTILINE)
    kept = [table for table in tables if (name := re.match(r"\[([\w.-]+)\]\n", table)) and name[1] in TABLES]
    return "\n\n".join(table.strip() for table in kept) + "\n"
