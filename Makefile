# logbook-tray
#
#   make run     installs what is missing, builds, starts the tray app and a demo
#   make test    installs what is missing, runs every check and every test
#
#   make build   the program alone, as build/logbook-tray
#   make bench   benchmarks, ours beside what they are measured against
#   make test-windows  what Wine can run of the tests for Windows
#   make lint    only the checks of the sources
#   make fmt     formats the sources
#   make services / services-stop   RabbitMQ, Redis, NATS, Mosquitto, rsyslog and MongoDB to try things with
#   make icons / sounds   makes what is under assets/ again
#   make install / uninstall   PREFIX=/usr/local DESTDIR= AUTOSTART=
#   make clean   removes what is built
#
# One set of flags for everything, because the first build of the toolkit takes
# long and Go's cache keeps one copy for each set.

GO ?= go
PREFIX ?= /usr/local
DESTDIR ?=
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)

# On Linux the toolkit draws with OpenGL ES: it compiles in a quarter of the time
# of desktop OpenGL and draws the same at the same speed.
ifeq ($(shell uname -s),Linux)
driver = gles
endif
comma := ,
# The program is built without the toolkit's goroutine checks, which cost a fifth
# of the processor time of scrolling. The tests are built with them.
app_tags = $(driver)$(and $(driver),$(comma))migrated_fynedo
test_tags = $(driver)

main = ./cmd/logbook-tray
binary = build/logbook-tray
# Everything that must work without a C compiler. core/benchmarks is a module of its
# own, for what core is compared with, and packaging/ferretdb for a broker of the tests.
headless = ./core ./core/format/... ./core/wire/... ./core/handler/... ./notifiers/...

.NOTPARALLEL:
.PHONY: all run test test-windows bench build lint fmt icons sounds services services-stop install uninstall clean \
	setup-run setup-test setup-lint check-format check-modules check-packaging vet unit golangci

all: build

run: setup-run build
	@packaging/run $(binary)

# What fails soonest comes first.
test: setup-test check-format check-modules check-packaging vet unit golangci

test-windows:
	@packaging/test-windows

lint: setup-lint check-format check-modules check-packaging vet golangci

setup-run setup-test setup-lint:
	@packaging/setup $(@:setup-%=%)

build:
	$(GO) build -tags $(app_tags) -ldflags '-X main.version=$(VERSION)' -o $(binary) $(main)

check-format:
	@echo "+ gofmt -l"; unformatted=$$(gofmt -l assets cmd core notifiers packaging ui) || exit 1; \
	if [ -n "$$unformatted" ]; then \
		echo "gofmt would change these files; run: make fmt"; echo "$$unformatted"; exit 1; \
	fi

check-modules:
	$(GO) mod tidy -diff

check-packaging:
	packaging/check

# The other systems are only vetted: what they share with this one is tested here,
# and what is theirs alone at least compiles. The tag makes the toolkit leave out
# its driver, which needs their C compilers, as does whatever imports libzmq.
vet:
	$(GO) vet -tags '$(test_tags)' ./...
	CGO_ENABLED=0 $(GO) vet $(headless)
	$(GO) -C core/benchmarks vet ./...
	$(GO) -C packaging/ferretdb vet -tags ferretdb_no_postgresql ./...
	packaging/vet windows
	packaging/vet darwin

# With the toolkit's goroutine checks, the race detector, a real X server, session
# bus and notification daemon; and once more the windows without a C compiler.
unit:
	$(GO) test -race -tags '$(test_tags)' ./...
	CGO_ENABLED=0 $(GO) test ./ui/...

golangci:
	@packaging/golangci-lint run
	@packaging/golangci-lint fmt --diff

fmt:
	@packaging/golangci-lint fmt

bench: setup-test
	$(GO) test -tags $(app_tags) -run '^$$' -bench . -benchmem ./...
	$(GO) -C core/benchmarks test -run '^$$' -bench . -benchmem ./...

icons:
	$(GO) run ./packaging/icons

sounds:
	$(GO) run ./packaging/sounds

services: setup-test
	@packaging/services/start

services-stop:
	@packaging/services/stop

install: build
	DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' AUTOSTART='$(AUTOSTART)' packaging/install install $(binary)

uninstall:
	DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' packaging/install uninstall

clean:
	rm -rf build artifacts
