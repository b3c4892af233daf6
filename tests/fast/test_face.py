"""`autograder` as other programs import it: four names, light to import, with types."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from helpers.submissions import COURSE

import autograder


def test_it_offers_what_scripts_need_and_no_more() -> None:
    assert autograder.__all__ == sorted(autograder.__all__)
    for name in autograder.__all__:
        assert getattr(autograder, name).__name__ == name
        assert name in dir(autograder)
    with pytest.raises(AttributeError, match="has no attribute 'regrade'"):
        _ = autograder.regrade


def test_to_import_it_imports_nothing_else() -> None:
    """The commands start with it, and the students' part has not all modules."""
    code = "import sys; before = set(sys.modules); import autograder; print(*(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=COURSE.root)
    assert [name for name in run.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names] == [
        "autograder"
    ]


def test_its_types_come_with_it(tmp_path: Path) -> None:
    """Type checkers read those of a package that says so, also when it is installed from a wheel."""
    build = [sys.executable, "-m", "flit_core.wheel", "--outdir", str(tmp_path), str(COURSE.root)]
    subprocess.run(build, capture_output=True, check=True)
    [made] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(made) as wheel:
        assert "autograder/py.typed" in wheel.namelist()
