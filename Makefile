# `make help` lists what there is. Every target installs what it needs on a Debian 12 with Swift.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

jobs := .build/debug/jobs
sources := Package.swift Plugins Sources Tests

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: ## bill a month of a web server's log at a simulated Stripe, and look at the result
	@dev/install.sh stack build
	swift build --product jobs
	swift build --product stripe-simulator
	@dev/stack start --simulator
	@dev/demo $(jobs)

page: ## show what the demo left in a browser, at http://127.0.0.1:8090 (demo, meterflow-demo)
	@eval "$$(dev/stack env)"; PAGE_PORT=8090 PAGE_AUTH=basic PAGE_USERS=demo:meterflow-demo PAGE_CHANGES=true \
		$(jobs) serve --only-page

test: up ## run all tests against the local stack
	@dev/install.sh build test
	@dev/test

chaos: up ## thousands of seeds of kills, faults, pauses and doubled runs against a simulated Stripe
	@dev/install.sh build test
	@CHAOS_SEEDS=2000 dev/test --filter 'SubmissionTests.ChaosTests'
	@CHAOS_SEEDS=2000 dev/test --filter 'SubmissionTests.CreditNoteTests'
	@CHAOS_SEEDS=1000 dev/test --filter 'SubmissionTests.WebhookChaosTests'
	@CHAOS_SEEDS=10 CHAOS_INVOICES=200 dev/test --filter 'SubmissionTests.WebhookChaosTests'
	@FUZZ_ROUNDS=10000000 dev/test --filter 'WebhookSignatureTests'
	@CHAOS_SEEDS=1000 dev/test --filter 'AlertsTests.AlertChaosTests'
	@RECONCILE_INVOICES=10000 dev/test --filter 'SubmissionTests.ReconciliationTests'

check: lint ## everything that CI checks: format, build with warnings as errors, tests
	@$(MAKE) --no-print-directory test

lint: ## check the format of the sources
	swift format lint --strict --parallel --recursive $(sources)

build: ## make the release binary, .build/release/jobs
	@dev/install.sh build
	swift build -c release --static-swift-stdlib --product jobs

bench: up ## measure, as ratios to the engines' own speed in the same run
	@dev/install.sh build bench
	swift build -c release --static-swift-stdlib --product jobs
	swift build -c release --static-swift-stdlib --product stripe-simulator
	@Benchmarks/run .build/release/jobs --memory
	@Benchmarks/submission .build/release/jobs .build/release/stripe-simulator
	@Benchmarks/webhooks .build/release/jobs .build/release/stripe-simulator --events 1000000
	@Benchmarks/page .build/release/jobs
	@Benchmarks/detection .build/release/jobs
	@eval "$$(dev/stack env)"; Benchmarks/hourly .build/release/jobs

up: ## start the local Postgres and ClickHouse
	@dev/install.sh stack
	@dev/stack start

env: ## print the lines that point a shell at the local stack: eval "$(make env)"
	@dev/stack env

down: ## stop what `make up` and `make demo` started
	@dev/stack stop

.PHONY: help demo page test chaos check lint build bench up env down
