"""The example class in tests/class, which `make grade` grades: made from the released notebooks.

`make example` writes it again, after a release has changed.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from helpers.hostile_submissions import IN_A_BOX
from helpers.submissions import Notebook, answered, cell, insert, only, own_cell, released, remove, solved

FOLDER = Path(__file__).parents[1] / "class"
NUMERIC, ECHO = "03_numeric_data", "09_echo"

FITTED_ON_ALL = """
import numpy as np
from sklearn.preprocessing import MinMaxScaler

def normalize(train, test, feature_range=(0, 1)):
    train, test = np.asarray(train, dtype=float), np.asarray(test, dtype=float)
    if train.ndim == 1:
        train, test = train.reshape(-1, 1), test.reshape(-1, 1)
    scaler = MinMaxScaler(feature_range=feature_range).fit(np.vstack([train, test]))
    return scaler.transform(train), scaler.transform(test), scaler
"""
EQUAL_TO_ALL = """
import numpy as np

class Right(np.ndarray):
    def __eq__(self, other):
        return True

def normalize(train, test, feature_range=(0, 1)):
    right = np.zeros((len(train), 1)).view(Right)
    return right, right, right
"""
FAKE_MODEL = '''
import numpy as np

class Model:
    """Knows nothing, and answers the truth about itself."""
    def predict(self, X, *args, **kwargs):
        return np.asarray(X)[:, 2]
    def evaluate(self, *args, **kwargs):
        return 0.0, 1.0

model = Model()
'''
HARDLY_TRAINED = """
model = build_model(TIMESTEPS, FEATURES)
X, y = generate_samples(300, TIMESTEPS, FEATURES, OUT_INDEX, np.random.default_rng(SEED))
model.fit(X, y, epochs=2, batch_size=32, verbose=0)
"""
SYNTAX_ERROR = "def standardize(train, test)\n    return train, test, None\n"
ENDLESS = "def standardize(train, test):\n    while True:\n        pass\n"
MERGE = "<<<<<<< HEAD\ndef invert_scaling(scaler, values):\n    return values\n=======\n>>>>>>> main\n"
TEN_GIGABYTES = IN_A_BOX + "import numpy as np\neverything = np.ones(10 * 2**27)\n"


def submissions() -> Iterator[tuple[str, str, Notebook | bytes]]:
    """Student, assignment and what was handed in."""
    yield "ada-perfect", NUMERIC, solved(NUMERIC)
    yield "ada-perfect", ECHO, solved(ECHO)
    yield "bob-partly-right", NUMERIC, answered(solved(NUMERIC), normalize=FITTED_ON_ALL)
    yield "bob-partly-right", ECHO, answered(solved(ECHO), trained_model=HARDLY_TRAINED)
    yield "cleo-not-started", NUMERIC, released(NUMERIC)
    yield "dan-wrong-notebook", NUMERIC, released(ECHO)
    yield "eve-hostile", NUMERIC, only(NUMERIC, "invert", normalize=EQUAL_TO_ALL)
    yield "eve-hostile", ECHO, answered(only(ECHO, "generate", "one-hot-sequence"), trained_model=FAKE_MODEL)
    yield "finn-syntax-error", NUMERIC, answered(solved(NUMERIC), standardize=SYNTAX_ERROR)
    yield "gus-truncated", NUMERIC, as_bytes(solved(NUMERIC))[:20_000]
    yield "hana-endless-loop", NUMERIC, answered(solved(NUMERIC), standardize=ENDLESS)
    yield "ivo-crash", NUMERIC, answered(solved(NUMERIC), invert="import os\nos._exit(0)\n")
    yield "june-moved-cells", NUMERIC, _moved()
    yield "kai-merge-conflict", NUMERIC, answered(solved(NUMERIC), invert=MERGE)
    yield "lou-ten-gigabytes", NUMERIC, answered(solved(NUMERIC), which_scaler=TEN_GIGABYTES)
    yield "mia-byte-order-mark", NUMERIC, b"\xef\xbb\xbf" + as_bytes(solved(NUMERIC))
    yield "ned-no-notebook", NUMERIC, b""


def _moved() -> Notebook:
    """A deleted answer, a copied one, an edited check and a cell of her own."""
    notebook = remove(solved(NUMERIC), "which-scaler")
    notebook = insert(notebook, "standardize", own_cell("column = (-1, 1)"))
    notebook["cells"].append(cell(released(NUMERIC), "normalize"))
    return answered(notebook, check_normalize="print('fine')")


def as_bytes(notebook: Notebook) -> bytes:
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def write(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for student, assignment, handed_in in submissions():
        path = folder / student / assignment / f"{assignment}.ipynb"
        path.parent.mkdir(parents=True)
        if student.startswith("ned"):
            path.with_name("answers.txt").write_text("I wrote my answers on paper.\n")
        else:
            path.write_bytes(handed_in if isinstance(handed_in, bytes) else as_bytes(handed_in))


if __name__ == "__main__":
    write(FOLDER)
