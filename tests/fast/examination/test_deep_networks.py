"""The layers of Algorithm 3, as slide 47 has them, and what is told of others."""

import pytest

from autograder.examination.deep_networks import algorithm3, told, widths, wrong_dropouts, wrong_widths
from autograder.examination.misconceptions import Mistake
from autograder.examination.models import Layer


@pytest.mark.parametrize(
    ("options", "layers"),
    [
        ({}, "LSTM(32), Dropout, LSTM(128), Dense(64), Dropout, Dense(12)"),
        ({"h_layers": 1, "h_neurons": 10}, "LSTM(10), Dense(10), Dropout, Dense(12)"),
        ({"h_layers": 3, "h_neurons": 9, "deep_dense": True},
         "LSTM(4), Dropout, LSTM(9), Dropout, LSTM(18), Dense(9), Dropout, Dense(4), Dropout, Dense(12)"),
    ],
)  # fmt: skip
def test_the_layers_of_the_slide(options: dict[str, int], layers: str) -> None:
    assert told(algorithm3(12, **options)) == layers  # type: ignore[arg-type]  # deep_dense is a bool


def test_only_layers_with_units_have_widths() -> None:
    layers = [Layer("LSTM", {"units": 3}), Layer("Dropout", {"rate": 0.5}), Layer("Masking", {})]
    assert widths(layers) == [("LSTM", 3), ("Masking", 0)]


RIGHT = [("LSTM", 4), ("LSTM", 9), ("LSTM", 18), ("Dense", 9), ("Dense", 2)]


@pytest.mark.parametrize(
    ("place", "says"),
    [(0, "The first LSTM of several"), (1, "between the first and the last"), (2, "The last LSTM of several"),
     (3, "The Dense layer after the LSTMs"), (4, "The last layer has multisteps")],
)  # fmt: skip
def test_a_wrong_width_is_told_by_its_place(place: int, says: str) -> None:
    found = [(kind, 7 if here == place else units) for here, (kind, units) in enumerate(RIGHT)]
    assert says in wrong_widths(found, RIGHT, 3)
    assert isinstance(wrong_widths(found, RIGHT, 3), Mistake)


def test_of_other_layers_no_width_is_told() -> None:
    assert wrong_widths(RIGHT[:-1], RIGHT, 3) == ""


L, D, X = "LSTM", "Dense", "Dropout"
SHALLOW, DEEP = [L, X, L, D, X, D], [L, X, L, D, X, D, X, D]


@pytest.mark.parametrize(
    ("found", "deep", "says"),
    [
        ([L, L, D, X, D], False, "The LSTMs but the last have a Dropout"),
        ([L, X, L, X, D, X, D], False, "There is no Dropout after the last LSTM"),
        ([L, X, L, D, X, X, D], False, "belongs to deep_dense"),
        ([L, X, L, D, X, D, D], True, "The second Dense of deep_dense has a Dropout"),
        ([L, X, L, D, D], False, ""),
    ],
)
def test_a_dropout_in_a_wrong_place_is_told(found: list[str], deep: bool, says: str) -> None:
    mistake = wrong_dropouts(found, DEEP if deep else SHALLOW, 2, deep)
    assert says in mistake
    assert bool(mistake) == bool(says)
