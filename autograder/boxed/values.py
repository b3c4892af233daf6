"""The wire's own types, for what is no data; its errors; and the bounds of a value.

None of the types has an attribute whose name the other side chooses.
"""

from typing import Final, final

MAX_TREE_BYTES: Final = 8 * 2**20
MAX_FRAME_BYTES: Final = 64 * 2**20
MAX_BUFFERS: Final = 100_000
MAX_NODES: Final = 250_000
MAX_DEPTH: Final = 40
MAX_TEXT: Final = 2**20
# Keys that are numbers: somebody may choose thousands that all hash alike, for Python or for pandas, and a table of n
# such takes n² steps. (Python hashes text with a secret of the process, so that nobody can choose it so.)
MAX_NUMBER_KEYS: Final = 2000
# What it costs to make a value of its bytes, in tenths of a microsecond as measured: half a second.
MAX_COST: Final = 5_000_000


class ProtocolError(ValueError):
    """Bytes from the other side that are not a value this format has, or a value too large for it."""


class NotData(TypeError):
    """A value that cannot cross because it is not data (a fitted scaler, a model)."""


@final
class Handle:
    """Stands for something that stays in the box, so that a later call can be given it.

    `type_name` is what the box says that it is: for messages, not for decisions.
    """

    __slots__ = ("number", "type_name")

    def __init__(self, number: int, type_name: str) -> None:
        self.number = number
        self.type_name = type_name

    def __repr__(self) -> str:
        return f"<{self.type_name}>"


@final
class Source:
    """A callable argument: its source, to be defined in the box, and the name that it defines."""

    __slots__ = ("name", "text")

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name

    def __repr__(self) -> str:
        return self.name


@final
class Generator:
    """A `numpy.random.Generator` argument, made in the box from its seed."""

    __slots__ = ("seed",)

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __repr__(self) -> str:
        return f"np.random.default_rng({self.seed})"
