"""How does a student check an answer before it counts? No box and no marks: their own machine, and their own code.

In: notebooks, or a folder of them. Out: what became of the visible checks as released, on the terminal and in a
GitHub job. `checking` decides what must run, `running` runs it in kernels, `remembered` keeps the outcomes of an
unchanged notebook, `telling` says what was found, and `outcomes` are what they hand on.
"""

from autograder.self_check.checking import check_all
from autograder.self_check.outcomes import PRACTICE, Checked, Line, Options
from autograder.self_check.telling import tell_github

__all__ = ["PRACTICE", "Checked", "Line", "Options", "check_all", "tell_github"]
