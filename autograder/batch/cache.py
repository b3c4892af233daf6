"""Reuse: what of an earlier result still holds, since all that it follows from is as it was.

A whole result holds while its submission's file is the same, an exercise's while the cells that it depends on are, its
checks, and what they are run with. The record keeps the seeds of the hidden inputs, so that the same comes out again.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final, TypeGuard

from autograder.box import Limits
from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.result import ExerciseResult, Result
from autograder.settings import Settings
from autograder.submission.checks_text import checks_of
from autograder.submission.find import Submission
from autograder.submission.restoration import Restored
from autograder.submission.slicing import Slices
from autograder.versions import versions_here

Keys = dict[str, str]  # by exercise
# The causes that another try, with the machine idle or with wider limits, may not meet again.
LIMITED: Final = frozenset({"time", "memory"})


def identity(submission: Submission, settings: Settings) -> str | None:
    """A hash of everything that a result follows from; None when the submission cannot be read.

    Two gradings of one identity give the same marks and messages, so that the second can be spared.
    """
    course = settings.course
    try:
        assignment = course.assignment(str(submission.assignment)) if submission.assignment else None
        file = hashlib.sha256(submission.path.read_bytes()).hexdigest() if submission.path.is_file() else None
    except (OSError, CourseError):
        return None
    return _hash(
        submission.student, submission.assignment, submission.problem, submission.path.is_symlink(), file,
        assignment and [assignment.sha256, assignment.checks_sha256], course.names, _circumstances(settings),
    )  # fmt: skip


def keys(slices: Slices, restored: Restored, assignment: Assignment, settings: Settings) -> Keys:
    """Hashes of everything that each exercise's result follows from."""
    shared = _hash(
        _circumstances(settings), assignment.name, assignment.data_sha256, assignment.checks_data_sha256,
        assignment.grader_sha256,
    )  # fmt: skip
    found = {}
    for exercise in assignment.exercises:
        name = exercise.id
        facts = [
            shared, name, exercise.max_points, restored.problems.get(name), name in restored.missing,
            name in restored.unanswered, checks_of(assignment, name),
        ]  # fmt: skip
        found[name] = _hash(*facts, slices.text(name))
    return found


def usable(result: Result, *, practice: bool) -> bool:
    """Whether an earlier result may be taken over at all.

    Not where the grader had failed, which is worth another try; nor practice, where marks are wanted.
    """
    return not result.grader_failed and (practice or result.record.get("for_marks") is True)


def holds(result: Result, submission: Submission, settings: Settings) -> bool:
    """Whether an earlier result would come out the same now, as a whole.

    With more time or memory than then, what did not come to its limit comes out the same, so that such a result holds.
    """
    kept = result.record.get("identity")
    if kept is None:
        return False
    if kept == identity(submission, settings):
        return True
    then = narrower(result, settings)
    return then is not None and _came_to_no_limit(result) and bool(kept == identity(submission, then))


def narrower(result: Result | None, settings: Settings) -> Settings | None:
    """These settings with the limits of an earlier result; None where they are the same, or some of them were wider."""
    kept = result.record.get("limits") if result else None
    now = dataclasses.asdict(settings.limits)
    if not isinstance(kept, dict) or kept == now or kept.keys() != now.keys():
        return None
    if not all(type(kept[name]) in (int, float) and kept[name] <= limit for name, limit in now.items()):
        return None
    return dataclasses.replace(settings, limits=Limits(**kept))


def _came_to_no_limit(result: Result) -> bool:
    """Nothing was stopped: neither an answer, nor a cell that may matter to one, of which there is a note."""
    notes = result.record.get("notes")
    return isinstance(notes, dict) and not any(notes.values()) and not result.causes & LIMITED


def reusable(earlier: Result | None, now: Keys, *, whole: bool, silent: bool = False) -> dict[str, ExerciseResult]:
    """The exercises of an earlier result that would come out the same, by id; none where there is no result (None).

    What could not be graded is tried again. `whole`: all or none, where answers may keep something from one examination
    to the next, so that what is examined again meets what it has met before. `silent`: only those without a note, so
    that no cell of theirs came to a limit.
    """
    found = dict(_reusable(earlier, now, silent)) if earlier else {}
    return found if not whole or len(found) == len(now) else {}


def _reusable(earlier: Result, now: Keys, silent: bool) -> Iterator[tuple[str, ExerciseResult]]:
    before, all_notes = earlier.record.get("keys"), earlier.record.get("notes")
    if not isinstance(before, dict) or not isinstance(all_notes, dict):
        return  # nothing had come to be graded
    for exercise in earlier.exercises:
        if not isinstance(exercise.id, str) or not isinstance(exercise.points, (int, float)):
            continue
        kept, wanted, notes = (some.get(exercise.id) for some in (before, now, all_notes))
        # A record that somebody has damaged holds nothing.
        if isinstance(wanted, str) and kept == wanted and _texts(notes) and not (silent and notes):
            yield exercise.id, exercise


def _texts(found: Any) -> TypeGuard[list[str]]:
    return isinstance(found, list) and all(isinstance(one, str) for one in found)


def seeds(slices: Slices, assignment: Assignment, settings: Settings) -> dict[str, int]:
    """The seed of each exercise's hidden inputs; the batch's own cannot be told from it.

    Feedback shows some inputs with what was expected, and another answer could memorise those. So they follow from
    all code of the notebook, with its comments, which code can read: what the cells of a slice are not told by any
    name, others may still leave where an answer finds it (a file, the title of a plot). Text between cells is free.
    """
    found = {}
    for exercise in assignment.exercises:
        text = f"{settings.seed}/{assignment.name}/{exercise.id}/{slices.whole_text()}"
        digest = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
        found[exercise.id] = int.from_bytes(digest[:8], "big")
    return found


def seeds_before(earlier: Result | None, now: Keys, submission_sha256: str) -> dict[str, int]:
    """Those with which an earlier result came out, of exercises that are as they were, or of the same file.

    None are known where there is no earlier result (None).
    """
    if earlier is None:
        return {}
    kept, before = (earlier.record.get(name) for name in ("seeds", "keys"))
    kept, before = (some if isinstance(some, dict) else {} for some in (kept, before))
    same = earlier.record.get("submission_sha256") == submission_sha256
    return {
        name: kept[name]
        for name, key in now.items()
        if type(kept.get(name)) is int and kept[name] >= 0 and (same or before.get(name) == key)
    }


def _circumstances(settings: Settings) -> list[Any]:
    return [
        settings.course.lock_sha256, settings.seed, settings.training_seed, settings.every_cell,
        dataclasses.asdict(settings.limits), versions_here(),
    ]  # fmt: skip


def _hash(*facts: Any) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
