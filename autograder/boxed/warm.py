"""The warm parent: has imported what notebooks import, and forks a process into a box for each submission.

It runs in a bubblewrap of its own, and alone: it runs no line of a submission, and reads nothing that
one made. Its requests come from the grader: one message with a plan, and the descriptors that belong to it.

    parent (imports, waits)
     └─ init: leaves all namespaces, furnishes the box, drops all rights, reaps; ends with its lifeline
         └─ agent, or a canary
             └─ kernel

Each fork costs some milliseconds, since this process is large, and so does each page that a child writes to.
"""

import contextlib
import gc
import importlib
import itertools
import json
import os
import random
import select
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from . import confine

MOST_BYTES = 2**17  # of a request
MOST_DESCRIPTORS = 32
MOST_DESCRIPTOR = os.sysconf("SC_OPEN_MAX")
# What runs in every box, beside what its notebook imports.
EVERY_BOX = ("boxed.agent", "boxed.kernel", "boxed.rehearsal")
PATIENCE = 0.02  # seconds: who has asked for one thing asks for the next
_rehearsed = 0  # with so many modules
_boxes: set[int] = set()  # their first processes, until they have been reaped


def main() -> NoReturn:
    """Arguments: descriptors of the listener and of a pipe that closes when the grader ends, and modules to import
    whenever nobody asks for anything."""
    listener, grader = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    later = [*EVERY_BOX, *sys.argv[3:]]
    watched: list[Any] = [listener, grader]
    patience = 0.0
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as every kernel has it when it imports
    gc.disable()  # nothing here makes cycles that matter; a child turns it on again
    signal.signal(signal.SIGCHLD, _reap)
    while True:
        waiting = select.select(watched, [], [], patience if later else None)[0]
        if grader in waiting:
            sys.exit()  # and every box with this
        if listener in waiting:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError, ValueError, KeyError):
                _answer(connection, listener)
            patience = PATIENCE
        else:
            _import(later.pop(0))
            patience = 0.0


def _answer(connection: socket.socket, listener: socket.socket) -> None:
    message, descriptors, _, _ = socket.recv_fds(connection, MOST_BYTES, MOST_DESCRIPTORS)
    try:
        plan = json.loads(message)
        if not plan:
            # Somebody asks whether this parent lives, and where.
            _report(connection, {name: os.readlink(f"/proc/self/ns/{name}") for name in confine.NAMESPACES})
            return
        for name in (*(EVERY_BOX if plan["program"] == "agent" else ()), *plan["modules"]):
            _import(name)
        _rehearse()
        gc.freeze()  # collections in the children leave alone, and so shared, what is here now
        if len(list(Path("/proc/self/task").iterdir())) > 1:
            raise OSError("the warm parent has threads, and cannot be forked")
        with confine.processes_apart("pid" in plan["namespaces"]):
            child = os.fork()
            if child == 0:
                _leave(plan, connection, descriptors)
        _boxes.add(child)
        _reap()  # in case it has ended already
    except OSError as problem:
        _report(connection, {"error": str(problem)})
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _import(name: str) -> None:
    if name not in sys.modules:
        with contextlib.suppress(Exception):  # whoever needs it hears of it there
            importlib.import_module(name)


def _rehearse() -> None:
    """What takes long only for the first time, after new modules have come."""
    global _rehearsed
    rehearsal = sys.modules.get(f"{__package__}.rehearsal")
    if rehearsal is not None and len(sys.modules) != _rehearsed:
        with contextlib.suppress(Exception):
            rehearsal.show_an_error()
        _rehearsed = len(sys.modules)


def _report(connection: socket.socket, facts: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
    socket.send_fds(connection, [json.dumps(facts).encode()], list(descriptors))


def _reap(*_: object) -> None:
    """Boxes that have ended; other children are those of modules, which wait for them."""
    for child in list(_boxes):
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(child, os.WNOHANG)[0] == 0:
                continue
        _boxes.discard(child)


def _leave(plan: dict[str, Any], lifeline: socket.socket, descriptors: list[int]) -> NoReturn:
    """In the fork, the first of its process namespace: out of every other namespace of the parent, too."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _close_all_but({lifeline.fileno(), *descriptors})
        if plan["has_group"]:
            with open(descriptors.pop(0), "wb", buffering=0) as processes:
                processes.write(b"0")  # this process, before it takes any memory
        confine.separate([name for name in plan["namespaces"] if name != "pid"])
        _settle(plan, lifeline, descriptors)
    except BaseException as problem:
        _report(lifeline, {"error": f"{type(problem).__name__}: {problem}"})
    finally:
        os._exit(0)


def _settle(plan: dict[str, Any], lifeline: socket.socket, descriptors: list[int]) -> NoReturn:
    """The first process in the box: makes it, closes it, and starts what runs there."""
    try:
        root, user = plan["root"], plan["user"]
        os.setsid()
        confine.call_me("box")
        confine.furnish(plan)
        for name, descriptor in zip(plan["data"], descriptors, strict=True):
            path = Path(plan["home"], name)
            with open(descriptor, "rb") as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
            path.chmod(0o444)
            confine.read_only(str(path))
        listener = confine.listen(plan["channel"], user, root=root)
        os.chdir(plan["home"])
        confine.limit(plan["limits"])
        confine.drop(user, bytes.fromhex(plan["filter"]), root=root)
        pidfd = os.pidfd_open(os.getpid())
        _report(lifeline, {"ready": True}, (pidfd, listener.fileno()))
        os.close(pidfd)
        listener.close()
        child = os.fork()
        if child == 0:
            lifeline.close()
            _run(plan["program"], plan["arguments"])
        _keep(lifeline, child)
    except BaseException as problem:
        with contextlib.suppress(OSError):
            _report(lifeline, {"error": f"{type(problem).__name__}: {problem}"})
    finally:
        os._exit(1)


def _keep(lifeline: socket.socket, child: int) -> NoReturn:
    """Reap the box's orphans; end, and with it all of the box, when the child or the grader has ended."""
    woken, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(woken, select.POLLIN)
    while True:
        pid = -1
        while pid != 0:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == child:
                os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
        for descriptor, _ in poll.poll():
            if descriptor == lifeline.fileno():
                os._exit(1)
            woken.recv(4096)


def _run(program: str, arguments: list[str]) -> NoReturn:
    """A module of this package, as if it had been started by a command."""
    status = 1
    try:
        gc.enable()
        _reseed()
        del os.environ["MPLBACKEND"]
        sys.argv = [program, *arguments]
        module: ModuleType = importlib.import_module(f"{__package__}.{program}")
        if program == "agent":
            from .kernel import ForkedKernel

            module.main(ForkedKernel())
        else:
            module.main()
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def _reseed() -> None:
    """Chance that siblings do not share. Python's own generator sees to it itself after a fork."""
    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()
    time.tzset()


def _close_all_but(kept: set[int]) -> None:
    """Of the parent's descriptors none goes along; the streams lead nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    edges = [2, *sorted(kept), MOST_DESCRIPTOR]
    for low, high in itertools.pairwise(edges):
        os.closerange(low + 1, high)
