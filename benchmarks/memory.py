"""How much memory a grading takes, of all its processes together, and whether the warm parent stays as it is.

    python benchmarks/memory.py 09_echo --students 4 --workers 2 --write

Shared pages count once (the kernel's proportional set size), so that the sum is what the machine has less.
"""

import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from figures import FIGURES, measured, write
from rich.console import Console
from rich.table import Table

from autograder.authoring.release import reference
from autograder.course import Course

MIB = 1024  # /proc counts in KiB


def main(
    assignments: list[str],
    students: int = 4,
    workers: int = 1,
    every: float = 0.3,
    keep: Annotated[bool, typer.Option("--write", help="Also write the table into benchmarks/README.md.")] = False,
) -> None:
    """Grade each assignment's reference, warm and cold, and look at the memory `every` so many seconds."""
    course = Course.find(Path(__file__).parent)
    grid = Table(title=f"MiB, {students} submissions, {workers} workers", title_justify="left")
    for heading in ("", "all at most", "a worker", "largest process", "parent's own, first", "last", "submissions"):
        grid.add_column(heading, justify="right" if heading else "left")
    for name in assignments:
        for words in ([], ["--cold"]):
            with tempfile.TemporaryDirectory() as folder:
                text = json.dumps(reference(course.root / "source" / name / f"{name}.ipynb"))
                for student in range(students):
                    path = Path(folder, f"student{student}", name, f"{name}.ipynb")
                    path.parent.mkdir(parents=True)
                    path.write_text(text, encoding="utf-8")
                command = [sys.executable, "-m", "autograder", "grade", folder, "--json", "--workers", str(workers)]
                sums, largest, parents = watch([*command, "--course", str(course.root), *words], every)
            own = [f"{found / MIB:.0f}" for found in (parents[len(parents) // 4], parents[-1])] if parents else ["", ""]
            whole = max(sums) / MIB
            row = [f"{whole:.0f}", f"{whole / workers:.0f}", f"{largest / MIB:.0f}", *own, str(students)]
            grid.add_row(" ".join([name, *words]), *row)
    Console().print(grid)
    if keep:
        write(FIGURES, "memory", measured(grid))


def watch(command: list[str], every: float) -> tuple[list[int], int, list[int]]:
    """Of each look: the sum over all processes; of all looks, the largest process; and the warm parent's own pages."""
    sums, largest, parents = [0], 0, []
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None:
        found = [kib("smaps_rollup", "Pss", pid) for pid in tree(running.pid)]
        sums.append(sum(found))
        largest = max(largest, *found)
        parents += [kib("status", "RssAnon", pid) for pid in tree(running.pid) if is_parent(pid)]
        time.sleep(every)
    if running.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {running.returncode}")
    return sums, largest, parents


def tree(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from tree(int(child))


def is_parent(pid: int) -> bool:
    with contextlib.suppress(OSError):
        warm = b"boxed import warm" in Path(f"/proc/{pid}/cmdline").read_bytes()
        return warm and Path(f"/proc/{pid}/comm").read_text().startswith("python")
    return False


def kib(file: str, key: str, pid: int) -> int:
    with contextlib.suppress(OSError):
        found = re.search(rf"^{key}:\s+(\d+)", Path(f"/proc/{pid}/{file}").read_text(), re.MULTILINE)
        return int(found[1]) if found else 0
    return 0


if __name__ == "__main__":
    typer.run(main)
