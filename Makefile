# make demo runs the first job; make test runs the linter, the type checker and the suite.
PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV ?= .venv
DATA ?= ../shared/data
BIN := $(abspath $(VENV))/bin
unexport PYTHONDONTWRITEBYTECODE

help:  ## say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | \
		awk -F'|' '{printf "  make %-18s %s\n", $$1, $$2}'
	@echo
	@echo "  TORCH names the torch to install first, such as a CUDA build: make demo TORCH=torch==2.9.1"

demo: $(VENV)/.run  ## install into .venv, forecast the airline series, show the table
	$(BIN)/stsfm run model=lstm data=airline

test: $(VENV)/.dev links  ## install, then run linter, type checker and the whole suite
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd tests && OMP_NUM_THREADS=1 $(BIN)/pytest --rootdir .. -n 2 --dist worksteal .

bench: $(VENV)/.dev  ## print speed as ratios to plain torch
	cd bench && OMP_NUM_THREADS=1 $(BIN)/python run.py

reproduce-airline: $(VENV)/.run  ## the classical models on airline again, beside the figures kept
	OMP_NUM_THREADS=1 $(BIN)/python bench/reproduce.py airline_classic

reproduce-ltsf: $(VENV)/.run  ## linear maps on ETT, trained and in closed form, beside the papers
	OMP_NUM_THREADS=1 $(BIN)/python bench/reproduce.py ltsf_linear ltsf_nlinear_etth1 \
		ltsf_nlinear_ettm1 ltsf_dlinear

reproduce-losloop: $(VENV)/.run  ## speeds of Los-loop under the protocol of T-GCN, beside its figures
	OMP_NUM_THREADS=1 $(BIN)/python bench/reproduce.py losloop_ar losloop losloop_space losloop_ensemble

reproduce-manifold: $(VENV)/.run  ## ways through a manifold on the Brusselator, each with one budget
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[search]"
	OMP_NUM_THREADS=1 $(BIN)/python bench/reproduce.py manifold

reproduce-composite: $(VENV)/.run  ## a loss with physics against plain mse, its weights by a search
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[search]"
	OMP_NUM_THREADS=1 $(BIN)/python bench/reproduce.py composite composite_carried

eval-ask: $(VENV)/.run  ## how well prompts are understood
	OMP_NUM_THREADS=1 $(BIN)/python bench/ask.py

bench-selection: $(VENV)/.run  ## does stsfm select choose well? 20 known laws, and regret in DATA
	OMP_NUM_THREADS=1 $(BIN)/python bench/selection.py --families
	OMP_NUM_THREADS=1 $(BIN)/python bench/selection.py --regret $(DATA)

links:  ## lay the packages out for type checkers, in .links
	@rm -rf .links && mkdir -p .links/stsfm
	@for entry in stsfm_cli/* conf datasets losses models; do ln -s ../../$$entry .links/stsfm/; done

clean:  ## remove what was installed and built; runs stay
	rm -rf $(VENV) .links build *.egg-info .pytest_cache .mypy_cache .ruff_cache

# torch comes first, so that the user's choice of build is the one that is kept
$(VENV)/.torch:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(TORCH)"
	@touch $@

$(VENV)/.run: $(VENV)/.torch pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@

.PHONY: help demo test bench eval-ask bench-selection reproduce-airline reproduce-ltsf \
	reproduce-losloop reproduce-manifold reproduce-composite links clean
