# Each target makes its own virtual environment when there is none; nothing else than Python >= 3.11 is needed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
RIVALS := $(VENV)/.rivals
NATIVE := src/epigx/kernels/cpu
KERNEL := $(NATIVE)/libepigx_kernels.so
# One thread for each test process: two of them beat one that fights over both cores.
export OMP_WAIT_POLICY ?= passive

.PHONY: demo test lint types bench bench-full native wheel clean

demo: $(READY)
	$(BIN)/epigx demo --out build/demo --force

test: $(READY) $(KERNEL)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Beside the rivals and the machine's limit: five minutes, or all of docs/performance.md in one to two hours.
bench: $(RIVALS) $(KERNEL)
	$(BIN)/python -m benchmarks

bench-full: $(RIVALS) $(KERNEL)
	$(BIN)/python -m benchmarks --full

# The install compiles the kernel; after a change of its sources this does it again. Without a compiler all works, slower.
$(KERNEL): $(READY) $(wildcard $(NATIVE)/csrc/*.?pp) $(NATIVE)/build.py
	-$(BIN)/python $(NATIVE)/build.py

native: $(KERNEL)

# One wheel for every CPython >= 3.11 on this platform.
wheel: $(READY)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

$(RIVALS): $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group bench
	touch $(RIVALS)

# Not compiled ahead: most modules of what is installed are never imported.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "epigx needs Python 3.11 or newer; name one with: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' # dependency groups
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable . --group test --group lint
	touch $(READY)

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
