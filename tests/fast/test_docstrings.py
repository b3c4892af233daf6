"""What a public docstring must say, as far as a machine can see it: what is raised, and what None means.

An exception counts as raised where a function raises it itself, or a private function of the same module that it
calls. Its docstring names it, or that of its class or module, for what all of them have in common.
"""

import ast
import builtins
import doctest
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.submissions import COURSE

from autograder import errors
from autograder.submission import plain_code

PACKAGE = COURSE.root / "autograder"
# The checks' docstrings are for students; what is in the box is no caller's.
LEFT_OUT = ("checks", "boxed")
NAMED_BY_A_LIBRARY = ("visit_", "pytest_", "mutation_positions", "mutate")
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] not in LEFT_OUT]
# The names under which an exception is caught.
KINDS = {
    name: {base.__name__ for base in kind.__mro__}
    for name, kind in (vars(builtins) | vars(errors) | {"JSONDecodeError": json.JSONDecodeError}).items()
    if isinstance(kind, type)
}
Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Public:
    """A public function or class, with the docstrings that may speak of it, its own first."""

    name: str
    node: Definition
    docstrings: tuple[str, ...]


def public(tree: ast.Module) -> Iterator[Public]:
    shared = ast.get_docstring(tree) or ""
    for node in tree.body:
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        own = ast.get_docstring(node) or ""
        yield Public(node.name, node, (own, shared))
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith(("_", *NAMED_BY_A_LIBRARY)):
                    yield Public(f"{node.name}.{inner.name}", inner, (ast.get_docstring(inner) or "", own, shared))


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a function but those of functions in it."""
    for inner in ast.iter_child_nodes(node):
        if not isinstance(inner, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            yield inner
            yield from own_nodes(inner)


def functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    """The module's private functions and methods, by the name that they are called with."""
    return {
        node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("_")
    }


def raised(node: ast.AST, private: dict[str, ast.FunctionDef], seen: frozenset[str] = frozenset()) -> set[str]:
    """The exceptions that a function raises, and those of private functions that it calls, but for what it catches."""
    found: set[str] = set()
    caught: set[str] = set()
    for one in own_nodes(node):
        if isinstance(one, ast.Raise) and one.exc is not None:
            found.add(last(one.exc.func if isinstance(one.exc, ast.Call) else one.exc))
        elif isinstance(one, ast.Call) and (name := last(one.func)) in private and name not in seen:
            found |= raised(private[name], private, seen | {name})
        elif isinstance(one, ast.ExceptHandler):
            kinds = one.type.elts if isinstance(one.type, ast.Tuple) else [one.type] if one.type else []
            caught |= {last(kind) for kind in kinds}
    return {name for name in found if name[:1].isupper() and not caught & {*KINDS.get(name, ()), name}}


def last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def may_be_none(annotation: ast.expr | None) -> bool:
    return annotation is not None and bool(re.search(r"\| None\b", re.sub(r"\[.*\]", "", ast.unparse(annotation))))


def given(node: Definition) -> Iterator[ast.expr | None]:
    """The types of a function's parameters, or of a class's fields and of what makes it."""
    if isinstance(node, ast.ClassDef):
        yield from (one.annotation for one in node.body if isinstance(one, ast.AnnAssign))
    else:
        yield from (one.annotation for one in [*node.args.args, *node.args.kwonlyargs])


def faults(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    private = functions(tree)
    for one in public(tree):
        if not one.docstrings[0]:
            yield f"{one.name}: no docstring"
        if any(map(may_be_none, given(one.node))) and not re.search(r"\bNone\b", " ".join(one.docstrings[:2])):
            yield f"{one.name}: it takes or has None, and no docstring says what that means"
        if not isinstance(one.node, ast.FunctionDef):
            continue
        for name in sorted(raised(one.node, private)):
            if not any(re.search(rf"\b{name}\b", text) for text in one.docstrings):
                yield f"{one.name}: it raises {name}, and no docstring says when"
        if may_be_none(one.node.returns) and not re.search(r"\bNone\b", one.docstrings[0]):
            yield f"{one.name}: it may return None, and its docstring does not say what that means"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_public_docstrings_say_what_is_raised_and_what_none_means(path: Path) -> None:
    assert list(faults(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def f(): ...", "f: no docstring"),
        ("class A: ...", "A: no docstring"),
        ("class A:\n    'One.'\n    def f(self): ...", "A.f: no docstring"),
        ("def f() -> int | None:\n    'A number.'", "f: it may return None"),
        ("def f(x: int | None = None):\n    'A number.'", "f: it takes or has None"),
        ("class A:\n    'One.'\n    x: int | None = None", "A: it takes or has None"),
        ("def f():\n    'A number.'\n    raise ValueError", "f: it raises ValueError"),
        ("def f():\n    'A number.'\n    _g()\ndef _g(): raise ValueError('no')", "f: it raises ValueError"),
    ],
)
def test_what_is_left_out_is_found(source: str, says: str) -> None:
    [fault] = faults(source)
    assert fault.startswith(says)


@pytest.mark.parametrize(
    "source",
    [
        "def f(x: int | None = None):\n    'Of x; None: of all.'",
        "class A:\n    'One; x is None where there is none.'\n    x: int | None",
        "def _f(): raise ValueError",
        "class _A:\n    def f(self): ...",
        "class A:\n    'Raises ValueError.'\n    def f(self):\n        'Ask.'\n        raise ValueError",
        "def f() -> int | None:\n    'A number; None: there is none.'",
        "def f():\n    'A number.'\n    try: _g()\n    except ValueError: pass\ndef _g(): raise ValueError('no')",
    ],
)
def test_what_is_said_or_caught_is_no_fault(source: str) -> None:
    assert list(faults(source)) == []


def test_worked_examples_come_out_as_they_say() -> None:
    tried = doctest.testmod(plain_code)
    assert (tried.failed, tried.attempted > 4) == (0, True)
