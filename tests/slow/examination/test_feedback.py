"""What a failed check tells: the smallest call, the mistake that it shows, each cause once, at three levels."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers.grader import Grader
from helpers.results import EVIL, read, result
from helpers.submissions import lean, only
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.boxed.values import Generator, Handle
from autograder.examination.display import MAX_COLUMNS, MAX_ROWS, PICTURE_COLUMNS, PICTURE_ROWS, call, code, pair, shown
from autograder.examination.expectations import Wrong, close
from autograder.examination.misconceptions import Clues, clues, recognised
from autograder.report import page, terminal
from autograder.report.files import Results
from autograder.result import CheckResult, ExerciseResult, Finding, Result, causes
from autograder.submission.find import Submission

RNG = np.random.default_rng(0)
TABLE = RNG.permutation(12).reshape(4, 3) * 1.5 + 0.25
BLOCK = RNG.permutation(24).reshape(2, 3, 4).astype(float)
LINE = np.array([3.0, 8.0, 4.0, 9.5, 1.0])


def told(found: Any, expected: Any, mistakes: dict[str, Any] | None = None) -> str:
    return recognised([clues(found, expected, mistakes or {}, 1e-5, 1e-5)])


@pytest.mark.parametrize(
    ("found", "expected", "phrase"),
    [
        (TABLE.T, TABLE, "Rows and columns have changed places"),
        (BLOCK.swapaxes(1, 2), BLOCK, "The axes 1 and 2 are swapped"),
        (BLOCK.swapaxes(1, 2).reshape(BLOCK.shape), BLOCK, "with transpose, not with reshape"),
        (LINE[::-1], LINE, "the wrong way round"),
        (np.array([7.0, *LINE[:-1]]), LINE, "one place too far towards the end"),
        (np.array([*LINE[1:], 7.0]), LINE, "one place too far towards the beginning"),
        (LINE[:-1], LINE, "One at the end is missing"),
        (TABLE[1:], TABLE, "One row at the beginning is missing"),
        (np.array([*LINE, 2.0]), LINE, "One at the end is too many"),
        (LINE[:, np.newaxis], LINE, "an axis too many"),
        (LINE, LINE[:, np.newaxis], "an axis of length 1 missing"),
        (TABLE.ravel(), TABLE, "flattened"),
        (-LINE, LINE, "The sign is the other way round"),
        (np.trunc(TABLE), TABLE, "The fractions are cut off"),
        (LINE + 1, LINE, "every value is 1 too large"),
    ],
)
def test_a_mistake_that_any_right_answer_shows(found: Any, expected: Any, phrase: str) -> None:
    assert phrase in told(found, expected)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (np.roll(LINE, 1), LINE),  # rolled, shuffled or sorted: who knows
        (np.array([3.0, 1.0]), np.array([1.0, 3.0])),  # turned, or sorted
        (np.zeros(5), LINE),
        (np.full((3, 4), 2.0), TABLE),
        (TABLE + RNG.normal(size=TABLE.shape), TABLE),
        (np.ones((4, 3)), np.zeros((4, 3))),  # one too large, or just ones
        (np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([[2.0, 1.0], [1.0, 2.0]])),  # turned along either axis
    ],
)
def test_no_mistake_is_told_where_another_would_show_the_same(found: Any, expected: Any) -> None:
    assert told(found, expected) == ""


def test_a_named_mistake_is_told_if_it_is_the_only_one() -> None:
    right, wrong = np.array([0.5, 2.0]), np.array([0.25, 1.0])
    assert told(wrong, right, {"half": wrong, "double": 2 * right}) == "half"
    assert told(wrong, right, {"half": wrong, "squared": wrong}) == ""
    assert told(wrong + 0.1, right, {"half": wrong}) == ""
    assert told(np.zeros(2), right, {"nothing": np.zeros(2)}) == "", "zeros come from many a mistake"


def test_all_failed_calls_must_agree() -> None:
    one, both = Clues(frozenset({"a"})), Clues(frozenset({"a", "b"}))
    assert recognised([both, one]) == "a"
    assert recognised([both, both]) == ""
    assert recognised([one, Clues(frozenset({"b"}))]) == ""
    assert recognised([one, None]) == "", "what is shown must show it"
    assert recognised([None, one]) == "a"
    assert recognised([Clues(frozenset({"a"}), weak=True), one]) == "a"
    assert recognised([]) == ""


def test_secret_numbers_go_into_no_message() -> None:
    for found in (np.array([7771.0, 2.0]), np.array([7771.0])):
        with pytest.raises(Wrong) as caught:
            close(found, np.array([8881.0, 2.0]), "the forecast", secret=True)
        assert caught.value.evidence is None
        assert caught.value.clues is None
        assert not re.search("7771|8881", caught.value.message)


# values


KINDS: Any = st.sampled_from(["float64", "int64", "bool", "<U30"])


@given(hnp.arrays(KINDS.filter(lambda kind: kind != "<U30"), hnp.array_shapes(max_dims=3, max_side=2)))
def test_a_small_call_can_be_run_again(array: np.ndarray[Any, Any]) -> None:
    again = eval(code(array), {"np": np})
    assert again.shape == array.shape
    if array.dtype.kind == "f":
        np.testing.assert_allclose(again, array, rtol=1e-5)
    else:
        assert again.dtype == array.dtype
        assert again.tolist() == array.tolist()


def test_other_arguments_can_be_run_again() -> None:
    times = pd.date_range("2026-03-02 22:00", periods=4, freq="h")
    frame = pd.DataFrame({"flow": [1.5, np.nan, 3.0, 4.0], "kind": list("abab")}, index=times)
    for value in (frame, frame["flow"], frame.set_axis(list("wxyz")), frame.iloc[[0, 1, 3]]):
        again = eval(code(value), {"np": np, "pd": pd})
        assert again.index.tolist() == value.index.tolist()
        assert again.equals(value) or pd.DataFrame(again).astype(str).equals(pd.DataFrame(value).astype(str))
    assert code([1, (2.5, "a"), None]) == "[1, (2.5, 'a'), None]"
    assert code(Generator(7)) == "np.random.default_rng(7)"
    assert code(pd.Timedelta("2h")) == "pd.Timedelta('0 days 02:00:00')"
    assert call("f", (Handle(1, "StandardScaler"),), {"n": 2}) == "f(<a StandardScaler>, n=2)"


def test_large_arguments_are_named_not_dumped() -> None:
    assert code(np.zeros((40, 12))) == "<an array of shape (40, 12)>"
    assert code(pd.DataFrame(np.zeros((90, 2)))) == "<a DataFrame of shape (90, 2)>"
    assert code(list(range(1000))) == "<a list of 1000>"
    assert len(call("f", [[LINE.tolist()] * 9] * 9, {})) <= 900


def test_arrays_become_tables_with_what_differs() -> None:
    found, expected = pair(np.array([[1.0, 2.0], [3.0, 4.00001]]), np.array([[1.0, 2.0], [3.0, 4.1]]))
    assert found.cells == (("1", "2"), ("3", "4"))
    assert found.differs == expected.differs == ("..", ".x")
    assert expected.cells[1][1] == "4.1"
    assert found.rows == found.columns == ("0", "1")
    near, _ = pair(np.array([0.123456]), np.array([0.12348]))
    assert near.cells == (("0.123456",),), "as many digits as show the difference"
    block, _ = pair(BLOCK, BLOCK + 1)
    assert block.rows[:4] == ("0, 0", "0, 1", "0, 2", "1, 0")
    words, _ = pair(["rain", None], ["rain", "fog"])
    assert (words.cells, words.differs) == ((("rain", "None"),), (".x",))


def test_arrays_of_two_shapes_are_shown_each_by_itself() -> None:
    found, expected = pair(LINE, LINE[:, np.newaxis])
    assert (found.shape, expected.shape) == ((5,), (5, 1))
    assert not found.differs


@settings(deadline=None)
@given(
    hnp.arrays(KINDS, hnp.array_shapes(max_dims=4, max_side=20)),
    st.booleans(),
)
def test_what_is_shown_is_small(array: np.ndarray[Any, Any], other: bool) -> None:
    one = pair(array, array[::-1])[0] if other else shown(array)
    assert len(one.cells) <= MAX_ROWS
    assert all(len(row) <= MAX_COLUMNS for row in one.cells)
    assert len(one.shades) <= PICTURE_ROWS
    assert all(len(row) <= PICTURE_COLUMNS for row in one.shades)
    assert len(json.dumps(one.__dict__)) < 5000


@pytest.mark.parametrize("strange", [[[1], [2, 3]], [10**400], [{"a": 1}], {"a": [1]}, [[[[[1]]]]], "x" * 9999])
def test_strange_values_are_shown_as_text(strange: object) -> None:
    one = pair(strange, LINE)[0]
    assert not one.cells
    assert 0 < len(one.text) <= 400


def test_a_large_array_is_a_picture() -> None:
    expected = np.arange(4000.0).reshape(40, 100)
    found = expected.copy()
    found[39, 99] = np.nan
    one, other = pair(found, expected)
    assert (len(one.shades), len(one.shades[0])) == (PICTURE_ROWS, PICTURE_COLUMNS)
    assert one.shades[0][0] == "0"
    assert other.shades[-1][-1] == "9"
    assert "".join(one.differs).count("x") == 1
    assert one.differs[-1][-1] == "x"
    assert one.scale == ("0", "3999")


# causes


def check(title: str, credit: float = 0.0, **parts: Any) -> CheckResult:
    finding = Finding(**({"problem": title} | parts))
    return CheckResult(title, 1, credit, finding.sentences, None, finding)


def test_failures_of_one_cause_are_told_once() -> None:
    checks = (
        check("a", kind="nothing", call="f(1, 2, 3)"),
        check("b", kind="nothing", call="f(1)"),
        check("c", kind="mistake: swapped", mistake="swapped", step="Turn it."),
        check("d", kind="step: Turn it.", step="Turn it."),
        check("e", credit=1.0, kind="nothing"),
        check("f", kind="step: Look.", step="Look."),
    )
    found = {cause.finding.problem: [one.title for one in cause.checks] for cause in causes(checks)}
    assert found == {"a": ["a", "b"], "c": ["c", "d"], "f": ["f"]}
    sentences = causes(checks)[0].sentences
    assert sentences.count("f(1") == 1
    assert "too: “b”." in sentences


def test_the_smallest_call_is_the_one_that_is_told() -> None:
    small, large = pair(LINE, LINE + 2)[1], pair(np.ones((9, 9)), np.zeros((9, 9)))[1]
    checks = (
        check("large", kind="k", expected=large, call="f()"),
        check("small", kind="k", expected=small, call="g()"),
    )
    assert causes(checks)[0].finding.problem == "small"


# the page


def failed(text: str = "wrong", **record: Any) -> Result:
    """A result with a table and a picture in it."""
    table, picture = pair(TABLE, TABLE + 1), pair(np.eye(20), np.zeros((20, 20)))
    checks = (
        CheckResult("passed well", 1, 1.0, ""),
        check(
            text, kind="a", call=text, what=text, found=table[0], expected=table[1], mistake=text, step=text, read=text
        ),
        check("second", kind="a", problem="another call", call="f(2)"),
        check("third", kind="b", found=picture[0], expected=picture[1]),
    )
    exercise = ExerciseResult("normalize", "partial", 0.75, 3.0, "message", None, checks)
    base = result()
    return Result("ada", base.assignment, 0.75, 3.0, (exercise,), base.record | record)


def text_of(level: page.Level, one: Result) -> str:
    return " ".join(read(page.feedback(one, level)).text.split())


def test_a_finding_is_laid_out() -> None:
    html = page.feedback(failed("`x` is wrong"))
    text = " ".join(read(html).text.split())
    for part in ("Called", "Came back", "Expected", "Likely mistake", "Next step", "Read again", "× differs"):
        assert part in text
    assert html.count('class="differs"') == TABLE.size
    assert html.count('class="wanted"') == TABLE.size
    assert text.count("≠") == TABLE.size, "not by colour alone"
    assert text.count("×") == 20 + 1
    assert "<code>x</code> is wrong" in html
    assert "&lt;" not in html


@pytest.mark.parametrize("level", page.LEVELS)
def test_every_level_escapes_everything(level: page.Level) -> None:
    tags = read(page.feedback(failed(EVIL, seed=EVIL), level))
    assert tags.active == []
    assert "<script>alert(1)</script>" in tags.text
    assert "\x1b" not in tags.text
    assert "\u202e" not in tags.text
    assert "{{ 7 * 7 }}" in tags.text


def test_each_level_tells_more() -> None:
    graded = failed(seed=987654321, timings={"execute": 31.25})
    now, after, staff = (text_of(level, graded) for level in page.LEVELS)
    for text in (now, after, staff):
        assert "The same mistake probably also causes ✗ second" in text
        assert "1 of 4 checks passed" in text
    assert "another call" not in now
    assert "passed well" not in now
    for text in (after, staff):
        assert "✓ passed well 1 of 4 shares" in text
        assert "another call" in text
    for text in (now, after):
        assert "987654321" not in text
        assert "31.25" not in text
    assert re.search(r"seed\s*987654321", staff)
    assert re.search(r"timings execute\s*31.25", staff)


def test_another_level_needs_no_other_grading(tmp_path: Path) -> None:
    submissions = [Submission(tmp_path, "ada", "03_numeric_data")]
    kept = failed()
    Results(tmp_path, submissions).keep(0, kept)
    feedback = tmp_path / "ada" / "03_numeric_data" / "feedback.html"
    assert feedback.read_text(encoding="utf-8") == page.feedback(kept, "now")
    for level in page.LEVELS:
        results = Results(tmp_path, submissions, level)
        found = results.earlier(0)
        assert found == kept
        results.show(0, found)
        assert feedback.read_text(encoding="utf-8") == page.feedback(kept, level)


def test_a_finding_survives_being_written_and_read() -> None:
    whole = failed()
    assert Result.from_dict(json.loads(whole.to_json())) == whole


def test_the_terminal_shows_it_too() -> None:
    import io

    from rich.console import Console

    console = Console(width=100, record=True, file=io.StringIO())
    terminal.details(console, failed(EVIL))
    text = console.export_text()
    assert "[red]{{ 7 * 7 }}" in text
    assert "\x1b" not in text
    assert re.search(r"came back +0 +≠", text)
    assert "also causes" in text


def test_a_changed_answer_meets_other_inputs(grade: Grader) -> None:
    """What the feedback has shown cannot be answered by heart; the same answer meets the same inputs again."""
    answer = "import numpy as np\ndef normalize(train, test, feature_range=(0, 1)):\n    return train, test, None\n"
    calls = []
    for text in (answer, answer, f"{answer}# again\n", f"{answer}again = 1\n"):
        graded = grade(lean(only("03_numeric_data", normalize=text)), "03_numeric_data")
        checks = next(one for one in graded.result.exercises if one.id == "normalize").checks
        calls.append({one.title: one.finding.call for one in checks if one.finding})
    assert calls[0] == calls[1]
    drawn = "The function uses `feature_range`."
    assert len({one[drawn] for one in calls[1:]}) == 3, "a comment is code as well: it can be read"
