"""The pages of results: everybody can read them, on any screen and on paper, and they run nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.browser import DESKTOP, PHONE, Visit, cut_on_paper, judged
from helpers.results import EVIL, pictured, result

from autograder.examination.display import pair
from autograder.report import page
from autograder.report.wording import TURNS
from autograder.result import CheckResult, ExerciseResult, Finding, Result, ShownCell

VIEWS = [(size, dark) for size in (DESKTOP, PHONE) for dark in (False, True)]
LONG = "np.array([[1.0, 2.0, 3.0, 123.456, 1234.5678, 12345.6789, 123456.789]]), " * 3


def failed(title: str, **parts: Any) -> CheckResult:
    finding = Finding(**({"problem": f"`{title}` is wrong in 14 of 24 values."} | parts))
    return CheckResult(title, 1, 0.0, finding.sentences, None, finding)


def laid_out(text: str = "x") -> Result:
    """With tables, pictures of numbers, long lines, and all that a finding can have."""
    table = np.arange(24.0).reshape(4, 6) / 7
    large = np.arange(400).reshape(20, 20) / 400
    numbers, shades = pair(table, table + (table > 1)), pair(np.eye(20) + large, large)
    one = {
        "call": f"normalize(\n    {LONG},\n)",
        "what": "test_scaled",
        "mistake": f"{text} was fitted on the test set.",
    }
    checks = (
        CheckResult("Fractions stay fractions", 1, 1.0, ""),
        CheckResult("The order counts", 1, 0.5, text, None, Finding(text, step=text)),
        failed(f"{text} scaled", kind="a", found=numbers[0], expected=numbers[1], step=text, read=text, **one),
        failed("A constant column", kind="a", call="f(2)"),
        failed("Large arrays", kind="b", found=shades[0], expected=shades[1]),
    )
    cells = (
        ShownCell("normalize", "solution", f"def normalize(train, test):\n    return {LONG}", f"{text}\n" * 4),
        ShownCell("normalize", "check", text, "", f"AssertionError: {text}"),
    )
    exercise = ExerciseResult("normalize", "partial", 0.75, 3.0, text, None, checks)
    base = result("ada", text)
    record = base.record | {"seed": 2**60, "limits": {"cell_seconds": 20}, "versions": {"python": "3.13.1"}}
    return Result("ada", base.assignment, 0.75, 13.0, (exercise, *base.exercises[1:]), record, "", None, (text,), cells)


def ungraded() -> Result:
    exercises = tuple(
        ExerciseResult(f"exercise-{cause}", "could_not_be_graded", None, 2.0, f"It was the {cause}.", cause)
        for cause in TURNS
    )
    return result(
        exercises=exercises, score=None, record={"for_marks": False, "graded_at": "", "submission_sha256": None}
    )


def many() -> str:
    rows = [(laid_out(), "ada"), (result("b" * 90, message="The file is empty. Nothing is in it.", score=None), "b")]
    return page.index([*rows, (result(EVIL, message=EVIL, score=None), 'a"b/<c>')])


PAGES: dict[str, Callable[[], str]] = {
    **{level: lambda level=level: page.feedback(laid_out(), level) for level in page.LEVELS},  # type: ignore[misc]
    "not graded": lambda: page.feedback(ungraded()),
    "lost": lambda: page.feedback(result(score=None, message="The file is empty.", cause="notebook")),
    "hostile": lambda: page.feedback(laid_out(EVIL * 3), "staff"),
    "pictures": lambda: page.feedback(pictured()),
    "class": many,
    "nobody": lambda: page.index([]),
}


@pytest.fixture(params=PAGES)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text(PAGES[request.param](), encoding="utf-8")
    return path


def test_everybody_can_read_it(written: Path, visit: Visit) -> None:
    """On a desktop and on a phone, by day and by night; hostile text shows, and no more."""
    for size, dark in VIEWS:
        assert judged(visit(written, size, dark)) == [], (size, dark)


def test_paper_shows_all_of_it(written: Path, visit: Visit) -> None:
    for dark in (False, True):
        shown = visit(written, dark=dark)
        assert cut_on_paper(shown) == []
        assert shown.evaluate("() => getComputedStyle(document.querySelector('h1')).color") == "rgb(28, 28, 34)"


def test_the_keyboard_reaches_and_scrolls_what_is_wide(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(page.feedback(laid_out(), "staff"), encoding="utf-8")
    shown = visit(path)
    wide = shown.get_by_role("region", name="Called, normalize, finding 2")
    seen = []
    for _ in range(40):
        shown.keyboard.press("Tab")
        seen.append(shown.evaluate("() => document.activeElement.getAttribute('aria-label')"))
        if seen[-1] == wide.get_attribute("aria-label"):
            break
    else:
        pytest.fail(f"the Tab key reaches only {seen}")
    assert wide.evaluate("one => getComputedStyle(one).outlineStyle") == "solid", "where the keyboard is can be seen"
    shown.keyboard.press("ArrowRight")
    shown.wait_for_function("() => document.activeElement.scrollLeft > 0")


def test_regions_have_names(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(page.feedback(laid_out()), encoding="utf-8")
    shown = visit(path)
    assert shown.get_by_role("main").count() == 1
    assert shown.get_by_role("region", name="invert").count() == 1
    assert shown.get_by_role("contentinfo").count() == 1
