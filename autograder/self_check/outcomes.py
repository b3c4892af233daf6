"""What a self-check comes to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Outcome = Literal["passes", "fails", "open"]

PRACTICE: Final = "This is practice: the hidden checks test more, and decide the points."


@dataclass(frozen=True)
class Line:
    """What became of the visible checks of one exercise."""

    exercise: str
    max_points: float
    outcome: Outcome
    text: str


@dataclass(frozen=True)
class Checked:
    """What a self-check found in one notebook. `problem` says why it could not be run, None if it could.

    `assignment` is None where it cannot be told which one this is. `remembered`: nothing was run, because nothing has
    changed since it was.
    """

    path: Path
    assignment: str | None = None
    notes: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    problem: str | None = None
    remembered: bool = False

    @property
    def passed(self) -> int:
        """How many exercises pass their visible checks."""
        return sum(line.outcome == "passes" for line in self.lines)

    @property
    def complete(self) -> bool:
        """Whether every exercise passes."""
        return self.problem is None and self.passed == len(self.lines)

    @property
    def wrong(self) -> bool:
        """Whether an answer fails; an exercise that is still open does not count as one."""
        return self.problem is not None or any(line.outcome == "fails" for line in self.lines)


@dataclass(frozen=True)
class Options:
    """How to run a notebook: how many `seconds` a cell may take, and whether the cells run that no answer needs."""

    seconds: float
    every_cell: bool = False
