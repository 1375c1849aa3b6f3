# A word per habit. The work is in scripts/; each can be run by itself.
.DEFAULT_GOAL := help
.PHONY: help setup setup-test build run test test-full test-asan test-tsan bench lab format lint docs fuzz clean

ARGS ?=
SECONDS ?= 60

help: ## list these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## bring what Debian and PyPI must provide to build and run (nothing to do: a second)
	@scripts/setup.sh

setup-test: ## the same, and what the browser tests need (Chromium)
	@scripts/setup.sh --test

build: setup ## build the release binary .build/release/kabuto
	swift build -c release --product kabuto

run: build ## serve at http://127.0.0.1:8080, data in .kabuto; ARGS="--feed itch:FILE" is passed on
	@echo '==> http://127.0.0.1:8080/ unless ARGS has another --listen; Ctrl-C ends it' >&2
	@exec .build/release/kabuto serve --data .kabuto $(ARGS)

test: setup-test ## all tests; FILTER=name only some Swift tests, KABUTO_SEED=… repeats a run
	@scripts/test.sh

test-full: setup-test ## the same in depth: whole rule sets and corpora, 50,000 mutations, sqlmap, libmodsecurity
	@KABUTO_FULL=1 scripts/test.sh

bench: setup ## measure, beside peers (docs/BENCHMARKS.md); ARGS is passed on
	@scripts/bench.sh $(ARGS)

lab: setup-test build ## break an estate in namespaces of this machine and measure (root; docs/AVAILABILITY.md); ARGS="--runs 1 plant-killed"
	@scripts/lab.sh $(ARGS)

format: ## lay out the Swift files as .swift-format says
	@scripts/format.sh

lint: ## check style and syntax, change nothing
	@scripts/lint.sh

docs: build ## write the generated documents (docs/CLI.md)
	@scripts/docs.sh

test-asan: setup ## the Swift tests under AddressSanitizer, leaks included; FILTER=name
	@scripts/sanitize.sh address

test-tsan: setup ## the Swift tests under ThreadSanitizer; FILTER=name
	@scripts/sanitize.sh thread

fuzz: setup ## feed the parsers what nobody would send, for SECONDS=60 a test
	@SECONDS_A_FUZZ=$(SECONDS) scripts/fuzz.sh

clean: ## remove what was built; .kabuto (your data) and the vendored chart library stay
	rm -rf .build .build-asan .build-tsan .build-bench .venv .venv-bench
