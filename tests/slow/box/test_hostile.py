"""Submissions that attack the grader, or the machine, or are merely damaged: each costs itself at most.

The corpus is data (`hostile/`); every one of it is graded in a box, in one batch's worker process, and held to its
marks, to the sentence that its author gets, and to having left nothing behind: no point, no process, no file, no word.

    EVERYTHING=1 .venv/bin/pytest -n 4 tests/slow/box/test_hostile.py

grades all of it in each way of starting a box, as root and as a plain user.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.grader import EVERYTHING
from helpers.hostile_submissions import Hostile, corpus, write
from helpers.plain_user import become, home
from helpers.submissions import COURSE, lean, only
from helpers.submissions import write as write_notebook

from autograder.batch.pipeline import Graded, grade
from autograder.box import memory
from autograder.box.sandbox import FIRST_USER, FOLDER
from autograder.report import page
from autograder.result import Result
from autograder.settings import Settings
from autograder.submission.find import Submission

CORPUS = corpus()
# Without EVERYTHING:
# - all of them as root, in boxes that are forked from a warm parent;
# - what looks for secrets, and samples, in boxes that start cold;
# - what aims at other submissions or at secrets as a plain user, and samples of the rest.
CASES = [(one, "warm") for one in CORPUS]
CASES += [
    (one, "cold") for number, one in enumerate(CORPUS) if EVERYTHING or one.group == "reading" or number % 40 == 0
]
BY_A_PLAIN_USER = [
    one
    for number, one in enumerate(CORPUS)
    if EVERYTHING or one.group in {"neighbours", "reading"} or number % (2 if one.group == "abuse" else 8) == 0
]
BATCHES = 6
SEED = 7_345_109_226_511_873  # long enough to be found wherever it should not be
SECONDS = {"cell_seconds": 6, "call_seconds": 5, "total_seconds": 120}
COLD_SECONDS = {"cell_seconds": 15, "call_seconds": 5, "total_seconds": 150}  # its first cell imports all
# To start a box takes its time too; one submission may need several.
GRACE = 60


@pytest.fixture(scope="module")
def limited(settings: Settings) -> Settings:
    # All cells run, or many attacks, which nothing depends on, would never take place.
    return replace(settings, seed=SEED, limits=replace(settings.limits, **SECONDS), every_cell=True)


@pytest.fixture(scope="module")
def listener() -> Iterator[int]:
    """A port on loopback that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_there_are_enough_of_them() -> None:
    groups = Counter(one.group for one in CORPUS)
    assert sum(groups.values()) >= 205
    assert set(groups) == {"forgery", "reading", "abuse", "damaged", "models", "neighbours", "values"}
    assert len({one.name for one in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize(("hostile", "start"), CASES, ids=[f"{one.group}-{one.name}-{start}" for one, start in CASES])
def test_a_submission_costs_itself_at_most(
    hostile: Hostile,
    start: str,
    limited: Settings,
    worker: ProcessPoolExecutor,
    boxes: Path,
    listener: int,
    tmp_path: Path,
) -> None:
    settings = limited
    if start == "cold":
        settings = replace(limited, warm=None, limits=replace(limited.limits, **COLD_SECONDS))
    secret = tmp_path / "secret.txt"
    secret.write_text("the answers")
    facts = {"root": str(COURSE.root), "port": listener, "secret": str(secret)}
    path = write(
        hostile, tmp_path / "class" / hostile.student / hostile.assignment / f"{hostile.assignment}.ipynb", facts
    )
    chance = []
    for _ in range(2 if hostile.group == "neighbours" else 1):  # those look for what the one before has left
        started = time.monotonic()
        graded = worker.submit(grade, Submission(path, hostile.student, hostile.assignment), settings).result()
        assert time.monotonic() - started < settings.limits.total_seconds + GRACE
        assert graded.result.record.get("start") in {start, None}
        assert_marks(hostile, graded)
        printed = "".join(str(output) for run in graded.transcript for output in run.outputs)
        if hostile.sees_nothing:
            assert "SEEN []" in printed, printed
        assert_nothing_is_told(hostile, graded.result, page.feedback(graded.result), printed)
        assert_nothing_is_left(worker, boxes)
        chance.append(re.findall(r"CHANCE .*?\\n", printed))
    assert chance[0] != chance[-1] or not chance[0]
    if hostile.group in {"abuse", "neighbours"}:
        assert_the_next_is_unaffected(settings, worker, tmp_path)


def assert_marks(hostile: Hostile, graded: Graded) -> None:
    exercises = {exercise.id: exercise for exercise in graded.result.exercises}
    attacked = exercises[hostile.attacked]
    if hostile.reference:
        assert {one.outcome for one in exercises.values()} == {hostile.outcome}, exercises
    assert attacked.outcome in {hostile.outcome, hostile.or_else}, (hostile.name, attacked)
    if attacked.outcome == "could_not_be_graded":
        assert attacked.points is None
        assert attacked.cause in ({hostile.cause} if hostile.cause else {"notebook", "time", "memory"}), attacked
    else:
        assert attacked.cause is None
        assert (attacked.points == attacked.max_points) == (attacked.outcome == "earned")
        assert (attacked.points == 0) == (attacked.outcome == "not_earned")
    assert len(attacked.message) > 20 or hostile.outcome == "earned"
    assert hostile.says in attacked.message
    for name in () if hostile.reference or hostile.may_be_lost else hostile.honest:
        assert exercises[name].outcome == "earned", exercises[name]
        assert exercises[name].points == exercises[name].max_points
    # What was neither attacked nor answered earns nothing by the attack.
    others = set(exercises) - {hostile.attacked, *hostile.honest}
    assert hostile.reference or not [exercises[name] for name in others if exercises[name].points]


def assert_nothing_is_told(hostile: Hostile, result: Result, shown: str, printed: str = "") -> None:
    """Not in what the student gets to see, nor in what is kept beside it."""
    kept = replace(result, record={}).to_json()
    code = hostile.code or ""
    root = [] if "{root" in code else [str(COURSE.root)]
    hidden = [str(SEED), *root, *hostile.not_told, *lines_of_the_checks(hostile.assignment)]
    # Where the packages lie, which tracebacks tell, is no secret.
    packages = str(COURSE.root / ".venv")
    for text in (part.replace(packages, "") for part in (printed, shown, kept)):
        assert not [secret for secret in hidden if secret in text and secret not in code]
    assert not re.search(r"<(script|img|iframe)\b(?![^>]*data:image/png)", shown)
    assert shown.count("<svg") == sum(len(check.pictures) for one in result.exercises for check in one.checks)
    assert "\x1b" not in shown + kept


def lines_of_the_checks(assignment: str) -> list[str]:
    """Code of the hidden checks that no message repeats."""
    text = COURSE.assignment(assignment).checks.read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if "student." in line and "rng" in line]


def assert_nothing_is_left(worker: ProcessPoolExecutor, boxes: Path) -> None:
    """No box's folder, no control group and no process of a box outlives its submission."""
    pid = worker.submit(os.getpid).result()
    assert not list(boxes.iterdir())
    assert not list(memory.ROOT.rglob(f"{memory.NAME}{pid}-*"))
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            text = status.read_text()
            until = time.monotonic() + 10
            while "State:\tZ" in text and time.monotonic() < until:
                time.sleep(0.1)  # it has ended, and whoever must see that is about to
                text = status.read_text()
            user = int(re.findall(r"^Uid:\t(\d+)", text, re.MULTILINE)[0])
            assert (user - FIRST_USER) // 64 != pid % 2**22, text
            assert not ("Name:\tbwrap" in text and f"PPid:\t{pid}\n" in text), text


def assert_the_next_is_unaffected(settings: Settings, worker: ProcessPoolExecutor, tmp_path: Path) -> None:
    """The same worker process grades another submission as if there had been nothing before."""
    assignment = "03_numeric_data"
    path = tmp_path / "next" / assignment / f"{assignment}.ipynb"
    write_notebook(lean(only(assignment, "invert")), path)
    result = worker.submit(grade, Submission(path, "next", assignment), settings).result().result
    assert [exercise.outcome for exercise in result.exercises] == ["not_earned", "not_earned", "earned", "not_earned"]
    assert result.notes == ()


@pytest.mark.long
@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_plain_user_grades_them_the_same(batch: int) -> None:
    """As batches of the command, run by a user without rights."""
    chosen = BY_A_PLAIN_USER[batch::BATCHES]
    command = [sys.executable, "-I", "-m", "autograder", "grade", "--seed", str(SEED)]
    command += ["--every-cell", "--workers", "1"]  # other tests run beside this one, and have limits of time too
    command += [f"--{name.replace('_', '-')}={seconds}" for name, seconds in SECONDS.items()]
    with home() as folder:
        for number, hostile in enumerate(chosen):
            place = folder / "class" / f"{number:03} {hostile.student}" / hostile.assignment
            facts = {"root": str(COURSE.root), "port": 1, "secret": str(folder / "secret")}
            write(hostile, place / f"{hostile.assignment}.ipynb", facts)
        command = [*become(folder), "env", f"TMPDIR={folder}", *command]
        command += ["--output", str(folder / "results"), str(folder / "class")]
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=COURSE.root)
        assert run.returncode == 0, run.stderr
        graded = {path.parents[1].name[:3]: path.parent for path in (folder / "results").glob("*/*/result.json")}
        assert len(graded) == len(chosen)
        for number, hostile in enumerate(chosen):
            place = graded[f"{number:03}"]
            result = Result.from_dict(json.loads((place / "result.json").read_text(encoding="utf-8")))
            shown = (place / "feedback.html").read_text(encoding="utf-8")
            assert_marks(hostile, Graded(result))
            assert_nothing_is_told(hostile, result, shown)
        assert not list(folder.glob(f"{FOLDER}*"))
