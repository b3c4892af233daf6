"""Who may import whom: the layers that pyproject.toml names, and what a box is shown of the grader.

The contracts see only what can be imported by its name, and are content with that. So the files that they read are
counted, and the hidden checks, which no import can name, are read here.
"""

import ast
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.submissions import COURSE

from autograder.box.limits import Limits
from autograder.box.sandbox import PACKAGE, Box, view
from autograder.box.warm import Parent

GRADER = COURSE.root / "autograder"
BOXED = GRADER / "boxed"
CHECKS = sorted((GRADER / "checks").rglob("*.py"))
# What runs beside student code may need these, which the notebooks' own kernel needs as well.
IN_A_BOX = {
    "IPython", "ipykernel", "jupyter_client", "nbclient", "nbformat", "numpy", "pandas", "papermill", "tornado",
    "traitlets",
}  # fmt: skip


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Each import of a file: how many folders up it starts (0: by its full name), and the name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.level, ".".join(filter(None, (node.module, alias.name)))) for alias in node.names)


def test_every_import_goes_down() -> None:
    """A new module or wing that has no layer yet fails here, too: give it one in pyproject.toml."""
    linter = str(Path(sysconfig.get_path("scripts"), "lint-imports"))
    command = [linter, "--no-cache", "--config", "pyproject.toml"]
    ended = subprocess.run(command, cwd=COURSE.root, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    read = re.search(r"Analyzed (\d+) files", ended.stdout)
    assert read is not None, ended.stdout
    files = set(GRADER.rglob("*.py")) - set(CHECKS)
    assert int(read[1]) == len(files), "a folder without __init__.py is not read"


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: path.stem)
def test_hidden_checks_use_the_language_of_checks(path: Path) -> None:
    for level, name in imported(path):
        assert level == 0, name
        if name.partition(".")[0] == "autograder":
            assert name.startswith(("autograder.examination.", "autograder.boxed.values.")), name


@pytest.mark.parametrize("path", sorted(BOXED.rglob("*.py")), ids=lambda path: path.stem)
def test_what_is_boxed_imports_its_own_folder_and_packages(path: Path) -> None:
    for level, name in imported(path):
        assert level <= 1, name
        assert level == 1 or name.partition(".")[0] in sys.stdlib_module_names | IN_A_BOX, name


def test_what_is_boxed_runs_without_the_rest_of_the_grader(tmp_path: Path) -> None:
    """Every module of it, started as in a box: from a folder that holds nothing else."""
    shutil.copytree(BOXED, tmp_path / "boxed", ignore=shutil.ignore_patterns("__pycache__"))
    names = sorted(path.stem for path in BOXED.glob("*.py") if path.stem != "__init__")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from boxed import {', '.join(names)}\n"
        "print(*sorted(name for name in sys.modules if name.partition('.')[0] in ('boxed', 'autograder')))"
    )
    ended = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)
    assert ended.stdout.split() == ["boxed", *(f"boxed.{name}" for name in names)], ended.stderr


def started_box(folder: Path) -> list[str]:
    """The command that starts a box, which is not started."""
    box = object.__new__(Box)
    box.limits, box._folder, box._user, box._data = Limits(), folder, 1, (folder / "data.csv",)
    return box._command(("agent",), 9)


def started_parent(folder: Path) -> list[str]:
    return object.__new__(Parent)._command([8, 9], ["numpy"])


@pytest.mark.parametrize("started", [started_box, started_parent])
def test_a_box_is_shown_of_the_grader_only_what_is_boxed(
    started: Callable[[Path], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("sandbox", "warm"):
        monkeypatch.setattr(f"autograder.box.{module}.bubblewrap", lambda: "bwrap")
    words = started(tmp_path)
    shown = {
        (Path(source).resolve(), target)
        for word, source, target in zip(words, words[1:], words[2:], strict=False)
        if word.startswith("--") and "bind" in word
    }
    of_ours = {one for one in shown if one[0].is_relative_to(GRADER) or GRADER.is_relative_to(one[0])}
    assert of_ours == {(BOXED, f"{PACKAGE}/boxed")}
    assert any(f"sys.path.insert(0, {PACKAGE!r}); from boxed import " in word for word in words)


def test_a_grader_among_the_packages_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "autograder"
    installed.mkdir()
    monkeypatch.setattr("autograder.box.sandbox.sysconfig.get_path", lambda _: str(tmp_path))
    words = list(view(Limits()))
    places = [place for place, word in enumerate(words) if word == str(installed)]
    assert [words[place - 1] for place in places] == ["--tmpfs"]
