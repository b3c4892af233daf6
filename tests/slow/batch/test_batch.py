"""A batch outlives the death of its workers, and ends when it is told to."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from helpers.deadly_answers import DeadlyLimits, DeadlyPath
from helpers.submissions import answered, lean, only, write

from autograder.batch import pool
from autograder.batch.workers import grade_all
from autograder.box.sandbox import FOLDER
from autograder.settings import Settings
from autograder.submission.find import Submission

ASSIGNMENT = "03_numeric_data"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_dies_takes_no_other_submission_with_it(workers: int, settings: Settings, tmp_path: Path) -> None:
    paths = [tmp_path / name / ASSIGNMENT / f"{ASSIGNMENT}.ipynb" for name in ("ada", "eve", "bob")]
    for path in paths:
        write(lean(only(ASSIGNMENT, "invert")), path)
    paths[1] = DeadlyPath(paths[1])
    submissions = [Submission(path, path.parent.parent.name, ASSIGNMENT) for path in paths]
    results = dict(grade_all(list(enumerate(submissions)), settings, workers))
    assert sorted(results) == [0, 1, 2]
    assert [results[place].score for place in (0, 2)] == [2, 2]
    assert (results[1].cause, results[1].score) == ("grader", None)
    assert "Grade it again." in results[1].message
    assert results[1].grader_failed


@pytest.mark.parametrize(
    ("what", "cause", "says"),
    [
        ("dies", "notebook", "ended twice, each time at what this answer returned"),
        ("loops", "time", "more than 2 seconds of processor time"),
    ],
)
def test_a_worker_that_ends_or_hangs_at_an_answer_costs_that_exercise(
    what: Literal["dies", "loops"], cause: str, says: str, settings: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """As a call into C would that no timer reaches: the worker is replaced, and the rest is graded."""
    monkeypatch.setattr(pool, "STARTING", 3.0)
    path = write(lean(only(ASSIGNMENT, "invert", "which-scaler")), tmp_path / "ada" / f"{ASSIGNMENT}.ipynb")
    other = write(lean(only(ASSIGNMENT, "invert")), tmp_path / "bob" / f"{ASSIGNMENT}.ipynb")
    limits = DeadlyLimits(cell_seconds=30, call_seconds=6, exercise_look_seconds=2.0, what=what)
    deadly = replace(settings, limits=limits)
    with closing(grade_all([(0, Submission(path, "ada", ASSIGNMENT))], deadly, 1)) as graded:
        found = {one.id: one for one in dict(graded)[0].exercises}
    for name in ("invert", "which-scaler"):
        assert (found[name].outcome, found[name].points, found[name].cause) == ("could_not_be_graded", None, cause)
        assert says in found[name].message
    assert found["normalize"].outcome == "not_earned"
    after = dict(grade_all([(0, Submission(other, "bob", ASSIGNMENT))], settings, 1))
    assert after[0].score == 2


def test_a_worker_is_replaced_once_its_answers_took_too_much(settings: Settings, tmp_path: Path) -> None:
    """It tells so by itself, and the exercise alone is not graded."""
    path = write(lean(only(ASSIGNMENT, "invert", "which-scaler")), tmp_path / "ada" / f"{ASSIGNMENT}.ipynb")
    short = replace(settings, limits=replace(settings.limits, exercise_look_seconds=0.01))
    submissions = [(place, Submission(path, "ada", ASSIGNMENT)) for place in range(2)]
    for result in dict(grade_all(submissions, short, 1)).values():
        found = {one.id: one for one in result.exercises}
        assert (found["which-scaler"].outcome, found["which-scaler"].cause) == ("could_not_be_graded", "time")
        assert "0.01 seconds of processor time for an exercise" in found["which-scaler"].message
        assert found["invert"].outcome == "earned"
        assert 0 < result.record["timings"]["of these, outside of the box"] < 2


def test_interrupted_it_ends_at_once_and_keeps_what_is_done(settings: Settings, tmp_path: Path) -> None:
    """Ctrl-C reaches the grader and all its workers: one submission is done, one in the middle, others wait."""
    endless = answered(only(ASSIGNMENT, "invert"), normalize="while True:\n    pass\n")
    for student, notebook in [("ada", only(ASSIGNMENT, "invert")), ("bob", endless), ("cem", endless)]:
        write(lean(notebook), tmp_path / "class" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    # Where the tests run in the background, they ignore SIGINT, and whatever they start would do so, too.
    command = ["env", "--default-signal=INT", sys.executable, "-I", "-m", "autograder", "grade"]
    command += [str(tmp_path / "class"), "--workers", "1"]
    running = subprocess.Popen(
        [*command, "--output", str(tmp_path / "results"), "--cell-seconds", "300"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    until = time.monotonic() + 120
    first = tmp_path / "results" / "ada" / ASSIGNMENT / "result.json"
    while not first.exists() and time.monotonic() < until:
        time.sleep(0.1)
    while not list(tmp_path.glob(f"{FOLDER}*")) and time.monotonic() < until:
        time.sleep(0.1)  # bob's box
    os.killpg(running.pid, signal.SIGINT)
    _, told = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "Interrupted. What was finished is kept." in told
    assert "Traceback" not in told
    assert [path.parent.parent.name for path in (tmp_path / "results").glob("*/*/result.json")] == ["ada"]
    assert not list(tmp_path.glob(f"{FOLDER}*")), "a box was left behind"


def test_long_assignments_begin_first(settings: Settings, tmp_path: Path) -> None:
    names = ["00_orientation", "unknown", "09_echo", ASSIGNMENT]
    submissions = [Submission(tmp_path / "nothing.ipynb", str(place), name) for place, name in enumerate(names)]
    began: list[str | None] = []
    ended = grade_all(
        list(enumerate(submissions)), settings, 1, lambda now: began.extend(one.assignment for one in now)
    )
    # One worker ends them in the order in which it began them.
    assert [names[place] for place, _ in ended] == ["09_echo", ASSIGNMENT, "00_orientation", "unknown"]
    assert began[0] == "09_echo"


def test_workers_end_with_whoever_takes_their_results(
    settings: Settings, worker: ProcessPoolExecutor, tmp_path: Path
) -> None:
    """Ctrl-C may come between two results, when no worker is waited for: closing ends them."""
    endless = answered(only(ASSIGNMENT, "invert"), normalize="while True:\n    pass\n")
    notebooks = {"ada": only(ASSIGNMENT, "invert"), "bob": endless}
    paths = [
        write(lean(notebook), tmp_path / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
        for student, notebook in notebooks.items()
    ]
    submissions = [Submission(path, path.parent.parent.name, ASSIGNMENT) for path in paths]
    worker.submit(os.getpid).result()
    others = set(multiprocessing.active_children())
    long = replace(settings, limits=replace(settings.limits, cell_seconds=200, total_seconds=300))
    with closing(grade_all(list(enumerate(submissions)), long, 1)) as graded:
        place, _ = next(graded)
    assert place == 0
    until = time.monotonic() + 30
    while set(multiprocessing.active_children()) - others and time.monotonic() < until:
        time.sleep(0.1)
    assert set(multiprocessing.active_children()) == others, "its own workers end, and no other process"
