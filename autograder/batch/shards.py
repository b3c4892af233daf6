"""A class spread over many machines, and put together again.

`plan` copies what has to be graded into numbered folders, each a class of its own for `autograder grade`,
and passes over what an earlier grading left that would come out the same; beside each (`earlier-NUMBER`) lie the
earlier results of what has changed. `merge` takes the results: of each
submission from the machine that had it to grade, and from no other.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from autograder.batch.cache import holds, usable
from autograder.box import Limits
from autograder.course import Course
from autograder.errors import PlanError, Unusable
from autograder.folder_names import make
from autograder.report.files import RESULT, Results
from autograder.result import Result
from autograder.seed import TRAINING_SEED
from autograder.settings import Settings
from autograder.submission.find import Submission, find_submissions, strays
from autograder.text import plain

PLAN: Final = "plan.json"
EARLIER: Final = "earlier"
MOST: Final = 256  # jobs that a matrix on GitHub may have


@dataclass(frozen=True)
class Planned:
    """One submission, and the shard that grades it; None where the earlier result holds."""

    student: str
    assignment: str
    shard: int | None

    @property
    def label(self) -> str:
        """As a folder of the class: STUDENT/ASSIGNMENT."""
        return f"{self.student}/{self.assignment}"


def plan(
    submitted: Path,
    folder: Path,
    course: Course,
    seed: int,
    earlier: Path | None,
    most: int,
    each: int,
    tell: Callable[[str], None] = lambda sentence: None,
) -> list[Planned]:
    """Write the shards below `folder`, as equal as can be, and the plan beside them.

    There is one shard for every `each` submissions, and at most `most` in all. `earlier` is a folder of results; None:
    all are graded. `tell` gets a sentence for each notebook that is in no shard, and for each folder with nearly an
    assignment's name. Raises PlanError when nothing is there, two submissions are one student's, or `folder` exists;
    OSError when it cannot be written; CourseError when a release is damaged.
    """
    if folder.exists():
        raise PlanError(f"{folder} exists already. Name a new folder: older shards must not mix with these.")
    submissions, complaints = find_submissions([submitted], course)
    if complaints:
        raise PlanError(complaints[0])
    for sentence in strays([submitted], submissions):
        tell(sentence)
    _no_two_of_one(submissions)
    results = Results(earlier, submissions) if earlier else None
    settings = Settings(course, Limits(), seed, TRAINING_SEED)
    left = [place for place, one in enumerate(submissions) if not _holds(place, one, settings, results)]
    number = min(most, MOST, -(-len(left) // each))
    # Round about, so that every shard gets its share of each assignment.
    left.sort(key=lambda place: (submissions[place].assignment or "", submissions[place].student))
    shard_of = {place: count % number for count, place in enumerate(left)}
    planned = [Planned(one.student, str(one.assignment), shard_of.get(place)) for place, one in enumerate(submissions)]
    folder.mkdir(parents=True)
    for place, shard in shard_of.items():
        _copy(submissions[place], folder / str(shard))
        if results:
            _hand_on(results, place, folder / f"{EARLIER}-{shard}")
    (folder / PLAN).write_text(json.dumps([asdict(one) for one in planned], indent=1) + "\n", encoding="utf-8")
    return planned


def _holds(place: int, submission: Submission, settings: Settings, results: Results | None) -> bool:
    """Whether the result of an earlier grading for marks would come out the same now."""
    earlier = results.earlier(place) if results else None
    if results is None or earlier is None or not usable(earlier, practice=False):
        return False
    return holds(earlier, submission, settings)


def _hand_on(results: Results, place: int, folder: Path) -> None:
    """The earlier result of a submission that has changed: of some of its exercises it may hold."""
    kept = results.kept(place)
    if kept:
        target = folder / results.folders[place].relative_to(results.folder)
        target.mkdir(parents=True)
        shutil.copyfile(kept.folder / RESULT, target / RESULT)


def _no_two_of_one(submissions: Sequence[Submission]) -> None:
    """Raises PlanError where a student has two folders: which of them counts, people must say."""
    seen: dict[tuple[str, str | None], Submission] = {}
    for one in submissions:
        other = seen.setdefault((one.student, one.assignment), one)
        if other is not one:
            raise PlanError(f"{plain(other.path)} and {plain(one.path)} belong to one student and one assignment: "
                            "keep one of them.")  # fmt: skip


def _copy(submission: Submission, folder: Path) -> None:
    target = make(make(folder, submission.student), str(submission.assignment))
    if submission.path.is_file() and not submission.path.is_symlink():
        shutil.copyfile(submission.path, target / submission.path.name)


@dataclass(frozen=True)
class Merged:
    """Results that were put together, the labels of those that are `missing`, and the page that lists all."""

    results: list[Result]
    missing: list[str]
    page: Path


def merge(plan_file: Path, new: Path, output: Path, earlier: Path | None) -> Merged:
    """Put the results of `new/results-SHARD` and `earlier` together in `output`; None: there are no earlier ones.

    Raises PlanError when the plan cannot be read, or `output` cannot be used; OSError when a file cannot be copied.
    """
    try:
        planned = [Planned(**one) for one in json.loads(plan_file.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise PlanError(f"{plan_file} is not a plan ({error}).") from error
    kept: list[Submission] = []
    results: list[Result] = []
    missing: list[str] = []
    submissions = [Submission(output, one.student, one.assignment) for one in planned]
    try:
        with Results(output, submissions) as merged:
            for place, one in enumerate(planned):
                source = earlier if one.shard is None else new / f"results-{one.shard}"
                found = Results(source, [submissions[place]]).kept(0) if source else None
                if found is None:
                    missing.append(one.label)
                    continue
                if one.shard is None:
                    merged.keep(place, found.result)  # its page may be one of an older version
                else:
                    shutil.copytree(found.folder, merged.folders[place], dirs_exist_ok=True)
                kept.append(submissions[place])
                results.append(found.result)
            return Merged(results, missing, Results(output, kept).finish(results))
    except Unusable as problem:
        raise PlanError(str(problem)) from problem
