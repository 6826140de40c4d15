# Everything here runs the same way on a laptop and in CI; .ci/run is the whole of CI.

GO ?= go
FUZZTIME ?= 10s
KILLS ?= 100
PREFILL ?= 100000
# Tests start processes and talk to engines, which the test cache cannot see: a kept result would prove nothing.
TEST = $(GO) test -count=1

.DEFAULT_GOAL := help

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/passbook
	$(GO) build -o bin/ ./cmd/passbook

.PHONY: test
test: ## vet and run all tests; needs nothing but Go and make
	$(GO) vet ./...
	$(TEST) ./...

.PHONY: race
race: ## run all tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(TEST) -race ./...

.PHONY: cover
cover: ## statement coverage of es/ and bank/; fails below 85 %
	scripts/coverage 85

.PHONY: lint
lint: ## run the linters; the first run builds golangci-lint
	"$$(scripts/tool golangci-lint)" run ./...

.PHONY: vuln
vuln: ## look for known vulnerabilities in what the binary calls
	scripts/vulncheck

.PHONY: gen
gen: ## make generated files again
	$(GO) generate ./...

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (10s)
	scripts/fuzz $(FUZZTIME)

.PHONY: crash
crash: ## kill -9 under load, KILLS times (100) on PREFILL events (100000), and compare
	$(TEST) -v -timeout 30m ./test/crash -kills $(KILLS) -prefill $(PREFILL)

.PHONY: run
run: ## serve everything in one process, data in ./passbook-data
	$(GO) run ./cmd/passbook serve

.PHONY: engines
engines: ## start MongoDB, Kafka and MySQL to play with, and print the settings to use
	@scripts/engines start
	@echo; echo 'Settings of what runs (make engines-stop ends it):'
	@scripts/engines settings

.PHONY: engines-stop
engines-stop: ## stop them; their data stays until "scripts/engines stop --remove"
	@scripts/engines stop

.PHONY: clean
clean: ## remove what was built and measured; data folders stay
	rm -rf bin coverage
