"""A class's standing, and one student's way to it, on a terminal."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from autograder.desk.document import nearest
from autograder.desk.standing import Mark, Standing
from autograder.errors import DeskError
from autograder.text import plain

SIGNS = {"excused": "excused", "not handed in": "0 (nothing)", "not due": "–"}


def of_class(found: Sequence[Standing]) -> Table:
    """A row a student: each assignment's mark, and the grade; what is open shows what is safe."""
    names = [mark.assignment for mark in found[0].marks] if found else []
    shown = [name for place, name in enumerate(names) if any(one.marks[place].state != "not due" for one in found)]
    grid = Table(box=SIMPLE_HEAD, header_style="dim")
    grid.add_column("student", no_wrap=True)
    for name in shown:
        grid.add_column(escape(name), justify="right")
    grid.add_column("grade", justify="right", no_wrap=True)
    for one in found:
        cells = [cell(mark) for mark in one.marks if mark.assignment in shown]
        grid.add_row(escape(plain(one.student, 60)), *cells, grade(one))
    return grid


def of_student(found: Sequence[Standing], student: str) -> Iterator[Table]:
    """The way to each mark, and to the grade. Raises DeskError for a name that nothing is known of."""
    one = next((each for each in found if each.student == student), None)
    if one is None:
        known = [each.student for each in found]
        raise DeskError(f"Nothing is known of a student `{plain(student, 60)}`.{nearest(student, known)}")
    for mark in one.marks:
        if mark.state == "not due":
            continue
        grid = Table(box=SIMPLE_HEAD, header_style="dim", title=f"{escape(mark.assignment)}: {cell(mark)}",
                     title_justify="left")  # fmt: skip
        grid.add_column("step", ratio=1)
        grid.add_column(f"of {number(mark.maximum)}", justify="right")
        for step in mark.steps:
            grid.add_row(escape(plain(step.what, 300)), "–" if step.after is None else number(step.after))
        for comment in mark.comments:
            grid.add_row(escape(plain(f"comment: {comment}", 500)), "")
        yield grid
    grid = Table(box=SIMPLE_HEAD, header_style="dim", title=f"grade: {grade(one)}", title_justify="left")
    grid.add_column("step", ratio=1)
    for text in one.steps:
        grid.add_row(escape(plain(text, 300)))
    yield grid


def cell(mark: Mark) -> str:
    """The mark in few characters."""
    if mark.state == "open":
        return f"{number(mark.safe)} + {number(mark.open_points)} open"
    return SIGNS.get(mark.state) or number(mark.points or Fraction(0))


def grade(one: Standing) -> str:
    """The grade, or what it is at least."""
    if not one.steps:
        return "–"
    return f"{one.safe}" if one.grade is not None else f"{one.safe} or more"


def number(value: Fraction) -> str:
    """To two decimals at most."""
    return f"{float(value):.2f}".rstrip("0").rstrip(".")
