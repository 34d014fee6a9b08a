# Otklik: `make demo` sets everything up and places real calls; `make test` runs every check and test.
# A machine needs only git, make and python3 (>= 3.11). Everything else comes into this folder.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check audit screenshots clean
ARGS ?=
# Some images forbid Python to keep what it compiled: every start of a node would then take three times as long.
unexport PYTHONDONTWRITEBYTECODE

# The first python3 that is new enough; empty where there is none.
PYTHON3 := $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
OTKLIK := .venv/bin/otklik

# A call is mostly waiting: three files of tests at a time on two cores. A file stays together, for its fixtures'
# sake; files run in the order of tests/conftest.py, calls first, so that no long one is left alone at the end.
SIDE_BY_SIDE := --numprocesses 3 --dist loadfile --no-loadscope-reorder

help:
	@echo 'make demo     set up and place the demo calls      (ARGS="--json FILE")'
	@echo 'make test     set up and run all checks and tests  (ARGS="tests/setup -k lock")'
	@echo 'make check    format, lint, types, contracts, machine paths, known weaknesses of packages'
	@echo 'make audit    these weaknesses alone, and what is let pass (needs PyPI, the registry of npm)'
	@echo 'make setup    set up only'
	@echo 'make screenshots   pictures of every page of the console, into docs/screens (Chromium)'
	@echo 'make serve    set up and start a node              (ARGS="--help")'
	@echo 'make clean    remove everything that set-up made; keeps var/ (calls, answers, recordings)'

# Every set-up goes through this: a clear word where python3 is missing or too old.
define set_up
	@if [ -z "$(PYTHON3)" ]; then \
	  echo 'Otklik: нужен Python 3.11 или новее (python3), а здесь: '"$$(python3 --version 2>&1 || true)" >&2; \
	  echo '  Debian 12+, Ubuntu 24.04+: sudo apt-get install python3 python3-venv' >&2; \
	  echo '  (Python >= 3.11 is needed and was not found.)' >&2; exit 1; fi
	@$(PYTHON3) tools/setup.py $(1)
endef

setup:
	$(call set_up)

demo:
	$(call set_up)
	@AFTER_MAKE_SETUP=1 exec $(OTKLIK) demo $(ARGS)

serve:
	$(call set_up)
	@exec $(OTKLIK) serve $(ARGS)

check:
	$(call set_up,--only bot)
	@exec .venv/bin/python tools/check.py

audit:
	$(call set_up,--only bot)
	@exec .venv/bin/python tools/audit.py

screenshots:
	$(call set_up,--peers)
	@exec .venv/bin/python -m tests.web.screenshots docs/screens

test:
	$(call set_up,--peers)
	@.venv/bin/python tools/check.py; checked=$$?; [ $$checked -le 1 ] || exit $$checked; \
	  .venv/bin/python -m pytest $(SIDE_BY_SIDE) $(ARGS) || exit $$?; \
	  [ $$checked -eq 0 ] || { echo 'make check: не прошло, см. выше / failed, see above' >&2; exit $$checked; }

clean:
	rm -rf .setup .tools .venv dialogue/.venv dialogue/models .mypy_cache .ruff_cache .pytest_cache \
	  .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
