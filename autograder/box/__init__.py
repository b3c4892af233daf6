"""How does a student's code run without harm?

In: a program of `boxed/`, data and `Limits`. Out: a connection to it, and how it ended. `sandbox` starts a box,
`warm` forks one from a parent that has imported all, `canary` proves that it holds, and `session` runs a notebook in
it. Whatever comes out of a box is data to be doubted.
"""

from autograder.box.limits import Limits
from autograder.box.sandbox import Box, Ending
from autograder.box.warm import Parent, WarmBox

__all__ = ["Box", "Ending", "Limits", "Parent", "WarmBox"]
