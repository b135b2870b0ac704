# Python 3.11 or newer and make are all that is needed:
#
#   make book                the book, in _build/html
#   make book FLEET=my.csv   the same, with the fleet chapter for your own inventory
#   make pdf                 the chapters of the built book to print, in
#                            _build/html/vmbmodel.pdf, to which its pages then lead
#                            (needs a Chromium)
#   make test                style, unit tests, and the notebooks against their outputs
#   make test TESTS=all      the same, with proofs that take long and more examples
#   make test TESTS=search   properties tried on examples that nobody has seen yet
#   make notebooks           run the notebooks in place and store what they give
#   make bench               the benchmarks
#   make pins                requirements.txt from requirements.in (needs uv)
#   make clean               remove all that the above made, and archives

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# What of the caller's would change the result without a word: a kernel that may
# not keep its bytecode compiles pandas anew for each notebook, another backend
# hides the figures, and a fleet of the reader's own belongs in `make book` only.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH MPLBACKEND VMBMODEL_FLEET

.PHONY: book pdf test notebooks bench pins clean fleet
.DELETE_ON_ERROR:

# Everything from nothing: pages and doctrees of an earlier build hide warnings
# and keep old numbers, and a cache of notebooks does not see a change of the model.
# That of this build is born in it, so that the notebooks can run side by side.
book: fleet .venv/.ready
	rm -rf _build
	$(if $(FLEET),VMBMODEL_FLEET="$$($(fleet_path))") \
	  $(BIN)/python notebooks/refresh.py --cache _build/.jupyter_cache
	sed -e 's/execute_notebooks: force/execute_notebooks: cache/' \
	  -e 's|: book/_ext|: ../book/_ext|' _config.yml > _build/config.yml
	$(BIN)/jupyter-book build . --config _build/config.yml -W -n --keep-going --all
	$(BIN)/python book/check_site.py _build/html
	@echo "The book: _build/html/index.html"

pdf: .venv/.ready
	$(BIN)/python book/make_pdf.py _build/html

# FLEET is relative to where make was called, which -C leaves in PWD
fleet_path = [ -z "$$FLEET" ] || { \
  for base in "$(CURDIR)/" "$(PWD)/" ""; do \
    if [ -f "$$base$$FLEET" ]; then echo "$$base$$FLEET"; exit 0; fi; \
  done; \
  echo "make book: there is no file $$FLEET" >&2; exit 1; }

fleet:
	@$(fleet_path) >/dev/null

test: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	TESTS="$(TESTS)" $(BIN)/python -m pytest -n auto --dist worksteal \
	  $(if $(filter all,$(TESTS)),,-m "not slow")
	$(BIN)/python -m pytest -p no:cacheprovider -n auto --dist loadfile --nbval \
	  --nbval-current-env --nbval-sanitize-with nbval.cfg notebooks

notebooks: .venv/.ready
	$(BIN)/python notebooks/refresh.py

bench: .venv/.ready
	$(PIP) install -q -r benchmarks/requirements.txt
	$(BIN)/python -m benchmarks

pins:
	uv pip compile --quiet --universal --python-version 3.11 \
	  --fork-strategy fewest --no-emit-index-url --no-emit-find-links \
	  --no-header --no-annotate --upgrade requirements.in -o requirements.txt

clean:
	rm -rf .venv _build build dist vmbmodel.egg-info .pytest_cache .ruff_cache .hypothesis

# Bytecode is made on all cores, where pip makes it on one.
.venv/.ready: requirements.txt tests/axe.txt pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
	  echo "$(PYTHON) is missing or older than 3.11; name another:" \
	    "make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(PIP) install -q --no-compile -r requirements.txt
	$(PIP) install -q --no-deps -r tests/axe.txt
	$(BIN)/python -c "import compileall as c; c.compile_dir('.venv/lib', quiet=2, workers=0)"
	touch $@
