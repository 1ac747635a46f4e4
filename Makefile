# `make up` starts Blindspots; `make test` proves it. Both prepare everything they need first.
#   make up ARGS="--no-browser --port 8400"     arguments of `blindspots up`
#   make test TESTS="tests/test_api.py -k jobs" a part of the tests

PYTHON ?= python3
ARGS ?=
TESTS ?= tests
WORKERS ?= 2
BIN := .venv/bin

.DEFAULT_GOAL := up
.PHONY: up test check lint types layers frontend-types services environment format lock clean

up:
	@$(PYTHON) scripts/environment.py
	@exec $(BIN)/blindspots up $(ARGS)

environment:
	@$(PYTHON) scripts/environment.py test

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: environment
	$(BIN)/mypy

layers: environment
	$(BIN)/lint-imports

frontend-types: environment
	@$(BIN)/python scripts/check_frontend.py

services: environment
	@$(BIN)/python tests/services.py

# pytest comes last, so that its own summary is what stands at the end.
test: lint types layers frontend-types services
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(TESTS)

check: test

format: environment
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

lock: environment
	$(BIN)/python scripts/lock.py

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache frontend/node_modules
