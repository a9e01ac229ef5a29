# SPDX-License-Identifier: GPL-2.0-or-later
#
# The commands of the project. What they do stands in tools/ and in the package
# dmabed; build/venv is a link to the Python environment in the cache.

PYTHON := PYTHONPATH=$(CURDIR)/harness build/venv/bin/python
# how many workers: tests/conftest.py
PYTEST := $(PYTHON) -m pytest --numprocesses auto --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help demo test unit lint check setup build clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | \
		while IFS='|' read -r name what; do printf '  make %-8s %s\n' "$$name" "$$what"; done

demo: build ## set up all that is missing, then run the scenarios
	@./dmabed run base

test: lint build ## set up all that is missing, then run every test
	@$(PYTEST) tests/unit tests/contract tests/qtest tests/integration tests/sabotage

unit: setup ## the tests that need no QEMU
	@$(PYTEST) tests/unit

lint: setup ## style, types, spelling, both checkpatches
	@$(PYTHON) tools/lint.py

check: ## what this machine lacks; changes nothing
	@PYTHONPATH=$(CURDIR)/harness python3 -m dmabed.doctor

setup: ## install Debian packages and the Python environment, if they are missing
	@tools/bootstrap

build: setup ## QEMU, kernel, modules and root file system, if they are missing
	@$(PYTHON) -m dmabed.build

clean: ## remove what was made in this directory; the cache stays
	rm -rf build results .mypy_cache .pytest_cache .ruff_cache
