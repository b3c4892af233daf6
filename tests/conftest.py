"""What the tests share: one worker process that grades, as in a batch, and the box's protections."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.grader import SEED, Grader
from helpers.submissions import COURSE, Notebook, have_boxes_in, write
from xdist.scheduler import LoadScopeScheduling

from autograder.batch.pipeline import Graded
from autograder.batch.pipeline import grade as grade_one
from autograder.box import Limits, Parent
from autograder.box.canary import PROTECTIONS
from autograder.course import Course
from autograder.result import Result
from autograder.settings import Settings
from autograder.submission.find import Submission

pytest_plugins = ["helpers.browser"]

# Tests of these files share what takes long to make, so one process runs all of a file.
TOGETHER = (
    "fast/authoring/test_partial_credit.py", "slow/batch/test_regrade.py", "slow/batch/test_script.py",
    "slow/box/test_box.py", "slow/test_example_class.py", "slow/test_nasty_names.py", "slow/test_workflows.py",
)  # fmt: skip
assert all((Path(__file__).parent / name).is_file() for name in TOGETHER), "a file that has moved is not kept together"


class Together(LoadScopeScheduling):
    """Sends out tests one by one, and those of a file in TOGETHER to one process.

    That is what `--dist loadgroup` is for. With pytest 9.2 and pytest-xdist 3.8 it groups nothing, and says nothing.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file.endswith(TOGETHER) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together | None:
    return Together(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("long") is None)  # a stable sort: files stay together


@pytest.fixture(scope="session")
def course() -> Course:
    return COURSE


@pytest.fixture(scope="session")
def warm() -> Iterator[str]:
    """The address of a warm parent, which all tests share as a batch does."""
    with Parent() as parent:
        yield parent.address


@pytest.fixture(scope="session")
def settings(course: Course, warm: str) -> Settings:
    limits = Limits(cell_seconds=30, call_seconds=6, total_seconds=120)
    protections = dict.fromkeys(PROTECTIONS, True)
    return Settings(course, limits, SEED, 2026, protections, warm=warm, hidden=tuple(course.private))


@pytest.fixture(scope="session")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the boxes of `worker` have their folders, and no other test's have: what it leaves can be told."""
    return tmp_path_factory.mktemp("boxes")


@pytest.fixture(scope="session")
def worker(boxes: Path) -> Iterator[ProcessPoolExecutor]:
    """A process of its own, as in a batch: the checks' pytest does not run within the tests' pytest."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=have_boxes_in, initargs=(boxes,)) as pool:
        yield pool


@pytest.fixture
def grade(settings: Settings, worker: ProcessPoolExecutor, tmp_path: Path) -> Grader:
    """Grade one notebook: `grade(notebook, "09_echo", cell_seconds=5)`."""

    def run(
        notebook: Notebook | bytes,
        assignment: str,
        earlier: Result | None = None,
        every_cell: bool = False,
        again: bool = False,
        **limits: float,
    ) -> Graded:
        path = tmp_path / "ada" / assignment / f"{assignment}.ipynb"
        if isinstance(notebook, bytes):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(notebook)
        else:
            write(notebook, path)
        limited = replace(settings.limits, **limits)  # type: ignore[arg-type]
        changed = replace(settings, limits=limited, every_cell=every_cell, again=again)
        return worker.submit(grade_one, Submission(path, "ada", assignment), changed, earlier).result()

    return run
