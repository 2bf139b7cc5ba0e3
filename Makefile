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

.PHONY: run test check lint types unit fuzz lock clean help

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
	$(BIN)/mypy benchmarks/*.py

unit: $(VENV)/.dev  ## pytest
	$(BIN)/python -m pytest

fuzz: $(VENV)/.fuzz  ## every parser of foreign octets for FUZZ_SECONDS (60), two at a time
	$(BIN)/python -m fuzz

lock:            ## renew the lock files (needs uv)
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 pyproject.toml -o lock/run.txt
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 pyproject.toml --group dev -o lock/dev.txt
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 --group fuzz -o lock/fuzz.txt
	echo rpki-rtr-client==1.2.0 | $(UV) pip compile --quiet --generate-hashes --no-header --no-emit-index-url --python-version 3.11 - -o lock/peers.txt

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

$(VENV)/.fuzz: lock/fuzz.txt | $(VENV)/.dev
	$(INSTALL) --require-hashes -r lock/fuzz.txt
	@touch $@

clean:           ## remove the virtual environments and caches
	rm -rf $(VENV) .peers fuzz-found .pytest_cache .mypy_cache .ruff_cache .hypothesis
