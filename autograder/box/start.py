"""How boxes start on this machine: forked from a warm parent, or cold where that does not hold."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from autograder.box.limits import Limits
from autograder.box.warm import Parent
from autograder.errors import BoxUnavailable


@dataclass(frozen=True)
class Start:
    """`parent` is the warm parent's address, None where boxes start cold; `protections` were observed in that way."""

    parent: str | None
    protections: dict[str, bool]


@contextmanager
def ready(limits: Limits, hidden: list[Path], modules: Iterable[str], *, warm: bool = True) -> Iterator[Start]:
    """A warm parent that has been seen to make closed boxes, as long as the block runs; otherwise none.

    Raises BoxUnavailable when no box starts in either way.
    """
    with beginning(limits, hidden, modules, warm=warm) as seen:
        yield seen()


@contextmanager
def beginning(
    limits: Limits, hidden: list[Path], modules: Iterable[str], *, warm: bool = True
) -> Iterator[Callable[[], Start]]:
    """As `ready`, but the block begins at once, and calls what it gets before it has any box made.

    Meanwhile the warm parent imports, and the canary attacks. The call raises BoxUnavailable when no box starts.
    """
    with ThreadPoolExecutor(1) as aside, ExitStack() as until_the_end:
        parent = None
        if warm:
            with suppress(BoxUnavailable, OSError):
                parent = until_the_end.enter_context(Parent(modules))
        held = aside.submit(_held, limits, hidden, parent.address) if parent else None

        def seen() -> Start:
            protections = held.result() if held else None
            if parent and protections:
                return Start(parent.address, protections)
            until_the_end.close()
            return Start(None, _observed(limits, hidden))

        yield seen


def _held(limits: Limits, hidden: list[Path], address: str) -> dict[str, bool] | None:
    """What was observed of the warm parent's boxes; None where that is not enough."""
    from autograder.box.canary import REQUIRED

    try:
        protections = _observed(limits, hidden, address)
    except (BoxUnavailable, OSError):
        return None
    return protections if all(protections[name] for name in REQUIRED) else None


def _observed(limits: Limits, hidden: list[Path], address: str | None = None) -> dict[str, bool]:
    from autograder.box.canary import observe  # once the warm parent is at work

    return observe(limits, hidden, address)
