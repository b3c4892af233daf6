"""Packages that others would import, and that nothing here uses."""

import sys

# jsonschema makes a grammar of international addresses from it, which takes longer than all else that an agent imports.
NAMES = ("rfc3987_syntax",)


def leave_out() -> None:
    """From now on they cannot be imported; who can do without them does."""
    for name in NAMES:
        vars(sys)["modules"].setdefault(name, None)


def allow_again() -> None:
    """What imports them now is a notebook."""
    for name in NAMES:
        if sys.modules.get(name) is None:
            sys.modules.pop(name, None)
