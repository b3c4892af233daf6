"""Grade made notebooks two ways, and compare: with cells left out, or results kept, and with all.

The notebooks run in forks (`forked_notebook.py`). This is for a process apart.
"""

import json
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from autograder.batch import pipeline
from autograder.box import Limits
from autograder.box.canary import PROTECTIONS
from autograder.result import Result
from autograder.settings import Settings
from autograder.submission import slicing
from autograder.submission.cell_names import Imports
from autograder.submission.find import Submission
from autograder.submission.plain_code import Facts, facts
from helpers.changed_cells import Changes
from helpers.forked_notebook import Undecided, dry, prepare
from helpers.own_cells import Made
from helpers.submissions import COURSE, Notebook

SETTINGS: Final = Settings(COURSE, Limits(), 11, 2026, dict.fromkeys(PROTECTIONS, True))


@dataclass
class Pair:
    """One notebook, graded two ways. `spared` is how many cells were left out, or how many results were kept.

    `verdict`: "same", "differs", "chance" (it differs from itself), "undecided", or "nothing spared", where both ways
    do the same. `told` has for a difference what it was, exercise by exercise.
    """

    seed: int
    kind: str
    verdict: str
    spared: int = 0
    forms: tuple[str, ...] = ()
    attack: str = ""
    told: list[str] = field(default_factory=list)


def graded(book: Notebook, lesson: str, folder: Path, earlier: Result | None = None, **changes: Any) -> Result:
    path = folder / "ada" / lesson / f"{lesson}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(book), encoding="utf-8")
    return pipeline.grade(Submission(path, "ada", lesson), replace(SETTINGS, **changes), earlier).result


def marks(result: Result) -> dict[str, tuple[Any, ...]]:
    """What must be the same, by exercise."""
    assert not result.grader_failed, result.record.get("traceback", result.message)
    return {one.id: (one.outcome, one.points, one.cause, one.message) for one in result.exercises}


def pair(seed: int, kind: str, folder: Path) -> Pair:
    """`kind`: "left out" against every cell, or "kept" after a change against graded afresh."""
    maker = Changes(seed)
    made = maker.notebook()
    after = maker.changed(made) if kind == "kept" else made.book
    found = Pair(seed, kind, "nothing spared", 0, tuple(sorted(made.forms)), made.told)
    try:
        _decide(found, made, after, folder)
    except Undecided:
        found.verdict = "undecided"
    return found


def _decide(found: Pair, made: Made, after: Notebook, folder: Path) -> None:
    with dry():
        before = graded(made.book, made.lesson, folder) if found.kind == "kept" else None
        planned = graded(after, made.lesson, folder, before)
    found.spared = len(planned.record["taken_over"]) if before else planned.record["cells"]["left_out"]
    if not found.spared:
        return
    if before:
        before = graded(made.book, made.lesson, folder)
    some = marks(graded(after, made.lesson, folder, before))
    whole = marks(graded(after, made.lesson, folder, every_cell=True))
    found.verdict = "same"
    if some != whole:
        again = marks(graded(after, made.lesson, folder, every_cell=True))
        found.verdict = "chance" if again != whole else "differs"
        found.told = [f"{name}: {_where(str(some[name]), str(whole[name]))}"
                      for name in whole if some[name] != whole[name]]  # fmt: skip


def _where(some: str, whole: str) -> str:
    """The first place at which two texts differ."""
    first = next((place for place, (one, other) in enumerate(zip(some, whole, strict=False)) if one != other), 0)
    start = max(0, first - 40)
    return f"...{some[start : start + 120]!r} with what was spared, ...{whole[start : start + 120]!r} with all"


def pairs(seeds: Iterable[int], kind: str) -> list[Pair]:
    with tempfile.TemporaryDirectory(prefix="two-ways-") as folder:
        return [pair(seed, kind, Path(folder)) for seed in seeds]


def loosened_pairs(seeds: Iterable[int], kind: str) -> list[Pair]:
    """As `pairs`, by a rule that takes all code for plain, and no value for one that changes."""
    nothing = frozenset[str]()

    def loose(source: str, imports: Imports = frozenset()) -> Facts:
        return replace(facts(source, imports), plain=True, data=nothing, in_functions=nothing)

    try:
        vars(slicing).update(facts=loose)
        return pairs(seeds, kind)
    finally:
        vars(slicing).update(facts=facts)


def main() -> None:
    """Arguments: a kind of pair, the first seed, and the one after the last. Prints a line for each pair."""
    prepare()
    for number in range(int(sys.argv[2]), int(sys.argv[3])):
        print(json.dumps(vars(pairs([number], sys.argv[1])[0])), flush=True)
