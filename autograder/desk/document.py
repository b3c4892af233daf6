"""A TOML file that people write, read strictly: a fault is told with its line, and nothing unknown passes."""

import difflib
import math
import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, time
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from autograder.errors import DeskError
from autograder.text import plain

MAX_BYTES: Final = 20 * 2**20
MAX_TEXT: Final = 4000  # characters of one text
Place = tuple[str | int, ...]
_HEADER: Final = re.compile(r"\s*(\[\[?)(.+?)(\]\]?)\s*(#.*)?")
_KEY: Final = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)


class Document:
    """The file's `data`, and the line of each place in it. A place is a path of keys and of numbers in lists."""

    def __init__(self, text: str, name: str) -> None:
        """Raises DeskError where the text is not TOML."""
        self.name, self._text = plain(name, 100), text
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise DeskError(f"{self.name} is not TOML: {plain(error, 200)}. Correct this place.") from error

    @classmethod
    def read(cls, path: Path) -> "Document":
        """An absent file is an empty one. Raises DeskError where it cannot be read."""
        try:
            if path.is_file() and path.stat().st_size > MAX_BYTES:
                raise DeskError(f"{path} is larger than {MAX_BYTES >> 20} MiB: is this the right file?")
            text = path.read_text(encoding="utf-8-sig") if path.exists() else ""
        except OSError as error:
            raise DeskError(f"{path} cannot be read ({error.strerror}).") from error
        except UnicodeDecodeError as error:
            raise DeskError(f"{path} is not UTF-8. Save it as UTF-8.") from error
        return cls(text, path.name)

    def fault(self, place: Place, sentence: str) -> DeskError:
        """The error to be raised for what stands at this place."""
        return DeskError(f"{self.name}, line {self.line(place)}: {sentence}")

    def line(self, place: Place) -> int:
        """The line, from 1, where this place begins; that of what it stands in where it is not written out."""
        lines = _lines(self._text)
        return next((lines[place[:size]] for size in range(len(place), 0, -1) if place[:size] in lines), 1)

    def table(self, place: tuple[str, ...], keys: Collection[str]) -> "Table":
        """The table at this place, which may have these keys and no other. Raises DeskError."""
        value: Any = self.data
        for part in place:
            value = value.get(part, {}) if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            raise self.fault(place, f"`{_shown(place)}` must be a table, as [{_shown(place)}].")
        return Table(self, place, value, keys)

    def tables(self, key: str, keys: Collection[str]) -> list["Table"]:
        """The tables [[key]], in their order. Raises DeskError."""
        found = self.data.get(key, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self.fault((key,), f"write each `{key}` as a table of its own, below a line [[{key}]].")
        return [Table(self, (key, number), one, keys) for number, one in enumerate(found)]

    def only(self, known: Collection[str]) -> None:
        """Raises DeskError where the file has a part that is not `known`."""
        Table(self, (), self.data, known)


class Table:
    """One table of a document: its values by key, each of the type that is asked for, None where it is not there."""

    def __init__(self, document: Document, place: Place, data: Mapping[str, Any], keys: Collection[str]) -> None:
        self._document, self.place, self._data = document, place, data
        for key in data:
            if key not in keys:
                raise self.fault(key, f"`{plain(key, 60)}` is not known here.{nearest(key, keys)}")

    def __contains__(self, key: object) -> bool:
        return key in self._data

    @property
    def line(self) -> int:
        """Where it begins, from 1."""
        return self._document.line(self.place)

    def fault(self, key: str, sentence: str) -> DeskError:
        """The error to be raised for what stands at this key."""
        return self._document.fault((*self.place, key), sentence)

    def text(self, key: str) -> str | None:
        """One line or more, without control characters; None where it is not there. Raises DeskError."""
        value = self._data.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            raise self.fault(key, f'`{key}` must be a text, as {key} = "...".')
        if len(value) > MAX_TEXT:
            raise self.fault(key, f"`{key}` has {len(value)} characters; {MAX_TEXT} are possible.")
        if any(unicodedata.category(one)[0] == "C" and one not in "\n\t" for one in value):
            raise self.fault(key, f"`{key}` holds a control character: write it again without.")
        return value

    def needed(self, key: str) -> str:
        """As `text`, of what must be there."""
        value = self.text(key)
        if value is None:
            raise self._document.fault(self.place, f"`{key}` is missing here.")
        return value

    def number(
        self, key: str, low: Fraction | int | None = None, high: Fraction | int | None = None
    ) -> Fraction | None:
        """Exactly the decimal number that is written, from `low` to `high`; a bound that is None does not hold.

        None where it is not there. Raises DeskError.
        """
        value = self._data.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.fault(key, f"`{key}` must be a number, without quotation marks.")
        exact = Fraction(str(value))
        if (low is not None and exact < low) or (high is not None and exact > high):
            bounds = " to ".join(str(one) for one in (low, high) if one is not None)
            raise self.fault(key, f"`{key}` is {value}; it must be {bounds}{'' if high is not None else ' or more'}.")
        return exact

    def whole(self, key: str, low: int = 0) -> int | None:
        """A whole number, `low` or more; None where it is not there. Raises DeskError."""
        value = self.number(key, low)
        if value is not None and value.denominator != 1:
            raise self.fault(key, f"`{key}` must be a whole number.")
        return None if value is None else int(value)

    def truth(self, key: str) -> bool | None:
        """true or false; None where it is not there. Raises DeskError."""
        value = self._data.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.fault(key, f"`{key}` must be true or false.")
        return value

    def one_of(self, key: str, choices: Collection[str]) -> str | None:
        """One of these words; None where it is not there. Raises DeskError."""
        value = self.text(key)
        if value is not None and value not in choices:
            raise self.fault(key, f"`{key}` must be one of {', '.join(sorted(choices))}.{nearest(value, choices)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty where it is not there. Raises DeskError."""
        value = self._data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
            raise self.fault(key, f'`{key}` must be a list of texts, as ["ada", "bob"].')
        return tuple(value)

    def moment(self, key: str) -> datetime | None:
        """A date with its time, as written, so maybe without an offset; None: it is not there. Raises DeskError."""
        value = self._data.get(key)
        if value is not None and not isinstance(value, datetime):
            kind = (
                "a date alone" if isinstance(value, date) else "a time alone" if isinstance(value, time) else "no time"
            )
            raise self.fault(key, f"`{key}` is {kind}; write date and time without quotation marks, "
                                  "as 2026-12-01T23:59:00 or 2026-12-01T23:59:00+01:00.")  # fmt: skip
        return value


def nearest(word: str, known: Iterable[str]) -> str:
    """What was probably meant, as a sentence behind another; "" where nothing known is like it."""
    found = difflib.get_close_matches(word, list(known), 1, 0.6)
    return f" Is `{found[0]}` meant?" if found else ""


def _shown(place: Place) -> str:
    return ".".join(str(part) for part in place)


def _lines(text: str) -> dict[Place, int]:
    """Where tables and their keys begin. Lines within a text of several lines are no keys."""
    found: dict[Place, int] = {}
    table: Place = ()
    counted: dict[Place, int] = {}
    within = ""
    for number, line in enumerate(text.splitlines(), 1):
        if within:
            within = "" if within in line else within
            continue
        header, key = _HEADER.fullmatch(line), _KEY.match(line)
        if header:
            table = _path(header[2])
            if header[1] == "[[":
                counted[table] = counted.get(table, -1) + 1
                table = (*table, counted[table])
            found.setdefault(table, number)
        elif key:
            place = (*table, *_path(key[1]))
            for size in range(len(table) + 1, len(place) + 1):
                found.setdefault(place[:size], number)
        for quotes in ('"""', "'''"):
            if line.count(quotes) % 2:
                within = quotes
    return found


def _path(dotted: str) -> Place:
    """The keys of `a."b c".d`, which tomllib takes apart itself."""
    place: Place = ()
    try:
        value: Any = tomllib.loads(f"{dotted} = 1")
    except tomllib.TOMLDecodeError:
        return (dotted.strip(),)
    while isinstance(value, dict):
        (part,) = value
        place, value = (*place, part), value[part]
    return place
