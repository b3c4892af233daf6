"""`autograder tidy`: what an editor leaves in a source goes, and what its author wrote stays."""

import copy
import json
from pathlib import Path

import pytest
from helpers.new_lesson import NAME, new_lesson
from helpers.submissions import COURSE, Notebook, load
from typer.testing import CliRunner

from autograder.authoring.source_form import as_text, is_tidy, tidied, tidy
from autograder.cli import app
from autograder.errors import CourseError

SOURCE = load(COURSE.root / "source" / "00_orientation" / "00_orientation.ipynb")


def as_an_editor_leaves_it() -> Notebook:
    book = copy.deepcopy(SOURCE)
    book["metadata"]["kernelspec"]["display_name"] = "Python 3 (ipykernel)"
    book["metadata"]["language_info"]["version"] = "3.13.1"
    book["nbformat_minor"] = 4
    for number, cell in enumerate(book["cells"], 1):
        cell["metadata"] |= {
            "editable": True,
            "slideshow": {},
            "tags": cell["metadata"].get("tags", []),
        }
        cell["source"] = "".join(cell["source"])
        if cell["cell_type"] == "code":
            cell["execution_count"] = number
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "hello"}]
    return book


def test_what_an_editor_leaves_goes() -> None:
    assert tidied(as_an_editor_leaves_it()) == SOURCE
    assert tidied(SOURCE) == SOURCE


@pytest.mark.parametrize("identifier", [None, "", "Odd_Name", "parameters", 7])
def test_a_cell_gets_an_id_that_stays(identifier: object) -> None:
    """Its own, if that can be; `parameters` is another cell's, by the name that nbgrader knows it by."""
    book = copy.deepcopy(SOURCE)
    place = next(number for number, cell in enumerate(book["cells"]) if cell["id"] == "opening")
    book["cells"][place]["id"] = identifier
    if identifier is None:
        del book["cells"][place]["id"]
    once = tidied(book)
    ids = [cell["id"] for cell in once["cells"]]
    assert len(set(ids)) == len(ids)
    assert [one for number, one in enumerate(ids) if number != place] == [
        cell["id"] for number, cell in enumerate(SOURCE["cells"]) if number != place
    ]
    assert ids[place] == {"Odd_Name": "odd-name", 7: "7"}.get(identifier, ids[place])
    assert tidied(once) == once


def test_the_command_writes_and_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = new_lesson(tmp_path, monkeypatch)
    path = course.root / "source" / NAME / f"{NAME}.ipynb"
    tidy_text, options = path.read_text(encoding="utf-8"), ["--course", str(course.root)]
    path.write_text(json.dumps(json.loads(tidy_text)), encoding="utf-8")
    untidy_text = path.read_text(encoding="utf-8")
    run = CliRunner().invoke(app, ["tidy", "--check", *options])
    assert run.exit_code == 1
    assert f"source/{NAME}/{NAME}.ipynb is not in its one form." in run.output
    assert f"Run: autograder tidy {NAME}" in run.output
    assert path.read_text(encoding="utf-8") == untidy_text
    run = CliRunner().invoke(app, ["tidy", NAME, *options])
    assert (run.exit_code, run.output.strip()) == (0, f"source/{NAME}/{NAME}.ipynb is written again.")
    assert path.read_text(encoding="utf-8") == tidy_text
    run = CliRunner().invoke(app, ["tidy", "--check", *options])
    assert (run.exit_code, run.output) == (0, "")


def test_what_is_no_lesson_or_no_notebook_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = new_lesson(tmp_path, monkeypatch)
    with pytest.raises(CourseError, match=r"There is no source/12_more/12_more\.ipynb\. There are: 11_trial\."):
        tidy(course, ["12_more"], False)
    path = course.root / "source" / NAME / f"{NAME}.ipynb"
    for text in ("", "[]", "{}", '{"cells": [{"metadata": {}}]}', '{"cells": [{"metadata": [], "source": []}]}'):
        path.write_text(text)
        with pytest.raises(CourseError, match=r"is no notebook .* Mend it, or take its last version from git\."):
            is_tidy(path)
        assert path.read_text() == text


def test_the_text_is_the_one_form() -> None:
    assert as_text({"b": ["ü"], "a": 1}) == '{\n "a": 1,\n "b": [\n  "ü"\n ]\n}\n'
