"""The hidden checks of an assignment: pytest collects them once in a process, and runs them for each submission.

pytest's own loop runs each check once. Here that loop stands back, and `run` has a check run as the loop would:
through `pytest_runtest_protocol`, which knows of tests that run again.
"""

import contextlib
import functools
import io
import os
import sys
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from autograder.course import Assignment
from autograder.examination.expectations import Wrong
from autograder.examination.student import Call, Student
from autograder.text import plain

# Hypothesis strews numbers from all loaded code of the user's own among those that it draws: what is drawn would depend
# on which lessons this process has graded before. (It has no setting for this.)
vars(providers)["_get_local_constants"] = Constants

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
class Heard:
    """An exception of one example, with the calls that the example had made until then, and those of its helpers."""

    error: BaseException
    calls: tuple[Call, ...]
    helpers: tuple[Call, ...]


@dataclass(frozen=True)
class Ran:
    """What came of a check: its exception, or why it was not even called; `wrong` has what it found call by call.

    `error` is None where it passed, and where it was not called; `heard` has the exceptions of its examples.
    """

    error: BaseException | None = None
    not_called: str = ""
    heard: tuple[Heard, ...] = ()

    @property
    def wrong(self) -> tuple[Wrong, ...]:
        """What the check found, example by example."""
        return tuple(one.error for one in self.heard if isinstance(one.error, Wrong))


def hidden_checks(assignment: Assignment) -> "HiddenChecks":
    """The checks of one state of their file, collected once in a process."""
    return _collected(assignment.checks, assignment.checks_text)


@functools.cache
def _collected(file: Path, text: str) -> "HiddenChecks":
    return HiddenChecks(file, text)


class HiddenChecks:
    """The pytest plugin that collects one file of checks, and gives each its fixtures when it runs.

    `problem` says why they did not load; there are no `checks` then.
    """

    def __init__(self, file: Path, text: str) -> None:
        """`text` is what the file should hold: a result's record tells what it came from."""
        self._items: dict[Check, pytest.Item] = {}
        self._given: Mapping[str, object] = {}
        self._within: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        self._ran: Ran | None = None
        self._fresh = False
        self._failed_before = ""
        self.problem = self._collect(file)
        if not self.problem and file.read_text(encoding="utf-8") != text:
            self.problem = "their file has changed since this grading began. Grade again."

    @property
    def checks(self) -> tuple[Check, ...]:
        """In the order of the file."""
        return () if self.problem else tuple(self._items)

    def run(
        self,
        check: Check,
        seed: int,
        given: Mapping[str, object],
        within: "contextlib.AbstractContextManager[None] | None" = None,
        *,
        fresh: bool = False,
    ) -> Ran:
        """Run one check with the `given` fixtures, what hypothesis draws following from `seed`.

        With `fresh`, hypothesis leaves out the examples that stand in the check, and draws others until the end.
        Its function runs `within` this context, and nothing of pytest does, which must not be left half-way. None:
        there is no context.
        """
        item = self._items[check]
        handle: Any = getattr(item, "function", None)
        if hasattr(handle, "hypothesis"):
            hypothesis.seed(seed)(handle)
        self._given, self._ran, self._failed_before, self._fresh = given, None, "", fresh
        self._within = within or contextlib.nullcontext()
        with _quiet(), _drawn_alone(handle) if fresh else contextlib.nullcontext():
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        self._given = {}
        return self._ran or Ran(not_called=self._failed_before)

    def _collect(self, file: Path) -> str:
        sys.modules.pop(file.stem, None)  # pytest would take an older one of this name for it
        arguments = [
            str(file),
            "-c", os.devnull, f"--rootdir={file.parent}", "--noconftest", "--import-mode=importlib",
            "--disable-plugin-autoload", "-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider",
            # What these look for is the grader's own affair, and their garbage collections cost a tenth of a second.
            "-p", "no:unraisableexception", "-p", "no:threadexception", "-p", "no:warnings", "-p", "no:logging",
            "--assert=plain", "--capture=no", "--tb=native", "-q", "-o", "python_files=*.py",
            "--hypothesis-profile=examination",
        ]  # fmt: skip
        environment = {name: os.environ.pop(name, None) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")}
        try:
            with _quiet() as output:
                status = pytest.main(arguments, plugins=[self])
        finally:
            os.environ.update({name: value for name, value in environment.items() if value is not None})
        return "" if status == pytest.ExitCode.OK else _last(output.getvalue()) or str(status)

    # fixtures

    @pytest.fixture
    def student(self) -> object:
        """The notebook that is looked at: a Student."""
        return self._given["student"]

    @pytest.fixture
    def rng(self) -> object:
        """A NumPy generator: all hidden inputs are drawn from it."""
        return self._given["rng"]

    @pytest.fixture
    def award(self) -> object:
        """A function that gives a part of the check's credit, from 0 to 1."""
        return self._given["award"]

    # hooks

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "exercise(id, share, read, curves): what a check decides")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            mark = item.get_closest_marker("exercise")
            if mark is None:
                raise pytest.UsageError(f"{item.name} does not name an exercise")
            title = (getattr(getattr(item, "function", None), "__doc__", None) or item.name).strip().splitlines()[0]
            check = Check(item.name, mark.kwargs["id"], mark.kwargs["share"], title, mark.kwargs["read"])
            self._items[check] = item

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.testsfailed:
            return
        # These end with pytest's own session; and one that counts every run would grow with the batch.
        for name in ("terminalreporter", "capturemanager"):
            session.config.pluginmanager.unregister(name=name)

    def pytest_runtestloop(self) -> bool:
        return True  # `run` runs them, one by one

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        heard: list[Heard] = []
        error: BaseException | None = None
        try:
            with _listening(pyfuncitem, heard, self._given["student"], self._fresh), self._within:
                yield
        except KeyboardInterrupt:
            raise
        except BaseException as raised:
            error = raised
        self._ran = Ran(error, heard=tuple(heard))
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and report.when == "setup":
            self._failed_before = _last(report.longreprtext.partition("available fixtures:")[0])


@contextlib.contextmanager
def _drawn_alone(handle: Any) -> Iterator[None]:
    """Of hypothesis' phases, the one that draws."""
    name = "_hypothesis_internal_use_settings"  # set by `hypothesis.settings` once, and there is no other way to it
    before = getattr(handle, name, None)
    if before is not None:
        setattr(handle, name, hypothesis.settings(before, phases=[hypothesis.Phase.generate]))
    try:
        yield
    finally:
        if before is not None:
            setattr(handle, name, before)


@contextlib.contextmanager
def _listening(item: pytest.Function, found: list[Heard], student: object, go_on: bool) -> Iterator[None]:
    """Hear of every example that fails, not only of the smallest one, which hypothesis raises in the end.

    It goes on with examples that pass: which calls belong to one that failed is known only here. With `go_on`, it does
    not hear of those that fail, and draws as many as if all passed.
    """

    @contextlib.contextmanager
    def listening() -> Iterator[None]:
        calls, helpers = (student.calls, student.helpers) if isinstance(student, Student) else ([], [])
        before = len(calls), len(helpers)
        try:
            yield
        except BaseException as error:
            found.append(Heard(error, tuple(calls[before[0] :]), tuple(helpers[before[1] :])))
            raise

    handle: Any = getattr(item.obj, "hypothesis", None)
    if handle is None:
        with listening():
            yield
        return
    drawn = handle.inner_test

    @functools.wraps(drawn)
    def heard(*args: object, **kwargs: object) -> object:
        with contextlib.suppress(Wrong) if go_on else contextlib.nullcontext(), listening():
            return drawn(*args, **kwargs)

    handle.inner_test = heard
    try:
        yield
    finally:
        handle.inner_test = drawn


@contextlib.contextmanager
def _quiet() -> Iterator[io.StringIO]:
    """Nothing on the terminal: standard output may be a JSON document's."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        yield output


def _last(output: str) -> str:
    return plain(" ".join(output.split())[-300:], 300)
