"""Which of the hidden checks' code belongs to an exercise."""

import ast

import pytest
from helpers.submissions import COURSE

from autograder.submission.checks_text import checks_of


@pytest.mark.parametrize("name", COURSE.names)
def test_every_exercise_has_checks_of_its_own(name: str) -> None:
    assignment = COURSE.assignment(name)
    texts = [checks_of(assignment, exercise.id) for exercise in assignment.exercises]
    for exercise, text in zip(assignment.exercises, texts, strict=True):
        assert f"@exercise('{exercise.id}'" in text
        ast.parse(text)
    assert len(set(texts)) == len(texts)
