"""The command as a process of its own, and a submission that it grades in seconds."""

import os
import subprocess
import sys
from pathlib import Path

from helpers.submissions import lean, only, write

ASSIGNMENT = "03_numeric_data"


def autograder(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-m", "autograder", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "120", **environment}
    )


def submission(folder: Path, student: str = "ada") -> Path:
    return write(lean(only(ASSIGNMENT, "invert")), folder / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
