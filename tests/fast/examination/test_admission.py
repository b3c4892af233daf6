"""Data pass the door, and nothing else: each word of the checks' language asks for it."""

import re
import time
import tracemalloc
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autograder.box.replies import Answer
from autograder.boxed.values import Handle
from autograder.examination import datasets, expectations, misconceptions, models, recipes, scaling
from autograder.examination.admission import NotAdmitted, admit
from autograder.examination.display import shown
from autograder.examination.student import NotData, Student
from autograder.examination.windows import Pairs

TOUCHED: list[str] = []


class Impostor:
    """Answers to whatever it is asked for, and remembers it."""

    def __getattr__(self, name: str) -> Any:
        TOUCHED.append(name)
        return {"shape": (1,), "typestr": "|u1", "version": 3, "data": b"x"}

    def __array__(self, *given: Any, **options: Any) -> Any:
        TOUCHED.append("__array__")
        return np.zeros(1)

    def __eq__(self, other: object) -> bool:
        TOUCHED.append("__eq__")
        return True

    def __len__(self) -> int:
        TOUCHED.append("__len__")
        return 1

    def __float__(self) -> float:
        TOUCHED.append("__float__")
        return 1.0

    def __repr__(self) -> str:
        TOUCHED.append("__repr__")
        return "x"

    __hash__ = None  # type: ignore[assignment]


class Text(str):
    pass


class Items(list[Any]):
    pass


class Named(tuple[Any, ...]):
    fields = ("__array_interface__",)


class Below(np.ndarray[Any, Any]):
    pass


class Table(pd.DataFrame):
    pass


def in_array(value: Any) -> Any:
    array = np.empty(1, dtype=object)
    array[0] = value
    return array


IMPOSTORS: dict[str, Callable[[], Any]] = {
    "an object": Impostor,
    "in a list": lambda: [1, Impostor()],
    "in a tuple in a list": lambda: [(1, Impostor())],
    "in a mapping": lambda: {"a": Impostor()},
    "in an array": lambda: in_array(Impostor()),
    "in a column": lambda: pd.Series(in_array(Impostor())),
    "in a table": lambda: pd.DataFrame({"a": [1], "b": in_array(Impostor())}),
    "in an index": lambda: pd.Series([1.0], index=pd.Index(in_array(re.compile("a")))),
    "as a name": lambda: pd.Series([1.0], name=re.compile("a")),
    "a text of another class": lambda: Text("a"),
    "a list of another class": lambda: Items([1]),
    "a tuple with names": lambda: Named((1,)),
    "an array of another class": lambda: np.zeros(2).view(Below),
    "a table of another class": lambda: Table({"a": [1]}),
    "an array of structures": lambda: np.zeros(2, dtype=[("a", "f8")]),
    "a type": lambda: float,
    "a function": lambda: len,
    "an iterator": lambda: iter([1]),
    "a buffer": lambda: memoryview(b"abc"),
    "bytes that change": lambda: bytearray(b"abc"),
    "a period": lambda: pd.Period("2024"),
    "too deep": lambda: __import__("functools").reduce(lambda inner, _: [inner], range(60), 1),
}
NO_PAIRS = Pairs(np.zeros((1, 1, 1)), np.zeros((1, 1)))


def of(value: Any) -> datasets.Dataset:
    """A data set that holds nothing else."""
    return datasets.Dataset([value] * 3, [value] * 3, None)


WORDS: dict[str, Callable[[Any], Any]] = {
    "admit": admit,
    "array": lambda value: expectations.array(value, "it"),
    "close": lambda value: expectations.close(value, [1.0], "it"),
    "equal": lambda value: expectations.equal(value, "standardize", "it"),
    "same_thing": lambda value: expectations.same_thing(value, value),
    "parts": lambda value: expectations.parts(value, 1, "it"),
    "that": lambda value: expectations.that(value, "it"),
    "show": expectations.show,
    "raises": lambda value: expectations.raises("ValueError", lambda: value, "it"),
    "alike": lambda value: expectations.alike(value, np.zeros(1)),
    "variable": lambda value: expectations.variable(Student(Claims(value)), "anything", 1),
    "keras_model": lambda value: models.keras_model(value, "it"),
    "rebuilt": lambda value: models.rebuilt(Student(Claims(value)), "model"),
    "taken_apart": lambda value: models.taken_apart(Student(Claims(value)), "model"),
    "recipe": lambda value: recipes.recipe(value, "it", ["a"]),
    "whole_number": lambda value: recipes.whole_number(value, "it", 1, 2),
    "one_of": lambda value: recipes.one_of(value, "it", [1, 2]),
    "names": lambda value: recipes.names(value, "it", ["a", "b"], "name", "the list"),
    "line": lambda value: scaling.line(value, np.arange(2.0)),
    "scaled": lambda value: scaling.scaled(value, np.zeros((1, 1, 1))),
    "kind_of_scaling": scaling.kind_of_scaling,
    "scaled_by_training": lambda value: scaling.scaled_by_training(value, np.arange(2.0), "it", [], [], np.arange(2.0)),
    "dataset": lambda value: datasets.dataset(value, "it"),
    "a data set's items": lambda value: datasets.dataset([value] * 7, "it"),
    "holds": lambda value: datasets.holds(of(value), NO_PAIRS, 0),
    "pairs_are": lambda value: datasets.pairs_are(of(value), [[NO_PAIRS] * 3], "it"),
    "target_is": lambda value: datasets.target_is(of(value), pd.DataFrame({"a": [1.0]}), "a", 1, 1),
    "later_parts": lambda value: datasets.later_parts(of(value), [NO_PAIRS] * 3, "X"),
    "only_misreading": lambda value: misconceptions.only_misreading({"it": lambda case: case}, [(1, value)]),
    "shown": shown,
    "a call's value": lambda value: Student(Claims(value)).anything(),
    "a variable's": lambda value: Student(Claims(value))["anything"],
    "a model's": lambda value: Student(Claims(value)).export_model("model"),
    "the arguments afterwards": lambda value: Student(Claims([[value], {}])).arguments_after(),
}


class Claims:
    """A kernel whose every answer is this value."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def ask(self, request: dict[str, Any]) -> Answer:
        return Answer(value=self.value)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("impostor", IMPOSTORS)
def test_no_word_of_the_checks_takes_anything_but_data(word: str, impostor: str) -> None:
    value = IMPOSTORS[impostor]()
    TOUCHED.clear()
    with pytest.raises(NotAdmitted):
        WORDS[word](value)
    assert TOUCHED == [], "it was asked for something before it was refused"


# What takes nothing from a box, or nothing that another word has not taken before it.
OWN = {
    expectations: {"exercise", "generator", "unchanged"},
    models: set[str](),
    recipes: set[str](),
    scaling: {"fitted_on", "undo"},
    datasets: {"split", "splits"},
}


@pytest.mark.parametrize("module", OWN, ids=lambda module: module.__name__.rpartition(".")[2])
def test_all_words_are_tried(module: ModuleType) -> None:
    """A new one belongs into the table above, unless it takes nothing from a box."""
    public = {
        name for name, one in vars(module).items()
        if callable(one) and getattr(one, "__module__", "") == module.__name__ and not name.startswith("_")
        and not isinstance(one, type)
    }  # fmt: skip
    assert public - OWN[module] == set(WORDS) & public


@pytest.mark.parametrize(
    "value",
    [
        None, True, 1, 2.5, 1j, "a", b"a", np.float32(1), np.bool_(True), np.datetime64("2024"), pd.NA, pd.NaT,
        pd.Timestamp("2024", tz="UTC"), pd.Timedelta("1h"), Handle(1, "Scaler"), [1, [2]], (1,), {"a": [1]}, {1, 2},
        np.zeros((2, 3)), np.array(["a", None], dtype=object), pd.Series(["a", None]), pd.Series(pd.Categorical(["a"])),
        pd.Series([1, None], dtype="Int64"), pd.DataFrame({"a": [1], "b": ["x"]}), pd.date_range("2024", periods=2),
        pd.MultiIndex.from_tuples([("a", 1)]), pd.DataFrame(),
    ],
    ids=repr,
)  # fmt: skip
def test_data_pass(value: Any) -> None:
    assert admit(value) is value


# what the words cost, and what they say


BIG = np.zeros((4,) * 12, dtype="uint8")
COSTLY: dict[str, Callable[[], Any]] = {
    "an array of short axes": lambda: expectations.show(BIG),
    "a mapping in a list that holds one": lambda: expectations.show([{"a": BIG}]),
    "an array in an array": lambda: expectations.show(in_array(BIG)),
    "a long array where a list is asked for": lambda: expectations.equal(np.zeros(30_000_000, "u1"), ["a"], "it"),
    "one long word": lambda: expectations.array(["x" * 600] + [""] * 1_000_000, "it"),
    "numbers and words": lambda: expectations.array([np.zeros(4_000_000, "f2"), np.zeros(4_000_000, "S1")], "it"),
}


@pytest.mark.parametrize("what", COSTLY)
def test_a_word_takes_no_long_time_and_says_no_long_text(what: str) -> None:
    tracemalloc.start()
    started = time.process_time()
    try:
        said = COSTLY[what]()
    except expectations.Wrong as wrong:
        said = wrong.message
    assert time.process_time() - started < 2
    assert len(said) < 1000
    assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    tracemalloc.stop()


def test_a_message_is_no_book() -> None:
    assert len(expectations.Wrong("x" * 4_000_000).message) < 5000


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        ([1.5, 2.5], [1.5, 2.5], True), ([1.5, 2.5], [1, 2], False), ([1.0, 2.0], [1, 2], True),
        (["a", "b"], [None, 0], False), ([1.0, float("nan")], [1.0, float("nan")], True), ([1], [1, 2], False),
        ({"a": 1}, {"a": "x"}, False), ({"a": 1}, {}, False), ({"a": [1]}, {"a": [1]}, True), ("a", None, False),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True), (np.zeros(2), np.zeros((2, 1)), False),
        (np.zeros(2), [0.0, 0.0], False), (pd.Series([1.0]), pd.Series([2.0]), False), (Handle(1, "a"), None, True),
        (pd.NA, pd.NA, True), (pd.Timestamp(0), pd.Timestamp(1), False),
    ],
)  # fmt: skip
def test_what_has_become_of_an_argument_is_seen(before: Any, now: Any, same: bool) -> None:
    assert expectations._same(before, now) is same


def test_arguments_by_name_and_what_is_no_data_any_more_are_seen_too() -> None:
    class Box:
        def __init__(self, after: Answer) -> None:
            self.after = after

        def ask(self, request: dict[str, Any]) -> Answer:
            return self.after if request["do"] == "arguments" else Answer(value=1)

    for after, says in (
        (Answer(value=[[1], {"order": ["b"]}]), "`order`"),
        (Answer(value=[[2], {"order": ["a"]}]), "number 1"),
        (Answer(unsendable="too deep"), "no"),
        (Answer(value=[1]), "cannot compare"),
    ):
        student = Student(Box(after))
        student.encode(1, order=["a"])
        with pytest.raises((expectations.Wrong, NotData), match=says):
            expectations.unchanged(student)
    unchanged = Student(Box(Answer(missing=True)))  # another box has taken the place of the first
    unchanged.encode(1)
    expectations.unchanged(unchanged)
