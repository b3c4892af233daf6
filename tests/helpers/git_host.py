"""Students' repositories, and a server that stands in for GitHub: on this machine, by http, with a token."""

import base64
import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from helpers.submissions import Notebook, write

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def git(folder: Path, *arguments: str, **environment: str) -> str:
    """Git as a student has it."""
    command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *arguments]
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **environment}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, env=clean).stdout.strip()


class Repository:
    """A student's bare repository, and a working copy of it."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.bare, self.copy = folder / f"{name}.git", folder / f"{name}-copy"
        git(folder, "init", "-q", "--bare", "-b", "main", str(self.bare))
        git(folder, "clone", "-q", str(self.bare), str(self.copy))
        git(self.copy, "checkout", "-q", "-B", "main")

    def write(self, notebook: Notebook, place: str) -> None:
        write(notebook, self.copy / place)

    def push(self, dated: datetime = NOON, *options: str) -> str:
        """Commit and push all there is; returns the commit."""
        dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), dated.isoformat())
        git(self.copy, "add", "-A")
        git(self.copy, "commit", "-q", "--allow-empty", "-m", "work", *options, **dates)
        git(self.copy, "push", "-q", "--force", "origin", "main")
        return git(self.copy, "rev-parse", "HEAD")


class Server(http.server.ThreadingHTTPServer):
    """`address` is where it is; `asked` are the headers that requests came with."""

    asked: list[str]
    address: str


@contextmanager
def serving(folder: Path, token: str | None = None) -> Iterator[Server]:
    """The bare repositories under `folder`; with a token, to nobody without it, as GitHub does: with a 404."""
    wanted = "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode() if token else None

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.headers.get("Authorization", "")
            server.asked.append(given)
            if wanted is not None and given != wanted:
                self.send_error(404)
                return
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            environment = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }
            run = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
            head, _, content = run.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        server.address = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
