"""Results kept as files: each written whole or not at all, as soon as it is there."""

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from autograder.pipeline import Graded
from autograder.report import page
from autograder.result import Result

_UNSAFE: Final = re.compile(r"[^\w.@+-]+")


class Results:
    """A folder of results: `STUDENT/ASSIGNMENT/result.json` and `feedback.html`, `results.json`, `index.html`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._taken: set[Path] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, graded: Graded) -> Path:
        """Write one submission's files and return its folder."""
        result = graded.result
        wanted = self.folder / _name(result.student) / _name(result.assignment or "unknown")
        folder, number = wanted, 2
        while folder in self._taken:
            folder, number = wanted.with_name(f"{wanted.name}-{number}"), number + 1
        self._taken.add(folder)
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "result.json", result.to_json() + "\n")
        _write(folder / "feedback.html", page.feedback(graded))
        return folder

    def finish(self, results: Iterable[tuple[Result, Path]]) -> Path:
        """Write the list of all results and the page that leads to each; returns the page."""
        all_results = list(results)
        _write(self.folder / "results.json", as_json([result for result, _ in all_results]) + "\n")
        rows = [(result, folder.relative_to(self.folder).as_posix()) for result, folder in all_results]
        _write(self.folder / "index.html", page.index(rows))
        return self.folder / "index.html"


def as_json(results: Iterable[Result]) -> str:
    return json.dumps([result.as_dict() for result in results], indent=2, ensure_ascii=True)


def _name(text: str) -> str:
    """A folder's name for a student's or assignment's: no separators, nothing hidden, not too long."""
    return _UNSAFE.sub("_", text).lstrip(".")[:100] or "unnamed"


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8", errors="replace") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
