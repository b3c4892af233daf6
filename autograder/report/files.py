"""Results kept as files: each written whole or not at all, as soon as it is there."""

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Self

from autograder.report import page
from autograder.result import Result
from autograder.submission import Submission

RESULT: Final = "result.json"
FEEDBACK: Final = "feedback.html"
_UNSAFE: Final = re.compile(r"[^\w.@+-]+")


class InUse(Exception):
    """Another grader is writing into the folder."""


class Results:
    """A folder of results: `STUDENT/ASSIGNMENT/result.json` and `feedback.html`, `results.json`, `index.html`.

    `feedback.html` is the page at `level`, made from the result alone, so that another level needs no other grading.
    A submission's folder follows from the list of all of them, so that the same command finds it again.
    A `with` block raises InUse while another's holds the folder: its half-written files are not ours to clear away.
    """

    def __init__(self, folder: Path, submissions: Iterable[Submission], level: page.Level = "now") -> None:
        self.folder = folder
        self.level = level
        self.folders = _folders(folder, submissions)

    def earlier(self, place: int) -> Result | None:
        """The result that an earlier grading left of the submission at `place`."""
        try:
            return Result.from_dict(json.loads((self.folders[place] / RESULT).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # none, or one that somebody has damaged: it is graded anew

    def keep(self, place: int, result: Result) -> None:
        """Write the files of the submission at `place`; the result last, so that where it is, all is."""
        self.folders[place].mkdir(parents=True, exist_ok=True)
        _write(self.folders[place] / FEEDBACK, page.feedback(result, self.level))
        _write(self.folders[place] / RESULT, result.to_json() + "\n")

    def show(self, place: int, result: Result) -> None:
        """See to it that the page of an earlier result is there, at the level that is wanted now."""
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
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise InUse(
                f"Another grader is writing into {self.folder}. Wait until it has ended, or give another --output."
            ) from error
        return self

    def __exit__(self, *exception: object) -> None:
        os.close(self._lock)

    def finish(self, results: Sequence[Result]) -> Path:
        """Write the list of all results, in order, and the page that leads to each; returns the page."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / "results.json", as_json(results) + "\n")
        folders = (folder.relative_to(self.folder).as_posix() for folder in self.folders)
        _write(self.folder / "index.html", page.index(list(zip(results, folders, strict=True))))
        return self.folder / "index.html"


def _folders(root: Path, submissions: Iterable[Submission]) -> list[Path]:
    """A folder each, none twice."""
    folders: list[Path] = []
    taken: set[Path] = set()
    for submission in submissions:
        wanted = root / _name(submission.student) / _name(submission.assignment or "unknown")
        folder, number = wanted, 2
        while folder in taken:
            folder, number = wanted.with_name(f"{wanted.name}-{number}"), number + 1
        taken.add(folder)
        folders.append(folder)
    return folders


def as_json(results: Iterable[Result]) -> str:
    """A list of them, but for what cells printed."""
    found = [{name: part for name, part in one.as_dict().items() if name != "cells"} for one in results]
    return json.dumps(found, indent=2, ensure_ascii=True)


def _name(text: str) -> str:
    """A folder's name for a student's or assignment's: no separators, nothing hidden, not too long."""
    return _UNSAFE.sub("_", text).lstrip(".")[:100] or "unnamed"


def _write(path: Path, text: str) -> None:
    for left in path.parent.glob(f".{path.name}.*"):  # by a grader that was killed as it wrote
        with contextlib.suppress(FileNotFoundError):
            left.unlink()
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8", errors="replace") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
