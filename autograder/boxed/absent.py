"""Import a library without one that it would use if it were there."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def absent(name: str) -> Iterator[None]:
    """Within the block `name` counts as not installed; later it can be imported."""
    sys.modules[name] = None  # type: ignore[assignment] # so Python says it
    try:
        yield
    finally:
        del sys.modules[name]
