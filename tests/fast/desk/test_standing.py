"""From points to a grade: the order of the rules, and what stays open."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from helpers.submissions import COURSE
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from autograder.cli import app
from autograder.desk.document import Document
from autograder.desk.policy import rules as policy
from autograder.desk.standing import Graded, Mark, Standing, standings
from autograder.desk.word.words import Word
from autograder.errors import DeskError

A, B, C = "00_orientation", "03_numeric_data", "09_echo"
MAXIMA = {A: 3.0, B: 10.0, C: 10.0}
NOW = datetime(2026, 12, 10, tzinfo=UTC)
DUE = datetime(2026, 12, 1, 12, tzinfo=UTC)
DEADLINES = "".join(f"[assignments.{name}]\ndeadline = 2026-12-01T12:00:00Z\n" for name in MAXIMA)


def rules(text: str) -> policy.Rules:
    return policy.parse(Document(text, "course.toml"), MAXIMA, {"ada", "bob"})


def graded(name: str, *points: float | None, hours: float | None = None, student: str = "ada") -> Graded:
    each = MAXIMA[name] / len(points)
    found = {f"e{place}": value for place, value in enumerate(points)}
    return Graded(
        student, name, found, dict.fromkeys(found, each), None if hours is None else DUE + timedelta(hours=hours)
    )


def ada(text: str, *found: Graded, words: tuple[Word, ...] = (), now: datetime = NOW) -> Standing:
    return standings(found, words, rules(text), MAXIMA, ["ada"], now)[0]


def mark(text: str, *found: Graded, words: tuple[Word, ...] = (), name: str = B) -> Mark:
    return next(one for one in ada(text, *found, words=words).marks if one.assignment == name)


def test_without_rules_the_grade_is_the_mean() -> None:
    one = ada("", graded(B, 5, 2.5), graded(C, 10.0))
    assert [each.state for each in one.marks] == ["not due", "final", "final"]
    assert (one.grade, one.safe) == (Decimal("87.5"), Decimal("87.5"))


def test_what_could_not_be_graded_stays_open_and_is_no_zero() -> None:
    one = mark("", graded(B, 5, None))
    assert (one.state, one.points) == ("open", None)
    assert one.safe == one.open_points == 5
    found = ada("", graded(B, 5, None), graded(C, 10.0))
    assert (found.grade, found.safe) == (None, Decimal("75.0"))


def test_a_person_closes_what_was_open() -> None:
    word = Word("ada", B, "e1", "points", 4.0, "", "read by hand", "M.")
    one = mark("", graded(B, 5, None), words=(word,))
    assert one.state == "final"
    assert one.points == 9
    assert "by a person, for e1 (by M.; read by hand)" in [step.what for step in one.steps]
    whole = Word("ada", B, None, "points", 7.5, "", "oral")
    assert mark("", graded(B, None, None), words=(whole,)).points == Fraction("7.5")
    assert mark("", words=(whole,)).points == Fraction("7.5"), "also where nothing was handed in"
    flag = Word("ada", B, None, "flag", None, "yes", "copied?")
    assert "flagged: look at it again (copied?)" in [
        step.what for step in mark("", graded(B, 5, 5), words=(flag,)).steps
    ]
    extra = Word("ada", B, None, "extra", 2.0)
    assert mark("", graded(B, 5, 5), words=(extra,)).points == 12


LATE = DEADLINES + "[late]\ngrace_minutes = 30\npercent_per_day = 10\nat_most_percent = 50\nclosed_after_days = 9\n"


@pytest.mark.parametrize(
    ("hours", "points"),
    [(None, 8), (-1, 8), (0.5, 8), (0.51, 7), (24, 7), (24.1, 6), (24 * 8, 3), (24 * 9, 3), (24 * 9 + 1, 0)],
)
def test_lateness_costs_by_the_day_begun(hours: float | None, points: float) -> None:
    assert mark(LATE, graded(B, 8.0, hours=hours)).points == points


def test_free_days_go_to_the_earliest_deadline_and_extensions_are_ones_own() -> None:
    free = LATE.replace("12-01T12", "12-01T11", 1) + "free_days = 2\n"  # lesson 00 an hour earlier
    one = ada(free, graded(A, 3.0, hours=20), graded(B, 8.0, hours=47), graded(C, 9.0, hours=30))
    assert [each.points for each in one.marks] == [3, Fraction(7), 7]
    word = Word("ada", B, None, "extension", None, (DUE + timedelta(days=3)).isoformat())
    assert mark(LATE, graded(B, 8.0, hours=70), words=(word,)).points == 8


def test_late_is_not_accepted_where_no_rule_says_what_it_costs() -> None:
    assert mark(DEADLINES, graded(B, 8.0, hours=1)).points == 0


def test_nothing_handed_in_counts_only_after_the_deadline() -> None:
    late = ada(DEADLINES, graded(B, 10.0, hours=-1))
    assert [each.state for each in late.marks] == ["not handed in", "final", "not handed in"]
    assert late.grade == Decimal("33.3")
    early = ada(DEADLINES, graded(B, 10.0, hours=-30), now=DUE - timedelta(days=1))
    assert ([each.state for each in early.marks], early.grade) == (["not due", "final", "not due"], Decimal("100.0"))
    word = Word("ada", C, None, "excuse", None, "yes", "ill")
    assert ada(DEADLINES, graded(B, 10.0, hours=-1), words=(word,)).grade == Decimal("50.0")


def test_groups_weights_and_the_lowest_dropped() -> None:
    text = (
        f"[groups.lessons]\nweight = 60\ndrop_lowest = 1\n[groups.project]\nweight = 40\n[assignments.{A}]\n"
        f'group = "lessons"\n[assignments.{B}]\ngroup = "lessons"\n[assignments.{C}]\ngroup = "project"\n'
    )
    one = ada(text, graded(A, 3.0), graded(B, 2.0), graded(C, 5.0))
    assert one.grade == Decimal("80.0")
    assert "without the 1 lowest" in one.steps[0]


def test_best_or_last_and_teams() -> None:
    first, second = graded(B, 9.0), graded(B, 4.0)
    assert mark("", first, second).points == 4
    assert mark('[attempts]\ncount = "best"\n', first, second).points == 9
    other = graded(B, 6.0, student="bob")
    assert mark('[teams]\nblue = ["ada", "bob"]\n', second, other).points == 6


@pytest.mark.parametrize(("points", "grade"), [(8.445, "84.5"), (8.44499, "84.4"), (0.005, "0.1"), (10, "100.0")])
def test_the_grade_is_rounded_once_and_half_up(points: float, grade: str) -> None:
    assert ada("", graded(B, points)).grade == Decimal(grade)


points = st.integers(0, 40).map(lambda n: n / 4)


@given(points, points, st.sampled_from([None, -1.0, 5.0, 60.0, 400.0]), st.booleans())
def test_more_points_are_never_a_lower_grade(low: float, more: float, hours: float | None, open_: bool) -> None:
    high = min(10.0, low + more)
    rest = (graded(C, 5, None) if open_ else graded(C, 10.0), graded(A, 1.0))
    worse, better = (ada(LATE, graded(B, value, hours=hours), *rest) for value in (low, high))
    assert worse.safe <= better.safe
    assert (worse.grade is None) == (better.grade is None) == open_
    assert all(one.points is None for each in (worse, better) for one in each.marks if one.state == "open")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[course]\nzone = 'Europe/Lisboa'", "course.toml, line 2: there is no time zone `Europe/Lisboa`"),
        ("[late]\npercent_per_day = 101", "line 2: `percent_per_day` is 101; it must be 0 to 100."),
        (
            "[assignments.03_numeric]\nweight = 1",
            "line 1: there is no assignment `03_numeric`. Is `03_numeric_data` meant?",
        ),
        ('[assignments.09_echo]\ngroup = "x"', "line 2: there is no table [groups.x]."),
        ('[teams]\na = ["ada"]\nb = ["ada"]', "line 3: `ada` is in the team `a` already."),
        ('[attempts]\ncount = "first"', "line 2: `count` must be one of best, last."),
        ("[deadlines]", "line 1: `deadlines` is not known here."),
        ("[course]\nout_of = 0", "line 2: `out_of` must be more than 0."),
        ("late = 3", "line 1: `late` must be a table, as [late]."),
    ],
)
def test_a_wrong_rule_is_told_with_its_line(text: str, says: str) -> None:
    with pytest.raises(DeskError) as told:
        rules(text)
    assert says in str(told.value)


def test_the_commands_write_a_word_and_show_the_way(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    exercises = [
        {"id": "normalize", "points": 3.0, "max_points": 3.0}, {"id": "invert", "points": None, "max_points": 2.0},
        {"id": "standardize", "points": 1.0, "max_points": 3.0},
        {"id": "which-scaler", "points": 0.0, "max_points": 2.0},
    ]  # fmt: skip
    listed = [{"student": "ada", "assignment": B, "exercises": exercises}]
    (results / "results.json").write_text(json.dumps(listed))
    words, terminal = tmp_path / "marks.toml", CliRunner(env={"COLUMNS": "160"})
    course = ["--course", str(COURSE.root), "--words", str(words)]
    shown = terminal.invoke(app, ["marks", str(results), *course])
    assert shown.exit_code == 0, shown.output
    assert "4 + 2 open" in shown.output
    assert "40.0 or more" in shown.output
    said = ["mark", "ada", B, "invert", "--points", "2", "--reason", "seen", "--by", "M."]
    assert terminal.invoke(app, [*said, *course]).exit_code == 0
    again = terminal.invoke(app, [*said, *course])
    assert again.exit_code == 2
    shown = terminal.invoke(app, ["marks", str(results), "--student", "ada", *course])
    assert "by a person, for invert (by M.; seen)" in shown.output
    assert "grade: 60.0" in shown.output
    assert terminal.invoke(app, ["marks", str(results), "--student", "adda", *course]).exit_code == 2
    assert terminal.invoke(app, ["marks", str(tmp_path), *course]).exit_code == 2
