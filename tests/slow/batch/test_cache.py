"""What of an earlier result still holds: as much as has not changed, and never more."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from helpers.command_line import autograder
from helpers.grader import Grader
from helpers.submissions import (
    COURSE,
    Notebook,
    answered,
    insert,
    lean,
    only,
    own_cell,
    released,
    solved,
    source,
    write,
)

from autograder import course
from autograder.batch.cache import Keys, holds, identity, keys, narrower, reusable, usable
from autograder.box import Limits
from autograder.report import page
from autograder.result import Result
from autograder.settings import Settings
from autograder.submission.find import Submission
from autograder.submission.notebook import read
from autograder.submission.restoration import restore
from autograder.submission.slicing import Slices

NAME = "03_numeric_data"
IDS = [exercise.id for exercise in COURSE.assignment(NAME).exercises]
WRONG = "def invert_scaling(scaler, values):\n    print('tried')\n    return values\n\ninvert_scaling(1, 2)\n"
PARTLY = answered(solved(NAME), invert=WRONG)
USES = "def invert_scaling(scaler, values):\n    return undo(scaler, values)\n"


def with_text(notebook: Notebook, text: str) -> Notebook:
    cell = {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": text}
    return {**notebook, "cells": [cell, *notebook["cells"]]}


NO_NOTES: dict[str, list[str]] = {name: [] for name in IDS}
DAMAGED: list[Any] = [7, [[]], [], ["a"], "ab"]


def marks(result: Result) -> list[Any]:
    return [result.score, result.exercises, result.notes, [replace(cell, source="") for cell in result.cells]]


def test_a_word_of_text_runs_nothing(grade: Grader) -> None:
    before = grade(PARTLY, NAME).result
    after = grade(with_text(PARTLY, "My thoughts."), NAME, before).result
    assert after.record["taken_over"] == sorted(IDS)
    assert (after.record["boxes"], after.record["cells"]["run"]) == (0, 0)
    assert after.record["submission_sha256"] != before.record["submission_sha256"]
    assert marks(after) == marks(before)
    assert "tried" in page.feedback(after)


def test_one_changed_answer_is_graded_alone(grade: Grader) -> None:
    before = grade(PARTLY, NAME).result
    changed = answered(PARTLY, which_scaler="def suggest_scaler(values):\n    return 'normalize'\n")
    after, fresh = (grade(changed, NAME, before, again=again).result for again in (False, True))
    assert fresh.record["taken_over"] == []
    assert after.record["taken_over"] == sorted(set(IDS) - {"which-scaler"})
    assert 0 < after.record["cells"]["run"] < fresh.record["cells"]["run"]
    assert marks(after) == marks(fresh)
    assert after.score != before.score


def test_what_an_answer_uses_is_part_of_it(grade: Grader) -> None:
    right = source(solved(NAME), "invert").replace("invert_scaling", "undo")
    notebooks = [
        insert(only(NAME, invert=USES), "normalize", own_cell(own)) for own in (right, right.replace("inverse_", ""))
    ]
    before = grade(notebooks[0], NAME).result
    after = grade(notebooks[1], NAME, before).result
    assert (outcome(before, "invert"), outcome(after, "invert")) == ("earned", "not_earned")
    assert "invert" not in after.record["taken_over"]


def outcome(result: Result, exercise: str) -> str:
    return next(one.outcome for one in result.exercises if one.id == exercise)


REMEMBERS = "last_one = None\n" + source(solved(NAME), "normalize").replace(
    "    return ", "    global last_one\n    last_one = scaler\n    return "
)


def test_a_result_that_hangs_on_anothers_checks_is_not_kept_alone(grade: Grader) -> None:
    """A function remembers the call before: which it meets follows from what else is examined."""
    leans = "def invert_scaling(scaler, values):\n    return (last_one or scaler).inverse_transform(values)\n"
    first = answered(solved(NAME), normalize=REMEMBERS, invert=leans)
    before = grade(first, NAME).result
    assert outcome(before, "normalize") == "earned"
    assert outcome(before, "invert") != "earned"
    commented = answered(first, invert=f"# mine\n{leans}")
    after, fresh = (grade(commented, NAME, before, again=again).result for again in (False, True))
    assert after.record["taken_over"] == []
    assert [(one.outcome, one.points) for one in after.exercises] == [(o.outcome, o.points) for o in fresh.exercises]


def test_a_comment_is_asked_other_things(grade: Grader) -> None:
    """Code can read its comments, and so tell what an earlier feedback has shown; the text between cells is not run."""
    before = grade(PARTLY, NAME).result
    commented = answered(PARTLY, invert=f"# [1.5, 2.5]\n{source(PARTLY, 'invert')}")
    after = grade(commented, NAME, before).result
    assert "invert" not in after.record["taken_over"]
    assert marks(after) == marks(grade(commented, NAME).result)
    every = grade(commented, NAME).result.record["seeds"]
    assert all(every[name] != before.record["seeds"][name] for name in IDS)
    assert grade(with_text(PARTLY, "more"), NAME).result.record["seeds"] == before.record["seeds"]


def test_training_is_not_repeated(grade: Grader) -> None:
    """When another answer changes, the cells that train are left out."""
    name = "09_echo"
    notebook = answered(
        solved(name), trained_model="keras.utils.set_random_seed(1)\nmodel = build_model(TIMESTEPS, FEATURES)"
    )
    before = grade(notebook, name).result
    assert outcome(before, "trained-model") == "not_earned"
    graded = grade(answered(notebook, generate="def generate_sequence(*given):\n    return []\n"), name, before)
    after = graded.result
    assert outcome(after, "generate") == "not_earned"
    assert set(after.record["taken_over"]) >= {"trained-model", "model", "evaluate"}
    left = {run.cell.exercise for run in graded.transcript if run.status == "left out"}
    assert left >= {"trained-model", "model", "evaluate"}


def test_what_could_not_be_graded_is_tried_again(grade: Grader) -> None:
    notebook = answered(
        only(NAME, "normalize"), invert="import time\ndef invert_scaling(*given):\n    time.sleep(60)\n"
    )
    before = grade(notebook, NAME, call_seconds=1, cell_seconds=3).result
    assert outcome(before, "invert") == "could_not_be_graded"
    after = grade(with_text(notebook, "once more"), NAME, before, call_seconds=1, cell_seconds=3).result
    assert after.record["taken_over"] == sorted(set(IDS) - {"invert"})


def test_notes_stay_with_the_exercise_that_they_are_about(grade: Grader) -> None:
    own = "def undo(scaler, scaled):\n    return scaler.inverse_transform(scaled)\nundo(1, 2)\n"
    notebook = insert(only(NAME, "normalize", invert=USES), "normalize", own_cell(own))
    before = grade(notebook, NAME).result
    assert any("`def undo(scaler, scaled):` raised" in note for note in before.notes)
    assert before.record["notes"]["normalize"] == []
    after = grade(with_text(notebook, "more"), NAME, before).result
    assert after.record["boxes"] == 0
    assert after.notes == before.notes


def test_a_notebook_without_answers_needs_no_box(grade: Grader) -> None:
    result = grade(released(NAME), NAME).result
    assert (result.score, result.record["boxes"], result.record["start"]) == (0, 0, None)


def test_no_cell_can_tell_an_answer_what_will_be_asked(grade: Grader) -> None:
    """Also not in a way that no name shows, as by the title of a plot: any code that changes meets other inputs."""
    reads = "def invert_scaling(scaler, values):\n    return np.array(eval_of(plt.gca().get_title()))\n"
    notebooks = [
        answered(
            only(NAME, invert=reads.replace("eval_of", "len")),
            normalize=f"def normalize(*given):\n    return None\n\nplt.title({title!r})\n",
        )
        for title in ("[1, 2]", "[3, 4]")
    ]
    first, second = (grade(notebook, NAME).result.record for notebook in notebooks)
    assert all(first["seeds"][name] != second["seeds"][name] for name in IDS)


# the keys


def key(notebook: Notebook, settings: Settings, folder: Path) -> Keys:
    assignment = COURSE.assignment(NAME)
    restored = restore(read(write(notebook, folder / f"{NAME}.ipynb")), assignment)
    return keys(Slices(restored, assignment), restored, assignment, settings)


def test_a_mended_check_reaches_its_own_exercise(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = tmp_path / "package" / "checks"
    shutil.copytree(course.CHECKS, checks)
    monkeypatch.setattr(course, "CHECKS", checks)
    module = checks / f"{NAME}.py"
    text = module.read_text()

    def now(changed: str) -> Keys:
        course._read.cache_clear()
        module.write_text(changed)
        return key(PARTLY, settings, tmp_path)

    before = now(text)
    assert now(text + "\n# a comment\n") == before
    other = now(text.replace("def fitted_min_max(train: Any, low", "def fitted_min_max(train: object, low"))
    assert {name for name, found in other.items() if found != before[name]} == {"invert"}
    more = now(f'{text}\n@exercise("which-scaler")\ndef test_more(student: Student) -> None:\n    """More."""\n')
    assert {name for name, found in more.items() if found != before[name]} == {"which-scaler"}
    course._read.cache_clear()


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 12}, {"training_seed": 1}, {"every_cell": True}, {"limits": Limits(cell_seconds=1)},
    ],
)  # fmt: skip
def test_other_circumstances_are_other_results(change: dict[str, Any], settings: Settings, tmp_path: Path) -> None:
    before, after = (key(PARTLY, one, tmp_path) for one in (settings, replace(settings, **change)))
    assert all(before[name] != after[name] for name in IDS)


@pytest.mark.parametrize(
    "damage",
    [
        {}, {"keys": None}, {"keys": {"invert": ["a", "b"]}, "notes": None},
        *({"keys": dict.fromkeys(IDS, kept), "notes": NO_NOTES} for kept in DAMAGED),
    ],
)  # fmt: skip
def test_a_record_without_keys_holds_nothing(damage: dict[str, Any], grade: Grader) -> None:
    result = grade(released(NAME), NAME).result
    assert reusable(replace(result, record=damage), result.record["keys"], whole=False) == {}
    assert reusable(None, result.record["keys"], whole=False) == {}
    keys = result.record["keys"]
    for one in DAMAGED[:2]:
        assert (
            reusable(replace(result, record={"keys": keys, "notes": dict.fromkeys(IDS, one)}), keys, whole=False) == {}
        )
    no_text: Any = ["invert"]
    strange = [*(replace(one, points=no_text) for one in result.exercises), replace(result.exercises[0], id=no_text)]
    assert reusable(replace(result, exercises=tuple(strange)), keys, whole=False) == {}
    for name in ("record", "cause"):
        with pytest.raises(TypeError):
            Result.from_dict(result.as_dict() | {name: []})


def test_which_cell_is_the_answer_is_part_of_it(settings: Settings, tmp_path: Path) -> None:
    """The same code, divided between the cells in another way, may raise in another of them."""
    wrong, right = "undefined\n", source(solved(NAME), "invert")
    above = insert(only(NAME, invert=right), "invert", own_cell(wrong))
    below = insert(only(NAME, invert=wrong), "check-invert", own_cell(right))
    together = only(NAME, invert=f"{wrong}\n\f\n{right}")
    found = [key(one, settings, tmp_path)["invert"] for one in (above, below, together)]
    assert len({*found}) == 3


def test_the_graders_own_failure_and_practice_are_no_marks(grade: Grader) -> None:
    result = grade(released(NAME), NAME).result
    assert usable(result, practice=False)
    weak = replace(result, record={**result.record, "for_marks": False})
    assert (usable(weak, practice=False), usable(weak, practice=True)) == (False, True)
    assert not usable(replace(result, cause="grader"), practice=True)


# the command


def test_the_command_says_what_it_took_over_and_verifies_it(tmp_path: Path) -> None:
    path = write(PARTLY, tmp_path / "class" / "ada" / NAME / f"{NAME}.ipynb")
    command: list[str | Path] = ["grade", tmp_path / "class", "--output", tmp_path / "results", "--seed", "5"]
    assert autograder(*command).returncode == 0
    kept = tmp_path / "results" / "ada" / NAME / "result.json"
    before = kept.read_text()
    write(with_text(PARTLY, "again"), path)
    run = autograder(*command, COLUMNS="300")
    assert run.returncode == 0, run.stderr
    assert "In 1 changed submission, 4 exercises have not changed and keep their results." in run.stderr
    run = autograder(*command, PATH="/nowhere")
    assert run.returncode == 0, "where nothing is to be graded, no box is needed"
    assert "1 had been graded before" in run.stderr
    kept.write_text(before)
    run = autograder(*command, "--verify")
    assert run.returncode == 0, run.stderr
    assert "Verified: 1 of 1 earlier results came out the same again." in run.stderr
    assert json.loads(kept.read_text())["record"]["taken_over"] == []
    forged = json.loads(before)
    forged["exercises"][2] |= {"points": 2.0, "outcome": "earned"}
    kept.write_text(json.dumps(forged))
    run = autograder(*command, "--verify", COLUMNS="300")
    assert run.returncode == 5
    assert "`invert` differs in its outcome, points" in run.stderr
    run = autograder(*command, "--no-cache")
    assert "had been graded before" not in run.stderr
    assert "keep their results" not in run.stderr


SLOW = source(solved(NAME), "invert").replace(
    "    values = np", "    import time\n    time.sleep(1.5)\n    values = np", 1
)


def test_what_came_to_a_limit_is_graded_again_alone(tmp_path: Path) -> None:
    """With `--retry`, or with more time; all other results hold, and so do its other exercises."""
    assert "sleep" in SLOW
    hand_ins = {"ada": only(NAME, "invert"), "bob": only(NAME, "which-scaler", invert=SLOW)}
    for student, notebook in hand_ins.items():
        write(lean(notebook), tmp_path / "class" / student / NAME / f"{NAME}.ipynb")
    command: list[str | Path] = ["grade", tmp_path / "class", "--output", tmp_path / "results", "--seed", "5"]

    def run(*more: str) -> tuple[str, dict[str, Any]]:
        told = autograder(*command, *more, COLUMNS="300")
        assert told.returncode == 0, told.stderr
        kept = {one["student"]: one for one in json.loads((tmp_path / "results" / "results.json").read_text())}
        assert kept["ada"]["score"] == 2.0
        return told.stderr, kept

    first, before = run("--call-seconds", "1")
    assert "1 submission came to a limit of time or memory." in first
    assert (before["bob"]["score"], before["bob"]["open_points"]) == (2.0, 2.0)
    again, same = run("--call-seconds", "1")
    assert "2 had been graded before" in again
    assert same == before
    none, _ = run("--call-seconds", "1", "--retry", "memory")
    assert "2 had been graded before" in none
    retried, after = run("--call-seconds", "1", "--retry", "time")
    assert "\n1 graded in" in retried
    assert after["ada"] == before["ada"]
    assert after["bob"]["record"]["taken_over"] == sorted(set(IDS) - {"invert"})
    longer, after = run("--call-seconds", "20")
    assert "\n1 graded in" in longer
    assert after["ada"] == before["ada"], "it came to no limit, so more time makes no difference"
    assert (after["bob"]["score"], after["bob"]["open_points"]) == (4.0, 0)
    assert after["bob"]["record"]["taken_over"] == sorted(set(IDS) - {"invert"})


@pytest.mark.parametrize("options", [["--retry", "time"], ["--output", "x", "--retry", "time", "--no-cache"]])
def test_a_retry_needs_results_and_grades_only_some(options: list[str], tmp_path: Path) -> None:
    run = autograder("grade", tmp_path, *options)
    assert run.returncode == 2
    assert "--retry grades" in run.stderr


def test_with_a_note_more_time_is_another_result(grade: Grader) -> None:
    """A cell that was stopped leaves a note: with more time an answer that needs it may be right."""
    path_of = Submission(Path("nowhere.ipynb"), "ada", NAME)
    settings = Settings(COURSE, Limits(), seed=1, training_seed=2)
    less = replace(settings, limits=Limits(cell_seconds=30))
    record: dict[str, Any] = {"limits": asdict(less.limits), "identity": identity(path_of, less), "notes": {"": []}}
    kept = replace(grade(released(NAME), NAME).result, record=record)
    assert holds(kept, path_of, settings)
    assert narrower(kept, settings) == less
    noted = replace(kept, record={**record, "notes": {"": ["Your cell 3 took too long."]}})
    stopped = replace(kept, cause="time")
    more = replace(kept, record={**record, "limits": {**asdict(less.limits), "cell_seconds": 90}})
    damaged = replace(kept, record={**record, "limits": {"cell_seconds": "x"}})
    assert not any(holds(one, path_of, settings) for one in (noted, stopped, more, damaged))


def test_results_may_be_taken_over_from_elsewhere(tmp_path: Path) -> None:
    """And what did not come to be graded is not among the new ones."""
    path = write(PARTLY, tmp_path / "class" / "ada" / NAME / f"{NAME}.ipynb")
    command: list[str | Path] = ["grade", tmp_path / "class", "--seed", "5"]
    assert autograder(*command, "--output", tmp_path / "one").returncode == 0
    for text, told in (("", "1 had been graded before"), ("again", "In 1 changed submission, 4 exercises")):
        if text:
            write(with_text(PARTLY, text), path)
        output = tmp_path / f"two{text}"
        run = autograder(*command, "--earlier", tmp_path / "one", "--output", output, COLUMNS="300")
        assert run.returncode == 0, run.stderr
        assert told in run.stderr
        one, two = (
            json.loads((folder / "ada" / NAME / "result.json").read_text()) for folder in (tmp_path / "one", output)
        )
        assert one["exercises"] == two["exercises"]
        assert (output / "ada" / NAME / "feedback.html").is_file()


def test_an_interrupted_take_over_from_elsewhere_goes_on(tmp_path: Path) -> None:
    """What is in --output by now holds as well; and a folder that there is not is told, not made."""
    write(PARTLY, tmp_path / "class" / "ada" / NAME / f"{NAME}.ipynb")
    nowhere = tmp_path / "nowhere"
    command: list[str | Path] = ["grade", tmp_path / "class", "--seed", "5"]
    command += ["--earlier", nowhere, "--output", tmp_path / "two"]
    run = autograder(*command, COLUMNS="300")
    assert run.returncode == 0, run.stderr
    assert f"There is no folder {nowhere}, so no earlier results are used." in run.stderr
    assert "1 had been graded before" in autograder(*command, COLUMNS="300").stderr
    assert not nowhere.exists()


def test_what_was_taken_over_can_be_graded_again(tmp_path: Path) -> None:
    """With the inputs that it had met, whatever else has changed in the notebook since."""
    ignores = source(solved(NAME), "normalize").replace("feature_range=feature_range", "feature_range=(0, 1)")
    assert ignores != source(solved(NAME), "normalize")
    first = answered(solved(NAME), normalize=ignores)
    path = write(first, tmp_path / "class" / "ada" / NAME / f"{NAME}.ipynb")
    command: list[str | Path] = ["grade", tmp_path / "class", "--output", tmp_path / "results", "--seed", "5"]
    assert autograder(*command).returncode == 0
    kept = tmp_path / "results" / "ada" / NAME / "result.json"
    drawn = json.loads(kept.read_text())["record"]["seeds"]
    write(answered(first, invert=WRONG), path)
    assert autograder(*command).returncode == 0
    record = json.loads(kept.read_text())["record"]
    assert record["taken_over"] == sorted(set(IDS) - {"invert"})
    assert [name for name in IDS if record["seeds"][name] != drawn[name]] == ["invert"]
    run = autograder("regrade", tmp_path / "results", COLUMNS="300")
    assert run.returncode == 0, run.stdout
