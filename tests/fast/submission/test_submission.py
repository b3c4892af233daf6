"""Whatever is handed in, its author hears in a sentence what is wrong with it, and whose turn it is."""

import json
from pathlib import Path

import pytest
from helpers.submissions import released, solved, write

from autograder.course import Course
from autograder.errors import NotGradable
from autograder.submission.find import find_submissions, strays
from autograder.submission.near_names import nearest
from autograder.submission.notebook import check_assignment, read

ASSIGNMENT = "03_numeric_data"


def as_bytes(assignment: str = ASSIGNMENT) -> bytes:
    return json.dumps(solved(assignment), indent=1).encode()


def old_format() -> bytes:
    cells = [{"cell_type": "code", "input": ["1 + 1"], "outputs": [], "language": "python", "collapsed": False}]
    return json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}).encode()


def merge_conflict() -> bytes:
    lines = as_bytes().decode().splitlines()
    lines[20:20] = ["<<<<<<< HEAD", lines[20], "=======", lines[20], ">>>>>>> main"]
    return "\n".join(lines).encode()


DAMAGED = {
    "empty": (b"", "The file is empty. Save the notebook in Jupyter and submit it again."),
    "blank": (b"  \n", "The file is empty."),
    "truncated": (as_bytes()[:5000], "It seems to be cut off at its end."),
    "utf-16": (as_bytes().decode().encode("utf-16"), "The file is saved as UTF-16, but a notebook must be UTF-8."),
    "utf-16 without mark": (as_bytes().decode().encode("utf-16-le"), "The file is saved as UTF-16"),
    "latin-1": ("{ \"café\": 1 }".encode("latin-1"), "The file is not UTF-8 text (byte 6)."),
    "nbformat 3": (old_format(), "The notebook is in the old format 3; the course uses format 4."),
    "merge conflict": (merge_conflict(), "the marks of an unfinished git merge (first on line 21: <<<<<<<)"),
    "python file": (b"import numpy as np\n", "The file is not a notebook: it does not begin like one."),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\nsize 9\n", "The file is a pointer of Git LFS, and not the"),
    "list": (b"[1, 2]", "The file is JSON, but not a notebook."),
    "other json": (b'{"a": 1}', "The file is JSON, but not a notebook of format 4."),
    "nested deep": (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "The file is nested too deep"),
    "huge number": (b'{"a": ' + b"1" * 10_000 + b"}", "The file is damaged: its JSON cannot be read (a number in it)."),
    "binary": (bytes(range(256)) * 10, "The file is not UTF-8 text"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_named_for_what_it_is(name: str, tmp_path: Path) -> None:
    data, sentence = DAMAGED[name]
    path = tmp_path / "notebook.ipynb"
    path.write_bytes(data)
    with pytest.raises(NotGradable) as caught:
        read(path)
    assert sentence in str(caught.value)
    assert "ubmit" in str(caught.value)  # it says what to do next


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "notebook.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + as_bytes())
    assert len(read(path).cells) == len(solved(ASSIGNMENT)["cells"])


def test_a_link_is_refused(tmp_path: Path) -> None:
    target = write(solved(ASSIGNMENT), tmp_path / "target.ipynb")
    link = tmp_path / "link.ipynb"
    link.symlink_to(target)
    with pytest.raises(NotGradable, match="not a link to it"):
        read(link)


def test_strange_cells_do_not_matter(tmp_path: Path) -> None:
    notebook = solved(ASSIGNMENT)
    notebook["cells"] += [
        None,
        3,
        {},
        {"cell_type": "code", "source": {"a": 1}},
        {"cell_type": "code", "source": [1, "x"]},
    ]
    notebook["cells"] += [{"cell_type": "code", "source": "y", "metadata": [], "id": 7}]
    notebook["cells"] += [
        {"cell_type": "code", "source": "print('\ud800')", "metadata": {"nbgrader": {"grade_id": []}}}
    ]
    path = tmp_path / "notebook.ipynb"
    path.write_text(json.dumps(notebook))
    read(path).cells[-1].source.encode("utf-8")


def test_the_notebook_of_another_assignment_is_named(course: Course, tmp_path: Path) -> None:
    path = write(solved("09_echo"), tmp_path / "notebook.ipynb")
    with pytest.raises(NotGradable) as caught:
        check_assignment(read(path), course.assignment(ASSIGNMENT), course)
    assert str(caught.value) == (
        "This is the notebook of 09_echo, handed in as 03_numeric_data. Hand in `03_numeric_data.ipynb` here."
    )


def test_paths_are_told_apart(course: Course, tmp_path: Path) -> None:
    room = tmp_path / "class"
    for student in ("ada", "bob"):
        write(released(ASSIGNMENT), room / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    write(released("09_echo"), room / "ada" / "09_echo" / "my own name.ipynb")
    (room / "bob" / "09_echo").mkdir()
    write(released(ASSIGNMENT), room / "ada" / "99_unknown" / "a.ipynb")
    loose = write(released("09_echo"), tmp_path / "homework.ipynb")

    def labels(*paths: Path) -> list[tuple[str, str | None]]:
        found, complaints = find_submissions(paths, course)
        assert not complaints
        return [(submission.student, submission.assignment) for submission in found]

    every = [("ada", ASSIGNMENT), ("ada", "09_echo"), ("ada", "99_unknown"), ("bob", ASSIGNMENT), ("bob", "09_echo")]
    assert labels(room) == every
    assert labels(room / "ada") == every[:3]
    assert labels(room / "ada" / ASSIGNMENT) == every[:1]
    assert labels(room / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb") == every[:1]
    assert labels(loose) == [("homework", "09_echo")]


def test_a_wrong_path_is_named_and_the_others_are_kept(course: Course, tmp_path: Path) -> None:
    good = write(released(ASSIGNMENT), tmp_path / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    found, complaints = find_submissions([tmp_path / "nowhere", good], course)
    assert len(found) == 1
    assert complaints == [f"{tmp_path / 'nowhere'}: there is no such file or folder."]


def test_several_notebooks_without_the_right_name_are_refused(course: Course, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(released(ASSIGNMENT), tmp_path / "ada" / ASSIGNMENT / f"{name}.ipynb")
    (submission,), _ = find_submissions([tmp_path], course)
    assert submission.problem is not None
    assert "(a.ipynb, b.ipynb) and none is called `03_numeric_data.ipynb`" in submission.problem


def test_no_notebook_of_a_class_is_lost(course: Course, tmp_path: Path) -> None:
    """One that is too high, too deep, or loose is named; hidden files are not notebooks."""
    places = ["ada/03_numeric_data/03_numeric_data.ipynb", "cy/03_numeric_data.ipynb", "eve_03_numeric_data.ipynb",
              "dan/work/03_numeric_data/03_numeric_data.ipynb", "ada/03_numeric_data/._03_numeric_data.ipynb",
              "ada/03_numeric_data/.ipynb_checkpoints/03_numeric_data-checkpoint.ipynb"]  # fmt: skip
    for place in places:
        write(solved(ASSIGNMENT), tmp_path / place)
    found, complaints = find_submissions([tmp_path], course)
    assert ([one.student for one in found], complaints) == (["ada"], [])
    told = strays([tmp_path], found)
    assert [sentence.split(" was not graded")[0] for sentence in told] == [
        str(tmp_path / place) for place in (places[2], places[1], places[3])
    ]


NEAR = ("03_Numeric_Data", "03_numeric_data (1)", "03-numeric-data", "03_numeric_data-checkpoint", "03 numeric data",
        "3_numeric_data", "03_numeric_dta", "Copy", "03_numeric_data copy 2")  # fmt: skip


@pytest.mark.parametrize("name", NEAR)
def test_a_folder_with_nearly_the_right_name_is_named(name: str, course: Course, tmp_path: Path) -> None:
    """Its submission has a row with the reason, and there is a sentence: as student's folder, class, or by itself."""
    path = write(solved(ASSIGNMENT), tmp_path / "ada" / name / f"{ASSIGNMENT}.ipynb")
    write(solved("09_echo"), tmp_path / "bob" / "09_echo" / "09_echo.ipynb")
    near = name != "Copy"
    for where in (tmp_path, path.parent.parent, path.parent) if near else (tmp_path,):
        found, complaints = find_submissions([where], course)
        one = next(one for one in found if one.student == "ada")
        assert complaints == []
        assert one.meant == (ASSIGNMENT if near else None)
        assert bool(one.problem) == near
        told = [sentence for sentence in strays([where], found) if "could not be graded" in sentence]
        assert len(told) == near
        assert all(f"did you mean `{ASSIGNMENT}`?" in sentence for sentence in told)


def test_names_that_only_look_alike_are_not_taken_for_each_other() -> None:
    weeks = [f"week_{n}" for n in range(1, 13)]
    assert [nearest(name, weeks) for name in ("week_13", "week", "week_1", "wek_2", "Week 02")] == [
        None, None, None, "week_2", "week_2",
    ]  # fmt: skip
    assert nearest("ada", weeks) is None
    assert nearest("a_b", ["A_b", "a-b"]) is None, "near two of them"
    assert nearest("x" * 10_000, weeks) is None


def test_a_folder_loose_in_a_class_does_not_hide_the_class(course: Course, tmp_path: Path) -> None:
    write(solved(ASSIGNMENT), tmp_path / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    for loose in (ASSIGNMENT, "09 echo"):
        write(solved(ASSIGNMENT), tmp_path / loose / f"{ASSIGNMENT}.ipynb")
    found, complaints = find_submissions([tmp_path], course)
    assert ([one.label for one in found], complaints) == ([f"ada/{ASSIGNMENT}"], [])
    assert len(strays([tmp_path], found)) == 2


def test_the_twin_that_a_mac_writes_is_no_second_notebook(course: Course, tmp_path: Path) -> None:
    folder = tmp_path / "ada" / ASSIGNMENT
    write(solved(ASSIGNMENT), folder / f"{ASSIGNMENT} (1).ipynb")
    (folder / f"._{ASSIGNMENT} (1).ipynb").write_bytes(b"\0\5\26\7")
    ((one,), _) = find_submissions([tmp_path], course)
    assert (one.path.name, one.problem) == (f"{ASSIGNMENT} (1).ipynb", None)
