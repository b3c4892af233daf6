"""A notebook that runs in IPython in a fork of this process, in place of a box, which costs fifty times as much.

It stands in for `box.session.Session`, so that all else of the grader's way is the real one. In place of the checks it
notes what the graded functions return on fixed inputs. That is stronger than marks: two wrong answers of different
values are a difference. A figure is shown as text, which takes no time. `prepare` changes its process for good.
"""

import contextlib
import gc
import json
import os
import pickle
import resource
import select
import shutil
import signal
import socket
import struct
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import numpy as np

from autograder.batch import pipeline
from autograder.box import Limits
from autograder.box.session import CellRun
from autograder.boxed import reproducible
from autograder.boxed.serving import Server
from autograder.examination.examine import Evidence
from autograder.examination.hidden_checks import Check
from helpers.own_cells import LESSONS, reference_of

SECONDS: Final = 20.0  # of one run of a notebook; most take a tenth
MEMORY: Final = 3 << 30


class Undecided(BaseException):
    """A run that took too long, or ended its process: there is nothing to compare. The grader must not catch it."""


@dataclass
class _Way:
    """How sessions work at this moment: `dry` runs nothing."""

    dry: bool = False


WAY = _Way()


def prepare() -> None:
    """Import what notebooks import, start IPython, and have the grader run notebooks here."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    warnings.simplefilter("ignore")
    import keras
    import matplotlib.pyplot as plt
    import pandas as pd
    import scipy.optimize
    import sklearn.model_selection
    import sklearn.preprocessing
    from IPython.core.interactiveshell import InteractiveShell
    from matplotlib.figure import Figure
    from scipy import stats
    from traitlets.config import Config

    assert all((keras, plt, pd, scipy.optimize, sklearn.model_selection, sklearn.preprocessing, stats))
    for lesson in LESSONS:
        reference_of(lesson)

    class Shell(InteractiveShell):
        def enable_gui(self, gui: str | None = None) -> None:
            """As in a kernel, there is none for pictures in the page."""

        def showtraceback(self, *given: Any, **named: Any) -> None:
            """Nobody reads it, and to write it takes half a second."""

        def _format_exception_for_storage(self, *given: Any, **named: Any) -> dict[str, Any]:
            return {}

    shell = Shell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.run_line_magic("matplotlib", "inline")
    for formatter in shell.display_formatter.formatters.values():
        formatter.type_printers.pop(Figure, None)  # a figure is shown as text
    # What is done the first time takes time: an error, a figure.
    shell.run_cell("def _():\n    assert False, f'{__import__(\"numpy\").zeros(2)}'\n_()", store_history=False)
    figure, ax = plt.subplots(layout="constrained")
    ax.plot([1, 2], label="a")
    ax.legend()
    figure.canvas.draw()
    plt.close("all")
    shell.reset(new_session=True)
    gc.collect()
    gc.freeze()  # a collection in a fork leaves alone, and so shared, what is here now
    vars(pipeline).update(Session=Forked, examine=_noted)


class Forked:
    """Stands in for `box.session.Session`."""

    def __init__(self, restored: Any, limits: Limits, training_seed: int, data: Any = (), warm: Any = None,
                 cells: Iterable[int] | None = None, spare: Iterable[int] = ()) -> None:  # fmt: skip
        self.runs = {one.number: CellRun(one) for one in restored.cells}
        wanted = set(self.runs) if cells is None else set(cells)
        for number in set(self.runs) - wanted:
            self.runs[number].status = "left out"
        self._job = [(n, run.cell.source, run.cell.parameters) for n, run in self.runs.items() if n in wanted]
        self._seed = training_seed
        self._data = data
        self._child = 0
        self.boxes, self.start, self.start_seconds = 1, "warm", 0.0

    def execute(self) -> list[CellRun]:
        if WAY.dry:
            for number, _, _ in self._job:
                self.runs[number].status = "ran"
            return list(self.runs.values())
        self._folder = tempfile.mkdtemp(prefix="two-ways-")
        for path in self._data:
            shutil.copy(path, self._folder)
        self._talk, its = socket.socketpair()
        self._child = os.fork()
        if self._child == 0:
            self._talk.close()
            _live(its, self._folder, self._job, self._seed)
        its.close()
        for number, error in self._heard():
            self.runs[number].status, self.runs[number].error = ("raised" if error else "ran"), error
        return list(self.runs.values())

    def asked(self, exercise: str) -> str:
        """What the exercise's functions return."""
        _send(self._talk, exercise)
        return str(self._heard())

    def close(self) -> None:
        if self._child:
            self._talk.close()
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
            shutil.rmtree(self._folder, ignore_errors=True)
            self._child = 0

    def _heard(self) -> Any:
        if not select.select([self._talk], [], [], SECONDS)[0]:
            raise Undecided("time")
        try:
            return _receive(self._talk)
        except (EOFError, OSError, ValueError):
            raise Undecided("ended") from None


def _noted(assignment: Any, session: Forked, seeds: Any, exercises: Iterable[str], **more: Any) -> list[Evidence]:
    """Stands in for `examine`: what came back is the message."""
    wanted = set(exercises)
    return [
        Evidence(Check("noted", one.id, 1, "noted", ""), 1.0, "" if WAY.dry else session.asked(one.id))
        for one in assignment.exercises if one.id in wanted
    ]  # fmt: skip


# In the fork


def _live(talk: socket.socket, folder: str, job: list[tuple[int, str, bool]], seed: int) -> NoReturn:
    status = 1
    try:
        os.chdir(folder)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 24, 1 << 24))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        exec(reproducible.first_code(seed), {})
        _send(talk, _ran(job, seed))
        while True:
            _send(talk, _returned(_receive(talk)))
    except BaseException:
        status = 2
    finally:
        os._exit(status)


def _shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()


def _ran(job: list[tuple[int, str, bool]], seed: int) -> list[tuple[int, str | None]]:
    """Each cell's number, and its exception."""
    shell = _shell()
    found = []
    for number, source, parameters in job:
        ended = shell.run_cell(source, store_history=True)
        error = ended.error_before_exec or ended.error_in_exec
        found.append((number, f"{type(error).__name__}: {error}"[:200] if error else None))
        if parameters:
            shell.run_cell(f"# Parameters\nSEED = {seed}\n", store_history=True)
    return found


def _returned(exercise: str, loads: Callable[[bytes], Any] = pickle.loads) -> str:
    names = _shell().user_ns
    Server(names).do_seed({"seed": len(exercise)})  # as before each check
    found = []
    for name, calls in PROBES[exercise].items():
        if not calls:
            found.append(_told(names.get(name)))
        for call in calls * 2:
            arguments = loads(call)
            try:
                found.append(_told(names[name](*arguments)))
            except BaseException as error:
                found.append(f"{type(error).__name__}: {error}"[:300])
            found.append(_told(arguments))
    return "\n".join(found)


def _told(value: Any, deep: int = 0) -> str:
    """A text that tells any two values apart which a check could tell apart."""
    kind = type(value).__name__
    if isinstance(value, np.ndarray):
        return f"{kind}{value.dtype}{value.shape}{value.tolist()!r}"
    if deep < 5 and isinstance(value, (tuple, list, set)):
        return f"{kind}({', '.join([_told(one, deep + 1) for one in value])})"
    if deep < 5 and isinstance(value, dict):
        return f"{kind}({', '.join([f'{key!r}: {_told(one, deep + 1)}' for key, one in value.items()])})"
    if hasattr(value, "get_params"):
        return f"{kind}({_told(sorted(vars(value).items(), key=str), deep + 1)})"
    return f"{kind} {value!r}".partition(" at 0x")[0]


def _send(talk: socket.socket, value: Any) -> None:
    text = json.dumps(value).encode()
    talk.sendall(struct.pack("I", len(text)) + text)


def _receive(talk: socket.socket) -> Any:
    def read(size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = talk.recv(size - len(found))
            if not part:
                raise EOFError
            found += part
        return found

    return json.loads(read(struct.unpack("I", read(4))[0]))


def _probes() -> Iterator[tuple[str, dict[str, list[bytes]]]]:
    """By exercise: names, and what each is called with; a name that is only read has no calls."""
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    rng = np.random.default_rng(5)

    def normal(*shape: int) -> Any:
        return rng.normal(size=shape)

    weights = normal(3, 8), normal(2, 8), normal(8)
    series = np.array([4.0, 6, 10, 14, 20])
    columns = np.array([[0.0, 500], [10, 1500], [5, 700]])
    calls: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
        "first-steps": ("describe_series", [([1.0, 2.5, 6.0],), (np.array([3.0, 1, 2]),), ([1.0],)]),
        "sigmoid": ("sigmoid", [(0.5,), (np.array([-1000.0, 0, 3]),)]),
        "gates": ("gate_activations", [(normal(2, 3), normal(2, 2), *weights)]),
        "lstm-step": ("lstm_step", [(normal(2, 3), normal(2, 2), normal(2, 2), *weights)]),
        "lstm-forward": ("lstm_forward", [(normal(2, 4, 3), *weights), (normal(2, 4, 3), *weights, True)]),
        "parameter-count": ("count_parameters", [(3, 2), (10, 16)]),
        "gradient-flow": ("cell_gradient", [(np.full((3, 2), 0.5),)]),
        "applications": ("sequence_type", []),
        "normalize": ("normalize", [(series, series[:2]), (columns, columns[:1], (-1, 1))]),
        "standardize": ("standardize", [(series, series[:2]), (columns, columns[:1])]),
        "invert": ("invert_scaling", [(kind().fit(columns), columns[:1]) for kind in (MinMaxScaler, StandardScaler)]),
        "which-scaler": ("suggest_scaler", [(normal(60),), (np.exp(normal(60)),)]),
    }  # fmt: skip
    for exercise, (name, arguments) in calls.items():
        yield exercise, {name: [pickle.dumps(one) for one in arguments]}


PROBES: Final = dict(_probes())


@contextlib.contextmanager
def dry() -> Iterator[None]:
    WAY.dry = True
    try:
        yield
    finally:
        WAY.dry = False
