"""A mistake is a claim: fresh inputs must bear it out."""

import pytest

from autograder.examination.expectations import close, equal
from autograder.examination.misconceptions import Clues, Tried, Verdict, trying

FITS, OTHER, WEAK = (
    Clues(frozenset({"squared"})),
    Clues(frozenset({"halved"})),
    Clues(frozenset({"squared"}), weak=True),
)


@pytest.mark.parametrize(
    ("failures", "verdict"),
    [
        ([FITS, FITS], "yes"),
        ([FITS, WEAK], "yes"),
        ([WEAK], "perhaps"),
        ([FITS, OTHER], "perhaps"),
        ([FITS, None], "perhaps"),
        ([OTHER], "no"),
        ([], "no"),
    ],
)
def test_all_that_failed_must_fit(failures: list[Clues | None], verdict: Verdict) -> None:
    assert Tried("squared").borne_out([("it", one) for one in failures]) == verdict


def test_what_was_right_though_the_mistake_makes_it_wrong_speaks_against_it() -> None:
    with trying("squared") as tried:
        close(6.0, 6.0, "it", mistakes=lambda: {"squared": 4.0})
    assert tried.against == {"it"}
    assert tried.borne_out([("it", FITS)]) == "no"
    assert tried.borne_out([("another part", FITS)]) == "yes"


def test_what_the_mistake_makes_right_as_well_says_nothing() -> None:
    close(6.0, 6.0, "it", mistakes={"squared": 4.0})  # nobody tries a mistake
    with trying("squared") as tried:
        close(1.0, 1.0, "it", mistakes={"squared": 1.0, "halved": 0.5})
        close(1.0, 1.0, "it", mistakes=[("squared", 0.0), ("squared", 1.0)])
        equal("a", "a", "it", mistakes={"squared": "a"})
        equal("a", "a", "it", mistakes={"halved": "b"})
    assert not tried.against
    with trying("squared") as tried:
        equal("a", "a", "it", mistakes={"squared": "b"})
    assert tried.against == {"it"}
