"""Text that came from a submission, made safe to show."""

import re
import unicodedata

# Escape sequences of terminals: colours, titles, links, cursor movements.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


def plain(text: object, limit: int = 2000) -> str:
    """`text` without escapes, control characters, surrogates or direction marks, and not too long."""
    clean = _ESCAPES.sub("", str(text)[: 4 * limit])
    kept = "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}
        else "\ufffd"
        for character in clean
    )
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"
