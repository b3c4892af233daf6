"""The self-check's kernels: what a cell does to its kernel costs that cell alone."""

import shutil
import sys
import time
from pathlib import Path

import pytest
from helpers.submissions import COURSE

from autograder.errors import NotGradable
from autograder.self_check import running
from autograder.self_check.running import Run
from autograder.submission.restoration import RestoredCell

ENDED = "the kernel ended here; the other cells were run without it"
LATE = "still running after 3 seconds; the other cells were run without it"


def ran(*sources: str, data: tuple[Path, ...] = ()) -> tuple[dict[int, str], dict[int, str]]:
    with Run(data) as run:
        return run.all([RestoredCell(number, "free", text, None) for number, text in enumerate(sources)], 3)


def test_each_cell_has_its_own_error() -> None:
    errors, ended = ran(
        "x = 1",
        "1 / 0",
        "assert x == 1\nraise ValueError",
        "raise KeyError('a')",
        "import os; assert os.listdir() == ['.ipython'], os.listdir()",
        "assert _ih[-1] and len(In) == 7 and not [one for one in globals() if one.startswith('__i')], In",
        "input()",
        "def f(:",
        "print('x' * 10**7)",
    )
    assert ended == {}
    assert list(errors) == [1, 2, 3, 6, 7]
    assert errors[1] == "ZeroDivisionError: division by zero"
    assert errors[2] == "ValueError"
    assert errors[6].startswith("StdinNotImplementedError")


def test_a_cell_that_ends_its_kernel_or_has_no_end_costs_itself() -> None:
    began = time.monotonic()
    errors, ended = ran(
        "x = 1",
        "import os\nx = 2\nos._exit(3)",
        "assert x == 1",
        "quit()",
        "x = 3\nwhile True: pass",
        "assert x == 1 and 1 / 0",
    )
    assert ended == {1: ENDED, 3: ENDED, 4: LATE}
    assert errors == {5: "ZeroDivisionError: division by zero"}
    assert time.monotonic() - began < 30


def test_the_data_are_there_and_a_new_kernel_finds_them_as_they_were() -> None:
    assignment = COURSE.assignment("02_sequence_prediction")
    [data] = assignment.data
    errors, ended = ran(
        f"open('new', 'x').close(); open({data.name!r}, 'w').close(); import os; os._exit(0)",
        f"import os; assert os.stat({data.name!r}).st_size == {data.stat().st_size} and not os.path.exists('new')",
        data=assignment.data,
    )
    assert (errors, ended) == ({}, {0: ENDED})


def test_where_no_kernel_starts_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "START_SECONDS", 0.0)
    with pytest.raises(NotGradable, match="Install the course's packages again"):
        ran("x = 1")


def test_programs_are_those_beside_python() -> None:
    beside = shutil.which("python", path=str(Path(sys.executable).parent))
    assert ran(f"import shutil; assert shutil.which('python') == {beside!r}") == ({}, {})
