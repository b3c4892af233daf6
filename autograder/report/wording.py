"""The words that every report shares: outcomes, what to do, numbers, and what is left to say when nothing can change.

After the deadline nobody can submit again, so no page for that time tells a student to.
"""

import re
from dataclasses import replace
from typing import Final

from autograder.result import Result

OUTCOMES: Final = {
    "earned": "Earned",
    "partial": "Partly earned",
    "not_earned": "Not earned yet",
    "could_not_be_graded": "Could not be graded",
}
# What to do, and who does it, by the cause.
TURNS: Final = {
    "notebook": "What to do: change the notebook as described and submit again. You lose no points.",
    "time": "What to do: find the code that does not end, or takes too long, and submit again. You lose no points.",
    "memory": "What to do: find the code that needs so much memory and submit again. You lose no points.",
    "box": "What to do: nothing. The place where notebooks run was not available; the instructor must repair it.",
    "grader": "What to do: nothing. The grader failed, not you; the instructor must repair it.",
}
_ASK: Final = "What to do: show this to the instructor, who decides about these points. They do not count as zero."
OUTCOMES_AFTER: Final = {**OUTCOMES, "not_earned": "Not earned"}
TURNS_AFTER: Final = {**TURNS, **dict.fromkeys(("notebook", "time", "memory"), _ASK)}

_SENTENCE: Final = re.compile(r"(?<=[.?!])[ \n]+")
_HANDS_IN: Final = re.compile(r"\bsubmit\b|\bHand in\b", re.IGNORECASE)


def points(value: float | None) -> str:
    """Points as they are written, without needless zeros; a dash for None, which is no mark at all."""
    return "–" if value is None else f"{value:g}"


def counted(number: int, one: str, many: str = "") -> str:
    """The number with its noun: `1 check`, `2 checks`; `many` where the plural has no s at its end."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def after(result: Result) -> Result:
    """The result as it is told when answers can no longer change: no sentence says to hand in something."""
    exercises = tuple(replace(one, message=_without_handing_in(one.message)) for one in result.exercises)
    return replace(
        result,
        message=_without_handing_in(result.message),
        exercises=exercises,
        notes=tuple(map(_without_handing_in, result.notes)),
    )


def _without_handing_in(text: str) -> str:
    """Without the sentences that say to; of each paragraph the first says what was found, and stays."""
    return "\n".join(_first_and_rest(paragraph) for paragraph in text.split("\n"))


def _first_and_rest(paragraph: str) -> str:
    first, *rest = _SENTENCE.split(paragraph)
    return " ".join([first, *(one for one in rest if not _HANDS_IN.search(one))])
