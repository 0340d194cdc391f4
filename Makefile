# orange's machinery. `make demo` shows what orange does, `make test` checks everything.
# Needs git, make and python3 (3.11 or newer, with venv); `make system` says or installs the rest.

BIN := .venv/bin
PYTEST := $(BIN)/pytest -p no:cacheprovider
# Long tests wait more than they work: three workers keep two cores busy, more would only make timing noisier.
WORKERS ?= 3
BEYOND_UNIT := $(wildcard tests/house tests/contract tests/integration tests/acceptance tests/browser)

.NOTPARALLEL:
.PHONY: help demo test lint unit long bench torture venv system agents docs screenshots requirements bare clean

help:
	@echo 'make demo          show a task graph worked off from start to end, without any account'
	@echo 'make test          format, lint, types, import contracts, every test'
	@echo 'make lint | unit | long    the parts of it'
	@echo 'make agents        install the real agent programs that some tests drive'
	@echo 'make torture       the tests with counts ten times as large'
	@echo 'make bench         figures against floors and targets'
	@echo 'make docs          write the generated parts of docs/ anew'
	@echo 'make screenshots   pictures of every view of the dashboard, in build/screenshots'
	@echo 'make bare          demo and test in a bare Debian root (root only; see .ci/bare)'
	@echo 'make requirements  pin the newest versions in requirements.txt'
	@echo 'make venv | system | clean'

system:
	@bash .ci/system

venv:
	@bash .ci/venv

demo: venv
	@bash .ci/system needed
	@$(BIN)/orange demo

lint: venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

unit: venv
	$(PYTEST) tests/unit -q

agents:
	@bash .ci/agents

long: system venv agents
	$(PYTEST) $(BEYOND_UNIT) -q -n $(WORKERS) --dist worksteal -o faulthandler_timeout=600

test: system lint unit long

torture: export ORANGE_TORTURE = 10
torture: system venv agents
	$(PYTEST) tests -q -n $(WORKERS) --dist worksteal -o faulthandler_timeout=6000

bench: system venv
	$(BIN)/python bench/run

docs: venv
	$(BIN)/python -m orange.testing.docs

screenshots: system venv
	$(BIN)/python -m tests.browser.screenshots

requirements: venv
	@bash .ci/requirements

bare:
	@bash .ci/bare

clean:
	rm -rf .venv build dist .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
