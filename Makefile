PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
PYTEST_ARGUMENTS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test check format interop bench lock clean

help: ## Show these lines
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## Try it: embedded Kafka and registry, sample RMAs, what became of them
	@$(BIN)/rma-bridge demo

test: $(VENV)/.test ## Run every test that this machine can run, with a real Kafka and registry
	@$(BIN)/python -m pytest $(PYTEST_ARGUMENTS)

check: $(VENV)/.check ## Lint, check the formatting and the types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.check ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

interop: $(VENV)/.test ## Let a Java consumer, a Connect sink and Flink SQL read the topic
	@$(BIN)/python -m pytest tests/interop/java_consumer.py tests/interop/connect_sink.py tests/interop/flink_sql.py

bench: $(VENV)/.test $(VENV)/.bench ## Measure against the comparator on a real Kafka
	@$(BIN)/python -m bench

lock: $(VENV)/.check ## Write requirements/*.txt anew from pyproject.toml
	@$(PIP) install uv
	@scripts/lock

clean: ## Remove the environment, caches and builds
	@rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "rma-bridge needs Python 3.11 or newer and '$(PYTHON)' is not: make PYTHON=python3.13 ..." >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

# One stamp for each set of requirements: a set is installed again only when its lock file or the package has changed.
$(VENV)/.%: requirements/%.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "Installing requirements/$*.txt into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/build.txt -r $<
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
