"""One box: a bubblewrap with nothing in it but Python, the course's packages and a way to talk.

How it is closed, and why each line is there, is in `Box._command`.
"""

import contextlib
import enum
import fcntl
import itertools
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Self

from autograder.box import memory, seccomp
from autograder.box.limits import Limits
from autograder.boxed.reproducible import ONE_THREAD, REPRODUCIBLE
from autograder.errors import BoxUnavailable

INSIDE: Final = Path(__file__).resolve().parent.parent / "boxed"
PACKAGE: Final = "/opt/grader"
CHANNEL: Final = "/run/grader.sock"
HOME: Final = "/home/student"
OWN_FOLDERS: Final = ("/tmp", HOME)
# Namespaces and a life that ends with the grader's. As root no user namespace, see `Box._command`.
ALONE: Final = (
    "--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts",
    "--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", "box",
)  # fmt: skip
# Users of the boxes' own: a range that systems give neither to people nor to services nor to containers.
FIRST_USER: Final = 0x7000_0000
FOLDER: Final = "lstm-box-"

# Set on some machines because their processor needs it for right results.
FROM_OUTSIDE: Final = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_numbers = itertools.count()


def _unused_user() -> int:
    """A user for one box alone: the kernel counts processes by user, and no box may use up another's."""
    return FIRST_USER + os.getpid() % 2**22 * 64 + next(_numbers) % 64


def sweep() -> None:
    """Remove what the boxes of graders that were killed have left: nobody holds the lock on it."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        with contextlib.suppress(OSError):
            os.close(_locked(folder))
            shutil.rmtree(folder)
    memory.sweep()


def own_folder() -> tuple[Path, int]:
    """A new folder and its lock: named as a box's only once it is locked, so that no `sweep` takes it for left over."""
    new = Path(tempfile.mkdtemp(prefix="lstm-new-"))
    lock = _locked(new)
    return new.rename(new.with_name(FOLDER + new.name.removeprefix("lstm-new-"))), lock


def _locked(folder: Path) -> int:
    """The descriptor of a lock on the folder, which ends with this process. Raises OSError when another holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


class Ending(enum.Enum):
    """Why a box is no more."""

    MEMORY = "memory"
    DIED = "died"
    KILLED = "killed"
    LOST = "lost"  # with what it was forked from, so nobody in it is to blame


class Box:
    """A started box. `events` is the connection of its agent.

    Raises BoxUnavailable when bubblewrap is missing or does not start.
    """

    def __init__(self, limits: Limits, program: Sequence[str] = ("agent",), data: Iterable[Path] = ()) -> None:
        """`program` is a module of `autograder.boxed`, and its arguments; `data` is in its working folder."""
        self.limits = limits
        self._user = _unused_user()
        self._data = tuple(data)
        self._connections: list[socket.socket] = []
        self._ending: Ending | None = None
        self._group = memory.group(limits.memory)
        self.memory_is_grouped = self._group is not None
        try:
            self._start(program)
        except BaseException:
            if self._group is not None:
                self._group.remove()
            raise

    def _start(self, program: Sequence[str]) -> None:
        bubblewrap()
        self._folder, self._lock = own_folder()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._folder / "channel"))
        self._listener.listen(4)
        if os.geteuid() == 0:
            os.chown(self._folder / "channel", self._user, self._user)
        filter_descriptor = seccomp.program()
        try:
            self._process = subprocess.Popen(
                [*self._join_group(), *self._command(program, filter_descriptor)],
                pass_fds=[filter_descriptor],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
            )
        finally:
            os.close(filter_descriptor)
        os.set_blocking(self._stderr.fileno(), False)

    @property
    def _stderr(self) -> "subprocess._FileType":  # type: ignore[name-defined]
        assert self._process.stderr is not None
        return self._process.stderr

    def connection(self, seconds: float) -> socket.socket:
        """The box's next connection: first its agent's, later its kernel's.

        Raises EOFError when the box ended, TimeoutError when it did not connect in time.
        """
        self._listener.settimeout(0.05)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                self._connections.append(self._listener.accept()[0])
                return self._connections[-1]
            except TimeoutError:
                if self._is_over():
                    raise EOFError("the box ended before it connected") from None
        raise TimeoutError

    def complaint(self) -> str:
        """What the box's start wrote to its error stream, to tell an instructor why it failed."""
        data = os.read(self._stderr.fileno(), 4096) if self._process.poll() is not None else b""
        return data.decode("utf-8", "replace").strip()

    def is_out_of_memory(self) -> bool:
        """Whether the kernel ended a process of the box for its memory; False also where nobody counts it."""
        return self._group is not None and self._group.out_of_memory()

    def end(self, *, expected: bool = True) -> Ending:
        """End every process in the box and say whether it had ended before, and by what.

        Not `expected`: the box went silent, and that is to be explained.
        """
        if self._ending is None:
            self._ending = Ending.DIED if self._is_over() else Ending.KILLED
            self._kill()
            if self.is_out_of_memory():
                self._ending = Ending.MEMORY
            if self._group is not None:
                self._group.remove()
            for connection in (*self._connections, self._listener):
                connection.close()
            self._clear()
            if not expected and self._ending is not Ending.MEMORY and self._is_lost():
                self._ending = Ending.LOST
        return self._ending

    def _is_lost(self) -> bool:
        return False

    def _is_over(self) -> bool:
        return self._process.poll() is not None

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _clear(self) -> None:
        self._stderr.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    def _join_group(self) -> list[str]:
        if self._group is None:
            return []
        # Joined before bubblewrap starts, so that nothing in the box was ever outside the group.
        return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self._group.folder / "cgroup.procs")]

    def _command(self, program: Sequence[str], filter_descriptor: int) -> list[str]:
        limits, root = self.limits, os.geteuid() == 0
        command = [bubblewrap(), *ALONE]
        if not root:
            # As root a user namespace would make the box's root this machine's root; there a plain
            # user is taken instead (below). Everyone else gets a namespace of their own, and the last one.
            command += ["--unshare-user", "--disable-userns", "--uid", str(self._user), "--gid", str(self._user)]
        channel = ["--ro-bind", str(self._folder / "channel"), CHANNEL]
        data = [word for path in self._data for word in ("--ro-bind", str(path), f"{HOME}/{path.name}")]
        command += view(limits, [*directory(Path(CHANNEL).parent), *channel, *data])
        command += ["--chdir", HOME, "--seccomp", str(filter_descriptor), "--"]
        command += ["prlimit", f"--data={limits.process_memory}", f"--as={limits.address_space}"]
        command += [
            f"--nproc={limits.processes}",
            f"--fsize={limits.file_size}",
            "--core=0",
            "--nofile=1024",
            "--memlock=65536",
            "--msgqueue=0",
            "--",
        ]
        command += ["setpriv", "--no-new-privs", "--inh-caps=-all"]
        if root:
            command += ["--bounding-set=-all", f"--reuid={self._user}", f"--regid={self._user}", "--clear-groups"]
        module, *arguments = program
        start = f"import sys; sys.path.insert(0, {PACKAGE!r}); "
        start += f"from boxed import {module}; {module}.main()"
        return [*command, "--", sys.executable, "-I", "-c", start, *arguments]


def bubblewrap() -> str:
    """Where it is. Raises BoxUnavailable."""
    found = shutil.which("bwrap")
    if found is None:
        raise BoxUnavailable(
            "The box needs bubblewrap, which is not installed. "
            "On Debian and Ubuntu: sudo apt-get install bubblewrap (or run `make box`)."
        )
    return found


def view(limits: Limits, more: Iterable[str] = ()) -> list[str]:
    """bubblewrap's words for what a box sees: this machine's files read-only, folders of its own, no variable but ours.

    `more` are words for what else there is to see.
    """
    words = ["--proc", "/proc", "--dev", "/dev", "--size", str(limits.shared_memory), "--tmpfs", "/dev/shm"]
    for folder in OWN_FOLDERS:
        # Before the drop to a plain user the box's folders are root's.
        words += ["--perms", "1777", "--size", str(limits.home_size), "--tmpfs", folder]
    # After the folders of the box's own: the course may lie in one of the same name.
    words += [*_files(), *more]
    words += ["--chmod", "1777", "/dev/shm", "--remount-ro", "/dev", "--remount-ro", "/", "--clearenv"]
    for name, value in _environment().items():
        words += ["--setenv", name, value]
    return words


def directory(target: Path, made: set[Path] | None = None) -> Iterator[str]:
    """Words for a folder and those above it: bubblewrap makes missing parents closed to all users except root.

    Those in `made` are passed over, and the others put there; None: all are made.
    """
    made = set() if made is None else made
    for folder in reversed([target, *target.parents][:-1]):
        if folder not in made and not folder.is_relative_to("/usr"):
            made.add(folder)
            yield from ("--perms", "0755", "--dir", str(folder))


def _files() -> Iterator[str]:
    made: set[Path] = set()

    def bind(source: Path, target: Path) -> Iterator[str]:
        yield from directory(target.parent, made)
        yield from ("--ro-bind", str(source), str(target))

    yield from ("--ro-bind", "/usr", "/usr")
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/") / name
        if path.is_symlink():
            yield from ("--symlink", os.readlink(path), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
    for name in ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime"):
        if (Path("/etc") / name).exists():
            yield from bind(Path("/etc") / name, Path("/etc") / name)
    for prefix in prefixes():
        yield from bind(prefix, prefix)
    installed = Path(sysconfig.get_path("purelib")) / "autograder"
    if installed.exists():
        # Installed rather than linked, the grader lies among the packages: hide its checks.
        yield from ("--tmpfs", str(installed))
    yield from bind(INSIDE, Path(PACKAGE) / "boxed")


def prefixes() -> list[Path]:
    """Where Python and its packages lie, unless that is a folder of the system's."""
    found = {Path(one) for one in (sys.prefix, sys.base_prefix, os.path.realpath(sys.base_prefix))}
    return sorted(one for one in found if not one.is_relative_to("/usr"))


def _environment() -> dict[str, str]:
    outside = {name: os.environ[name] for name in FROM_OUTSIDE if name in os.environ}
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": HOME,
        "GRADER_CHANNEL": CHANNEL,
        "PYTHONDONTWRITEBYTECODE": "1",
        **REPRODUCIBLE,
        **ONE_THREAD,
        **outside,
    }
