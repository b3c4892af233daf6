"""The pages that students and instructors open show what was found, and run nothing of it."""

import io
import json
import re
from pathlib import Path
from typing import get_args

import pytest
from helpers.results import EVIL, read, result
from rich.console import Console

from autograder.box.bounds import Cause
from autograder.errors import InUse, Unusable
from autograder.report import page, terminal, wording
from autograder.report.files import Results
from autograder.result import CheckResult, ExerciseResult, Finding, Result, ShownCell
from autograder.submission.find import Submission


def test_feedback_escapes_everything() -> None:
    cell = ShownCell("normalize", "solution", EVIL, EVIL, EVIL)
    tags = read(page.feedback(result(EVIL, EVIL, cells=(cell,))))
    assert tags.active == []
    assert "<script>alert(1)</script>" in tags.text  # shown, not run
    assert "\x1b" not in tags.text
    assert "\u202e" not in tags.text
    assert "{{ 7 * 7 }}" in tags.text


def test_an_error_of_the_check_cell_is_not_the_answers() -> None:
    failed = CheckResult("b", 1, 0.0, "wrong", None, Finding("wrong", call="standardize(train, test)"))
    exercise = ExerciseResult("standardize", "partial", 1.5, 3.0, "wrong", None, (failed,))
    for kind, told in (("solution", True), ("check", False)):
        cell = ShownCell("standardize", kind, "x", "", "AssertionError: the mean is not 0")
        text = read(page.feedback(result(exercises=(exercise,), cells=(cell,)))).text
        assert ("Your solution cell raised AssertionError" in text) == told


def test_the_class_page_escapes_everything() -> None:
    tags = read(page.index([(result(EVIL, message=EVIL, score=None), 'a"b/<c>')]))
    assert tags.active == []


def test_feedback_says_what_to_do() -> None:
    text = " ".join(read(page.feedback(result())).text.split())
    assert "4.5 of 10 points, and 2 more are still open" in text
    assert "What to do: find the code that does not end" in text
    assert "Practice only" not in text


def test_feedback_of_what_could_not_be_graded_takes_no_points() -> None:
    lost = result(score=None, message="The file is empty.", cause="notebook")
    text = " ".join(read(page.feedback(lost)).text.split())
    assert "Could not be graded: you get no points, and you lose none." in text
    assert "The file is empty." in text


def test_open_points_stand_beside_every_score() -> None:
    """In the file, on both pages, on the terminal, and as a script sees it; never within the score."""
    one = result()
    assert (one.score, one.open_points) == (4.5, 2.0)
    assert result(exercises=one.exercises[:2]).open_points == 0
    assert Result("ada", None, None, None, (), {}).open_points is None
    kept = json.loads(one.to_json())
    assert list(kept)[2:5] == ["score", "open_points", "max_score"]
    assert kept["open_points"] == 2.0
    assert Result.from_dict(kept) == Result.from_dict({**kept, "open_points": 7}) == one, "it follows from the rest"
    html = page.index([(one, "ada/03_numeric_data")])
    assert '<td class="number">4.5 / 10</td><td class="number">2</td>' in html
    assert '>Points</th><th scope="col" class="number">Open</th>' in html
    screen = Console(file=io.StringIO(), width=100)
    screen.print(*terminal.tables([one, result("bob", exercises=one.exercises[:2])]))
    terminal.details(screen, one)
    told = screen.file.getvalue()  # type: ignore[attr-defined]
    assert re.search(r"ada\s+4\.5 / 10\s+2 ", told)
    assert re.search(r"bob\s+4\.5 / 10\s+0 ", told)
    assert "4.5 of 10 points, 2 open" in told


@pytest.mark.parametrize("cause", get_args(Cause))
def test_every_cause_says_what_to_do(cause: str) -> None:
    assert wording.TURNS[cause].startswith("What to do: ")
    assert wording.TURNS_AFTER[cause].startswith("What to do: ")


@pytest.mark.parametrize("level", page.LEVELS)
def test_an_overview_with_points_and_links_comes_first(level: page.Level) -> None:
    html = page.feedback(result(), level)
    overview = html.split("<nav", 1)[1].split("</nav>")[0]
    assert "<section" not in html.split("<nav", 1)[0]
    for exercise in result().exercises:
        assert f'<a href="#exercise-{exercise.id}">{exercise.id}</a>' in overview
        assert html.count(f'id="exercise-{exercise.id}"') == 1
    assert "1.5 / 3" in overview
    assert "– / 2" in overview
    assert "<nav" not in page.feedback(result(score=None, message="The file is empty.", cause="notebook"), level)


NO_MORE = "submit", "hand in", "not earned yet", "still open"


@pytest.mark.parametrize("cause", get_args(Cause))
def test_after_the_deadline_nothing_says_to_submit(cause: str) -> None:
    told = "Needed 9 GB. Change it and submit again."
    exercises = (
        ExerciseResult("a", "could_not_be_graded", None, 2.0, told, cause),
        ExerciseResult("b", "not_earned", 0.0, 2.0, told),
    )
    some = result(exercises=exercises, notes=("Two versions are in it. Keep one and submit again.",))
    none = result(score=None, cause=cause, message="There is no notebook. Hand in `a.ipynb`. It is a file.")
    for one, kept in ((some, "Needed 9 GB. Two versions are in it."), (none, "There is no notebook. It is a file.")):
        text = " ".join(read(page.feedback(one, "after")).text.split())
        assert not [phrase for phrase in NO_MORE if phrase in text.lower()]
        assert all(sentence in text for sentence in kept.split(". "))
        now = " ".join(read(page.feedback(one, "now")).text.split())
        assert "ubmit again" in now or "Hand in" in now


def test_one_check_is_not_counted() -> None:
    """The summary of a single check is no count: neither `1 of 1` nor `All 1 checks`."""
    for level in page.LEVELS:
        text = read(page.feedback(result(), level)).text
        assert "of 1 check" not in text
        assert "1 checks" not in text


def test_a_number_has_its_noun() -> None:
    assert [wording.counted(number, "check") for number in (0, 1, 2)] == ["0 checks", "1 check", "2 checks"]


def test_a_weak_box_is_practice() -> None:
    weak = result(record={"for_marks": False, "graded_at": "", "submission_sha256": None})
    assert "Practice only" in page.feedback(weak)


def test_names_become_folders_that_stay_inside(tmp_path: Path) -> None:
    names = ["../../ada", "/etc", ".hidden", "a" * 300, "é ü", "", "ada", "ada"]
    submissions = [Submission(tmp_path, name, "03_numeric_data") for name in names]
    results = Results(tmp_path / "results", submissions)
    for place, name in enumerate(names):
        results.keep(place, result(name))
    assert len(set(results.folders)) == len(names)
    for folder in results.folders:
        assert folder.resolve().is_relative_to(tmp_path / "results")
        assert (folder / "feedback.html").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


# What an older version left: it wrote an underline for what it did not like, and numbered what looked alike then.
OLDER = {
    "a/b": "a_b/03_numeric_data",
    "a_b": "a_b/03_numeric_data-2",
    "a b": "a_b/03_numeric_data-3",
    "Ada": "Ada/03_numeric_data",
    "ada": "ada/03_numeric_data",
    "Zoë": "Zoë/03_numeric_data",
    ".x": "x/03_numeric_data",
    "x": "x/03_numeric_data-2",
    "": "unnamed/03_numeric_data",
    "y" * 250: "y" * 100 + "/03_numeric_data",
    "results.json": "results.json/03_numeric_data",  # where it has ended without a result
    "bob": "bob/03_numeric_data",
}


def older(folder: Path, *names: str) -> dict[str, Result]:
    """Results of these, where an older version had put them; each is told by its text."""
    found = {name: result(name, f"of {name!r}") for name in names}
    for name, one in found.items():
        place = folder / OLDER[name]
        place.mkdir(parents=True)
        (place / "feedback.html").write_text(f"page of {name!r}")
        (place / "result.json").write_text(one.to_json())
    return found


def of(folder: Path, *names: str) -> Results:
    return Results(folder, [Submission(folder, name, "03_numeric_data") for name in names])


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_what_an_older_version_left_is_read_where_it_is(tmp_path: Path) -> None:
    left = older(tmp_path, *OLDER)
    before = tree(tmp_path)
    results = of(tmp_path, *OLDER)
    assert {name: results.earlier(place) for place, name in enumerate(OLDER)} == left
    results = of(tmp_path, "a b", "a:b", "x", "ADA")
    assert [results.earlier(place) for place in range(4)] == [left["a b"], None, left["x"], None]
    assert tree(tmp_path) == before


@pytest.mark.parametrize("students", [tuple(OLDER), ("a_b", "a b", "x"), ("a b", "bob"), ()], ids=len)
def test_what_an_older_version_left_is_moved(students: tuple[str, ...], tmp_path: Path) -> None:
    """Also of those who are no longer in the class."""
    left = older(tmp_path, *OLDER)
    (tmp_path / "results.json" / "03_numeric_data" / ".result.json.4711").write_text("{")  # killed as it wrote
    with of(tmp_path, *students) as results:
        assert [results.earlier(place) for place in range(len(students))] == [left[name] for name in students]
        results.finish([left[name] for name in students])
    everybody = of(tmp_path, *OLDER)
    for folder, (name, one) in zip(everybody.folders, left.items(), strict=True):
        assert json.loads((folder / "result.json").read_text()) == json.loads(one.to_json())
        assert (folder / "feedback.html").read_text() == f"page of {name!r}"
    assert len(tree(tmp_path)) == 2 * len(OLDER) + 2
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == len(OLDER), "nothing empty is left"
    before = tree(tmp_path)
    with of(tmp_path, *students):
        assert tree(tmp_path) == before


def test_of_one_student_who_was_twice_in_an_older_class_both_are_found(tmp_path: Path) -> None:
    first, second = result(text="first"), result(text="second")
    for name, one in {"03_numeric_data": first, "03_numeric_data-2": second}.items():
        (tmp_path / "ada" / name).mkdir(parents=True)
        (tmp_path / "ada" / name / "result.json").write_text(one.to_json())
    twice = of(tmp_path, "ada", "bob", "ada")
    for _ in range(2):
        assert [twice.earlier(place) for place in range(3)] == [first, None, second]
        with twice:
            pass
    assert {path.name for path in (tmp_path / "ada").iterdir()} == {"03_numeric_data", "03_numeric_data=n2"}


def test_what_has_been_graded_again_since_is_not_undone(tmp_path: Path) -> None:
    older(tmp_path, "Ada")
    of(tmp_path, "Ada").keep(0, result("Ada", "new"))
    with of(tmp_path, "Ada") as results:
        assert results.earlier(0) == result("Ada", "new")
    assert (tmp_path / "Ada").is_dir(), "what belongs nowhere is for people to remove"


def test_a_result_that_people_have_copied_stays_where_they_put_it(tmp_path: Path) -> None:
    (tmp_path / "for the meeting" / "one").mkdir(parents=True)
    (tmp_path / "for the meeting" / "one" / "result.json").write_text(result().to_json())
    before = tree(tmp_path)
    with of(tmp_path, "ada"):
        assert tree(tmp_path) == before


def test_no_result_is_another_students(tmp_path: Path) -> None:
    results = of(tmp_path, "ada")
    results.keep(0, result("bob"))
    assert results.earlier(0) is None
    for part, value in (("student", 3), ("student", None), ("assignment", []), ("assignment", None)):
        (results.folders[0] / "result.json").write_text(json.dumps({**result().as_dict(), part: value}))
        assert results.earlier(0) is None
        with results:
            pass


@pytest.mark.parametrize("name", ["results.json", "index.html"])
def test_a_folder_where_a_file_must_go_is_told_before_anything_is_graded(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(Unusable, match=f"{name} is a folder"), of(tmp_path, "ada"):
        pass
    (tmp_path / name).rmdir()
    with of(tmp_path, "ada") as results:
        results.finish([result()])


def test_an_earlier_result_is_read_only_if_it_is_whole(tmp_path: Path) -> None:
    results = Results(tmp_path, [Submission(tmp_path, "ada", "03_numeric_data")])
    assert results.earlier(0) is None
    whole = result()
    results.keep(0, whole)
    assert results.earlier(0) == whole
    for damage in ("", "[]", "null", '{"record": null}', json.dumps({**whole.as_dict(), "exercises": None})):
        (results.folders[0] / "result.json").write_text(damage)
        assert results.earlier(0) is None


def test_a_folder_has_one_grader_at_a_time(tmp_path: Path) -> None:
    submissions = [Submission(tmp_path, "ada", "03_numeric_data")]
    with (
        Results(tmp_path, submissions),
        pytest.raises(InUse, match="Wait until it has ended"),
        Results(tmp_path, submissions),
    ):
        pass
    with Results(tmp_path, submissions) as later:
        later.keep(0, result())


def test_the_table_shows_markup_as_text() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    for table in terminal.tables([result("[red]ada[/red]"), result("bob\x1b[2J", message="[bold]lost. More.")]):
        console.print(table)
    text = console.export_text()
    assert "[red]ada[/red]" in text
    assert "03_numeric_data · 2 submissions" in text
    assert "[bold]lost." in text
    assert "\x1b" not in text


def test_a_result_survives_being_written_and_read() -> None:
    whole = result()
    assert Result.from_dict(json.loads(whole.to_json())) == whole
