"""What every lesson must keep, and what to do where it does not: each rule is a function that gives sentences.

`broken` asks them all. `autograder release` does so before it writes anything, and the tests do so for each lesson.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from autograder.authoring import slide_map
from autograder.authoring.corpus import corpus
from autograder.authoring.draft import Draft
from autograder.authoring.solution_leaks import MARKERS
from autograder.authoring.source_form import is_tidy, lesson_names
from autograder.course import CHECK_PREFIX, Course
from autograder.errors import CourseError

NAME: Final = re.compile(r"\d\d(_[a-z0-9]+)+")
DATA: Final = (".csv", ".gz", ".json")  # what may be beside a notebook, and so goes to students
SHORTEST_CAPTION: Final = 80
RIGHT, WRONG = 3, 6  # answers that each exercise needs, at least

Rule = Callable[[Draft], Iterator[str]]


def broken(root: Path, name: str) -> list[str]:
    """What is wrong with the lesson of the course at `root`, each in a sentence that says what to do.

    Empty for a lesson that can be released. Where an exercise is not whole, only that is told: the rest leans on it.
    """
    draft = Draft(root, name)
    for rules in (FIRST, THEN):
        told = [f"{name}: {sentence}" for rule in rules for sentence in rule(draft)]
        if told:
            return told
    return []


# What the other rules lean on


def has_a_name(draft: Draft) -> Iterator[str]:
    """Two digits of its own, and words."""
    if not NAME.fullmatch(draft.name):
        yield (
            "a lesson's name is two digits and words in small letters, such as 11_trial. "
            "Rename its folder and its notebook."
        )
    same = [one for one in lesson_names(draft.root) if one[:2] == draft.name[:2] and one != draft.name]
    if same:
        yield f"the lesson {same[0]} has the same number. Give this one another."


def is_a_notebook(draft: Draft) -> Iterator[str]:
    """The source can be read, and is in its one form."""
    try:
        tidy = is_tidy(draft.path)
    except CourseError as problem:
        yield str(problem)
        return
    if not tidy:
        yield f"the source is not in its one form. Run: autograder tidy {draft.name}"


def has_whole_exercises(draft: Draft) -> Iterator[str]:
    """Each is an answer and, below it, a locked check cell with points; ids are plain."""
    try:
        cells = draft.graded_cells
    except CourseError:
        return  # told by `is_a_notebook`
    if not any(meta["solution"] for meta in cells.values()):
        yield "the notebook has no exercise. Mark a code cell as an answer, and give it a grade_id."
    for identifier, number in Counter(draft.grade_ids).items():
        if number > 1:
            yield f"{number} cells have the grade_id `{identifier}`. Give each its own."
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", identifier):
            yield f"the grade_id `{identifier}` may hold small letters, digits and single hyphens. Rename it."
    order = list(cells)
    for identifier, meta in cells.items():
        check = CHECK_PREFIX + identifier
        if meta["solution"]:
            if meta["locked"] or meta["grade"]:
                yield f"the answer of exercise `{identifier}` is locked or graded. Make it a plain answer."
            if not all(marker in draft.sources[identifier] for marker in MARKERS):
                yield (
                    f"the answer of exercise `{identifier}` lacks its markers. "
                    f"Put `{MARKERS[0]}` and `{MARKERS[1]}` around what students must write themselves."
                )
            if check not in cells or not cells[check]["grade"]:
                yield (
                    f"exercise `{identifier}` has no check cell. Add a locked, graded code cell below its answer, "
                    f"with the grade_id `{check}` and the points."
                )
            elif order.index(check) < order.index(identifier):
                yield f"the check cell `{check}` is above the answer that it checks. Move it below."
        elif meta["grade"]:
            points = meta.get("points")
            if isinstance(points, bool) or not isinstance(points, (int, float)) or not 0 < points < float("inf"):
                yield f"the check cell `{identifier}` has no points. Give it a number above 0."
            if not meta["locked"]:
                yield f"the check cell `{identifier}` is not locked. Lock it: students must not change it."
            if not cells.get(identifier.removeprefix(CHECK_PREFIX), {}).get("solution"):
                yield (
                    f"the check cell `{identifier}` belongs to no answer. "
                    f"Name it {CHECK_PREFIX}EXERCISE, by the grade_id of the answer."
                )


# The notebook


def gives_data_alone(draft: Draft) -> Iterator[str]:
    """What is beside a notebook goes to students."""
    for path in sorted(draft.path.parent.iterdir()):
        if path != draft.path and not path.name.startswith(".") and path.suffix not in DATA:
            yield (
                f"students would get {path.name}, which is beside the notebook. "
                f"Move it, or make it data: {', '.join(DATA)}."
            )
    for cell in draft.cells:
        if "attachments" in cell:
            yield f"the cell `{cell['id']}` holds an attached file. Draw the picture in a code cell instead."


def sets_its_seed(draft: Draft) -> Iterator[str]:
    """In the first code cell, where the grader finds it by its tag."""
    first = next(cell for cell in draft.cells if cell["cell_type"] == "code")
    meta, sets = first["metadata"], re.search(r"^SEED = \d+", "".join(first["source"]), re.MULTILINE)
    if "parameters" not in meta.get("tags", []) or not meta.get("nbgrader", {}).get("locked") or not sets:
        yield "the first code cell does not set the seed. Make it a locked cell with the tag `parameters`: SEED = 2026"


def has_its_parts(draft: Draft) -> Iterator[str]:
    """A title, a goal, its slides, the time it takes, a glossary and further reading."""
    if not draft.text.startswith(f"# {draft.name[:2]} · "):
        yield f"the first cell does not begin with the title. Write: # {draft.name[:2]} · The lesson's title"
    for part in ("**Goal.**", "**Slides.**", "**Time.**"):
        if f"\n{part}" not in draft.text:
            yield f"no line begins with {part} Add it to the title cell."
    for part in ("## Glossary", "## Further reading"):
        if f"\n{part}\n" not in draft.text:
            yield f"there is no section `{part}`. Add it at the end."


def tells_its_points(draft: Draft) -> Iterator[str]:
    """The check cells keep the points, and the text says the same."""
    whole = sum(draft.points.values())
    if not re.search(rf"(?<![\d.]){whole:g} points?\b", "".join(draft.texts[:1])):
        yield f"the exercises have {whole:g} points in all, and the title cell does not say so. Mend its line **Time.**"
    for exercise, worth in draft.points.items():
        points = f"({worth:g} point{'s' * (worth != 1)})"
        heading = re.search(rf"^### Exercise \d+: `{exercise}`(.*)", draft.text, re.MULTILINE)
        if heading is None:
            yield f"exercise `{exercise}` has no heading. Write above its answer: ### Exercise 1: `{exercise}` {points}"
        elif not re.match(rf" \({worth:g} points?\)", heading[1]):
            yield (
                f"the heading of exercise `{exercise}` says `{heading[1].strip()}`, and its check cell {points}. "
                "Mend the one that is wrong."
            )


def describes_its_figures(draft: Draft) -> Iterator[str]:
    """It has one or more; for those who do not see it, one cell in italics says what there is to see."""
    if not any("plt.show()" in "".join(cell["source"]) for cell in draft.cells if cell["cell_type"] == "code"):
        yield "the lesson has no figure. Add a code cell that draws one, with plt.show(), and its caption below."
    for cell, following in pairwise([*draft.cells, {"cell_type": "none", "source": []}]):
        if (
            cell["cell_type"] == "code"
            and "plt.show()" in "".join(cell["source"])
            and "nbgrader" not in cell["metadata"]
        ):
            text = "".join(following["source"])
            caption = re.fullmatch(r"\*[^*](.*)[^*]\*", text, re.DOTALL)
            if following["cell_type"] != "markdown" or not caption or len(caption[1]) < SHORTEST_CAPTION:
                yield (
                    f"the figure of the cell `{cell['id']}` has no caption. Add below it a text cell, all of it in "
                    f"*italics*, that says in {SHORTEST_CAPTION} letters or more what there is to see."
                )


def has_its_place_in_the_lecture(draft: Draft) -> Iterator[str]:
    """Slides that there are, or none; and each exercise in a section."""
    lesson = slide_map.lesson(draft.name, draft.cells)
    if not lesson.slides and not lesson.outside:
        yield "the title cell does not say which slides are taught. Write `**Slides.** 3 to 9`, or `**Slides.** none`."
    last = len(slide_map.slides(draft.root / "source"))
    for number in sorted(lesson.slides - set(range(1, last + 1))):
        yield f"the title cell names slide {number}, and the lecture has {last} (source/slides.toml). Mend the one."
    placed = {exercise for section in lesson.sections for exercise in section.exercises}
    for exercise in draft.points:
        if exercise not in placed:
            yield f"exercise `{exercise}` is in no section. Write a heading above it, such as: ## 1 · The first idea"


# The hidden checks


def has_checks(draft: Draft) -> Iterator[str]:
    """A module that loads; for each exercise a check; each check for an exercise that there is."""
    file = f"autograder/checks/{draft.name}.py"
    if not draft.checks.is_file():
        yield f"there is no {file}. Write in it a check for each exercise, as docs/lessons.md says."
        return
    try:
        checks = draft.hidden_checks
    except CourseError as problem:
        yield str(problem)
        return
    for check in checks:
        if len(check.marks) != 1:
            yield f'{file}: {check.name} must name one exercise. Write above it: @exercise("EXERCISE")'
        if not check.title:
            yield f"{file}: {check.name} has no docstring. Say in it, for a student, the property that it checks."
    for check in (check for check in checks if check.marks):
        mark = check.marks[0]
        if mark["id"] not in draft.points:
            known = ", ".join(draft.points)
            yield f"{file}: {check.name} is for exercise `{mark['id']}`, and the notebook has: {known}. Mend the name."
        if not 0 < mark["share"] < float("inf"):
            yield f"{file}: {check.name} has the share {mark['share']}. Give it a number above 0."
        if mark["read"] and mark["read"].replace("`", "") not in draft.text.replace("`", ""):
            yield f"{file}: {check.name} sends students to “{mark['read']}”, and no section has this heading. Mend it."
    for exercise in draft.points:
        if not any(exercise == check.marks[0]["id"] for check in checks if check.marks):
            yield f'exercise `{exercise}` has no check in {file}. Write a test with @exercise("{exercise}").'


def says_where_points_grow(draft: Draft) -> Iterator[str]:
    """Each number of a curve is in the exercise's text."""
    try:
        marks = [check.marks[0] for check in draft.hidden_checks if check.marks]
    except CourseError:
        return  # told by `has_checks`
    for mark in marks:
        text = next((one for one in draft.texts if re.search(rf"### Exercise \d+: `{mark['id']}`", one)), "")
        for place, _ in (point for curve in mark["curves"] for point in curve.points):
            # "right ones of the five" are counted, which the text need not do; a share of 10 % is one in words.
            wanted = re.findall(r"[\d.]+ ?%", place) if isinstance(place, str) else [f"{place:.2f}"] * (place < 1)
            for number in wanted:
                if number.replace(" ", "") not in text.replace(" ", ""):
                    yield (
                        f"the points of exercise `{mark['id']}` change at {number}, and its text does not say so. "
                        "Name the number in the text."
                    )


# What the course has of it


def has_answers(draft: Draft) -> Iterator[str]:
    """Right and wrong ones, of which the tests know what they deserve."""
    file = f"tests/answers/{draft.name}.toml"
    if not (draft.root / file).is_file():
        yield f"there is no {file}. Write in it {RIGHT} right and {WRONG} wrong answers for each exercise, or more."
        return
    try:
        samples = corpus(Course(draft.root), draft.name).samples
    except CourseError as problem:
        yield f"{problem} Mend it."
        return
    count = Counter((one.exercise, one.verdict) for one in samples)
    for exercise in draft.points:
        right, wrong = count[exercise, "correct"], count[exercise, "wrong"]
        if right < RIGHT or wrong < WRONG:
            yield (
                f"exercise `{exercise}` has {right} right and {wrong} wrong answers in {file}. "
                f"Write more: it needs {RIGHT} and {WRONG}."
            )
    for exercise in sorted({one.exercise for one in samples} - set(draft.points)):
        yield f"{file} answers `{exercise}`, which is no exercise of the notebook. Mend the name, or delete it."
    for one in samples:
        if one.verdict not in ("correct", "wrong"):
            yield f'{file}: the answer “{one.name}” has the verdict `{one.verdict}`. Write "correct" or "wrong".'
    for (exercise, answer), number in Counter((one.exercise, one.name) for one in samples).items():
        if number > 1:
            yield f"{file} has {number} answers to `{exercise}` named “{answer}”. Give each its own name."


def is_in_the_readme(draft: Draft) -> Iterator[str]:
    """A row of the table of lessons, with its points."""
    readme = (draft.root / "README.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| \[`{draft.name}`\].*\| (\S+) \|$", readme, re.MULTILINE)
    points = f"{sum(draft.points.values()):g}"
    if row is None:
        wanted = readme_row(draft.name, "WHAT IT TEACHES", "SLIDES", points)
        yield f"README.md has no row for it. Add to its table of lessons: {wanted}"
    elif row[1] != points:
        yield f"README.md says {row[1]} points, and the check cells have {points}. Mend its row in README.md."


def readme_row(name: str, title: str, slides: str, points: str) -> str:
    """The lesson's row in README's table of lessons."""
    return f"| [`{name}`](solutions/{name}/{name}.ipynb): {title} | {slides} | {points} |"


FIRST: Final[tuple[Rule, ...]] = (has_a_name, is_a_notebook, has_whole_exercises)
THEN: Final[tuple[Rule, ...]] = (
    gives_data_alone,
    sets_its_seed,
    has_its_parts,
    tells_its_points,
    describes_its_figures,
    has_its_place_in_the_lecture,
    has_checks,
    says_where_points_grow,
    has_answers,
    is_in_the_readme,
)
