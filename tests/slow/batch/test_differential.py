"""Whatever is in a notebook: with cells left out, and with results kept, come the results that come of all cells.

    PAIRS=10000 .venv/bin/pytest tests/slow/batch/test_differential.py -q

makes as many pairs of each kind, a hundredth of them in boxes; by default 150, and some in boxes. To see one again:
`Changes(SEED).notebook()` of `tests/helpers/changed_cells.py`, with the seed that a failure tells.
"""

import ast
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from helpers import two_ways
from helpers.cell_grammar import FORMS, STATE
from helpers.changed_cells import Changes
from helpers.forked_notebook import prepare
from helpers.submissions import Notebook, write

from autograder.batch.pipeline import grade
from autograder.result import Result
from autograder.settings import Settings
from autograder.submission.find import Submission

PAIRS: Final = int(os.environ.get("PAIRS", "150"))
BOXES: Final = max(3, PAIRS // 100)
NOTEBOOKS: Final = 8000  # until each form was used
# Abstract, of no own syntax, or of an older Python's trees.
NO_FORMS: Final = frozenset(
    ["AugLoad", "AugStore", "Param", "Suite", "Index", "ExtSlice", "Num", "Str", "Bytes", "NameConstant", "Ellipsis"]
)


@pytest.fixture(scope="module")
def apart() -> Iterator[ProcessPoolExecutor]:
    """A process that forks notebooks."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=prepare) as pool:
        yield pool


def forms_of_python() -> set[str]:
    """The names of all statements, expressions, patterns and operators of this Python."""
    found, waiting = set[str](), [ast.stmt, ast.expr, ast.pattern, ast.operator, ast.unaryop, ast.boolop, ast.cmpop]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if not kind.__subclasses__() and kind.__module__ == "ast":
            found.add(kind.__name__)
    return found - NO_FORMS


def test_all_forms_of_a_cell_are_made() -> None:
    used, seen = set[str](), set[str]()
    for seed in range(NOTEBOOKS):
        maker = Changes(seed)
        made = maker.notebook()
        maker.changed(made)
        used |= made.forms
        for one in maker.own(made):
            try:
                seen |= {type(node).__name__ for node in ast.walk(ast.parse(one["source"]))}
            except SyntaxError:
                continue
    assert forms_of_python() - seen == set()
    tables = {**FORMS, **{name: STATE[name] for name in ("route", "read", "perhaps", "keeper", "quiet")}}
    assert {f"{kind}: {name}" for kind, table in tables.items() for name in table} - used == set()


def test_a_loosened_rule_is_found_out(apart: ProcessPoolExecutor) -> None:
    """Where all code counts as plain, made notebooks show at once that it is not."""
    found = apart.submit(two_ways.loosened_pairs, range(40), "left out").result()
    assert [one.verdict for one in found].count("differs") > 2


@pytest.mark.long
@pytest.mark.parametrize("kind", ["left out", "kept"])
def test_what_is_spared_changes_nothing(kind: str, apart: ProcessPoolExecutor) -> None:
    found = apart.submit(two_ways.pairs, range(PAIRS), kind).result()
    assert [(one.seed, one.attack, one.told, one.forms) for one in found if one.verdict == "differs"] == []
    verdicts = [one.verdict for one in found]
    assert verdicts.count("same") > PAIRS // 20, "so little is spared that nothing is shown"
    assert verdicts.count("undecided") + verdicts.count("chance") <= PAIRS // 20


@pytest.mark.long
@pytest.mark.parametrize("kind", ["left out", "kept"])
def test_boxes_say_the_same(
    kind: str, apart: ProcessPoolExecutor, worker: ProcessPoolExecutor, settings: Settings, tmp_path: Path
) -> None:
    """In boxes and by the real checks, warm ones beside cold ones now and then."""

    def graded(book: Notebook, earlier: Result | None = None, **changes: Any) -> Result:
        path = write(book, tmp_path / "ada" / made.lesson / f"{made.lesson}.ipynb")
        submission = Submission(path, "ada", made.lesson)
        return worker.submit(grade, submission, replace(settings, **changes), earlier).result().result

    found = apart.submit(two_ways.pairs, range(20 * BOXES), kind).result()
    seeds = [one.seed for one in found if one.verdict == "same"][:BOXES]
    assert len(seeds) == BOXES
    for place, seed in enumerate(seeds):
        maker = Changes(seed)
        made = maker.notebook()
        book = maker.changed(made) if kind == "kept" else made.book
        before = graded(made.book) if kind == "kept" else None
        some = graded(book, before)
        whole = graded(book, every_cell=True, warm=None if place % 5 == 0 else settings.warm)
        # A kept result was asked other things, and may show them.
        parts = ["outcome", "points", "cause"] + (["message"] if before is None else [])
        assert [[getattr(one, part) for part in parts] for one in some.exercises] == [
            [getattr(one, part) for part in parts] for one in whole.exercises
        ], (seed, made.told, made.forms)
