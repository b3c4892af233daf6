#!/usr/bin/env bash
# Take the pictures of the README again: the tops of two pages of a real grading. Needs Chromium.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
.venv/bin/python -I -m autograder grade tests/class --output "$folder/results" --cell-seconds 20 >/dev/null

picture() { # NAME PAGE HEIGHT
  chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync \
    --hide-scrollbars --user-data-dir="$folder/browser" --window-size="1000,$3" \
    --screenshot="docs/pictures/$1.png" "file://$folder/results/$2" 2>/dev/null
}

picture feedback bob-partly-right/03_numeric_data/feedback.html 700
picture class index.html 640
