"""The rule for learning curves, in two readings that agree; each misreading of it is told from all others."""

from collections.abc import Iterable

import numpy as np
import pytest

from autograder.examination.learning_curves import EDGES, MISREADINGS, PLAIN, Epochs, diagnosis, epochs
from autograder.examination.misconceptions import only_misreading

HISTORIES = (*((loss, val_loss) for loss, val_loss, _ in EDGES), *PLAIN)


def by_places(e: Epochs) -> str:
    if e.worse:
        return "overfit" if e.lower else "underfit"
    return "underfit" if e.learning else "good"


def drawn() -> Iterable[tuple[list[float], list[float]]]:
    """Losses in eighths, so that the edges of the rule are met."""
    rng = np.random.default_rng(5)
    for length in range(1, 9):
        for _ in range(40):
            loss, val_loss = (rng.integers(6, 12, length) / 8 for _ in range(2))
            yield loss.tolist(), val_loss.tolist()


def test_both_readings_of_the_rule_agree() -> None:
    verdicts = set()
    for loss, val_loss in (*HISTORIES, *drawn()):
        assert diagnosis(loss, val_loss) == by_places(epochs(loss, val_loss)), (loss, val_loss)
        verdicts.add(diagnosis(loss, val_loss))
    assert verdicts == {"overfit", "underfit", "good"}


@pytest.mark.parametrize("sentence", MISREADINGS)
def test_the_histories_tell_each_misreading_from_all_others(sentence: str) -> None:
    answers = [(epochs(*one), MISREADINGS[sentence](epochs(*one))) for one in HISTORIES]
    assert only_misreading(MISREADINGS, answers) == sentence
    assert [answer for _, answer in answers] != [diagnosis(*one) for one in HISTORIES]


def test_where_two_misreadings_fit_or_none_does_nothing_is_told() -> None:
    halves = {"It halves.": lambda n: n // 2, "It is always 2.": lambda n: 2}
    assert only_misreading(halves, [(4, 2)]) == ""
    assert only_misreading(halves, [(4, 2), (6, 3)]) == "It halves."
    assert only_misreading(halves, [(4, 2), (6, 7)]) == ""
