"""What GitHub shows of a job: its summary, annotations at lines of files, the log. Nothing here knows of marks.

All text is treated as hostile: a summary is Markdown with HTML, and a line of the log that begins with `::`
is a command to the runner.
"""

import json
import os
import secrets
import string
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from json import JSONDecodeError
from json.decoder import WHITESPACE  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any, Final, Literal

from autograder.text import plain

# GitHub's own limits: bytes of a step's summary; annotations of each level in a step; characters of a status.
MAX_SUMMARY: Final = 2**20
MAX_ANNOTATIONS: Final = 10
MAX_STATUS: Final = 140

Level = Literal["error", "warning", "notice"]

# Markdown takes no entity for punctuation that means something. (CommonMark 0.31.2, section 2.5)
_HARMLESS: Final = set(string.ascii_letters + string.digits + " ,;?") | {"'"}
_ENTITIES: Final = {code: f"&#{code};" for code in range(128) if chr(code) not in _HARMLESS} | {10: "<br>", 9: " "}


@dataclass(frozen=True)
class Annotation:
    """A sentence at a line of a file, from 1; `path` as GitHub names the file: from the repository's folder."""

    level: Level
    path: str
    line: int
    title: str
    message: str

    def command(self) -> str:
        """The line of the log that makes the runner show it."""
        file, title = _property(plain(self.path, 400)), _property(plain(self.title, 120))
        return f"::{self.level} file={file},line={self.line},title={title}::{_data(plain(self.message, 1000))}"


def markdown(text: object, limit: int = 600) -> str:
    """Text that GitHub shows as it is, in a line, a table or a heading."""
    return plain(text, limit).strip().translate(_ENTITIES)


def status(text: str) -> str:
    """One line, short enough for a commit's status."""
    line = " ".join(plain(text, 4 * MAX_STATUS).split())
    return line if len(line) <= MAX_STATUS else line[: MAX_STATUS - 1] + "…"


def summary(head: str, parts: Sequence[str], limit: int = MAX_SUMMARY) -> str:
    """`head` and as many of the parts as GitHub takes, with the number of those left out."""
    room = limit - 200 - len(head.encode())
    shown: list[str] = []
    for part in parts:
        room -= len(part.encode()) + 1
        if room < 0:
            break
        shown.append(part)
    if len(shown) < len(parts):
        shown.append(f"\n{len(parts) - len(shown)} more are left out here, because GitHub shows only 1 MiB.\n")
    return "\n".join([head, *shown]) + "\n"


def chosen(annotations: Sequence[Annotation]) -> tuple[list[Annotation], int]:
    """The annotations that GitHub shows for a step, and how many it would not show."""
    kept: list[Annotation] = []
    for level in ("error", "warning", "notice"):
        kept += [one for one in annotations if one.level == level][:MAX_ANNOTATIONS]
    return kept, len(annotations) - len(kept)


@contextmanager
def fenced() -> Iterator[None]:
    """Within this block, the runner reads everything that is printed as text, not as commands."""
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}", flush=True)
    try:
        yield
    finally:
        sys.stdout.flush()
        print(f"\n::{token}::", flush=True)


class Job:
    """The current job. Its files are removed from the environment, which students' code may read."""

    def __init__(self) -> None:
        self._summary = os.environ.get("GITHUB_STEP_SUMMARY")
        self._output = os.environ.get("GITHUB_OUTPUT")
        for name in list(os.environ):
            if name.startswith(("GITHUB_", "ACTIONS_", "RUNNER_")):
                del os.environ[name]

    def summarize(self, text: str) -> None:
        """Add to the job's summary, in Markdown; outside of a job nothing happens."""
        _append(self._summary, text)

    def output(self, **values: object) -> None:
        """Outputs of the step, each as JSON on one line."""
        _append(self._output, "".join(f"{name}={json.dumps(value)}\n" for name, value in values.items()))

    def annotate(self, annotations: Sequence[Annotation]) -> int:
        """Print the annotations that GitHub shows; returns how many are left out."""
        kept, left_out = chosen(annotations)
        for annotation in kept:
            print(annotation.command(), flush=True)
        return left_out


def in_repository(path: Path) -> str:
    """As GitHub names a file: by its way from the repository's folder, where the job runs; of others the name alone."""
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else path.name


def cell_lines(path: Path) -> dict[str, int]:
    """The line of the file at which the source of each cell begins, by grade_id; of several, the last one's.

    Empty for a file that is not a notebook: this must never make anything else fail.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        cells = next((start for key, start, _ in _members(text, 0) if key == "cells"), None)
        return dict(_sources(text, cells)) if cells is not None else {}
    except (OSError, ValueError, RecursionError, IndexError):
        return {}


def _sources(text: str, position: int) -> Iterator[tuple[str, int]]:
    line, counted = 1, 0
    for cell in _elements(text, position):
        if text[cell] != "{":
            continue
        grade_id, source = None, None
        for key, start, value in _members(text, cell):
            if key == "source":
                first = _skip(text, start + 1) if isinstance(value, list) and value else start
                line, counted = line + text.count("\n", counted, first), first
                source = line
            elif key == "metadata" and isinstance(value, dict) and isinstance(value.get("nbgrader"), dict):
                grade_id = value["nbgrader"].get("grade_id")
        if isinstance(grade_id, str) and source is not None:
            yield grade_id, source


def _members(text: str, position: int) -> Iterator[tuple[str, int, Any]]:
    """Key, where its value begins, and the value, of the object at `position`."""
    position = _skip(text, position)
    if text[position] != "{":
        raise JSONDecodeError("no object", text, position)
    position = _skip(text, position + 1)
    while text[position] != "}":
        key, position = _decode(text, position)
        start = _skip(text, _skip(text, position) + 1)
        value, position = _decode(text, start)
        yield key, start, value
        position = _skip(text, position)
        position = _skip(text, position + 1) if text[position] == "," else position


def _elements(text: str, position: int) -> Iterator[int]:
    """Where each element of the array at `position` begins."""
    if text[position] != "[":
        raise JSONDecodeError("no array", text, position)
    position = _skip(text, position + 1)
    while text[position] != "]":
        yield position
        _, position = _decode(text, position)
        position = _skip(text, position)
        position = _skip(text, position + 1) if text[position] == "," else position


def _decode(text: str, position: int) -> tuple[Any, int]:
    return json.JSONDecoder().raw_decode(text, position)


def _skip(text: str, position: int) -> int:
    return int(WHITESPACE.match(text, position).end())


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _append(path: str | None, text: str) -> None:
    """Write to the runner's file; without one, as on your own machine, do nothing."""
    if path:
        with open(path, "a", encoding="utf-8", errors="replace") as file:
            file.write(text)
