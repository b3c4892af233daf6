"""Answers the examiner's calls from within the student's kernel, after the notebook has run.

A request and its answer are one frame each way. Everything here can be overwritten by student code,
which is why the other side takes an answer for data and for nothing else.
"""

import builtins
import contextlib
import linecache
import os
import random
import socket
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from . import protocol

SMALL = 10_000  # bytes of a frame in which nothing can be too much


def serve(path: str, token: str, namespace: dict[str, Any]) -> None:
    """Answer requests on the socket at `path` until it closes; `namespace` is the notebook's.

    The `token` tells this connection from those that student code may have opened before.
    """
    server = Server(namespace)
    with (
        socket.socket(socket.AF_UNIX) as connection,
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        connection.connect(path)
        protocol.send(connection, protocol.pack(token))
        server.connection = connection
        while True:
            try:
                frame = protocol.receive(connection)
            except EOFError:
                return
            protocol.send(connection, server.answer(frame))


class Server:
    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.kept: list[Any] = []
        self.arguments: list[Any] | None = None  # of the last call of one of the notebook's functions
        self.connection: socket.socket | None = None
        self.before: dict[str, Any] = {}  # what names meant that now stand for functions outside

    def answer(self, frame: bytes) -> bytes:
        request = protocol.unpack(frame, self.revive)
        reply: dict[str, Any] = {"id": request["id"]}
        try:
            reply |= getattr(self, "do_" + request["do"])(request)
            frame = protocol.pack(reply, self.keep)
            if len(frame) > SMALL:
                protocol.unpack(frame)  # what the other side would refuse is refused here, with a sentence
            return frame
        except (protocol.ProtocolError, protocol.NotData) as error:
            return protocol.pack({"id": request["id"], "unsendable": str(error)})
        except (RecursionError, MemoryError) as error:
            return protocol.pack({"id": request["id"], "unsendable": type(error).__name__})

    def do_call(self, request: dict[str, Any]) -> dict[str, Any]:
        function = request["function"]
        if isinstance(function, str):
            if function not in self.namespace:
                return {"missing": True}
            function = self.namespace[function]
            self.arguments = [request["args"], request["kwargs"]]
        args, kwargs = request["args"], request["kwargs"]
        caught: list[warnings.WarningMessage] = []
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                value = function(*args, **kwargs)
        except BaseException as error:
            return {"raised": _describe(error)}
        return {"value": value, "warnings": [[w.category.__name__, str(w.message)[:300]] for w in caught[:10]]}

    def do_replace(self, request: dict[str, Any]) -> dict[str, Any]:
        """From now on, these names stand for functions outside of this box; all others are again what they were."""
        for name, value in self.before.items():
            self.namespace[name] = value
            if value is self:
                del self.namespace[name]
        self.before = {name: self.namespace.get(name, self) for name in request["names"]}
        self.namespace |= {name: self.elsewhere(name) for name in self.before}
        return {"value": None}

    def elsewhere(self, name: str) -> Callable[..., Any]:
        """A function that has another box do the work."""

        def function(*args: Any, **kwargs: Any) -> Any:
            assert self.connection is not None
            protocol.send(self.connection, protocol.pack({"wants": name, "args": list(args), "kwargs": kwargs}))
            reply = protocol.unpack(protocol.receive(self.connection))
            if "raised" in reply:
                kind = getattr(builtins, reply["raised"], None)
                raise (
                    kind() if isinstance(kind, type) and issubclass(kind, Exception) else RuntimeError(reply["raised"])
                )
            if "refused" in reply:
                raise RuntimeError(reply["refused"])
            return reply["value"]

        function.__name__ = name
        return function

    def do_seed(self, request: dict[str, Any]) -> dict[str, Any]:
        """Chance begins again: what a check finds must not follow from the checks before it."""
        with contextlib.suppress(Exception):  # the notebook may have put something else in their place
            random.seed(request["seed"])
            np.random.seed(request["seed"])
            if "keras" in sys.modules:
                keras = sys.modules["keras"]
                keras.utils.clear_session(free_memory=False)  # its counting of names begins again as well
                keras.utils.set_random_seed(request["seed"])
            if "matplotlib.pyplot" in sys.modules:
                sys.modules["matplotlib.pyplot"].close(
                    "all"
                )  # a figure that a call has begun is the next one's current
        return {"value": None}

    def do_arguments(self, request: dict[str, Any]) -> dict[str, Any]:
        """What the last call was given, as it is now: whether it was changed is seen outside."""
        return {"missing": True} if self.arguments is None else {"value": self.arguments}

    def do_get(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["name"]
        return {"value": self.namespace[name]} if name in self.namespace else {"missing": True}

    def do_export_model(self, request: dict[str, Any]) -> dict[str, Any]:
        """The architecture and weights of a Keras model: a variable's name, or a handle."""
        model = request["model"]
        if isinstance(model, str):
            if model not in self.namespace:
                return {"missing": True}
            model = self.namespace[model]
        try:
            architecture = model.to_json()
            weights = {layer.name: [np.asarray(array) for array in layer.get_weights()] for layer in model.layers}
        except BaseException as error:
            return {"raised": _describe(error), "type": type(model).__name__}
        return {"value": {"architecture": architecture, "weights": weights}}

    def keep(self, value: Any) -> protocol.Handle:
        self.kept.append(value)
        return protocol.Handle(len(self.kept) - 1, type(value).__name__)

    def revive(self, value: Any) -> Any:
        if isinstance(value, protocol.Handle):
            # A number that was never given is the student's own invention: it stands for nothing.
            return self.kept[value.number] if 0 <= value.number < len(self.kept) else None
        if isinstance(value, protocol.Generator):
            return np.random.default_rng(value.seed)
        scope: dict[str, Any] = {"np": np}
        # Its annotations name types of the check's module: they are not evaluated.
        exec("from __future__ import annotations\n" + value.text, scope)
        return scope[value.name]


def _describe(error: BaseException) -> dict[str, Any]:
    """What was raised, and the last line of the notebook that it came through."""
    line, text = None, None
    for frame, number in traceback.walk_tb(error.__traceback__):
        filename = frame.f_code.co_filename
        if "ipykernel_" in filename or filename.startswith("<ipython-input"):
            line, text = number, linecache.getline(filename, number).strip()[:200]
    try:
        message = str(error)[:1000]
    except BaseException:
        message = ""
    kinds = [kind.__name__[:80] for kind in type(error).__mro__[:10]]
    return {"type": kinds[0], "kinds": kinds, "message": message, "line": line, "text": text}


def start(path: str, token: str) -> None:
    """What the engine has the kernel run after the last cell."""
    serve(path, token, sys.modules["__main__"].__dict__)
