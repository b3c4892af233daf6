"""What the losses of a training tell, by the rule that lesson 10 asks for, and how that rule is misread.

Validation is worse where its last loss is more than 1.125 times its lowest: then it is "overfit" if the training loss
of the last epoch is lower than at that best epoch, and "underfit" if not. Otherwise it still learns, "underfit", where
the last validation loss is less than 0.875 times that of the middle epoch, ceil(n / 2); else it is "good".
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
Losses = Sequence[float]  # one an epoch


class Epochs(NamedTuple):
    """A history's losses (epochs,), with the places of the epochs that the rule looks at."""

    loss: Array
    val: Array
    best: int
    middle: int

    @property
    def worse(self) -> bool:
        """Whether validation ended above 1.125 times its lowest loss."""
        return bool(self.val[-1] > 1.125 * self.val[self.best])

    @property
    def lower(self) -> bool:
        """Whether training ended below its loss at the best epoch of validation."""
        return bool(self.loss[-1] < self.loss[self.best])

    @property
    def learning(self) -> bool:
        """Whether validation ended below 0.875 times its loss at the middle epoch."""
        return bool(self.val[-1] < 0.875 * self.val[self.middle])


def epochs(loss: Losses, val_loss: Losses) -> Epochs:
    """The losses of a training, with the epochs that the rule means."""
    train, val = np.array(loss, dtype=float), np.array(val_loss, dtype=float)
    return Epochs(train, val, int(np.argmin(val)), (len(val) - 1) // 2)


def diagnosis(loss: Losses, val_loss: Losses) -> str:
    """By the rule's own words, epoch by epoch."""
    last = len(val_loss)
    best = min(range(1, last + 1), key=lambda epoch: (val_loss[epoch - 1], epoch))
    middle = -(-last // 2)
    worse = 8 * val_loss[last - 1] > 9 * val_loss[best - 1]
    if worse:
        return "overfit" if loss[last - 1] < loss[best - 1] else "underfit"
    return "underfit" if 8 * val_loss[last - 1] < 7 * val_loss[middle - 1] else "good"


def _verdict(worse: Any, lower: Any, learning: Any) -> str:
    if worse:
        return "overfit" if lower else "underfit"
    return "underfit" if learning else "good"


def _read(e: Epochs) -> str:
    return _verdict(e.worse, e.lower, e.learning)


MISREADINGS: Final[dict[str, Callable[[Epochs], str]]] = {
    "It says overfit wherever validation is above training: the distance of the two losses says nothing.": (
        lambda e: "overfit" if e.val[-1] > e.loss[-1] else "underfit" if e.worse or e.learning else "good"
    ),
    "The last validation loss is compared with the training loss: compare it with the lowest validation loss.": (
        lambda e: _verdict(e.val[-1] > 1.125 * e.loss[-1], e.lower, e.learning)
    ),
    "Any rise counts: worse is more than 1.125 times the lowest.": (
        lambda e: _verdict(e.val[-1] > e.val[e.best], e.lower, e.learning)
    ),
    "Exactly 1.125 times the lowest counts as worse: it is not more than that.": (
        lambda e: _verdict(e.val[-1] >= 1.125 * e.val[e.best], e.lower, e.learning)
    ),
    "Exactly 0.875 times the middle counts as learning: it is not less than that.": (
        lambda e: _verdict(e.worse, e.lower, e.val[-1] <= 0.875 * e.val[e.middle])
    ),
    "Where both losses rise it says overfit: nothing is memorised there.": (
        lambda e: _verdict(e.worse, True, e.learning)
    ),
    "Where both losses rise it says good.": lambda e: "good" if e.worse and not e.lower else _read(e),
    "A training loss that stays counts as lower.": (
        lambda e: _verdict(e.worse, e.loss[-1] <= e.loss[e.best], e.learning)
    ),
    "The middle is one epoch late: it is epoch ceil(n / 2), counted from 1.": (
        lambda e: _read(e._replace(middle=len(e.val) // 2))
    ),
    "Of several lowest epochs the last is taken: the first is the best.": (
        lambda e: _read(e._replace(best=len(e.val) - 1 - int(np.argmin(e.val[::-1]))))
    ),
    "The last epoch is compared with the first: the middle one is asked for.": lambda e: _read(e._replace(middle=0)),
    "The best epoch is taken from the training loss: that of the validation loss is asked for.": (
        lambda e: _read(e._replace(best=int(np.argmin(e.loss))))
    ),
    "It never looks at whether validation still falls.": lambda e: _verdict(e.worse, e.lower, False),
}

# Histories on the edges of the rule: training, validation, and what they are about.
EDGES: Final[tuple[tuple[list[float], list[float], str], ...]] = (
    ([8, 4, 2, 1], [16, 8, 8, 9], "Exactly 1.125 times the lowest is not more than that."),
    ([8, 4, 2, 1], [16, 8, 8, 9.125], "A little more than 1.125 times the lowest is worse."),
    ([8, 4, 2, 1], [16, 8, 8, 7], "Exactly 0.875 times the middle is not less than that."),
    ([8, 4, 2, 1], [16, 8, 8, 6.875], "A little less than 0.875 times the middle is still learning."),
    ([8, 7, 6, 5, 4], [32, 16, 8, 8, 8], "Of 5 epochs the middle is the third."),
    ([8, 7, 6, 5, 4], [32, 16, 8, 7, 6.5], "Of 5 epochs the middle is the third."),
    ([8, 7, 6, 5], [16, 8, 6.5, 6.5], "Of 4 epochs the middle is the second."),
    ([8, 7, 6, 5], [8, 8, 7.5, 7.5], "Of 4 epochs the middle is the second."),
    ([8, 2, 4, 3], [16, 4, 4, 5], "Of several lowest ones the first is the best."),
    ([8, 4, 2, 3], [16, 4, 4, 5], "Of several lowest ones the first is the best."),
    ([8, 4, 5, 4], [16, 4, 6, 5], "The training loss must be lower than at the best epoch, not equal."),
)
# Beside the edges, histories that tell the misreadings apart.
PLAIN: Final[tuple[tuple[list[float], list[float]], ...]] = (
    ([8, 4, 3, 2], [8, 4, 5, 8]), ([8, 2, 4, 5], [8, 2, 4, 5]), ([2, 0.5, 0.5, 0.5], [8, 2, 2, 2]),
    ([24, 6, 6, 6], [8, 2, 2, 2]), ([9, 7, 5, 4], [8, 6, 4, 2]), ([4, 2, 2], [4, 2, 3]), ([4, 2, 1], [4, 2, 3]),
    ([8, 4, 2, 1], [16, 8, 8, 8.25]),
)  # fmt: skip
