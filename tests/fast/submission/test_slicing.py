"""Which cells an exercise depends on: nothing that matters is left out, and what does not matter need not run."""

import ast
import contextlib
import io
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from helpers.submissions import COURSE, Notebook, answered, insert, own_cell, remove, solved, source, write
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.submission import slicing
from autograder.submission.effects import MAGICS
from autograder.submission.names import MOST_CHARACTERS, facts
from autograder.submission.notebook import read
from autograder.submission.restoration import Restored, RestoredCell, restore
from autograder.submission.slicing import MOST_IN_ALL, Slices, checks_of

NUMERIC = COURSE.assignment("03_numeric_data")
EXERCISES = [exercise.id for exercise in NUMERIC.exercises]
EXPERIMENTS = sum(cell.kind == "free" for cell in NUMERIC.cells)

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


# what a cell's names tell


@pytest.mark.parametrize(
    ("code", "needs", "later", "binds"),
    [
        ("x = y + 1", {"y"}, set(), {"x"}),
        ("x = 1\nprint(x)", {"print"}, set(), {"x"}),
        ("x += 1", {"x"}, set(), {"x"}),
        ("x[0] = y", {"x", "y"}, set(), set()),
        ("def f(a, b=c):\n    d = a\n    return d + e", {"c"}, {"e"}, {"f"}),
        ("def f():\n    global g\n    g = 1", set(), set(), {"f", "g"}),
        ("f = lambda a: a + b", set(), {"b"}, {"f"}),
        ("def f():\n    return x\nf()\nx = 1", {"x"}, {"x"}, {"f", "x"}),
        ("[i * k for i in n if (last := i)]", {"k", "n"}, set(), {"last"}),
        ("for i in n:\n    j = i\nprint(j)", {"n", "print", "j"}, set(), {"i", "j"}),
        ("if a:\n    b = 1\nelse:\n    b = 2\nc = b", {"a", "b"}, set(), {"b", "c"}),
        ("with a as b:\n    c = b", {"a"}, set(), {"b", "c"}),
        ("try:\n    import a.b\nexcept E as e:\n    a = e", {"E"}, set(), {"a", "e"}),
        ("class A(B):\n    c = d\n    def m(self):\n        return self.c + q", {"B", "d"}, {"q"}, {"A"}),
        ("del x", set(), set(), {"x"}),
        ("@d\ndef f(a: T) -> R: pass", {"d", "T", "R"}, set(), {"f"}),
        ("match a:\n    case [b, *_]:\n        c = b", {"a", "b"}, set(), {"b", "c"}),
        ("def f(a):\n    def g():\n        return a + h\n    return g", set(), {"h"}, {"f"}),
        ("match a:\n    case [b, *c]: pass\n    case {'d': 1, **e}: pass", {"a"}, set(), {"b", "c", "e"}),
        ("def f():\n    x = 1\n    def g():\n        global x\n        return x\n    return g", set(), {"x"}, {"f"}),
        ("def f():\n    class A:\n        def g(self):\n            return h\n    return A", set(), {"h"}, {"f"}),
        ("{k: [v for v in k] for k in [j for j in n]}", {"n"}, set(), set()),
        ("  x = 1\n  y = x", set(), set(), {"x", "y"}),
    ],
)
def test_names_are_read_as_python_reads_them(code: str, needs: set[str], later: set[str], binds: set[str]) -> None:
    found = facts(code)
    assert needs <= found.needs
    assert found.needs - needs <= {"E", "e", "_"}
    assert found.later == later
    assert binds <= found.binds
    assert found.binds - binds <= {"_"}


@pytest.mark.parametrize(
    "code",
    [
        "!pip install x", "%run other.py", "help?", "files = !ls", "exec('x = 1')", "globals()['x'] = 1", "import sys",
        "from os import environ", "from x import *", "get_ipython()", "Out[3]", "print(_)", "f.__globals__['x'] = 1",
        "open('x')", "np.save('x', y)", "x = 1  " + "#" * MOST_CHARACTERS, "x=%time 1", "x=!ls", "time model.fit(X, y)",
        ">>> x = 1", "from __future__ import annotations", "y = df.query('x > @limit')", "K.set_floatx('float64')",
        "saved = keras.callbacks.ModelCheckpoint('best.keras')", "model = load_model('best.keras')",
        "old = np.seterr(all='raise')", "np.set_printoptions(precision=2)", "getattr(np, 'seterr')(all='raise')",
        "getattr(np, name)(all='raise')", "look = getattr", "getattr(np, *names)", "attrgetter('os')(np)", "reset -f",
        "pylab", "x = _3", "print(_oh)", "_i2", "x = _ih[1]",
        "from numpy import seterr as seldom",
    ],
)  # fmt: skip
def test_what_names_do_not_tell_is_opaque(code: str) -> None:
    assert facts(code).opaque


@pytest.mark.parametrize(
    "code", ["%matplotlib inline\nx = 1", "for _ in range(3): pass", "def f(:", "x = '\\d'", "df.plot()", "plt.show()",
     "run = 3", "x", "_3 = 1; print(_3)", "units = getattr(layer, 'units', None)"]
)  # fmt: skip
def test_the_usual_is_not(code: str) -> None:
    assert not facts(code).opaque


def test_all_magics_are_known() -> None:
    """Of the kernel that notebooks run in."""
    code = "from ipykernel.zmqshell import ZMQInteractiveShell as Shell\n"
    code += "print(*Shell().magics_manager.lsmagic()['line'])"
    known = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert len(known) > 80
    assert set(known) <= MAGICS


def test_nesting_without_end_ends_nothing() -> None:
    lambdas, lists = "lambda: " * 80 + "1", "[i for i in " * 80 + "x" + "]" * 80
    functions = "".join(" " * depth + "def f():\n" for depth in range(80)) + " " * 80 + "pass"
    for code in ("(" * 50_000, "-" * 40_000 + "1", "x" + ".a" * 24_000, "[" * 90 + "]" * 90, "a\0b", "\ud800",
                 lambdas, lists, functions):  # fmt: skip
        facts(code)


NAMES_EACH = 8


@pytest.mark.parametrize(
    "statement",
    [
        "a{i}_{j} = a{before}_{j} + [1]",
        "a{i}_{j} = a{i}_{j} + a{before}_0",
        "def f{i}_{j}(): return f{after}_{j}",
        "def f{i}_{j}(a=[]): return f{before}_{j}",
        "a{i}_{j} = f{after}_{j}\ndef f{i}_{j}(): return a{before}_{j}",
    ],
)
def test_many_cells_of_many_names_take_no_minutes(statement: str) -> None:
    cells = [RestoredCell(0, "locked", "", None)]
    for i in range(1, 1200):
        lines = [statement.format(i=i, j=j, before=i - 1, after=i + 1) for j in range(NAMES_EACH)]
        cells.append(RestoredCell(i, "free", "\n".join(lines), None))
    cells.append(RestoredCell(len(cells), "solution", "normalize = [a1199_0, f1_0]", "normalize"))
    before = time.process_time()
    Slices(Restored(tuple(cells)), NUMERIC).needed(["normalize"])
    assert time.process_time() - before < 20


def test_a_notebook_that_is_too_long_to_look_into_runs_as_it_is() -> None:
    sources = [f"x{n} = 1\n" * 4000 for n in range(1 + MOST_IN_ALL // (4000 * len("x0 = 1\n")))]
    cells = [RestoredCell(number, "free", text, None) for number, text in enumerate(sources)]
    slices = Slices(Restored(tuple(cells)), NUMERIC)
    assert slices.needed(["normalize"]) == tuple(range(len(cells)))
    assert all(text[:6] in slices.text("normalize") for text in sources)


# what is left out


def test_experiments_are_left_out_and_answers_are_not(sliced: Sliced) -> None:
    gone = left_out(sliced(solved(NUMERIC.name)))
    assert len(gone) == EXPERIMENTS
    assert not set(gone) & {source(solved(NUMERIC.name), exercise) for exercise in EXERCISES}


USES_SPAN = "def invert(scaler, scaled):\n    size = span(scaled)\n    return scaler.inverse_transform(scaled)\n"


@pytest.mark.parametrize(
    ("own", "answer"),
    [
        ("def span(data):\n    return data", USES_SPAN),
        ("span = len", USES_SPAN),
        ("table = {}\ndef span(data):\n    return table.get(1)", USES_SPAN),
        ("from numpy import ptp as span", USES_SPAN),
        (
            "from sklearn.metrics import r2_score",
            f"import sklearn\n{USES_SPAN.replace('span', 'sklearn.metrics.r2_score')}",
        ),
    ],
)
def test_a_cell_that_an_answer_uses_runs(own: str, answer: str, sliced: Sliced) -> None:
    notebook = insert(answered(solved(NUMERIC.name), invert=answer), "normalize", own_cell(own))
    gone = left_out(sliced(notebook))
    assert own not in gone
    assert len(gone) == EXPERIMENTS


@pytest.mark.parametrize(
    "own",
    [
        "TABLE.append(3)", "TABLE[0] = 3", "TABLE += [3]", "def more():\n    TABLE.append(3)\nmore()",
        "for one in [TABLE]:\n    one.append(3)", "np.random.shuffle(TABLE)",
        "from random import shuffle\nshuffle(TABLE)", "other = TABLE\nother.append(3)", "other = next(iter([TABLE]))",
    ],
)  # fmt: skip
def test_a_cell_that_may_change_what_an_answer_uses_runs(own: str, sliced: Sliced) -> None:
    answer = "TABLE = [1, 2]\ndef invert(scaler, scaled):\n    return scaler.inverse_transform(scaled) * TABLE[0]\n"
    notebook = insert(answered(solved(NUMERIC.name), invert=answer), "which-scaler", own_cell(own))
    assert own not in left_out(sliced(notebook))


@pytest.mark.parametrize(
    "own", ["while True:\n    pass", "x = np.ones(10**12)", "1 / 0", "invert(None, None)", "def f(:"]
)
def test_a_cell_that_nothing_uses_is_left_out(own: str, sliced: Sliced) -> None:
    assert own in left_out(sliced(insert(solved(NUMERIC.name), "normalize", own_cell(own))))


@pytest.mark.parametrize("own", ["%time 1", "!ls", "exec('a = 1')", "np.seterr(all='raise')", "import sys"])
def test_where_names_do_not_tell_everything_runs(own: str, sliced: Sliced) -> None:
    assert left_out(sliced(insert(solved(NUMERIC.name), "normalize", own_cell(own)))) == []
    assert left_out(sliced(answered(solved(NUMERIC.name), invert=f"{own}\n"))) == []


def test_what_may_not_be_bound_hides_nothing(sliced: Sliced) -> None:
    answer = "def invert(scaler, scaled):\n    return scaler.inverse_transform(scaled) * SCALE\n"
    perhaps, before = "if SEED > 10**9:\n    SCALE = 3", "SCALE = 1.0"
    notebook = insert(answered(solved(NUMERIC.name), invert=answer), "normalize", own_cell(before), own_cell(perhaps))
    assert not {before, perhaps} & set(left_out(sliced(notebook)))
    surely = "SCALE = 3.0"
    notebook = insert(answered(solved(NUMERIC.name), invert=answer), "normalize", own_cell(before), own_cell(surely))
    assert before in left_out(sliced(notebook))


def test_a_check_that_may_end_early_hides_nothing() -> None:
    cells = (
        RestoredCell(0, "free", "def span(data): return 1", None),
        RestoredCell(1, "check", "assert invert\ndef span(data): return 2", "invert"),
        RestoredCell(2, "solution", USES_SPAN, "invert"),
    )
    assert Slices(Restored(cells), NUMERIC).needed(["invert"]) == (0, 1, 2)


def test_an_answer_that_was_improved_under_another_name_is_what_was_made_of_it(sliced: Sliced) -> None:
    """No cell reads the name that the checks ask for."""
    own = "net.fit([1])"
    answer = "net = build()\nnormalize = net\n"
    assert own not in left_out(
        sliced(insert(answered(solved(NUMERIC.name), normalize=answer), "invert", own_cell(own)))
    )


def test_an_answer_in_a_cell_of_ones_own_runs(sliced: Sliced) -> None:
    own = source(solved(NUMERIC.name), "invert")
    notebook = insert(remove(solved(NUMERIC.name), "invert"), "normalize", own_cell(own))
    assert own not in left_out(sliced(notebook))


def test_chance_that_is_not_set_is_that_of_all_cells_above(sliced: Sliced) -> None:
    """An answer that draws, and does not say from where, gets what it would get in Jupyter."""
    draws = "noise = np.random.normal(size=3)\ndef invert(scaler, scaled):\n    return noise\n"
    gone = left_out(sliced(answered(solved(NUMERIC.name), invert=draws)))
    restored, _ = sliced(solved(NUMERIC.name))
    below = [cell for cell in restored.cells if cell.kind == "free" and cell.number > numbered(restored, "invert")]
    assert gone == [cell.source for cell in below]
    assert len(left_out(sliced(answered(solved(NUMERIC.name), invert=f"np.random.seed(1)\n{draws}")))) == EXPERIMENTS
    in_a_default = "def invert(scaler, scaled, noise=np.random.normal(size=3)):\n    return noise\n"
    trains = "np.random.seed(1)\nmodel = keras.Sequential([])\ndef invert(scaler, scaled):\n    return model\n"
    too_late = f"{draws}\nnp.random.seed(1)"
    for answer in (in_a_default, trains, too_late):
        assert left_out(sliced(answered(solved(NUMERIC.name), invert=answer))) == gone
    uses = "def invert(scaler, scaled):\n    return noise\n"
    own = own_cell("noise = np.random.normal(size=3)")
    notebook = insert(answered(solved(NUMERIC.name), invert=uses), "which-scaler", own_cell("np.random.seed(1)"), own)
    assert "np.random.seed(1)" not in left_out(sliced(notebook))


def numbered(restored: Restored, exercise: str) -> int:
    return next(one.number for one in restored.cells if (one.kind, one.exercise) == ("solution", exercise))


def test_for_one_exercise_only_its_own_cells_run(sliced: Sliced) -> None:
    restored, slices = sliced(solved(NUMERIC.name))
    for exercise in ("normalize", "invert"):
        run = {restored.cells[number].exercise for number in slices.needed([exercise])}
        assert run == {None, exercise}
    assert slices.needed([]) == ()


def test_a_change_elsewhere_leaves_the_text_of_an_exercise_as_it_is(sliced: Sliced) -> None:
    before, after = (
        sliced(notebook)[1]
        for notebook in (solved(NUMERIC.name), answered(solved(NUMERIC.name), normalize="def normalize(): pass"))
    )
    assert before.text("invert") == after.text("invert")
    assert before.text("normalize") != after.text("normalize")


def test_comments_are_a_change(sliced: Sliced) -> None:
    """Code can read them."""
    commented = "# mine\n" + source(solved(NUMERIC.name), "invert").replace("\n    return", "\n\n    return")
    before, after = (
        sliced(notebook)[1] for notebook in (solved(NUMERIC.name), answered(solved(NUMERIC.name), invert=commented))
    )
    assert before.text("invert") != after.text("invert")
    assert before.whole_text() != after.whole_text()


@pytest.mark.parametrize("name", COURSE.names)
def test_every_exercise_has_checks_of_its_own(name: str) -> None:
    assignment = COURSE.assignment(name)
    texts = [checks_of(assignment, exercise.id) for exercise in assignment.exercises]
    for exercise, text in zip(assignment.exercises, texts, strict=True):
        assert f"@exercise('{exercise.id}'" in text
        ast.parse(text)
    assert len(set(texts)) == len(texts)


# a property of all notebooks


NAMES = st.sampled_from("abcd")
STATEMENTS = st.one_of(
    st.builds("{} = {} + [1]".format, NAMES, NAMES),
    st.builds("{} = [{}]".format, NAMES, st.integers(0, 9)),
    st.builds("{}.append({})".format, NAMES, st.integers(0, 9)),
    st.builds("{} += [{}]".format, NAMES, st.integers(0, 9)),
    st.builds("for {} in [[5]]:\n    {}.append(6)".format, NAMES, NAMES),
    st.builds("if len({}) > 1:\n    {} = [7]".format, NAMES, NAMES),
    st.builds("def f():\n    {}.append(8)\n    return {}".format, NAMES, NAMES),
    st.builds("def f():\n    global {}\n    {} = [4]\n    return {}".format, NAMES, NAMES, NAMES),
    st.builds("{} = f()".format, NAMES),
    st.builds("f()".format),
    st.builds("{} = [{} for {} in {}]".format, NAMES, NAMES, NAMES, NAMES),
    st.builds("{0} = {1}\n{0}.append(3)".format, NAMES, NAMES),
    st.builds("with context({}) as {}:\n    {} = {}".format, NAMES, NAMES, NAMES, NAMES),
    st.builds("{} = (lambda x: x + {})".format, st.just("g"), NAMES),
    st.builds("{} = g({})".format, NAMES, NAMES),
    st.just("def g(x, memo=[]):\n    memo += x\n    return memo"),
    st.just("class Keeper:\n    kept = []\ndef g(x):\n    Keeper.kept += x\n    return Keeper.kept"),
    st.builds("def g(x, memo={}):\n    memo.append(1)\n    return x".format, NAMES),
    st.builds("del {0}\n{0} = [2]".format, NAMES),
    st.just("undefined"),
    st.builds("{} = [len({}) > 1 and ({} := [5])]".format, NAMES, NAMES, NAMES),
    st.builds("match {}:\n    case [_, *{}]:\n        pass".format, NAMES, NAMES),
    st.builds("g.kept = {0}\n{0} = g.kept".format, NAMES),
    st.builds("{0} = {1} = 3\nfor {0} in [{1}, [2]]:\n    pass".format, NAMES, NAMES),
)
CELLS = st.lists(st.lists(STATEMENTS, min_size=1, max_size=3).map("\n".join), min_size=2, max_size=7)
SETUP = """
from contextlib import nullcontext as context
a, b, c, d = [1], [2], [3], [4]
def f(): return [0]
def g(x): return x
"""


def outcome(cells: list[RestoredCell]) -> Any:
    """The value of `a` that a check finds in the end; and what `f` gives, which it calls."""
    space: dict[str, Any] = {}
    for cell in cells:
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            for node in ast.parse(cell.source).body:  # each is compiled when its turn comes, as in a notebook
                exec(compile(ast.Module([node], []), "<cell>", "exec"), space)
    value = space.get("a")
    try:
        return repr(value() if isinstance(value, FunctionType) else value)
    except Exception as error:
        return repr(error)


def agree(sources: list[str], answer: str) -> None:
    """Run whole and without what is left out: what is asked for in the end is the same."""
    cells = [RestoredCell(0, "locked", SETUP, None)]
    for text in sources:
        cells.append(RestoredCell(len(cells), "free", text, None))
    cells.append(RestoredCell(len(cells), "solution", answer, "normalize"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slicing, "names_asked", lambda assignment, exercises: frozenset("a"))
        needed = set(Slices(Restored(tuple(cells)), NUMERIC).needed(["normalize"]))
    run = [cell for cell in cells if cell.number in needed]
    assert outcome(run) == outcome(cells), [cell.source for cell in cells if cell.number not in needed]


COUNTS = "class Counts:\n    n = 0\n    @classmethod\n    def one(cls):\n        cls.n += 1\n        return cls.n"


@pytest.mark.parametrize(
    ("sources", "answer"),
    [
        (["scale = 2", "undefined\nscale = 3"], "a = scale"),
        (["scale = 2", "import no_such_module\nscale = 3"], "a = scale"),
        (["a = [7]"], "undefined\na = [1]"),
        (["def size(x): return 2", "def size(x: Undefined): return 3"], "def a(): return size(1)"),
        (["scale = 2", "x = False and (scale := 3)"], "a = scale"),
        (["scale = 2", "x = [scale := 3 for i in []]"], "a = scale"),
        (["def size(x): return 2", "def size(x):\n    n = x\n    global n\n    return 3"], "def a(): return size(1)"),
        (["def size(x): return 2", "def size(x, x): return 3"], "def a(): return size(1)"),
        (["def size(x): return 2", "def size(x, y=1 / 0): return 3"], "def a(): return size(1)"),
        (["scale = 2", "x = 1 / 0\nscale = 3"], "a = scale"),
        (["scale = 2", "x = 'n' + 5\nscale = 3"], "a = scale"),
        (["scale = 2", "class Z:\n    assert False\nscale = 3"], "a = scale"),
        (["scale = 2", "class Z:\n    global scale\n    scale = 3"], "a = scale"),
        (["match [1, 2, 3]:\n    case [_, *rest]:\n        pass"], "a = rest"),
        (["match {1: 2, 3: 4}:\n    case {1: 2, **rest}:\n        pass"], "a = rest"),
        ([COUNTS, "x = Counts.one()"], "a = Counts.n"),
        (["class Keeper:\n    kept = []\ndef keep(x):\n    Keeper.kept += x\n    return Keeper.kept", "x = keep([1])"],
         "def a(): return keep([2])"),
        (["class Unit:\n    def f(self): return 1", "Other = Unit\nOther.f = lambda self: 2"],
         "def a(): return Unit().f()"),
        (["Data = {'x': [2, 1]}\nx = Data['x']", "y = x.sort()"], "a = Data"),
        (["def h(): return h.k\nh.k = 1", "other = h\nother.k = 2"], "def a(): return h()"),
        (["from functools import singledispatch\n@singledispatch\ndef size(x): return 0",
          "@size.register(list)\ndef _(x): return 5"], "def a(): return size([1])"),
        (["t = 1\nfor t in [[1, 2]]:\n    pass", "o = t", "o.append(3)"], "a = t"),
        (["from functools import lru_cache\nt = 1\n@lru_cache\ndef get(x): return t", "get(1)", "t = 2"],
         "def a(): return get(1)"),
    ],
)  # fmt: skip
def test_what_students_write_comes_out_the_same(sources: list[str], answer: str) -> None:
    agree(sources, answer)


@settings(max_examples=600, deadline=None)
@given(sources=CELLS, answer=st.lists(STATEMENTS, min_size=1, max_size=2).map("\n".join))
def test_what_is_left_out_changes_no_result(sources: list[str], answer: str) -> None:
    """Of random notebooks."""
    agree(sources, f"{answer}\na = a + [0]")
