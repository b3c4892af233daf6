"""Hidden checks of 00, orientation (slides 1 and 2, 48 and 49)."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.examination.expectations import Array, Wrong, array, close, exercise, raises, show, unchanged
from autograder.examination.misconceptions import Mistake, Mistakes
from autograder.examination.student import Student, StudentError
from autograder.examination.varieties import sequences

YOUR_TURN, DOCSTRINGS = "6 · Your turn", "4 · Read the docstring, and mind the shapes"

# Whole numbers and halves: what a right formula makes of them is exact.
series = st.lists(st.integers(-40, 40).map(lambda n: n / 2), min_size=2, max_size=7)


def entry(answer: Any, key: str) -> Any:
    """What the student's dictionary has under `key`."""
    if not isinstance(answer, dict):
        hint = 'Return {"length": ..., "mean": ..., "largest_step": ...}.'
        if answer is None:
            hint = Mistake("Nothing came back: print only shows a result on the page, `return` gives it back.")
        raise Wrong(f"describe_series should return a dictionary, but returned {show(answer)}.", hint)
    if key not in answer:
        keys = ", ".join(show(name, 30) for name in list(answer)[:6]) or "none"
        alike = any(isinstance(name, str) and _letters(name) == _letters(key) for name in answer)
        hint = "The spelling of a key matters, with small letters and the underscore."
        raise Wrong(f'The dictionary should have the key "{key}"; its keys are: {keys}.',
                    Mistake(hint) if alike else "Spell the keys as the exercise does.")  # fmt: skip
    return answer[key]


def _letters(name: str) -> str:
    return "".join(filter(str.isalpha, name.lower()))


def number(value: Any, key: str, misconceptions: Mistakes, hint: str) -> float:
    """A single number, as any type of it."""
    try:
        found = array(value, key)
    except Wrong:
        if isinstance(value, str):
            hint = Mistake("This is text: leave the number as it is, without str and quotation marks.")
        raise Wrong(f'"{key}" should be a number, but is {show(value)}.', hint) from None
    if found.shape != ():
        pairs = misconceptions.items() if isinstance(misconceptions, Mapping) else misconceptions
        known = (sentence for sentence, wrong in pairs if same(found, wrong))
        hint = next(map(Mistake, known), hint)
        raise Wrong(f'"{key}" should be a single number, but is {show(found)}.', hint)
    return float(found)


def same(found: Array, wrong: Any) -> bool:
    return found.shape == np.shape(wrong) and bool(np.allclose(found, wrong))


def expect(answer: Any, key: str, expected: float, misconceptions: Mistakes, hint: str = "") -> None:
    """Expect the number under `key`."""
    found = number(entry(answer, key), key, misconceptions, hint)
    close(found, float(expected), f'"{key}"', hint, mistakes=misconceptions)


def largest_step(values: list[float]) -> float:
    """The largest distance between neighbours, pair by pair."""
    return max(abs(after - before) for before, after in pairwise(values))


def step_misconceptions(values: list[float]) -> list[tuple[str, Any]]:
    """What the usual mistakes make of a series, and their usual variants."""
    steps = np.diff(values)
    size = np.abs(steps)
    ends = abs(values[-1] - values[0])
    found: dict[str, Any] = {
        "This is the right step with its sign: a size is never negative.": steps[size.argmax()],
        "This is the largest rise. A fall is a step too: take the size of each change, np.abs.": steps.max(),
        "This is the largest fall. A rise is a step too: take the size of each change, np.abs.": -steps.min(),
        "This is the difference of the smallest and the largest value: only neighbours make a step.": np.ptp(values),
        "This is the difference of the first and the last value, which are not neighbours. In a loop, check the "
        "index: values[-1] is the last value.": ends,
        "This is the mean size of the steps: return the size of the largest one.": size.mean(),
        "This is the place of the largest step: return its size.": size.argmax(),
        "The values must stay in their order: do not sort them.": np.abs(np.diff(np.sort(values))).max(),
        "This is only the first step: does a `return` end the loop too early?": size[0],
        "Take the difference first, then its size.": np.abs(np.diff(np.abs(values))).max(),
        "This leaves out the last step: n values have n - 1 steps.": size[:-1].max(initial=0),
        "This leaves out the first step: n values have n - 1 steps.": size[1:].max(initial=0),
        "These are changes of changes: take the difference once.": np.abs(np.diff(values, 2)).max(initial=0),
        "This is the square of the largest step.": size.max() ** 2,
        "Keep the decimals.": np.floor(size.max()),
    }
    variants = {
        "largest rise": (abs(steps.max()), max(steps.max(), 0)),
        "the first and the last value": (max(size.max(), ends),),
        "changes of changes": size if len(size) == 1 else (),
        "Keep the decimals.": (np.abs(np.diff(np.trunc(values))).max(),),
    }
    also = [(told, value) for told in found for part, ways in variants.items() if part in told for value in ways]
    return [*found.items(), *also, ("These are all steps: return the size of the largest one.", size)]


def readings(rng: np.random.Generator, size: int) -> Array:
    """A series whose mean is not its median, and not a whole number."""
    values = np.round(np.cumsum(rng.exponential(4, size)) + rng.normal(0, 3, size), 1)
    values[-1] = values[:-1].max() + 40.3
    return values


def uneven(rng: np.random.Generator, size: int) -> Array:
    """A series, with rises and falls, that tells apart where decimals were lost: of the values, or of the mean."""
    while True:
        values = readings(rng, size)
        mean = values.mean()
        if len({np.trunc(values).mean(), np.floor(mean), np.round(mean)}) == 3 and np.diff(values).min() < 0:
            return values


@exercise("first-steps", share=1, read=YOUR_TURN)
def test_length(student: Student, rng: np.random.Generator) -> None:
    """ "length" is the number of values."""
    for size in (7, 2, 12):
        misconceptions = {
            "This is the number of steps: the number of values is one more.": size - 1,
            "This is the shape, a tuple: the length is its first number.": [size],
        }
        expect(student.describe_series(readings(rng, size)), "length", size, misconceptions, "len(values) gives it.")


@exercise("first-steps", share=1, read=YOUR_TURN)
def test_mean(student: Student, rng: np.random.Generator) -> None:
    """ "mean" is the mean of all values."""
    for size in (7, 9):  # of so many tenths no mean lies halfway between two hundredths
        values = uneven(rng, size)
        mean = sum(values.tolist()) / size
        misconceptions = {
            "This is the median: the mean is the sum divided by the number of values.": np.median(values),
            "This is the sum: divide it by the number of values.": mean * size,
            "This is the sum divided by n - 1: there are n values.": mean * size / (size - 1),
            "This is the mean of the changes: take the mean of the values.": np.diff(values).mean(),
            "This is the mean of the steps: take the mean of the values.": np.abs(np.diff(values)).mean(),
            "This is halfway between the smallest and the largest value.": (values.min() + values.max()) / 2,
            "This leaves out the last value.": values[:-1].mean(),
            "Keep the decimals of the values.": np.trunc(values).mean(),
            "Keep the decimals: divide with /, and do not round.": np.floor(mean),
            "Do not round the mean.": np.round(mean),
            "Do not round the mean: decimals after the first two count.": np.round(mean, 2),
            "Do not round the mean: decimals after the first one count.": np.round(mean, 1),
        }
        expect(
            student.describe_series(values), "mean", mean, misconceptions, "The sum divided by the number of values."
        )
    values = np.array([-1.5, 2.0, -7.0])
    without = {"The signs were lost: values below zero lower the mean.": np.abs(values).mean()}
    expect(student.describe_series(values), "mean", -6.5 / 3, without, "The sum divided by the number of values.")
    values = np.array([1.0, 2.0, 4.0])  # no two or three decimals are enough for a third
    expect(student.describe_series(values), "mean", 7 / 3, {}, "Do not round the mean.")


@exercise("first-steps", share=2, read=YOUR_TURN)
@given(values=series)
# Each of these tells some mistakes apart: the largest step is
@example(values=[1.0, 2.5, 6.0, 5.0, 0.0, 0.5])  # a fall
@example(values=[1.0, 0.5, 4.5, 3.0, 3.5])  # a rise
@example(values=[1.0, 3.0, 5.5, 8.5, 7.5])  # less than from first to last
@example(values=[8.0, 3.0, 1.0, 2.0])  # the first
@example(values=[6.5, 6.0, 4.0, 5.0, 0.0])  # the last
@example(values=[2.0, -1.5])  # from positive to negative, and no whole number
@example(values=[6.0, 6.0, 6.0])  # none
def test_largest_step(student: Student, values: list[float]) -> None:
    """ "largest_step" is the size of the largest change between neighbours, up or down."""
    answer = student.describe_series(np.array(values))
    hint = "Take the difference of each value and the next, then its size, then the largest of them."
    expect(answer, "largest_step", largest_step(values), step_misconceptions(values), hint)


@exercise("first-steps", share=1, read=DOCSTRINGS)
def test_too_short(student: Student, rng: np.random.Generator) -> None:
    """A series of fewer than two values raises ValueError, a series of two values does not."""
    value = round(float(rng.uniform(1, 30)), 1)
    hint = "Look at the length first: if it is below 2, `raise ValueError(...)`."
    raises("ValueError", lambda: student.describe_series([value]), "one value, which has no step,", hint)
    unchanged(student, "A list must stay as it is, also where you raise an error.")
    raises("ValueError", lambda: student.describe_series(np.array([value])), "an array of one value", hint)
    raises("ValueError", lambda: student.describe_series([]), "an empty series", hint)
    try:
        answer = student.describe_series([value, value + 2])
    except StudentError as error:
        if error.raised.type != "ValueError":
            raise
        raise Wrong(f"Two values have one step, but describe_series raised {error.raised}.",
                    Mistake("Off by one: a series of two values is long enough.")) from None  # fmt: skip
    expect(answer, "largest_step", 2, {}, "Two values have one step.")


@exercise("first-steps", share=1, read=DOCSTRINGS)
def test_kinds_of_input(student: Student, rng: np.random.Generator) -> None:
    """The function takes lists and arrays, whole numbers and decimals, and does not change them."""
    # Two rising values, of which most wrong formulas make the right numbers: here only the kind is in question.
    low = int(rng.integers(2, 9))
    whole = [low, low + 2 * int(rng.integers(1, 9))]
    for values in (whole, [n + 0.5 for n in whole], np.array(whole), np.array(whole) + 0.5):
        hint = f"The values were {'a list' if isinstance(values, list) else 'an array'} here."
        try:
            answer = student.describe_series(values)
        except StudentError as error:
            if not isinstance(values, list) or error.raised.type not in ("AttributeError", "TypeError"):
                raise
            wrong = Mistake(
                "A list has neither the methods nor the arithmetic of an array: np.asarray makes an array from it."
            )
            raise Wrong(f"For the list {show(values)} describe_series raised {error.raised}.", wrong) from None
        numbers = [float(value) for value in values]
        expect(answer, "length", 2, {}, hint)
        expect(
            answer,
            "mean",
            sum(numbers) / 2,
            {"Keep the decimals: those of the values, and of their mean.": sum(whole) / 2},
            hint,
        )
        expect(answer, "largest_step", largest_step(numbers), {}, hint)
    falling = [float(whole[1]), *rng.integers(-5, 5, 4).tolist(), -7.5]
    for values in (falling, np.array(falling)):
        student.describe_series(values)
        unchanged(student)


@exercise("first-steps", share=1, read=DOCSTRINGS)
def test_any_numbers(student: Student, rng: np.random.Generator) -> None:
    """It works for numbers of every kind: below 0, zero, far out, equal, the same twice, mixed with whole ones."""
    for what, values, numbers in sequences(rng, 7):
        if not isinstance(values, (list, np.ndarray)):
            continue
        answer = student.describe_series(values)
        expect(answer, "length", 7, {}, f"These are {what}.")
        expect(answer, "mean", float(numbers.mean()), {}, f"These are {what}: the mean of all of them.")
        expect(answer, "largest_step", largest_step(numbers.tolist()), {}, f"These are {what}.")
    again = [1.0, 9.0, 1.0, 2.0, 3.0]
    expect(student.describe_series(again), "largest_step", 8.0, {}, "The same value may come twice.")
    far = [0.0, 5000.25, 1.0]
    expect(student.describe_series(far), "largest_step", 5000.25, {}, "A step of any size counts, with its decimals.")
    expect(student.describe_series([0, -5000.25, -1]), "largest_step", 5000.25, {}, "A fall of any size counts.")
