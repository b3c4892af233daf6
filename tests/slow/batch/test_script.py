"""The face for scripts: `from autograder import grade` as a script meets it."""

import inspect
import itertools
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import pytest
from helpers.command_line import ASSIGNMENT, submission
from helpers.submissions import COURSE

from autograder import AutograderError, grade
from autograder.errors import BoxUnavailable, CourseError, InUse, NothingThere, Refused
from autograder.report.files import Results


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of two."""
    path = tmp_path_factory.mktemp("class")
    for student in ("bob", "ada"):
        submission(path, student)
    return path


def example() -> str:
    lines = inspect.cleandoc(str(grade.__doc__)).splitlines()
    begun = itertools.dropwhile(lambda line: not line.startswith("    "), lines)
    return textwrap.dedent("\n".join(itertools.takewhile(lambda line: line.startswith("    ") or not line, begun)))


def test_the_example_prints_points_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    """Just as it is in the docstring: a script without a function of its own, which each worker could begin again."""
    (tmp_path / "submissions").symlink_to(folder)
    (tmp_path / "mine.py").write_text(example(), encoding="utf-8")
    run = subprocess.run([sys.executable, "mine.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    told = [line for line in run.stdout.splitlines() if line.startswith(("ada", "bob", "   invert"))]
    one = [f"{ASSIGNMENT} 2.0 0 10.0", "   invert 2.0 Everything that was tried came out right."]
    assert told == [f"ada {one[0]}", one[1], f"bob {one[0]}", one[1]]
    assert (tmp_path / "results" / "ada" / ASSIGNMENT / "feedback.html").is_file()


def test_results_are_in_the_order_of_the_paths(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    results = grade([folder / "bob", str(folder / "ada" / ASSIGNMENT)], course=COURSE, seed=3, workers=2)
    assert [(one.student, one.score) for one in results] == [("bob", 2), ("ada", 2)]
    assert {one.record["seed"] for one in results} == {3}
    assert capfd.readouterr() == ("", "")


def test_a_wrong_path_is_refused_by_name_before_anything_is_graded(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingThere, match=r"nowhere: there is no such file or folder\.") as caught:
        grade([folder, tmp_path / "nowhere"], output=tmp_path / "results")
    assert isinstance(caught.value, Refused)
    assert not (tmp_path / "results").exists()
    with pytest.raises(NothingThere, match="no path was given"):
        grade([])


def test_what_is_not_where_it_belongs_is_a_warning(tmp_path: Path) -> None:
    submission(tmp_path, "ada").rename(tmp_path / "ada" / f"{ASSIGNMENT}.ipynb")
    submission(tmp_path, "bob").parent.rename(tmp_path / "bob" / "03 numeric data")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        (bob,) = (one for one in grade(tmp_path, course=COURSE) if one.student == "bob")
    sentences = [str(one.message) for one in told]
    assert any("ada/03_numeric_data.ipynb" in one for one in sentences)
    assert any(f"did you mean `{ASSIGNMENT}`?" in one for one in sentences)
    assert (bob.score, bob.cause) == (None, "notebook")


def test_without_a_course_a_box_or_a_folder_it_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CourseError, match="No course here"):
        grade(folder, course=tmp_path)
    with Results(tmp_path / "results", []), pytest.raises(InUse, match="Another grader is writing"):
        grade(folder, output=tmp_path / "results")
    monkeypatch.setenv("AUTOGRADER_SEED", "today")
    with pytest.raises(Refused, match="must be a whole number"):
        grade(folder)
    monkeypatch.delenv("AUTOGRADER_SEED")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BoxUnavailable, match="bubblewrap") as caught:
        grade(folder)
    assert isinstance(caught.value, AutograderError)
