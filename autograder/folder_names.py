"""Folder names for students and assignments, whatever they are called: two names never share a folder.

That holds also on a disk that does not tell `Ada` from `ada`, or that writes an `ü` in another way than it was given:
a folder's name is ASCII, and its end says where the capitals are. What does not stand for itself is written `=xx`, one
for each byte in UTF-8. Of the last characters no dot stands for itself, and no dot at the start: so no name ends as a
file's does, and none can be that of a file of ours.
"""

import hashlib
import re
from pathlib import Path
from typing import Final

NAME: Final = "name.txt"
LONGEST: Final = 200
EXTENSION: Final = 6  # no file of ours has a longer one, with its dot
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+@. ")
_ESCAPED: Final = re.compile(rb"=([0-9a-f]{2})")
_CAPITALS: Final = re.compile(r"=u[0-9a-f]+\Z")
_HASHED: Final = re.compile(r".*=h[0-9a-f]{32}", re.DOTALL)
# What Windows takes for a device, also with whatever after a dot.
_DEVICE: Final = re.compile(r"(con|nul|aux|prn|com[0-9]|lpt[0-9]) *(\..*)?", re.IGNORECASE | re.DOTALL)


def folder_of(name: str) -> str:
    """The folder's name for a student's or an assignment's; of no other name, and of no file of ours."""
    body = "".join(_written(name, place) for place in range(len(name)))
    capitals = sum(1 << place for place, character in enumerate(body) if character.isupper())
    folder = f"{body}=u{capitals:x}" if capitals else body or "="
    if len(folder) <= LONGEST:
        return folder
    end = "=h" + hashlib.sha256(_bytes(name)).hexdigest()[:32]
    return folder[: LONGEST - len(end)] + end


def name_of(folder: str) -> str:
    """The name that `folder_of` made the folder's name from; else that of the folder, as people named it themselves."""
    body = "" if folder == "=" else _CAPITALS.sub("", folder)
    data = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), _bytes(body))
    try:
        name = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return folder
    return name if folder_of(name) == folder else folder


def make(parent: Path, name: str) -> Path:
    """The folder of `name` in `parent`, such that `name_at` finds the name again, however long."""
    folder = parent / folder_of(name)
    folder.mkdir(parents=True, exist_ok=True)
    if name_of(folder.name) != name:
        (folder / NAME).write_bytes(_bytes(name))
    return folder


def name_at(folder: Path) -> str:
    """As `name_of`; where a name was too long for a folder's, the file in it says it, if its hash is the folder's."""
    file = folder / NAME
    if _HASHED.fullmatch(folder.name) and file.is_file() and not file.is_symlink():
        try:
            name = file.read_bytes().decode("utf-8", "surrogatepass")
        except (OSError, UnicodeDecodeError):
            return folder.name
        return name if folder_of(name) == folder.name else folder.name
    return name_of(folder.name)


def _written(name: str, place: int) -> str:
    """How a character of the name is written in the folder's."""
    character, first, last = name[place], place == 0, place == len(name) - 1
    # A hyphen first would be an option to whoever names all folders to a command.
    special = (
        character not in _PLAIN
        or (character == " " and (first or last))
        or (character == "." and (first or place >= len(name) - EXTENSION))
        or (first and (character == "-" or _DEVICE.fullmatch(name)))
    )
    return "".join(f"={byte:02x}" for byte in _bytes(character)) if special else character


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
