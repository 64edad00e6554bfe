# Everything a person or CI does here. `make` alone lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOWEST := .venv-lowest

# Rooms whose tests need a database, a process of their own or a crawl; `make quick` runs those of all others.
NEEDY := archive cli crawler demo faults ingest report scrapy upkeep workers
QUICK := $(filter-out $(addprefix tests/,$(NEEDY) support data conftest.py __pycache__),$(wildcard tests/*))

.DEFAULT_GOAL := help
.PHONY: help setup demo quick test check wheel lowest lint types contracts format bench soak fuzz lock clean

help: ## list what make can do
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## make the environment in .venv (uv when it is there, else pip)

# $(call environment,FOLDER,LOCK): an environment with what the lock names, each file checked by its hash, and the checkout.
define environment
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
  { echo "Python 3.11 or newer is needed; name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
@echo "Setting up $(1): about 100 packages, a minute or two with pip, seconds with uv …" >&2
@if command -v uv >/dev/null 2>&1; then \
  uv venv --quiet --allow-existing --python $(PYTHON) $(1) && \
  uv pip install --quiet --python $(1)/bin/python --require-hashes -r $(2) && \
  uv pip install --quiet --python $(1)/bin/python --no-deps -e . ; \
else \
  $(PYTHON) -m venv $(1) && \
  $(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(2) && \
  $(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e . ; \
fi
@touch $(1)/.ready
endef

# The lock holds every package with its hash, test and lint tools included.
$(READY): requirements.lock pyproject.toml
	$(call environment,$(VENV),requirements.lock)

$(LOWEST)/.ready: requirements-lowest.lock pyproject.toml
	$(call environment,$(LOWEST),requirements-lowest.lock)

demo: $(READY) ## crawl the demo newsroom on this machine and show what was found
	@$(BIN)/aidivide demo

quick: $(READY) ## the tests of the pure rooms: less than a minute
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m "not slow and not soak" $(QUICK)

test: $(READY) ## run the tests (the README's test command)
	$(BIN)/python -m pytest -q -n auto --dist loadfile

check: lint types contracts test wheel lowest ## exactly what CI runs

lowest: $(LOWEST)/.ready ## the quick tests and the demo, with the oldest versions that pyproject.toml allows
	$(LOWEST)/bin/python -m pytest -q -n auto --dist loadfile -m "not soak" $(QUICK) tests/demo tests/archive/test_schema.py

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

COMPILE := uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 \
  --extra postgres --extra parquet --extra xlsx pyproject.toml

lock: ## renew requirements.lock and requirements-lowest.lock (needs uv)
	$(COMPILE) --group dev -o requirements.lock
	$(COMPILE) --group test --resolution lowest-direct -o requirements-lowest.lock

clean: ## remove the environment and caches (never an archive)
	rm -rf $(VENV) $(LOWEST) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
