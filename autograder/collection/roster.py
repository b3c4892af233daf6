"""`roster.csv`: who takes the course, and where each one's repository is.

Columns: `student` and `repository`; if wanted `name`, `branch`, and any `..._id` (`canvas_id`, `moodle_id`),
by which a learning platform knows the student. One line a student; commas or semicolons; UTF-8.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from autograder.errors import RosterError
from autograder.text import plain

MAX_BYTES: Final = 10 * 2**20
MAX_STUDENTS: Final = 20_000
# What is a folder's name on every system, and a formula in no spreadsheet.
_STUDENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
_SHORT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_BRANCH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")
_LOOPBACK: Final = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Student:
    """One line of the roster. `ids` are those of learning platforms, by column."""

    student: str
    repository: str
    name: str = ""
    branch: str = ""
    ids: dict[str, str] = field(default_factory=dict)


def read(path: Path, taken: Iterable[str] = (), local: bool = False) -> list[Student]:
    """The students, in the roster's order. `taken` are names that no student may have.

    With `local` a repository may also be a folder of this machine. Raises RosterError.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RosterError(f"{path} is larger than {MAX_BYTES >> 20} MiB: is this the roster?")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RosterError(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise RosterError(f"{path} is not UTF-8. Save it as CSV UTF-8.") from error
    return parse(text, plain(path.name, 100), taken, local)


def parse(text: str, name: str = "roster.csv", taken: Iterable[str] = (), local: bool = False) -> list[Student]:
    """As `read`, of the roster's text; messages call it `name`. Raises RosterError."""
    first = text.lstrip().partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    try:
        header = [column.strip().lower() for column in next(rows, [])]
        _check_header(header, name)
        students, faults = _students(rows, header, {one.lower() for one in taken}, local)
    except csv.Error as error:
        raise RosterError(f"{name}, line {rows.line_num}: {error}. Save it as CSV again.") from error
    if faults:
        more = [f"… and {len(faults) - 20} lines more."] if len(faults) > 20 else []
        raise RosterError("\n".join([f"{name}, {fault}" for fault in faults[:20]] + more))
    if not students:
        raise RosterError(f"{name}: there is nobody on it. Below the header comes one line a student.")
    return students


def _check_header(header: list[str], name: str) -> None:
    missing = [column for column in ("student", "repository") if column not in header]
    if missing:
        raise RosterError(f"{name}, line 1: there is no column `{'` and no column `'.join(missing)}`. "
                          "The header must have `student` and `repository`.")  # fmt: skip
    known = {"student", "repository", "name", "branch"}
    odd = [column for column in header if column not in known and not re.fullmatch(r"[a-z0-9_]+_id", column)]
    if odd:
        raise RosterError(f"{name}, line 1: the column `{plain(odd[0], 60)}` is not known. Known are `student`, "
                          "`repository`, `name`, `branch` and what ends in `_id`.")  # fmt: skip
    if len(set(header)) < len(header):
        raise RosterError(f"{name}, line 1: two columns have the same name.")


def _students(
    rows: "Iterable[list[str]]", header: list[str], taken: set[str], local: bool
) -> tuple[list[Student], list[str]]:
    students: list[Student] = []
    faults: list[str] = []
    lines: dict[str, int] = {}
    for row in rows:
        line: int = rows.line_num  # type: ignore[attr-defined]
        if not any(value.strip() for value in row):
            continue
        fields = dict(zip(header, (value.strip() for value in row), strict=False))
        student = fields.get("student", "")
        fault = (
            "there are more values than columns: quote what holds a comma" if len(row) > len(header)
            else _fault_of_student(student, taken)
            or _fault_of_repository(fields.get("repository", ""), local)
            or _fault_of_branch(fields.get("branch", ""))
        )  # fmt: skip
        if fault is None and student.lower() in lines:
            fault = f"`{student}` is already on line {lines[student.lower()]}"
        if fault is None and len(students) >= MAX_STUDENTS:
            fault = f"there are more than {MAX_STUDENTS} students"
        if fault is not None:
            faults.append(f"line {line}: {fault}.")
            continue
        lines[student.lower()] = line
        ids = {column: value for column, value in fields.items() if column.endswith("_id") and value}
        name, branch = fields.get("name", ""), fields.get("branch", "")
        students.append(Student(student, fields["repository"], name, branch, ids))
    return students, faults


def _fault_of_student(student: str, taken: set[str]) -> str | None:
    if not student:
        return "the column `student` is empty"
    if not _STUDENT.fullmatch(student) or student.endswith("."):
        return (
            f"`{plain(student, 60)}` cannot be a student's name here: letters, digits and . _ @ + - only, "
            "a letter or digit first, at most 100, as it becomes a folder's name"
        )
    return f"`{student}` is the name of an assignment" if student.lower() in taken else None


def _fault_of_repository(repository: str, local: bool) -> str | None:
    shown = plain(repository, 100)
    if not repository:
        return "the column `repository` is empty"
    if any(character.isspace() or not character.isprintable() for character in repository):
        return "the repository's address holds a space or a control character"
    if _SHORT.fullmatch(repository):
        return None
    try:
        parts = urlsplit(repository)
        host, secret = parts.hostname, parts.username is not None or parts.password is not None
    except ValueError:
        host, secret, parts = None, False, urlsplit("")
    if secret:
        return "the repository's address holds a user or a token: take it out, and give the token by AUTOGRADER_TOKEN"
    if host and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)):
        return None if not parts.query and not parts.fragment else f"`{shown}` is no repository's address"
    if parts.scheme == "file" or repository.startswith("/"):
        return None if local else f"`{shown}` is on this machine, which needs --local"
    return f"`{shown}` is no repository: write OWNER/NAME or https://HOST/OWNER/NAME"


def _fault_of_branch(branch: str) -> str | None:
    return None if not branch or is_ref(branch) else f"`{plain(branch, 60)}` cannot be a branch's name"


def is_ref(name: str) -> bool:
    """Whether git could know a branch or a tag by this name; it is stricter than git."""
    return bool(_BRANCH.fullmatch(name)) and ".." not in name and "//" not in name and not name.endswith((".lock", "/"))
