# What a set-up makes, out of what. deploy/bootstrap.py calls it; the goals are those of Makefile.
# A stamp is touched when its step is complete, so a step that was cut short is done again.

PYTHON ?= python3
VENV := .venv/bin
ASSETS := $(shell find conference/assets) deploy/assets.mjs
# Folders are named too: their time changes when a file in them is added or removed.
STATIC := $(shell find */static -not -path 'build/*') \
	conference/settings.py conference/static_storage.py
HAS_NODE := $(shell command -v npm && node -p 'parseInt(process.versions.node) >= 18' 2>&1)

.SILENT:
.NOTPARALLEL:
.PHONY: run lint test bench

run: .venv/requirements.stamp build/static.stamp
lint: .venv/requirements-dev.stamp
test bench: .venv/requirements-dev.stamp build/static.stamp

$(VENV)/python:
	echo "set-up | Python: virtual environment"
	$(PYTHON) -m venv --clear .venv

.venv/%.stamp: %.lock | $(VENV)/python
	echo "set-up | Python: packages of $<"
	$(VENV)/python -m pip install -qq --no-input --disable-pip-version-check --require-hashes -r $<
	touch $@

# npm writes this file when all packages are in place, and begins by removing it.
node_modules/.package-lock.json: package-lock.json
	echo "set-up | Front end: packages of $<"
	npm ci --omit=optional --loglevel=error >/dev/null

build/assets.stamp: node_modules/.package-lock.json $(ASSETS)
	echo "set-up | Front end: style sheets, QR reader, fonts"
	node deploy/assets.mjs
	touch $@

build/static.stamp: build/assets.stamp requirements.lock $(STATIC)
	echo "set-up | Static files"
	rm -f build/static/staticfiles.json # was kept among the files, where anybody could fetch it
	TRIAL=1 $(VENV)/python manage.py collectstatic --noinput -v 0
	touch $@

# A machine without Node 18 or newer gets it as a Python package.
ifneq ($(lastword $(HAS_NODE)),true)
node_modules/.package-lock.json build/assets.stamp: export PATH := $(CURDIR)/$(VENV):$(PATH)
node_modules/.package-lock.json build/assets.stamp: | .venv/requirements-build.stamp
endif
