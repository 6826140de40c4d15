# Everything here runs the same way on a laptop and in CI; .ci/run is the whole of CI.

GO ?= go
FUZZTIME ?= 10s
KILLS ?= 100
PREFILL ?= 100000
ROOMS ?= ./...

.DEFAULT_GOAL := help

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/passbook
	$(GO) build -o bin/ ./cmd/passbook

.PHONY: test
test: ## vet and run all tests, on real engines too where this machine can have them; says what was NOT TESTED
	$(GO) vet $(ROOMS)
	$(if $(COVER),scripts/coverage $(COVER),scripts/test $(ROOMS))

.PHONY: race
race: ## run all tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 scripts/test -race $(ROOMS)

.PHONY: cover
cover: ## run all tests and measure the statement coverage of es/ and bank/; fails below 85 %
	@$(MAKE) test COVER=85

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
	$(GO) test -count=1 -v -timeout 30m ./test/crash -kills $(KILLS) -prefill $(PREFILL)

.PHONY: cluster
cluster: ## break processes, engines and network of a whole installation; COMMANDS=100000 is the long form
	PASSBOOK_TEST_ENGINES=start $(GO) test -count=1 -v -timeout 3h ./test/cluster $(if $(COMMANDS),-long -commands $(COMMANDS) -pace 0 -outage 10m -blink 10s)

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
