"""The hidden checks are collected once in a process, and each examination runs them as if for the first time."""

import multiprocessing
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from helpers.submissions import COURSE

from autograder import course as courses
from autograder.box import Limits
from autograder.box.bounds import Meter, Unanswered
from autograder.box.replies import Answer
from autograder.box.session import Session
from autograder.errors import BoxUnavailable
from autograder.examination import examine as examining
from autograder.examination.examine import Evidence, examine
from autograder.examination.hidden_checks import HiddenChecks, hidden_checks
from autograder.examination.own_answers import LocalKernel
from autograder.submission.restoration import Restored

LESSON = "00_orientation"
EXERCISE = next(one.id for one in COURSE.assignment(LESSON).exercises)
HEAD = """
import pytest
from hypothesis import given, strategies

from autograder.examination.expectations import Wrong
"""
CHECK = f'@pytest.mark.exercise(id="{EXERCISE}", share=1, read="The answer")\n'
DOUBLES = (
    HEAD
    + CHECK
    + '''
@given(number=strategies.integers(0, 9))
def test_doubles(student, number):
    """It doubles."""
    if student.double(number) != 2 * number:
        raise Wrong(f"No double of {number}.")
'''
)


@pytest.fixture(scope="module")
def apart() -> Iterator[ProcessPoolExecutor]:
    """A process of its own: one pytest does not run within another."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def with_checks(checks: str, folder: Path) -> courses.Assignment:
    """The lesson with these as its hidden checks."""
    mock.patch.object(courses, "CHECKS", folder).start()  # in this process, until it ends
    courses._read.cache_clear()
    (folder / f"{LESSON}.py").write_text(checks, encoding="utf-8")
    return courses.Course(COURSE.root).assignment(LESSON)


def evidence(checks: str, folder: Path, *answers: str) -> list[Evidence]:
    """What examining each of these answers, one after the other, comes to."""
    assignment = with_checks(checks, folder)
    found = []
    for answer in answers:
        space: dict[str, Any] = {}
        exec(answer, space)
        found += examine(assignment, LocalKernel(space), {EXERCISE: 11}, [EXERCISE])
    return found


RIGHT = "def double(number): return 2 * number"
WRONG = "def double(number): return number"


def test_no_examination_reaches_the_next(apart: ProcessPoolExecutor, tmp_path: Path) -> None:
    found = apart.submit(evidence, DOUBLES, tmp_path, RIGHT, WRONG, RIGHT, "", WRONG).result()
    assert [one.credit for one in found] == [1, 0, 1, 0, 0]
    assert found[1] == found[4]
    assert "No double of 1. Called: double(1)." in found[1].message  # the smallest
    assert found[3].undefined


def collections(folder: Path) -> list[bool]:
    first, again, other = (hidden_checks(with_checks(text, folder)) for text in (DOUBLES, DOUBLES, GIVES_HALF))
    return [first is again, first is other, [one.name for one in other.checks] == ["test_part"]]


def test_they_are_collected_once_for_a_file_as_it_is(apart: ProcessPoolExecutor, tmp_path: Path) -> None:
    assert apart.submit(collections, tmp_path).result() == [True, False, True]


def test_a_changed_file_is_not_taken_for_the_one_before(apart: ProcessPoolExecutor, tmp_path: Path) -> None:
    assert apart.submit(evidence, DOUBLES, tmp_path, WRONG).result()[0].credit == 0
    assert apart.submit(evidence, DOUBLES.replace("2 * number", "number"), tmp_path, WRONG).result()[0].credit == 1


def changed_meanwhile(folder: Path) -> list[Evidence]:
    assignment = with_checks(DOUBLES, folder)
    assert assignment.checks_text == DOUBLES
    (folder / f"{LESSON}.py").write_text(DOUBLES.replace("2 *", "3 *"), encoding="utf-8")
    return examine(assignment, LocalKernel({}), {EXERCISE: 11}, [EXERCISE])


def test_no_result_comes_from_other_checks_than_its_record_says(apart: ProcessPoolExecutor, tmp_path: Path) -> None:
    [found] = apart.submit(changed_meanwhile, tmp_path).result()
    assert (found.credit, found.cause) == (None, "grader")
    assert "their file has changed since this grading began" in found.message


DRAWS = (
    HEAD
    + CHECK
    + """
@given(drawn=strategies.lists(strategies.one_of(strategies.integers(), strategies.floats(), strategies.text())))
def test_what_is_drawn(student, drawn):
    student.take(drawn)
"""
)


def drawn(folder: Path, *loaded: str) -> list[str]:
    """What the student's function is given by these checks, once those of other lessons have been loaded."""
    course = courses.Course(COURSE.root)
    for name in loaded:
        assert hidden_checks(course.assignment(name)).checks
    space: dict[str, Any] = {"calls": []}
    exec("def take(drawn): calls.append(repr(drawn))", space)
    examine(with_checks(DRAWS, folder), LocalKernel(space), {EXERCISE: 11}, [EXERCISE])
    calls: list[str] = space["calls"]
    return calls


def test_inputs_do_not_follow_from_what_else_was_graded(tmp_path: Path) -> None:
    found = []
    for loaded in ((), ("03_numeric_data", "07_missing_timesteps", "10_deep_forecaster")):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            found.append(pool.submit(drawn, tmp_path, *loaded).result())
    assert len(found[0]) == 30
    assert found[0] == found[1]


OTHER = "another"
CHANCE = (
    HEAD
    + CHECK
    + """
def test_takes_many(student):
    student.numbers(100)

"""
    + CHECK.replace(EXERCISE, OTHER)
    + """
def test_takes_two(student):
    raise Wrong(f"What came back: {student.numbers(2)}.")
"""
)
NUMBERS = """
import random
import numpy
def numbers(n): return [(random.random(), numpy.random.rand()) for _ in range(n)]
"""


def with_chance(folder: Path, *exercises: str) -> list[str]:
    space: dict[str, Any] = {}
    exec(NUMBERS, space)
    seeds = {EXERCISE: 11, OTHER: 12}
    found = examine(with_checks(CHANCE, folder), LocalKernel(space), seeds, exercises)
    return [one.message for one in found if one.check.exercise == OTHER]


def test_an_answer_that_draws_gets_the_same_whatever_was_examined_before(
    apart: ProcessPoolExecutor, tmp_path: Path
) -> None:
    alone, again, after = (
        apart.submit(with_chance, tmp_path, *names).result() for names in ((OTHER,), (OTHER,), (EXERCISE, OTHER))
    )
    assert alone == again == after
    assert "What came back: [(0." in alone[0]


KEEPS = (
    HEAD
    + CHECK
    + """
def test_back(student):
    if student.back(student.make()) != 1:
        raise Wrong("Not what was made.")
"""
)
THING = """
class Thing: n = 1
def make(): return Thing()
def back(thing): return thing.n
"""


class Losing:
    """A kernel whose box is lost at some of the requests, counted from 1: the next knows nothing of what it kept."""

    def __init__(self, *at: int) -> None:
        self.at, self.asked = at, 0
        self.kernel = self.new()

    def new(self) -> LocalKernel:
        space: dict[str, Any] = {}
        exec(THING, space)
        return LocalKernel(space)

    def ask(self, request: dict[str, Any]) -> Answer:
        self.asked += 1
        if self.asked in self.at:
            self.kernel = self.new()
            raise Unanswered("box", "The process that boxes are forked from has ended.")
        return self.kernel.ask(request)


def losing(folder: Path, *at: int) -> list[Evidence]:
    return examine(with_checks(KEEPS, folder), Losing(*at), {EXERCISE: 11}, [EXERCISE])


def test_a_lost_box_is_not_the_students_fault(apart: ProcessPoolExecutor, tmp_path: Path) -> None:
    for at in ((1,), (2,)):
        assert [one.credit for one in apart.submit(losing, tmp_path, *at).result()] == [1], at
    [found] = apart.submit(losing, tmp_path, 2, 4).result()
    assert (found.credit, found.cause) == (None, "box")


GIVES_HALF = (
    HEAD
    + CHECK
    + """
def test_part(student, rng, award):
    if student["number"] == 1:
        award(0.5, f"Half of {rng.integers(10**9)}", "Go on.")
"""
)


def test_what_was_awarded_is_no_ones_else(apart: ProcessPoolExecutor, tmp_path: Path) -> None:
    found = apart.submit(evidence, GIVES_HALF, tmp_path, "number = 1", "number = 2", "number = 1").result()
    assert [one.credit for one in found] == [0.5, 1, 0.5]
    assert found[0] == found[2]  # the same seed, the same inputs


@pytest.mark.parametrize(
    ("checks", "says"),
    {
        "does not load": (HEAD + "import no_such_module\n", "No module named 'no_such_module'"),
        "is not Python": ("def", "SyntaxError"),
        "names no exercise": (HEAD + "def test_it(student): pass\n", "test_it does not name an exercise"),
        "is empty": (HEAD, "The exercise has no checks"),
        "asks for a fixture that there is not": (
            HEAD + CHECK + "def test_it(students): pass\n",
            "The check did not run: .*fixture 'students' not found",
        ),
        "fails itself": (HEAD + CHECK + "def test_it(student): 1 / 0\n", "The check itself failed .ZeroDivisionError"),
        "ends the process": (HEAD + CHECK + "def test_it(student): raise SystemExit\n", "The check itself failed"),
    }.values(),
)
def test_a_fault_of_the_checks_is_the_graders(
    checks: str, says: str, apart: ProcessPoolExecutor, tmp_path: Path
) -> None:
    found = apart.submit(evidence, checks, tmp_path, RIGHT, RIGHT).result()
    assert [(one.credit, one.cause) for one in found] == [(None, "grader")] * 2
    for one in found:
        assert re.search(says, one.message)


SQUARED = (
    HEAD.replace("import Wrong", "import Wrong, close")
    + CHECK
    + """
@hypothesis.example(number=2)
@given(number=strategies.integers(-20, 20))
def test_triples(student, number):
    "It triples."
    close(student.triple(number), 3 * number, "the result", mistakes={"It is squared.": number**2})
"""
).replace("import pytest", "import hypothesis\nimport pytest")
FIXED = SQUARED.replace("integers(-20, 20)", "just(2)")


def test_a_mistake_is_named_if_fresh_inputs_bear_it_out(apart: ProcessPoolExecutor, tmp_path: Path) -> None:
    """Four is two squared, and two and two, and four."""
    answers = [f"def triple(number): return {text}" for text in ("number**2", "number + 2", "4")]
    found = [named(one) for one in apart.submit(evidence, SQUARED, tmp_path, *answers).result()]
    told = "the result should be 6, but is 4."
    assert [mistake for _, mistake in found] == ["It is squared.", "", ""]
    assert [problem for problem, _ in found][1:] == [told, told]
    # Where a check has no fresh inputs, nothing is known.
    assert [named(one)[1] for one in apart.submit(evidence, FIXED, tmp_path, answers[0]).result()] == [""]


def named(found: Evidence) -> tuple[str, str]:
    assert found.finding is not None
    return found.finding.problem, found.finding.mistake


def test_a_mistake_that_another_check_bears_out_is_named_in_both(apart: ProcessPoolExecutor, tmp_path: Path) -> None:
    both = FIXED + SQUARED.partition("import Wrong, close\n")[2].replace("test_triples", "test_more")
    found = apart.submit(all_evidence, both, tmp_path, "def triple(number): return number**2").result()
    assert [named(one)[1] for one in found] == ["It is squared."] * 2


DIVIDES = (
    HEAD
    + CHECK
    + """
def test_it(student):
    "It divides by how far the length is from 7."
    10 / (student.describe_series([1.0, 2.0])["length"] - 7)
"""
)
SEVEN = "def describe_series(values): return {'length': 7}"


def test_an_exception_that_the_reference_does_not_raise_is_the_answers(
    apart: ProcessPoolExecutor, tmp_path: Path
) -> None:
    [found] = apart.submit(evidence, DIVIDES, tmp_path, SEVEN).result()
    assert (found.credit, found.cause) == (0, None)
    assert "What came back cannot be compared (ZeroDivisionError: division by zero)" in found.message
    assert "Return what the docstring says" in found.message
    # One that is raised whatever comes back is not.
    [found] = apart.submit(evidence, DIVIDES.replace("- 7)", "* 0)"), tmp_path, SEVEN).result()
    assert (found.credit, found.cause) == (None, "grader")
    assert "It fails for the reference, too." in found.message


@pytest.mark.parametrize(
    ("check", "cause", "says"),
    [
        ("raise MemoryError", "memory", "not have enough memory to look at"),
        ("from autograder.examination.admission import admit; admit(object())", "grader", "NotAdmitted"),
    ],
)
def test_what_no_answer_can_return_and_what_no_memory_holds_is_told(
    check: str, cause: str, says: str, apart: ProcessPoolExecutor, tmp_path: Path
) -> None:
    [found] = apart.submit(evidence, HEAD + CHECK + f"def test_it(student): {check}\n", tmp_path, SEVEN).result()
    assert (found.credit, found.cause) == (None, cause)
    assert says in found.message


def evidence_unshown(checks: str, folder: Path, answer: str) -> list[Evidence]:
    with mock.patch.object(examining._Examination, "_failed", side_effect=LookupError("no such word")):
        return evidence(checks, folder, answer)


def test_what_cannot_be_laid_out_is_the_answers_fault_too(apart: ProcessPoolExecutor, tmp_path: Path) -> None:
    """As where a call is shown whose argument was an answer before."""
    [found] = apart.submit(evidence_unshown, DIVIDES, tmp_path, SEVEN).result()
    assert (found.credit, found.cause) == (0, None)
    assert "cannot be compared (LookupError: no such word)" in found.message


def evidence_laid_out_for_ever(checks: str, folder: Path, answer: str) -> list[Evidence]:
    def for_ever(*given: object) -> None:
        while True:
            pass

    space: dict[str, Any] = {}
    exec(answer, space)
    assignment = with_checks(checks, folder)
    with mock.patch.object(examining._Examination, "_failed", for_ever):
        return examine(assignment, LocalKernel(space), {EXERCISE: 11}, [EXERCISE], meter=Meter(0.5, 1))


def test_to_lay_a_failure_out_takes_of_the_same_time(apart: ProcessPoolExecutor, tmp_path: Path) -> None:
    [found] = apart.submit(evidence_laid_out_for_ever, DIVIDES, tmp_path, SEVEN).result()
    assert (found.credit, found.cause) == (None, "time")
    assert "0.5 seconds of processor time" in found.message


def test_a_box_that_cannot_be_had_again_is_no_answers_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(Restored(), Limits(), 1)
    for problem in (BoxUnavailable("no space left"), BrokenPipeError("broken")):
        monkeypatch.setattr(session, "_start", mock.Mock(side_effect=problem))
        with pytest.raises(Unanswered) as told:
            session.ask({"do": "get", "name": "x"})
        assert told.value.cause == "box"


def all_evidence(checks: str, folder: Path, answer: str) -> list[Evidence]:
    space: dict[str, Any] = {}
    exec(answer, space)
    return examine(with_checks(checks, folder), LocalKernel(space), {EXERCISE: 11}, [EXERCISE])


def titles(file: Path) -> list[tuple[str, str, float, str]]:
    return [(one.exercise, one.title, one.share, one.read) for one in HiddenChecks(file, file.read_text()).checks]


def test_a_check_says_what_it_decides(apart: ProcessPoolExecutor, tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text(DOUBLES, encoding="utf-8")
    assert apart.submit(titles, tmp_path / "some.py").result() == [(EXERCISE, "It doubles.", 1, "The answer")]
