# Every target makes what it needs first, so that each is a first command on a fresh machine.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FOR ?=
ONLY ?=
# Tests mostly wait for brokers and databases, so more of them than cores run at once.
WORKERS ?= 3
DATA ?= data

.PHONY: help setup rabbitmq openstack demo test coverage check format bench truth chaos lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready ## make .venv with osevents and its tools

$(VENV)/.ready: pyproject.toml requirements.lock
	$(PYTHON) deploy/setup_venv.py $(VENV)
	@touch $@

rabbitmq: ## make a RabbitMQ server available to the tests (no root needed)
	@bash tests/support/install_rabbitmq.sh

openstack: setup ## make the real OpenStack services available to the tests (no root needed)
	@$(BIN)/python -m tests.support.openstack.install

demo: setup ## a simulated cloud and all of osevents in this terminal; FOR=30s ends it by itself
	@$(BIN)/osevents up --simulate --data $(DATA) $(if $(FOR),--for $(FOR))

test: setup rabbitmq openstack ## the whole test suite, on a real RabbitMQ and a real PostgreSQL
	$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadgroup $(ARGS)

coverage: setup rabbitmq openstack ## the whole test suite, and which lines and branches it reached
	$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadgroup --cov --cov-report=term $(ARGS)

check: setup ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup rabbitmq ## measure throughput, latency, API cost, memory; ONLY="flood steady" picks some
	$(BIN)/python -m tests.benchmarks $(ONLY)

truth: setup rabbitmq ## 50 000 notifications, some lost, refreshers killed: is the inventory true?
	OSEVENTS_TEST_TRUTH_NOTIFICATIONS=50000 $(BIN)/python -m pytest -n 0 tests/acceptance/test_truth.py

chaos: setup rabbitmq ## kill processors at random while 20 000 events fire rules
	OSEVENTS_TEST_ONCE_EVENTS=20000 $(BIN)/python -m pytest -n 0 tests/acceptance/test_once.py

lock: setup ## pin every dependency again (versions and hashes, no addresses)
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --constraint requirements.lock --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet --output-file deploy/image.lock
	$(BIN)/uv pip compile --group build --constraint requirements.lock --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet --output-file deploy/build.lock
	$(BIN)/uv pip compile tests/support/openstack/openstack.in --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --quiet --output-file tests/support/openstack/openstack.lock

clean: ## remove what the other targets made
	rm -rf $(VENV) .deps .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
