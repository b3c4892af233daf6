"""Examine: the hidden checks run here, outside the box, and what each came to is evidence.

Each check gives one `Evidence`. What pytest prints and returns decides nothing: the checks are listed when they are
collected, and one that leaves no evidence is a fault of the grader, not of the student. An exception that no check
foresaw, while it looked at what came back, is the answer's, unless the reference raises one as well (`_whose_fault`).
"""

import dataclasses
import functools
import hashlib
import math
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from hypothesis.errors import FlakyFailure

from autograder.box.bounds import Cause, Meter, Unanswered
from autograder.boxed import protocol
from autograder.boxed.values import Handle
from autograder.course import Assignment
from autograder.errors import NotGradable
from autograder.examination.admission import NotAdmitted
from autograder.examination.architecture import NotRebuilt
from autograder.examination.display import call as code_of
from autograder.examination.display import pair
from autograder.examination.expectations import NOTHING, Wrong
from autograder.examination.hidden_checks import Check, HiddenChecks, Ran, hidden_checks
from autograder.examination.judged_call import judged_call
from autograder.examination.misconceptions import Mistake, recognised, trying
from autograder.examination.own_answers import in_its_folder, reference_kernel
from autograder.examination.student import Call, Kernel, NotData, Student, StudentError, Undefined
from autograder.result import Finding, Picture, Shown
from autograder.text import plain

Looking = Callable[[str, float | None], None]
Lost = Mapping[str, Unanswered]
"""Exercises that ended the process which looked at them before, each with what is to be said of it."""

Awarded = tuple[float, str, str, tuple[Picture, ...]]
"""A part of the credit, the sentence about it, and the next step or Mistake."""

RUN_IT = "Run this call in your own cell, and follow it line by line."
AS_ASKED = "Return what the docstring says: its type, its shape, and plain values in it."
TOO_LARGE = "The grader does not have enough memory to look at what the answer returned. Return less."


@dataclass(frozen=True)
class Evidence:
    """What one check found. `credit` in [0, 1], or None with a `cause` when it could not tell."""

    check: Check
    credit: float | None
    message: str
    cause: Cause | None = None
    undefined: bool = False
    finding: Finding | None = None
    pictures: tuple[Picture, ...] = ()


def examine(
    assignment: Assignment,
    kernel: Kernel,
    seeds: Mapping[str, int],
    exercises: Iterable[str],
    *,
    meter: Meter | None = None,
    lost: Lost = MappingProxyType({}),
    looking: Looking = lambda exercise, seconds: None,
) -> list[Evidence]:
    """Run the checks of `exercises` against the kernel, inputs drawn from each exercise's seed.

    `meter` bounds what is spent here; what is `lost` is not looked at again; `looking` is told which exercise's answer
    is looked at and the seconds that it has, or None when its reference is asked.
    """
    wanted = set(exercises)
    hidden = hidden_checks(assignment)
    examination = _Examination(assignment, hidden, kernel, seeds, meter or Meter(math.inf, math.inf), dict(lost),
                               looking)  # fmt: skip
    found = [examination.evidence(check) for check in hidden.checks if check.exercise in wanted]
    found = [examination.settled(one) for one in found]
    looking("", None)
    for name in sorted(wanted - {item.check.exercise for item in found}):
        check = Check("", name, 1, "The exercise has checks", "")
        message = f"The exercise has no checks, or they did not load: {hidden.problem}"
        found.append(Evidence(check, None, message, "grader"))
    return found


class _Examination:
    """One submission's: what its checks are given, and what they came to."""

    def __init__(
        self,
        assignment: Assignment,
        hidden: HiddenChecks,
        kernel: Kernel,
        seeds: Mapping[str, int],
        meter: Meter,
        lost: dict[str, Unanswered],
        looking: Looking = lambda exercise, seconds: None,
    ) -> None:
        self.assignment = assignment
        self.hidden = hidden
        self.student = Student(kernel)
        self.seeds = seeds
        self.meter = meter
        self.lost = lost
        self.looking = looking
        self.awarded: Awarded | None = None
        self.borne_out: set[tuple[str, str]] = set()  # mistakes, by exercise
        self.untried: dict[Check, Evidence] = {}  # with a mistake that its check's inputs cannot decide

    def evidence(self, check: Check) -> Evidence:
        """Run the check, and once more if its box was lost through no fault of the student's.

        Where the box gave no answer, the exercise's other checks would get none, and are not run.
        """
        if check.exercise in self.lost:
            return self._judged(check, Ran(self.lost[check.exercise]))
        self.looking(check.exercise, self.meter.left(check.exercise))
        found = self._run(check)
        if found.cause == "box":
            del self.lost[check.exercise]
            found = self._run(check)
        return found

    def _run(self, check: Check) -> Evidence:
        """Run the check; and once more with fresh inputs if it has named a mistake, which must hold there as well."""
        seed = self.seeds[check.exercise]
        ran = self._asked(check, seed)
        awarded = self.awarded
        found = self._evidence(check, ran, awarded)
        if found.finding is None or not found.finding.mistake:
            return found
        named = found.finding.mistake
        with trying(named) as tried:
            again = self._asked(check, _another(check, seed), fresh=True)
        if self.awarded is not None and self.awarded[2] == named:
            return found
        verdict = tried.borne_out((one.what, one.clues) for one in again.wrong)
        if verdict == "yes" and _fresh(again, self._call(ran)):
            self.borne_out.add((check.exercise, named))
            return found
        if verdict != "no":
            self.untried[check] = found
        return self._evidence(check, ran, awarded, named=False)

    def settled(self, found: Evidence) -> Evidence:
        """With the mistake that the check's own inputs could not decide, if those of another check bore it out."""
        named = self.untried.get(found.check)
        known = named is not None and named.finding and (found.check.exercise, named.finding.mistake) in self.borne_out
        return named if named is not None and known else found

    def _asked(self, check: Check, seed: int, *, fresh: bool = False) -> Ran:
        self.awarded = None
        self.student.begin(_chance(check, seed))
        given = {"student": self.student, "rng": _generator(check, seed), "award": self.award}
        return self.hidden.run(check, seed, given, self.meter.looking(check.exercise), fresh=fresh)

    def _evidence(self, check: Check, ran: Ran, awarded: Awarded | None, *, named: bool = True) -> Evidence:
        """What the check found. Without `named`, it names no mistake, and shows the difference alone."""
        if ran.not_called:
            return Evidence(check, None, f"The check did not run: {ran.not_called}", "grader")
        if ran.error is not None:
            return self._judged(check, ran, named)
        credit, message, hint, pictures = awarded or (1.0, "", "", ())
        if credit == 1:
            return Evidence(check, credit, message, pictures=pictures)
        mistake, step = (str(hint), "") if isinstance(hint, Mistake) else ("", hint)
        finding = Finding(message, mistake=mistake if named else "", step=step, read=check.read)
        return Evidence(check, credit, finding.sentences, finding=finding, pictures=pictures)

    def award(self, credit: float, message: str, hint: str = "", pictures: Sequence[Picture] = ()) -> None:
        """Give part of the share: a credit in [0, 1], the sentence that explains it, and the next step or Mistake.

        `pictures` show on what that is founded, whatever the credit.
        """
        self.awarded = (min(max(float(credit), 0.0), 1.0) if credit == credit else 0.0, message, hint, tuple(pictures))

    def _judged(self, check: Check, ran: Ran, named: bool = True) -> Evidence:
        """What a check's exception says about the answer; to lay it out takes of the exercise's time, too."""
        error = _one(ran.error)
        try:
            with self.meter.looking(check.exercise):
                found = self._failed(check, error, ran, named)
        except Unanswered as late:
            return self._not_told(check, late if not isinstance(error, Unanswered) else error)
        except Exception as odd:  # a value of which not even this can be laid out
            found, error = None, odd
        if isinstance(error, MemoryError):
            return self._not_told(check, Unanswered("memory", TOO_LARGE))
        return found or self._unforeseen(check, error, ran)

    def _not_told(self, check: Check, ending: Unanswered) -> Evidence:
        """No answer, or none that can be looked at: so it is with the exercise's other checks."""
        self.lost[check.exercise] = ending
        return Evidence(check, None, ending.message, ending.cause)

    def _failed(self, check: Check, error: BaseException | None, ran: Ran, named: bool) -> Evidence | None:
        """What an exception that the check, or its words, foresaw says about the answer; None of any other."""
        if isinstance(error, Unanswered):
            self.lost[check.exercise] = error
            finding = self._finding(check, ran, error.message)
            return Evidence(check, None, finding.sentences, error.cause, finding=finding)
        if isinstance(error, Undefined):
            return Evidence(check, 0.0, str(error), undefined=True)
        if isinstance(error, StudentError):
            if error.raised.type == "NotImplementedError":
                finding = Finding("Not answered yet: it still raises NotImplementedError.", kind="unanswered")
                return Evidence(check, 0.0, finding.problem, finding=finding)
            if error.raised.type == "MemoryError":
                finding = self._finding(check, ran, "It asked for more memory than there is.")
                return Evidence(check, None, finding.sentences, "memory", finding=finding)
            finding = self._finding(check, ran, f"It raised {error.raised}", kind=_kind_of(error))
            return Evidence(check, 0.0, finding.sentences, finding=finding)
        if isinstance(error, Wrong):
            finding = self._wrong(check, error, ran, named)
            return Evidence(check, 0.0, finding.sentences, finding=finding)
        if isinstance(error, (NotData, NotRebuilt)):
            finding = self._finding(check, ran, plain(error, 300), kind=plain(error, 300))
            return Evidence(check, 0.0, finding.sentences, finding=finding)
        return None

    def _unforeseen(self, check: Check, error: BaseException | None, ran: Ran) -> Evidence:
        what = f"{type(error).__name__}: {plain(error, 200)}"
        if isinstance(error, NotAdmitted) or not isinstance(error, Exception):
            return Evidence(check, None, f"The check itself failed ({what}).", "grader")
        self.looking(check.exercise, None)
        own = _whose_fault(self.assignment, self.hidden, check, self.seeds[check.exercise])
        if own:
            return Evidence(check, None, f"The check itself failed ({what}). {own}", "grader")
        finding = self._finding(check, ran, f"What came back cannot be compared ({what}).",
                                kind=f"unforeseen {type(error).__name__}", step=AS_ASKED)  # fmt: skip
        return Evidence(check, 0.0, finding.sentences, finding=finding)

    def _finding(self, check: Check, ran: Ran, problem: str, kind: str = "", step: str = "") -> Finding:
        call = self._call(ran)
        told = "" if call is None else code_of(call.name, call.args, call.kwargs)
        return Finding(problem, told, step=step or (RUN_IT if told else ""), read=check.read, kind=kind)

    def _call(self, ran: Ran) -> Call | None:
        """The call that failed: of the example that did, the one that made what was wrong; the latest, if none did."""
        error = _one(ran.error)
        heard = next((one for one in reversed(ran.heard) if one.error is error), None)
        calls, helpers = (heard.calls, heard.helpers) if heard else ((), ())
        made = judged_call(error.values, calls, helpers) if isinstance(error, Wrong) else None
        return made or (calls[-1] if calls else None)

    def _wrong(self, check: Check, error: Wrong, ran: Ran, named: bool) -> Finding:
        found, expected = _drawn(error)
        mistake = recognised([*(one.clues for one in ran.wrong), error.clues]) if named else ""
        told = self._finding(check, ran, error.message, _kind_of_wrong(error, mistake), error.hint)
        return dataclasses.replace(told, what=error.what, found=found, expected=expected, mistake=mistake)


def _one(error: BaseException | None) -> BaseException | None:
    """Of several that hypothesis has found."""
    if isinstance(error, FlakyFailure) and error.exceptions:
        error = error.exceptions[0]
    # The last is the smallest, and that of the last call.
    return error.exceptions[-1] if isinstance(error, BaseExceptionGroup) else error


def _another(check: Check, seed: int) -> int:
    """The seed of the inputs on which a mistake is tried."""
    return int.from_bytes(hashlib.sha256(f"{seed} {check.name} fresh".encode()).digest()[:4], "big")


def _fresh(again: Ran, call: Call | None) -> bool:
    """Whether some call that failed was given other things than this one.

    What is read without a call needs none; and of what stays in the box, a model, the check asks other things outside.
    """
    if call is None or isinstance(call.answer and call.answer.value, Handle):
        return True
    given = protocol.pack([list(call.args), call.kwargs])
    others = (one.calls[-1] for one in again.heard if isinstance(one.error, Wrong) and one.calls)
    return any(protocol.pack([list(other.args), other.kwargs]) != given for other in others)


def _generator(check: Check, seed: int) -> np.random.Generator:
    """New for each grading and check."""
    return np.random.default_rng([seed, zlib.crc32(check.name.encode())])


def _chance(check: Check, seed: int) -> int:
    """Where chance in the box begins for this check, whatever was looked at before.

    The box may read it, and must not learn the seed of the hidden inputs from it.
    """
    return int.from_bytes(hashlib.sha256(f"{seed} {check.name}".encode()).digest()[:4], "big")


@functools.lru_cache(maxsize=1024)
def _whose_fault(assignment: Assignment, hidden: HiddenChecks, check: Check, seed: int) -> str:
    """Why an exception that no check foresaw is the grader's: "" where the reference, asked the same, raises none.

    The one place that decides it.
    """
    try:
        kernel = reference_kernel(assignment, check.exercise)
    except NotGradable as there_is_none:
        return f"Without its reference, the grader cannot see whether the answer is wrong: {there_is_none}"
    examination = _Examination(assignment, hidden, kernel, {check.exercise: seed}, Meter(math.inf, math.inf), {})
    given = {"student": examination.student, "rng": _generator(check, seed), "award": examination.award}
    examination.student.begin(_chance(check, seed))
    with in_its_folder(assignment):
        ran = hidden.run(check, seed, given)
    foreseen = (Wrong, StudentError, Undefined, NotData, NotRebuilt)
    if ran.not_called or not (ran.error is None or isinstance(ran.error, foreseen)):
        return "It fails for the reference, too."
    return ""


def _kind_of(error: StudentError) -> str:
    """What two calls have in common that failed by the same fault: the line, or what it said."""
    raised = error.raised
    return f"raised {raised.type} at {raised.line or raised.message}"


def _kind_of_wrong(error: Wrong, mistake: str) -> str:
    """The mistake; or else what is to be done; or else the sentence, whatever its numbers."""
    if mistake:
        return f"mistake: {mistake}"
    if NOTHING in error.message:
        return NOTHING
    if error.kind:
        return error.kind
    if error.hint:
        return f"step: {error.hint}"
    if error.evidence is not None and _shape(error.evidence[0]) == _shape(error.evidence[1]):
        return ""
    return re.sub(r"\[.*\]|'[^']*'|\d+", "#", error.message)


def _shape(value: Any) -> tuple[int, ...]:
    """Of lists the length alone: what they hold may be anything."""
    return value.shape if isinstance(value, np.ndarray) else (len(value),) if isinstance(value, (list, tuple)) else ()


def _drawn(error: Wrong) -> tuple[Shown | None, Shown | None]:
    """What came back and what was expected, to look at."""
    if error.evidence is None:
        return None, None
    try:
        return pair(*error.evidence)
    except Exception:  # what came back may be stranger than any drawing foresees; its sentence stands in any case
        return None, None
