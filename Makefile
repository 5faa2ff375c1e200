# make run     set everything up and start the service     PORT=8000 SANDBOX_PORT=8001 DATA_DIR=data
# make test    set everything up and run the whole suite
# make lint    all static checks
# make bench   the benchmarks, one JSON object a line      ONLY=reserve
# make audit   known vulnerabilities in what is locked     ADVISORIES=build/advisories
# make chaos   bookings while every part is killed          ARGS="--minutes 10 --bookings 1000"
# make lock    rewrite the lock files                       UPGRADE=1 takes newer releases

PYTHON ?= python3
BIN := .venv/bin
# If make dies, however it dies, the kernel ends what it started.
START := exec setpriv --pdeathsig TERM
COMPILE = $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header \
	--no-annotate --python-version 3.11 $(if $(UPGRADE),--upgrade)
# The modules that decide about money and places, and what people are told about both.
TYPED := $(foreach name,actions money refunds settlement codes inbox mails,$(wildcard */$(name).py */$(name)/*.py))

.PHONY: run test lint bench audit chaos lock

run:
	@$(START) $(PYTHON) -m deploy.run

test:
	@$(PYTHON) deploy/bootstrap.py test
	@$(START) $(BIN)/python -m tests

lint:
	@$(PYTHON) deploy/bootstrap.py lint
	$(BIN)/ruff check --quiet --output-format concise .
	$(BIN)/ruff format --check --quiet .
	TRIAL=1 DATA_DIR=build/lint $(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports --no-logo
	$(BIN)/djlint --quiet --lint templates
	TRIAL=1 DATA_DIR=build/lint $(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m deploy.check
	sh -n .ci/run

bench:
	@$(PYTHON) deploy/bootstrap.py bench
	@$(START) $(BIN)/python -m bench $(ONLY)

audit:
	@$(PYTHON) deploy/bootstrap.py lint
	$(BIN)/python -m deploy.advisories $(ADVISORIES)

chaos:
	@$(PYTHON) deploy/bootstrap.py bench
	@$(START) $(BIN)/python -m tests.chaos $(ARGS)

lock:
	@$(PYTHON) deploy/bootstrap.py lint
	$(COMPILE) -o requirements.lock pyproject.toml
	$(COMPILE) -o requirements-build.lock --group build
	$(COMPILE) -o requirements-dev.lock -c requirements.lock pyproject.toml --group dev
	npm install --package-lock-only
