"""From a roster to submissions: whatever repositories hold, and whoever forges a date."""

import base64
import json
import os
import socket
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from helpers.git_host import NOON, Repository, git, serving
from helpers.submissions import COURSE, only, released
from hypothesis import given
from hypothesis import strategies as st

from autograder.collection.collect import PLACES, Collected, When, collect_all, read_record, told
from autograder.collection.git import Git, GitError
from autograder.collection.roster import Student
from autograder.submission.find import find_submissions

ASSIGNMENT = "03_numeric_data"
RELEASED = {one.name: one.notebook.read_bytes() for one in COURSE.assignments()}
HOUR = timedelta(hours=1)
PLACE = f"work/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"


def of(repository: Repository, branch: str = "") -> Student:
    return Student(repository.bare.stem, str(repository.bare), branch=branch)


@pytest.fixture
def ada(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "hosted", "ada")


def gather(folder: Path, *students: Student, when: When | None = None, now: datetime | None = None) -> list[Collected]:
    return list(collect_all(students, folder / "class", when or When(), Git(local=True), RELEASED, now))


def one(folder: Path, student: Student, when: When | None = None, now: datetime | None = None) -> Collected:
    return gather(folder, student, when=when, now=now)[0]


def notebook(folder: Path, student: str = "ada") -> Path:
    return folder / "class" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"


def test_the_notebooks_are_laid_out_for_grading_and_nothing_else_is(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    ada.write(released("09_echo"), "work/09_echo/09_echo.ipynb")
    for name in ("conftest.py", ".gitattributes", "work/notes.ipynb", "work/03_numeric_data/nbformat.py"):
        (ada.copy / name).write_text("print('hello')")
    commit = ada.push()
    found = one(tmp_path, of(ada))
    assert (found.outcome, found.commit, found.evidence) == ("collected", commit, "now")
    assert found.committed_at == "2026-03-01T12:00:00+00:00"
    assert notebook(tmp_path).read_bytes() == (ada.copy / found.notebooks[ASSIGNMENT]).read_bytes()
    files = [path for path in (tmp_path / "class" / "ada").rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == [f"{ASSIGNMENT}.ipynb", "09_echo.ipynb"]
    submissions, complaints = find_submissions([tmp_path / "class"], COURSE)
    assert complaints == []
    assert [(each.student, each.assignment) for each in submissions] == [("ada", ASSIGNMENT), ("ada", "09_echo")]
    assert read_record(tmp_path / "class") == [found]


def test_again_only_what_is_new_is_written(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    ada.push()
    one(tmp_path, of(ada))
    before = notebook(tmp_path).stat().st_mtime_ns
    assert one(tmp_path, of(ada)).outcome == "unchanged"
    assert notebook(tmp_path).stat().st_mtime_ns == before
    ada.write(only(ASSIGNMENT, "invert", "normalize"), PLACE)
    commit = ada.push()
    found = one(tmp_path, of(ada))
    assert (found.outcome, found.commit) == ("collected", commit)
    assert json.loads(notebook(tmp_path).read_text()) == only(ASSIGNMENT, "invert", "normalize")


@pytest.mark.parametrize("place", PLACES)
def test_a_notebook_is_found_where_students_have_it(place: str, ada: Repository, tmp_path: Path) -> None:
    ada.write(released(ASSIGNMENT), f"release/{ASSIGNMENT}/{ASSIGNMENT}.ipynb")
    (ada.copy / f"release/{ASSIGNMENT}/{ASSIGNMENT}.ipynb").write_bytes(RELEASED[ASSIGNMENT])
    ada.write(only(ASSIGNMENT, "invert"), place.format(ASSIGNMENT))
    ada.push()
    assert one(tmp_path, of(ada)).notebooks == {ASSIGNMENT: place.format(ASSIGNMENT)}


@pytest.mark.parametrize(
    "place",
    [f"work/03_Numeric_Data/{ASSIGNMENT}.ipynb", f"work/week 1/{ASSIGNMENT}/{ASSIGNMENT}.ipynb",
     "03-numeric-data.ipynb", f"work/{ASSIGNMENT} (1).ipynb", f"{ASSIGNMENT}/answers.ipynb"],
)  # fmt: skip
def test_a_notebook_in_another_place_is_named(place: str, ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), place)
    ada.write(released(ASSIGNMENT), PLACE)  # as released: not begun
    ada.write(released("09_echo"), "work/again/09_echo.ipynb")
    (ada.copy / "work" / "notes.ipynb").write_text("{}")
    ada.push()
    found = one(tmp_path, of(ada))
    (sentence,) = found.misplaced
    assert sentence.startswith(f"{place} was not collected: it seems to be {ASSIGNMENT}, which belongs at {PLACE}.")
    assert found.turn == "student"
    assert sentence in told(found)
    assert read_record(tmp_path / "class") == [found]
    ada.write(only(ASSIGNMENT, "invert", "normalize"), PLACE)  # begun where it belongs: the other is a copy
    ada.push()
    assert one(tmp_path, of(ada)).misplaced == ()


def test_the_released_notebook_alone_is_no_submission(ada: Repository, tmp_path: Path) -> None:
    path = ada.copy / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(RELEASED[ASSIGNMENT])
    ada.push()
    found = one(tmp_path, of(ada))
    assert (found.outcome, found.turn) == ("nothing", "student")


def test_a_notebook_that_is_gone_goes(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    ada.push()
    one(tmp_path, of(ada))
    git(ada.copy, "rm", "-q", "-r", "work")
    ada.push()
    found = one(tmp_path, of(ada))
    assert found.outcome == "nothing", found.reason
    assert not notebook(tmp_path).parent.exists()


# what cannot be collected, beside what can


def test_missing_empty_and_broken_repositories_stop_nobody_else(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    ada.push()
    hosted = tmp_path / "hosted"
    empty = of(Repository(hosted, "bob"))
    (hosted / "text.git").write_text("no repository")
    cut = Repository(hosted, "cut")
    cut.write(only(ASSIGNMENT, "invert"), PLACE)
    cut.push()
    for path in (cut.bare / "objects").glob("??/*"):
        path.chmod(0o644)
        path.write_bytes(b"")
    students = [
        Student("gone", str(hosted / "gone.git")),
        empty,
        Student("text", str(hosted / "text.git")),
        of(cut),
    ]
    found = gather(tmp_path, *students, of(ada))
    assert [each.outcome for each in found] == ["missing", "missing", "broken", "broken", "collected"]
    assert "closed to the course's account" in found[0].reason
    assert (found[1].reason, found[1].turn) == ("nothing has been pushed to it", "student")
    assert all(each.reason and each.turn for each in found[:4])


def test_what_was_collected_stays_when_the_repository_is_gone(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    commit = ada.push()
    one(tmp_path, of(ada))
    ada.bare.rename(ada.bare.with_name("moved.git"))
    found = one(tmp_path, of(ada))
    assert (found.outcome, found.commit) == ("missing", commit)
    assert "stays" in found.notes[0]
    assert notebook(tmp_path).is_file()
    ada.bare.with_name("moved.git").rename(ada.bare)
    assert one(tmp_path, of(ada)).outcome == "unchanged"


def test_a_repository_too_large_is_given_up(ada: Repository, tmp_path: Path) -> None:
    (ada.copy / "film.bin").write_bytes(os.urandom(3 * 2**20))
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    ada.push()
    small = Git(local=True, megabytes=1)
    [found] = collect_all([of(ada)], tmp_path / "class", When(), small, RELEASED)
    assert (found.outcome, found.turn) == ("broken", "student")
    assert sum(path.stat().st_size for path in (tmp_path / "class").rglob("*") if path.is_file()) < 3 * 2**20


def test_a_notebook_too_large_is_left_out(ada: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.collection.collect.MAX_BYTES", 2**20)
    path = ada.copy / "work" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(b" " * (2**20 + 1))
    ada.push()
    found = one(tmp_path, of(ada))
    assert found.outcome == "nothing"
    assert "is larger than 1 MiB" in found.notes[0]


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        student = Student("ada", f"http://127.0.0.1:{silent.getsockname()[1]}/ada.git")
        [found] = collect_all([student], tmp_path / "class", When(), Git(seconds=1), RELEASED)
    assert (found.outcome, found.turn) == ("broken", "instructor")
    assert "longer than 1 seconds" in found.reason


# hostile repositories


def test_nothing_of_a_repository_runs_or_is_followed(ada: Repository, tmp_path: Path) -> None:
    """Hooks, filters, attributes, links and submodules stay bytes."""
    trace = tmp_path / "ran"
    secret = tmp_path / "secret.ipynb"
    secret.write_text('{"secret": 1}')
    for name in ("post-checkout", "reference-transaction", "pre-auto-gc", "post-update"):
        hook = ada.bare / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {trace}\n")
        (ada.copy / ".git" / "hooks" / name).unlink(missing_ok=True)
    (ada.copy / ".gitattributes").write_text("*.ipynb filter=lfs diff=lfs merge=lfs -text\n")
    (ada.copy / ".lfsconfig").write_text("[lfs]\nurl = https://example.org\n")
    (ada.copy / ".gitmodules").write_text(f'[submodule "x"]\npath = x\nurl = ext::sh -c "touch {trace}"\n')
    for name in ("03_numeric_data", "06_supervised_framing"):
        link = ada.copy / "work" / name / f"{name}.ipynb"
        link.parent.mkdir(parents=True)
        link.symlink_to(secret)
    (ada.copy / "work" / "09_echo").symlink_to(tmp_path)
    (ada.copy / "work" / "05_varied_lengths" / "05_varied_lengths.ipynb").mkdir(parents=True)
    (ada.copy / "work" / "05_varied_lengths" / "05_varied_lengths.ipynb" / "x").write_text("x")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 5\n"
    (ada.copy / "work" / "02_sequence_prediction.ipynb").write_text(pointer)
    ada.push()
    found = one(tmp_path, of(ada))
    assert found.notebooks == {"02_sequence_prediction": "work/02_sequence_prediction.ipynb"}
    assert not trace.exists()
    taken = [path for path in (tmp_path / "class" / "ada").rglob("*") if path.is_file()]
    assert [path.read_text() for path in taken] == [pointer]
    assert not any(path.is_symlink() for path in (tmp_path / "class").rglob("*"))
    assert sum("is a link or a folder" in note for note in found.notes) == 3


@pytest.mark.parametrize("address", ["ext::sh -c touch% {0}", "fd::17", "file://{0}", "/{0}", "git://127.0.0.1/x"])
def test_other_protocols_are_closed_unless_asked_for(address: str, tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    with pytest.raises(GitError, match=r"not allowed|transport"):
        Git(seconds=10).run(tmp_path, "ls-remote", address.format(trace))
    assert not trace.exists()


def test_a_tree_that_never_ends_costs_nothing(ada: Repository, tmp_path: Path) -> None:
    """A tree of the same tree ten times over, ten deep: ten thousand million paths, in a few objects."""
    (ada.copy / "x").write_text("x")
    entry = f"100644 blob {git(ada.copy, 'hash-object', '-w', 'x')}\t"
    for _ in range(10):
        listed = "".join(f"{entry}{name}\n" for name in "abcdefghij") + f"{entry}work\n"
        tree = subprocess.run(["git", "mktree"], input=listed.encode(), cwd=ada.copy, capture_output=True, check=True)
        entry = f"040000 tree {tree.stdout.decode().strip()}\t"
    commit = git(ada.copy, "commit-tree", entry.split()[2], "-m", "bomb")
    git(ada.copy, "push", "-q", "origin", f"{commit}:refs/heads/main")
    found = one(tmp_path, of(ada))
    assert found.outcome == "nothing", found.reason


# which commit counts


def test_a_tag_names_the_commit(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    commit = ada.push()
    git(ada.copy, "tag", "-a", "-m", "done", "submit/1")
    git(ada.copy, "push", "-q", "origin", "submit/1")
    ada.write(only(ASSIGNMENT, "normalize"), PLACE)
    ada.push()
    found = one(tmp_path, of(ada), When(tag="submit/1"))
    assert (found.commit, found.evidence) == (commit, "tag")
    missing = one(tmp_path, of(ada), When(tag="submit/2"))
    assert (missing.outcome, missing.reason) == ("missing", "there is no tag submit/2")


def test_another_branch_may_be_the_one(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    commit = ada.push()
    git(ada.copy, "push", "-q", "origin", "HEAD:refs/heads/hand-in")
    ada.push()
    assert one(tmp_path, of(ada, "hand-in")).commit == commit
    other = one(tmp_path, of(ada, "other"))
    assert other.reason == "there is no branch other"


def test_of_commits_the_last_before_the_deadline_counts(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    ada.push(NOON - 2 * HOUR)
    commit = ada.push(NOON - HOUR)
    ada.push(NOON + HOUR)
    found = one(tmp_path, of(ada), When(deadline=NOON), NOON + 2 * HOUR)
    assert (found.commit, found.evidence) == (commit, "dated")
    assert "its author's word" in found.notes[0]


def test_what_was_seen_before_the_deadline_is_beyond_doubt(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    commit = ada.push(NOON - HOUR)
    assert one(tmp_path, of(ada), When(deadline=NOON), NOON - HOUR / 2).evidence == "seen"
    ada.push(NOON + HOUR)
    found = one(tmp_path, of(ada), When(deadline=NOON), NOON + 2 * HOUR)
    assert (found.commit, found.evidence, found.notes) == (commit, "seen", ())


def test_a_commit_with_a_forged_date_is_marked(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    ada.push(NOON - HOUR)
    one(tmp_path, of(ada), When(deadline=NOON), NOON - HOUR / 2)
    ada.write(only(ASSIGNMENT, "invert", "normalize"), PLACE)
    forged = ada.push(NOON - HOUR / 4)
    found = one(tmp_path, of(ada), When(deadline=NOON), NOON + 2 * HOUR)
    assert (found.commit, found.evidence) == (forged, "dated")


def test_what_stands_on_a_late_commit_is_late(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    commit = ada.push(NOON - HOUR)
    ada.push(NOON + HOUR)
    ada.push(NOON - HOUR / 2)
    assert one(tmp_path, of(ada), When(deadline=NOON), NOON + 2 * HOUR).commit == commit


def test_a_rewritten_history_does_not_undo_what_was_seen(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    commit = ada.push(NOON - HOUR)
    one(tmp_path, of(ada), When(deadline=NOON), NOON - HOUR / 2)
    ada.write(only(ASSIGNMENT, "invert", "normalize"), PLACE)
    ada.push(NOON - HOUR, "--amend")
    found = one(tmp_path, of(ada), When(deadline=NOON), NOON + HOUR)
    assert (found.commit, found.evidence) == (commit, "seen")
    assert "rewritten" in found.notes[0]
    assert json.loads(notebook(tmp_path).read_text()) == only(ASSIGNMENT, "invert")


def test_only_late_work_is_no_submission(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    ada.push(NOON + HOUR)
    found = one(tmp_path, of(ada), When(deadline=NOON), NOON + 2 * HOUR)
    assert (found.outcome, found.turn) == ("missing", "student")
    assert "no commit from before 2026-03-01T12:00:00+00:00" in found.reason


@pytest.mark.parametrize("when", [When(deadline=NOON), When(tag="submit/1")], ids=["deadline", "tag"])
def test_late_work_that_a_preview_took_is_not_graded(when: When, ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    ada.push(NOON + HOUR)
    assert one(tmp_path, of(ada), now=NOON + 2 * HOUR).outcome == "collected"
    found = one(tmp_path, of(ada), when, NOON + 3 * HOUR)
    assert (found.outcome, found.notebooks) == ("missing", {})
    assert not notebook(tmp_path).exists()


# the token


def command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-m", "autograder", "collect", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "120", **environment},
    )


def test_the_token_reaches_its_server_and_no_file_list_or_log(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    ada.push()
    (tmp_path / "hosted" / "course").mkdir()
    ada.bare.rename(tmp_path / "hosted" / "course" / "ada.git")
    roster = tmp_path / "roster.csv"
    roster.write_text('student,repository,name\nada,course/ada,"=HYPERLINK(""x"")"\nbob,course/bob,[red]\n')
    with serving(tmp_path / "hosted", "s3cret") as server:
        run = command(roster, tmp_path / "class", "--server", server.address, AUTOGRADER_TOKEN="s3cret")
        assert run.returncode == 4, run.stderr
        assert "1 collected, 1 missing." in run.stderr, run.stdout
        assert notebook(tmp_path).is_file()
        encoded = base64.b64encode(b"x-access-token:s3cret").decode()
        kept = [path for path in (tmp_path / "class").rglob("*") if path.is_file()]
        for secret in ("s3cret", encoded):
            assert secret not in run.stdout + run.stderr
            assert not [path for path in kept if secret.encode() in path.read_bytes()]
        server.asked.clear()
        roster.write_text(f"student,repository\nada,{server.address}/course/ada.git\n")
        run = command(roster, tmp_path / "other", "--server", "https://example.org", AUTOGRADER_TOKEN="s3cret")
        assert run.returncode == 4
        assert set(server.asked) == {""}, "a token is for its own server alone"


# the command


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("student,repository\nada,/etc\n")
    for arguments, sentence in {
        (): "line 2: `/etc` is on this machine, which needs --local",
        ("--deadline", "soon"): "`soon` is no time with its zone",
        ("--deadline", "2026-12-01T23:59"): "is no time with its zone",
        ("--only", "99_nothing"): "There is no assignment `99_nothing`",
        ("--local", "--tag", "--upload-pack=x"): "a tag that git can know",
    }.items():
        run = command(roster, tmp_path / "class", *arguments)
        assert run.returncode == 2
        assert sentence in " ".join(run.stderr.split())
    assert not (tmp_path / "class").exists()


def test_a_job_gets_a_summary(ada: Repository, tmp_path: Path) -> None:
    ada.write(only(ASSIGNMENT, "invert"), PLACE)
    ada.push()
    roster = tmp_path / "roster.csv"
    roster.write_text(f"student;repository\nada;{ada.bare}\nbob;{tmp_path}/nowhere\n")
    arguments = (roster, tmp_path / "class", "--local", "--only", ASSIGNMENT, "--github")
    run = command(*arguments, GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))
    assert run.returncode == 4
    assert run.stdout.startswith("::stop-commands::")
    text = (tmp_path / "summary.md").read_text()
    assert "1 collected, 1 missing." in text
    assert "| bob | missing |" in text
    assert "| ada |" not in text
    assert [each["student"] for each in json.loads((tmp_path / "class" / "collected.json").read_text())] == [
        "ada",
        "bob",
    ]


@given(st.text(), st.binary())
def test_a_damaged_record_is_no_record(text: str, data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        for content in (text.encode("utf-8", "replace"), data, b"[[]]", b'[{"notes": 3}]', b"{}"):
            (Path(name) / "collected.json").write_bytes(content)
            assert all(isinstance(each, Collected) for each in read_record(Path(name)))
