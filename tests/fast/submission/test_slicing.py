"""Which cells run: all that a student wrote; experiments are left out only where nothing can tell."""

import ast
import contextlib
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.submissions import COURSE, Notebook, answered, cell_that_begins, insert, own_cell, solved, source, write
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.course import Assignment, Cell, CellKind, Exercise
from autograder.submission.notebook import read
from autograder.submission.restoration import Restored, RestoredCell, restore
from autograder.submission.slicing import MOST_IN_ALL, Slices

NUMERIC = COURSE.assignment("03_numeric_data")
EXERCISES = [exercise.id for exercise in NUMERIC.exercises]
EXPERIMENTS = [cell.source for cell in NUMERIC.cells if cell.kind == "free"]

Sliced = Callable[[Notebook], tuple[Restored, Slices]]


@pytest.fixture
def sliced(tmp_path: Path) -> Sliced:
    def run(notebook: Notebook) -> tuple[Restored, Slices]:
        restored = restore(read(write(notebook, tmp_path / "notebook.ipynb")), NUMERIC)
        return restored, Slices(restored, NUMERIC)

    return run


def left_out(sliced: tuple[Restored, Slices], *exercises: str) -> list[str]:
    restored, slices = sliced
    needed = slices.needed(exercises or EXERCISES)
    return [cell.source for cell in restored.cells if cell.number not in needed]


def beside(*own: str, **answers: str) -> Notebook:
    """The reference with some answers of one's own, and own cells above the second exercise."""
    return insert(answered(solved(NUMERIC.name), **answers), "standardize", *map(own_cell, own))


# experiments


@pytest.mark.parametrize("name", COURSE.names)
def test_of_the_courses_own_answers_hardly_an_experiment_runs(name: str) -> None:
    assignment = COURSE.assignment(name)
    restored = restore(read(assignment.notebook.parents[2] / "solutions" / name / f"{name}.ipynb"), assignment)
    run = Slices(restored, assignment).needed([exercise.id for exercise in assignment.exercises])
    kinds = [restored.cells[number].kind for number in run]
    assert kinds.count("free") <= {"08_shapes_batches_state": 1, "10_deep_forecaster": 2}.get(name, 0)
    assert len(run) - kinds.count("free") == sum(cell.kind != "free" for cell in restored.cells)


@pytest.mark.parametrize(
    "own",
    [
        "print(normalize([1.0, 2.0], [1.5]))", "import math\nwidth = math.pi", "def helper(x):\n    return x",
        "plt.plot([1, 2])\nplt.show()", "undefined_name = [1]\nundefined_name.append(2)",
        "np.random.seed(3)\nnp.random.seed(4)", "while True:\n    pass", "1 / 0",
    ],
)  # fmt: skip
def test_beside_plain_cells_they_are_left_out_and_the_cells_run(own: str, sliced: Sliced) -> None:
    gone = left_out(sliced(beside(own)))
    assert gone == EXPERIMENTS


@pytest.mark.parametrize(
    "own",
    [
        "%time 1", "!ls", "exec('a = 1')", "import sys", "class A:\n    pass", "n = np\nn.tanh = abs",
        "print(no_such_name)", "def f(:", "def f():\n    return STATION",
        "TABLE = [1]\ndef f():\n    return TABLE.pop()", "In[1]", "_ + 1",
        "def date():\n    return [1]", "from numpy import zeros as float", "x = sorted\nsorted = list",
    ],
)  # fmt: skip
def test_beside_all_others_everything_runs(own: str, sliced: Sliced) -> None:
    assert left_out(sliced(beside(own))) == []
    assert left_out(sliced(beside(invert=f"{own}\n{source(solved(NUMERIC.name), 'invert')}"))) == []


def experiment(begins: str) -> str:
    return next(text for text in EXPERIMENTS if begins in text)


def changed(notebook: Notebook, begins: str, old: str, new: str) -> Notebook:
    found = cell_that_begins(notebook, begins)
    text = "".join(found["source"])
    assert old in text
    found["source"] = text.replace(old, new)
    return notebook


GLITCH = "# Experiment: how large may the wrong value be"


@pytest.mark.parametrize("new", ["1_000_000", "-3.5", "'none'", "[1, 2]", "True", "None", "(1, {'a': [2]})"])
def test_other_literals_make_no_other_experiment(new: str, sliced: Sliced) -> None:
    notebook = changed(beside(), GLITCH, "60_000", new)
    assert len(left_out(sliced(notebook))) == len(EXPERIMENTS)


@pytest.mark.parametrize("new", ["np.pi", "float('1')", "print(3)", "[n for n in (1,)]", "__import__('os')"])
def test_anything_else_makes_it_the_students_own(new: str, sliced: Sliced) -> None:
    notebook = changed(beside(), GLITCH, "60_000", new)
    gone = left_out(sliced(notebook))
    assert experiment(GLITCH).replace("60_000", new) not in gone


def test_a_literal_that_is_run_as_code_is_no_literal(tmp_path: Path) -> None:
    name = "00_orientation"
    assignment = COURSE.assignment(name)
    for new, runs in (("x = 1", False), ("x = 2", True)):
        notebook = changed(solved(name), "# Experiment: try orders of your own", "x = 1", new)
        restored = restore(read(write(notebook, tmp_path / f"{name}.ipynb")), assignment)
        run = Slices(restored, assignment).needed(["first-steps"])
        assert any("three_orders" in restored.cells[number].source for number in run) == runs


def test_an_experiment_runs_if_its_name_is_used_with_those_that_it_uses(sliced: Sliced) -> None:
    by_name = {
        cell.source: name
        for cell in NUMERIC.cells
        if cell.kind == "free"
        for name in ("week",)
        if "week =" in cell.source
    }
    assert by_name, "the lesson has an experiment that binds `week`"
    gone = left_out(sliced(beside(invert="print(week)\n" + source(solved(NUMERIC.name), "invert"))))
    assert set(EXPERIMENTS) - set(gone) == set(by_name)


def test_an_experiment_that_gives_shared_data_to_an_answer_runs(sliced: Sliced) -> None:
    """The answer may change it in place, and a cell of the student's sees that."""
    gone = left_out(sliced(beside("print(STATION.mean())")))
    assert experiment(GLITCH) in left_out(sliced(beside()))
    assert experiment(GLITCH) not in gone


def test_chance_that_is_not_set_goes_on_from_all_cells_above(sliced: Sliced) -> None:
    draws = "noise = np.random.normal(size=3)"
    place = "def noisy(n):\n    return np.random.normal(size=n)"
    restored, _ = sliced(beside(draws))
    number = next(cell.number for cell in restored.cells if cell.source == draws)
    below = [cell.source for cell in restored.cells if cell.kind == "free" and cell.number > number]
    assert left_out(sliced(beside(draws))) == below
    assert left_out(sliced(beside(place, "noise = noisy(3)"))) == below
    assert left_out(sliced(beside(place))) == EXPERIMENTS
    assert left_out(sliced(beside("rng = np.random.default_rng(1)\nnoise = rng.normal(size=3)"))) == EXPERIMENTS
    seeded = f"import keras\nkeras.utils.set_random_seed(1)\n{draws}"
    assert left_out(sliced(beside(seeded))) == EXPERIMENTS


def test_an_open_answer_makes_nothing_run(sliced: Sliced) -> None:
    for text in (
        "raise NotImplementedError()",
        "# my idea\nraise NotImplementedError()",
        "# YOUR CODE HERE\nraise NotImplementedError",
    ):
        restored, slices = sliced(beside(invert=text))
        assert restored.unanswered == {"invert"}
        assert len(left_out((restored, slices))) == len(EXPERIMENTS)
    assert (
        sliced(beside(invert="def invert_scaling(scaler, values):\n    raise NotImplementedError()"))[0].unanswered
        == set()
    )


def test_for_no_exercise_nothing_runs(sliced: Sliced) -> None:
    assert sliced(solved(NUMERIC.name))[1].needed([]) == ()


def test_what_is_paid_is_not_paid_again(sliced: Sliced) -> None:
    """The cells of an exercise that keeps its result are left out if they compute, and nothing that runs needs them."""
    long = "SLOW = sum(range(10))\n" + source(solved(NUMERIC.name), "invert")
    restored, slices = sliced(beside(invert=long))
    assert long in left_out((restored, slices), "normalize")
    assert long not in left_out((restored, slices), "invert")
    assert long not in left_out(sliced(beside("print(SLOW)", invert=long)), "normalize")


# what is behind a result


def behind(sliced: tuple[Restored, Slices], exercise: str) -> set[str]:
    restored, slices = sliced
    return {
        restored.cells[number].source for number in slices.behind(exercise) if restored.cells[number].kind != "locked"
    }


def test_a_plain_answer_follows_from_what_its_names_lead_to(sliced: Sliced) -> None:
    answer = "def invert_scaling(scaler, values):\n    return undo(scaler, values)\n"
    undo, other = (
        "def undo(scaler, values):\n    return scaler.inverse_transform(values)",
        "def other(x):\n    return x",
    )
    found = behind(sliced(beside(undo, other, invert=answer)), "invert")
    assert found == {undo, answer, source(solved(NUMERIC.name), "check-invert")}


def test_what_changes_a_value_in_place_is_behind_it(sliced: Sliced) -> None:
    answer = "sizes = [len(TABLE)]\ndef invert_scaling(scaler, values):\n    return values\nprint(sizes)"
    cells = ["TABLE = [1]", "OTHER = TABLE", "OTHER.append(2)", "FREE = [3]"]
    found = behind(sliced(beside(*cells, invert=answer)), "invert")
    assert {*cells[:3]} <= found
    assert cells[3] not in found


def test_where_a_cell_is_not_plain_all_are_behind_all(sliced: Sliced) -> None:
    _, slices = sliced(beside("class A:\n    pass"))
    assert slices.behind("invert") == slices.everything
    assert not slices.plain
    assert sliced(beside())[1].plain


def test_comments_are_a_change(sliced: Sliced) -> None:
    """Code can read them."""
    commented = "# mine\n" + source(solved(NUMERIC.name), "invert")
    before, after = (sliced(notebook)[1] for notebook in (beside(), beside(invert=commented)))
    assert before.text("invert") != after.text("invert")
    assert before.text("normalize") == after.text("normalize")
    assert before.whole_text() != after.whole_text()


def test_the_cells_that_no_exercise_names(sliced: Sliced) -> None:
    answer = "def invert_scaling(scaler, values):\n    return undo(scaler, values)\n"
    undo, other = "def undo(scaler, values):\n    return values", "%time 1 + 1"
    restored, slices = sliced(beside(undo, other, invert=answer))
    named = {restored.cells[number].source for number in slices.named(EXERCISES)}
    assert undo in named
    assert other not in named


# of any notebook


def test_a_notebook_that_is_too_long_to_look_into_runs_as_it_is() -> None:
    sources = [f"x{n} = 1\n" * 4000 for n in range(1 + MOST_IN_ALL // (4000 * len("x0 = 1\n")))]
    slices = Slices(Restored(tuple(RestoredCell(n, "free", text, None) for n, text in enumerate(sources))), NUMERIC)
    assert slices.needed(["normalize"]) == tuple(range(len(sources)))


@pytest.mark.parametrize("statement", ["a{i}_{j} = a{before}_{j} + [1]", "def f{i}_{j}(): return f{after}_{j}"])
def test_many_cells_of_many_names_take_no_minutes(statement: str) -> None:
    cells = [RestoredCell(0, "locked", "", None)]
    for i in range(1, 1200):
        lines = [statement.format(i=i, j=j, before=i - 1, after=i + 1) for j in range(8)]
        cells.append(RestoredCell(i, "free", "\n".join(lines), None))
    cells.append(RestoredCell(len(cells), "solution", "normalize = [a1199_0, f1_0]", "normalize"))
    before = time.process_time()
    slices = Slices(Restored(tuple(cells)), NUMERIC)
    slices.needed(["normalize"])
    slices.text("normalize")
    assert time.process_time() - before < 20


NAMES = st.sampled_from("abcd")
# The student's: among these are forms that are not plain.
STATEMENTS = st.one_of(
    st.builds("{} = {} + [1]".format, NAMES, NAMES),
    st.builds("{} = [{}]".format, NAMES, st.integers(0, 9)),
    st.builds("{}.append({})".format, NAMES, st.integers(0, 9)),
    st.builds("for {} in [[5]]:\n    {}.append(6)".format, NAMES, NAMES),
    st.builds("if len({}) > 1:\n    {} = [7]".format, NAMES, NAMES),
    st.builds("def f(x):\n    {}.append(8)\n    return {}".format, NAMES, NAMES),
    st.just("def f(x):\n    x.append(9)\n    return x"),
    st.just("def f(x):\n    return [*x, 1]"),
    st.just("def f(x, memo=[]):\n    memo += x\n    return memo"),
    st.just("def f(x):\n    f.n = getattr(f, 'n', 0) + 1\n    return [f.n]"),
    st.just("def f(x):\n    global a\n    a = [4]\n    return a"),
    st.just(
        "def make():\n    kept = []\n    def g(x):\n        kept.append(1)\n        return list(kept)\n    return g"
    ),
    st.just("f = make()"),
    st.just(
        "class Keeper:\n    kept = []\n    def __call__(self, x):\n        Keeper.kept += x\n        return Keeper.kept"
    ),
    st.just("f = Keeper()"),
    st.just("it = iter(range(9))"),
    st.just("def f(x):\n    return [next(it)]"),
    st.builds("{} = f({})".format, NAMES, NAMES),
    st.builds("{} = [shown]".format, NAMES),
    st.builds("{0} = {1}\n{0}.append(3)".format, NAMES, NAMES),
    st.just("a = sorted(globals())"),
    st.just("undefined"),
    st.builds("match {}:\n    case [_, *{}]:\n        pass".format, NAMES, NAMES),
)
# The course's experiments leave names behind, and what a function of the student's does.
OF_THE_COURSE = st.one_of(
    st.builds("def show():\n    return f({})\nshow()".format, NAMES),
    st.just("def show():\n    return f([1])\nshow()"),
    st.builds("def show():\n    held = [{}]\n    return f(held[0])\nshow()".format, NAMES),
    st.just("shown = len(a)"),
    st.just("def show():\n    return f(shown)\nshown = [2]\nshow()"),
)
PART = st.lists(STATEMENTS, min_size=1, max_size=3).map("\n".join)
CELLS = st.lists(
    st.one_of(st.tuples(st.just(True), OF_THE_COURSE), st.tuples(st.just(False), PART)), min_size=2, max_size=7
)
SETUP = "a, b, c, d = [1], [2], [3], [4]\ndef f(x): return [0]"
CHECKS = '@exercise("one")\ndef test(student):\n    student["a"]\n    student.f([1])\n'


def outcome(cells: list[RestoredCell]) -> Any:
    """The value of `a` that a check finds in the end; and what `f` gives, which it calls."""
    space: dict[str, Any] = {}
    for cell in cells:
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            exec(compile(cell.source, "<cell>", "exec"), space)
    try:
        return repr((space.get("a"), space["f"]([1])))
    except Exception as error:
        return repr(error)


def notebook_of(cells: list[tuple[CellKind, str]], released: list[str]) -> tuple[Restored, Assignment]:
    found = tuple(Cell(str(n), "free", text, None) for n, text in enumerate(released))
    assignment = Assignment("example", "", found, (Exercise("one", 1.0),), Path("example.ipynb"))
    assignment.__dict__["checks_text"] = CHECKS
    exercises = {"solution": "one"}
    return Restored(
        tuple(RestoredCell(n, kind, text, exercises.get(kind)) for n, (kind, text) in enumerate(cells))
    ), assignment


@settings(max_examples=300, deadline=None)
@given(cells=CELLS, answer=PART)
def test_what_is_left_out_changes_no_result(cells: list[tuple[bool, str]], answer: str) -> None:
    """Of random notebooks, run whole and without what is left out."""
    sources: list[tuple[CellKind, str]] = [
        ("locked", SETUP),
        *(("free", text) for _, text in cells),
        ("solution", answer),
    ]
    restored, assignment = notebook_of(sources, [text for experiment, text in cells if experiment])
    run = Slices(restored, assignment).needed(["one"])
    assert outcome([restored.cells[number] for number in run]) == outcome([*restored.cells])


def test_that_property_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """If functions that keep something counted as plain."""
    kept = "def f(x, memo=[]):\n    memo += x\n    return memo"
    show = "def show():\n    return f([1])\nshow()"
    restored, assignment = notebook_of([("locked", SETUP), ("solution", kept), ("free", show)], [show])
    slices = Slices(restored, assignment)
    assert slices.needed(["one"]) == (0, 1, 2)
    slices.plain = True
    assert slices.needed(["one"]) == (0, 1)
    assert outcome([*restored.cells[:2]]) != outcome([*restored.cells])


def test_every_example_can_be_read() -> None:
    assert all(ast.parse(text) for text in EXPERIMENTS)
