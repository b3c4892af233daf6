"""Notebooks that nobody would write, made from one seed: a lesson's reference, with other answers and own cells.

Most of them try to make it matter whether the lesson's experiments run. A keeper keeps a count; something that an
experiment does counts on; an answer reads the count. Each step may be wrapped in any form that a cell can take.
"""

import functools
import re
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from helpers.cell_grammar import FORMS, IMPORTS, QUIET, STATE, Grammar, Keeper
from helpers.cell_texts import bound, is_python, other_token, unquoted, within
from helpers.submissions import Notebook, cell, own_cell, solved

OPENERS: Final = "after cells", "before cells", "transformed input", "transformed tree", "audit", "collected", "trace"
LESSONS: Final = ("00_orientation", "01_memory_cell", "03_numeric_data")
DEAR: Final = frozenset(["experiment-keras"])  # it takes a second


@dataclass
class Made:
    """A notebook, and what it was made of: the names of forms, and a line for a person."""

    lesson: str
    book: Notebook
    forms: set[str] = field(default_factory=set)
    told: str = ""
    adds: list[str] = field(default_factory=list)  # code that counts, or sets what is read

    def sources(self) -> Iterator[str]:
        return ("".join(one["source"]) for one in self.book["cells"] if one["cell_type"] == "code")


@functools.cache
def reference_of(lesson: str) -> Notebook:
    return solved(lesson)


def copied(book: Notebook) -> Notebook:
    """A copy whose cells can be given other sources."""
    return {**book, "cells": [{**one} for one in book["cells"]]}


@functools.cache
def other_answers(lesson: str) -> dict[str, list[str]]:
    """Right and wrong ones, by exercise."""
    path = Path(__file__).parents[1] / "answers" / f"{lesson}.toml"
    found: dict[str, list[str]] = {}
    for one in tomllib.loads(path.read_text(encoding="utf-8"))["answer"]:
        found.setdefault(one["exercise"], []).append(one["code"])
    return found


def graded_function(made: Made, exercise: str) -> str:
    """The name of the exercise's function; "" where it asks for something else."""
    found = re.findall(r"(?m)^def (\w+)", "".join(cell(reference_of(made.lesson), exercise)["source"]))
    return str(found[-1]) if found else ""


class Maker(Grammar):
    """Makes notebooks, all from one seed."""

    def notebook(self, lesson: str | None = None) -> Made:
        """A new one."""
        made = Made(lesson or self.random.choice(LESSONS), {})
        made.book = copied(reference_of(made.lesson))
        self.used = made.forms
        for name, answers in other_answers(made.lesson).items():
            if self.chance(0.15):
                cell(made.book, name)["source"] = self.random.choice(answers)
        attack = self.random.choice(
            [self.counted, self.counted, self.patched, self.shadowed, self.hooked, self.reads, self.experiment_changed,
             self.any_call, self.nothing, self.quiet, self.quiet, self.quiet, self.chained, self.chained,
             self.perhaps_bound]
        )  # fmt: skip
        self.few_experiments(made)
        made.told = attack.__name__
        attack(made)
        while self.chance(0.1 if attack in (self.quiet, self.chained) else 0.3):
            self.put(made, self.idle())
        for one in self.experiments(made):
            if self.chance(0.2):
                one["source"] = self.other_literal("".join(one["source"]))
                self.used.add("experiment: literals")
        return made

    def put(self, made: Made, code: str, *, first: bool = False) -> None:
        """An own cell; `first`: right after the lesson's setup, so that all others meet what it does."""
        cells = made.book["cells"]
        low = cells.index(cell(made.book, "setup")) + 1
        new = own_cell(code)
        new["id"] = f"own{self.number}x{self.random.randrange(10**6)}"
        cells.insert(low if first else self.random.randint(low, len(cells)), new)

    def nothing(self, made: Made) -> None:
        """No more than cells that stand there."""
        self.put(made, self.idle())

    def counted(self, made: Made) -> None:
        """An answer that experiments call counts its calls, another one or the same reads the count."""
        keeper = self.keeper()
        made.adds.append(keeper.add)
        name = self.called_by_experiments(made)
        self.start(made, keeper, name)
        self.into_answer(made, name, keeper.add)
        self.observed(made, keeper.read)

    def patched(self, made: Made) -> None:
        """What experiments use is replaced by something that counts, on any route."""
        keeper = self.keeper()
        module, name = self.random.choice(STATE["target"])
        root = module.split(".")[0]
        n = self.fresh("$n")
        start = f"import {root}\n" if root in {"builtins", "sys", "warnings"} else ""
        start += f"{keeper.start}\nold{n} = {module}.{name}\n"
        took = f"lambda *a, **k: ({keeper.add}, old{n}(*a, **k))[1]"
        if self.chance(0.5):
            start += f"def took{n}(*a, **k):\n    {keeper.add}\n    return old{n}(*a, **k)\n\n"
            took = f"took{n}"
        route = self.fresh(self.pick("route", STATE["route"]))
        route = route.replace("$M", module).replace("$A", name).replace("$R", took)
        self.put(made, start + self.block(route, keep=True), first=True)
        self.observed(made, keeper.read)

    def shadowed(self, made: Made) -> None:
        """A name that experiments read is bound to something that counts."""
        keeper = self.keeper()
        kind = self.random.choice(["shadow value", "shadow function", "shadow function"])
        code = self.fresh(self.pick(kind, STATE[kind]))
        code = code.replace("$C", keeper.add).replace("$N", self.random.choice(STATE["shadowed"]))
        self.put(made, f"{keeper.start}\n{code}", first=True)
        self.observed(made, keeper.read)

    def hooked(self, made: Made) -> None:
        """The interpreter itself is told to count when a cell runs."""
        keeper = self.keeper()
        name = self.random.choice(OPENERS)
        self.used.add(f"hole: {name}")
        self.put(made, f"{keeper.start}\n{self.holed(FORMS['hole'][name], keeper.add)}", first=True)
        self.observed(made, keeper.read)

    def reads(self, made: Made) -> None:
        """An answer or an own cell reads what an experiment binds, or may have left behind."""
        names = sorted(set().union(*({*bound(one)} for one in self.experiment_sources(made))) or {"visits"})
        name = self.random.choice(names)
        read = self.pick("read", STATE["read"]).replace("$A", name)
        if self.chance(0.2):
            self.put(made, f"{name} = 3\n", first=True)
        if self.chance(0.3):
            self.put(made, f"def {name}(): return 1\n", first=self.chance(0.5))
        if self.chance(0.3):
            self.put(made, self.block(f"np.random.seed({self.random.randrange(9)})", keep=False), first=True)
        self.observed(made, read)

    def experiment_changed(self, made: Made) -> None:
        """An experiment of the course's counts: by a new line, a value that is computed, or a text that is run."""
        keeper = self.keeper()
        self.put(made, keeper.start, first=True)
        experiments = [*self.experiments(made)]
        if experiments:
            one = self.random.choice(experiments)
            source = "".join(one["source"])
            how = self.random.choice(["line", "value", "text", "text", "moved", "copied"])
            self.used.add(f"experiment: {how}")
            if how == "line":
                source += f"\n{self.block(keeper.add, keep=False)}"
            elif how == "value":
                source = other_token(source, tokenize.NUMBER, self.random, lambda old: f"({keeper.add}, {old})[1]")
            elif how == "text":
                text = f"; import builtins; globals().update(vars(__import__('__main__'))); {keeper.add}"
                source = other_token(source, tokenize.STRING, self.random, lambda old: repr(str(unquoted(old)) + text))
            else:
                made.book["cells"].insert(self.random.randrange(len(made.book["cells"])), {**one, "id": "moved"})
                if how == "moved":
                    made.book["cells"].remove(one)
            one["source"] = source
        self.observed(made, keeper.read)

    def any_call(self, made: Made) -> None:
        """Some function of some library is called, in an own cell or in an answer."""
        self.used.add("any call")
        self.put(made, STATE["any call"]["objects"], first=True)
        for _ in range(self.random.randint(1, 3)):
            if self.chance(0.3):
                self.put(made, self.block(self.guarded(), keep=False))
            else:
                self.into_answer(made, self.called_by_experiments(made), self.guarded())
        self.observed(made, STATE["any call"]["read"])

    def quiet(self, made: Made) -> None:
        """As `counted`, of nothing but forms that look harmless."""
        name = self.called_by_experiments(made)
        function = graded_function(made, name)
        number, keeper = self.same_number(), self.pick("quiet", QUIET)
        start, add, read = (number(text).replace("$F", function) for text in keeper)
        made.adds.append(add)
        answer = cell(made.book, name)
        if self.chance(0.8):
            self.into_answer(made, name, add, quiet=True)
        if start.startswith("# below"):
            answer["source"] = "".join(answer["source"]) + f"\n{start}\n"
        elif start and self.chance(0.5):
            answer["source"] = f"{start}\n\n" + "".join(answer["source"])
        elif start:
            self.put(made, start, first=self.chance(0.8))
        self.observed(made, read, quiet=True)

    def chained(self, made: Made) -> None:
        """An answer asks or calls anything, and returns what comes of it."""
        code, alias = self.chain()
        self.used.add("chain")
        made.adds += [alias, f"try:\n    {code}\nexcept Exception:\n    pass"]
        self.put(made, IMPORTS, first=True)
        name = self.called_by_experiments(made)
        said = f"try:\n    said = repr({code}).partition(' at 0x')[0][:300]\nexcept Exception as problem:\n"
        self.into_answer(made, name, said + "    said = str(problem).partition(' at 0x')[0]", "(said, $V)", quiet=True)

    def perhaps_bound(self, made: Made) -> None:
        """A cell binds a name of an experiment's, or only seems to; an answer that is no function reads what it is."""
        if "applications" not in self.exercises(made):
            return self.nothing(made)
        names = sorted(set().union(*({*bound(one)} for one in self.experiment_sources(made))) or {"units"})
        name, n = self.random.choice(names), self.fresh("$n")
        form = self.fresh(self.pick("perhaps", STATE["perhaps"])).replace("$A", name)
        one_cell = self.chance(0.6)
        value = f"repr({name}).partition(' at 0x')[0]"
        place = made.book["cells"].index(cell(made.book, "applications"))
        new = own_cell(form + (f"\nseen{n} = {value}" if one_cell else ""))
        made.book["cells"].insert(self.random.choice([place, self.random.randint(3, place)]), {**new, "id": f"own{n}"})
        answer = cell(made.book, "applications")
        answer["source"] = "".join(answer["source"]) + f"\nsequence_type['a'] = {f'seen{n}' if one_cell else value}\n"
        return None

    # their parts

    def start(self, made: Made, keeper: Keeper, name: str) -> None:
        """Where the keeper begins: in an own cell, or with the answer that uses it."""
        if self.chance(0.5):
            self.put(made, self.block(keeper.start, keep=True), first=True)
        else:
            answer = cell(made.book, name)
            answer["source"] = keeper.start + "\n\n" + "".join(answer["source"])

    def observed(self, made: Made, read: str, *, quiet: bool = False) -> None:
        """Some answer depends on what is read: it returns it, or is wrong when there was more of it."""
        if not quiet and self.chance(0.2):
            n = self.fresh("$n")
            self.put(made, f"level{n} = {read}")
            read = f"level{n}"
        most = self.random.choice([0, 1, 3, 10, 30])
        how = self.random.choice(["($X, $V)", "($X, $V)", f"$V if $X <= {most} else None"])
        names = [name for name in self.exercises(made) if graded_function(made, name)]
        self.into_answer(made, self.random.choice(names), None, how.replace("$X", f"({read})"), quiet=quiet)

    def into_answer(
        self, made: Made, name: str, code: str | None, returned: str | None = None, *, quiet: bool = False
    ) -> None:
        """Put a statement into an answer's function, and what it returns into an expression ($V).

        Within the function, after it by another name, or by a decorator; `quiet`: within it, with no other form.
        """
        answer = cell(made.book, name)
        source = "".join(answer["source"])
        function = graded_function(made, name)
        statement = self.expression(self.block(code, keep=False)) if code and not quiet and self.chance(0.3) else code
        if not is_python(statement):
            statement = code
        how = self.random.choice(["within"] if quiet else ["within", "within", "after", "decorated"])
        self.used.add(f"answer: {how}")
        done = within(source, function, statement, returned) if how == "within" and function else None
        if done is None:
            n = self.fresh("$n")
            body = (
                f"{statement or 'pass'}\nfound = right{n}(*a, **k)\nreturn {(returned or '$V').replace('$V', 'found')}"
            )
            inner = "\n".join("    " + line for line in body.split("\n"))
            if how == "decorated":
                deeper = "\n".join("    " + line for line in inner.split("\n"))
                done = f"def around{n}(right{n}):\n    def inner(*a, **k):\n{deeper}\n    return inner\n\n"
                done += re.sub(rf"(?m)^def {function}\b", f"@around{n}\ndef {function}", source, count=1)
            else:
                done = f"{source}\nright{n} = {function}\n\ndef {function}(*a, **k):\n{inner}\n"
        answer["source"] = done

    def exercises(self, made: Made) -> list[str]:
        return list(other_answers(made.lesson))

    def experiments(self, made: Made) -> Iterator[dict[str, Any]]:
        for one in made.book["cells"]:
            if (
                one["cell_type"] == "code"
                and "nbgrader" not in one["metadata"]
                and not str(one["id"]).startswith("own")
            ):
                yield one

    def experiment_sources(self, made: Made) -> list[str]:
        return ["".join(one["source"]) for one in self.experiments(made)]

    def few_experiments(self, made: Made) -> None:
        """Leave some: each takes time."""
        there = [one for one in self.experiments(made) if one["id"] not in DEAR]
        left = self.random.sample(there, self.random.randint(1, 3))
        functions = [graded_function(made, name) for name in self.exercises(made)]
        calling = [one for one in there if any(f and f"{f}(" in "".join(one["source"]) for f in functions)]
        left += self.random.sample(calling, min(1, len(calling)))
        gone = [id(one) for one in self.experiments(made) if not any(one is some for some in left)]
        made.book["cells"] = [one for one in made.book["cells"] if id(one) not in gone]

    def called_by_experiments(self, made: Made) -> str:
        """An exercise whose function some experiment calls, if there is one."""
        text = "\n".join(self.experiment_sources(made))
        names = [name for name in self.exercises(made) if graded_function(made, name)]
        called = [name for name in names if f"{graded_function(made, name)}(" in text]
        return self.random.choice(called or names)
