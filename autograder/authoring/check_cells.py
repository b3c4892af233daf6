"""The one form of a visible-check cell: a function of its own, called and forgotten.

What a check cell binds at its top level would stand in the student's notebook from then on: a helper that is called
`gates` would be an array for every check that comes later, and a right answer would lose. A function has names of its
own, also where a student runs the cell in any Jupyter.
"""

import ast
import io
import tokenize
from typing import Final

_INDENT: Final = "    "


def name_of(exercise: str) -> str:
    """What the function is called, out of a student's way."""
    return "_check_" + exercise.replace("-", "_")


def is_apart(source: str, exercise: str) -> bool:
    """Whether the cell defines its function, calls it and removes it in any case, and does nothing else."""
    name = name_of(exercise)
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return False
    ends = "\n".join(map(ast.unparse, body[1:]))
    return bool(body) and isinstance(body[0], ast.FunctionDef) and body[0].name == name and ends == _end(name)


def _end(name: str) -> str:
    """How the cell goes on below the function: nothing of it stays, also where the check fails."""
    return f"try:\n    {name}()\nfinally:\n    del {name}"


def apart(source: str, exercise: str) -> str:
    """The cell in that form; what is no Python, or in that form already, stays as it is."""
    try:
        within = _within_texts(source)
    except (SyntaxError, tokenize.TokenError):
        return source
    if is_apart(source, exercise):
        return source
    lines = [
        line if number in within or not line else _INDENT + line
        for number, line in enumerate(source.rstrip("\n").split("\n"), 1)
    ]
    name = name_of(exercise)
    return f"def {name}():\n" + "\n".join(lines) + f"\n\n\n{_end(name)}"


def _within_texts(source: str) -> set[int]:
    """The lines that begin within a text of several lines: a space there would be part of the text."""
    ast.parse(source)
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1)}:
            found |= set(range(token.start[0] + 1, token.end[0] + 1))
    return found
