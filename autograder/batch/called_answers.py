"""An answer that calls another exercise's wrong answer is looked at once more: points follow understanding.

In its box the names of the wrong answers then stand for the references'. These run in a box of their own, so that no
reference is where student code is (`box/served.py`). Each exercise may call those before it in the notebook alone: one
after it may hold its whole answer. What a check finds this second time is told to nobody: it can only give points.
"""

import ast
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from autograder.box.bounds import Unanswered
from autograder.box.served import Served
from autograder.box.session import Session
from autograder.course import Assignment
from autograder.errors import NotGradable
from autograder.examination.examine import Evidence
from autograder.examination.own_answers import solution
from autograder.result import ExerciseResult, Finding
from autograder.submission.notebook import read
from autograder.submission.restoration import Restored, restore
from autograder.submission.slicing import Slices

Again = Callable[[str], Sequence[Evidence]]
"""Looks at one exercise once more, in the same box."""


def with_references(
    evidence: Sequence[Evidence],
    called: Mapping[str, Mapping[str, bool]],
    assignment: Assignment,
    session: Session,
    reference: Callable[[], Session],
    again: Again,
) -> list[Evidence]:
    """The evidence, with the points that answers earn beside right ones, and with the sentence that says so.

    `called` has, for an exercise, the wrong ones that it may call, each with whether it has an answer at all.
    """
    found = list(evidence)
    for exercise, wrong in called.items():
        its = [place for place, one in enumerate(found) if one.check.exercise == exercise]
        if not _failed([found[place] for place in its]):
            continue
        owners = {name: other for other in wrong for name in functions(assignment, other)}
        try:
            served = Served(owners, reference())
        except NotGradable:  # a course without solutions: nothing can stand in
            return found
        try:
            with session.serving(served):
                second = again(exercise)
        except Unanswered:
            continue
        if served.called:
            told = _told(served.called, {name: wrong[other] for name, other in owners.items()})
            for place, one in zip(its, _better([found[place] for place in its], second, told), strict=True):
                found[place] = one
    return found


class References:
    """The references, in a box of their own that starts when it is first asked for."""

    def __init__(self, assignment: Assignment, start: Callable[[Restored, Iterable[int]], Session]) -> None:
        """`start` gives a session for cells of a notebook, by their numbers."""
        self._assignment, self._start = assignment, start
        self._session: Session | None = None

    def session(self) -> Session:
        """Raises NotGradable where `solutions/` has no reference, and BoxUnavailable."""
        if self._session is None:
            restored = restore(read(solution(self._assignment)), self._assignment)
            needed = Slices(restored, self._assignment).named(one.id for one in self._assignment.exercises)
            self._session = self._start(restored, needed)
            self._session.execute()
        return self._session

    def close(self) -> None:
        """End its box, if there is one."""
        if self._session is not None:
            self._session.close()


def may_call(
    slices: Slices, restored: Restored, assignment: Assignment, evidence: Sequence[Evidence],
    known: Mapping[str, ExerciseResult],
) -> dict[str, dict[str, bool]]:  # fmt: skip
    """For each exercise of the evidence that failed: those that failed before it, and that its names lead to.

    `known` are the results that were taken over.
    """
    order = [one.id for one in assignment.exercises]
    now = {name for name in order if _failed([one for one in evidence if one.check.exercise == name])}
    failed = now | restored.unanswered | {one.id for one in known.values() if one.outcome in {"partial", "not_earned"}}
    found: dict[str, dict[str, bool]] = {}
    for place, exercise in enumerate(order):
        if exercise in now:
            numbers = slices.named([exercise])
            reached = {cell.exercise for cell in restored.cells if cell.number in numbers and cell.kind == "solution"}
            before = {one: one not in restored.unanswered for one in order[:place] if one in failed & reached}
            found |= {exercise: before} if before else {}
    return found


def functions(assignment: Assignment, exercise: str) -> list[str]:
    """The functions that the released solution cell asks for."""
    tree = ast.parse(assignment.by_grade_id[exercise].source)
    return [one.name for one in tree.body if isinstance(one, ast.FunctionDef)]


def _failed(found: Sequence[Evidence]) -> bool:
    credits = [one.credit for one in found]
    return None not in credits and any(credit != 1 for credit in credits)


def _told(called: set[str], answered: Mapping[str, bool]) -> str:
    wrong = [f"`{name}`" for name in sorted(called) if answered[name]]
    missing = [f"`{name}`" for name in sorted(called) if not answered[name]]
    return " ".join(
        f"This calls {whose}{' and '.join(names)}, which {'is' if len(names) == 1 else 'are'} {what}: "
        f"{verb} {'it' if len(names) == 1 else 'them'} first."
        for names, whose, what, verb in ((wrong, "your ", "wrong", "mend"), (missing, "", "not answered yet", "write"))
        if names
    )


def _better(first: Sequence[Evidence], second: Sequence[Evidence], told: str) -> Iterator[Evidence]:
    """What was found first, but with full credit where the second look gives it; of that look nothing else is told."""
    passed = {one.check for one in second if one.credit == 1}
    earned = all(one.credit == 1 or one.check in passed for one in first)
    for place, one in enumerate(first):
        if one.credit == 1 or one.check in passed:
            said = one.message if one.credit == 1 else ""
            if earned and place == 0:
                said = f"{told} With a right one this answer is right, so it earns its points. {said}".strip()
            yield Evidence(one.check, 1.0, said)
        else:
            finding = dataclasses.replace(one.finding or Finding(one.message), mistake=told, kind=told)
            yield dataclasses.replace(one, message=finding.sentences, finding=finding)
