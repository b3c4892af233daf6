"""What a cell raised is told with the cell and its line; lines of libraries and invented files are left out."""

from typing import Any

import pytest

from autograder.submission.cell_errors import read_error, sentence, told
from autograder.submission.restoration import RestoredCell

ANSWER = RestoredCell(2, "solution", "def gates(x):\n    return x['a']", "gates")
CHECK = RestoredCell(5, "check", "# The check.\n\ngates({})", "gates")
OTHER = RestoredCell(7, "solution", "def step(x):\n\n    return gates(x)", "step")
OWN = RestoredCell(9, "free", "step(\n    {})", None)
RAN = {1: ANSWER, 2: CHECK, 3: OTHER, 4: OWN}

LIBRARY = "File \x1b[32m/usr/lib/pandas/core/indexes/base.py:3816\x1b[39m, in Index.get_loc(self, key)\n-> 3816 return"
CAUSED = "\nThe above exception was the direct cause of the following exception:\n"


def frame(count: int, line: int) -> str:
    head = f"\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[{count}]\x1b[39m\x1b[32m, line {line}\x1b[39m"
    return f"{head}\n      1 some code\n----> {line}"


IN_GATES = "KeyError: 'a' (line 2: `return x['a']`)."
CALLED = f"Your solution cell raised {IN_GATES} It was called in line 3 of the check cell."
FROM_STEP = f"The solution cell of `gates` raised {IN_GATES} It was called in line 3 of the solution cell."


@pytest.mark.parametrize(
    ("cell", "frames", "short", "long"),
    [
        (ANSWER, [frame(1, 2)], "KeyError: 'a' (line 2)", f"Your solution cell raised {IN_GATES}"),
        (CHECK, [frame(2, 3)], "KeyError: 'a' (line 3)", "The check cell raised KeyError: 'a' (line 3: `gates({})`)."),
        (CHECK, [LIBRARY, CAUSED, frame(2, 3), frame(1, 2), LIBRARY],
         "KeyError: 'a' (line 2 of the solution cell of `gates`)", CALLED),
        (OTHER, [frame(3, 3), frame(1, 2)], "KeyError: 'a' (line 2 of the solution cell of `gates`)", FROM_STEP),
        (OWN, [frame(4, 1)], "KeyError: 'a' (line 1)",
         "The cell that begins `step(` raised KeyError: 'a' (line 1: `step(`)."),
        (ANSWER, [LIBRARY], "KeyError: 'a'", "Your solution cell raised KeyError: 'a'."),
        (ANSWER, [frame(1, 99), frame(88, 1)], "KeyError: 'a'", "Your solution cell raised KeyError: 'a'."),
    ],
)  # fmt: skip
def test_the_cell_and_its_line(cell: RestoredCell, frames: list[str], short: str, long: str) -> None:
    error = read_error({"ename": "KeyError", "evalue": "'a'", "traceback": frames})
    assert told(error, cell, RAN) == short
    assert sentence(error, cell, RAN) == long


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("invalid syntax (1653990841.py, line 3)", "invalid syntax"),
        ("unmatched ')' (<unknown>, line 1)", "unmatched ')'"),
        ("invalid syntax (my_module.py, line 3)", "invalid syntax (my_module.py, line 3)"),
        ("see /tmp/ipykernel_12/1653990841.py:3", "see the notebook:3"),
    ],
)
def test_no_file_is_named_that_jupyter_invents(said: str, kept: str) -> None:
    assert read_error({"ename": "SyntaxError", "evalue": said, "traceback": []}).message == kept


def test_a_report_of_anything_is_read() -> None:
    reports: list[dict[str, Any]] = [{}, {"ename": 1, "evalue": None, "traceback": "x"}, {"traceback": [1, None, {}]}]
    for content in reports:
        assert read_error(content).places == ()
