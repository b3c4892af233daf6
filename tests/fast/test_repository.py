"""What a newcomer finds: the layout, the lock files, the documents, the workflows."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from helpers.submissions import COURSE
from packaging.requirements import Requirement

from autograder.authoring.kit import MODULES

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
    assert not set(student) & {"nbgrader", "papermill", "pytest", "hypothesis", "pyseccomp", "mypy", "ruff"}
    assert all(versions <= instructor[package] for package, versions in student.items())


def required(table: str | None = None) -> list[Requirement]:
    """The student's requirements, or those of an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(one) for one in (project["optional-dependencies"][table] if table else project["dependencies"])]


def test_the_named_packages_are_required() -> None:
    """papermill runs notebooks for the grader; a student's self-check runs them with nbclient."""
    assert {"tensorflow", "numpy", "pandas", "scikit-learn"} <= {one.name for one in required()}
    assert {"nbgrader", "papermill", "pytest"} <= {one.name for one in required("instructor")}
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"] == ">=3.11,<3.14"


@pytest.mark.parametrize("name", LOCKS)
def test_every_platform_has_one_tensorflow_the_small_one_where_there_is_one(name: str) -> None:
    """Both own the same folder, so two of them would break each other."""
    locked = [Requirement(line.rstrip(" \\")) for line in (ROOT / name).read_text().splitlines() if "==" in line]
    for system, machine, expected in (
        ("linux", "x86_64", "tensorflow-cpu"),
        ("linux", "aarch64", "tensorflow"),
        ("darwin", "arm64", "tensorflow"),
        ("win32", "AMD64", "tensorflow"),
    ):
        here = {"sys_platform": system, "platform_machine": machine}
        for requirements in (required(), locked):
            found = [one.name for one in requirements if one.name.startswith("tensorflow")
                     and (one.marker is None or one.marker.evaluate(here))]  # fmt: skip
            assert found == [expected]


def test_students_install_what_their_lessons_and_their_part_of_the_grader_import() -> None:
    code = [(ROOT / "autograder" / name).read_text() for name in MODULES]
    for path in sorted((ROOT / "source").glob("*/*.ipynb")):
        code += [
            "".join(cell["source"]) for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"
        ]
    names = re.findall(r"^ *(?:from|import) (\w+)", "\n".join(code), re.MULTILINE)
    imported = {name for name in names if name not in sys.stdlib_module_names and find_spec(name)} - {"autograder"}
    started = {"ipykernel", "jupyterlab"}  # and not imported
    distributions = {"jupyter_client": "jupyter-client", "sklearn": "scikit-learn"}
    assert {one.name for one in required()} - {"tensorflow-cpu"} == {
        distributions.get(one, one) for one in imported
    } | started


def test_no_module_is_named_for_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert not [path for path in tracked() if path.suffix == ".py" and path.stem in vague]


def test_modules_stay_small() -> None:
    """One job a file; longer is only one table: the kinds of the protocol, each way."""
    lengths = {
        path.as_posix(): len((ROOT / path).read_text().splitlines())
        for path in tracked()
        if path.suffix == ".py" and path.parts[0] == "autograder" and "checks" not in path.parts
    }
    assert {name for name, length in lengths.items() if length > 400} <= {"autograder/boxed/protocol.py"}


def test_every_check_module_is_of_an_assignment() -> None:
    assert sorted(path.stem for path in (ROOT / "autograder" / "checks").glob("*.py")) == list(COURSE.names)


def test_links_in_documents_lead_somewhere() -> None:
    for document in (path for path in tracked() if path.suffix == ".md"):
        text = (ROOT / document).read_text()
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
            assert (ROOT / document.parent / target).exists(), f"{document}: {target}"


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
