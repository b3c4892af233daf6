"""`autograder doctor`: can this machine grade, and what does its box protect against?"""

import os
import platform
import shutil
import subprocess

from rich.console import Console
from rich.table import Table

from autograder.batch.workers import workers_for
from autograder.box import Limits
from autograder.box.canary import PROTECTIONS, REQUIRED
from autograder.box.start import ready
from autograder.course import Course
from autograder.errors import BoxUnavailable
from autograder.seed import seed_file
from autograder.versions import missing, versions_here


def examine_machine(course: Course, console: Console) -> bool:
    """Print the environment and the box; true when grading for marks is possible here."""
    limits = Limits()
    console.print(f"[bold]Course[/]       {course.root}  ({len(course.names)} assignments)", soft_wrap=True)
    console.print(f"[bold]System[/]       {platform.platform()}, user {'root' if os.geteuid() == 0 else os.geteuid()}")
    versions = {name: found for name, found in versions_here().items() if name != "autograder"}
    console.print(f"[bold]Python[/]       {versions.pop('python')}")
    packages = versions | dict.fromkeys(missing(), "MISSING")
    console.print("[bold]Packages[/]     " + ", ".join(f"{name} {found}" for name, found in packages.items()))
    console.print(f"[bold]Bubblewrap[/]   {_bubblewrap()}")
    console.print(f"[bold]Workers[/]      {workers_for(limits)} at a time by default")
    console.print(
        f"[bold]Limits[/]       {limits.cell_seconds:.0f} s per cell, {limits.call_seconds:.0f} s per call, "
        f"{limits.total_seconds:.0f} s per submission; {limits.process_memory >> 20} MiB per process, "
        f"{limits.memory >> 20} MiB in all; {limits.processes} processes"
    )
    try:
        with ready(limits, [*course.private, seed_file()], ()) as start:
            protections = start.protections
    except BoxUnavailable as problem:
        console.print(str(problem), style="red", markup=False)
        return False
    way = "forked from a warm process" if start.parent else "cold: the warm start is not safe here"
    console.print(f"[bold]Start[/]        {way}")
    table = Table(
        title="What the box protects against, tested by attacking it", title_justify="left", header_style="bold"
    )
    table.add_column("works")
    table.add_column("protection")
    table.add_column("for marks")
    for name, meaning in PROTECTIONS.items():
        held = "[green]yes[/]" if protections[name] else "[red]NO[/]"
        table.add_row(held, meaning, "required" if name in REQUIRED else "better")
    console.print(table)
    able = all(protections[name] for name in REQUIRED)
    console.print("This machine can grade for marks." if able else "[red]This machine cannot grade for marks.[/]")
    return able


def _bubblewrap() -> str:
    path = shutil.which("bwrap")
    if path is None:
        return "not installed: sudo apt-get install bubblewrap"
    return subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout.strip()
