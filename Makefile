# Quartermaster: every command a developer needs. `make help` lists them.
# Settings are given as variables, here or in the environment: make run PORT=9000 LEX_TIMEOUT=1

PYTHON ?= python3
# Tests wait about as long as they work, so twice as many workers as the two cores they were made for.
WORKERS ?= 4
# What `make test` and `make check` run, and how: make test TESTS=tests/intents ARGS='-k refused -x'
TESTS ?= tests
ARGS ?=

VENV := .venv
RUN := $(VENV)/bin/python
CODE = $(wildcard bot intents adapters sandbox migrations bench tests tools)

.DEFAULT_GOAL := help
.SILENT:
.NOTPARALLEL:
export PYTHON VENV
# Bytecode is kept whatever the shell says, or each start, worker and program compiles all anew: a second more of it.
export PYTHONDONTWRITEBYTECODE =

.PHONY: run
run: ## Start the bot with its sandboxed AWS and mail catcher [PORT=8000 TEAMS=demo]
	tools/setup.sh run
	exec $(RUN) -m bot run

.PHONY: test
test: test-setup ## Run all tests, on all parts (sets up PostgreSQL and Chromium if it may)
	exec $(RUN) -m pytest -n $(WORKERS) --dist worksteal $(TESTS) $(ARGS)

.PHONY: check
check: test-setup lint test ## Everything that must hold: lint, types, layers, Dockerfile, locks, policies, tests

.PHONY: lint
lint: venv ## The checks without the tests
	$(RUN) -m ruff check --output-format concise .
	$(RUN) -m ruff format --check --quiet . || { echo 'Run "make format".' >&2; exit 1; }
	$(RUN) -m mypy $(CODE)
	$(RUN) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	$(VENV)/bin/hadolint Dockerfile
	$(RUN) tools/locks.py check
	$(RUN) -m tools.iam check
	$(RUN) -m bot policy check
	$(RUN) -m bot policy test

.PHONY: format
format: venv ## Format the code and sort its imports
	$(RUN) -m ruff check --fix --quiet --select I .
	$(RUN) -m ruff format .

.PHONY: bench
bench: venv ## Measure memory, time to first answer and turn latency
	exec $(RUN) -m bench $(ARGS)

.PHONY: teams-package
teams-package: ## Zip the Teams app into var/ [TEAMS_APP_ID=… PUBLIC_URL=https://…]
	tools/setup.sh run
	exec $(RUN) -m bot teams package

.PHONY: pictures
pictures: test-setup ## Make the pictures under docs/pictures anew: the console's, and what Slack and Teams show
	QM_WRITE_PICTURES=1 $(RUN) -m pytest -q tests/console/test_whole_way.py tests/console/test_accessible.py tests/slack/pictures tests/teams/pictures

.PHONY: migrate
migrate: ## Bring the database (DATABASE_URL) to the newest schema
	tools/setup.sh run
	exec $(RUN) -m bot migrate

.PHONY: lock
lock: ## Resolve requirements*.in into the hash-locked requirements*.txt
	tools/setup.sh lock

.PHONY: clean
clean: ## Remove what was made here, but not the embedded default's data (var/)
	rm -rf $(VENV) .venv-lock .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## List the commands
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# The environment for tests and checks.
.PHONY: venv
venv:
	tools/setup.sh dev

# The same, and the programs that tests drive.
.PHONY: test-setup
test-setup: venv
	$(RUN) -m tests.support.programs
