"""What students are given: nothing hidden, enough to work and to check, and in agreement with the grader."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.grader import Grader
from helpers.submissions import COURSE, Notebook, answered, lean, only, released, solved, source, write

from autograder.authoring import kit
from autograder.cli import COMMANDS
from autograder.errors import KitError

ASSIGNMENT = "03_numeric_data"
CRASH = "def normalize(train, test, feature_range=(0, 1)):\n    import os\n    os._exit(3)\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kit")
    kit.write(COURSE, path)
    return path


def files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and ".git" not in path.parts)


def telling(text: str) -> set[str]:
    """Lines that say something: not imports, not two words."""
    lines = (line.strip() for line in text.splitlines())
    return {line for line in lines if len(line) >= 30 and not line.startswith(("import ", "from "))}


def secrets() -> Iterator[tuple[str, set[str]]]:
    """What nobody may find in the kit: the lines of the hidden checks and what they lean on, and of the solutions.

    Some lines say no secret: lessons have them too, in what students are shown.
    """
    shown = "\n".join("".join(one["source"]) for assignment in COURSE.names for one in released(assignment)["cells"])
    package = COURSE.root / "autograder"
    for path in sorted(path for folder in ("checks", "examination") for path in (package / folder).glob("*.py")):
        yield path.name, {line for line in telling(path.read_text()) if line not in shown}
    for assignment in COURSE.assignments():
        for exercise in assignment.exercises:
            lines = telling(source(solved(assignment.name), exercise.id))
            yield exercise.id, {line for line in lines if line not in shown}


def leaks(folder: Path) -> list[str]:
    """Where the kit holds a line of the hidden checks or of a solution, or a file of the held-out data."""
    held_out = {path.read_bytes() for path in (COURSE.root / "autograder" / "checks").glob("*") if path.is_file()}
    found = []
    hidden = [(name, line) for name, lines in secrets() for line in lines]
    for path in files(folder):
        data = path.read_bytes()
        text = data.decode("utf-8", "replace")
        if path.suffix == ".ipynb":
            text = "\n".join("".join(one["source"]) for one in json.loads(text)["cells"])
        if data in held_out:
            found.append(f"{path.name}: a file of the checks")
        found += [f"{path.name}: {name}: {line}" for name, line in hidden if line in text]
    return found


def test_nothing_hidden_is_in_it(folder: Path) -> None:
    assert leaks(folder) == []
    names = {path.relative_to(folder).parts[0] for path in files(folder)}
    assert names == {*kit.FILES, "README.md", "pyproject.toml", ".gitignore", ".github", "autograder", "release"}


@pytest.mark.parametrize("leak", ["check", "data", "solution"])
def test_a_leak_would_be_found(leak: str, tmp_path: Path) -> None:
    kit.write(COURSE, tmp_path)
    checks = COURSE.root / "autograder" / "checks"
    if leak == "check":
        text = (checks / f"{ASSIGNMENT}.py").read_text().splitlines()
        (tmp_path / "autograder" / "notes.txt").write_text("\n".join(text[100:140]))
    elif leak == "data":
        [path] = checks.glob("10_deep_forecaster.*[!y]")
        (tmp_path / "release" / "year.gz").write_bytes(path.read_bytes())
    else:
        write(only(ASSIGNMENT, "invert"), tmp_path / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    assert leaks(tmp_path)


def test_the_notebooks_are_the_released_ones(folder: Path) -> None:
    given = {path.relative_to(folder / "release"): path.read_bytes() for path in files(folder / "release")}
    root = COURSE.root / "release"
    assert given == {path.relative_to(root): path.read_bytes() for path in files(root)}


def test_the_requirements_are_the_students(folder: Path) -> None:
    text = (folder / "pyproject.toml").read_text()
    assert '"tensorflow>=' in text
    assert not [name for name in ("nbgrader", "pytest", "ruff", "instructor") if name in text]
    assert (folder / "requirements-student.lock").read_bytes() == (
        COURSE.root / "requirements-student.lock"
    ).read_bytes()


def test_its_modules_import_each_other_and_no_more(folder: Path) -> None:
    """At import; what a command imports when it is called is tried below."""
    given = {f"autograder.{name[:-3].replace('/', '.').removesuffix('.__init__')}" for name in kit.MODULES}
    for name in kit.MODULES:
        for node in ast.parse((folder / "autograder" / name).read_text()).body:
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("autograder."):
                assert node.module in given, f"{name} imports {node.module}"


def test_it_is_written_over_an_older_kit_and_over_nothing_else(tmp_path: Path) -> None:
    written = kit.write(COURSE, tmp_path / "kit")
    gone = tmp_path / "kit" / "release" / "99_old" / "99_old.ipynb"
    write(released(ASSIGNMENT), gone)
    own = tmp_path / "kit" / "work" / "mine.txt"
    write(released(ASSIGNMENT), own)
    assert kit.write(COURSE, tmp_path / "kit") == written
    assert not gone.exists()
    assert own.exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("years of work")
    with pytest.raises(KitError, match="holds something that is no kit"):
        kit.write(COURSE, tmp_path / "other")


def students_python(folder: Path) -> list[str]:
    """Python that finds the kit's grader, and none of the instructor's packages."""
    blocked = (
        "pytest",
        "_pytest",
        "nbgrader",
        "hypothesis",
        "papermill",
        "pyseccomp",
        "jinja2.sandbox",
        "mypy",
        "ruff",
    )
    start = f"import sys; sys.path[:0] = [{str(folder)!r}]; sys.modules.update(dict.fromkeys({blocked!r}))"
    start += "; import autograder; assert autograder.__file__.startswith(sys.path[0])"
    return [sys.executable, "-I", "-c", f"{start}; from autograder.cli import app; app()"]


def check(folder: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [*students_python(folder), "check", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env={"PATH": "/usr/bin:/bin", **environment}
    )


def right() -> Notebook:
    return lean(solved(ASSIGNMENT))


def mixed() -> Notebook:
    """One right, one wrong, one that is no Python, one still open."""
    wrong = "def invert_scaling(scaler, values):\n    return values\n"
    return lean(only(ASSIGNMENT, "standardize", invert=wrong, which_scaler="def suggest_scaler(values)\n"))


def crashed() -> Notebook:
    return lean(answered(solved(ASSIGNMENT), normalize=CRASH))


@pytest.mark.parametrize("notebook", [right, mixed, crashed], ids=lambda make: make.__name__)
def test_its_self_check_agrees_with_the_grader(
    notebook: Callable[[], Notebook], folder: Path, grade: Grader, tmp_path: Path
) -> None:
    """On the visible checks: what the check cells did there, and here."""
    book = notebook()
    path = write(book, tmp_path / "work" / f"{ASSIGNMENT}.ipynb")
    run = check(folder, path)
    assert run.returncode == (0 if book == right() else 1), run.stdout + run.stderr
    here = {line.split()[1]: line.split()[0] == "✓" for line in run.stdout.splitlines() if line[:1] in "✓✗–"}
    transcript = grade(book, ASSIGNMENT).transcript
    there = {
        str(one.cell.exercise): one.status == "ran"
        for one in transcript
        if one.cell.kind == "check" and one.cell.exercise
    }
    assert here == there
    assert ("the kernel ended here" in run.stdout) is (notebook is crashed)


def test_it_marks_lines_and_writes_the_summary_in_a_job(folder: Path) -> None:
    summary = folder / "summary.md"
    for name, book in {ASSIGNMENT: mixed(), "09_echo": released("09_echo")}.items():
        write(book, folder / "work" / name / f"{name}.ipynb")
    run = check(folder, "work", "--github", GITHUB_STEP_SUMMARY=str(summary))
    assert run.returncode == 1, run.stdout + run.stderr
    assert "09_echo: not begun yet" in run.stdout
    [marked, other] = [line for line in run.stdout.splitlines() if line.startswith("::error ")]
    assert "title=which-scaler::Your solution cell raised SyntaxError" in other
    line = int(marked.partition("line=")[2].partition(",")[0])
    text = (folder / "work" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_text().splitlines()
    assert "def invert_scaling" in text[line - 1]
    assert f"file=work/{ASSIGNMENT}/{ASSIGNMENT}.ipynb," in marked
    assert summary.read_text().count("✅") == 1


def test_in_a_job_what_is_still_open_is_no_failure(folder: Path, tmp_path: Path) -> None:
    path = write(lean(only(ASSIGNMENT, "invert")), tmp_path / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    assert check(folder, path, "--github").returncode == 0
    assert check(folder, "nowhere", "--github").returncode == 0


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"check"}))
def test_it_does_not_grade_and_says_so(command: str, folder: Path) -> None:
    """Whatever is asked of a command that is the instructor's."""
    run = subprocess.run(
        [*students_python(folder), command, "release", "--json", "--help"],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert run.returncode == 2
    assert "This is the students' part, which checks and does not grade: autograder check NOTEBOOK" in run.stderr


def test_its_help_has_what_students_have(folder: Path) -> None:
    run = subprocess.run([*students_python(folder), "--help"], capture_output=True, text=True, check=True, cwd=folder)
    assert "Check your own notebook." in run.stdout
    assert "grade " not in run.stdout.partition("Commands")[2]


def test_its_readme_says_what_to_do(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    lesson = "\n".join("".join(one["source"]) for one in released("00_orientation")["cells"])
    for command in (line for line in text.splitlines() if line.startswith((".venv/", "python -m", "cp -r"))):
        assert command in lesson, "the kit's README and lesson 00 must say the same"
    assert "git push" in text
