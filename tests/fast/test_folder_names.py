"""A folder's name for every name: two never share one, on no disk, and none is that of a file of ours."""

import re
import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.folder_names import LONGEST, NAME, folder_of, make, name_at, name_of

# Also lone surrogates, which stand for the bytes of a file's name that is not UTF-8.
NAMES = st.text(st.characters(codec=None), max_size=40) | st.from_regex(r"(?i)[a=u1h. _-]{0,6}", fullmatch=True)
FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")
# Each file that we write beside students' folders, or in them.
OURS = (
    "results.json", "index.html", "result.json", "feedback.html", "collected.json", "plan.json", "name.txt",
    "roster.csv", ".repositories", "03_numeric_data.ipynb", ".result.json.4711", ".git",
)  # fmt: skip


def as_disks_see_it(folder: str) -> set[str]:
    """What disks that are blind to case or to a character's form make of a name."""
    return {unicodedata.normalize(form, folder).casefold() for form in FORMS}


@given(NAMES)
@example("")
@example("=")
@example("Ada")
@example("Ada=u1")
@example("\ud83d\ude00")
def test_a_name_is_found_again(name: str) -> None:
    folder = folder_of(name)
    if len(folder) < LONGEST:
        assert name_of(folder) == name
    assert re.fullmatch(r"[A-Za-z0-9_+@=](?:[A-Za-z0-9_+@= .-]*[A-Za-z0-9_+@=-])?", folder)
    assert len(folder) <= LONGEST
    assert as_disks_see_it(folder) == {folder.lower()}


@given(NAMES, NAMES)
@example("Ada", "ada")
@example("Ada", "aDa")
@example("Ada", "Ada=u1")
@example("ü", "u\u0308")
@example("a/b", "a_b")
@example("a", "a ")
@example("İ", "i̇")
@example("x" * 300, "x" * 301)
@example("X" * 300, "x" * 300)
def test_two_names_have_two_folders_on_every_disk(one: str, other: str) -> None:
    if one != other:
        assert not as_disks_see_it(folder_of(one)) & as_disks_see_it(folder_of(other))


@given(NAMES | st.sampled_from(OURS) | st.from_regex(r"(?i)[a-z.]{0,12}\.[a-z]{1,5}", fullmatch=True))
@example("INDEX.HTML")
def test_no_folder_is_called_as_a_file_of_ours(name: str) -> None:
    folder = folder_of(name).lower()
    assert folder not in OURS
    assert not re.search(r"\A\.|\.[a-z]{0,5}\Z", folder), "what has no such end can be none that we will ever write"


def test_what_they_look_like() -> None:
    for name, folder in {
        "ada": "ada",
        "ada lovelace": "ada lovelace",
        "a.very.long.name": "a.very.long=2ename",
        "Ada": "Ada=u1",
        "results.json": "results=2ejson",
        "": "=",
        "=": "=3d",
        "-rf": "=2drf",
        ".git": "=2egit",
        "ada ": "ada=20",
        "ü": "=c3=bc",
    }.items():
        assert folder_of(name) == folder


@pytest.mark.parametrize("name", ["con", "CON", "nul.txt", "Aux.tar.and more", "com1", "lpt9 .and more", "prn "])
def test_no_folder_is_a_device(name: str) -> None:
    assert folder_of(name).startswith("=")
    assert name_of(folder_of(name)) == name


@pytest.mark.parametrize("name", ["console", "com", "com10", "nullam", "a con"])
def test_what_is_no_device_stays_readable(name: str) -> None:
    assert folder_of(name) == name


@given(NAMES)
@example("Ada")
@example("=41")
@example("=u1")
@example("ada=n2")
@example("Ada=u3")
@example("ada=2Ejson")
@example("=ff")
def test_what_people_named_themselves_keeps_its_name(folder: str) -> None:
    assert name_of(folder) == folder or folder_of(name_of(folder)) == folder


def test_a_folder_says_a_name_that_was_too_long(tmp_path: Path) -> None:
    for name in ("é" * 120, "x" * 250, "ada", "\udcff" * 80):
        folder = make(tmp_path, name)
        assert name_at(folder) == name
        assert (folder / NAME).exists() == (len(folder.name) == LONGEST)
    folder = make(tmp_path, "x" * 250)
    for said in (b"eve", b"\xff", b""):
        (folder / NAME).write_bytes(said)
        assert name_at(folder) == folder.name, "nobody can say another's name"
    (folder / NAME).unlink()
    (folder / NAME).symlink_to(tmp_path)
    assert name_at(folder) == folder.name
