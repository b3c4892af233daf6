"""A class spread over machines and put together again: nothing lost, nothing taken from the wrong machine."""

import dataclasses
import json
from pathlib import Path

import pytest
from helpers.command_line import autograder
from helpers.grader import SEED, Grader
from helpers.submissions import COURSE, lean, only, released, write

from autograder.batch import shards
from autograder.box import Limits
from autograder.errors import PlanError
from autograder.folder_names import folder_of
from autograder.report.files import Results
from autograder.result import ExerciseResult, Result
from autograder.submission.find import Submission, find_submissions, strays

ASSIGNMENT = "03_numeric_data"


def hand_in(folder: Path, student: str, *exercises: str) -> Submission:
    path = write(lean(only(ASSIGNMENT, *exercises)), folder / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    return Submission(path, student, ASSIGNMENT)


def plan(folder: Path, earlier: Path | None = None, most: int = 20, each: int = 2) -> list[shards.Planned]:
    return shards.plan(folder / "class", folder / "shards", COURSE, SEED, earlier, most, each)


def test_a_plan_needs_a_new_folder(tmp_path: Path) -> None:
    hand_in(tmp_path / "class", "ada")
    (tmp_path / "shards").mkdir()
    with pytest.raises(PlanError, match="Name a new folder"):
        plan(tmp_path)


def result(student: str, score: float = 3) -> Result:
    exercise = ExerciseResult("invert", "earned", score, 3, "Everything that was tried came out right.")
    record = {"for_marks": True, "graded_at": "", "protections": {}, "submission_sha256": None}
    return Result(student, ASSIGNMENT, score, 3, (exercise,), record)


def keep(folder: Path, *results: Result) -> None:
    kept = Results(folder, [Submission(folder, one.student, one.assignment) for one in results])
    for place, one in enumerate(results):
        kept.keep(place, one)


@pytest.mark.parametrize(("students", "most", "each", "number"), [(1, 20, 12, 1), (25, 20, 12, 3), (25, 2, 1, 2)])
def test_every_submission_is_in_one_shard_and_shards_are_equal(
    students: int, most: int, each: int, number: int, tmp_path: Path
) -> None:
    for count in range(students):
        hand_in(tmp_path / "class", f"s{count:02}")
    planned = plan(tmp_path, None, most, each)
    found = {
        one.label for shard in range(number) for one in find_submissions([tmp_path / "shards" / str(shard)], COURSE)[0]
    }
    assert found == {one.label for one in planned}
    sizes = [sum(one.shard == shard for one in planned) for shard in range(number)]
    assert sum(sizes) == students
    assert max(sizes) - min(sizes) <= 1
    assert not (tmp_path / "shards" / str(number)).exists()
    original = tmp_path / "class" / "s00" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    assert (tmp_path / "shards" / "0" / "s00" / ASSIGNMENT / original.name).read_bytes() == original.read_bytes()


def test_what_is_in_no_shard_is_told(tmp_path: Path) -> None:
    """By `plan` as by `grade` and by a script: in the words of one place in the code."""
    hand_in(tmp_path / "class", "ada")
    near = tmp_path / "class" / "bob" / "03-Numeric-Data"
    loose = tmp_path / "class" / "cy.ipynb"
    for path in (near / "03_numeric_data.ipynb", loose):
        write(released(ASSIGNMENT), path)
    told: list[str] = []
    planned = shards.plan(tmp_path / "class", tmp_path / "shards", COURSE, SEED, None, 20, 2, told.append)
    assert [one.label for one in planned] == [f"ada/{ASSIGNMENT}", "bob/03-Numeric-Data"]
    found, _ = find_submissions([tmp_path / "class"], COURSE)
    assert told == strays([tmp_path / "class"], found)
    assert [str(loose) in sentence for sentence in told] == [False, True]
    again, _ = find_submissions([tmp_path / "shards" / "0"], COURSE)
    assert again[1].problem == found[1].problem, "the machine that grades it says the same"
    run = autograder("plan", tmp_path / "class", tmp_path / "more", "--seed", "1")
    assert (run.returncode, run.stderr.count("did you mean")) == (4, 1)


def test_no_more_shards_than_github_has_jobs(tmp_path: Path) -> None:
    for count in range(260):
        (tmp_path / "class" / f"s{count}" / ASSIGNMENT).mkdir(parents=True)
    assert len({one.shard for one in plan(tmp_path, most=1000, each=1)}) == 256


def test_what_is_graded_and_unchanged_is_passed_over(tmp_path: Path, grade: Grader) -> None:
    ada = hand_in(tmp_path / "class", "ada", "invert")
    hand_in(tmp_path / "class", "bob")
    limits = {field.name: getattr(Limits(), field.name) for field in dataclasses.fields(Limits)}
    graded = grade(json.loads(ada.path.read_text()), ASSIGNMENT, **limits).result
    results = Results(tmp_path / "earlier", [ada])
    results.keep(0, graded)
    planned = {one.student: one.shard for one in plan(tmp_path, tmp_path / "earlier")}
    assert planned == {"ada": None, "bob": 0}

    def again(name: str) -> int | None:
        (tmp_path / "shards").rename(tmp_path / f"shards-{name}")
        return {one.student: one.shard for one in plan(tmp_path, tmp_path / "earlier")}["ada"]

    results.keep(0, dataclasses.replace(graded, record={**graded.record, "for_marks": False}))
    assert again("practice") == 0, "what was practice is graded for marks"
    results.keep(0, graded)
    assert again("back") is None
    hand_in(tmp_path / "class", "ada", "invert", "normalize")
    assert again("changed") == 0
    handed_on = tmp_path / "shards" / "earlier-0" / "ada" / ASSIGNMENT / "result.json"
    assert handed_on.read_bytes() == (results.folders[0] / "result.json").read_bytes(), "some of its exercises may hold"
    (tmp_path / "earlier" / "ada" / ASSIGNMENT / "result.json").write_text("[")
    assert again("damaged") == 0


def test_results_are_put_together_each_from_its_own_machine(tmp_path: Path) -> None:
    for student in ("ada", "bob", "cleo", "dan"):
        hand_in(tmp_path / "class", student)
    planned = {one.student: one.shard for one in plan(tmp_path, each=2)}
    assert planned == {"ada": 0, "bob": 1, "cleo": 0, "dan": 1}
    new = tmp_path / "new"
    # The first machine brings what is not its own; the second never finished one of its own.
    keep(new / "results-0", result("ada"), result("bob", 99), result("cleo"), result("dan", 99))
    keep(new / "results-1", result("bob"))
    keep(tmp_path / "earlier", result("dan", 50))
    merged = shards.merge(tmp_path / "shards" / "plan.json", new, tmp_path / "out", tmp_path / "earlier")
    assert {one.student: one.score for one in merged.results} == {"ada": 3, "bob": 3, "cleo": 3}
    assert merged.missing == [f"dan/{ASSIGNMENT}"], "an older commit's result is not this one's"
    kept = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [one["student"] for one in kept] == ["ada", "bob", "cleo"]
    assert (tmp_path / "out" / "bob" / ASSIGNMENT / "feedback.html").is_file()
    assert "cleo" in merged.page.read_text()


def test_what_was_graded_before_is_merged_in(tmp_path: Path) -> None:
    entry = {"student": "ada", "assignment": ASSIGNMENT, "shard": None}
    (tmp_path / "plan.json").write_text(json.dumps([entry]))
    keep(tmp_path / "earlier", result("ada"))
    merged = shards.merge(tmp_path / "plan.json", tmp_path / "none", tmp_path / "out", tmp_path / "earlier")
    assert [one.score for one in merged.results] == [3]
    assert shards.merge(tmp_path / "plan.json", tmp_path / "none", tmp_path / "out2", None).missing == [
        f"ada/{ASSIGNMENT}"
    ]


def test_earlier_results_of_an_older_version_are_read_and_left_as_they_are(tmp_path: Path) -> None:
    hand_in(tmp_path / "class", "Ada")
    keep(tmp_path / "earlier", result("Ada"))
    (tmp_path / "earlier" / folder_of("Ada")).rename(tmp_path / "earlier" / "Ada")
    before = {path: path.read_bytes() for path in (tmp_path / "earlier").rglob("*.*")}
    assert [one.shard for one in plan(tmp_path, tmp_path / "earlier")] == [0]
    handed_on = tmp_path / "shards" / "earlier-0" / folder_of("Ada") / ASSIGNMENT / "result.json"
    assert handed_on.read_bytes() == before[tmp_path / "earlier" / "Ada" / ASSIGNMENT / "result.json"]
    (tmp_path / "plan.json").write_text(json.dumps([{"student": "Ada", "assignment": ASSIGNMENT, "shard": None}]))
    merged = shards.merge(tmp_path / "plan.json", tmp_path / "none", tmp_path / "out", tmp_path / "earlier")
    assert [one.student for one in merged.results] == ["Ada"]
    assert (tmp_path / "out" / folder_of("Ada") / ASSIGNMENT / "feedback.html").is_file()
    assert {path: path.read_bytes() for path in (tmp_path / "earlier").rglob("*.*")} == before


def test_nothing_is_merged_into_a_folder_that_a_grader_writes(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("[]")
    with Results(tmp_path / "out", []), pytest.raises(PlanError, match="Another grader is writing"):
        shards.merge(tmp_path / "plan.json", tmp_path, tmp_path / "out", None)


def test_without_a_plan_or_a_class_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="is not a plan"):
        shards.merge(tmp_path / "plan.json", tmp_path, tmp_path / "out", None)
    (tmp_path / "class").mkdir()
    with pytest.raises(PlanError, match="no submission found"):
        plan(tmp_path)
