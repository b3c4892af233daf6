"""The box's first program: lets papermill run the notebook and reports cell by cell.

The job comes as one frame: the notebook's cells, its parameters and the cells to leave out.
The reports are JSON frames; they are student-controlled from the moment the first cell runs.
"""

import contextlib
import json
import os
import queue
import socket
import time
import uuid
from pathlib import Path
from subprocess import DEVNULL
from typing import TYPE_CHECKING, Any

from .absent import absent

# jsonschema, which nbformat imports, would build a grammar of web addresses: most of a second, and nobody uses it here.
with absent("rfc3987_syntax"):
    import nbformat
import papermill
from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines

from . import protocol, reproducible

if TYPE_CHECKING:
    from .kernel import ForkedKernel

CHANNEL = os.environ.get("GRADER_CHANNEL", "")
# What one cell may report; the rest is dropped here and said so.
MAX_CELL_TEXT = 64 * 1024
MAX_CELL_IMAGES = 2 * 2**20
MAX_ERROR_TEXT = 8 * 1024


class Reporter:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def report(self, event: str, **facts: Any) -> None:
        protocol.send(self.connection, protocol.pack(json.loads(json.dumps({"event": event, **facts}))))


class PromptClient(AsyncKernelClient):
    """Is ready as soon as the kernel has answered on both channels; the inherited one waits 0.2 s more for nothing."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """`timeout` is the grader's affair, which waits for the first report."""
        while True:
            request = self.kernel_info()
            with contextlib.suppress(queue.Empty):
                reply = await self.shell_channel.get_msg(timeout=1)
                while reply["msg_type"] == "kernel_info_reply":
                    message = await self.iopub_channel.get_msg(timeout=0.2)
                    idle = message["content"].get("execution_state") == "idle"
                    if idle and message["parent_header"].get("msg_id") == request:
                        self._handle_kernel_info_reply(reply)
                        return
            if not await self.is_alive():
                raise RuntimeError("The kernel died before it was ready.")


class CellByCell(PapermillNotebookClient):
    """Runs every cell, whatever became of the one before, and stays to answer calls."""

    reporter: Reporter
    seed: int
    asked_to_exit = False
    forked: "ForkedKernel | None" = None

    def create_kernel_manager(self) -> Any:
        manager = super().create_kernel_manager()
        manager.client_factory = PromptClient
        if self.forked is not None:
            from .kernel import Provisioner

            manager.kernel_id = str(uuid.uuid4())
            manager.provisioner = Provisioner(
                forked=self.forked, kernel_id=manager.kernel_id, kernel_spec=manager.kernel_spec, parent=manager
            )
        return manager

    def papermill_execute_cells(self) -> None:
        self.kc.execute(reproducible.first_code(self.seed), silent=True, store_history=False)
        for index, cell in enumerate(self.nb.cells):
            number = cell.metadata.get("number")  # None: the parameters that papermill injected
            self.kept_text = self.kept_images = 0
            self.reporter.report("started", cell=number)
            started = time.monotonic()
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except CellExecutionError:
                self.nb_man.cell_exception(cell, cell_index=index)
            except DeadKernelError:
                self.died(number)
            if self.asked_to_exit:
                self.died(number)  # `quit()`: the kernel goes a moment later, and the next cell is not to blame
            self.nb_man.cell_complete(cell, cell_index=index)
            seconds = time.monotonic() - started
            count, outputs = cell.get("execution_count"), cell.get("outputs", [])
            self.reporter.report("ended", cell=number, count=count, seconds=seconds, outputs=outputs)
        self.reporter.report("executed")
        token = protocol.unpack(protocol.receive(self.reporter.connection))
        self.kc.execute(
            "import sys as _sys; _sys.path.insert(0, "
            f"{str(Path(__file__).resolve().parent.parent)!r}); from boxed import serving as _serving; "
            f"_serving.start({CHANNEL!r}, {token!r})",
            silent=True,
            store_history=False,
        )
        while self.km.provisioner.process.poll() is None:
            time.sleep(0.2)
        os._exit(1)

    def died(self, number: int | None) -> None:
        """The line ends here: the examiner starts a new box without this cell."""
        self.reporter.report("died", cell=number)
        os._exit(1)

    def replied(self, execute_reply: dict[str, Any], **_: Any) -> None:
        payload = execute_reply["content"].get("payload", [])
        self.asked_to_exit = any(part.get("source") == "ask_exit" for part in payload)

    def output(self, outs: list[NotebookNode], msg: Any, display_id: str | None, cell_index: int) -> Any:
        """Keep an output while there is room for it."""
        content = msg["content"]
        images = [data for kind, data in content.get("data", {}).items() if kind.startswith("image/")]
        size = sum(len(str(value)) for value in content.values())
        room = MAX_CELL_IMAGES - self.kept_images if images else MAX_CELL_TEXT - self.kept_text
        if images:
            self.kept_images += size
        elif content.get("name") in {"stdout", "stderr"}:
            self.kept_text += size
            if 0 < room < size:
                content["text"] = content["text"][:room] + "\n... (the rest of the output was dropped)\n"
                room = size
        else:
            self.kept_text += size
        if msg["msg_type"] == "error":
            # What the student most needs: it always stays, as much of it as somebody would read.
            content["evalue"] = str(content["evalue"])[:MAX_ERROR_TEXT]
            frames = [str(line)[-MAX_ERROR_TEXT:] for line in content["traceback"]]
            cells = [frame for frame in frames[:-20] if "In[" in frame[:100]]  # before those of a deep library
            content["traceback"] = cells[-20:] + frames[-20:]
            return super().output(outs, msg, display_id, cell_index)
        if size <= room:
            return super().output(outs, msg, display_id, cell_index)
        return None


class BoxedEngine(NBClientEngine):
    """The papermill engine whose kernel outlives the last cell."""

    reporter: Reporter
    seed: int
    forked: "ForkedKernel | None" = None

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        client = CellByCell(
            nb_man, kernel_name=kernel_name, allow_errors=True, raise_on_iopub_timeout=False, timeout=None,
            # What C code writes to the process's own streams (TensorFlow's greetings) is nobody's output.
            extra_arguments=["--IPKernelApp.capture_fd_output=False"],
        )  # fmt: skip
        client.reporter, client.seed, client.forked = cls.reporter, cls.seed, cls.forked
        client.on_cell_executed = client.replied
        client.execute(stdout=DEVNULL, stderr=DEVNULL)


def notebook(cells: list[dict[str, Any]]) -> NotebookNode:
    book = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
    )
    for cell in cells:
        tags = {"tags": ["parameters"]} if cell["parameters"] else {}
        book.cells.append(nbformat.v4.new_code_cell(cell["source"], metadata={"number": cell["number"], **tags}))
    return book


def main(forked: "ForkedKernel | None" = None) -> None:
    """`forked` is a kernel that waits to be started; without it one is started by a command."""
    BoxedEngine.forked = forked
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(CHANNEL)
    reporter = BoxedEngine.reporter = Reporter(connection)
    papermill_engines.register("boxed", BoxedEngine)
    reporter.report("ready")
    job = protocol.unpack(protocol.receive(connection))
    BoxedEngine.seed = job["parameters"]["SEED"]
    path = Path(os.environ["HOME"]) / "notebook.ipynb"
    nbformat.write(notebook(job["cells"]), path)
    papermill.execute_notebook(
        str(path),
        None,
        engine_name="boxed",
        kernel_name="python3",
        parameters=job["parameters"],
        progress_bar=False,
        request_save_on_cell_execute=False,
        cwd=os.environ["HOME"],
    )
