# Thin: each target calls the real tool.  `make help` lists them.

SHELL := /bin/bash
PREFIX ?= /usr/local
VERSION := 1.0.0
BUILD := .build
LIB := $(BUILD)/release/libprefop.so
VENV := $(BUILD)/venv
PYTHON := $(VENV)/bin/python
SWIFT_BUILD := swift build --disable-local-rpath

# What Debian packages are needed, in one place: to build, and to test.
BUILD_PACKAGES := libcurl4-openssl-dev libssl-dev pkg-config gcc libc6-dev
TEST_PACKAGES := python3 python3-venv openssl luajit nginx-light valgrind rapidjson-dev g++ clang-format binutils

.PHONY: help lib demo test unit-test abi-test lint format install uninstall bench anomaly sanitize fuzz clean

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
