"""A check cell leaves the names of a student's notebook as they were, and what stands behind them."""

import contextlib
import copy
import io
from collections.abc import Iterator
from typing import Any

import pytest
from helpers.submissions import COURSE, lean, released, solved

from autograder.authoring.check_cells import apart, is_apart, name_of
from autograder.course import CHECK_PREFIX
from autograder.examination.own_answers import in_its_folder, run


def code_cells(notebook: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The grade_id and the text of each code cell that belongs to an exercise or to the lesson."""
    for cell in lean(notebook)["cells"]:
        if cell["cell_type"] == "code":
            yield cell["metadata"]["nbgrader"]["grade_id"], "".join(cell["source"])


def noticed(namespace: dict[str, Any]) -> dict[str, str]:
    """Each name with what stands behind it."""
    return {name: f"{id(value)} {value!r}" for name, value in namespace.items() if name != "__builtins__"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Keras, while it trains
@pytest.mark.parametrize("kind", ["reference", "unanswered"])
@pytest.mark.parametrize("name", COURSE.names)
def test_it_leaves_the_notebook_as_it_was(name: str, kind: str) -> None:
    """Whether it passes or raises."""
    notebook = solved(name) if kind == "reference" else released(name)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    raised = 0
    with in_its_folder(COURSE.assignment(name)), contextlib.redirect_stdout(io.StringIO()):
        for grade_id, text in code_cells(notebook):
            before = noticed(namespace)
            try:
                run(text, namespace)
            except Exception:
                assert kind == "unanswered", grade_id
                raised += grade_id.startswith(CHECK_PREFIX)
            if grade_id.startswith(CHECK_PREFIX):
                assert noticed(namespace) == before, grade_id
    assert raised == (0 if kind == "reference" else len(COURSE.assignment(name).exercises))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Keras, while it trains
@pytest.mark.parametrize("name", COURSE.names)
def test_a_helper_may_have_any_name_that_a_check_uses(name: str) -> None:
    """Every name that a check cell binds within itself is free for a student: it is there and the same afterwards."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with in_its_folder(COURSE.assignment(name)), contextlib.redirect_stdout(io.StringIO()):
        for grade_id, text in code_cells(solved(name)):
            if grade_id.startswith(CHECK_PREFIX):
                helper = name_of(grade_id.removeprefix(CHECK_PREFIX))
                inner: dict[str, Any] = {}
                run(text.rpartition("\n\n\n")[0], inner)
                function = inner[helper]
                mine = set(function.__code__.co_varnames) | set(function.__code__.co_cellvars)
                mine -= set(namespace)
                namespace |= dict.fromkeys(mine, "a student's own helper")
                run(text, namespace)
                assert all(namespace[one] == "a student's own helper" for one in mine), grade_id
                for one in mine:
                    del namespace[one]
            else:
                run(text, namespace)


def test_tidying_puts_a_cell_into_its_function_once() -> None:
    flat = 'value = spread([1, 2])\nassert value == 1, """two\nlines"""\n\nprint("ok")'
    text = apart(flat, "how-far")
    assert text == (
        'def _check_how_far():\n    value = spread([1, 2])\n    assert value == 1, """two\nlines"""\n\n    print("ok")'
        "\n\n\ntry:\n    _check_how_far()\nfinally:\n    del _check_how_far"
    )
    assert is_apart(text, "how-far")
    assert not is_apart(flat, "how-far")
    assert not is_apart(text + "\nvalue = 1", "how-far")
    assert apart(copy.copy(text), "how-far") == text
    assert apart("assert [", "how-far") == "assert ["
