# Every target makes what it needs. Only `make services` and `make bench` (its peers) install outside this folder.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Compiled modules are kept, whatever the environment says: the tests start many processes, each with all of them.
export PYTHONDONTWRITEBYTECODE =

.PHONY: install develop services demo pictures serve check test soak bench lock migration clean

install: .venv/installed
develop: .venv/developed

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

.venv/developed: .venv/installed requirements-dev.txt
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.txt
	touch $@

# What the full test suite talks to, beside what pip installs: PostgreSQL, Postfix, Dovecot, Chromium, SpamAssassin, Apache Kafka, medallion.
services:
	tests/services.sh

demo: install
	$(BIN)/oktt demo

# The pictures of docs/, of the demo's mails: look at each before you keep it. Needs Chromium.
pictures: develop demo
	$(BIN)/python -m tests.pictures var/demo/outbox

serve: install
	$(BIN)/oktt --dir var/demo serve

check: develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: develop services
	$(BIN)/pytest -n 2

# A thousand crashes at random while mail goes to a server that goes wrong: some hours; the seed is printed.
soak: develop
	$(BIN)/python -m tests.app.soak 1000

bench: develop
	benchmarks/peers/fetch.sh
	$(BIN)/oktt bench

# Newest versions that pyproject.toml allows; needs uv.
lock:
	for set in "--group build|requirements.txt" "--group dev|requirements-dev.txt"; do \
	  uv pip compile pyproject.toml $${set%|*} --upgrade --generate-hashes --no-emit-index-url --no-header \
	    --universal --python-version 3.11 --quiet -o $${set#*|}; done

# A new migration from what the tables declare: make migration NAME="what changes"
migration: develop
	$(BIN)/python -m app.migrations.write "$(NAME)"

clean:
	rm -rf .venv var build dist
