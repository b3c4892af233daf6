#!/usr/bin/env bash
# Guess: `import nbformat` reads a few modules; to read and write notebooks takes no grammar of web addresses.
# Seen: where rfc3987-syntax is installed, as JupyterLab has it installed (jsonschema[format-nongpl]), nbformat imports
#   jsonschema, which imports rfc3987-syntax, which builds an Earley parser from the grammar of RFC 3987 at once.
#   That is most of the time of the import, and of that of nbclient, papermill and nbconvert.
# Versions: nbformat 5.11.1, jsonschema 4.26.0, rfc3987-syntax 1.1.0, lark 1.3.1, Python 3.11.
# Why it matters: a program that starts for one notebook pays most of a second for nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  nbformat==5.11.1 'jsonschema[format-nongpl]==4.26.0' rfc3987-syntax==1.1.0 lark==1.3.1
"$folder/venv/bin/python" -c "import nbformat"  # so that everything is compiled
cat > "$folder/took.py" <<'PYTHON'
import sys
import time

if sys.argv[1:] == ["without"]:
    sys.modules["rfc3987_syntax"] = None  # as if it were not installed
began = time.perf_counter()
import nbformat

print(time.perf_counter() - began)
PYTHON
as_it_is=$("$folder/venv/bin/python" "$folder/took.py")
without=$("$folder/venv/bin/python" "$folder/took.py" without)
echo "seconds to import nbformat: $as_it_is, without rfc3987-syntax: $without"
python3 -c "import sys; sys.exit(None if $as_it_is > 2 * $without else 'It is no longer the larger part.')"
