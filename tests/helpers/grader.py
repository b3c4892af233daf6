"""What the fixture `grade` is, and the seed that it grades with."""

from collections.abc import Callable

from autograder.batch.pipeline import Graded

SEED = 11  # of the hidden inputs; any other must do as well
Grader = Callable[..., Graded]  # grade(notebook, "09_echo", cell_seconds=5)
