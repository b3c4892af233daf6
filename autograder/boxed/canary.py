"""Attacks on the box from within: what a hostile submission would try first.

Runs alone in a box of its own, before any student code, and reports which attacks failed.
Those that could harm a machine are left out unless the process namespace is proven private.
"""

import ctypes
import errno
import importlib.util
import json
import mmap
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CLONE_VM = 0x100
STACK = 2**14  # bytes for a process that only waits
NAMESPACES = ("pid", "net", "ipc", "mnt", "uts")
ENVIRONMENT = (
    "PATH", "HOME", "PWD", "LANG", "LC_CTYPE", "TZ", "GRADER_CHANNEL", "CUDA_VISIBLE_DEVICES", "KERAS_BACKEND",
    "ENABLE_RUNTIME_UPTIME_TELEMETRY", "HDF5_PLUGIN_PATH",
)  # fmt: skip
# Some of them TensorFlow and scikit-learn set themselves, where the warm parent has imported them.
ENVIRONMENT_PREFIXES = ("PYTHON", "OMP_", "OPENBLAS_", "MKL_", "NUMEXPR_", "TF_", "TF2_", "TPU_", "KMP_")


def attacks(facts: dict[str, Any]) -> Iterator[tuple[str, Callable[[], bool]]]:
    """Each protection with the attack that shows it; `facts` is what the grader knows of outside."""
    yield (
        "own_namespaces",
        lambda: all(os.readlink(f"/proc/self/ns/{name}") not in facts["namespaces"][name] for name in NAMESPACES),
    )
    yield "plain_user", _is_plain_user
    yield "no_new_privileges", lambda: _status("NoNewPrivs") == "1"
    yield "system_calls_filtered", _system_calls_are_refused
    yield "no_network", lambda: _no_network(facts["port"])
    yield "system_read_only", _nothing_is_writable
    yield "course_hidden", lambda: not any(Path(path).exists() for path in facts["hidden"])
    yield "checks_hidden", lambda: importlib.util.find_spec("autograder") is None or not _has_checks()
    yield "nothing_inherited", _nothing_is_inherited
    yield (
        "environment_empty",
        lambda: all(name in ENVIRONMENT or name.startswith(ENVIRONMENT_PREFIXES) for name in os.environ),
    )
    yield "memory_bounded", lambda: _refuses_memory(facts["process_memory"], facts["address_space"])
    yield "disk_bounded", lambda: _fills("/dev/shm", facts["shared_memory"]) and _fills("/tmp", facts["home_size"])
    yield "processes_bounded", lambda: _refuses_processes(facts["processes"])


def main() -> None:
    facts = json.loads(sys.argv[1])
    found: dict[str, bool] = {}
    private = False
    for name, attack in attacks(facts):
        dangerous = name in {"memory_bounded", "disk_bounded", "processes_bounded"}
        try:
            found[name] = bool(attack()) if private or not dangerous else False
        except Exception:
            found[name] = False
        private = private or (name == "own_namespaces" and found[name])
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ["GRADER_CHANNEL"])
        # As JSON: `protocol` brings NumPy and pandas, which would have to be imported first.
        connection.sendall(json.dumps(found).encode())


def _status(key: str) -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith(key + ":"))


def _is_plain_user() -> bool:
    no_capabilities = all(int(_status(name), 16) == 0 for name in ("CapEff", "CapPrm", "CapBnd"))
    return os.getuid() != 0 and no_capabilities


def _system_calls_are_refused() -> bool:
    library = ctypes.CDLL(None, use_errno=True)
    new_user_namespace, keyctl_describe = 0x10000000, {"x86_64": 250, "aarch64": 219}.get(os.uname().machine)
    refused = library.unshare(new_user_namespace) == -1 and ctypes.get_errno() == errno.EPERM
    if keyctl_describe is not None:
        ctypes.set_errno(0)
        refused = refused and library.syscall(keyctl_describe, 6, 0, 0, 0) == -1 and ctypes.get_errno() == errno.EPERM
    return refused


def _no_network(port: int) -> bool:
    """The grader listens on its own loopback address: from here that must not be reachable."""
    with socket.socket() as attempt:
        attempt.settimeout(1)
        reached = attempt.connect_ex(("127.0.0.1", port)) == 0
    return not reached and [name for _, name in socket.if_nameindex()] == ["lo"]


def _nothing_is_writable() -> bool:
    for folder in ("/", "/usr", "/etc", "/dev", "/run", "/opt/grader/boxed", sys.prefix, sys.base_prefix):
        try:
            Path(folder, "canary").write_text("x")
        except OSError:
            continue
        return False
    return True


def _nothing_is_inherited() -> bool:
    """In sight are the first process, which is closed, and this one; open are the streams, which lead nowhere."""
    processes = {int(path.name) for path in Path("/proc").glob("[0-9]*")}
    descriptors = {int(path.name) for path in Path("/proc/self/fd").iterdir() if path.exists() or path.is_symlink()}
    try:
        Path("/proc/1/mem").open("rb").close()
    except OSError:
        closed = True
    else:
        closed = False
    return closed and processes == {1, os.getpid()} and descriptors <= {0, 1, 2}


def _has_checks() -> bool:
    spec = importlib.util.find_spec("autograder")
    return any(Path(folder, "checks").exists() for folder in (spec.submodule_search_locations or [])) if spec else False


def _refuses_memory(limit: int, address_space: int) -> bool:
    """Neither as data nor as shared memory, which counts for no process's data. Nothing of it is touched."""
    for take in (lambda: bytearray(limit), lambda: mmap.mmap(-1, address_space)):
        try:
            take()
        except (MemoryError, OSError):
            continue
        return False
    return True


def _fills(folder: str, limit: int) -> bool:
    """Whether a folder is full at its limit, however many files share it."""
    block, written = 2**20, 0
    paths = [Path(folder, f"canary{number}") for number in range(3)]
    try:
        for path in paths:
            with path.open("wb") as file:
                begin = written
                while written <= limit:
                    try:
                        # Takes the room as writing does, in a third of the time.
                        os.posix_fallocate(file.fileno(), written - begin, block)
                        written += block
                    except OSError as error:
                        if error.errno == errno.ENOSPC:
                            return True
                        break  # this file is as long as a file may be: go on with the next
        return False
    finally:
        for path in paths:
            path.unlink(missing_ok=True)


def _refuses_processes(limit: int) -> bool:
    """They wait in this one's memory: to copy it for each of them would take seconds."""
    library = ctypes.CDLL(None, use_errno=True)
    wait = ctypes.cast(library.pause, ctypes.c_void_p)
    stacks = ctypes.create_string_buffer((limit + 1) * STACK)
    children = []
    try:
        for number in range(1, limit + 2):
            top = (ctypes.addressof(stacks) + number * STACK) & ~15
            child = library.clone(wait, ctypes.c_void_p(top), CLONE_VM | signal.SIGCHLD, None)
            if child == -1:
                return ctypes.get_errno() == errno.EAGAIN
            children.append(child)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return False
