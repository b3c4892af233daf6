"""What a trained model did, as pictures in numbers: its learning curve, a forecast against truth, a confusion matrix.

The page draws them (`report/plots.py`). Only numbers come from a box, each looked at here; all words are the grader's.
What a model is asked for a picture is drawn by the check, or is in the students' own file: no held-out data is shown.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from autograder.boxed.values import Handle
from autograder.examination.learning_curves import diagnosis, epochs
from autograder.examination.measures import rms
from autograder.examination.street_forecasts import Week
from autograder.examination.student import NotData, Student, StudentError, Undefined
from autograder.result import MOST, MOST_POINTS, Picture

Array = np.ndarray[Any, Any]

MOST_EPOCHS: Final = 100_000
OWN: Final = "Your notebook recorded these losses; they decide no points."


def losses_of(model: Any) -> Any:
    """Runs in the box."""
    kept = getattr(getattr(model, "history", None), "history", None)
    kept = kept if isinstance(kept, dict) else {}
    return {name: [float(one) for one in kept[name]] for name in ("loss", "val_loss") if name in kept}


def learning_curve(student: Student, model: str) -> list[Picture]:
    """The losses that the model of this name remembers of its last `fit`; none of fewer than two epochs.

    They are what the notebook claims. Whatever else it says in their place gives no picture, and costs nothing.
    """
    try:
        handle = student[model]
        given = student.apply(losses_of, handle) if isinstance(handle, Handle) else None
    except (Undefined, StudentError, NotData):
        return []
    given = given if isinstance(given, dict) else {}
    loss, val_loss = (_numbers(given.get(name)) for name in ("loss", "val_loss"))
    if len(loss) < 2 or all(one is None for one in loss):
        return []
    lines = {"training": loss, "validation": val_loss} if len(val_loss) == len(loss) else {"training": loss}
    step = -(-len(loss) // MOST_POINTS)
    across = "epoch" if step == 1 else f"epoch (one point for {step} of them)"
    values = tuple(tuple(line[step - 1 :: step]) for line in lines.values())
    says = f"{_fall(loss, lines.get('validation'))} {OWN}"
    return [Picture("learning curve", "Learning curve", says, tuple(lines), values, across, "loss", step)]


def _numbers(value: Any) -> list[float | None]:
    """The numbers of a list from the box, None for what is not finite or too large; empty if it is no such list."""
    if type(value) is not list or len(value) > MOST_EPOCHS or not all(type(one) is float for one in value):
        return []
    return [_number(one) for one in value]


def _number(value: float) -> float | None:
    """With five digits, as they are drawn."""
    return float(f"{value:.5g}") if math.isfinite(value) and abs(value) <= MOST else None


def _fall(loss: Sequence[float | None], val_loss: Sequence[float | None] | None) -> str:
    known = [one for one in loss if one is not None]
    if len(known) < len(loss) or (val_loss and None in val_loss):
        return "Some losses are no finite numbers: the training failed there. Try a smaller learning rate."
    told = f"In {len(loss)} epochs the training loss went from {known[0]:.3g} to {known[-1]:.3g}."
    if not val_loss:
        return f"{told} There is no validation loss beside it: with `validation_data`, `fit` records one."
    checked = [one for one in val_loss if one is not None]
    e = epochs(known, checked)
    told += (
        f" The validation loss was lowest in epoch {e.best + 1} ({checked[e.best]:.3g}) and ended at {checked[-1]:.3g}."
    )
    if diagnosis(known, checked) == "overfit":
        return f"{told} It rose while the training loss still fell: the model memorised its training data."
    if e.worse:
        return f"{told} Both losses rose in the end: a smaller learning rate may help."
    if e.learning:
        return f"{told} It still fell in the second half: the training had not settled."
    return f"{told} It has settled: more epochs alone would change little."


def confusion(true: Array, found: Array, names: Sequence[str], what: str) -> Picture:
    """How often each class (n,) was taken for which: both arrays hold places in `names`, `found` -1 for no answer.

    `what` is one of them, such as "digit".
    """
    counts = np.zeros((len(names), len(names)), dtype=int)
    answered = found >= 0
    np.add.at(counts, (true[answered], found[answered]), 1)
    right, every = int(np.trace(counts)), len(true)
    told = (
        f"Each row is a true {what}, each column an answer. Right answers are on the diagonal: {right:,} of {every:,}."
    )
    wrong = counts - np.diag(np.diag(counts))
    row, column = (int(place) for place in np.unravel_index(wrong.argmax(), wrong.shape))
    answers = counts.sum(axis=0)
    if not answered.all():
        told += f" {int((~answered).sum()):,} of {every:,} answers are no finite numbers, and are not in it."
    elif right == every:
        told += " None is wrong."
    elif answers.max() > 0.9 * every:
        told += f" Nearly all answers are {names[int(answers.argmax())]}, whatever is true."
    elif right < 1.3 * every / len(names):
        told += " The answers are spread over the rows as in guessing."
    else:
        often = f"{wrong[row, column]:,} of {sum(counts[row]):,}"
        told += f" The most frequent mistake is {names[column]} for {names[row]}: {often}."
    values = tuple(tuple(int(one) for one in line) for line in counts)
    return Picture("confusion matrix", "Right and wrong answers", told, tuple(names), values, "answer", f"true {what}")


def forecast(week: Week, people: Array) -> Picture:
    """A week of forecasts `people` (14, 12), in people per hour, beside what was counted and last week's counts."""
    errors = np.abs(people - week.truth).ravel()
    hour = week.first + np.timedelta64(int(errors.argmax()), "h")
    first, worst = week.first.astype(object), hour.astype(object)
    told = (
        f"A week of your own file from Monday, {first.day} {first:%B %Y} on, forecast twelve hours at a time. "
        f"The RMSE is {rms(people - week.truth):.0f} people per hour; that of last week's counts is "
        f"{rms(week.last_week - week.truth):.0f}. The largest error is on {worst:%A} at {worst:%H:%M}: "
        f"forecast {people.ravel()[errors.argmax()]:.0f}, counted {week.truth.ravel()[errors.argmax()]:.0f}. "
        "Points depend on later months, which nobody is shown."
    )
    lines = {"counted": week.truth, "your model": people, "last week": week.last_week}
    values = tuple(tuple(_number(float(one)) for one in line.ravel()) for line in lines.values())
    return Picture("forecast", "Forecast and truth", told, tuple(lines), values, "day", "people per hour")
