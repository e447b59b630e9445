# Everything here works on packages that it finds in the modules of go.work ("work" is
# Go's own name for them), so that a package or a module that is added needs no entry.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

FUZZTIME  ?= 10s
BENCH     ?= .
BENCHTIME ?= 1s
TESTFLAGS ?=

BENCHFLAGS ?=
CHARTS     ?= bin/charts
BASE       ?= HEAD
PACKAGES   ?=

# The race detector needs cgo, which Go switches off where it finds no C compiler.
RACE ?= $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## compile every package, and put the programs into bin/
	go build work
	@programs=$$(go list -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' work); \
	if [[ -n $$programs ]]; then go build -o bin/ $$programs; fi

.PHONY: test
test: servers ## every test of every module, with the race detector where there is a C compiler
	$(if $(RACE),,@echo 'testing without the race detector, which needs a C compiler (apt-get install gcc libc6-dev)')
	go test $(RACE) -timeout 20m $(TESTFLAGS) work
	$(if $(RACE),@echo 'the pure packages once more at their full size and without the race detector')
	$(if $(RACE),go test $(TESTFLAGS) ./vclock ./ring ./quorum)
	$(if $(RACE),@echo 'and the counts of allocations: the race detector makes more of them')
	$(if $(RACE),go test $(TESTFLAGS) -run Allocates ./bench ./bench/peers)

.PHONY: test-short
test-short: ## the tests that take no time, without the race detector
	go test -short $(TESTFLAGS) work

.PHONY: servers
servers: ## install the servers that tests ask for, where apt can; else say which tests go without
	@scripts/servers

.PHONY: lint
lint: ## gofmt, go vet and golangci-lint (staticcheck included) on every module
	@scripts/lint

.PHONY: generate
generate: ## generate storagepb/*.pb.go from storagepb/storage.proto
	go generate ./storagepb

.PHONY: generate-check
generate-check: ## fail if the generated code is not what the .proto says
	@before=$$(cksum storagepb/*.go); \
	$(MAKE) --no-print-directory generate; \
	diff <(echo "$$before") <(cksum storagepb/*.go) || \
		{ echo 'storagepb: the generated code was out of date; it has been generated anew, commit it' >&2; exit 1; }

.PHONY: tidy-check
tidy-check: ## fail if go mod tidy would change a go.mod or a go.sum
	@failed=0; for dir in $$(find . -name go.mod -exec dirname {} \; | sort); do \
		echo "tidy $$dir"; GOWORK=off go -C "$$dir" mod tidy -diff || failed=1; \
	done; exit $$failed

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (10s)
	@scripts/fuzz $(FUZZTIME)

.PHONY: bench
bench: ## pairdb and its peers, about 10 minutes: BENCHFLAGS='--rounds 5', CHARTS=docs/benchmark
	@mkdir -p bin
	go run ./bench --json bin/bench.json --charts '$(CHARTS)' $(BENCHFLAGS)

.PHONY: bench-quick
bench-quick: ## the same for the main aims, in less than a minute
	@mkdir -p bin
	go run ./bench --quick --json bin/bench-quick.json $(BENCHFLAGS)

.PHONY: microbench
microbench: ## micro-benchmarks with their allocations: BENCH=regexp, BENCHTIME=1s or 20x
	@scripts/bench '$(BENCH)' $(BENCHTIME)

.PHONY: bench-compare
bench-compare: ## micro-benchmarks of BASE=revision and of the tree, in turns, by benchstat: BENCH, BENCHTIME, PACKAGES
	@scripts/bench-compare '$(BASE)' '$(BENCH)' $(BENCHTIME) $(PACKAGES)

.PHONY: soak
soak: ## the random tests for hours: PAIRDB_SOAK_HISTORIES, PAIRDB_SIM_SEEDS, PAIRDB_FAULT_SECONDS
	@scripts/soak

.PHONY: cover
cover: ## test coverage per function, into bin/cover.out
	@mkdir -p bin
	go test -short -coverprofile bin/cover.out work
	go tool cover -func bin/cover.out | tail -n 1

.PHONY: size
size: ## lines per package, and the largest files and functions
	@go run scripts/size.go
