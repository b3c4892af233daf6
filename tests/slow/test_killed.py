"""A grader that is killed at any moment goes on where it was, by the same command, and nothing is lost or doubled.

    KILLS=12 .venv/bin/pytest tests/slow/test_killed.py

kills it as often; by default four times.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from helpers.submissions import answered, lean, released, solved, write

from autograder.box.sandbox import FOLDER

ASSIGNMENT = "00_orientation"
CLASS = 20
KILLS = int(os.environ.get("KILLS", "4"))
# A class of several kinds: right, wrong, not started, one that ends its box.
KINDS = [
    lean(solved(ASSIGNMENT)),
    lean(answered(released(ASSIGNMENT), first_steps="def describe_series(values):\n    return {'length': 3}\n")),
    lean(released(ASSIGNMENT)),
    lean(answered(released(ASSIGNMENT), first_steps="import os\nos._exit(0)\n")),
]


def command(folder: Path, output: Path) -> list[str]:
    grade = [sys.executable, "-I", "-m", "autograder", "grade", str(folder), "--output", str(output)]
    # Its boxes lie apart from those of the tests that run beside this one.
    return ["env", f"TMPDIR={output.parent}", *grade, "--workers", "2", "--seed", "5"]


def kept(output: Path) -> dict[str, Any]:
    """What every result says, but for when and how fast it was found."""
    found = {}
    for path in sorted(output.glob("*/*/result.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        del result["record"]["timings"], result["record"]["graded_at"]
        found[str(path.relative_to(output))] = result
    return found


@pytest.mark.long
def test_a_killed_batch_is_finished_by_the_same_command(tmp_path: Path) -> None:
    """Twenty submissions, some kills at random moments: the results are those of a batch that nobody disturbed."""
    folder, output = tmp_path / "class", tmp_path / "results"
    for number in range(CLASS):
        write(KINDS[number % len(KINDS)], folder / f"student{number:02}" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    undisturbed = subprocess.run(command(folder, tmp_path / "undisturbed"), capture_output=True, text=True, check=False)
    assert undisturbed.returncode == 0, undisturbed.stderr
    expected = kept(tmp_path / "undisturbed")
    assert len(expected) == CLASS

    chance = random.Random(20)
    kills, seen = 0, 0
    while kills < KILLS:
        running = subprocess.Popen(command(folder, output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            running.wait(timeout=chance.uniform(0.5, 6))
        except subprocess.TimeoutExpired:
            started = descendants(running.pid)
            running.kill()
            running.wait()
            kills += 1
            assert_ended(started)
        else:
            shutil.rmtree(output)  # it came to an end: begin again
            seen = 0
            continue
        finished = kept(output)  # each one whole, or it could not be read
        assert len(finished) >= seen, "a result was lost"
        assert all(expected[name] == result for name, result in finished.items())
        seen = len(finished)
    last = subprocess.run(command(folder, output), capture_output=True, text=True, check=False)
    assert last.returncode == 0, last.stderr
    assert kept(output) == expected
    students = [result["student"] for result in json.loads((output / "results.json").read_text(encoding="utf-8"))]
    assert students == [f"student{number:02}" for number in range(CLASS)]
    assert not list(output.rglob(".*")), "a half-written file was left"
    assert not list(tmp_path.glob(f"{FOLDER}*")), "a box was left behind"
    again = subprocess.run(command(folder, output), capture_output=True, text=True, check=False)
    assert f"{CLASS} had been graded before" in again.stderr
    once_more = subprocess.run(
        [*command(folder / "student00", output), "--no-cache"], capture_output=True, text=True, check=False
    )
    assert "1 graded in" in once_more.stderr


def descendants(pid: int) -> set[tuple[int, str]]:
    """All processes below `pid`, each with the time of its start, since a number may be given again."""
    parents = {int(path.parent.name): _stat(path) for path in Path("/proc").glob("[0-9]*/stat")}
    found, new = set[int](), {pid}
    while new:
        found |= new
        new = {one for one, (parent, _) in parents.items() if parent in new} - found
    return {(one, parents[one][1]) for one in found - {pid}}


def _stat(path: Path) -> tuple[int, str]:
    """The parent and the start time of a process; (0, "") when it is no more."""
    try:
        fields = path.read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0, ""
    return int(fields[1]), fields[19]


def assert_ended(processes: set[tuple[int, str]]) -> None:
    """Workers and boxes end with the grader that started them."""
    assert processes
    until = time.monotonic() + 10
    while time.monotonic() < until:
        left = [pid for pid, start in processes if _stat(Path("/proc", str(pid), "stat"))[1] == start]
        if not left:
            return
        time.sleep(0.05)
    raise AssertionError(f"processes were left: {left}")
