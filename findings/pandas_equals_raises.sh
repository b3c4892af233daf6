#!/usr/bin/env bash
# Guess: Series.equals answers True or False for any two Series, as == does for any two Python objects.
# Seen: of two categorical Series whose categories are one name and one tuple (as columns of a table with two header
#   rows may be called), in another order on either side, it raises TypeError: object of type 'int' has no len().
#   To compare them it hashes the categories, and takes all of them for tuples as soon as one is.
# Versions: pandas 3.1.1, NumPy 2.4.6, Python 3.11.
# Why it matters: a grader or a test that compares what somebody returned with `equals` ends in an exception of its own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import pandas as pd

print("pandas", pd.__version__)
names = [("wind", "mean"), 7]
one = pd.Series(pd.Categorical.from_codes([0, 1], pd.Index(names, tupleize_cols=False)))
other = pd.Series(pd.Categorical.from_codes([1, 0], pd.Index(names[::-1], tupleize_cols=False)))
print(one.tolist(), other.tolist())
try:
    print("equals:", one.equals(other))
except TypeError as error:
    print("equals raises TypeError:", error)
else:
    raise SystemExit("It does not raise any more.")
PYTHON
