# Thin: each target calls the real tool.  `make help` lists them.

SHELL := /bin/bash
PREFIX ?= /usr/local
VERSION := 1.0.0
BUILD := .build
LIB := $(BUILD)/release/libprefop.so
VENV := $(BUILD)/venv
PYTHON := $(VENV)/bin/python
C_SOURCES = $$(find include Sources Tests examples -name '*.[ch]' -o -name '*.cpp')
SWIFT_BUILD := swift build --disable-local-rpath

# What Debian packages are needed, in one place: to build, and to test.
BUILD_PACKAGES := libcurl4-openssl-dev libssl-dev pkg-config gcc libc6-dev
TEST_PACKAGES := python3 python3-venv openssl luajit nginx-light valgrind rapidjson-dev g++ clang-format binutils strace cmake php-cli

.PHONY: help lib demo test venv unit-test abi-test anomaly sanitize bench fuzz lint format install uninstall clean

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

# Installs what is missing, and nothing when nothing is.
define need
	@missing=$$(for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing; \
	fi
endef

lib: ## Build .build/release/libprefop.so
	$(call need,$(BUILD_PACKAGES))
	$(SWIFT_BUILD) -c release
	@ln -sf libprefop.so $(LIB).1

demo: lib ## Show the main job against the bundled stub API server
	$(call need,python3 openssl)
	@sh examples/demo.sh $(abspath $(LIB))

test: lint lib venv unit-test abi-test ## Run all tests

venv:
	$(call need,$(TEST_PACKAGES))
	@test -x $(PYTHON) || python3 -m venv $(VENV)
	@$(PYTHON) -c 'import pytest, cffi' 2>/dev/null || $(VENV)/bin/pip install -q --disable-pip-version-check pytest cffi

unit-test: ## Swift tests of the core, debug build
	$(call need,$(BUILD_PACKAGES))
	swift test --parallel

abi-test: lib venv ## Everything through the C interface of the release build
	$(PYTHON) -m pytest -q Tests

anomaly: lib venv ## Fail each allocation in turn, over TLS too
	$(PYTHON) Tests/abi/anomaly/run.py --tls

sanitize: venv ## The tests under AddressSanitizer and ThreadSanitizer
	$(PYTHON) Tests/abi/sanitize.py

bench: lib venv ## One table of ratios against bare libcurl and RapidJSON
	$(PYTHON) Tests/bench/run.py

fuzz: venv ## Ten minutes of libFuzzer on the JSON reader (SECONDS=...)
	$(call need,$(BUILD_PACKAGES))
	sh Tests/fuzz/run.sh $(or $(SECONDS),600)

lint: ## Check the layout of Swift and C; compiler warnings are errors in every build
	$(call need,clang-format)
	swift format lint --strict --recursive Package.swift Sources Tests
	clang-format --dry-run --Werror $(C_SOURCES)

format: ## Lay the sources out
	swift format --in-place --recursive Package.swift Sources Tests
	clang-format -i $(C_SOURCES)

install: ## Install below PREFIX, in DESTDIR if given
	@test -f $(LIB) || $(MAKE) lib
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/lib/cmake/prefop
	install -m 644 include/prefop.h $(DESTDIR)$(PREFIX)/include/prefop.h
	objcopy --only-keep-debug $(LIB) $(DESTDIR)$(PREFIX)/lib/libprefop.so.$(VERSION).debug
	objcopy --strip-all --add-gnu-debuglink=$(DESTDIR)$(PREFIX)/lib/libprefop.so.$(VERSION).debug $(LIB) $(DESTDIR)$(PREFIX)/lib/libprefop.so.$(VERSION)
	chmod 755 $(DESTDIR)$(PREFIX)/lib/libprefop.so.$(VERSION)
	chmod 644 $(DESTDIR)$(PREFIX)/lib/libprefop.so.$(VERSION).debug
	ln -sf libprefop.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/libprefop.so.1
	ln -sf libprefop.so.1 $(DESTDIR)$(PREFIX)/lib/libprefop.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' Sources/Prefop/Packaging/prefop.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/prefop.pc
	sed -e 's|@VERSION@|$(VERSION)|' Sources/Prefop/Packaging/prefop-config.cmake.in > $(DESTDIR)$(PREFIX)/lib/cmake/prefop/prefop-config.cmake
	sed -e 's|@VERSION@|$(VERSION)|' Sources/Prefop/Packaging/prefop-config-version.cmake.in > $(DESTDIR)$(PREFIX)/lib/cmake/prefop/prefop-config-version.cmake
	chmod 644 $(DESTDIR)$(PREFIX)/lib/pkgconfig/prefop.pc $(DESTDIR)$(PREFIX)/lib/cmake/prefop/*.cmake

uninstall: ## Remove exactly what install made
	rm -f $(DESTDIR)$(PREFIX)/include/prefop.h
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/lib/,libprefop.so libprefop.so.1 libprefop.so.$(VERSION) libprefop.so.$(VERSION).debug pkgconfig/prefop.pc)
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/lib/cmake/prefop/,prefop-config.cmake prefop-config-version.cmake)
	-@rmdir $(DESTDIR)$(PREFIX)/lib/cmake/prefop 2>/dev/null || true

clean: ## Remove everything built
	rm -rf $(BUILD)
