"""Every lesson keeps the rules, and a lesson that breaks one is told so in a sentence that says what to do."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.new_lesson import NAME, new_lesson
from helpers.submissions import COURSE, Notebook

from autograder.authoring import lesson_rules as rules
from autograder.authoring.draft import Draft
from autograder.authoring.lesson_rules import Rule, broken
from autograder.authoring.source_form import as_text, lesson_names, tidied


@pytest.mark.parametrize("name", lesson_names(COURSE.root))
def test_a_lesson_keeps_the_rules(name: str) -> None:
    assert broken(COURSE.root, name) == []


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return new_lesson(tmp_path, monkeypatch).root


def test_a_new_lesson_keeps_them(root: Path) -> None:
    assert broken(root, NAME) == []


Breaking = Callable[[Path], object]


def source(root: Path) -> Path:
    return root / "source" / NAME / f"{NAME}.ipynb"


def in_notebook(change: Callable[[Notebook], object]) -> Breaking:
    def breaking(root: Path) -> None:
        book = json.loads(source(root).read_text(encoding="utf-8"))
        change(book)
        source(root).write_text(as_text(tidied(book)), encoding="utf-8")

    return breaking


def meta(cell: str, **values: object) -> Breaking:
    """With other facts for nbgrader in a cell."""

    def change(book: Notebook) -> None:
        (found,) = (one for one in book["cells"] if one["id"] == cell)
        found["metadata"]["nbgrader"].update(values)

    return in_notebook(change)


def without(cell: str) -> Breaking:
    def change(book: Notebook) -> None:
        book["cells"] = [one for one in book["cells"] if one["id"] != cell]

    return in_notebook(change)


def moved(cell: str, place: int) -> Breaking:
    def change(book: Notebook) -> None:
        (found,) = (one for one in book["cells"] if one["id"] == cell)
        book["cells"].remove(found)
        book["cells"].insert(place, found)

    return in_notebook(change)


def text(before: str, after: str) -> Breaking:
    """With other words in the notebook, wherever they are."""

    def change(book: Notebook) -> None:
        whole = [("".join(one["source"]), one) for one in book["cells"]]
        assert any(before in found for found, _ in whole)
        for found, one in whole:
            one["source"] = found.replace(before, after).splitlines(keepends=True)

    return in_notebook(change)


def in_file(path: str, before: str, after: str) -> Breaking:
    def breaking(root: Path) -> None:
        found = (root / path).read_text(encoding="utf-8")
        assert before in found
        (root / path).write_text(found.replace(before, after), encoding="utf-8")

    return breaking


def attached(book: Notebook) -> None:
    book["cells"][0]["attachments"] = {"a.png": {"image/png": ""}}


def outputs(root: Path) -> None:
    book = json.loads(source(root).read_text(encoding="utf-8"))
    book["cells"][1]["execution_count"] = 3
    source(root).write_text(as_text(book), encoding="utf-8")


def twice(book: Notebook) -> None:
    book["cells"].append(book["cells"][1])


def same_number(root: Path) -> None:
    shutil.copytree(root / "source" / NAME, root / "source" / "11_more")
    (root / "source/11_more" / f"{NAME}.ipynb").rename(root / "source/11_more/11_more.ipynb")


def with_a_curve(root: Path) -> None:
    curve = 'share=2, curves=[Curve("RMSE", ((0.25, 0.0), (0.75, 1.0)))]'
    in_file(CHECKS, "share=2", curve)(root)
    in_file(CHECKS, "import close", "import Curve, close")(root)


CHECKS, ANSWERS = f"checks/{NAME}.py", f"tests/answers/{NAME}.toml"

# What is done to the lesson, and a part of the sentence.
BROKEN: dict[Rule, list[tuple[Breaking, str]]] = {
    rules.has_a_name: [
        (same_number, "the lesson 11_more has the same number. Give this one another."),
    ],
    rules.is_a_notebook: [
        (lambda root: source(root).write_text("{"), "is no notebook (JSONDecodeError: "),
        (outputs, "the source is not in its one form. Run: autograder tidy 11_trial"),
    ],
    rules.has_whole_exercises: [
        (meta("spread", solution=False), "the notebook has no exercise. Mark a code cell as an answer"),
        (in_notebook(twice), "2 cells have the grade_id `parameters`. Give each its own."),
        (meta("setup", grade_id="Set_up"), "the grade_id `Set_up` may hold small letters, digits and"),
        (meta("spread", locked=True), "the answer of exercise `spread` is locked or graded."),
        (text("### END SOLUTION", "# end"), "lacks its markers. Put `### BEGIN SOLUTION` and"),
        (
            without("check-spread"),
            "exercise `spread` has no check cell. Add a locked, graded code cell below its answer",
        ),
        (without("check-spread"), "with the grade_id `check-spread` and the points."),
        (moved("check-spread", 3), "the check cell `check-spread` is above the answer that it checks."),
        (meta("check-spread", points=0), "the check cell `check-spread` has no points. Give it a number"),
        (meta("check-spread", locked=False), "the check cell `check-spread` is not locked. Lock it"),
        (meta("setup", grade=True, points=1), "the check cell `setup` belongs to no answer. Name it check-EXERCISE"),
    ],
    rules.gives_data_alone: [
        (lambda root: (source(root).parent / "secret.txt").touch(), "students would get secret.txt"),
        (in_notebook(attached), "the cell `title` holds an attached file. Draw the picture in a code cell"),
    ],
    rules.sets_its_seed: [
        (text("SEED = 2026", "seed = 2026"), "the first code cell does not set the seed."),
        (in_notebook(lambda book: book["cells"][1]["metadata"].pop("tags")), "with the tag `parameters`: SEED = 2026"),
        (moved("parameters", 2), "the first code cell does not set the seed."),
    ],
    rules.has_its_parts: [
        (text("# 11 · ", "# "), "the first cell does not begin with the title. Write: # 11 · "),
        (text("**Goal.** You", "You"), "no line begins with **Goal.** Add it to the title cell."),
        (text("## Glossary", "## Words"), "there is no section `## Glossary`. Add it at the end."),
    ],
    rules.tells_its_points: [
        (
            text("2 points.", "12 points, 2.5 points."),
            "the exercises have 2 points in all, and the title cell does not",
        ),
        (
            text("### Exercise 1: `spread`", "### Exercise: `spread`"),
            "Write above its answer: ### Exercise 1: `spread` (2",
        ),
        (text("`spread` (2 points)", "`spread` (3 points)"), "says `(3 points)`, and its check cell (2 points)."),
    ],
    rules.describes_its_figures: [
        (without("experiment-walk"), "the lesson has no figure. Add a code cell that draws one, with plt.show()"),
        (without("walk-caption"), "the figure of the cell `experiment-walk` has no caption. Add below it"),
        (
            text("A blue line wanders up and down over 100 steps.\nTwo grey dashed lines mark the smallest and", "See"),
            "in 80 letters or more what there is",
        ),
    ],
    rules.has_its_place_in_the_lecture: [
        (text("**Slides.** none", "**Slides.** some"), "Write `**Slides.** 3 to 9`, or `**Slides.** none`."),
        (text("**Slides.** none", "**Slides.** 49 to 51"), "names slide 51, and the lecture has 50"),
        (text("## 1 · How far", "How far"), "exercise `spread` is in no section. Write a heading above it"),
    ],
    rules.has_checks: [
        (lambda root: (root / CHECKS).unlink(), "there is no autograder/checks/11_trial.py. Write in it a check"),
        (
            in_file(CHECKS, "numpy as np", "numpy as"),
            "autograder/checks/11_trial.py cannot be loaded (line 3: SyntaxError",
        ),
        (in_file(CHECKS, 'SECTION = "', 'SECTION = A + "'), "(line 8: NameError: name 'A' is not defined). Mend it."),
        (in_file(CHECKS, '@exercise("spread", share=1, read=SECTION)\n', ""), "test_no_values must name one exercise."),
        (
            in_file(CHECKS, '    """An empty array raises ValueError, one value has the spread 0."""\n', ""),
            "test_no_values has no docstring. Say in it, for a student",
        ),
        (
            in_file(CHECKS, '"spread", share=1', '"width", share=1'),
            "is for exercise `width`, and the notebook has: spread.",
        ),
        (in_file(CHECKS, "share=1", "share=-1"), "test_no_values has the share -1. Give it a number above 0."),
        (
            in_file(CHECKS, "1 · How far", "1 · How long"),
            "sends students to “1 · How long values spread”, and no section",
        ),
        (
            in_file(CHECKS, '@exercise("spread"', '@exercise("width"'),
            "exercise `spread` has no check in autograder/checks/",
        ),
    ],
    rules.says_where_points_grow: [
        (with_a_curve, "the points of exercise `spread` change at 0.25, and its text does not say so. Name the number"),
    ],
    rules.has_answers: [
        (lambda root: (root / ANSWERS).unlink(), "there is no tests/answers/11_trial.toml. Write in it 3 right and 6"),
        (
            in_file(ANSWERS, '"correct"\nname = "a loop', '"wrong"\nname = "a loop'),
            "`spread` has 2 right and 8 wrong answers",
        ),
        (
            in_file(ANSWERS, 'verdict = "wrong"', 'verdict = "bad"'),
            'has the verdict `bad`. Write "correct" or "wrong".',
        ),
        (in_file(ANSWERS, "[[answer]]", "[[answer]"), "the answers cannot be read (TOMLDecodeError: "),
        (
            in_file(ANSWERS, '"spread"', '"width"'),
            "answers `width`, which is no exercise of the notebook. Mend the name",
        ),
        (
            in_file(ANSWERS, "printed, and not returned", "a loop"),
            "has 2 answers to `spread` named “a loop”. Give each its",
        ),
    ],
    rules.is_in_the_readme: [
        (
            in_file("README.md", f"| [`{NAME}`]", "| "),
            "README.md has no row for it. Add to its table of lessons: | [`11_",
        ),
        (
            in_file("README.md", "Trial | none | 2", "Trial | none | 4"),
            "README.md says 4 points, and the check cells have 2.",
        ),
    ],
}
CASES = [(rule, breaking, told) for rule, cases in BROKEN.items() for breaking, told in cases]


@pytest.mark.parametrize(
    ("rule", "breaking", "told"), CASES, ids=[f"{rule.__name__}-{told}" for rule, _, told in CASES]
)
def test_a_broken_rule_says_what_to_do(rule: Rule, breaking: Breaking, told: str, root: Path) -> None:
    breaking(root)
    assert any(told in sentence for sentence in rule(Draft(root, NAME)))
    found = broken(root, NAME)
    assert any(sentence.startswith(f"{NAME}: ") and told in sentence for sentence in found), found


def test_each_rule_is_broken_here() -> None:
    assert set(BROKEN) == {*rules.FIRST, *rules.THEN}


def test_a_lesson_is_named_by_a_number_and_words(root: Path) -> None:
    shutil.copytree(root / "source" / NAME, root / "source" / "trial")
    (root / "source/trial" / f"{NAME}.ipynb").rename(root / "source/trial/trial.ipynb")
    assert "trial: a lesson's name is two digits and words" in broken(root, "trial")[0]
