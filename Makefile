# What a person types. Everything runs in .venv, which is made on first use.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: setup demo test lint format bench-speed prior-data prior prior-bundle clean

setup: $(READY)

$(READY): pyproject.toml scripts/setup
	PYTHON=$(PYTHON) VENV=$(VENV) scripts/setup
	touch $@

demo: $(READY)
	$(BIN)/python examples/demo.py out

test: $(READY)
	$(BIN)/python -m pytest --cov=segue --cov=segue_export --cov-report=term

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-speed: $(READY)
	$(BIN)/python -m tests.speed.bench

# The embedded prior: music from Debian packages (needs apt), features and donors; training; the bundle.
DATA ?= data
MINUTES ?= 150
prior-data: $(READY)
	$(BIN)/python -m segue_export.train.music $(DATA)/music
	$(BIN)/python -m segue_export.train.corpus $(DATA)/music $(DATA)/corpus

prior: $(READY)
	$(BIN)/python -m segue_export.train.train $(DATA)/corpus $(DATA)/run --minutes $(MINUTES) --resume backend/segue/bundles/embedded

prior-bundle: $(READY)
	$(BIN)/python -m segue_export.train.make_bundle $(DATA)/music $(DATA)/corpus $(DATA)/run backend/segue/bundles/embedded

clean:
	rm -rf $(VENV) out .pytest_cache .mypy_cache .ruff_cache .coverage
