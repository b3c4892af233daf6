"""A notebook finds the same in a box that is forked, in a box that starts cold, and in its student's own Jupyter.

What differs is in a table, with the reason; anything else that differs is a fault.
"""

import json
import tempfile
from collections.abc import Iterator
from typing import Any, Final

import nbformat
import pytest
from helpers.submissions import COURSE
from nbclient import NotebookClient

from autograder.box import Limits, Parent
from autograder.box.session import Session, Warm
from autograder.seed import TRAINING_SEED
from autograder.submission.restoration import Restored, RestoredCell

# What a notebook can see of where and how it runs, by name.
FACTS: Final = """
import asyncio, builtins, decimal, faulthandler, gc, json, locale, logging, os, random, resource
import signal, subprocess, sys, threading, time, tracemalloc, warnings
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats
from sklearn.preprocessing import MinMaxScaler
shell = get_ipython()
main = sys.modules["__main__"]
facts = {
    "chance": [random.random(), float(np.random.rand())],
    "where modules are found": [place.replace(os.getcwd(), ".") for place in sys.path],
    "working folder": os.getcwd(),
    "files": sorted(name for name in os.listdir() if not name.startswith(".")),
    "variables": sorted(os.environ),
    "values of variables": {name: value for name, value in os.environ.items() if name != "JPY_PARENT_PID"},
    "arguments": [sys.argv[0], *sys.argv[1:2], *(one for one in sys.argv[3:] if "fd_output" not in one)],
    "output of other programs": [one for one in sys.argv if "fd_output" in one],
    "arguments of Python": sys.orig_argv[:3],
    "main": [main.__name__, main is shell.user_module, hasattr(main, "__file__"), main.__spec__ is None, main.__doc__],
    "names": sorted(name for name in globals() if name.startswith("_") or name in {"In", "Out", "SEED"}),
    "flags": str(sys.flags).replace(f"hash_randomization={sys.flags.hash_randomization}, ", ""),
    "hash": hash("text"),
    "interpreter": [sys.executable, sys.prefix, sys._xoptions, sys.warnoptions, sys.dont_write_bytecode],
    "recursion": [sys.getrecursionlimit(), sys.getswitchinterval(), sys.get_int_max_str_digits()],
    "files made": [os.umask(0o22), os.access(".", os.W_OK)],
    "language": [locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(), sys.getfilesystemencoding()],
    "time zone": time.tzname,
    "streams": [type(one).__module__ for one in (sys.stdin, sys.stdout, sys.stderr)] + [sys.stdout.encoding],
    "typed in": sys.stdin.read(),
    "hooks": [str(one).partition(" at ")[0] for one in (
        sys.displayhook, sys.excepthook, sys.unraisablehook, threading.excepthook, builtins.input, builtins.display,
    )],
    "threads": sorted(one.name.rstrip("0123456789") for one in threading.enumerate()),
    "thread": [threading.current_thread() is threading.main_thread(), threading.stack_size()],
    "loop": [type(asyncio.get_running_loop()).__name__, asyncio.get_running_loop().get_debug()],
    "signals": {int(one): str(signal.getsignal(one)).partition(" at ")[0] for one in signal.valid_signals()},
    "signals held back": [int(one) for one in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
    "signals of other programs": subprocess.check_output(["grep", "^Sig[BI]", "/proc/self/status"], text=True),
    "other programs' folder": subprocess.check_output([sys.executable, "-c", "import sys; print(sys.path)"], text=True),
    "collections": [gc.isenabled(), gc.get_threshold(), gc.get_debug()],
    "traces": [str(sys.gettrace()), str(sys.getprofile()), tracemalloc.is_tracing(), faulthandler.is_enabled()],
    "log": [logging.root.level, len(logging.root.handlers), logging.root.manager.disable, logging.raiseExceptions],
    "numbers": [str(decimal.getcontext()), np.geterr(), np.get_printoptions()["precision"]],
    "limits": {one: resource.getrlimit(getattr(resource, one)) for one in dir(resource) if "RLIMIT_" in one},
    "process": [os.getpid() == os.getpgid(0) == os.getsid(0), os.getuid() == 0],
    "home": os.path.expanduser("~"),
    "figures": [matplotlib.get_backend(), plt.isinteractive(), plt.get_fignums()],
    "settings of figures": sorted(map(str, plt.rcParams.items())),
    "tables": [pd.get_option("display.max_rows"), pd.get_option("display.width"), pd.get_option("display.precision")],
    "warnings": sorted({f"{do} {kind.__name__} {text} {place}" for do, text, kind, place, _ in warnings.filters}),
    "shell": [type(shell).__name__, shell.ast_node_interactivity, shell.autoawait, shell.automagic],
    "counted": shell.execution_count,
    "magics": [sorted(one) for one in shell.magics_manager.magics.values()],
    "extensions": sorted(shell.extension_manager.loaded),
    "events": {name: [str(one).partition(" at ")[0] for one in some] for name, some in shell.events.callbacks.items()},
    "formats": [
        [kind, one.enabled, sorted(map(str, one.type_printers)), sorted(map(str, one.deferred_printers))]
        for kind, one in shell.display_formatter.formatters.items()
    ],
}
print(json.dumps(facts))
"""
FORKED: Final = {
    "flags": "the warm parent runs with -s and -P: nothing of its folder or of its user, and a fork keeps the flags",
    "warnings": "the filters of modules that the grader's own part of the box has imported (urllib3)",
}
# Between a box and a student's own Jupyter.
CLOSED: Final = {
    "working folder": "a box has one of its own, which is the home of its own user",
    "files": "the notebook itself is there, as it is for a student who does not let the self-check run it",
    "home": "a student has one",
    "variables": "nothing of the grader's comes into a box, and some are set so that a run comes out the same",
    "values of variables": "as above",
    "time zone": "as above",
    "hash": "as above",
    "language": "as above",
    "limits": "no notebook may use up the machine",
    "process": "a user of the box's own",
    "output of other programs": "what C code writes to the process's own streams is nobody's output in a box",
    "threads": "those that read these streams",
    "chance": "begins somewhere; in a box, and in a self-check, at the training seed",
    "recursion": "a machine may have its own settings",
    "settings of figures": "a student may have settings of their own",
}


Facts = dict[str, Any]


def in_a_box(warm: Warm | None) -> Facts:
    cells = (RestoredCell(0, "locked", "SEED = 0", None, parameters=True), RestoredCell(1, "free", FACTS, None))
    session = Session(Restored(cells), Limits(), TRAINING_SEED, warm=warm)
    try:
        runs = session.execute()
    finally:
        session.close()
    assert not [run.error for run in runs if run.error]
    return read(runs[-1].outputs)


def in_jupyter() -> Facts:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in ("SEED = 0", "SEED = 1", FACTS)])
    with tempfile.TemporaryDirectory() as folder:
        extra = ["--log-level=ERROR"]
        NotebookClient(
            book, kernel_name="python3", extra_arguments=extra, resources={"metadata": {"path": folder}}
        ).execute()
    found = read(book.cells[-1].outputs)
    found["arguments"] = [one for one in found["arguments"] if one not in extra]
    return found


def read(outputs: list[Any]) -> Facts:
    facts: Facts = json.loads("".join(part["text"] for part in outputs if part.get("name") == "stdout"))
    return facts


@pytest.fixture(scope="module")
def ways() -> Iterator[dict[str, Facts]]:
    modules = COURSE.assignment("03_numeric_data").imports
    with Parent(modules) as parent:
        yield {
            "warm": in_a_box(Warm(parent.address, modules, lambda: True)),
            "cold": in_a_box(None),
            "own": in_jupyter(),
        }


def differing(one: Facts, other: Facts) -> dict[str, Any]:
    assert one.keys() == other.keys()
    return {name: (one[name], other[name]) for name in one if one[name] != other[name]}


def test_a_forked_box_is_as_a_cold_one(ways: dict[str, Facts]) -> None:
    found = differing(ways["warm"], ways["cold"])
    assert found.keys() == FORKED.keys(), {name: found[name] for name in found.keys() - FORKED.keys()}


def test_a_box_is_as_the_students_own_jupyter(ways: dict[str, Facts]) -> None:
    found = differing(ways["cold"], ways["own"])
    assert found.keys() <= CLOSED.keys(), {name: found[name] for name in found.keys() - CLOSED.keys()}


def test_every_way_looks_for_modules_in_the_working_folder(ways: dict[str, Facts]) -> None:
    for facts in ways.values():
        assert "" in facts["where modules are found"]


def test_chance_begins_at_the_same_place_in_every_box(ways: dict[str, Facts]) -> None:
    assert ways["warm"]["chance"] == ways["cold"]["chance"] == in_a_box(None)["chance"]
