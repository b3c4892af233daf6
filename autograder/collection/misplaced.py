"""Notebooks in a repository that seem to be an assignment's, and are where nobody looks for them.

A repository is hostile: its tree may hold itself without end. So no more than a few folders of a few levels are listed.
"""

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from autograder.collection.git import Git, GitError
from autograder.submission.near_names import nearest
from autograder.text import plain

LEVELS: Final = 4  # as `work/03_numeric_data/again/03_numeric_data.ipynb`
MOST_FOLDERS: Final = 100  # of one level
LONGEST: Final = 300  # characters of a path
MOST_TOLD: Final = 5


def misplaced(
    commit: str, repository: Path, git: Git, released: dict[str, bytes], known: Collection[str], found: dict[str, str]
) -> Iterator[str]:
    """A sentence for each, with the assignment that it seems to be; at most five.

    `released` has the notebook of each assignment that is wanted, `known` the paths where notebooks are looked for, and
    `found` those of them that were taken. Where an assignment's notebook was taken and is begun, nothing is misplaced.
    """
    blobs = dict(_notebooks(commit, repository, git))
    untouched = {_blob(data) for data in released.values()}
    begun = {name for name, path in found.items() if path not in blobs or blobs[path] not in untouched}
    told = 0
    for path, blob in sorted(blobs.items()):
        meant = _meant(path, released)
        if path in known or blob in untouched or meant is None or meant in begun or told == MOST_TOLD:
            continue
        told += 1
        yield (
            f"{plain(path, 200)} was not collected: it seems to be {meant}, which belongs at "
            f"work/{meant}/{meant}.ipynb. Move it there, and push again"
        )


def _meant(path: str, names: Collection[str]) -> str | None:
    """The assignment that the file's name, or that of a folder on its way, is or nearly is."""
    *folders, file = path.split("/")
    for part in (file.removesuffix(".ipynb"), *folders[::-1]):
        name = part if part in names else nearest(part, names)
        if name:
            return name
    return None


def _notebooks(commit: str, repository: Path, git: Git) -> Iterator[tuple[str, str]]:
    """Path and blob of the notebooks that people see, level by level."""
    folders: list[str] = []
    for level in range(LEVELS):
        if level and not folders:
            return
        try:
            listed = git.run(repository, "--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, *folders)
        except GitError:  # of so many files no list is made
            return
        folders = []
        for entry in listed.decode("utf-8", "surrogateescape").split("\0"):
            head, _, path = entry.partition("\t")
            if not path or path.rpartition("/")[2].startswith(".") or len(path) > LONGEST:
                continue
            mode, kind, blob = head.split()
            if kind == "blob" and mode in {"100644", "100755"} and path.endswith(".ipynb"):
                yield path, blob
            elif kind == "tree" and len(folders) < MOST_FOLDERS:
                folders.append(f"{path}/")


def _blob(data: bytes) -> str:
    """The name that git gives a file of these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
