"""The reference with one small mistake in it, for every mistake that a machine can think of.

Most operators are cosmic-ray's; those below it has not, and students make them all. What is between the
markers of a solution cell is changed, but for texts, what exceptions say and what is printed.
"""

import ast
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from autograder.authoring.solution_leaks import MARKERS

Place = tuple[int, int]
Span = tuple[Place, Place]

# Of cosmic-ray's replacements of one operator by another, those that are mistakes rather than type errors.
INSTEAD: Final = {
    "Add": ("Sub", "Mul"), "Sub": ("Add",), "Mul": ("Div", "Add"), "Div": ("Mul", "FloorDiv"),
    "FloorDiv": ("Div", "Mul"), "Mod": ("FloorDiv",), "Pow": ("Mul",), "BitAnd": ("BitOr",), "BitOr": ("BitAnd",),
    "Eq": ("NotEq", "LtE", "GtE"), "NotEq": ("Eq", "Lt", "Gt"), "Lt": ("LtE", "GtE", "NotEq"),
    "LtE": ("Lt", "Gt"), "Gt": ("GtE", "LtE", "NotEq"), "GtE": ("Gt", "Lt"), "Is": ("IsNot",), "IsNot": ("Is",),
}  # fmt: skip
WHOLE: Final = (
    "AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ExceptionReplacer", "NumberReplacer",
    "ZeroIterationForLoop", "ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_Delete_USub",
    "ReplaceUnaryOperator_Delete_Invert",
)  # fmt: skip
# One word of the field taken for another: as a text, or as a function's name.
WORDS: Final = (
    ("pre", "post"), ("standardize", "normalize"), ("relu", "tanh"), ("softmax", "sigmoid"), ("mse", "mae"),
    ("sin", "cos"), ("mean", "sum"), ("max", "min"), ("maximum", "minimum"), ("floor", "ceil"), ("argmax", "argmin"),
    ("ffill", "bfill"), ("all", "any"), ("fit_transform", "fit"), ("transform", "fit_transform"),
    ("inverse_transform", "transform"), ("cumsum", "cumprod"), ("prod", "sum"), ("LSTM", "GRU"), ("hstack", "vstack"),
    ("std", "var"), ("sqrt", "square"), ("tanh", "sigmoid"), ("MinMaxScaler", "StandardScaler"),
    ("many-to-one", "many-to-many"), ("one-to-many", "many-to-one"), ("permutation", "permuted"), ("abs", "square"),
)  # fmt: skip
# For NumPy, -2 is as good a length as -1: both mean "as many as there are".
ANY_LENGTH: Final = re.compile(r"reshape\([^()]*- 2")


@dataclass(frozen=True)
class Mutant:
    """A solution cell with one change: the lines `before` became those `after`."""

    exercise: str
    operator: str
    before: str
    after: str
    code: str


class DropStatement:
    """Leave a statement out."""

    KINDS = ("expr_stmt", "raise_stmt", "atom_expr", "assert_stmt", "del_stmt")

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        if node.type == "simple_stmt" and node.children[0].type in self.KINDS:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        instead = parso.parse("pass\n").children[0]
        instead.get_first_leaf().prefix = node.get_first_leaf().prefix
        return instead


class DropStep:
    """Leave out the last step of a chain: `.copy()`, `.T`, `[::-1]`, `(…)` with its name."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        if node.type == "atom_expr" and len(node.children) > self._length(node):
            yield node.children[-self._length(node)].start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        del node.children[-self._length(node) :]
        return node

    @staticmethod
    def _length(node: Any) -> int:
        last, named = node.children[-1], len(node.children) > 2 and node.children[-2].get_code(False).startswith(".")
        return 2 if last.get_code(False).startswith("(") and named else 1


class DropKeyword:
    """Leave out an argument that is given by name, so that the default counts."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        if node.type in {"arglist", "trailer"}:
            for one in self._named(node):
                yield one.start_pos, one.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        place = node.children.index(self._named(node)[index])
        if node.type == "arglist" and len(node.children) > 1:
            place = max(place - 1, 0)  # with the comma before it, or after the first
            del node.children[place : place + 2]
        else:
            del node.children[place]
        return node

    @staticmethod
    def _named(node: Any) -> list[Any]:
        return [one for one in node.children if one.type == "argument" and one.children[1].get_code(False) == "="]


class OtherParameter:
    """Take the function's next parameter in place of one: train for test, timesteps for multisteps."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        if self._other(node) is not None:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        node.value = self._other(node)
        return node

    @staticmethod
    def _other(node: Any) -> str | None:
        if node.type != "name" or node.is_definition() or node.parent.type in {"param", "error_node"}:
            return None
        before = node.get_previous_leaf()
        if before is not None and before.value == ".":
            return None
        if node.parent.type == "argument" and node.parent.children[0] is node and len(node.parent.children) == 3:
            return None  # the name of an argument
        function = parso.python.tree.search_ancestor(node, "funcdef")
        names = [one.name.value for one in function.get_params()] if function is not None else []
        if node.value not in names or len(names) < 2:
            return None
        return str(names[(names.index(node.value) + 1) % len(names)])


class OtherWord:
    """Take one word of the field for another."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        for _ in self._others(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        quote = node.value[0] if node.type == "string" else ""
        node.value = f"{quote}{self._others(node)[index]}{quote}"
        return node

    @staticmethod
    def _others(node: Any) -> list[str]:
        if node.type not in {"string", "name"} or (node.type == "name" and node.is_definition()):
            return []
        word = node.value.strip("\"'")
        return [b if word == a else a for a, b in WORDS if word in (a, b)]


OWN: Final = (DropStatement, DropStep, DropKeyword, OtherParameter, OtherWord)


def mutants(exercise: str, source: str) -> list[Mutant]:
    """All mutants of a solution cell, in a fixed order, no two alike and none the same as the reference."""
    tree = parso.parse(source)
    kept, left_out = _spans(source), list(_texts(tree))
    reference = _without_markers(source)
    seen, found = {_meaning(reference)}, []
    for name, operator in _operators():
        spans = [span for node in ast_nodes(tree) for span in operator.mutation_positions(node)]
        for occurrence, span in enumerate(spans):
            if not any(_within(span, one) for one in kept) or any(_within(span, one) for one in left_out):
                continue
            code = _without_markers(mutate_code(source, operator, occurrence) or source)
            meaning = _meaning(code)
            if meaning is not None and meaning not in seen and not ANY_LENGTH.search(code):
                seen.add(meaning)
                found.append(Mutant(exercise, name, *_changed(reference, code), code))
    return found


def _operators() -> Iterator[tuple[str, Any]]:
    for name in operator_names():
        short = name.partition("/")[2]
        kind, *pair = short.split("_")
        replaced = kind in {"ReplaceBinaryOperator", "ReplaceComparisonOperator"} and pair[1] in INSTEAD.get(
            pair[0], ()
        )
        if short in WHOLE or replaced:
            yield short, get_operator(name)()
    for operator in OWN:
        yield operator.__name__, operator()


def _spans(source: str) -> list[Span]:
    """From each begin marker to its end marker."""
    lines = [(number, line.strip()) for number, line in enumerate(source.splitlines(), 1)]
    starts = [number for number, line in lines if line == MARKERS[0]]
    ends = [number for number, line in lines if line == MARKERS[1]]
    return [((start + 1, 0), (end, 0)) for start, end in zip(starts, ends, strict=True)]


def _texts(tree: Any) -> Iterator[Span]:
    """What no check can or should see: formatted texts, exceptions' arguments, prints, annotations."""
    for node in ast_nodes(tree):
        if node.type in {"tfpdef", "annassign"}:
            yield node.children[1].start_pos, node.end_pos
        elif node.type == "funcdef" and node.annotation is not None:
            yield node.annotation.start_pos, node.annotation.end_pos
        code = node.get_code(False) if node.type in {"atom_expr", "fstring"} else ""
        raised = node.parent is not None and node.parent.type == "raise_stmt" and len(getattr(node, "children", ())) > 1
        if node.type == "fstring" or code.startswith("print("):
            yield node.start_pos, node.end_pos
        elif raised:
            yield node.children[1].start_pos, node.end_pos


def _within(span: Span, around: Span) -> bool:
    return around[0] <= span[0] and span[1] <= around[1]


def _without_markers(source: str) -> str:
    return "".join(line for line in source.splitlines(keepends=True) if line.strip() not in MARKERS)


def _meaning(code: str) -> str | None:
    """The code but for its form; None if it is none."""
    try:
        return ast.dump(ast.parse(code))
    except SyntaxError:
        return None


def _changed(one: str, other: str) -> tuple[str, str]:
    """The lines that differ."""
    before, after = _lines(one), _lines(other)
    differences = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    apart = [(before[a:b], after[c:d]) for tag, a, b, c, d in differences if tag != "equal"]
    return "\n".join(x for part, _ in apart for x in part), "\n".join(x for _, part in apart for x in part)


def _lines(code: str) -> Sequence[str]:
    return [line.strip() for line in code.splitlines()]
