"""What a result was made with."""

import importlib.metadata
import platform
from functools import cache
from typing import Final

from autograder import __version__

RECORDED: Final = (
    "numpy", "scipy", "pandas", "scikit-learn", "tensorflow", "keras", "papermill", "ipykernel", "pytest", "hypothesis",
)  # fmt: skip
# One package, and which distributions may have brought it; each is recorded by its own name.
DISTRIBUTIONS: Final = {"tensorflow": ("tensorflow-cpu", "tensorflow")}


@cache
def versions_here() -> dict[str, str]:
    """The grader's, Python's, and those of the packages that notebooks and checks are run with."""
    found = {"autograder": __version__, "python": platform.python_version()}
    for name in RECORDED:
        found |= _installed(name)
    return found


def missing() -> list[str]:
    """Those of RECORDED that are not installed here."""
    return [name for name in RECORDED if not _installed(name)]


def _installed(name: str) -> dict[str, str]:
    found = {}
    for distribution in DISTRIBUTIONS.get(name, (name,)):
        try:
            found[distribution] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
