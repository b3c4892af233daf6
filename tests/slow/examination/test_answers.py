"""The hidden checks against a corpus of answers: right ones that differ from the reference, and mistakes.

`answers/ASSIGNMENT.toml` lists them. A correct answer that loses points is a false alarm; a wrong one that
earns all of them is a mistake that goes unseen. Both fail here, by name.

`told` is a phrase of the misconception that the feedback must recognise in a wrong answer, or a list of them. What is
`told` of any answer to an exercise may be told of no other answer to it, unless that one says so too: a misconception
on evidence that a right answer, or another mistake, shows as well would send a student the wrong way.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

import pandas as pd
import pytest
from helpers.grader import EVERYTHING, SEED
from helpers.submissions import COURSE, solved, source

from autograder.authoring import local_run
from autograder.authoring.corpus import Sample, corpus
from autograder.authoring.local_run import Trial
from autograder.batch.pool import Job, Pool
from autograder.report import page
from autograder.result import Result
from autograder.submission.checks_text import names_asked

CORPORA = {name: corpus(COURSE, name) for name in COURSE.names}
# Of the wrong answers of lessons that train networks every third; `autograder assess` tries them all.
CASES = [
    pytest.param(name, sample, id=f"{name}-{sample.exercise}-{sample.verdict}-{sample.name}")
    for name, found in CORPORA.items()
    for number, sample in enumerate(found.samples)
    if EVERYTHING or name < "08" or sample.verdict == "correct" or number % 3 == 0
]


TOLD: dict[tuple[str, str], set[str]] = {}
for _name, _found in CORPORA.items():
    for _sample in _found.samples:
        TOLD.setdefault((_name, _sample.exercise), set()).update(_sample.told)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """A process that imports what notebooks import once, for many answers."""
    with Pool(1, local_run.prepare) as pool:
        yield pool


def _job(assignment: str, sample: Sample, seeds: tuple[int, ...]) -> Job:
    return Job(None, local_run.attempt, (COURSE.root, assignment, sample.exercise, sample.code, seeds), seconds=120)


@pytest.mark.parametrize(("assignment", "sample"), CASES)
def test_an_answer_gets_what_it_deserves(assignment: str, sample: Sample, pool: Pool) -> None:
    # What a trained model, or a guess, earns depends on the samples drawn; nothing else may. `autograder assess` asks
    # with a second seed, too.
    seeds = (SEED,) if sample.by_chance or not EVERYTHING else (SEED, SEED + 1)
    _, tried = next(pool.do([_job(assignment, sample, seeds)]))
    assert isinstance(tried, Trial), tried
    found = tried.results[0]
    assert {one.points for one in tried.results} == {found.points}, "the mark depends on the seed of the hidden inputs"
    assert found.outcome != "could_not_be_graded", found.message
    assert (found.outcome == "earned") == (sample.verdict == "correct"), found.message
    assert len(found.message) > 10
    mistakes = {check.finding.mistake for check in found.checks if check.finding}
    recognised = {phrase for phrase in TOLD[assignment, sample.exercise] if any(phrase in one for one in mistakes)}
    assert recognised == sample.told, mistakes
    if sample.verdict == "correct":
        assert not mistakes - {""}
        assert not tried.visible, "the visible check refuses what the hidden ones accept"


def test_the_held_out_year_is_on_no_page(pool: Pool) -> None:
    """No two counts that follow each other in it follow each other on a page, at any level."""
    path = COURSE.assignment("10_deep_forecaster").checks.with_suffix(".csv.gz")
    table = pd.read_csv(path, parse_dates=["time"], index_col="time")
    year = table[table.index >= "2025-01-01"]
    hidden = {pair for name in year for pair in pairwise(year[name].dropna().astype(int).astype(str))}
    assert len(hidden) > 5000
    answers = [one for one in CORPORA["10_deep_forecaster"].samples if one.exercise == "trained-model"]
    worst = next(one for one in answers if one.verdict == "wrong")
    _, tried = next(pool.do([_job("10_deep_forecaster", worst, (SEED,))]))
    assert isinstance(tried, Trial), tried
    (found,) = tried.results
    record = {"for_marks": True, "graded_at": "", "submission_sha256": None}
    result = Result("ada", "10_deep_forecaster", 0.0, 1.0, (found,), record)
    for level in page.LEVELS:
        html = page.feedback(result, level)
        assert found.checks[0].title in html or level == "now"
        assert not {*pairwise(re.findall(r"\d+", html))} & {pair for pair in hidden if min(map(len, pair)) > 2}


@pytest.mark.parametrize("assignment", COURSE.names)
def test_no_exercise_hangs_on_another(assignment: str, pool: Pool) -> None:
    """A wrong answer costs the points of its own exercise: what others are marked by looks up nothing that it defines.

    So it is with the reference, and with the checks; `autograder assess` measures it for every wrong answer.
    """
    defined = {
        one.id: local_run.stored(source(solved(assignment), one.id)) for one in COURSE.assignment(assignment).exercises
    }
    jobs = [Job(one, local_run.needs, (COURSE.root, assignment, one, SEED), seconds=120) for one in defined]
    for job, (result, asked, names) in pool.do(jobs):
        assert result.outcome == "earned", result.message
        # The cells that an exercise depends on follow from what its checks' code says that they ask for.
        assert asked
        assert asked <= names_asked(COURSE.assignment(assignment), [job.tag])
        others = {other: names & its for other, its in defined.items() if other != job.tag and names & its}
        assert not others or job.tag in CORPORA[assignment].builds_on_others, f"{job.tag} looks these up: {others}"
