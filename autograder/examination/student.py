"""The student's notebook as a check sees it: functions that are called in the box.

    student.normalize(train, test)     calls the function, returns its value
    student["sequence_type"]           reads a variable (a function comes back as a Handle)
    student.apply(helper, scaler, x)   calls the check's own function in the box
    student.export_model("model")      architecture and weights of a Keras model

What is data comes back as exact builtin, NumPy or pandas types; what is not (a scaler, a model) as
a Handle, which later calls can be given.

Each of these raises Undefined when the notebook has no such name, StudentError when the student's code raised, NotData
when what came back is neither, and TypeError when a check passes what cannot be sent. A check catches what it can say
more of, and leaves the rest to `examine`.
"""

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from autograder.box.replies import Answer, Raised
from autograder.boxed.values import Handle, Source
from autograder.examination.admission import admit


class Kernel(Protocol):
    """Where the notebook has run: answers one request after the other (`box.session.Session`)."""

    def ask(self, request: dict[str, Any]) -> Answer:
        """Put one request, and wait for its answer. Raises Unanswered when there is none."""
        ...


class Undefined(Exception):
    """The notebook does not define what the check asks for."""

    def __init__(self, name: str) -> None:
        super().__init__(f"`{name}` is not defined after the notebook has run.")
        self.name = name


class StudentError(Exception):
    """The student's function raised. `raised.type` is the exception's name."""

    def __init__(self, name: str, raised: Raised) -> None:
        super().__init__(f"`{name}` raised {raised}")
        self.raised = raised


class NotData(Exception):
    """The student's function returned something that cannot be looked at from outside."""


@dataclass
class Call:
    """One call: what went in (as sent), what came back; None where nothing did."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    answer: Answer | None = field(default=None, repr=False)


class Student:
    """The proxy. `calls` are those of the running check, the latest last; `helpers` those of its own functions."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._seed: int | None = None  # to be told
        self.calls: list[Call] = []
        self.helpers: list[Call] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._call(name, name, args, kwargs)

    def __getitem__(self, name: str) -> Any:
        return self._checked(name, self._ask({"do": "get", "name": name}))

    def begin(self, seed: int) -> None:
        """For the next check: forget the calls, and let chance in the box begin from this seed (below 2**32)."""
        self.calls.clear()
        self.helpers.clear()
        self._seed = seed

    def apply(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call the check's own `function` in the box, where handles are what they stand for.

        Its source is sent, so it must stand alone; `np` is there, all else it imports itself.
        """
        return self._call("the check's helper", _sendable(function), args, {})

    def export_model(self, model: "str | Handle") -> dict[str, Any]:
        """`architecture` (JSON text) and `weights` (arrays by layer name), both only claimed."""
        answer = self._ask({"do": "export_model", "model": model})
        value = self._checked(model if isinstance(model, str) else "the model", answer)
        if not isinstance(value, dict):
            raise NotData("the model's export does not have the right form")
        return value

    def arguments_after(self) -> tuple[list[Any], dict[str, Any]] | None:
        """What the last call of one of the notebook's functions was given, as the box has it now.

        Asked for by itself: the call could not know of it. None after another box has taken the place of the first.
        Raises NotData where they are no data any more.
        """
        answer = self._kernel.ask({"do": "arguments"})
        if answer.missing:
            return None
        value = self._checked("the function", answer)
        if not isinstance(value, list) or [*map(type, value)] != [list, dict]:
            raise NotData(
                f"`{self.calls[-1].name}` changed its arguments into something that the grader cannot compare."
            )
        return value[0], value[1]

    def _call(self, name: str, function: "str | Source", args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        args = tuple(_sendable(value) for value in args)
        kwargs = {key: _sendable(value) for key, value in kwargs.items()}
        call = Call(name, args, kwargs)
        (self.calls if isinstance(function, str) else self.helpers).append(call)
        request = {"do": "call", "function": function, "args": list(args), "kwargs": kwargs}
        call.answer = self._ask(request)
        return self._checked(name, call.answer)

    def _ask(self, request: dict[str, Any]) -> Answer:
        if self._seed is not None:
            self._kernel.ask({"do": "seed", "seed": self._seed})
            self._seed = None
        return self._kernel.ask(request)

    def _checked(self, name: str, answer: Answer) -> Any:
        if answer.missing:
            raise Undefined(name)
        if answer.raised is not None:
            raise StudentError(name, answer.raised)
        if answer.unsendable is not None:
            raise NotData(f"The grader cannot look at what `{name}` returned: {answer.unsendable}.")
        return admit(answer.value)


def _sendable(value: Any) -> Any:
    """A check's own function goes to the box as its source."""
    if inspect.isfunction(value):
        return Source(textwrap.dedent(inspect.getsource(value)), value.__name__)
    if isinstance(value, np.random.Generator):
        raise TypeError("pass Generator(seed) in place of a numpy Generator: both sides then draw the same")
    return value
