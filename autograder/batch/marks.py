"""The rule that turns evidence into marks. Nothing else decides a mark.

- An exercise is *earned* when all its checks give full credit, *not earned* when none gives any,
  *partial* in between; its points are its maximum times the share-weighted credit.
- It *could not be graded* when its answer never came to be examined, or when any of its checks got
  no answer. Its points are then None, never zero.
- A notebook's score is the sum of the points there are; None when no exercise could be graded.
"""

from collections.abc import Iterable, Sequence

from autograder.box.session import CellRun
from autograder.course import Exercise
from autograder.examination.examine import Evidence
from autograder.result import CheckResult, ExerciseResult, Outcome, causes
from autograder.submission.restoration import Restored


def undecided(exercises: Iterable[Exercise], restored: Restored) -> list[str]:
    """The exercises whose cells are worth running; the others are decided already."""
    return [one.id for one in exercises if one.id not in restored.problems and one.id not in restored.unanswered]


def examinable(exercises: Iterable[str], runs: Sequence[CellRun]) -> list[str]:
    """Of these, those whose checks are worth running."""
    found = []
    for name in exercises:
        run = _solution_run(name, runs)
        if run is None or (run.status in {"ran", "raised"} and not _out_of_memory(run)):
            found.append(name)
    return found


def mark(exercises: Iterable[Exercise], restored: Restored, runs: Sequence[CellRun],
         evidence: Iterable[Evidence]) -> list[ExerciseResult]:  # fmt: skip
    """The marks of these exercises, in their order."""
    wanted = list(exercises)
    found: dict[str, list[Evidence]] = {exercise.id: [] for exercise in wanted}
    for item in evidence:
        found[item.check.exercise].append(item)
    return [_mark(e, restored, _solution_run(e.id, runs), found[e.id]) for e in wanted]


def score(exercises: Iterable[ExerciseResult]) -> float | None:
    """The sum of the points, to two decimals; None when no exercise could be graded, which is not the same as zero."""
    points = [exercise.points for exercise in exercises if exercise.points is not None]
    return round(sum(points), 2) if points else None


def _out_of_memory(run: CellRun) -> bool:
    return run.status == "raised" and (run.error or "").startswith(("MemoryError", "OSError: [Errno 12]"))


def _mark(exercise: Exercise, restored: Restored, run: CellRun | None, evidence: list[Evidence]) -> ExerciseResult:
    checks = tuple(
        CheckResult(item.check.title, item.check.share, item.credit, item.message, item.cause, item.finding,
                    item.pictures)
        for item in evidence
    )  # fmt: skip

    def result(outcome: Outcome, points: float | None, message: str, cause: str | None = None) -> ExerciseResult:
        return ExerciseResult(exercise.id, outcome, points, exercise.max_points, message, cause, checks)

    if exercise.id in restored.problems:
        return result("could_not_be_graded", None, restored.problems[exercise.id], "notebook")
    if exercise.id in restored.unanswered:
        return result("not_earned", 0.0, "Not answered yet: the solution cell is still as it was released.")
    if run is not None and run.status == "not reached":
        message = "Your solution cell was not reached: the cells before it used up the notebook's time."
        return result("could_not_be_graded", None, message, "time")
    if run is not None and run.status == "stopped":
        return result("could_not_be_graded", None, f"{run.error} Change it and submit again.", run.cause)
    if run is not None and _out_of_memory(run):
        message = "Your solution cell needed more memory than it may use. Change it and submit again."
        return result("could_not_be_graded", None, message, "memory")
    ungraded = [item for item in evidence if item.credit is None]
    if ungraded:
        graded = len(evidence) - len(ungraded)
        rest = f" ({graded} of {len(evidence)} checks could run.)" if graded else ""
        return result("could_not_be_graded", None, ungraded[0].message + rest, ungraded[0].cause)
    if evidence and all(item.undefined for item in evidence):
        outcome, message = _undefined(exercise, restored, run, evidence[0].message)
        return result(outcome, None, message, "notebook") if outcome != "not_earned" else result(outcome, 0.0, message)
    shares = sum(item.check.share for item in evidence)
    credit = sum(item.check.share * (item.credit or 0.0) for item in evidence) / shares
    failed = [item for item in evidence if (item.credit or 0.0) < 1]
    if not failed:
        awards = " ".join(item.message for item in evidence if item.message)
        return result("earned", exercise.max_points, awards or "Everything that was tried came out right.")
    messages = [cause.sentences for cause in causes(checks)]
    if run is not None and run.status == "raised":
        messages.insert(0, f"Your solution cell raised {run.error}.")
    message = messages[0] if len(messages) == 1 else "\n".join(f"{n}. {text}" for n, text in enumerate(messages, 1))
    if credit == 0:
        return result("not_earned", 0.0, message)
    return result("partial", round(exercise.max_points * credit, 2), message)


def _undefined(exercise: Exercise, restored: Restored, run: CellRun | None, message: str) -> tuple[Outcome, str]:
    """No check found what it asks for: because of the cell's absence, of its error, or of a name."""
    if exercise.id in restored.missing:
        return "could_not_be_graded", (
            f"The solution cell of `{exercise.id}` is not in the notebook, and {message} "
            "Copy the cell back from the released notebook and submit again."
        )
    if run is not None and run.status == "raised":
        return "not_earned", f"Your solution cell raised {run.error}, so {message} Correct the cell first."
    return "not_earned", f"{message} Keep the name and the arguments that the exercise gives."


def _solution_run(exercise: str, runs: Iterable[CellRun]) -> CellRun | None:
    """The run of its solution cell; of several, that which went worst. None where no such cell was to run."""
    found = [run for run in runs if run.cell.kind == "solution" and run.cell.exercise == exercise]
    return min(found, key=_how_bad, default=None)


def _how_bad(run: CellRun) -> int:
    """How early it comes among the runs of one exercise, from the worst."""
    order = ["stopped", "not reached", "out of memory", "raised"]
    status = "out of memory" if _out_of_memory(run) else run.status
    return order.index(status) if status in order else len(order)
