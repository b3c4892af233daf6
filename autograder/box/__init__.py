"""What holds untrusted code: how a box starts, what limits it, and the proof that it holds."""

from autograder.box.limits import Limits
from autograder.box.sandbox import Box, BoxUnavailable, Ending
from autograder.box.warm import Parent, WarmBox

__all__ = ["Box", "BoxUnavailable", "Ending", "Limits", "Parent", "WarmBox"]
