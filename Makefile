# The front door. `make help` lists what it does; CMake and the presets do the work.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
ARGS ?=

.PHONY: build demo test bench format check fuzz clean install help
.DEFAULT_GOAL := build

build: ## install what is missing, build build/cleave
	@tools/install-dependencies build
	@test -f build/build.ninja || cmake --preset release
	@cmake --build --preset release -j $(JOBS) --target cleave layers

demo: build ## two nodes, emulated links, the classic networks: one table (ARGS="--json")
	@build/cleave demo $(ARGS)

test: ## everything: unit, end to end, checks, gcc and clang, sanitizers, fuzzers (FUZZ_SECONDS=3 each)
	@tools/install-dependencies test
	@test -f build/build.ninja || cmake --preset release
	@cmake --build --preset release -j $(JOBS)
	@ctest --test-dir build -C Full -j $(JOBS) --output-on-failure --no-tests=error

bench: build ## the numbers that are the limit, as ratios; rows go to bench/results (ARGS for bench/run)
	@tools/install-dependencies test
	@cmake --build --preset release -j $(JOBS) --target benches
	@bench/run $(ARGS)

format: ## clang-format every C file
	@tools/install-dependencies test
	@find ./*/ \( -name node_modules -o -name 'build*' \) -prune -o -name '*.[ch]' -print0 | xargs -0 clang-format -i

check: build ## the quick checks: layers, format, headers, banned functions, paths, sizes
	@tools/install-dependencies test
	@ctest --test-dir build -L check -j $(JOBS) --output-on-failure --no-tests=error

fuzz: ## every fuzzer for FUZZ_SECONDS (600)
	@tools/install-dependencies test
	@cmake --preset fuzz
	@cmake --build --preset fuzz -j $(JOBS)
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-600} tools/fuzz-smoke

install: build ## to DESTDIR/PREFIX (/usr/local)
	@DESTDIR="$(DESTDIR)" cmake --install build --strip --prefix "$(PREFIX)"

clean: ## remove every build
	@rm -rf build build-*

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
