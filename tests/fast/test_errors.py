"""The exceptions' tree: all that callers may meet is in `autograder.errors`, and few signals stay inside."""

import ast
import builtins
import inspect
from collections.abc import Iterator

from helpers.submissions import COURSE

from autograder import errors

PACKAGE = COURSE.root / "autograder"
# Of `boxed/`, which imports nothing of ours, none is asked for.
INNER = {
    "NoSuchTime": "what reads a file of the desk adds the file and the line",
    "Unanswered": "no Exception, so that neither a check nor hypothesis takes it for a wrong answer; it becomes marks",
    "Wrong": "what a check says of an answer; `examine` makes evidence of it",
    "Undefined": "what a check may catch of an answer; `examine` makes evidence of it",
    "StudentError": "what a check may catch of an answer; `examine` makes evidence of it",
    "NotData": "what a check may catch of an answer; `examine` makes evidence of it",
    "NotRebuilt": "what a check may catch of a model; `examine` makes evidence of it",
    "NotAdmitted": "a fault of the grader's own, which `examine` tells from a wrong answer",
    "GitError": "`collect` makes an outcome of it, one for each repository",
    "TooSlow": "as GitError",
    "_Ended": "what a cell did to the self-check's kernel; `Run` makes an outcome of it",
    "_Failed": "`collect` makes an outcome of it, one for each repository",
}
BUILT_IN = {name for name, kind in vars(builtins).items() if inspect.isclass(kind) and issubclass(kind, BaseException)}


def classes() -> Iterator[tuple[str, str, set[str]]]:
    """Each class outside of `boxed/`: its module, its name, and the names that it is made from."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name.startswith("boxed/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield name, node.name, {ast.unparse(base).rpartition(".")[2] for base in node.bases}


def exceptions() -> dict[str, str]:
    """The module of each class that is an exception, by one of the built-in ones or by one of ours."""
    known = set(BUILT_IN)
    found: dict[str, str] = {}
    while True:
        more = {name: module for module, name, bases in classes() if bases & known and name not in found}
        if not more:
            return found
        found |= more
        known |= set(more)


def test_every_exception_is_in_the_tree_or_is_a_known_signal() -> None:
    outside = {name for name, module in exceptions().items() if module != "errors.py"}
    assert outside == set(INNER), "move it to autograder/errors.py, or give the reason why no caller can meet it"


def test_the_tree_has_one_root_and_its_picture_names_all() -> None:
    tree = [one for one in vars(errors).values() if inspect.isclass(one)]
    assert len(tree) > 10
    assert all(issubclass(one, errors.AutograderError) for one in tree)
    picture = str(errors.__doc__)
    for one in tree:
        [line] = [line for line in picture.splitlines() if line.strip("│├└─ ").split(" ")[0] == one.__name__]
        depth = len(one.__mro__) - 4  # below: itself, AutograderError, Exception, BaseException, object
        assert len(line) - len(line.lstrip("│├└─ ")) == 4 * (depth + 1), f"{one.__name__} has another place in it"


def test_a_refusal_has_the_exit_status_of_its_kind() -> None:
    assert errors.Refused("No.").status == errors.InUse("No.").status == 2
    assert errors.BoxUnavailable("No.").status == 3
