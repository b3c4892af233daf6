"""Where an unfinished merge has left two versions of an answer, so that nobody can tell which one counts.

Git writes its marks into the text of a cell. Tools that merge notebooks (nbdime, nbdev) write each mark as a cell of
its own, and such a notebook still opens in Jupyter.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from autograder.submission.notebook import SubmittedCell

Mark = Literal["begin", "middle", "end"]

DECORATION: Final = re.compile(r"</?(?:span|b|strong|code)\b[^<>]*>|[*`]")
MARKS: Final[dict[str, Mark]] = {"<": "begin", "=": "middle", ">": "end"}


def has_marks(source: str) -> bool:
    """Whether the text of a cell holds both versions of a part of it."""
    return any(line.startswith("<<<<<<< ") for line in source.splitlines())


def mark_of(cell: SubmittedCell) -> Mark | None:
    """Which mark of a merge a cell consists of, with whatever tools put around it; None where it is no mark."""
    text = DECORATION.sub("", cell.source).strip()
    found = re.fullmatch(r"(?:([<>])\1{6}|(=)={6})(?: [^\n]*)?", text)
    return MARKS[found[1] or found[2]] if found else None


def between_marks(cells: Sequence[SubmittedCell]) -> Iterator[int]:
    """The places of the cells that stand in an unfinished merge, without its marks.

    A merge goes from the mark of its beginning to that of its end. Where somebody has removed one of the two, it goes
    as far as there is a mark.
    """
    merge: dict[int, Mark] = {}
    for place, cell in enumerate(cells):
        mark = mark_of(cell)
        if mark == "begin":
            yield from _within(merge)
            merge = {}
        if mark:
            merge[place] = mark
        if mark == "end":
            yield from _within(merge)
            merge = {}
    yield from _within(merge)


def _within(merge: dict[int, Mark]) -> Iterator[int]:
    if {"begin", "end"} & set(merge.values()):  # a line of `=` alone is not from a merge
        yield from (place for place in range(min(merge), max(merge)) if place not in merge)
