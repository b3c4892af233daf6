"""A notebook's kernel by fork: what is imported already is there, and need not be imported again."""

import json
import os
import signal
import sys
import traceback
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

# Imported once, for whoever is forked: what a kernel imports on its way.
import ipykernel.debugger
import ipykernel.zmqshell  # noqa: F401
import IPython.core.completerlib
import IPython.extensions.storemagic  # noqa: F401
import tornado.platform.asyncio  # noqa: F401
from ipykernel import kernelapp
from jupyter_client.localinterfaces import local_ips
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Any as AnyTrait

from . import confine

MODULE = "ipykernel_launcher"
LAUNCHER = str(getattr(find_spec(MODULE), "origin", MODULE))
local_ips()  # asks other programs, and is remembered


class ForkedKernel:
    """A process forked before the agent has opened or started anything, which waits to become the kernel.

    It has what jupyter_client uses of a `subprocess.Popen`.
    """

    stdin = stdout = stderr = None
    returncode: int | None = None

    def __init__(self) -> None:
        receiver, self._sender = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._sender)
            _become(receiver)
        os.close(receiver)

    def start(self, command: list[str], env: dict[str, str], cwd: str) -> None:
        env = {**env, "JPY_PARENT_PID": str(os.getpid())}
        with open(self._sender, "w") as pipe:
            json.dump({"arguments": command[command.index(MODULE) + 1 :], "env": env, "cwd": cwd}, pipe)

    def poll(self) -> int | None:
        return self._waited(os.WNOHANG)

    def wait(self, timeout: float | None = None) -> int | None:
        return self._waited(0)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _waited(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


class Provisioner(LocalProvisioner):
    """Starts the kernel that has been forked, in place of a command."""

    forked: Any = AnyTrait()

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        self.forked.start(cmd, options["env"], options.get("cwd") or str(Path.cwd()))
        self.process = self.forked
        self.pid = self.pgid = self.forked.pid
        return self.connection_info


def _become(receiver: int) -> NoReturn:
    """The kernel's whole life: wait for the word, be what `python -m ipykernel_launcher` is, end."""
    status = 1
    try:
        os.setsid()
        with open(receiver) as pipe:
            text = pipe.read()
        if not text:
            os._exit(0)  # the agent came to no kernel
        word = json.loads(text)
        confine.call_me("kernel")
        confine.dumpable(True)  # as any program that was started by a command; the agent stays closed
        os.environ.clear()
        os.environ.update(word["env"])
        os.chdir(word["cwd"])
        _as_python_starts(word["arguments"])
        # Read from the environment when the parent imported it, and so not from this one.
        kernelapp.launch_new_instance(parent_handle=os.getppid())
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
        os._exit(status)


def _as_python_starts(arguments: list[str]) -> None:
    """What a notebook sees of `python -m ipykernel_launcher`, and what it finds beside itself."""
    package = str(Path(__file__).resolve().parent.parent)
    sys.path[:] = [place for place in sys.path if place not in {package, ""}]
    # IPython puts the working folder there, but not in a process with -P, as the warm parent is.
    packages = (place for place, name in enumerate(sys.path) if Path(name).name in {"site-packages", "dist-packages"})
    sys.path.insert(next(packages, 0), "")
    sys.argv = [LAUNCHER, *arguments]
    sys.orig_argv[:] = [sys.executable, "-m", MODULE, *arguments]
