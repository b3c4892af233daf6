"""A path that ends the process that looks at it: a worker's death, in a form that crosses to the worker."""

import os
from pathlib import Path


class DeadlyPath(type(Path())):  # type: ignore[misc]
    def is_file(self, *arguments: object, **options: object) -> bool:
        os._exit(1)
