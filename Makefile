# Two commands are enough: `make run` shows everything on a small Internet of its own, `make test` proves it.
# A virtual environment is made and filled on first use: with uv where there is one, else with venv and pip.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null)

ifeq ($(UV),)
  MAKE_VENV := $(PYTHON) -m venv $(VENV)
  INSTALL   := $(BIN)/python -m pip install --quiet --disable-pip-version-check
else
  MAKE_VENV := $(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
  INSTALL   := VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --python $(BIN)/python
endif

.PHONY: run test check lint types unit lock clean help

help:            ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

run: $(VENV)/.run  ## a whole small Internet on loopback: validator, RTR, a hijack, an alert, the page
	$(BIN)/rpkival up --lab

test: lint types unit  ## everything CI runs: style, types, tests (interop tests run where their programs are installed)

lint: $(VENV)/.dev  ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy --strict
	$(BIN)/mypy

unit: $(VENV)/.dev  ## pytest
	$(BIN)/python -m pytest

lock:            ## renew the lock files (needs uv)
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 pyproject.toml -o lock/run.txt
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 pyproject.toml --group dev -o lock/dev.txt

$(VENV)/bin/python:
	$(MAKE_VENV)

$(VENV)/.run: lock/run.txt pyproject.toml | $(VENV)/bin/python
	$(INSTALL) --require-hashes -r lock/run.txt
	$(INSTALL) --no-deps --editable .
	@touch $@

$(VENV)/.dev: lock/dev.txt pyproject.toml | $(VENV)/bin/python
	$(INSTALL) --require-hashes -r lock/dev.txt
	$(INSTALL) --no-deps --editable .
	@touch $@ $(VENV)/.run

clean:           ## remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
