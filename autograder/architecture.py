"""The architecture that a student's model claims to have, read as a chain of layers.

It is JSON from the box, so nothing of it is taken for granted; what is not understood is refused.
"""

import json
from typing import Any, Final

MAX_ARCHITECTURE: Final = 200_000
MAX_LAYERS: Final = 50

_UNREADABLE: Final = "The model's architecture cannot be read. Is it a Keras model?"
_BRANCHES: Final = "The model has branches; only models whose layers follow one another are graded here."


class NotRebuilt(Exception):
    """The model is not one that the grader can rebuild; the message is for the student."""


def chain(architecture: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """The layers (class, name, configuration) in the order in which data passes them. Raises NotRebuilt.

    In a functional model Keras lists the two operations that make a mask, NotEqual and Any, among the
    layers, and hands their result to each LSTM: they are understood as the Masking that they are.
    """
    found: list[tuple[str, str, dict[str, Any]]] = []
    before: str | None = None
    compared: dict[str, tuple[str, Any]] = {}  # a NotEqual: what it looks at, and the value that it looks for
    masks: dict[str, tuple[str, Any]] = {}  # the same of the Any behind it
    mask: tuple[str | None, Any] | None = None  # of the chain so far
    for layer in _layers(architecture):
        kind, config = str(layer.get("class_name"))[:60], layer["config"]
        name = str(layer.get("name", config.get("name")))
        module = str(layer.get("module", "keras.layers"))
        if layer.get("registered_name") not in {None, kind} or not module.startswith("keras"):
            raise NotRebuilt(f"The model has a layer of its own making ({kind}); only Keras's own layers are graded.")
        if "inbound_nodes" in layer and kind != "InputLayer":
            source, *more = _inbound(layer["inbound_nodes"]) or [""]
            if kind == "NotEqual" and not more:
                compared[name] = source, _compared_with(layer["inbound_nodes"])
                continue
            if kind == "Any" and source in compared and not more and _is_over_features(config):
                masks[name] = compared[source]
                continue
            if source != before or len(more) > 1:
                raise NotRebuilt(_BRANCHES)
            given = masks.get(more[0]) if more else None
            if more and mask is None and given is not None and given[0] == before:
                # The student made the mask in place of a Masking layer.
                found.append(("Masking", more[0], {"mask_value": given[1]}))
                mask = given
            if (more or kind == "LSTM") and given != mask:
                raise NotRebuilt(_BRANCHES)
        if kind == "Masking":
            mask = before, config.get("mask_value")
        found.append((kind, name, config))
        before = name
    return found


def _layers(architecture: Any) -> list[dict[str, Any]]:
    if not isinstance(architecture, str) or len(architecture) > MAX_ARCHITECTURE:
        raise NotRebuilt(_UNREADABLE)
    try:
        parsed = json.loads(architecture)
    except (ValueError, RecursionError):
        raise NotRebuilt(_UNREADABLE) from None
    if not isinstance(parsed, dict) or not isinstance(parsed.get("config"), dict):
        raise NotRebuilt(_UNREADABLE)
    layers = parsed["config"].get("layers")
    if not isinstance(layers, list) or not 0 < len(layers) <= MAX_LAYERS:
        raise NotRebuilt("The model's layers cannot be read. Is it a Keras model?")
    if not all(isinstance(layer, dict) and isinstance(layer.get("config"), dict) for layer in layers):
        raise NotRebuilt("The model's layers cannot be read. Is it a Keras model?")
    return layers


def _inbound(nodes: Any) -> list[str]:
    """The names of the layers whose outputs a functional model's layer takes."""
    found: list[str] = []

    def walk(value: Any, depth: int) -> None:
        if depth > 30:
            raise NotRebuilt("The model's architecture is nested too deep.")
        if isinstance(value, dict):
            history = value.get("keras_history")
            if isinstance(history, list) and history:
                found.append(str(history[0]))
            for item in value.values():
                walk(item, depth + 1)
        elif isinstance(value, list):
            for item in value:
                walk(item, depth + 1)

    walk(nodes, 0)
    return found


def _compared_with(nodes: Any) -> Any:
    """The number that a NotEqual looks for, or None."""
    try:
        number = nodes[0]["args"][1]
    except (KeyError, IndexError, TypeError):
        return None
    return number if isinstance(number, (int, float)) else None


def _is_over_features(config: dict[str, Any]) -> bool:
    return config.get("axis") in (-1, 2, [-1], [2]) and config.get("keepdims") is not True
