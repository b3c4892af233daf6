"""Remove from this virtual environment what nobody runs here: TensorFlow's C++ headers, and other packages' own tests.

    .venv/bin/python -m autograder.lighten

That is a fifth of what was installed. Nothing that a notebook or the grader imports goes.
"""

import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HEADERS: Final = "tensorflow/include"  # to compile operations of one's own
TESTED: Final = ("matplotlib", "numpy", "pandas", "scipy", "sklearn")


def unused(packages: Path) -> Iterator[Path]:
    """The folders in `packages` (a `site-packages`) that nobody runs; none of them is in another."""
    if (packages / HEADERS).is_dir():
        yield packages / HEADERS
    for name in TESTED:
        found = sorted(path for path in (packages / name).rglob("tests") if path.is_dir())
        yield from (path for path in found if not any(above in path.parents for above in found))


def main() -> None:
    """Raises SystemExit, with a sentence, outside of a virtual environment and where a folder cannot be removed."""
    if sys.prefix == sys.base_prefix:
        sys.exit(f"{sys.prefix} is no virtual environment, so others may need what is in it. Nothing was removed.")
    for packages in {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}:
        for folder in list(unused(packages)):
            try:
                shutil.rmtree(folder)
            except OSError as problem:
                sys.exit(f"{folder} cannot be removed ({problem.strerror}). It only takes room: you can go on without.")


if __name__ == "__main__":
    main()
