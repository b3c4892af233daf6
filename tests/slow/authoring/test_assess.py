"""The command that shows how well the checks tell right from wrong, on corpora that are made to be wrong."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.submissions import COURSE, solved, source
from typer.testing import CliRunner

from autograder.cli import app

ORIENTATION, NUMERIC = "00_orientation", "03_numeric_data"


Row = dict[str, Any]
Assess = Callable[..., tuple[int, list[Row]]]


@pytest.fixture
def assess(tmp_path: Path) -> Assess:
    """Assess exercises of the course with another corpus: the status, and a row for each."""
    for folder in ("source", "release"):
        (tmp_path / folder).symlink_to(COURSE.root / folder)
    (tmp_path / "tests/answers").mkdir(parents=True)

    def run(assignment: str, exercises: list[str], corpus: str, *options: str) -> tuple[int, list[Row]]:
        (tmp_path / f"tests/answers/{assignment}.toml").write_text(corpus, encoding="utf-8")
        chosen = [part for one in exercises for part in ("--exercise", one)]
        arguments = ["assess", assignment, *chosen, "--json", "--workers", "1", "--course", str(tmp_path), *options]
        found = CliRunner().invoke(app, arguments)
        assert found.exit_code in {0, 1}, found.output
        return found.exit_code, json.loads(found.stdout)

    return run


def findings(rows: list[Row]) -> list[Row]:
    return [one for row in rows for one in row["findings"]]


def answer(exercise: str, verdict: str, code: str) -> str:
    return f"[[answer]]\nexercise = '{exercise}'\nverdict = '{verdict}'\nname = 'it'\ncode = '''\n{code}\n'''\n"


RIGHT = source(solved(ORIENTATION), "first-steps").replace("'''", '"""')
WRONG = "def describe(values):\n    return {}\n"


@pytest.mark.parametrize(
    ("verdict", "code", "kind"),
    [
        ("correct", RIGHT, None),
        ("wrong", WRONG, None),
        ("correct", WRONG, "false alarm"),
        ("wrong", RIGHT, "not caught"),
        ("correct", "import os\nos._exit(3)", "lost"),
    ],
)
def test_answers(assess: Assess, verdict: str, code: str, kind: str | None) -> None:
    status, rows = assess(ORIENTATION, [], answer("first-steps", verdict, code), "--no-mutants")
    assert [one["kind"] for one in findings(rows)] == ([kind] if kind else [])
    assert status == (1 if kind else 0)


def test_survivors_and_what_is_known_of_them(assess: Assess) -> None:
    """Without its list of equivalents, the reference has survivors; an entry that matches none is an error."""
    entry = "[[equivalent]]\nexercise = 'first-steps'\nbefore = 'a'\nafter = 'b'\nreason = 'none'\n"
    status, rows = assess(ORIENTATION, [], answer("first-steps", "correct", RIGHT) + entry, "--no-answers")
    kinds = [one["kind"] for one in findings(rows)]
    assert status == 1
    assert kinds.count("outdated equivalent") == 1
    assert 0 < kinds.count("surviving mutant") == len(kinds) - 1
    assert "- if len(values) < 2:\n+ if len(values) < 1:" in [one["text"] for one in findings(rows)]


def test_an_endless_mutant_counts_as_killed(assess: Assess, tmp_path: Path) -> None:
    """The reference counts down, and a mutant of it counts up."""
    (tmp_path / "source").unlink()
    path = shutil.copytree(COURSE.root / "source" / ORIENTATION, tmp_path / "source" / ORIENTATION)
    path /= f"{ORIENTATION}.ipynb"
    book = json.loads(path.read_text(encoding="utf-8"))
    (solution,) = (one for one in book["cells"] if one["id"] == "first-steps")
    place = solution["source"].index("    ### BEGIN SOLUTION\n") + 1
    solution["source"][place:place] = ["    steps = 3\n", "    while steps > 0:\n", "        steps = steps - 1\n"]
    path.write_text(json.dumps(book), encoding="utf-8")
    _, rows = assess(ORIENTATION, [], "answer = []", "--no-answers", "--mutant-seconds", "2")
    assert rows[0]["killed"] >= rows[0]["lost"] > 0
    assert "lost" not in [one["kind"] for one in findings(rows)]


def test_another_exercise_is_touched(assess: Assess) -> None:
    code = "def invert_scaling(scaler, values):\n    return values\n\nnormalize = None"
    status, rows = assess(NUMERIC, ["normalize", "invert"], answer("invert", "wrong", code), "--no-mutants")
    assert [(one["kind"], one["text"].split(":")[0]) for one in findings(rows)] == [
        ("another exercise touched", "`normalize`")
    ]
    assert status == 1
