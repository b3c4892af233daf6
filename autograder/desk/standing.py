"""From points to a grade, step by step: what exports and tables read.

All numbers are exact fractions; a grade is rounded once, at the end, half up. What could not be graded stays open: it
is never counted as zero, and a grade with an open part is None, with what is safe beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from autograder.desk.clock import shown
from autograder.desk.policy.rules import Rules
from autograder.desk.word.words import Word

State = Literal["final", "open", "excused", "not handed in", "not due"]
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Graded:
    """What a grading found of one submission: points by exercise, None where it could not be graded.

    `handed_in` is when, None where that is not known.
    """

    student: str
    assignment: str
    points: Mapping[str, float | None]
    maximum: Mapping[str, float]
    handed_in: datetime | None = None


@dataclass(frozen=True)
class Step:
    """One line on the way from raw points to a mark: what happened, and the points after it; None: still open."""

    what: str
    after: Fraction | None


@dataclass(frozen=True)
class Mark:
    """One student's mark for one assignment.

    `points` are what counts, None while the mark is open, excused or not due. `safe` are those that it has in any case,
    `open_points` those that may be added; `steps` lead from the raw points to it. `comments` are for the student.
    """

    student: str
    assignment: str
    state: State
    points: Fraction | None
    maximum: Fraction
    safe: Fraction = Fraction(0)
    open_points: Fraction = Fraction(0)
    steps: tuple[Step, ...] = ()
    comments: tuple[str, ...] = ()
    days_late: int = 0


@dataclass(frozen=True)
class Standing:
    """One student's marks and grade; `grade` is None while a part is open, `safe` what it is at least by now."""

    student: str
    marks: tuple[Mark, ...]
    grade: Decimal | None
    safe: Decimal
    steps: tuple[str, ...] = field(default=())


def standings(
    graded: Iterable[Graded],
    words: Iterable[Word],
    rules: Rules,
    maxima: Mapping[str, float],
    students: Sequence[str],
    now: datetime,
) -> list[Standing]:
    """Each student's standing, in the order of `students`.

    `maxima` are the points of each assignment of the course; of several hand-ins the last in `graded` is the latest.
    """
    found: dict[tuple[str, str], list[Graded]] = {}
    for one in graded:
        found.setdefault((_alone_or_team(one.student, rules), one.assignment), []).append(one)
    said: dict[tuple[str, str], list[Word]] = {}
    for word in words:
        said.setdefault((word.student, word.assignment), []).append(word)
    standing = []
    for student in students:
        free = rules.late.free_days
        marks = []
        for name in sorted(maxima, key=lambda name: _due(name, rules)):
            tries = found.get((_alone_or_team(student, rules), name), [])
            mark, used = _mark(student, name, tries, said.get((student, name), []), rules, maxima[name], free, now)
            free -= used
            marks.append(mark)
        order = {name: place for place, name in enumerate(maxima)}
        standing.append(_graded(student, sorted(marks, key=lambda mark: order[mark.assignment]), rules))
    return standing


def _alone_or_team(student: str, rules: Rules) -> str:
    return f"team {rules.teams[student]}" if student in rules.teams else f"student {student}"


def _due(name: str, rules: Rules) -> tuple[float, str]:
    """By deadline, so that free days go to the earliest; those without one last."""
    deadline = rules.of(name).deadline
    return (deadline.timestamp() if deadline else float("inf")), name


def _mark(
    student: str, name: str, tries: list[Graded], words: list[Word], rules: Rules, most: float, free: int, now: datetime
) -> tuple[Mark, int]:
    """The mark, and how many free days it used."""
    maximum = _exact(most)
    comments = tuple(word.text for word in words if word.kind == "comment")
    blank = Mark(student, name, "not due", None, maximum, comments=comments)
    if any(word.kind == "excuse" for word in words):
        return replace(blank, state="excused", steps=(Step(f"excused{_by(words, 'excuse')}", None),)), 0
    given = [datetime.fromisoformat(word.text) for word in words if word.kind == "extension"]
    deadline = given[0] if given else rules.of(name).deadline
    whole = next((word for word in words if word.kind == "points" and word.exercise is None), None)
    if not tries and whole is None:
        if deadline is None or now <= deadline:
            return replace(blank, steps=(Step("nothing handed in yet", None),)), 0
        step = Step(f"nothing handed in by {shown(deadline, rules.zone)}", Fraction(0))
        return replace(blank, state="not handed in", points=Fraction(0), steps=(step,)), 0  # safe is 0 as well
    marks = [
        _of_try(blank, one, words, whole, rules, deadline, free) for one in tries or [Graded(student, name, {}, {})]
    ]
    best = rules.attempts == "best" or student in rules.teams
    mark = max(marks, key=lambda one: one.safe) if best else marks[-1]
    return mark, min(free, mark.days_late)


def _of_try(
    blank: Mark,
    graded: Graded,
    words: list[Word],
    whole: Word | None,
    rules: Rules,
    deadline: datetime | None,
    free: int,
) -> Mark:
    own = {word.exercise: word for word in words if word.kind == "points" and word.exercise is not None}
    points = {
        name: _exact(own[name].points or 0) if name in own else None if value is None else _exact(value)
        for name, value in graded.points.items()
    }
    safe = sum((value for value in points.values() if value is not None), Fraction(0))
    missing = sum((_exact(graded.maximum[name]) for name, value in points.items() if value is None), Fraction(0))
    steps = [Step(f"found by the grader{_open(missing)}", safe)] if graded.points else []
    if own:
        steps.append(Step(f"by a person, for {', '.join(sorted(map(str, own)))}{_by(words, 'points')}", safe))
    if whole is not None:
        safe, missing = _exact(whole.points or 0), Fraction(0)
        steps.append(Step(f"set by a person{_by([whole], 'points')}", safe))
    extra = sum((_exact(word.points or 0) for word in words if word.kind == "extra"), Fraction(0))
    if extra:
        safe = max(Fraction(0), safe + extra)
        steps.append(Step(f"extra {_plain(extra)}{_by(words, 'extra')}", safe))
    if any(word.kind == "flag" for word in words):
        steps.append(Step(f"flagged: look at it again{_by(words, 'flag')}", safe))
    days = 0
    if deadline is not None and graded.handed_in is None and graded.points:
        steps.append(Step("when it was handed in is not known: taken as in time", safe))
    elif deadline is not None and graded.handed_in is not None:
        days = _days_late(graded.handed_in, deadline, rules)
        if days:
            safe, missing = _late(steps, safe, missing, blank.maximum, days, free, rules)
    state: State = "open" if missing else "final"
    return replace(blank, state=state, points=None if missing else safe, safe=safe, open_points=missing,
                   steps=tuple(steps), days_late=days)  # fmt: skip


def _days_late(handed_in: datetime, deadline: datetime, rules: Rules) -> int:
    """Days begun after the deadline and its grace; 0 in time."""
    over = handed_in - deadline
    return 0 if over <= timedelta(minutes=rules.late.grace_minutes) else -(-over // _DAY)


def _late(
    steps: list[Step], safe: Fraction, missing: Fraction, maximum: Fraction, days: int, free: int, rules: Rules
) -> tuple[Fraction, Fraction]:
    """What the late rule leaves of the points, and of those that are open."""
    late = rules.late
    count = f"{days} day{'' if days == 1 else 's'} late"
    paid = max(0, days - free)
    if not paid:
        steps.append(Step(f"{count}: free days", safe))
        return safe, missing
    closed = late.closed_after_days is not None and days > late.closed_after_days
    if closed or late.percent_per_day is None:
        steps.append(Step(f"{count}: not accepted any more", Fraction(0)))
        return Fraction(0), Fraction(0)
    most = Fraction(100) if late.at_most_percent is None else late.at_most_percent
    percent = min(late.percent_per_day * paid, most)
    after = max(Fraction(0), safe - maximum * percent / 100)
    used = f", of these {days - paid} free" if days > paid else ""
    steps.append(Step(f"{count}{used}: {_plain(percent)} % of {_plain(maximum)}", after))
    return after, missing


def _graded(student: str, marks: list[Mark], rules: Rules) -> Standing:
    """The grade: the weighted mean of the groups, of each the weighted mean of its assignments."""
    reached, total, steps = Fraction(0), Fraction(0), []
    by_group: dict[str | None, list[Mark]] = {}
    for mark in marks:
        if mark.state not in {"excused", "not due"}:
            by_group.setdefault(rules.of(mark.assignment).group, []).append(mark)
    for group, own in by_group.items():
        rule = rules.groups.get(group or "")
        drop = rule.drop_lowest if rule else 0
        counted = sorted(own, key=lambda mark: mark.safe / mark.maximum)[min(drop, len(own) - 1) :]
        weights = [rules.of(mark.assignment).weight for mark in counted]
        if not any(weights):
            continue
        parts = (weight * mark.safe / mark.maximum for weight, mark in zip(weights, counted, strict=True))
        share = sum(parts, Fraction(0)) / sum(weights, Fraction(0))
        weight = rule.weight if rule else Fraction(1)
        total, reached = total + weight, reached + weight * share
        left = f", without the {len(own) - len(counted)} lowest" if len(own) > len(counted) else ""
        steps.append(f"{group or 'assignments'}: {_plain(100 * share)} % with the weight {_plain(weight)}{left}")
    safe = _rounded(reached / total * rules.out_of if total else Fraction(0), rules.decimals)
    settled = bool(total) and not any(mark.state == "open" for mark in marks)
    return Standing(student, tuple(marks), safe if settled else None, safe, tuple(steps))


def _rounded(value: Fraction, decimals: int) -> Decimal:
    """Half up: 0.05 to one decimal is 0.1. (Python's round goes to the even digit.)"""
    return Decimal(int(value * 10**decimals * 2 + 1) // 2).scaleb(-decimals)


def _exact(value: float) -> Fraction:
    """The decimal number that a person would write for it."""
    return Fraction(str(value))


def _plain(value: Fraction) -> str:
    return f"{float(value):.4g}"


def _open(missing: Fraction) -> str:
    return f", {_plain(missing)} points open" if missing else ""


def _by(words: Iterable[Word], kind: str) -> str:
    """Who said it and why, of the first such word."""
    word = next((one for one in words if one.kind == kind), None)
    parts = [part for part in ((f"by {word.by}" if word.by else ""), word.reason) if part] if word else []
    return f" ({'; '.join(parts)})" if parts else ""
