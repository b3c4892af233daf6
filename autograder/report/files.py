"""Results kept as files: each written whole or not at all, as soon as it is there."""

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Self

from autograder.pipeline import Graded
from autograder.report import page
from autograder.result import Result
from autograder.submission import Submission

RESULT: Final = "result.json"
FEEDBACK: Final = "feedback.html"
LEVELS: Final = "levels"
_UNSAFE: Final = re.compile(r"[^\w.@+-]+")


class InUse(Exception):
    """Another grader is writing into the folder."""


class Results:
    """A folder of results: `STUDENT/ASSIGNMENT/result.json` and `feedback.html`, `results.json`, `index.html`.

    `feedback.html` is the page at `level`; `levels/` has it at each, so that another level needs no other grading.
    A submission's folder follows from the list of all of them, so that the same command finds it again.
    A `with` block raises InUse while another's holds the folder: its half-written files are not ours to clear away.
    """

    def __init__(self, folder: Path, submissions: Iterable[Submission], level: page.Level = "now") -> None:
        self.folder = folder
        self.level = level
        self.folders = _folders(folder, submissions)
        folder.mkdir(parents=True, exist_ok=True)

    def earlier(self, place: int, identity: str | None) -> Result | None:
        """The result that an earlier grading left of the submission at `place`, if it would come out the same now.

        None where the grader itself had failed: that is worth another try.
        """
        try:
            kept = json.loads((self.folders[place] / RESULT).read_text(encoding="utf-8"))
            result = Result.from_dict(kept)
            same = identity is not None and result.record.get("identity") == identity
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # none, or one that somebody has damaged: it is graded anew
        if not same or result.grader_failed:
            return None
        try:
            wanted = (self.folders[place] / LEVELS / f"{self.level}.html").read_text(encoding="utf-8")
            if (self.folders[place] / FEEDBACK).read_text(encoding="utf-8") != wanted:
                _write(self.folders[place] / FEEDBACK, wanted)
        except (OSError, ValueError):
            return None
        return result

    def keep(self, place: int, graded: Graded) -> None:
        """Write the files of the submission at `place`; the result last, so that where it is, all is."""
        folder = self.folders[place]
        (folder / LEVELS).mkdir(parents=True, exist_ok=True)
        for level in page.LEVELS:
            text = page.feedback(graded, level)
            _write(folder / LEVELS / f"{level}.html", text)
            if level == self.level:
                _write(folder / FEEDBACK, text)
        _write(folder / RESULT, graded.result.to_json() + "\n")

    def __enter__(self) -> Self:
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
    return json.dumps([result.as_dict() for result in results], indent=2, ensure_ascii=True)


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
