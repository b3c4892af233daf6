"""Which protections hold here: observed by attacking a box, not read from its options."""

import dataclasses
import functools
import json
import os
import socket
import time
from pathlib import Path
from typing import Final

from autograder.box.limits import MIB, Limits
from autograder.box.sandbox import Box, Ending
from autograder.box.warm import WarmBox, namespaces
from autograder.boxed.canary import NAMESPACES
from autograder.errors import BoxUnavailable

# What each protection means to whoever reads a result.
PROTECTIONS: Final = {
    "own_namespaces": "Own processes, network, users' files and names: others are not even visible",
    "plain_user": "Runs as a user without any rights on this machine",
    "no_new_privileges": "Cannot gain rights by running another program",
    "system_calls_filtered": "Kernel interfaces that no notebook needs are refused",
    "no_network": "No network, not even to this machine",
    "system_read_only": "Nothing of the system or its Python can be changed",
    "course_hidden": "The course's sources, solutions and other submissions are not there",
    "checks_hidden": "The hidden checks are not there",
    "nothing_inherited": "No process of the grader is visible, and none of its files is open",
    "environment_empty": "No variable of the grader's environment is there",
    "memory_bounded": "One process cannot take more memory than its limit",
    "disk_bounded": "Files and shared memory cannot become larger than their limit",
    "processes_bounded": "Cannot make more processes than its limit",
    "memory_of_all_bounded": "All processes together cannot take more memory than their limit",
}
# Without these, grading for marks is refused. The last needs a control group, which not every
# machine gives to a plain user; there the limits of each process and of their number still hold.
REQUIRED: Final = frozenset(PROTECTIONS) - {"memory_of_all_bounded"}

MOST_BYTES: Final = 2**16  # of a report


def observe(limits: Limits, hidden: list[Path], warm: str | None = None) -> dict[str, bool]:
    """Attack a box and return what held. `hidden` are paths that must not exist in it.

    With the address of a `warm` parent the box is forked from it; None: it starts cold. Raises BoxUnavailable when no
    box starts.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        warm_parents = namespaces(warm) if warm else {}
        facts = {
            "namespaces": {name: [os.readlink(f"/proc/self/ns/{name}"), warm_parents.get(name)] for name in NAMESPACES},
            "port": listener.getsockname()[1],
            "hidden": [str(path) for path in hidden],
            "process_memory": limits.process_memory,
            "address_space": limits.address_space,
            "shared_memory": limits.shared_memory,
            "home_size": limits.home_size,
            "processes": limits.processes,
        }
        # Two processes that together break a small limit: does the kernel end them for it?
        small = dataclasses.replace(limits, memory=96 * MIB)
        hogs = ("memory_hog", os.readlink("/proc/self/ns/pid"), str(64 * MIB))
        with _box(warm, limits, "canary", json.dumps(facts)) as box, _box(warm, small, *hogs) as crowd:
            try:
                found = _report(box.connection(limits.start_seconds), limits.start_seconds)
            except (EOFError, OSError, ValueError) as error:
                raise BoxUnavailable(_advice(box.complaint() or str(error))) from error
            together = _runs_out_of_memory(crowd)
    observed = {name: found.get(name) is True for name in PROTECTIONS}
    return observed | {"memory_of_all_bounded": together}


@functools.cache
def holds(limits: Limits, hidden: tuple[Path, ...]) -> bool:
    """Whether a box that starts cold has all that is required here: observed once a process."""
    protections = observe(limits, list(hidden))
    return all(protections[name] for name in REQUIRED)


def _box(warm: str | None, limits: Limits, *program: str) -> Box:
    return Box(limits, program) if warm is None else WarmBox(warm, limits, program)


def _report(connection: socket.socket, seconds: float) -> dict[str, object]:
    """What the canary found. Raises OSError or ValueError where it did not say."""
    connection.settimeout(seconds)
    with connection.makefile("rb") as file:
        found = json.loads(file.read(MOST_BYTES))
    if not isinstance(found, dict):
        raise ValueError("the canary's report cannot be read")
    return found


def _runs_out_of_memory(box: Box) -> bool:
    if not box.memory_is_grouped:
        return False
    until = time.monotonic() + 2
    while time.monotonic() < until and not box.is_out_of_memory():
        time.sleep(0.01)
    return box.end() is Ending.MEMORY


def _advice(complaint: str) -> str:
    advice = f"The box does not start here ({complaint or 'no reason given'}). "
    restricted = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    if os.geteuid() != 0 and restricted.exists() and restricted.read_text().strip() == "1":
        return advice + (
            "This machine does not let ordinary users make user namespaces (AppArmor, in Ubuntu since 24.04). "
            "Run the grader as root, or allow them: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
        )
    if os.geteuid() != 0:
        return advice + "Perhaps ordinary users may not make user namespaces here: run the grader as root."
    return advice + "Run `autograder doctor` for more."
