"""How boxes start on this machine: forked from a warm parent, or cold where that does not hold."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.box.canary import REQUIRED, observe
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
    with ExitStack() as until_the_end:
        if warm:
            try:
                parent = until_the_end.enter_context(Parent(modules))
                protections = observe(limits, hidden, parent.address)
            except (BoxUnavailable, OSError):
                until_the_end.close()
            else:
                if all(protections[name] for name in REQUIRED):
                    yield Start(parent.address, protections)
                    return
                until_the_end.close()
        yield Start(None, observe(limits, hidden))
