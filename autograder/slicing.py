"""Slice: which cells an exercise depends on, and so what need not run.

An experiment that no exercise depends on costs no time, and one without an end costs no points. What an exercise
depends on is all that its result can hang on: while that stays as it is, so does the result.
(Program slicing: M. Weiser, *Program Slicing*, ICSE 1981; here by the names that cells bind, change and need.)
"""

import ast
from collections.abc import Iterable, Sequence
from functools import lru_cache

from autograder.course import Assignment
from autograder.names import Facts, bare, facts, last
from autograder.restoration import Restored


class Slices:
    """A notebook's cells, and which of them its exercises depend on.

    Of the course's own cells, locked ones always run, and the others reach nothing but what their names tell.
    """

    def __init__(self, restored: Restored, assignment: Assignment) -> None:
        self._assignment = assignment
        self._cells = restored.cells
        self._unanswered = restored.unanswered
        self._found: dict[frozenset[str], tuple[int, ...]] = {}
        self._facts = [facts(cell.source) for cell in self._cells]
        released = {cell.source for cell in assignment.cells}
        self._own = {cell.number for cell in self._cells if cell.source not in released}
        not_solid = frozenset[str]().union(*(fact.binds - fact.solid for fact in self._facts))
        modules = frozenset[str]().union(*(fact.modules for fact in self._facts))
        aliases = _Aliases(self._facts, not_solid, modules)
        # What each cell may bind or change, for those after it. A student's may change whatever it reads.
        self._leaves = [
            fact.binds
            | (fact.targets | aliases.of(number) & not_solid if number in self._own else fact.targets - modules)
            for number, fact in enumerate(self._facts)
        ]
        self._reaches_all = any(
            fact.opaque or fact.called & modules for number, fact in enumerate(self._facts) if number in self._own
        )

    def needed(self, exercises: Iterable[str]) -> tuple[int, ...]:
        """The numbers of the cells to run so that these exercises can be graded, in order; none for none."""
        wanted = frozenset(exercises)
        if wanted not in self._found:
            self._found[wanted] = self._needed(wanted) if wanted else ()
        return self._found[wanted]

    def _needed(self, wanted: frozenset[str]) -> tuple[int, ...]:
        if self._reaches_all:
            return tuple(cell.number for cell in self._cells)
        asked = names_asked(self._assignment, wanted)
        run = {
            cell.number for cell in self._cells
            if cell.kind == "locked" or (cell.kind in {"solution", "check"} and cell.exercise in wanted)
        }  # fmt: skip
        before = -1
        while len(run) > before:
            before = len(run)
            first = max((n for n in run if self._hangs_on_chance(n)), default=0)
            for number in reversed(range(len(self._cells))):  # what is bound later hides what was bound before
                if number not in run and (number < first or self._matters(number, run, asked)):
                    run.add(number)
        return tuple(sorted(run))

    def _hangs_on_chance(self, number: int) -> bool:
        """An answer that computes on the spot, from whatever chance it meets."""
        cell, fact = self._cells[number], self._facts[number]
        return cell.kind == "solution" and cell.exercise not in self._unanswered and fact.draws and not fact.seeds

    def _matters(self, number: int, run: set[int], asked: frozenset[str]) -> bool:
        return any(self._arrives(name, number, run, asked) for name in self._leaves[number])

    def _arrives(self, name: str, number: int, run: set[int], asked: frozenset[str]) -> bool:
        """Whether what the cell leaves under this name reaches a cell that runs, or the hidden checks."""
        for other in sorted(run):
            fact = self._facts[other]
            if name in fact.later if other < number else name in fact.needs:
                return True
            if other > number and name in fact.surely:
                return False
            if other > number and name in fact.later:
                return True
        return name in asked and self._is_students(number)

    def _is_students(self, number: int) -> bool:
        """No check asks for what the course's own cells have made."""
        return number in self._own or self._cells[number].kind == "solution"

    def text(self, exercise: str, *, exact: bool) -> str:
        """The cells that the exercise depends on; unless `exact`, without comments and layout."""
        sources = (self._cells[number].source for number in self.needed([exercise]))
        return "\n\f\n".join(source if exact else bare(source) for source in sources)


class _Aliases:
    """Names that may be names of one thing: a statement may make them so, and a function that holds on to things.

    A name that each cell binds anew before it reads it is another one in each.
    """

    def __init__(self, cells: Sequence[Facts], not_solid: frozenset[str], modules: frozenset[str]) -> None:
        self._cells = cells
        read = [fact.needs | fact.later for fact in cells]
        self._shared = frozenset[str]().union(*read)
        holding = [one for fact in cells for one in fact.holding]
        hold = set[str]()
        while True:
            more = {name for name, held in holding if name not in hold and held & (not_solid | hold | {name})}
            if not more:
                break
            hold |= more
        self._known = not_solid | hold - modules
        self._groups: dict[object, set[object]] = {}
        for number, fact in enumerate(cells):
            for names in [*fact.groups, *({name, *held} for name, held in fact.holding if name in hold)]:
                self._join({self._version(name, number) for name in names if name in self._known})

    def _version(self, name: str, number: int) -> object:
        return name if name in self._shared else (name, number)

    def _join(self, versions: set[object]) -> None:
        group = versions.union(*(self._groups[one] for one in versions if one in self._groups))
        self._groups.update(dict.fromkeys(group, group))

    def of(self, number: int) -> frozenset[str]:
        """What a cell reads, by all names."""
        fact = self._cells[number]
        read = {name for name in fact.needs | fact.later | fact.targets if name in self._known}
        all_names = {one for name in read for one in self._groups.get(self._version(name, number), {name})}
        return frozenset(one for one in all_names if isinstance(one, str))


def checks_of(assignment: Assignment, exercise: str) -> str:
    """The code of the exercise's hidden checks, with all of their module that they use."""
    return _text(assignment.checks.read_text(encoding="utf-8"), exercise)


@lru_cache(maxsize=512)
def _text(text: str, exercise: str) -> str:
    return "\n".join(map(ast.unparse, _checks(text, exercise)))


def names_asked(assignment: Assignment, exercises: Iterable[str]) -> frozenset[str]:
    """What the hidden checks of these exercises ask for in the notebook.

    They write it as `student.name(...)`, `student["name"]`, or as a text that is given to a call with the student.
    """
    text = assignment.checks.read_text(encoding="utf-8")
    return frozenset[str]().union(*(_asked(text, exercise) for exercise in exercises))


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
    """Of a module of checks, the top-level statements that an exercise's tests are or use, in order."""
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
    marks = [one for one in node.decorator_list if isinstance(one, ast.Call) and last(one.func) == "exercise"]
    return any(isinstance(one.args[0], ast.Constant) and one.args[0].value == exercise for one in marks if one.args)


def _bound(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {one.asname or one.name.split(".")[0] for one in node.names}
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)}
