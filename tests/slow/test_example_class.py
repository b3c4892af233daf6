"""The example class: in sync with the releases, and graded to what each submission deserves."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import example_class
from helpers.browser import DESKTOP, PHONE, Visit, cut_on_paper, judged

from autograder.report import page
from autograder.result import Result

# student, assignment -> outcome of each exercise; None where nothing could be graded
E, P, N, C = "earned", "partial", "not_earned", "could_not_be_graded"
pytestmark = pytest.mark.long

EXPECTED: dict[tuple[str, str], list[str] | None] = {
    ("ada-perfect", "03_numeric_data"): [E, E, E, E],
    ("ada-perfect", "09_echo"): [E, E, E, E, E, E],
    ("bob-partly-right", "03_numeric_data"): [P, E, E, E],
    ("bob-partly-right", "09_echo"): [E, E, E, E, E, N],
    ("cleo-not-started", "03_numeric_data"): [N, N, N, N],
    ("dan-wrong-notebook", "03_numeric_data"): None,
    ("eve-hostile", "03_numeric_data"): [N, N, E, N],
    ("eve-hostile", "09_echo"): [E, E, N, N, N, N],
    ("finn-syntax-error", "03_numeric_data"): [E, N, E, E],
    ("gus-truncated", "03_numeric_data"): None,
    ("hana-endless-loop", "03_numeric_data"): [E, C, E, E],
    ("ivo-crash", "03_numeric_data"): [E, E, C, E],
    ("june-moved-cells", "03_numeric_data"): [E, E, E, C],
    ("kai-merge-conflict", "03_numeric_data"): [E, E, C, E],
    ("lou-ten-gigabytes", "03_numeric_data"): [E, E, E, C],
    ("mia-byte-order-mark", "03_numeric_data"): [E, E, E, E],
    ("ned-no-notebook", "03_numeric_data"): None,
}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_is_made_from_the_releases(tmp_path: Path) -> None:
    example_class.write(tmp_path / "class")
    assert files(tmp_path / "class") == files(example_class.FOLDER), "run: make example"


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], Path, str]:
    """What `autograder grade --json --output` makes of the class."""
    output = tmp_path_factory.mktemp("results")
    command = [sys.executable, "-I", "-m", "autograder", "grade", str(example_class.FOLDER), "--json"]
    command += ["--output", str(output), "--cell-seconds", "20", "--call-seconds", "5"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout), output, run.stderr


def test_every_submission_gets_what_it_deserves(graded: tuple[list[dict[str, Any]], Path, str]) -> None:
    results, _, _ = graded
    found = {(r["student"], r["assignment"]): [e["outcome"] for e in r["exercises"]] for r in results}
    wanted = {key: outcomes or [C] * len(found[key]) for key, outcomes in EXPECTED.items()}
    assert found == wanted
    for result in results:
        points = [exercise["points"] for exercise in result["exercises"]]
        graded_points = [value for value in points if value is not None]
        assert result["score"] == (round(sum(graded_points), 2) if graded_points else None)
        assert result["max_score"] == sum(exercise["max_points"] for exercise in result["exercises"])
        for exercise in result["exercises"]:
            assert len(exercise["message"]) > 10
            assert (exercise["cause"] is None) == (exercise["points"] is not None)


def test_results_are_kept_whole(graded: tuple[list[dict[str, Any]], Path, str]) -> None:
    results, output, told = graded
    assert json.loads((output / "results.json").read_text()) == results
    assert str(output / "index.html") in told
    for result in results:
        folder = output / result["student"] / result["assignment"]
        kept = json.loads((folder / "result.json").read_text())
        assert {name: part for name, part in kept.items() if name != "cells"} == result
        page = (folder / "feedback.html").read_text()
        assert result["student"] in page
        assert str(result["record"]["seed"]) not in page  # the hidden inputs follow from it
    assert not list(output.rglob(".*"))  # no half-written file


def test_the_record_tells_how_it_was_graded(graded: tuple[list[dict[str, Any]], Path, str]) -> None:
    results, _, _ = graded
    record = results[0]["record"]
    assert all(
        len(record[name]) == 64 for name in ("submission_sha256", "release_sha256", "checks_sha256", "lock_sha256")
    )
    assert all(record["protections"][name] for name in record["protections"] if name != "memory_of_all_bounded")
    stages = ["read", "restore", "slice", "execute", "examine", "close"]
    assert list(record["timings"])[:6] == stages
    assert all(seconds >= 0 for seconds in record["timings"].values())
    assert {"python", "keras", "papermill"} <= set(record["versions"])
    assert {"tensorflow", "tensorflow-cpu"} & set(record["versions"])


def test_everybody_can_read_its_pages(
    graded: tuple[list[dict[str, Any]], Path, str], visit: Visit, tmp_path: Path
) -> None:
    """All kinds of results, with all that the page for staff shows of them."""
    written = tmp_path / "page.html"
    _, output, _ = graded
    for file in sorted(output.glob("*/*/result.json")):
        result = Result.from_dict(json.loads(file.read_text()))
        written.write_text(page.feedback(result, "staff"), encoding="utf-8")
        assert judged(visit(written, DESKTOP)) == [], file
        shown = visit(written, PHONE, dark=True)
        assert judged(shown) == [], file
        assert cut_on_paper(shown) == [], file
    assert judged(visit(output / "index.html", PHONE)) == []


def test_a_trained_model_has_its_pictures(graded: tuple[list[dict[str, Any]], Path, str]) -> None:
    (perfect,) = (one for one in graded[0] if (one["student"], one["assignment"]) == ("ada-perfect", "09_echo"))
    pictures = [one for check in perfect["exercises"][-1]["checks"] for one in check["pictures"]]
    assert [one["kind"] for one in pictures] == ["learning curve", "confusion matrix"]
    assert len(pictures[0]["values"][0]) == 8, "epochs"
    assert sum(map(sum, pictures[1]["values"])) == 4000
