#!/usr/bin/env bash
# Guess: the first explicit example that fails ends the test, so what the test did last belongs to the failure that is
#   reported, as with drawn inputs, where the smallest failing one is run again at the end.
# Seen: with report_multiple_bugs, which is the default, the explicit examples behind a failing one are run as well, and
#   the failing one is not run again. The test's last run is one that passed; the error that is raised is of another.
#   With report_multiple_bugs=False it ends at the first, as guessed.
# Versions: hypothesis 6.170.17, Python 3.11.
# Why it matters: a tool that records what a test did, to show it beside the error, shows the wrong call.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check hypothesis==6.170.17
cat > "$folder/ran.py" <<'PYTHON'
import sys

import hypothesis
from hypothesis import example, given, settings
from hypothesis import strategies as st

ran = []


@settings(report_multiple_bugs=sys.argv[1] == "several", phases=[hypothesis.Phase.explicit], database=None)
@given(st.integers())
@example(3)
@example(-1)
@example(7)
def check(number):
    ran.append(number)
    assert number >= 0, number


try:
    check()
except AssertionError as error:
    print(f"hypothesis {hypothesis.__version__}, {sys.argv[1]}: ran {ran}, raised for {error}")
PYTHON
several=$("$folder/venv/bin/python" "$folder/ran.py" several)
one=$("$folder/venv/bin/python" "$folder/ran.py" one)
echo "$several"
echo "$one"
case $several in *"ran [3, -1, 7], raised for -1"*) ;; *) echo "It is otherwise now."; exit 1 ;; esac
case $one in *"ran [3, -1], raised for -1"*) ;; *) echo "It is otherwise now."; exit 1 ;; esac
