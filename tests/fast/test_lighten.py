"""What is removed from a virtual environment is what nobody runs, and nothing else."""

import shutil
import sys
import sysconfig
from pathlib import Path

import pytest

from autograder import lighten

KEPT = (
    "tensorflow/python/ops.py",
    "tensorflow/core/include/x.h",
    "numpy/testing/__init__.py",
    "numpy/linalg/linalg.py",
    "pandas/tests.py",
    "jupyterlab/tests/test_app.py",  # jupyterlab's own check imports it
)
REMOVED = (
    "tensorflow/include/Eigen/Core",
    "numpy/tests/test_all.py",
    "numpy/linalg/tests/data/tests/deep.npy",
    "pandas/tests/io/test_csv.py",
)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `site-packages`, and a Python that takes it for its own."""
    for name in (*KEPT, *REMOVED):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    return tmp_path


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_headers_and_tests_go_and_nothing_else(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "base_prefix", "/elsewhere")
    for _ in range(2):  # again, it finds nothing to do
        lighten.main()
        assert files(packages) == set(KEPT)


def test_outside_of_a_virtual_environment_nothing_goes(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)
    with pytest.raises(SystemExit, match="no virtual environment"):
        lighten.main()
    assert files(packages) == {*KEPT, *REMOVED}


def test_what_cannot_be_removed_is_told(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sys, "base_prefix", "/elsewhere")
    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(SystemExit, match=r"include cannot be removed \(Permission denied\)\. It only takes room"):
        lighten.main()
