"""What a cell's names tell: which it binds, which it changes, and which it needs from the cells before it.

On the side of caution: whatever may change a variable counts as changing it, and code that can reach what no name
tells (`exec`, `globals`, files, shell commands) is opaque.
"""

import ast
import keyword
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from autograder.scopes import Scope

# With these in it, code reaches what its names do not tell.
REACHES_ALL: Final = frozenset(
    [
        "exec", "eval", "compile", "globals", "locals", "vars", "dir", "setattr", "delattr", "__import__",
        "__builtins__", "__main__", "__future__", "builtins", "importlib", "sys", "gc", "inspect", "ctypes",
        "atexit", "signal", "threading", "multiprocessing", "subprocess", "get_ipython", "In", "Out", "_", "__", "___",
        "exit", "quit", "open", "os", "shutil", "pathlib", "Path", "tempfile", "pickle", "joblib", "shelve", "sqlite3",
    ]
)  # fmt: skip
# Names that lead to it, to files, which a later cell may read, or to names that are written in a text.
LEAD_THERE: Final = frozenset(
    [
        "__globals__", "__dict__", "__code__", "__closure__", "f_globals", "f_locals",
        "save", "save_weights", "savez", "tofile", "dump", "write", "write_text", "to_csv", "to_pickle", "to_json",
        "savez_compressed", "savetxt", "save_model", "memmap", "to_parquet", "to_feather", "to_hdf", "to_excel",
        "ModelCheckpoint", "BackupAndRestore", "CSVLogger", "TensorBoard", "load_model", "load_weights",
        "query", "eval",
    ]
)  # fmt: skip
# Settings of a whole library, by whatever name it goes.
SETTINGS: Final = frozenset(
    [
        "seterr", "seterrcall", "set_option", "reset_option", "set_config", "set_floatx", "set_epsilon", "set_backend",
        "set_global_policy", "set_dtype_policy", "set_global_dtype_policy", "set_image_data_format",
        "run_functions_eagerly", "enable_op_determinism", "enable_numpy_behavior", "register_keras_serializable",
    ]
)  # fmt: skip
SEEDS: Final = frozenset(["seed", "set_random_seed", "set_seed"])  # where chance begins
# In a call for its effect, these concern no exercise: plots, waiting, a check of one's own. Chance is seen to apart.
HARMLESS: Final = (
    frozenset(["plt", "pprint", "time", "show", "display", "clear_session", "testing", "set_printoptions"]) | SEEDS
)
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
MOST_CHARACTERS: Final = 50_000  # of a cell that is looked into
MAGIC_WITHOUT_EFFECT: Final = ("%matplotlib", "%config InlineBackend")


@dataclass(frozen=True)
class Facts:
    """What a cell's names tell.

    `binds` may be bound or deleted; `surely` are bound when the cell has run to its end, `certain` even if it ends in
    an exception; `solid` are modules, functions, classes and constants, which nobody changes by the way. `needs` are
    read before the cell itself has bound them, `later` when its functions run, `waiting` those of them that were not
    bound yet where these were defined. `targets` are changed in place (`x[0] = 1`, `x.a = 1`); anything else that is
    read and is not solid may be. `groups` are the names of each statement: what it reads and binds may be one thing.
    `same` are the names of what looks like a constant, and is only if what it is called after is one.
    `holding` has the functions and classes, each with the names that it may keep hold of; its own is among them if it
    may keep what it is given. `called` are called for their effect, or changed, and matter if they are of a module: a
    setting of a whole library.
    `packages` are imported by name, and have then whatever modules of theirs some cell `loads`.
    `opaque`: there may be more to it. `draws`: it computes on the spot, `evidently` by chance; `seeds`: before that, it
    sets where chance begins.
    """

    binds: frozenset[str] = frozenset()
    surely: frozenset[str] = frozenset()
    certain: frozenset[str] = frozenset()
    solid: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    groups: tuple[frozenset[str], ...] = ()
    same: tuple[frozenset[str], ...] = ()
    holding: tuple[tuple[str, frozenset[str]], ...] = ()
    called: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    loads: frozenset[str] = frozenset()
    opaque: bool = False
    draws: bool = False
    evidently: bool = False
    seeds: bool = False


@lru_cache(maxsize=512)
def facts(source: str) -> Facts:
    """Of one cell. A cell that Python cannot read does nothing; IPython's own syntax may do anything."""
    lines = [line for line in source.split("\n") if not line.startswith(MAGIC_WITHOUT_EFFECT)]
    tree = parsed("\n".join(lines))
    if tree is None:
        return Facts(opaque=len(source) > MOST_CHARACTERS or any(map(_is_magic, lines)) or _is_automagic(lines))
    try:
        return _Reader().read(tree)
    except RecursionError:
        return Facts(opaque=True)


def _is_magic(line: str) -> bool:
    line = line.strip()
    starts, ends = line.startswith(("%", "!", "?", "/", ",", ";", ">>>", "...", "In [")), line.endswith("?")
    return starts or ends or "await" in line or re.search(r"=\s*[%!]", line) is not None


def _is_automagic(lines: list[str]) -> bool:
    """`time model.fit(X, y)`: in a cell of one line, IPython takes a word for the magic of this name."""
    words = [line.split() for line in lines if line.strip()]
    return len(words) == 1 and words[0][0].isidentifier() and not keyword.iskeyword(words[0][0])


def parsed(source: str) -> ast.Module | None:
    """None for what is no Python, or too long or too deep to look into."""
    if len(source) > MOST_CHARACTERS:
        return None
    indent = re.match(r"(?:[ \t]*\n)*([ \t]+)\S", source)
    if indent:  # IPython takes away what the first line is indented by
        source = re.sub("(?m)^" + indent[1], "", source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escape sequences
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@lru_cache(maxsize=512)
def bare(source: str) -> str:
    """Code without comments and layout, or the source where Python cannot read it."""
    tree = parsed(source)
    try:
        return source if tree is None else ast.unparse(tree)
    except RecursionError:
        return source


class _Reader:
    def __init__(self) -> None:
        self.binds: set[str] = set()
        self.surely: set[str] = set()
        self.fresh: set[str] = set()  # of them, what this branch has bound
        self.certain: set[str] = set()
        self.may_have_raised = False
        self.unsolid: set[str] = set()
        self.waiting: set[str] = set()  # needed by functions that were defined before the cell had bound it
        self.needs: set[str] = set()
        self.later: set[str] = set()
        self.groups: list[frozenset[str]] = []
        self.same: list[frozenset[str]] = []
        self.holding: list[tuple[str, frozenset[str]]] = []

    def read(self, tree: ast.Module) -> Facts:
        self.block(tree.body)
        targets, called, modules = set[str](), set[str](), set[str]()
        packages, loads, opaque = set[str](), set[str](), False
        for node in ast.walk(tree):
            if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
                targets |= {root(node)}
                if not _is_harmless(node):
                    called |= {root(node)}
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                targets.add(node.target.id)
            if isinstance(node, (ast.Attribute, ast.Name)) and last(node) in LEAD_THERE | SETTINGS:
                opaque = True
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                registered = {root(one) for one in node.decorator_list if "register" in _chain(one)}
                targets |= registered
                called |= registered
            if isinstance(node, ast.ImportFrom) and (node.level or any(alias.name == "*" for alias in node.names)):
                opaque = True
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
                opaque |= any(name.split(".")[0] in REACHES_ALL for name in names)
                package = {f"import {name.split('.')[0]}" for name in names}  # no name of a variable
                packages |= package if isinstance(node, ast.Import) else set()
                loads |= package if isinstance(node, ast.ImportFrom) or any("." in name for name in names) else set()
                modules |= {one.asname or one.name.split(".")[0] for one in node.names}
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and not _is_harmless(node.value.func):
                called.add(_receiver(node.value.func))
                if isinstance(node.value.func, ast.Attribute):
                    targets.add(_receiver(node.value.func))
        draws, seeds = _chance(tree)
        called -= {_receiver(one.func) for one in _undone(tree)}
        read = self.needs | self.later
        opaque |= bool((read - self.binds) & REACHES_ALL)
        return Facts(
            binds=frozenset(self.binds),
            surely=frozenset(self.surely),
            certain=frozenset(self.certain),
            solid=frozenset(self.binds - self.unsolid),
            needs=frozenset(self.needs | self.waiting & self.surely),
            later=frozenset(self.later),
            waiting=frozenset(self.waiting),
            targets=frozenset(targets - {""}),
            groups=tuple(self.groups),
            same=tuple(self.same),
            holding=tuple(self.holding),
            called=frozenset(called),
            modules=frozenset(modules),
            packages=frozenset(packages),
            loads=frozenset(loads),
            opaque=opaque,
            draws=draws,
            evidently=draws and any(_is_random(one) for statement in tree.body for one in _called_at_once(statement)),
            seeds=seeds,
        )

    def block(self, body: Iterable[ast.stmt]) -> None:
        for node in body:
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        """In the order in which it runs; what a branch or a loop binds is bound within it, and perhaps after it."""
        if isinstance(node, (ast.If, ast.While)):
            self.simple(ast.Expr(node.test))
            self.branches([], node.body, node.orelse)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self.simple(ast.Expr(node.iter))
            self.together(node.target, node.iter)
            self.branches([node.target], node.body, node.orelse)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self.simple(ast.Expr(item.context_expr))
                self.together(item)
            self.branches([one.optional_vars for one in node.items if one.optional_vars], node.body)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            self.branches([], node.body, node.orelse, node.finalbody)
            for one in node.handlers:
                if one.type:
                    self.simple(ast.Expr(one.type))
                self.branches([ast.Name(one.name, ast.Store())] if one.name else [], one.body)
        else:
            self.simple(node)

    def together(self, *nodes: ast.AST) -> None:
        names = Scope()
        for node in nodes:
            names.visit(node)
        self.groups.append(frozenset(names.bound | names.bound_later | names.now | names.later))

    def branches(self, targets: list[ast.expr], *bodies: list[ast.stmt]) -> None:
        self.may_have_raised = True
        for body in bodies:
            outer, self.fresh = self.fresh, set()
            for target in targets:
                self.simple(ast.Assign([target], ast.Constant(None), lineno=0))
                self.unsolid |= {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}
            self.block(body)
            self.surely -= self.fresh
            self.fresh = outer

    def simple(self, node: ast.stmt) -> None:
        names = Scope()
        names.visit(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            held = names.later | names.bound_later | ({node.name} if _keeps(node) else set())
            self.holding.append((node.name, frozenset(held)))
        elif not isinstance(node, DEFINITIONS):
            self.groups.append(frozenset(names.bound | names.bound_later | names.now | names.later))
        self.needs |= names.now - self.surely
        self.later |= names.later
        self.waiting |= names.later - self.surely
        bound = names.bound
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id not in self.surely:
            self.needs.add(node.target.id)
        self.binds |= bound | names.bound_later
        if isinstance(node, (*DEFINITIONS, ast.Assign, ast.AugAssign, ast.Expr)) or (
            isinstance(node, ast.AnnAssign) and node.value is not None
        ):
            perhaps = {part.target.id for part in ast.walk(node) if isinstance(part, ast.NamedExpr)}
            fresh = bound - perhaps - self.surely
            self.surely |= fresh
            self.fresh |= fresh
        self.may_have_raised = self.may_have_raised or bool(names.now) or not _is_safe(node)
        if not self.may_have_raised:
            self.certain |= bound
        constant = isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None and _constant(node.value)
        if (
            names.now
            and isinstance(node, (ast.Assign, ast.AnnAssign))
            and (constant or isinstance(node.value, ast.Name))
        ):
            self.same.append(frozenset(bound | names.now))
        if not isinstance(node, DEFINITIONS) and not constant:
            self.unsolid |= bound
        self.unsolid |= names.bound_later


def _receiver(function: ast.expr) -> str:
    """Whose method is called; none of a thing that was just made."""
    while isinstance(function, (ast.Attribute, ast.Subscript)):
        function = function.value
    return function.id if isinstance(function, ast.Name) else ""


def _is_safe(node: ast.stmt) -> bool:
    """Whether this, where it reads no name, raises nothing: definitions, and constants under plain names."""
    if isinstance(node, ast.Assign):
        return all(isinstance(one, ast.Name) for one in node.targets) and _constant(node.value)
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Pass))


def _chance(tree: ast.Module) -> tuple[bool, bool]:
    """Whether a cell computes on the spot; and whether it first sets where chance begins, for all that it uses."""
    keras = any(
        last(node) in {"keras", "tf", "fit", "compile"} for node in ast.walk(tree)
        if isinstance(node, (ast.Name, ast.Attribute))
    )  # fmt: skip
    setting = {"set_random_seed"} if keras else SEEDS  # Keras begins where none of the others does
    draws, seeds = False, False
    for statement in tree.body:
        seeds |= not draws and any(isinstance(node, ast.Call) and last(node.func) in setting
                                   for node in ast.walk(statement))  # fmt: skip
        draws |= any(last(one) not in CERTAIN for one in _called_at_once(statement))
    return draws, seeds


def _is_random(function: ast.expr) -> bool:
    return last(function) not in CERTAIN and bool(_chain(function) & RANDOM)


def _called_at_once(node: ast.AST) -> Iterator[ast.expr]:
    """What a statement calls: of a function its decorators, which may call it, and what stands in its head."""
    parts: list[ast.AST] = [node]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        parts = [*node.decorator_list, *(one for one in _defaults(node.args) if one)]
        yield from (one for one in node.decorator_list if not isinstance(one, ast.Call))
    elif isinstance(node, ast.ClassDef):
        parts = [*node.decorator_list, *node.bases, *node.keywords]
        yield from (one for one in node.decorator_list if not isinstance(one, ast.Call))
        for one in node.body:
            if not isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from _called_at_once(one)
    for part in parts:
        yield from (one.func for one in ast.walk(part) if isinstance(one, ast.Call))


def _undone(tree: ast.Module) -> Iterator[ast.Call]:
    """Calls whose effect ends with a `with` block: settings of warnings."""
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, within = waiting.pop()
        if within and isinstance(node, ast.Call) and _receiver(node.func) == "warnings":
            yield node
        within = within or (isinstance(node, ast.With) and "catch_warnings" in {
            last(one.context_expr.func) for one in node.items if isinstance(one.context_expr, ast.Call)
        })  # fmt: skip
        waiting += [(inner, within) for inner in ast.iter_child_nodes(node)]


def _chain(node: ast.expr) -> set[str]:
    """`a.b(c).d`: a, b and d."""
    names = {last(node), root(node)}
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
        names.add(last(node))
    return names


def _is_harmless(function: ast.expr) -> bool:
    return bool(_chain(function) & HARMLESS)


def _keeps(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether it may keep what it is given: in a default, or as a class."""
    if isinstance(node, ast.ClassDef):
        return any(isinstance(one, (ast.Assign, ast.AnnAssign)) and one.value is not None for one in node.body)
    return bool(node.decorator_list) or not all(map(_constant, [one for one in _defaults(node.args) if one]))


def _defaults(arguments: ast.arguments) -> list[ast.expr | None]:
    return [*arguments.defaults, *arguments.kw_defaults]


def _constant(node: ast.expr) -> bool:
    """Nothing that can be changed in place: a number, a text, a tuple of such, a type, a moment or a span of time."""
    if isinstance(node, ast.Call):
        return last(node.func) in UNCHANGING and all(map(_constant, [*node.args, *(k.value for k in node.keywords)]))
    if _is_type(node):
        return True
    if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.BitOr):
        sides = (node.left, node.right)  # of constants, which are written in capitals
        return all(_constant(one) or (isinstance(one, ast.Name) and one.id.isupper()) for one in sides)
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return _unchanging(value)


def _is_type(node: ast.expr) -> bool:
    """A type, by the looks of it: `np.ndarray | list[float]`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return all(_is_type(one) or isinstance(one, ast.Constant) for one in (node.left, node.right))
    if isinstance(node, ast.Subscript):
        return _is_type(node.value)
    name = last(node)
    return name in TYPES or (name[:1].isupper() and not name.isupper())


def _unchanging(value: object) -> bool:
    return all(map(_unchanging, value)) if isinstance(value, tuple) else not isinstance(value, (list, dict, set))


def root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call, ast.Starred)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
