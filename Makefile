# Each target creates its own virtual environment if there is none. Only Python >= 3.11 is needed.
PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
# One stamp for each set of packages, so that `make demo` installs epigx and what it needs, and nothing else.
PACKAGE := $(VENV)/.package
TEST    := $(VENV)/.test
LINT    := $(VENV)/.lint
ORACLES := $(VENV)/.oracles
BENCH   := $(VENV)/.bench
PIP     := $(VENV)/.pip
NATIVE  := src/epigx/kernels/cpu
KERNEL  := $(NATIVE)/libepigx_kernels.so
# --no-compile: most modules of the installed packages are never imported.
INSTALL := $(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt
PYTEST  := $(BIN)/python -m pytest -n 2 --dist worksteal -q
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export OMP_WAIT_POLICY ?= passive
# Without compiled modules every process would spend ten seconds and more on importing PyTorch.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-oracles lint bench bench-full native wheel clean

demo: $(PACKAGE)
	$(BIN)/epigx demo --out build/demo --force

# One thread for each test process: two of them are faster than one with two threads.
test: $(TEST) $(KERNEL)
	OMP_NUM_THREADS=1 $(PYTEST)

# Comparisons with other packages (MACS3, enformer-pytorch, mambapy, transformers); installing them may need a compiler.
test-oracles: $(ORACLES) $(KERNEL)
	OMP_NUM_THREADS=1 $(PYTEST) -m oracle

lint: $(LINT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/check_words.py

# Compare with other implementations: five minutes, or one to two hours for all sizes.
bench: $(BENCH) $(KERNEL)
	$(BIN)/python -m benchmarks

bench-full: $(BENCH) $(KERNEL)
	$(BIN)/python -m benchmarks --full

# The installation compiles the kernel; this repeats it after a change of its sources. Without a compiler epigx is slower.
$(KERNEL): $(PACKAGE) $(wildcard $(NATIVE)/csrc/*.?pp) $(NATIVE)/build.py
	-$(BIN)/python $(NATIVE)/build.py

native: $(KERNEL)

# One wheel for every CPython >= 3.11 on this platform.
wheel: $(PACKAGE)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

$(PACKAGE): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "epigx needs Python 3.11 or newer. Choose one: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable .
	touch $@

# The first pip with dependency groups; the package itself installs with any.
$(PIP): $(PACKAGE)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	touch $@

$(TEST) $(LINT) $(ORACLES) $(BENCH): $(VENV)/.%: $(PIP)
	$(INSTALL) --group $*
	touch $@

# The comparisons are tests, too.
$(ORACLES): $(TEST)

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
