"""What is the same for every submission of a batch."""

from dataclasses import dataclass, field
from pathlib import Path

from autograder.box import Limits
from autograder.course import Course


@dataclass(frozen=True)
class Settings:
    """`seed` draws the hidden inputs and must not be known to students before they submit.

    `training_seed` is the notebook's own SEED, and public. `warm` is None where every box starts cold.
    """

    course: Course
    limits: Limits
    seed: int
    training_seed: int
    protections: dict[str, bool] = field(default_factory=dict)  # as observed in this batch
    for_marks: bool = True
    warm: str | None = None  # where boxes are forked
    hidden: tuple[Path, ...] = ()  # what must not exist in a box
    every_cell: bool = False  # run also what no exercise depends on
    again: bool = False  # take nothing over, but ask what was asked: to show that the same comes out
