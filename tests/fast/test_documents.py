"""The documents: each can be found, and what they show is what the program does."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import actions_cost
import figures
import pytest
from helpers.submissions import COURSE
from rich.table import Table

from autograder.course import Assignment, Cell, CellKind, Exercise
from autograder.submission.restoration import Restored, RestoredCell
from autograder.submission.slicing import Slices

ROOT = COURSE.root
DOCS = ROOT / "docs"
INDEX = DOCS / "README.md"
# Written by people; the others are made by a command.
WRITTEN = [
    *sorted(ROOT.glob("*.md")),
    *(path for path in sorted(DOCS.glob("*.md")) if path.name != "commands.md"),
    ROOT / "benchmarks" / "README.md",
]
LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")

by_name = pytest.mark.parametrize("document", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())


def linked(document: Path) -> set[Path]:
    return {(document.parent / target).resolve() for target, _ in LINK.findall(document.read_text()) if target}


def test_each_document_is_in_the_index() -> None:
    places = (ROOT, DOCS, ROOT / "benchmarks", ROOT / "source")
    documents = {path.resolve() for place in places for path in place.glob("*.md")}
    missing = documents - linked(INDEX) - {INDEX, ROOT / "README.md"}
    assert not missing, f"docs/README.md leads to none of these: {', '.join(map(str, missing))}"


def anchors(document: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@by_name
def test_links_to_headings_lead_to_one(document: Path) -> None:
    for target, anchor in LINK.findall(document.read_text()):
        if anchor:
            assert anchor in anchors((document.parent / target) if target else document), f"{target}#{anchor}"


@by_name
def test_the_words_are_plain(document: Path) -> None:
    """Words that readers who are no native speakers have asked about."""
    odd = re.findall(r"\b(?:anew|whose turn|for ever|one's own|as of|looked into|as it were|heretofore)\b",
                     document.read_text())  # fmt: skip
    assert not odd


def said(folder: Path) -> list[str]:
    """Each text of the program, with a line break where a value is put in."""
    texts = []
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                texts.append(
                    "".join(str(part.value) if isinstance(part, ast.Constant) else "\n" for part in node.values)
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return texts


def test_the_program_says_what_troubleshooting_quotes() -> None:
    texts = said(ROOT / "autograder")
    document = (DOCS / "troubleshooting.md").read_text()
    tables = re.findall(r"^\| it says \|.*\n\|[-|]+\n((?:\|.*\n)+)", document, re.MULTILINE)
    quoted = [row.split(" | ")[0].removeprefix("| ") for table in tables for row in table.splitlines()]
    assert len(quoted) > 30
    for sentence in quoted:
        parts = [part for part in (one.strip("`.() ") for one in sentence.split("…")) if part]
        assert any(all(part in text for part in parts) for text in texts), f"the program does not say: {sentence}"


CHECKS = '''
@exercise("smooth", share=1)
def test_means(student, rng):
    """Each value is the mean of its window."""
    equal(student.smooth([1.0, 2.0, 6.0]), [3.0], "the means")
'''
KINDS: dict[str, CellKind] = {"locked": "locked", "solution": "solution", "check": "check"}


def cells_that_run(cells: list[tuple[str, str]]) -> list[int]:
    """Of cells as the document describes them, numbered from 1."""
    kinds = [KINDS.get(what, "free") for what, _ in cells]
    ids = [{"solution": "smooth", "check": "check-smooth"}.get(kind) for kind in kinds]
    released = tuple(
        Cell(str(number), kinds[number], source, ids[number])
        for number, (what, source) in enumerate(cells) if not what.startswith(("the student's", "solution"))
    )  # fmt: skip
    assignment = Assignment("example", "", released, (Exercise("smooth", 1.0),), Path("example.ipynb"))
    assignment.__dict__["checks_text"] = CHECKS
    restored = Restored(tuple(
        RestoredCell(number, kinds[number], source, ids[number] and "smooth")
        for number, (_, source) in enumerate(cells)
    ))  # fmt: skip
    return [number + 1 for number in Slices(restored, assignment).needed(["smooth"])]


def test_the_worked_example_of_slicing_is_computed() -> None:
    text = (DOCS / "how_it_works.md").read_text()
    cells = re.findall(r"^Cell \d, (.+?):\n\n```python\n(.*?)\n```", text, re.MULTILINE | re.DOTALL)
    assert len(cells) == 6
    told = [int(number) for number in re.findall(r"^\| (\d) \| yes \|", text, re.MULTILINE)]
    assert cells_that_run(cells) == told
    changes = re.findall(r"^\| `([^`]+)` \| ([\d, ]+) \|", text, re.MULTILINE)
    assert len(changes) == 4
    for source, numbers in changes:
        changed = [*cells[:4], (cells[4][0], source), cells[5]]
        assert cells_that_run(changed) == [int(number) for number in numbers.split(", ")], source


def test_the_costs_in_the_document_are_the_computed_ones() -> None:
    assert figures.part_of(actions_cost.DOCUMENT, actions_cost.PART) == actions_cost.text()
    workflow = (ROOT / ".github" / "workflows" / "grade.yml").read_text()
    assert f"SUBMISSIONS_PER_MACHINE || '{actions_cost.EACH}'" in workflow
    assert f"MACHINES || '{actions_cost.MOST}'" in workflow


def test_a_benchmark_writes_its_figures_between_its_markers(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    begin, end = figures.markers("a")
    document.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    grid = Table(title="seconds")
    grid.add_column("")
    grid.add_column("median", justify="right")
    grid.add_row("warm", "1.50")
    figures.write(document, "a", figures.markdown(grid))
    figures.write(document, "b", "new")
    text = document.read_text()
    assert text.startswith(
        f"before\n{begin}\nseconds\n\n|  | median |\n| --- | ---: |\n| warm | 1.50 |\n{end}\nafter\n"
    )
    assert "old" not in text
    assert figures.part_of(document, "b") == "new"
    with pytest.raises(LookupError, match="has no line"):
        figures.part_of(document, "c")


def test_moved_modules_are_where_the_changelog_says() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    rows = re.findall(r"^\| `(autograder\..+?)` \| `(autograder\..+?)`(.*)\|$", text, re.MULTILINE)
    assert len(rows) > 15
    for old, new, rest in rows:
        names = re.split(r"`, `\.", old.removeprefix("autograder."))
        targets = [f"{new}{name}" for name in names] if "the same name" in rest else [new]
        for target in targets:
            assert (ROOT / f"{target.replace('.', '/')}.py").is_file(), target
        for name in names:
            assert not (ROOT / "autograder" / f"{name.replace('.', '/')}.py").exists(), name


def test_the_forms_for_issues_are_valid() -> None:
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert len(forms) == 3
    tool = Path(sys.executable).with_name("check-jsonschema")
    command: list[str | Path] = [tool, "--builtin-schema", "vendor.github-issue-forms", *forms]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
