"""The commands, and nothing else: each says what it does, calls one function and ends with a status.

In: the command line. Out: what the terminal shows, and an exit status. Only `autograder.__main__` and tests call it.
One module has one command, or two that belong together; what a command works with is imported when it is called, so
that the help comes at once. Students have `check` alone; the other commands tell them so.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Final

import typer

from autograder.cli.stopping import stop

# In the order of the help, with the module that has the command under its own name.
COMMANDS: Final = {
    "grade": "grade",
    "regrade": "regrade",
    "check": "check",
    "kit": "kit",
    "collect": "collect",
    "marks": "marks",
    "mark": "marks",
    "plan": "shards",
    "merge": "shards",
    "new": "new",
    "tidy": "tidy",
    "release": "release",
    "assess": "assess",
    "doctor": "doctor",
}

app = typer.Typer(
    help="Grade the course's notebooks without trusting them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


def _not_for_students() -> None:
    stop("This is the students' part, which checks and does not grade: autograder check NOTEBOOK", 2)


for _name, _module in COMMANDS.items():
    if find_spec(f"{__name__}.{_module}"):
        app.command(_name)(getattr(import_module(f"{__name__}.{_module}"), _name))
    else:
        _anything = {"allow_extra_args": True, "ignore_unknown_options": True}
        app.command(_name, hidden=True, add_help_option=False, context_settings=_anything)(_not_for_students)
