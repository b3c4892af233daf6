"""What a lesson's experiments leave behind: it may be names, and nothing else, since grading leaves them out.

The reference runs in this process, without a box, and so does each experiment; before and after it, all that later
code could notice is looked at. Chance, and the numbers that Keras counts names with, go on: grading knows of these.
"""

import contextlib
import hashlib
import io
import os
import pickle
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.course import Course
from autograder.examination.own_answers import in_its_folder, run, solution
from autograder.submission.notebook import read
from autograder.submission.plain_code import facts
from autograder.submission.restoration import restore

LIBRARIES = (
    "numpy",
    "pandas",
    "matplotlib",
    "matplotlib.pyplot",
    "sklearn",
    "scipy",
    "keras",
    "tensorflow",
    "builtins",
)


def leftovers(root: Path, name: str) -> list[str]:
    """A sentence for each thing that an experiment of this lesson's reference leaves behind; none where all is well.

    Raises NotGradable where `solutions/` has no reference.
    """
    assignment = Course(root).assignment(name)
    restored = restore(read(solution(assignment)), assignment)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    graded = frozenset[str]().union(
        *(facts(cell.source).binds for cell in restored.cells if cell.kind in {"locked", "solution"})
    )
    found = []
    with in_its_folder(assignment), contextlib.redirect_stdout(io.StringIO()):
        for cell in restored.cells:
            before = _noticeable(namespace, graded) if cell.kind == "free" else {}
            with contextlib.suppress(Exception, SystemExit):
                run(cell.source, namespace)
            if cell.kind == "free":
                _close_figures()
                own = facts(cell.source).binds
                changed = [what for what in _changed(before, _noticeable(namespace, graded)) if what not in own]
                found += [
                    f"{cell.name[0].upper()}{cell.name[1:]} leaves `{what}` changed. Take it back in the cell, or move "
                    f"the cell's code to a locked cell of source/{name}/{name}.ipynb."
                    for what in changed
                ]
    return found


def _close_figures() -> None:
    """As a notebook does at the end of each cell."""
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def _changed(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    """What is not as it was, by name; what there was not before is no change, but a name or an import."""
    yield from (name for name, value in before.items() if after.get(name) != value)


def _noticeable(namespace: dict[str, Any], graded: frozenset[str]) -> dict[str, str]:
    """A hash of each value that locked cells and answers have bound, of each setting, of what each library holds."""
    found = {name: _hash(value) for name, value in namespace.items() if name in graded}
    found["warnings.filters"] = repr(warnings.filters)
    found["the environment"] = repr(sorted(os.environ.items()))
    found["the folder"] = repr(sorted((one.name, one.stat().st_mtime_ns) for one in Path.cwd().iterdir()))
    found["sys.path"] = repr(sys.path)
    numpy, pandas, matplotlib = (sys.modules.get(name) for name in ("numpy", "pandas", "matplotlib"))
    if numpy:
        found["NumPy's settings"] = repr((numpy.geterr(), numpy.get_printoptions()))
    if pandas:
        found["pandas's options"] = repr({one: pandas.get_option(one) for one in _options(pandas)})
    if matplotlib:
        found["Matplotlib's rcParams"] = repr(matplotlib.rcParams)
    for name in LIBRARIES:
        for word, value in vars(sys.modules.get(name, types.ModuleType(name))).copy().items():
            if callable(value):
                found[f"{name}.{word}"] = str(id(value))
    return found


def _options(pandas: types.ModuleType) -> list[str]:
    return sorted(pandas._config.config._registered_options)


def _hash(value: Any) -> str:
    """Of what it holds, if that can be told; else of which object it is: a figure, a history, a function."""
    if hasattr(value, "get_weights"):
        value = value.get_weights()
    library = type(value).__module__.split(".")[0]
    if library == "pandas" and hasattr(value, "to_numpy"):
        value = value.to_numpy()
    elif library not in {"builtins", "numpy"}:
        return str(id(value))
    try:
        return hashlib.sha256(pickle.dumps(value)).hexdigest()
    except Exception:  # it holds something else
        return str(id(value))
