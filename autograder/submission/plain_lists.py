"""The lists of `plain_code.toml`: what plain code may be made of."""

import tomllib
from pathlib import Path
from typing import Final

_TEXTS: Final = tomllib.loads(Path(__file__).with_name("plain_code.toml").read_text(encoding="utf-8"))
_PURE: Final = _TEXTS.pop("pure")
LISTS: Final = {name: frozenset(text.split()) for name, text in _TEXTS.items()}
PURE: Final = frozenset[str]().union(*(text.split() for text in _PURE.values()))
