"""Text that came from a submission, made safe to show."""

import re
import unicodedata

# Escape sequences of terminals: colours, titles, links, cursor movements.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_MAY_BE_STRANGE = re.compile(r"[^\t\n\x20-\x7e]")  # most texts have nothing of it


def plain(text: object, limit: int = 2000) -> str:
    """`text` without escapes, control characters, surrogates or direction marks, and not too long."""
    clean = _ESCAPES.sub("", str(text)[: 4 * limit])
    kept = _MAY_BE_STRANGE.sub(_seen, clean)
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def _seen(strange: re.Match[str]) -> str:
    character = strange[0]
    return character if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"} else "\ufffd"
