"""Words for a data set that is split along time, framed and scaled: three parts of windows and answers, and a scaler.

How it was scaled is another question (`scaling`): here windows and answers are compared up to a line a column.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, NoReturn

import numpy as np
import pandas as pd

from autograder.examination.admission import admit
from autograder.examination.expectations import Array, Wrong, array, parts, show, that
from autograder.examination.misconceptions import Mistake
from autograder.examination.scaling import Part, line, scaled
from autograder.examination.windows import Pairs, pairs

NAMES: Final = ("training", "validation", "test")
Split = list[Pairs]  # one for each of the three parts
ONE_LESS: Final = Mistake(
    "Off by one: the last pair of each part is missing. n rows hold n - timesteps - multisteps + 1 pairs; mind that "
    "the end of a range is left out."
)
EARLY: Final = Mistake("Off by one: the answer begins with the last row of the window. It begins right after it.")
CUT_OFF: Final = Mistake("The fractions of the scaled values are cut off: make room for them with dtype=float.")
BY_TIMESTEP: Final = Mistake("Each timestep of the window is scaled by itself: a column has one scaling.")
SHUFFLED: Final = Mistake("The pairs are all there, but shuffled: leave them in the order of time.")
APART: Final = Mistake("The windows do not overlap: each pair begins one row after the one before.")


class Dataset(NamedTuple):
    """A student's data set: checked arrays by part, X (n, timesteps, features) and y (n, multisteps).

    `scaler` is still as it came, a Handle if it is one.
    """

    X: list[Array]
    y: list[Array]
    scaler: Any


def dataset(value: Any, name: str) -> Dataset:
    """Expect of the function `name` X and y of the three parts, in pairs or one after the other, and then a scaler."""
    given = admit(value)
    that(isinstance(given, (tuple, list)), f"`{name}` should return a Dataset, but returned {show(given)}.")
    flat: list[Any] = []
    for item in given:
        flat += list(item) if isinstance(item, (tuple, list)) and len(item) == 2 else [item]
    *six, scaler = parts(flat, 7, name)
    arrays = [array(item, _named("Xy"[place % 2], place // 2)) for place, item in enumerate(six)]
    for place, found in enumerate(arrays):
        axes = ("(n, timesteps, features)", "(n, multisteps)")[place % 2]
        told = f"{_named('Xy'[place % 2], place // 2)} should have the shape {axes}, but has {found.shape}."
        that(found.ndim == 3 - place % 2, told)
    return Dataset(arrays[::2], arrays[1::2], scaler)


def split(frame: pd.DataFrame, timesteps: int, multisteps: int, *, by_pairs: bool = False, **faults: bool) -> Split:
    """What the three parts of an hourly frame hold before scaling; the first column is the target.

    Features are the columns of numbers, in their units, and behind them those of words, one-hot: a category of the
    training rows each. With `by_pairs`, the list of pairs is cut in place of the rows; `faults` are those of `pairs`.
    """
    n = len(frame)
    table = _features(frame, n * 7 // 10)
    hours = frame.index.to_numpy().astype("datetime64[h]").astype(int)
    if by_pairs:
        X, y = pairs(table, table[:, 0], timesteps, multisteps, hours, 1, **faults)
        return [Pairs(X[cut], y[cut]) for cut in _cuts(len(X))]
    return [pairs(table[cut], table[cut, 0], timesteps, multisteps, hours[cut], 1, **faults) for cut in _cuts(n)]


def splits(frame: pd.DataFrame, timesteps: int, multisteps: int, **faults: bool) -> list[Split]:
    """The ways to split and to treat NaN beside an answer that a check about something else lets pass."""
    return [split(frame, timesteps, multisteps, by_pairs=by_pairs, wide=wide, **faults)
            for by_pairs in (False, True) for wide in (False, True)]  # fmt: skip


def holds(found: Dataset, right: Pairs, part: int) -> bool:
    """Whether one part holds these windows and answers, up to its scaling."""
    y = admit(found.y[part])
    return scaled(found.X[part], right.X) and y.shape == right.y.shape and bool(line(y, right.y))


def pairs_are(
    found: Dataset,
    wanted: Sequence[Split],
    hint: str,
    among: Iterable[int] = (0,),
    mistakes: Mapping[str, Sequence[Split]] | None = None,
    later: str | None = None,
) -> Split:
    """Expect in these parts, up to their scaling, the pairs of one of the `wanted` ways; returns it.

    `mistakes` are splits that the usual mistakes make, by the sentence that tells of each; None: none is known. The
    first is told whose training part is held, unless the hint is a Mistake already. The hint is for the first of the
    parts, `later` for the others, when the first is right; None: the same. Raises Wrong.
    """
    ways = list(wanted)
    for part in among:
        left = [way for way in ways if holds(found, way[part], part)]
        if not left:
            known = {} if isinstance(hint, Mistake) else mistakes or {}
            fits = [sentence for sentence, others in known.items() if any(holds(found, one[0], 0) for one in others)]
            _not_the_pairs(found, ways[0][part], Mistake(fits[0]) if fits else hint, part)
        ways, hint = left, hint if later is None or isinstance(hint, Mistake) else later
    return ways[0]


def target_is(found: Dataset, frame: pd.DataFrame, column: str, timesteps: int, multisteps: int) -> bool:
    """Whether the training part's answers are those of this column, up to their scaling, however it was split."""
    y = admit(found.y[0])
    ways = splits(frame[[column, *frame.columns.drop(column)]], timesteps, multisteps)
    return any(y.shape == way[0].y.shape and bool(line(y, way[0].y)) for way in ways)


def later_parts(found: Dataset, right: Split, which: Literal["X", "y"]) -> list[Part]:
    """X or y of the parts after training, as scaled and as they were; expect them to have the right shapes."""
    kept = []
    for part in (1, 2):
        raw = getattr(right[part], which)
        values = array(getattr(found, which)[part], _named(which, part), raw.shape)
        kept.append(Part(NAMES[part], values, raw))
    return kept


def _named(which: str, part: int) -> str:
    return f"{which} of the {NAMES[part]} part"


def _cuts(n: int) -> list[slice]:
    """floor(0.7 n) for training, floor(0.15 n) for validation, the rest."""
    first, second = n * 7 // 10, n * 3 // 20
    return [slice(0, first), slice(first, first + second), slice(first + second, n)]


def _features(frame: pd.DataFrame, training: int) -> Array:
    """All features (rows, features); the first `training` rows decide which categories there are."""
    numbers = [name for name in frame if frame[name].dtype.kind in "if"]
    columns = [frame[name].to_numpy(dtype=float) for name in numbers]
    for words in (frame[name].tolist() for name in frame if name not in numbers):
        columns += [np.array([word == known for word in words], dtype=float) for known in sorted({*words[:training]})]
    return np.stack(columns, axis=1)


def _not_the_pairs(found: Dataset, right: Pairs, hint: str, part: int) -> NoReturn:
    X, y = found.X[part], found.y[part]
    if not isinstance(hint, Mistake):
        hint = _told_by_pairs(X, y, right) or hint
    for name, values, raw in (("X", X, right.X), ("y", y, right.y)):
        array(values, _named(name, part), raw.shape, hint)
        that(bool(np.isfinite(values).all()), f"{_named(name, part)} holds NaN or infinity.", hint)
    raise Wrong(f"The {NAMES[part]} part does not hold the right rows in the right order, whatever the scaling.", hint)


def _told_by_pairs(X: Array, y: Array, right: Pairs) -> str:
    """The mistake that windows and answers show, or ""."""
    if scaled(X, right.X):
        early = np.concatenate([right.X[:, -1:, 0], right.y[:, :-1]], axis=1)
        return EARLY if y.shape == early.shape and line(y, early) else ""
    if X.shape == right.X.shape:
        return _told_by_windows(X, right.X)
    if scaled(X, right.X[:-1]):
        return ONE_LESS
    far = range(2, X.shape[1] + y.shape[1] + 1)
    return APART if any(scaled(X, right.X[::step]) for step in far) else ""


def _told_by_windows(X: Array, right: Array) -> str:
    """The mistake that windows of the right shape show, or ""."""
    if np.isfinite(X).all() and np.array_equal(X, np.trunc(X)):
        return CUT_OFF
    if all(scaled(X[:, [t]], right[:, [t]]) for t in range(X.shape[1])):
        return BY_TIMESTEP
    ours, theirs = (windows[np.argsort(windows[:, 0, 0])] for windows in (right, X))
    return SHUFFLED if scaled(theirs, ours) else ""
