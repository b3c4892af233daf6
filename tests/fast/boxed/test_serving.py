"""What the kernel answers beside calls, which tests of checks and of boxes cover: where chance begins again."""

import random
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograder.boxed import protocol
from autograder.boxed.serving import Server


def ask(**request: Any) -> dict[str, Any]:
    reply = protocol.unpack(Server({}).answer(protocol.pack({"id": 7, **request})))
    assert isinstance(reply, dict)
    return reply


def drawn() -> tuple[float, float]:
    return random.random(), float(np.random.rand())


def test_chance_begins_again_where_it_is_asked_to() -> None:
    random.seed(1)
    np.random.seed(2)
    first = [ask(do="seed", seed=11), drawn(), drawn()]
    again = [ask(do="seed", seed=11), drawn(), drawn()]
    other = [ask(do="seed", seed=12), drawn(), drawn()]
    assert first == again
    assert first[1] != first[2]
    assert {*first[1:]}.isdisjoint(other[1:])


def test_that_of_keras_does_where_the_notebook_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    utils = SimpleNamespace(set_random_seed=told.append, clear_session=lambda free_memory: told.append(free_memory))
    keras = SimpleNamespace(utils=utils)
    monkeypatch.setitem(sys.modules, "keras", keras)
    ask(do="seed", seed=13)
    assert told == [False, 13]


def test_a_notebook_that_has_broken_it_is_answered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(random, "seed")
    assert ask(do="seed", seed=14) == {"id": 7, "value": None}
