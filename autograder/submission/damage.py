"""Has the file been damaged on its way? The cells that nobody changes tell: those of the lesson and its checks.

A student's answer is damaged with them, and would be taken for a wrong one. So such a file is not graded.
"""

import ast
import html
from typing import Final

from autograder.course import Assignment
from autograder.errors import NotGradable
from autograder.submission.matching import match, same_text
from autograder.submission.notebook import SubmittedNotebook

QUOTES: Final = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‚": "'", "\N{NO-BREAK SPACE}": " "})


def check_whole(notebook: SubmittedNotebook, assignment: Assignment) -> None:
    """Raises NotGradable when half of the released cells, or more, are there in a damaged form."""
    damaged = whole = 0
    for cell in notebook.cells:
        released = match(cell, assignment)
        if cell.type != "code" or released is None or released.kind not in {"check", "locked"}:
            continue
        if len(released.source.strip().splitlines()) < 2:
            continue  # one line has no line end to lose
        if _is_damaged(cell.source, released.source):
            damaged += 1
        else:
            whole += 1
    if damaged and damaged >= whole:
        raise NotGradable(
            f"The file is damaged: {damaged} of the lesson's own cells have lost line ends, indentation or characters, "
            "and so have your answers. Save the notebook in Jupyter and submit that file, not text that was copied "
            "out of it or that another program has written."
        )


def _is_damaged(found: str, released: str) -> bool:
    """Whether it is the released text, but for what programs change on the way, and no longer the same code."""
    return (
        not same_text(found, released)
        and _bare(found) == _bare(released)
        and _code(released) is not None
        and _code(found) != _code(released)
    )


def _bare(text: str) -> str:
    """Without all that gets lost: white space, line ends (`\\\\n` as text too), and how characters are written."""
    return "".join(html.unescape(text).translate(QUOTES).replace("\\n", "").split())


def _code(text: str) -> str | None:
    """What Python makes of it, so that a formatter changes nothing; None where it is not Python."""
    try:
        return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
