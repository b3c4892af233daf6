"""The architecture that a student's model claims to have, read as a chain of layers.

It is JSON from the box, so nothing of it is taken for granted; what is not understood is refused.
"""

import json
from typing import Any, Final, NamedTuple

MAX_ARCHITECTURE: Final = 200_000
MAX_LAYERS: Final = 50
MAX_DEPTH: Final = 30

_UNREADABLE: Final = "The model's architecture cannot be read. Is it a Keras model?"
_NO_LAYERS: Final = "The model's layers cannot be read. Is it a Keras model?"
_BRANCHES: Final = "The model has branches; the grader takes only models whose layers follow one another."


class NotRebuilt(Exception):
    """The model is not one that the grader can rebuild; the message is for the student."""


def chain(architecture: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """The layers (class, name, configuration) in the order in which data passes them. Raises NotRebuilt.

    Classes and names are texts, and no name comes twice; the configurations are still as they came.
    """
    layers = [_claimed(layer) for layer in _layers(architecture)]
    if len({layer.name for layer in layers}) < len(layers):
        raise NotRebuilt("Two of the model's layers have the same name, so the grader cannot tell their weights apart.")
    if any(layer.kind == "InputLayer" for layer in layers[1:]):
        raise NotRebuilt(
            "The model has an input that is not its first layer; the grader takes only models with one input."
        )
    reader = _Reader()
    for layer in layers:
        reader.read(layer)
    return reader.found


class _Claimed(NamedTuple):
    """One layer as the architecture has it.

    `inputs` names the layers whose outputs it takes, and is None where it takes that of the one before;
    `compared_with` is the number that a NotEqual looks for.
    """

    kind: str
    name: str
    config: dict[str, Any]
    inputs: list[str] | None
    compared_with: int | float | None


class _Reader:
    """Follows the layers, each from the one before.

    In a functional model Keras lists the two operations that make a mask, NotEqual and Any, among the
    layers, and hands their result to each LSTM: they are understood as the Masking that they are.
    """

    def __init__(self) -> None:
        self.found: list[tuple[str, str, dict[str, Any]]] = []
        self.before: str | None = None
        self.compared: dict[str, tuple[str | None, Any]] = {}  # a NotEqual: what it looks at, and for which value
        self.masks: dict[str, tuple[str | None, Any]] = {}  # the same of the Any behind it
        self.mask: tuple[str | None, Any] | None = None  # of the chain so far

    def read(self, layer: _Claimed) -> None:
        if layer.inputs is not None:
            if self._makes_a_mask(layer, layer.inputs):
                return
            self._connect(layer, layer.inputs)
        if layer.kind == "Masking":
            self.mask = self.before, layer.config.get("mask_value")
        self.found.append((layer.kind, layer.name, layer.config))
        self.before = layer.name

    def _makes_a_mask(self, layer: _Claimed, inputs: list[str]) -> bool:
        if len(inputs) != 1:
            return False
        if layer.kind == "NotEqual":
            self.compared[layer.name] = inputs[0], layer.compared_with
            return True
        if layer.kind == "Any" and inputs[0] in self.compared and _is_over_features(layer.config):
            self.masks[layer.name] = self.compared[inputs[0]]
            return True
        return False

    def _connect(self, layer: _Claimed, inputs: list[str]) -> None:
        """Expect that the layer takes the output of the one before, and the mask of the chain or a first one."""
        source, *more = inputs or [""]
        if source != self.before or len(more) > 1:
            raise NotRebuilt(_BRANCHES)
        given = self.masks.get(more[0]) if more else None
        if more and given is None:
            raise NotRebuilt(_BRANCHES)
        if given is not None and self.mask is None and given[0] == self.before:
            # The student made the mask in place of a Masking layer.
            self.found.append(("Masking", more[0], {"mask_value": given[1]}))
            self.mask = given
        if (more or layer.kind == "LSTM") and given != self.mask:
            raise NotRebuilt(_BRANCHES)


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
        raise NotRebuilt(_NO_LAYERS)
    if not all(isinstance(layer, dict) and isinstance(layer.get("config"), dict) for layer in layers):
        raise NotRebuilt(_NO_LAYERS)
    return layers


def _claimed(layer: dict[str, Any]) -> _Claimed:
    kind, config = layer.get("class_name"), layer["config"]
    name = layer.get("name", config.get("name"))
    if not isinstance(kind, str) or not isinstance(name, str):
        raise NotRebuilt(_NO_LAYERS)
    module, registered = layer.get("module", "keras.layers"), layer.get("registered_name")
    if registered not in (None, kind) or not isinstance(module, str) or not module.startswith("keras"):
        raise NotRebuilt(f"The model has a custom layer ({kind[:60]}); the grader takes only Keras's own layers.")
    if kind == "InputLayer" or "inbound_nodes" not in layer:
        return _Claimed(kind, name, config, None, None)
    nodes = layer["inbound_nodes"]
    return _Claimed(kind, name, config, _inbound(nodes), _compared_with(nodes))


def _inbound(nodes: Any) -> list[str]:
    """The names of the layers whose outputs a functional model's layer takes, in its one place in the model."""
    if not isinstance(nodes, list) or len(nodes) != 1:
        raise NotRebuilt(_BRANCHES)
    found: list[str] = []

    def walk(value: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise NotRebuilt("The model's architecture is nested too deep.")
        if isinstance(value, dict):
            history = value.get("keras_history")
            if isinstance(history, list) and history:
                if not isinstance(history[0], str):
                    raise NotRebuilt(_BRANCHES)
                found.append(history[0])
            for item in value.values():
                walk(item, depth + 1)
        elif isinstance(value, list):
            for item in value:
                walk(item, depth + 1)

    walk(nodes, 0)
    return found


def _compared_with(nodes: Any) -> int | float | None:
    """The number that a NotEqual looks for, or None."""
    try:
        number = nodes[0]["args"][1]
    except (KeyError, IndexError, TypeError):
        return None
    return number if type(number) in (int, float) else None


def _is_over_features(config: dict[str, Any]) -> bool:
    return config.get("axis") in (-1, 2, [-1], [2]) and config.get("keepdims") in (None, False)
