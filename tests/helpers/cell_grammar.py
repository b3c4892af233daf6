"""The grammar of made cells: any code, within any form that a cell can take. The forms are in `tests/own_cells/`."""

import contextlib
import functools
import importlib
import random
import re
import tokenize
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from helpers.cell_texts import other_token

MODULES: Final = {
    "np": "numpy", "np.random": "numpy.random", "np.linalg": "numpy.linalg", "plt": "matplotlib.pyplot",
    "matplotlib": "matplotlib", "pd": "pandas", "stats": "scipy.stats", "warnings": "warnings", "random": "random",
    "math": "math", "statistics": "statistics", "functools": "functools", "itertools": "itertools", "copy": "copy",
    "operator": "operator", "collections": "collections", "decimal": "decimal", "heapq": "heapq", "re": "re",
    "sklearn": "sklearn", "datetime": "datetime", "fractions": "fractions", "string": "string", "json": "json",
}  # fmt: skip
BLOCKING: Final = re.compile(r"pause|input|wait|event|show|ctypes|test|block|bench|thread|memory|^data$|sleep")
NEVER: Final = re.compile(
    r"_|test|pause|ginput|wait|sleep|show|info|bench|save|tofile|memmap|read_|lookfor|source|who|fromfile|install|load"
    r"|goodness|monte|permutation|bootstrap|switch_backend|count$|cycle$|repeat$|Tester|fromregex|genfromtxt|open"
)
METHODS: Final = {
    "mine": "numpy.ndarray",
    "rows": "builtins.list",
    "names": "builtins.dict",
    "made": "pandas.DataFrame",
}


class Keeper(NamedTuple):
    """How a count begins, an expression that counts on, and one that reads it."""

    start: str
    add: str
    read: str


def texts(name: str) -> dict[str, Any]:
    """A file of `tests/own_cells/`."""
    return tomllib.loads((Path(__file__).parents[1] / "own_cells" / name).read_text(encoding="utf-8"))


FORMS: Final = texts("forms.toml")
STATE: Final = texts("state.toml")
KEEPERS: Final = {name: Keeper(one["start"], one["add"], one["read"]) for name, one in STATE["keeper"].items()}
QUIET: Final = {name: Keeper(one["start"], one["add"], one["read"]) for name, one in STATE["quiet"].items()}
IMPORTS: Final = (
    "import datetime, math, random, warnings\nimport pandas as pd\nfrom collections import Counter, defaultdict, deque,"
    " namedtuple\nfrom decimal import Decimal\nfrom fractions import Fraction\nfrom functools import partial, reduce\n"
    "from itertools import accumulate, chain, count\nfrom scipy import stats\nfrom sklearn.preprocessing import "
    "MinMaxScaler, StandardScaler\nfrom typing import Callable, TypeVar\nfrom warnings import catch_warnings"
)


@functools.cache
def callables() -> list[str]:
    """Every public callable of the modules, as a cell would write it."""
    found = []
    for name, module in MODULES.items():
        there = importlib.import_module(module)
        found += [
            f"{name}.{one}" for one in dir(there) if not NEVER.search(one) and callable(getattr(there, one, None))
        ]
    for name, kind in METHODS.items():
        owner, _, last = kind.rpartition(".")
        there = getattr(importlib.import_module(owner), last)
        found += [f"{name}.{one}" for one in dir(there) if not re.match(r"_|to_|tofile|dump|plot|hist|boxplot", one)]
    return sorted(found)


@functools.cache
def chains() -> list[tuple[str, list[str]]]:
    """What code can begin with, and what can follow: an attribute, and one of its own."""
    names: dict[str, Any] = {}
    exec(f"import numpy as np, matplotlib.pyplot as plt\n{IMPORTS}", names)
    names |= dict.fromkeys(["experiment", "temperatures"], len) | {"BLUE": "", "SEED": 1}
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for base in STATE["bases"]:
            there = eval(base, names)
            follow = [one for one in dir(there) if one[0] != "_" and not BLOCKING.search(one)]
            for one in tuple(follow):
                with contextlib.suppress(Exception):
                    inner = getattr(there, one)
                    follow += [f"{one}.{two}" for two in dir(inner) if two[0] != "_" and not BLOCKING.search(two)]
            found.append((base, follow))
        names["plt"].close("all")
    return found


class Grammar:
    """Writes cells, all from one seed. `used` has the forms of which they were made."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = 0
        self.used: set[str] = set()

    def pick(self, kind: str, table: dict[str, Any]) -> Any:
        """One entry of a table; its name is noted."""
        name = self.random.choice(list(table))
        self.used.add(f"{kind}: {name}")
        return table[name]

    def fresh(self, text: str) -> str:
        self.number += 1
        return text.rstrip("\n").replace("$n", str(self.number))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    # cells

    def block(self, code: str, *, keep: bool) -> str:
        """The code within some forms; `keep`: what it binds stays bound for the notebook."""
        for _ in range(self.random.choice([0, 0, 0, 1, 1, 2])):
            code = self.filled(self.pick("open", FORMS["open"]) if keep or self.chance(0.5)
                               else self.pick("closed", FORMS["closed"]), code)  # fmt: skip
        return code

    def expression(self, code: str) -> str:
        """A statement that evaluates the expression, wherever one can stand."""
        return self.holed(self.pick("hole", FORMS["hole"]), code) if self.chance(0.6) else code

    def filled(self, form: str, code: str) -> str:
        if code.startswith(("%%", "!")) or ("\n%%" in form + code):
            return code  # a cell magic takes the whole cell
        lines = []
        for line in self.fresh(form).split("\n"):
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + one for one in code.split("\n")] if line.strip() == "$B" else [line]
        return "\n".join(lines)

    def holed(self, form: str, code: str) -> str:
        form = self.fresh(form)
        quoted = code.replace("\\", "\\\\").replace('"', '\\"')
        return form.replace('"$E"', f'"{quoted}"').replace("$E", code)

    def idle(self) -> str:
        """A cell that only stands there: one form, or another around it."""
        if self.chance(0.4):
            return self.holed(self.pick("hole", FORMS["hole"]), self.random.choice(["1", "(2, 3)", "'a'"]))
        code = self.fresh(self.pick("idle", FORMS["idle"]))
        return self.block(code, keep=False) if self.chance(0.4) else code

    def keeper(self) -> Keeper:
        name = self.random.choice(list(KEEPERS))
        self.used.add(f"keeper: {name}")
        return Keeper(*map(self.same_number(), KEEPERS[name]))

    def same_number(self) -> Callable[[str], str]:
        n = self.fresh("$n")
        return lambda text: text.rstrip("\n").replace("$n", n)

    def call(self) -> str:
        return f"{self.random.choice(callables())}({self.random.choice(STATE['any call']['arguments'])})"

    def guarded(self) -> str:
        """A call that may fail."""
        return f"try:\n    {self.call()}\nexcept Exception:\n    pass"

    def chain(self) -> tuple[str, str]:
        """An expression that asks or calls anything that is near, and statements that set it."""
        base, follow = self.random.choice(chains())
        attribute = self.random.choice(follow or ["real"])
        call = f"({self.random.choice(STATE['any call']['arguments'])})" if self.chance(0.7) else ""
        n = self.fresh("$n")
        owner, _, last = attribute.rpartition(".")
        alias = f"g{n} = {base}\n" + (f"h{n} = g{n}.{owner}\nh{n}.{last} = 7" if owner else f"g{n}.{last} = 7")
        return f"{self.random.choice([base, f'({base})'])}.{attribute}{call}", alias

    def other_literal(self, source: str) -> str:
        """A number or a text of the experiment becomes another."""
        if self.chance(0.7):
            return other_token(source, tokenize.NUMBER, self.random, lambda old: self.random.choice(["1", "3", "0.5"]))
        return other_token(source, tokenize.STRING, self.random, lambda old: '"other"')
