"""The course's own answers, run in this process without a box: never for a submission.

The same agent answers as in a box, through the same wire; the kernel is a dictionary of names.
"""

import contextlib
import functools
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.box.replies import Answer, read_answer
from autograder.boxed import protocol
from autograder.boxed.serving import Server
from autograder.course import Assignment
from autograder.submission.notebook import read
from autograder.submission.restoration import restore
from autograder.submission.slicing import Slices


@dataclass
class LocalKernel:
    """Answers the examiner from `namespace`, and keeps the names that it was asked for."""

    namespace: dict[str, Any]
    asked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._server = Server(self.namespace)

    def ask(self, request: dict[str, Any]) -> Answer:
        """As `Session.ask`, but here and without a time limit.

        Raises ProtocolError when the request or the answer is too large.
        """
        self.asked |= {name for key in ("function", "name", "model") if isinstance(name := request.get(key), str)}
        return read_answer(protocol.unpack(self.reply(request)), 0)

    def reply(self, request: dict[str, Any]) -> bytes:
        """The frame that comes back."""
        return self._server.answer(protocol.pack({"id": 0, **request}))


def run(cell: str, namespace: dict[str, Any]) -> None:
    """Run the course's own code in this process, without a box. Raises whatever it raises."""
    exec(compile(cell, "<ipython-input>", "exec"), namespace)


def namespace_of(cells: Iterable[str]) -> dict[str, Any]:
    """What these cells define. As in a notebook, what raises is told and the rest goes on."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in cells:
            with contextlib.suppress(Exception, SystemExit):
                run(cell, namespace)
    return namespace


@contextlib.contextmanager
def in_its_folder(assignment: Assignment) -> Any:
    """Where its data are."""
    with contextlib.chdir(assignment.notebook.parent), contextlib.redirect_stdout(io.StringIO()):
        yield


@functools.cache
def reference_kernel(assignment: Assignment, *exercises: str) -> LocalKernel:
    """The reference, as far as the exercises depend on it. Raises NotGradable where `solutions/` has none."""
    restored = restore(read(solution(assignment)), assignment)
    needed = Slices(restored, assignment).named(exercises)
    with in_its_folder(assignment):
        return LocalKernel(namespace_of(cell.source for cell in restored.cells if cell.number in needed))


def solution(assignment: Assignment) -> Path:
    """The reference as a submission: what `autograder release` made of the source."""
    name = assignment.name
    return assignment.notebook.parents[2] / "solutions" / name / f"{name}.ipynb"
