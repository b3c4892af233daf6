"""Submissions that attack the grader, or the machine: each costs its own exercise, and only that.

Every one answers `invert` rightly beside its attack, and must keep those points. What could harm a
machine first looks whether it sits in a process namespace of its own, and otherwise does nothing.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Grader
from submissions import COURSE, insert, lean, only, own_cell

from autograder.result import ExerciseResult, Result

ASSIGNMENT = "03_numeric_data"

# Before anything dangerous: outside a box, where process 1 is not bubblewrap, it stops here.
IN_A_BOX = """
import os, pathlib
if pathlib.Path("/proc/1/comm").read_text().strip() != "bwrap" or os.getuid() == 0:
    raise SystemExit("not in a box")
"""


@dataclass(frozen=True)
class Attack:
    """A solution cell of `normalize`, what it tries, and what it must come to."""

    tries: str
    code: str
    outcome: str
    cause: str | None = None


ATTACKS = {
    "lying-equality": Attack(
        "an answer that is equal to everything",
        """
import numpy as np
class Yes(np.ndarray):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __array__(self, *args, **kwargs): return self
    def __bool__(self): return True
def normalize(train, test, feature_range=(0, 1)):
    yes = np.zeros((len(train), 1)).view(Yes)
    return yes, yes, yes
""",
        "not_earned",
    ),
    "patched-numpy-testing": Attack(
        "numpy's and pytest's comparisons always agree",
        """
import numpy as np
np.testing.assert_allclose = np.testing.assert_array_equal = lambda *args, **kwargs: None
np.array_equal = lambda *args, **kwargs: True
try:
    import pytest
    pytest.fail = lambda *args, **kwargs: None
except ImportError:
    pass
def normalize(train, test, feature_range=(0, 1)):
    return np.zeros((3, 1)), np.zeros((3, 1)), None
""",
        "not_earned",
    ),
    "deleted-asserts": Attack(
        "an AST transformer that removes every assert from later cells",
        """
import ast
class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node): return None
get_ipython().ast_transformers.append(NoAsserts())
def normalize(train, test, feature_range=(0, 1)):
    return None
""",
        "not_earned",
    ),
    "sys-exit": Attack("ends the notebook as if it had succeeded", "import sys\nsys.exit(0)", "not_earned"),
    "sys-exit-in-function": Attack(
        "ends the process when it is asked",
        "import sys\ndef normalize(train, test, feature_range=(0, 1)):\n    sys.exit(0)",
        "not_earned",
    ),
    "os-exit": Attack("ends the kernel", "import os\nos._exit(0)", "could_not_be_graded", "notebook"),
    "os-exit-in-function": Attack(
        "ends the kernel when it is asked",
        "import os\ndef normalize(train, test, feature_range=(0, 1)):\n    os._exit(0)",
        "could_not_be_graded",
        "notebook",
    ),
    "endless-loop": Attack("never ends", "while True:\n    pass", "could_not_be_graded", "time"),
    "endless-loop-that-swallows": Attack(
        "never ends and cannot be interrupted",
        """
import time, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    try:
        time.sleep(1)
    except BaseException:
        pass
""",
        "could_not_be_graded",
        "time",
    ),
    "endless-loop-in-function": Attack(
        "never ends when it is asked",
        "def normalize(train, test, feature_range=(0, 1)):\n    while True:\n        pass",
        "could_not_be_graded",
        "time",
    ),
    "ten-gigabytes": Attack(
        "takes 10 GB at once",
        IN_A_BOX + "import numpy as np\nhoard = np.ones(10 * 2**27)\n",
        "could_not_be_graded",
        "memory",
    ),
    "ten-gigabytes-in-function": Attack(
        "takes 10 GB when it is asked",
        IN_A_BOX + "def normalize(train, test, feature_range=(0, 1)):\n    return bytearray(10 * 2**30)",
        "could_not_be_graded",
        "memory",
    ),
    "many-gigabytes": Attack(
        "takes 10 GB in ten processes",
        IN_A_BOX + "import time\nfor _ in range(10):\n    if os.fork() == 0:\n        hoard = bytearray(b'x') * 2**30\n"
        "        time.sleep(60)\n        os._exit(0)\ntime.sleep(60)",
        "could_not_be_graded",
    ),
    "fork-bomb": Attack(
        "forks without end",
        IN_A_BOX + "while True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
        "could_not_be_graded",
    ),
    "kill-all": Attack(
        "kills every process that it can reach",
        IN_A_BOX + "import signal\nos.kill(-1, signal.SIGKILL)",
        "could_not_be_graded",
        "notebook",
    ),
    "output-flood": Attack(
        "prints without end",
        IN_A_BOX + "line = 'x' * 10_000\nwhile True:\n    print(line)",
        "could_not_be_graded",
    ),
    "disk": Attack(
        "fills the disk and shared memory",
        IN_A_BOX + "for folder in ('/tmp', '/dev/shm', os.path.expanduser('~')):\n"
        "    try:\n        with open(folder + '/big', 'wb') as file:\n            for _ in range(4000):\n"
        "                file.write(bytes(2**20))\n    except OSError:\n        pass\n"
        "def normalize(train, test, feature_range=(0, 1)):\n    return None",
        "not_earned",
    ),
    "forged-answers": Attack(
        "answers the examiner before it asks",
        """
import os, socket, json, struct, threading
def forge():
    while True:
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(os.environ.get("GRADER_CHANNEL", "/run/grader.sock"))
            head = json.dumps([["dict", [["id", 1], ["value", ["list", []]]]], []]).encode()
            while True:
                connection.sendall(struct.pack("!II", len(head), 0) + head)
        except OSError:
            return
threading.Thread(target=forge, daemon=True).start()
def normalize(train, test, feature_range=(0, 1)):
    return None
""",
        "not_earned",
    ),
    "pickle": Attack(
        "an answer that would run when it is unpickled",
        """
class Bomb:
    def __reduce__(self): return (print, ("unpickled",))
def normalize(train, test, feature_range=(0, 1)):
    return Bomb(), Bomb(), Bomb()
""",
        "not_earned",
    ),
    "endless-answer": Attack(
        "an answer that contains itself",
        "def normalize(train, test, feature_range=(0, 1)):\n    a = []\n    a.append(a)\n    return a, a, a",
        "not_earned",
    ),
    "huge-answer": Attack(
        "an answer of 160 MB",
        "import numpy as np\ndef normalize(train, test, feature_range=(0, 1)):\n"
        "    a = np.zeros(20_000_000)\n    return a, a, None",
        "not_earned",
    ),
    "markup": Attack(
        "markup, escapes and workflow commands in an error's text",
        "def normalize(train, test, feature_range=(0, 1)):\n"
        "    raise ValueError('<script>alert(1)</script>\\x1b[2J\\n::error::forged [red]\\ud800')",
        "not_earned",
    ),
    "traps": Attack(
        "traps for whoever comes next: startup files and modules of other names",
        """
import pathlib
for name in ("sitecustomize.py", "nbformat.py", "conftest.py", "pytest.ini", ".ipython/profile_default/startup/a.py"):
    for folder in (pathlib.Path.cwd(), pathlib.Path.home(), pathlib.Path("/tmp")):
        try:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("raise SystemExit('trapped')")
        except OSError:
            pass
def normalize(train, test, feature_range=(0, 1)):
    return None
""",
        "not_earned",
    ),
}
QUICK = {"cell_seconds": 8, "call_seconds": 3, "total_seconds": 90}


def found(result: Result, exercise: str) -> ExerciseResult:
    return next(e for e in result.exercises if e.id == exercise)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_costs_its_own_exercise_only(name: str, grade: Grader) -> None:
    attack = ATTACKS[name]
    notebook = lean(only(ASSIGNMENT, "invert", normalize=attack.code))
    result = grade(notebook, ASSIGNMENT, **QUICK).result
    attacked, honest = found(result, "normalize"), found(result, "invert")
    assert attacked.outcome == attack.outcome, attacked
    assert attacked.points == (None if attack.outcome == "could_not_be_graded" else 0)
    assert attack.cause in {None, attacked.cause}, attacked
    assert len(attacked.message) > 20
    assert (honest.outcome, honest.points) == ("earned", honest.max_points), honest
    assert result.score == honest.max_points
    assert_nothing_is_left()


def assert_nothing_is_left() -> None:
    """No box's folder, no control group and no process of a box outlives its submission."""
    assert not [path for path in Path("/tmp").glob("lstm-box-*") if str(os.getpid()) in path.name]
    for comm in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = comm.read_bytes()
        except OSError:
            continue
        assert b"boxed import agent" not in command or b"bwrap" not in command or _is_not_ours(comm.parent)


def _is_not_ours(process: Path) -> bool:
    """Whether a box belongs to another test process that runs beside this one."""
    return f"PPid:\t{os.getpid()}\n" not in (process / "status").read_text()


def test_nothing_of_the_grader_can_be_read(grade: Grader) -> None:
    """A submission that looks for checks, labels, secrets and other submissions finds none of them."""
    spy = f"""
import os, pathlib, socket, sys, importlib.util
seen = []
for path in ({str(COURSE.root)!r}, "/etc/shadow", "/etc/passwd", "/root/.ssh", "/home", "/var", "/sys"):
    try:
        seen += [str(p) for p in pathlib.Path(path).rglob("*") if ".venv" not in p.parts and "student" not in p.parts]
    except OSError:
        pass
if importlib.util.find_spec("autograder"):
    seen.append("autograder")
seen += [name for name in os.environ if "SEED" in name and name != "PYTHONHASHSEED"]
try:
    socket.create_connection(("127.0.0.1", 22), 1)
    seen.append("network")
except OSError:
    pass
outside = [p for p in os.listdir("/proc") if p.isdigit() and "bwrap" not in open(f"/proc/{{p}}/comm").read()
           and "python" not in open(f"/proc/{{p}}/cmdline").read()]
print("SEEN", seen)
"""
    notebook = insert(lean(only(ASSIGNMENT, "invert")), "normalize", own_cell(spy))
    graded = grade(notebook, ASSIGNMENT, **QUICK)
    printed = "".join(str(output.get("text")) for run in graded.transcript for output in run.outputs)
    assert "SEEN []" in printed


def test_what_is_printed_when_asked_reaches_nobody(grade: Grader) -> None:
    """Hidden inputs are seen by the function, but what it prints of them is not in the feedback."""
    code = """
import sys

def normalize(train, test, feature_range=(0, 1)):
    if "boxed" in sys._getframe(1).f_code.co_filename:  # not the visible check, whose inputs are no secret
        print("LEAKED", train)
        asked.append(train)
        raise ValueError(f"asked {len(asked)} times")

asked = []
"""
    graded = grade(lean(only(ASSIGNMENT, normalize=code)), ASSIGNMENT, **QUICK)
    assert "asked 1 times" in graded.result.to_json()
    assert "LEAKED" not in str([run.outputs for run in graded.transcript]) + graded.result.to_json()
