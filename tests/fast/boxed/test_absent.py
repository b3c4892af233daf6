"""What is left out while a library is imported is there afterwards."""

import json
import subprocess
import sys

import pytest
from helpers.submissions import COURSE

from autograder.boxed.absent import absent


def test_a_library_is_absent_within_the_block_and_there_after_it() -> None:
    with absent("colorsys"), pytest.raises(ImportError):
        import colorsys
    import colorsys

    assert colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)


def test_the_agent_starts_without_a_grammar_of_web_addresses_and_a_notebook_may_import_it() -> None:
    """Most of a second for every batch, and for every box that starts cold."""
    code = """
import json, sys
sys.path.insert(0, "autograder")
import boxed.agent
before = "rfc3987_syntax" in sys.modules
import rfc3987_syntax
print(json.dumps([before, rfc3987_syntax.is_valid_syntax("iri", "https://example.org/ä")]))
"""
    run = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, cwd=COURSE.root
    )
    assert json.loads(run.stdout) == [False, True]
