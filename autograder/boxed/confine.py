"""Close a process in, as bubblewrap does for a box that starts cold: the system calls that Python has no words for.

Every step raises OSError when the kernel refuses it. `Confinement` is what to do, as the grader asked for it.
"""

import contextlib
import ctypes
import fcntl
import os
import resource
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

NAMESPACES: Final = {
    "mnt": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000, "pid": 0x20000000,
    "net": 0x40000000,
}  # fmt: skip
CLONE_NEWUSER: Final = 0x10000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
PR_SET_DUMPABLE, PR_SET_NAME, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 4, 15, 22, 24, 38
SECCOMP_MODE_FILTER: Final = 2
LINUX_CAPABILITY_VERSION_3: Final = 0x20080522
SIOCSIFFLAGS, IFF_UP = 0x8914, 1

_library = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def processes_apart(yes: bool) -> Iterator[None]:
    """What this process forks here is the first of a process namespace of its own; afterwards all is as it was."""
    if not yes:
        yield
        return
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    try:
        _unshare(NAMESPACES["pid"])
        yield
    finally:
        _checked(_library.setns(own, NAMESPACES["pid"]), "setns")
        os.close(own)


def separate(names: list[str]) -> None:
    """New namespaces for this process."""
    flags = 0
    for name in names:
        flags |= NAMESPACES[name]
    _unshare(flags)


def furnish(plan: dict[str, Any]) -> None:
    """A file system and a loopback of the box's own, over what the parent shows to all."""
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for name in ("sys", "sysrq-trigger", "irq", "bus"):
        if Path("/proc", name).exists():
            read_only(f"/proc/{name}", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    _mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    kept = {path: os.open(path, os.O_PATH | os.O_DIRECTORY) for path in plan["kept"]}
    for folder, size in plan["folders"]:
        _mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, f"mode=1777,size={size}")
    for path, descriptor in kept.items():
        _show_again(Path(path), descriptor)
    if "net" in plan["namespaces"]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def _show_again(path: Path, descriptor: int) -> None:
    """Python itself may lie in what is now a folder of the box's own: what the descriptor leads to, as read-only as it
    was, under its name."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o755)
    _mount(f"/proc/self/fd/{descriptor}", str(path), None, MS_BIND | MS_REC)
    os.close(descriptor)


def listen(path: str, user: int, *, root: bool) -> socket.socket:
    """The box's way to the grader, as a socket in a folder that nobody can change any more."""
    folder = str(Path(path).parent)
    _mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=64k")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(4)
    if root:
        os.chown(path, user, user)
    _mount(None, folder, None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    return listener


def read_only(path: str, flags: int = MS_NOSUID | MS_NODEV) -> None:
    """What is at `path` can be neither changed, nor moved, nor removed from now on."""
    _mount(path, path, None, MS_BIND | MS_REC)
    _mount(None, path, None, MS_REMOUNT | MS_BIND | MS_RDONLY | flags)


def limit(limits: dict[str, int]) -> None:
    for name, most in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


def drop(user: int, filter_: bytes, *, root: bool) -> None:
    """Become a user without rights, for good. Last of all: what else is done here needs the rights."""
    if not root:
        # Everyone's last user namespace, as bubblewrap makes it: no right over any mount above.
        me, group = os.geteuid(), os.getegid()
        _unshare(CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {me} 1")
        Path("/proc/self/gid_map").write_text(f"{user} {group} 1")
    for capability in range(64):
        if _library.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # there are no more
    if root:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = struct.pack("Ii", LINUX_CAPABILITY_VERSION_3, 0)
    _checked(_library.capset(header, bytes(24)), "capset")
    _checked(_library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    dumpable(False)
    if filter_:
        program = ctypes.create_string_buffer(filter_, len(filter_))
        described = struct.pack("HxxxxxxP", len(filter_) // 8, ctypes.addressof(program))
        _checked(_library.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, described, 0, 0), "seccomp")


def dumpable(yes: bool) -> None:
    """Whether other processes of the same user may look into this one's memory and descriptors."""
    _checked(_library.prctl(PR_SET_DUMPABLE, int(yes), 0, 0, 0), "dumpable")


def call_me(name: str) -> None:
    _checked(_library.prctl(PR_SET_NAME, name.encode(), 0, 0, 0), "name")


def _unshare(flags: int) -> None:
    _checked(_library.unshare(flags), "unshare")


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    words = [None if word is None else word.encode() for word in (source, target, kind, options)]
    place, name, type_, data = words
    _checked(_library.mount(place, name, type_, ctypes.c_ulong(flags), data), f"mount {target}")


def _checked(outcome: int, what: str) -> None:
    if outcome != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
