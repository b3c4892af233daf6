"""`course.toml`: the rules of a course, read strictly.

    [course]
    name = "LSTM networks"
    zone = "Pacific/Auckland"             # times without an offset are of this zone; default UTC
    out_of = 100                          # what a perfect grade is
    decimals = 1                          # of the grade, rounded once, half up

    [assignments.03_numeric_data]
    deadline = 2026-12-01T23:59:00
    weight = 2                            # default 1; within its group
    group = "lessons"

    [late]
    grace_minutes = 10
    percent_per_day = 10                  # of the maximum, for each day begun; without it late is never accepted
    at_most_percent = 50
    free_days = 3                         # a student's, for the whole course
    closed_after_days = 7                 # later than this counts as not handed in

    [attempts]
    count = "last"                        # or "best"

    [groups.lessons]
    weight = 60
    drop_lowest = 1

    [teams]
    blue = ["ada", "bob"]                 # the best hand-in of a team is that of all its members

Everything may be left out: then there is no deadline, all assignments weigh the same, and the last hand-in counts.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from autograder.desk.clock import NoSuchTime, moment
from autograder.desk.document import Document, Table, nearest
from autograder.text import plain

FILE: Final = "course.toml"
PARTS: Final = {"course", "assignments", "late", "attempts", "groups", "teams"}
Attempts = Literal["last", "best"]


@dataclass(frozen=True)
class AssignmentRule:
    """`deadline` has an offset; None: there is none. `weight` is within its `group`; None: in no group."""

    deadline: datetime | None = None
    weight: Fraction = Fraction(1)
    group: str | None = None


@dataclass(frozen=True)
class LateRule:
    """What lateness costs. `percent_per_day` is of the assignment's maximum; None: nothing late is accepted.

    `at_most_percent` bounds it; None: down to zero. `closed_after_days` None: late is accepted without an end.
    """

    grace_minutes: int = 0
    percent_per_day: Fraction | None = None
    at_most_percent: Fraction | None = None
    free_days: int = 0
    closed_after_days: int | None = None


@dataclass(frozen=True)
class GroupRule:
    """Some assignments together: their weight in the grade, and how many of the lowest do not count."""

    weight: Fraction = Fraction(1)
    drop_lowest: int = 0


@dataclass(frozen=True)
class Rules:
    """All of a course's rules. `teams` gives each member's team; who is in none is alone."""

    name: str = ""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    out_of: Fraction = Fraction(100)
    decimals: int = 1
    assignments: dict[str, AssignmentRule] = field(default_factory=dict)
    late: LateRule = LateRule()
    attempts: Attempts = "last"
    groups: dict[str, GroupRule] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)

    def of(self, assignment: str) -> AssignmentRule:
        """The assignment's own rule, or the one for those that the file does not name."""
        return self.assignments.get(assignment, AssignmentRule())


def read(path: Path, assignments: Collection[str], students: Collection[str] | None = None) -> Rules:
    """The rules in the file; where there is none, those of a course without any.

    `assignments` are those of the course, `students` who may be named; None: anybody. Raises DeskError with the line.
    """
    return parse(Document.read(path), assignments, students)


def parse(document: Document, assignments: Collection[str], students: Collection[str] | None = None) -> Rules:
    """As `read`, of a document; `students` None: anybody. Raises DeskError."""
    document.only(PARTS)
    course = document.table(("course",), {"name", "zone", "out_of", "decimals"})
    zone = _zone(course)
    groups = {name: _group(document, name) for name in _names(document, "groups")}
    rules = {}
    for name in _names(document, "assignments"):
        table = document.table(("assignments", name), {"deadline", "weight", "group"})
        if name not in assignments:
            raise document.fault(("assignments", name), f"there is no assignment `{plain(name, 60)}`."
                                                        f"{nearest(name, assignments)}")  # fmt: skip
        rules[name] = _assignment(table, zone, groups)
    return Rules(
        name=course.text("name") or "",
        zone=zone,
        out_of=_positive(course, "out_of", Fraction(100)),
        decimals=_decimals(course),
        assignments=rules,
        late=_late(document.table(("late",), LateRule.__dataclass_fields__.keys())),
        attempts=cast(Attempts, document.table(("attempts",), {"count"}).one_of("count", {"last", "best"}) or "last"),
        groups=groups,
        teams=_teams(document, students),
    )


def _names(document: Document, part: str) -> list[str]:
    table = document.data.get(part, {})
    if not isinstance(table, dict):
        raise document.fault((part,), f"`{part}` must be a table, as [{part}].")
    return list(table)


def _zone(course: Table) -> ZoneInfo:
    name = course.text("zone") or "UTC"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise course.fault("zone", f"there is no time zone `{plain(name, 60)}`; write it as Europe/Lisbon."
                                   f"{nearest(name, available_timezones())}") from error  # fmt: skip


def _positive(table: Table, key: str, default: Fraction) -> Fraction:
    value = table.number(key, 0)
    if value == 0:
        raise table.fault(key, f"`{key}` must be more than 0.")
    return default if value is None else value


def _decimals(course: Table) -> int:
    value = course.whole("decimals")
    if value is not None and value > 6:
        raise course.fault("decimals", "`decimals` must be 0 to 6.")
    return 1 if value is None else value


def _assignment(table: Table, zone: ZoneInfo, groups: Collection[str]) -> AssignmentRule:
    written, group = table.moment("deadline"), table.text("group")
    try:
        deadline = None if written is None else moment(written, zone)
    except NoSuchTime as problem:
        raise table.fault("deadline", f"{problem}") from problem
    if group is not None and group not in groups:
        raise table.fault("group", f"there is no table [groups.{plain(group, 60)}].{nearest(group, groups)}")
    weight = table.number("weight", 0)
    return AssignmentRule(deadline, Fraction(1) if weight is None else weight, group)


def _late(table: Table) -> LateRule:
    return LateRule(
        grace_minutes=table.whole("grace_minutes") or 0,
        percent_per_day=table.number("percent_per_day", 0, 100),
        at_most_percent=table.number("at_most_percent", 0, 100),
        free_days=table.whole("free_days") or 0,
        closed_after_days=table.whole("closed_after_days"),
    )


def _group(document: Document, name: str) -> GroupRule:
    table = document.table(("groups", name), {"weight", "drop_lowest"})
    weight = table.number("weight", 0)
    return GroupRule(Fraction(1) if weight is None else weight, table.whole("drop_lowest") or 0)


def _teams(document: Document, students: Collection[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    names = _names(document, "teams")
    table = document.table(("teams",), names)
    for name in names:
        for student in table.texts(name):
            if students is not None and student not in students:
                raise table.fault(name, f"there is no student `{plain(student, 60)}`.{nearest(student, students)}")
            if student in found:
                raise table.fault(name, f"`{plain(student, 60)}` is in the team `{found[student]}` already.")
            found[student] = name
    return found
