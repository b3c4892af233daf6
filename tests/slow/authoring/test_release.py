"""What is generated is in step with its source; the reference earns everything, the release nothing."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from helpers.grader import Grader
from helpers.submissions import COURSE, lean, load, released, solved, write

from autograder.authoring.release import as_text, reference, student_version
from autograder.authoring.solution_leaks import leaks
from autograder.box.session import Session, Warm
from autograder.settings import Settings
from autograder.submission.notebook import read
from autograder.submission.restoration import restore

SOURCES = sorted((COURSE.root / "source").glob("*/*.ipynb"))
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# What may lie beside a notebook and so goes to students: nothing but data.
DATA = {".csv", ".gz", ".json"}

each_source = pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
each_assignment = pytest.mark.parametrize("name", COURSE.names)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_source_is_an_assignment() -> None:
    assert [path.stem for path in SOURCES] == list(COURSE.names)
    assert [path.parent.name for path in SOURCES] == list(COURSE.names)
    assert sorted(path.parent.name for path in (COURSE.root / "solutions").glob("*/*.ipynb")) == list(COURSE.names)


@each_source
def test_source_is_in_its_one_form(path: Path) -> None:
    """Readable differences: no outputs, no counts, no editor's metadata, one way to write the JSON."""
    book = load(path)
    assert path.read_text(encoding="utf-8") == as_text(book)
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert book["metadata"] == {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    ids = [cell["id"] for cell in book["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in book["cells"]:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", cell["id"])
        assert set(cell["metadata"]) <= {"nbgrader", "tags"}
        assert "attachments" not in cell
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        meta = cell["metadata"].get("nbgrader")
        assert meta is None or cell["id"] == meta["grade_id"]
    assert {other.suffix for other in path.parent.iterdir() if other != path} <= DATA


@each_source
def test_a_lesson_has_its_parts(path: Path) -> None:
    """A title, a goal, its slides, a glossary and further reading; an exercise is text, answer, check."""
    book = load(path)
    text = "\n".join("".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "markdown")
    assert text.startswith(f"# {path.stem[:2]} · ")
    for part in ("**Goal.**", "**Slides.**", "**Time.**", "## Glossary\n", "## Further reading\n"):
        assert f"\n{part}" in text
    points = {e.id: e.max_points for e in COURSE.assignment(path.stem).exercises}
    assert f"{sum(points.values()):g} points" in text
    for exercise, worth in points.items():
        assert re.search(rf"### Exercise \d+: `{exercise}` \({worth:g} points?\)", text), exercise


@each_source
def test_a_caption_follows_every_figure(path: Path) -> None:
    """For those who do not see it: one cell in italics that says what there is to see."""
    cells = load(path)["cells"]
    for cell, following in pairwise(cells):
        if "plt.show()" in "".join(cell["source"]) and not cell["metadata"].get("nbgrader"):
            assert following["cell_type"] == "markdown", cell["id"]
            assert re.fullmatch(r"\*[^*].{80,}[^*]\*", "".join(following["source"]), re.DOTALL), cell["id"]


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


@pytest.mark.course
@each_assignment
def test_the_reference_earns_everything(name: str, grade: Grader) -> None:
    """Also when only those cells run that its exercises depend on."""
    exercises = COURSE.assignment(name).exercises
    whole, lean = (grade(solved(name), name, every_cell=every_cell, **LIMITS).result for every_cell in (True, False))
    for result in (whole, lean):
        assert {one.id: one.outcome for one in result.exercises} == {one.id: "earned" for one in exercises}
        assert result.score == result.max_score
        assert result.notes == ()
    assert whole.record["cells"]["left_out"] == 0
    # No experiment is needed, so each one is left out.
    free = [cell for cell in COURSE.assignment(name).cells if cell.kind == "free"]
    assert lean.record["cells"]["left_out"] == len(free)


@pytest.mark.course
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


@pytest.mark.course
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
