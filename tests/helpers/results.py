"""Results with text that no page may run, and a reader of pages."""

from html.parser import HTMLParser

from autograder.result import CheckResult, ExerciseResult, Result

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
