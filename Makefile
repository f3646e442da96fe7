# Tocsin: make help
SHELL := /bin/bash
.DEFAULT_GOAL := all
BUILD ?= release
O := build/$(BUILD)
BIN := $(if $(filter release,$(BUILD)),build/tocsin,$(O)/tocsin)

CC := gcc
CXX := g++
PACKAGES := libmicrohttpd snappy libcurl yaml-0.1 re2 sqlite3 libxxhash zlib nettle
CPPFLAGS += -Iinclude -I$(O)/gen -D_GNU_SOURCE
WARN := -Wall -Wextra -Wconversion -Wshadow -Wpointer-arith -Wundef -Wvla -Werror
OPTIMIZE := -O2 -g
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection -ftrivial-auto-var-init=pattern -fPIE
LDHARDEN := -pie -Wl,-z,relro,-z,now

ifeq ($(BUILD),release)
CPPFLAGS += -D_FORTIFY_SOURCE=2
# gcc's own choice clears small structs by `rep stos`, which takes longer than all else that a window does.
OPTIMIZE += $(if $(filter x86_64,$(shell uname -m)),-mtune=skylake)
else ifeq ($(BUILD),tsan)
OPTIMIZE := -O1 -g -fsanitize=thread
CPPFLAGS += -DTOCSIN_COSTLY
HARDEN := -fPIE
LDHARDEN := -pie
else ifneq ($(filter asan fuzz,$(BUILD)),)
CC := clang-14
CXX := clang++-14
OPTIMIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPTIMIZE += $(if $(filter fuzz,$(BUILD)),-fsanitize=fuzzer-no-link)
CPPFLAGS += -DTOCSIN_COSTLY
HARDEN :=
LDHARDEN :=
endif

# One line a file; V=1 shows the commands.
Q := $(if $(V),,@)
say = @echo '  $@'

# -ffp-contract=off: results must be Prometheus' to the bit, so no fused multiply-add.
FLAGS = $(OPTIMIZE) $(HARDEN) $(WARN) -ffp-contract=off -fno-strict-overflow -pthread -MMD -MP
ALL_CFLAGS = -std=c17 $(FLAGS) $(CFLAGS)
ALL_CXXFLAGS = -std=c++17 $(FLAGS) $(CXXFLAGS)
LIBS = $(shell pkg-config --libs $(PACKAGES)) -lm -pthread

SOURCES := $(wildcard engine/*/*.c remote_write/*.c rules/*.c slo/*.c)
CXXSOURCES := $(wildcard engine/base/*.cc)
MAIN := engine/daemon/main.c
OBJECTS := $(SOURCES:%.c=$(O)/%.o) $(CXXSOURCES:%.cc=$(O)/%.o)
# protobuf-c is what the tests compare our own decoder with; the program is linked without it.
PROTO := $(wildcard tests/oracle/*.proto)
ORACLE := $(PROTO:tests/oracle/%.proto=$(O)/gen/%.pb-c.o)
SIM := $(patsubst %.c,$(O)/%.o,$(wildcard tests/sim/*.c))
TEST_LIBS = $(LIBS) $(shell pkg-config --libs libprotobuf-c)
LIB_OBJECTS := $(filter-out $(MAIN:%.c=$(O)/%.o),$(OBJECTS))
UNIT := $(patsubst tests/unit/%.c,$(O)/unit/%,$(wildcard tests/unit/*_test.c))

all: $(BIN)

$(O)/libtocsin.a: $(LIB_OBJECTS)
	@rm -f $@ && ar rcs $@ $^

$(BIN): $(MAIN:%.c=$(O)/%.o) $(O)/libtocsin.a
	$(Q)$(CXX) $(OPTIMIZE) $(LDHARDEN) -o $@ $^ $(LIBS)

$(O)/%.o: %.c
	$(say)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(O)/%.o: %.cc
	$(say)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(CPPFLAGS) $(ALL_CXXFLAGS) -c -o $@ $<

# What protoc-c writes is not ours to keep free of warnings.
$(O)/gen/%.pb-c.o: $(O)/gen/%.pb-c.c
	$(Q)$(CC) $(CPPFLAGS) $(OPTIMIZE) $(HARDEN) -w -c -o $@ $<

$(O)/gen/%.pb-c.c $(O)/gen/%.pb-c.h &: tests/oracle/%.proto
	@mkdir -p $(O)/gen
	$(Q)protoc-c --c_out=$(O)/gen --proto_path=tests/oracle $<

$(O)/libtests.a: $(ORACLE) $(SIM)
	@rm -f $@ && ar rcs $@ $^

$(O)/unit/%: tests/unit/%.c $(O)/libtocsin.a $(O)/libtests.a
	$(say)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@.o $<
	$(Q)$(CXX) $(OPTIMIZE) $(LDHARDEN) -o $@ $@.o $(O)/libtests.a $(O)/libtocsin.a $(TEST_LIBS) -lcmocka

FUZZ := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 60

$(O)/fuzz/%: tests/fuzz/%.c $(wildcard tests/fuzz/*.h) $(O)/libtocsin.a $(O)/libtests.a
	$(say)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@.o $<
	$(Q)$(CXX) $(OPTIMIZE) -fsanitize=fuzzer -o $@ $@.o $(O)/libtests.a $(O)/libtocsin.a $(TEST_LIBS)

BENCH := $(patsubst tests/bench/%.c,$(O)/bench/%,$(wildcard tests/bench/*.c))

# Also $(O)/diff/%, for tests/diff/template.
$(O)/%: tests/%.c $(O)/libtocsin.a
	$(say)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@.o $<
	$(Q)$(CXX) $(OPTIMIZE) $(LDHARDEN) -o $@ $@.o $(O)/libtocsin.a $(LIBS)

unit: $(UNIT)
	@tests/run --build $(O) --binary $(BIN) unit

# ---- what people type; each works as the first command on a fresh Debian 12 ----

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

deps: ## install Debian's packages that are missing (docs/dependencies.md)
	@deploy/deps.sh build test habits peer

demo: ## build, let an SLO burn, and print the page as it arrives (about a minute)
	@deploy/deps.sh build
	@$(MAKE) --no-print-directory -s -j2 build/tocsin
	@deploy/demo/run build/tocsin

test: ## build and run all tests but the long fuzzing
	@deploy/deps.sh build test peer
	@$(MAKE) --no-print-directory -s -j2 build/tocsin units
	@tests/run

asan: ## the same tests, and every fuzz corpus, under AddressSanitizer and UBSan
	@deploy/deps.sh build test habits peer
	@$(MAKE) --no-print-directory -s -j2 BUILD=asan build/asan/tocsin units
	@$(MAKE) --no-print-directory -s -j2 BUILD=fuzz fuzzers
	@tests/run --build build/asan --binary build/asan/tocsin
	@tests/run --build build/fuzz --binary build/asan/tocsin corpus

tsan: ## the unit tests that can start a thread, and the end-to-end tests, under ThreadSanitizer
	@deploy/deps.sh build test peer
	@$(MAKE) --no-print-directory -s -j2 BUILD=tsan build/tsan/tocsin units
	@TSAN_OPTIONS=halt_on_error=1 tests/run --build build/tsan --binary build/tsan/tocsin threads remote_write e2e

fuzz: ## fuzz each parser for FUZZ_SECONDS (60); new inputs go to build/fuzz/found
	@deploy/deps.sh build test habits
	@$(MAKE) --no-print-directory -s -j2 BUILD=fuzz fuzzers
	@tests/fuzz/run $(FUZZ_SECONDS)

kill: ## kill the daemon 300 times (KILL_TURNS) while it is pushed to, while its alerts come and go, and while others post some
	@deploy/deps.sh build test
	@$(MAKE) --no-print-directory -s -j2 build/tocsin
	@for what in run alerts router; do tests/kill/$$what --turns $(or $(KILL_TURNS),300) || exit 1; done

conformance: ## Prometheus' own tests: make conformance PROMQL_TESTDATA=DIR
	@test -n "$(PROMQL_TESTDATA)" || { echo "say where they are: make conformance PROMQL_TESTDATA=DIR" >&2; exit 2; }
	@deploy/deps.sh build test
	@$(MAKE) --no-print-directory -s -j2 build/tocsin build/release/unit/promql_identity_test
	@tests/conformance $(PROMQL_TESTDATA)

bench: ## load Tocsin and its peers side by side; writes docs/benchmarks.md (about half an hour)
	@deploy/deps.sh build bench
	@$(MAKE) --no-print-directory -s -j2 build/tocsin
	@tests/bench/run $(BENCH_FLAGS)

diff: ## DIFF_QUERIES generated queries (20000) to Debian's Prometheus 2.42, alerts and files to its Alertmanager, templates to Go: as Tocsin
	@deploy/deps.sh build test peer
	@$(MAKE) --no-print-directory -s -j2 build/tocsin $(O)/diff/template_peer
	@tests/diff/run && tests/diff/template && tests/diff/alertmanager_config && tests/diff/alertmanager --cases $(or $(DIFF_CASES),40) && tests/diff/pages

layers: ## prove that no folder includes upward
	@tests/habits/layers

shape: ## function and file lengths against their bounds
	@deploy/deps.sh habits
	@tests/habits/shape

format: ## lay out the C files with clang-format
	@deploy/deps.sh habits
	@git ls-files '*.c' '*.h' '*.cc' | xargs clang-format-14 -i

compile_commands.json: Makefile ## for editors and clang-tidy
	@$(MAKE) --no-print-directory -Bnk all | awk '/ -c -o / { file = $$NF; gsub(/"/, "\\\""); \
	  printf "%s{\"directory\": \"%s\", \"file\": \"%s\", \"command\": \"%s\"}", n++ ? ",\n" : "[\n", "$(CURDIR)", file, $$0 } \
	  END { print "\n]" }' >$@

install: build/tocsin ## copy the program to $(DESTDIR)$(PREFIX)/bin
	install -D -m 755 build/tocsin $(DESTDIR)$(PREFIX)/bin/tocsin

clean: ## remove what was built
	rm -rf build compile_commands.json

PREFIX ?= /usr/local
units: $(UNIT)
fuzzers: $(FUZZ)
benches: $(BENCH)
-include $(OBJECTS:.o=.d) $(SIM:.o=.d) $(UNIT:=.d)

.PHONY: all help deps demo test unit units benches asan tsan fuzz fuzzers kill conformance bench diff layers shape format install clean
.SECONDARY:
