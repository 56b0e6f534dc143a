# A short front for CMake and Ninja; `make help` lists what there is.
PREFIX ?= /usr/local
BUILD ?= build
CMAKE = cmake -G Ninja -Wno-dev
JOBS ?=
NINJA = ninja $(if $(JOBS),-j$(JOBS))

CHECK_TOOLS = command -v cmake >/dev/null && command -v ninja >/dev/null || { \
  echo "cmake and ninja are needed: run 'make deps' first" >&2; exit 1; }

.PHONY: all help deps asan tsan fuzz-build demo test test-all bench fuzz install clean format check tidy

all: $(BUILD)/build.ninja ## release build: build/bin/weld, build/lib/libweld.a
	@$(NINJA) -C $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

deps: ## install the Debian packages that are missing; asks for nothing
	@tools/deps.sh test

$(BUILD)/build.ninja:
	@$(CHECK_TOOLS)
	@$(CMAKE) -S . -B $(BUILD) -DCMAKE_BUILD_TYPE=Release

build-asan/build.ninja:
	@$(CHECK_TOOLS)
	@$(CMAKE) -S . -B build-asan -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=-O1 -DWELD_SANITIZE=address

build-tsan/build.ninja:
	@$(CHECK_TOOLS)
	@$(CMAKE) -S . -B build-tsan -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=-O1 -DWELD_SANITIZE=thread

build-fuzz/build.ninja:
	@$(CHECK_TOOLS)
	@$(CMAKE) -S . -B build-fuzz -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=-O1 \
	  -DCMAKE_C_COMPILER=clang-14 -DWELD_SANITIZE=fuzzer

asan: build-asan/build.ninja ## build with address and undefined-behaviour sanitizers
	@$(NINJA) -C build-asan

tsan: build-tsan/build.ninja ## build with the thread sanitizer
	@$(NINJA) -C build-tsan

fuzz-build: build-fuzz/build.ninja
	@$(NINJA) -C build-fuzz

demo: ## link a real program with weld through cc, run it, compare the time
	@tools/deps.sh demo
	@$(MAKE) --no-print-directory all
	@tools/demo.sh

test: deps ## the tests that fit into a few minutes; the last line is "N passed, N failed"
	@tests/run quick

test-all: deps ## everything, with the real programs' own test suites
	@tests/run all

bench: ## the tables of README: weld beside its peers
	@tools/deps.sh bench
	@$(MAKE) --no-print-directory all
	@bench/run all

fuzz: ## every fuzz target for a while, then thousands of mutated links
	@tools/deps.sh test
	@$(MAKE) --no-print-directory fuzz-build asan
	@fuzz/run

install: all ## install into PREFIX (default /usr/local)
	@$(NINJA) -C $(BUILD) man || echo "no man page" >&2
	@cmake --install $(BUILD) --prefix $(PREFIX)

clean: ## remove every build directory
	rm -rf build build-asan build-tsan build-fuzz

format: ## clang-format all sources in place
	@tools/deps.sh lint
	@find src include tests/unit examples fuzz -name '*.[ch]' | xargs clang-format-14 -i

check: ## who includes whom; the formatting of what is newly written
	@tools/check-includes

tidy: ## clang-tidy over src/
	@tools/deps.sh lint
	@$(MAKE) --no-print-directory all
	@find src -name '*.c' | xargs clang-tidy-14 -quiet -p $(BUILD)
