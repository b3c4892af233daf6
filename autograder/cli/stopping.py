"""How a command ends early: with a sentence on standard error, and a status."""

from importlib.util import find_spec
from typing import Final, NoReturn

import typer
from rich.console import Console

err: Final = Console(stderr=True, highlight=False)


def stop(sentence: str, status: int) -> NoReturn:
    """Print the sentence on standard error, and raise typer.Exit with the status."""
    err.print(sentence, style="red", markup=False, soft_wrap=True)  # a line may be there to be copied
    raise typer.Exit(status)


def need_instructors_tools(*more: str) -> None:
    """Stop with status 2 where the instructor's packages, or `more` of them, are not installed.

    A student's environment has what the notebooks need, and no more.
    """
    missing = [name for name in ("hypothesis", "nbgrader", "pytest", "pyseccomp", *more) if find_spec(name) is None]
    if missing:
        stop(
            f"This needs the instructor's tools, and {', '.join(missing)} cannot be found: `make grade` sets them up. "
            "To check your own notebook: autograder check NOTEBOOK",
            2,
        )
