"""What the statements of a cell bind and read: the questions about names that `plain_code` asks of Python's syntax."""

import ast
import symtable
from collections.abc import Iterable, Iterator, Set

from autograder.submission.plain_lists import LISTS, PURE

Imports = frozenset[tuple[str, str]]


def imported(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Each imported name, and each class, with the words that lead to it."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((one.asname, one.name) if one.asname else (one.name.split(".")[0],) * 2 for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)
        elif isinstance(node, ast.ClassDef):
            yield node.name, node.name.capitalize()  # a class, whatever its name


def renamed(nodes: Iterable[ast.AST], imports: Imports) -> Iterator[tuple[int, tuple[str, str]]]:
    """Where a part of a library gets a short name, `layers = keras.layers`: the part's place, and its two names."""
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute(attr=part) as value):
                root, *rest = chain(value) or [""]
                if part in LISTS["inner_modules"] and PURE.issuperset(rest) and root in {one for one, _ in imports}:
                    yield id(value), (name, ".".join([root, *rest]))


def names(*nodes: Iterable[ast.AST], store: bool = False) -> set[str]:
    """The names in these nodes that are read; with `store` those that are bound."""
    kind = ast.Store if store else ast.Load
    return {one.id for some in nodes for one in some if isinstance(one, ast.Name) and isinstance(one.ctx, kind)}


def bodies(node: ast.stmt) -> list[list[ast.stmt]]:
    """The lists of statements within a statement."""
    handlers = [one.body for one in getattr(node, "handlers", [])]
    return [*(getattr(node, name, []) for name in ("body", "orelse", "finalbody")), *handlers]


def tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """A table of symbols, and all within it."""
    yield table
    for inner in table.get_children():
        yield from tables(inner)


def defaults(arguments: ast.arguments) -> list[ast.expr]:
    """The arguments' defaults, as far as there are any."""
    return [one for one in (*arguments.defaults, *arguments.kw_defaults) if one is not None]


def is_fixed(node: ast.expr, known: Set[str] = frozenset()) -> bool:
    """Whether nobody can change what it makes: a number, a text, a tuple of these, a span of time; a `known` name."""
    match node:
        case ast.Constant() | ast.JoinedStr():
            return True
        case ast.Name(id=name):
            return name in known
        case ast.Tuple(elts=parts):
            return all(is_fixed(one, known) for one in parts)
        case ast.UnaryOp(operand=value):
            return is_fixed(value, known)
        case ast.BinOp(left=left, right=right):
            return is_fixed(left, known) and is_fixed(right, known)
        case ast.Call(func=function, args=parts, keywords=more):
            made = last_name(function) in LISTS["unchanging"]
            return made and all(is_fixed(one, known) for one in [*parts, *(one.value for one in more)])
    return False


def only_defines(node: ast.stmt) -> bool:
    """Imports, functions, constants: they take no time, and chance has no part in them."""
    if isinstance(node, (ast.Assign, ast.Expr)):
        return is_fixed(node.value) or isinstance(node.value, ast.Lambda)
    if isinstance(node, ast.FunctionDef):
        return all(is_fixed(one) or chain(one) for one in defaults(node.args))
    return isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass))


def chain(node: ast.AST) -> list[str]:
    """`np.linalg.norm` as its words; none where it does not begin with a name."""
    if isinstance(node, ast.Attribute):
        before = chain(node.value)
        return before and [*before, node.attr]
    return [node.id] if isinstance(node, ast.Name) else []


def last_name(node: ast.AST) -> str:
    """The name that it ends with: of `a.b(c).d` d; "" where that is no name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def root(node: ast.AST) -> str:
    """The name that a place to store to begins with; "" where it is in something that was just made."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
