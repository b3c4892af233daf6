"""A control group a box, so that memory is bounded for all its processes together."""

import contextlib
import itertools
import os
import time
from pathlib import Path
from typing import Protocol

ROOT = Path("/sys/fs/cgroup")
NAME = "lstm-autograder-"
_numbers = itertools.count()


class Group(Protocol):
    """Where a box's processes are counted."""

    folder: Path

    def out_of_memory(self) -> bool:
        """Whether the kernel ended a process of the group for its memory."""
        ...

    def remove(self) -> None:
        """Remove its folder, once its processes have ended."""
        ...


class _Version1:
    def __init__(self, parent: Path, limit: int) -> None:
        self.folder = parent / _name()
        self.folder.mkdir()
        (self.folder / "memory.limit_in_bytes").write_text(str(limit))
        swap = self.folder / "memory.memsw.limit_in_bytes"
        if swap.exists():
            swap.write_text(str(limit))

    def out_of_memory(self) -> bool:
        return _count(self.folder / "memory.oom_control", "oom_kill") > 0

    def remove(self) -> None:
        _remove(self.folder)


class _Version2:
    def __init__(self, parent: Path, limit: int) -> None:
        self.folder = parent / _name()
        self.folder.mkdir()
        (self.folder / "memory.max").write_text(str(limit))
        swap = self.folder / "memory.swap.max"
        if swap.exists():
            swap.write_text("0")

    def out_of_memory(self) -> bool:
        return _count(self.folder / "memory.events", "oom_kill") > 0

    def remove(self) -> None:
        _remove(self.folder)


def group(limit: int) -> Group | None:
    """A new group bounded to `limit` bytes, or None where this user may not make one."""
    version1 = ROOT / "memory"
    try:
        if (version1 / "memory.limit_in_bytes").exists():
            return _Version1(_own_group(version1), limit)
        if (ROOT / "cgroup.controllers").exists():
            (ROOT / "cgroup.subtree_control").write_text("+memory")
            return _Version2(ROOT, limit)
    except OSError:
        return None
    return None


def sweep() -> None:
    """Remove the groups of graders that are no more."""
    version1 = ROOT / "memory"
    parent = _own_group(version1) if (version1 / "memory.limit_in_bytes").exists() else ROOT
    for folder in parent.glob(f"{NAME}*"):
        pid = folder.name.removeprefix(NAME).split("-")[0]
        if not Path("/proc", pid).exists():
            with contextlib.suppress(OSError):
                folder.rmdir()


def _own_group(hierarchy: Path) -> Path:
    """This process's own group, so that a limit already set on it goes on holding."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory" and (hierarchy / path.lstrip("/")).is_dir():
            return hierarchy / path.lstrip("/")
    return hierarchy


def _name() -> str:
    return f"{NAME}{os.getpid()}-{next(_numbers)}"


def _count(file: Path, key: str) -> int:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return 0
    return sum(int(value) for name, value in (line.split() for line in lines) if name == key)


def _remove(folder: Path) -> None:
    """Remove the group, once the kernel has seen its last process out."""
    for _ in range(500):
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)
        else:
            return
