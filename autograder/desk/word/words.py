"""What a person can say about one mark."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["points", "extra", "comment", "flag", "excuse", "extension"]
# How each is called in a file, and which of them concern a whole assignment, never one exercise.
KEYS: Final[dict[str, Kind]] = {
    "points": "points",
    "extra": "extra",
    "comment": "comment",
    "flagged": "flag",
    "excused": "excuse",
    "until": "extension",
}
OF_AN_ASSIGNMENT: Final = frozenset({"excuse", "extension"})


@dataclass(frozen=True)
class Word:
    """One decision about one student's assignment, or about one of its exercises.

    `kind` says what `points` and `text` are:

    - "points": `points` stand in place of what the grader found; for a whole assignment, of the sum.
    - "extra": `points` come on top, also above the maximum; they may be negative.
    - "comment": `text` is shown to the student.
    - "flag": somebody should look at it again; nothing changes.
    - "excuse": the assignment does not count for this student.
    - "extension": `text` is the student's own deadline, in ISO 8601 with an offset.

    `exercise` is None where the whole assignment is meant, `points` None where the kind has no number. `reason` and
    `by` (who said it) may be empty; `at` is when, in ISO 8601 with an offset, or empty. `source` is the file's name and
    line, for messages.
    """

    student: str
    assignment: str
    exercise: str | None
    kind: Kind
    points: float | None = None
    text: str = ""
    reason: str = ""
    by: str = ""
    at: str = ""
    source: str = ""

    @property
    def about(self) -> tuple[str, str, str | None, Kind]:
        """What it decides: of two words about one thing, one must give way."""
        return self.student, self.assignment, self.exercise, self.kind
