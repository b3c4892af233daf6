"""Restore: the released notebook with the student's answers in it, ready to run.

Locked cells come from the release, even if the submission has changed them. The student's cells
(solution cells, changed experiments, own cells) run where the student has put them.
"""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from autograder.course import Assignment, Cell, CellKind
from autograder.submission.matching import match, same_text
from autograder.submission.merges import between_marks, has_marks, mark_of
from autograder.submission.notebook import SubmittedCell, SubmittedNotebook
from autograder.submission.screens import note as screen_note
from autograder.submission.screens import without_screen
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
    matches = [(cell, match(cell, assignment)) for cell in notebook.cells]
    answers: dict[str, list[SubmittedCell]] = {}
    for released in assignment.cells:
        if released.kind == "solution":
            submitted = [cell for cell, of in matches if of is released]
            answers[str(released.exercise)] = _answers(released, submitted, restored)
    _report_merges(matches, answers, assignment, restored)
    for unclear in restored.problems:
        answers[unclear] = []
    own = _between(matches, answers, restored)
    cells: list[RestoredCell] = []

    def add(kind: CellKind, source: str, exercise: str | None = None, parameters: bool = False) -> None:
        cells.append(RestoredCell(len(cells), kind, source, exercise, parameters))

    for free in own.get(None, []):
        add(*free)
    for released in assignment.cells:
        if released.kind == "free":
            continue
        exercise = released.exercise
        if released.kind == "solution":
            if exercise in restored.unanswered and exercise not in restored.problems:
                add("solution", released.source, exercise)
        else:
            submitted = [cell for cell, of in matches if of is released]
            _report_edits(released, submitted, restored)
            add(released.kind, released.source, exercise, released.parameters)
        for students in own.get(released.grade_id, []):
            add(*students)
    restored.cells = tuple(cells)
    return restored


Students = tuple[CellKind, str, str | None]  # its kind, its source, and the exercise that it answers


def _between(
    matches: Iterable[tuple[SubmittedCell, Cell | None]], answers: dict[str, list[SubmittedCell]], restored: Restored
) -> dict[str | None, list[Students]]:
    """The student's code cells by the released cell that they follow (None: the start of the notebook).

    The first cell of an answer follows the place where the release has it; its others follow what they follow.
    """
    found: dict[str | None, list[Students]] = {}
    after: str | None = None
    seen: set[str | None] = set()
    for cell, released in matches:
        if released is not None and released.kind == "solution":
            exercise = str(released.exercise)
            its = answers[exercise]
            counts = any(one is cell for one in its)
            if released.grade_id not in seen and (counts or not its):
                after = released.grade_id
                seen.add(after)
            if counts:
                source = _shown(f"the solution cell of `{exercise}`", cell.source, restored)
                found.setdefault(after, []).append(("solution", source, exercise))
        elif released is not None and released.grade_id not in seen:
            after = released.grade_id
            seen.add(after)
        elif cell.type == "code" and not (released and same_text(released.source, cell.source)):
            if not cell.source.strip() or mark_of(cell):
                continue
            source = _shown(RestoredCell(0, "free", cell.source, None).name, cell.source, restored)
            found.setdefault(after, []).append(("free", source, None))
    return found


def _shown(name: str, source: str, restored: Restored) -> str:
    source, settings = without_screen(source)
    if settings:
        restored.notes.append(screen_note(name, settings))
    return source


def _answers(released: Cell, submitted: list[SubmittedCell], restored: Restored) -> list[SubmittedCell]:
    """The cells of an answer that run, in order: those of code that hold any, and are not as released."""
    exercise = str(released.exercise)
    if not submitted:
        restored.missing.add(exercise)
        restored.notes.append(f"The solution cell of `{exercise}` is missing.")
        return []
    unanswered = [cell for cell in submitted if _is_open(cell.source, released.source)]
    others = [cell for cell in submitted if cell not in unanswered]
    answered = [cell for cell in others if cell.type == "code" and not _is_empty(cell.source)]
    beside = any(cell.type == "code" for cell in submitted)  # then what is not code is text
    retyped = [cell for cell in others if cell.type != "code" and (not beside or _is_code(cell))]
    if not answered and retyped:
        answered = retyped[-1:]
        restored.notes.append(
            f"The solution cell of `{exercise}` was a {answered[0].type} cell; the grader ran it as code."
        )
    if not answered and unanswered:
        restored.unanswered.add(exercise)
        return []
    if not answered:
        return others[:1]
    if len(answered) > 1:
        restored.notes.append(
            f"There are {len(answered)} solution cells of `{exercise}`; all of them ran, in their order, as in Jupyter."
        )
    if unanswered:
        restored.notes.append(
            f"Another solution cell of `{exercise}` is still as it was released. It was left out, so that it does not "
            "undo your answer. Delete it."
        )
    if any(cell.type != "code" for cell in others) and answered[0].type == "code":
        restored.notes.append(f"A copy of the solution cell of `{exercise}` is text, and was not run.")
    return answered


def _report_merges(
    matches: Sequence[tuple[SubmittedCell, Cell | None]],
    answers: dict[str, list[SubmittedCell]],
    assignment: Assignment,
    restored: Restored,
) -> None:
    """What stands in an unfinished merge has two versions. Any answer may need one of a student's own cell."""
    within = set(between_marks([cell for cell, _ in matches]))
    for place, (cell, released) in enumerate(matches):
        if place not in within and not has_marks(cell.source):
            continue
        if released is not None and released.kind == "solution":
            exercise = str(released.exercise)
            if place not in within and not any(one is cell for one in answers[exercise]):
                continue
            restored.problems[exercise] = (
                f"The solution cell of `{exercise}` contains the marks of an unfinished git merge (<<<<<<< and "
                ">>>>>>>), so nobody can tell which version is your answer. Keep one of them and submit again."
            )
        elif released is None and cell.type == "code" and not _is_experiment(cell, assignment) and not mark_of(cell):
            name = RestoredCell(0, "free", cell.source, None).name
            for exercise in answers.keys() - restored.problems.keys() - restored.unanswered:
                restored.problems[exercise] = (
                    f"The notebook contains the marks of an unfinished git merge (<<<<<<< and >>>>>>>) at {name}, "
                    "and your answer may need that cell. Keep one version of it and submit again."
                )


def _is_experiment(cell: SubmittedCell, assignment: Assignment) -> bool:
    return any(same_text(cell.source, one.source) for one in assignment.cells if one.kind == "free")


def _is_empty(source: str) -> bool:
    """Whether it holds no code: nothing, or comments alone."""
    return all(line.strip().startswith("#") for line in source.splitlines() if line.strip())


def _is_code(cell: SubmittedCell) -> bool:
    try:
        return bool(ast.parse(cell.source).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _is_open(source: str, released: str) -> bool:
    """Whether nothing has been answered: the released code, whatever its comments, or no more than its last line."""
    if same_text(source, released):
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
    elif submitted[0].type != "code" or not same_text(submitted[0].source, released.source):
        restored.notes.append(f"{name} was changed; the grader ran the released one.")
