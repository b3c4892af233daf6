"""Changes to the text of a cell: another token, a statement more, another value returned."""

import ast
import io
import random
import tokenize
from collections.abc import Callable, Iterator


def bound(source: str) -> Iterator[str]:
    """The names that an experiment binds for the notebook."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif not isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


def is_python(code: str | None) -> bool:
    try:
        ast.parse(f"def f():\n{''.join('    ' + line + chr(10) for line in (code or 'pass').split(chr(10)))}")
    except (SyntaxError, ValueError):
        return False
    return True


def within(source: str, function: str, statement: str | None, returned: str | None) -> str | None:
    """The answer's function with a statement at its beginning, and another value returned; None where that fails."""
    try:
        tree, more = ast.parse(source), ast.parse(statement or "").body
    except SyntaxError:
        return None
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    if not found:
        return None
    if returned:
        found[-1].body = [_Returning(returned).visit(node) for node in found[-1].body]
    found[-1].body[:0] = more
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


class _Returning(ast.NodeTransformer):
    """Of the function itself, and not of those within it."""

    def __init__(self, returned: str) -> None:
        self.returned = returned

    def visit_Return(self, node: ast.Return) -> ast.Return:
        value = ast.unparse(node.value) if node.value else "None"
        return ast.Return(ast.parse(self.returned.replace("$V", f"({value})"), mode="eval").body)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return node


def unquoted(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return ""


def other_token(source: str, kind: int, chance: random.Random, new: Callable[[str], str]) -> str:
    """The source with one of its tokens of a kind replaced; as it is where there is none."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return source
    there = [one for one in tokens if one.type == kind and not one.string.startswith(("f", '"""'))]
    if not there:
        return source
    chosen = chance.choice(there)
    lines = source.split("\n")
    (row, begin), (_, end) = chosen.start, chosen.end
    lines[row - 1] = lines[row - 1][:begin] + new(chosen.string) + lines[row - 1][end:]
    return "\n".join(lines)
