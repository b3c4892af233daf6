"""The grader as a user without rights, for tests that run as root; and without user namespaces, as Ubuntu has it."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = 1500


@contextmanager
def home() -> Iterator[Path]:
    """A folder that others may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="lstm-plain-user-") as folder:
        yield Path(folder)


def become(folder: Path, *, namespaces: bool = True) -> list[str]:
    """The words before a command that make it run as a plain user who owns `folder`, his home.

    Without `namespaces` he may not make user namespaces, of which a plain user's box is made.
    """
    at_home = ["env", f"HOME={folder}"]
    if os.geteuid() != 0:
        closed = ["bwrap", "--dev-bind", "/", "/", "--unshare-user", "--disable-userns"]
        return at_home if namespaces else [*closed, *at_home]
    folder.chmod(0o755)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, USER, USER, follow_symlinks=False)
    # Root's own folder, where Python may be installed, is closed to others: only Python is shown.
    python = Path(sys.base_prefix)
    show = [str(Path(*python.parts[:3]))] * 2 if python.is_relative_to("/root") else []
    words = ["bwrap", "--dev-bind", "/", "/", "--tmpfs", "/root", *(["--ro-bind", *show] if show else [])]
    if not namespaces:
        return [*words, "--unshare-user", "--disable-userns", "--uid", str(USER), "--gid", str(USER), *at_home]
    return [*words, "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all", *at_home]
