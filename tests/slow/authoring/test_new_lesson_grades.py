"""A new lesson grades at once: its solution earns all, its release nothing, its answers what they deserve."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from helpers.submissions import COURSE

NAME = "11_trial"
PARTS = ("autograder", "source", "release", "tests", "README.md", "pyproject.toml")


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A module of Python that finds the copy's grader, and so the copy's course."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    )


def test_it_grades_at_once(tmp_path: Path) -> None:
    for part in PARTS:
        path = COURSE.root / part
        if path.is_dir():
            shutil.copytree(path, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, tmp_path / part)
    for command in (["new", NAME], ["release", NAME]):
        done = run(tmp_path, "autograder", *command)
        assert done.returncode == 0, done.stderr
    graded = run(tmp_path, "autograder", "grade", f"solutions/{NAME}", f"release/{NAME}", "--json", "--workers", "1")
    assert graded.returncode == 0, graded.stderr
    solution, release = json.loads(graded.stdout)
    assert (solution["score"], solution["max_score"]) == (2, 2)
    assert (release["score"], release["max_score"]) == (0, 2)
    assert "Not answered yet" in release["exercises"][0]["message"]
    # The course's own tests, of this lesson: its answers, and the pages that are made of it.
    tests = [
        "tests/slow/examination/test_answers.py", "tests/fast/authoring/test_lesson_rules.py",
        "tests/fast/authoring/test_slide_map.py", "tests/fast/submission/test_slicing.py",
    ]  # fmt: skip
    held = run(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", "-k", f"{NAME} or test_the_map", *tests)
    assert held.returncode == 0, held.stdout
    assert "passed" in held.stdout
