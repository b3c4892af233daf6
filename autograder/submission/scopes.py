"""Which of a notebook's names a piece of code reads and binds, by Python's rules of scope."""

import ast
from collections.abc import Iterable, Sequence


class Scope(ast.NodeVisitor):
    """The cells' names in a piece of code: read `now` or `later`, when a function runs, and bound."""

    def __init__(self) -> None:
        self.now: set[str] = set()
        self.later: set[str] = set()
        self.bound: set[str] = set()
        self.bound_later: set[str] = set()
        self._local: frozenset[str] = frozenset()  # of the functions and comprehensions around
        self._binds = True  # whether names that are bound here are the cells'
        self._declared: frozenset[str] = frozenset()  # `global`
        self._at_once = True

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            if node.id not in self._local:
                (self.now if self._at_once else self.later).add(node.id)
        else:
            self._bind(node.id)

    def _bind(self, name: str) -> None:
        if self._binds and name not in self._local:
            self.bound.add(name)
        elif name in self._declared:
            self.bound_later.add(name)

    def visit_Import(self, node: ast.Import) -> None:
        for one in node.names:
            self._bind(one.asname or one.name.split(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for one in node.names:
            self._bind(one.asname or one.name)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name:
            self._bind(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self._bind(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self._bind(node.rest)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node, node.body)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node, node.body)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node, [node.body])

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, body: Sequence[ast.AST]) -> None:
        if not isinstance(node, ast.Lambda):
            self._bind(node.name)
            self._all(node.decorator_list)
            self._all(one for one in [node.returns] if one)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        arguments += [one for one in (node.args.vararg, node.args.kwarg) if one]
        self._all(one.annotation for one in arguments if one.annotation)
        self._all(one for one in [*node.args.defaults, *node.args.kw_defaults] if one)
        inside = _Body()
        inside._all(body)
        kept = self._local, self._binds, self._declared, self._at_once
        self._local = (self._local | inside.bound) - inside.declared | {one.arg for one in arguments}
        self._binds, self._declared, self._at_once = False, frozenset(inside.declared), False
        self._all(body)
        self._local, self._binds, self._declared, self._at_once = kept

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name)
        self._all([*node.decorator_list, *node.bases, *node.keywords])
        inside = _Body()
        inside._all(node.body)
        kept = self._binds, self._declared
        self._binds, self._declared = False, self._declared | inside.declared
        self._all(node.body)
        self._binds, self._declared = kept

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        targets = {
            part.id for one in node.generators for part in ast.walk(one.target) if isinstance(part, ast.Name)
        }  # fmt: skip
        first = node.generators[0]
        self.visit(first.iter)  # this one is read outside
        kept, self._local = self._local, self._local | targets
        for one in node.generators:
            self._all([one.target, *one.ifs] if one is first else [one.target, one.iter, *one.ifs])
        self._all([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self._local = kept

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815 the names are ast's

    def _all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)


class _Body(Scope):
    """What a function's body binds and declares as `global`. Inner functions are analysed later:
    analysed from each function around them, they would take twice as long with each."""

    def __init__(self) -> None:
        super().__init__()
        self.declared: set[str] = set()

    def visit_Global(self, node: ast.Global) -> None:
        self.declared |= set(node.names)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, body: Sequence[ast.AST]) -> None:
        if not isinstance(node, ast.Lambda):
            self._bind(node.name)
