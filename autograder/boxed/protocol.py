"""Values as bytes, with nothing in them that can run.

Both sides of the box's wall speak this: a frame is a length, a JSON tree (`decoding`) and raw array buffers.
"""

import json
import socket
import struct
import time
import warnings
from collections.abc import Callable
from typing import Any, Final

from .decoding import Decoder, RequestDecoder
from .encoding import Encoder
from .values import (
    MAX_BUFFERS,
    MAX_FRAME_BYTES,
    MAX_NODES,
    MAX_TREE_BYTES,
    Generator,
    Handle,
    NotData,
    ProtocolError,
    Source,
)

__all__ = [
    "Generator",
    "Handle",
    "NotData",
    "ProtocolError",
    "Source",
    "pack",
    "receive",
    "send",
    "unpack",
]  # fmt: skip

_LENGTHS: Final = struct.Struct("!II")


def pack(value: Any, opaque: Callable[[Any], Handle] | None = None) -> bytes:
    """The frame for `value`; `opaque` turns what is not data into a handle.

    Raises NotData for anything else that cannot cross, ProtocolError when the value is too large.
    """
    encoder = Encoder(opaque)
    tree = encoder.node(value, 0)
    head = json.dumps([tree, [len(buffer) for buffer in encoder.buffers]]).encode("ascii")
    body = b"".join(encoder.buffers)
    if len(head) > MAX_TREE_BYTES or len(head) + len(body) > MAX_FRAME_BYTES:
        raise ProtocolError(f"the value is too large to send ({(len(head) + len(body)) / 2**20:.0f} MiB)")
    return _LENGTHS.pack(len(head), len(body)) + head + body


def unpack(frame: bytes, revive: Callable[[Any], Any] | None = None) -> Any:
    """The value in a frame made by `pack`.

    In the box `revive` turns a Handle, Source or Generator into what it stands for; outside of it the last two are
    refused. Raises ProtocolError on anything malformed.
    """
    try:
        head_length, body_length = _LENGTHS.unpack_from(frame)
        head = frame[_LENGTHS.size : _LENGTHS.size + head_length]
        body = memoryview(frame)[_LENGTHS.size + head_length :]
        if head.count(b"[") > MAX_NODES:
            raise ProtocolError("it has too many parts to be looked at")
        tree, lengths = _parsed(head.decode("ascii"))
        if type(lengths) is not list or len(lengths) > MAX_BUFFERS or len(body) != body_length:
            raise ProtocolError("the lengths of the buffers are wrong")
        if not all(type(n) is int and n >= 0 for n in lengths) or sum(lengths) != body_length:
            raise ProtocolError("the lengths of the buffers are wrong")
        buffers, start = [], 0
        for length in lengths:
            buffers.append(body[start : start + length])
            start += length
        decoder = Decoder(buffers) if revive is None else RequestDecoder(buffers, revive)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pandas, about values that are not ours
            return decoder.value(tree)
    except (ProtocolError, MemoryError):
        raise
    # Whatever pandas, NumPy or json raise on hostile bytes, it is a malformed frame to the caller.
    except Exception as error:
        raise ProtocolError(f"not a frame: {type(error).__name__}: {error}") from error


def _parsed(head: str) -> Any:
    """JSON, in which half a character is written as a question mark: no text that people write has one."""
    parsed = json.loads(head)
    if "\\ud" in head or "\\uD" in head:
        parsed = json.loads(json.dumps(parsed, ensure_ascii=False).encode("utf-8", "replace"))
    return parsed


def send(connection: socket.socket, frame: bytes) -> None:
    connection.sendall(frame)


def receive(connection: socket.socket, seconds: float | None = None) -> bytes:
    """The next frame, its size checked before it is read, all of it within `seconds`.

    Raises ProtocolError, EOFError or TimeoutError.
    """
    until = None if seconds is None else time.monotonic() + seconds
    lengths = _receive_exactly(connection, _LENGTHS.size, until)
    head_length, body_length = _LENGTHS.unpack(lengths)
    if head_length > MAX_TREE_BYTES or head_length + body_length > MAX_FRAME_BYTES:
        raise ProtocolError("a frame that is too large was announced")
    return lengths + _receive_exactly(connection, head_length + body_length, until)


def _receive_exactly(connection: socket.socket, size: int, until: float | None) -> bytes:
    received = bytearray()
    while len(received) < size:
        if until is not None:
            # Again for every piece: a drip of single bytes must not stretch the time.
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
        chunk = connection.recv(min(size - len(received), 2**20))
        if not chunk:
            raise EOFError("the other side closed the channel")
        received += chunk
    return bytes(received)
