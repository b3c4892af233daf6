"""The forms of code that are known to be harmless. What is not among them may do anything.

A cell is *plain* when it is made of listed forms only (`plain_code.toml`). Its functions keep nothing from one call to
the next and set nothing for others, and it reads nothing of the notebook but by name. What it leaves behind is what it
binds, what it does to the values that it names, and how far it has moved chance on.

Names alone do not tell what code changes: an alias, a decorator or a thread can change NumPy for the rest of the
notebook, and there is always one more way. So this lists what is allowed:

    >>> libraries = facts("import numpy as np").imports
    >>> facts("def double(x):\\n    return 2 * np.tanh(x)", libraries).plain
    True
    >>> facts("n = np\\nn.tanh = lambda z: z", libraries).plain
    False
    >>> found = facts("weights = np.random.rand(3)", libraries)
    >>> found.plain, sorted(found.data), sorted(found.draws)
    (True, ['weights'], ['rand', 'random'])
"""

import ast
import builtins
import re
import symtable
import warnings
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from autograder.submission.cell_names import (
    Imports,
    bodies,
    chain,
    defaults,
    imported,
    is_fixed,
    last_name,
    names,
    only_defines,
    renamed,
    root,
    tables,
)
from autograder.submission.plain_lists import LISTS, PURE

FORMS: Final = tuple(getattr(ast, name) for name in LISTS["forms"])
BUILTINS: Final = LISTS["builtins"] | {
    name for name, one in vars(builtins).items() if isinstance(one, type) and issubclass(one, BaseException)
}
OTHER_BUILTINS: Final = frozenset(dir(builtins)) - BUILTINS
ATTRIBUTES: Final = PURE | LISTS["attributes"]
OF_IPYTHON: Final = re.compile(r"_{1,3}|_\d+|_i+\d*|_(dh|ih|oh|exit_code)|In|Out|get_ipython|exit|quit|open")
LEARNING_RATE: Final = ["optimizer", "learning_rate"]  # of a model: the one attribute that a cell may store to
MODULES: Final = LISTS["modules"] | LISTS["inner_modules"]
IN_FUNCTIONS: Final = PURE | LISTS["seeds"]
AT_THE_TOP: Final = IN_FUNCTIONS | LISTS["settings"] | LISTS["undone_by_catch_warnings"]
MOST_CHARACTERS: Final = 100_000  # of a cell that is looked into


@dataclass(frozen=True)
class Facts:
    """What the text of one cell tells.

    `binds` are the names to which it gives a value for later cells, and `data` those of them whose value may be changed
    or may keep something. `imports` has each imported name, and each class, with the words that lead to it. `uses` are
    the names that it takes from elsewhere, `in_functions` those that its functions take, `calls` those that it calls,
    `lends` those that it uses otherwise than for a copy. `computes`: it does more than define. `computed` are the names
    that it uses before it sets where chance begins, and `draws` the words of chance there; `functions_draw` has those
    in its functions. `sets`: it may set what all cells read. `reads_counts`: it may look at names such as `dense_3`,
    which Keras gives by counting.
    """

    plain: bool
    binds: frozenset[str]
    data: frozenset[str]
    uses: frozenset[str]
    in_functions: frozenset[str]
    lends: frozenset[str]
    computed: frozenset[str]
    imports: Imports = frozenset()
    computes: bool = True
    draws: frozenset[str] = LISTS["chance"]
    functions_draw: frozenset[str] = LISTS["chance"]
    reads_counts: bool = True
    sets: bool = True
    calls: frozenset[str] = frozenset()


@lru_cache(maxsize=4096)
def facts(source: str, imports: Imports = frozenset()) -> Facts:
    """What a cell's text tells, in a notebook with these `imports`.

    Raises nothing: a cell that cannot be read is not plain, and all its words count.
    """
    if len(source) <= MOST_CHARACTERS:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return _Cell(source, imports).facts()
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    words = frozenset(re.findall(r"[^\W\d]\w*", source))
    return Facts(False, words, words, words, words, words, words)


class _Cell:
    def __init__(self, source: str, imports: Imports) -> None:
        self._body = ast.parse(source).body
        line = re.fullmatch(r"(\w+)\s*([^\w\s]?).*", source.strip())
        self._is_magic = line is not None and line[1] in LISTS["magics"] and line[2] not in {*".!=()<>,+*/%^&|"}
        self._symbols = [one for table in tables(symtable.symtable(source, "", "exec")) for one in table.get_symbols()]
        self._top = symtable.symtable(source, "", "exec").get_symbols()
        self._nodes = [node for statement in self._body for node in ast.walk(statement)]
        self._renamed = dict(renamed(self._nodes, imports))
        self._imports = frozenset([*imported(self._nodes), *self._renamed.values()])
        self._libraries: dict[str, set[str]] = {}  # a name, and what it may be a name of
        for name, original in imports | self._imports:
            self._libraries.setdefault(name, set()).add(original)
        self._in_functions = {
            id(one) for node in self._nodes if isinstance(node, (ast.FunctionDef, ast.Lambda))
            for part in (node.body if isinstance(node, ast.FunctionDef) else [node.body]) for one in ast.walk(part)
        }  # fmt: skip
        self._within = {id(node.value) for node in self._nodes if isinstance(node, ast.Attribute)}
        self._outside = {one.get_name() for one in self._symbols if one.is_global() and one.is_referenced()}
        self._outside |= names([one.target for one in self._body if isinstance(one, ast.AugAssign)], store=True)

    def facts(self) -> Facts:
        binds = {one.get_name() for one in self._top if one.is_assigned() or one.is_imported()}
        binds |= {one.get_name() for one in self._symbols if one.is_declared_global()}
        preset = [part for node in self._nodes if isinstance(node, ast.arguments) for part in defaults(node)]
        inner = names(node for node in self._nodes if id(node) in self._in_functions) | names(*map(ast.walk, preset))
        computing = [node for node in self._body if not only_defines(node)]
        before = computing[: next((n for n, node in enumerate(computing) if _seeds(node)), len(computing))]
        at_once = [one for node in before for one in ast.walk(node) if id(one) not in self._in_functions]
        copied = {id(node.func.value) for node in self._nodes if isinstance(node, ast.Call)
                  and isinstance(node.func, ast.Attribute) and node.func.attr in LISTS["copies"]}  # fmt: skip
        later = [node for node in self._nodes if id(node) in self._in_functions]
        return Facts(
            plain=self._is_plain(),
            binds=frozenset(binds),
            data=frozenset(binds - self._fixed(binds)),
            uses=frozenset(self._outside & (inner | self._read_first(self._body))),
            in_functions=frozenset(inner & self._outside),
            lends=frozenset(self._outside & names(node for node in self._nodes if id(node) not in copied)),
            computed=frozenset(names(at_once)),
            imports=self._imports,
            computes=bool(computing),
            draws=frozenset(word for node in at_once for word in self._chance(node)),
            functions_draw=frozenset(word for node in later for word in self._chance(node)),
            reads_counts=any(map(_reads_counts, self._nodes)),
            sets=any(last_name(node.func) in AT_THE_TOP - PURE for node in self._nodes if isinstance(node, ast.Call)),
            calls=frozenset(names(node.func for node in self._nodes if isinstance(node, ast.Call))),
        )

    def _read_first(self, body: Iterable[ast.stmt], bound: Set[str] = frozenset()) -> set[str]:
        """The names that statements read before they have surely bound them."""
        found, bound = set[str](), set(bound)
        for statement in body:
            parts = [] if isinstance(statement, (ast.FunctionDef, ast.ClassDef)) else bodies(statement)
            later = {id(one) for part in parts for inner in part for one in ast.walk(inner)} | self._in_functions
            nodes = [one for one in ast.walk(statement) if id(one) not in later]
            loops = [one for one in nodes if isinstance(one, ast.comprehension)]
            read = names(nodes) - names(*(ast.walk(one.target) for one in loops), store=True)
            read |= names(*(ast.walk(one.iter) for one in loops))  # before it has bound its own
            if isinstance(statement, ast.AugAssign):
                read |= names(nodes, store=True)
            found |= read - bound
            own = names(nodes, store=True)  # of a loop, or a `with`
            found.update(*(self._read_first(part, bound | own) for part in parts))
            if isinstance(statement, ast.With):
                bound |= own
            elif isinstance(statement, ast.Assign):
                bound |= names(*map(ast.walk, statement.targets), store=True)
            elif isinstance(statement, ast.FunctionDef):
                bound.add(statement.name)
        return found

    def _fixed(self, binds: Set[str]) -> Set[str]:
        """Of the names that it binds, those whose value nobody can change, wherever it binds them."""
        fine = {
            id(one) for node in self._nodes
            if isinstance(node, ast.Assign)
            and (is_fixed(node.value, binds) or isinstance(node.value, ast.Lambda) or id(node.value) in self._renamed)
            for target in node.targets if "Starred" not in ast.dump(target) for one in ast.walk(target)
        }  # fmt: skip
        others = names((node for node in self._nodes if id(node) not in fine), store=True)
        captures = (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)
        others |= {str(node.name) for node in self._nodes if isinstance(node, captures)}
        others |= {str(node.rest) for node in self._nodes if isinstance(node, ast.MatchMapping)}
        others |= {one.get_name() for one in self._symbols if one.is_declared_global()}
        return self._fixed(binds - others) if binds & others else binds  # constants may be made of these alone

    def _chance(self, node: ast.AST) -> set[str]:
        words = chain(node)
        methods = LISTS["chance_of_methods"] | LISTS["training"]
        found = {node.attr} & methods if isinstance(node, ast.Attribute) else set[str]()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {node.value} & LISTS["chance_by_text"]
        if id(node) not in self._within and words[-1:] not in (["default_rng"], ["seed"]):
            for original in self._libraries.get(words[0], ()) if words else ():
                found |= {*words, *original.split(".")} & LISTS["chance"]
        return found

    def _is_plain(self) -> bool:
        return (
            all(isinstance(node, FORMS) and _has_known_form(node) for node in self._nodes)
            and not any(one.is_declared_global() for one in self._symbols)
            and not any(map(OF_IPYTHON.fullmatch, self._outside))
            and not self._is_magic
            and self._libraries_stay_as_they_are()
        )

    def _libraries_stay_as_they_are(self) -> bool:
        """Only what is listed of a library is used, and a module or a class is not passed on. Nor is one stored into,
        and a function stores only into what it has itself."""
        called = {id(node.func) for node in self._nodes if isinstance(node, ast.Call)}
        given = {id(one) for node in self._nodes if isinstance(node, ast.Call) for one in node.args}
        given |= {id(one.value) for one in self._nodes if isinstance(one, ast.keyword)}
        indexed = {id(node.value) for node in self._nodes if isinstance(node, ast.Subscript)}
        types = {id(one) for node in self._nodes for part in _types_in(node) for one in ast.walk(part)} | {
            *self._renamed
        }
        undone = {id(one) for node in self._nodes if _takes_back(node) for one in ast.walk(node)}
        for node in self._nodes:
            in_function, words = id(node) in self._in_functions, chain(node)
            if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
                base = root(node)
                own = base not in self._outside if in_function else base not in self._libraries and base not in BUILTINS
                if not own or (isinstance(node, ast.Attribute) and (in_function or words[1:] != LEARNING_RATE)):
                    return False
            elif isinstance(node, ast.Attribute) and (not words or words[0] not in self._libraries):
                by_text = node.attr in LISTS["by_text"]
                if node.attr not in ATTRIBUTES | {"format"} or (by_text and id(node) not in called):
                    return False
            elif words and isinstance(getattr(node, "ctx", None), ast.Load) and id(node) not in self._within | types:
                if words[0] in OTHER_BUILTINS or (words[0] in {"getattr", "hasattr"} and id(node) not in called):
                    return False
                known = IN_FUNCTIONS if in_function else AT_THE_TOP
                if id(node) in undone:
                    known |= LISTS["undone_by_catch_warnings"]
                for path in self._libraries.get(words[0], ()):
                    last = [*path.split("."), *words[1:]][-1]
                    if not (known if id(node) in called else PURE).issuperset(words[1:]):
                        return False
                    if id(node) not in called and not (
                        last in LISTS["values"] or (id(node) in indexed and last in LISTS["indexed"])
                        or (id(node) in given and last not in MODULES and not last[:1].isupper())
                    ):  # fmt: skip
                        return False
        return all(
            _is_default(part) for node in self._nodes if isinstance(node, ast.arguments) for part in defaults(node)
        )


def _has_known_form(node: ast.AST) -> bool:
    match node:
        case ast.Import(parts):
            return all(_is_listed(one.name) for one in parts)
        case ast.ImportFrom(module, parts, level):
            return level == 0 and all(_is_listed(f"{module}.{one.name}") for one in parts)
        case ast.FunctionDef(decorator_list=[_, *_]):
            return False
        case ast.With(items):
            return all(isinstance(one.context_expr, ast.Call) for one in items)
        case ast.Attribute(value=value, attr="format"):
            text = value.value if isinstance(value, ast.Constant) else None
            return isinstance(text, str) and not re.search(r"\{[^{}:!]*[.\[]|__", text)
        case ast.Call(func=ast.Name(id="getattr" | "hasattr"), args=arguments):
            name = arguments[1] if len(arguments) > 1 else None
            return isinstance(name, ast.Constant) and name.value in ATTRIBUTES - LISTS["by_text"]
        case ast.Call(func=ast.Attribute(attr=attribute), args=given, keywords=more) if attribute in LISTS["by_text"]:
            match given:
                case [ast.Constant(value=text), *_]:
                    return text in ATTRIBUTES
                case [ast.Lambda(), *_]:
                    return True
            return len(given) == 1 and not more
        case ast.Name(id=name):
            return not name.startswith("__") or name == "__name__"
    return True


def _is_default(node: ast.expr) -> bool:
    """A constant, a name that a function may read, or a value of a library."""
    words = chain(node)
    return is_fixed(node) or len(words) == 1 or (bool(words) and words[-1] in LISTS["values"])


def _is_listed(name: str) -> bool:
    first, *rest = name.split(".")
    return first in LISTS["modules"] and PURE.issuperset(rest)


def _types_in(node: ast.AST) -> Iterator[ast.expr]:
    """Where a class may stand, since it is only looked at."""
    match node:
        case (
            ast.arg(annotation=ast.expr() as found) | ast.FunctionDef(returns=ast.expr() as found)
            | ast.AnnAssign(annotation=found) | ast.ExceptHandler(type=ast.expr() as found)
            | ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, found])
        ):  # fmt: skip
            if not any(isinstance(part, (ast.NamedExpr, ast.Call, ast.Lambda)) for part in ast.walk(found)):
                yield found


def _seeds(node: ast.stmt) -> bool:
    """Whether chance begins here, for all libraries."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and last_name(node.value.func) == "set_random_seed"
    )


def _takes_back(node: ast.AST) -> bool:
    return isinstance(node, ast.With) and any(
        isinstance(one.context_expr, ast.Call) and last_name(one.context_expr.func) == "catch_warnings"
        for one in node.items
    )


def _reads_counts(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"^val_|_\d+$", "", node.value) in LISTS["counted_names"]
    return isinstance(node, ast.Attribute) and node.attr in LISTS["counted"]
