"""What a box says, read with doubt: the reports of its cells, and the replies to calls."""

from dataclasses import dataclass
from typing import Any, Final

from autograder.boxed import protocol
from autograder.text import plain

MOST_LINES: Final = 10**6
SCALARS: Final = frozenset({type(None), bool, int, float, str})


@dataclass(frozen=True)
class Raised:
    """An exception in student code: a type, what it is a kind of, and a text, all as the student chose.

    `line` is that of the cell, from 1, and `text` what is in it; None where that is not known.
    """

    type: str
    kinds: tuple[str, ...]
    message: str
    line: int | None
    text: str | None

    def __str__(self) -> str:
        where = f" (line {self.line}: `{self.text}`)" if self.line and self.text else ""
        return f"{self.type}: {self.message}{where}" if self.message else f"{self.type}{where}"


@dataclass(frozen=True)
class Answer:
    """The reply to a call. One of `raised`, `missing` and `unsendable` may be set; else they are None and False.

    `unsendable` says why the value could not be sent. `value` may be None because that is what was returned.
    """

    value: Any = None
    warnings: tuple[str, ...] = ()
    raised: Raised | None = None
    missing: bool = False
    unsendable: str | None = None


def read_event(value: Any) -> dict[str, Any]:
    """A report of the box: what JSON has, and no more. Raises ProtocolError."""
    if type(value) is not dict or type(value.get("event")) is not str:
        raise protocol.ProtocolError("it is not a report")
    left: list[Any] = [value]
    while left:
        one = left.pop()
        if type(one) is dict:
            left += one.values()
        elif type(one) is list:
            left += one
        elif type(one) not in SCALARS:
            raise protocol.ProtocolError("a report has an unknown field")
    return value


def read_answer(reply: Any, number: int) -> Answer:
    """The reply to question `number`, each part checked. Raises ProtocolError."""
    if type(reply) is not dict or type(reply.get("id")) is not int or reply["id"] != number:
        raise protocol.ProtocolError("it is not the reply to the question")
    if reply.get("missing") is True:
        return Answer(missing=True)
    if "unsendable" in reply:
        return Answer(unsendable=_words(reply["unsendable"], 300))
    raised = reply.get("raised")
    if type(raised) is dict:
        line, text, kinds = raised.get("line"), raised.get("text"), raised.get("kinds")
        return Answer(
            raised=Raised(
                _words(raised.get("type"), 80),
                tuple(_words(kind, 80) for kind in kinds[:10]) if type(kinds) is list else (),
                _words(raised.get("message"), 500),
                line if type(line) is int and 0 < line < MOST_LINES else None,
                plain(text, 120) if type(text) is str else None,
            )
        )
    if "value" not in reply:
        raise protocol.ProtocolError("it holds no value")
    warnings = reply.get("warnings")
    return Answer(
        value=reply["value"],
        warnings=tuple(plain(list(map(_words, item)), 200) for item in warnings[:10] if type(item) is list)
        if type(warnings) is list else (),
    )  # fmt: skip


def _words(value: Any, limit: int = 300) -> str:
    """Text that the box has sent; other values may have no text, or a long one."""
    return plain(value, limit) if type(value) is str else ""
