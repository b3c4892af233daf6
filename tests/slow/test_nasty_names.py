"""Students who are called as no program expects, through every command that makes a folder or a file for them."""

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

import pytest
from helpers.command_line import autograder
from helpers.git_host import Repository, git
from helpers.submissions import COURSE, insert, own_cell, released, write
from typer.testing import CliRunner, Result

from autograder.cli import app
from autograder.collection.collect import RECORD, REPOSITORIES, read_record
from autograder.folder_names import NAME, folder_of, make
from autograder.submission.find import find_submissions

pytestmark = pytest.mark.long

ASSIGNMENT = "03_numeric_data"
# Of each group, names that some disk, some program or an older version of this one takes for the same.
ALIKE = (
    ("a/b", "a_b", "a b", "a:b", "a\\b", "a?b", "a*b", "a__b"),
    ("Ada", "ada", "ADA", "aDa", "Ada=u1", "ada=n2", "ada-2"),
    ("Zoë", "Zoe\u0308", "zoë", "Zoe"),
    ("", "=", "=3d", "unnamed", " ", "."),
    ("A", "=41", "%41", "&#65;", "Ａ"),
    ("x" * 250, "x" * 249 + "y", "x" * 100, "X" * 100, "é" * 120, "😀" * 60),
    ("ß", "ẞ", "ss", "ﬁ", "fi", "ı", "İ", "K"),
)
OURS = (
    "results.json", "RESULTS.JSON", "index.html", "Index.html", "result.json", "feedback.html", "collected.json",
    "plan.json", "name.txt", "roster.csv", ".repositories", "03_numeric_data.ipynb", "earlier-0", "results-0",
)  # fmt: skip
ODD = (
    ".hidden", ".git", "..", "../../ada", "/etc/passwd", "~", "~root", "PROGRA~1", "-rf", "--output", "--help",
    "CON", "con", "nul.txt", "com1.tar.gz and more", "aux ", "LPT9", "ada.", "ada ", " ada", "ada...", "ada\t", "a\nb",
    "\u202eada", "\u200fada", "a\u200bda", "\x1b[31mada", "'", '"', "`id`", "$(id)", "$HOME", "#x?y", "a&b;c|d",
    "<script>alert(1)</script>", "</td>", "{{ 7 * 7 }}", "[red]", "[/]", "=1+1", "+1", "@SUM(1)", "a,b;c", "\udcff",
    "李小龙", "Παπαδόπουλος", "O'Brien, Ann-Marie", "0", "None", "null",
)  # fmt: skip
NAMES = tuple(name for group in ALIKE for name in group) + OURS + ODD
# What a roster takes.
MORE = ("collected.json.x", "HEAD", "a.b", "a.git", "Ada.Lovelace@uni.nz", "z.lock")
LISTED = tuple(
    name for name in dict.fromkeys((*NAMES, *MORE))
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}", name) and not name.endswith(".")
    and name not in {"RESULTS.JSON", "Index.html", "ada", "ADA", "aDa", "X" * 100, "con"}  # another's, but for case
)  # fmt: skip


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "200"})


def room(folder: Path, names: Iterable[str]) -> Path:
    """A class of students who have answered nothing: that needs no box."""
    for name in names:
        write(released(ASSIGNMENT), make(folder, name) / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    return folder


def students(results: Path) -> list[str]:
    return [one["student"] for one in json.loads((results / "results.json").read_text())]


def assert_each_has_its_own(results: Path, names: Iterable[str]) -> None:
    """Every link of the class page leads to a page, beside which lies the result of one student, and of no other."""
    links = re.findall(r'<a href="([^"]*)"', (results / "index.html").read_text())
    assert all(re.fullmatch(r"[\w./%~-]+", link) for link in links), "what is special in an address is quoted"
    pages = [results / unquote(link) for link in links]
    assert all(page.is_file() for page in pages)
    kept = [json.loads((page.parent / "result.json").read_text())["student"] for page in pages]
    assert sorted(kept) == sorted(names)
    assert kept == students(results)
    files = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    assert {file for file in files if "/" not in file} == {"results.json", "index.html"}


def test_there_are_enough_of_them() -> None:
    assert len(NAMES) == len(set(NAMES)) > 100
    assert len(LISTED) == len({name.lower() for name in LISTED}) > 25


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class, in `class`, and its results."""
    folder = tmp_path_factory.mktemp("nasty")
    done = autograder("grade", room(folder / "class", NAMES), "--output", folder / "results", "--seed", "3")
    assert done.returncode == 0, done.stderr
    return folder


def test_each_is_graded(graded: Path) -> None:
    assert_each_has_its_own(graded / "results", NAMES)


def test_of_a_smaller_class_nobody_gets_anothers_result(graded: Path, tmp_path: Path) -> None:
    shutil.copytree(graded / "class", tmp_path / "class")
    shutil.copytree(graded / "results", tmp_path / "results")
    for group in ALIKE:
        shutil.rmtree(tmp_path / "class" / folder_of(group[0]))
    left = [name for name in NAMES if name not in {group[0] for group in ALIKE}]
    done = autograder("grade", tmp_path / "class", "--output", tmp_path / "results", "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert "Nothing new to grade." in done.stderr
    assert_each_has_its_own(tmp_path / "results", left)
    gone = tmp_path / "results" / folder_of("Ada") / ASSIGNMENT / "result.json"
    assert json.loads(gone.read_text())["student"] == "Ada", "what is not in the class is left alone"


def test_each_is_graded_again_from_its_record(graded: Path) -> None:
    done = autograder("regrade", graded / "results")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(NAMES)} of {len(NAMES)} came out the same" in done.stderr


def test_a_class_is_spread_and_put_together(tmp_path: Path) -> None:
    def plan(folder: str, *options: str | Path) -> str:
        done = run("plan", tmp_path / "class", tmp_path / folder, "--each", "60", "--seed", "3", *options)
        assert done.exit_code == 0, done.output
        return done.stderr

    room(tmp_path / "class", NAMES)
    for file in (tmp_path / "class").glob(f"*/{NAME}"):  # whose name is long, in a folder as people name it
        name = file.read_text()
        file.unlink()
        file.parent.rename(tmp_path / "class" / name)
    assert f"{len(NAMES)} submissions to grade in 2 shards, 0 unchanged." in plan("shards")
    for shard in ("0", "1"):
        output = tmp_path / "new" / f"results-{shard}"
        grading = autograder("grade", tmp_path / "shards" / shard, "--seed", "3", "--output", output)
        assert grading.returncode == 0, grading.stderr
    done = run("merge", tmp_path / "shards" / "plan.json", tmp_path / "new", tmp_path / "marks")
    assert done.exit_code == 0, done.output
    assert_each_has_its_own(tmp_path / "marks", NAMES)
    # With nothing changed there is nothing to grade, and the earlier results are merged.
    earlier = ("--earlier", tmp_path / "marks")
    assert f"0 submissions to grade in 0 shards, {len(NAMES)} unchanged." in plan("none", *earlier)
    done = run("merge", tmp_path / "none" / "plan.json", tmp_path / "new", tmp_path / "again", *earlier)
    assert done.exit_code == 0, done.output
    assert_each_has_its_own(tmp_path / "again", NAMES)
    # What has changed gets its own earlier result, and no other.
    for name in ("results.json", "a b", "ADA"):
        changed = insert(released(ASSIGNMENT), "normalize", own_cell("1"))
        write(changed, tmp_path / "class" / folder_of(name) / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    assert f"3 submissions to grade in 1 shards, {len(NAMES) - 3} unchanged." in plan("some", *earlier)
    handed_on = (tmp_path / "some" / "earlier-0").rglob("result.json")
    assert {json.loads(path.read_text())["student"] for path in handed_on} == {"results.json", "a b", "ADA"}


def test_folders_that_people_named_are_told_apart(tmp_path: Path) -> None:
    legal = [name for name in NAMES if "/" not in name and len(name.encode("utf-8", "surrogateescape")) <= 255]
    legal = [name for name in legal if not name.startswith(".") and name]
    for name in legal:
        (tmp_path / name / ASSIGNMENT).mkdir(parents=True)
    submissions, _ = find_submissions([tmp_path], COURSE)
    found = {one.path.parent.name: one.student for one in submissions}
    assert len(set(found.values())) == len(found) == len(legal)
    assert found["Ada"] == "Ada"
    assert found["Ada=u1"] == "Ada=u1", "a folder's name makes nobody another, who has one"
    assert {folder: name for folder, name in found.items() if folder != name} == {"=": "", "=3d": "="}
    for name in ("Ada", "Ada=u1", "=3d"):
        for path in (tmp_path / name, tmp_path / name / ASSIGNMENT):
            [one] = find_submissions([path], COURSE)[0]
            assert one.student == found[name], "the same alone as in its class"


def test_a_student_with_two_folders_is_for_people_to_settle(tmp_path: Path) -> None:
    name, folder = "Ada=u1", folder_of("Ada=u1")
    for one in ("Ada", name, folder):
        write(released(ASSIGNMENT), tmp_path / "class" / one / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    done = run("plan", tmp_path / "class", tmp_path / "shards")
    assert done.exit_code == 2
    assert "belong to one student and one assignment" in " ".join(done.output.split())
    assert not (tmp_path / "shards").exists()


def assert_collected(folder: Path, names: Iterable[str]) -> None:
    submissions, complaints = find_submissions([folder], COURSE)
    assert complaints == []
    assert sorted(one.student for one in submissions) == sorted(names)
    for one in submissions:
        assert f"# This is {one.student}." in one.path.read_text()
    assert sorted(one.student for one in read_record(folder)) == sorted(names)


def test_each_is_collected(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "hosted", "all")
    lines = ["student,repository,branch"]
    for number, name in enumerate(LISTED):
        git(repository.copy, "checkout", "-q", "-B", f"b{number}")
        notebook = insert(released(ASSIGNMENT), "normalize", own_cell(f"# This is {name}."))
        repository.write(notebook, f"{ASSIGNMENT}.ipynb")
        git(repository.copy, "add", "-A")
        git(repository.copy, "commit", "-q", "-m", "work")
        lines.append(f"{name},{repository.bare},b{number}")
    git(repository.copy, "push", "-q", "origin", "--all")
    roster, folder = tmp_path / "roster.csv", tmp_path / "class"
    roster.write_text("\n".join(lines) + "\n")
    command = ("collect", roster, folder, "--local", "--only", ASSIGNMENT)
    done = run(*command)
    assert done.exit_code == 0, done.output
    assert_collected(folder, LISTED)
    # As an older version has left it, but for whom it could not collect.
    older = [name for name in LISTED if folder_of(name) != name and name != RECORD]
    for name in older:
        (folder / folder_of(name)).rename(folder / name)
        (folder / REPOSITORIES / f"{folder_of(name)}.git").rename(folder / REPOSITORIES / f"{name}.git")
    assert len(older) > 10
    assert_collected(folder, LISTED)
    done = run(*command)
    assert (done.exit_code, done.stderr) == (0, f"{len(LISTED)} unchanged.\n"), done.output
    assert_collected(folder, LISTED)
    assert {path.name for path in folder.iterdir()} == {RECORD, REPOSITORIES, *map(folder_of, LISTED)}
    assert len(list((folder / REPOSITORIES).iterdir())) == len(LISTED)
    # Somebody has collected with the older version once more.
    shutil.copytree(folder / folder_of("Ada"), folder / "Ada")
    done = run(*command)
    assert "The folder Ada is of an older version: remove it." in done.stdout


def test_where_an_older_version_could_not_write_its_record_it_is_written(tmp_path: Path) -> None:
    place = write(released(ASSIGNMENT), tmp_path / "class" / RECORD / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    (tmp_path / "roster.csv").write_text(f"student,repository\n{RECORD},{tmp_path}/nowhere\n")
    done = run("collect", tmp_path / "roster.csv", tmp_path / "class", "--local")
    assert (done.exit_code, done.stderr) == (4, "1 missing.\n")
    assert [one.student for one in read_record(tmp_path / "class")] == [RECORD]
    assert (tmp_path / "class" / folder_of(RECORD) / ASSIGNMENT / place.name).is_file()


def test_a_folder_of_nobody_in_the_course_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "class" / "Notes").mkdir(parents=True)
    (tmp_path / "class" / "Ada").write_text("a file")
    (tmp_path / "roster.csv").write_text(f"student,repository\nAda,{tmp_path}/nowhere\n")
    run("collect", tmp_path / "roster.csv", tmp_path / "class", "--local")
    assert (tmp_path / "class" / "Notes").is_dir()
    assert (tmp_path / "class" / "Ada").is_file()


@pytest.mark.parametrize("names", [OURS, ODD, *ALIKE], ids=lambda names: ascii(names[0])[:12])
def test_the_students_kit_goes_into_any_folder_or_says_why_not(names: tuple[str, ...], tmp_path: Path) -> None:
    for number, name in enumerate(names):
        path = tmp_path / str(number) / "home" / "x" / ("./" + name)
        done = run("kit", "--", path)
        if len(name.encode("utf-8", "surrogateescape")) > 255:
            assert (done.exit_code, "File name too long" in done.stderr) == (2, True)
        else:
            assert done.exit_code == 0, done.output
            assert sorted(one.name for one in (path / "release").iterdir()) == list(COURSE.names)


def test_no_kit_is_written_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("[]")
    done = run("kit", tmp_path / "results.json")
    assert done.exit_code == 2
    assert "Not a directory" in done.stderr
    assert (tmp_path / "results.json").read_text() == "[]"
