"""Examine: pytest runs the hidden checks here, outside the box, and collects evidence.

Each check gives one `Evidence`. What pytest prints and returns decides nothing: the checks are
listed at collection, and one that leaves no evidence is a fault of the grader, not of the student.
"""

import contextlib
import io
import os
import zlib
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass

import hypothesis
import numpy as np
import pytest
from hypothesis.errors import FlakyFailure

from autograder.architecture import NotRebuilt
from autograder.course import Assignment
from autograder.execution import Cause, Unanswered
from autograder.expectations import Wrong, show
from autograder.student import Call, Kernel, NotData, Student, StudentError, Undefined
from autograder.text import plain

hypothesis.settings.register_profile(
    "examination",
    max_examples=30,
    deadline=None,
    database=None,
    print_blob=False,
    report_multiple_bugs=False,
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


def examine(assignment: Assignment, kernel: Kernel, seed: int, exercises: Iterable[str]) -> list[Evidence]:
    """Run the checks of `exercises` against the kernel, inputs drawn from `seed`."""
    examiner = _Examiner(kernel, seed, set(exercises))
    arguments = [
        str(assignment.checks),
        "-c", os.devnull, f"--rootdir={assignment.checks.parent}", "--noconftest", "--import-mode=importlib",
        "--disable-plugin-autoload", "-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider",
        # What these look for is the grader's own affair, and their garbage collections cost a tenth of a second.
        "-p", "no:unraisableexception", "-p", "no:threadexception", "-p", "no:warnings",
        "--assert=plain", "--capture=no", "-q", "-o", "python_files=*.py",
        "--hypothesis-profile=examination", f"--hypothesis-seed={seed % 2**64}",
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

    def __init__(self, kernel: Kernel, seed: int, exercises: set[str]) -> None:
        self.student_proxy = Student(kernel)
        self.seed = seed
        self.exercises = exercises
        self.checks: dict[str, Check] = {}
        self.evidence: dict[str, Evidence] = {}
        self.lost: dict[str, Unanswered] = {}
        self.awarded: tuple[float, str] | None = None

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
        return np.random.default_rng([self.seed, zlib.crc32(request.node.name.encode())])

    @pytest.fixture
    def award(self) -> Callable[[float, str], None]:
        """Give part of the share: a credit in [0, 1] and the sentence that explains it."""

        def give(credit: float, message: str) -> None:
            self.awarded = (min(max(float(credit), 0.0), 1.0), message)

        return give

    # hooks

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "exercise(id, share, read): what a check decides")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in list(items):
            mark = item.get_closest_marker("exercise")
            if mark is None:
                raise pytest.UsageError(f"{item.name} names no exercise")
            if mark.kwargs["id"] not in self.exercises:
                items.remove(item)
                continue
            function = getattr(item, "function", None)
            title = (getattr(function, "__doc__", None) or item.name).strip().splitlines()[0]
            self.checks[item.nodeid] = Check(item.name, title=title, exercise=mark.kwargs["id"],
                                             share=mark.kwargs["share"], read=mark.kwargs["read"])  # fmt: skip

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        check = self.checks[pyfuncitem.nodeid]
        self.student_proxy.calls.clear()
        self.awarded = None
        try:
            if check.exercise in self.lost:
                raise self.lost[check.exercise]
            yield
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.evidence[pyfuncitem.nodeid] = self._failed(check, error)
        else:
            credit, message = self.awarded or (1.0, "")
            if credit < 1:
                message = _told(check, message, None)
            self.evidence[pyfuncitem.nodeid] = Evidence(check, credit, message)
        return True

    def _failed(self, check: Check, error: BaseException) -> Evidence:
        """What a check's exception says about the answer."""
        if isinstance(error, FlakyFailure) and error.exceptions:
            error = error.exceptions[0]
        call = self.student_proxy.calls[-1] if self.student_proxy.calls else None
        if isinstance(error, Unanswered):
            self.lost[check.exercise] = error
            return Evidence(check, None, _told(check, error.message, call), error.cause)
        if isinstance(error, Undefined):
            return Evidence(check, 0.0, str(error), undefined=True)
        if isinstance(error, StudentError):
            if error.raised.type == "NotImplementedError":
                return Evidence(check, 0.0, "Not answered yet: it still raises NotImplementedError.")
            if error.raised.type == "MemoryError":
                return Evidence(check, None, _told(check, "It asked for more memory than there is.", call), "memory")
            return Evidence(check, 0.0, _told(check, f"It raised {error.raised}", call))
        if isinstance(error, (Wrong, NotData, NotRebuilt)):
            message = error.message if isinstance(error, Wrong) else plain(error, 300)
            return Evidence(check, 0.0, _told(check, message, call, error.hint if isinstance(error, Wrong) else ""))
        return Evidence(
            check, None, f"The check itself failed ({type(error).__name__}: {plain(error, 300)}).", "grader"
        )


def _told(check: Check, message: str, call: Call | None, hint: str = "") -> str:
    """The whole sentence: the property, what was called, what is wrong, what to do, where to read."""
    sentences = [message if message.endswith((".", "?", "!")) else f"{message}."]
    if call is not None:
        arguments = [_argument(value, 120) for value in call.args]
        arguments += [f"{name}={_argument(value, 60)}" for name, value in call.kwargs.items()]
        text = ", ".join(arguments)
        if len(text) <= 240:
            sentences.append(f"Called: {call.name}({text}).")
    if hint:
        sentences.append(hint)
    if check.read:
        sentences.append(f"See “{check.read}” in the lesson.")
    return " ".join(sentences)


def _argument(value: object, limit: int) -> str:
    return "None" if value is None else show(value, limit)
