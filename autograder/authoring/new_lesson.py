"""A new lesson that grades at once: one small exercise, to be changed into one's own.

`first_lesson/` has what is written; in it, FIRST_LESSON stands for the lesson's name, and FIRST TITLE for its title.
"""

import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from autograder import course as courses
from autograder.authoring.lesson_rules import NAME, readme_row
from autograder.authoring.source_form import as_text, lesson_names, read, source_path
from autograder.course import Course
from autograder.errors import CourseError

TEMPLATES: Final = Path(__file__).resolve().parent / "first_lesson"
SLIDES, POINTS = "none", "2"  # of the lesson in `first_lesson/`

NEXT: Final = """
Next:
  autograder release {name}              make what students get, and the solution
  autograder grade solutions/{name}      its answers get all points
Then change the notebook, the checks and the answers into your own, and run:
  autograder tidy {name}                 write the notebook in its one form
  autograder release {name}              it says which rules of a lesson are broken
  autograder assess {name}               it shows how well the checks tell right from wrong
docs/lessons.md says more."""


def create(course: Course, name: str, title: str | None = None) -> list[str]:
    """Write the lesson `name`; returns the files written or changed, as paths within the course.

    `title` None makes one of the name. Raises CourseError, with nothing written, for a name that is no lesson's or is
    in use, for a title of more than one line, and where the files cannot be written.
    """
    _refuse(course, name)
    title = name[3:].replace("_", " ").capitalize() if title is None else title.strip()
    if not title or not title.isprintable():
        raise CourseError("A title is one line of text. Give another: autograder new NAME --title TEXT")
    files = {
        source_path(course.root, name): _notebook(name, title),
        courses.CHECKS / f"{name}.py": _filled("checks.py", name, title),
        course.root / "tests" / "answers" / f"{name}.toml": _filled("answers.toml", name, title),
    }
    there = [path for path in files if path.exists()]
    if there:
        raise CourseError(f"{there[0]} is there already. Choose another name, or move that file.")
    readme = course.root / "README.md"
    listed = _listed(readme, name, title)
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        _replace(readme, listed)
    except OSError as problem:
        for path in files:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        shutil.rmtree(course.root / "source" / name, ignore_errors=True)
        raise CourseError(f"The lesson cannot be written ({problem.strerror}: {problem.filename}).") from problem
    return [_within(course.root, path) for path in (*files, readme)]


def _refuse(course: Course, name: str) -> None:
    """Raises CourseError for a name that cannot be a new lesson's."""
    if not NAME.fullmatch(name):
        raise CourseError(f"`{name}` cannot be a lesson's name. Write two digits and words in small letters: 11_trial.")
    known = sorted({*lesson_names(course.root), *course.names})
    if name in known or (course.root / "source" / name).exists():
        raise CourseError(f"There is a lesson {name} already. Choose another name.")
    same = [one for one in known if one[:2] == name[:2]]
    if same:
        free = next((f"{number:02}" for number in range(100) if f"{number:02}" not in {one[:2] for one in known}), "")
        raise CourseError(f"The lesson {same[0]} has the number {name[:2]}. Take a free one, such as {free}{name[2:]}.")


def _filled(template: str, name: str, title: str) -> str:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return text.replace("FIRST_LESSON", name).replace("FIRST TITLE", title)


def _notebook(name: str, title: str) -> str:
    book = read(TEMPLATES / "notebook.ipynb")
    for cell in book["cells"]:
        text = "".join(cell["source"]).replace("FIRST TITLE", f"{name[:2]} · {title}")
        cell["source"] = text.splitlines(keepends=True)
    return as_text(book)


def _listed(readme: Path, name: str, title: str) -> str:
    """README with the lesson's row, in order. Raises CourseError when its table is not found."""
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as problem:
        raise CourseError(f"{readme} cannot be read ({problem.strerror}), and lists the lessons.") from problem
    rows = list(re.finditer(r"^\| \[`(\d\d_\w+)`\].*\n", text, re.MULTILINE))
    if not rows:
        raise CourseError(f"{readme} has no table of lessons: no line begins with | [`NN_name`]. Add the table again.")
    before = [row.end() for row in rows if row[1] < name]
    place = max(before) if before else rows[0].start()
    row = readme_row(name, title.replace("|", r"\|"), SLIDES, POINTS)
    return f"{text[:place]}{row}\n{text[place:]}"


def _replace(path: Path, text: str) -> None:
    """Write the file as a whole or not at all."""
    beside = path.with_name(path.name + ".new")
    try:
        beside.write_text(text, encoding="utf-8")
        shutil.copymode(path, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _within(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
