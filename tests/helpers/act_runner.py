"""The real workflow files, run on this machine by act, with small stand-ins for what only GitHub has.

Stand-ins: actions that cannot be fetched (caches and artifacts are folders here, Python is the tests' own), `gh`
(writes down what it was asked) and `sudo` (there is no other user). Everything else really runs.

act skips a job whose runner it does not know and ends with status 0, enforces no time limit, no permission and no
environment, and stops no matrix at 256: so a test asserts which jobs and steps ran, never the status alone.
"""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from helpers.submissions import COURSE

ROOT = COURSE.root
RUNNERS: Final = ("ubuntu-24.04",)
BIN = Path(sys.executable).parent

CACHE = """
import os, pathlib, shutil, sys
what, key, more, path = sys.argv[1:5]
caches = pathlib.Path(os.environ["STAND_IN"], "caches")
caches.mkdir(exist_ok=True)
place = pathlib.Path(path).expanduser()
out = open(os.environ["GITHUB_OUTPUT"], "a")
print(f"cache-primary-key={key}", file=out)
if what == "save":
    if place.exists() and not (caches / key).exists():
        shutil.copytree(place, caches / key)
else:
    found = [caches / key] if (caches / key).exists() else []
    for prefix in more.split():
        found += sorted((one for one in caches.glob(prefix + "*")), key=lambda one: -one.stat().st_ctime_ns)
    if found:
        shutil.copytree(found[0], place, dirs_exist_ok=True)
        print(f"cache-matched-key={found[0].name}", file=out)
    print(f"cache-hit={str(bool(found) and found[0].name == key).lower()}", file=out)
"""
UPLOAD = """
import os, pathlib, shutil, sys
name, paths, missing = sys.argv[1], [pathlib.Path(one) for one in sys.argv[2].split()], sys.argv[3]
target = pathlib.Path(os.environ["STAND_IN"], "artifacts", name)
assert not target.exists(), f"an artifact {name} is there already"
there = [path for path in paths if path.exists()]
if not there:
    sys.exit(f"nothing to upload as {name}" if missing == "error" else 0)
root = there[0] if len(paths) == 1 else pathlib.Path(".")
for path in there:
    for file in [path, *path.rglob("*")]:
        if file.is_file():
            place = target / file.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
"""
DOWNLOAD = """
import os, pathlib, shutil, sys
name, pattern, path = sys.argv[1:4]
artifacts = pathlib.Path(os.environ["STAND_IN"], "artifacts")
if name:
    shutil.copytree(artifacts / name, path, dirs_exist_ok=True)
else:
    for one in sorted(artifacts.glob(pattern)):
        shutil.copytree(one, pathlib.Path(path) / one.name)
"""


def composite(inputs: dict[str, str], script: str, *arguments: str, outputs: tuple[str, ...] = ()) -> str:
    """An action that runs a Python script with its inputs; `inputs` are names and defaults."""
    lines = ["name: stand-in", "description: stand-in", "inputs:" if inputs else "inputs: {}"]
    for name, default in inputs.items():
        lines += [f"  {name}:", f"    default: {json.dumps(default)}"]
    lines += ["outputs:" if outputs else "outputs: {}"]
    for name in outputs:
        lines += [f"  {name}:", f"    value: ${{{{ steps.it.outputs.{name} }}}}"]
    words = " ".join(f'"${argument}"' for argument in arguments)
    lines += ["runs:", "  using: composite", "  steps:", "    - id: it", "      shell: bash", "      env:"]
    lines += [f"        {argument}: ${{{{ inputs.{argument.lower().replace('_', '-')} }}}}" for argument in arguments]
    lines += ["        NOTHING: ''", f'      run: python3 "$STAND_IN/{script}" {words}']
    return "\n".join(lines) + "\n"


@dataclass
class Run:
    """What act told: each job's outcome by its name, and all it said."""

    status: int
    events: list[dict[str, Any]]
    stand_in: Path
    jobs: dict[str, str] = field(default_factory=dict)

    def _of(self, job: str) -> Iterator[dict[str, Any]]:
        return (one for one in self.events if _job(one) == job)

    def steps(self, job: str) -> dict[str, str]:
        """Each step's outcome by its name; of the actions that a step consists of, nothing."""
        return {
            str(one["step"]).partition("@")[0]: str(one["stepResult"])
            for one in self._of(job)
            if one.get("stepResult") and one.get("stage") == "Main" and len(one["stepID"]) == 1
        }

    def said(self, job: str) -> str:
        """All that the job's steps wrote, but for commands to the runner."""
        return "\n".join(str(one.get("msg", "")) for one in self._of(job) if one.get("raw_output"))

    def commands(self, name: str, job: str) -> list[dict[str, Any]]:
        return [one for one in self._of(job) if one.get("command") == name]

    def summary(self, job: str) -> str:
        return "\n".join(str(one.get("content", "")) for one in self.commands("summary", job))

    def artifact(self, name: str) -> Path:
        return self.stand_in / "artifacts" / name

    def everything(self) -> str:
        """All that anybody could read of the run."""
        return json.dumps(self.events, ensure_ascii=False)


class GitHub:
    """Runs workflows of a repository that holds `files`; caches outlive a run, artifacts do not."""

    def __init__(self, folder: Path, repository: Path, environment: bool = True) -> None:
        """With no `environment` there is no grader in the jobs."""
        self.stand_in, self.repository, self._home = folder / "stand-in", repository, folder / "home"
        self._home.mkdir(parents=True)
        self._runs = 0
        self._bin = self.stand_in / "bin"
        self._bin.mkdir(parents=True)
        self._write_programs()
        self._write_actions()
        if environment:
            _environment_for(self.stand_in / "venv")

    def _write_programs(self) -> None:
        (self._bin / "python3").symlink_to(os.path.realpath(sys.executable))  # for the stand-ins themselves
        programs = {
            "python": 'exec "$STAND_IN/venv/bin/python" "$@"',
            # The options say what is let through; then it is as if one were root.
            "sudo": 'while [ "${1#-}" != "$1" ]; do echo "$1" >> "$STAND_IN/sudo"; shift; done; exec "$@"',
            "gh": 'printf "%s\\n" "$*" >> "$STAND_IN/gh"',
            "sysctl": 'echo "$*" >> "$STAND_IN/sysctl"',
        }
        for name, script in programs.items():
            path = self._bin / name
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)

    def _write_actions(self) -> None:
        for name, script in {"cache.py": CACHE, "upload.py": UPLOAD, "download.py": DOWNLOAD}.items():
            (self.stand_in / name).write_text(script)
        (self.stand_in / "setup.py").write_text(
            'import os, sys\nos.path.lexists(".venv") or os.symlink(os.environ["STAND_IN"] + "/venv", ".venv")\n'
        )
        cache = {"path": "", "key": "", "restore-keys": "", "what": ""}
        outputs = ("cache-hit", "cache-matched-key", "cache-primary-key")
        actions = {
            "setup-python": composite({"python-version": ""}, "setup.py"),
            "upload-artifact": composite(
                {"name": "artifact", "path": "", "if-no-files-found": "warn", "retention-days": "",
                 "include-hidden-files": ""},
                "upload.py", "NAME", "PATHS", "IF_NO_FILES_FOUND",
            ).replace("inputs.paths", "inputs.path"),
            "download-artifact": composite(
                {"name": "", "pattern": "", "path": "."}, "download.py", "NAME", "PATTERN", "PLACE"
            ).replace("inputs.place", "inputs.path"),
        }  # fmt: skip
        for what in ("restore", "save"):
            actions[f"cache/{what}"] = composite(
                {**cache, "what": what}, "cache.py", "WHAT", "KEY", "RESTORE_KEYS", "PLACE", outputs=outputs
            ).replace("inputs.place", "inputs.path")
        for name, text in actions.items():
            path = self.stand_in / "actions" / name / "action.yml"
            path.parent.mkdir(parents=True)
            path.write_text(text)

    def run(
        self,
        workflow: str,
        event: str = "workflow_dispatch",
        *,
        inputs: dict[str, str] | None = None,
        secrets: dict[str, str] | None = None,
        variables: dict[str, str] | None = None,
    ) -> Run:
        shutil.rmtree(self.stand_in / "artifacts", ignore_errors=True)
        payload = self.stand_in / "event.json"
        repository = {"default_branch": "main", "full_name": "course/lstm"}
        payload.write_text(json.dumps({"repository": repository, "inputs": inputs or {}, "ref": "refs/heads/main"}))
        self._runs += 1
        path = self.repository / workflow
        command = [str(BIN / "act"), event, "-W", workflow, "-e", str(payload), "--json", "--no-cache-server"]
        command += ["--actor", "lecturer", "--env", f"STAND_IN={self.stand_in}", "--concurrent-jobs", "2"]
        command += ["--env", f"GITHUB_RUN_ID={self._runs}"]
        for flag, values in (("-s", secrets), ("--var", variables), ("--input", inputs)):
            for name, value in (values or {}).items():
                command += [flag, f"{name}={value}"]
        for label in RUNNERS:
            command += ["-P", f"{label}=-self-hosted"]
        for name in sorted(pinned(path, self.repository)):
            action = name.partition("@")[0].partition("/")[2]
            command += ["--local-repository", f"{name}={self.stand_in / 'actions' / action}"]
        environment = {
            "PATH": f"{self._bin}:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(self._home),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        run = subprocess.run(
            command,
            cwd=self.repository,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        events = list(_events(run.stdout + "\n" + run.stderr))
        jobs = {_job(one): str(one["jobResult"]) for one in events if one.get("jobResult")}
        return Run(run.returncode, events, self.stand_in, jobs)


def pinned(workflow: Path, repository: Path) -> set[str]:
    """OWNER/NAME@SHA of every action that the workflow uses, also by the repository's own actions."""
    text = workflow.read_text()
    for own in re.findall(r"uses: *\./(\S+)", text):
        text += (repository / own / "action.yml").read_text()
    return {f"{owner}@{sha}" for owner, sha in re.findall(r"uses: *([\w-]+/[\w-]+)(?:/[\w/-]+)?@([0-9a-f]{40})", text)}


def _job(event: dict[str, Any]) -> str:
    return str(event.get("job", "")).rpartition("/")[2].strip()  # act pads names to one length


def _events(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            event = {"msg": line}
        yield event if isinstance(event, dict) else {"msg": line}


def _environment_for(folder: Path) -> None:
    """The tests' own environment, as a job's `.venv`: its grader is the one of the folder that `.venv` lies in."""
    here = BIN.parent
    # Hard links: nothing in a job may write into an installed file, and nothing has a reason to.
    if subprocess.run(["cp", "-al", here, folder], check=False, capture_output=True).returncode:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(here, folder, symlinks=True)
    [packages] = folder.glob("lib/python3.*/site-packages")
    for path in packages.glob("*.pth"):
        if path.read_text().strip() and (Path(path.read_text().strip()) / "autograder").is_dir():
            path.unlink()
    (packages / "grader-of-the-job.pth").write_text("../../../..\n")
    mark = folder / "installed"
    mark.unlink(missing_ok=True)
    mark.touch()
    os.utime(mark, (2**32, 2**32))  # newer than any file of the repository: nothing is to be installed


def repository_of(folder: Path, *parts: str, **files: str) -> Path:
    """A git repository with these parts of ours as they are now, and more files."""
    folder.mkdir(parents=True)
    listed = subprocess.run(
        ["git", "ls-files", "-zco", "--exclude-standard", *parts], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    for name, text in files.items():
        (folder / name).write_text(text)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git = ["git", "-c", "user.name=Course", "-c", "user.email=course@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "course"]):
        subprocess.run([*git, *words], cwd=folder, check=True, capture_output=True)
    address = "https://github.com/course/lstm.git"
    subprocess.run(["git", "config", "remote.origin.url", address], cwd=folder, check=True)
