"""What a result was made with is recorded by the names of what is installed."""

import importlib.metadata
from collections.abc import Iterator

import pytest

from autograder import versions


@pytest.fixture(autouse=True)
def again() -> Iterator[None]:
    versions.versions_here.cache_clear()
    yield
    versions.versions_here.cache_clear()


def only(monkeypatch: pytest.MonkeyPatch, **installed: str) -> None:
    found = {name.replace("_", "-"): version for name, version in installed.items()}

    def version(name: str) -> str:
        if name not in found:
            raise importlib.metadata.PackageNotFoundError(name)
        return found[name]

    monkeypatch.setattr(importlib.metadata, "version", version)


@pytest.mark.parametrize("name", ["tensorflow", "tensorflow_cpu"])
def test_tensorflow_is_recorded_by_the_name_of_what_is_installed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, **{name: "2.21.0"}, keras="3.15.1")
    found = versions.versions_here()
    assert list(found)[2:] == [name.replace("_", "-"), "keras"]
    assert "tensorflow" not in versions.missing()
    assert "numpy" in versions.missing()


def test_without_tensorflow_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, keras="3.15.1")
    assert "tensorflow" in versions.missing()


def test_here_nothing_is_missing() -> None:
    assert versions.missing() == []
