# Thin: each target calls the real tool.  `make help` lists them.

SHELL := /bin/bash
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
VERSION := 1.0.0
BUILD := .build
LIB := $(BUILD)/release/libprefop.so
VENV := $(BUILD)/venv
PYTHON := $(VENV)/bin/python
C_SOURCES = $$(find include Sources Tests examples -name '*.[ch]' -o -name '*.cpp')
SWIFT_BUILD := swift build --disable-local-rpath

# What Debian packages are needed, in one place: to build, and to test.
BUILD_PACKAGES := libcurl4-openssl-dev libssl-dev pkg-config gcc libc6-dev
TEST_PACKAGES := python3 python3-venv openssl luajit lua-luv ruby ruby-async nginx valgrind rapidjson-dev g++ clang-format binutils \
	strace cmake php-cli libuv1-dev libglib2.0-dev wrk

.PHONY: help lib demo test venv unit-test abi-test anomaly sanitize soak bench fuzz lint format install uninstall clean

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

# Installs what is missing, and nothing when nothing is. A test runs an nginx of its own: Debian's is not to start
# beside it, now or at the next boot, unless it was there before (systemctl unmask nginx).
define need
	@missing=$$(for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  case " $$missing " in *' nginx '*) test ! -d /run/systemd/system || $$sudo systemctl mask nginx;; esac; \
	  $$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
	    apt-get install -y -qq --no-install-recommends $$missing; \
	fi
endef

# Puts Python packages that are missing into the virtual environment.
define need_python
	@test -x $(PYTHON) || python3 -m venv $(VENV)
	@missing=$$(for p in $(1); do $(PYTHON) -c "import $$p" 2>/dev/null || echo $$p; done); \
	test -z "$$missing" || $(PYTHON) -m pip install -q --disable-pip-version-check $$missing
endef

lib: ## Build .build/release/libprefop.so
	$(call need,$(BUILD_PACKAGES))
	$(SWIFT_BUILD) -c release
	@ln -sf libprefop.so $(LIB).1

demo: lib ## Show the main use against the bundled stub API server
	$(call need,python3 openssl)
	@sh examples/demo.sh $(abspath $(LIB))

test: lint lib venv unit-test abi-test ## Run all tests

venv: ## What the tests need of Python, in .build/venv
	$(call need,$(TEST_PACKAGES))
	$(call need_python,pytest cffi)

unit-test: ## Swift tests of the core, debug build
	$(call need,$(BUILD_PACKAGES))
	swift test --parallel

abi-test: lib venv ## Everything through the C interface of the release build
	$(PYTHON) -m pytest -q Tests

anomaly: lib venv ## Fail each allocation in turn, over TLS too
	$(PYTHON) Tests/abi/anomaly/run.py --tls

sanitize: venv ## The tests under AddressSanitizer and ThreadSanitizer
	$(PYTHON) Tests/abi/sanitize.py

soak: lib venv ## A million queries against a server of which one answer in twenty is a fault (QUERIES=...)
	$(PYTHON) Tests/soak/soak.py $(if $(QUERIES),--queries $(QUERIES))

bench: lib venv ## One table of figures, each with its bar, and one of what a wait costs
	$(call need_python,pycurl requests)
	$(PYTHON) Tests/bench/run.py
	@set -o pipefail; PREFOP_SCHEDULE=1 swift test --filter WaitCostTests/table | grep -E '^(pauses|age)'

fuzz: venv ## Ten minutes of libFuzzer on the JSON reader and writer (SECONDS=... TARGET=profile or queue)
	$(call need,$(BUILD_PACKAGES))
	sh Tests/fuzz/run.sh $(or $(SECONDS),600) $(TARGET)

lint: ## Check the layout of Swift and C, and Python; compiler warnings are errors in every build
	$(call need,clang-format python3 python3-venv)
	$(call need_python,ruff)
	swift format lint --strict --recursive Package.swift Sources Tests
	clang-format --dry-run --Werror $(C_SOURCES)
	$(PYTHON) -m ruff check -q --no-cache --line-length 120 --select E,F,W,B,UP Tests examples

format: ## Lay the sources out
	swift format --in-place --recursive Package.swift Sources Tests
	clang-format -i $(C_SOURCES)

# As pkg-config and CMake are to find the folders, also when all was moved.
PC_LIBDIR = $(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))
PC_INCLUDEDIR = $(patsubst $(PREFIX)/%,$${prefix}/%,$(INCLUDEDIR))
CMAKE_INCLUDEDIR = $(shell realpath -ms --relative-to=$(LIBDIR)/cmake/prefop $(INCLUDEDIR))
FILL_IN = sed -e 's|@VERSION@|$(VERSION)|' -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(PC_LIBDIR)|' \
	-e 's|@INCLUDEDIR@|$(PC_INCLUDEDIR)|' -e 's|@CMAKE_INCLUDEDIR@|$(CMAKE_INCLUDEDIR)|'
PACKAGING := Sources/Prefop/Packaging

install uninstall: to_lib = $(DESTDIR)$(LIBDIR)
install uninstall: to_include = $(DESTDIR)$(INCLUDEDIR)

install: ## Install below PREFIX, or into LIBDIR and INCLUDEDIR; in DESTDIR if given
	@test -f $(LIB) || $(MAKE) lib
	install -d $(to_include) $(to_lib)/pkgconfig $(to_lib)/cmake/prefop
	install -m 644 include/prefop.h $(to_include)/prefop.h
	objcopy --only-keep-debug $(LIB) $(to_lib)/libprefop.so.$(VERSION).debug
	objcopy --strip-all --add-gnu-debuglink=$(to_lib)/libprefop.so.$(VERSION).debug $(LIB) $(to_lib)/libprefop.so.$(VERSION)
	chmod 755 $(to_lib)/libprefop.so.$(VERSION)
	chmod 644 $(to_lib)/libprefop.so.$(VERSION).debug
	ln -sf libprefop.so.$(VERSION) $(to_lib)/libprefop.so.1
	ln -sf libprefop.so.1 $(to_lib)/libprefop.so
	$(FILL_IN) $(PACKAGING)/prefop.pc.in > $(to_lib)/pkgconfig/prefop.pc
	$(FILL_IN) $(PACKAGING)/prefop-config.cmake.in > $(to_lib)/cmake/prefop/prefop-config.cmake
	$(FILL_IN) $(PACKAGING)/prefop-config-version.cmake.in > $(to_lib)/cmake/prefop/prefop-config-version.cmake
	chmod 644 $(to_lib)/pkgconfig/prefop.pc $(to_lib)/cmake/prefop/*.cmake

uninstall: ## Remove exactly what install made
	rm -f $(to_include)/prefop.h
	rm -f $(addprefix $(to_lib)/,libprefop.so libprefop.so.1 libprefop.so.$(VERSION) libprefop.so.$(VERSION).debug pkgconfig/prefop.pc)
	rm -f $(addprefix $(to_lib)/cmake/prefop/,prefop-config.cmake prefop-config-version.cmake)
	-@rmdir $(to_lib)/cmake/prefop 2>/dev/null || true

clean: ## Remove everything built
	rm -rf $(BUILD)
