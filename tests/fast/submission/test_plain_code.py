"""Which code is known to be harmless: what honest answers are made of is, and every way to reach further is not."""

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from helpers.submissions import COURSE, solved

from autograder.submission import plain_code
from autograder.submission.plain_code import Facts, facts
from autograder.submission.plain_lists import LISTS

LIBRARIES = """
import warnings
from collections.abc import Sequence
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.preprocessing import MinMaxScaler
"""
IMPORTS = facts(LIBRARIES).imports


def of(code: str) -> Facts:
    return facts(code, IMPORTS)


PLAIN = """
import math
from itertools import pairwise
from numpy import tanh
---
def f(x: np.ndarray, n: int = 3, *, axis=None) -> list[float]:
    return [n * v for v in x]
---
def f(x):
    out = np.zeros(len(x))
    for t, v in enumerate(x):
        out[t] = np.tanh(v)
    return out
---
def f(x):
    with np.errstate(over='ignore'):
        return 1 / (1 + np.exp(-x))
---
def f(x):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return np.exp(x)
---
def f(x):
    try:
        return x[0]
    except (IndexError, KeyError) as error:
        raise ValueError(f'{x}') from error
---
def f(x):
    def inner(v):
        return v + len(x)
    return sorted(x, key=lambda v: inner(v))
---
def f(n):
    seen = {}
    def fib(k):
        if k not in seen:
            seen[k] = k if k < 2 else fib(k - 1) + fib(k - 2)
        return seen[k]
    return fib(n)
---
def f(x):
    if isinstance(x, (pd.Series, np.ndarray)):
        return x.astype(np.float64)
    return list(map(np.sqrt, x))
---
def build(units):
    model = keras.Sequential([keras.Input(shape=(5, 1)), keras.layers.LSTM(units)])
    model.compile(loss='mse')
    return model
---
scaler = MinMaxScaler().fit(np.array([[1.0], [2.0]]))
print(scaler.data_max_)
---
table = {}
for word in ('a', 'b'):
    table[word] = len(table)
plt.plot([1, 2])
plt.show()
---
model = keras.Sequential([keras.layers.Dense(1)])
model.optimizer.learning_rate = 0.1
---
np.random.seed(3)
warnings.filterwarnings('ignore')
plt.rcParams.update({'figure.dpi': 90})
np.seterr(all='ignore')
---
square = lambda x: x * x
assert square(2) == 4
---
while False:
    pass
else:
    x: int = 3
---
model = keras.Sequential([])
model.optimizer.learning_rate = 0.1
x = np.r_[1:3, 4]
print("{:.2f} {}".format(np.pi, frame.apply(np.mean)), frame.agg("mean"), frame.to_numpy())
---
time = 3
---
store = [1]
store
---
layers = keras.layers
def build():
    short = keras.optimizers
    return keras.Sequential([layers.Dense(1)]), short.Adam()
---
def numbers():
    yield from_here
    yield 1
""".strip().split("\n---\n")


@pytest.mark.parametrize("code", PLAIN)
def test_what_honest_cells_are_made_of_is_plain(code: str) -> None:
    assert of(code).plain


NOT_PLAIN = [
    # to change a module for all later code
    "np.tanh = abs", "n = np\nn.tanh = abs", "n = [np][0]", "def patch(m):\n    m.tanh = abs", "patch(np)",
    "x = {'np': np}",
    "for m in [np]:\n    pass", "m = np if True else None", "(lambda m: m)(np)",
    "np.random.rand = abs",
    "print(np)", "np.__setattr__('tanh', abs)", "setattr(np, 'tanh', abs)", "vars(np)['tanh'] = abs", "np.__dict__",
    "del np.tanh", "np.tanh += 1", "for np.tanh in [abs]:\n    pass", "with open('x') as np.tanh:\n    pass",
    "plt.rcParams['figure.dpi'] = 3", "p = plt.rcParams", "pd.options.display.width = 3", "np.core.f = 1", "np.sys",
    "pd.DataFrame.mean = abs", "C = pd.DataFrame", "def f(c=pd.DataFrame):\n    c.mean = abs", "print(MinMaxScaler)",
    "def f(x: (m := np)):\n    pass", "x: (m := np) = 3", "MinMaxScaler.fit = abs",
    "def f():\n    plt.rcParams.update({})",
    "def f():\n    np.seterr(all='raise')", "def f():\n    warnings.simplefilter('error')", "np.seterrcall(print)",
    "pd.api.extensions.register_series_accessor('a')", "keras.saving.register_keras_serializable()", "np.load('x')",
    # to keep something from call to call
    "def f(x, seen=[]):\n    seen.append(x)", "def f(x, seen={}):\n    pass", "def f(x):\n    f.n = 1",
    "class A:\n    n = 0",
    "def f(x):\n    global n\n    n = 1", "@cache\ndef f(x):\n    return x", "def f(x):\n    TABLE[0] = x",
    "def f(x):\n    x.kept = 1", "def f(x, n=np.array([1])):\n    pass", "f = np.vectorize(getattr)",
    "f.seen = []", "model.kept = 1", "for f.n in [1]:\n    pass", "c = np.mean\nc.extra = 7", "c = plt.cm",
    "g = np.r_",
    "def f(g=h.s):\n    pass", "c = keras.Model", "from scipy.stats import norm\nn = norm",
    "plt.get_cmap('a').colors.append(1)", "p = np.poly1d",
    "np.finfo(float).eps = 5", "frame.to_csv('a')", "model.save_weights('a')", "figure.savefig('a')", "a.tofile('b')",
    # to read the notebook in another way than by name
    "globals()['x']", "eval('x')", "exec('x = 1')", "x = __builtins__", "get = getattr", "getattr(np, 'ta' + 'nh')",
    "def f(frame):\n    return frame.query('a > @limit')", "getattr(x, '__globals__')", "'{0.__class__}'.format(f)",
    "t = '{}'\nt.format(f)", "'{0.gi_frame}'.format(g)", "map('{0.a}'.format, x)", "frame.agg('ev' + 'al', 0, '@x')",
    "frame.agg(func='ev')", "reset -f", "rerun", "store",
    "frame.apply('eval')", "def g():\n    yield\ng().gi_frame", "x.__class__",
    "_name.__code__",
    # by other modules, forms and IPython's own
    "import os", "import sys", "from unittest import mock", "import numpy.f2py", "from numpy import *",
    "from . import a",
    "from matplotlib import rcParams", "import threading", "import importlib", "import pickle",
    "from os import environ",
    "%time f()", "!ls", "x?", "%%writefile a.py\nx = 1", "def f(:", "await f()", "async def f():\n    pass",
    "match np:\n    case m:\n        pass", "del x", "try:\n    pass\nexcept* ValueError:\n    pass",
    "with a:\n    pass",
]  # fmt: skip


@pytest.mark.parametrize("code", NOT_PLAIN)
def test_what_reaches_further_is_not(code: str) -> None:
    assert not of(code).plain


def test_all_magics_are_known() -> None:
    """Of the kernel that notebooks run in."""
    code = "from ipykernel.zmqshell import ZMQInteractiveShell as Shell\n"
    code += "print(*Shell().magics_manager.lsmagic()['line'])"
    known = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert len(known) > 80
    assert set(known) <= LISTS["magics"]


def test_an_unknown_library_word_is_not_plain() -> None:
    assert of("np.einsum('i->', x)").plain
    assert not of("np.some_new_function(x)").plain


@pytest.mark.parametrize("name", COURSE.names)
def test_the_courses_own_answers_are_plain(name: str) -> None:
    imports = frozenset[tuple[str, str]]().union(
        *(facts(cell.source).imports for cell in COURSE.assignment(name).cells)
    )
    ids = {exercise.id for exercise in COURSE.assignment(name).exercises}
    for cell in solved(name)["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") in ids:
            assert facts("".join(cell["source"]), imports).plain


@pytest.mark.parametrize(
    ("code", "binds", "data"),
    [
        ("x = 1", "x", ""), ("x, y = 1, 'a'", "x y", ""), ("x = (1, (2, 3))", "x", ""), ("x = [1]", "x", "x"),
        ("x = f()", "x", "x"),
        ("x = 2\ny = 3 * x", "x y", ""), ("x = [2]\ny = 3 * x", "x y", "x y"), ("x = 2\ny = 3 * x\nx = [1]", "x y",
        "x y"),
        ("x = 1\nx += 1", "x", "x"), ("for x in y:\n    z = 1", "x z", "x"), ("def f(a):\n    b = 1", "f", ""),
        ("f = lambda a: [a]", "f", ""), ("x = [b for b in y]", "x", "x"), ("*x, y = (1, 2)", "x y", "x y"),
        ("T = np.ndarray | list[float]", "T", "T"),
        ("x = pd.Timedelta(1, 'h')", "x", ""), ("import numpy.linalg", "numpy", ""), ("if (y := [1]):\n    pass",
        "y", "y"),
        ("def f():\n    global g\n    g = 1", "f g", "g"), ("try:\n    pass\nexcept E as e:\n    pass", "e", "e"),
    ],
)  # fmt: skip
def test_what_a_cell_leaves_behind(code: str, binds: str, data: str) -> None:
    assert of(code).binds == {*binds.split()}
    assert of(code).data == {*data.split()}


@pytest.mark.parametrize(
    ("code", "uses"),
    [
        ("x = y + 1", "y"), ("x = 1\nprint(x)", "print"), ("x += 1", "x"), ("x[0] = y", "x y"),
        ("def f(a, b=c):\n    return a + e", "c e"),
        ("for x in y:\n    z = x\nprint(x)", "y x print"), ("if a:\n    x = 1\nprint(x)", "a x print"),
        ("x = [v + w for v in y]", "w y"),
        ("f = lambda a: a + b", "b"), ("def f():\n    return x\nx = 1", "x"), ("x = x", "x"),
        ("def f():\n    def g():\n        return x\n    return g", "x"), ("x = [y for y in y]", "y"),
    ],
)  # fmt: skip
def test_what_a_cell_takes_from_elsewhere(code: str, uses: str) -> None:
    assert of(code).uses == {*uses.split()}


@pytest.mark.parametrize(
    ("code", "draws"),
    [
        ("x = np.random.rand(3)", True), ("x = frame.sample(3)", True), ("x = np.zeros(3)", False),
        ("model.fit(x)", True),
        ("keras.utils.set_random_seed(1)\nmodel.fit(x)", False),
        ("model.fit(x)\nkeras.utils.set_random_seed(1)", True),
        ("rng = np.random.default_rng(3)", False), ("def f():\n    return np.random.rand(3)", False),
        ("x = keras.layers.Dense(1)", True),
        ("def f(x=np.random.rand(3)):\n    pass", True), ("import random\nx = random.random()", True),
        ("from numpy.random import normal\nx = normal()", True), ("import random as r\nx = r.gamma(1, 2)", True),
        ("import numpy.random as chance\nx = chance.gamma(2)", True),
        ("from random import getrandbits as g\nx = g(3)", True),
    ],
)  # fmt: skip
def test_what_is_computed_by_chance(code: str, draws: bool) -> None:
    assert bool(of(code).draws) == draws


@pytest.mark.parametrize(
    ("code", "counts"),
    [
        ("model.get_layer('lstm')", True),
        ("history['val_root_mean_squared_error_1']", True),
        ("history['val_loss']", False),
    ],
)
def test_what_reads_names_that_keras_gives(code: str, counts: bool) -> None:
    assert of(code).reads_counts == counts


def test_nesting_without_end_ends_nothing() -> None:
    for code in (
        "(" * 5000 + ")" * 5000,
        "-" * 50_000 + "1",
        "x = " + "[" * 90 + "]" * 90,
        "f" + "()" * 20_000,
        "x" * 200_000,
    ):
        assert not of(code).plain or len(code) < 1000


def test_each_listed_word_is_one_of_its_library() -> None:
    """A word that no library has would be a slip of the pen."""
    lists = tomllib.loads(Path(plain_code.__file__).with_name("plain_code.toml").read_text())
    places = {
        "python": "math cmath statistics itertools functools collections collections.abc typing fractions decimal "
                  "datetime time random string numbers warnings __future__ datetime.datetime itertools.chain",
        "numpy": "numpy numpy.random numpy.linalg numpy.lib numpy.lib.stride_tricks numpy.random.Generator",
        "pandas": "pandas pandas.api pandas.api.types pandas.MultiIndex pandas.DataFrame pandas.Categorical "
                  "pandas.IntervalIndex",
        "scikit_learn_and_scipy": "sklearn sklearn.preprocessing sklearn.metrics sklearn.linear_model "
                  "sklearn.model_selection sklearn.pipeline sklearn.compose sklearn.impute sklearn.neighbors "
                  "sklearn.tree sklearn.ensemble sklearn.dummy scipy scipy.stats scipy.signal scipy.special "
                  "scipy.interpolate",
        "matplotlib": "matplotlib matplotlib.pyplot matplotlib.colors matplotlib.ticker matplotlib.lines "
                  "matplotlib.patches matplotlib.axes matplotlib.figure matplotlib.dates matplotlib.cm",
    }  # fmt: skip
    for library, where in places.items():
        held = set[str]()
        for name in where.split():
            held |= {*name.split(".")}
            parent, _, last = name.rpartition(".")
            try:
                module = importlib.import_module(name)
            except ImportError:
                module = getattr(importlib.import_module(parent), last)
            held |= {*dir(module)}
        assert {*lists["pure"][library].split()} - held == set(), library
