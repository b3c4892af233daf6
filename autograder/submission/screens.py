"""Settings that ask for a window on a screen. A box has none, so figures are shown in the notebook as always.

Each setting is replaced where it stands, so that line numbers stay as they are.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from autograder.text import plain

MAGIC: Final = re.compile(r"^([ \t]*)%?(matplotlib|pylab|gui)[ \t]+(\S+)(.*)$", re.MULTILINE)
# What asks for a window or for a browser, as %matplotlib and as Matplotlib call it.
MAGIC_NAMES: Final = frozenset(
    [
        "qt", "qt4", "qt5", "qt6", "tk", "wx", "gtk", "gtk2", "gtk3", "gtk4", "osx", "macosx", "widget", "ipympl",
        "notebook", "nbagg", "webagg",
    ]
)  # fmt: skip
BACKENDS: Final = MAGIC_NAMES | {
    "qtagg", "qtcairo", "qt4agg", "qt5agg", "qt5cairo", "tkagg", "tkcairo", "wxagg", "wxcairo", "gtkagg", "gtk3agg",
    "gtk3cairo", "gtk4agg", "gtk4cairo", "module://ipympl.backend_nbagg",
}  # fmt: skip
SETTERS: Final = frozenset({"use", "switch_backend"})
KEYS: Final = frozenset({"backend", "MPLBACKEND"})
MOST_CHARACTERS: Final = 100_000


def without_screen(source: str) -> tuple[str, list[str]]:
    """The code without such settings, and each of those as it was written."""
    if len(source) > MOST_CHARACTERS or not re.search(r"matplotlib|pylab|gui|use|backend|MPLBACKEND", source):
        return source, []
    found: list[str] = []

    def inline(match: re.Match[str]) -> str:
        indent, magic, name, _ = match.groups()
        if name.lower() not in MAGIC_NAMES:
            return match[0]
        found.append(match[0].strip())
        return f"{indent}pass" if magic == "gui" else f"{indent}%{magic} inline"

    source = MAGIC.sub(inline, source)
    lines = re.findall(r".*?(?:\r\n|\r|\n)|.+\Z", source, re.DOTALL)  # as Python counts them
    for node in sorted(_settings(source), key=lambda one: (one.lineno, one.col_offset), reverse=True):
        line = lines[node.lineno - 1].encode()
        found.insert(0, line[node.col_offset : node.end_col_offset].decode())
        harmless = b"pass" if isinstance(node, ast.stmt) else b"None"
        lines[node.lineno - 1] = (line[: node.col_offset] + harmless + line[node.end_col_offset :]).decode()
    return "".join(lines), found


def note(cell: str, settings: list[str]) -> str:
    """A sentence on what was replaced in a cell."""
    told = ", ".join(f"`{plain(one, 60)}`" for one in settings[:3])
    return f"{cell[0].upper()}{cell[1:]} asks for a window ({told}). The grader has no screen, so this had no effect."


def _settings(source: str) -> Iterator[ast.stmt | ast.expr]:
    """Where Python code asks for a window, on one line; nothing in what cannot be read."""
    # A line for IPython is no Python, but as long as one.
    text = re.sub(r"^([ \t]*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        match node:
            case ast.stmt() | ast.expr() if node.lineno != node.end_lineno:
                pass
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="style"))):
                pass  # a style may have any name
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in SETTERS:
                values = [*node.args[:1], *(one.value for one in node.keywords if one.arg in {"backend", "newbackend"})]
                if any(_asks(value, BACKENDS) for value in values):
                    yield node
            case ast.Call(
                func=ast.Attribute(attr="run_line_magic"),
                args=[ast.Constant(value="matplotlib" | "pylab" | "gui"), value, *_],
            ) if _asks(value, MAGIC_NAMES):
                yield node
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=key))], value=value):
                if isinstance(key, str) and key in KEYS and _asks(value, BACKENDS):
                    yield node


def _asks(value: ast.expr, names: frozenset[str]) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value.lower() in names
