"""Git on repositories of strangers: fetches and reads objects, and runs nothing that they hold.

Nothing is ever checked out, so that hooks, attributes, filters, large-file pointers, links and submodules
stay bytes. What git may talk, for how long, and how much it may write is bounded.
"""

import base64
import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder.text import plain

# -c options come before what a repository's own configuration says.
_SETTINGS: Final = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.attributesFile": os.devnull,
    "core.bigFileThreshold": "16m",  # larger objects are not taken into memory
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.followRedirects": "false",  # a token goes to the server that it is for, and to no other
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
    "protocol.version": "2",
}
_PASSED_ON: Final = (
    "PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",
)  # fmt: skip


class GitError(Exception):
    """Git did not do it; the message is what it said last."""


class TooSlow(GitError):
    """It took longer than it may."""


@dataclass(frozen=True)
class Git:
    """How to reach repositories. `token` is sent to `server` alone, by a header that no file and no list shows;
    None: there is none. A command may take `seconds`, and write files of so many `megabytes` (2**20 bytes) each. With
    `local` a repository may be a folder of this machine.
    """

    server: str = "https://github.com"
    token: str | None = None
    local: bool = False
    seconds: float = 120
    megabytes: int = 200

    def address(self, repository: str) -> str:
        """Where git finds the repository: OWNER/NAME is on the server, all else says itself where it is."""
        short = "://" not in repository and not repository.startswith("/")
        return f"{self.server.rstrip('/')}/{repository}.git" if short else repository

    def run(self, folder: Path, *arguments: str, most: int = 2**20) -> bytes:
        """What git prints, at most `most` bytes of it.

        Raises GitError when git fails or prints more, TooSlow when it takes longer than `seconds`.
        """
        options = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        # A pack that outgrows the limit ends the process that writes it; blocks are 512 bytes.
        limits = 'ulimit -f "$0" && ulimit -c 0 && { ulimit -v 4194304 || true; } 2>/dev/null && exec "$@"'
        command = ["sh", "-c", limits, str(self.megabytes * 2048), "git", *options, f"--git-dir={folder}", *arguments]
        with tempfile.TemporaryFile() as told, tempfile.TemporaryDirectory(prefix="lstm-home-") as home:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=told,
                env=self._environment(home),
                start_new_session=True,
            )
            try:
                printed = self._read(process, most)
            finally:
                _end(process)
            told.seek(0)
            lines = [line for line in told.read(65536).decode("utf-8", "replace").splitlines() if line.strip()]
        if process.returncode:
            raise GitError(self._last(lines) or f"git ended with status {process.returncode}")
        return printed

    def _read(self, process: "subprocess.Popen[bytes]", most: int) -> bytes:
        assert process.stdout is not None
        alarm = _Alarm(process, self.seconds)
        with alarm:
            printed = process.stdout.read(most + 1)
            if len(printed) > most:
                raise GitError("it printed more than it may")
            process.wait()
        if alarm.rang:
            raise TooSlow(f"it took longer than {self.seconds:.0f} seconds")
        return printed

    def _environment(self, home: str) -> dict[str, str]:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        protocols = ["https", "http", *(["file"] if self.local else [])]
        environment |= {
            "HOME": home,
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "true",
            "GIT_ALLOW_PROTOCOL": ":".join(protocols),
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
        }
        if self.token:
            secret = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
            environment |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"http.{self.server.rstrip('/')}/.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: Basic {secret}",
            }
        return environment

    def _last(self, lines: Iterable[str]) -> str:
        told = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))] or list(lines)
        text = "; ".join(line.partition(":")[2].strip() or line for line in told[-2:])
        return plain(text.replace(self.token, "…") if self.token else text, 300)


class _Alarm:
    """Ends a process that takes too long."""

    def __init__(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        self.rang = False
        self._process = process
        self._timer = threading.Timer(seconds, self._ring)

    def _ring(self) -> None:
        self.rang = True
        _kill(self._process)

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *exception: object) -> None:
        self._timer.cancel()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """It and all that it started."""
    _kill(process)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
