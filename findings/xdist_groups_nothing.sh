#!/usr/bin/env bash
# Guess: with `pytest -n 2 --dist loadgroup`, tests marked `xdist_group("one")` all run in one process, or pytest-xdist
#   says that it cannot do so.
# Seen: with pytest 9.2 each process gets some of them, without a warning. pytest-xdist appends "@one" to the private
#   attribute `_nodeid` of a test, and pytest 9.2 no longer reads that attribute. With pytest 8.4 it works.
# Versions: pytest-xdist 3.8.0 with pytest 9.2.0 and 8.4.2, Python 3.11.
# Why it matters: tests that share what takes minutes to make, such as a graded class, make it once in each process. And
#   tests that must not run beside each other do.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
cat > "$folder/test_group.py" <<'PYTHON'
import time

import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(6))
def test_it(number):
    time.sleep(0.2)
PYTHON
processes() { # PYTEST'S VERSION
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0
  (cd "$folder" && venv/bin/pytest -p no:cacheprovider -n 2 --dist loadgroup -v) | grep -o '^\[gw[01]\]' | sort -u | wc -l
}
old=$(processes 8.4.2)
new=$(processes 9.2.0)
echo "Processes that ran the group, with pytest 8.4.2: $old, with pytest 9.2.0: $new"
test "$old" = 1 || { echo "Even the older version does not group."; exit 1; }
test "$new" = 2 || { echo "The newer version groups again."; exit 1; }
