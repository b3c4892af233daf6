"""The course as its released notebooks state it: assignments, exercises, points, locked cells."""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from autograder.errors import CourseError

CHECKS: Final = Path(__file__).resolve().parent / "checks"
CHECK_PREFIX: Final = "check-"
AFTER_GRADING: Final = ("desk",)  # wings that decide no mark of a grading
HEAVY: Final = ("tensorflow", "keras")  # seconds to import

CellKind = Literal["solution", "check", "locked", "free"]


@dataclass(frozen=True)
class Exercise:
    """One thing to solve: its solution cell carries `id`, its visible-check cell the points."""

    id: str
    max_points: float


@dataclass(frozen=True)
class Cell:
    """A code cell of the released notebook.

    `free` cells are the lesson's experiments, which students may change; all others are known by
    `grade_id`, which is None for a free one, and only `solution` cells are the student's.
    """

    id: str
    kind: CellKind
    source: str
    grade_id: str | None
    parameters: bool = False

    @property
    def exercise(self) -> str | None:
        """The id of the exercise that this cell belongs to; None for a cell of the lesson itself."""
        if self.grade_id is None or self.kind not in {"solution", "check"}:
            return None
        return self.grade_id.removeprefix(CHECK_PREFIX) if self.kind == "check" else self.grade_id


@dataclass(frozen=True)
class Assignment:
    """One released notebook with its checks."""

    name: str
    title: str
    cells: tuple[Cell, ...]
    exercises: tuple[Exercise, ...]
    notebook: Path

    @property
    def checks(self) -> Path:
        """The module with the hidden checks."""
        return CHECKS / f"{self.name}.py"

    @property
    def checks_data(self) -> tuple[Path, ...]:
        """The files beside that module that bear its name: data that no student and no box ever sees."""
        return tuple(sorted(path for path in CHECKS.glob(f"{self.name}.*") if path != self.checks and path.is_file()))

    @property
    def data(self) -> tuple[Path, ...]:
        """The files beside the released notebook, which it reads from its working folder."""
        beside = (path for path in self.notebook.parent.iterdir() if path.is_file() and path != self.notebook)
        return tuple(sorted(path for path in beside if not path.name.startswith(".")))

    @property
    def max_points(self) -> float:
        """The points of all exercises together."""
        return sum(exercise.max_points for exercise in self.exercises)

    @cached_property
    def imports(self) -> tuple[str, ...]:
        """The modules that the released notebook imports, light ones first."""
        found = dict.fromkeys(name for cell in self.cells for name in _imports(cell.source))
        return tuple(sorted(found, key=lambda name: name.split(".")[0] in HEAVY))

    @cached_property
    def by_grade_id(self) -> dict[str, Cell]:
        """The solution, check and locked cells, by their id in nbgrader."""
        return {cell.grade_id: cell for cell in self.cells if cell.grade_id is not None}

    @cached_property
    def sha256(self) -> str:
        """Of the released notebook and its data."""
        return _sha256([self.notebook, *self.data])

    @cached_property
    def data_sha256(self) -> str:
        """Of the data beside the released notebook."""
        return _sha256(self.data)

    @cached_property
    def checks_sha256(self) -> str:
        """Of everything that decides a mark: this assignment's checks with their data, and the grader's own code."""
        facts = self.checks_text + self.checks_data_sha256 + self.grader_sha256
        return hashlib.sha256(facts.encode()).hexdigest()

    @cached_property
    def checks_text(self) -> str:
        """The code of the hidden checks, read once, so that all that follows from it is of one state of the file.

        Empty where students check themselves: there are none.
        """
        return self.checks.read_text(encoding="utf-8") if self.checks.is_file() else ""

    @cached_property
    def checks_data_sha256(self) -> str:
        """Of the data beside the hidden checks."""
        return _sha256(self.checks_data)

    @cached_property
    def grader_sha256(self) -> str:
        """Of the code that all assignments share, without what comes after a grading."""
        package = CHECKS.parent
        shared = [path for path in package.rglob("*.py") if path.parent != CHECKS or path.name.startswith("_")]
        shared = [path for path in shared if path.relative_to(package).parts[0] not in AFTER_GRADING]
        return _sha256(sorted(shared), package)


@dataclass(frozen=True)
class Course:
    """A repository that holds `source`, `release` and `solutions`."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "Course":
        """The course around `start`; None: the one around this package or else the working folder.

        Raises CourseError when there is none.
        """
        starts = [start] if start else [CHECKS, Path.cwd()]
        for place in starts:
            for folder in (place.resolve(), *place.resolve().parents):
                if (folder / "release").is_dir():
                    return cls(folder)
        raise CourseError(
            f"No course here: neither {starts[-1]} nor a folder above it holds `release/`. "
            "Run this within the course's repository, or name it with --course."
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The released assignments' names, in order."""
        return tuple(sorted(path.parent.name for path in (self.root / "release").glob("*/*.ipynb")
                            if path.stem == path.parent.name))  # fmt: skip

    def assignment(self, name: str) -> Assignment:
        """The assignment of this name. Raises CourseError when there is none, or its release is damaged."""
        if name not in self.names:
            raise CourseError(f"There is no assignment `{name}`. The course has: {', '.join(self.names) or 'none'}.")
        path = self.root / "release" / name / f"{name}.ipynb"
        try:
            state = path.stat()
            return _read(name, path, (state.st_mtime_ns, state.st_size))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CourseError(
                f"{path}: the released notebook is damaged ({type(error).__name__}: {error}). "
                f"Make it again: autograder release {name}"
            ) from error

    def assignments(self) -> Iterator[Assignment]:
        """All of them, in order, each read when it is asked for. Raises CourseError at the first that is damaged."""
        return (self.assignment(name) for name in self.names)

    @property
    def private(self) -> list[Path]:
        """What no student code may ever see."""
        return [self.root / name for name in ("source", "solutions", "release", "tests", ".git")]

    @cached_property
    def lock_sha256(self) -> str | None:
        """Of the lock file that the environment was installed from; None where the course has none."""
        lock = self.root / "requirements.lock"
        return hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else None


def _sha256(files: Iterable[Path], root: Path | None = None) -> str:
    """Of the files' contents and names, below `root` if given."""
    digest = hashlib.sha256()
    for path in files:
        name = path.relative_to(root).as_posix() if root else path.name
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@lru_cache(maxsize=64)
def _read(name: str, path: Path, written: tuple[int, int]) -> Assignment:
    """`written` tells one state of the file from another."""
    book = json.loads(path.read_text(encoding="utf-8"))
    cells = tuple(_cell(cell) for cell in book["cells"] if cell["cell_type"] == "code")
    points = {
        cell["metadata"]["nbgrader"]["grade_id"]: float(cell["metadata"]["nbgrader"]["points"])
        for cell in book["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade")
    }
    again = f"Mend source/{name}/{name}.ipynb, then: autograder release {name}"
    exercises = []
    for cell in cells:
        if cell.kind == "solution":
            if CHECK_PREFIX + str(cell.grade_id) not in points:
                raise CourseError(
                    f"{path}: the exercise `{cell.grade_id}` has no cell `check-{cell.grade_id}`. {again}"
                )
            exercises.append(Exercise(str(cell.grade_id), points[CHECK_PREFIX + str(cell.grade_id)]))
    if len(exercises) != len(points):
        raise CourseError(f"{path}: every graded cell must be the check cell of a solution cell. {again}")
    return Assignment(name, _title(book, name), cells, tuple(exercises), path)


def _cell(cell: dict[str, Any]) -> Cell:
    meta = cell["metadata"].get("nbgrader")
    source = "".join(cell["source"])
    if meta is None:
        return Cell(cell["id"], "free", source, None)
    kind: CellKind = "solution" if meta["solution"] else "check" if meta["grade"] else "locked"
    return Cell(cell["id"], kind, source, meta["grade_id"], "parameters" in cell["metadata"].get("tags", []))


def _imports(source: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a cell with IPython's own syntax
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _title(book: dict[str, Any], name: str) -> str:
    first = "".join(book["cells"][0]["source"]).splitlines()[0] if book["cells"] else ""
    return first.removeprefix("# ").strip() or name
