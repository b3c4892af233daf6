"""The corpus of hostile and damaged submissions in `hostile/`, as data, and the notebooks that they stand for.

An entry has a `name`, a line that says what it `tries`, and the `outcome` of the exercise that it attacks. It starts
from a notebook in which the `honest` exercises are answered rightly and no others (with `reference`, all rightly):

    assignment, attacked        by default `normalize` of 03_numeric_data
    code                        the answer to the attacked exercise; `dangerous` code gives up outside of a box
    before, after               a cell of the student's own on that side of the answer; `tags` are those of the answer
    remove, change, retype      cells by their grade_id: removed, with other code, of another type
    copy_of_the_reference       a cell's reference copied to the end
    strip, metadata, outputs    cells without these keys; the notebook's metadata; bytes of saved output
    bytes                       what the file is in place of a notebook in UTF-8
    beside, student             other files in the submission's folder; the student's name

and is held to its `outcome` (`or_else` to another that is as good), to `cause`, to what its message `says`, to what is
`not_told` anywhere, and, with `sees_nothing`, to having found nothing.
"""

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.submissions import Notebook, cell, lean, only, own_cell, released, solved, source

FOLDER = Path(__file__).parents[1] / "hostile"
# Before anything dangerous: outside a box, where process 1 is neither bubblewrap nor a warm box's own, it stops here.
IN_A_BOX = """
import os, pathlib
if pathlib.Path("/proc/1/comm").read_text().strip() not in ("bwrap", "box") or os.getuid() == 0:
    raise SystemExit("not in a box")
"""


@dataclass(frozen=True)
class Hostile:
    name: str
    tries: str
    outcome: str
    group: str
    assignment: str = "03_numeric_data"
    attacked: str = "normalize"
    honest: tuple[str, ...] = ("invert",)
    reference: bool = False
    code: str | None = None
    dangerous: bool = False
    before: str | None = None
    after: str | None = None
    tags: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    change: dict[str, str] = field(default_factory=dict)
    retype: dict[str, str] = field(default_factory=dict)
    copy_of_the_reference: str | None = None
    strip: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    outputs: int = 0
    bytes: str = "utf-8"
    beside: dict[str, str] = field(default_factory=dict)
    student: str = "eve"
    or_else: str | None = None
    cause: str | None = None
    says: str = ""
    not_told: tuple[str, ...] = ()
    sees_nothing: bool = False

    @property
    def may_be_lost(self) -> bool:
        """Whether the file as a whole cannot be graded."""
        return self.bytes not in {"utf-8", "utf-8-sig"}


def corpus() -> list[Hostile]:
    return [
        Hostile(**{**entry, "group": path.stem})
        for path in sorted(FOLDER.glob("*.toml"))
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["submission"]
    ]


def write(hostile: Hostile, path: Path, facts: dict[str, object] | None = None) -> Path:
    """The submission as files: its notebook at `path`. `facts` fill the names in braces of its code."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for name, text in hostile.beside.items():
        (path.parent / name).write_text(text)
    data = json.dumps(_notebook(hostile, facts or {}), indent=1).encode()
    if hostile.bytes == "link":
        elsewhere = path.parent.parent / "elsewhere.ipynb"
        elsewhere.write_bytes(data)
        path.symlink_to(elsewhere)
        return path
    lines = data.splitlines(keepends=True)
    lines[20:20] = [b"<<<<<<< HEAD\n", b"=======\n", b">>>>>>> main\n"]
    path.write_bytes({
        "utf-8": data,
        "utf-8-sig": b"\xef\xbb\xbf" + data,
        "utf-16": data.decode().encode("utf-16"),
        "truncated": data[: len(data) // 2],
        "empty": b"",
        "merge": b"".join(lines),
        "nested": b'{"nbformat": 4, "cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    }[hostile.bytes])  # fmt: skip
    return path


def _notebook(hostile: Hostile, facts: dict[str, object]) -> Notebook:
    notebook = lean(solved(hostile.assignment) if hostile.reference else only(hostile.assignment, *hostile.honest))
    answer = cell(notebook, hostile.attacked)
    code = hostile.code
    if code and hostile.sees_nothing:
        for name, value in facts.items():
            code = code.replace(f"{{{name}!r}}", repr(value)).replace(f"{{{name}}}", str(value))
    if code:
        answer["source"] = IN_A_BOX + code if hostile.dangerous else code
    if hostile.tags:
        answer["metadata"]["tags"] = list(hostile.tags)
    place = notebook["cells"].index(answer)
    notebook["cells"][place + 1 : place + 1] = [own_cell(hostile.after)] if hostile.after else []
    notebook["cells"][place:place] = [own_cell(hostile.before)] if hostile.before else []
    for grade_id, text in hostile.change.items():
        cell(notebook, grade_id)["source"] = text
    for grade_id, kind in hostile.retype.items():
        cell(notebook, grade_id)["cell_type"] = kind
    for grade_id in hostile.remove:
        notebook["cells"].remove(cell(notebook, grade_id))
    if hostile.copy_of_the_reference:
        copied = cell(released(hostile.assignment), hostile.copy_of_the_reference)
        text = source(solved(hostile.assignment), hostile.copy_of_the_reference)
        notebook["cells"].append({**copied, "source": text})
    for one in notebook["cells"]:
        for key in hostile.strip:
            one.pop(key, None)
        if hostile.outputs and one["cell_type"] == "code":
            text = "x" * (hostile.outputs // len(notebook["cells"]))
            one["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]
    return {**notebook, "metadata": {**notebook["metadata"], **hostile.metadata}}
