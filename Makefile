# The course on a fresh machine: `make grade` grades the example class, `make test` runs the tests.
# Both set up what they need: a virtual environment in .venv, and bubblewrap for the box; for the tests also Chromium.

# The first that really runs: the name alone may belong to a version manager's shim with nothing behind it.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
  $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$name && break; done)
BIN := .venv/bin
# -I: neither the working folder nor the user's own packages may stand in for the grader's.
AUTOGRADER := $(BIN)/python -I -m autograder
# Three processes for two cores: in some tests a time limit runs out; with four, boxes get in each other's way.
TESTS := $(BIN)/pytest -n $(shell expr 3 \* $$(nproc) / 2) --dist loadscope --no-loadscope-reorder

.PHONY: grade test long differential release commands example assess benchmark thresholds rebuilt lock box browser clean

grade: .venv/installed box ## grade the example class
	$(AUTOGRADER) grade tests/class --output results --cell-seconds 20

test: .venv/installed box browser ## run all tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(TESTS)

long: .venv/installed box browser ## run the tests with all that they can try: each hostile submission in each way, all answers, more random inputs
	EVERYTHING=1 KILLS=12 ANY_VALUES=20000 FUZZ_INPUTS=20000 PAIRS=2000 $(TESTS)

release: .venv/installed box ## make release/ and solutions/ from source/
	$(AUTOGRADER) tidy
	$(AUTOGRADER) release

differential: .venv/installed box ## grade 20,000 made notebooks with cells left out or results kept, and with all
	PAIRS=10000 $(BIN)/pytest -n 2 -q tests/slow/batch/test_differential.py

commands: .venv/installed ## write docs/commands.md, the reference of the commands, from the program
	$(BIN)/python -m typer autograder.cli utils docs --name autograder --title "The commands" --output docs/commands.md

example: .venv/installed ## write the example class again, after a release has changed
	PYTHONPATH=tests $(BIN)/python -m helpers.example_class

assess: .venv/installed ## measure how well the checks tell right from wrong
	$(AUTOGRADER) assess --markdown > benchmarks/assessment.md

benchmark: .venv/installed box ## measure grading beside nbgrader and plain scripts, how it grows, and its memory (some hours)
	$(BIN)/python benchmarks/grading.py --quick --students 2 --write
	$(BIN)/python benchmarks/grading.py 03_numeric_data --write
	$(BIN)/python benchmarks/grading.py 09_echo --students 3 --write
	$(BIN)/python benchmarks/scale.py --write
	$(BIN)/python benchmarks/memory.py 03_numeric_data 09_echo --write
	$(BIN)/python benchmarks/actions_cost.py --write

thresholds: .venv/installed ## train again what the evidence for the thresholds lacks (an hour for all of it)
	$(BIN)/python benchmarks/thresholds.py

rebuilt: .venv/installed ## compare a thousand rebuilt models with Keras's own (three minutes)
	PYTHONPATH=tests $(BIN)/python -m helpers.random_models 1000 > benchmarks/rebuilt_models.md

lock: ## write the lock files again (needs uv): `make lock` keeps versions, `make lock UPGRADE=--upgrade` takes the newest
	uv pip compile pyproject.toml --universal --python-version 3.11 --extra instructor --extra dev \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header $(UPGRADE) -q -o requirements.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 -c requirements.lock \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements-student.lock

# Made from nothing when the lock has changed, so that nothing is left of what it no longer names.
.venv/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; on Debian or Ubuntu: sudo apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing; on Debian or Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	@cmp -s requirements.lock .venv/requirements.lock || { \
	  echo "Setting up .venv (about 2.2 GB, some minutes the first time) ..." && \
	  $(PYTHON) -m venv --clear .venv && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/python autograder/lighten.py && \
	  cp requirements.lock .venv/requirements.lock; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

box:
	@command -v bwrap >/dev/null || { \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq bubblewrap >/dev/null; \
	  elif sudo -n true 2>/dev/null; then sudo apt-get update -qq && sudo apt-get install -y -qq bubblewrap >/dev/null; \
	  else echo "The box needs bubblewrap, and installing it needs an administrator: sudo apt-get install bubblewrap"; exit 1; fi; }

# Looked for as tests/helpers/browser.py does.
browser: ## install Chromium, in which the tests look at the pages
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do command -v $$name >/dev/null && exit; done; { \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq chromium >/dev/null; \
	  elif sudo -n true 2>/dev/null; then sudo apt-get update -qq && sudo apt-get install -y -qq chromium >/dev/null; \
	  else echo "The browser tests need Chromium, and installing it needs an administrator: sudo apt-get install chromium"; exit 1; fi; }

clean: ## remove what make made
	rm -rf .venv results .pytest_cache .mypy_cache .ruff_cache
