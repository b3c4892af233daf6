"""Names that are nearly an assignment's: other capitals, spaces or hyphens, a copy's number, a letter too few.

A near name is never taken for the name itself: two assignments may differ by as little. It is told to the person
who can rename it, and here is the one place that says what is near.
"""

import difflib
import re
from collections.abc import Collection
from typing import Final

# What browsers, editors and file managers write behind the name of a copy.
_COPY: Final = re.compile(
    r"([ _.-]*(\(\d+\)|-?checkpoint|copy( \d+)?|kopie( \d+)?|final|v\d+|\.ipynb|\.zip))+$", re.IGNORECASE
)
_ALIKE: Final = 0.85  # of difflib's ratio: one letter of eight
_LONGEST: Final = 100


def nearest(name: str, names: Collection[str]) -> str | None:
    """The one of `names` that `name` is nearly; None where it is one itself, is near none, or near several."""
    if name in names or len(name) > _LONGEST:
        return None
    for form in (_folded, lambda text: _folded(_COPY.sub("", text))):
        same = [one for one in names if form(one) == form(name)]
        if same:
            return same[0] if len(same) == 1 else None
    bare = _folded(_COPY.sub("", name))
    near = [
        one
        for one in names
        if _numbers(one) == _numbers(bare) and difflib.SequenceMatcher(None, _folded(one), bare).ratio() >= _ALIKE
    ]
    return near[0] if len(near) == 1 else None


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def _numbers(name: str) -> list[int]:
    """Those in the name: `week_1` and `week_2` are two assignments, and not one with a slip."""
    return [int(digits) for digits in re.findall(r"[0-9]+", name)]
