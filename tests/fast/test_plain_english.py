"""Most readers are not native speakers: lessons, messages and documents do not use these words."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.submissions import COURSE

# What we do not write, and what we write instead.
INSTEAD = {
    r"anew": "again",
    r"whose turn": "what to do",
    r"as of": "from",
    r"for ever": "without end",
    r"by heart": "memorise",
    r"and the like": "such as, before the examples",
    r"of such": "of these",
    r"lies(?! about)|lying": "is",
    r"whoever": "if you, or everyone who",
    r"nothing but": "only",
    r"all but": "all except",
    r"be it": "even if",
    r"hence|thus": "so",
    r"shall": "should, or will",
    r"in its turn": "then",
    r"is no failure": "is not a failure",
    r"takes no other": "does not affect another",
}
WORDS = re.compile(rf"\b(?:{'|'.join(INSTEAD)})\b")


def texts(path: Path) -> Iterator[str]:
    """What people read in a file: a notebook's Markdown, a module's docstrings and messages, a whole document."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        yield from ("".join(one["source"]) for one in json.loads(text)["cells"] if one["cell_type"] == "markdown")
    elif path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
    else:
        yield text


def found(text: str) -> list[str]:
    return [match.group() for match in WORDS.finditer(" ".join(text.split()))]


def read() -> list[Path]:
    """The files that people read, as git knows them."""
    wanted = ("*.md", "source/*.ipynb", "autograder/*.py", "autograder/*.html")
    listed = subprocess.run(
        ["git", "ls-files", "-z", *wanted], cwd=COURSE.root, capture_output=True, text=True, check=True
    )
    return [Path(name) for name in listed.stdout.split("\0") if name and (COURSE.root / name).is_file()]


def test_the_words_are_seen() -> None:
    assert found("It is made\nanew, by\n  heart.") == ["anew", "by heart"]
    assert not found("Heart of the City, again, with renewed allies.")


@pytest.mark.parametrize("path", read(), ids=str)
def test_plain_words(path: Path) -> None:
    words = sorted({word for text in texts(COURSE.root / path) for word in found(text)})
    assert not words, f"{path} has {', '.join(words)}; tests/fast/test_plain_english.py says what to write instead."
