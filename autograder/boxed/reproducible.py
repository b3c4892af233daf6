"""What makes a run come out the same each time, in a box as in a student's self-check."""

from typing import Final

# Of the environment. As many threads as cores would add up in another order on another machine.
ONE_THREAD: Final = dict.fromkeys(
    (
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS",
    ),
    "1",
)  # fmt: skip
REPRODUCIBLE: Final = {
    "PYTHONHASHSEED": "0",
    "TF_DETERMINISTIC_OPS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "KERAS_BACKEND": "tensorflow",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
}


def first_code(seed: int) -> str:
    """What a kernel runs before the first cell: chance begins here. It leaves no name behind.

    First it imports what has a state of its own (NumPy), or draws while it is imported (rich, which scikit-learn
    imports): where that is imported already, as in a forked box, it would not draw.
    """
    imports = "__import__('numpy'); __import__('rich.style')"
    return f"{imports}; __import__('random').seed({seed}); __import__('numpy').random.seed({seed})"
