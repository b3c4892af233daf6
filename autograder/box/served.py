"""Functions that code in a box may call, and that run elsewhere: what crosses is data, and no code.

An answer that calls another exercise's wrong answer is looked at once more, with the reference in place of the wrong
one. A reference is a secret, so it runs in a box of its own. The student's code gets what it returns, call by call, and
of what it raises the type.
"""

from collections.abc import Iterable
from typing import Any, Final, Protocol

import numpy as np

from autograder.box.bounds import Unanswered
from autograder.box.replies import Answer
from autograder.boxed import protocol
from autograder.boxed.values import Handle

MOST_CALLS: Final = 10_000  # while one exercise is looked at


class Kernel(Protocol):
    """Where they run."""

    def ask(self, request: dict[str, Any]) -> Answer:
        """Put one request. Raises Unanswered when there is no answer."""
        ...


class Served:
    """The functions of these names, as `kernel` has them. `called` has those that were called."""

    def __init__(self, names: Iterable[str], kernel: Kernel) -> None:
        self.names = frozenset(names)
        self.called: set[str] = set()
        self._kernel = kernel
        self._left = MOST_CALLS

    def reply(self, wanted: dict[str, Any]) -> bytes:
        """The frame for the one who called. Whatever the call is, this raises nothing."""
        name, args, kwargs = (wanted.get(key) for key in ("wants", "args", "kwargs"))
        self._left -= 1
        if type(name) is not str or name not in self.names or type(args) is not list or type(kwargs) is not dict:
            return protocol.pack({"refused": "there is no such function"})
        self.called.add(name)
        if self._left < 0 or _has_handle([args, kwargs]) or not all(type(key) is str for key in kwargs):
            return protocol.pack({"refused": "its arguments cannot be sent"})
        try:
            answer = self._kernel.ask({"do": "call", "function": name, "args": args, "kwargs": kwargs})
            if answer.raised is not None:
                return protocol.pack({"raised": answer.raised.type})
            if not (answer.missing or answer.unsendable or _has_handle(answer.value)):
                return protocol.pack({"value": answer.value})
        except (Unanswered, protocol.ProtocolError, protocol.NotData):
            pass
        return protocol.pack({"refused": "it gave no answer that can be sent"})


def _has_handle(value: Any) -> bool:
    """Whether something in it stands for what is in one box: in another it would be another thing."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, Handle):
            return True
        if isinstance(one, (list, tuple, set)):
            left += one
        elif isinstance(one, dict):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, np.ndarray) and one.dtype == object:
            left += one.ravel().tolist()
    return False
