"""What ends the process that looks at it, or holds it: in a form that crosses to a worker."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autograder.box import Limits


class DeadlyPath(type(Path())):  # type: ignore[misc]
    def is_file(self, *arguments: object, **options: object) -> bool:
        os._exit(1)


@dataclass(frozen=True)
class DeadlyLimits(Limits):
    """At the third question to a notebook the process ends, or goes on without end."""

    what: Literal["dies", "loops"] = "dies"

    def __getattribute__(self, name: str) -> Any:
        if name == "call_seconds" and sys._getframe(1).f_code.co_name == "ask":
            _asked.append(name)
            if len(_asked) > 2 and self.what == "loops":
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPROF})  # as a call into C
                while True:
                    pass
            if len(_asked) > 2:
                os._exit(1)
        return super().__getattribute__(name)


_asked: list[str] = []
