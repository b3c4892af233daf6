"""Cells in a kernel of this machine. A cell that ends its kernel, or does not come to an end, costs itself alone."""

import os
import queue
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL
from types import TracebackType
from typing import Any, Final, Self

from jupyter_client.manager import KernelManager

from autograder.boxed.reproducible import ONE_THREAD, REPRODUCIBLE, first_code
from autograder.errors import NotGradable
from autograder.seed import TRAINING_SEED
from autograder.submission.cell_errors import CellError, read_error, sentence
from autograder.submission.restoration import RestoredCell

START_SECONDS: Final = 60.0
# Garbage is collected more rarely than Python does it: a tenth of the time that TensorFlow takes to be imported.
RARELY: Final = "__import__('gc').set_threshold(100_000, 50, 100)"


class Run:
    """The cells of one notebook, in one kernel after another. The first starts when the `with` block begins."""

    def __init__(self, data: Sequence[Path]) -> None:
        """`data` is copied into the folder that the cells run in."""
        self._data = data
        self._kernel: _Kernel | None = None

    def all(self, cells: Sequence[RestoredCell], seconds: float) -> tuple[dict[int, str], dict[int, str]]:
        """Run them: what each cell raised that did, and how each ended that did not come to an end, by number.

        After the latter all others run again, without it. Raises NotGradable when no kernel starts.
        """
        ended: dict[int, str] = {}
        while True:
            errors: dict[int, str] = {}
            ran: dict[int, RestoredCell] = {}
            kernel = self._started()
            kernel.wait_until_ready()
            kernel.run(f"{RARELY}; {first_code(TRAINING_SEED)}", START_SECONDS, silent=True)
            for cell in cells:
                if cell.number in ended:
                    continue
                try:
                    count, error = kernel.run(cell.source, seconds)
                except _Ended as how:
                    ended[cell.number] = str(how)
                    self._close()
                    break
                ran[count] = cell
                if error is not None:
                    errors[cell.number] = sentence(error, cell, ran)
            else:
                return errors, ended

    def _started(self) -> "_Kernel":
        if self._kernel is None:
            self._kernel = _Kernel(self._data)
        return self._kernel

    def _close(self) -> None:
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None

    def __enter__(self) -> Self:
        self._started()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()


class _Ended(Exception):
    """A cell did not come to an end. The message says how it ended."""


class _Kernel:
    """A kernel in a folder of its own, with the variables that a box has, and without the student's own settings."""

    def __init__(self, data: Sequence[Path]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        for path in data:
            shutil.copy(path, self._folder.name)
        paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        settings = {"PATH": paths, "IPYTHONDIR": str(Path(self._folder.name, ".ipython"))}
        self._manager = KernelManager(kernel_name="python3")
        try:
            self._manager.start_kernel(
                # Not its warnings about how it listens, and no history beside the notebook.
                extra_arguments=["--log-level=ERROR", "--HistoryManager.hist_file=:memory:"],
                cwd=self._folder.name,
                env=os.environ | REPRODUCIBLE | ONE_THREAD | settings,
                # What C code writes to the process's own streams is nobody's output.
                stdout=DEVNULL,
                stderr=DEVNULL,
            )
        except Exception as problem:
            self._folder.cleanup()
            raise _no_kernel(f"{type(problem).__name__}: {problem}") from problem
        self._client = self._manager.blocking_client()
        self._client.start_channels(stdin=False, hb=False)  # nobody asks these

    def wait_until_ready(self) -> None:
        """Until it answers, and its outputs arrive. Raises NotGradable when it does not."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._manager.is_alive():
            asked = self._client.kernel_info()
            if self._output(asked, time.monotonic() + 0.5) is not None:
                return
        raise _no_kernel("it does not answer")

    def run(self, source: str, seconds: float, *, silent: bool = False) -> tuple[int, CellError | None]:
        """Run one cell: its count among those that were run, and its error, or None. Raises _Ended."""
        until = time.monotonic() + seconds
        asked = self._client.execute(source, silent=silent, store_history=not silent, allow_stdin=False,
                                     stop_on_error=False)  # fmt: skip
        count, error = 0, None
        while True:
            message = self._output(asked, min(time.monotonic() + 1, until))
            if message is None and not self._manager.is_alive():
                raise _Ended("the kernel ended here; the other cells were run without it")
            if message is None and time.monotonic() >= until:
                raise _Ended(f"still running after {seconds:.0f} seconds; the other cells were run without it")
            if message is None:
                continue
            content = message["content"]
            if message["msg_type"] == "execute_input":
                count = content["execution_count"]
            if message["msg_type"] == "error":
                error = read_error(content)
            if content.get("execution_state") == "idle":
                break
        if self._asks_to_end(asked):
            raise _Ended("the kernel ended here; the other cells were run without it")
        return count, error

    def close(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()
        self._folder.cleanup()

    def _output(self, asked: str, until: float) -> dict[str, Any] | None:
        """The next message on account of the request; None when there is none in time."""
        while (left := until - time.monotonic()) > 0:
            try:
                message: dict[str, Any] = self._client.get_iopub_msg(timeout=left)
            except queue.Empty:
                return None
            if message["parent_header"].get("msg_id") == asked:
                return message
        return None

    def _asks_to_end(self, asked: str) -> bool:
        """Whether the cell called `quit()`: the kernel goes a moment later."""
        while True:
            try:
                reply = self._client.get_shell_msg(timeout=1)
            except queue.Empty:
                return False
            if reply["parent_header"].get("msg_id") == asked:
                return any(one.get("source") == "ask_exit" for one in reply["content"].get("payload", []))


def _no_kernel(why: str) -> NotGradable:
    return NotGradable(
        f"The notebook cannot be run, because Jupyter's kernel did not start ({why}). "
        "Install the course's packages again, as the README says."
    )
