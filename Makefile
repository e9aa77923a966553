# Everything a person does with Ekdial. `make run` and `make test` need Python 3.11 or later and make, nothing else.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes

# Tests start the program often: without bytecode each start would compile it again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-quick check fuzz bench chaos requirements clean

help:            ## say what there is
	@grep -hE '^[a-z-]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

run: $(VENV)/.runs  ## start the gateway on http://127.0.0.1:8080 with a phone in the browser
	@$(BIN)/python server.py serve

test: $(VENV)/.tests  ## run every test
	@$(BIN)/python -m pytest -n auto --dist worksteal

test-quick: $(VENV)/.tests  ## run the tests that need no server and no browser
	@$(BIN)/python -m pytest -n auto --dist worksteal --quick

check: $(VENV)/.tests  ## format, lint, types, import rules, security, menus, catalogue, translations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml .
	$(BIN)/python scripts/audit_dependencies.py
	$(BIN)/python scripts/check_names.py
	$(BIN)/python scripts/import_picture.py
	$(BIN)/python scripts/monitoring.py --check
	$(BIN)/python server.py check

fuzz: $(VENV)/.tests  ## try random input and walk the menus for ten minutes; MINUTES=60 for an hour
	@$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),10)

bench: $(VENV)/.tests  ## measure against a bare handler, as ratios
	@$(BIN)/python -m bench.hops

chaos: $(VENV)/.tests  ## break stores, gateways and providers under load, for up to 15 minutes
	@$(BIN)/python -m chaos --write

requirements: $(VENV)/.tests  ## pin again what pyproject.toml asks for
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		pyproject.toml --group dev --constraint requirements.txt --output-file requirements-dev.txt

clean:           ## remove what was made here, the embedded database too
	rm -rf $(VENV) var .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Ekdial needs Python 3.11 or later with venv; name it: make PYTHON=/path/to/python3"; exit 2; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runs: requirements.txt | $(BIN)/python
	@echo "Installing what the gateway needs"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.tests: requirements-dev.txt | $(BIN)/python
	@echo "Installing what the tests need"
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.runs
