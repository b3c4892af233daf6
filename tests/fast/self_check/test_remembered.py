"""An unchanged notebook's outcomes are kept, and nothing else is taken for them."""

import dataclasses
import json
import os
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from helpers.submissions import COURSE, Notebook, answered, insert, only, own_cell, released, write

from autograder.self_check import Line, Options, remembered
from autograder.submission.notebook import read
from autograder.submission.restoration import restore

ASSIGNMENT = COURSE.assignment("03_numeric_data")
LINES = tuple(Line(one.id, one.max_points, "fails", "ValueError: ½") for one in ASSIGNMENT.exercises)
PATH = Path("somewhere", "03_numeric_data.ipynb")
OPTIONS = Options(120)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "lstm-autograder"


def key_of(notebook: Notebook, folder: Path) -> str:
    path = write(notebook, folder / "notebook.ipynb")
    return remembered.key(restore(read(path), ASSIGNMENT), ASSIGNMENT, OPTIONS)


def test_what_is_kept_comes_back_for_the_same_notebook_and_key() -> None:
    assert remembered.lines(PATH, "key", ASSIGNMENT) is None
    remembered.keep(PATH, "key", LINES)
    assert remembered.lines(PATH, "key", ASSIGNMENT) == LINES
    assert remembered.lines(PATH.absolute(), "key", ASSIGNMENT) == LINES
    assert remembered.lines(PATH, "other", ASSIGNMENT) is None
    assert remembered.lines(Path("elsewhere", PATH.name), "key", ASSIGNMENT) is None
    assert remembered.lines(PATH, "key", COURSE.assignment("09_echo")) is None


def test_outputs_and_texts_change_nothing_and_code_does(tmp_path: Path) -> None:
    book = only(ASSIGNMENT.name, "invert")
    key = key_of(book, tmp_path)
    said = json.loads(json.dumps(book))
    for cell in said["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = "My own words."
        else:
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "seen"}]
    assert key_of(said, tmp_path) == key
    for other in (
        answered(book, invert="def invert_scaling(scaler, values): return values"),
        insert(book, "normalize", own_cell("n = 1")),
        released(ASSIGNMENT.name),
    ):
        assert key_of(other, tmp_path) != key


def test_other_circumstances_are_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(only(ASSIGNMENT.name, "invert"), tmp_path / "notebook.ipynb")
    restored = restore(read(path), ASSIGNMENT)
    newer = dataclasses.replace(ASSIGNMENT)
    vars(newer)["sha256"] = "another release"
    changed = dataclasses.replace(ASSIGNMENT)
    vars(changed)["grader_sha256"] = "another program"
    keys = [
        remembered.key(restored, ASSIGNMENT, OPTIONS),
        remembered.key(restored, ASSIGNMENT, Options(60)),
        remembered.key(restored, ASSIGNMENT, Options(120, every_cell=True)),
        remembered.key(restored, newer, OPTIONS),
        remembered.key(restored, changed, OPTIONS),
    ]
    monkeypatch.setattr(remembered, "versions_here", lambda: {"numpy": "3"})
    keys.append(remembered.key(restored, ASSIGNMENT, OPTIONS))
    (tmp_path / "packages").mkdir()
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / "packages"))
    keys.append(remembered.key(restored, ASSIGNMENT, OPTIONS))
    os.utime(tmp_path / "packages", ns=(1, 1))
    keys.append(remembered.key(restored, ASSIGNMENT, OPTIONS))
    assert len({*keys}) == len(keys)


def kept(**changes: Any) -> str:
    lines = [dataclasses.asdict(line) for line in LINES]
    return json.dumps({"key": "key", "lines": [lines[0] | changes, *lines[1:]]})


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "3", '"key"', '{"key": "key"}', '{"key": "key", "lines": 3}', '{"key": "key", "lines": [3]}',
        '{"key": "key", "lines": []}', '{"key": "key", "lines": [{}]}', "[" * 10**5, "\0", '{"key": NaN}',
        kept(outcome="earned"), kept(outcome=[]), kept(text=3), kept(text=None), kept(max_points=100),
        kept(exercise="standardize"), kept(exercise=[]),
    ],
)  # fmt: skip
def test_a_damaged_file_counts_as_not_there(text: str, cache: Path) -> None:
    remembered.keep(PATH, "key", LINES)
    [file] = cache.iterdir()
    assert file.read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    assert remembered.lines(PATH, "key", ASSIGNMENT) is None
    file.write_text(kept(), encoding="utf-8")
    assert remembered.lines(PATH, "key", ASSIGNMENT) == LINES


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    remembered.keep(PATH, "key", LINES)
    assert remembered.lines(PATH, "key", ASSIGNMENT) is None


def test_a_user_without_a_home_is_served_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", nowhere)
    remembered.keep(PATH, "key", LINES)
    assert remembered.lines(PATH, "key", ASSIGNMENT) is None


def test_the_oldest_of_many_are_forgotten(cache: Path) -> None:
    for number in range(remembered.MOST_FILES + 3):
        remembered.keep(Path(str(number)), "key", LINES)
        for file in cache.iterdir():
            age = file.stat().st_mtime - 1
            os.utime(file, (age, age))
    assert len(list(cache.iterdir())) == remembered.MOST_FILES
    assert remembered.lines(Path("2"), "key", ASSIGNMENT) is None
    assert remembered.lines(Path("3"), "key", ASSIGNMENT) == LINES
