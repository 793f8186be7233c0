# Every word a contributor needs. Needs Python 3.11 or newer, pip and make; nothing else.
# The work is done in .venv; the system's Python is never touched.

PYTHON ?= python3
# Further arguments for pytest or a benchmark, e.g. make test ARGS="-k postgres"
ARGS ?=

RUN := .venv/bin/python -m
# A whole run that is green writes down what each connector can do, for the reference.
SUPPORT := -p igloo.testing.conformance.report --conformance-report tests/conformance/support.json
SETUP := PYTHON="$(PYTHON)" sh tools/setup.sh

.PHONY: help setup check fix test conform new-connector long corpus bench docs demo
# Two words at once would install into one .venv at the same time.
.NOTPARALLEL:

.PHONY: setup-dev setup-test setup-demo

help:
	@printf '%s\n' \
	  'make demo     one SQL statement over PostgreSQL, Parquet and Iceberg, from nothing' \
	  'make setup    install everything a contributor needs into .venv' \
	  'make check    lint, types, import rules, spelling, the packages and the lock file' \
	  'make fix      format the code and repair what the linter can repair' \
	  'make test     run the tests, real servers included (ARGS="-k name" to choose)' \
	  'make new-connector NAME=x  write a connector, its test and its page, to be changed' \
	  'make conform  run the conformance suite against every connector' \
	  'make long     run the tests that take long' \
	  'make corpus   ask PostgreSQL for the answers of the SQL corpus, and write it' \
	  'make docs     run the blocks of the documentation' \
	  'make bench    run the benchmarks and print them side by side'

setup-dev setup-test setup-demo:
	@$(SETUP) $(@:setup-%=%)

setup: setup-dev
	@echo 'Ready. Run: .venv/bin/igloo --help'

check: setup-dev
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	.venv/bin/python .venv/bin/lint-imports
	$(RUN) codespell_lib
	$(RUN) validate_pyproject pyproject.toml
	$(RUN) uv lock --check
	.venv/bin/python tools/check_packages.py
	.venv/bin/python tools/check_platforms.py

fix: setup-dev
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

test: setup-test
	$(RUN) pytest $(ARGS)

conform: setup-test
	$(RUN) pytest tests/conformance $(SUPPORT) $(ARGS)

new-connector: setup-dev
	.venv/bin/python tools/new_connector.py '$(NAME)'
	@$(SETUP) dev
	$(RUN) pytest -q --collect-only tests/conformance $(SUPPORT) >/dev/null
	.venv/bin/python tools/generate_reference.py

# A fresh seed each time: IGLOO_TEST_SEED repeats one, and is printed with what differs.
long: export IGLOO_TEST_QUERIES ?= 3000
long: export IGLOO_TEST_STATEMENTS ?= 200000
long: export IGLOO_TEST_SECONDS ?= 7200
long: export IGLOO_TEST_SEED ?= $(shell date +%s)
long: setup-test
	IGLOO_TEST_TPCDS_SCALE=0.1 $(RUN) pytest tests/oracle/test_tpcds.py \
	  tests/integration/engine/test_pushdown_rows.py --timeout 7200 $(ARGS)
	$(RUN) pytest -s tests/fuzz/test_fuzz.py --timeout 36000 $(ARGS)

corpus: setup-test
	.venv/bin/python tools/generate_corpus.py $(ARGS)

docs: setup-test
	$(RUN) pytest tests/test_docs.py $(ARGS)

bench: setup-test
	.venv/bin/python bench/run.py $(ARGS)

demo: setup-demo
	@.venv/bin/python -m igloo demo
