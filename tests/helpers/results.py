"""Results with text that no page may run, and a reader of pages."""

import math
from html.parser import HTMLParser

from autograder.result import CheckResult, ExerciseResult, Finding, Picture, Result

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J\u202e[red]{{ 7 * 7 }}"


def result(student: str = "ada", text: str = "fine", **changes: object) -> Result:
    exercises = (
        ExerciseResult("normalize", "earned", 3.0, 3.0, text, None, (CheckResult(text, 1, 1.0, ""),)),
        ExerciseResult("standardize", "partial", 1.5, 3.0, text, None, (CheckResult("b", 1, 0.0, text),)),
        ExerciseResult("invert", "could_not_be_graded", None, 2.0, text, "time"),
        ExerciseResult("which-scaler", "not_earned", 0.0, 2.0, text),
    )
    record = {"for_marks": True, "graded_at": "2026-01-01T00:00:00Z", "submission_sha256": "0" * 64}
    whole = {"score": 4.5, "max_score": 10.0, "exercises": exercises, "record": record, "notes": (text,)}
    return Result(student, "03_numeric_data", **(whole | changes))  # type: ignore[arg-type]


LOSSES = ((2.4, 1.2, 0.7, 0.4, 0.3), (2.3, 1.1, None, 0.6, 0.9))
WEEK = tuple(
    tuple(round(300 + 250 * math.sin(hour / 24 * 2 * math.pi) + noise * (hour * 37 % 11), 1) for hour in range(168))
    for noise in (0, 5, -9)
)
ECHOES = tuple(tuple(390 if row == column else (row * 7 + column * 3) % 5 for column in range(10)) for row in range(10))
PICTURES = (
    Picture(
        "learning curve",
        "Learning curve",
        "In 5 epochs ... `fit`.",
        ("training", "validation"),
        LOSSES,
        "epoch",
        "loss",
    ),
    Picture("forecast", "Forecast and truth", "A week.", ("counted", "your model", "last week"), WEEK, "day", "people"),
    Picture(
        "confusion matrix", "Right and wrong answers", "Rows.", tuple("0123456789"), ECHOES, "answer", "true digit"
    ),
    Picture(
        "confusion matrix", "Its answers", "Rows.", ("no ring", "it rang"), ((3000, 7), (0, 2993)), "answer", "true run"
    ),
)


def pictured(*pictures: Picture) -> Result:
    """With a trained model's pictures."""
    found = Finding("Accuracy 0.600 on 4,000 sequences.", step="Train for longer.", read="Why?")
    check = CheckResult("The trained model echoes", 1, 0.6, "Accuracy 0.600.", None, found, pictures or PICTURES)
    return result(exercises=(ExerciseResult("trained-model", "partial", 3.1, 6.0, "Accuracy 0.600.", None, (check,)),))


class Tags(HTMLParser):
    """The page's elements, and those of them that could run something."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.active: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.active += [tag] if tag in {"script", "img", "iframe", "object", "link", "base", "form"} else []
        self.active += [name for name, _ in attrs if name.startswith("on")]
        self.active += [str(value) for name, value in attrs if name == "href" and "script:" in str(value)]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    return tags
