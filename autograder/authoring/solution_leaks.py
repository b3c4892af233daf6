"""What a released notebook tells of its solutions, in whatever wording a normaliser can see through.

A solution's lines are looked for in every text of the released file (sources, outputs, metadata, attachments): without
regard to spaces, quotes and capitals, behind comment signs, backwards, in ROT13, and in what is encoded as base64 or
hex, compressed or not. Its statements are looked for as well, with variables under other names. A line that the lesson
itself shows outside of its solutions is no secret, unless it shows the better part of a solution.
"""

import ast
import base64
import binascii
import codecs
import re
import textwrap
import zlib
from collections.abc import Iterator
from typing import Any, Final

MARKERS: Final = ("### BEGIN SOLUTION", "### END SOLUTION")
# Shorter lines and smaller statements tell nothing: `return result` is in every notebook.
SHORTEST_LINE: Final = 13
SMALLEST_STATEMENT: Final = 12
_ENCODED: Final = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_SIGNS: Final = re.compile(r"^\s*(?:#|>|//|\*)+ ?", re.MULTILINE)


def leaks(source: dict[str, Any], released: dict[str, Any]) -> list[str]:
    """The lines and statements of `source`'s solutions that can be read in `released`, both as notebooks' JSON."""
    solutions, others = _divided(source)
    given = list(_texts(released))
    shown = "\n".join(squeezed(text) for text in others)
    forms = [form for text in given for form in _forms(text)]
    haystack = "\n".join(squeezed(text) for form in forms for text in (form, form[::-1], codecs.encode(form, "rot13")))
    found: list[str] = []
    for text in solutions:
        told = [line.strip() for line in text.splitlines() if len(squeezed(line)) >= SHORTEST_LINE]
        public = [line for line in told if squeezed(line) in shown]
        whole = len(public) >= 3 and len(public) > len(told) / 2
        found += [line for line in told if squeezed(line) in haystack and (whole or line not in public)]
    found += [marker for marker in MARKERS if squeezed(marker) in haystack]
    known = {statement for text in others for statement in _statements(text)}
    readable = {statement for form in forms for statement in _statements(form)}
    for text in solutions:
        found += [line for shape, line in _statements(text).items() if shape in readable and shape not in known]
    return list(dict.fromkeys(found))


def squeezed(text: str) -> str:
    """Text without what reformatting changes."""
    return re.sub(r"[\s\"'\\]", "", text).lower()


def _divided(source: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The texts between the markers, one a solution, and all other texts of the notebook's cells."""
    solutions: list[str] = []
    others: list[str] = []
    for cell in source["cells"]:
        inside = False
        kept: list[str] = []
        for line in "".join(cell["source"]).splitlines():
            if line.strip() == MARKERS[0]:
                inside = True
                solutions.append("")
            elif line.strip() == MARKERS[1]:
                inside = False
            elif inside:
                solutions[-1] += line + "\n"
            else:
                kept.append(line)
        others.append("\n".join(kept))
    return solutions, others


def _texts(value: Any) -> Iterator[str]:
    """Every text in the JSON, a list of lines as one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):
            yield "".join(value)
        else:
            for item in value:
                yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)


def _forms(text: str, depth: int = 2) -> Iterator[str]:
    """The text, the text without comment signs, and what it holds in code, which may hide some in turn."""
    yield text
    unsigned = _SIGNS.sub("", text)
    if unsigned != text:
        yield unsigned
    for match in _ENCODED.findall(text) if depth else ():
        for decoded in _decoded(match):
            yield from _forms(decoded, depth - 1)


def _decoded(text: str) -> Iterator[str]:
    raw: list[bytes] = []
    for decode in (base64.b64decode, base64.urlsafe_b64decode, bytes.fromhex):
        try:
            raw.append(decode(text))
        except (ValueError, binascii.Error):
            continue
    for data in raw:
        try:
            yield data.decode()
        except UnicodeDecodeError:
            try:
                yield zlib.decompress(data, 47).decode()  # zlib or gzip
            except (zlib.error, UnicodeDecodeError):
                continue


def _statements(text: str) -> dict[str, str]:
    """The statements in `text`, by their shapes: names in the order in which they occur, docstrings left out."""
    found: dict[str, str] = {}
    for code in _code(text):
        for node in ast.walk(code):
            if isinstance(node, ast.stmt) and not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                shape = _shape(node)
                if shape is not None:
                    found.setdefault(shape, ast.unparse(node).splitlines()[0])
    return found


def _code(text: str) -> Iterator[ast.Module]:
    """Whatever in `text` is Python: the whole, its fenced blocks, its inline code, or single lines."""
    fenced = re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]{12,})`", text)
    for part in (text, *fenced):
        for candidate in (textwrap.dedent(part), "def _():\n" + textwrap.indent(textwrap.dedent(part), "    ")):
            try:
                yield ast.parse(candidate)
                break
            except (SyntaxError, ValueError, MemoryError, RecursionError):
                continue
        else:
            for line in part.splitlines():
                try:
                    yield ast.parse(f"def _():\n    {line.strip()}")
                except (SyntaxError, ValueError, MemoryError, RecursionError):
                    continue


def _shape(statement: ast.stmt) -> str | None:
    """The statement with its variables numbered; None when it is too small to tell anything."""
    nodes = list(ast.walk(statement))
    if len([node for node in nodes if not isinstance(node, ast.expr_context)]) < SMALLEST_STATEMENT:
        return None
    numbers: dict[str, str] = {}
    copy = ast.parse(ast.unparse(statement))
    nodes = list(ast.walk(copy))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    for node in nodes:
        if isinstance(node, ast.Name) and id(node) not in called:
            node.id = numbers.setdefault(node.id, f"v{len(numbers)}")
        elif isinstance(node, ast.arg):
            node.arg = numbers.setdefault(node.arg, f"v{len(numbers)}")
    return ast.dump(copy)
