"""Another version of a made notebook, as its author might hand it in next: results of the first may be kept."""

from typing import Any

from helpers.own_cells import Made, Maker, copied, graded_function, other_answers, reference_of
from helpers.submissions import Notebook, cell


class Changes(Maker):
    """Makes notebooks, and changes them."""

    def changed(self, made: Made) -> Notebook:
        """Another version of the notebook, as its author might hand it in next."""
        after = Made(made.lesson, copied(made.book), made.forms, made.told, made.adds)
        for _ in range(self.random.choice([1, 1, 1, 2])):
            of_answers = [self.other_answer, self.call_more, self.reference_again, self.answer_literal]
            of_others = [self.comment, self.own_added, self.own_removed, self.own_moved, self.own_edited,
                         self.experiment_literal, self.experiment_removed]  # fmt: skip
            how = self.random.choice(of_answers if self.chance(0.7) else of_others)
            how(after)
            self.used.add(f"change: {how.__name__}")
        return after.book

    def own(self, made: Made) -> list[dict[str, Any]]:
        return [one for one in made.book["cells"] if str(one["id"]).startswith("own")]

    def answer(self, made: Made) -> dict[str, Any]:
        return cell(made.book, self.random.choice(self.exercises(made)))

    def other_answer(self, made: Made) -> None:
        """One answer becomes another, right or wrong."""
        name = self.random.choice(self.exercises(made))
        cell(made.book, name)["source"] = self.random.choice(other_answers(made.lesson)[name])

    def reference_again(self, made: Made) -> None:
        name = self.random.choice(self.exercises(made))
        cell(made.book, name)["source"] = cell(reference_of(made.lesson), name)["source"]

    def comment(self, made: Made) -> None:
        one = self.random.choice([self.answer(made), *self.own(made)])
        one["source"] = "".join(one["source"]) + f"\n# {self.random.choice(['mine', 'gates: 3', 'TODO'])}\n"

    def call_more(self, made: Made) -> None:
        """An answer calls something more, or counts: in its function, or beside it."""
        code = self.random.choice(made.adds) if made.adds and self.chance(0.7) else self.guarded()
        name = self.random.choice([name for name in self.exercises(made) if graded_function(made, name)])
        if self.chance(0.5):
            self.into_answer(made, name, code, quiet=self.chance(0.8))
        else:
            answer = cell(made.book, name)
            answer["source"] = "".join(answer["source"]) + f"\n{code}\n"

    def own_added(self, made: Made) -> None:
        self.put(made, self.guarded() if self.chance(0.3) else self.idle())

    def own_removed(self, made: Made) -> None:
        if self.own(made):
            made.book["cells"].remove(self.random.choice(self.own(made)))

    def own_moved(self, made: Made) -> None:
        if self.own(made):
            one = self.random.choice(self.own(made))
            made.book["cells"].remove(one)
            made.book["cells"].insert(self.random.randint(2, len(made.book["cells"])), one)

    def own_edited(self, made: Made) -> None:
        if self.own(made):
            one = self.random.choice(self.own(made))
            one["source"] = self.other_literal("".join(one["source"]))

    def answer_literal(self, made: Made) -> None:
        one = self.answer(made)
        one["source"] = self.other_literal("".join(one["source"]))

    def experiment_literal(self, made: Made) -> None:
        for one in self.random.sample([*self.experiments(made)], 1):
            one["source"] = self.other_literal("".join(one["source"]))

    def experiment_removed(self, made: Made) -> None:
        there = [*self.experiments(made)]
        if there:
            made.book["cells"].remove(self.random.choice(there))
