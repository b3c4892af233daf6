"""Which released cell does a submitted one stand for? By its grade_id, its cell id, or its text."""

from autograder.course import Assignment, Cell
from autograder.submission.notebook import SubmittedCell


def match(cell: SubmittedCell, assignment: Assignment) -> Cell | None:
    """The released cell that a submitted one stands for; None for a cell of the student's own."""
    if cell.grade_id in assignment.by_grade_id:
        return assignment.by_grade_id[cell.grade_id]
    for released in assignment.cells:
        if cell.id is not None and released.id == cell.id and released.kind != "free":
            return released
    for released in assignment.cells:
        # Editors that drop metadata and ids leave the text.
        if released.kind in {"check", "locked"} and same_text(released.source, cell.source):
            return released
    return None


def same_text(one: str, other: str) -> bool:
    """Equal except for white space at line ends and around."""

    def normal(text: str) -> list[str]:
        return [line.rstrip() for line in text.strip().splitlines()]

    return normal(one) == normal(other)
