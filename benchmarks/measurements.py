"""Train what the thresholds of trained models are about, and measure it as a grading does.

Run by `thresholds.py`, which sets the environment of the box, but for the number of threads. Each model is made by the
lesson's own cells, taken from `source/`, with a seed of its own, rebuilt in NumPy, and judged by the hidden check's own
function on inputs drawn anew. Each measurement is written to `thresholds.csv` as it is made, so that an interrupted run
goes on where it was. A measurement belongs to the code that it was made with: where a lesson's code changes, its
measurements are made anew.
"""

import ast
import contextlib
import csv
import functools
import hashlib
import os
import time
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import typer

from autograder.authoring.local_run import loaded, stored
from autograder.authoring.partial_credit import checks_of
from autograder.authoring.release import reference
from autograder.course import Course
from autograder.examination.inference import rebuild

HERE: Final = Path(__file__).resolve().parent
FILE: Final = HERE / "thresholds.csv"
MODELS: Final = HERE / "thresholds.toml"
REFERENCE: Final = "reference"


@dataclass(frozen=True)
class Model:
    """Something to train: the answer cell `code`, once for each of `seeds` with each number of `threads`."""

    lesson: str
    name: str
    kind: str
    seeds: int
    code: str
    threads: tuple[int, ...] = (1,)


@dataclass(frozen=True)
class Measurement:
    """What a trained model came to.

    `epochs` is that from whose end on a reference of lesson 08 or 09 would have earned all points whenever it had
    stopped; one more than there are if it never would.
    """

    lesson: str
    model: str
    threads: int
    seed: int
    value: float
    epochs: int
    seconds: float
    code: str  # a digest of what it was made with


# The exercise that each lesson's model is, and the runs of its reference with one thread and with two.
EXERCISES: Final = {
    "08_shapes_batches_state": ("state-carries", 60, 30),
    "09_echo": ("trained-model", 60, 30),
    "10_deep_forecaster": ("trained-model", 30, 30),
}


def models(course: Course) -> Iterator[Model]:
    """The references with one thread and two, and those of `thresholds.toml`."""
    for threads in (1, 2):
        for lesson, (exercise, *seeds) in EXERCISES.items():
            code = dict(cells(course, lesson))[exercise]
            yield Model(lesson, REFERENCE, REFERENCE, seeds[threads - 1], code, (threads,))
    for one in tomllib.loads(MODELS.read_text(encoding="utf-8"))["model"]:
        yield Model(**one)


@functools.cache
def cells(course: Course, lesson: str) -> list[tuple[str, str]]:
    """The cells that the reference needs, by name: the locked ones and the answers, no checks, no experiments."""
    book = reference(course.root / "source" / lesson / f"{lesson}.ipynb")
    return [
        (cell["id"], "".join(cell["source"]))
        for cell in book["cells"]
        if "nbgrader" in cell["metadata"] and not cell["metadata"]["nbgrader"]["grade"] and cell["id"] != "parameters"
    ]


def digest(course: Course, model: Model) -> str:
    """Of the code that makes the model, as far as it is needed, comments and docstrings left out."""
    texts = [text for name, text in cells(course, model.lesson) if name != EXERCISES[model.lesson][0]]
    needed: list[str] = []
    wanted, known = loaded(model.code), set[str]()
    while wanted:
        known |= wanted
        more = [text for text in texts if text not in needed and stored(text) & wanted]
        needed += more
        wanted = {name for text in more for name in loaded(text)} - known
    code = [text for text in texts if text in needed]  # in the lesson's order
    return hashlib.sha256("\n".join(map(bare, [*code, model.code])).encode()).hexdigest()[:12]


def bare(code: str) -> str:
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def read() -> list[Measurement]:
    """What is in the file."""
    if not FILE.is_file():
        return []
    with FILE.open(encoding="utf-8", newline="") as file:
        kinds = {field.name: {"int": int, "float": float}.get(str(getattr(field.type, "__name__", "")), str)
                 for field in fields(Measurement)}  # fmt: skip
        rows = csv.DictReader(file)
        return [Measurement(**{name: kinds[name](value) for name, value in row.items()}) for row in rows]


def write(found: list[Measurement]) -> None:
    order = {lesson: place for place, lesson in enumerate(EXERCISES)}
    found = sorted(found, key=lambda one: (order[one.lesson], one.model, one.threads, one.seed))
    part = FILE.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Measurement)], lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(one) for one in found)
    part.replace(FILE)


def lesson_until(course: Course, lesson: str, last: str) -> dict[str, Any]:
    """The lesson's variables before the cell `last`."""
    os.chdir(course.root / "source" / lesson)  # where its data lie
    space: dict[str, Any] = {"__name__": "__main__", "SEED": 0}
    for name, text in cells(course, lesson):
        if name == last:
            break
        exec(compile(text, f"<{name}>", "exec"), space)
    return space


@dataclass(frozen=True)
class Trained:
    """The variables after an answer cell, the weights after each of its epochs, and its seconds of processor time."""

    space: dict[str, Any]
    history: list[list[Any]]
    seconds: float


def train(model: Model, space: dict[str, Any], seed: int) -> Trained:
    space = {**space, "SEED": seed}
    with watched(space["keras"]) as history:
        started = time.process_time()
        exec(compile(model.code, f"<{model.name}>", "exec"), space)
        seconds = time.process_time() - started
    space["plt"].close("all")
    return Trained(space, history, seconds)


@contextlib.contextmanager
def watched(keras: ModuleType) -> Iterator[list[list[Any]]]:
    """Collects the weights after each epoch of what is fitted meanwhile."""
    fit, history = keras.Model.fit, []

    def watching(model: Any, *given: Any, callbacks: Any = None, **options: Any) -> Any:
        watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: history.append(model.get_weights()))
        return fit(model, *given, callbacks=[*(callbacks or []), watch], **options)

    keras.Model.fit = watching
    try:
        yield history
    finally:
        keras.Model.fit = fit


def epochs_needed(model: Model, checks: ModuleType, trained: Trained, seed: int) -> int:
    """The epoch from whose end on all points are earned."""
    keras_model = trained.space["model"]
    for before in range(len(trained.history), 0, -1):
        keras_model.set_weights(trained.history[before - 1])
        if checks.CURVE.credit(judge(model, checks, keras_model, seed)) < 1:
            return before + 1
    return 1


def judge(model: Model, checks: ModuleType, keras_model: Any, seed: int) -> float:
    """The metric by the hidden check's own function."""
    judged: Any = Flat(keras_model)
    if hasattr(keras_model, "to_json"):
        weights = {layer.name: layer.get_weights() for layer in keras_model.layers}
        judged = rebuild(keras_model.to_json(), weights, stateful=model.lesson.startswith("08"))
    if model.lesson.startswith("10"):
        return float(checks.judged(judged, held_out(checks, model)))
    return float(checks.judged(judged, np.random.default_rng([seed, 1]))[0])


@dataclass(frozen=True)
class Flat:
    """A model that takes windows as rows of numbers."""

    model: Any

    def predict(self, X: Any) -> Any:
        return self.model.predict(np.reshape(X, (len(X), -1)))


@functools.cache
def held_out(checks: ModuleType, model: Model) -> Any:
    """The months that a model of lesson 10 is judged on, after the recipe that its code writes down."""
    for node in ast.parse(model.code).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "recipe":
            recipe = ast.literal_eval(node.value)
            scaling = recipe.get("scaling", "standardize")
            asked = checks.Recipe(recipe["timesteps"], recipe["difference"], tuple(recipe["features"]), scaling)
            return checks.held_out(asked, scaling)
    raise LookupError(f"{model.name} has no recipe")


def measure(only: str = "", seeds: int = 1000) -> None:
    """Train what is still missing, with the threads that the environment sets: of lessons with `only` in their name."""
    threads = int(os.environ["TF_NUM_INTRAOP_THREADS"])
    course = Course.find(HERE)
    wanted = list(models(course))
    codes = {(one.lesson, one.name): digest(course, one) for one in wanted}
    found = [one for one in read() if codes.get((one.lesson, one.model)) == one.code]
    done = {(one.lesson, one.model, one.threads, one.seed) for one in found}
    for lesson, (exercise, *_) in EXERCISES.items():
        missing = [
            (model, seed)
            for model in wanted
            if model.lesson == lesson and threads in model.threads and only in lesson
            for seed in range(min(model.seeds, seeds))
            if (lesson, model.name, threads, seed) not in done
        ]
        if not missing:
            continue
        space, checks = lesson_until(course, lesson, exercise), checks_of(lesson)
        for number, (model, seed) in enumerate(missing, 1):
            trained = train(model, space, seed)
            value = judge(model, checks, trained.space["model"], seed)
            at_ceiling = model.name == REFERENCE and not lesson.startswith("10")
            epochs = epochs_needed(model, checks, trained, seed) if at_ceiling else 0
            made = round(value, 6), epochs, round(trained.seconds, 1), codes[lesson, model.name]
            found.append(Measurement(lesson, model.name, threads, seed, *made))
            write(found)
            space["keras"].backend.clear_session()
            print(f"{number} of {len(missing)}: {lesson}, {model.name}, seed {seed}, threads {threads}: {value:.4f}",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    typer.run(measure)
