"""`docs/result.md` has each field of a result and of its record, and no other."""

import dataclasses
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from helpers.submissions import COURSE, released, write

from autograder.batch import pipeline
from autograder.box import Limits
from autograder.box.bounds import Cause
from autograder.box.canary import PROTECTIONS
from autograder.result import CheckResult, ExerciseResult, Finding, Picture, Result, Shown, ShownCell
from autograder.settings import Settings
from autograder.submission.find import Submission

DOCUMENT = COURSE.root / "docs" / "result.md"
KINDS = {
    "The result": Result,
    "An exercise": ExerciseResult,
    "A check": CheckResult,
    "A finding": Finding,
    "A shown value": Shown,
    "A picture": Picture,
    "A cell": ShownCell,
    "Limits": Limits,
}


def documented(section: str) -> list[str]:
    """The names in the first column of the section's table."""
    text = DOCUMENT.read_text(encoding="utf-8")
    body = re.split(rf"^##+ {section}$", text, flags=re.MULTILINE)[1]
    return re.findall(r"^\| `([^`]+)` \|", re.split(r"^##", body, flags=re.MULTILINE)[0], re.MULTILINE)


@pytest.mark.parametrize(("section", "kind"), KINDS.items(), ids=lambda one: one if isinstance(one, str) else "")
def test_each_field_is_documented_and_no_other(section: str, kind: Any) -> None:
    names = [field.name for field in dataclasses.fields(kind)]
    if kind is Result:
        names = list(Result("ada", None, None, None, (), {}).as_dict())
        assert set(names) == {field.name for field in dataclasses.fields(kind)} | {"open_points"}
    assert documented(section) == names


def test_the_protections_and_causes_are_documented() -> None:
    assert documented("Protections") == list(PROTECTIONS)
    assert documented("Causes") == list(get_args(Cause))


def record(tmp_path: Path) -> dict[str, Any]:
    """Of a submission that needs no box, since it is not begun."""
    path = write(released("03_numeric_data"), tmp_path / "03_numeric_data.ipynb")
    settings = Settings(COURSE, Limits(), seed=1, training_seed=2026, protections=dict.fromkeys(PROTECTIONS, True))
    return pipeline.grade(Submission(path, "ada", "03_numeric_data"), settings).result.record


def test_a_record_has_what_the_document_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graded = record(tmp_path)

    def fails(*_: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(pipeline, "restore", fails)
    failed = record(tmp_path)
    assert set(documented("The record")) == set(graded) | set(failed)
    assert set(failed) - set(graded) == {"traceback"}


def test_the_timings_are_those_that_the_pipeline_takes() -> None:
    """Read from its code: most of them need a box."""
    code = Path(pipeline.__file__).read_text(encoding="utf-8")
    taken = re.findall(r'timings\["([^"]+)"\]|_timed\(timings, "([^"]+)"\)', code)
    assert sorted(documented("Timings")) == sorted(one or other for one, other in taken)
