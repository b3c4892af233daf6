"""Execute: run the restored notebook in a box, and keep its kernel to answer the examiner.

Whatever ends a box (a dead kernel, a hang, too much memory, a flood) is charged to the cell or the
call that was running: a new box runs the notebook again without it, and the rest goes on.
"""

import contextlib
import secrets
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from autograder.box import Box, Ending, Limits, WarmBox
from autograder.box.bounds import Cause, Unanswered, held
from autograder.box.replies import Answer, read_answer, read_event
from autograder.box.served import Served
from autograder.boxed import protocol
from autograder.errors import BoxUnavailable
from autograder.submission.cell_errors import read_error, told
from autograder.submission.restoration import Restored, RestoredCell
from autograder.text import plain

MOST_SECONDS: Final = 1e6
SPARE: Final = "the cells whose names no exercise uses have {:.0f} seconds together"
CellStatus = Literal["ran", "raised", "stopped", "not reached", "left out", "passed over"]


@dataclass
class CellRun:
    """What became of one cell. `outputs` are as in a notebook, and not to be trusted.

    `seconds` are by the clock on the wall. `error` is None where it ran or was not run; `cause` is None but for a cell
    that was stopped.
    """

    cell: RestoredCell
    status: CellStatus = "not reached"
    seconds: float = 0.0
    outputs: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    cause: Cause | None = None


@dataclass(frozen=True)
class Warm:
    """Where boxes are forked, what the notebook imports, and whether a box that starts cold may stand in."""

    parent: str
    modules: tuple[str, ...]
    or_cold: Callable[[], bool]


class Session:
    """One submission in its box, or in one box after another.

    `boxes` counts those that were started, and `start_seconds` how long that took, by the clock on the wall.
    """

    def __init__(
        self,
        restored: Restored,
        limits: Limits,
        training_seed: int,
        data: tuple[Path, ...] = (),
        warm: "Warm | None" = None,
        cells: Iterable[int] | None = None,
        spare: Iterable[int] = (),
    ) -> None:
        """With `warm` its boxes are forked, as long as the warm parent lives; None: they start cold.

        `cells` are run, by number; None: all. The `spare` ones among them have a time limit together, after which the
        rest of them is passed over.
        """
        self.limits = limits
        self.start: Literal["warm", "cold"] = "cold" if warm is None else "warm"
        self._warm = warm
        self._data = data
        self.runs = {cell.number: CellRun(cell) for cell in restored.cells}
        self.boxes = 0
        self.start_seconds = 0.0  # until the boxes were there
        self._parameters = {"SEED": training_seed}
        self._left_out = set() if cells is None else set(self.runs) - set(cells)
        for number in self._left_out:
            self.runs[number].status = "left out"
        self._spare, self._spare_left = set(spare) - self._left_out, limits.spare_seconds
        self._served: Served | None = None  # what its code may call outside; None: nothing
        self._ran: dict[int, RestoredCell] = {}  # the cells that its box has run, by the kernel's counts of them
        self._box: Box | None = None
        self._calls: socket.socket | None = None
        self._unreachable: Unanswered | None = None
        self._until = time.monotonic() + limits.total_seconds

    def execute(self) -> list[CellRun]:
        """Run the notebook once, and return what became of each cell: the transcript.

        Raises BoxUnavailable when no box starts. A cell that ends its box, or takes too long, raises nothing.
        """
        self._start(self._record)
        return list(self.runs.values())

    def ask(self, request: dict[str, Any]) -> Answer:
        """Put one request to the kernel. Raises Unanswered when nothing came back."""
        if self._unreachable is not None:
            raise self._unreachable
        if self._calls is None:
            self._start_again()
        assert self._calls is not None
        number = secrets.randbits(48)
        seconds = min(self.limits.call_seconds, self._left())
        frame = protocol.pack({"id": number, **request})
        try:
            with held():  # a frame that is sent or read by half would be taken for the next one's beginning
                self._calls.settimeout(seconds)
                protocol.send(self._calls, frame)
                reply = self._reply(self._calls, seconds)
            return read_answer(reply, number)
        except TimeoutError:
            self._end()
            raise Unanswered("time", f"It did not answer within {seconds:.0f} seconds.") from None
        except (EOFError, OSError):
            ending = self._end(expected=False)
            if ending is not Ending.LOST:
                raise self._unanswered(ending) from None
            # Nobody's fault. In a new box it may come to an answer; but that knows no handle of the old one's.
            raise Unanswered("box", "The process that boxes are forked from has ended.") from None
        except protocol.ProtocolError as error:
            self._end()
            raise Unanswered("notebook", f"What came back could not be read ({plain(error, 200)}).") from None

    @contextlib.contextmanager
    def serving(self, served: Served) -> Iterator[None]:
        """Within it, its code calls these functions in place of its own. Raises Unanswered."""
        self._served = served
        try:
            self.ask({"do": "replace", "names": sorted(served.names)})
            yield
        finally:
            self._served = None
            self.ask({"do": "replace", "names": []})

    def _reply(self, calls: socket.socket, seconds: float) -> Any:
        """What comes back in this time. Meanwhile the box may call what is served."""
        until = time.monotonic() + seconds
        while True:
            reply = protocol.unpack(protocol.receive(calls, until - time.monotonic()))
            if self._served is None or type(reply) is not dict or "wants" not in reply:
                return reply
            protocol.send(calls, self._served.reply(reply))

    def _start_again(self) -> None:
        """A new box for the next call. Raises Unanswered: that there is none is no answer's fault."""
        try:
            with held():
                self._start(lambda event, cell: None)
        except (BoxUnavailable, OSError) as problem:
            self._end()
            raise Unanswered("box", str(problem)) from problem

    def close(self) -> None:
        """End its box, if there is one. After it, `ask` would start another."""
        self._end()

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            self._end()
            raise Unanswered(
                "time", f"The whole notebook has {self.limits.total_seconds:.0f} seconds, and it has used all of them."
            )
        return left

    def _start(self, record: Callable[[dict[str, Any], CellRun | None], None]) -> None:
        """Box after box, until one has run all cells but those that ended the boxes before."""
        failures = 0
        while True:
            try:
                self._left()
                # A cell that ends its box is left out of the next, so this many boxes are enough,
                # unless the reports were forged.
                if self.boxes > 2 * len(self.runs) + 4:
                    self._end()
                    raise Unanswered("notebook", "The notebook ended the kernel that runs it again and again.")
                if self._run_cells(record):
                    return
            except Unanswered:
                if record == self._record:
                    return  # out of time: the transcript says which cells were not reached
                raise
            except BoxUnavailable:
                failures += 1
                if failures == 2:
                    raise

    def _run_cells(self, record: Callable[[dict[str, Any], CellRun | None], None]) -> bool:
        """One box. False when a cell ended it, which is then left out of the next."""
        self.boxes += 1
        begun = time.monotonic()
        self._box = box = self._new_box()
        try:
            events = box.connection(self.limits.start_seconds)
            protocol.receive(events, self.limits.start_seconds)  # it is ready
        except (EOFError, OSError, protocol.ProtocolError) as error:
            complaint = box.complaint() or str(error) or "it took too long"
            self._end()
            raise BoxUnavailable(f"The box did not start: {plain(complaint, 500)}") from error
        self.start_seconds += time.monotonic() - begun
        cells = [
            {"number": run.cell.number, "source": run.cell.source, "parameters": run.cell.parameters}
            for run in self.runs.values()
            if run.cell.number not in self._left_out
        ]
        protocol.send(events, protocol.pack({"cells": cells, "parameters": self._parameters}))
        current: CellRun | None = None
        self._ran.clear()
        received = 0
        cell_begun = time.monotonic()
        until = cell_begun + self.limits.start_seconds
        while True:
            try:
                frame = protocol.receive(events, min(until - time.monotonic(), self._left()))
                event = read_event(protocol.unpack(frame))
                received += len(frame)
                kind = event["event"]
                if received > self.limits.channel_bytes:
                    raise protocol.ProtocolError("it printed more than a submission may")
            except Unanswered:
                self._stopped(current, "time", "the whole notebook had no time left")
                raise
            except TimeoutError:
                self._end()
                self._late(current, time.monotonic() - cell_begun)
                return False
            except (EOFError, OSError):
                ending = self._end(expected=False)
                self._ended(current, ending)
                return False
            except (protocol.ProtocolError, MemoryError) as error:
                self._end()
                self._stopped(current, "notebook", f"the box's reports became unreadable ({plain(error, 200)})")
                return False
            cell = event.get("cell")
            run = self.runs.get(cell) if isinstance(cell, int) else None
            if kind == "started":
                current = run or current
                cell_begun = time.monotonic()
                until = cell_begun + self._seconds_for(run)
            elif kind == "ended" and run is not None:
                if isinstance(count := event.get("count"), int):
                    self._ran[count] = run.cell
                record(event, run)
                if self._spends(run, time.monotonic() - cell_begun):
                    self._end()
                    return False
            elif kind == "died":
                self._ended(current, self._end(expected=False))
                return False
            elif kind == "executed":
                break
        try:
            self._calls = self._kernel_connection(box, events)
        except TimeoutError:
            # Whatever holds the kernel now would hold it in the next box too.
            self._end()
            self._unreachable = Unanswered(
                "notebook",
                "After the last cell the kernel could no longer be reached: some code of the notebook still runs, "
                "or has changed how cells run.",
            )
            raise self._unreachable from None
        except (EOFError, OSError):
            # The notebook is through, but its kernel cannot be reached: its last cell had the last word.
            self._ended(current, self._end(expected=False))
            return False
        events.close()
        return True

    def _seconds_for(self, run: CellRun | None) -> float:
        spare = run is not None and run.cell.number in self._spare
        return min(self.limits.cell_seconds, max(self._spare_left, 0)) if spare else self.limits.cell_seconds

    def _spends(self, run: CellRun, seconds: float) -> bool:
        """Take it from what the spare cells have together; True when they have no more, and some are left to run.

        One that has run within it runs in a later box again, and is not counted twice.
        """
        if run.cell.number not in self._spare:
            return False
        self._spare.discard(run.cell.number)
        self._spare_left -= seconds
        return self._spare_left <= 0 and self._pass_over()

    def _pass_over(self) -> bool:
        """Leave out the spare cells that have not run. False where there are none."""
        waiting, self._spare = self._spare - self._left_out, set()
        self._left_out |= waiting
        for number in waiting:
            self.runs[number].status = "passed over"
        return bool(waiting)

    def _late(self, current: CellRun | None, seconds: float) -> None:
        limits = self.limits
        if current is not None and current.cell.number in self._spare and seconds < limits.cell_seconds:
            self._spare.discard(current.cell.number)
            self._stopped(current, "time", f"{SPARE.format(limits.spare_seconds)}, and it was still running then")
            self._pass_over()
        else:
            self._stopped(current, "time", f"it was still running after {limits.cell_seconds:.0f} seconds")
            if current is not None and current.cell.number in self._spare:
                self._spare.discard(current.cell.number)
                self._spare_left -= seconds
                if self._spare_left <= 0:
                    self._pass_over()

    def _new_box(self) -> Box:
        if self._warm is not None:
            try:
                return WarmBox(self._warm.parent, self.limits, data=self._data, modules=self._warm.modules)
            except BoxUnavailable:
                # The parent is no more. The other way is taken only where it is seen to be closed as well.
                if not self._warm.or_cold():
                    raise
                self._warm, self.start = None, "cold"
        return Box(self.limits, data=self._data)

    def _kernel_connection(self, box: Box, events: socket.socket) -> socket.socket:
        """The kernel's connection: the first that knows the token, even if others have connected.

        Raises EOFError or OSError when none comes.
        """
        token = secrets.token_hex(16)
        protocol.send(events, protocol.pack(token))
        until = time.monotonic() + self.limits.call_seconds
        while True:
            connection = box.connection(until - time.monotonic())
            try:
                told = protocol.unpack(protocol.receive(connection, 1))
                if type(told) is str and told == token:
                    return connection
            except (EOFError, OSError, protocol.ProtocolError):
                pass
            connection.close()

    def _record(self, event: dict[str, Any], run: CellRun | None) -> None:
        if run is None:
            return
        outputs = event.get("outputs")
        run.outputs = [output for output in outputs if isinstance(output, dict)] if isinstance(outputs, list) else []
        seconds = event.get("seconds")
        run.seconds = float(seconds) if isinstance(seconds, (int, float)) and 0 <= seconds < MOST_SECONDS else 0.0
        errors = [output for output in run.outputs if output.get("output_type") == "error"]
        run.status = "raised" if errors else "ran"
        if errors:
            run.error = told(read_error(errors[-1]), run.cell, self._ran)

    def _ended(self, current: CellRun | None, ending: Ending) -> None:
        if ending is Ending.LOST:
            raise BoxUnavailable("The box ended because the warm parent that it came from ended.")
        if ending is Ending.MEMORY:
            self._stopped(current, "memory", f"it used more memory than the limit of {self.limits.memory >> 20} MiB")
        else:
            self._stopped(current, "notebook", "it ended the kernel that runs the notebook")

    def _stopped(self, current: CellRun | None, cause: Cause, sentence: str) -> None:
        """Charge the box's end to the cell that was running."""
        if current is None:
            raise BoxUnavailable(f"The box ended before the first cell: {sentence}.")
        self._left_out.add(current.cell.number)
        current.status, current.cause = "stopped", cause
        current.error = f"{current.cell.name[0].upper()}{current.cell.name[1:]} was stopped: {sentence}."

    def _unanswered(self, ending: Ending) -> Unanswered:
        if ending is Ending.MEMORY:
            return Unanswered("memory", f"It used more memory than the limit of {self.limits.memory >> 20} MiB.")
        return Unanswered("notebook", "It ended the kernel that runs the notebook.")

    def _end(self, *, expected: bool = True) -> Ending:
        ending = Ending.KILLED
        if self._calls is not None:
            self._calls.close()
            self._calls = None
        if self._box is not None:
            ending = self._box.end(expected=expected)
            self._box = None
        return ending
