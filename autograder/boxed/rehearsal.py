"""Imported by the warm parent: what every agent and kernel does for the first time is done here, once for all boxes."""

import sqlite3  # noqa: F401

import ipykernel.kernelspec  # noqa: F401
import IPython.core.debugger
import IPython.core.logger
import IPython.core.oinspect  # noqa: F401
from jupyter_client.provisioning.factory import KernelProvisionerFactory

from . import agent

agent.notebook([])  # compiles the schema of notebooks
KernelProvisionerFactory.instance()  # looks for the ways to start a kernel among all installed packages
