"""Hidden checks of 04, preparing categorical data (slides 18 and 19)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from autograder.boxed.values import Handle
from autograder.examination.expectations import (
    Array,
    Wrong,
    array,
    close,
    exercise,
    parts,
    raises,
    show,
    that,
    unchanged,
)
from autograder.examination.misconceptions import Clues
from autograder.examination.student import Student

LABEL = "2 · A number for each name"
ORDER = "3 · An order that is real"
ONE_HOT = "4 · A column for each name"
DECODE = "6 · And back to names"
CLOCK = "8 · The clock is a circle"

# No name is a part of another, or of an error message that Python or scikit-learn would write by itself.
WEATHER = ["drizzle", "fog", "gale", "hail", "mist", "rain", "sleet", "thunderstorm"]
CAPITALS = ["Rain", "fog", "Snow", "hail", "Zephyr", "ice"]
LEVELS = ["free", "dense", "slow", "jam", "blocked", "closed"]


@st.composite
def names(draw: st.DrawFn, different: int = 1) -> list[str]:
    """Some names, `different` of them or more: so many tell one mistake from another."""
    first = draw(st.lists(st.sampled_from(WEATHER), min_size=different, max_size=4, unique=True))
    return first + draw(st.lists(st.sampled_from(first), max_size=3))


def drawn(rng: np.random.Generator, pool: Sequence[Any], size: int, different: int) -> list[Any]:
    """`size` values of `different` categories of the pool, each at least once, in random order."""
    chosen = [pool[place] for place in rng.choice(len(pool), different, replace=False)]
    values = chosen + [chosen[place] for place in rng.integers(different, size=size - different)]
    return [values[place] for place in rng.permutation(size)]


def series(values: Sequence[Any]) -> Any:
    """A Series as from a larger table: with an index that does not count from 0."""
    return pd.Series(list(values), index=np.arange(len(values))[::-1] * 3 + 40)


def whole(value: Any, what: str, n: int, hint: str = "") -> list[int]:
    """A student's codes as a list: n whole numbers, as a column perhaps."""
    found = array(value, what, None, hint)
    if found.shape not in ((n,), (n, 1)):
        raise Wrong(
            f"{what} should have the shape {(n,)}, but have {found.shape}.", "There is one code for each value."
        )
    found = found.astype(float)
    finite = bool(np.isfinite(found).all())
    that(
        finite and bool(np.all(found == np.round(found))),
        f"{what} should be whole numbers, but are {show(found)}.",
        hint,
    )
    return [int(code) for code in found.ravel().tolist()]


def same_codes(
    value: Any, expected: list[int], values: Sequence[Any], hint: str, wrong: list[tuple[str, list[int]]]
) -> None:
    """Expect these codes; `wrong` has what known mistakes give, under the sentence that explains each."""
    found = whole(value, "the codes", len(expected), hint)
    if found != expected:
        fitting = Clues(frozenset(sentence for sentence, codes in wrong if found == codes))
        raise Wrong(f"the codes of {show(list(values))} should be {expected}, but are {found}.", hint, what="the codes",
                    evidence=(found, expected), clues=fitting)  # fmt: skip


def codes_by(order: Sequence[Any], values: Sequence[Any]) -> list[int]:
    """Each value's place in the order (oracle of both encodings)."""
    return [list(order).index(value) for value in values]


# label-encode


def label_mistakes(values: Sequence[Any]) -> list[tuple[str, list[int]]]:
    ranked = sorted(set(values))
    appearing = list(dict.fromkeys(values))
    as_text = sorted(set(values), key=str)
    often = [value for value, _ in Counter(values).most_common()]
    return [
        ("These codes count the categories as they appear; sort them first.", codes_by(appearing, values)),
        ("These codes follow how often a category comes; sort the categories themselves.", codes_by(often, values)),
        ("These codes start at 1; the first category gets 0.", [code + 1 for code in codes_by(ranked, values)]),
        ("These codes go backwards: sort the categories upwards.", codes_by(ranked[::-1], values)),
        ("These numbers were sorted as text, where 10 is before 9; sort them by size.", codes_by(as_text, values)),
    ]


def undo_labels(encoder: Any, codes: Any) -> Any:
    codes = np.ravel(codes).astype(int)
    try:
        return np.ravel(encoder.inverse_transform(codes)).tolist()
    except (TypeError, ValueError, IndexError) as error:
        try:  # an encoder of columns
            return np.ravel(encoder.inverse_transform(codes.reshape(-1, 1))).tolist()
        except Exception:
            raise error from None


@exercise("label-encode", share=2, read=LABEL)
@given(values=names(different=3))
def test_labels_in_sorted_order(student: Student, values: list[str]) -> None:
    """The code of a category is its place among the sorted categories."""
    codes, _ = parts(student.label_encode(values), 2, "label_encode")
    hint = "Sort the different categories; the code is the place, from 0."
    same_codes(codes, codes_by(sorted(set(values)), values), values, hint, label_mistakes(values))


@exercise("label-encode", share=1, read=LABEL)
def test_labels_whole_numbers_by_size(student: Student, rng: np.random.Generator) -> None:
    """Whole numbers are categories, too; they are sorted by size."""
    for pool in ([2, 9, 10, 11, 100], [-7, 3, 20, 100, 1000]):
        values = drawn(rng, pool, 9, 5)
        codes, _ = parts(student.label_encode(values), 2, "label_encode")
        hint = "The code is the place among the sorted categories, not the number itself."
        same_codes(codes, codes_by(sorted(set(values)), values), values, hint, label_mistakes(values))


@exercise("label-encode", share=1, read=LABEL)
def test_labels_of_like_words(student: Student, rng: np.random.Generator) -> None:
    """Words that differ in a capital or a space are different categories, capitals come first; one may be alone."""
    pool = ["Fog", "fog", "Rain", "rain", "snow", "Sun", "sun ", "sun"]
    for values in (drawn(rng, pool, 12, 8), ["wind"], ["fog", "fog"], [0, 3, 0, 1]):
        codes, _ = parts(student.label_encode(values), 2, "label_encode")
        same_codes(codes, codes_by(sorted(set(values)), values), values, "Take the categories as they are written.", [])


@exercise("label-encode", share=1, read=LABEL)
def test_labels_kinds_of_input(student: Student, rng: np.random.Generator) -> None:
    """The function takes lists, arrays and Series with any index, and does not change them."""
    for kind in (list, np.array, series):
        values = drawn(rng, WEATHER, 9, 7)
        codes, _ = parts(student.label_encode(kind(values)), 2, "label_encode")
        unchanged(student)
        hint = "It should make no difference whether the values come as a list, an array or a Series."
        same_codes(codes, codes_by(sorted(set(values)), values), values, hint, label_mistakes(values))
        for pool, more in (([2, 9, 10, 11, 100], hint), (CAPITALS, "Python sorts capital letters before small ones.")):
            values = drawn(rng, pool, 9, len(pool))
            codes, _ = parts(student.label_encode(kind(values)), 2, "label_encode")
            unchanged(student)
            same_codes(codes, codes_by(sorted(set(values)), values), values, more, label_mistakes(values))


@exercise("label-encode", share=1, read=LABEL)
def test_labels_returns_the_encoder(student: Student, rng: np.random.Generator) -> None:
    """The second thing returned is the fitted encoder: it brings the values back from the codes."""
    for pool in (WEATHER, [2, 9, 10, 11, 100]):
        values = drawn(rng, pool, 8, 4)
        codes, encoder = parts(student.label_encode(values), 2, "label_encode")
        whole(codes, "the codes", 8)
        that(isinstance(encoder, Handle), f"the encoder should be a fitted LabelEncoder, but is {show(encoder)}.",
             "Return the codes and, second, the encoder.")  # fmt: skip
        ranked = sorted(set(values))
        back = student.apply(undo_labels, encoder, codes_by(ranked, values))
        same_names(
            back, values, "encoder.inverse_transform(codes)", "Return the encoder that was fitted on the values."
        )


# ordinal-encode


def ordinal_mistakes(values: Sequence[str], order: Sequence[str]) -> list[tuple[str, list[int]]]:
    come = [level for level in order if level in values]
    seen = list(dict.fromkeys(values))
    alphabet = "These codes follow the alphabet; the order is the one that is given."
    return [
        (alphabet, codes_by(sorted(order), values)),
        (alphabet, codes_by(sorted(set(values)), values)),
        ("These codes count the values as they appear; the order is given.", codes_by(seen, values)),
        ("These codes leave out levels that never come; each keeps its place in `order`.", codes_by(come, values)),
        ("These codes start at 1; the first of `order` gets 0.", [code + 1 for code in codes_by(order, values)]),
        ("These codes go backwards: the first of `order`, the lowest, gets 0.", codes_by(order[::-1], values)),
    ]


@st.composite
def ordered(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    order = draw(st.lists(st.sampled_from(LEVELS), min_size=3, unique=True))
    first = draw(st.permutations(order))[:3]  # three levels tell one mistake from another
    return first + draw(st.lists(st.sampled_from(order), max_size=3)), order


@exercise("ordinal-encode", share=2, read=ORDER)
@given(data=ordered())
def test_ordinal_follows_the_order(student: Student, data: tuple[list[str], list[str]]) -> None:
    """The code is the place in `order`, not in the alphabet."""
    values, order = data
    hint = "Each value becomes its place in `order`, from 0."
    same_codes(student.ordinal_encode(values, order), codes_by(order, values), values, f"{hint} Here it is {order}.",
               ordinal_mistakes(values, order))  # fmt: skip


@exercise("ordinal-encode", share=1, read=ORDER)
def test_ordinal_keeps_empty_places(student: Student, rng: np.random.Generator) -> None:
    """A level that never comes among the values keeps its place."""
    order = [LEVELS[place] for place in rng.permutation(6)]
    for kept in ([1, 4], [5], [0, 3, 5]):
        values = drawn(rng, [order[place] for place in kept], 6, len(kept))
        hint = "Number the levels of `order`, not the categories that are in the values."
        same_codes(student.ordinal_encode(values, order), codes_by(order, values), values, hint,
                   ordinal_mistakes(values, order))  # fmt: skip


@exercise("ordinal-encode", share=2, read=ORDER)
def test_ordinal_refuses_what_is_not_in_the_order(student: Student, rng: np.random.Generator) -> None:
    """A value outside `order` raises ValueError, and the message contains the value."""
    order = [LEVELS[place] for place in rng.permutation(6)][:4]
    strangers = rng.permutation(["aquaplaning", "gridlock", "normal", "zigzag"]).tolist()
    for stranger, place in zip(strangers, (0, 2, 5, 0), strict=True):
        values = drawn(rng, order, 5, 4) if stranger != strangers[-1] else []
        values.insert(place, stranger)
        what = f"the value {stranger!r}, which is not in {order},"
        hint = "Look for values that are not in `order` first, and raise ValueError with the value in its text."
        told = raises("ValueError", lambda values=values: student.ordinal_encode(values, order), what, hint)
        that(stranger in told, f"the ValueError for {stranger!r} does not name it; it says: {show(told)}.",
             "Put the value into the message, so that somebody can find it among many rows.")  # fmt: skip


@exercise("ordinal-encode", share=1, read=ORDER)
def test_ordinal_of_like_words(student: Student, rng: np.random.Generator) -> None:
    """A word with another capital or a space is another value, which raises ValueError."""
    for order, stranger in ((["low", "mid", "high"], "High"), (["low", "mid", "high"], "mid "), (["S", "M"], "s")):
        raises("ValueError", lambda o=order, s=stranger: student.ordinal_encode([o[0], s, o[1]], o),
               f"the value {stranger!r}, not in {order},", "Compare the words as they are written.")  # fmt: skip
    order = ["Fog", "fog", "FOG"]
    values = drawn(rng, order, 7, 3)
    same_codes(student.ordinal_encode(values, order), codes_by(order, values), values, "Capitals count.", [])


@exercise("ordinal-encode", share=1, read=ORDER)
def test_ordinal_kinds_of_input(student: Student, rng: np.random.Generator) -> None:
    """The function takes lists, arrays and Series with any index, and changes neither values nor order."""
    for kind in (list, np.array, series):
        order = [LEVELS[place] for place in rng.permutation(6)]
        values = drawn(rng, order, 8, 4)
        codes = student.ordinal_encode(kind(values), order)
        unchanged(student)
        hint = "It should make no difference whether the values come as a list, an array or a Series."
        same_codes(codes, codes_by(order, values), values, hint, ordinal_mistakes(values, order))


# one-hot


def hot(values: Sequence[Any], columns: Sequence[Any]) -> Array:
    """One row per value, one column per category (oracle)."""
    return np.array([[float(value == column) for column in columns] for value in values])


def matrix(value: Any, what: str, values: Sequence[Any], columns: Sequence[Any], other: Sequence[Any]) -> None:
    """Expect the one-hot matrix of `values`; `other` is the other of the two sets, for the mistakes."""
    expected = hot(values, columns)
    hint = f"The columns are the sorted categories of train: {show(list(columns))}."
    if what == "test_hot":
        hint = "Fit on `train` alone, then transform both. " + hint
    if isinstance(value, Handle):
        order = "Return train_hot, test_hot and the encoder, in this order."
        sparse = "OneHotEncoder makes sparse matrices by default: pass sparse_output=False."
        raise Wrong(f"{what} should be a dense array, but is {show(value)}.",
                    order if "Encoder" in value.type_name else sparse)  # fmt: skip
    found = array(value, what, None, hint)
    if found.shape == expected.shape and np.allclose(found.astype(float), expected):
        return
    appearing = list(dict.fromkeys(values if what == "train_hot" else other))
    everything = sorted({*values, *other})
    codes = np.array([list(columns).index(value) if value in columns else -1 for value in values])
    mistakes = (
        ("These columns stand for the categories of train and test together: fit on `train` alone.",
         hot(values, everything)),
        ("These columns stand for the test set's own categories: fit on `train`, transform both.",
         hot(values, sorted(set(values)))),
        ("A column is missing: each category keeps its own, also when there are two.", expected[:, 1:]),
        ("A column is missing: each category keeps its own, also when there are two.", expected[:, :-1]),
        ("These columns are in the order in which the categories appear; sort them.", hot(values, appearing)),
        ("These are the codes: each becomes a row with a single 1.", codes),
        ("Rows and columns are swapped: a row for each value, a column for each category.", expected.T),
    )  # fmt: skip
    if found.ndim == 2 and len(found) != len(values):
        hint = "There is one row for each value, also for an unseen one."
    if found.shape == expected.shape:
        unseen = [place for place, value in enumerate(values) if value not in columns]
        if any(found[place].any() for place in unseen):
            hint = f"{values[unseen[0]]!r} is not in train: its row should hold zeros only."
    close(found, expected, what, hint, mistakes=[(told, wrong) for told, wrong in mistakes if wrong.shape != ()])


def encode(student: Student, train: Any, test: Any) -> tuple[Any, ...]:
    return parts(student.one_hot_encode(train, test), 3, "one_hot_encode")


@exercise("one-hot", share=2, read=ONE_HOT)
@given(train=names(different=2))
def test_hot_has_a_column_for_each_category(student: Student, train: list[str]) -> None:
    """Each row of train_hot has its 1 in the column of its category, none dropped; the columns are sorted."""
    train_hot, _, _ = encode(student, train, train[:1])
    matrix(train_hot, "train_hot", train, sorted(set(train)), train[:1])


@exercise("one-hot", share=2, read=ONE_HOT)
@given(train=names(different=2), test=names())
def test_hot_knows_train_alone(student: Student, train: list[str], test: list[str]) -> None:
    """test_hot has the columns of train; a value that train does not have becomes a row of zeros."""
    _, test_hot, _ = encode(student, train, test)
    matrix(test_hot, "test_hot", test, sorted(set(train)), train)


@exercise("one-hot", share=1, read=ONE_HOT)
def test_hot_unseen_only(student: Student, rng: np.random.Generator) -> None:
    """Unseen values are rows of zeros, whatever their place in the alphabet, even if all values are unseen."""
    train = drawn(rng, WEATHER[1:-1], 7, 3)
    longest = max(train, key=len)  # an array of the training words has no room for a longer one
    for test in (["aquaplaning"], ["zephyr", "aquaplaning", "monsoon"], [longest + "y", longest[:-1], longest.upper()]):
        for kind in (list, np.array):
            _, test_hot, _ = encode(student, kind(train), kind(test))
            matrix(test_hot, "test_hot", test, sorted(set(train)), train)


@exercise("one-hot", share=1, read=ONE_HOT)
def test_hot_of_like_words(student: Student, rng: np.random.Generator) -> None:
    """Words that differ in a capital or a space have columns of their own; 0 and a single category work, too."""
    for pool in (["Fog", "fog", "rain", "Rain "], [0, 1, 2, 30], ["wind"]):
        train, test = drawn(rng, pool, 9, len(pool)), drawn(rng, pool, 30, len(pool))
        train_hot, test_hot, _ = encode(student, train, test)
        unchanged(student)
        matrix(train_hot, "train_hot", train, sorted(set(train)), test)
        matrix(test_hot, "test_hot", test, sorted(set(train)), train)


@exercise("one-hot", share=1, read=ONE_HOT)
def test_hot_kinds_of_input(student: Student, rng: np.random.Generator) -> None:
    """It takes lists, arrays and Series with any index, of strings and whole numbers, and does not change them."""
    for pool in (WEATHER, [2, 9, 10, 11, 100, 250]):
        for kind in (list, np.array, series):
            train, test = drawn(rng, pool, 8, 4), drawn(rng, pool, 5, 4)
            train_hot, test_hot, _ = encode(student, kind(train), kind(test))
            unchanged(student)
            matrix(train_hot, "train_hot", train, sorted(set(train)), test)
            matrix(test_hot, "test_hot", test, sorted(set(train)), train)


def transformed(encoder: Any, values: Any) -> Any:
    column = np.array(values).reshape(-1, 1)
    try:
        found = encoder.transform(column)
    except (TypeError, ValueError) as error:
        try:  # one that was fitted on a column of objects takes no numbers
            found = encoder.transform(column.astype(object))
        except Exception:
            try:  # an encoder of its own may take the values as they are
                found = encoder.transform(values)
            except Exception:
                raise error from None
    return np.asarray(found.toarray() if hasattr(found, "toarray") else found)


def undone(encoder: Any, rows: Any) -> Any:
    return np.ravel(encoder.inverse_transform(rows)).tolist()


def same_names(value: Any, expected: Sequence[Any], what: str, hint: str) -> None:
    """Expect these categories in this order."""
    found = [item.item() if isinstance(item, np.generic) else item for item in value] if isinstance(value, list) else []
    plain = all(isinstance(item, (str, int, float)) for item in found)
    that(plain and found == list(expected), f"{what} should be {show(list(expected))}, but is {show(value)}.", hint)


@exercise("one-hot", share=1, read=ONE_HOT)
def test_hot_returns_the_encoder(student: Student, rng: np.random.Generator) -> None:
    """The third thing returned is the encoder fitted on train: it encodes later values and undoes its work."""
    for pool in (WEATHER, [2, 9, 10, 11, 100, 250]):
        train = drawn(rng, pool, 9, 4)
        test = drawn(rng, pool, 5, 3)
        _, _, encoder = encode(student, train, test)
        that(isinstance(encoder, Handle), f"the encoder should be a fitted OneHotEncoder, but is {show(encoder)}.",
             "Return train_hot, test_hot and, third, the encoder.")  # fmt: skip
        columns, later = sorted(set(train)), [train[place] for place in rng.integers(9, size=4)]
        hint = "Return the encoder that was fitted on `train`, and do not fit it again."
        found = student.apply(transformed, encoder, later)
        close(found, hot(later, columns), "encoder.transform of known values", hint)
        back = student.apply(undone, encoder, hot(later, columns))
        same_names(back, later, "encoder.inverse_transform of its rows", hint)


# decode: the encoders are made here, so that this exercise does not depend on the one before


def fitted(categories: Any, given_order: Any) -> Any:
    from sklearn.preprocessing import OneHotEncoder

    column = np.array(categories).reshape(-1, 1)
    order = [np.array(categories)] if given_order else "auto"
    return OneHotEncoder(categories=order, sparse_output=False, handle_unknown="ignore").fit(column)


def decoded(value: Any, n: int) -> list[Any]:
    """A student's categories as a plain list: n of them, as a column perhaps."""
    if isinstance(value, (pd.Series, pd.Index, pd.DataFrame)):
        value = value.to_numpy()
    if isinstance(value, Handle) or value is None or not isinstance(value, (np.ndarray, list, tuple)):
        raise Wrong(f"one_hot_decode should return an array of {n} categories, but returned {show(value)}.")
    found = value
    if not isinstance(found, np.ndarray):
        found = np.empty(len(value), dtype=object)
        found[:] = list(value)
        if all(isinstance(item, (list, tuple, np.ndarray)) and len(item) == 1 for item in value):
            found[:] = [item[0] for item in value]
    if found.shape not in ((n,), (n, 1)):
        raise Wrong(
            f"the categories should have the shape {(n,)}, but have {found.shape}.", "One category for each row."
        )
    items = [item.item() if isinstance(item, np.generic) else item for item in found.ravel().tolist()]
    for item in items:
        that(item is None or isinstance(item, (str, int, float)), f"{show(item)} is no category.", "One for each row.")
    return items


def same_categories(value: Any, expected: list[Any], encoder: Sequence[Any], zeros: Sequence[Any] = ()) -> None:
    found = decoded(value, len(expected))
    for place, (item, wanted) in enumerate(zip(found, expected, strict=True)):
        if item is None if wanted is None else item is not None and bool(item == wanted):
            continue
        hint, mistake = "Column j stands for encoder.categories_[0][j].", ""
        if wanted is None:
            hint = "A row of zeros is no category, and gives None."
            if item == encoder[0]:
                mistake = "argmax of a row of zeros is 0, so it looks like the first category."
            elif item == encoder[-1]:
                mistake = "This is the last category: an index of -1 counts from the end."
            elif item == "None":
                mistake = "The text 'None' is not None: an array of texts cannot hold None; use dtype=object."
            elif isinstance(item, float) and np.isnan(item):
                mistake = "NaN is not None: an array with dtype=object can hold it."
        elif item is None:
            hint = "Only a row of zeros gives None."
        elif isinstance(item, str) and not isinstance(wanted, str):
            mistake = "This is text: a category comes back as what it was, a number as a number."
        elif isinstance(item, str) and wanted.startswith(item):
            mistake = "The text is cut off: an array of texts has a fixed number of characters; use dtype=object."
        elif item in range(len(encoder)) and encoder[int(item)] == wanted:
            mistake = "This is the column's number: look its category up in encoder.categories_[0]."
        elif item in encoder and sorted(encoder)[list(encoder).index(wanted)] == item:
            hint += " Its order may differ from the alphabet's."
        fitting = Clues(frozenset({mistake} if mistake else ()))
        raise Wrong(
            f"row {place} should give {wanted!r}, but gives {item!r}; the columns are {show(list(encoder))}.",
            hint, what="the categories", evidence=(found, expected), clues=fitting,
        )  # fmt: skip


@exercise("decode", share=2, read=DECODE)
def test_decodes_by_the_encoder(student: Student, rng: np.random.Generator) -> None:
    """Each row gives the category of its column, in the encoder's own order."""
    for given_order in (False, True):
        for size in (5, 2, 1):
            chosen = [WEATHER[place] for place in rng.permutation(len(WEATHER))[:size]]
            if given_order and chosen == sorted(chosen):
                chosen = chosen[::-1]
            columns = chosen if given_order else sorted(chosen)
            values = drawn(rng, columns, 7, size)
            encoder = student.apply(fitted, chosen, given_order)
            same_categories(student.one_hot_decode(hot(values, columns), encoder), values, columns)


@exercise("decode", share=2, read=DECODE)
def test_decodes_zeros_as_none(student: Student, rng: np.random.Generator) -> None:
    """A row of zeros gives None, the others give their category; it works even if all rows are zeros."""
    for pool in (WEATHER, [2, 9, 10, 11, 100, 250]):
        columns = sorted(drawn(rng, pool, 4, 4))
        encoder = student.apply(fitted, columns, False)
        for expected in (
            [columns[2], None, columns[0], columns[3], None],
            [None, columns[1]],
            [None],
            [None, None, None],
        ):
            same_categories(student.one_hot_decode(hot(expected, columns), encoder), expected, columns)


@exercise("decode", share=1, read=DECODE)
def test_decodes_whole_numbers(student: Student, rng: np.random.Generator) -> None:
    """Categories that are whole numbers come back as these numbers, not as columns."""
    for pool in ([7, 9, 10, 11, 100, 250], [0, 1, 2, 3]):
        columns = sorted(drawn(rng, pool, 4, 4))
        encoder = student.apply(fitted, columns, False)
        for kind in (float, np.float32, int):
            values = drawn(rng, columns, 6, 4)
            same_categories(student.one_hot_decode(hot(values, columns).astype(kind), encoder), values, columns)


def columns_of(encoder: Any) -> Any:
    return [str(category) for category in encoder.categories_[0]]


@exercise("decode", share=1, read=DECODE)
def test_decode_changes_nothing(student: Student, rng: np.random.Generator) -> None:
    """The matrix and the encoder stay as they are."""
    columns = sorted(drawn(rng, WEATHER, 4, 4))
    encoder = student.apply(fitted, columns, False)
    expected = [columns[1], None, columns[3]]
    found = student.one_hot_decode(hot(expected, columns), encoder)
    unchanged(student)
    same_categories(found, expected, columns)
    same_names(student.apply(columns_of, encoder), columns, "encoder.categories_[0] afterwards",
               "Use the encoder as it is: do not fit it again.")  # fmt: skip


# cyclical


def circle(values: Any, period: float) -> Array:
    """(sin, cos) of the angle (oracle)."""
    angle = 2 * np.pi * np.asarray(values, dtype=float) / period
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1)


def on_circle(value: Any, values: Sequence[float], period: float) -> None:
    expected = circle(values, period)
    hint = "sin(2π value / period) in the first column, cos in the second."
    found = array(value, "the result", None, hint)
    if found.shape == expected.shape and np.allclose(found.astype(float), expected, atol=1e-4):
        return
    v = np.asarray(values, dtype=float)
    turned, span = circle(v, period), max(float(np.max(np.abs(v))), 1e-9)

    def sin_cos(angle: Array) -> Array:
        return np.stack([np.sin(angle), np.cos(angle)], axis=-1)

    mistakes = (
        ("Sine and cosine have changed places.", turned[:, ::-1]),
        ("Rows and columns are swapped: a row for each value, (n, 2).", turned.T),
        ("This is π value / period, half a turn: a full turn is 2π.", circle(v, 2 * period)),
        ("The factor 2π is missing: sin and cos need an angle in radians.", sin_cos(v / period)),
        ("These are the sine and cosine of the value itself: divide by the period first.", sin_cos(v)),
        ("These angles are in degrees; np.sin and np.cos need radians.", sin_cos(360 * v / period)),
        ("These go round in period - 1: count the steps until the cycle starts again.", circle(v, period - 1)),
        ("These go round in period + 1.", circle(v, period + 1)),
        ("You used the largest value as the period: use the argument.", circle(v, span)),
        ("You used a period of 24: use the argument.", circle(v, 24)),
        ("The values were counted from 1: hour 0 is at the start of the circle.", circle(v - 1, period)),
        ("These are shifted to 0..1; sine and cosine go from -1 to 1.", (turned + 1) / 2),
        ("The values were cut to whole numbers: a quarter of an hour counts too.", circle(np.trunc(v), period)),
        ("The values were clipped to the period: they should go round.", circle(np.clip(v, 0, period), period)),
        ("These go round the other way: check the sign of the sine.", turned * [-1, 1]),
    )  # fmt: skip
    close(found, expected, "the result", hint, atol=1e-4, mistakes=mistakes)


@exercise("cyclical", share=2, read=CLOCK)
@given(values=st.lists(st.integers(0, 23), min_size=3, max_size=6, unique=True))
def test_circle_of_hours(student: Student, values: list[int]) -> None:
    """Hours become (sine, cosine) of their place on a circle of 24."""
    on_circle(student.encode_cyclical(values, 24), values, 24)


@exercise("cyclical", share=1, read=CLOCK)
def test_circle_of_other_periods(student: Student, rng: np.random.Generator) -> None:
    """The period is the argument; period and values may be whole or not."""
    for period in (7, 12, 365.25, 0.5):
        values = np.round(rng.uniform(0, period, 5), 3).tolist()
        on_circle(student.encode_cyclical(values, period), values, period)
    months = rng.permutation(np.arange(1, 13))[:5].tolist()
    on_circle(student.encode_cyclical(months, 12), months, 12)


@exercise("cyclical", share=1, read=CLOCK)
def test_circle_goes_round(student: Student, rng: np.random.Generator) -> None:
    """Negative values and values beyond the period go round."""
    values = rng.integers(0, 24, 5)
    for turns in (1, -1, 3):
        beyond = (values + 24 * turns).tolist()
        on_circle(student.encode_cyclical(beyond, 24), beyond, 24)
    degrees = [-90, 450, 725.5]
    on_circle(student.encode_cyclical(degrees, 360), degrees, 360)


@exercise("cyclical", share=1, read=CLOCK)
def test_circle_kinds_of_input(student: Student, rng: np.random.Generator) -> None:
    """Lists, arrays and Series with any index are taken, whole numbers too, and left as they are."""
    for values in (rng.integers(0, 24, 7), np.round(rng.uniform(0, 24, 7), 2)):
        for kind in (list, np.array, series):
            found = student.encode_cyclical(kind(values.tolist()), 24)
            unchanged(student)
            on_circle(found, values.tolist(), 24)
