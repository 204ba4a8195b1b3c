# Each target does all of its own set-up: it creates .venv if it is missing and installs what it needs.
PYTHON ?= python3
VENV ?= .venv
PROTO_VENV ?= .venv-proto
CHROMIUM ?= chromium
BIN := $(VENV)/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
EXAMPLES := $(addprefix examples/plugins/mien-,lexicon pocketsphinx wyoming yunet)

.PHONY: help demo test test-wheel soak lint format proto schema settings report-picture screenshots clean
.DEFAULT_GOAL := help

help:  ## Show this
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.with-demo  ## A real face in a real photograph, through a server in another process
	$(BIN)/python examples/demo.py

test: $(VENV)/.with-test $(PROTO_VENV)/.ready  ## The whole suite, offline
	$(BIN)/python -m pytest -n 2

test-wheel: $(VENV)/.with-test  ## Build the wheel, install it in an empty environment with a stranger's plugin, use both
	$(BIN)/python -m pytest -m packaging tests/repo

soak: $(VENV)/.with-test  ## Hours of bad input against a server (MIEN_SOAK_MESSAGES=2000 MIEN_SOAK_FILES=500 for minutes)
	$(BIN)/python -m pytest -s -m soak tests/soak

lint: $(VENV)/.with-test  ## Format check, lint and strict types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.with-test  ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

proto: $(PROTO_VENV)/.ready  ## Generate core/mien/v1 from proto/mien/v1
	PYTHON=$(PROTO_VENV)/bin/python proto/generate.sh

schema: $(VENV)/.with-test  ## Publish the JSON Schema of records in docs/schema
	$(BIN)/python -c 'import json, mien; print(json.dumps(mien.records.schema(), indent=2))' > docs/schema/record-v1.json

settings: $(VENV)/.with-test  ## Write docs/settings.md from the classes that check the configuration
	$(BIN)/python docs/write_settings.py

report-picture: $(VENV)/.with-test  ## Draw docs/images/report.png, with a Chromium (CHROMIUM=...)
	mkdir -p out
	$(BIN)/python examples/synthetic_records.py out/synthetic.jsonl
	$(BIN)/mien report out/synthetic.jsonl --html out/report.html --timezone UTC --title "Synthetic example"
	$(CHROMIUM) --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1160,1500 \
	  --screenshot=docs/images/report.png "file://$(CURDIR)/out/report.html"

screenshots: $(VENV)/.with-test  ## Draw docs/images/kiosk-*.png, with a Chromium
	PYTHONPATH=benchmarks $(BIN)/python benchmarks/page_pictures.py

clean:  ## Remove what the targets above made
	rm -rf $(VENV) $(PROTO_VENV) build dist out runs .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.with-demo: $(VENV)/.created pyproject.toml constraints.txt
	$(BIN)/python $(PIP_INSTALL) -c constraints.txt -e '.[demo,voice-en]'
	touch $@

$(VENV)/.with-test: $(VENV)/.created pyproject.toml constraints.txt $(EXAMPLES:%=%/pyproject.toml)
	$(BIN)/python $(PIP_INSTALL) -c constraints.txt -e '.[test]' $(EXAMPLES:%=-e %)
	touch $@

# The generator has an environment of its own: the release that is pinned wants an older protobuf than the service does.
$(PROTO_VENV)/.ready: proto/requirements.txt
	$(PYTHON) -m venv $(PROTO_VENV)
	$(PROTO_VENV)/bin/python $(PIP_INSTALL) -r proto/requirements.txt
	touch $@
