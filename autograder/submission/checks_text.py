"""Read the hidden checks' code: which of it belongs to an exercise, and for which names of the notebook it asks.

Where students check themselves there is none: then no names are asked for.
"""

import ast
from collections.abc import Iterable
from functools import lru_cache

from autograder.course import Assignment
from autograder.submission.cell_names import last_name


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
