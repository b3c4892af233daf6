"""A batch outlives the death of its workers."""

from pathlib import Path

import pytest
from deadly import DeadlyPath
from submissions import lean, only, write

from autograder.batch import grade_all
from autograder.pipeline import Settings
from autograder.submission import Submission

ASSIGNMENT = "03_numeric_data"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_dies_takes_no_other_submission_with_it(workers: int, settings: Settings, tmp_path: Path) -> None:
    paths = [tmp_path / name / ASSIGNMENT / f"{ASSIGNMENT}.ipynb" for name in ("ada", "eve", "bob")]
    for path in paths:
        write(lean(only(ASSIGNMENT, "invert")), path)
    paths[1] = DeadlyPath(paths[1])
    submissions = [Submission(path, path.parent.parent.name, ASSIGNMENT) for path in paths]
    results = {place: graded.result for place, graded in grade_all(list(enumerate(submissions)), settings, workers)}
    assert sorted(results) == [0, 1, 2]
    assert [results[place].score for place in (0, 2)] == [2, 2]
    assert (results[1].cause, results[1].score) == ("grader", None)
    assert "Grade it again." in results[1].message
    assert results[1].grader_failed
