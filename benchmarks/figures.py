"""Measured figures in a document: each part stands between two markers, and its benchmark writes it there."""

import os
import platform
import re
import shlex
import sys
import time
from pathlib import Path
from typing import Final

from rich.table import Table

FIGURES: Final = Path(__file__).resolve().parent / "README.md"


def markers(part: str) -> tuple[str, str]:
    return f"<!-- figures: {part} -->", "<!-- end -->"


def part_of(document: Path, part: str) -> str:
    """What stands between the part's markers. Raises LookupError where the document has no such part."""
    begin, end = markers(part)
    _, found, rest = document.read_text(encoding="utf-8").partition(begin)
    if not found:
        raise LookupError(f"{document.name} has no line `{begin}`: write it, and `{end}` below it.")
    return rest.partition(end)[0].strip("\n")


def write(document: Path, part: str, text: str) -> None:
    """Replace what stands between the part's markers; a part that is new comes at the document's end."""
    begin, end = markers(part)
    whole = document.read_text(encoding="utf-8")
    if begin not in whole:
        whole += f"\n{begin}\n{end}\n"
    before, _, rest = whole.partition(begin)
    document.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def _shown(word: str) -> str:
    """An argument as a document may have it: of a folder on this machine, its name."""
    return f"../{Path(word).name}" if Path(word).is_absolute() else word


def measured(*tables: Table) -> str:
    """The tables in Markdown, under a line that says when, where and by which command they were measured."""
    command = shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *map(_shown, sys.argv[1:])])
    where = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    told = f"Measured {time.strftime('%Y-%m-%d')}, {where}: `{command}`."
    return "\n\n".join([told, *map(markdown, tables)])


def markdown(table: Table) -> str:
    """The table in Markdown, with its title above it."""
    aligned = ["---:" if column.justify == "right" else "---" for column in table.columns]
    rows = [[str(column.header) for column in table.columns], aligned]
    rows += [list(map(str, row)) for row in zip(*(column.cells for column in table.columns), strict=True)]
    title = [f"{table.title}", ""] if table.title else []
    return "\n".join([*title, *(f"| {' | '.join(row)} |" for row in rows)])


def first_number(part: str, row: str) -> float:
    """The first number of a row, from the figures that were written last. Raises LookupError where there is none."""
    found = re.search(rf"^\| {re.escape(row)} \| ([\d.]+)", part_of(FIGURES, part), re.MULTILINE)
    if not found:
        raise LookupError(f"`{part}` in {FIGURES.name} has no row `{row}` with a number.")
    return float(found[1])
