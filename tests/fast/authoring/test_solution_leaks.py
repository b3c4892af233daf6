"""A solution that reaches the release is seen, wherever it stands and however it is worded."""

import base64
import codecs
import copy
import gzip
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.submissions import COURSE, Notebook, cell, load, released
from rich.console import Console

from autograder.authoring.release import make
from autograder.authoring.solution_leaks import leaks
from autograder.authoring.source_form import as_text, tidied
from autograder.course import Course
from autograder.errors import ReleaseError

NAME = "03_numeric_data"
SOURCE = load(COURSE.root / "source" / NAME / f"{NAME}.ipynb")
TEXT = "".join(cell(SOURCE, "standardize")["source"])
SOLUTION = TEXT[TEXT.index("### BEGIN SOLUTION") + 19 : TEXT.index("    ### END SOLUTION")]
LINE = next(line.strip() for line in SOLUTION.splitlines() if len(line) > 40)
RENAMED = "import numpy as np\n" + LINE.replace("train", "past").replace("test", "future").replace("scaler", "q")


def in_source(book: Notebook, text: str) -> None:
    book["cells"][3]["source"] = [*book["cells"][3]["source"], "\n" + text]


def in_output(book: Notebook, text: str) -> None:
    code = next(one for one in book["cells"] if one["cell_type"] == "code")
    code["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)}]


def in_metadata(book: Notebook, text: str) -> None:
    book["metadata"]["hint"] = {"answer": text}


def in_a_cells_metadata(book: Notebook, text: str) -> None:
    book["cells"][2]["metadata"]["nbgrader"] = {"checksum": text}


def in_an_attachment(book: Notebook, text: str) -> None:
    data = base64.b64encode(text.encode()).decode()
    book["cells"][0]["attachments"] = {"answer.txt": {"text/plain": data}}


WORDINGS = {
    "as it is": SOLUTION,
    "one line": LINE,
    "without indentation": "\n".join(line.strip() for line in SOLUTION.splitlines()),
    "spaced": LINE.replace("(", " ( ").replace(",", " ,").replace("=", " = "),
    "commented out": "\n".join(f"# {line.strip()}" for line in SOLUTION.splitlines()),
    "other names": RENAMED,
    "other names, commented out": "# " + RENAMED.splitlines()[1],
    "in a fenced block": f"Do it so:\n\n```python\n{RENAMED}\n```\n",
    "capitals": LINE.upper(),
    "backwards": SOLUTION[::-1],
    "rot13": codecs.encode(SOLUTION, "rot13"),
    "base64": base64.b64encode(SOLUTION.encode()).decode(),
    "hex": SOLUTION.encode().hex(),
    "compressed": base64.b64encode(gzip.compress(SOLUTION.encode())).decode(),
    "markers": "### BEGIN SOLUTION",
}


def test_the_release_as_it_is_tells_nothing() -> None:
    assert leaks(SOURCE, released(NAME)) == []


@pytest.mark.parametrize("wording", WORDINGS.values(), ids=WORDINGS.keys())
def test_a_solution_is_seen_in_any_wording(wording: str) -> None:
    book = copy.deepcopy(released(NAME))
    in_source(book, wording)
    assert leaks(SOURCE, book)


@pytest.mark.parametrize("wording", ["as it is", "other names, commented out", "compressed"])
@pytest.mark.parametrize("place", [in_output, in_metadata, in_a_cells_metadata, in_an_attachment])
def test_a_solution_is_seen_at_any_place(place: Callable[[Notebook, str], None], wording: str) -> None:
    book = copy.deepcopy(released(NAME))
    place(book, WORDINGS[wording])
    assert leaks(SOURCE, book)


def test_a_solution_that_the_lesson_repeats_is_seen() -> None:
    """Also where the source itself shows it outside of the markers, where nbgrader leaves it."""
    source, book = copy.deepcopy(SOURCE), copy.deepcopy(released(NAME))
    for notebook in (source, book):
        in_source(notebook, SOLUTION)
    assert leaks(source, book)


def test_what_the_lesson_teaches_is_no_leak() -> None:
    source, book = copy.deepcopy(SOURCE), copy.deepcopy(released(NAME))
    for notebook in (source, book):
        in_source(notebook, f"`{LINE}` fits on the past alone.")
    assert leaks(source, book) == []


def test_a_leaking_release_is_not_made(tmp_path: Path) -> None:
    folder = shutil.copytree(COURSE.root / "source" / NAME, tmp_path / "source" / NAME)
    shutil.copytree(COURSE.root / "release", tmp_path / "release")
    (tmp_path / "tests/answers").mkdir(parents=True)
    for kept in ("source/slides.toml", f"tests/answers/{NAME}.toml", "README.md"):
        shutil.copy(COURSE.root / kept, tmp_path / kept)
    source = copy.deepcopy(SOURCE)
    in_source(source, SOLUTION)
    (folder / f"{NAME}.ipynb").write_text(as_text(tidied(source)), encoding="utf-8")
    before = (tmp_path / "release" / NAME / f"{NAME}.ipynb").read_bytes()
    with pytest.raises(ReleaseError, match="would tell students of its solutions"):
        make(Course(tmp_path), [NAME], False, Console(file=io.StringIO()))
    assert (tmp_path / "release" / NAME / f"{NAME}.ipynb").read_bytes() == before
