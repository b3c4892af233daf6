"""The mutants of a solution cell: which there are, and which there are not."""

import pytest

from autograder.authoring.mutants import mutants


def changes(*lines: str, head: str = "def f(train, test):") -> set[tuple[str, str]]:
    """What becomes of which line, for a function with these lines between the markers."""
    body = "\n".join(f"    {line}" for line in ("### BEGIN SOLUTION", *lines, "### END SOLUTION"))
    return {(one.before, one.after) for one in mutants("f", f"{head}\n{body}\n")}


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("return len(train) - 1", "return len(train) + 1"),
        ("return len(train) - 1", "return len(train) - 0"),
        ("return train.mean(axis=0)", "return train.mean(axis= 1)"),
        ("return train.mean(axis=0)", "return train.mean()"),
        ("return train.mean(axis=0)", "return train.sum(axis=0)"),
        ("return train[::-1]", "return train"),
        ("return train.copy()", "return train"),
        ("return train", "return test"),
        ('return pad(train, side="pre")', 'return pad(train, side="post")'),
        ("return fit(train, shuffle=False)", "return fit(train, shuffle=True)"),
        ("return fit(train, shuffle=False)", "return fit(train)"),
        ("return train < test", "return train <= test"),
        ("return not train", "return  train"),
    ],
)
def test_mistakes_that_are_made(line: str, after: str) -> None:
    assert (line, after) in changes(line)


def test_a_statement_is_left_out() -> None:
    assert ("raise ValueError(train)", "pass") in changes("if train:", "    raise ValueError(train)")


@pytest.mark.parametrize(
    "line", ['raise ValueError("no " + str(1 - train))', "print(1 - 2)", 'x: "pre" = None', 'f"{1 - 2}"']
)
def test_texts_and_annotations_stay(line: str) -> None:
    assert {after for _, after in changes(line)} <= {"pass", ""}


def test_nothing_outside_the_markers_is_changed() -> None:
    assert changes("pass", head='def f(train, test=1 - 2):\n    """1 - 2"""') == set()


def test_all_differ_and_come_in_one_order() -> None:
    source = "def f(a, b):\n    ### BEGIN SOLUTION\n    return a * b - a * b + 2 * a\n    ### END SOLUTION\n"
    found = [one.code for one in mutants("f", source)]
    assert len({*found}) == len(found) > 10
    assert found == [one.code for one in mutants("f", source)]
    assert not any("SOLUTION" in code for code in found)
