"""`autograder collect`: from a roster to submissions, one commit a student, with a record of which and when.

Which commit counts: the branch as it is now; with a tag, the commit that it names; with a deadline, the last
commit before it. The dates in commits are what their authors say. So a commit is taken without doubt only if
an earlier collection, before the deadline, saw it; later commits that are dated before the deadline count too,
but are marked as dated only. A collection that runs at the deadline leaves no doubt.
"""

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from autograder.collection.git import Git, GitError, TooSlow
from autograder.collection.misplaced import misplaced
from autograder.collection.roster import Student
from autograder.folder_names import folder_of
from autograder.submission.notebook import MAX_BYTES

RECORD: Final = "collected.json"
REPOSITORIES: Final = ".repositories"
AT_ONCE: Final = 8
# Where a student may have the notebook of an assignment, the first of them that is not as released.
PLACES: Final = ("work/{0}/{0}.ipynb", "{0}/{0}.ipynb", "work/{0}.ipynb", "{0}.ipynb", "release/{0}/{0}.ipynb")

Outcome = Literal["collected", "unchanged", "nothing", "missing", "broken"]
Turn = Literal["student", "instructor"]  # who has to do something
Evidence = Literal["now", "tag", "seen", "dated"]

TURNS: Final = {"student": "the student's turn", "instructor": "the instructor's turn", None: ""}


@dataclass(frozen=True)
class Collected:
    """What a collection found at one student's. `seen` is every branch's head that was ever met, with its time.

    Times are in ISO 8601; `fetched_at` is when it was last tried. `commit`, its time and the `evidence` for it are None
    where no commit counts, and `turn` where nobody has anything to do. `misplaced` has a sentence for each notebook
    that seems to be an assignment's, and is where nobody looks for it.
    """

    student: str
    repository: str
    outcome: Outcome
    commit: str | None = None
    committed_at: str | None = None
    evidence: Evidence | None = None
    fetched_at: str | None = None
    notebooks: dict[str, str] = field(default_factory=dict)  # assignment to the file in the repository
    notes: tuple[str, ...] = ()
    reason: str = ""
    turn: Turn | None = None
    seen: tuple[tuple[str, str], ...] = ()
    misplaced: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether there is nothing to grade from it, for whatever reason."""
        return self.outcome in {"missing", "broken"}


@dataclass(frozen=True)
class When:
    """Which commit counts: the last before a deadline, or that of a tag; both None: the branch as it is now."""

    deadline: datetime | None = None
    tag: str | None = None


class _Failed(Exception):
    """Nothing was collected. With `known`, because nothing counts, and not because nobody could look."""

    def __init__(self, outcome: Outcome, reason: str, turn: Turn, known: bool = False) -> None:
        super().__init__(reason)
        self.outcome, self.reason, self.turn, self.known = outcome, reason, turn, known


def collect_all(
    students: Sequence[Student],
    folder: Path,
    when: When,
    git: Git,
    released: dict[str, bytes],
    now: datetime | None = None,
) -> Iterator[Collected]:
    """Each student's, in the roster's order; the record is written when all are done.

    `released` has the notebook of each assignment that is wanted. `now` is for tests; None: the time that it is.
    Raises OSError when `folder` cannot be written. What is wrong with one repository is part of its outcome.
    """
    now = now or datetime.now(UTC)
    (folder / REPOSITORIES).mkdir(parents=True, exist_ok=True)
    earlier = {one.student: one for one in read_record(folder)}
    older = _rename_older(folder, {*earlier, *(student.student for student in students)})
    found: list[Collected] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tasks = [
            pool.submit(_collect, student, folder, when, git, released, earlier.get(student.student), now)
            for student in students
        ]
        for task in tasks:
            one = task.result()
            if one.student in older:
                one = replace(one, notes=(*one.notes, f"The folder {one.student} is of an older version: remove it."))
            found.append(one)
            yield one
    # Who has left the roster keeps files and record: that is for people to remove.
    gone = [one for name, one in earlier.items() if name not in {student.student for student in students}]
    _write(folder / RECORD, json.dumps([asdict(one) for one in [*found, *gone]], indent=1).encode() + b"\n")


def _rename_older(folder: Path, names: Collection[str]) -> set[str]:
    """Give the folders of these students, which an older version named just as them, the names that they have now.

    Returns whose could not be renamed, because they have one of the new name, too.
    """
    for place, end in ((folder / REPOSITORIES, ".git"), (folder, "")):
        # Not `exists`, which on some disks takes `Ada` for `ada`.
        there = {one.name.removesuffix(end) for one in place.iterdir() if one.is_dir()}
        old = {name for name in there.intersection(names) if folder_of(name) != name}
        for name in old:
            if folder_of(name) not in there:
                (place / f"{name}{end}").rename(place / f"{folder_of(name)}{end}")
    return {name for name in old if folder_of(name) in there}


def read_record(folder: Path) -> list[Collected]:
    """What the last collection into this folder found; nothing where there was none, or its record is damaged."""
    try:
        kept = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return [
            Collected(
                **{
                    **one,
                    "notes": tuple(one["notes"]),
                    "seen": tuple(map(tuple, one["seen"])),
                    "misplaced": tuple(one.get("misplaced", ())),
                }
            )
            for one in kept
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _collect(
    student: Student,
    folder: Path,
    when: When,
    git: Git,
    released: dict[str, bytes],
    earlier: Collected | None,
    now: datetime,
) -> Collected:
    base = Collected(student.student, student.repository, "collected", fetched_at=_time(now))
    if earlier is not None and earlier.repository == student.repository:
        base = replace(base, seen=earlier.seen)
    place = folder / folder_of(student.student)
    repository = folder / REPOSITORIES / f"{folder_of(student.student)}.git"
    try:
        head = _fetch(student, repository, when, git)
        if head not in {commit for commit, _ in base.seen}:
            base = replace(base, seen=(*base.seen, (head, _time(now))))
        commit, evidence, notes = _choose(head, base.seen, repository, when, git, now)
        notebooks, more = _take(commit, repository, place, git, released)
        known = {place.format(name) for name in released for place in PLACES}
        lost = tuple(misplaced(commit, repository, git, released, known, notebooks))
        # Not `git show`, which walks the whole of a first commit's tree.
        dated = git.run(repository, "log", "-1", "--format=%cI", commit).decode("utf-8", "replace").strip()
    except _Failed as failure:
        if failure.known:  # what an earlier collection took, of another deadline or of none, does not count now
            for name in released:
                _remove(place / name / f"{name}.ipynb")
        elif earlier is not None and earlier.notebooks:
            note = f"What was collected at {earlier.fetched_at} stays."
            base = replace(earlier, repository=student.repository, seen=base.seen, notes=(note,))
        return replace(base, outcome=failure.outcome, reason=failure.reason, turn=failure.turn)
    except (GitError, OSError, ValueError) as problem:  # ValueError: from what git says of damaged objects
        return replace(base, outcome="broken", reason=str(problem), turn="instructor")
    same = earlier is not None and (earlier.commit, earlier.notebooks) == (commit, notebooks)
    outcome: Outcome = ("unchanged" if same else "collected") if notebooks else "nothing"
    return replace(
        base, outcome=outcome, commit=commit, committed_at=dated, evidence=evidence, notebooks=notebooks,
        notes=(*notes, *more), reason="" if notebooks else "no notebook of the course is in it",
        turn="student" if lost or not notebooks else None, misplaced=lost,
    )  # fmt: skip


def _fetch(student: Student, repository: Path, when: When, git: Git) -> str:
    """The commit of the branch or the tag, now in `repository`."""
    if not (repository / "HEAD").exists():
        repository.mkdir(exist_ok=True)
        git.run(repository, "init", "--quiet", "--bare", "--template=")
    wanted = f"refs/tags/{when.tag}" if when.tag else f"refs/heads/{student.branch}" if student.branch else "HEAD"
    # The whole history, and never less of it, only where an older commit may be the one that counts.
    depth = [] if when.deadline else ["--depth=1"]
    if when.deadline and (repository / "shallow").exists():
        depth = ["--unshallow"]
    try:
        git.run(repository, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--force", *depth,
                git.address(student.repository), f"+{wanted}:refs/collected/head")  # fmt: skip
        return git.run(repository, "rev-parse", "--verify", "refs/collected/head^{commit}").decode().strip()
    except TooSlow as problem:
        raise _Failed("broken", f"{problem}: collect again, or look at its size", "instructor") from problem
    except GitError as problem:
        raise _failure(str(problem), when, student) from problem


def _failure(told: str, when: When, student: Student) -> _Failed:
    """Whose turn it is after git has said this."""
    if re.search(r"couldn't find remote ref|no such ref was fetched", told):
        if when.tag:
            return _Failed("missing", f"there is no tag {when.tag}", "student", known=True)
        if student.branch:
            return _Failed("missing", f"there is no branch {student.branch}", "student", known=True)
        return _Failed("missing", "nothing has been pushed to it", "student")
    if re.search(
        r"not found|does not exist|not appear to be a git repository|No such file|Permission|40[134]", told
    ) or (re.search(r"could not read|Authentication failed|unable to update url base", told)):
        reason = "not there, moved, or closed to the course's account: invite it, or correct the roster"
        return _Failed("missing", f"{reason} ({told})", "student")
    if re.search(r"File too large|signal|index-pack|unpack-objects|out of memory|early EOF", told):
        return _Failed("broken", f"too large or damaged: it cannot be fetched ({told})", "student")
    if re.search(r"resolve host|connect|timed out|SSL|50\d", told):
        return _Failed("broken", f"its server was not reached: collect again ({told})", "instructor")
    return _Failed("broken", f"git could not fetch it ({told})", "instructor")


def _choose(
    head: str, seen: Iterable[tuple[str, str]], repository: Path, when: When, git: Git, now: datetime
) -> tuple[str, Evidence, tuple[str, ...]]:
    """The commit that counts, how sure that is, and what a person should know."""
    if when.tag or when.deadline is None:
        return head, "tag" if when.tag else "now", ()
    deadline = when.deadline
    if now <= deadline:
        return head, "seen", ()
    in_time = [commit for commit, time in seen if datetime.fromisoformat(time) <= deadline]
    known = next((commit for commit in reversed(in_time) if _has(commit, repository, git)), None)
    line = git.run(repository, "log", "--first-parent", "--format=%H %ct", head, most=64 * 2**20).decode().split("\n")
    history = [(commit, int(stamp)) for commit, _, stamp in (one.partition(" ") for one in reversed(line) if one)]
    dated = None
    for commit, stamp in history:  # from the first: what follows a late commit is late, whatever its date
        if stamp > deadline.timestamp():
            break
        dated = commit
    commits = [commit for commit, _ in history]
    if known is not None and known not in commits:
        note = "The history was rewritten after the deadline; what was seen before it counts."
        return known, "seen", (note,)
    if known is not None and (dated is None or commits.index(known) >= commits.index(dated)):
        return known, "seen", ()
    if dated is None:
        raise _Failed("missing", f"it holds no commit from before {_time(deadline)}", "student", known=True)
    note = "Dated before the deadline, but first seen after it: the date is its author's word."
    return dated, "dated", (note,)


def _has(commit: str, repository: Path, git: Git) -> bool:
    try:
        git.run(repository, "cat-file", "-e", f"{commit}^{{commit}}")
    except GitError:
        return False
    return True


def _take(
    commit: str, repository: Path, folder: Path, git: Git, released: dict[str, bytes]
) -> tuple[dict[str, str], list[str]]:
    """Write the notebooks of the commit; returns where in it each lay, and what a person should know."""
    places = [place.format(name) for name in released for place in PLACES]
    listed = git.run(repository, "--literal-pathspecs", "ls-tree", "-z", "-l", "--full-tree", commit, *places)
    entries = {}
    for entry in listed.decode("utf-8", "surrogateescape").split("\0"):
        head, _, path = entry.partition("\t")
        if path:
            entries[path] = head.split()
    found: dict[str, str] = {}
    notes: list[str] = []
    for name, release in released.items():
        chosen: tuple[str, bytes] | None = None
        for path in (place.format(name) for place in PLACES):
            if path not in entries:
                continue
            mode, kind, blob, size = entries[path]
            if kind != "blob" or mode not in {"100644", "100755"}:
                notes.append(f"{path} is a link or a folder, and was left out.")
            elif int(size) > MAX_BYTES:
                notes.append(f"{path} is larger than {MAX_BYTES >> 20} MiB, and was left out.")
            else:
                data = git.run(repository, "cat-file", "blob", blob, most=MAX_BYTES)
                if data != release:
                    chosen = path, data
                    break
                if chosen is None and not path.startswith("release/"):
                    chosen = path, data
        target = folder / name / f"{name}.ipynb"
        if chosen is None:
            _remove(target)
            continue
        found[name] = chosen[0]
        if not target.is_file() or hashlib.sha256(target.read_bytes()).digest() != hashlib.sha256(chosen[1]).digest():
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(target, chosen[1])
    return found, notes


def _remove(notebook: Path) -> None:
    notebook.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # there may be more in the folder, or no folder
        notebook.parent.rmdir()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _write(path: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with open(descriptor, "wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), 0o644)
    Path(name).replace(path)


def told(one: Collected) -> str:
    """What a person should know of it, and who must do something."""
    reasons = [f"{one.reason} ({TURNS[one.turn]})"] if one.reason else []
    return "; ".join([*reasons, *one.misplaced, *one.notes])
