# Two commands: `make demo` to see it, `make test` to trust it. The rest is for people who change it.

GO        ?= go
FUZZTIME  ?= 10s
BENCHTIME ?= 200x
LINT      := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# A checkout that belongs to another user (a mounted folder) must not stop the build: git refuses to describe it.
export GOFLAGS += -buildvcs=false

.PHONY: help demo test packages check race fuzz bench lint build agent secrets

help:
	@echo "make demo     everything in one process, then click: provider, test cards, demo shop (ARGS=... for flags)"
	@echo "make test     install what the tests need, then run all of them"
	@echo "make check    vet and gofmt only        make race   the tests only, without installing"
	@echo "make fuzz     each fuzz target for FUZZTIME=$(FUZZTIME)"
	@echo "make bench    what each request and each login costs (CPU, SQL statements, allocations), how the server starts, then card, agent, trust and claims"
	@echo "make lint     golangci-lint             make build  static binaries into bin/"
	@echo "make agent    the desktop agent for Linux and Windows, and its Debian package, into bin/"
	@echo "make secrets  keys and passwords for docker-compose.yml into .secrets/"

demo:
	CGO_ENABLED=0 $(GO) run ./cmd/sandbox $(ARGS)

test: packages
	@$(MAKE) --no-print-directory check race

packages:
	@.ci/packages

check:
	$(GO) vet ./...
	CGO_ENABLED=1 $(GO) vet -tags pkcs11 ./cmd/tegata ./idp/keys/...
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; }

# The race detector needs cgo, and so does PKCS #11.
race:
	CGO_ENABLED=1 $(GO) test -race -tags pkcs11 -shuffle=on -timeout 10m ./...

fuzz:
	@grep -rlE '^func Fuzz' --include='*_test.go' . | sort | while read -r file; do \
		for target in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$$file"); do \
			echo "== $$(dirname "$$file") $$target"; \
			$(GO) test "$$(dirname "$$file")" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) || exit 1; \
		done; \
	done

bench: packages
	$(GO) test ./cmd/sandbox/e2e -run '^$$' -bench Server -benchtime $(BENCHTIME) -timeout 30m
	$(GO) test ./cmd/sandbox/e2e -run '^$$' -bench Start -benchtime 5x
	$(GO) test ./authn/card/pcsc ./cmd/tegata-agent/login ./authn/jpki ./authn/revocation ./claims/... ./idp/keys ./idp/jwe -run '^$$' -bench . -benchtime $(BENCHTIME)

lint:
	@if command -v golangci-lint >/dev/null; then golangci-lint run; else $(GO) run $(LINT) run; fi

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/ ./cmd/tegata ./cmd/sandbox ./cmd/jpkisim ./cmd/demorp

# The agent reaches card readers through libpcsclite, by cgo, on Linux.
agent: packages
	GO="$(GO)" cmd/tegata-agent/packaging/build.sh bin

# Existing files stay: a new seal keyset would make the sealed columns of a running database unreadable.
secrets:
	@GO="$(GO)" .ci/secrets
