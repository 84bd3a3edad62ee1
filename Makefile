# Two commands on a fresh machine with Python (3.10 to 3.13), pip and make:
#   make demo   runs the main job on the built-in case and says where the report is
#   make test   builds the wheel, installs it into a clean environment and passes the tests
# Each makes its own environment the first time and is quick the second time.

PYTHON ?= python3
DEMO_ENVIRONMENT := .venv
TEST_ENVIRONMENT := .venv-test
WHEELS := build/wheel
OUTPUT ?= output/demo
SOURCES := $(shell find PseudoProgressionAnalyzer/PseudoProgressionAnalyzerLib -type f -not -name '*.pyc')
# Two are measured in 3D Slicer (their first lines say how), and one draws for another.
BENCHMARKS := $(filter-out %/desktop.py %/six_visits.py %/calibration_figure.py, $(wildcard Testing/Benchmarks/*.py))
PIP_OPTIONS := --quiet --disable-pip-version-check

# The environment's own pip, or the caller's where the system's Python makes environments without one.
PIP = $(if $(wildcard $*/bin/pip),$*/bin/pip,$(PYTHON) -m pip --python $*/bin/python)

.PHONY: demo test benchmark clean
.PRECIOUS: %/.environment

demo: $(DEMO_ENVIRONMENT)/.wheel
	@echo "== Running the main job on the built-in case"
	@$(DEMO_ENVIRONMENT)/bin/pseudoprogression demo --output $(OUTPUT) --overwrite

test: $(TEST_ENVIRONMENT)/.wheel
	@echo "== Style"
	@$(TEST_ENVIRONMENT)/bin/ruff check --quiet .
	@$(TEST_ENVIRONMENT)/bin/ruff format --quiet --check .
	@echo "== Tests against the installed wheel"
	@PPA_TEST_WHEEL=1 $(TEST_ENVIRONMENT)/bin/python -m pytest

benchmark: $(TEST_ENVIRONMENT)/.wheel
	@for script in $(BENCHMARKS); do echo "== $$script"; $(TEST_ENVIRONMENT)/bin/python $$script || exit 1; done

# The environment: remade when pyproject.toml asks for other packages.
%/.environment: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' \
	  || { echo "Python 3.10 to 3.13 is needed; give one with: make PYTHON=python3.12 ..."; exit 1; }
	@echo "== Making the environment $* (the first time only)"
	@rm -rf $*
	@$(PYTHON) -m venv $* >/dev/null 2>&1 \
	  || { rm -rf $*; $(PYTHON) -m venv --without-pip $*; }
	@touch $@

# The wheel, built from the sources as they are and installed with what it needs.
%/.wheel: %/.environment $(SOURCES) pyproject.toml README.md LICENSE.txt
	@echo "== Building the wheel"
	@rm -rf $(WHEELS)-$* && $(PYTHON) -m pip wheel $(PIP_OPTIONS) --no-deps --wheel-dir $(WHEELS)-$* .
	@echo "== Installing it with what it needs into $* (the first time this downloads about 400 MB)"
	@$(PIP) install $(PIP_OPTIONS) --force-reinstall --no-deps $(WHEELS)-$*/*.whl
	@$(PIP) install $(PIP_OPTIONS) \
	  "$$(echo $(WHEELS)-$*/*.whl)[standalone$(if $(filter $(TEST_ENVIRONMENT),$*),$(comma)test)]"
	@touch $@

comma := ,

clean:
	rm -rf build output $(DEMO_ENVIRONMENT) $(TEST_ENVIRONMENT)
