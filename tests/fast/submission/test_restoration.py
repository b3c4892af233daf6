"""Cells deleted, copied, retyped, edited or added: the release is restored, and no answer is lost."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from helpers.submissions import Notebook, answered, cell, insert, own_cell, released, remove, solved, source, write

from autograder.course import Course
from autograder.errors import NotGradable
from autograder.submission.damage import check_whole
from autograder.submission.notebook import read
from autograder.submission.restoration import Restored, RestoredCell, restore

ASSIGNMENT = "03_numeric_data"
ANSWER = "def normalize(train, test, feature_range=(0, 1)):\n    return 'mine'"


@pytest.fixture
def restored(course: Course, tmp_path: Path) -> Any:
    def run(notebook: Notebook) -> Restored:
        return restore(read(write(notebook, tmp_path / "notebook.ipynb")), course.assignment(ASSIGNMENT))

    return run


def answer(restored: Restored, exercise: str = "normalize") -> str | None:
    return next((one.source for one in restored.cells if (one.kind, one.exercise) == ("solution", exercise)), None)


def test_the_release_comes_back_as_it_was(restored: Any, course: Course) -> None:
    found = restored(released(ASSIGNMENT))
    assert [c.source for c in found.cells] == [c.source for c in course.assignment(ASSIGNMENT).cells]
    assert found.unanswered == {exercise.id for exercise in course.assignment(ASSIGNMENT).exercises}
    assert not found.notes


def test_answers_are_taken_and_nothing_is_noted(restored: Any) -> None:
    found = restored(solved(ASSIGNMENT))
    assert answer(found) == source(solved(ASSIGNMENT), "normalize")
    assert not found.notes
    assert not found.unanswered


def test_a_deleted_answer_is_missing(restored: Any) -> None:
    found = restored(remove(solved(ASSIGNMENT), "normalize"))
    assert found.missing == {"normalize"}
    assert found.notes == ["The solution cell of `normalize` is missing."]


def test_a_deleted_or_edited_check_is_the_released_one(restored: Any, course: Course) -> None:
    notebook = answered(remove(solved(ASSIGNMENT), "check-invert"), **{"check_normalize": "print('all good')"})
    found = restored(notebook)
    checks = [c.source for c in found.cells if c.kind == "check"]
    assert checks == [c.source for c in course.assignment(ASSIGNMENT).cells if c.kind == "check"]
    assert found.notes == [
        "The check cell of `normalize` was changed; the grader ran the released one.",
        "The check cell of `invert` was missing; the grader ran the released one.",
    ]


def answers(found: Any) -> list[str]:
    return [c.source for c in found.cells if c.kind == "solution" and c.exercise == "normalize"]


def test_of_copied_answers_all_run_in_their_order_but_those_as_released(restored: Any) -> None:
    notebook = answered(solved(ASSIGNMENT), normalize=ANSWER)
    copies = [cell(released(ASSIGNMENT), "normalize"), cell(solved(ASSIGNMENT), "normalize")]
    notebook["cells"] += copy.deepcopy(copies)
    notebook["cells"].append(copy.deepcopy(copies[0]))
    found = restored(notebook)
    assert answers(found) == [ANSWER, source(solved(ASSIGNMENT), "normalize")]
    assert found.notes == [
        "There are 2 solution cells of `normalize`; all of them ran, in their order, as in Jupyter.",
        (
            "Another solution cell of `normalize` is still as it was released. It was left out, so that it does not "
            "undo your answer. Delete it."
        ),
    ]


@pytest.mark.parametrize("below", ["", "# " + ANSWER.replace("\n", "\n# "), "normalize([1.0], [2.0])\n"])
def test_what_an_editor_left_below_does_not_undo_an_answer(restored: Any, below: str) -> None:
    notebook = answered(solved(ASSIGNMENT), normalize=ANSWER)
    twin = copy.deepcopy(cell(notebook, "normalize"))
    notebook["cells"].insert(notebook["cells"].index(cell(notebook, "normalize")) + 1, {**twin, "source": below})
    assert answers(restored(notebook)) == [ANSWER, below] if below.startswith("normalize") else [ANSWER]


def test_a_copy_as_text_is_not_run(restored: Any) -> None:
    notebook = answered(solved(ASSIGNMENT), normalize=ANSWER)
    text = {**copy.deepcopy(cell(notebook, "normalize")), "cell_type": "markdown", "source": "My idea:\n\n" + ANSWER}
    notebook["cells"].append(text)
    assert answers(restored(notebook)) == [ANSWER]


@pytest.mark.parametrize(
    ("setting", "instead"),
    [
        ("%matplotlib qt", "%matplotlib inline"), ("%matplotlib widget", "%matplotlib inline"),
        ("matplotlib.use('TkAgg')", "pass"), ("plt.switch_backend('qtagg')", "pass"),
        ("%matplotlib inline", "%matplotlib inline"),
        ("matplotlib.use('agg')", "matplotlib.use('agg')"), ("plt.style.use('ggplot')", "plt.style.use('ggplot')"),
    ],
)  # fmt: skip
def test_a_window_that_no_box_has_is_not_asked_for(restored: Any, setting: str, instead: str) -> None:
    found = restored(answered(solved(ASSIGNMENT), normalize=f"{setting}\n{ANSWER}"))
    (text,) = answers(found)
    assert text.splitlines()[0] in {instead, "None" if instead == "pass" else instead}
    assert text.endswith(ANSWER)
    assert len(found.notes) == (setting != instead)
    assert all(f"asks for a window (`{setting}`)" in note for note in found.notes)


def test_a_merge_that_stands_in_cells_of_its_own_leaves_the_answer_untold(restored: Any) -> None:
    notebook = answered(solved(ASSIGNMENT), normalize=ANSWER)
    place = notebook["cells"].index(cell(notebook, "normalize"))
    twin = {**copy.deepcopy(notebook["cells"][place]), "source": ANSWER.replace("mine", "theirs")}
    marks = [own_cell(text) for text in ("<<<<<<< local", "=======", ">>>>>>> remote")]
    notebook["cells"][place : place + 1] = [marks[0], notebook["cells"][place], marks[1], twin, marks[2]]
    found = restored(notebook)
    assert answers(found) == []
    assert set(found.problems) == {"normalize"}


def test_a_file_that_has_lost_its_line_ends_is_not_graded(course: Course, tmp_path: Path) -> None:
    assignment = course.assignment(ASSIGNMENT)
    notebook = solved(ASSIGNMENT)
    check_whole(read(write(notebook, tmp_path / "whole.ipynb")), assignment)
    for each in notebook["cells"]:
        each["source"] = "".join(each["source"]).split("\n")
    with pytest.raises(NotGradable, match=r"The file is damaged: .* have lost line ends"):
        check_whole(read(write(notebook, tmp_path / "lost.ipynb")), assignment)


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_a_retyped_answer_is_run_as_code(restored: Any, kind: str) -> None:
    notebook = answered(solved(ASSIGNMENT), normalize=ANSWER)
    cell(notebook, "normalize")["cell_type"] = kind
    found = restored(notebook)
    assert answer(found) == ANSWER
    assert found.notes == [f"The solution cell of `normalize` was a {kind} cell; the grader ran it as code."]


def test_answers_are_found_without_metadata_by_cell_id(restored: Any) -> None:
    notebook = answered(solved(ASSIGNMENT), normalize=ANSWER)
    for each in notebook["cells"]:
        each["metadata"] = {}
    assert answer(restored(notebook)) == ANSWER


def test_without_metadata_and_ids_the_code_still_runs_where_it_was(restored: Any) -> None:
    notebook = answered(solved(ASSIGNMENT), normalize=ANSWER)
    for each in notebook["cells"]:
        each["metadata"] = {}
        each.pop("id")
    found = restored(notebook)
    sources = [c.source for c in found.cells]
    assert ANSWER in sources
    # once, and before the check of it
    assert sources.index(ANSWER) < sources.index(source(released(ASSIGNMENT), "check-normalize"))
    assert sources.count(source(released(ASSIGNMENT), "setup")) == 1


def test_cells_of_their_own_run_where_they_are(restored: Any) -> None:
    found = restored(insert(solved(ASSIGNMENT), "normalize", own_cell("helper = 1"), own_cell("helper += 1")))
    sources = [c.source for c in found.cells]
    place = sources.index("helper = 1")
    assert sources[place + 1] == "helper += 1"
    assert place < sources.index(source(solved(ASSIGNMENT), "normalize"))


def test_a_changed_experiment_runs_as_changed(restored: Any) -> None:
    notebook = solved(ASSIGNMENT)
    experiment = next(c for c in notebook["cells"] if c["cell_type"] == "code" and "nbgrader" not in c["metadata"])
    experiment["source"] = "changed = True"
    assert "changed = True" in [c.source for c in restored(notebook).cells]


def test_merge_marks_in_an_answer_leave_it_untold(restored: Any) -> None:
    marked = "<<<<<<< HEAD\ndef normalize(): ...\n=======\ndef normalize(): pass\n>>>>>>> theirs"
    found = restored(answered(solved(ASSIGNMENT), normalize=marked))
    assert answer(found) is None
    assert "unfinished git merge" in found.problems["normalize"]


def test_text_only_differs_by_white_space_at_line_ends(restored: Any) -> None:
    notebook = json.loads(json.dumps(released(ASSIGNMENT)))
    for each in notebook["cells"]:
        each["source"] = [line.rstrip("\n") + "  \r\n" for line in "".join(each["source"]).splitlines()]
    found = restored(notebook)
    assert not found.notes
    assert "normalize" in found.unanswered


def test_a_cell_is_called_by_what_its_author_can_find() -> None:
    assert RestoredCell(0, "solution", "x", "invert").name == "the solution cell of `invert`"
    assert RestoredCell(0, "check", "x", "invert").name == "the check cell of `invert`"
    own = RestoredCell(0, "free", "\n# Experiment: try 3\nrun(3)\n", None)
    assert own.name == "the cell that begins `# Experiment: try 3`"
