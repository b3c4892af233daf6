"""The outcomes of a notebook that has not changed since it was checked: one small file a notebook, in JSON.

What cannot be read, or is not as it was written, counts as not there, and what cannot be written is not kept.
"""

import hashlib
import json
import os
import sysconfig
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, get_args

from autograder.course import Assignment
from autograder.self_check.outcomes import Line, Options, Outcome
from autograder.submission.restoration import Restored
from autograder.versions import versions_here

MOST_BYTES: Final = 2**20
MOST_FILES: Final = 100


def key(restored: Restored, assignment: Assignment, options: Options) -> str:
    """Of all that the outcomes follow from: the notebook's code, the release, this program and what it runs with."""
    facts = {
        "notebook": [[cell.kind, cell.exercise, cell.source] for cell in restored.cells],
        "problems": [restored.problems, sorted(restored.missing), sorted(restored.unanswered)],
        "release": [assignment.name, assignment.sha256],
        "options": asdict(options),
        "program": [assignment.grader_sha256, versions_here(), _packages()],
    }
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def lines(path: Path, key: str, assignment: Assignment) -> tuple[Line, ...] | None:
    """What was kept for the notebook at `path`; None if nothing was, or if the key differs."""
    try:
        with _file(path).open("rb") as file:
            kept = json.loads(file.read(MOST_BYTES))
        if kept["key"] != key:
            return None
        found = tuple(_line(one) for one in kept["lines"])
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError):
        return None
    exercises = [(one.id, one.max_points) for one in assignment.exercises]
    return found if [(one.exercise, one.max_points) for one in found] == exercises else None


def keep(path: Path, key: str, lines: tuple[Line, ...]) -> None:
    """Remember what became of the notebook at `path`; the oldest of many are forgotten."""
    with suppress(OSError, RuntimeError, ValueError):
        file = _file(path)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        half = file.with_suffix(f".{os.getpid()}")
        half.write_text(json.dumps({"key": key, "lines": [asdict(line) for line in lines]}), encoding="utf-8")
        half.replace(file)
        for old in sorted(file.parent.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)[MOST_FILES:]:
            old.unlink()


def _packages() -> tuple[str, int]:
    """Where Python's packages are, and when one was last added or removed: what failed without it may pass now."""
    folder = sysconfig.get_path("purelib")
    return folder, Path(folder).stat().st_mtime_ns


def _line(found: dict[str, Any]) -> Line:
    """Raises ValueError, LookupError or TypeError for what is no line."""
    line = Line(found["exercise"], found["max_points"], found["outcome"], found["text"])
    if line.outcome not in get_args(Outcome) or type(line.text) is not str:
        raise ValueError("this is no outcome of an exercise")
    return line


def _file(path: Path) -> Path:
    """Raises RuntimeError where this user has no home."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "lstm-autograder" / f"{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]}.json"
