# `make run` is all that a fresh checkout needs. Every target first fills .venv, which takes no time when it is full.

bootstrap = @tools/bootstrap.sh
python = .venv/bin/python
in_parallel = $(python) -m pytest tests -n logical --maxprocesses 4 --dist worksteal
# what was compiled once is kept, whatever this machine prefers: else each process of a test run compiles all that it loads, again and again
export PYTHONDONTWRITEBYTECODE =

.PHONY: help run test test-slow thorough faults check bench demo migration clean

help:
	@echo 'make run                    start everything: servers, migrations, demo data, API, worker, beat'
	@echo 'make test                   run the tests, on servers of their own; neither the slow ones nor the controls, which show a race where its guard is taken away'
	@echo 'make test-slow              run the controls, and those that take longer than a second or two, half of the time of them all: whole stories, histories, races, killed workers, short forms of the long runs below'
	@echo 'make thorough               the long forms of tests that make test-slow runs short: 200 histories of a case and of orders, the last units in 20 rounds, 2,000 baskets at once, 1,000 random questions to the figures, plans over 200,000 rows, 200 planted errors for the reconciliations that plant each kind once, 20,000 generated requests'
	@echo 'make faults                 the long forms of the tests of money under faults and races: every request sent eight times at once, 500 orders given up while they are paid, 20 triggers of each settlement, 500 refunds at once, 100,000 split orders, one person where two are needed, a worker killed four times; 2,000 online payments with faults in a fifth of all calls, 2,000 events, all events lost, failing refunds, clocks a day off, a restored database; SHOP_FAULT_SEED repeats a run'
	@echo 'make check                  style, types, import directions, migrations'
	@echo 'make bench                  measure'
	@echo 'make demo                   play the whole story against the running server, or one started for it'
	@echo 'make migration m="words"    write the migration that the models need'
	@echo 'make clean                  remove what can be made again; your data in .data stay'

run:
	$(bootstrap) requirements.txt
	@SHOP_DEMO=$${SHOP_DEMO-1} exec .venv/bin/shop up

test:
	$(bootstrap) requirements-dev.txt
	$(in_parallel) -m 'not slow and not control'

test-slow:
	$(bootstrap) requirements-dev.txt
	$(in_parallel) -m 'slow or control'

thorough:
	$(bootstrap) requirements-dev.txt
	SHOP_ORACLE_RUNS=200 $(python) -m pytest tests/catalog/certification/test_oracle.py tests/orders/test_oracle.py tests/orders/money/test_lives.py
	SHOP_RUSH_ROUNDS=20 SHOP_SUSPENSION_ATTEMPTS=2000 $(python) -m pytest tests/orders/purchasing/test_concurrency.py tests/orders/purchasing/test_suspension.py
	SHOP_PATH_ROUNDS=20 SHOP_BASKETS=2000 $(python) -m pytest tests/orders/test_every_path.py tests/orders/test_baskets.py
	SHOP_QUESTIONS=500 $(python) -m pytest tests/orders/statistics/test_figures.py
	SHOP_PLAYS=2 $(python) -m pytest tests/shop/demo/test_play.py
	SHOP_PLAN_ROWS=200000 $(python) -m pytest tests/orders/money/test_plans.py
	SHOP_PLANTED=200 $(python) -m pytest tests/orders/reconcile
	SHOP_FUZZ_CASES=20000 $(python) -m pytest tests/fuzz

faults:
	$(bootstrap) requirements-dev.txt
	SHOP_FAULTS=long SHOP_SPLIT_CASES=100000 SHOP_KILLS=4 $(python) -m pytest tests/faults tests/orders/test_splits.py tests/workers -s -q

check:
	$(bootstrap) requirements-dev.txt
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(python) -m mypy
	$(python) -c 'from importlinter.cli import lint_imports_command as main; main()'
	.venv/bin/shop migrate --check

bench:
	$(bootstrap) requirements-dev.txt
	$(python) -m tests.bench

demo:
	$(bootstrap) requirements.txt
	@exec .venv/bin/shop demo

migration:
	$(bootstrap) requirements-dev.txt
	.venv/bin/shop migration '$(m)'

clean:
	rm -rf .venv .data/test .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist *.egg-info
	find shop catalog orders workers tests tools -name __pycache__ -prune -exec rm -rf {} +
