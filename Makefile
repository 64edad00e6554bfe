# Everything a person or CI does here. `make` alone lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check wheel lint types contracts format bench soak fuzz lock clean

help: ## list what make can do
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## make the environment in .venv (uv when it is there, else pip)

# The lock holds every package with its hash, test and lint tools included.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	@echo "Setting up $(VENV): about 100 packages, a minute or two with pip, seconds with uv …" >&2
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps -e . ; \
	else \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e . ; \
	fi
	@touch $@

demo: $(READY) ## crawl the demo newsroom on this machine and show what was found
	@$(BIN)/aidivide demo

test: $(READY) ## run the tests (the README's test command)
	$(BIN)/python -m pytest -q -n auto --dist loadfile

check: lint types contracts test ## exactly what CI runs

wheel: $(READY) ## build the wheel, install it from the index into a new environment and use it there
	.ci/wheel $(BIN)/python

lint: $(READY) ## style and likely mistakes
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY) ## mypy, strict
	$(BIN)/mypy

contracts: $(READY) ## who may import whom
	$(BIN)/lint-imports

format: $(READY) ## lay out the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: $(READY) ## speed and quality figures (needs the labelled pages; see docs/benchmarks.md)
	$(BIN)/python -m benchmarks.real_pages speed
	$(BIN)/python -m benchmarks.real_pages memory --pages 2000

soak: $(READY) ## the long runs: hundreds of kills, a thousand damaged logs (figures: docs/reliability.md)
	AIDIVIDE_FIGURES=soak-figures.txt $(BIN)/python -m pytest -m soak -q --durations=0

fuzz: $(READY) ## many more inputs for the fuzz targets, new ones each time (FUZZ=20000 a target)
	AIDIVIDE_FUZZ_EXAMPLES=$(or $(FUZZ),20000) $(BIN)/python -m pytest -q tests/faults/test_fuzz.py -p no:cacheprovider

lock: $(READY) ## renew requirements.lock (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 \
	  --extra postgres --extra parquet --extra xlsx --group dev pyproject.toml -o requirements.lock

clean: ## remove the environment and caches (never an archive)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
