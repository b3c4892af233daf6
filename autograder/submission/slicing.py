"""Slice: which cells must run so that exercises can be graded, and what each of their results follows from.

All that a student wrote runs. Left out are the course's own experiments, as released or with other literals, and only
where all cells of the student's are plain (`plain_code`): nothing can then tell whether they ran. The release proof
shows it of their own text. In a plain notebook an exercise's result follows from the cells that its names lead to; in
any other from all cells. (Program slicing: M. Weiser, *Program Slicing*, ICSE 1981.)
"""

import ast
import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from autograder.course import Assignment
from autograder.submission.checks_text import names_asked
from autograder.submission.plain_code import BUILTINS, OTHER_BUILTINS, Facts, facts
from autograder.submission.plain_lists import LISTS
from autograder.submission.restoration import Restored, RestoredCell

MOST_IN_ALL: Final = 500_000  # characters of a notebook that is looked into


class Slices:
    """A notebook's cells, which of them must run, and which are behind an exercise's result."""

    def __init__(self, restored: Restored, assignment: Assignment) -> None:
        self._assignment, self._cells, self._unanswered = assignment, restored.cells, restored.unanswered
        texts = [cell.source for cell in self._cells]
        imports = frozenset[tuple[str, str]]().union(*(facts(text).imports for text in texts))
        self._facts = [facts(text, imports) for text in texts]
        self._keras = any(name == "keras" for name, _ in imports)
        released = {_form(cell.source) for cell in assignment.cells if cell.kind == "free"}
        self._experiments = {
            cell.number for cell in self._cells if cell.kind == "free" and _form(cell.source) in released
        }
        self._students = self._of(cell for cell in self._cells if self._is_students(cell))
        self._data = frozenset[str]().union(*(fact.data for fact in self._facts))
        self._bound = frozenset[str]().union(
            *(fact.binds for n, fact in enumerate(self._facts) if n not in self._experiments)
        )
        known = BUILTINS.union(*(fact.binds for fact in self._facts))
        self.plain = sum(map(len, texts)) <= MOST_IN_ALL and all(
            fact.plain
            and fact.uses <= known
            and not fact.in_functions & self._data
            and not (fact.binds - {path.split(".")[-1] for _, path in fact.imports}) & (BUILTINS | LISTS["unchanging"])
            for fact in self._students
        )

    def _is_students(self, cell: RestoredCell) -> bool:
        if cell.kind == "free":
            return cell.number not in self._experiments
        return cell.kind == "solution" and cell.exercise not in self._unanswered

    def _of(self, cells: Iterable[RestoredCell]) -> list[Facts]:
        return [self._facts[cell.number] for cell in cells]

    @property
    def everything(self) -> tuple[int, ...]:
        """The numbers of all cells."""
        return tuple(range(len(self._cells)))

    def needed(self, exercises: Iterable[str]) -> tuple[int, ...]:
        """The numbers of the cells to run so that these exercises can be graded, in order; none for no exercise."""
        wanted = frozenset(exercises)
        if not wanted or not self.plain:
            return self.everything if wanted else ()
        waiting = self._experiments | {
            cell.number for cell in self._cells if cell.exercise is not None
            and cell.exercise not in self._unanswered | wanted and self._facts[cell.number].computes
        }  # fmt: skip
        run = set(self.everything) - waiting
        asked = names_asked(self._assignment, wanted) & self._bound
        functions = frozenset[str]().union(*(fact.binds - fact.data for fact in self._students))
        kept = frozenset[str]().union(*(fact.data for fact in self._students))  # to call one of these may change it
        read = asked.union(*(fact.uses for fact in self._students))
        students = (read | kept) & self._data
        while True:
            used = asked.union(*(self._facts[number].uses for number in run))
            checks = self._of(cell for cell in self._cells if cell.kind == "check" and cell.number in run)
            # A student who uses what a check has bound may know all data by other names.
            shared = self._data & self._bound if any(fact.data & read for fact in checks) else students
            until = self._hangs(run)
            more = {
                number for number in waiting for fact in [self._facts[number]]
                if number < until or fact.binds & used or fact.calls & kept
                or (fact.lends & shared and fact.uses & functions)
            }  # fmt: skip
            if not more:
                return tuple(sorted(run))
            run |= more
            waiting -= more

    def behind(self, exercise: str) -> tuple[int, ...]:
        """The numbers of the cells that an exercise's result follows from; all where names do not tell."""
        return tuple(sorted(self._named([exercise], by_chance=True))) if self.plain else self.everything

    def named(self, exercises: Iterable[str]) -> set[int]:
        """The numbers of the cells that the names in these exercises' cells lead to."""
        return self._named(exercises, by_chance=False)

    def _named(self, exercises: Iterable[str], *, by_chance: bool) -> set[int]:
        wanted = frozenset(exercises)
        locked = {cell.number for cell in self._cells if cell.kind == "locked"}
        its = {cell.number for cell in self._cells if cell.exercise in wanted}
        found = locked | {number for number in its if self._cells[number].kind == "solution"}
        if by_chance:
            found |= {cell.number for cell in self._cells if self._is_students(cell) and self._facts[cell.number].sets}
        asked = names_asked(self._assignment, wanted)
        while True:
            used = asked.union(*(self._facts[number].uses for number in found))
            values = self._data & used.union(*(self._facts[number].binds for number in found - locked))
            until = self._hangs(found) if by_chance else 0
            more = {
                number for number, fact in enumerate(self._facts)
                if number < until or fact.binds & used or (fact.computes and fact.uses & values)
            } - found  # fmt: skip
            if not more:
                return found | its
            found |= more

    def _hangs(self, cells: set[int]) -> int:
        """The cells above this number have to run, since chance or Keras's counting goes on from them."""
        if self._keras and any(fact.reads_counts for fact in self._students):
            return len(self._cells)
        chance = (
            LISTS["chance"]
            | LISTS["chance_of_methods"]
            | LISTS["chance_by_text"]
            | (LISTS["training"] if self._keras else frozenset())
        )
        drawing, before = set[str](), -1  # functions that draw when they are called
        while len(drawing) > before:
            before = len(drawing)
            for fact in (self._facts[number] for number in cells):
                if fact.functions_draw & chance or fact.in_functions & drawing:
                    drawing |= fact.binds - fact.data
        hanging = [
            number for number in cells if self._cells[number].kind != "check"
            and (self._facts[number].draws & chance or self._facts[number].computed & drawing)
        ]  # fmt: skip
        return max(hanging, default=0)

    def text(self, exercise: str) -> str:
        """The cells behind an exercise's result, as they are run: code can read its own comments."""
        return self._text(self.behind(exercise))

    def whole_text(self) -> str:
        """All cells."""
        return self._text(self.everything)

    def _text(self, numbers: Iterable[int]) -> str:
        cells = [self._cells[number] for number in numbers]
        return json.dumps([[cell.kind, cell.exercise, cell.source] for cell in cells])


@lru_cache(maxsize=4096)
def _form(source: str) -> str:
    """A cell's code without its literals; its text where a literal may be code, or where it cannot be read."""
    if not facts(source).uses & OTHER_BUILTINS:
        try:
            return ast.dump(_Blank().visit(ast.parse(source)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    return source.strip()


class _Blank(ast.NodeTransformer):
    """Numbers, texts and lists of them become one and the same."""

    def visit(self, node: ast.AST) -> ast.AST:
        """Of an expression that is a literal, only that is left."""
        if isinstance(node, ast.expr):
            try:
                ast.literal_eval(node)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                return self.generic_visit(node)
            return ast.Constant(0)
        return self.generic_visit(node)
