"""Results kept as files: each is written whole or not at all, as soon as it is there."""

import contextlib
import dataclasses
import fcntl
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from autograder.errors import InUse, Unusable
from autograder.folder_names import folder_of
from autograder.report import page
from autograder.result import Result
from autograder.submission.find import Submission

RESULT: Final = "result.json"
FEEDBACK: Final = "feedback.html"
LIST: Final = "results.json"
PAGE: Final = "index.html"
UNKNOWN: Final = "unknown"
_UNSAFE: Final = re.compile(r"[^\w.@+-]+")


@dataclass(frozen=True)
class Kept:
    """An earlier result, and the folder that it was found in."""

    folder: Path
    result: Result


class Results:
    """A folder of results: `STUDENT/ASSIGNMENT/result.json` and `feedback.html`, `results.json`, `index.html`.

    `feedback.html` is the page at `level`, made from the result alone, so that another level needs no other grading.
    A submission's folder follows from its student and assignment, so it is never confused with another; several of the
    same student and assignment are numbered in their order.
    A `with` block raises InUse while another's holds the folder: its half-written files are not ours to clear away.
    It raises Unusable where the folder cannot hold what is written.
    In it, what an older version has left is moved to where it belongs now; without it, it is only read.
    """

    def __init__(self, folder: Path, submissions: Iterable[Submission], level: page.Level = "now") -> None:
        self.folder = folder
        self.level = level
        self._submissions = list(submissions)
        self._numbers = list(_numbers(self._submissions))
        self.folders = [
            _numbered(_place(folder, one.student, one.assignment), number)
            for one, number in zip(self._submissions, self._numbers, strict=True)
        ]

    def earlier(self, place: int) -> Result | None:
        """The result that an earlier grading left of the submission at `place`; None where there is none to be read."""
        kept = self.kept(place)
        return kept.result if kept else None

    def kept(self, place: int) -> Kept | None:
        """As `earlier`, and where it is: in its own folder, or where an older version put it. None: there is none."""
        wanted, number = self._submissions[place], self._numbers[place]
        result = _read(self.folders[place])
        if result and _same(result, wanted):
            return Kept(self.folders[place], result)
        older = [
            Kept(folder, found)
            for _, folder in _older_folders(self.folder, wanted.student, wanted.assignment)
            if (found := _read(folder)) and _same(found, wanted)
        ]
        return older[number - 1] if len(older) >= number else None

    def keep(self, place: int, result: Result) -> None:
        """Write the files of the submission at `place`; the result last, so that where it is, all is."""
        self.folders[place].mkdir(parents=True, exist_ok=True)
        _write(self.folders[place] / FEEDBACK, page.feedback(result, self.level))
        _write(self.folders[place] / RESULT, result.to_json() + "\n")

    def show(self, place: int, result: Result) -> None:
        """Make sure that the page of an earlier result is there, at the current level."""
        path, wanted = self.folders[place] / FEEDBACK, page.feedback(result, self.level)
        try:
            there = path.read_text(encoding="utf-8") == wanted
        except (OSError, ValueError):
            there = False
        if not there:
            _write(path, wanted)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)  # ended by the system, however we end
        try:
            self._begin()
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def _begin(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InUse(
                f"Another grader is writing into {self.folder}. Wait until it has ended, or give another --output."
            ) from error
        _move_older(self.folder)
        for name in (LIST, PAGE):
            if (self.folder / name).is_dir():
                raise Unusable(
                    f"{self.folder / name} is a folder, but the grader writes a file of that name. Move it away."
                )

    def __exit__(self, *exception: object) -> None:
        os.close(self._lock)

    def finish(self, results: Sequence[Result]) -> Path:
        """Write the list of all results, in order, and the page that leads to each; returns the page."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / LIST, as_json(results) + "\n")
        folders = (folder.relative_to(self.folder).as_posix() for folder in self.folders)
        _write(self.folder / PAGE, page.index(list(zip(results, folders, strict=True))))
        return self.folder / PAGE


def as_json(results: Iterable[Result]) -> str:
    """A JSON list of the results, without what cells printed."""
    bare = (dataclasses.replace(one, cells=()).as_dict() for one in results)
    found = [{name: part for name, part in one.items() if name != "cells"} for one in bare]
    return json.dumps(found, indent=2, ensure_ascii=True)


def _numbers(submissions: Iterable[Submission]) -> Iterator[int]:
    """The number of each submission among those of its student and assignment, from 1."""
    seen = Counter[Path]()
    for one in submissions:
        place = _place(Path(), one.student, one.assignment)
        seen[place] += 1
        yield seen[place]


def _place(root: Path, student: str, assignment: str | None) -> Path:
    return root / folder_of(student) / folder_of(assignment or UNKNOWN)


def _numbered(folder: Path, number: int) -> Path:
    return folder if number == 1 else folder.with_name(f"{folder.name}=n{number}")  # of no name: see folder_names


def _read(folder: Path) -> Result | None:
    """The result in the folder; None where there is none, or one that somebody has damaged."""
    try:
        found = Result.from_dict(json.loads((folder / RESULT).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if isinstance(found.student, str) and isinstance(found.assignment, str | None) else None


def _same(result: Result, submission: Submission) -> bool:
    return (result.student, result.assignment) == (submission.student, submission.assignment)


def _older_folders(root: Path, student: str, assignment: str | None) -> list[tuple[int, Path]]:
    """Where an older version may have put a result, by number: it numbered names that looked alike."""
    parent = root / _older_name(student)
    wanted = re.compile(re.escape(_older_name(assignment or UNKNOWN)) + r"(?:-(\d+))?")
    found = ((wanted.fullmatch(one.name), one) for one in (parent.iterdir() if parent.is_dir() else ()))
    return sorted((int(match[1] or 1), folder) for match, folder in found if match)


def _older_name(text: str) -> str:
    """The name of a folder as an older version made it, to read its results."""
    return _UNSAFE.sub("_", text).lstrip(".")[:100] or "unnamed"


def _move_older(root: Path) -> None:
    """Move each result that an older version left to the folder that its own student and assignment have now.

    Also those of students who have left the class: another result may need their place.
    """
    for file in sorted(root.glob(f"*/*/{RESULT}")):
        folder = file.parent
        result = _read(folder)
        home = _place(root, result.student, result.assignment) if result else folder
        if result is None or home == folder:
            continue
        older = {path: number for number, path in _older_folders(root, result.student, result.assignment)}
        if folder not in older:
            continue  # a folder that people made
        free = (_numbered(home, number) for number in range(1, older[folder] + 1))
        target = next((one for one in free if not (one / RESULT).exists()), None)
        if target:  # else it has been graded again since
            _move(folder, target)


def _move(folder: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in (FEEDBACK, RESULT):  # the result last, so that where it is, all is
        _clear(folder / name)
        with contextlib.suppress(FileNotFoundError):
            (folder / name).replace(target / name)
    with contextlib.suppress(OSError):  # there may be more in them
        folder.rmdir()
        folder.parent.rmdir()


def _clear(path: Path) -> None:
    """Remove what a grader left when it was killed while it wrote the file."""
    for left in path.parent.glob(f".{path.name}.*"):
        with contextlib.suppress(FileNotFoundError):
            left.unlink()


def _write(path: Path, text: str) -> None:
    _clear(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8", errors="replace") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
