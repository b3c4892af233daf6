"""`autograder regrade`: grade once more from what a result records, and show whether it comes out the same.

A mark that somebody doubts can be defended so: the record names the submission, the checks, the seeds and the limits,
and what has changed since is said before the two gradings are compared.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from autograder.batch.grade import Where, with_box
from autograder.batch.workers import grade_all
from autograder.box import Limits
from autograder.course import Course
from autograder.errors import Refused
from autograder.report.files import RESULT
from autograder.result import Result, differences
from autograder.settings import Settings
from autograder.submission.find import Submission
from autograder.text import plain
from autograder.versions import versions_here


@dataclass
class Comparison:
    """A kept result and its second grading. `changed` is what it follows from and is not as it was.

    `after` is None until it has been graded again.
    """

    file: Path
    before: Result
    changed: list[str] = field(default_factory=list)
    after: Result | None = None

    @property
    def differences(self) -> list[str]:
        """A sentence for each thing in which the two gradings differ; none: they came out the same."""
        return differences(self.before, self.after) if self.after else ["it could not be graded again"]


def run(records: Iterable[Path], notebook: Path | None, workers: int, course: Course, err: Console) -> int:
    """Grade each record's submission again. Status 0 when all came out the same, 1 when some did not.

    `records` are result files, or folders of them; `notebook` is where the submission of a single one is now;
    None: where it was.    Raises Refused when a record cannot be used: nothing is graded then.
    """
    comparisons = [Comparison(file, _read(file)) for file in _files(records)]
    if not comparisons:
        raise Refused(f"No {RESULT} there: give one, or the folder that `autograder grade --output` wrote.")
    if notebook is not None and len(comparisons) != 1:
        raise Refused("--notebook gives the place of one record's submission, but there are several records.")
    submissions = [_submission(one, notebook) for one in comparisons]
    groups: dict[tuple[int, int, Limits, bool], list[int]] = defaultdict(list)
    for place, one in enumerate(comparisons):
        groups[_circumstances(one)].append(place)
    with Progress(
        TextColumn("grading again"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=err
    ) as bar:
        task = bar.add_task("", total=len(comparisons))
        for (seed, training_seed, limits, every_cell), places in groups.items():
            some = [submissions[place] for place in places]
            before = {place: comparisons[place].before for place in places}
            where = Where(course, [one.path for one in some[:100]])  # more do not fit into an argument
            then = Settings(course, limits, seed, training_seed, every_cell=every_cell, again=True)
            with (
                with_box(where, then, some, err) as settings,
                closing(grade_all(list(zip(places, some, strict=True)), settings, workers, earlier=before)) as graded,
            ):
                for place, result in graded:
                    comparisons[place].after = result
                    comparisons[place].changed = list(_changed(comparisons[place].before.record, result.record))
                    bar.advance(task)
    console = Console(highlight=False)
    for one in comparisons:
        _show(one, console)
    same = sum(1 for one in comparisons if not one.differences)
    err.print(f"{same} of {len(comparisons)} came out the same, marks and messages.", style="dim")
    return 0 if same == len(comparisons) else 1


def _files(records: Iterable[Path]) -> Iterator[Path]:
    for path in records:
        if path.is_dir():
            yield from sorted(file for file in path.rglob(RESULT) if file.is_file())
        else:
            yield path


def _read(file: Path) -> Result:
    try:
        return Result.from_dict(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"{file} is not a result as `autograder grade --output` writes it.") from error


def _submission(one: Comparison, notebook: Path | None) -> Submission:
    kept = one.before.record.get("submission")
    if not isinstance(kept, dict):
        raise Refused(f"{one.file} does not record where its submission is.")
    path = notebook or Path(kept["path"])
    if not path.exists():
        raise Refused(
            f"The submission of {one.file} is no longer at {path}. For one record, --notebook says where it is."
        )
    return Submission(path, one.before.student, one.before.assignment, kept["problem"])


def _circumstances(one: Comparison) -> tuple[int, int, Limits, bool]:
    record = one.before.record
    known = {item.name for item in fields(Limits)}
    try:
        limits = Limits(**{name: value for name, value in record["limits"].items() if name in known})
        return int(record["seed"]), int(record["training_seed"]), limits, bool(record["every_cell"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused(f"{one.file} does not record the seeds and limits of its grading.") from error


def _changed(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """What the two gradings did not have in common."""
    facts = {
        "submission_sha256": "the submission's file",
        "release_sha256": "the released notebook",
        "checks_sha256": "the hidden checks",
        "lock_sha256": "the lock file",
        "protections": "what the box was seen to hold",
        "for_marks": "whether the box is closed enough to grade for marks",
    }
    for name, words in facts.items():
        if before.get(name) != after.get(name):
            yield words
    old, new = before.get("versions", {}), versions_here()
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield f"{name} ({old.get(name, 'none')} then, {new.get(name, 'none')} now)"


def _show(one: Comparison, console: Console) -> None:
    name = f"{one.before.student} · {one.before.assignment or 'unknown assignment'}"
    found = one.differences
    verdict = "[red]✗ not the same[/]" if found else "[green]✓ the same[/]"
    score = "–" if one.before.score is None else f"{one.before.score:g}"
    console.print(f"{verdict}  ", end="")
    still = f", {one.before.open_points:g} open" if one.before.open_points else ""
    console.print(f"{plain(name, 80)}  {score}{still}", markup=False)
    if one.changed:
        console.print(f"    changed since: {plain(', '.join(one.changed), 400)}", markup=False)
    for sentence in found:
        console.print(f"    {plain(sentence, 600)}", markup=False)
