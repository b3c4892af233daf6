"""What is generated is in step with its source; the reference earns everything, the release nothing."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from helpers.grader import EVERYTHING, Grader
from helpers.submissions import COURSE, cell_that_begins, lean, load, released, solved, write

from autograder.authoring.release import reference, student_version
from autograder.authoring.solution_leaks import leaks
from autograder.authoring.source_form import as_text
from autograder.box.session import Session, Warm
from autograder.settings import Settings
from autograder.submission.notebook import read
from autograder.submission.restoration import restore

SOURCES = sorted((COURSE.root / "source").glob("*/*.ipynb"))

each_source = pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
each_assignment = pytest.mark.parametrize("name", COURSE.names)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_source_is_an_assignment() -> None:
    assert [path.stem for path in SOURCES] == list(COURSE.names)
    assert [path.parent.name for path in SOURCES] == list(COURSE.names)
    assert sorted(path.parent.name for path in (COURSE.root / "solutions").glob("*/*.ipynb")) == list(COURSE.names)


@each_source
def test_regenerating_changes_nothing(path: Path, tmp_path: Path) -> None:
    assert files(student_version(path.parent, tmp_path)) == files(COURSE.root / "release" / path.stem), (
        f"run: autograder release {path.stem}"
    )


@each_source
def test_the_kept_solution_is_the_source_executed(path: Path) -> None:
    kept = load(COURSE.root / "solutions" / path.stem / path.name)
    outputs: list[dict[str, Any]] = []
    for cell in kept["cells"]:
        if cell["cell_type"] == "code":
            outputs += cell["outputs"]
            cell["outputs"], cell["execution_count"] = [], None
    assert as_text(kept) == as_text(reference(path)), f"run: autograder release {path.stem}"
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert [output for output in outputs if "image/png" in output.get("data", {})]  # it has its plots
    assert "/tmp/" not in json.dumps([o for o in outputs if o["output_type"] == "stream"])


@each_source
def test_no_solution_is_released(path: Path) -> None:
    assert leaks(load(path), released(path.stem)) == []


@each_assignment
def test_no_student_has_the_held_out_year(name: str) -> None:
    """What `trained-model` of lesson 10 is graded on begins in 2025; it lies beside the checks, and nowhere else."""
    for path in COURSE.assignment(name).data:
        times = pd.read_csv(path, parse_dates=["time"])["time"]
        assert times.max() < pd.Timestamp("2025-01-01"), path


def test_the_held_out_year_is_beside_the_checks() -> None:
    assignment = COURSE.assignment("10_deep_forecaster")
    (path,) = assignment.checks_data
    assert path.parent == assignment.checks.parent
    assert pd.read_csv(path, parse_dates=["time"])["time"].max() > pd.Timestamp("2025-12-01")


LIMITS = {"cell_seconds": 90, "call_seconds": 20, "total_seconds": 400}


@pytest.mark.long
@each_assignment
def test_the_reference_earns_everything(name: str, grade: Grader) -> None:
    """When only those cells run that its exercises need, and when all run. Experiments of 05 to 10 take minutes."""
    exercises = COURSE.assignment(name).exercises
    # No experiment is needed, so each one is left out.
    free = [cell for cell in COURSE.assignment(name).cells if cell.kind == "free"]
    for every_cell in (False, True) if EVERYTHING or name < "05" else (False,):
        result = grade(solved(name), name, every_cell=every_cell, **LIMITS).result
        assert {one.id: one.outcome for one in result.exercises} == {one.id: "earned" for one in exercises}
        assert result.score == result.max_score
        assert result.notes == ()
        run = 0 if every_cell else {"08_shapes_batches_state": 1, "10_deep_forecaster": 2}.get(name, 0)
        assert result.record["cells"]["left_out"] == (0 if every_cell else len(free) - run)


TELL = """
import pathlib, sys
from autograder.authoring.inert import leftovers
print(*leftovers(pathlib.Path(sys.argv[1]), sys.argv[2]), sep="\\n")
"""


def told(root: Path, name: str) -> list[str]:
    """What its experiments leave behind, found in a process of its own: it imports, trains and draws."""
    done = subprocess.run([sys.executable, "-c", TELL, root, name], check=True, capture_output=True, text=True,
                          env={**os.environ, "MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3"})  # fmt: skip
    return done.stdout.splitlines()


@each_assignment
def test_experiments_leave_nothing_behind_but_names(name: str) -> None:
    """So grading may leave them out. Those of 08 to 10 take long."""
    if EVERYTHING or name < "08":
        assert told(COURSE.root, name) in ([], [""])


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("np.seterr(all='raise')", "NumPy's settings"), ("np.tanh = np.sin", "numpy.tanh"),
        ("STATION['flow'] = 0.0", "STATION"),
        ("plt.rcParams['figure.dpi'] = 30", "Matplotlib's rcParams"),
        ("open('kept.txt', 'w').close()", "the folder"),
    ],
)  # fmt: skip
def test_an_experiment_that_leaves_something_is_told(line: str, what: str, tmp_path: Path) -> None:
    name = "03_numeric_data"
    for kind, notebook in (("release", released(name)), ("solutions", solved(name))):
        found = cell_that_begins(notebook, "# Experiment: how large may the wrong value be")
        found["source"] = [*found["source"], f"\n{line}"]
        write(notebook, tmp_path / kind / name / f"{name}.ipynb")
    (sentence,) = told(tmp_path, name)
    assert f"leaves `{what}` changed" in sentence


@each_assignment
def test_the_release_earns_nothing_and_runs(name: str, grade: Grader, settings: Settings, tmp_path: Path) -> None:
    graded = grade(released(name), name)
    assert {exercise.outcome for exercise in graded.result.exercises} == {"not_earned"}
    assert graded.result.score == 0
    # Unanswered cells say so, and nothing else goes wrong: the lesson can be read to its end.
    assignment = COURSE.assignment(name)
    restored = restore(read(write(released(name), tmp_path / f"{name}.ipynb")), assignment)
    limits = replace(settings.limits, **LIMITS)
    assert settings.warm
    session = Session(restored, limits, 2026, assignment.data, Warm(settings.warm, assignment.imports, lambda: False))
    try:
        runs = session.execute()
    finally:
        session.close()
    for run in runs:
        wanted = "raised" if run.cell.kind == "check" else "ran"
        assert run.status == wanted or "NotImplementedError" in str(run.error), (run.cell.source[:200], run.error)


@each_assignment
def test_grading_twice_gives_the_same(name: str, grade: Grader) -> None:
    """Also for a notebook that is only partly right: every other exercise has an answer that returns nothing."""
    notebook = lean(solved(name))
    exercises = [exercise.id for exercise in COURSE.assignment(name).exercises]
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") in exercises[1::2]:
            cell["source"] = ["def nothing(*args):\n", "    return None\n"]
    first, second = (grade(notebook, name, **LIMITS).result for _ in range(2))
    assert first.exercises == second.exercises
    assert first.score == second.score
    assert first.score is not None
    assert first.score > 0
    assert (first.score < (first.max_score or 0)) == (len(exercises) > 1)
