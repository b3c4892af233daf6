"""Which mistake made these numbers? Recognised only where what came back is exactly what the mistake makes.

A check names mistakes of its own, each with what it would return; some need no name, since any right
answer shows what becomes of it: axes swapped, steps reversed, one place off. One call may fit two
mistakes, and a small one often does; all calls of a check that failed must agree on one.

A mistake is a claim about the answer, and so it must foretell what the answer does with other inputs. The check runs
again with fresh ones (`examine`), and `trying` writes down what each comparison says of the claim. It is named only if
it holds there.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

import numpy as np

from autograder.examination.admission import admit

Case = TypeVar("Case")
Array = np.ndarray[Any, Any]
Mistakes = Mapping[str, Any] | Sequence[tuple[str, Any]]
"""What a mistake would return, by the sentence that tells a student of it; as pairs, where one has several ways."""

Verdict = Literal["yes", "perhaps", "no"]

MAX_SIZE: Final = 100_000  # values; what is larger is not searched


class Mistake(str):
    """A sentence about a mistake that a check has recognised itself; given in place of a hint."""


@dataclass(frozen=True)
class Clues:
    """The mistakes that one failed call fits: those that its check names, and those that any answer shows.

    `weak` where only zeros or one value came back: that fits too much to prove anything.
    """

    named: frozenset[str] = frozenset()
    general: frozenset[str] = frozenset()
    weak: bool = False


@dataclass
class Tried:
    """A mistake while it is tried on fresh inputs.

    `against` are the parts of an answer that were right where the mistake would have made them wrong.
    """

    mistake: str
    against: set[str] = field(default_factory=set)

    def borne_out(self, failures: Iterable[tuple[str, Clues | None]]) -> Verdict:
        """What the calls say of it; a failure is the part of the answer that was wrong, and what it fits.

        "yes" where some call failed, all that failed fit, and no part that was wrong was ever right; "no" where none
        fits, or such a part was right; else "perhaps".
        """
        found = list(failures)
        fit = [one for _, one in found if one is not None and self.mistake in one.named | one.general]
        if not fit or self.against & {what for what, _ in found}:
            return "no"
        return "yes" if len(fit) == len(found) and not all(one.weak for one in fit) else "perhaps"


_tried: list[Tried] = []


@contextlib.contextmanager
def trying(mistake: str) -> Iterator[Tried]:
    """Within it, comparisons that pass are asked whether the mistake would have passed as well."""
    tried = Tried(mistake)
    _tried.append(tried)
    try:
        yield tried
    finally:
        _tried.pop()


def passed(what: str, mistakes: "Mistakes | Callable[[], Mistakes] | None", fits: Callable[[Any], bool]) -> None:
    """Hear of a part that a comparison found right: `fits` tells whether a value would have been right as well.

    None in place of mistakes: none is known.
    """
    if not _tried:
        return
    known = mistakes() if callable(mistakes) else mistakes or {}
    pairs = known.items() if isinstance(known, Mapping) else known
    would_be = [wrong for text, wrong in pairs if text == _tried[-1].mistake]
    if would_be and not any(map(fits, would_be)):
        _tried[-1].against.add(what)


@np.errstate(all="ignore")
def clues(found: Any, expected: Any, mistakes: Mistakes, rtol: float, atol: float) -> Clues:
    """What a wrong result fits."""
    try:
        got, wanted = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    except (TypeError, ValueError):
        return Clues()
    if got.size > MAX_SIZE or wanted.size > MAX_SIZE:
        return Clues()

    def alike(one: Array, other: Any) -> bool:
        other = np.asarray(other, dtype=float)
        return one.shape == other.shape and np.allclose(one, other, rtol=max(rtol, 1e-5), atol=atol, equal_nan=True)

    finite = got[np.isfinite(got)]
    weak = finite.size == 0 or (got.size > 1 and bool(np.ptp(finite) == 0)) or not finite.any()
    pairs = mistakes.items() if isinstance(mistakes, Mapping) else mistakes
    named = frozenset(text for text, wrong in pairs if alike(got, wrong))
    general = frozenset() if named else frozenset(_general(got, wanted, alike))
    return Clues(named, general, weak)


def recognised(failures: Iterable[Clues | None]) -> str:
    """The one mistake that all failed calls of a check fit, the last one among them; "" if there is none, or two.

    None in place of clues: a failure that says nothing of mistakes.
    """
    found = list(failures)
    if not found or found[-1] is None:
        return ""
    known = [one for one in found if one is not None]
    if all(one.weak for one in known):
        return ""
    for kinds in ([one.named for one in known], [one.general for one in known]):
        common = frozenset.intersection(*kinds)
        if common:
            return next(iter(common)) if len(common) == 1 else ""
    return ""


def only_misreading(misreadings: Mapping[str, Callable[[Case], Any]], answers: Iterable[tuple[Case, Any]]) -> str:
    """The one misreading of a rule that gives all of these answers, as a Mistake; "" if none does, or several do.

    A misreading is the rule as somebody took it: from a case to an answer. Each has the sentence that tells of it.
    """
    left = set(misreadings)
    for case, answer in answers:
        found = admit(answer)
        left = {sentence for sentence in left if misreadings[sentence](case) == found}
    return Mistake(*left) if len(left) == 1 else ""


def _general(found: Array, wanted: Array, alike: Callable[[Array, Any], bool]) -> Iterator[str]:
    """The mistakes that need no name, where `wanted` can tell them from a right answer and from each other."""
    if found.size < 2 or len(np.unique(wanted[np.isfinite(wanted)])) < 2:
        return
    if found.shape == wanted.shape:
        yield from _same_shape(found, wanted, alike)
    elif found.size == wanted.size:
        if alike(found.ravel(), wanted.ravel()) and _squeezed(found) == _squeezed(wanted):
            few = found.ndim < wanted.ndim
            yield f"The numbers are right; there is {'an axis of length 1 missing' if few else 'an axis too many'}."
        elif alike(found.ravel(), wanted.ravel()) and found.ndim < wanted.ndim:
            yield "The numbers are right, but they are flattened: keep the axes."
    elif found.shape[1:] == wanted.shape[1:] and min(len(found), len(wanted)) > 1:
        shorter, longer = sorted((found, wanted), key=len)
        which = "missing" if shorter is found else "too many"
        if len(longer) == len(shorter) + 1:
            one = "One" if longer.ndim == 1 else "One row"
            if alike(shorter, longer[:-1]):
                yield f"{one} at the end is {which}; the others are right."
            if alike(shorter, longer[1:]):
                yield f"{one} at the beginning is {which}; the others are right."
    yield from _axes(found, wanted, alike)


def _squeezed(data: Array) -> tuple[int, ...]:
    return tuple(length for length in data.shape if length > 1)


def _axes(found: Array, wanted: Array, alike: Callable[[Array, Any], bool]) -> Iterator[str]:
    if not 2 <= wanted.ndim <= 4 or len(_squeezed(wanted)) < 2:
        return
    for order in itertools.permutations(range(wanted.ndim)):
        turned = wanted.transpose(order)
        if order == tuple(range(wanted.ndim)) or _squeezed(found) != _squeezed(turned):
            continue
        moved = [axis for axis, source in enumerate(order) if axis != source]
        names = f"{', '.join(map(str, moved[:-1]))} and {moved[-1]}"
        if alike(found, turned):
            yield "Rows and columns have changed places." if wanted.ndim == 2 else f"The axes {names} are swapped."
    if found.shape != wanted.shape:
        return
    for order in itertools.permutations(range(wanted.ndim)):
        if order != tuple(range(wanted.ndim)) and alike(found, wanted.transpose(order).reshape(wanted.shape)):
            yield "The shape is right, but the numbers are mixed up: swap axes with transpose, not with reshape."
            return


def _same_shape(found: Array, wanted: Array, alike: Callable[[Array, Any], bool]) -> Iterator[str]:
    for axis in range(found.ndim):
        if found.shape[axis] > 3 and alike(found, np.flip(wanted, axis)):
            along = "" if found.ndim == 1 else f" along axis {axis}"
            yield f"Everything is there, but the wrong way round{along}."
    turned = alike(np.sort(found, axis=None), np.sort(wanted, axis=None))  # shuffled, sorted or rolled: who knows
    late = not turned and any(_shifted(found, wanted, axis, alike) for axis in range(found.ndim))
    early = not turned and any(_shifted(wanted, found, axis, alike) for axis in range(found.ndim))
    if late:
        yield "Everything is one place too far towards the end: it is off by one."
    if early:
        yield "Everything is one place too far towards the beginning: it is off by one."
    finite = np.isfinite(wanted)
    if found.size < 3 or not finite.all() or not np.isfinite(found).all():
        return
    if alike(found, -wanted):
        yield "The sign is the other way round."
    whole = np.trunc(wanted)
    if not alike(whole, np.round(wanted)) and alike(found, whole):
        yield "The fractions are cut off: keep them with dtype=float."
    off = found - wanted
    for one in () if late or early else (1, -1):
        if alike(off, np.full(off.shape, one)):
            yield f"Off by one: every value is 1 too {'large' if one > 0 else 'small'}."


def _shifted(found: Array, wanted: Array, axis: int, alike: Callable[[Array, Any], bool]) -> bool:
    """Whether `found` holds `wanted` moved on by one place, and enough of it to be sure."""
    length = found.shape[axis]
    if length < 4:
        return False
    inner, outer = (np.take(one, places, axis) for one, places in
                    ((found, range(1, length)), (wanted, range(length - 1))))  # fmt: skip
    varied = np.isfinite(outer).all() and np.ptp(outer, axis=axis).min(initial=np.inf) > 0
    return bool(varied) and alike(inner, outer)
