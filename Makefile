# Tocsin: make help
SHELL := /bin/bash
.DEFAULT_GOAL := all
BUILD ?= release
O := build/$(BUILD)
BIN := $(if $(filter release,$(BUILD)),build/tocsin,$(O)/tocsin)

CC := gcc
CXX := g++
PACKAGES := libmicrohttpd libprotobuf-c snappy libcurl yaml-0.1 re2 sqlite3 libxxhash jansson
CPPFLAGS += -Iinclude -I$(O)/gen -D_GNU_SOURCE
WARN := -Wall -Wextra -Wconversion -Wshadow -Wpointer-arith -Wundef -Wvla -Werror
OPTIMIZE := -O2 -g
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection -ftrivial-auto-var-init=pattern -fPIE
LDHARDEN := -pie -Wl,-z,relro,-z,now

ifeq ($(BUILD),release)
CPPFLAGS += -D_FORTIFY_SOURCE=2
else ifeq ($(BUILD),asan)
CC := clang-14
CXX := clang++-14
OPTIMIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CPPFLAGS += -DTOCSIN_COSTLY
HARDEN :=
LDHARDEN :=
else ifeq ($(BUILD),tsan)
OPTIMIZE := -O1 -g -fsanitize=thread
CPPFLAGS += -DTOCSIN_COSTLY
HARDEN := -fPIE
LDHARDEN := -pie
else ifeq ($(BUILD),fuzz)
CC := clang-14
CXX := clang++-14
OPTIMIZE := -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer
CPPFLAGS += -DTOCSIN_COSTLY
HARDEN :=
LDHARDEN :=
endif

# -ffp-contract=off: results must be Prometheus' to the bit, so no fused multiply-add.
FLAGS = $(OPTIMIZE) $(HARDEN) $(WARN) -ffp-contract=off -fno-strict-overflow -pthread -MMD -MP
ALL_CFLAGS = -std=c17 $(FLAGS) $(CFLAGS)
ALL_CXXFLAGS = -std=c++17 $(FLAGS) $(CXXFLAGS)
LIBS = $(shell pkg-config --libs $(PACKAGES)) -lm -pthread

SOURCES := $(wildcard engine/*/*.c remote_write/*.c rules/*.c)
CXXSOURCES := $(wildcard engine/base/*.cc)
MAIN := engine/daemon/main.c
OBJECTS := $(SOURCES:%.c=$(O)/%.o) $(CXXSOURCES:%.cc=$(O)/%.o)
PROTO := $(wildcard remote_write/*.proto)
GENERATED := $(PROTO:remote_write/%.proto=$(O)/gen/%.pb-c.c)
LIB_OBJECTS := $(filter-out $(MAIN:%.c=$(O)/%.o),$(OBJECTS)) $(GENERATED:%.c=%.o)
UNIT := $(patsubst tests/unit/%.c,$(O)/unit/%,$(wildcard tests/unit/*_test.c))

all: $(BIN)

$(O)/libtocsin.a: $(LIB_OBJECTS)
	@rm -f $@ && ar rcs $@ $^

$(BIN): $(MAIN:%.c=$(O)/%.o) $(O)/libtocsin.a
	$(CXX) $(OPTIMIZE) $(LDHARDEN) -o $@ $^ $(LIBS)

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(O)/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(ALL_CXXFLAGS) -c -o $@ $<

# What protoc-c writes is not ours to keep free of warnings.
$(O)/gen/%.pb-c.o: $(O)/gen/%.pb-c.c
	$(CC) $(CPPFLAGS) $(OPTIMIZE) $(HARDEN) -w -c -o $@ $<

$(O)/gen/%.pb-c.c $(O)/gen/%.pb-c.h &: remote_write/%.proto
	@mkdir -p $(O)/gen
	protoc-c --c_out=$(O)/gen --proto_path=remote_write $<

$(O)/remote_write/%.o: | $(GENERATED)

$(O)/unit/%: tests/unit/%.c $(O)/libtocsin.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@.o $<
	$(CXX) $(OPTIMIZE) $(LDHARDEN) -o $@ $@.o $(O)/libtocsin.a $(LIBS) -lcmocka

unit: $(UNIT)
	@for t in $(UNIT); do echo "== $$t"; $$t || exit 1; done

-include $(OBJECTS:.o=.d) $(UNIT:=.d)

.PHONY: all unit clean
.SECONDARY:
clean:
	rm -rf build
