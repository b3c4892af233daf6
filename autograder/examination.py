"""Examine: pytest runs the hidden checks here, outside the box, and collects evidence.

Each check gives one `Evidence`. What pytest prints and returns decides nothing: the checks are
listed at collection, and one that leaves no evidence is a fault of the grader, not of the student.
"""

import contextlib
import dataclasses
import functools
import io
import os
import re
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass

import hypothesis
import numpy as np
import pytest
from hypothesis.errors import FlakyFailure

from autograder.architecture import NotRebuilt
from autograder.course import Assignment
from autograder.execution import Cause, Unanswered
from autograder.expectations import NOTHING, Wrong
from autograder.misconceptions import Mistake, recognised
from autograder.result import Finding, Shown
from autograder.shown import call as code_of
from autograder.shown import pair
from autograder.student import Kernel, NotData, Student, StudentError, Undefined
from autograder.text import plain

RUN_IT = "Run this call in a cell of your own, and follow it line by line."

hypothesis.settings.register_profile(
    "examination",
    max_examples=30,
    deadline=None,
    database=None,
    print_blob=False,
    report_multiple_bugs=True,  # so that some examples follow on the first that fails: one alone may fit two mistakes
    suppress_health_check=list(hypothesis.HealthCheck),
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate, hypothesis.Phase.shrink],
)


@dataclass(frozen=True)
class Check:
    """A hidden check as collected."""

    name: str
    exercise: str
    share: float
    title: str
    read: str


@dataclass(frozen=True)
class Evidence:
    """What one check found. `credit` in [0, 1], or None with a `cause` when it could not tell."""

    check: Check
    credit: float | None
    message: str
    cause: Cause | None = None
    undefined: bool = False
    finding: Finding | None = None


def examine(
    assignment: Assignment, kernel: Kernel, seeds: Mapping[str, int], exercises: Iterable[str]
) -> list[Evidence]:
    """Run the checks of `exercises` against the kernel, inputs drawn from each exercise's seed."""
    examiner = _Examiner(kernel, seeds, set(exercises))
    arguments = [
        str(assignment.checks),
        "-c", os.devnull, f"--rootdir={assignment.checks.parent}", "--noconftest", "--import-mode=importlib",
        "--disable-plugin-autoload", "-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider",
        # What these look for is the grader's own affair, and their garbage collections cost a tenth of a second.
        "-p", "no:unraisableexception", "-p", "no:threadexception", "-p", "no:warnings",
        "--assert=plain", "--capture=no", "--tb=native", "-q", "-o", "python_files=*.py",
        "--hypothesis-profile=examination",
    ]  # fmt: skip
    environment = {name: os.environ.pop(name, None) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")}
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            pytest.main(arguments, plugins=[examiner])
    finally:
        os.environ.update({name: value for name, value in environment.items() if value is not None})
    return examiner.complete(output.getvalue())


class _Examiner:
    """The pytest plugin: fixtures for the checks, and the evidence from each."""

    def __init__(self, kernel: Kernel, seeds: Mapping[str, int], exercises: set[str]) -> None:
        self.student_proxy = Student(kernel)
        self.seeds = seeds
        self.exercises = exercises
        self.checks: dict[str, Check] = {}
        self.evidence: dict[str, Evidence] = {}
        self.lost: dict[str, Unanswered] = {}
        self.awarded: tuple[float, str, str] | None = None
        self.wrong: list[Wrong] = []  # what the running check has found, call by call

    def complete(self, output: str) -> list[Evidence]:
        """The evidence in order; every collected check has some, and every exercise a check."""
        reason = plain(" ".join(output.split())[-300:], 300)
        found = [
            self.evidence.get(node) or Evidence(check, None, f"The check did not run: {reason}", "grader")
            for node, check in self.checks.items()
        ]
        for name in sorted(self.exercises - {check.exercise for check in self.checks.values()}):
            check = Check("", name, 1, "The exercise has checks", "")
            found.append(Evidence(check, None, f"The exercise has no checks, or they did not load: {reason}", "grader"))
        return found

    # fixtures

    @pytest.fixture(scope="session")
    def student(self) -> Student:
        return self.student_proxy

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> np.random.Generator:
        """Random inputs, anew for each grading and check, from the recorded seed."""
        seed = self.seeds[self.checks[request.node.nodeid].exercise]
        return np.random.default_rng([seed, zlib.crc32(request.node.name.encode())])

    @pytest.fixture
    def award(self) -> Callable[..., None]:
        """Give part of the share: a credit in [0, 1], the sentence that explains it, and the next step or Mistake."""

        def give(credit: float, message: str, hint: str = "") -> None:
            self.awarded = (min(max(float(credit), 0.0), 1.0), message, hint)

        return give

    # hooks

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "exercise(id, share, read, curves): what a check decides")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in list(items):
            mark = item.get_closest_marker("exercise")
            if mark is None:
                raise pytest.UsageError(f"{item.name} names no exercise")
            if mark.kwargs["id"] not in self.exercises:
                items.remove(item)
                continue
            function = getattr(item, "function", None)
            if function is not None and hasattr(function, "hypothesis"):
                hypothesis.seed(self.seeds[mark.kwargs["id"]])(function)
            title = (getattr(function, "__doc__", None) or item.name).strip().splitlines()[0]
            self.checks[item.nodeid] = Check(item.name, title=title, exercise=mark.kwargs["id"],
                                             share=mark.kwargs["share"], read=mark.kwargs["read"])  # fmt: skip

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Where the box gave no answer, the exercise's other checks would get none, and are not run."""
        check = self.checks[item.nodeid]
        if check.exercise not in self.lost:
            return None
        self.evidence[item.nodeid] = self._failed(check, self.lost[check.exercise])
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        check = self.checks[pyfuncitem.nodeid]
        self.student_proxy.calls.clear()
        self.awarded = None
        self.wrong = []
        try:
            with self._listening(pyfuncitem):
                yield
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.evidence[pyfuncitem.nodeid] = self._failed(check, error)
        else:
            credit, message, hint = self.awarded or (1.0, "", "")
            if credit < 1:
                mistake, step = (str(hint), "") if isinstance(hint, Mistake) else ("", hint)
                finding = Finding(message, mistake=mistake, step=step, read=check.read)
                self.evidence[pyfuncitem.nodeid] = Evidence(check, credit, finding.sentences, finding=finding)
            else:
                self.evidence[pyfuncitem.nodeid] = Evidence(check, credit, message)
        return True

    @contextlib.contextmanager
    def _listening(self, item: pytest.Function) -> Iterator[None]:
        """Hear of every example that fails, not only of the smallest one, which hypothesis raises in the end."""
        handle = getattr(item.obj, "hypothesis", None)
        if handle is None:
            yield
            return
        drawn = handle.inner_test

        @functools.wraps(drawn)
        def heard(*args: object, **kwargs: object) -> object:
            try:
                return drawn(*args, **kwargs)
            except Wrong as wrong:
                self.wrong.append(wrong)
                raise

        handle.inner_test = heard
        try:
            yield
        finally:
            handle.inner_test = drawn

    def _failed(self, check: Check, error: BaseException) -> Evidence:
        """What a check's exception says about the answer."""
        if isinstance(error, FlakyFailure) and error.exceptions:
            error = error.exceptions[0]
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[-1]  # the smallest, and the last that was called
        if isinstance(error, Unanswered):
            self.lost[check.exercise] = error
            finding = self._finding(check, error.message)
            return Evidence(check, None, finding.sentences, error.cause, finding=finding)
        if isinstance(error, Undefined):
            return Evidence(check, 0.0, str(error), undefined=True)
        if isinstance(error, StudentError):
            if error.raised.type == "NotImplementedError":
                finding = Finding("Not answered yet: it still raises NotImplementedError.", kind="unanswered")
                return Evidence(check, 0.0, finding.problem, finding=finding)
            if error.raised.type == "MemoryError":
                finding = self._finding(check, "It asked for more memory than there is.")
                return Evidence(check, None, finding.sentences, "memory", finding=finding)
            finding = self._finding(check, f"It raised {error.raised}", kind=_kind_of(error))
            return Evidence(check, 0.0, finding.sentences, finding=finding)
        if isinstance(error, Wrong):
            finding = self._wrong(check, error)
            return Evidence(check, 0.0, finding.sentences, finding=finding)
        if isinstance(error, (NotData, NotRebuilt)):
            finding = self._finding(check, plain(error, 300), kind=plain(error, 300))
            return Evidence(check, 0.0, finding.sentences, finding=finding)
        return Evidence(
            check, None, f"The check itself failed ({type(error).__name__}: {plain(error, 300)}).", "grader"
        )

    def _finding(self, check: Check, problem: str, kind: str = "", step: str = "") -> Finding:
        call = self.student_proxy.calls[-1] if self.student_proxy.calls else None
        told = "" if call is None else code_of(call.name, call.args, call.kwargs)
        return Finding(problem, told, step=step or (RUN_IT if told else ""), read=check.read, kind=kind)

    def _wrong(self, check: Check, error: Wrong) -> Finding:
        found, expected = _drawn(error)
        mistake = recognised([*(one.clues for one in self.wrong), error.clues])
        told = self._finding(check, error.message, _kind_of_wrong(error, mistake), error.hint)
        return dataclasses.replace(told, what=error.what, found=found, expected=expected, mistake=mistake)


def _kind_of(error: StudentError) -> str:
    """What two calls have in common that failed by the same fault: the line, or what it said."""
    raised = error.raised
    return f"raised {raised.type} at {raised.line or raised.message}"


def _kind_of_wrong(error: Wrong, mistake: str) -> str:
    """The mistake; or else what is to be done; or else the sentence, whatever its numbers."""
    if mistake:
        return f"mistake: {mistake}"
    if NOTHING in error.message:
        return NOTHING
    if error.kind:
        return error.kind
    if error.hint:
        return f"step: {error.hint}"
    if error.evidence is not None and np.shape(error.evidence[0]) == np.shape(error.evidence[1]):
        return ""
    return re.sub(r"\[.*\]|'[^']*'|\d+", "#", error.message)


def _drawn(error: Wrong) -> tuple[Shown | None, Shown | None]:
    """What came back and what was expected, to look at."""
    if error.evidence is None:
        return None, None
    try:
        return pair(*error.evidence)
    except Exception:  # what came back may be stranger than any drawing foresees; its sentence stands in any case
        return None, None
