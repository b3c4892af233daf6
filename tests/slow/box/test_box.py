"""The box holds, and the canary that says so can also say that it does not."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from helpers.plain_user import become, home
from helpers.submissions import COURSE

from autograder.box import Box, Limits, Parent, WarmBox, memory
from autograder.box.canary import PROTECTIONS, REQUIRED, observe
from autograder.boxed import protocol
from autograder.errors import BoxUnavailable

Command = list[str]
pytestmark = pytest.mark.long

PACKAGE = Path(sysconfig.get_path("purelib"))


@pytest.fixture(scope="module")
def warm() -> Iterator[str]:
    """A warm parent of these tests' own: the canary's many forks cost less the less it has imported."""
    with Parent() as parent:
        yield parent.address


@pytest.fixture(scope="module", params=["cold", "warm"])
def protections(request: pytest.FixtureRequest, warm: str) -> dict[str, bool]:
    return observe(Limits(), COURSE.private, warm if request.param == "warm" else None)


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_holds(name: str, protections: dict[str, bool]) -> None:
    assert protections[name], PROTECTIONS[name]


def without(*words: str) -> Callable[[Command], Command]:
    """The command without a run of words."""

    def change(command: Command) -> Command:
        start = next(i for i in range(len(command)) if command[i : i + len(words)] == list(words))
        return command[:start] + command[start + len(words) :]

    return change


def with_words(*words: str) -> Callable[[Command], Command]:
    """The command with words more, before its root becomes read-only."""

    def change(command: Command) -> Command:
        start = command.index("--remount-ro")
        return [*command[:start], *words, *command[start:]]

    return change


def without_word(prefix: str) -> Callable[[Command], Command]:
    return lambda command: [word for word in command if not word.startswith(prefix)]


def without_filter(command: Command) -> Command:
    start = command.index("--seccomp")
    return command[:start] + command[start + 2 :]


def with_large_shared_memory(command: Command) -> Command:
    start = command.index("/dev/shm")
    return [*command[: start - 2], str(1024 * 2**20), *command[start - 1 :]]


def with_a_secret(command: Command) -> Command:
    start = command.index("--clearenv") + 1
    return [*command[:start], "--setenv", "COURSE_TOKEN", "secret", *command[start:]]


HOLES: list[tuple[str, Callable[[Command], Command]]] = [
    ("own_namespaces", without("--unshare-ipc")),
    ("nothing_inherited", without("--unshare-pid")),
    ("no_network", without("--unshare-net")),
    ("system_calls_filtered", without_filter),
    ("system_read_only", with_words("--perms", "1777", "--tmpfs", "/etc")),
    ("course_hidden", with_words("--ro-bind", str(COURSE.root), str(COURSE.root))),
    ("checks_hidden", with_words("--ro-bind", str(COURSE.root / "autograder"), "/opt/grader/autograder")),
    ("environment_empty", with_a_secret),
    ("memory_bounded", without_word("--data=")),
    ("memory_bounded", without_word("--as=")),
    ("disk_bounded", with_large_shared_memory),
    ("processes_bounded", without_word("--nproc=")),
]


@pytest.mark.parametrize(("name", "hole"), HOLES)
def test_a_hole_is_seen(name: str, hole: Callable[[Command], Command], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each protection is taken away in turn: the canary must find the hole."""
    closed = Box._command

    def command(self: Box, program: Sequence[str], filter_descriptor: int) -> Command:
        return hole(closed(self, program, filter_descriptor))

    monkeypatch.setattr(Box, "_command", command)
    found = observe(Limits(), COURSE.private)
    assert not found[name]


Plan = dict[str, Any]


def changed(**parts: Any) -> Callable[[Plan], Plan]:
    return lambda plan: plan | parts


def without_namespace(name: str) -> Callable[[Plan], Plan]:
    return lambda plan: plan | {"namespaces": [one for one in plan["namespaces"] if one != name]}


def without_limit(name: str) -> Callable[[Plan], Plan]:
    return lambda plan: plan | {"limits": {key: most for key, most in plan["limits"].items() if key != name}}


def with_folder(path: str) -> Callable[[Plan], Plan]:
    return lambda plan: plan | {"folders": [*plan["folders"], [path, 1024 * 2**20]]}


WARM_HOLES: list[tuple[str, Callable[[Plan], Plan]]] = [
    ("own_namespaces", without_namespace("ipc")),
    ("own_namespaces", without_namespace("net")),
    ("plain_user", changed(user=0)),
    ("system_calls_filtered", changed(filter="")),
    ("system_read_only", with_folder("/etc")),
    ("nothing_inherited", without_namespace("pid")),
    ("memory_bounded", without_limit("DATA")),
    ("memory_bounded", without_limit("AS")),
    ("disk_bounded", with_folder("/dev/shm")),
    ("processes_bounded", without_limit("NPROC")),
]


@pytest.mark.parametrize(("name", "hole"), WARM_HOLES)
def test_a_hole_in_a_warm_box_is_seen(
    name: str, hole: Callable[[Plan], Plan], warm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = WarmBox.plan
    monkeypatch.setattr(WarmBox, "plan", lambda self, program: hole(closed(self, program)))
    found = observe(Limits(), COURSE.private, warm)
    assert not found[name]


WARM_PARENTS_HOLES: list[tuple[str, tuple[str, ...]]] = [
    ("course_hidden", ("--ro-bind", str(COURSE.root), "/course")),  # not below /tmp, which each box has anew
    ("environment_empty", ("--setenv", "COURSE_TOKEN", "secret")),
]


@pytest.mark.parametrize(("name", "words"), WARM_PARENTS_HOLES)
def test_a_hole_in_the_warm_parent_is_seen(name: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    closed = Parent._command

    def command(self: Parent, descriptors: list[int], modules: Iterable[str]) -> Command:
        words_before = closed(self, descriptors, modules)
        # Files before the root becomes read-only, variables after the environment has been cleared.
        place = words_before.index("--remount-ro" if words[0] == "--ro-bind" else "--chdir")
        return [*words_before[:place], *words, *words_before[place:]]

    monkeypatch.setattr(Parent, "_command", command)
    with Parent() as parent:
        found = observe(Limits(), [*COURSE.private, Path("/course/source")], parent.address)
    assert not found[name]


def doctor(*become: str) -> subprocess.CompletedProcess[str]:
    command = [*become, sys.executable, "-I", "-m", "autograder", "doctor"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=COURSE.root)


def test_holds_for_a_plain_user_too() -> None:
    """Without root the box is made in a user namespace, and the machine still grades for marks."""
    with home() as folder:
        run = doctor(*become(folder))
    assert run.returncode == 0, run.stdout + run.stderr
    assert "This machine can grade for marks." in run.stdout
    assert "user root" not in run.stdout


def test_refuses_where_user_namespaces_are_forbidden() -> None:
    """As on Ubuntu since 24.04: nothing is graded, and the sentence says what to do."""
    with home() as folder:
        run = doctor(*become(folder, namespaces=False))
    assert run.returncode == 3, run.stdout + run.stderr
    told = " ".join((run.stdout + run.stderr).split())
    assert "The box does not start here" in told
    assert "run the grader as root" in told


def test_memory_is_bounded_by_the_files_of_cgroup_version_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a tree of plain files, which shows what is written and read where; the kernel's part it cannot show."""
    monkeypatch.setattr(memory, "ROOT", tmp_path)
    assert memory.group(2**30) is None
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids")
    group = memory.group(2**30)
    assert group is not None
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory"
    assert (group.folder / "memory.max").read_text() == str(2**30)
    assert not group.out_of_memory()
    (group.folder / "memory.events").write_text("low 0\noom 2\noom_kill 0\n")
    assert not group.out_of_memory()
    (group.folder / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    assert group.out_of_memory()
    for file in group.folder.iterdir():
        file.unlink()  # the kernel's files go with the folder
    group.remove()
    assert not group.folder.exists()


def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(BoxUnavailable, match="sudo apt-get install bubblewrap"):
        Box(Limits())


@pytest.fixture
def talk(tmp_path: Path) -> Callable[..., object]:
    """Run a line of Python in a box whose program it is, and return what it sends."""

    def run(code: str, data: Sequence[Path] = ()) -> object:
        class Talker(Box):
            def _command(self, program: Sequence[str], filter_descriptor: int) -> Command:
                command = super()._command(program, filter_descriptor)
                start = "import os, socket, sys; sys.path.insert(0, '/opt/grader'); from boxed import protocol\n"
                send = "s = socket.socket(socket.AF_UNIX); s.connect(os.environ['GRADER_CHANNEL'])\n"
                return [*command[: command.index("-c")], "-c", f"{start}{send}protocol.send(s, protocol.pack({code}))"]

        with Talker(Limits(start_seconds=20), data=data) as box:
            return protocol.unpack(protocol.receive(box.connection(20), 20))

    return run


def test_data_lie_in_the_working_folder_and_cannot_be_changed(tmp_path: Path, talk: Callable[..., object]) -> None:
    data = tmp_path / "series.csv"
    data.write_text("1,2\n")
    assert talk("open('series.csv').read()", [data]) == "1,2\n"
    assert talk("[os.access('series.csv', os.W_OK), os.getcwd()]", [data]) == [False, "/home/student"]


def test_every_box_is_a_user_of_its_own(talk: Callable[..., object]) -> None:
    """The kernel counts processes by user: what one box uses up must not be missing in another."""
    if os.geteuid() == 0:
        assert len({talk("os.getuid()") for _ in range(3)}) == 3
    else:
        # Each box is in a user namespace of its own, which has its own count.
        assert len({talk("os.readlink('/proc/self/ns/user')") for _ in range(3)}) == 3


def test_nothing_is_left_of_a_box() -> None:
    with Box(Limits()) as box:
        folder, process = box._folder, box._process
        group = box._group
        assert folder.exists()
    assert not folder.exists()
    assert process.poll() is not None
    assert group is None or not group.folder.exists()


def test_nothing_is_left_of_a_warm_box(warm: str) -> None:
    with WarmBox(warm, Limits()) as box:
        group = box._group
        first = re.findall(r"^Pid:\t(\d+)", Path(f"/proc/self/fdinfo/{box._pidfd}").read_text(), re.MULTILINE)[0]
        assert Path("/proc", first).exists()
    # The first process of a namespace ends only when all others have; then its parent clears it away.
    until = time.monotonic() + 20
    while Path("/proc", first).exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path("/proc", first).exists()
    assert group is None or not group.folder.exists()


def test_the_packages_are_those_of_the_grader(talk: Callable[..., object]) -> None:
    import numpy

    assert talk("__import__('numpy').__version__") == numpy.__version__
    assert talk("sys.prefix") == sys.prefix
