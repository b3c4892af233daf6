"""A result comes out the same again from its own record, in another process; where it does not, that is said."""

import json
from pathlib import Path

import pytest
from helpers.command_line import ASSIGNMENT, autograder, submission

from autograder.result import Result, differences


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A submission, and the folder of its results."""
    folder = tmp_path_factory.mktemp("regrade")
    path = submission(folder / "class")
    run = autograder("grade", path, "--output", folder / "results", "--seed", "11", "--cell-seconds", "50")
    assert run.returncode == 0, run.stderr
    return path, folder / "results"


@pytest.fixture
def record(graded: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the record, to be changed."""
    _, results = graded
    copy = tmp_path / "result.json"
    copy.write_bytes((results / "ada" / ASSIGNMENT / "result.json").read_bytes())
    return copy


def changed(file: Path, **values: object) -> None:
    result = json.loads(file.read_text())
    file.write_text(json.dumps({**result, **values}))


def test_the_same_comes_out_again(graded: tuple[Path, Path]) -> None:
    _, results = graded
    run = autograder("regrade", results)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "✓ the same" in run.stdout
    assert "changed since" not in run.stdout
    assert "1 of 1 came out the same, marks and messages." in run.stderr
    kept = json.loads((results / "ada" / ASSIGNMENT / "result.json").read_text())["record"]
    assert (kept["seed"], kept["limits"]["cell_seconds"]) == (11, 50)


def test_another_mark_is_told(record: Path) -> None:
    result = json.loads(record.read_text())
    result["exercises"][2]["points"] = 0.0
    changed(record, exercises=result["exercises"], score=0.0)
    run = autograder("regrade", record)
    assert run.returncode == 1
    assert "✗ not the same" in run.stdout
    assert "its score was 0.0 and is 2" in run.stdout
    assert "`invert` differs in its points: 0.0 before, 2" in run.stdout


def test_what_has_changed_since_is_named(record: Path, graded: tuple[Path, Path], tmp_path: Path) -> None:
    path, _ = graded
    moved = tmp_path / "moved.ipynb"
    moved.write_text(path.read_text() + "\n")
    kept = json.loads(record.read_text())["record"]
    changed(record, record={**kept, "checks_sha256": "0" * 64, "versions": {**kept["versions"], "keras": "2.0"}})
    run = autograder("regrade", record, "--notebook", moved, COLUMNS="300")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "changed since: the submission's file, the hidden checks, keras (2.0 then," in run.stdout


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ({"record": {}}, "does not record where its submission is"),
        ({"record": {"submission": {"path": "/nowhere.ipynb", "problem": None}}}, "is no longer at /nowhere.ipynb"),
        ({"exercises": None}, "is not a result"),
    ],
)
def test_a_record_that_cannot_be_used_is_told(record: Path, damage: dict[str, object], sentence: str) -> None:
    changed(record, **damage)
    run = autograder("regrade", record, COLUMNS="400")
    assert run.returncode == 2
    assert sentence in run.stderr


def test_a_folder_without_records_is_told(tmp_path: Path) -> None:
    run = autograder("regrade", tmp_path, COLUMNS="400")
    assert run.returncode == 2
    assert "No result.json there" in run.stderr


def test_what_is_kept_can_be_verified(graded: tuple[Path, Path]) -> None:
    path, results = graded
    command: list[str | Path] = ["grade", path, "--output", results, "--seed", "11", "--cell-seconds", "50", "--verify"]
    run = autograder(*command)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Verified: 1 of 1 earlier results came out the same again." in run.stderr
    kept = results / "ada" / ASSIGNMENT / "result.json"
    changed(kept, score=9.0)
    run = autograder(*command)
    assert run.returncode == 5
    assert "its score was 9.0 and is 2" in run.stderr
    assert json.loads(kept.read_text())["score"] == 2, "the fresh result is the one that is kept"


def test_verifying_needs_something_to_compare_with(graded: tuple[Path, Path]) -> None:
    run = autograder("grade", graded[0], "--verify")
    assert run.returncode == 2
    assert "--output" in run.stderr


def test_an_exercise_more_or_less_is_a_difference(graded: tuple[Path, Path]) -> None:
    _, results = graded
    whole = Result.from_dict(json.loads((results / "ada" / ASSIGNMENT / "result.json").read_text()))
    less = Result(**{**whole.__dict__, "exercises": whole.exercises[1:]})
    assert differences(whole, whole) == []
    assert differences(whole, less) == ["`normalize` is in one of them only"]
