"""A box that is forked is as good as one that starts cold: the same results, nothing shared, nothing lost."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.hostile_submissions import corpus
from helpers.submissions import COURSE, lean, solved, write

from autograder.batch.pipeline import Graded, grade
from autograder.box import Limits, Parent, WarmBox, sandbox
from autograder.box import warm as warm_boxes
from autograder.box.bounds import Unanswered
from autograder.box.session import CellRun, Session, Warm
from autograder.box.start import ready
from autograder.box.warm import namespaces
from autograder.errors import BoxUnavailable
from autograder.settings import Settings
from autograder.submission.find import Submission
from autograder.submission.restoration import Restored, RestoredCell

LIGHT = "03_numeric_data"


def notebook(*cells: str) -> Restored:
    return Restored(tuple(RestoredCell(number, "free", text, None) for number, text in enumerate(cells)))


def printed(runs: list[CellRun]) -> list[str]:
    return ["".join(part.get("text", "") for part in run.outputs) for run in runs]


def shown(run: CellRun) -> list[Any]:
    """What a cell showed; a text may come in parts."""
    text = "".join(part.get("text", "") for part in run.outputs)
    return [text, *(part for part in run.outputs if "text" not in part)]


def kill(parent: Parent) -> None:
    """End the parent as an accident would, once it serves; return when it does so no more."""
    assert namespaces(parent.address)
    parent._process.kill()
    while namespaces(parent.address):
        time.sleep(0.01)


def never() -> bool:
    return False


@pytest.fixture
def own_parent() -> Iterator[Parent]:
    with Parent() as parent:
        yield parent


def test_warm_and_cold_give_the_same_result(settings: Settings, worker: ProcessPoolExecutor, tmp_path: Path) -> None:
    """Marks, messages, and every output of every cell, figures included."""
    path = tmp_path / LIGHT / f"{LIGHT}.ipynb"
    write(lean(solved(LIGHT)), path)
    found = []
    for one in (settings, replace(settings, warm=None)):
        graded: Graded = worker.submit(grade, Submission(path, "ada", LIGHT), one).result()
        found.append([graded.result.exercises, graded.result.notes, *(shown(run) for run in graded.transcript)])
        assert graded.result.record["start"] == ("warm" if one.warm else "cold")
    assert found[0] == found[1]


def test_the_process_is_as_if_it_had_been_started_by_a_command(warm: str) -> None:
    """What a notebook can see of how it runs, and what programs that it starts inherit."""
    # KMP_ is scikit-learn's, the others are TensorFlow's, which the parent may have imported for somebody else.
    names = "KMP_|ENABLE_RUNTIME_UPTIME_TELEMETRY|HDF5_PLUGIN_PATH|TF2_|TPU_"
    see = f"env | cut -d= -f1 | grep -vE '{names}' | sort; ls -A /tmp | wc -l; pwd"
    cells = [
        "import sys, os, signal, threading, gc",
        "print(__name__, sys.path[0] == '', '/opt/grader' in sys.path, os.getcwd())",
        f"import re; print(sorted(name for name in os.environ if not re.match({names!r}, name)))",
        "print(os.environ['MPLBACKEND'], gc.isenabled(), sys.flags.hash_randomization, len(sys.argv))",
        "print(os.umask(0o22), signal.getsignal(signal.SIGCHLD))",
        "print(sorted(thread.name.rstrip('0123456789') for thread in threading.enumerate()))",
        "import resource\nnames = [name for name in dir(resource) if 'RLIMIT_' in name]",
        "print([(name, resource.getrlimit(getattr(resource, name))) for name in names])",
        "print(open('/proc/self/status').read().split('CapInh')[1].split('Speculation')[0])",
        "print(hash('text'))\nimport pickle\nclass Mine: pass\nprint(pickle.loads(pickle.dumps(Mine())).__class__)",
        "import multiprocessing\nwith multiprocessing.Pool(2) as pool: print(pool.map(abs, [-1, 2]))",
        "import subprocess",
        f"print(subprocess.check_output({see!r}, shell=True))",
        "%matplotlib inline\nimport matplotlib\nprint(matplotlib.get_backend())",
        "!echo shell",
        "print(sys.stdin, [os.readlink(f'/proc/self/fd/{number}') for number in (1, 2)])",
    ]
    seen = []
    for start in (Warm(warm, (), never), None):
        session = Session(notebook(*cells), Limits(), 1, warm=start)
        seen.append(session.execute())
        session.close()
    for first, second in zip(*map(printed, seen), strict=True):
        assert first == second
    assert not [run.error for run in seen[0] if run.error]


def test_python_may_lie_in_a_folder_of_the_boxs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A course below /tmp: its packages are there, nothing else is, and nobody can write to them."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        course = Path(folder, "course")
        packages = course / "packages"
        packages.mkdir(parents=True)
        for place in (course, packages):
            (place / "file").write_text("told")
            place.chmod(0o777)
        Path(folder).chmod(0o755)
        real = sandbox.prefixes()
        for module in (sandbox, warm_boxes):
            monkeypatch.setattr(module, "prefixes", lambda: [*real, packages])
        cells = [
            f"from pathlib import Path\nprint(Path({str(packages / 'file')!r}).read_text())",
            f"print([str(one) for one in Path('/tmp').rglob('*') if one.is_relative_to({folder!r})])",
            f"Path({str(packages / 'more')!r}).touch()",
            f"Path({folder!r}).rename('/tmp/other')",
            "Path('/tmp/own').touch()",
        ]
        with Parent() as parent:
            for start in (Warm(parent.address, (), never), None):
                session = Session(notebook(*cells), Limits(), 1, warm=start)
                runs = session.execute()
                session.close()
                assert session.start == ("warm" if start else "cold")
                there = [str(one) for one in (Path(folder), course, packages, packages / "file")]
                assert printed(runs)[:2] == ["told\n", f"{there}\n"]
                errors = [run.error and run.error.partition(":")[0] for run in runs[2:]]
                assert errors == ["OSError", "PermissionError", None]


def test_the_parent_neither_grows_nor_keeps_anything(own_parent: Parent) -> None:
    """Memory, descriptors, threads and children of the parent are after many boxes what they were after the first."""

    def facts() -> tuple[int, int, int, list[int]]:
        pid = python_of(own_parent)
        status = Path(f"/proc/{pid}/status").read_text()
        memory = int(status.split("RssAnon:")[1].split()[0])
        until = time.monotonic() + 10
        while (children := children_of(pid)) and time.monotonic() < until:
            time.sleep(0.01)  # a box has ended a moment before the parent knows
        return (
            memory,
            len(list(Path(f"/proc/{pid}/fd").iterdir())),
            int(status.split("Threads:")[1].split()[0]),
            children,
        )

    def box() -> None:
        with WarmBox(own_parent.address, Limits()) as one:
            one.connection(30)

    box()
    memory, *others = facts()
    for _ in range(30):
        box()
    grown, *after = facts()
    assert after == others
    assert others[1] == 1, "the parent has threads, which a fork leaves behind"
    assert not others[2]
    assert grown < memory + 1024


def python_of(parent: Parent) -> int:
    """The parent itself, below the two processes of its bubblewrap."""
    pid = parent.pid
    for _ in range(2):
        pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    return pid


def test_a_box_ends_with_the_worker_that_asked_for_it(own_parent: Parent) -> None:
    """Also when the worker is killed: then nobody is left to end its boxes."""
    child = os.fork()
    if child == 0:
        try:
            box = WarmBox(own_parent.address, Limits())
            box.connection(30)
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    os.waitpid(child, 0)
    until = time.monotonic() + 10
    while time.monotonic() < until and below(own_parent.pid) > 2:
        time.sleep(0.05)
    assert below(own_parent.pid) == 2


def below(pid: int) -> int:
    """How many processes are below this one."""
    children = children_of(pid)
    return len(children) + sum(below(one) for one in children)


def children_of(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


CALL = {"do": "call", "function": "f", "args": [], "kwargs": {}, "size": 0}


@pytest.mark.parametrize("moment", ["before", "cells", "calls"])
def test_a_parent_that_ends_costs_no_submission_anything(moment: str, own_parent: Parent) -> None:
    """Whenever it ends, the rest runs in boxes that start cold, and nobody is blamed."""
    warm = Warm(own_parent.address, (), lambda: True)
    session = Session(notebook("import time\ntime.sleep(3)\nx = 1", "def f(): return x + 1"), Limits(), 1, warm=warm)
    end = threading.Timer(2, kill, [own_parent])
    if moment == "before":
        kill(own_parent)
    if moment == "cells":
        end.start()
    try:
        assert [run.status for run in session.execute()] == ["ran", "ran"]
        if moment == "calls":
            kill(own_parent)
            with pytest.raises(Unanswered, match="The process that boxes are forked from has ended") as lost:
                session.ask(CALL)
            assert lost.value.cause == "box"  # with which the check begins anew
        assert session.ask(CALL).value == 2
        assert session.start == "cold"
    finally:
        end.cancel()
        session.close()


def test_cold_stands_in_only_where_it_was_seen_to_hold(own_parent: Parent) -> None:
    session = Session(notebook("x = 1"), Limits(), 1, warm=Warm(own_parent.address, (), never))
    own_parent.end()
    with pytest.raises(BoxUnavailable):
        session.execute()


def test_a_parent_whose_boxes_do_not_hold_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = WarmBox.plan
    monkeypatch.setattr(WarmBox, "plan", lambda self, program: closed(self, program) | {"filter": ""})
    with ready(Limits(), COURSE.private, ()) as start:
        assert start.parent is None
        assert start.protections["system_calls_filtered"]
    with ready(Limits(), COURSE.private, (), warm=False) as start:
        assert start.parent is None


def test_neighbours_at_once_see_nothing_of_each_other(warm: str) -> None:
    """Two boxes of one parent, running the same attacks at the same time."""
    attacks = [one.code for one in corpus() if one.group == "neighbours" and one.sees_nothing and one.code]
    cells = ["import time\ntime.sleep(1)", *attacks, "time.sleep(2)"]

    def run(_: int) -> list[str]:
        session = Session(notebook(*cells), Limits(), 1, warm=Warm(warm, (), never))
        try:
            return printed(session.execute())
        finally:
            session.close()

    with ThreadPoolExecutor(2) as pool:
        both: list[Any] = list(pool.map(run, range(2)))
    for found in both:
        assert found == ["", *["SEEN []\n"] * len(attacks), ""]


def test_the_parent_can_be_asked_where_it_is(warm: str) -> None:
    found = namespaces(warm)
    assert found["pid"] != os.readlink("/proc/self/ns/pid")
    assert namespaces(warm + "-not") == {}
