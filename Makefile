# `make run` and `make test` need nothing but CPython 3.11+ and Node 20; `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
INSTALLED := .venv/.installed
READY := .venv/.ready
VENDOR := src/flagstaff/web/static/vendor/.ready

.PHONY: help run test check format servers bench clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: $(INSTALLED) $(VENDOR) ## see it work: dashboard, demo application, a rollout (ARGS="--once --speed 8640")
	$(BIN)/flagstaff demo $(ARGS)

test: $(READY) $(VENDOR) servers ## run every test
	@# Else thousands of processes compile what they import, where Python may not keep that.
	@$(BIN)/python -m compileall -q src
	$(BIN)/pytest -n 3 --ignore tests/integration --ignore tests/e2e $(ARGS)
	$(call served,-n 5 --dist loadfile --no-loadscope-reorder -m 'not alone')
	$(call served,-m alone)

# With real clocks and servers: what fails is run once more by itself.
define served
	$(BIN)/pytest tests/integration tests/e2e $(1) $(ARGS) || { echo "once more what failed:"; \
	  $(BIN)/pytest tests/integration tests/e2e --last-failed --last-failed-no-failures none $(ARGS); }
endef

check: $(READY) ## lint, format, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## put the code in order
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

servers: ## install the real servers that tests talk to, where they are missing
	@scripts/install-servers

bench: $(READY) ## measure against peers, in one run
	$(BIN)/python -m benchmarks $(ARGS)

clean: ## remove everything that was made
	rm -rf .venv frontend/node_modules $(dir $(VENDOR)) .pytest_cache .mypy_cache .ruff_cache

$(INSTALLED): pyproject.toml constraints.txt
	@echo "setting up .venv: about a minute, once"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[demo]'
	@touch $@

$(READY): $(INSTALLED)
	@echo "adding what the tests need: about two minutes, once"
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[all]' --group dev
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --group uwsgi || \
	  echo "uWSGI needs a C compiler and Python's headers: its test is skipped"
	@touch $@

$(VENDOR): frontend/package.json frontend/package-lock.json
	@cd frontend && npm ci --silent --no-audit --no-fund && npm run --silent build
	@touch $@
