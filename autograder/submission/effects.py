"""What a piece of code may do, by the names that it calls: change a setting, draw by chance, keep hold of things.

A cell, and what is found in it:

    >>> cell = ast.parse("keras.utils.set_random_seed(1)\\nnoise = np.random.rand(3)")
    >>> rand = list(called_at_once(cell))[-1]
    >>> root_name(rand), last_name(rand), sorted(names_in_chain(rand))
    ('np', 'rand', ['np', 'rand', 'random'])
    >>> is_random(rand), is_harmless(rand)
    (True, False)
    >>> draws_and_seeds(cell)  # it draws, and before that it sets where chance begins
    (True, True)

A setting that a `with` block takes back, and a function that may keep what it is given from one call to the next:

    >>> cell = ast.parse("with warnings.catch_warnings():\\n    warnings.simplefilter('ignore')")
    >>> sorted(ast.unparse(call) for call in undone_by_with(cell))
    ['warnings.catch_warnings()', "warnings.simplefilter('ignore')"]
    >>> [may_keep(ast.parse(code).body[0]) for code in ("def f(x, seen=[]): ...", "def f(x, step=1): ...")]
    [True, False]
"""

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Final

# With these in it, code reaches what its names do not tell.
REACHES_ALL: Final = frozenset(
    [
        "exec", "eval", "compile", "globals", "locals", "vars", "dir", "setattr", "delattr", "__import__",
        "__builtins__", "__main__", "__future__", "builtins", "importlib", "sys", "gc", "inspect", "ctypes",
        "atexit", "signal", "threading", "multiprocessing", "subprocess", "get_ipython", "In", "Out", "_", "__", "___",
        "exit", "quit", "open", "os", "shutil", "pathlib", "Path", "tempfile", "pickle", "joblib", "shelve", "sqlite3",
    ]
)  # fmt: skip
# What IPython keeps of earlier cells.
HISTORY: Final = re.compile(r"_\d+|_i+\d*|_[iod]h")
# IPython takes these for its magics where they begin a cell of one line, also one that Python could read: `reset -f`.
MAGICS: Final = frozenset(
    [
        "alias", "alias_magic", "autoawait", "autocall", "automagic", "autosave", "bookmark", "cat", "cd", "clear",
        "code_wrap", "colors", "conda", "config", "connect_info", "cp", "debug", "dhist", "dirs", "doctest_mode", "ed",
        "edit", "env", "gui", "hist", "history", "killbgscripts", "ldir", "less", "lf", "lk", "ll", "load", "load_ext",
        "loadpy", "logoff", "logon", "logstart", "logstate", "logstop", "ls", "lsmagic", "lx", "macro", "magic",
        "mamba", "man", "matplotlib", "micromamba", "mkdir", "more", "mv", "notebook", "page", "pastebin", "pdb",
        "pdef", "pdoc", "pfile", "pinfo", "pinfo2", "pip", "popd", "pprint", "precision", "prun", "psearch", "psource",
        "pushd", "pwd", "pycat", "pylab", "qtconsole", "quickref", "recall", "rehashx", "reload_ext", "rep", "rerun",
        "reset", "reset_selective", "rm", "rmdir", "run", "save", "sc", "set_env", "store", "subshell", "sx", "system",
        "tb", "time", "timeit", "unalias", "unload_ext", "uv", "who", "who_ls", "whos", "xdel", "xmode",
    ]
)  # fmt: skip
# Names that lead to it, to files, which a later cell may read, or to names that are written in a text.
LEAD_THERE: Final = frozenset(
    [
        "__globals__", "__dict__", "__code__", "__closure__", "f_globals", "f_locals",
        "save", "save_weights", "savez", "tofile", "dump", "write", "write_text", "to_csv", "to_pickle", "to_json",
        "savez_compressed", "savetxt", "save_model", "memmap", "to_parquet", "to_feather", "to_hdf", "to_excel",
        "ModelCheckpoint", "BackupAndRestore", "CSVLogger", "TensorBoard", "load_model", "load_weights",
        "query", "eval", "attrgetter", "methodcaller",
    ]
)  # fmt: skip
# Settings of a whole library, by whatever name it goes.
SETTINGS: Final = frozenset(
    [
        "seterr", "seterrcall", "set_option", "reset_option", "set_config", "set_floatx", "set_epsilon", "set_backend",
        "set_global_policy", "set_dtype_policy", "set_global_dtype_policy", "set_image_data_format",
        "set_printoptions", "run_functions_eagerly", "enable_op_determinism", "enable_numpy_behavior",
        "register_keras_serializable",
    ]
)  # fmt: skip
SEEDS: Final = frozenset(["seed", "set_random_seed", "set_seed"])  # where chance begins
# In a call for its effect, these concern no exercise: plots, waiting, a check of one's own. Chance is seen to apart.
HARMLESS: Final = frozenset(["plt", "pprint", "time", "show", "display", "clear_session", "testing"]) | SEEDS
RANDOM: Final = frozenset(["random", "shuffle", "sample", "train_test_split", "fit", "Sequential", "layers"])
# Calls that chance has no part in, on the spot or as a decorator.
CERTAIN: Final = SEEDS | frozenset(
    [
        "print", "len", "range", "list", "dict", "tuple", "set", "zip", "enumerate", "sorted", "min", "max", "sum",
        "abs", "int", "float", "str", "round", "isinstance", "type", "array", "asarray", "arange", "linspace", "zeros",
        "ones", "full", "eye", "reshape", "mean", "std", "DataFrame", "Series", "date_range", "to_numpy", "default_rng",
        "dataclass", "cache", "lru_cache", "wraps", "singledispatch", "register",
    ]
)  # fmt: skip
DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
UNCHANGING: Final = frozenset(["Timedelta", "Timestamp", "timedelta", "date", "datetime", "frozenset", "TypeVar"])
TYPES: Final = frozenset(["list", "dict", "tuple", "set", "type", "int", "float", "str", "bool", "bytes", "ndarray"])


def receiver(function: ast.expr) -> str:
    """The name whose method is called; None for a thing that was just made."""
    while isinstance(function, (ast.Attribute, ast.Subscript)):
        function = function.value
    return function.id if isinstance(function, ast.Name) else ""


def is_safe(node: ast.stmt) -> bool:
    """Whether this raises nothing if it reads no name: definitions, and constants under plain names."""
    if isinstance(node, ast.Assign):
        return all(isinstance(one, ast.Name) for one in node.targets) and _is_literal(node.value)
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return all(_is_literal(one) for one in defaults(node.args) if one) and _compiles(node)
    if isinstance(node, ast.ClassDef):
        return all(map(is_safe, node.body)) and _compiles(node)
    return isinstance(node, ast.Pass)


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _compiles(node: ast.stmt) -> bool:
    """Python may refuse a statement that it can parse: `def f(x, x): pass`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(ast.Module([node], []), "", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return False
    return True


def draws_and_seeds(tree: ast.Module) -> tuple[bool, bool]:
    """Whether a cell computes on the spot; and whether it first sets where chance begins, for all that it uses."""
    keras = any(
        last_name(node) in {"keras", "tf", "fit", "compile"} for node in ast.walk(tree)
        if isinstance(node, (ast.Name, ast.Attribute))
    )  # fmt: skip
    setting = {"set_random_seed"} if keras else SEEDS  # Keras begins where none of the others does
    draws, seeds = False, False
    for statement in tree.body:
        seeds |= not draws and any(isinstance(node, ast.Call) and last_name(node.func) in setting
                                   for node in ast.walk(statement))  # fmt: skip
        draws |= any(last_name(one) not in CERTAIN for one in called_at_once(statement))
    return draws, seeds


def is_random(function: ast.expr) -> bool:
    """Whether a call of it draws by chance, by its names."""
    return last_name(function) not in CERTAIN and bool(names_in_chain(function) & RANDOM)


def called_at_once(node: ast.AST) -> Iterator[ast.expr]:
    """What a statement calls; for a function: its decorators, which may call it, and its defaults and annotations."""
    parts: list[ast.AST] = [node]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        parts = [*node.decorator_list, *(one for one in defaults(node.args) if one)]
        yield from (one for one in node.decorator_list if not isinstance(one, ast.Call))
    elif isinstance(node, ast.ClassDef):
        parts = [*node.decorator_list, *node.bases, *node.keywords]
        yield from (one for one in node.decorator_list if not isinstance(one, ast.Call))
        for one in node.body:
            if not isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from called_at_once(one)
    for part in parts:
        yield from (one.func for one in ast.walk(part) if isinstance(one, ast.Call))


def looks_up_by_text(tree: ast.Module) -> bool:
    """Whether `getattr` is called with anything else than a plain text as the name."""
    plain = {
        id(node.func) for node in ast.walk(tree)
        if isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
        and node.args[1].value not in LEAD_THERE | SETTINGS | REACHES_ALL
    }  # fmt: skip
    return any(isinstance(node, ast.Name) and node.id == "getattr" and id(node) not in plain for node in ast.walk(tree))


def undone_by_with(tree: ast.Module) -> Iterator[ast.Call]:
    """Calls whose effect ends with a `with` block: settings of warnings."""
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, within = waiting.pop()
        if within and isinstance(node, ast.Call) and receiver(node.func) == "warnings":
            yield node
        within = within or (isinstance(node, ast.With) and "catch_warnings" in {
            last_name(one.context_expr.func) for one in node.items if isinstance(one.context_expr, ast.Call)
        })  # fmt: skip
        waiting += [(inner, within) for inner in ast.iter_child_nodes(node)]


def names_in_chain(node: ast.expr) -> set[str]:
    """`a.b(c).d`: a, b and d."""
    names = {last_name(node), root_name(node)}
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
        names.add(last_name(node))
    return names


def is_harmless(function: ast.expr) -> bool:
    """Whether a call of it, made for its effect, concerns no exercise."""
    return bool(names_in_chain(function) & HARMLESS)


def may_keep(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether it may keep what it is given: in a default, or as a class."""
    if isinstance(node, ast.ClassDef):
        return any(isinstance(one, (ast.Assign, ast.AnnAssign)) and one.value is not None for one in node.body)
    return bool(node.decorator_list) or not all(map(is_constant, [one for one in defaults(node.args) if one]))


def defaults(arguments: ast.arguments) -> list[ast.expr | None]:
    """The arguments' defaults, those by position first; None for an argument by name that has none."""
    return [*arguments.defaults, *arguments.kw_defaults]


def is_constant(node: ast.expr) -> bool:
    """Whether nobody can change it in place: a number, a text, a tuple of these, a type, a time or a time span."""
    if isinstance(node, ast.Call):
        return last_name(node.func) in UNCHANGING and all(
            map(is_constant, [*node.args, *(k.value for k in node.keywords)])
        )
    if _is_type(node):
        return True
    if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.BitOr):
        sides = (node.left, node.right)  # of constants, which are written in capitals
        return all(is_constant(one) or (isinstance(one, ast.Name) and one.id.isupper()) for one in sides)
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return _unchanging(value)


def _is_type(node: ast.expr) -> bool:
    """Whether it looks like a type: `np.ndarray | list[float]`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return all(_is_type(one) or isinstance(one, ast.Constant) for one in (node.left, node.right))
    if isinstance(node, ast.Subscript):
        return _is_type(node.value)
    name = last_name(node)
    return name in TYPES or (name[:1].isupper() and not name.isupper())


def _unchanging(value: object) -> bool:
    return all(map(_unchanging, value)) if isinstance(value, tuple) else not isinstance(value, (list, dict, set))


def root_name(node: ast.expr) -> str:
    """The name that it begins with: of `a.b(c).d` a; "" where that is no name."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call, ast.Starred)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def last_name(node: ast.expr) -> str:
    """The name that it ends with: of `a.b(c).d` d; "" where that is no name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
