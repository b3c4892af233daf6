"""The layers of the deep networks that slide 47 makes (Algorithm 3), and what is wrong with others."""

from collections.abc import Sequence

from autograder.examination.misconceptions import Mistake
from autograder.examination.models import Layer

Width = tuple[str, int]  # a layer's kind and its units; a Dropout has 0


def algorithm3(multisteps: int, h_layers: int = 2, h_neurons: int = 64, deep_dense: bool = False) -> list[Width]:
    """The layers of slide 47, in order."""
    found: list[Width] = []
    for i in range(h_layers):
        last = i == h_layers - 1
        found.append(("LSTM", h_neurons * 2 if last else h_neurons) if i else
                     ("LSTM", h_neurons if last else h_neurons // 2))  # fmt: skip
        found += [] if last else [("Dropout", 0)]
    found += [("Dense", h_neurons), ("Dropout", 0)]
    found += [("Dense", h_neurons // 2), ("Dropout", 0)] if deep_dense else []
    return [*found, ("Dense", multisteps)]


def widths(layers: Sequence[Layer]) -> list[Width]:
    """The layers of a student's model that have units."""
    return [(kind, int(config.get("units") or 0)) for kind, config in layers if kind != "Dropout"]


def told(layers: Sequence[Width]) -> str:
    """Layers as a student reads them."""
    return ", ".join(f"{kind}({units})" if units else kind for kind, units in layers)


def wrong_widths(found: Sequence[Width], wanted: Sequence[Width], h_layers: int) -> str:
    """The mistake in the widths of layers that are otherwise right, or ""; a Dropout is in neither."""
    if [kind for kind, _ in found] != [kind for kind, _ in wanted]:
        return ""
    inner = ["The Dense layer after the LSTMs has h units.", "The Dense layer of deep_dense has int(h / 2) units."]
    lstm = ["The first LSTM of several has int(h / 2) units.", "The last LSTM of several has 2 h units."]
    lstm[1:1] = ["The LSTMs between the first and the last have h units."] * (h_layers - 2)
    names = lstm if h_layers > 1 else ["A single LSTM has h units."]
    names += [*inner[: len(wanted) - h_layers - 1], "The last layer has multisteps units."]
    wrong = [name for name, one, other in zip(names, found, wanted, strict=True) if one != other]
    return Mistake(" ".join(dict.fromkeys(wrong)))


def wrong_dropouts(found: Sequence[str], wanted: Sequence[str], h_layers: int, deep_dense: bool) -> str:
    """The mistake in the places of the Dropout layers, by the kinds of all layers, or ""."""
    last = 2 * h_layers - 2  # the place of the last LSTM
    ways = {
        "The LSTMs but the last have a Dropout after them.": [
            kind for place, kind in enumerate(wanted) if kind != "Dropout" or place > last
        ],
        "There is no Dropout after the last LSTM.": [*wanted[: last + 1], "Dropout", *wanted[last + 1 :]],
    }
    if deep_dense:
        ways["The second Dense of deep_dense has a Dropout of its own."] = [*wanted[:-2], wanted[-1]]
    else:
        ways["The second Dropout belongs to deep_dense, inside of the `if`."] = [*wanted[:-1], "Dropout", wanted[-1]]
    return next((Mistake(sentence) for sentence, way in ways.items() if list(found) == way), "")
