"""What a cell's names say: which it binds, which it changes, and which it needs from the cells before it.

This is conservative: whatever may change a variable counts as changing it, and code that can do more than its names
say (`exec`, `globals`, files, shell commands) is opaque.
"""

import ast
import keyword
import re
import warnings
from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from autograder.submission.effects import (
    DEFINITIONS,
    HISTORY,
    LEAD_THERE,
    MAGICS,
    REACHES_ALL,
    SETTINGS,
    called_at_once,
    draws_and_seeds,
    is_constant,
    is_harmless,
    is_random,
    is_safe,
    last_name,
    looks_up_by_text,
    may_keep,
    names_in_chain,
    receiver,
    root_name,
    undone_by_with,
)
from autograder.submission.scopes import Scope

MOST_CHARACTERS: Final = 50_000  # of a cell that is looked into
MAGIC_WITHOUT_EFFECT: Final = ("%matplotlib", "%config InlineBackend")


@dataclass(frozen=True)
class Facts:
    """What a cell's names say.

    `binds` may be bound or deleted; `surely` are bound when the cell has run to its end, `certain` even if it ends in
    an exception; `solid` are modules, functions, classes and constants, which nobody changes by the way. `needs` are
    read before the cell itself has bound them, `later` when its functions run, `waiting` those of them that were not
    bound yet where these were defined. `targets` are changed in place (`x[0] = 1`, `x.a = 1`); anything else that is
    read and is not solid may be. `groups` are the names of each statement: what it reads and binds may be one thing.
    `same` are the names of what looks like a constant, and is only if what it is called after is one.
    `holding` has the functions and classes, each with the names that it may keep; its own is among them if it
    may keep its arguments. `called` are called for their effect, or changed, and matter if they are of a module: a
    setting of a whole library.
    `packages` are imported by name, and then have all of their modules that some cell `loads`.
    `opaque`: it may do more. `draws`: it computes at once, `evidently` with random numbers; `seeds`: before that, it
    sets their seed.
    """

    binds: frozenset[str] = frozenset()
    surely: frozenset[str] = frozenset()
    certain: frozenset[str] = frozenset()
    solid: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    groups: tuple[frozenset[str], ...] = ()
    same: tuple[frozenset[str], ...] = ()
    holding: tuple[tuple[str, frozenset[str]], ...] = ()
    called: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    loads: frozenset[str] = frozenset()
    opaque: bool = False
    draws: bool = False
    evidently: bool = False
    seeds: bool = False


@lru_cache(maxsize=512)
def facts(source: str) -> Facts:
    """The names of one cell. A cell that Python cannot read does nothing; IPython's own syntax may do anything."""
    lines = [line for line in source.split("\n") if not line.startswith(MAGIC_WITHOUT_EFFECT)]
    tree = parsed("\n".join(lines))
    if tree is None:
        return Facts(opaque=len(source) > MOST_CHARACTERS or any(map(_is_magic, lines)) or _is_automagic(lines))
    if _is_automagic(lines, MAGICS):
        return Facts(opaque=True)
    try:
        return _Reader().read(tree)
    except RecursionError:
        return Facts(opaque=True)


def _is_magic(line: str) -> bool:
    line = line.strip()
    starts, ends = line.startswith(("%", "!", "?", "/", ",", ";", ">>>", "...", "In [")), line.endswith("?")
    return starts or ends or "await" in line or re.search(r"=\s*[%!]", line) is not None


def _is_automagic(lines: list[str], magics: Container[str] | None = None) -> bool:
    """`time model.fit(X, y)`: in a cell of one line, IPython reads the word as the magic of this name."""
    words = [line.split() for line in lines if line.strip()]
    if len(words) != 1 or not words[0][0].isidentifier() or keyword.iskeyword(words[0][0]):
        return False
    return magics is None or (words[0][0] in magics and words[0][1:2] != ["="])


def parsed(source: str) -> ast.Module | None:
    """None for text that is not Python, or too long or too deep to analyse."""
    if len(source) > MOST_CHARACTERS:
        return None
    indent = re.match(r"(?:[ \t]*\n)*([ \t]+)\S", source)
    if indent:  # IPython takes away what the first line is indented by
        source = re.sub("(?m)^" + indent[1], "", source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escape sequences
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Reader:
    def __init__(self) -> None:
        self.binds: set[str] = set()
        self.surely: set[str] = set()
        self.fresh: set[str] = set()  # of them, what this branch has bound
        self.certain: set[str] = set()
        self.may_have_raised = False
        self.unsolid: set[str] = set()
        self.waiting: set[str] = set()  # needed by functions that were defined before the cell had bound it
        self.needs: set[str] = set()
        self.later: set[str] = set()
        self.groups: list[frozenset[str]] = []
        self.same: list[frozenset[str]] = []
        self.holding: list[tuple[str, frozenset[str]]] = []

    def read(self, tree: ast.Module) -> Facts:
        self.block(tree.body)
        targets, called, modules = set[str](), set[str](), set[str]()
        packages, loads, opaque = set[str](), set[str](), looks_up_by_text(tree)
        for node in ast.walk(tree):
            if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
                targets |= {root_name(node)}
                if not is_harmless(node):
                    called |= {root_name(node)}
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                targets.add(node.target.id)
            if isinstance(node, (ast.Attribute, ast.Name)) and last_name(node) in LEAD_THERE | SETTINGS:
                opaque = True
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                registered = {root_name(one) for one in node.decorator_list if "register" in names_in_chain(one)}
                targets |= registered
                called |= registered
            if isinstance(node, ast.ImportFrom):
                renamed = {alias.name for alias in node.names if alias.asname}
                opaque |= bool(node.level or renamed & (LEAD_THERE | SETTINGS) or node.names[0].name == "*")
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
                opaque |= any(name.split(".")[0] in REACHES_ALL for name in names)
                package = {f"import {name.split('.')[0]}" for name in names}  # no name of a variable
                packages |= package if isinstance(node, ast.Import) else set()
                loads |= package if isinstance(node, ast.ImportFrom) or any("." in name for name in names) else set()
                modules |= {one.asname or one.name.split(".")[0] for one in node.names}
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and not is_harmless(node.value.func):
                called.add(receiver(node.value.func))
                if isinstance(node.value.func, ast.Attribute):
                    targets.add(receiver(node.value.func))
        draws, seeds = draws_and_seeds(tree)
        called -= {receiver(one.func) for one in undone_by_with(tree)}
        read = self.needs | self.later
        opaque |= any(name in REACHES_ALL or HISTORY.fullmatch(name) for name in read - self.binds)
        return Facts(
            binds=frozenset(self.binds),
            surely=frozenset(self.surely),
            certain=frozenset(self.certain),
            solid=frozenset(self.binds - self.unsolid),
            needs=frozenset(self.needs | self.waiting & self.surely),
            later=frozenset(self.later),
            waiting=frozenset(self.waiting),
            targets=frozenset(targets - {""}),
            groups=tuple(self.groups),
            same=tuple(self.same),
            holding=tuple(self.holding),
            called=frozenset(called),
            modules=frozenset(modules),
            packages=frozenset(packages),
            loads=frozenset(loads),
            opaque=opaque,
            draws=draws,
            evidently=draws and any(is_random(one) for statement in tree.body for one in called_at_once(statement)),
            seeds=seeds,
        )

    def block(self, body: Iterable[ast.stmt]) -> None:
        for node in body:
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        """In the order of execution; what a branch or a loop binds is bound within it, and perhaps after it."""
        if isinstance(node, (ast.If, ast.While)):
            self.simple(ast.Expr(node.test))
            self.branches([], node.body, node.orelse)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self.simple(ast.Expr(node.iter))
            self.together(node.target, node.iter)
            self.branches([node.target], node.body, node.orelse)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self.simple(ast.Expr(item.context_expr))
                self.together(item)
            self.branches([one.optional_vars for one in node.items if one.optional_vars], node.body)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            self.branches([], node.body, node.orelse, node.finalbody)
            for one in node.handlers:
                if one.type:
                    self.simple(ast.Expr(one.type))
                self.branches([ast.Name(one.name, ast.Store())] if one.name else [], one.body)
        else:
            self.simple(node)

    def together(self, *nodes: ast.AST) -> None:
        names = Scope()
        for node in nodes:
            names.visit(node)
        self.groups.append(frozenset(names.bound | names.bound_later | names.now | names.later))

    def branches(self, targets: list[ast.expr], *bodies: list[ast.stmt]) -> None:
        self.may_have_raised = True
        for body in bodies:
            outer, self.fresh = self.fresh, set()
            for target in targets:
                self.simple(ast.Assign([target], ast.Constant(None), lineno=0))
                self.unsolid |= {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}
            self.block(body)
            self.surely -= self.fresh
            self.fresh = outer

    def simple(self, node: ast.stmt) -> None:
        names = Scope()
        names.visit(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            held = names.later | names.bound_later | ({node.name} if may_keep(node) else set())
            self.holding.append((node.name, frozenset(held)))
        elif not isinstance(node, DEFINITIONS):
            self.groups.append(frozenset(names.bound | names.bound_later | names.now | names.later))
        self.needs |= names.now - self.surely
        self.later |= names.later
        self.waiting |= names.later - self.surely
        bound = names.bound
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id not in self.surely:
            self.needs.add(node.target.id)
        self.binds |= bound | names.bound_later
        if isinstance(node, (*DEFINITIONS, ast.Assign, ast.AugAssign, ast.Expr)) or (
            isinstance(node, ast.AnnAssign) and node.value is not None
        ):
            perhaps = {part.target.id for part in ast.walk(node) if isinstance(part, ast.NamedExpr)}
            fresh = bound - perhaps - self.surely
            self.surely |= fresh
            self.fresh |= fresh
        self.may_have_raised = self.may_have_raised or bool(names.now) or not is_safe(node)
        if not self.may_have_raised:
            self.certain |= bound
        constant = isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None and is_constant(node.value)
        if (
            names.now
            and isinstance(node, (ast.Assign, ast.AnnAssign))
            and (constant or isinstance(node.value, ast.Name))
        ):
            self.same.append(frozenset(bound | names.now))
        if not isinstance(node, DEFINITIONS) and not constant:
            self.unsolid |= bound
        self.unsolid |= names.bound_later
