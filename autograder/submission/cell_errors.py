"""What a cell raised, and where in the notebook: read from Jupyter's report of an error, and told as a sentence.

A report is text that the student's kernel has written. A frame of it names a cell by how many were run before
(`In[3]`), so who ran the cells says which one that was. Lines of libraries, and the names of files that Jupyter invents
for cells, say nothing to a student, and are left out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from autograder.submission.restoration import RestoredCell
from autograder.text import plain

FRAME: Final = re.compile(r"^\s*Cell In\[(\d{1,6})\], line (\d{1,6})", re.MULTILINE)
CAUSED: Final = re.compile(r"^(?:The above exception was the direct cause|During handling of the above)", re.MULTILINE)
AT: Final = re.compile(r" \((?:\d+\.py|<[^<>]*>), line \d+\)$")  # at the end of what a SyntaxError says
INVENTED: Final = re.compile(r"[^\s'\"(]*ipykernel_\d+[/\\]\d+\.py")


@dataclass(frozen=True)
class CellError:
    """What was raised. `places` are the cells that it came through, by their counts, and lines; the innermost last."""

    type: str
    message: str
    places: tuple[tuple[int, int], ...] = ()

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


def read_error(content: Mapping[str, Any]) -> CellError:
    """The error of a report: `ename`, `evalue` and `traceback`, as in a notebook."""
    trace = content.get("traceback")
    text = "\n".join(plain(line, 20_000) for line in trace if isinstance(line, str)) if isinstance(trace, list) else ""
    last = CAUSED.split(text)[-1]  # what it was raised from stands before it
    message = INVENTED.sub("the notebook", AT.sub("", plain(content.get("evalue") or "", 400)))
    places = tuple((int(count), int(line)) for count, line in FRAME.findall(last))
    return CellError(plain(content.get("ename"), 80), message, places)


def told(error: CellError, cell: RestoredCell, ran: Mapping[int, RestoredCell]) -> str:
    """The error that `cell` raised, with the line; and with the cell, where the line is another cell's.

    `ran` are the cells that were run, by their counts.
    """
    where, line, _ = _place(error, cell, ran)
    if not line:
        return str(error)
    return f"{error} (line {line})" if where is cell else f"{error} (line {line} of {where.name})"


def sentence(error: CellError, cell: RestoredCell, ran: Mapping[int, RestoredCell]) -> str:
    """The same to the student: which cell raised what, in which line, and which line of `cell` led there."""
    where, line, called = _place(error, cell, ran)
    if where.exercise and where.exercise == cell.exercise:
        name = "The check cell" if where.kind == "check" else "Your solution cell"
    else:
        name = f"{where.name[0].upper()}{where.name[1:]}"
    text = plain(where.source.splitlines()[line - 1].strip(), 120) if line else ""
    at = f" (line {line}: `{text}`)" if text else f" (line {line})" if line else ""
    by = f" It was called in line {called} of the {cell.kind} cell." if called and where is not cell else ""
    return f"{name} raised {error}{at}.{by}"


def _place(error: CellError, cell: RestoredCell, ran: Mapping[int, RestoredCell]) -> tuple[RestoredCell, int, int]:
    """The cell and the line that raised, and the line of `cell` on the way there; 0 for a line that is not known."""
    known = [(ran[count], line) for count, line in error.places if count in ran]
    known = [(one, line) for one, line in known if line <= len(one.source.splitlines())]
    where, line = known[-1] if known else (cell, 0)
    return where, line, next((line for one, line in reversed(known) if one is cell), 0)
