"""What a result was made with."""

import importlib.metadata
import platform
from functools import cache
from typing import Final

from autograder import __version__

RECORDED: Final = (
    "numpy", "scipy", "pandas", "scikit-learn", "tensorflow", "keras", "papermill", "ipykernel", "pytest", "hypothesis",
)  # fmt: skip


@cache
def versions_here() -> dict[str, str]:
    """The grader's, Python's, and those of the packages that notebooks and checks are run with."""
    found = {"autograder": __version__, "python": platform.python_version()}
    for name in RECORDED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
