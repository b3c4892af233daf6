"""Minutes and money of grading and self-checks on GitHub: the tables in docs/actions.md.

    python benchmarks/actions_cost.py            prints them
    python benchmarks/actions_cost.py --write    puts them into docs/actions.md

Seconds for one submission are those that `benchmarks/grading.py` wrote last into `benchmarks/README.md`, with two
workers on two cores, which is what a runner of a private repository has. Limits and prices were GitHub's in November
2026.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from figures import first_number, write

DOCUMENT: Final = Path(__file__).resolve().parent.parent / "docs" / "actions.md"
PART: Final = "what Actions cost"

SECONDS: Final = {
    "03_numeric_data": first_number("03_numeric_data, 4 a batch", "warm, 2 workers"),
    "09_echo": first_number("09_echo, 3 a batch", "warm, 2 workers"),
}
CLASSES: Final = (30, 300, 3000)
CHANGED: Final = 0.1  # of a class hands in something new between one night and the next
PUSHES: Final = 4  # of one student, for one assignment

# Not measured on GitHub's machines: assumed, and worth a look after the first runs.
INSTALL: Final = 90.0  # until the environment stands, with pip's downloads from the cache
FETCH: Final = 1.0  # one repository, of which eight are fetched at once
MERGE: Final = 0.02  # one result

PRICE: Final = 0.006  # dollars a minute, two cores, private repository; public ones are free
# As the workflow has it: submissions before another machine is taken, and machines at most. Every plan runs 20 at once.
EACH, MOST = 40, 20


@dataclass(frozen=True)
class Plan:
    name: str
    minutes: int  # included in a month


PLANS: Final = (Plan("Free", 2000), Plan("Team", 3000), Plan("Enterprise", 50_000))


@dataclass(frozen=True)
class Grading:
    """One run of the workflow: billed minutes, each job's rounded up, and how long it takes."""

    billed: int
    machines: int
    wait: float

    @classmethod
    def of(cls, students: int, graded: int, seconds: float) -> "Grading":
        machines = min(MOST, math.ceil(graded / EACH))
        collect = INSTALL + students * FETCH / 8
        publish = INSTALL + students * MERGE
        share = math.ceil(graded / machines) if machines else 0
        grade = INSTALL + share * seconds
        billed = _minutes(collect) + machines * _minutes(grade) + _minutes(publish)
        return cls(billed, machines, (collect + (grade if machines else 0) + publish) / 60)


def _minutes(seconds: float) -> int:
    return math.ceil(seconds / 60)


def dollars(minutes: float) -> str:
    return f"${PRICE * minutes:,.2f}"


def tables() -> Iterator[str]:
    yield "One grading of one assignment, for a class in which everybody handed in:\n"
    yield "| students | assignment | machines | minutes | worth | ready after | again, 10 % changed | nothing changed |"
    yield "|---:|---|---:|---:|---:|---:|---:|---:|"
    for students in CLASSES:
        for name, seconds in SECONDS.items():
            full = Grading.of(students, students, seconds)
            again = Grading.of(students, math.ceil(CHANGED * students), seconds)
            nothing = Grading.of(students, 0, seconds)
            yield (
                f"| {students:,} | `{name}` | {full.machines} | {full.billed:,} | {dollars(full.billed)} "
                f"| {full.wait:.0f} min | {again.billed} min | {nothing.billed} min |"
            )
    yield ""
    yield "A month of it: four assignments like `09_echo`, each graded at its deadline, and every night in between:\n"
    yield "| students | minutes, with what the cache saves | without | " + " | ".join(
        f"{plan.name} ({plan.minutes:,} free), to pay" for plan in PLANS
    ) + " |"  # fmt: skip
    yield "|---:|---:|---:|" + "---:|" * len(PLANS)
    for students in CLASSES:
        deadline = Grading.of(students, students, SECONDS["09_echo"]).billed
        night = Grading.of(students, math.ceil(CHANGED * students), SECONDS["09_echo"]).billed
        saved, without = 4 * deadline + 26 * night, 30 * deadline
        pay = " | ".join(dollars(max(0, saved - plan.minutes)) for plan in PLANS)
        yield f"| {students:,} | {saved:,} | {without:,} | {pay} |"
    yield ""
    yield "Self-checks of that month, four pushes an assignment, if the course's organisation owns the repositories:\n"
    yield "| students | minutes | " + " | ".join(f"{plan.name}, to pay" for plan in PLANS) + " |"
    yield "|---:|---:|" + "---:|" * len(PLANS)
    push = _minutes(INSTALL + 20)
    for students in CLASSES:
        minutes = students * 4 * PUSHES * push
        pay = " | ".join(dollars(max(0, minutes - plan.minutes)) for plan in PLANS)
        yield f"| {students:,} | {minutes:,} | {pay} |"


def text() -> str:
    return "\n".join(tables())


def main(keep: Annotated[bool, typer.Option("--write", help="Put them into docs/actions.md.")] = False) -> None:
    """Print the tables."""
    if keep:
        write(DOCUMENT, PART, text())
    else:
        print(text())


if __name__ == "__main__":
    typer.run(main)
