"""A cell of the student's own runs, and costs itself at most: its time, its box, its share of the time together."""

import pytest
from helpers.grader import Grader
from helpers.submissions import insert, own_cell, solved

from autograder.box.session import CellStatus

NAME = "00_orientation"
ANSWER = "first-steps"


def run(grade: Grader, *cells: str, **limits: float) -> tuple[float, list[str], dict[str, CellStatus]]:
    """The score, the notes, and the status of each cell by its text."""
    graded = grade(insert(solved(NAME), ANSWER, *map(own_cell, cells)), NAME, **limits)
    assert graded.result.score is not None
    statuses = {run.cell.source: run.status for run in graded.transcript}
    return graded.result.score, list(graded.result.notes), statuses


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("while True:\n    pass", "it was still running after 2 seconds"),
        ("import os\nos._exit(1)", "it ended the kernel that runs the notebook"),
    ],
)
def test_one_that_has_no_end_or_ends_its_box_costs_itself(cell: str, sentence: str, grade: Grader) -> None:
    later = "after = 1"
    score, notes, statuses = run(grade, cell, later, cell_seconds=2)
    assert score == 3
    assert any(sentence in note for note in notes)
    assert (statuses[cell], statuses[later]) == ("stopped", "ran")


def test_those_that_no_exercise_names_have_a_time_together(grade: Grader) -> None:
    cells = [f"import time\ntime.sleep(0.8)  # {n}" for n in range(4)]
    score, notes, statuses = run(grade, *cells, spare_seconds=1)
    assert score == 3
    assert [statuses[cell] for cell in cells] == ["ran", "stopped", "passed over", "passed over"]
    assert "the cells whose names no exercise uses have 1 seconds together, and it was still running then" in notes[0]
    assert notes[1].startswith(
        "Not run, since the cells whose names no exercise uses have 1 seconds together: the cell"
    )
    assert len(notes) == 2


def test_one_that_an_exercise_names_has_its_own_time(grade: Grader) -> None:
    helper = "import time\ntime.sleep(1.2)\nhelp_me = 3"
    answer = "def describe_series(values):\n    return help_me\n"
    notebook = insert(solved(NAME), ANSWER, own_cell(helper))
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == ANSWER:
            cell["source"] = answer
    graded = grade(notebook, NAME, spare_seconds=0.5)
    assert {run.status for run in graded.transcript if run.cell.source == helper} == {"ran"}
