"""Boxes by fork: one parent a batch has imported what notebooks import, and every box starts as a copy of it.

The parent (`boxed/warm.py`) sits in a bubblewrap that shows what a box shows. A box leaves the parent's
namespaces, gets folders, limits and a user of its own as `plan` says, and is as closed as one that bubblewrap
makes: the canary attacks it as well.
"""

import atexit
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from autograder.box import seccomp
from autograder.box.limits import Limits
from autograder.box.sandbox import (
    ALONE,
    CHANNEL,
    HOME,
    OWN_FOLDERS,
    PACKAGE,
    Box,
    bubblewrap,
    directory,
    own_folder,
    prefixes,
    view,
)
from autograder.errors import BoxUnavailable

# What the parent needs to make boxes: nothing that reaches out of its own namespaces.
RIGHTS: Final = ("CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_NET_ADMIN", "CAP_CHOWN")
MOST_BYTES: Final = 2**16


class Parent:
    """The warm parent, as long as the `with` block runs. `address` is where boxes are asked for.

    Raises BoxUnavailable when it cannot be started.
    """

    def __init__(self, modules: Iterable[str] = ()) -> None:
        """`modules` are imported whenever nobody asks for a box."""
        bubblewrap()
        self._folder, self._lock = own_folder()
        self.address = str(self._folder / "warm")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(self.address)
            listener.listen(64)
            # It reads the end of this process from a pipe: bubblewrap alone would miss one in its own first moments.
            lifeline, self._lifeline = os.pipe()
            descriptors = [listener.fileno(), lifeline]
            self._process = subprocess.Popen(
                self._command(descriptors, modules),
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
            )
            os.close(lifeline)

    def _command(self, descriptors: list[int], modules: Iterable[str]) -> list[str]:
        command = [bubblewrap(), *ALONE, "--cap-drop", "ALL"]
        for right in RIGHTS:
            command += ["--cap-add", right]
        if os.geteuid() != 0:
            # A box's own user namespace maps this one's root, for which the kernel asks this right besides.
            command += ["--cap-add", "CAP_SETFCAP"]
            command += ["--unshare-user", "--uid", "0", "--gid", "0"]
        command += view(Limits(), directory(Path(CHANNEL).parent))
        start = f"import sys; sys.path.insert(0, {PACKAGE!r}); from boxed import warm; warm.main()"
        # Not isolated (-I), which would make it deaf to PYTHONHASHSEED; but nothing of its folder or its user.
        command += ["--chdir", HOME, "--", sys.executable, "-s", "-P", "-c", start]
        return [*command, *map(str, descriptors), *modules]

    @property
    def pid(self) -> int:
        """Of its process, as this machine counts them."""
        return self._process.pid

    def end(self) -> None:
        """End the parent, and every box that came from it."""
        if self._folder.exists():
            os.close(self._lifeline)
            self._process.kill()
            self._process.wait()
            shutil.rmtree(self._folder, ignore_errors=True)
            os.close(self._lock)

    def __enter__(self) -> "Parent":
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if kind is KeyboardInterrupt:
            atexit.register(self.end)  # after what workers may still bring to an end
        else:
            self.end()


class WarmBox(Box):
    """A box forked from the warm parent at `address`.

    Raises BoxUnavailable when the parent is no more, or cannot make a box here.
    """

    def __init__(
        self,
        address: str,
        limits: Limits,
        program: Sequence[str] = ("agent",),
        data: Iterable[Path] = (),
        modules: Iterable[str] = (),
    ) -> None:
        """`modules` are imported by the parent before it forks, if it has not yet."""
        self._address = address
        self._modules = tuple(modules)
        super().__init__(limits, program, data)

    def plan(self, program: Sequence[str]) -> dict[str, Any]:
        """All that makes the box, as `boxed/warm.py` carries it out."""
        limits = self.limits
        return {
            "program": program[0],
            "arguments": list(program[1:]),
            "modules": self._modules,
            "namespaces": ["mnt", "pid", "ipc", "net", "uts", "cgroup"],
            "has_group": self._group is not None,
            "folders": [["/dev/shm", limits.shared_memory], *([name, limits.home_size] for name in OWN_FOLDERS)],
            "kept": [str(one) for one in prefixes() if any(one.is_relative_to(name) for name in OWN_FOLDERS)],
            "home": HOME,
            "data": [path.name for path in self._data],
            "channel": CHANNEL,
            "limits": {
                "DATA": limits.process_memory,
                "AS": limits.address_space,
                "NPROC": limits.processes,
                "FSIZE": limits.file_size,
                "CORE": 0,
                "NOFILE": 1024,
                "MEMLOCK": 65536,
                "MSGQUEUE": 0,
            },
            "root": os.geteuid() == 0,
            "user": self._user,
            "filter": seccomp.code().hex(),
        }

    def _start(self, program: Sequence[str]) -> None:
        with contextlib.ExitStack() as files:
            descriptors = []
            if self._group is not None:
                descriptors.append(files.enter_context((self._group.folder / "cgroup.procs").open("wb")).fileno())
            descriptors += [files.enter_context(path.open("rb")).fileno() for path in self._data]
            self._lifeline = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                self._lifeline.settimeout(self.limits.start_seconds)
                self._lifeline.connect(self._address)
                socket.send_fds(self._lifeline, [json.dumps(self.plan(program)).encode()], descriptors)
                message, received, _, _ = socket.recv_fds(self._lifeline, MOST_BYTES, 2)
                told = json.loads(message) if message else {"error": "it ended"}
                if "error" in told:
                    raise OSError(told["error"])
            except (OSError, ValueError) as problem:
                self._lifeline.close()
                raise BoxUnavailable(f"The warm parent made no box: {problem}.") from problem
        self._pidfd, listener = received
        self._listener = socket.socket(fileno=listener)

    def complaint(self) -> str:
        """Always empty: why a box cannot be forked is in the BoxUnavailable that its start raises."""
        return ""

    def _is_over(self) -> bool:
        return self._ended_within(0)

    def _ended_within(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def _kill(self) -> None:
        """Its first process: the kernel then ends all others of the box before it says that this one has."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        self._ended_within(10)

    def _clear(self) -> None:
        self._lifeline.close()
        os.close(self._pidfd)

    def _is_lost(self) -> bool:
        return not namespaces(self._address)


def namespaces(address: str, seconds: float = 30) -> dict[str, str]:
    """Those of the warm parent, which no box may be in; empty when it is no more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(address)
            connection.send(b"{}")
            found: dict[str, str] = json.loads(connection.recv(MOST_BYTES))
        except (OSError, ValueError):
            return {}
    return found
