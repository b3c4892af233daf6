"""What a newcomer finds: the layout, the lock files, the documents, the workflows."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from helpers.submissions import COURSE

ROOT = COURSE.root
TOP = {
    "source",
    "release",
    "autograder",
    "solutions",
    "tests",
    "benchmarks",
    "docs",
    "findings",
    "pyproject.toml",
    ".github",
    ".ci",
}
BESIDE = {"README.md", "LICENSE", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "Makefile", ".gitignore",
          "requirements.lock", "requirements-student.lock", ".pre-commit-config.yaml"}  # fmt: skip
OWN = {"roster.csv"}  # a course's own, if it has one
LOCKS = ("requirements.lock", "requirements-student.lock")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_the_top_level_is_the_documented_one() -> None:
    assert {path.parts[0] for path in tracked()} - OWN == TOP | BESIDE


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_with_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    requirements = re.split(r"\n(?=\S)", text.strip())
    assert len(requirements) > 50
    for requirement in requirements:
        assert re.match(r"[a-zA-Z0-9_.-]+==\S+", requirement), requirement[:80]
        assert "--hash=sha256:" in requirement, requirement[:80]


def test_no_registry_is_named() -> None:
    """Where packages come from is everybody's own setting."""
    hosts = ["py" + "pi.org", "python" + "hosted", "npm" + "js", "deb." + "debian"]
    for path in tracked():
        data = (ROOT / path).read_bytes()
        assert not [host for host in hosts if host.encode() in data], path


def pins(name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([a-zA-Z0-9_.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE):
        found.setdefault(package, set()).add(version)
    return found


def test_a_student_needs_no_instructors_tools_and_has_the_same_versions() -> None:
    instructor, student = (pins(name) for name in LOCKS)
    assert not set(student) & {"nbgrader", "pytest", "hypothesis", "pyseccomp", "jinja2-cli", "mypy", "ruff"}
    assert all(versions <= instructor[package] for package, versions in student.items())


def test_the_named_packages_are_required() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {re.split(r"[^a-zA-Z0-9_-]", one)[0] for one in project["dependencies"]}
    extra = {re.split(r"[^a-zA-Z0-9_-]", one)[0] for one in project["optional-dependencies"]["instructor"]}
    assert {"tensorflow", "numpy", "pandas", "scikit-learn", "papermill"} <= named
    assert {"nbgrader", "pytest"} <= extra
    assert project["requires-python"] == ">=3.11,<3.14"


def test_no_module_is_named_for_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert not [path for path in tracked() if path.suffix == ".py" and path.stem in vague]


def test_modules_stay_small() -> None:
    """One job a file; longer are only two tables: the wire's kinds each way, and the command line's options."""
    lengths = {
        path.as_posix(): len((ROOT / path).read_text().splitlines())
        for path in tracked()
        if path.suffix == ".py" and path.parts[0] == "autograder" and "checks" not in path.parts
    }
    assert {name for name, length in lengths.items() if length > 400} <= {
        "autograder/boxed/protocol.py",
        "autograder/cli.py",
    }


def test_every_check_module_is_of_an_assignment() -> None:
    assert sorted(path.stem for path in (ROOT / "autograder" / "checks").glob("*.py")) == list(COURSE.names)


def test_links_in_documents_lead_somewhere() -> None:
    for document in (path for path in tracked() if path.suffix == ".md"):
        text = (ROOT / document).read_text()
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
            assert (ROOT / document.parent / target).exists(), f"{document}: {target}"


def test_the_readme_lists_the_lessons() -> None:
    readme = (ROOT / "README.md").read_text()
    for assignment in COURSE.assignments():
        assert re.search(rf"^\| \[`{assignment.name}`\].*\| {assignment.max_points:g} \|$", readme, re.MULTILINE)


def test_make_targets_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    documents = [path for path in tracked() if path.suffix == ".md" and path.parts[0] not in {"release", "solutions"}]
    named = {
        (target, document)
        for document in documents
        for target in re.findall(r"(?:^|`|^\$ )make ([a-z]+)", (ROOT / document).read_text(), re.MULTILINE)
    }
    assert ("test", Path("README.md")) in named
    assert not [one for one in named if one[0] not in targets]


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name)
def test_workflows_trust_nothing_by_default(path: Path) -> None:
    text = path.read_text()
    assert re.search(r"^permissions: \{\}$", text, re.MULTILINE)
    assert "pull_request_target" not in text
    for action in re.findall(r"\buses: *(\S+)", text):
        assert action.startswith("./.github/") or re.search(r"@[0-9a-f]{40}$", action), action
    assert len(re.findall("actions/checkout@", text)) == len(re.findall("persist-credentials: false", text))
