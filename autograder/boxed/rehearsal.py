"""Imported by the warm parent: what every agent and kernel does for the first time is done here, once for all boxes."""

import sqlite3  # noqa: F401

import ipykernel.kernelspec  # noqa: F401
import IPython.core.debugger
import IPython.core.logger
import IPython.core.oinspect  # noqa: F401
from IPython.core.ultratb import AutoFormattedTB
from jupyter_client.provisioning.factory import KernelProvisionerFactory

from . import agent

agent.notebook([])  # compiles the schema of notebooks
KernelProvisionerFactory.instance()  # looks for the ways to start a kernel among all installed packages


def show_an_error() -> None:
    """A cell's traceback asks of all modules where their files are: a sixth of a second, the first time."""
    try:
        raise AssertionError
    except AssertionError as error:
        AutoFormattedTB(mode="Context", theme_name="linux").structured_traceback(  # type: ignore[no-untyped-call]
            type(error), error, error.__traceback__
        )
