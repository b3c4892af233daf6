"""How well the checks tell right from wrong: all answers of the corpus, and all mutants of the reference.

The answers are the course's own, so they run without a box: never point this at submissions.
"""

import json as jsonlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from autograder.authoring import local_run
from autograder.authoring.corpus import Corpus, Equivalent, Sample, corpus
from autograder.authoring.local_run import Trial
from autograder.authoring.mutants import Mutant, mutants
from autograder.batch.pool import Job, Lost, Pool
from autograder.course import Course

SECONDS: Final = 60.0  # for a right or wrong answer, which may train a model
JOBS_EACH: Final = 60  # Keras keeps what it builds


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be."""

    exercise: str
    kind: str
    name: str
    text: str


@dataclass
class Assessed:
    """One exercise. `killed` counts mutants that lost points, or came to no end (`lost` of them)."""

    assignment: str
    exercise: str
    right: int = 0
    false_alarms: int = 0
    wrong: int = 0
    caught: int = 0
    mutants: int = 0
    killed: int = 0
    lost: int = 0
    equivalent: int = 0
    surviving: int = 0
    touched: int = 0
    not_mutated: str = ""
    builds_on_others: str = ""
    findings: list[Finding] = field(default_factory=list)

    def found(self, kind: str, name: str, text: str) -> None:
        """Keep something that an author has to look at; `text` is what to print of it."""
        self.findings.append(Finding(self.exercise, kind, name, text))


@dataclass(frozen=True)
class Options:
    """`mutant_seconds` is what one mutant may take before its process is killed; it then counts as killed."""

    workers: int
    seed: int = 11
    mutant_seconds: float = 20.0
    answers: bool = True
    mutants: bool = True
    exercises: tuple[str, ...] = ()


def assess(course: Course, names: Iterable[str], options: Options, console: Console) -> list[Assessed]:
    """Examine everything, assignment by assignment. Raises CourseError."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    assessed = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Pool(options.workers, local_run.prepare, JOBS_EACH) as pool, Progress(*columns, console=console) as progress:
        for name in names:
            work = _Assignment(course, corpus(course, name), options)
            for stage, jobs in (("the reference", work.references()), ("answers", work.answers()), ("", work.others())):
                todo = list(jobs)
                task = progress.add_task(f"{name} {stage or 'other exercises'}", total=len(todo))
                for job, value in pool.do(todo):
                    work.take(job, value)
                    progress.advance(task)
                progress.remove_task(task)
            assessed += work.finished()
    return assessed


def in_order(assessed: Iterable[Assessed]) -> bool:
    """Whether all is as it should be."""
    return not any(one.findings for one in assessed)


class _Assignment:
    """The work on one assignment, and what came of it so far."""

    def __init__(self, course: Course, found: Corpus, options: Options) -> None:
        self.course, self.corpus, self.options = course, found, options
        self.name = found.assignment
        assignment = course.assignment(self.name)
        ids = [one.id for one in assignment.exercises if one.id in options.exercises or not options.exercises]
        self.exercises = {one: Assessed(self.name, one) for one in ids}
        book = jsonlib.loads((course.root / "source" / self.name / f"{self.name}.ipynb").read_text(encoding="utf-8"))
        by_grade_id = {cell["metadata"].get("nbgrader", {}).get("grade_id"): cell for cell in book["cells"]}
        self.sources = {one: "".join(by_grade_id[one]["source"]) for one in ids}
        self.needs: dict[str, frozenset[str]] = {}
        self.used: set[Equivalent] = set()
        for one in ids:
            self.exercises[one].not_mutated = found.not_mutated.get(one, "")
            self.exercises[one].builds_on_others = found.builds_on_others.get(one, "")

    def references(self) -> Iterator[Job]:
        """The reference earns everything, and what it looks up shows which exercises an answer can reach."""
        for one in self.exercises:
            yield self._job(("reference", one), local_run.needs, one, self.options.seed, seconds=180)

    def answers(self) -> Iterator[Job]:
        if self.options.answers:
            for sample in self._samples():
                seeds = (self.options.seed,) if sample.by_chance else (self.options.seed, self.options.seed + 1)
                yield self._job(
                    ("answer", sample), local_run.attempt, sample.exercise, sample.code, seeds, seconds=SECONDS
                )
        if self.options.mutants:
            for one in self.exercises:
                for mutant in [] if self.exercises[one].not_mutated else mutants(one, self.sources[one]):
                    yield self._job(
                        ("mutant", mutant), local_run.attempt, one, mutant.code, (self.options.seed,),
                        seconds=self.options.mutant_seconds,
                    )  # fmt: skip

    def others(self) -> Iterator[Job]:
        """Wrong answers that define a name which another exercise's answer or checks look up."""
        for sample in self._samples() if self.options.answers else ():
            if sample.verdict == "wrong" and (others := self._reached(sample)):
                yield self._job(
                    ("others", sample), local_run.attempt_whole, sample.exercise, sample.code, self.options.seed,
                    others,
                    seconds=3 * SECONDS,
                )  # fmt: skip

    def take(self, job: Job, value: Any) -> None:
        kind, what = job.tag
        if isinstance(value, Lost) and kind != "mutant":
            text = {"time": "It came to no end in time.", "died": "Its process died."}.get(value.why, value.text)
            one = self.exercises[what if isinstance(what, str) else what.exercise]
            one.found("lost", "the reference" if isinstance(what, str) else what.name, text)
        elif kind == "reference":
            result, _, names = value
            self.needs[what] = names
            if result.outcome != "earned":
                self.exercises[what].found("the reference loses points", "the reference", result.message)
        else:
            getattr(self, f"_{kind}")(what, value)

    def finished(self) -> list[Assessed]:
        if self.options.mutants:
            for one in set(self.corpus.equivalents) - self.used:
                if one.exercise in self.exercises:
                    text = f"No surviving mutant is this:\n{_diff(one.before, one.after)}"
                    self.exercises[one.exercise].found("outdated equivalent", one.reason, text)
        return list(self.exercises.values())

    def _answer(self, sample: Sample, found: Trial) -> None:
        one = self.exercises[sample.exercise]
        earned = [result.outcome == "earned" for result in found.results]
        lost = next((result for result in found.results if result.outcome != "earned"), None)
        if len({result.points for result in found.results}) > 1:
            one.found("depends on the seed", sample.name, f"{[result.points for result in found.results]}")
        for result in found.results:
            if result.outcome == "could_not_be_graded" and result.cause == "grader":
                one.found("a check fails itself", sample.name, result.message)
        if sample.verdict == "correct":
            one.right += 1
            if lost or found.visible:
                one.false_alarms += 1
                one.found("false alarm", sample.name, lost.message if lost else f"The visible check: {found.visible}")
        else:
            one.wrong += 1
            one.caught += not all(earned)
            if all(earned):
                one.found("not caught", sample.name, "It earns all points.")

    def _mutant(self, mutant: Mutant, found: Trial | Lost) -> None:
        one = self.exercises[mutant.exercise]
        one.mutants += 1
        if isinstance(found, Lost) and found.why == "raised":
            one.found("lost", mutant.operator, f"{found.text}\n{_diff(mutant.before, mutant.after)}")
            return
        if isinstance(found, Lost):
            one.killed += 1
            one.lost += 1
            return
        result = found.results[0]
        if result.cause == "grader":
            one.found(
                "a check fails itself", mutant.operator, f"{result.message}\n{_diff(mutant.before, mutant.after)}"
            )
        known = [e for e in self.corpus.equivalents
                 if (e.exercise, e.before, e.after) == (mutant.exercise, mutant.before, mutant.after)]  # fmt: skip
        if result.outcome != "earned":
            one.killed += 1
        elif known:
            one.equivalent += 1
            self.used |= set(known)
        else:
            one.surviving += 1
            one.found("surviving mutant", mutant.operator, _diff(mutant.before, mutant.after))

    def _others(self, sample: Sample, found: Trial) -> None:
        for result in found.others:
            if result.outcome != "earned":
                self.exercises[sample.exercise].touched += 1
                self.exercises[sample.exercise].found(
                    "another exercise touched", sample.name, f"`{result.id}`: {result.message}"
                )

    def _reached(self, sample: Sample) -> tuple[str, ...]:
        defines = local_run.stored(sample.code) | local_run.stored(self.sources[sample.exercise])
        free = {sample.exercise, *self.corpus.builds_on_others}
        return tuple(one for one, names in self.needs.items() if one not in free and names & defines)

    def _samples(self) -> list[Sample]:
        return [sample for sample in self.corpus.samples if sample.exercise in self.exercises]

    def _job(self, tag: Any, function: Callable[..., Any], *args: Any, seconds: float) -> Job:
        return Job(tag, function, (self.course.root, self.name, *args), seconds)


def _diff(before: str, after: str) -> str:
    return "\n".join([*(f"- {line}" for line in before.splitlines()), *(f"+ {line}" for line in after.splitlines())])


COLUMNS: Final = (
    "exercise", "right", "false alarms", "wrong", "caught", "mutants", "killed", "equivalent", "survive", "touched",
)  # fmt: skip


def rows(assessed: Iterable[Assessed]) -> list[list[str]]:
    """A row an exercise, and the sum."""
    each = list(assessed)
    total = Assessed("all", "")
    for key in ("right", "false_alarms", "wrong", "caught", "mutants", "killed", "equivalent", "surviving", "touched"):
        setattr(total, key, sum(getattr(one, key) for one in each))
    return [_row(one) for one in (*each, total)]


def _row(one: Assessed) -> list[str]:
    return [
        f"{one.assignment} {one.exercise}".strip(),
        str(one.right), _share(one.false_alarms, one.right), str(one.wrong), _share(one.caught, one.wrong),
        "none" if one.not_mutated else str(one.mutants), _share(one.killed, one.mutants - one.equivalent),
        str(one.equivalent), str(one.surviving), str(one.touched),
    ]  # fmt: skip


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})" if whole else "–"


HEAD: Final = """# How well the checks tell right from wrong

Made by `autograder assess --markdown` (`make assess`); a mutant has 20 s of processor time, if not told otherwise.
*Killed* is the share of the mutants that are not listed as equivalent, with a reason each, in `tests/answers/`.
*Touched* counts the answers by which another exercise lost points.
"""


def as_markdown(assessed: list[Assessed]) -> str:
    """The page: what the table is, the table, and its limits."""
    lines = [COLUMNS, ("---", *["--:"] * (len(COLUMNS) - 1)), *rows(assessed)]
    table = (f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([HEAD, *table, "", *(f"* {one}" for one in _limits(assessed))])


def _limits(assessed: Iterable[Assessed]) -> Iterator[str]:
    for one in assessed:
        if one.not_mutated:
            yield f"{one.assignment} {one.exercise} has no mutants: {one.not_mutated}."
        if one.builds_on_others:
            yield f"{one.assignment} {one.exercise} may be touched by others: {one.builds_on_others}."


def report(assessed: list[Assessed], console: Console) -> None:
    """The table, its limits, and everything that is not as it should be."""
    shown = Table(COLUMNS[0], *[Column(one, justify="right") for one in COLUMNS[1:]])
    for row in rows(assessed):
        shown.add_row(*row)
    console.print(shown)
    for limit in _limits(assessed):
        console.print(limit, markup=False)
    for one in assessed:
        for finding in one.findings:
            console.print(f"\n[bold]{one.assignment} {one.exercise}: {finding.kind}[/] {escape(finding.name)}")
            console.print(finding.text, markup=False)


def as_json(assessed: list[Assessed]) -> str:
    """A JSON list with one object for each exercise, its fields those of `Assessed`."""
    return jsonlib.dumps([asdict(one) for one in assessed], indent=1, ensure_ascii=False)
