"""What ends the process that looks at it, or holds it: in a form that crosses to a worker."""

import os
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
    """As soon as the second check of an exercise is looked at, the process ends, or goes on without end."""

    what: Literal["dies", "loops"] = "dies"

    def __getattribute__(self, name: str) -> Any:
        if name == "exercise_look_seconds" and sys._getframe(1).f_code.co_name == "begin":
            looked = sys._getframe(1).f_locals["exercise"]
            if looked in _looked:
                while self.what == "loops":
                    pass
                os._exit(1)
            _looked.append(looked)
        return super().__getattribute__(name)


_looked: list[str] = []
