.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
SHARED ?= $(or $(STANZA_SHARED),../shared)
PYTEST_FLAGS ?=
BROWSER_FLAGS ?=
FUZZ_EXAMPLES ?= 200000

.PHONY: help setup demo lab data test fuzz lint types notebooks browser bench lock check clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## make .venv from the hash-locked requirements (instant the second time)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "stanza_lab needs Python 3.11 or newer; $$($(PYTHON) --version) found. Pass PYTHON=/path/to/python3.11."; exit 1; }
	@test -x $(BIN)/python || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV) || { echo "cannot make $(VENV): install your system's python3-venv package"; exit 1; }; }
	@echo "installing the locked requirements into $(VENV) (about 1 GB, a minute or two)"
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## run the whole analysis on the bundled history: executes the notebooks, writes build/demo
	@$(BIN)/stanza-lab demo

lab: setup ## open JupyterLab on the notebooks
	@$(BIN)/stanza-lab lab

data: setup ## write data/ again with the simulator (byte-identical each time)
	@$(BIN)/stanza-lab simulate data --force

test: setup ## run the tests
	@$(BIN)/python -m pytest -m "not browser" $(PYTEST_FLAGS)

fuzz: setup ## give every loader 200,000 broken inputs (hours); FUZZ_EXAMPLES=n for another number
	@FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -X faulthandler -m pytest tests/fuzz $(PYTEST_FLAGS)

lint: setup ## style, docstrings, formatting and import layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: setup ## static types
	@$(BIN)/mypy

notebooks: setup ## run every notebook and check that its two files agree and hold no outputs
	@$(BIN)/python -m pytest tests/test_notebooks.py $(PYTEST_FLAGS)

browser: setup ## open notebooks, explorer and pages in a real JupyterLab and browser (needs a Chromium); pictures in build/browser
	@$(BIN)/python -m pytest tests/browser tests/report -m browser $(BROWSER_FLAGS)

bench: setup ## print the accuracy tables and the speed ratios
	@$(BIN)/python -m benchmarks $(SHARED)

lock: setup ## resolve requirements.lock again
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --group dev --generate-hashes --no-strip-extras \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links --quiet -o requirements.lock

check: lint types test browser ## everything CI runs

clean: ## remove what was built (keeps .venv)
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
