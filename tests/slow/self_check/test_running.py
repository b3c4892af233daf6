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
    assert errors[1] == "The cell that begins `1 / 0` raised ZeroDivisionError: division by zero (line 1: `1 / 0`)."
    assert errors[2] == "The cell that begins `assert x == 1` raised ValueError (line 2: `raise ValueError`)."
    assert "raised StdinNotImplementedError" in errors[6]
    assert errors[7].endswith("raised SyntaxError: invalid syntax (line 1: `def f(:`).")


ANSWER = """def level(frame):
    # A column that is not there.
    return frame["level"]"""
IN_A_FUNCTION = """def _check_level():
    import pandas as pd
    assert level(pd.DataFrame({"level": [1]})).tolist() == [2], "The level is 2."
    level(pd.DataFrame())
_check_level()"""


@pytest.mark.parametrize("form", ["in a function", "as it is"])
@pytest.mark.parametrize("wrong", ["asserts", "raises in the answer", "raises"])
def test_an_error_names_the_cell_and_the_line(form: str, wrong: str) -> None:
    check = IN_A_FUNCTION if wrong != "raises in the answer" else IN_A_FUNCTION.replace("== [2]", "== [1]")
    check = check.replace("level(pd", "levels(pd", 1) if wrong == "raises" else check
    if form == "as it is":
        check = "\n".join(["# The check.", *(line.strip() for line in check.splitlines()[1:-1])])
    with Run(()) as run:
        cells = [RestoredCell(1, "solution", ANSWER, "level"), RestoredCell(4, "check", check, "level")]
        errors, ended = run.all(cells, 30)
    assert not ended
    told = errors[4]
    if wrong == "asserts":
        assert told.startswith("The check cell raised AssertionError: The level is 2. (line 3: `assert level(")
    elif wrong == "raises":
        assert told.startswith("The check cell raised NameError: name 'levels' is not defined (line 3: `")
    else:
        assert told == (
            "Your solution cell raised KeyError: 'level' (line 3: `return frame[\"level\"]`). "
            "It was called in line 4 of the check cell."
        )


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
    assert list(errors) == [5]
    assert "ZeroDivisionError: division by zero (line 1: " in errors[5]
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
