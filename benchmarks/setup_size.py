"""How much room and time the set-up takes, the students' and the instructor's, beside that of an earlier commit.

    python benchmarks/setup_size.py COMMIT

Both commits are cloned and set up in turn, as a newcomer does: an empty home, nothing downloaded before. Takes some
5 GB and a quarter of an hour; nothing is left of it.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import typer
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent


def main(commit: str) -> None:
    """Print a table in Markdown. Raises SystemExit with what a command said when a set-up fails."""
    ways: dict[str, Callable[[Path], None]] = {"students": students, "instructor": instructors}
    lines = ["| set-up | before | now | to before |", "|---|---:|---:|---:|"]
    for name, way in ways.items():
        (size_before, time_before), (size, seconds) = (measured(one, way) for one in (commit, "HEAD"))
        lines.append(f"| {name}, MiB | {size_before:,.0f} | {size:,.0f} | {size / size_before:.2f} |")
        lines.append(f"| {name}, seconds | {time_before:.0f} | {seconds:.0f} | {seconds / time_before:.2f} |")
    Console().print("\n".join(lines), markup=False, soft_wrap=True)


def measured(commit: str, way: Callable[[Path], None]) -> tuple[float, float]:
    """Size of `.venv` in MiB and the seconds that it took, in a fresh clone of this commit."""
    with tempfile.TemporaryDirectory(prefix="setup-") as folder:
        clone = Path(folder, "course")
        run(Path(folder), "git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone))
        run(clone, "git", "checkout", "--quiet", "--detach", full_name(commit))
        start = time.monotonic()
        way(clone)
        seconds = time.monotonic() - start
        return mebibytes(clone / ".venv"), seconds


def students(clone: Path) -> None:
    """The packages, as the kit's README has them installed."""
    run(clone, sys.executable, "-m", "venv", ".venv")
    python = str(clone / ".venv" / "bin" / "python")
    run(clone, python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", "requirements-student.lock")
    if (clone / "autograder" / "lighten.py").exists():
        run(clone, python, "autograder/lighten.py")


def instructors(clone: Path) -> None:
    run(clone, "make", "--silent", ".venv/installed", f"PYTHON={sys.executable}")


def run(folder: Path, *command: str) -> None:
    home = folder / ".home"
    home.mkdir(exist_ok=True)
    environment = {**os.environ, "HOME": str(home), "PIP_NO_CACHE_DIR": "1"}
    subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
    )


def full_name(commit: str) -> str:
    """Of a commit as it is named here: the clone may call another one so."""
    command = ["git", "rev-parse", "--verify", f"{commit}^{{commit}}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def mebibytes(folder: Path) -> float:
    """What its files occupy on the disk; links are counted as links."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) / 2**20


if __name__ == "__main__":
    typer.run(main)
