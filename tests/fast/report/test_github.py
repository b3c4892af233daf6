"""What is shown on GitHub: escaped, bounded, at the right line."""

import json
import re
from html import unescape
from pathlib import Path

import nbformat
import pytest
from helpers.submissions import released, source, write
from hypothesis import given
from hypothesis import strategies as st

from autograder.report.github import (
    MAX_ANNOTATIONS,
    MAX_STATUS,
    MAX_SUMMARY,
    Annotation,
    Job,
    Level,
    cell_lines,
    chosen,
    fenced,
    markdown,
    status,
    summary,
)
from autograder.text import plain

PIECES = ["::error::", "::set-output name=x::", "##[error]", "\n", "\r", "%0A", "|", "`", "<script>", "</td>", "](x)"]
PIECES += [
    "@ada",
    "https://example.org",
    "www.example.org",
    "#1",
    "**",
    "\\",
    "&lt;",
    "\x1b[31m",
    "\u202e",
    "]]>",
    "- ",
    ",",
]
HOSTILE = st.text() | st.lists(st.sampled_from(PIECES)).map("".join)


@given(HOSTILE)
def test_markdown_keeps_the_text_and_none_of_its_meaning(text: str) -> None:
    shown = markdown(text)
    assert not set(re.sub(r"&#\d+;|<br>", "", shown)) & set('<>|`*_[]()#!~@\\:./&\n-+="$^{}%')
    assert unescape(shown.replace("<br>", "\n")) == plain(text, 600).strip().replace("\t", " ")


@given(HOSTILE, HOSTILE, HOSTILE, st.sampled_from(["error", "warning", "notice"]), st.integers(1, 9999))
def test_an_annotation_is_one_command_and_says_what_it_was_given(
    path: str, title: str, message: str, level: Level, line: int
) -> None:
    command = Annotation(level, path, line, title, message).command()
    assert "\n" not in command
    assert "\r" not in command
    match = re.fullmatch(r"::(\w+) file=([^,:]*),line=(\d+),title=([^,:]*)::(.*)", command, re.DOTALL)
    assert match
    assert (match[1], match[3]) == (level, str(line))

    def decoded(text: str) -> str:
        for code, character in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
            text = text.replace(code, character)
        return text

    assert [decoded(match[2]), decoded(match[4]), decoded(match[5])] == [
        plain(path, 400),
        plain(title, 120),
        plain(message, 1000),
    ]


@given(HOSTILE)
def test_a_status_is_one_short_line(text: str) -> None:
    found = status(text * 20)
    assert len(found) <= MAX_STATUS
    assert "\n" not in found


@given(st.lists(st.text(max_size=50), max_size=60), st.integers(300, 2000))
def test_a_summary_is_bounded_and_counts_what_it_leaves_out(parts: list[str], limit: int) -> None:
    text = summary("## Head", parts, limit)
    assert len(text.encode()) <= limit
    left_out = re.search(r"(\d+) more are left out here", text)
    if left_out is None:
        assert text == "\n".join(["## Head", *parts]) + "\n"
    else:
        assert text.startswith("\n".join(["## Head", *parts[: len(parts) - int(left_out[1])]]))


def test_a_large_summary_fits_in_githubs_limit() -> None:
    text = summary("## Head", ["x" * 1000] * 3000)
    assert 0.99 * MAX_SUMMARY < len(text.encode()) <= MAX_SUMMARY
    assert "more are left out here" in text


def test_a_step_shows_ten_annotations_of_each_level() -> None:
    many = [Annotation("error", "a", n, "t", "m") for n in range(25)]
    kept, left_out = chosen([*many, Annotation("warning", "a", 1, "t", "m")])
    assert (len(kept), left_out) == (MAX_ANNOTATIONS + 1, 15)
    assert [one.line for one in kept[:10]] == list(range(10))


def test_a_fence_is_closed_whatever_happens_and_never_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        with fenced():
            print("::error::not a command", end="")
            raise ValueError("ended")

    for _ in range(2):
        with pytest.raises(ValueError, match="ended"):
            fails()
    lines = capsys.readouterr().out.splitlines()
    tokens = [line.removeprefix("::stop-commands::") for line in lines if line.startswith("::stop-commands::")]
    assert len(set(tokens)) == 2
    assert all(f"::{token}::" in lines for token in tokens)
    assert len(tokens[0]) == 32


def test_a_job_hides_its_files_from_what_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("ACTIONS_RUNTIME_TOKEN", "secret")
    job = Job()
    assert not [name for name in os.environ if name.startswith(("GITHUB_", "ACTIONS_", "RUNNER_"))]
    job.summarize("## Head\n")
    job.output(shards=[0, 1], text="a\nb=c")
    assert (tmp_path / "GITHUB_STEP_SUMMARY").read_text() == "## Head\n"
    assert (tmp_path / "GITHUB_OUTPUT").read_text() == 'shards=[0, 1]\ntext="a\\nb=c"\n'


# the line of a cell


@pytest.mark.parametrize("indent", [1, 4, None])
def test_the_line_of_each_cell_is_found(indent: int | None, tmp_path: Path) -> None:
    book = released("03_numeric_data")
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(book, indent=indent))
    lines = path.read_text().splitlines()
    found = cell_lines(path)
    assert {"normalize", "check-normalize", "invert"} <= set(found)
    for name, line in found.items():
        first = json.dumps(source(book, name).splitlines()[0])[1:-1]
        assert first in lines[line - 1], name


def test_the_line_is_found_as_jupyter_writes_the_file(tmp_path: Path) -> None:
    path = write(released("03_numeric_data"), tmp_path / "a.ipynb")
    nbformat.write(nbformat.read(path, as_version=4), path)
    line = cell_lines(path)["invert"]
    assert "def invert_scaling" in path.read_text().splitlines()[line - 1]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"cells": 3}', '{"cells": [1, {"metadata": []}]}', "[" * 10**5, '{"cells": [{']
)
def test_a_damaged_file_has_no_lines(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    assert cell_lines(path) == {}
    assert cell_lines(tmp_path / "nowhere") == {}


@given(st.text())
def test_no_text_stops_the_search(text: str) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile("w", encoding="utf-8", errors="replace") as file:
        file.write(text)
        file.flush()
        cell_lines(Path(file.name))
