# What a person types. Everything runs in .venv, which is made on first use.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: setup demo test coverage lint format bench-speed fuzz imports soak bench-quality bench-quality-smoke bench-quality-foreign bench-quality-seeds recall-weights prior-data prior prior-bundle waveform-prior waveform-bundle plugin install-plugin plugin-screens clean

setup: $(READY)

$(READY): pyproject.toml scripts/setup
	PYTHON=$(PYTHON) VENV=$(VENV) scripts/setup
	touch $@

demo: $(READY)
	$(BIN)/python examples/demo.py out

# The plug-in is compiled meanwhile, by the processor that the tests of Python leave idle.
test: $(READY)
	mkdir -p build
	nice -n 19 $(BIN)/python -m tests.plugin.builds >build/plugin.log 2>&1 & \
	$(BIN)/python -m pytest

coverage: $(READY)
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

# Nightly. Inputs of the protocol's parsers in both languages; minutes of mixed jobs and faults on a live renderer (each
# prints its seed; SEED=... replays it); whole imports of every family of open priors.
INPUTS ?= 200000
SOAK_MINUTES ?= 20
fuzz: $(READY)
	$(BIN)/python -m tests.protocol.fuzz $(INPUTS) $(SEED)

imports: $(READY)
	$(BIN)/python -m pytest -m nightly tests/export tests/api tests/prior

soak: $(READY)
	$(BIN)/python -m tests.soak.soak --minutes $(SOAK_MINUTES) $(if $(SEED),--seed $(SEED))

# Music, results and training data, all from Debian packages (needs apt). JOBS: processes of one thread each.
DATA ?= data
JOBS ?= 2

# The quality bench: fetches its music, renders and scores what is not done yet, writes docs/quality.md and .html.
bench-quality: $(READY)
	$(BIN)/segue-bench music $(DATA)/music --profile report
	$(BIN)/segue-bench run --profile report --music $(DATA)/music --results $(DATA)/quality --jobs $(JOBS)
	$(BIN)/segue-bench report $(DATA)/quality --out docs --others 0 \
		--heard "real,round trip,copy,splice,ddpm-50 guided,default,mean,generated-10"

# Kinds of music that the prior was not trained on: writes docs/quality-foreign.md, and a page to listen to beside it.
bench-quality-foreign: $(READY)
	$(BIN)/segue-bench music $(DATA)/music --profile foreign
	$(BIN)/segue-bench run --profile foreign --music $(DATA)/music --results $(DATA)/quality-foreign --jobs $(JOBS) --no-memory
	$(BIN)/segue-bench report $(DATA)/quality-foreign --out docs --name quality-foreign

# What different seeds do: writes docs/quality-seeds.md.
bench-quality-seeds: $(READY)
	$(BIN)/segue-bench music $(DATA)/music --profile seeds
	$(BIN)/segue-bench run --profile seeds --music $(DATA)/music --results $(DATA)/quality-seeds --jobs $(JOBS) --no-memory
	$(BIN)/segue-bench report $(DATA)/quality-seeds --out docs --name quality-seeds

# The same on 8 excerpts, from two small packages; the report goes to out/.
bench-quality-smoke: $(READY)
	$(BIN)/segue-bench music $(DATA)/music --profile smoke
	$(BIN)/segue-bench run --profile smoke --music $(DATA)/music --results $(DATA)/quality-smoke --jobs $(JOBS) --no-memory
	$(BIN)/segue-bench report $(DATA)/quality-smoke --out out

# What recall foretells of a place from its surroundings: fitted on training tracks, measured on validation tracks.
recall-weights: $(READY)
	$(BIN)/python -m segue_export.train.fit_recall $(DATA)/music --out backend/segue/recall/weights/foretold.safetensors

# The embedded prior: features and donors; training (SETTINGS: a TOML file, see docs/ablations.md; RESUME= from scratch, in
# a RUN of its own); the bundle.
MINUTES ?= 150
RUN ?= $(DATA)/run
RESUME ?= backend/segue/bundles/embedded
prior-data: $(READY)
	$(BIN)/python -m segue_export.train.music $(DATA)/music
	$(BIN)/python -m segue_export.train.corpus $(DATA)/music $(DATA)/corpus

prior: $(READY)
	$(BIN)/python -m segue_export.train.train $(DATA)/corpus $(RUN) --minutes $(MINUTES) $(if $(RESUME),--resume $(RESUME)) $(if $(SETTINGS),--settings $(SETTINGS))
	$(BIN)/python -m segue_export.train.curves $(RUN)/curves.csv $(RUN)/curves.png $(RUN)

prior-bundle: $(READY)
	$(BIN)/python -m segue_export.train.make_bundle $(DATA)/music $(DATA)/corpus $(RUN) backend/segue/bundles/embedded

# The waveform class, the paper's other one, on the same corpus: its audio decoded (12 GB), training, the bundle.
waveform-prior: $(READY)
	$(BIN)/python -m segue_export.train.waveforms $(DATA)/music $(DATA)/corpus $(DATA)/waves
	$(BIN)/python -m segue_export.train.train_waveform $(DATA)/corpus $(DATA)/waves $(DATA)/waveform-run --minutes $(MINUTES) \
		--resume backend/segue/bundles/waveform
	$(BIN)/python -m segue_export.train.curves $(DATA)/waveform-run/curves.csv $(DATA)/waveform-run/curves.png $(DATA)/waveform-run

waveform-bundle: $(READY)
	$(BIN)/python -m segue_export.train.make_waveform_bundle $(DATA)/music $(DATA)/corpus $(DATA)/waveform-run \
		backend/segue/bundles/waveform

# The plug-in as VST3, CLAP and LV2, into build/plugin/bin; then to where hosts look, under PREFIX.
PREFIX ?= $(HOME)
FORMATS := Segue.vst3 Segue.clap Segue.lv2
TARGETS := Segue-vst3 Segue-clap Segue-lv2
build/packages: scripts/setup
	PYTHON=$(PYTHON) scripts/setup --packages
	mkdir -p build
	touch $@

plugin: build/packages
	cmake -S plugin_shim -B build/plugin -G Ninja
	cmake --build build/plugin --target $(TARGETS)

install-plugin: plugin
	for each in $(FORMATS); do \
	  folder="$(PREFIX)/.$${each##*.}" && mkdir -p "$$folder" && rm -rf "$$folder/$$each" && \
	  cp -R "build/plugin/bin/$$each" "$$folder/" && echo "$$folder/$$each" || exit 1; \
	done

# Pictures of every state of the plug-in's UI, for the documentation.
plugin-screens: $(READY)
	$(BIN)/python -m tests.plugin.plugin_screens docs/screens

clean:
	rm -rf $(VENV) out .pytest_cache .mypy_cache .ruff_cache .coverage
