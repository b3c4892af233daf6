"""The workflows: what they may, and what they do when they really run. `helpers/act_runner.py` says how."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.act_runner import BIN, ROOT, RUNNERS, GitHub, Run, commit, repository_of
from helpers.git_host import Repository, serving
from helpers.submissions import Notebook, answered, lean, only, released, solved, write
from ruamel.yaml import YAML

from autograder.authoring import kit, slide_map
from autograder.course import Course
from autograder.report.github import cell_lines

ASSIGNMENT = "03_numeric_data"
SELF_CHECK = kit.TEMPLATES / "self-check.yml"
WORKFLOWS = [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), SELF_CHECK]
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(path)
    return found


def tool(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / name, *arguments], capture_output=True, text=True, check=False)


def actionlint(*paths: Path) -> subprocess.CompletedProcess[str]:
    return tool("actionlint", "-no-color", *paths)


def zizmor(*paths: Path) -> subprocess.CompletedProcess[str]:
    return tool("zizmor", "--offline", "--strict-collection", "--no-progress", *paths)


def schema(*paths: Path) -> subprocess.CompletedProcess[str]:
    return tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *paths)


# what is written in them


@pytest.mark.parametrize("check", [actionlint, zizmor, schema], ids=lambda check: check.__name__)
def test_the_workflows_are_clean(check: Any) -> None:
    run = check(*WORKFLOWS)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_actions_are_clean() -> None:
    assert ACTIONS
    assert zizmor(*ACTIONS).returncode == 0
    run = tool("check-jsonschema", "--builtin-schema", "vendor.github-actions", *ACTIONS)
    assert run.returncode == 0, run.stdout


FAULTS = {
    "actionlint": (actionlint, "needs: collect\n", "needs: colect\n", "colect"),
    "actionlint-expression": (actionlint, "outputs.shards != '[]'", "outputs.chards != '[]'", "chards"),
    "zizmor-injection": (zizmor, 'if [ -n "$TAG" ]', 'if [ -n "${{ inputs.tag }}" ]', "template-injection"),
    "zizmor-pin": (zizmor, "@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7", "unpinned-uses"),
    "zizmor-trigger": (zizmor, "  schedule:\n", "  pull_request_target:\n  schedule:\n", "dangerous-triggers"),
    "schema": (schema, "timeout-minutes: 60", "timeout-minutes: [60]", "timeout-minutes"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, tmp_path: Path) -> None:
    check, good, bad, named = FAULTS[fault]
    text = (ROOT / ".github" / "workflows" / "grade.yml").read_text()
    assert good in text
    path = tmp_path / ".github" / "workflows" / "grade.yml"
    path.parent.mkdir(parents=True)
    shutil.copytree(ROOT / ".github" / "actions", tmp_path / ".github" / "actions")
    path.write_text(text.replace(good, bad, 1))
    run = check(path)
    assert run.returncode != 0
    assert named in run.stdout + run.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_is_allowed_that_is_not_needed(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]
    for name, job in workflow["jobs"].items():
        assert job["runs-on"] in RUNNERS, "act skips what it does not know, and says that all is well"
        assert job["timeout-minutes"] <= 180, name
        writes = [scope for scope, level in job["permissions"].items() if level == "write"]
        assert writes == (["statuses"] if (path.stem, name) == ("grade", "publish") else []), name
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), "what comes from outside comes by the environment"
            if "actions/checkout@" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


def test_where_students_code_runs_there_is_no_token_and_no_cache_is_written() -> None:
    jobs = load(ROOT / ".github" / "workflows" / "grade.yml")["jobs"]
    for name, job in jobs.items():
        text = json.dumps(job)
        secrets = set(re.findall(r"secrets\.(\w+)|github\.(token)", text))
        allowed = {
            "collect": {("STUDENTS_TOKEN", ""), ("AUTOGRADER_SEED", "")},
            "grade": {("AUTOGRADER_SEED", "")},
            "publish": {("", "token")},
        }
        assert secrets == allowed[name]
        assert ("autograder grade" in text) == (name == "grade"), "students' code runs in one job alone"
        if name == "grade":
            assert "cache/save" not in text
            assert "keep-packages" not in text
    steps = [step.get("uses", step.get("run", "")) for step in load(SELF_CHECK)["jobs"]["self-check"]["steps"]]
    saved = next(place for place, step in enumerate(steps) if "cache/save" in step)
    assert saved < next(place for place, step in enumerate(steps) if "autograder check" in step)
    assert "secrets." not in SELF_CHECK.read_text()


# what they do


def hostile() -> Notebook:
    """Forges commands, looks for the job's files and secrets, and tells what it found."""
    code = """
import glob, os
found = [name for name in os.environ if name.startswith(("GITHUB_", "ACTIONS_", "AUTOGRADER_"))]
found += glob.glob("/**/shards", recursive=False) + glob.glob("/tmp/acting*") + glob.glob("/home/*/work")
for process in glob.glob("/proc/[0-9]*/environ"):
    try:
        found += [name for name in ("AUTOGRADER_SEED", "STUDENTS_TOKEN") if name in open(process).read()]
    except OSError:
        pass
for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY"):
    try:
        open(os.environ.get(name, "/nowhere"), "a").write("forged=1")
        found.append(name)
    except OSError:
        pass
print("::error::forged")
os.write(1, b"\\n::set-output name=status::forged\\n::add-mask::a\\n")
def normalize(train, test, feature_range=(0, 1)):
    raise ValueError("\\n::error::forged " + repr(found) + "\\n::stop-commands::x\\n</details><script>")
"""
    return lean(answered(released(ASSIGNMENT), normalize=code))


def wrong() -> Notebook:
    return lean(only(ASSIGNMENT, "normalize", invert="def invert_scaling(scaler, values):\n    return values\n"))


class Class:
    """Five students: one right, one half right, one hostile, one whose file is cut off, one without a repository."""

    def __init__(self, folder: Path, address: str) -> None:
        self.hosted = folder / "hosted"
        self.place = f"work/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"
        books = {"ada": lean(solved(ASSIGNMENT)), "bob": wrong(), "eve": hostile()}
        self.repositories = {name: Repository(self.hosted, name) for name in (*books, "cut")}
        for name, book in books.items():
            self.repositories[name].write(book, self.place)
        write(books["ada"], self.repositories["cut"].copy / self.place)
        cut = self.repositories["cut"].copy / self.place
        cut.write_bytes(cut.read_bytes()[:20_000])
        self.commits = {name: repository.push() for name, repository in self.repositories.items()}
        lines = [f"{name},{address}/{name}.git" for name in (*self.repositories, "gone")]
        roster = "\n".join(["student,repository", *lines]) + "\n"
        parts = ("autograder", "release", ".github", "Makefile", "pyproject.toml", "requirements.lock", "README.md",
                 "LICENSE", ".gitignore")  # fmt: skip
        self.course = repository_of(folder / "course", *parts, **{"roster.csv": roster})


SECRETS = {"AUTOGRADER_SEED": "77077", "STUDENTS_TOKEN": "t0ken-of-the-course"}
TWO_EACH = {"SUBMISSIONS_PER_MACHINE": "2"}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Class, Run, Run, Path]]:
    """The class, graded once, and once more with nothing changed but one right answer."""
    folder = tmp_path_factory.mktemp("acting")
    with serving(folder / "hosted") as server:
        students = Class(folder, server.address)
        github = GitHub(folder / "github", students.course)
        first = github.run(".github/workflows/grade.yml", secrets=SECRETS, variables=TWO_EACH)
        kept = folder / "first"
        shutil.move(github.stand_in / "artifacts", kept)
        students.repositories["bob"].write(lean(only(ASSIGNMENT, "normalize", "invert")), students.place)
        students.repositories["bob"].push()
        second = github.run(".github/workflows/grade.yml", secrets=SECRETS, variables=TWO_EACH)
        yield students, first, second, kept


@pytest.mark.long
def test_every_job_and_step_of_grading_ran(graded: tuple[Class, Run, Run, Path]) -> None:
    _, run, _, _ = graded
    assert run.status == 0, run.everything()[-3000:]
    assert run.jobs == dict.fromkeys(("collect", "grade-1", "grade-2", "publish"), "success")
    jobs = load(ROOT / ".github" / "workflows" / "grade.yml")["jobs"]
    for name in run.jobs:
        skipped = {"What was graded before"} if name == "publish" else set()
        steps = jobs[name.partition("-")[0]]["steps"]
        written = {str(step.get("name") or step["uses"]).partition("@")[0] for step in steps} - skipped
        assert run.steps(name) == dict.fromkeys(written, "success"), name
    assert [one["arg"] for one in run.commands("set-output", "collect") if one["name"] == "shards"] == ["[0, 1]"]
    assert "4 collected, 1 missing." in run.summary("collect")


@pytest.mark.long
def test_the_marks_are_those_of_a_local_grading(graded: tuple[Class, Run, Run, Path], tmp_path: Path) -> None:
    students, _, _, artifacts = graded
    for name, at in students.commits.items():
        path = tmp_path / name / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        path.parent.mkdir(parents=True)
        bare = students.repositories[name].bare
        show = ["git", "show", f"{at}:{students.place}"]
        path.write_bytes(subprocess.run(show, cwd=bare, capture_output=True, check=True).stdout)
    command = [sys.executable, "-I", "-m", "autograder", "grade", str(tmp_path), "--json", "--course", str(ROOT)]
    environment = {**os.environ, "AUTOGRADER_SEED": SECRETS["AUTOGRADER_SEED"]}
    local = json.loads(subprocess.run(command, capture_output=True, check=True, env=environment).stdout)
    there = json.loads((artifacts / "marks" / "results.json").read_text())
    assert {one["student"] for one in there} == {"ada", "bob", "cut", "eve"}

    def marks(results: list[dict[str, Any]]) -> dict[str, Any]:
        return {one["student"]: (one["score"], one["message"], one["exercises"], one["notes"]) for one in results}

    assert marks(there) == marks(local)
    scores = {one["student"]: one["score"] for one in there}
    assert (scores["ada"], scores["cut"], scores["eve"]) == (10, None, 0)
    assert 3 <= scores["bob"] < 5, "a wrong inverse may earn a part"
    assert all(one["record"]["for_marks"] for one in there)


@pytest.mark.long
def test_what_is_published_is_all_there(graded: tuple[Class, Run, Run, Path]) -> None:
    students, run, _, artifacts = graded
    assert {path.name for path in artifacts.iterdir()} == {"submissions", "results-0", "results-1", "marks"}
    for student in ("ada", "bob", "cut", "eve"):
        assert (artifacts / "marks" / student / ASSIGNMENT / "feedback.html").is_file()
    collected = {one["student"]: one for one in json.loads((artifacts / "marks" / "collected.json").read_text())}
    assert {name: collected[name]["commit"] for name in students.commits} == students.commits
    assert collected["gone"]["turn"] == "student"
    summary = run.summary("publish")
    assert "3 submissions graded, 1 could not be graded" in summary
    assert "| ada | 03&#95;numeric&#95;data | 10 / 10 | 0 | ✅✅✅✅ |" in summary
    asked = (run.stand_in / "gh").read_text()
    assert "statuses/" in asked
    assert "-f state=success -f description=3 submissions graded, 1 could not be graded" in asked


@pytest.mark.long
def test_annotations_stand_at_the_answers(graded: tuple[Class, Run, Run, Path]) -> None:
    _, run, _, artifacts = graded
    found = [
        one for job in ("grade-1", "grade-2") for level in ("error", "warning") for one in run.commands(level, job)
    ]
    bobs = {one["kvPairs"]["title"]: one["kvPairs"] for one in found if "/bob/" in one["kvPairs"]["file"]}
    [title] = [title for title in bobs if "invert" in title]
    file = artifacts / "submissions" / bobs[title]["file"]
    assert int(bobs[title]["line"]) == cell_lines(file)["invert"]
    assert "def invert_scaling" in file.read_text().splitlines()[int(bobs[title]["line"]) - 1]
    assert [one["kvPairs"]["title"] for one in found if one["command"] == "error"] == ["cut: could not be graded"]


@pytest.mark.long
def test_a_hostile_notebook_forges_nothing_and_finds_nothing(graded: tuple[Class, Run, Run, Path]) -> None:
    _, run, _, artifacts = graded
    everything = run.everything()
    [result] = [
        one for one in json.loads((artifacts / "marks" / "results.json").read_text()) if one["student"] == "eve"
    ]
    told = json.dumps(result)
    assert "::error::forged []" in told, "it ran, looked around, and found nothing"
    for job in run.jobs:
        said = [*run.commands("error", job), *run.commands("set-output", job), *run.commands("set-env", job)]
        assert not [one for one in said if str(one.get("arg", "")).startswith("forged")]
        assert not run.commands("add-mask", job)
        assert "<script>" not in run.summary(job)
    for secret in SECRETS.values():
        assert secret not in everything
        for path in artifacts.rglob("*"):
            for_staff = path.suffix == ".json" or path.name == "staff.html"
            assert for_staff or path.is_dir() or secret.encode() not in path.read_bytes(), path
    assert "t0ken" not in "".join(path.read_text() for path in artifacts.rglob("*.json"))


@pytest.mark.long
def test_again_only_what_changed_is_graded(graded: tuple[Class, Run, Run, Path]) -> None:
    _, _, run, _ = graded
    assert run.jobs == dict.fromkeys(("collect", "grade", "publish"), "success"), run.everything()[-3000:]
    assert "1 submissions to grade in 1 shards, 3 unchanged." in run.said("collect")
    assert [path.parent.parent.name for path in run.artifact("results-0").glob("*/*/result.json")] == ["bob"]
    scores = {one["student"]: one["score"] for one in json.loads((run.artifact("marks") / "results.json").read_text())}
    assert scores == {"ada": 10, "bob": 5, "cut": None, "eve": 0}


def test_without_a_seed_nothing_is_graded(tmp_path: Path) -> None:
    with serving(tmp_path / "hosted") as server:
        students = Class(tmp_path, server.address)
        run = GitHub(tmp_path / "github", students.course).run(
            ".github/workflows/grade.yml", secrets={"X": "unused-secret"}
        )
    assert run.status != 0
    assert run.jobs["collect"] == "failure"
    assert not {"grade", "publish"} & {name for name, outcome in run.jobs.items() if outcome == "success"}
    assert ["Set the secret AUTOGRADER_SEED" in one["arg"] for one in run.commands("error", "collect")] == [True]


@pytest.mark.long
def test_the_students_self_check_runs_and_marks_the_line(tmp_path: Path) -> None:
    kit.write(Course.find(ROOT), tmp_path / "kit")
    work = tmp_path / "kit" / "work" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    write(wrong(), work)
    commit(tmp_path / "kit")
    github = GitHub(tmp_path / "github", tmp_path / "kit")
    run = github.run(".github/workflows/self-check.yml", "push")
    assert run.jobs == {"self-check": "failure"}, run.everything()[-3000:]
    steps = run.steps("self-check")
    assert steps.pop("Check the notebooks") == "failure"
    assert set(steps.values()) == {"success"}
    [error] = run.commands("error", "self-check")
    assert error["kvPairs"]["file"] == f"work/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"
    assert "def invert_scaling" in work.read_text().splitlines()[int(error["kvPairs"]["line"]) - 1]
    assert "✅ the visible checks pass" in run.summary("self-check")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with one lesson; its proof, which is this project's own tests, is a stand-in that looks at a file."""
    one = "00_orientation"
    parts = ("autograder", ".github", "Makefile", "pyproject.toml", "README.md", "LICENSE", ".gitignore",
             "requirements.lock", "requirements-student.lock", f"source/{one}", "source/slides.toml", f"release/{one}",
             f"tests/answers/{one}.toml",
             ":!autograder/checks/0[1-9]*", ":!autograder/checks/10*")  # fmt: skip
    course = repository_of(tmp_path_factory.mktemp("small") / "course", *parts)
    (course / "source" / slide_map.FILE).write_text(slide_map.as_markdown(course / "source"), encoding="utf-8")
    proof = "from pathlib import Path\n\ndef test_it():\n    assert not Path('leak').exists()\n"
    proofs = course / "tests" / "slow" / "authoring"
    proofs.mkdir(parents=True)
    for name in ("test_release.py", "test_kit.py"):
        (proofs / name).write_text(proof)
    return course


PROOF = "Prove it"
AGAIN = "Make the release again, and see that nothing changes"


@pytest.mark.long
def test_the_release_is_proved_and_the_kit_is_packed(small: Path, tmp_path: Path) -> None:
    commit(small)
    run = GitHub(tmp_path / "github", small).run(".github/workflows/release.yml")
    assert run.jobs == {"kit": "success"}, run.said("kit")
    assert set(run.steps("kit").values()) == {"success"}
    assert len(run.steps("kit")) == len(load(ROOT / ".github" / "workflows" / "release.yml")["jobs"]["kit"]["steps"])
    written = kit.write(Course(small), tmp_path / "kit")
    packed = run.artifact("student-kit")
    assert sorted(path.relative_to(packed).as_posix() for path in packed.rglob("*") if path.is_file()) == written
    assert all((packed / name).read_bytes() == (tmp_path / "kit" / name).read_bytes() for name in written)


@pytest.mark.long
@pytest.mark.parametrize(("fault", "step"), [("release/00_orientation/00_orientation.ipynb", AGAIN), ("leak", PROOF)])
def test_without_a_proof_there_is_no_kit(fault: str, step: str, small: Path, tmp_path: Path) -> None:
    course = tmp_path / "course"
    shutil.copytree(small, course)
    before = (course / fault).read_text() if (course / fault).exists() else ""
    (course / fault).write_text(before.replace("Orientation", "Disorientation"))
    commit(course)
    run = GitHub(tmp_path / "github", course).run(".github/workflows/release.yml")
    assert run.jobs == {"kit": "failure"}
    assert [name for name, outcome in run.steps("kit").items() if outcome == "failure"] == [step]
    assert not run.artifact("student-kit").exists()


def test_a_runner_that_act_does_not_know_is_no_success(tmp_path: Path) -> None:
    """Why the tests above ask which jobs ran: act itself says that all is well."""
    workflow = tmp_path / "course" / ".github" / "workflows" / "x.yml"
    workflow.parent.mkdir(parents=True)
    text = "on: push\npermissions: {}\njobs:\n  a:\n    runs-on: RUNNER\n    steps:\n      - run: exit 1\n"
    workflow.write_text(text.replace("RUNNER", "ubuntu-99.04"))
    commit(tmp_path / "course")
    github = GitHub(tmp_path / "github", tmp_path / "course", environment=False)
    unknown = github.run(".github/workflows/x.yml", "push")
    assert (unknown.status, unknown.jobs.get("a", "skipped")) == (0, "skipped")
    workflow.write_text(text.replace("RUNNER", RUNNERS[0]))
    known = github.run(".github/workflows/x.yml", "push")
    assert known.jobs == {"a": "failure"}
