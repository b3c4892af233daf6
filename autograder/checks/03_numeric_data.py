"""Hidden checks of 03, preparing numeric data (slides 14 to 17)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from autograder.examination.expectations import Array, array, close, equal, exercise, parts, show, that, unchanged
from autograder.examination.scaling import undo
from autograder.examination.student import Student

NORMALIZATION = "Normalization: from smallest to largest"
STANDARDIZATION = "Standardization: by mean and spread"
BACK = "And back: an error needs a unit"
WHICH = "Which of the two?"

A_COLUMN_EACH = "Each feature is a column, and stays one; only 1-D input is made into a column."
ON_TRAIN = "Fit the scaler on `train` alone, then transform both sets with it."

# Whole numbers: a feature that varies at all varies enough for float32.
values = st.integers(-50, 50).map(float)
columns = hnp.arrays(np.float64, st.tuples(st.integers(2, 6), st.integers(1, 3)), elements=values)


def series(rng: np.random.Generator, size: int, features: int | None = None) -> Array:
    """Readings on different scales, no feature constant; 1-D without `features`."""
    shape = (size,) if features is None else (size, features)
    return np.round(rng.normal(size=shape) * rng.uniform(2, 50, shape[1:]) + rng.uniform(-100, 100, shape[1:]), 2)


def within(rng: np.random.Generator, train: Array, size: int) -> Array:
    """A test set well within `train`'s range: whether the scaler has seen it too is not the question here."""
    low, high = train.min(axis=0), train.max(axis=0)
    margin = (high - low) / 5
    return np.round(rng.uniform(low + margin, high - margin, (size, *train.shape[1:])), 2)


def as_columns(data: Any) -> Array:
    found = np.asarray(data, dtype=float)
    return found.reshape(-1, 1) if found.ndim == 1 else found


def min_max(train: Any, data: Any, low: float = 0, high: float = 1) -> Array:
    """x' = low + (x - min) / (max - min) * (high - low), min and max of `train` per feature (slide 16)."""
    train, data = as_columns(train), as_columns(data)
    span = train.max(axis=0) - train.min(axis=0)
    span[span == 0] = 1
    return low + (data - train.min(axis=0)) / span * (high - low)


def standard(train: Any, data: Any) -> Array:
    """z = (x - mean) / deviation, both of `train` per feature, deviation with n in the denominator (slide 17)."""
    train, data = as_columns(train), as_columns(data)
    deviation = train.std(axis=0)
    deviation[deviation == 0] = 1
    return (data - train.mean(axis=0)) / deviation


def fitted_min_max(train: Any, low: Any, high: Any) -> Any:
    from sklearn.preprocessing import MinMaxScaler

    return MinMaxScaler(feature_range=(low, high)).fit(train)


def fitted_standard(train: Any) -> Any:
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit(train)


ON_TEST = "The scaler was fitted on the test set; the training set alone should decide."
TOGETHER = "The scaler has seen the test set too: it was fitted on train and test together."


def misread(scale: Callable[[Any, Any], Array], train: Any, test: Any, data: Any) -> dict[str, Array]:
    """What usual mistakes make of `data`, which is `train` or `test`."""
    train, test, data = as_columns(train), as_columns(test), as_columns(data)
    right, of_test = scale(train, data), data is test or (data.shape == test.shape and np.array_equal(data, test))
    found = {
        ON_TEST: scale(test, data),
        (
            "These are the numbers of the training set: return those of the test set."
            if of_test
            else "These are the numbers of the test set: return those of the training set."
        ): scale(train, train if of_test else test),
        TOGETHER: scale(np.vstack([train, test]), data),
    }
    if data.shape[1] > 1:
        one = scale(train.reshape(-1, 1), data.reshape(-1, 1)).reshape(data.shape)
        found["All features were scaled by the same two numbers: each feature has its own."] = one
        by_row = scale(data.T, data.T).T if data.shape[0] > 1 else right
        found["Each row was scaled separately: a feature is a column."] = by_row
    if scale is standard:
        deviation = train.std(axis=0, ddof=1)
        deviation[deviation == 0] = 1
        told = "These numbers are divided by the sample deviation (n - 1); StandardScaler divides by n."
        found[told] = (data - train.mean(axis=0)) / deviation
        found["Only the mean is subtracted: divide by the standard deviation, too."] = data - train.mean(axis=0)
        found["This is normalization, from 0 to 1; here make mean 0 and deviation 1."] = min_max(train, data)
        return found
    told = "Values outside the range are right for a test set that goes beyond the training data: do not clip them."
    ends = scale(train, train)
    found[told] = np.clip(right, ends.min(), ends.max())
    found["This is standardization; here the smallest value becomes the lower end, the largest the upper."] = standard(
        train, data
    )
    return found


def unscaled(scale: Callable[[Any, Any], Array], train: Array, test: Array) -> Array:
    """What a scaler of the training set makes of a test set that was scaled by itself."""
    zero, one = scale(train, np.zeros((1, train.shape[1]))), scale(train, np.ones((1, train.shape[1])))
    return np.asarray((scale(test, test) - zero) / (one - zero))


def scaled_by(
    scale: Callable[[Any, Any], Array], results: tuple[Any, Any], train: Array, test: Array, hint: str
) -> None:
    """Expect both sets scaled by the training set."""
    for found, data, name in zip(results, (train, test), ("train_scaled", "test_scaled"), strict=True):
        mistakes = partial(misread, scale, train, test, data)
        close(found, scale(train, data), name, hint or ON_TRAIN, mistakes=mistakes)


def fits_on_train_alone(
    student: Student, function: str, scale: Callable[[Any, Any], Array], data: Array, factor: float, atol: float
) -> None:
    """Expect of `function` a test set scaled by the training set. Of a feature that does not vary nothing is asked."""
    train, test = data, np.round(data[:2] * factor + 1, 1)
    _, test_scaled, _ = parts(getattr(student, function)(train, test), 3, function)
    varies = np.ptp(train, axis=0) > 0
    found = array(test_scaled, "test_scaled", test.shape, A_COLUMN_EACH)
    mistakes = {told: wrong[:, varies] for told, wrong in misread(scale, train, test, test).items()}
    right = scale(train, test)[:, varies]
    close(found[:, varies], right, "test_scaled", ON_TRAIN, rtol=1e-4, atol=atol, mistakes=mistakes)


def takes_any_kind(
    student: Student, function: str, scale: Callable[[Any, Any], Array], rng: np.random.Generator
) -> None:
    """Expect of `function` that it scales lists, Series, DataFrames and whole numbers, and changes no input."""
    call = getattr(student, function)
    train = series(rng, 9)
    test = within(rng, train, 3)
    for kind in (list, pd.Series, lambda data: pd.DataFrame({"flow": data})):
        train_scaled, test_scaled, _ = parts(call(kind(train), kind(test)), 3, function)
        unchanged(student)
        scaled_by(scale, (train_scaled, test_scaled), train, test, "")
    whole, whole_test = np.round(train).astype(int), np.round(test).astype(int)
    train_scaled, test_scaled, _ = parts(call(whole, whole_test), 3, function)
    hint = "Whole numbers are scaled to fractions: make room for them with dtype=float."
    scaled_by(scale, (train_scaled, test_scaled), whole, whole_test, hint)
    longer = within(rng, train, 25)
    train_scaled, test_scaled, _ = parts(call(train, longer), 3, function)
    scaled_by(scale, (train_scaled, test_scaled), train, longer, "The test set may be longer than the training set.")
    table = np.round(series(rng, 6, 2)).astype(int)
    later = np.round(within(rng, table, 3)).astype(int)
    for kind in (np.ndarray.tolist, lambda data: pd.DataFrame(data, columns=["flow", "no2"])):
        train_scaled, test_scaled, _ = parts(call(kind(table), kind(later)), 3, function)
        scaled_by(scale, (train_scaled, test_scaled), table, later, "")
    call(train, test)
    unchanged(student)
    call(as_columns(train), as_columns(test))
    unchanged(student)


# normalize


@exercise("normalize", share=2, read=NORMALIZATION)
def test_normalize_one_feature(student: Student, rng: np.random.Generator) -> None:
    """A 1-D training series becomes one column from 0 to 1."""
    train = np.array([20.0, 50.0, 30.0]) + rng.integers(9)
    test = within(rng, train, 2)
    train_scaled, _, _ = parts(student.normalize(train, test), 3, "normalize")
    hint = "The smallest value becomes 0, the largest 1."
    close(train_scaled, min_max(train, train), "train_scaled", hint, mistakes=misread(min_max, train, test, train))


@exercise("normalize", share=4, read=NORMALIZATION)
@given(data=columns, factor=st.sampled_from([0.5, 2, 3]))
def test_normalize_fits_on_train_alone(student: Student, data: Array, factor: float) -> None:
    """The test set is scaled by the training set's minimum and maximum, per feature, and not clipped."""
    fits_on_train_alone(student, "normalize", min_max, data, factor, atol=1e-5)


@exercise("normalize", share=1, read=NORMALIZATION)
def test_normalize_feature_range(student: Student, rng: np.random.Generator) -> None:
    """The function uses `feature_range`."""
    train = series(rng, 4, 2)
    test = within(rng, train, 3)
    for low, high in ((-1, 1), (2, 5)):
        results = parts(student.normalize(train, test, feature_range=(low, high)), 3, "normalize")
        for found, data, name in zip(results, (train, test), ("train_scaled", "test_scaled"), strict=False):
            mistakes: dict[str, Any] = {"`feature_range` was not used: this is 0 to 1.": min_max(train, data)}
            mistakes |= misread(partial(min_max, low=low, high=high), train, test, data)
            hint = f"`feature_range` is {low} to {high}."
            close(found, min_max(train, data, low, high), name, hint, mistakes=mistakes)


@exercise("normalize", share=1, read=NORMALIZATION)
def test_normalize_constant_feature(student: Student, rng: np.random.Generator) -> None:
    """A feature that does not vary gives no NaN and no infinity."""
    train = series(rng, 4, 2)
    test = within(rng, train, 3)
    train[:, 1] = train[:, 0].mean()  # within the range of the other: one mistake, one check
    results = parts(student.normalize(train, test), 3, "normalize")
    hint = "Where maximum and minimum are equal, do not divide by their difference."
    stays_finite(results, (train, test), 0, min_max, hint)


def stays_finite(
    results: tuple[Any, ...], data: tuple[Array, Array], varying: int, scale: Callable[[Any, Any], Array], hint: str
) -> None:
    """Beside a feature that does not vary, the `varying` one is scaled as usual, and everything is finite."""
    train = data[0]
    for name, found, unscaled in zip(("train_scaled", "test_scaled"), results, data, strict=False):
        numbers = array(found, name, unscaled.shape, A_COLUMN_EACH)
        that(bool(np.isfinite(numbers).all()), f"{name} holds NaN or infinity for a constant feature.", hint)
        mistakes = {told: wrong[:, varying] for told, wrong in misread(scale, *data, unscaled).items()}
        right = scale(train, unscaled)[:, varying]
        close(numbers[:, varying], right, f"column {varying} of {name}", ON_TRAIN, mistakes=mistakes)


@exercise("normalize", share=1, read=NORMALIZATION)
def test_normalize_kinds_of_input(student: Student, rng: np.random.Generator) -> None:
    """The function takes lists, Series and DataFrames, and changes no input."""
    takes_any_kind(student, "normalize", min_max, rng)


@exercise("normalize", share=1, read=NORMALIZATION)
def test_normalize_returns_the_scaler(student: Student, rng: np.random.Generator) -> None:
    """The third thing returned is the fitted scaler: it can undo the scaling."""
    for features, low, high in ((2, 0, 1), (2, -1, 1), (None, 0, 1)):
        train = series(rng, 5, features)
        test = within(rng, train, 3)
        _, test_scaled, scaler = parts(student.normalize(train, test, feature_range=(low, high)), 3, "normalize")
        train, test = as_columns(train), as_columns(test)
        close(
            student.apply(undo, scaler, test_scaled),
            test,
            f"scaler.inverse_transform(test_scaled) for the range {low} to {high}",
            ON_TRAIN,
            rtol=1e-4,
            atol=1e-3,
            mistakes={ON_TEST: unscaled(partial(min_max, low=low, high=high), train, test)},
        )


# standardize


@exercise("standardize", share=2, read=STANDARDIZATION)
def test_standardize_one_feature(student: Student, rng: np.random.Generator) -> None:
    """A 1-D training series becomes one column with mean 0 and deviation 1."""
    train = np.array([20.0, 50.0, 35.0, 65.0]) + rng.integers(9)
    test = within(rng, train, 2)
    train_scaled, _, _ = parts(student.standardize(train, test), 3, "standardize")
    hint = "Subtract the mean, divide by the standard deviation."
    close(train_scaled, standard(train, train), "train_scaled", hint, mistakes=misread(standard, train, test, train))


@exercise("standardize", share=4, read=STANDARDIZATION)
@given(data=columns, factor=st.sampled_from([0.5, 2, 3]))
def test_standardize_fits_on_train_alone(student: Student, data: Array, factor: float) -> None:
    """The test set is scaled by the training set's mean and deviation, per feature."""
    fits_on_train_alone(student, "standardize", standard, data, factor, atol=1e-4)


@exercise("standardize", share=1, read=STANDARDIZATION)
def test_standardize_constant_feature(student: Student, rng: np.random.Generator) -> None:
    """A feature that does not vary gives no NaN and no infinity."""
    train = series(rng, 4, 2)
    test = within(rng, train, 3)
    train[:, 0] = -3.0
    results = parts(student.standardize(train, test), 3, "standardize")
    stays_finite(results, (train, test), 1, standard, "Where the deviation is 0, do not divide by it.")


@exercise("standardize", share=1, read=STANDARDIZATION)
def test_standardize_kinds_of_input(student: Student, rng: np.random.Generator) -> None:
    """The function takes lists, Series and DataFrames, and changes no input."""
    takes_any_kind(student, "standardize", standard, rng)


@exercise("standardize", share=1, read=STANDARDIZATION)
def test_standardize_returns_the_scaler(student: Student, rng: np.random.Generator) -> None:
    """The third thing returned is the fitted scaler: it can undo the scaling."""
    for features in (2, None):
        train = series(rng, 5, features)
        test = within(rng, train, 3)
        _, test_scaled, scaler = parts(student.standardize(train, test), 3, "standardize")
        train, test = as_columns(train), as_columns(test)
        close(
            student.apply(undo, scaler, test_scaled),
            test,
            "scaler.inverse_transform(test_scaled)",
            ON_TRAIN,
            rtol=1e-4,
            atol=1e-3,
            mistakes={ON_TEST: unscaled(standard, train, test)},
        )


# invert: the scalers are made here, so that this exercise does not depend on those before it

BEYOND = np.array([[2.0], [-2.0], [1.5], [-1.5]])  # how far, in ranges of the data


@exercise("invert", share=2, read=BACK)
def test_invert_normalization(student: Student, rng: np.random.Generator) -> None:
    """It undoes a normalization to any range, for several features."""
    data = series(rng, 4, 2)
    for low, high in ((0, 1), (-1, 1)):
        scaler = student.apply(fitted_min_max, data, low, high)
        close(student.invert_scaling(scaler, min_max(data, data, low, high)), data, "the result", rtol=1e-4, atol=1e-3)
        beyond = data + BEYOND * np.ptp(data, axis=0)
        found = student.invert_scaling(scaler, min_max(data, beyond, low, high))
        close(found, beyond, "the result beyond the data that the scaler has seen", "Do not cut anything off.",
              rtol=1e-4, atol=1e-3)  # fmt: skip


@exercise("invert", share=2, read=BACK)
def test_invert_standardization(student: Student, rng: np.random.Generator) -> None:
    """It undoes a standardization, for several features."""
    data = series(rng, 4, 2)
    scaler = student.apply(fitted_standard, data)
    close(student.invert_scaling(scaler, standard(data, data)), data, "the result", rtol=1e-4, atol=1e-3)
    beyond = data + BEYOND * np.ptp(data, axis=0)
    close(student.invert_scaling(scaler, standard(data, beyond)), beyond,
          "the result beyond the data that the scaler has seen", "Do not cut anything off.",
          rtol=1e-4, atol=1e-3)  # fmt: skip


@exercise("invert", share=2, read=BACK)
def test_invert_keeps_the_shape(student: Student, rng: np.random.Generator) -> None:
    """For one feature, 1-D values come back 1-D and a column comes back as a column."""
    data = series(rng, 4)
    for scaler, scaled in (
        (student.apply(fitted_min_max, as_columns(data), 0, 1), min_max(data, data)),
        (student.apply(fitted_standard, as_columns(data)), standard(data, data)),
    ):
        hint = "A scaler works on columns: reshape(-1, 1) before it, and back to the original shape after it."
        close(
            student.invert_scaling(scaler, scaled.ravel()),
            data,
            "the result for 1-D values",
            shape_hint=hint,
            rtol=1e-4,
            atol=1e-3,
        )
        close(
            student.invert_scaling(scaler, scaled),
            as_columns(data),
            "the result for a column",
            shape_hint=hint,
            rtol=1e-4,
            atol=1e-3,
        )
        close(
            student.invert_scaling(scaler, scaled.ravel()[:1]),
            data[:1],
            "the result for one value",
            shape_hint=hint,
            rtol=1e-4,
            atol=1e-3,
        )


@exercise("invert", share=1, read=BACK)
def test_invert_changes_nothing(student: Student, rng: np.random.Generator) -> None:
    """The result is a new array: the values that were passed in do not change."""
    data = series(rng, 6)
    scaler = student.apply(fitted_min_max, as_columns(data), 0, 1)
    for scaled in (min_max(data, data).ravel(), min_max(data, data)):
        found = array(student.invert_scaling(scaler, scaled), "the result")
        unchanged(student)
        close(found.ravel(), data, "the result", rtol=1e-4, atol=1e-3)


@exercise("invert", share=1, read=BACK)
def test_invert_of_any_values(student: Student, rng: np.random.Generator) -> None:
    """Values far outside of the training data come back as well, and whole numbers are values, too."""
    data = series(rng, 6, 2)
    for scaler, back in (
        (student.apply(fitted_min_max, data, 0, 1), lambda v: v * np.ptp(data, axis=0) + data.min(axis=0)),
        (student.apply(fitted_standard, data), lambda v: v * data.std(axis=0) + data.mean(axis=0)),
    ):
        for values in (np.array([[-3.5, 2.25], [7.0, 0.5]]), np.array([[0, 2], [-3, 1]])):
            found = array(student.invert_scaling(scaler, values), "the result")
            close(found, back(values), f"the result for {show(values)}", "Undo the scaling, whatever the values are.",
                  rtol=1e-4, atol=1e-3)  # fmt: skip
            unchanged(student)


# which-scaler: samples on which the usual tests agree

ANY_BELL = 'Also take a test for a bell of any mean and width: kstest(values, "norm") tests only for mean 0.'


def bell(rng: np.random.Generator, size: int) -> Array:
    """The quantiles of a normal distribution, shuffled: as normal as a sample can be."""
    quantiles = stats.norm.ppf((np.arange(size) + 0.5) / size)
    return rng.permutation(quantiles) * rng.uniform(0.5, 40) + rng.uniform(-200, 200)


def not_bells(rng: np.random.Generator, size: int) -> dict[str, Array]:
    """Samples that are clearly not normal."""
    camel = np.concatenate([rng.normal(-6, 1, size // 2), rng.normal(6, 1, size - size // 2)])
    return {
        "a strongly skewed sample": rng.exponential(rng.uniform(1, 30), size),
        "a sample with a long tail": rng.lognormal(1, 1, size),
        "a sample with two humps": rng.permutation(camel),
    }


def doubtful(rng: np.random.Generator, low: float, high: float) -> Array:
    """A slightly skewed sample whose p-values by the usual tests all lie between `low` and `high`.

    A p on one side of 0.05 by some tests and on the other by others would be unfair to one of them.
    """
    for _ in range(20_000):
        sample = rng.gamma(rng.uniform(3, 60), 1, 100)
        p = [test(sample).pvalue for test in (stats.normaltest, stats.jarque_bera)]
        if not low < min(p) <= max(p) < high or not low < stats.shapiro(sample).pvalue < high:
            continue
        single = min(stats.skewtest(sample).pvalue, stats.kurtosistest(sample).pvalue)
        z = (sample - sample.mean()) / sample.std(ddof=1)
        lilliefors = stats.kstest(z, "norm").statistic * 10  # critical at 5 %: 0.886 / sqrt(n)
        anderson = stats.anderson(z)
        anderson = anderson.statistic / anderson.critical_values[2]  # of 15, 10, 5, 2.5, 1 %
        accepted = single > 0.035 and lilliefors < 0.82 and anderson < 0.9
        rejected = single < 0.02 and lilliefors > 0.95 and anderson > 1.1
        if accepted if low > 0.05 else rejected:
            return sample * rng.uniform(0.5, 20) + rng.uniform(-100, 100)
    raise AssertionError("no such sample")


@exercise("which-scaler", share=1, read=WHICH)
def test_suggests_at_five_percent(student: Student, rng: np.random.Generator) -> None:
    """The level is 5 %: a p of 0.2 does not reject the bell, one of 0.01 does."""
    hint = "Compare the p-value with 0.05."
    slight = student.suggest_scaler(doubtful(rng, 0.08, 0.45))
    equal(slight, "standardize", "the answer for p between 0.08 and 0.45", f"{hint} {ANY_BELL}")
    equal(
        student.suggest_scaler(doubtful(rng, 0.001, 0.03)), "normalize", "the answer for p between 0.001 and 0.03", hint
    )


@exercise("which-scaler", share=3, read=WHICH)
def test_suggests_by_normality(student: Student, rng: np.random.Generator) -> None:
    """The answer is "standardize" for normal samples, "normalize" for clearly different ones."""
    hint = "The null hypothesis is that the data are normal: a p-value below 0.05 speaks against it."
    for size in (60, 300):
        normal = student.suggest_scaler(bell(rng, size))
        equal(normal, "standardize", f"the answer for {size} normal values", f"{hint} {ANY_BELL}")
        for name, sample in not_bells(rng, max(size, 200)).items():
            equal(student.suggest_scaler(sample), "normalize", f"the answer for {name} of {len(sample)} values", hint)


@exercise("which-scaler", share=1, read=WHICH)
def test_ignores_missing_values(student: Student, rng: np.random.Generator) -> None:
    """Missing values (NaN) are left out before the test."""
    normal, skewed = bell(rng, 120) + 500, rng.exponential(5, 200)
    normal[rng.choice(120, 9, replace=False)] = np.nan
    skewed[::17] = np.nan
    hint = "Leave the NaN out."
    for kind in (np.array, pd.Series):
        equal(student.suggest_scaler(kind(normal)), "standardize", "the answer for normal values with gaps", hint)
        unchanged(student)
        equal(student.suggest_scaler(kind(skewed)), "normalize", "the answer for skewed values with gaps", hint)
        unchanged(student)


@exercise("which-scaler", share=1, read=WHICH)
def test_suggests_for_other_inputs(student: Student, rng: np.random.Generator) -> None:
    """It takes a list or a Series, answers "normalize" for a constant feature, and changes nothing."""
    sample, skewed = bell(rng, 80), rng.exponential(3, 200)
    equal(student.suggest_scaler(pd.Series(sample)), "standardize", "the answer for a Series of normal values")
    equal(student.suggest_scaler(skewed.tolist()), "normalize", "the answer for a list of skewed values")
    equal(student.suggest_scaler(np.full(30, 4.0)), "normalize", "the answer for a constant feature",
          'A constant is not a bell: return "normalize" before the test.')  # fmt: skip
    for value in (0.1, 0.3, -1234.56, 0.0):
        constant = np.append(np.full(40, value), np.nan)
        equal(student.suggest_scaler(constant), "normalize", f"the answer for a constant {value:g}, with a gap",
              "A constant is not a bell. Its deviation may come out as 1e-17: compare the values.")  # fmt: skip
    holed = np.append(sample, np.nan)
    for values in (sample, pd.Series(holed), holed, holed.tolist()):
        student.suggest_scaler(values)
        unchanged(student)
    for constant in (np.full(30, 4.0), [4.0] * 30):
        equal(student.suggest_scaler(constant), "normalize", "the answer for a constant feature",
              'A constant is not a bell: return "normalize" before the test.')  # fmt: skip
    student.suggest_scaler(sample)
    unchanged(student)
