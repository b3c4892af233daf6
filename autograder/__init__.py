"""Grade notebooks of student code without trusting it.

For scripts there are four names:

    from autograder import AutograderError, Course, Result, grade

`grade` grades submissions and returns a `Result` for each. `Course` is the course's repository. Every exception that
they raise is an `AutograderError` (the tree is in `errors`).

A folder a question: `submission` (what was handed in?), `boxed` and `box` (how does it run without harm?),
`examination` and `checks` (is it right?), `batch` (how does a class get its results?), `collection` (where do
hand-ins come from?), `report` (how is a result shown?), `authoring` (how is a course made?).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.batch.script import grade
    from autograder.course import Course
    from autograder.errors import AutograderError
    from autograder.result import Result

__version__ = "0.1.0"
__all__ = ["AutograderError", "Course", "Result", "grade"]

# Imported when they are asked for: the commands start fast, and the students' part has not all of these modules.
_PLACES = {
    "AutograderError": "autograder.errors",
    "Course": "autograder.course",
    "Result": "autograder.result",
    "grade": "autograder.batch.script",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
