"""While the box is attacked the workers get ready, and nothing of a submission runs before it was seen to hold."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.command_line import submission
from helpers.submissions import COURSE

from autograder import grade
from autograder.batch.pool import Pool
from autograder.box import canary
from autograder.errors import BoxUnavailable

Observed = dict[str, bool]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When the first submission was given to a worker."""
    times: list[float] = []
    do = Pool.do

    def seen(self: Pool, *given: Any) -> Iterator[Any]:
        times.append(time.monotonic())
        yield from do(self, *given)

    monkeypatch.setattr(Pool, "do", seen)
    return times


@pytest.mark.parametrize("missing", ["no_network", "plain_user"])
def test_a_canary_that_fails_late_refuses_all(
    missing: str, begun: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes, and although the workers have started: nothing is graded, and nothing is written."""

    def observe(*_: object) -> Observed:
        time.sleep(2)
        return dict.fromkeys(canary.PROTECTIONS, True) | {missing: False}

    monkeypatch.setattr(canary, "observe", observe)
    submission(tmp_path / "class", "ada")
    with pytest.raises(BoxUnavailable, match=canary.PROTECTIONS[missing]):
        grade(tmp_path / "class", course=COURSE, output=tmp_path / "results", seed=1)
    assert not begun
    assert not list((tmp_path / "results").rglob("*.json"))


def test_no_submission_begins_before_the_canary_has_held(
    begun: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[float] = []
    really = canary.observe

    def observe(*given: Any) -> Observed:
        found = really(*given)
        time.sleep(2)
        held.append(time.monotonic())
        return found

    monkeypatch.setattr(canary, "observe", observe)
    submission(tmp_path / "class", "ada")
    result = grade(tmp_path / "class", course=COURSE, seed=1)[0]
    assert (result.score, result.record["start"]) == (2, "warm")
    assert held[0] < begun[0]


def test_what_does_not_hold_is_not_used_though_its_workers_have_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forked boxes are too weak here, and those that start cold are not."""
    really = canary.observe

    def observe(limits: Any, hidden: Any, warm: str | None = None) -> Observed:
        found = really(limits, hidden, warm)
        return found if warm is None else found | {"system_calls_filtered": False}

    monkeypatch.setattr(canary, "observe", observe)
    submission(tmp_path / "class", "ada")
    result = grade(tmp_path / "class", course=COURSE, seed=1)[0]
    assert (result.score, result.record["start"]) == (2, "cold")
    assert result.record["protections"]["system_calls_filtered"]
