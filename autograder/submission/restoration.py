"""Restore: the released notebook with the student's answers in it, ready to run.

Locked cells come from the release, even if the submission has changed them. The student's cells
(solution cells, changed experiments, own cells) run where the student has put them.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from autograder.course import Assignment, Cell, CellKind
from autograder.submission.notebook import SubmittedCell, SubmittedNotebook
from autograder.text import plain


@dataclass(frozen=True)
class RestoredCell:
    """A code cell to run. `number` counts the cells of the restored notebook from 0.

    `exercise` is None for a cell of the lesson itself, and for one that the student added.
    """

    number: int
    kind: CellKind
    source: str
    exercise: str | None
    parameters: bool = False

    @property
    def name(self) -> str:
        """What a message calls this cell."""
        if self.exercise:
            return f"the {'check' if self.kind == 'check' else 'solution'} cell of `{self.exercise}`"
        first = next((line.strip() for line in self.source.splitlines() if line.strip()), "")
        return f"the cell that begins `{plain(first, 60)}`"


@dataclass
class Restored:
    """The notebook to run, and what had to be repaired to get it.

    `problems` has, for an exercise whose answer is not clear, the sentence why;
    `unanswered` has those whose solution cell still holds no answer.
    """

    cells: tuple[RestoredCell, ...] = ()
    notes: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)


def restore(notebook: SubmittedNotebook, assignment: Assignment) -> Restored:
    """Merge a submission into its release. Raises nothing: what cannot be told is in `problems`."""
    restored = Restored()
    matches = [(cell, _match(cell, assignment)) for cell in notebook.cells]
    own = _between(matches)
    cells: list[RestoredCell] = []

    def add(kind: CellKind, source: str, exercise: str | None = None, parameters: bool = False) -> None:
        cells.append(RestoredCell(len(cells), kind, source, exercise, parameters))

    for source in own.get(None, []):
        add("free", source)
    for released in assignment.cells:
        if released.kind == "free":
            continue
        submitted = [cell for cell, match in matches if match is released]
        if released.kind == "solution":
            answer = _answer(released, submitted, restored)
            if answer is not None:
                add("solution", answer, released.exercise)
        else:
            _report_edits(released, submitted, restored)
            add(released.kind, released.source, released.exercise, released.parameters)
        for source in own.get(released.grade_id, []):
            add("free", source)
    restored.cells = tuple(cells)
    return restored


def _match(cell: SubmittedCell, assignment: Assignment) -> Cell | None:
    """The released cell that a submitted one stands for: by grade_id, by cell id, by its text."""
    if cell.grade_id in assignment.by_grade_id:
        return assignment.by_grade_id[cell.grade_id]
    for released in assignment.cells:
        if cell.id is not None and released.id == cell.id and released.kind != "free":
            return released
    for released in assignment.cells:
        # Editors that drop metadata and ids leave the text.
        if released.kind in {"check", "locked"} and _same(released.source, cell.source):
            return released
    return None


def _between(matches: Iterable[tuple[SubmittedCell, Cell | None]]) -> dict[str | None, list[str]]:
    """The student's own code cells by the released cell that they follow (None: the start of the notebook)."""
    own: dict[str | None, list[str]] = {}
    after: str | None = None
    seen: set[str | None] = set()
    for cell, released in matches:
        if released is not None and released.grade_id not in seen:
            after = released.grade_id
            seen.add(after)
        elif released is not None and released.kind == "solution":
            continue
        elif cell.type == "code" and cell.source.strip() and not (released and _same(released.source, cell.source)):
            own.setdefault(after, []).append(cell.source)
    return own


def _answer(released: Cell, submitted: list[SubmittedCell], restored: Restored) -> str | None:
    exercise = str(released.exercise)
    if not submitted:
        restored.missing.add(exercise)
        restored.notes.append(f"The solution cell of `{exercise}` is missing.")
        return None
    answered = [cell for cell in submitted if not _is_open(cell.source, released.source)]
    if not answered:
        restored.unanswered.add(exercise)
        return released.source
    chosen = answered[-1]
    if len({cell.source for cell in answered}) > 1:
        restored.notes.append(
            f"There are {len(answered)} solution cells of `{exercise}`; the last one counts, as it does in Jupyter."
        )
    if chosen.type != "code":
        restored.notes.append(f"The solution cell of `{exercise}` was a {chosen.type} cell; the grader ran it as code.")
    if any(line.startswith("<<<<<<< ") for line in chosen.source.splitlines()):
        restored.problems[exercise] = (
            f"The solution cell of `{exercise}` contains the marks of an unfinished git merge (<<<<<<< and >>>>>>>), "
            "so nobody can tell which version is your answer. Keep one of them and submit again."
        )
        return None
    return chosen.source


def _is_open(source: str, released: str) -> bool:
    """Whether nothing has been answered: the released code, whatever its comments, or no more than its last line."""
    if _same(source, released):
        return True
    try:
        found, stub = (ast.dump(ast.parse(text)) for text in (source, released))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return found in {
        stub,
        ast.dump(ast.parse("raise NotImplementedError()")),
        ast.dump(ast.parse("raise NotImplementedError")),
    }


def _report_edits(released: Cell, submitted: list[SubmittedCell], restored: Restored) -> None:
    name = f"The check cell of `{released.exercise}`" if released.kind == "check" else f"`{released.grade_id}`"
    if not submitted:
        restored.notes.append(f"{name} was missing; the grader ran the released one.")
    elif submitted[0].type != "code" or not _same(submitted[0].source, released.source):
        restored.notes.append(f"{name} was changed; the grader ran the released one.")


def _same(one: str, other: str) -> bool:
    """Equal except for white space at line ends and around."""

    def normal(text: str) -> list[str]:
        return [line.rstrip() for line in text.strip().splitlines()]

    return normal(one) == normal(other)
