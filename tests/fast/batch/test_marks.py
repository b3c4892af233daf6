"""The mark rule: evidence in, marks out, and nothing that could not be graded is written as zero."""

import pytest
from helpers.submissions import COURSE

from autograder.batch.marks import examinable, mark, score, undecided
from autograder.box.bounds import Cause
from autograder.box.session import CellRun, CellStatus
from autograder.examination.examine import Evidence
from autograder.examination.hidden_checks import Check
from autograder.result import ExerciseResult
from autograder.submission.restoration import Restored, RestoredCell

ASSIGNMENT = COURSE.assignment("03_numeric_data")
ID = "normalize"  # 3 points


def evidence(credit: float | None, share: float = 1, message: str = "", cause: Cause | None = None) -> Evidence:
    return Evidence(Check("test", ID, share, "a property", ""), credit, message, cause)


def undefined() -> Evidence:
    return Evidence(Check("test", ID, 1, "a property", ""), 0.0, f"`{ID}` is not defined.", undefined=True)


def run(status: CellStatus, error: str | None = None, cause: Cause | None = None) -> CellRun:
    return CellRun(RestoredCell(0, "solution", "", ID), status, error=error, cause=cause)


def marked(
    *found: Evidence, restored: Restored | None = None, runs: tuple[CellRun, ...] = (run("ran"),)
) -> ExerciseResult:
    others = {exercise.id for exercise in ASSIGNMENT.exercises} - {ID}
    restored = restored or Restored()
    restored.unanswered |= others
    return next(one for one in mark(ASSIGNMENT.exercises, restored, runs, found) if one.id == ID)


def test_all_checks_earn_everything() -> None:
    found = marked(evidence(1), evidence(1, share=2))
    assert (found.outcome, found.points, found.cause) == ("earned", 3, None)


def test_no_check_earns_nothing() -> None:
    found = marked(evidence(0, message="It is wrong."), evidence(0, message="It is wrong."))
    assert (found.outcome, found.points) == ("not_earned", 0)
    assert found.message == "It is wrong."  # one cause, told once


def test_points_follow_the_shares() -> None:
    found = marked(evidence(1, share=2), evidence(0, share=1, message="Mend this."))
    assert (found.outcome, found.points, found.message) == ("partial", 2, "Mend this.")


def test_credit_may_be_a_part() -> None:
    found = marked(evidence(0.5, message="Half of it."))
    assert (found.outcome, found.points) == ("partial", 1.5)


@pytest.mark.parametrize("cause", ["notebook", "time", "memory", "box", "grader"])
def test_one_check_without_an_answer_and_the_exercise_is_open(cause: Cause) -> None:
    found = marked(evidence(1), evidence(None, message="No answer came.", cause=cause))
    assert (found.outcome, found.points, found.cause) == ("could_not_be_graded", None, cause)
    assert found.message == "No answer came. (1 of 2 checks could run.)"


def test_an_unanswered_cell_earns_nothing() -> None:
    found = marked(restored=Restored(unanswered={ID}))
    assert (found.outcome, found.points) == ("not_earned", 0)
    assert "as it was released" in found.message


def test_a_deleted_cell_could_not_be_graded() -> None:
    found = marked(undefined(), restored=Restored(missing={ID}), runs=())
    assert (found.outcome, found.points, found.cause) == ("could_not_be_graded", None, "notebook")
    assert "Copy the cell back" in found.message


def test_a_deleted_cell_counts_for_nothing_when_the_answer_stands_elsewhere() -> None:
    found = marked(evidence(1), restored=Restored(missing={ID}), runs=())
    assert found.outcome == "earned"


def test_a_cell_that_raises_is_told_with_its_error() -> None:
    found = marked(undefined(), runs=(run("raised", "ZeroDivisionError: division by zero (line 2)"),))
    assert (found.outcome, found.points) == ("not_earned", 0)
    assert "ZeroDivisionError: division by zero (line 2)" in found.message


def test_a_cell_that_raises_late_keeps_what_it_defined() -> None:
    assert marked(evidence(1), runs=(run("raised", "ValueError: late"),)).outcome == "earned"


@pytest.mark.parametrize("cause", ["time", "memory", "notebook"])
def test_a_stopped_cell_could_not_be_graded(cause: Cause) -> None:
    found = marked(runs=(run("stopped", "The solution cell was stopped: it never ended.", cause),))
    assert (found.outcome, found.points, found.cause) == ("could_not_be_graded", None, cause)


def test_a_cell_that_was_not_reached_could_not_be_graded() -> None:
    found = marked(runs=(run("not reached"),))
    assert (found.outcome, found.points, found.cause) == ("could_not_be_graded", None, "time")


def test_only_what_is_undecided_is_examined() -> None:
    restored = Restored(unanswered={"standardize"}, problems={"invert": "A merge was left unfinished."})
    runs = [run("stopped", "stopped", "time")]
    left = undecided(ASSIGNMENT.exercises, restored)
    assert left == ["normalize", "which-scaler"]
    assert examinable(left, runs) == ["which-scaler"]


def test_a_score_is_what_there_is_and_none_when_there_is_nothing() -> None:
    open_one = ExerciseResult("a", "could_not_be_graded", None, 2, "")
    half = ExerciseResult("b", "partial", 0.67, 2, "")
    nothing = ExerciseResult("c", "not_earned", 0.0, 2, "")
    assert score([open_one, half, nothing]) == 0.67
    assert score([open_one, nothing]) == 0
    assert score([open_one]) is None
