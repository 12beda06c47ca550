# Two commands for a newcomer: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
CONSTRAINTS = requirements/constraints.txt
ENGINE = setup.py $(wildcard src/arietta/media/native/c/*.h src/arietta/media/native/c/*/*.[ch])

.PHONY: help demo test check quick build lock clean tools warnings sanitize

help:
	@echo "make demo    set up, start the server on loopback, let a virtual phone dial 1000, stay up"
	@echo "make test    install what the tests need and run all of them"
	@echo "make check   formatting, types, warnings of C, the arrows between packages, the samples in the documentation"
	@echo "make quick   the tests that need no other program"
	@echo "make sanitize  the tests of the media engine in C under the sanitizers, with a compiler that has them"
	@echo "make build   wheel and sdist in dist/"
	@echo "make lock    new versions of the dependencies in $(CONSTRAINTS)"
	@echo "make clean   remove the virtual environment and what was built"

# Also builds the engine in C, in place; without a compiler the engine in Python is used, and `arietta run` says so.
$(VENV)/run.stamp: pyproject.toml $(CONSTRAINTS) $(ENGINE)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Arietta needs Python 3.11 or later; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c $(CONSTRAINTS) -e .
	touch $@

$(VENV)/dev.stamp: pyproject.toml $(CONSTRAINTS) | $(VENV)/run.stamp
	$(BIN)/python -m pip install -q --disable-pip-version-check -c $(CONSTRAINTS) -e '.[dev,clients]'
	touch $@

demo: $(VENV)/run.stamp
	$(BIN)/arietta demo

check: $(VENV)/dev.stamp warnings
	$(BIN)/ruff format --check src tests tools examples
	$(BIN)/ruff check src tests tools examples
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_arrows.py tests/test_documentation.py

# Every compiler that is here has nothing to say about the engine in C.
warnings: $(VENV)/run.stamp
	set -e; for compiler in gcc clang; do if command -v $$compiler >/dev/null; then \
		CC=$$compiler PYTHON=$(BIN)/python tools/compile_engine.sh build/warnings.so -O2 -Werror; fi; done

sanitize: $(VENV)/dev.stamp
	PYTHON=$(BIN)/python tools/sanitize.sh

quick: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m "not real"

# Programs the tests talk to: sipp, baresip, node. Needs root or sudo when they are not installed yet.
tools:
	tools/install_test_tools.sh

test: $(VENV)/dev.stamp tools
	$(BIN)/python -m pytest
	PYTHON=$(BIN)/python tools/sanitize.sh

build: $(VENV)/dev.stamp
	$(BIN)/python -m build -q

# New versions within the ranges of pyproject.toml, after a look at what the tests say of them.
lock:
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install -q --disable-pip-version-check '.[dev,clients]'
	{ sed -n 1p $(CONSTRAINTS); build/lock/bin/python -m pip freeze | grep -vi '^arietta'; } > build/constraints.txt
	mv build/constraints.txt $(CONSTRAINTS) && rm -rf build/lock

clean:
	rm -rf $(VENV) build dist tests/real/node/node_modules src/*.egg-info src/arietta/media/native/*.so
