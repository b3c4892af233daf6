"""Pictures are drawn from numbers alone: the same each time, small, and nothing in them can run or be fetched."""

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from helpers.results import EVIL, PICTURES, pictured, read

from autograder.report import page, plots
from autograder.result import MOST_CLASSES, MOST_LINES, MOST_POINTS, Picture, Result


def parts(text: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(text).iter())


@pytest.mark.parametrize("picture", PICTURES, ids=lambda one: one.title)
def test_a_drawing_holds_what_is_allowed(picture: Picture) -> None:
    text = plots.svg(picture, "one")
    assert len(text) < 50_000
    assert {one.tag for one in parts(text)} <= {"svg", "g", "path", "text", "use", "defs", "clipPath", "rect"}
    assert not re.search(
        r"<(script|image|a|style|foreignObject)\b|\son\w+=|url\((?!#one-)|href=\"(?!#one-)|https?:", text
    )
    assert not re.search(r"#[0-9a-f]{6}\b", text), "all colours are the style sheet's"
    assert parts(text)[0].attrib["role"] == "img"
    for name in picture.names:
        assert any((one.text or "") == name for one in parts(text)), name


def test_the_style_sheet_has_all_colours() -> None:
    html = page.feedback(pictured())
    for name in plots.COLOURS.values():
        assert len(re.findall(rf"--{name}: #", html)) == 2, "by day and by night"


def test_it_is_the_same_each_time_and_ids_are_its_own() -> None:
    """A page that is made again is not another one; two pictures of a page do not share ids."""
    assert page.feedback(pictured()) == page.feedback(pictured())
    ids = re.findall(r'\bid="([^"]+)"', page.feedback(pictured()))
    assert len(ids) == len({*ids})
    assert len(ids) > 10


def test_the_largest_is_drawn() -> None:
    lines = tuple(
        tuple(1e9 * (-1) ** (place * (line + 1)) / 3 for place in range(MOST_POINTS)) for line in range(MOST_LINES)
    )
    curve = Picture("learning curve", "t", "s", ("a", "b", "c", "d"), lines, "x", "y")
    matrix = Picture("confusion matrix", "t", "s", tuple("abcdefghijkl"), ((10**9,) * 12,) * 12, "x", "y")
    assert max(len(plots.svg(one, "one")) for one in (curve, matrix)) < plots.MOST_BYTES


@pytest.mark.parametrize("values", [((None, None),), ((0.0, 0.0),), ((1.0,),), ((-1e9, None, 1e9),)], ids=repr)
def test_odd_lines_are_drawn(values: Any) -> None:
    assert "<svg" in plots.svg(Picture("forecast", "t", "s", ("a",), values, "x", "y"), "one")


def test_a_matrix_without_answers_is_drawn() -> None:
    assert "<svg" in plots.svg(Picture("confusion matrix", "t", "s", ("a", "b"), ((0, 0), (0, 0)), "x", "y"), "one")


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "another"},
        {"names": ()},
        {"values": ((1.0, 2.0),)},
        {"values": ((1.0,), (1.0, 2.0))},
        {"values": ((), ())},
        {"values": ((1.0, float("nan")), (1.0, 2.0))},
        {"values": ((1.0, float("inf")), (1.0, 2.0))},
        {"values": ((1.0, 1e10), (1.0, 2.0))},
        {"values": ((1.0, "<script>"), (1.0, 2.0))},
        {"values": ((1.0, True), (1.0, 2.0))},
        {"values": ((1.0,) * (MOST_POINTS + 1),) * 2},
        {"names": ("a",) * (MOST_LINES + 1), "values": ((1.0,),) * (MOST_LINES + 1)},
        {"kind": "confusion matrix", "values": ((1, 2), (3, None))},
        {"kind": "confusion matrix", "values": ((1, 2, 3), (3, 4, 5))},
        {"kind": "confusion matrix", "names": ("a",) * (MOST_CLASSES + 1), "values": ((1,) * 13,) * 13},
        {"step": 0},
        {"title": 3},
    ],
    ids=lambda one: json.dumps(one, default=str)[:50],
)
def test_what_is_no_picture_is_refused(changes: dict[str, Any]) -> None:
    good: dict[str, Any] = {"kind": "forecast", "title": "t", "says": "s", "names": ("a", "b"),
                            "values": ((1.0, 2.0), (1.0, None)), "across": "x", "up": "y"}  # fmt: skip
    Picture(**good)
    with pytest.raises(TypeError, match="no picture"):
        Picture(**(good | changes))


def test_words_that_somebody_has_put_into_a_result_are_escaped() -> None:
    evil = Picture("learning curve", EVIL, EVIL, (EVIL, "b"), ((1.0, 2.0), (2.0, 1.0)), EVIL, EVIL)
    tags = read(page.feedback(pictured(evil)))
    assert tags.active == []
    assert "\u202e" not in tags.text


def test_pictures_survive_being_written_and_read() -> None:
    whole = pictured()
    assert Result.from_dict(json.loads(whole.to_json())) == whole
    older = json.loads(whole.to_json())
    del older["exercises"][0]["checks"][0]["pictures"]
    assert Result.from_dict(older).exercises[0].checks[0].pictures == ()


def test_each_picture_has_words_and_numbers_beside_it() -> None:
    text = "".join(read(page.feedback(pictured())).text.split())
    assert "In5epochs...fit." in text
    assert "epochtrainingvalidation12.42.3" in text
    assert "30.7nonumber" in text
    assert "truerun↓answer→noringitrangnoring30007" in text
