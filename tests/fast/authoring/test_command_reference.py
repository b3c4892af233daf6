"""The page of the commands is what the program says of itself."""

import subprocess
import sys

from helpers.submissions import COURSE

PAGE = COURSE.root / "docs" / "commands.md"


def test_the_page_is_what_the_program_says() -> None:
    command = [sys.executable, "-m", "typer", "autograder.cli", "utils", "docs"]
    options = ["--name", "autograder", "--title", "The commands"]
    run = subprocess.run([*command, *options], capture_output=True, text=True, check=True, cwd=COURSE.root)
    assert PAGE.read_text(encoding="utf-8").strip() == run.stdout.strip(), "run: make commands"
