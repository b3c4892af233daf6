"""The roster: read as spreadsheets write it, refused with a sentence for each line."""

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.collection.roster import is_ref, parse, read
from autograder.errors import RosterError


def test_a_roster_is_read_as_spreadsheets_write_it(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(
        b"\xef\xbb\xbfStudent;Repository;Name;canvas_id;branch\r\n"
        b'ada ; course/lstm-ada;"Lovelace; Ada";17;\r\n'
        b"\r\n;;;;\r\n"
        b"bob;https://git.example.org/bob/lstm.git;=1+1;;hand-in\r\n"
    )
    ada, bob = read(path)
    assert (ada.student, ada.repository, ada.name, ada.ids, ada.branch) == (
        "ada",
        "course/lstm-ada",
        "Lovelace; Ada",
        {"canvas_id": "17"},
        "",
    )
    assert (bob.repository, bob.name, bob.ids, bob.branch) == (
        "https://git.example.org/bob/lstm.git",
        "=1+1",
        {},
        "hand-in",
    )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (",course/a", "line 2: the column `student` is empty"),
        ("ada,", "line 2: the column `repository` is empty"),
        ("../ada,course/a", "line 2: `../ada` cannot be a student's name here"),
        ("=cmd,course/a", "line 2: `=cmd` cannot be a student's name here"),
        (".git,course/a", "cannot be a student's name here"),
        ("-rf,course/a", "cannot be a student's name here"),
        ("a b,course/a", "cannot be a student's name here"),
        ("ADA\u202e,course/a", "cannot be a student's name here"),
        ("09_Echo,course/a", "line 2: `09_Echo` is the name of an assignment"),
        ("ada,--upload-pack=x", "is no repository: write OWNER/NAME"),
        ("ada,ext::sh -c x", "holds a space"),
        ("ada,ext::x", "is no repository"),
        ("ada,http://example.org/a.git", "is no repository"),
        ("ada,git@github.com:a/b.git", "is no repository"),
        ("ada,https://x:token@github.com/a/b", "line 2: the repository's address holds a user or a token"),
        ("ada,https://github.com/a/b?x=1", "is no repository's address"),
        ("ada,https://[x", "is no repository"),
        ("ada,file:///etc", "is on this machine, which needs --local"),
        ("ada,course/a,x", "line 2: there are more values than columns"),
        ("ada,course/a\nbob,course/b\nAda,course/c", "line 4: `Ada` is already on line 2"),
    ],
)
def test_a_line_that_is_wrong_is_named(line: str, sentence: str) -> None:
    with pytest.raises(RosterError) as caught:
        parse(f"student,repository\n{line}\n", taken=["09_echo"])
    assert sentence in str(caught.value)
    assert "token@" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("", "line 1: there is no column `student` and no column `repository`"),
        ("student,repo", "line 1: there is no column `repository`"),
        ("student,repository,grade", "line 1: the column `grade` is not known"),
        ("student,repository,Student", "line 1: two columns have the same name"),
        ("student,repository", "there is nobody on it"),
    ],
)
def test_a_header_that_is_wrong_is_named(header: str, sentence: str) -> None:
    with pytest.raises(RosterError, match=re.escape(sentence)):
        parse(header + "\n")


def test_all_faults_are_told_at_once_up_to_twenty() -> None:
    with pytest.raises(RosterError) as caught:
        parse("student,repository\n" + "x y,a/b\n" * 30)
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 10 lines more."


def test_a_file_that_is_no_roster_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    with pytest.raises(RosterError, match="cannot be read"):
        read(path)
    path.write_bytes(b"student,repository\n\xff\xfe,x\n")
    with pytest.raises(RosterError, match="is not UTF-8"):
        read(path)


@given(st.text(), st.text())
def test_any_text_is_a_roster_or_a_sentence(header: str, text: str) -> None:
    for roster in (text, f"student,repository{header}\n{text}"):
        students = []
        with contextlib.suppress(RosterError):
            students = parse(roster)
        assert all(re.fullmatch(r"[\w.@+-]+", one.student) and one.student[0].isalnum() for one in students)


@pytest.mark.parametrize("name", ["-x", "a..b", "a b", "x.lock", "a//b", "a/", "", "a\nb", "@{u}", "a:b", "refs^{}"])
def test_what_is_no_reference_is_refused(name: str) -> None:
    assert not is_ref(name)


@pytest.mark.parametrize("name", ["main", "submit/1", "v1.0+a_b-c"])
def test_what_is_a_reference_is_one(name: str) -> None:
    assert is_ref(name)
