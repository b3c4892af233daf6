"""The evidence for the curves along which trained models earn points, by one command.

    python benchmarks/thresholds.py                      # trains what thresholds.csv lacks; all of it takes an hour
    python benchmarks/thresholds.py --from-measurements  # trains nothing

Both write `thresholds.md` and `thresholds.png` from `thresholds.csv` and the curves of the hidden checks.
`measurements.py` does the training, in a process of its own for each number of threads, and `thresholds.toml` lists
the models beside the references.
"""

import functools
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent))

import measurements
import numpy as np
import typer
from measurements import EXERCISES, REFERENCE, Measurement, Model
from scipy import stats

from autograder.authoring.partial_credit import checks_of
from autograder.boxed.reproducible import ONE_THREAD, REPRODUCIBLE
from autograder.course import Course

HERE: Final = Path(__file__).resolve().parent
PAGE: Final = HERE / "thresholds.md"
PLOT: Final = HERE / "thresholds.png"
SURE: Final = 0.95
WANTED: Final = 0.001
ENOUGH: Final = 30  # runs, to say something of a rate

BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#777777"
COLOURS: Final = {"weak": GREEN, "nothing": RED, "other": PURPLE}


@dataclass(frozen=True)
class Estimate:
    """How often runs like these miss a limit: by count, and by a normal distribution of what is modelled."""

    runs: int
    missed: int
    bound: float  # of the rate, from the counts alone
    mean: float
    deviation: float
    distance: float  # of the limit from the mean, in deviations
    rate: float
    rate_bound: float  # by bootstrap


def estimate(values: Sequence[float], limit: float, missed: int) -> Estimate:
    """`values` should stay below `limit`."""
    found = np.asarray(values, dtype=float)
    n = len(found)
    bound = 1.0 if missed == n else float(stats.beta.ppf(SURE, missed + 1, n - missed))
    again = np.random.default_rng(0).choice(found, (2000, n))
    rates = [float(rate) for rate in next_misses(again, limit)]
    rate = float(next_misses(found[np.newaxis], limit)[0])
    mean, deviation = float(found.mean()), float(found.std(ddof=1))
    distance = (limit - mean) / deviation
    return Estimate(n, missed, bound, mean, deviation, distance, rate, float(np.quantile(rates, SURE)))


def next_misses(samples: Any, limit: float) -> Any:
    """For each row, the chance that one more draw from its normal distribution, of which it is all we know, misses."""
    n = samples.shape[1]
    deviation = np.maximum(samples.std(axis=1, ddof=1), 1e-9) * np.sqrt(1 + 1 / n)
    return stats.t.sf((limit - samples.mean(axis=1)) / deviation, n - 1)


@dataclass(frozen=True)
class Lesson:
    """What the page says about one lesson; `baselines` gives values of the metric that cost nothing."""

    name: str
    metric: str
    baselines: Callable[[ModuleType], dict[str, float]]
    epochs: int  # of the reference
    note: str = ""

    @property
    def exercise(self) -> str:
        return EXERCISES[self.name][0]

    def credits(self, checks: ModuleType, model: Model, runs: list[Measurement]) -> list[float]:
        """By the check's own curve."""
        if self.epochs:
            return [float(checks.CURVE.credit(one.value)) for one in runs]
        held = measurements.held_out(checks, model)
        return [float(checks.credit_of(one.value, held.nothing, held.best)) for one in runs]

    def limit(self, checks: ModuleType, model: Model) -> float:
        """Of what is modelled: all points are earned below it."""
        return float(np.log(self.epochs) if self.epochs else checks.GOAL * measurements.held_out(checks, model).best)

    def estimate(self, checks: ModuleType, model: Model, runs: list[Measurement]) -> Estimate:
        values = [float(np.log(one.epochs)) if self.epochs else one.value for one in runs]
        missed = sum(credit < 1 for credit in self.credits(checks, model, runs))
        return estimate(values, self.limit(checks, model), missed)


def memoryless(checks: ModuleType) -> dict[str, float]:
    return {"without state, whatever it answers": 0.5}


def orderless(checks: ModuleType) -> dict[str, float]:
    digits = np.indices((checks.FEATURES,) * checks.TIMESTEPS).reshape(checks.TIMESTEPS, -1)
    counts = np.stack([(digits == digit).sum(axis=0) for digit in range(checks.FEATURES)])
    return {
        "guessing": 1 / checks.FEATURES,
        "the most frequent digit, whatever the order": float(counts.max(axis=0).mean() / checks.TIMESTEPS),
    }


def naive(checks: ModuleType) -> dict[str, float]:
    return dict(counted(checks).naive)


@functools.cache
def counted(checks: ModuleType) -> Any:
    """The held-out months for a recipe without a difference."""
    return checks.held_out(checks.Recipe(24, 0, ("quay", "hour", "day"), None), "standardize")


LESSONS: Final = (
    Lesson("08_shapes_batches_state", "accuracy in parts 2 to 4", memoryless, 50),
    Lesson("09_echo", "accuracy", orderless, 8),
    Lesson(
        "10_deep_forecaster",
        "RMSE in people per hour",
        naive,
        0,
        """
RMSE over the next 12 hours at 45 Queen Street, Auckland, from every fifth hour of February to December 2025.
All that learns has learned from January 2023 to May 2024.
The lesson argues for its recipe from the validation part, May to September 2024; but its authors saw held-out errors
of other settings while writing it, so that for the reference this is no blind test.
Who forecasts best?
On the reference's own inputs a linear model and gradient boosting do better than the network, and a linear model of
lags, calendar and last week about as well: what makes the difference are the inputs, as the lesson says.
`a linear model` among the baselines has the last 24 counts, the hour and the weekday.
""",
    ),
)


def main(from_measurements: bool = False) -> None:
    """Train what is missing, and write the page and the plot."""
    if not from_measurements:
        for threads in (1, 2):
            number = dict.fromkeys(ONE_THREAD, str(threads))
            environment = {**os.environ, **REPRODUCIBLE, **number, "MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3"}
            subprocess.run([sys.executable, str(HERE / "measurements.py")], env=environment, check=True)
    course, found = Course.find(HERE), measurements.read()
    PAGE.write_text(as_markdown(course, found), encoding="utf-8")
    draw(course, found)


def groups(course: Course, lesson: Lesson, found: Iterable[Measurement]) -> list[tuple[Model, int, list[Measurement]]]:
    """The lesson's models with their numbers of threads and their measurements, in the order of the lists."""
    sorted_out: dict[tuple[str, int], list[Measurement]] = {}
    for one in found:
        if one.lesson == lesson.name:
            sorted_out.setdefault((one.model, one.threads), []).append(one)
    order = {"reference": 0, "weak": 1, "nothing": 2, "other": 3}
    wanted = [one for one in measurements.models(course) if one.lesson == lesson.name]
    return [
        (model, threads, sorted_out[model.name, threads])
        for model in sorted(wanted, key=lambda one: order[one.kind])
        for threads in model.threads
        if (model.name, threads) in sorted_out
    ]


def references(
    course: Course, lesson: Lesson, found: Iterable[Measurement]
) -> list[tuple[Model, int, list[Measurement]]]:
    return [group for group in groups(course, lesson, found) if group[0].kind == REFERENCE]


# The page

HEAD: Final = """# The thresholds of trained models, and their evidence

Made by `benchmarks/thresholds.py` from `thresholds.csv` and the curves of the hidden checks; do not edit it.
{unfinished}
Each model is trained by the lesson's own cells with a seed of its own, in the environment of the box, with one thread
and with two.
It is then rebuilt in NumPy and judged by the hidden check's own function, on inputs drawn again for each seed, or on
months that no student has.
*Weak* models have learned honestly, but not enough: they should earn a part.
Models that learned *nothing* of what is asked should earn nothing.

![For each lesson the curve of its credit, and below it the measured models, a dot for each run](thresholds.png)

## How sure is the reference of all its points?

A false fail is a run of the reference that earns less than all points.
Counting alone says little: {fewest} runs without one only bound the rate by {bound:.1%} (Clopper and Pearson,
{sure:.0%}).
That it is below 1 in 1,000 rests on a distribution, so it is as good as that:

* **Lessons 08 and 09.** The accuracy sticks at 1.000, so that it tells nothing about a margin. What varies is how
  soon: the epoch from whose end on a run earns all points, wherever training stops. Its logarithm is taken as normal,
  and a run fails when it needs more epochs than the reference has. (Rounded up to whole ones, against the reference.)
* **Lesson 10.** The RMSE is taken as normal, and fails above {goal:.0%} of the best naive one.

Mean and deviation are not known but estimated, so the rate is the chance that *one more* run fails by Student's t; its
bound is the {sure:.0%} quantile over 2,000 bootstrap samples of the runs.

{sureness}

{verdict}

{same}
"""


def as_markdown(course: Course, found: list[Measurement]) -> str:
    """The whole page."""
    columns = (
        "lesson", "threads", "runs", "false fails", "bound by count", "modelled", "mean ± deviation", "limit",
        "deviations away", "estimated rate", "its bound",
    )  # fmt: skip
    rows, smallest, worst = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"], 10**9, 0.0
    for lesson in LESSONS:
        checks = checks_of(lesson.name)
        for model, threads, runs in references(course, lesson, found):
            if len(runs) < ENOUGH:
                continue
            one = lesson.estimate(checks, model, runs)
            smallest, worst = min(smallest, one.runs), max(worst, one.rate_bound)
            rows.append(sureness(lesson, threads, one, lesson.limit(checks, model)))
    head = HEAD.format(
        fewest=smallest,
        bound=1 - (1 - SURE) ** (1 / smallest),
        sure=SURE,
        goal=checks_of("10_deep_forecaster").GOAL,
        sureness="\n".join(rows),
        verdict=f"The worst of these bounds is {rate(worst)}: "
        + ("below 1 in 1,000." if worst < WANTED else "**not below 1 in 1,000.**"),
        same="\n".join(filter(None, (alike(course, lesson, found) for lesson in LESSONS))),
        unfinished=unfinished(course, found),
    )
    return head + "".join(section(course, lesson, found) for lesson in LESSONS) + FOOT


FOOT: Final = """
## Again

```
.venv/bin/python benchmarks/thresholds.py
.venv/bin/python benchmarks/thresholds.py --from-measurements
```

The first trains what `thresholds.csv` lacks, and what was measured with other code than the lessons have now; it goes
on where it was interrupted.
The second only writes this page and the plot.
"""


def sureness(lesson: Lesson, threads: int, one: Estimate, limit: float) -> str:
    if lesson.epochs:
        modelled, told = "ln of epochs needed", f"{limit:.2f} ({lesson.epochs} epochs)"
        spread = f"{one.mean:.2f} ± {one.deviation:.2f}"
    else:
        modelled, told, spread = "RMSE", f"{limit:.1f}", f"{one.mean:.1f} ± {one.deviation:.2f}"
    cells = (
        f"{lesson.name[:2]} `{lesson.exercise}`", threads, one.runs, one.missed, f"{one.bound:.1%}", modelled, spread,
        told, f"{one.distance:.1f}", rate(one.rate), rate(one.rate_bound),
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def missing(course: Course, lesson: str, found: list[Measurement]) -> int:
    """How many runs there are still to be measured."""
    done = {(one.model, one.threads, one.seed) for one in found if one.lesson == lesson}
    wanted = {
        (model.name, threads, seed)
        for model in measurements.models(course)
        if model.lesson == lesson
        for threads in model.threads
        for seed in range(model.seeds)
    }
    return len(wanted - done)


def unfinished(course: Course, found: list[Measurement]) -> str:
    left = {lesson.name[:2]: missing(course, lesson.name, found) for lesson in LESSONS}
    told = ", ".join(f"{number} of lesson {name}" for name, number in left.items() if number)
    return f"\n**Unfinished:** these runs are still to be measured (`make thresholds`): {told}.\n" if told else ""


def alike(course: Course, lesson: Lesson, found: list[Measurement]) -> str:
    """How runs of one seed with one thread and with two compare."""
    runs = [{one.seed: one.value for one in runs} for _, _, runs in references(course, lesson, found)]
    pairs = [(value, runs[-1][seed]) for seed, value in runs[0].items() if len(runs) > 1 and seed in runs[-1]]
    if not pairs:
        return ""
    equal = sum(one == other for one, other in pairs)
    largest = max((abs(one - other) for one, other in pairs), default=0.0)
    text = f"* Lesson {lesson.name[:2]}: {equal} of {len(pairs)} seeds give the same {lesson.metric} "
    text += "with one thread and with two"
    return f"{text}; the largest difference is {largest:.3g}." if largest else f"{text}."


def section(course: Course, lesson: Lesson, found: list[Measurement]) -> str:
    checks = checks_of(lesson.name)
    assignment = course.assignment(lesson.name)
    points = next(one.max_points for one in assignment.exercises if one.id == lesson.exercise)
    lines = [f"\n## {assignment.title}: `{lesson.exercise}` ({points:g} points)\n"]
    lines += [f"* {curve.metric}: {along(curve)}" for curve in curves(checks)]
    lines += [lesson.note.rstrip()] if lesson.note else []
    columns = (
        "model", "threads", "runs", f"{lesson.metric}: lowest", "5 %", "median", "95 %", "highest", "credit: lowest",
        "median", "highest", "with all points", "CPU seconds",
    )  # fmt: skip
    lines += [f"\n| {' | '.join(columns)} |", "|---|" + "---:|" * 12]
    kind = ""
    for model, threads, runs in groups(course, lesson, found):
        if model.kind != kind:
            kind = model.kind
            lines.append(f"| **{KINDS[kind]}** |" + " |" * 12)
        lines.append(row(lesson, checks, model, threads, runs))
    lines.append("| **baselines, which cost nothing** |" + " |" * 12)
    for label, value in lesson.baselines(checks).items():
        credit = baseline_credit(lesson, checks, value)
        lines.append(f"| {label} | | | | | {number(lesson, value)} | | | | {credit:.2f} | | | |")
    return "\n".join(lines) + "\n"


KINDS: Final = {
    "reference": "the reference",
    "weak": "weak, but honest",
    "nothing": "nothing learned",
    "other": "other models than LSTMs",
}


def curves(checks: ModuleType) -> list[Any]:
    return [getattr(checks, name) for name in ("CURVE", "CURVE_OF_CHANGES") if hasattr(checks, name)]


def along(curve: Any) -> str:
    """The curve's points in words."""
    return ", ".join(f"credit {c:g} at {p if isinstance(p, str) else f'{p:g}'}" for p, c in curve.points)


def baseline_credit(lesson: Lesson, checks: ModuleType, value: float) -> float:
    if lesson.epochs:
        return float(checks.CURVE.credit(value))
    held = counted(checks)
    return float(checks.credit_of(value, held.nothing, held.best))


def row(lesson: Lesson, checks: ModuleType, model: Model, threads: int, runs: list[Measurement]) -> str:
    values = np.array([one.value for one in runs])
    credits = np.array(lesson.credits(checks, model, runs))
    spread = [number(lesson, value) for value in np.quantile(values, [0, 0.05, 0.5, 0.95, 1])]
    earned = [f"{value:.2f}" for value in (credits.min(), np.median(credits), credits.max())]
    seconds = f"{np.median([one.seconds for one in runs]):.1f}"
    cells = [model.name, str(threads), str(len(runs)), *spread, *earned, str(int((credits >= 1).sum())), seconds]
    return "| " + " | ".join(cells) + " |"


def number(lesson: Lesson, value: float) -> str:
    return f"{value:.3f}" if lesson.epochs else f"{value:.0f}"


def rate(value: float) -> str:
    """A small chance in words."""
    if value < 1e-9:
        return "below 1 in 10⁹"
    return f"{value:.2%}" if value > WANTED else f"1 in {float(f'{1 / value:.2g}'):,.0f}"


# The plot


def state(course: Course, found: list[Measurement]) -> str:
    """What the plot was made from; it is kept in the picture."""
    known = [repr(curves(checks_of(lesson.name))) for lesson in LESSONS]
    named = [[(m.name, threads) for m, threads, _ in groups(course, lesson, found)] for lesson in LESSONS]
    return hashlib.sha256(repr((known, named, found)).encode()).hexdigest()


def draw(course: Course, found: list[Measurement]) -> None:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    rows = [groups(course, lesson, found) for lesson in LESSONS]
    heights = [size for one in rows for size in (4, len(one))]
    figure, axes = plt.subplots(6, 1, figsize=(9, 0.25 * sum(heights) + 3), height_ratios=heights, layout="constrained")
    for lesson, own, (top, bottom) in zip(LESSONS, rows, axes.reshape(3, 2), strict=True):
        checks = checks_of(lesson.name)
        draw_curve(top, lesson, checks)
        for place, (model, threads, runs) in enumerate(own):
            colour = {1: BLUE, 2: ORANGE}[threads] if model.kind == "reference" else COLOURS[model.kind]
            jitter = np.random.default_rng(0).uniform(-0.28, 0.28, len(runs))
            bottom.plot([one.value for one in runs], place + jitter, "o", color=colour, markersize=3, alpha=0.6)
        names = [f"{model.name}, {threads} thread{'s' * (threads > 1)}" if model.kind == "reference" else model.name
                 for model, threads, _ in own]  # fmt: skip
        bottom.set(yticks=range(len(own)), yticklabels=names, ylim=(len(own) - 0.4, -0.6), xlabel=lesson.metric)
        bottom.grid(axis="x", color="#dddddd", linewidth=0.6)
        bottom.sharex(top)
        if not lesson.epochs:
            top.set_xlim(1050, 130)  # the better, the further to the right
            top.set_xscale("log")
            ticks = [1000, 700, 500, 300, 200, 150]
            for ax in (top, bottom):
                ax.set_xticks(ticks, [str(tick) for tick in ticks])
                ax.minorticks_off()
        else:
            top.set_xlim(-0.02, 1.02)
    colours = {"reference, 1 thread": BLUE, "2 threads": ORANGE}
    colours |= {KINDS[kind]: colour for kind, colour in COLOURS.items()}
    dots = [Line2D([], [], color=colour, marker="o", linestyle="", label=label) for label, colour in colours.items()]
    figure.legend(handles=dots, loc="outside lower center", ncols=len(dots), frameon=False, fontsize=8)
    figure.savefig(PLOT, dpi=110, metadata={"Software": "", "Description": state(course, found)})
    plt.close(figure)


def draw_curve(ax: Any, lesson: Lesson, checks: ModuleType) -> None:
    """The credit along the metric, with the baselines."""
    if lesson.epochs:
        x = np.linspace(0, 1, 501)
        ax.plot(x, [checks.CURVE.credit(value) for value in x], color="black")
    else:
        x = np.linspace(130, 1050, 2000)
        naive = counted(checks).naive
        labels = {"a count": counted(checks).nothing, "a change from yesterday": checks.CHANCE * naive["yesterday"],
                  "a change from last week": checks.CHANCE * naive["last week"]}  # fmt: skip
        for (label, nothing), style in zip(labels.items(), ("-", "--", ":"), strict=True):
            credit = [checks.credit_of(value, nothing, min(naive.values())) for value in x]
            ax.plot(x, credit, color="black", linestyle=style, label=f"forecasting {label}")
        ax.legend(loc="upper left", bbox_to_anchor=(0.04, 1.05), frameon=False, fontsize=7)
    texts: dict[float, str] = {}
    for name, value in lesson.baselines(checks).items():
        ax.axvline(value, color=GREY, linewidth=0.8)
        near = next((place for place in texts if abs(place / value - 1) < 0.05), None)  # one text for neighbours
        short = name.split(",")[0]
        texts[near or value] = f"{texts[near]}, {short}" if near else short
    for place, text in texts.items():
        ax.text(place, 1.08, text, color=GREY, fontsize=7, rotation=20, ha="left", va="bottom")
    ax.set(ylabel="credit", ylim=(-0.05, 1.08), yticks=[0, 0.5, 1])
    ax.tick_params(labelbottom=False)
    ax.set_title(f"{lesson.name}: {lesson.exercise}", loc="left", pad=30, fontsize=10, fontweight="bold")


if __name__ == "__main__":
    typer.run(main)
