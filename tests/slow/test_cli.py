"""The command as instructors, students and CI jobs meet it: what it prints, and its exit status."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.command_line import ASSIGNMENT, autograder, submission
from helpers.submissions import COURSE, answered, insert, lean, only, own_cell, released, solved, write

from autograder.report.files import Results


def test_prints_nothing_but_json_on_standard_output(tmp_path: Path) -> None:
    path = submission(tmp_path)
    run = autograder("grade", path, "--json", "--seed", "3")
    assert run.returncode == 0, run.stderr
    [result] = json.loads(run.stdout)
    assert (result["student"], result["assignment"]) == ("ada", ASSIGNMENT)
    assert (result["score"], result["max_score"]) == (2, 10)
    for exercise in result["exercises"]:
        assert {"id", "outcome", "points", "max_points", "message", "cause"} <= set(exercise)
    assert result["record"]["seed"] == 3
    assert result["record"]["for_marks"] is True


def test_shows_one_submission_in_words(tmp_path: Path) -> None:
    run = autograder("grade", submission(tmp_path))
    assert run.returncode == 0, run.stderr
    assert "2 of 10 points" in run.stdout
    assert "Not answered yet" in run.stdout


def test_a_class_is_graded_in_one_table(tmp_path: Path) -> None:
    for student in ("ada", "bob"):
        submission(tmp_path / "class", student)
    run = autograder("grade", tmp_path / "class", "--output", tmp_path / "results")
    assert run.returncode == 0, run.stderr
    assert "2 submissions" in run.stdout
    assert {path.parent.parent.name for path in (tmp_path / "results").glob("*/*/result.json")} == {"ada", "bob"}


def test_two_graders_do_not_share_a_folder(tmp_path: Path) -> None:
    with Results(tmp_path / "results", []):
        run = autograder("grade", submission(tmp_path), "--output", tmp_path / "results")
    assert run.returncode == 2
    assert "Another grader is writing" in " ".join(run.stderr.split())


def test_the_page_changes_its_level_without_grading_anew(tmp_path: Path) -> None:
    path, output = submission(tmp_path), ("--output", tmp_path / "results")
    page = tmp_path / "results" / "ada" / ASSIGNMENT / "feedback.html"
    assert autograder("grade", path, *output, "--seed", "424242").returncode == 0
    assert "424242" not in page.read_text(encoding="utf-8")
    run = autograder("grade", path, *output, "--seed", "424242", "--feedback", "staff")
    assert "Nothing new to grade." in run.stderr
    assert "424242" in page.read_text(encoding="utf-8")
    run = autograder("grade", path, *output, "--seed", "424242")
    assert "Nothing new to grade." in run.stderr
    assert "424242" not in page.read_text(encoding="utf-8")


def test_a_wrong_path_is_named_and_the_others_are_graded(tmp_path: Path) -> None:
    run = autograder("grade", submission(tmp_path), tmp_path / "nowhere", "--json")
    assert run.returncode == 4
    assert f"{tmp_path / 'nowhere'}: there is no such file or folder." in run.stderr.replace("\n", "")
    assert len(json.loads(run.stdout)) == 1


def test_a_folder_with_nearly_the_right_name_gets_a_row_a_sentence_and_a_status(tmp_path: Path) -> None:
    submission(tmp_path, "ada")
    submission(tmp_path, "bob").parent.rename(tmp_path / "bob" / "03_Numeric_Data")
    run = autograder("grade", tmp_path, "--json")
    ada, bob = json.loads(run.stdout)
    assert (run.returncode, ada["score"], bob["score"], bob["cause"]) == (4, 2.0, None, "notebook")
    assert "did you mean `03_numeric_data`?" in bob["message"]
    assert "bob/03_Numeric_Data could not be graded: The folder" in run.stderr.replace("\n", "")


@pytest.mark.parametrize("path", ["nowhere", "empty"])
def test_nothing_to_grade_is_wrong_usage(path: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run = autograder("grade", tmp_path / path, "--json")
    assert run.returncode == 2
    assert "Nothing to grade." in run.stderr
    assert run.stdout == ""


def test_a_folder_that_is_no_course_is_named(tmp_path: Path) -> None:
    run = autograder("grade", submission(tmp_path), "--course", tmp_path)
    assert run.returncode == 2
    assert "No course here" in run.stderr


def test_a_damaged_release_is_a_sentence(tmp_path: Path) -> None:
    release = tmp_path / "course" / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    release.parent.mkdir(parents=True)
    release.write_text("{")
    notebook = write(lean(only(ASSIGNMENT, "invert")), tmp_path / "answers.ipynb")
    run = autograder("grade", notebook, "--course", tmp_path / "course", COLUMNS="400")
    assert run.returncode == 2
    assert f"Make it again: autograder release {ASSIGNMENT}" in run.stderr.replace("\n", " ")
    assert "Traceback" not in run.stderr


def test_without_a_box_nothing_is_graded(tmp_path: Path) -> None:
    run = autograder("grade", submission(tmp_path), "--json", PATH="/nowhere")
    assert run.returncode == 3
    assert "sudo apt-get install bubblewrap" in run.stderr
    assert run.stdout == ""


def test_a_seed_that_is_no_number_is_refused(tmp_path: Path) -> None:
    run = autograder("grade", submission(tmp_path), AUTOGRADER_SEED="today")
    assert run.returncode == 2
    assert "AUTOGRADER_SEED must be a whole number from 0." in run.stderr


def test_the_seed_is_kept_for_the_next_grading(tmp_path: Path) -> None:
    path = submission(tmp_path)
    seeds = [
        json.loads(autograder("grade", path, "--json", XDG_STATE_HOME=str(tmp_path)).stdout)[0]["record"]["seed"]
        for _ in range(2)
    ]
    assert seeds[0] == seeds[1]
    secret = tmp_path / "lstm-autograder" / "seed"
    assert secret.stat().st_mode & 0o077 == 0  # nobody else's to read


def test_doctor_says_what_holds() -> None:
    run = autograder("doctor")
    assert run.returncode == 0, run.stdout
    assert "This machine can grade for marks." in run.stdout


def test_release_names_what_there_is() -> None:
    run = autograder("release", "99_nothing")
    assert run.returncode == 1
    assert "There is no source/99_nothing/99_nothing.ipynb" in run.stderr
    assert ASSIGNMENT in run.stderr


# check: the student's own


def test_check_passes_a_right_notebook(tmp_path: Path) -> None:
    run = autograder("check", write(lean(solved(ASSIGNMENT)), tmp_path / f"{ASSIGNMENT}.ipynb"))
    assert run.returncode == 0, run.stdout + run.stderr
    assert "4 of 4 exercises pass their visible checks." in run.stdout
    assert "This is practice" in run.stdout
    assert run.stderr == ""


def test_check_tells_what_is_open_wrong_or_locked(tmp_path: Path) -> None:
    notebook = only(ASSIGNMENT, "invert", standardize="def standardize(train, test):\n    return 1\n")
    notebook = answered(notebook, check_invert="print('I changed the check')")
    run = autograder("check", write(lean(notebook), tmp_path / f"{ASSIGNMENT}.ipynb"))
    assert run.returncode == 1
    lines = " ".join(run.stdout.split())
    assert "– normalize (3) not answered yet" in lines
    assert "✗ standardize (3) The check cell raised AssertionError: Return three things" in lines
    assert "✓ invert (2) the visible checks pass" in lines
    assert "The check cell of `invert` was changed; the grader ran the released one." in lines


def test_check_stops_what_never_ends(tmp_path: Path) -> None:
    notebook = answered(released(ASSIGNMENT), normalize="while True:\n    pass\n")
    path = write(lean(notebook), tmp_path / f"{ASSIGNMENT}.ipynb")
    run = autograder("check", path, "--seconds", "15")
    assert run.returncode == 1
    assert "still running after 15 seconds" in run.stdout


def test_check_runs_own_cells_and_ends_what_has_no_end(tmp_path: Path) -> None:
    """A cell of one's own runs, and costs its own time at most."""
    endless = own_cell("while True:\n    pass\n")
    path = write(insert(lean(solved(ASSIGNMENT)), "normalize", endless), tmp_path / f"{ASSIGNMENT}.ipynb")
    run = autograder("check", path, "--seconds", "5")
    assert run.returncode == 0
    lines = " ".join(run.stdout.split())
    assert "The cell that begins `while True:`: still running after 5 seconds; the other cells were run" in lines
    assert "4 of 4 exercises pass" in lines


def test_check_remembers_an_unchanged_notebook(tmp_path: Path) -> None:
    notebook = only(ASSIGNMENT, "invert", which_scaler="def suggest_scaler(values):\n    return 1\n")
    path = write(lean(notebook), tmp_path / f"{ASSIGNMENT}.ipynb")
    first, again = (autograder("check", path, XDG_CACHE_HOME=str(tmp_path)) for _ in range(2))
    note = "Nothing has changed since this notebook was checked: these are the outcomes of then.\n"
    assert note not in first.stdout
    assert note in again.stdout
    assert again.stdout.replace(note, "") == first.stdout
    assert first.returncode == again.returncode == 1
    write(answered(lean(notebook), invert="def invert_scaling(scaler, values):\n    return 2\n"), path)
    changed = autograder("check", path, XDG_CACHE_HOME=str(tmp_path))
    assert "Nothing has changed" not in changed.stdout
    assert "0 of 4 exercises pass" in changed.stdout


def test_check_leaves_the_notebook_and_its_folder_alone(tmp_path: Path) -> None:
    path = write(lean(only(ASSIGNMENT, "invert")), tmp_path / "work" / f"{ASSIGNMENT}.ipynb")
    before = path.read_bytes()
    autograder("check", path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_check_says_why_a_file_cannot_be_run(tmp_path: Path) -> None:
    path = tmp_path / f"{ASSIGNMENT}.ipynb"
    path.write_text("")
    run = autograder("check", path)
    assert run.returncode == 2
    assert "The file is empty." in run.stderr


def test_check_wants_a_copy_of_the_released_notebook() -> None:
    run = autograder("check", COURSE.assignment(ASSIGNMENT).notebook)
    assert run.returncode == 2
    assert "Copy it into another folder" in run.stderr.replace("\n", " ")


def test_help_lists_the_commands() -> None:
    run = autograder("--help")
    assert all(name in run.stdout for name in ("grade", "check", "release", "doctor"))


def test_the_course_is_found_from_anywhere() -> None:
    run = subprocess.run(
        [sys.executable, "-I", "-m", "autograder", "doctor"], capture_output=True, text=True, check=False, cwd="/"
    )
    assert str(COURSE.root) in run.stdout.replace("\n", "")


def test_without_the_instructors_tools_it_says_so(tmp_path: Path) -> None:
    """As in a student's environment: the tools hidden, all else the same."""
    hide = "import sys; sys.modules.update(dict.fromkeys(['pytest', 'nbgrader']))"
    start = f"{hide}; from importlib import util; found = util.find_spec"
    start += "; util.find_spec = lambda name: None if name in ('pytest', 'nbgrader') else found(name)"
    command = [sys.executable, "-I", "-c", f"{start}; from autograder.cli import app; app()", "grade", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "nbgrader, pytest cannot be found" in run.stderr.replace("\n", " ")
