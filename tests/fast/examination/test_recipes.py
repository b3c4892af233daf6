"""A recipe is read value by value, and a wrong one is answered with a sentence that says what belongs there."""

from typing import Any

import numpy as np
import pytest

from autograder.examination.expectations import Wrong
from autograder.examination.recipes import names, one_of, recipe, whole_number


def test_a_recipe_may_lack_keys_but_has_no_others() -> None:
    assert recipe({"a": 1}, "recipe", ["b", "a"]) == {"a": 1}
    for given, says in (
        ([1], "`recipe` should be a dictionary, but is"),
        ({"a": 1, "x": 2, 3: 4}, "`recipe` has the key 'x', 3; its keys are a, b."),
    ):
        with pytest.raises(Wrong, match=says):
            recipe(given, "recipe", ["b", "a"])


@pytest.mark.parametrize("value", [1, 168, np.int64(24)])
def test_a_whole_number_is_pythons_own_afterwards(value: Any) -> None:
    found = whole_number(value, "it", 1, 168)
    assert (found, type(found)) == (int(value), int)


@pytest.mark.parametrize("value", [0, 169, 1.0, True, "3", None, [3], np.float64(3), np.arange(3)])
def test_what_is_no_whole_number_in_the_range_is_refused(value: Any) -> None:
    with pytest.raises(Wrong, match="it should be a whole number from 1 to 168, but is"):
        whole_number(value, "it", 1, 168)


def test_one_of_several() -> None:
    assert one_of(np.int64(24), "it", [0, 24]) == 24
    assert one_of(np.str_("b"), "it", ["a", "b"]) == "b"
    for value in (False, 24.0, "24", None, np.arange(2)):
        with pytest.raises(Wrong, match="it should be 0, 24 or 168, but is"):
            one_of(value, "it", [0, 24, 168])
    with pytest.raises(Wrong, match='it should be "a" or "b", but is'):
        one_of("c", "it", ["a", "b"])


def test_names_are_known_and_none_comes_twice() -> None:
    def read(value: Any) -> tuple[str, ...]:
        return names(value, "it", {"a", "b", "c", "d", "e", "f"}, "feature", "the catalogue")

    assert read(["b", "a"]) == ("b", "a")
    assert read(()) == ()
    for given, says in (
        ("ab", "it should be a list of names, but is 'ab'"),
        (["a"] * 7, "it should be a list of names, but is"),
        (["a", "x", 1, ["b"], "y"], r"it names 'x', 1, \['b'\], which the catalogue does not have."),
        (["a", "b", "a"], "it names a feature twice."),
    ):
        with pytest.raises(Wrong, match=says):
            read(given)
