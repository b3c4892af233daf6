"""Slice: which cells an exercise depends on; the others do not have to run.

An experiment that no exercise depends on costs no time, and an endless one costs no points. These cells are
everything that can affect an exercise's result: while they stay the same, the result does, too.
(Program slicing: M. Weiser, *Program Slicing*, ICSE 1981; here by the names that cells bind, change and need.)
"""

import ast
import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from autograder.course import Assignment
from autograder.submission.effects import last_name
from autograder.submission.names import Facts, facts
from autograder.submission.restoration import Restored

MOST_IN_ALL: Final = 500_000  # characters of a notebook that is looked into
MOST_ROUNDS: Final = 30  # of one cell that leads to another, before all are run


class Slices:
    """A notebook's cells, and which of them its exercises depend on.

    Of the course's own cells, locked ones always run, and the others affect only what their names say.
    """

    def __init__(self, restored: Restored, assignment: Assignment) -> None:
        self._assignment = assignment
        self._cells = restored.cells
        self._unanswered = restored.unanswered
        self._known: dict[frozenset[str], tuple[int, ...]] = {}
        released = {cell.source for cell in assignment.cells}
        self._own = {cell.number for cell in self._cells if cell.source not in released}
        self._too_long = sum(len(cell.source) for cell in self._cells) > MOST_IN_ALL
        if self._too_long:
            self._reaches_all = True
            return
        self._facts = [facts(cell.source) for cell in self._cells]
        modules = frozenset[str]().union(*(fact.modules for fact in self._facts))
        not_solid = _not_solid(self._facts, modules)
        asked = names_asked(assignment, [exercise.id for exercise in assignment.exercises])
        aliases = _Aliases(self._facts, not_solid, modules, asked)
        self._changing = aliases.known
        # What each cell may bind or change, for those after it. A student's may change whatever it reads.
        self._leaves: list[tuple[frozenset[str], ...]] = [
            (fact.binds | fact.targets | fact.loads, *aliases.of(number))
            if number in self._own else (fact.binds | fact.targets - modules,)
            for number, fact in enumerate(self._facts)
        ]  # fmt: skip
        # What it surely binds. A student's may end before that, in an exception, and a check of a wrong answer.
        self._surely = [
            fact.surely if cell.kind == "locked" else fact.certain
            for cell, fact in zip(self._cells, self._facts, strict=True)
        ]
        self._reaches_all = any(
            fact.opaque or fact.called & modules for number, fact in enumerate(self._facts) if number in self._own
        )

    def needed(self, exercises: Iterable[str]) -> tuple[int, ...]:
        """The numbers of the cells to run so that these exercises can be graded, in order; none for no exercise."""
        wanted = frozenset(exercises)
        if wanted not in self._known:
            self._known[wanted] = tuple(sorted(self._needed(wanted)))
        return self._known[wanted]

    def _needed(self, wanted: frozenset[str], *, for_chance: bool = True) -> set[int]:
        """Unless `for_chance`, without the cells that only draw random numbers from a source that an answer uses."""
        everything = {cell.number for cell in self._cells}
        if not wanted:
            return set()
        if self._reaches_all:
            return everything
        asked = names_asked(self._assignment, wanted)
        run = {
            cell.number for cell in self._cells
            if cell.kind == "locked" or (cell.kind in {"solution", "check"} and cell.exercise in wanted)
        }  # fmt: skip
        for _ in range(MOST_ROUNDS):
            before = len(run)
            self._add(run, asked, max((n for n in run if for_chance and self._hangs_on_chance(n)), default=0))
            if len(run) == before:
                return run
        return everything

    def _add(self, run: set[int], asked: frozenset[str], first: int) -> None:
        """Add to the cells that run those before `first`, and those that affect them or the hidden checks.

        From the last cell up, with the names that later cells read: a later binding hides an earlier one.
        """
        later: dict[str, int] = {}  # the first function that reads a name
        for number in sorted(run, reverse=True):
            later |= dict.fromkeys(self._facts[number].later, number)
        readers = frozenset(later)
        read, asked_still = set[str](), set(asked)
        for number in reversed(range(len(self._cells))):
            if number not in run:
                arrives = any(
                    not left.isdisjoint(read)
                    or (self._is_students(number) and not left.isdisjoint(asked_still))
                    or any(later[name] < number for name in left & readers)
                    for left in self._leaves[number]
                )
                if number >= first and not arrives:
                    continue
                run.add(number)
            fact = self._facts[number]
            read |= fact.waiting
            read -= self._surely[number]
            read |= fact.needs | fact.packages
            asked_still -= self._surely[number]

    def _hangs_on_chance(self, number: int) -> bool:
        """An answer that computes at once, with whatever random numbers it gets; or a cell that draws for one."""
        cell, fact = self._cells[number], self._facts[number]
        if cell.kind == "solution":
            return cell.exercise not in self._unanswered and fact.draws and not fact.seeds
        return number in self._own and fact.evidently and not fact.seeds

    def joined(self, exercises: Iterable[str]) -> set[str]:
        """These, and those that depend on the same own cells of the student, if these cells bind what may change.

        If a function keeps something from call to call, the checks of one exercise may affect the other.
        """
        cells = {one.id: self._students(one.id) for one in self._assignment.exercises}
        found, waiting = set[str](), list(exercises)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += [other for other, its in cells.items() if its & cells[name]]
        return found

    def _students(self, exercise: str) -> set[int]:
        """Of the student's own cells that an exercise depends on, those whose values may change."""
        needed = self._needed(frozenset([exercise]), for_chance=False) & self._own
        return needed if self._too_long else {n for n in needed if self._facts[n].binds & self._changing}

    def _is_students(self, number: int) -> bool:
        """No check asks for values from the course's own cells."""
        return number in self._own or self._cells[number].kind == "solution"

    def text(self, exercise: str) -> str:
        """The cells that the exercise depends on, as they are run: code can read its own comments."""
        return self._text(self.needed([exercise]))

    def whole_text(self) -> str:
        """All cells."""
        return self._text(range(len(self._cells)))

    def _text(self, numbers: Iterable[int]) -> str:
        cells = [self._cells[number] for number in numbers]
        return json.dumps([[cell.kind, cell.exercise, cell.source] for cell in cells])


def _not_solid(cells: Sequence[Facts], modules: frozenset[str]) -> frozenset[str]:
    """What a statement may change without saying so, through any of its names."""
    found = set[str]().union(*(fact.binds - fact.solid | fact.targets - modules for fact in cells))
    same: dict[str, list[frozenset[str]]] = {}
    for names in (one - modules for fact in cells for one in fact.same):
        for name in names:
            same.setdefault(name, []).append(names)
    waiting = list(found)
    while waiting:
        for names in same.pop(waiting.pop(), []):
            waiting += names - found
            found |= names
    return frozenset(found)


class _Aliases:
    """Names that may be names of one thing: through a statement, or through a function that keeps things.

    If each cell binds a name again before it reads it, the name is a different one in each.
    """

    def __init__(
        self, cells: Sequence[Facts], not_solid: frozenset[str], modules: frozenset[str], asked: frozenset[str]
    ) -> None:
        self._cells = cells
        read = [fact.needs | fact.later for fact in cells]
        self._shared = asked.union(*read)
        holding = [one for fact in cells for one in fact.holding]
        holders: dict[str, list[str]] = {}
        for name, held in holding:
            for one in held:
                holders.setdefault(one, []).append(name)
        hold = set[str]()
        waiting = [name for name, held in holding if held & not_solid or name in held]
        while waiting:
            name = waiting.pop()
            if name not in hold:
                hold.add(name)
                waiting += holders.get(name, [])
        self.known = not_solid | hold - modules  # what may be changed, and functions that may change it
        self._groups: dict[object, set[object]] = {}
        for number, fact in enumerate(cells):
            for names in [*fact.groups, *({name, *held} for name, held in fact.holding if name in hold)]:
                self._join({self._version(name, number) for name in names if name in self.known})
        self._named: dict[int, frozenset[str]] = {}  # each group's names, once

    def _version(self, name: str, number: int) -> object:
        return name if name in self._shared else (name, number)

    def _join(self, versions: set[object]) -> None:
        groups = {id(group): group for group in (self._groups.get(one) for one in versions) if group is not None}
        into = max(groups.values(), key=len, default=set[object]())
        for more in [versions, *(group for group in groups.values() if group is not into)]:
            into |= more
            self._groups.update(dict.fromkeys(more, into))

    def of(self, number: int) -> list[frozenset[str]]:
        """What a cell reads, by all names of each thing."""
        fact = self._cells[number]
        found: dict[int, frozenset[str]] = {}
        alone = set[str]()
        for name in fact.needs | fact.later | fact.targets:
            if name in self.known:
                group = self._groups.get(self._version(name, number))
                if group is None:
                    alone.add(name)
                else:
                    if id(group) not in self._named:
                        self._named[id(group)] = frozenset(one for one in group if isinstance(one, str))
                    found[id(group)] = self._named[id(group)]
        return [frozenset(alone), *found.values()]


def checks_of(assignment: Assignment, exercise: str) -> str:
    """The code of the exercise's hidden checks, with everything of their module that they use."""
    return _text(assignment.checks_text, exercise)


@lru_cache(maxsize=512)
def _text(text: str, exercise: str) -> str:
    return "\n".join(map(ast.unparse, _checks(text, exercise)))


def names_asked(assignment: Assignment, exercises: Iterable[str]) -> frozenset[str]:
    """What the hidden checks of these exercises ask for in the notebook.

    They write it as `student.name(...)`, `student["name"]`, or as a text that is given to a call with the student.
    """
    return frozenset[str]().union(*(_asked(assignment.checks_text, exercise) for exercise in exercises))


@lru_cache(maxsize=512)
def _asked(text: str, exercise: str) -> frozenset[str]:
    asked = set[str]()
    for node in (node for top in _checks(text, exercise) for node in ast.walk(top)):
        if isinstance(node, ast.Attribute) and _is_student(node.value):
            asked.add(node.attr)
        elif isinstance(node, ast.Subscript) and _is_student(node.value):
            asked.add(ast.literal_eval(node.slice))
        elif isinstance(node, ast.Call) and any(map(_is_student, [*node.args, getattr(node.func, "value", node)])):
            asked |= {one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return frozenset(asked)


def _is_student(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "student"


@lru_cache(maxsize=512)
def _checks(text: str, exercise: str) -> tuple[ast.stmt, ...]:
    """The top-level statements of a module of checks that are, or are used by, an exercise's tests, in order."""
    body = ast.parse(text).body
    names = [{n.id for n in ast.walk(node) if isinstance(n, ast.Name)} for node in body]
    wanted = {place for place, node in enumerate(body) if _tests(node, exercise)}
    known = set[str]()
    while True:
        known |= {name for place in wanted for name in names[place]}
        more = {place for place, node in enumerate(body) if place not in wanted and _bound(node) & known}
        if not more:
            return tuple(body[place] for place in sorted(wanted))
        wanted |= more


def _tests(node: ast.stmt, exercise: str) -> bool:
    """Whether this is a test of the exercise: `@exercise("name", ...)`."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    marks = [one for one in node.decorator_list if isinstance(one, ast.Call) and last_name(one.func) == "exercise"]
    return any(isinstance(one.args[0], ast.Constant) and one.args[0].value == exercise for one in marks if one.args)


def _bound(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {one.asname or one.name.split(".")[0] for one in node.names}
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)}
