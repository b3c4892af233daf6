"""`from autograder import grade`: what the command `autograder grade` does, for a script."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from rich.console import Console

from autograder.batch.grade import Request, carry_out
from autograder.box import Limits
from autograder.course import Course
from autograder.errors import NothingThere
from autograder.report.page import Level
from autograder.result import Result
from autograder.seed import TRAINING_SEED
from autograder.submission.find import find_submissions, strays

DEFAULTS = Limits()


def grade(
    paths: Path | str | Iterable[Path | str],
    *,
    course: Course | Path | str | None = None,
    output: Path | str | None = None,
    feedback: Level = "now",
    cache: bool = True,
    workers: int | None = None,
    retry: Iterable[Literal["time", "memory"]] = (),
    seed: int | None = None,
    training_seed: int = TRAINING_SEED,
    limits: Limits = DEFAULTS,
    allow_weak_box: bool = False,
) -> list[Result]:
    """Grade submissions, and return a result for each, in the order in which they were found. Prints nothing.

        from autograder import grade

        for result in grade("submissions", output="results"):
            print(result.student, result.assignment, result.score, result.open_points, result.max_score)
            for exercise in result.exercises:
                print("  ", exercise.id, exercise.points, exercise.message)

    A score, and an exercise's points, are None where it could not be graded; `cause` and `message` then say why. Such
    an exercise is no zero: `open_points` is what those exercises would give at most, beside the score.
    A wrong or hostile notebook raises nothing: whatever happens to one submission is in its result.
    A notebook that is in no folder STUDENT/ASSIGNMENT, or in one with nearly an assignment's name, is told by a
    `UserWarning`: it has no marks.

    `paths` are one or more of: a notebook, the folder of a submission, a class as STUDENT/ASSIGNMENT/NOTEBOOK.ipynb.
        They are taken in their order, and folders by name.
    `course` is the course, or a path in its repository; None: the one around this package or the working folder.
    `output` is a folder for results and feedback pages, written as they finish; None: nothing is kept.
    `feedback` says whom the pages there are for: "now" a student, "after" a student after the deadline, or "staff".
    `cache` takes results over that `output` has already, where nothing that they follow from has changed.
    `workers` is how many submissions are graded at a time; None: as many as cores and memory allow.
    `retry` has causes: what `output` has that could not be graded because of one is graded again, one at a time.
    `seed` (a whole number from 0) draws the hidden inputs; None: this machine's own secret one.
    `training_seed` (from 0) is the notebooks' own SEED.
    `limits` are the seconds and bytes that one submission may use.
    `allow_weak_box` grades even where the box lacks protections: then `record["for_marks"]` is False.

    Raises, before anything is graded:
        NothingThere    a path does not exist or holds no submission, or there is no path
        CourseError     there is no course, or its files are damaged
        BoxUnavailable  this machine has no box, or one that does not hold
        Unusable        results cannot be kept in `output`; it is InUse where another grader is writing there
        Refused         AUTOGRADER_SEED is not a whole number from 0. NothingThere, BoxUnavailable and Unusable are of
                        this kind, too
    """
    of = course if isinstance(course, Course) else Course.find(None if course is None else Path(course))
    places = [Path(one) for one in ([paths] if isinstance(paths, (Path, str)) else paths)]
    submissions, complaints = find_submissions(places, of)
    if complaints or not submissions:
        raise NothingThere("\n".join(complaints) or "Nothing to grade: no path was given.")
    for sentence in strays(places, submissions):
        warnings.warn(sentence, stacklevel=2)
    request = Request(
        places, limits, workers, seed, training_seed, None if output is None else Path(output), json=False,
        allow_weak_box=allow_weak_box, cache=cache, verify=False, feedback=feedback, retry=frozenset(retry),
    )  # fmt: skip
    return carry_out(request, submissions, of, Console(quiet=True, force_jupyter=False)).results
